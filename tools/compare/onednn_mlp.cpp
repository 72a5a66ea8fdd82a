// oneDNN at its best, from C++: training steps and inference of the MNIST MLP.
//
// - Bias and ReLU are fused into the inner products. The weights' layout is oneDNN's choice, or plain, whichever is quicker
//   for forward, backward and update together: plan_layer() measures, and reorders only where that pays.
// - Primitives are executed through the C API with argument arrays made once: the C++ call builds a vector each time,
//   which costs at batch 1.
// - Optimizers are loops over a layer's weights right after its gradient, while both are in cache; the compiler
//   vectorises them (-O3 -march=native), OpenMP divides them.
// - Denormals are flushed in every thread.
//
// Usage: onednn_mlp FIXTURE THREADS SECONDS; prints the JSON document that measuring.py describes.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <immintrin.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

using dnnl::memory;
using tag = memory::format_tag;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int layer_count = 4;
constexpr int64_t sizes[] = {784, 256, 128, 64, 10};
constexpr int64_t batch_size = 64, sample_count = 4096, check_steps = 8;
constexpr double tolerance = 2e-4;  // as in fixture.py

dnnl::engine engine(dnnl::engine::kind::cpu, 0);
dnnl::stream stream(engine);

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

template <class T>
std::vector<T> read_array(const std::string& path, size_t count) {
  std::vector<T> values(count);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(values.data()), std::streamsize(count * sizeof(T)))) {
    std::cerr << "onednn_mlp: cannot read " << count << " numbers from " << path << "\n";
    std::exit(1);
  }
  return values;
}

struct Fixture {
  std::vector<float> weights, samples, logits;
  std::vector<int32_t> labels;
  std::vector<float> losses[3];
};

double difference(const std::vector<float>& got, const float* expected) {
  double off = 0, largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    off = std::max(off, std::isfinite(got[i]) ? std::abs(double(got[i]) - expected[i]) : 1e30);
    largest = std::max(largest, std::abs(double(expected[i])));
  }
  return off / largest;
}

double worst_off = 0;

void demand_agreement(const char* what, const std::vector<float>& got, const float* expected) {
  const double off = difference(got, expected);
  worst_off = std::max(worst_off, off);
  if (off > tolerance) {
    std::cerr << what << " differs from the reference by " << off << ", allowed are " << tolerance << ": not timed\n";
    std::exit(1);
  }
}

// Median of many short stretches, as in measuring.py.
double calls_per_second(const std::function<void(int64_t)>& call, double seconds) {
  call(0);
  auto start = Clock::now();
  call(1);
  const int64_t stretch = std::max<int64_t>(1, int64_t(0.005 / seconds_since(start)));
  std::vector<double> rates;
  int64_t i = 2;
  const auto begin = Clock::now();
  while (seconds_since(begin) < seconds || rates.size() < 3) {
    start = Clock::now();
    for (int64_t end = i + stretch; i < end; ++i) call(i);
    rates.push_back(double(stretch) / seconds_since(start));
  }
  std::nth_element(rates.begin(), rates.begin() + rates.size() / 2, rates.end());
  return rates[rates.size() / 2];
}

// A primitive with its arguments, which it keeps alive: `arguments` are bare handles.
struct Op {
  dnnl::primitive primitive;
  std::vector<memory> memories;
  std::vector<dnnl_exec_arg_t> arguments;
  Op() = default;
  Op(const dnnl::primitive& p, const std::vector<std::pair<int, memory>>& list) : primitive(p) {
    for (const auto& [name, value] : list) {
      memories.push_back(value);
      arguments.push_back({name, value.get()});
    }
  }
  explicit operator bool() const { return bool(primitive); }
  void run() const {
    dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream.get(), int(arguments.size()), arguments.data()),
                            "execute");
  }
};

memory::desc describe(memory::dims dims, tag format) { return {dims, memory::data_type::f32, format}; }
memory allocate(const memory::desc& description) {
  memory result(description, engine);
  std::fill_n(static_cast<char*>(result.get_data_handle()), description.get_size(), 0);
  return result;
}
float* data_of(const memory& m) { return static_cast<float*>(m.get_data_handle()); }

dnnl::primitive_attr with_relu(bool relu) {
  dnnl::primitive_attr attributes;
  if (relu) {
    dnnl::post_ops operations;
    operations.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(operations);
  }
  return attributes;
}

