// oneDNN at its best, from C++: training steps (SGD) and inference of configs/catdog_cnn.yaml.
//
// - Each convolution has the fastest of oneDNN's algorithms (direct, Winograd) and implementations for forward, backward data and
//   backward weights; weights are kept in the layout that makes the three and their reorders fastest.
// - Pictures between the layers are blocked by channels or channels last, whichever makes the whole net faster: both are tried.
// The
//   input comes channels last or first, as the first convolution likes it.
// - Bias and ReLU are fused into the products. Backward, ReLU's mask is applied to the pooled gradient, which is a quarter in
// size and
//   comes to the same. Max-pool remembers its places (workspace).
// - Denormals are flushed in every thread.
//
// Usage: onednn_cnn FIXTURE THREADS SECONDS [bf16]; prints the JSON document that measuring.py describes. With bf16: training alone, with
// pictures, their gradients and the convolutions' weights in bf16, sums, gradients of weights and what is updated in f32; the dense layers in
// either, whichever is faster. Samples are given in bf16, and nothing is counted for that.
#include <array>
#include <memory>
#include <optional>

#include "../benchmark/onednn_convolution.hpp"
#include "onednn_dense.hpp"
#include "onednn_optimizers.hpp"

namespace {

using namespace peer;

constexpr int64_t batch_size = 16, check_steps = 4, side = 128;
constexpr int64_t filters[] = {32, 64, 128}, hidden = 128;
constexpr float rate = 0.01f;

struct Fixture {
  explicit Fixture(const std::string& folder)
      : weights(read_array<float>(folder + "weights.f32", 1)),
        logits(read_array<float>(folder + "logits.f32", 64)),
        losses(read_array<float>(folder + "losses_sgd.f32", check_steps)),
        labels(read_array<int32_t>(folder + "labels.i32", batch_size)),
        channels_last(read_array<float>(folder + "samples.f32", labels.size() * side * side * 3)),
        channels_first(channels_last.size()) {
    const memory::dims all = {int64_t(labels.size()), 3, side, side};
    const memory given(describe(all, tag::nhwc), engine(), channels_last.data());
    reorder_op(given, memory(describe(all, tag::nchw), engine(), channels_first.data())).run();
    for (const tag layout : {tag::nhwc, tag::nchw}) {
      in_bf16.push_back(allocate(describe(all, layout, type::bf16)));
      reorder_op(given, in_bf16.back()).run();
    }
  }
  const float* sample(tag layout, int64_t index) const {
    return (layout == tag::nhwc ? channels_last : channels_first).data() + index * side * side * 3;
  }
  void* sample(tag layout, int64_t index, type numbers) const {
    if (numbers == type::f32) return const_cast<float*>(sample(layout, index));
    return static_cast<uint16_t*>(in_bf16[layout == tag::nhwc ? 0 : 1].get_data_handle()) + index * side * side * 3;
  }

