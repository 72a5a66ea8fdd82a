// SHA-256, by libmd.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace nnrun::core {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(const void* data, std::size_t bytes);
  // 64 digits; ends the sum.
  std::string hexadecimal();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline std::string sha256_of(std::string_view data) {
  Sha256 hash;
  hash.add(data.data(), data.size());
  return hash.hexadecimal();
}

}  // namespace nnrun::core
