// oneDNN at its best, from C++: training steps and inference of dense nets for MNIST. The fixture says how large they are, and
// which optimizers are wanted.
//
// Bias and ReLU are fused into the inner products. The weights' layout is oneDNN's choice, or plain, whichever is quicker for
// forward, backward and update together; denormals are flushed in every thread.
//
// Usage: onednn_mlp FIXTURE THREADS SECONDS; prints the JSON document that measuring.py describes.
#include <filesystem>

#include "onednn_dense.hpp"
#include "onednn_optimizers.hpp"

namespace {

using namespace peer;

constexpr int64_t batch_size = 64, check_steps = 8;

struct Fixture {
  std::vector<int32_t> sizes;
  std::vector<float> weights, samples, logits;
  std::vector<int32_t> labels, inference_batches;

  size_t layers() const { return sizes.size() - 1; }
  int64_t sample_count() const { return int64_t(labels.size()); }
  int64_t classes() const { return sizes.back(); }
};

class Trainer {
 public:
  Trainer(const Fixture& fixture, const std::vector<Layer>& layers, const std::vector<DenseMemories>& memories, Optimizer kind)
      : fixture_(fixture), kind_(kind), layers_(layers), memories_(memories) {
    const float* source = fixture.weights.data();
    for (size_t i = 0; i < layers.size(); ++i) {
      const int64_t inputs = fixture.sizes[i], outputs = fixture.sizes[i + 1];
      const memory plain(describe({outputs, inputs}, tag::ba), engine(), const_cast<float*>(source));
      reorder_op(plain, layers_[i].weights).run();
      source += inputs * outputs;
      std::copy_n(source, outputs, data_of(memories_[i].bias));
      source += outputs;
      for (const memory& parameter : {layers_[i].weights, memories_[i].bias}) {
        mean_.push_back(allocate(parameter.get_desc()));
        square_.push_back(allocate(parameter.get_desc()));
      }
    }
    for (size_t i = 0; i + 1 < layers.size(); ++i) relu_backward_.push_back(relu_backward_op(memories_[i].y, memories_[i].dy));
    const memory logits = memories_.back().y;
    probabilities_ = memories_.back().dy;  // softmax writes where the gradient will be
    const dnnl::softmax_forward::primitive_desc softmax(
        dnnl::softmax_forward::desc(dnnl::prop_kind::forward_inference, logits.get_desc(), 1), engine());
    softmax_ = Op(dnnl::softmax_forward(softmax), {{DNNL_ARG_SRC, logits}, {DNNL_ARG_DST, probabilities_}});
  }

  float step(int64_t number) {
    const int64_t first = number % (fixture_.sample_count() / batch_size) * batch_size;
    memories_[0].x.set_data_handle(const_cast<float*>(fixture_.samples.data() + first * fixture_.sizes[0]));
    for (const Layer& layer : layers_) layer.forward();
    const float loss = loss_and_gradient(fixture_.labels.data() + first);
    const Update update = next_update();
    for (size_t i = layers_.size(); i-- > 0;) {
      layers_[i].backward_weights();
      if (i > 0) {
        layers_[i].backward_data();
        relu_backward_[i - 1].run();
      }
      apply(update, layers_[i].weights, layers_[i].gradient, 2 * i);
      apply(update, memories_[i].bias, memories_[i].bias_gradient, 2 * i + 1);
    }
    return loss;
  }

