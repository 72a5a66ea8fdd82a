// Errors that are no fault of the config: exit code 1 instead of 2.
#pragma once

#include <stdexcept>
#include <string>

namespace nnrun::core {

class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// "cannot write FILE: No space left on device", from errno.
RunError system_error(const std::string& what);

}  // namespace nnrun::core
