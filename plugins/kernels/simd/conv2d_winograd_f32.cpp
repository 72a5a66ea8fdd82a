// The convolutions' rows in terms of Winograd's.
#include "winograd.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

template <class Arguments>
Winograd forward_of(const Arguments& a, bool pool, uint8_t* argmax) {
  Winograd w = {};
  w.batch = a.windows.batch;
  for (int axis = 0; axis < 2; ++axis) {
    w.source_size[axis] = a.windows.input[axis];
    w.target_size[axis] = a.windows.output[axis];
    w.padding[axis] = a.windows.padding[axis];
  }
  w.source_channels = a.channels;
  w.target_channels = a.filters;
  w.pool = pool;
  w.relu = a.relu != 0;
  w.source = a.x;
  w.weights = a.weights;
  w.bias = a.bias;
  w.target = a.y;
  w.argmax = argmax;
  return w;
}

Winograd winograd_of(const nnrun_conv2d_forward_f32& a) { return forward_of(a, false, nullptr); }
Winograd winograd_of(const nnrun_conv2d_maxpool_forward_f32& a) { return forward_of(a, true, a.argmax); }

Winograd winograd_of(const nnrun_conv2d_backward_data_f32& a) {
  Winograd w = {};
  w.batch = a.windows.batch;
  for (int axis = 0; axis < 2; ++axis) {
    w.source_size[axis] = a.windows.output[axis];
    w.target_size[axis] = a.windows.input[axis];
    w.padding[axis] = 2 - a.windows.padding[axis];
  }
  w.source_channels = a.filters;
  w.target_channels = a.channels;
  w.backward = true;
  w.source = a.dy;
  w.weights = a.weights;
  w.target = a.dx;
  return w;
}

}  // namespace

#define NNRUN_WINOGRAD_KERNEL(name)                                                                                              \
  bool name##_winograd_supports(const nnrun_##name& a) { return winograd_supports(a.windows, a.channels, a.filters, a.groups); } \
  void name##_winograd_work(const nnrun_##name& a, nnrun_work& work) { winograd_work(winograd_of(a), work); }                    \
  void name##_winograd_run(const nnrun_##name& a, void* workspace, uint32_t phase, int64_t range) {                              \
    winograd_run(winograd_of(a), workspace, phase, range);                                                                       \
  }

NNRUN_WINOGRAD_KERNEL(conv2d_forward_f32)
NNRUN_WINOGRAD_KERNEL(conv2d_backward_data_f32)
NNRUN_WINOGRAD_KERNEL(conv2d_maxpool_forward_f32)

}  // namespace NNRUN_ISA_NAMESPACE
