// A net as C99: no heap, no library, one header and one source.
#pragma once

#include "net.hpp"

#include <string>

namespace nnrun::exporters {

struct CSource {
  std::string header, source;  // NAME.h, NAME.c
  std::string golden;          // NAME_golden.h
  std::string self_test;       // NAME_self_test.c
};

// `name`: what all identifiers and files begin with. `model`: for comments.
CSource c_source(const Net& net, const std::string& name);

}  // namespace nnrun::exporters
