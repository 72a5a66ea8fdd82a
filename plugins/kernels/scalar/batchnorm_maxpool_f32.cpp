#include "kernels.hpp"

#include <cmath>

namespace nnrun_scalar {
namespace {

constexpr int64_t channels_in_range = 16;  // one cache line of each place
constexpr uint8_t nowhere = 4;

// body(places of x, place of y) for every window; a place has all channels.
template <class Arguments, class Body>
void for_each_window(const Arguments& a, Body body) {
  int64_t to = 0;
  for (int64_t n = 0; n < a.batch; ++n) {
    for (int64_t row = 0; row + 1 < a.height; row += 2) {
      for (int64_t column = 0; column + 1 < a.width; column += 2, ++to) {
        const int64_t from = (n * a.height + row) * a.width + column;
        const int64_t places[] = {from, from + 1, from + a.width, from + a.width + 1};
        body(places, to);
      }
    }
  }
}

}  // namespace

void batchnorm_maxpool_f32_work(const nnrun_batchnorm_maxpool_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.channels, channels_in_range));
}

void batchnorm_maxpool_f32_run(const nnrun_batchnorm_maxpool_f32& a, void*, uint32_t, int64_t range) {
  const Slice channels = slice_of(a.channels, channels_in_range, range);
  const int64_t rows = a.batch * a.height * a.width;
  for (int64_t c = channels.begin; c < channels.end; ++c) {
    const auto x_at = [&](int64_t i) { return static_cast<double>(a.x[i * a.channels + c]); };
    double mean = 0, variance = 0;
    if (a.training) {
      for (int64_t i = 0; i < rows; ++i) mean += x_at(i);
      mean /= static_cast<double>(rows);
      for (int64_t i = 0; i < rows; ++i) variance += (x_at(i) - mean) * (x_at(i) - mean);
      variance /= static_cast<double>(rows);
      a.mean[c] = static_cast<float>(mean);
      a.variance[c] = static_cast<float>(variance);
    } else {
      mean = static_cast<double>(a.mean[c]);
      variance = static_cast<double>(a.variance[c]);
    }
    const double inverse = 1 / std::sqrt(variance + static_cast<double>(a.epsilon));
    if (a.training) a.inverse[c] = static_cast<float>(inverse);
    const double gamma = static_cast<double>(a.gamma[c]), beta = static_cast<double>(a.beta[c]);
    for_each_window(a, [&](const int64_t(&places)[4], int64_t to) {
      float best = 0;
      uint8_t which = nowhere;
      for (uint8_t k = 0; k < 4; ++k) {
        const auto y = static_cast<float>((x_at(places[k]) - mean) * inverse * gamma + beta);
        if (k > 0 && !(y > best) && !std::isnan(y)) continue;
        best = y;
        which = k;
      }
      if (a.relu && !(best > 0)) which = nowhere;
      a.y[to * a.channels + c] = a.relu && best < 0 ? 0 : best;
      if (a.argmax != nullptr) a.argmax[to * a.channels + c] = which;
    });
  }
}

void batchnorm_maxpool_backward_f32_work(const nnrun_batchnorm_maxpool_backward_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.channels, channels_in_range));
}

void batchnorm_maxpool_backward_f32_run(const nnrun_batchnorm_maxpool_backward_f32& a, void*, uint32_t, int64_t range) {
  const Slice channels = slice_of(a.channels, channels_in_range, range);
  const int64_t rows = a.batch * a.height * a.width;
  for (int64_t c = channels.begin; c < channels.end; ++c) {
    const double mean = static_cast<double>(a.mean[c]), inverse = static_cast<double>(a.inverse[c]);
    const auto normal_at = [&](int64_t i) { return (static_cast<double>(a.x[i * a.channels + c]) - mean) * inverse; };
    const auto dy_at = [&](int64_t i) { return static_cast<double>(a.dy[i * a.channels + c]); };
    double dgamma = 0, dbeta = 0;
    if (a.training) {
      for_each_window(a, [&](const int64_t(&places)[4], int64_t from) {
        const uint8_t which = a.argmax[from * a.channels + c];
        if (which == nowhere) return;
        dgamma += dy_at(from) * normal_at(places[which]);
        dbeta += dy_at(from);
      });
      a.dgamma[c] = static_cast<float>(dgamma);
      a.dbeta[c] = static_cast<float>(dbeta);
      if (!a.has_gradient) continue;
    }
    const double scale = static_cast<double>(a.gamma[c]) * inverse;
    // What every place gets, and on top of it what came through the pool.
    const auto dx_of = [&](int64_t i, double dy) {
      const double common = a.training ? (dbeta + normal_at(i) * dgamma) / static_cast<double>(rows) : 0;
      return static_cast<float>(scale * (dy - common));
    };
    for_each_window(a, [&](const int64_t(&places)[4], int64_t from) {
      const uint8_t which = a.argmax[from * a.channels + c];
      for (uint8_t k = 0; k < 4; ++k) a.dx[places[k] * a.channels + c] = dx_of(places[k], k == which ? dy_at(from) : 0);
    });
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = i / a.width % a.height, column = i % a.width;
      const bool in_window = row < a.height / 2 * 2 && column < a.width / 2 * 2;
      if (!in_window) a.dx[i * a.channels + c] = dx_of(i, 0);
    }
  }
}

}  // namespace nnrun_scalar
