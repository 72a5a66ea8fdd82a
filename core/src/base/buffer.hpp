// Zeroed memory for tensors, aligned to cache lines, on huge pages where it is large.
#pragma once

#include <cstddef>
#include <memory>

namespace nnrun::core {

constexpr std::size_t tensor_alignment = 64;

constexpr std::size_t align_up(std::size_t bytes, std::size_t alignment = tensor_alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes);

  std::byte* data() const { return data_.get(); }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_.get());
  }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace nnrun::core
