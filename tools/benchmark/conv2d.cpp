// nnrun's convolutions against oneDNN's best, interleaved in one process: forward, backward to the input, backward to the
// weights.
//
// oneDNN has the fastest of its algorithms (direct, Winograd), implementations and layouts for each call, as measured
// here, with pictures and weights already in the layout that it wants: no reorder counts. nnrun has channels last and plain
// weights, which it packs within the call. Both see the same numbers, and their results are compared before anything is timed.
// Every figure is the least time of many rounds; the peak is measured beside every shape.
//
//     nnrun_benchmark_conv2d [LIBRARY] [--json] [--seconds EACH] [--threads N] [--only TEXT]
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "conv2d_shapes.hpp"
#include "measuring.hpp"

namespace {

using benchmark::Buffer;
using onednn::Convolution;
using onednn::Pass;

constexpr Pass passes[] = {Pass::forward, Pass::backward_data, Pass::backward_weights};
// Largest difference between the two, relative to the largest result. Winograd's transforms cost the most of it.
constexpr double tolerance = 1e-4;

const char* name_of(Pass pass) {
  return pass == Pass::forward ? "forward" : pass == Pass::backward_data ? "backward data" : "backward weights";
}

std::string name_of(const Convolution& c) {
  const auto number = [](int64_t value) { return std::to_string(value); };
  return (c.groups > 1 ? "depthwise " : "") + number(c.kernel) + "x" + number(c.kernel) +
         (c.stride > 1 ? " stride " + number(c.stride) : "") + ", " + number(c.channels) +
         (c.groups > 1 ? "" : " to " + number(c.filters)) + ", " + number(c.input) + " pixels, batch " + number(c.batch);
}

double flops_of(const Convolution& c) {
  const int64_t windows = c.batch * c.output() * c.output(), filter = c.kernel * c.kernel * c.channels / c.groups;
  return 2.0 * static_cast<double>(windows * filter * c.filters);
}

size_t count_of(const onednn::memory::dims& dims) {
  int64_t count = 1;
  for (const int64_t d : dims) count *= d;
  return static_cast<size_t>(count);
}

// x, weights, bias and y of one convolution, channels last; the one that a pass computes is written to.
struct Tensors {
  explicit Tensors(const Convolution& c)
      : x(count_of(c.x())), weights(count_of(c.weights())), bias(static_cast<size_t>(c.filters)), y(count_of(c.y())) {}
  Buffer x, weights, bias, y;
};

class Ours {
 public:
  Ours(const benchmark::Kernels& kernels, const Convolution& c, Pass pass, Tensors& t) {
    nnrun_windows w = {};
    w.batch = c.batch;
    for (int axis = 0; axis < 2; ++axis) {
      w.input[axis] = c.input;
      w.output[axis] = c.output();
      w.kernel[axis] = c.kernel;
      w.stride[axis] = c.stride;
      w.dilation[axis] = 1;
      w.padding[axis] = c.padding();
    }
    float* bias = c.bias ? t.bias.data() : nullptr;
    if (pass == Pass::forward) {
      forward_ = {w, c.channels, c.filters, c.groups, c.relu, c.bias, nullptr, nullptr, nullptr, nullptr};
      plan(kernels, "conv2d_forward_f32", &forward_);
      forward_.x = t.x.data(), forward_.weights = t.weights.data(), forward_.bias = bias, forward_.y = t.y.data();
    } else if (pass == Pass::backward_data) {
      data_ = {w, c.channels, c.filters, c.groups, nullptr, nullptr, nullptr};
      plan(kernels, "conv2d_backward_data_f32", &data_);
      data_.dy = t.y.data(), data_.weights = t.weights.data(), data_.dx = t.x.data();
    } else {
      weights_ = {w, c.channels, c.filters, c.groups, nullptr, nullptr, nullptr, nullptr, c.bias};
      plan(kernels, "conv2d_backward_weights_f32", &weights_);
      weights_.x = t.x.data(), weights_.dy = t.y.data(), weights_.dweights = t.weights.data(), weights_.dbias = bias;
    }
  }
  Ours(const Ours&) = delete;
  void run(int threads) { benchmark::run(*kernel_, arguments_, work_, workspace_->data(), threads); }
  const char* algorithm() const { return kernel_->algorithm ? kernel_->algorithm : "plain"; }

 private:
  void plan(const benchmark::Kernels& kernels, const char* name, const void* arguments) {
    arguments_ = arguments;
    kernel_ = &kernels.choose(name, arguments);
    kernel_->work(arguments, &work_);
    workspace_.emplace(work_.workspace / sizeof(float) + 16);
  }

