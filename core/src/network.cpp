#include "network.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

namespace nnrun::core {

namespace {

using Clock = std::chrono::steady_clock;

// fn(layer) for all that have weights or states: those that run, and those whose work others do.
void for_each_declaring(const ModelPlan& plan, const auto& fn) {
  for (const PlannedLayer& layer : plan.layers) {
    fn(layer);
    if (layer.affine != nullptr) fn(*layer.affine);
  }
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

Network::Network(const ModelSettings& model, const HostServices& host, const nnrun_tensor& input, bool training, std::uint64_t seed,
                 std::shared_ptr<Parameters> parameters, const PlanOptions& options)
    : plan_(plan_model(model, host, input, training, options)),
      host_(host),
      training_(training),
      seed_(seed),
      parameters_(std::move(parameters)) {
  bind_parameters();
  make_runners(options.share_memory);
  set_batch(max_batch());
}

void Network::bind_parameters() {
  std::vector<Slot> weights, states;
  for_each_declaring(plan_, [&](const PlannedLayer& layer) {
    for (const DeclaredWeight& weight : layer.weights) weights.push_back(weight.slot);
    for (const DeclaredState& state : layer.states) states.push_back(state.slot);
  });
  if (parameters_ == nullptr) {
    parameters_ = std::make_shared<Parameters>(std::move(weights), std::move(states));
    return;
  }
  const auto same = [](const Slot& a, const Slot& b) { return a.name == b.name && a.shape == b.shape; };
  const auto& w = parameters_->weight_slots();
  const auto& s = parameters_->state_slots();
  if (!std::equal(w.begin(), w.end(), weights.begin(), weights.end(), same) ||
      !std::equal(s.begin(), s.end(), states.begin(), states.end(), same)) {
    throw RunError("a layer declares other weights for evaluation than for training");
  }
}

void Network::make_runners(bool share_memory) {
  const MemoryPlan memory = plan_memory(plan_, training_, share_memory);
  memory_ = Buffer(memory.bytes);
  const auto at = [&](std::size_t offset) -> void* { return offset == no_offset ? nullptr : memory_.data() + offset; };
  const auto pointers = [&](const std::vector<std::size_t>& offsets) {
    std::vector<void*> list;
    for (const std::size_t offset : offsets) list.push_back(at(offset));
    return list;
  };
  tensors_ = gradients_ = plan_.tensors;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    tensors_[i].data = at(memory.values[i]);
    gradients_[i].data = training_ ? at(memory.gradients[i]) : nullptr;
  }
  input_gradients_.resize(plan_.layers.size());
  runners_.resize(plan_.layers.size());
  std::size_t weight = 0, state = 0;
  for (std::size_t i = 0; i < plan_.layers.size(); ++i) {
    const PlannedLayer& layer = plan_.layers[i];
    Runner& runner = runners_[i];
    runner.network = this;
    runner.first_weight = weight;
    runner.output = tensors_[layer.output];
    runner.d_output = gradients_[layer.output];
    for (std::size_t k = 0; k < layer.inputs.size(); ++k) {
      runner.inputs.push_back(tensors_[layer.inputs[k]]);
      nnrun_tensor gradient = gradients_[layer.inputs[k]];
      gradient.data = training_ && layer.runs_backward ? at(memory.input_gradients[i][k]) : nullptr;
      input_gradients_[i].push_back(gradient);
    }
    for (const DeclaredWeight& declared : layer.weights) {
      runner.weights.push_back(make_tensor(NNRUN_F32, declared.slot.shape, parameters_->weight(weight++)));
    }
    for (const DeclaredState& declared : layer.states) {
      runner.states.push_back(make_tensor(NNRUN_F32, declared.slot.shape, parameters_->state(state++)));
    }
    if (layer.affine != nullptr) make_affine(i, weight, state);
    runner.d_weights = runner.weights;
    runner.saved = pointers(memory.layers[i].saved);
    runner.forward_scratch = pointers(memory.layers[i].forward_scratch);
    runner.backward_scratch = pointers(memory.layers[i].backward_scratch);
  }
  // The runners do not move from here on.
  for (std::size_t i = 0; i < runners_.size(); ++i) {
    Runner& runner = runners_[i];
    nnrun_run& run = runner.run;
    run = {};
    run.size = sizeof run;
    run.training = training_ && !plan_.layers[i].frozen ? 1 : 0;
    run.input_count = static_cast<std::uint32_t>(runner.inputs.size());
    run.weight_count = static_cast<std::uint32_t>(runner.weights.size());
    run.state_count = static_cast<std::uint32_t>(runner.states.size());
    run.saved_count = static_cast<std::uint32_t>(runner.saved.size());
    run.scratch_count = static_cast<std::uint32_t>(runner.forward_scratch.size());
    run.input_gradient = plan_.layers[i].input_gradient ? 1 : 0;
    run.inputs = runner.inputs.data();
    run.output = &runner.output;
    run.d_inputs = input_gradients_[i].data();
    run.d_output = &runner.d_output;
    run.weights = runner.weights.data();
    run.d_weights = runner.d_weights.data();
    run.states = runner.states.data();
    run.saved = runner.saved.data();
    run.host = host_.c();
    run.key = {seed_, NNRUN_STREAM_LAYER, 0, static_cast<std::uint32_t>(plan_.layers[i].index)};
    run.context = &runner;
  }
  for (Affine& affine : affines_) {
    Runner& runner = runners_[affine.layer];
    for (Buffer& buffer : affine.folded) runner.folded.push_back(buffer.data());
    runner.run.folded = runner.folded.data();
    affine.run.size = sizeof affine.run;
    affine.run.weight_count = static_cast<std::uint32_t>(affine.weights.size());
    affine.run.state_count = static_cast<std::uint32_t>(affine.states.size());
    affine.run.weights = affine.weights.data();
    affine.run.states = affine.states.data();
    affine.run.host = host_.c();
  }
}

// `weight` and `state`: its first ones; then those behind its last.
void Network::make_affine(std::size_t index, std::size_t& weight, std::size_t& state) {
  const PlannedLayer& layer = plan_.layers[index];
  Affine affine;
  affine.layer = index;
  for (const DeclaredWeight& declared : layer.affine->weights) {
    affine.weights.push_back(make_tensor(NNRUN_F32, declared.slot.shape, parameters_->weight(weight++)));
  }
  for (const DeclaredState& declared : layer.affine->states) {
    affine.states.push_back(make_tensor(NNRUN_F32, declared.slot.shape, parameters_->state(state++)));
  }
  for (const std::size_t bytes : layer.folded) affine.folded.emplace_back(bytes);
  const nnrun_tensor& output = plan_.tensors[layer.output];
  const auto channels = static_cast<std::size_t>(output.dim[output.rank - 1]);
  affine.scale.resize(channels);
  affine.offset.resize(channels);
  affines_.push_back(std::move(affine));
}

std::size_t Network::memory_bytes() const {
  std::size_t bytes = memory_.size();
  for (const Affine& affine : affines_) {
    for (const Buffer& buffer : affine.folded) bytes += buffer.size();
  }
  return bytes;
}

void Network::fold() {
  for (Affine& affine : affines_) {
    const PlannedLayer& layer = plan_.layers[affine.layer];
    const Instance& instance = *layer.affine->instance;
    nnrun_error error;
    error.message[0] = error.parameter[0] = '\0';
    if (layer.affine->vtable().affine(instance.self(), &affine.run, affine.scale.data(), affine.offset.data(), &error) != 0) {
      instance.fail_in_run("folding", error);
    }
    if (layer.vtable().fold(layer.instance->self(), &runners_[affine.layer].run, affine.scale.data(), affine.offset.data(), &error) != 0) {
      layer.instance->fail_in_run("folding", error);
    }
  }
  is_folded_ = true;
}

void Network::initialize_parameters() {
  std::size_t slot = 0, state = 0;
  for_each_declaring(plan_, [&](const PlannedLayer& layer) {
    std::uint32_t index = 0;
    for (const DeclaredWeight& weight : layer.weights) {
      nnrun_tensor tensor = make_tensor(NNRUN_F32, weight.slot.shape, parameters_->weight(slot++));
      const nnrun_random_key key{seed_, NNRUN_STREAM_WEIGHTS, static_cast<std::uint32_t>(layer.index), index++};
      const auto& table = *static_cast<const nnrun_initializer_vtable*>(weight.initializer.vtable);
      nnrun_error error{};
      if (table.fill(weight.initializer.self, &tensor, weight.fan_in, weight.fan_out, &key, &error) != 0) {
        layer.instance->fail_in_config(error);
      }
    }
    for (const DeclaredState& declared : layer.states) {
      std::fill_n(parameters_->state(state), parameters_->state_slots()[state].count, declared.value);
      ++state;
    }
  });
  parameters_changed();
}

void Network::for_each_batched_tensor(const auto& fn) {
  for (nnrun_tensor& tensor : tensors_) fn(tensor);
  for (nnrun_tensor& tensor : gradients_) fn(tensor);
  for (auto& list : input_gradients_) std::for_each(list.begin(), list.end(), fn);
  for (Runner& runner : runners_) {
    std::for_each(runner.inputs.begin(), runner.inputs.end(), fn);
    fn(runner.output);
    fn(runner.d_output);
  }
}

void Network::set_batch(std::int64_t batch) {
  if (batch == batch_) return;
  batch_ = batch;
  for_each_batched_tensor([batch](nnrun_tensor& tensor) { tensor.dim[0] = batch; });
}

void Network::forward_layer(std::size_t index, std::int64_t step) {
  if (!is_folded_) fold();
  const PlannedLayer& layer = plan_.layers[index];
  Runner& runner = runners_[index];
  runner.run.scratch = runner.forward_scratch.data();
  runner.run.key.major = static_cast<std::uint32_t>(step);
  const auto start = times_ != nullptr ? Clock::now() : Clock::time_point();
  nnrun_error error;
  error.message[0] = error.parameter[0] = '\0';
  if (layer.vtable().forward(layer.instance->self(), &runner.run, &error) != 0) layer.instance->fail_in_run("forward", error);
  if (times_ != nullptr) times_->forward[index] += seconds_since(start);
  if (watcher_ != nullptr) watcher_->forward_done(index);
}

void Network::forward(std::int64_t step) {
  for (std::size_t i = 0; i < plan_.layers.size(); ++i) forward_layer(i, step);
}

std::optional<std::size_t> Network::forward_until_not_finite(std::int64_t step) {
  for (std::size_t i = 0; i < plan_.layers.size(); ++i) {
    forward_layer(i, step);
    const Tensor output(tensors_[plan_.layers[i].output]);
    if (output.dtype() != NNRUN_F32) continue;
    for (const float value : output.span()) {
      if (!std::isfinite(value)) return i;
    }
  }
  return std::nullopt;
}

void Network::backward(std::int64_t step, GradientSink* sink) {
  // A tensor without consumers has no one to write its gradient.
  for (std::size_t i = 0; i + 1 < plan_.layers.size(); ++i) {
    const std::size_t output = plan_.layers[i].output;
    const bool consumed = std::any_of(plan_.layers.begin(), plan_.layers.end(), [&](const PlannedLayer& layer) {
      return std::find(layer.inputs.begin(), layer.inputs.end(), output) != layer.inputs.end();
    });
    if (!consumed && gradients_[output].data != nullptr) std::memset(gradients_[output].data, 0, tensor_bytes(gradients_[output]));
  }
  for (std::size_t i = plan_.layers.size(); i-- > 0;) {
    if (plan_.layers[i].runs_backward) backward_layer(i, step, sink);
  }
}

void Network::backward_layer(std::size_t index, std::int64_t step, GradientSink* sink) {
  const PlannedLayer& layer = plan_.layers[index];
  Runner& runner = runners_[index];
  runner.run.scratch = runner.backward_scratch.data();
  runner.run.key.major = static_cast<std::uint32_t>(step);
  for (std::size_t k = 0; k < runner.d_weights.size(); ++k) runner.d_weights[k].data = parameters_->gradient(runner.first_weight + k);
  sink_ = sink;
  runner.run.gradient_ready = nullptr;
  runner.run.gradient_given = nullptr;
  if (sink != nullptr) {
    runner.run.gradient_ready = [](void* context, std::uint32_t weight, std::int64_t begin, std::int64_t end) {
      const Runner& self = *static_cast<const Runner*>(context);
      self.network->sink_->slice_ready(self.first_weight + weight, begin, end);
    };
    runner.run.gradient_given = [](void* context, std::uint32_t weight, std::int64_t begin, std::int64_t end, const float* values) {
      const Runner& self = *static_cast<const Runner*>(context);
      self.network->sink_->slice_given(self.first_weight + weight, begin, end, values);
    };
  }
  if (watcher_ != nullptr) watcher_->backward_starts(index);
  const auto start = times_ != nullptr ? Clock::now() : Clock::time_point();
  nnrun_error error;
  error.message[0] = error.parameter[0] = '\0';
  if (layer.vtable().backward(layer.instance->self(), &runner.run, &error) != 0) layer.instance->fail_in_run("backward", error);
  if (watcher_ != nullptr) watcher_->backward_done(index);
  add_shared_gradients(index);
  if (sink != nullptr) sink->layer_done(runner.first_weight, runner.weights.size());
  if (times_ != nullptr) times_->backward[index] += seconds_since(start);
  sink_ = nullptr;
}

void Network::add_shared_gradients(std::size_t index) {
  for (std::size_t k = 0; k < input_gradients_[index].size(); ++k) {
    const nnrun_tensor& part = input_gradients_[index][k];
    const nnrun_tensor& sum = gradients_[plan_.layers[index].inputs[k]];
    if (part.data == nullptr || part.data == sum.data) continue;
    const auto* from = static_cast<const float*>(part.data);
    auto* to = static_cast<float*>(sum.data);
    Host(host_.c()).parallel_elements(Tensor(sum).count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] += from[i];
    });
  }
}

}  // namespace nnrun::core