 private:
  float loss_and_gradient(const int32_t* labels) {
    softmax_.run();
    float* gradient = data_of(probabilities_);
    const int64_t classes = fixture_.classes();
    double loss = 0;
    for (int64_t row = 0; row < batch_size; ++row) {
      loss -= std::log(std::max(gradient[row * classes + labels[row]], 1e-30f));
      gradient[row * classes + labels[row]] -= 1;
    }
    for (int64_t i = 0; i < batch_size * classes; ++i) gradient[i] *= 1.0f / batch_size;
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

  void apply(const Update& u, const memory& parameter, const memory& gradient, size_t i) {
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
  std::vector<DenseMemories> memories_;
  std::vector<memory> mean_, square_;
  std::vector<Op> relu_backward_;
  memory probabilities_;
  Op softmax_;
  int steps_ = 0;
};

// Buffers of a chain of dense layers.
std::vector<DenseMemories> make_memories(const std::vector<int32_t>& sizes, int64_t batch, bool training) {
  std::vector<DenseMemories> all;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    DenseMemories m;
    m.x = i ? all.back().y : allocate(describe({batch, sizes[i]}, tag::ab));
    m.y = allocate(describe({batch, sizes[i + 1]}, tag::ab));
    m.bias = allocate(describe({sizes[i + 1]}, tag::a));
    if (training) {
      m.dy = allocate(m.y.get_desc());
      m.dx = i ? all.back().dy : allocate(m.x.get_desc());
      m.bias_gradient = allocate(m.bias.get_desc());
    }
    all.push_back(m);
  }
  return all;
}

// The forward pass with weights packed once.
class Predictor {
 public:
  Predictor(const Fixture& fixture, int64_t batch) {
    const float* source = fixture.weights.data();
    const auto memories = make_memories(fixture.sizes, batch, false);
    std::copy_n(fixture.samples.data(), batch * fixture.sizes[0], data_of(memories[0].x));
    for (size_t i = 0; i < fixture.layers(); ++i) {
      const int64_t inputs = fixture.sizes[i], outputs = fixture.sizes[i + 1];
      const Dense dense = {memories[i].x.get_desc(), outputs, i + 1 < fixture.layers()};
      const memory plain(dense.plain_weights(), engine(), const_cast<float*>(source));
      source += inputs * outputs;
      std::copy_n(source, outputs, data_of(memories[i].bias));
      source += outputs;
      ops_.push_back(dense_inference(dense, memories[i], plain));
    }
    logits_ = memories.back().y;
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
  const Arguments arguments = arguments_of(count, words);
  Fixture fixture;
  fixture.sizes = read_array<int32_t>(arguments.folder + "sizes.i32", 2);
  fixture.inference_batches = read_array<int32_t>(arguments.folder + "inference_batches.i32", 1);
  fixture.weights = read_array<float>(arguments.folder + "weights.f32", 1);
  fixture.samples = read_array<float>(arguments.folder + "samples.f32", 1);
  fixture.labels = read_array<int32_t>(arguments.folder + "labels.i32", batch_size);
  fixture.logits = read_array<float>(arguments.folder + "logits.f32", 1);

  Rates train, inference;
  std::string reorders;
  std::vector<Layer> layers;
  std::vector<DenseMemories> memories;
  for (int kind = 0; kind < 3; ++kind) {
    const std::string losses_file = arguments.folder + "losses_" + optimizer_names[kind] + ".f32";
    if (!std::filesystem::exists(losses_file)) continue;
    if (layers.empty()) {  // planned once, for all optimizers
      memories = make_memories(fixture.sizes, batch_size, true);
      for (size_t i = 0; i < fixture.layers(); ++i) {
        const Dense dense = {memories[i].x.get_desc(), fixture.sizes[i + 1], i + 1 < fixture.layers()};
        layers.push_back(dense_layer(dense, memories[i], i > 0));
        reorders += (i ? " " : "reorders of each layer: ") + std::to_string(layers.back().reorders());
      }
    }
    Trainer trainer(fixture, layers, memories, Optimizer(kind));
    std::vector<float> losses;
    for (int64_t i = 0; i < check_steps; ++i) losses.push_back(trainer.step(i));
    demand_agreement(optimizer_names[kind], losses, read_array<float>(losses_file, check_steps).data());
    train.add(optimizer_names[kind], batch_size * calls_per_second([&](int64_t i) { trainer.step(i); }, arguments.seconds));
  }
  for (const int64_t batch : fixture.inference_batches) {
    Predictor predict(fixture, batch);
    const float* logits = predict();
    demand_agreement("logits", std::vector<float>(logits, logits + batch * fixture.classes()), fixture.logits.data());
    inference.add(std::to_string(batch), double(batch) * calls_per_second([&](int64_t) { predict(); }, arguments.seconds));
  }
  report(arguments.threads, reorders, train, inference);
}
