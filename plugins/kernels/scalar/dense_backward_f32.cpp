#include "kernels.hpp"

namespace nnrun_scalar {

void dense_backward_f32_work(const nnrun_dense_backward_f32&, nnrun_work& work) { one_phase(work, 1); }

void dense_backward_f32_run(const nnrun_dense_backward_f32& a, void*, uint32_t, int64_t) {
  for (int64_t i = 0; i < a.inputs; ++i) {
    for (int64_t unit = 0; unit < a.units; ++unit) {
      double sum = 0;
      for (int64_t sample = 0; sample < a.batch; ++sample)
        sum += static_cast<double>(a.x[sample * a.ldx + i]) * static_cast<double>(a.dy[sample * a.lddy + unit]);
      a.dweights[i * a.units + unit] = static_cast<float>(sum);
    }
    for (int64_t sample = 0; sample < a.batch; ++sample) {
      double sum = 0;
      for (int64_t unit = 0; unit < a.units; ++unit)
        sum += static_cast<double>(a.dy[sample * a.lddy + unit]) * static_cast<double>(a.weights[i * a.units + unit]);
      a.dx[sample * a.lddx + i] = static_cast<float>(sum);
    }
  }
}

}  // namespace nnrun_scalar
