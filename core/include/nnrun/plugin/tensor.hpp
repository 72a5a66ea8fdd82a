// Tensors, as plugins see them.
#pragma once

#include <nnrun/nnrun.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nnrun {

using Shape = std::vector<std::int64_t>;

// A view. dim(0) is the batch for what flows between layers.
class Tensor {
 public:
  Tensor() : c_{} {}
  explicit Tensor(const nnrun_tensor& c) : c_(c) {}

  std::int64_t dim(std::size_t index) const { return c_.dim[index]; }
  std::size_t rank() const { return c_.rank; }
  nnrun_dtype dtype() const { return static_cast<nnrun_dtype>(c_.dtype); }
  Shape shape() const { return Shape(c_.dim, c_.dim + c_.rank); }
  // All elements; for a (N, ...) tensor rows() is N and columns() the rest.
  std::int64_t count() const {
    std::int64_t product = 1;
    for (std::uint32_t i = 0; i < c_.rank; ++i) product *= c_.dim[i];
    return product;
  }
  std::int64_t rows() const { return c_.dim[0]; }
  std::int64_t columns() const { return c_.dim[0] == 0 ? 0 : count() / c_.dim[0]; }

  template <class T = float>
  T* data() const {
    return static_cast<T*>(c_.data);
  }
  template <class T = float>
  std::span<T> span() const {
    return {data<T>(), static_cast<std::size_t>(count())};
  }
  float& operator[](std::int64_t index) const { return data<float>()[index]; }
  explicit operator bool() const { return c_.data != nullptr; }
  const nnrun_tensor& c() const { return c_; }

 private:
  nnrun_tensor c_;
};

inline nnrun_tensor make_tensor(nnrun_dtype dtype, std::span<const std::int64_t> shape, void* data = nullptr) {
  nnrun_tensor tensor{};
  tensor.data = data;
  tensor.dtype = dtype;
  tensor.rank = static_cast<std::uint32_t>(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    tensor.dim[i] = shape[i];
    tensor.stride[i] = stride;
    stride *= shape[i];
  }
  return tensor;
}

inline std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

}  // namespace nnrun