  std::vector<float> weights, logits, losses;
  std::vector<int32_t> labels;
  std::vector<float> channels_last, channels_first;
  std::vector<memory> in_bf16;  // the same two
};

onednn::Convolution convolution(size_t index, int64_t batch, type numbers = type::f32) {
  return {batch, side >> index, index ? filters[index - 1] : 3, filters[index], 3, 1, 1, true, true, numbers};
}

// What lies around a convolution and its pool. Memories are shared with the neighbours.
struct Stage {
  memory x, y, pooled;
  memory bias;
  memory pooled_gradient, dy, dx, bias_gradient;
  Op pool_forward, pool_backward, relu_backward;
};

Stage make_stage(size_t index, int64_t batch, tag layout, const memory& x, const memory& dx, bool training, type numbers = type::f32) {
  const onednn::Convolution c = convolution(index, batch);
  Stage s;
  s.x = x;
  s.dx = dx;
  s.y = allocate(describe(c.y(), layout, numbers));
  s.pooled = allocate(describe({batch, c.filters, c.output() / 2, c.output() / 2}, layout, numbers));
  s.bias = allocate(describe({c.filters}, tag::a));
  const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const auto how = dnnl::algorithm::pooling_max;
  const memory::dims two = {2, 2}, none = {0, 0};
  const dnnl::pooling_forward::primitive_desc forward({kind, how, s.y.get_desc(), s.pooled.get_desc(), two, two, none, none}, engine());
  if (!training) {
    s.pool_forward = Op(dnnl::pooling_forward(forward), {{DNNL_ARG_SRC, s.y}, {DNNL_ARG_DST, s.pooled}});
    return s;
  }
  const memory workspace = allocate(forward.workspace_desc());
  s.pool_forward = Op(dnnl::pooling_forward(forward), {{DNNL_ARG_SRC, s.y}, {DNNL_ARG_DST, s.pooled}, {DNNL_ARG_WORKSPACE, workspace}});
  s.pooled_gradient = allocate(s.pooled.get_desc());
  s.dy = allocate(s.y.get_desc());
  s.bias_gradient = allocate(s.bias.get_desc());
  const dnnl::pooling_backward::primitive_desc backward({how, s.y.get_desc(), s.pooled.get_desc(), two, two, none, none}, engine(),
                                                        forward);
  s.pool_backward = Op(dnnl::pooling_backward(backward),
                       {{DNNL_ARG_DIFF_DST, s.pooled_gradient}, {DNNL_ARG_DIFF_SRC, s.dy}, {DNNL_ARG_WORKSPACE, workspace}});
  s.relu_backward = relu_backward_op(s.pooled, s.pooled_gradient);
  return s;
}

// The ways of one pass that take x and y as the stage has them.
Ways convolution_ways(size_t index, int64_t batch, onednn::Pass pass, tag x_layout, tag layout, const Stage& s) {
  const bool weights_gradient = pass == onednn::Pass::backward_weights;
  const auto numbers = static_cast<type>(s.y.get_desc().data.data_type);
  Ways found;
  for (const auto& way : onednn::ways(convolution(index, batch, numbers), pass, x_layout, layout)) {
    const memory x = pass == onednn::Pass::backward_data ? s.dx : s.x;
    const memory y = pass == onednn::Pass::forward || pass == onednn::Pass::inference ? s.y : s.dy;
    const memory bias = weights_gradient ? s.bias_gradient : s.bias;
    found.push_back({way.weights, [=](const memory& own) { return way.bind(pass, x, own, bias, y); }});
  }
  return found;
}

// Weights and bias from the fixture, which has them in the layout `plain`; returns where it goes on. Filters go by way of
// oneDNN's usual order, since Winograd's layout is not made from any other.
const float* read_parameters(const float* source, const memory::desc& plain, const memory& weights, const memory& bias) {
  const auto count = int64_t(plain.get_size() / sizeof(float)), biases = bias.get_desc().dims()[0];
  const memory given(plain, engine(), const_cast<float*>(source));
  if (plain.dims().size() == 4) {
    const memory usual = allocate(describe(plain.dims(), tag::abcd));
    reorder_op(given, usual).run();
    reorder_op(usual, weights).run();
  } else {
    reorder_op(given, weights).run();
  }
  std::copy_n(source + count, biases, data_of(bias));
  return source + count + biases;
}

DenseMemories dense_memories(const memory& x, const memory& dx, int64_t outputs, bool training, type numbers = type::f32) {
  DenseMemories m;
  m.x = x;
  m.dx = dx;
  m.y = allocate(describe({x.get_desc().dims()[0], outputs}, tag::ab, numbers));
  m.bias = allocate(describe({outputs}, tag::a));
  if (training) m.dy = allocate(m.y.get_desc()), m.bias_gradient = allocate(m.bias.get_desc());
  return m;
}

class Trainer {
 public:
  // `numbers` of pictures, `dense_numbers` of what the dense layers work on.
  Trainer(const Fixture& fixture, tag layout, type numbers, type dense_numbers) : fixture_(fixture), numbers_(numbers) {
    double best = std::numeric_limits<double>::infinity();
    for (const tag input : {tag::nhwc, tag::nchw}) {  // the first convolution alone decides
      const memory x = allocate(describe({batch_size, 3, side, side}, input, numbers));
      const Stage s = make_stage(0, batch_size, layout, x, memory(), true, numbers);
      Layer layer(convolution_ways(0, batch_size, onednn::Pass::forward, input, layout, s),
                  convolution_ways(0, batch_size, onednn::Pass::backward_weights, input, layout, s), {});
      if (layer.seconds < best) best = layer.seconds, input_ = input, first_ = {s, layer};
    }
    stages_.push_back(first_->first);
    layers_.push_back(first_->second);
    for (size_t i = 1; i < 3; ++i) {
      stages_.push_back(make_stage(i, batch_size, layout, stages_[i - 1].pooled, stages_[i - 1].pooled_gradient, true, numbers));
      const auto ways = [&](onednn::Pass pass) { return convolution_ways(i, batch_size, pass, layout, layout, stages_[i]); };
      layers_.emplace_back(ways(onednn::Pass::forward), ways(onednn::Pass::backward_weights), ways(onednn::Pass::backward_data));
    }
    memory flat = stages_[2].pooled, flat_gradient = stages_[2].pooled_gradient;
    if (dense_numbers != numbers) {
      const auto converted = with_numbers(flat.get_desc(), dense_numbers);
      flat = allocate(converted);
      flat_gradient = allocate(converted);
      read_pictures_ = reorder_op(stages_[2].pooled, flat);
      write_pictures_gradient_ = reorder_op(flat_gradient, stages_[2].pooled_gradient);
    }
    dense_.push_back(dense_memories(flat, flat_gradient, hidden, true, dense_numbers));
    dense_.push_back(dense_memories(dense_[0].y, dense_[0].dy, 1, true, dense_numbers));
    const Dense shapes[] = {{flat.get_desc(), hidden, true, dense_numbers}, {dense_[0].y.get_desc(), 1, false, dense_numbers}};
    for (size_t i = 0; i < 2; ++i) layers_.push_back(dense_layer(shapes[i], dense_[i], true));
    hidden_relu_backward_ = relu_backward_op(dense_[0].y, dense_[0].dy);
    logits_ = dense_[1].y;
    logits_gradient_ = dense_[1].dy;
    if (dense_numbers != type::f32) {
      const auto in_f32 = with_numbers(logits_.get_desc(), type::f32);
      logits_ = allocate(in_f32);
      logits_gradient_ = allocate(in_f32);
      read_logits_ = reorder_op(dense_[1].y, logits_);
      write_gradient_ = reorder_op(logits_gradient_, dense_[1].dy);
    }

    const float* source = fixture.weights.data();
    for (size_t i = 0; i < 3; ++i) {
      source = read_parameters(source, convolution(i, batch_size).plain_weights(), layers_[i].weights, stages_[i].bias);
    }
    for (size_t i = 0; i < 2; ++i) source = read_parameters(source, shapes[i].plain_weights(), layers_[3 + i].weights, dense_[i].bias);
  }