  nnrun_conv2d_forward_f32 forward_;
  nnrun_conv2d_backward_data_f32 data_;
  nnrun_conv2d_backward_weights_f32 weights_;
  const void* arguments_ = nullptr;
  const nnrun_kernel* kernel_ = nullptr;
  nnrun_work work_ = {};
  std::optional<Buffer> workspace_;
};

// The fastest of oneDNN's ways.
class Theirs {
 public:
  // `expected` holds what nnrun computed of the same tensors.
  Theirs(const Convolution& c, Pass pass, Tensors& t, const float* expected) {
    const auto place = [](const onednn::memory::desc& layout, Buffer& buffer) {
      return onednn::memory(layout, onednn::engine(), buffer.data());
    };
    const auto x = place(onednn::describe(c.x(), onednn::tag::nhwc), t.x), weights = place(c.plain_weights(), t.weights),
               y = place(onednn::describe(c.y(), onednn::tag::nhwc), t.y);
    double best = 1e9;
    for (const auto layout : {onednn::tag::any, onednn::tag::nhwc}) {
      for (const onednn::ConvolutionWay& way : onednn::ways(c, pass, layout, layout)) {
        const auto own_x = onednn::allocate(way.x), own_weights = onednn::allocate(way.weights), own_y = onednn::allocate(way.y);
        const auto bias = c.bias ? onednn::allocate(onednn::describe({c.filters}, onednn::tag::a)) : onednn::memory();
        if (c.bias) std::copy_n(t.bias.data(), t.bias.count(), onednn::data_of(bias));
        if (pass != Pass::backward_data) onednn::reorder_op(x, own_x).run();
        if (pass != Pass::backward_weights) onednn::reorder_op(weights, own_weights).run();
        if (pass != Pass::forward) onednn::reorder_op(y, own_y).run();
        const onednn::Op op = way.bind(pass, own_x, own_weights, bias, own_y);
        op.run();
        const auto& result = pass == Pass::forward ? own_y : pass == Pass::backward_data ? own_x : own_weights;
        const auto& plain = pass == Pass::forward ? y : pass == Pass::backward_data ? x : weights;
        compare(result, plain.get_desc(), expected, way.name);
        const double seconds = onednn::time_of([&] { op.run(); });
        if (seconds < best) best = seconds, op_ = op, name_ = way.name;
      }
    }
    if (!op_) {
      std::fprintf(stderr, "oneDNN has no %s of %s\n", name_of(pass), name_of(c).c_str());
      std::exit(1);
    }
  }
  void run() const { op_.run(); }
  const std::string& name() const { return name_; }
  double error() const { return error_; }

 private:
  void compare(const onednn::memory& result, const onednn::memory::desc& plain, const float* expected, const std::string& way) {
    const auto got = onednn::allocate(plain);
    onednn::reorder_op(result, got).run();
    double off = 0, largest = 0;
    for (size_t i = 0; i < plain.get_size() / sizeof(float); ++i) {
      const double value = onednn::data_of(got)[i];
      off = std::max(off, std::isfinite(value) ? std::fabs(value - static_cast<double>(expected[i])) : 1e30);
      largest = std::max(largest, std::fabs(static_cast<double>(expected[i])));
    }
    error_ = std::max(error_, off / largest);
    if (off > tolerance * largest) {
      std::fprintf(stderr, "%s: nnrun's results differ from oneDNN's by %g of the largest\n", way.c_str(), off / largest);
      std::exit(1);
    }
  }

  onednn::Op op_;
  std::string name_;
  double error_ = 0;
};

struct Row {
  const Convolution* shape;
  Pass pass;
  int threads;
  double ours, theirs, peak;  // GFLOP/s
  const char* algorithm;
  std::string their_way;
  double error;

