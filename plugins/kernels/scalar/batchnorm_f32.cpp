#include "kernels.hpp"

#include <cmath>

namespace nnrun_scalar {
namespace {

constexpr int64_t columns_in_range = 16;  // one cache line of each row

}  // namespace

void batchnorm_f32_work(const nnrun_batchnorm_f32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.columns, columns_in_range)); }

void batchnorm_f32_run(const nnrun_batchnorm_f32& a, void*, uint32_t, int64_t range) {
  const Slice columns = slice_of(a.columns, columns_in_range, range);
  for (int64_t j = columns.begin; j < columns.end; ++j) {
    double mean = 0, variance = 0;
    if (a.training) {
      for (int64_t i = 0; i < a.rows; ++i) mean += static_cast<double>(a.x[i * a.columns + j]);
      mean /= static_cast<double>(a.rows);
      for (int64_t i = 0; i < a.rows; ++i) {
        const double difference = static_cast<double>(a.x[i * a.columns + j]) - mean;
        variance += difference * difference;
      }
      variance /= static_cast<double>(a.rows);
      a.mean[j] = static_cast<float>(mean);
      a.variance[j] = static_cast<float>(variance);
    } else {
      mean = static_cast<double>(a.mean[j]);
      variance = static_cast<double>(a.variance[j]);
    }
    const double inverse = 1 / std::sqrt(variance + static_cast<double>(a.epsilon));
    if (a.training) a.inverse[j] = static_cast<float>(inverse);
    for (int64_t i = 0; i < a.rows; ++i) {
      const double normal = (static_cast<double>(a.x[i * a.columns + j]) - mean) * inverse;
      const auto y = static_cast<float>(normal * static_cast<double>(a.gamma[j]) + static_cast<double>(a.beta[j]));
      a.y[i * a.columns + j] = a.relu && y < 0 ? 0 : y;
    }
  }
}

void batchnorm_backward_f32_work(const nnrun_batchnorm_backward_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.columns, columns_in_range));
}

void batchnorm_backward_f32_run(const nnrun_batchnorm_backward_f32& a, void*, uint32_t, int64_t range) {
  const Slice columns = slice_of(a.columns, columns_in_range, range);
  const double rows = static_cast<double>(a.rows);
  for (int64_t j = columns.begin; j < columns.end; ++j) {
    const double mean = static_cast<double>(a.mean[j]), inverse = static_cast<double>(a.inverse[j]),
                 gamma = static_cast<double>(a.gamma[j]);
    const auto normal_at = [&](int64_t i) { return (static_cast<double>(a.x[i * a.columns + j]) - mean) * inverse; };
    const auto dy_at = [&](int64_t i) {
      if (a.relu && !(static_cast<float>(normal_at(i) * gamma + static_cast<double>(a.beta[j])) > 0)) return 0.0;
      return static_cast<double>(a.dy[i * a.columns + j]);
    };
    if (!a.training) {
      for (int64_t i = 0; i < a.rows; ++i) a.dx[i * a.columns + j] = static_cast<float>(gamma * inverse * dy_at(i));
      continue;
    }
    double dgamma = 0, dbeta = 0;
    for (int64_t i = 0; i < a.rows; ++i) {
      const double dy = dy_at(i);
      dgamma += dy * normal_at(i);
      dbeta += dy;
    }
    a.dgamma[j] = static_cast<float>(dgamma);
    a.dbeta[j] = static_cast<float>(dbeta);
    if (!a.has_gradient) continue;
    const double factor = gamma * inverse / rows;
    for (int64_t i = 0; i < a.rows; ++i) {
      a.dx[i * a.columns + j] = static_cast<float>(factor * (rows * dy_at(i) - dbeta - normal_at(i) * dgamma));
    }
  }
}

}  // namespace nnrun_scalar
