#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness.hpp"

namespace {

struct Pictures {
  int64_t batch, height, width, channels;
  int64_t rows() const { return batch * height * width; }
  int64_t windows() const { return batch * (height / 2) * (width / 2); }
  std::string describe() const {
    return std::to_string(batch) + "x" + std::to_string(height) + "x" + std::to_string(width) + "x" + std::to_string(channels);
  }
};

// Odd rows and columns behind the last window; several bands of a picture; strips of one to four vectors and more.
constexpr Pictures shapes[] = {{1, 2, 2, 1},    {2, 3, 5, 7},    {3, 2, 7, 16},  {1, 4, 4, 17}, {2, 8, 6, 13},  {2, 5, 4, 64},
                               {1, 12, 10, 33}, {2, 33, 40, 24}, {1, 2, 3, 300}, {3, 6, 6, 70}, {16, 4, 4, 96}, {1, 7, 2, 127}};

// body(window, place 0..3, row of x)
template <class Body>
void for_each_place(const Pictures& s, Body body) {
  const int64_t height = s.height / 2, width = s.width / 2;
  for (int64_t window = 0; window < s.windows(); ++window) {
    const int64_t n = window / width / height, row = window / width % height * 2, column = window % width * 2;
    for (int64_t place = 0; place < 4; ++place) body(window, place, (n * s.height + row + place / 2) * s.width + column + place % 2);
  }
}

// Channels with different means and spreads; one in five is constant.
std::vector<float> inputs(const Pictures& s) {
  Random random(static_cast<uint32_t>(s.rows() * 1000 + s.channels));
  std::vector<float> x = random.floats(s.rows() * s.channels);
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i % static_cast<size_t>(s.channels);
    x[i] = c % 5 == 3 ? 1.25f : x[i] * static_cast<float>(c % 3 + 1) + static_cast<float>(c % 4) * 0.5f;
  }
  return x;
}

struct Channel {
  double mean = 0, variance = 0, inverse = 0;
};

Channel channel_of(const std::vector<float>& x, const Pictures& s, int64_t c, double epsilon) {
  const auto n = static_cast<double>(s.rows());
  const auto at = [&](int64_t i) { return static_cast<double>(x[static_cast<size_t>(i * s.channels + c)]); };
  Channel channel;
  for (int64_t i = 0; i < s.rows(); ++i) channel.mean += at(i) / n;
  for (int64_t i = 0; i < s.rows(); ++i) channel.variance += (at(i) - channel.mean) * (at(i) - channel.mean) / n;
  channel.inverse = 1 / std::sqrt(channel.variance + epsilon);
  return channel;
}

template <class Arguments>
Arguments arguments_of(const Pictures& s) {
  Arguments a{};
  a.batch = s.batch;
  a.height = s.height;
  a.width = s.width;
  a.channels = s.channels;
  return a;
}

void forward_problems(const Use& use) {
  for (const Pictures& s : shapes) {
    for (int way = 0; way < 8; ++way) {
      const bool training = (way & 1) != 0, relu = (way & 2) != 0, wants_argmax = (way & 4) != 0;
      Problem problem(s.describe() + (training ? " training" : "") + (relu ? " relu" : "") + (wants_argmax ? " argmax" : ""),
                      (s.rows() + way) % 2 == 0);
      auto a = arguments_of<nnrun_batchnorm_maxpool_f32>(s);
      a.epsilon = 1e-3f;
      a.training = training;
      a.relu = relu;
      problem.shape(a);
      Random random(1);
      const int64_t outputs = s.windows() * s.channels;
      const std::vector<float> x = inputs(s);
      a.x = problem.input(x);
      a.gamma = problem.input(random.floats(s.channels));  // of either sign
      a.beta = problem.input(random.floats(s.channels));
      a.y = problem.output(random.floats(outputs));
      a.argmax = wants_argmax ? problem.output(std::vector<uint8_t>(static_cast<size_t>(outputs), 250)) : nullptr;
      std::vector<float> variance = random.floats(s.channels);
      for (float& v : variance) v *= v;
      a.mean = training ? problem.output(random.floats(s.channels)) : problem.input(random.floats(s.channels));
      a.variance = training ? problem.output(variance) : problem.input(variance);
      a.inverse = training ? problem.output(random.floats(s.channels)) : nullptr;
      problem.arguments(a);

      const auto count = static_cast<size_t>(outputs);
      std::vector<std::array<double, 4>> y(count);
      std::vector<double> magnitude(count);
      for (int64_t c = 0; c < s.channels; ++c) {
        Channel channel = channel_of(x, s, c, static_cast<double>(a.epsilon));
        if (!training) {
          channel.mean = static_cast<double>(a.mean[c]);
          channel.variance = static_cast<double>(a.variance[c]);
          channel.inverse = 1 / std::sqrt(channel.variance + static_cast<double>(a.epsilon));
        }
        const double spread = channel.variance + channel.mean * channel.mean;
        const double relative = 1 + spread * channel.inverse * channel.inverse;
        if (training) {
          problem.expect(a.mean, c, channel.mean, std::sqrt(spread));
          problem.expect(a.variance, c, channel.variance, spread);
          problem.expect(a.inverse, c, channel.inverse, channel.inverse * relative);
        }
        const double gamma = static_cast<double>(a.gamma[c]), beta = static_cast<double>(a.beta[c]);
        for_each_place(s, [&](int64_t window, int64_t place, int64_t row) {
          const double value = static_cast<double>(x[static_cast<size_t>(row * s.channels + c)]);
          const auto to = static_cast<size_t>(window * s.channels + c);
          y[to][static_cast<size_t>(place)] = (value - channel.mean) * channel.inverse * gamma + beta;
          magnitude[to] = std::max(
              magnitude[to], (std::fabs(value) + std::sqrt(spread)) * channel.inverse * std::fabs(gamma) * relative + std::fabs(beta));
        });
      }
      for (size_t i = 0; i < count; ++i) {
        const double best = *std::max_element(y[i].begin(), y[i].end());
        problem.expect(a.y, static_cast<int64_t>(i), relu ? std::max(best, 0.0) : best, magnitude[i]);
        if (!wants_argmax) continue;
        // By how much each place falls short of being the answer, and 4, where ReLU lets nothing through.
        const auto share = [&](double shortfall) { return static_cast<float>(shortfall / magnitude[i]); };
        Problem::Shortfalls shortfalls{};
        for (size_t place = 0; place < 4; ++place) shortfalls[place] = share(std::max(best - y[i][place], relu ? -best : 0));
        shortfalls[4] = relu ? share(std::max(best, 0.0)) : std::numeric_limits<float>::infinity();
        problem.expect_choice(a.argmax, static_cast<int64_t>(i), shortfalls);
      }
      use(problem);
    }
  }
}