  double ratio() const { return ours / theirs; }
};

Row measure(const benchmark::Kernels& kernels, const Convolution& c, Pass pass, int threads, double seconds) {
  Tensors t(c);
  Ours ours(kernels, c, pass, t);
  ours.run(1);
  const Buffer& written = pass == Pass::forward ? t.y : pass == Pass::backward_data ? t.x : t.weights;
  const std::vector<float> expected(written.data(), written.data() + written.count());
  omp_set_num_threads(threads);
  const Theirs theirs(c, pass, t, expected.data());
  const double peak = kernels.peak(threads, 0.02);

  const auto time = [&](const auto& call, double& best) {
    call();
    const double estimate = best < 1e9 ? best : 1e-3;
    const int repeats = static_cast<int>(std::clamp(1e-3 / estimate, 1.0, 1000.0));
    const double start = benchmark::now(threads);
    for (int i = 0; i < repeats; ++i) call();
    best = std::min(best, (benchmark::now(threads) - start) / repeats);
  };
  double best = 1e9, best_theirs = 1e9;
  const auto begin = benchmark::Clock::now();
  for (int round = 0; round < 5 || benchmark::seconds_since(begin) < seconds; ++round) {
    time([&] { ours.run(threads); }, best);
    time([&] { theirs.run(); }, best_theirs);
  }
  const double gflop = flops_of(c) * 1e-9;
  return {&c, pass, threads, gflop / best, gflop / best_theirs, peak, ours.algorithm(), theirs.name(), theirs.error()};
}

void print(const Row& r) {
  std::printf("%-16s %-48s %dT %8.1f %8.1f %6.2f %5.0f%%   %-14s %-28s %.0e\n", name_of(r.pass), name_of(*r.shape).c_str(), r.threads,
              r.ours, r.theirs, r.ratio(), 100 * r.ours / r.peak, r.algorithm, r.their_way.c_str(), r.error);
}

void print_json(const benchmark::Kernels& kernels, const std::vector<Row>& rows) {
  std::printf("{\"kernels\": \"%s\", \"rows\": [", kernels.names().c_str());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& r = rows[i];
    std::printf(
        "%s\n  {\"pass\": \"%s\", \"shape\": \"%s\", \"threads\": %d, \"gflops\": %.1f, \"onednn\": %.1f, \"peak\": %.1f, "
        "\"algorithm\": \"%s\", \"onednn_way\": \"%s\", \"error\": %.2g}",
        i ? "," : "", name_of(r.pass), name_of(*r.shape).c_str(), r.threads, r.ours, r.theirs, r.peak, r.algorithm, r.their_way.c_str(),
        r.error);
  }
  std::printf("\n]}\n");
}

double geometric_mean(const std::vector<Row>& rows, const auto& counts) {
  double sum = 0;
  int count = 0;
  for (const Row& r : rows) {
    if (counts(r)) sum += std::log(r.ratio()), ++count;
  }
  return count ? std::exp(sum / count) : 0;
}

void print_summary(std::vector<Row> rows, int most_threads) {
  for (int threads = 1; threads <= most_threads; ++threads) {
    std::printf("\ngeometric mean of the ratios, %d thread(s): %.3f", threads,
                geometric_mean(rows, [&](const Row& r) { return r.threads == threads; }));
    for (const Pass pass : passes) {
      const auto counts = [&](const Row& r) { return r.threads == threads && r.pass == pass; };
      if (std::any_of(rows.begin(), rows.end(), counts)) std::printf("; %s %.3f", name_of(pass), geometric_mean(rows, counts));
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.ratio() < b.ratio(); });
  std::printf("\n\nworst:\n");
  for (size_t i = 0; i < std::min<size_t>(rows.size(), 20); ++i) print(rows[i]);
}

}  // namespace

int main(int argc, char** argv) {
  std::string library = "auto", only;
  bool json = false;
  double seconds = 0.2;
  int threads = 2;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--json")) {
      json = true;
    } else if (!std::strcmp(argv[i], "--seconds") && i + 1 < argc) {
      seconds = std::atof(argv[++i]);
    } else if (!std::strcmp(argv[i], "--threads") && i + 1 < argc) {
      threads = std::max(1, std::atoi(argv[++i]));
    } else if (!std::strcmp(argv[i], "--only") && i + 1 < argc) {
      only = argv[++i];
    } else {
      library = argv[i];
    }
  }
  const benchmark::Kernels kernels(library);
  if (!json) {
    std::printf(
        "%s against oneDNN's best, GFLOP/s as if computed directly, and nnrun's share of the FMA peak\n%-16s %-48s    %8s %8s "
        "%6s %6s\n",
        kernels.names().c_str(), "", "", "nnrun", "oneDNN", "ratio", "peak");
  }
  std::vector<Row> rows;
  for (const Convolution& shape : benchmark::conv2d_shapes) {
    for (const Pass pass : passes) {
      if (pass == Pass::backward_data && shape.channels == 3) continue;  // pictures have no gradient
      const std::string name = std::string(name_of(pass)) + " " + name_of(shape);
      if (name.find(only) == std::string::npos) continue;
      for (int t = 1; t <= threads; ++t) {
        rows.push_back(measure(kernels, shape, pass, t, seconds));
        if (json) continue;
        print(rows.back());
        std::fflush(stdout);
      }
    }
  }
  if (json) {
    print_json(kernels, rows);
  } else {
    print_summary(std::move(rows), threads);
  }
  return 0;
}