using Forward = dnnl::inner_product_forward;
using BackwardData = dnnl::inner_product_backward_data;
using BackwardWeights = dnnl::inner_product_backward_weights;

struct Shape {
  int64_t batch, inputs, outputs;
  memory::desc x() const { return describe({batch, inputs}, tag::ab); }
  memory::desc y() const { return describe({batch, outputs}, tag::ab); }
  memory::desc bias() const { return describe({outputs}, tag::a); }
  memory::desc weights(tag format) const { return describe({outputs, inputs}, format); }  // oneDNN's order: (out, in)
};

Forward::primitive_desc forward_of(const Shape& s, const memory::desc& weights, bool relu, bool training) {
  const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  return {Forward::desc(kind, s.x(), weights, s.bias(), s.y()), with_relu(relu), engine};
}
Forward::primitive_desc hint_of(const Shape& s) { return forward_of(s, s.weights(tag::any), false, true); }

// One layer's three products for one layout of its weights. Where a product prefers another layout, and a reorder and
// that product together are quicker, `to_...` reorders.
struct Layer {
  Shape shape;
  memory weights, gradient, bias, bias_gradient;
  memory x, y, dy, dx;
  Op forward, backward_data, backward_weights;
  Op to_forward, to_backward_data, from_backward_weights;
  double seconds = 0;  // of all three with their reorders

  void run_forward() const {
    if (to_forward) to_forward.run();
    forward.run();
  }
  void run_backward_data() const {
    if (to_backward_data) to_backward_data.run();
    backward_data.run();
  }
  void run_backward_weights() const {
    backward_weights.run();
    if (from_backward_weights) from_backward_weights.run();
  }
};

double time_of(const std::function<void()>& call) {
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 12; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < 10; ++i) call();
    best = std::min(best, seconds_since(start) / 10);
  }
  return best;
}

// The quicker of a product straight on `layout`, if oneDNN has one, and of one with the layout of its own choice.
// `make(description)` gives {product, layout it uses}; `link(own)` the reorder between that memory and the layer's.
struct Choice {
  Op product, reorder;
  double seconds = std::numeric_limits<double>::infinity();
};
template <class Make, class Reorder>
Choice quicker_of(const memory::desc& layout, const memory& master, const memory::desc& any, bool product_first, Make make,
                  Reorder reorder) {
  Choice best;
  const auto consider = [&](const memory::desc& wanted) {
    try {
      auto [product_for, own_layout] = make(wanted);
      Choice candidate;
      memory own = master;
      if (own_layout != layout) {
        own = allocate(own_layout);
        candidate.reorder = reorder(own);
      }
      candidate.product = product_for(own);
      candidate.seconds = time_of([&] {
        if (candidate.reorder && !product_first) candidate.reorder.run();
        candidate.product.run();
        if (candidate.reorder && product_first) candidate.reorder.run();
      });
      if (candidate.seconds < best.seconds) best = candidate;
    } catch (const dnnl::error&) {  // no such product for this layout
    }
  };
  consider(layout);
  consider(any);
  return best;
}