struct Backward {
  const char* what;
  bool over_x, training, has_gradient;
};

constexpr Backward backward_ways[] = {
    {"", false, true, true}, {" over x", true, true, true}, {" no dx", false, true, false}, {" frozen", false, false, true}};

void backward_problems(const Use& use) {
  for (const Pictures& s : shapes) {
    for (const Backward& way : backward_ways) {
      Problem problem(s.describe() + way.what, s.rows() % 2 == 0);
      auto a = arguments_of<nnrun_batchnorm_maxpool_backward_f32>(s);
      a.training = way.training;
      a.has_gradient = way.has_gradient;
      problem.shape(a);
      Random random(2);
      const int64_t outputs = s.windows() * s.channels;
      const std::vector<float> x = inputs(s);
      std::vector<float> mean, inverse;
      for (int64_t c = 0; c < s.channels; ++c) {
        const Channel channel = channel_of(x, s, c, 1e-3);
        mean.push_back(static_cast<float>(channel.mean));
        inverse.push_back(static_cast<float>(channel.inverse));
      }
      std::mt19937 engine(static_cast<uint32_t>(outputs));
      std::vector<uint8_t> places(static_cast<size_t>(outputs));
      for (uint8_t& place : places) place = static_cast<uint8_t>(engine() % 5);
      a.dx = way.has_gradient ? problem.output(way.over_x ? x : random.floats(s.rows() * s.channels)) : nullptr;
      a.x = way.over_x ? a.dx : way.training ? problem.input(x) : nullptr;
      a.dy = problem.input(random.floats(outputs));
      a.argmax = problem.input(places);
      a.gamma = problem.input(random.floats(s.channels));
      a.mean = problem.input(mean);
      a.inverse = problem.input(inverse);
      a.dgamma = problem.output(random.floats(s.channels));
      a.dbeta = problem.output(random.floats(s.channels));
      problem.arguments(a);

      std::vector<double> dy(x.size(), 0.0);
      for_each_place(s, [&](int64_t window, int64_t place, int64_t row) {
        for (int64_t c = 0; c < s.channels; ++c) {
          const int64_t from = window * s.channels + c;
          if (a.argmax[from] == place) dy[static_cast<size_t>(row * s.channels + c)] = static_cast<double>(a.dy[from]);
        }
      });
      const auto n = static_cast<double>(s.rows());
      for (int64_t c = 0; c < s.channels; ++c) {
        const double m = static_cast<double>(a.mean[c]), inverse_c = static_cast<double>(a.inverse[c]);
        double dgamma = 0, dbeta = 0, dgamma_size = 0, dbeta_size = 0;
        for (int64_t i = 0; i < s.rows() && way.training; ++i) {
          const double value = static_cast<double>(x[static_cast<size_t>(i * s.channels + c)]),
                       g = dy[static_cast<size_t>(i * s.channels + c)];
          dgamma += g * (value - m) * inverse_c;
          dgamma_size += std::fabs(g) * (std::fabs(value) + std::fabs(m)) * inverse_c;
          dbeta += g;
          dbeta_size += std::fabs(g);
        }
        if (way.training) {
          problem.expect(a.dgamma, c, dgamma, dgamma_size);
          problem.expect(a.dbeta, c, dbeta, dbeta_size);
        }
        const double scale = static_cast<double>(a.gamma[c]) * inverse_c / n;
        for (int64_t i = 0; i < s.rows() && way.has_gradient; ++i) {
          const double value = static_cast<double>(x[static_cast<size_t>(i * s.channels + c)]),
                       g = dy[static_cast<size_t>(i * s.channels + c)];
          problem.expect(a.dx, i * s.channels + c, scale * (n * g - dbeta - (value - m) * inverse_c * dgamma),
                         std::fabs(scale) * (n * std::fabs(g) + dbeta_size + (std::fabs(value) + std::fabs(m)) * inverse_c * dgamma_size));
        }
      }
      use(problem);
    }
  }
}

NNRUN_TEST_ROW(batchnorm_maxpool_f32, forward_problems)
NNRUN_TEST_ROW(batchnorm_maxpool_backward_f32, backward_problems)

}  // namespace