  float step(int64_t number) {
    const int64_t first = number % (int64_t(fixture_.labels.size()) / batch_size) * batch_size;
    stages_[0].x.set_data_handle(fixture_.sample(input_, first, numbers_));
    for (size_t i = 0; i < 3; ++i) {
      layers_[i].forward();
      stages_[i].pool_forward.run();
    }
    run(read_pictures_);
    layers_[3].forward();
    layers_[4].forward();
    run(read_logits_);
    const float loss = loss_and_gradient(fixture_.labels.data() + first);
    run(write_gradient_);
    layers_[4].backward_weights();
    layers_[4].backward_data();
    update(layers_[4], dense_[1].bias, dense_[1].bias_gradient);
    hidden_relu_backward_.run();
    layers_[3].backward_weights();
    layers_[3].backward_data();
    run(write_pictures_gradient_);
    update(layers_[3], dense_[0].bias, dense_[0].bias_gradient);
    for (size_t i = 3; i-- > 0;) {
      stages_[i].relu_backward.run();
      stages_[i].pool_backward.run();
      layers_[i].backward_weights();
      if (i > 0) layers_[i].backward_data();
      update(layers_[i], stages_[i].bias, stages_[i].bias_gradient);
    }
    return loss;
  }

 private:
  static void run(const Op& reorder) {
    if (reorder) reorder.run();
  }

  float loss_and_gradient(const int32_t* labels) {
    double loss = 0;
    for (int64_t i = 0; i < batch_size; ++i) {
      const double x = data_of(logits_)[i], one = labels[i];
      loss += std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))) - one * x;
      data_of(logits_gradient_)[i] = float((1 / (1 + std::exp(-x)) - one) / batch_size);
    }
    return float(loss / batch_size);
  }

  static void update(const Layer& layer, const memory& bias, const memory& bias_gradient) {
    Update u = {};
    u.rate = rate;
    const auto apply = [&](const memory& w, const memory& g) {
      update_all<sgd>(u, data_of(w), data_of(g), nullptr, nullptr, int64_t(w.get_desc().get_size() / sizeof(float)));
    };
    apply(layer.weights, layer.gradient);
    apply(bias, bias_gradient);
  }

  const Fixture& fixture_;
  type numbers_;
  tag input_ = tag::nhwc;
  std::optional<std::pair<Stage, Layer>> first_;
  std::vector<Stage> stages_;
  std::vector<DenseMemories> dense_;
  std::vector<Layer> layers_;
  Op hidden_relu_backward_;
  memory logits_, logits_gradient_;  // in f32
  // Between what is in bf16 and what is not.
  Op read_pictures_, write_pictures_gradient_, read_logits_, write_gradient_;
};

