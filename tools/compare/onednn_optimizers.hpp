// The optimizers' steps as loops over a layer's weights right after its gradient, while both are in cache; the compiler
// vectorises them (-O3 -march=native), OpenMP divides them.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace peer {

enum Optimizer {
  sgd,
  momentum,
  adam
};
inline const char* const optimizer_names[] = {"sgd", "momentum", "adam"};

struct Update {
  float rate, beta1, beta2, epsilon, correction1, correction2;
};

template <Optimizer kind>
void update_range(const Update& u, float* __restrict w, const float* __restrict g, float* __restrict m, float* __restrict v,
                  int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (kind == sgd) {
      w[i] -= u.rate * g[i];
    } else if constexpr (kind == momentum) {
      m[i] = u.beta1 * m[i] + g[i];
      w[i] -= u.rate * m[i];
    } else {
      m[i] = u.beta1 * m[i] + (1 - u.beta1) * g[i];
      v[i] = u.beta2 * v[i] + (1 - u.beta2) * g[i] * g[i];
      w[i] -= u.rate * (m[i] * u.correction1) / (std::sqrt(v[i] * u.correction2) + u.epsilon);
    }
  }
}

// m and v may be NULL where the optimizer has none.
template <Optimizer kind>
void update_all(const Update& u, float* w, const float* g, float* m, float* v, int64_t count) {
  // Small arrays are not worth waking other threads for.
  if (count < 16384 || omp_get_max_threads() == 1) return update_range<kind>(u, w, g, m, v, count);
#pragma omp parallel
  {
    const int64_t threads = omp_get_num_threads(), piece = (count / threads + 15) / 16 * 16;
    const int64_t begin = std::min(count, omp_get_thread_num() * piece), end = std::min(count, begin + piece);
    update_range<kind>(u, w + begin, g + begin, m ? m + begin : m, v ? v + begin : v, end - begin);
  }
}

}  // namespace peer
