// The kernels of a layer that has one for each direction.
#pragma once

#include <algorithm>

#include <nnrun/plugin.hpp>

namespace nnrun::layers {

template <class Forward, class Backward>
class KernelPair {
 public:
  void plan(Plan& p, const Forward& shape, const Backward& backward_shape) {
    forward_ = p.kernel(shape);
    std::size_t bytes = forward_.workspace(shape);
    if (p.training()) {
      backward_ = p.kernel(backward_shape);
      bytes = std::max(bytes, backward_.workspace(backward_shape));
    }
    input_gradient_ = p.input_gradient();
    scratch_ = bytes == 0 ? -1 : p.scratch(bytes);
  }

  void operator()(const Run& r, const Forward& a) const { forward_(a, workspace(r)); }
  void operator()(const Run& r, const Backward& a) const { backward_(a, workspace(r)); }

  // For kernels that treat each sample for itself, and need no workspace: part of the batch is a smaller batch. See
  // nnrun_layer_vtable's slices and run_slice.
  std::int64_t slices(std::int64_t batch, bool backward) const { return scratch_ < 0 && (!backward || input_gradient_) ? batch : 0; }
  void slice(const Forward& a) const { forward_.serial(a); }
  void slice(const Backward& a) const { backward_.serial(a); }

 private:
  void* workspace(const Run& r) const { return scratch_ < 0 ? nullptr : r.scratch<void>(scratch_); }

  bool input_gradient_ = false;
  int scratch_ = -1;  // -1: the kernels need none
  Kernel<Forward> forward_;
  Kernel<Backward> backward_;
};

}  // namespace nnrun::layers