// The forward pass with weights packed once.
class Predictor {
 public:
  Predictor(const Fixture& fixture, int64_t batch, tag layout) {
    const float* source = fixture.weights.data();
    memory x, pooled;
    for (size_t i = 0; i < 3; ++i) {
      double best = std::numeric_limits<double>::infinity();
      Op product;
      Stage stage;
      const float* next = source;
      for (const tag input : i ? std::vector{layout} : std::vector{tag::nhwc, tag::nchw}) {
        if (i == 0) {
          x = allocate(describe({batch, 3, side, side}, input));
          std::copy_n(fixture.sample(input, 0), batch * side * side * 3, data_of(x));
        }
        const Stage candidate = make_stage(i, batch, layout, i ? pooled : x, memory(), false);
        for (const Way& way : convolution_ways(i, batch, onednn::Pass::inference, input, layout, candidate)) {
          const memory packed = allocate(way.weights);
          next = read_parameters(source, convolution(i, batch).plain_weights(), packed, candidate.bias);
          const Op op = way.bind(packed);
          const double seconds = time_of([&] { op.run(); });
          if (seconds < best) best = seconds, product = op, stage = candidate;
        }
      }
      source = next;
      pooled = stage.pooled;
      ops_.push_back(product);
      ops_.push_back(stage.pool_forward);
    }
    memory flat = pooled;
    for (const int64_t outputs : {hidden, int64_t(1)}) {
      const Dense dense = {flat.get_desc(), outputs, outputs > 1};
      const DenseMemories m = dense_memories(flat, memory(), outputs, false);
      const memory plain(dense.plain_weights(), engine(), const_cast<float*>(source));
      const auto count = int64_t(dense.plain_weights().get_size() / sizeof(float));
      std::copy_n(source + count, outputs, data_of(m.bias));
      source += count + outputs;
      ops_.push_back(dense_inference(dense, m, plain));
      flat = m.y;
    }
    logits_ = flat;
  }
  const float* operator()() {
    for (const Op& op : ops_) op.run();
    return data_of(logits_);
  }

 private:
  std::vector<Op> ops_;
  memory logits_;
};

// The layouts that pictures between layers may have: oneDNN's blocks for this CPU, and channels last.
std::vector<std::pair<std::string, tag>> layouts() {
  const bool wide = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
  return {{"blocked", wide ? tag::nChw16c : tag::nChw8c}, {"channels last", tag::nhwc}};
}

}  // namespace

int main(int count, char** words) {
  const Arguments arguments = arguments_of(count, words, true);
  const type numbers = arguments.bf16 ? type::bf16 : type::f32;
  const Fixture fixture(arguments.folder);
  std::string chosen;
  Rates train, inference;

  std::unique_ptr<Trainer> best;
  double best_rate = 0;
  for (const auto& [layout_name, layout] : layouts()) {
    for (const type dense_numbers : arguments.bf16 ? std::vector{type::bf16, type::f32} : std::vector{type::f32}) {
      const std::string name = layout_name + (arguments.bf16 ? dense_numbers == type::bf16 ? ", dense in bf16" : ", dense in f32" : "");
      auto trainer = std::make_unique<Trainer>(fixture, layout, numbers, dense_numbers);
      std::vector<float> losses;
      for (int64_t i = 0; i < check_steps; ++i) losses.push_back(trainer->step(i));
      demand_agreement("loss, " + name, losses, fixture.losses.data(), arguments.bf16);
      const double steps = calls_per_second([&](int64_t i) { trainer->step(i); }, arguments.seconds / 3);
      if (steps > best_rate) best_rate = steps, best = std::move(trainer), chosen = "training: " + name;
    }
  }
  train.add("sgd", batch_size * calls_per_second([&](int64_t i) { best->step(i); }, arguments.seconds));

  for (const int64_t batch : arguments.bf16 ? std::vector<int64_t>() : std::vector<int64_t>{1, 16, 64}) {
    std::unique_ptr<Predictor> predictor;
    double most = 0;
    std::string layout_chosen;
    for (const auto& [name, layout] : layouts()) {
      auto candidate = std::make_unique<Predictor>(fixture, batch, layout);
      const float* logits = (*candidate)();
      demand_agreement("logits, " + name, std::vector<float>(logits, logits + batch), fixture.logits.data());
      const double calls = calls_per_second([&](int64_t) { (*candidate)(); }, arguments.seconds / 3);
      if (calls > most) most = calls, predictor = std::move(candidate), layout_chosen = name;
    }
    chosen += "; inference " + std::to_string(batch) + ": " + layout_chosen;
    inference.add(std::to_string(batch), double(batch) * calls_per_second([&](int64_t) { (*predictor)(); }, arguments.seconds));
  }
  report(arguments.threads, chosen, train, inference);
}