Op reorder_op(const memory& from, const memory& to) {
  return Op(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

Layer plan_with(const Shape& s, const memory::desc& layout, const Layer& buffers, bool relu, bool needs_dx) {
  Layer layer = buffers;
  layer.weights = allocate(layout);
  layer.gradient = allocate(layout);
  const auto any = s.weights(tag::any);

  const auto forward = quicker_of(
      layout, layer.weights, any, false,
      [&](const memory::desc& wanted) {
        const auto description = forward_of(s, wanted, relu, true);
        const auto product = [&, description](const memory& own) {
          return Op(Forward(description),
                    {{DNNL_ARG_SRC, layer.x}, {DNNL_ARG_WEIGHTS, own}, {DNNL_ARG_BIAS, layer.bias}, {DNNL_ARG_DST, layer.y}});
        };
        return std::pair(product, description.weights_desc());
      },
      [&](const memory& own) { return reorder_op(layer.weights, own); });
  const auto weights = quicker_of(
      layout, layer.gradient, any, true,
      [&](const memory::desc& wanted) {
        const BackwardWeights::primitive_desc description(BackwardWeights::desc(s.x(), wanted, s.bias(), s.y()), engine,
                                                          hint_of(s));
        const auto product = [&, description](const memory& own) {
          return Op(BackwardWeights(description), {{DNNL_ARG_SRC, layer.x},
                                                   {DNNL_ARG_DIFF_DST, layer.dy},
                                                   {DNNL_ARG_DIFF_WEIGHTS, own},
                                                   {DNNL_ARG_DIFF_BIAS, layer.bias_gradient}});
        };
        return std::pair(product, description.diff_weights_desc());
      },
      [&](const memory& own) { return reorder_op(own, layer.gradient); });
  layer.forward = forward.product, layer.to_forward = forward.reorder;
  layer.backward_weights = weights.product, layer.from_backward_weights = weights.reorder;
  layer.seconds = forward.seconds + weights.seconds;
  if (needs_dx) {
    const auto data = quicker_of(
        layout, layer.weights, any, false,
        [&](const memory::desc& wanted) {
          const BackwardData::primitive_desc description(BackwardData::desc(s.x(), wanted, s.y()), engine, hint_of(s));
          const auto product = [&, description](const memory& own) {
            return Op(BackwardData(description),
                      {{DNNL_ARG_DIFF_DST, layer.dy}, {DNNL_ARG_WEIGHTS, own}, {DNNL_ARG_DIFF_SRC, layer.dx}});
          };
          return std::pair(product, description.weights_desc());
        },
        [&](const memory& own) { return reorder_op(layer.weights, own); });
    layer.backward_data = data.product, layer.to_backward_data = data.reorder;
    layer.seconds += data.seconds;
  }
  return layer;
}

// The layouts that each product would choose, and both plain ones: the quickest in sum.
Layer plan_layer(const Shape& s, const Layer& buffers, bool relu, bool needs_dx) {
  const auto any = s.weights(tag::any);
  std::vector<memory::desc> layouts = {s.weights(tag::ab), s.weights(tag::ba)};
  layouts.push_back(forward_of(s, any, relu, true).weights_desc());
  layouts.push_back(BackwardWeights::primitive_desc(BackwardWeights::desc(s.x(), any, s.bias(), s.y()), engine, hint_of(s))
                        .diff_weights_desc());
  layouts.push_back(BackwardData::primitive_desc(BackwardData::desc(s.x(), any, s.y()), engine, hint_of(s)).weights_desc());
  Layer best;
  for (size_t i = 0; i < layouts.size(); ++i) {
    if (std::find(layouts.begin(), layouts.begin() + i, layouts[i]) != layouts.begin() + i) continue;
    Layer candidate = plan_with(s, layouts[i], buffers, relu, needs_dx);
    if (!best.forward || candidate.seconds < best.seconds) best = candidate;
  }
  return best;
}

enum Optimizer { sgd, momentum, adam };
const char* const optimizer_names[] = {"sgd", "momentum", "adam"};

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

template <Optimizer kind>
void update_all(const Update& u, float* w, const float* g, float* m, float* v, int64_t count) {
  // Small arrays are not worth waking other threads for.
  if (count < 16384 || omp_get_max_threads() == 1) return update_range<kind>(u, w, g, m, v, count);
#pragma omp parallel
  {
    const int64_t threads = omp_get_num_threads(), piece = (count / threads + 15) / 16 * 16;
    const int64_t begin = std::min(count, omp_get_thread_num() * piece), end = std::min(count, begin + piece);
    update_range<kind>(u, w + begin, g + begin, m + begin, v + begin, end - begin);
  }
}

class Trainer {
 public:
  Trainer(const Fixture& fixture, Optimizer kind) : fixture_(fixture), kind_(kind) {
    static const std::vector<Layer> plans = plan();  // measured once, for all optimizers
    layers_ = plans;
    const float* source = fixture.weights.data();
    for (Layer& layer : layers_) {
      // The fixture is (in, out): transposed for oneDNN.
      memory plain(layer.shape.weights(tag::ba), engine, const_cast<float*>(source));
      reorder_op(plain, layer.weights).run();
      source += layer.shape.inputs * layer.shape.outputs;
      std::copy_n(source, layer.shape.outputs, data_of(layer.bias));
      source += layer.shape.outputs;
      for (const memory& parameter : {layer.weights, layer.bias}) {
        mean_.push_back(allocate(parameter.get_desc()));
        square_.push_back(allocate(parameter.get_desc()));
      }
    }
    for (int i = 0; i + 1 < layer_count; ++i) {
      // dx of the next layer becomes dy of this one, in place, where this one's y is above 0.
      const auto layout = layers_[i].y.get_desc();
      using Relu = dnnl::eltwise_forward;
      const auto algorithm = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
      const Relu::primitive_desc forward(Relu::desc(dnnl::prop_kind::forward_training, algorithm, layout, 0, 0), engine);
      using ReluBackward = dnnl::eltwise_backward;
      const ReluBackward::primitive_desc backward(ReluBackward::desc(algorithm, layout, layout, 0, 0), engine, forward);
      relu_backward_.emplace_back(
          ReluBackward(backward),
          std::vector<std::pair<int, memory>>{
              {DNNL_ARG_DST, layers_[i].y}, {DNNL_ARG_DIFF_DST, layers_[i].dy}, {DNNL_ARG_DIFF_SRC, layers_[i].dy}});
    }
    const memory logits = layers_.back().y;
    probabilities_ = layers_.back().dy;  // softmax writes where the gradient will be
    const dnnl::softmax_forward::primitive_desc softmax(
        dnnl::softmax_forward::desc(dnnl::prop_kind::forward_inference, logits.get_desc(), 1), engine);
    softmax_ = Op(dnnl::softmax_forward(softmax), {{DNNL_ARG_SRC, logits}, {DNNL_ARG_DST, probabilities_}});
  }

  float step(int64_t number) {
    const int64_t first = number % (sample_count / batch_size) * batch_size;
    layers_[0].x.set_data_handle(const_cast<float*>(fixture_.samples.data() + first * sizes[0]));
    for (const Layer& layer : layers_) layer.run_forward();
    const float loss = loss_and_gradient(fixture_.labels.data() + first);
    const Update update = next_update();
    for (int i = layer_count - 1; i >= 0; --i) {
      const Layer& layer = layers_[i];
      layer.run_backward_weights();
      if (i > 0) {
        layer.run_backward_data();
        relu_backward_[i - 1].run();
      }
      apply(update, layer.weights, layer.gradient, 2 * i);
      apply(update, layer.bias, layer.bias_gradient, 2 * i + 1);
    }
    return loss;
  }

  static std::string reorders() {
    std::string text;
    for (const Layer& layer : plan_used()) {
      text += std::to_string(bool(layer.to_forward) + bool(layer.to_backward_data) + bool(layer.from_backward_weights)) + " ";
    }
    return text;
  }

 private:
  static std::vector<Layer>& plan_used() {
    static std::vector<Layer> used;
    return used;
  }

  static std::vector<Layer> plan() {
    std::vector<Layer> layers;
    for (int i = 0; i < layer_count; ++i) {
      Layer buffers;
      const Shape shape = buffers.shape = {batch_size, sizes[i], sizes[i + 1]};
      buffers.x = i ? layers.back().y : allocate(shape.x());
      buffers.y = allocate(shape.y());
      buffers.dy = allocate(shape.y());
      if (i) buffers.dx = layers.back().dy;
      buffers.bias = allocate(shape.bias());
      buffers.bias_gradient = allocate(shape.bias());
      layers.push_back(plan_layer(shape, buffers, i + 1 < layer_count, i > 0));
    }
    plan_used() = layers;
    return layers;
  }

  float loss_and_gradient(const int32_t* labels) {
    softmax_.run();
    float* gradient = data_of(probabilities_);
    double loss = 0;
    for (int64_t row = 0; row < batch_size; ++row) {
      loss -= std::log(std::max(gradient[row * 10 + labels[row]], 1e-30f));
      gradient[row * 10 + labels[row]] -= 1;
    }
    for (int64_t i = 0; i < batch_size * 10; ++i) gradient[i] *= 1.0f / batch_size;
    return float(loss / batch_size);
  }

  Update next_update() {
    ++steps_;
    const double beta1 = kind_ == momentum ? 0.95 : 0.9, beta2 = 0.999;
    const float rates[] = {0.005f, 0.001f, 0.0005f};
    return {rates[kind_],
            float(beta1),
            float(beta2),
            1e-7f,
            float(1 / (1 - std::pow(beta1, steps_))),
            float(1 / (1 - std::pow(beta2, steps_)))};
  }

  void apply(const Update& u, const memory& parameter, const memory& gradient, int i) {
    const int64_t count = int64_t(parameter.get_desc().get_size() / sizeof(float));  // with the layout's padding, all zeros
    float *w = data_of(parameter), *g = data_of(gradient), *m = data_of(mean_[i]), *v = data_of(square_[i]);
    if (kind_ == sgd)
      update_all<sgd>(u, w, g, m, v, count);
    else if (kind_ == momentum)
      update_all<momentum>(u, w, g, m, v, count);
    else
      update_all<adam>(u, w, g, m, v, count);
  }

  const Fixture& fixture_;
  Optimizer kind_;
  std::vector<Layer> layers_;
  std::vector<memory> mean_, square_;
  std::vector<Op> relu_backward_;
  memory probabilities_;
  Op softmax_;
  int steps_ = 0;
};

// The forward pass with weights packed once, in the layout that oneDNN chooses for this batch or plain, whichever is quicker.
class Predictor {
 public:
  Predictor(const Fixture& fixture, int64_t batch) {
    const float* source = fixture.weights.data();
    memory x = allocate(Shape{batch, sizes[0], sizes[1]}.x());
    std::copy_n(fixture.samples.data(), batch * sizes[0], data_of(x));
    for (int i = 0; i < layer_count; ++i) {
      const Shape shape = {batch, sizes[i], sizes[i + 1]};
      const memory plain(shape.weights(tag::ba), engine, const_cast<float*>(source));
      memory bias = allocate(shape.bias()), y = allocate(shape.y());
      std::copy_n(source + shape.inputs * shape.outputs, shape.outputs, data_of(bias));
      source += (shape.inputs + 1) * shape.outputs;
      logits_ = y;
      double best = std::numeric_limits<double>::infinity();
      ops_.emplace_back();
      for (tag format : {tag::any, tag::ab, tag::ba}) {
        const auto description = forward_of(shape, shape.weights(format), i + 1 < layer_count, false);
        const memory packed = allocate(description.weights_desc());
        reorder_op(plain, packed).run();
        const Op op(Forward(description),
                    {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, bias}, {DNNL_ARG_DST, y}});
        const double seconds = time_of([&] { op.run(); });
        if (seconds < best) best = seconds, ops_.back() = op;
      }
      x = y;
    }
  }
  const float* operator()() {
    for (const Op& op : ops_) op.run();
    return data_of(logits_);
  }

 private:
  std::vector<Op> ops_;
  memory logits_;
};

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::cerr << "usage: onednn_mlp FIXTURE THREADS SECONDS\n";
    return 2;
  }
  const std::string folder = std::string(words[1]) + "/";
  const int threads = std::atoi(words[2]);
  const double seconds = std::atof(words[3]);
  omp_set_num_threads(threads);
