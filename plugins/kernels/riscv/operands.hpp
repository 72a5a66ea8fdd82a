// What one call of a guest's function needs: operands in its memory, results out of it.
#pragma once

#include "engine/guest.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <nnrun/plugin.hpp>

namespace nnrun_riscv {

class Operands {
 public:
  explicit Operands(Guest& guest) : guest_(guest) { guest_.memory().clear(); }

  // A copy of `count` elements; NULL stays 0.
  template <class T>
  std::uint64_t input(const T* values, std::int64_t count) {
    if (values == nullptr) return 0;
    const std::uint64_t address = guest_.memory().allocate(bytes_of<T>(count));
    if (count > 0) std::memcpy(guest_.memory().at(address), values, bytes_of<T>(count));
    return address;
  }

  // Room that finish() copies to `values`.
  template <class T>
  std::uint64_t output(T* values, std::int64_t count) {
    const std::uint64_t address = guest_.memory().allocate(bytes_of<T>(count));
    outputs_.push_back({values, address, bytes_of<T>(count)});
    return address;
  }

  template <class T>
  std::uint64_t scratch(std::int64_t count) {
    return guest_.memory().allocate(bytes_of<T>(count));
  }

  // Numbers as wide as the guest's registers.
  std::uint64_t fields(std::span<const std::int64_t> values) {
    const std::size_t width = guest_.register_bytes();
    const std::uint64_t address = guest_.memory().allocate(values.size() * width);
    auto* to = static_cast<unsigned char*>(guest_.memory().at(address));
    for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(to + i * width, &values[i], width);  // little-endian on both sides
    return address;
  }

  // `instructions`: more than it can possibly take.
  void call(const char* function, std::initializer_list<std::uint64_t> arguments, std::int64_t instructions) {
    const std::uint64_t status = guest_.call(function, {arguments.begin(), arguments.size()}, static_cast<std::uint64_t>(instructions));
    if (status != 0) throw nnrun::Error(std::string("the RISC-V kernel ") + function + " refuses its dimensions");
    for (const Output& output : outputs_) {
      if (output.bytes > 0) std::memcpy(output.to, guest_.memory().at(output.from), output.bytes);
    }
  }

 private:
  template <class T>
  static std::size_t bytes_of(std::int64_t count) {
    if (count < 0 || count > std::int64_t{1} << 40) throw nnrun::Error("an operand of " + std::to_string(count) + " elements");
    return static_cast<std::size_t>(count) * sizeof(T);
  }

  struct Output {
    void* to;
    std::uint64_t from;
    std::size_t bytes;
  };
  Guest& guest_;
  std::vector<Output> outputs_;
};

// The structure that functions over windows take (shared/windows.inc), for one picture: the windows, then channels, filters, groups, what
// lies outside of the picture, shift, and the addresses of x, weights, bias, y and scratch.
inline std::array<std::int64_t, 23> fields_of(const nnrun_windows& w, const std::array<std::int64_t, 10>& others) {
  std::array<std::int64_t, 23> fields = {1,           w.input[0],  w.input[1],    w.output[0],   w.output[1],  w.kernel[0], w.kernel[1],
                                         w.stride[0], w.stride[1], w.dilation[0], w.dilation[1], w.padding[0], w.padding[1]};
  std::copy(others.begin(), others.end(), fields.end() - others.size());
  return fields;
}

// For arguments that may be negative.
constexpr std::uint64_t as_register(std::int64_t value) { return static_cast<std::uint64_t>(value); }

}  // namespace nnrun_riscv