#pragma omp parallel
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, denormals are zero

  Fixture fixture;
  fixture.weights = read_array<float>(folder + "weights.f32", 242762);
  fixture.samples = read_array<float>(folder + "samples.f32", sample_count * 784);
  fixture.labels = read_array<int32_t>(folder + "labels.i32", sample_count);
  fixture.logits = read_array<float>(folder + "logits.f32", 1024 * 10);
  for (int kind = 0; kind < 3; ++kind)
    fixture.losses[kind] = read_array<float>(folder + "losses_" + optimizer_names[kind] + ".f32", check_steps);

  std::ostringstream train, inference;
  for (int kind = 0; kind < 3; ++kind) {
    Trainer trainer(fixture, Optimizer(kind));
    std::vector<float> losses;
    for (int64_t i = 0; i < check_steps; ++i) losses.push_back(trainer.step(i));
    demand_agreement(optimizer_names[kind], losses, fixture.losses[kind].data());
    const double rate = batch_size * calls_per_second([&](int64_t i) { trainer.step(i); }, seconds);
    train << (kind ? ", " : "") << '"' << optimizer_names[kind] << "\": " << rate;
  }
  for (int64_t batch : {1, 16, 64, 1024}) {
    Predictor predict(fixture, batch);
    const float* logits = predict();
    demand_agreement("logits", std::vector<float>(logits, logits + batch * 10), fixture.logits.data());
    const double rate = double(batch) * calls_per_second([&](int64_t) { predict(); }, seconds);
    inference << (batch > 1 ? ", " : "") << '"' << batch << "\": " << rate;
  }
  const dnnl_version_t* version = dnnl_version();
  std::printf(
      "{\"peer\": \"onednn\", \"threads\": %d, \"settings\": {\"onednn\": \"%d.%d.%d\", \"reorders of each layer\": \"%s\"}, "
      "\"train\": {%s}, \"inference\": {%s}, \"off\": %.3g}\n",
      threads, version->major, version->minor, version->patch, Trainer::reorders().c_str(), train.str().c_str(),
      inference.str().c_str(), worst_off);
}
