#include "net/network.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>

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

constexpr std::size_t most_slices = 64;
constexpr std::int64_t fewest_slices = 8;  // with fewer, some of several threads would have nothing to do

// The layer that may begin with each slice of the chain.
std::size_t ahead_of(const LayerChain& chain, bool backward) { return backward ? chain.first - 1 : chain.last + 1; }

// The most that all of its layers can be cut into, and the one behind it, where that goes ahead.
std::int64_t slices_of_chain(const ModelPlan& plan, const LayerChain& chain, bool ahead, std::int64_t batch, bool backward) {
  std::int64_t divisor = batch;
  for (std::size_t i = chain.first; i <= chain.last; ++i) {
    const std::int64_t slices = slices_of(plan.layers[i], batch, backward);
    if (slices == 0) return 0;
    divisor = std::gcd(divisor, slices);
  }
  if (ahead) {
    const std::int64_t slices = slices_ahead_of(plan.layers[ahead_of(chain, backward)], batch, backward);
    if (slices == 0) return 0;
    divisor = std::gcd(divisor, slices);
  }
  auto slices = static_cast<std::int64_t>(most_slices);
  while (divisor % slices != 0) --slices;
  return slices >= fewest_slices ? slices : 0;
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
  slice_seconds_.resize(plan_.layers.size() * most_slices);
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
  const auto same = [](const Slot& a, const Slot& b) { return a.name == b.name && a.shape == b.shape && a.dtype == b.dtype; };
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
      runner.states.push_back(make_tensor(static_cast<nnrun_dtype>(declared.slot.dtype), declared.slot.shape, parameters_->state(state++)));
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
    affine.states.push_back(make_tensor(static_cast<nnrun_dtype>(declared.slot.dtype), declared.slot.shape, parameters_->state(state++)));
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
      if (declared.slot.dtype == NNRUN_F32) std::fill_n(parameters_->state(state), parameters_->state_slots()[state].count, declared.value);
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
  forward_cuts_ = cuts_of(plan_.forward_chains, false);
  backward_cuts_ = cuts_of(plan_.backward_chains, true);
}

std::vector<Network::Cut> Network::cuts_of(const std::vector<LayerChain>& chains, bool backward) const {
  std::vector<Cut> cuts;
  for (const LayerChain& chain : chains) cuts.push_back({slices_of_chain(plan_, chain, false, batch_, backward)});
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const std::size_t next = backward ? i - 1 : i + 1;  // in the order of the pass
    if (!chains[i].ahead || cuts[next].slices == 0) continue;
    const std::int64_t slices = slices_of_chain(plan_, chains[i], true, batch_, backward);
    if (slices == 0) continue;
    cuts[i].slices = slices;
    cuts[i].ahead = cuts[next].is_ahead = true;
  }
  for (std::size_t i = 0; i < chains.size(); ++i) {
    if (chains[i].alone() && !cuts[i].ahead && !cuts[i].is_ahead) cuts[i].slices = 0;
  }
  return cuts;
}

void Network::prepare_forward(std::size_t index, std::int64_t step) {
  if (!is_folded_) fold();
  Runner& runner = runners_[index];
  runner.run.scratch = runner.forward_scratch.data();
  runner.run.key.major = static_cast<std::uint32_t>(step);
}

void Network::forward_layer(std::size_t index, std::int64_t step) {
  prepare_forward(index, step);
  const PlannedLayer& layer = plan_.layers[index];
  const auto start = times_ != nullptr ? Clock::now() : Clock::time_point();
  nnrun_error error;
  error.message[0] = error.parameter[0] = '\0';
  if (layer.vtable().forward(layer.instance->self(), &runners_[index].run, &error) != 0) layer.instance->fail_in_run("forward", error);
  if (times_ != nullptr) times_->forward[index] += seconds_since(start);
  if (watcher_ != nullptr) watcher_->forward_done(index);
}

void Network::run_slice(std::size_t index, const nnrun_slice& slice) {
  const PlannedLayer& layer = plan_.layers[index];
  nnrun_error error;
  error.message[0] = error.parameter[0] = '\0';
  const auto start = times_ != nullptr ? Clock::now() : Clock::time_point();
  if (layer.vtable().run_slice(layer.instance->self(), &runners_[index].run, &slice, &error) != 0) {
    layer.instance->fail_in_run(slice.backward != 0 ? "backward" : "forward", error);
  }
  if (times_ == nullptr) return;
  if (slice.stage == NNRUN_SLICES_EACH || slice.stage == NNRUN_SLICES_AHEAD) {
    slice_seconds_[index * most_slices + static_cast<std::size_t>(slice.index)] = seconds_since(start);
  } else {
    (slice.backward != 0 ? times_->backward : times_->forward)[index] += seconds_since(start);
  }
}

void Network::run_chain(const LayerChain& chain, const Cut& cut, bool backward) {
  const std::size_t count = chain.last - chain.first + 1;
  const std::int64_t slices = cut.slices;
  const auto for_each_layer = [&](nnrun_slice slice) {
    for (std::size_t i = 0; i < count; ++i) {
      slice.ahead = cut.is_ahead && i == 0 ? 1 : 0;
      run_slice(backward ? chain.last - i : chain.first + i, slice);
    }
    if (!cut.ahead || slice.stage != NNRUN_SLICES_EACH) return;
    slice.stage = NNRUN_SLICES_AHEAD;
    slice.ahead = 0;
    run_slice(ahead_of(chain, backward), slice);
  };
  nnrun_slice slice{sizeof slice, backward ? 1u : 0u, NNRUN_SLICES_BEFORE, 0, 0, slices};
  for_each_layer(slice);
  slice.stage = NNRUN_SLICES_EACH;
  const auto start = Clock::now();
  try {
    Host(host_.c()).parallel(slices, [&](std::int64_t index) {
      nnrun_slice each = slice;
      each.index = index;
      for_each_layer(each);
    });
  } catch (const Error& error) {
    throw RunError(error.what());
  }
  const double seconds = seconds_since(start);
  slice.stage = NNRUN_SLICES_BEHIND;
  for_each_layer(slice);
  if (times_ == nullptr) return;
  // What the slices took together, shared out as their layers took.
  double all = 0;
  const auto of_layer = [&](std::size_t layer) {
    const auto begin = slice_seconds_.begin() + static_cast<std::ptrdiff_t>(layer * most_slices);
    return std::accumulate(begin, begin + slices, 0.0);
  };
  std::size_t first = chain.first, last = chain.last;
  if (cut.ahead) (backward ? first : last) = ahead_of(chain, backward);
  for (std::size_t layer = first; layer <= last; ++layer) all += of_layer(layer);
  for (std::size_t layer = first; layer <= last; ++layer) {
    (backward ? times_->backward : times_->forward)[layer] += seconds * of_layer(layer) / std::max(all, 1e-12);
  }
}

void Network::forward(std::int64_t step) {
  std::size_t chain = 0;
  for (std::size_t i = 0; i < plan_.layers.size(); ++i) {
    const bool begins = chain < plan_.forward_chains.size() && plan_.forward_chains[chain].first == i;
    if (begins && watcher_ == nullptr && forward_cuts_[chain].slices != 0) {
      const LayerChain& layers = plan_.forward_chains[chain];
      const Cut& cut = forward_cuts_[chain];
      for (std::size_t k = i; k <= layers.last + (cut.ahead ? 1 : 0); ++k) prepare_forward(k, step);
      run_chain(layers, cut, false);
      i = layers.last;
    } else {
      forward_layer(i, step);
    }
    if (begins) ++chain;
  }
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
  std::size_t chain = plan_.backward_chains.size();
  for (std::size_t i = plan_.layers.size(); i-- > 0;) {
    const bool begins = chain > 0 && plan_.backward_chains[chain - 1].last == i;
    if (begins) --chain;
    if (begins && watcher_ == nullptr && backward_cuts_[chain].slices != 0) {
      const LayerChain& layers = plan_.backward_chains[chain];
      const Cut& cut = backward_cuts_[chain];
      for (std::size_t k = layers.first - (cut.ahead ? 1 : 0); k <= layers.last; ++k) prepare_backward(k, step, sink);
      run_chain(layers, cut, true);
      for (std::size_t k = layers.last + 1; k-- > layers.first;) finish_backward(k, sink);
      i = layers.first;
    } else if (plan_.layers[i].runs_backward) {
      backward_layer(i, step, sink);
    }
  }
}

void Network::prepare_backward(std::size_t index, std::int64_t step, GradientSink* sink) {
  Runner& runner = runners_[index];
  runner.run.scratch = runner.backward_scratch.data();
  runner.run.key.major = static_cast<std::uint32_t>(step);
  for (std::size_t k = 0; k < runner.d_weights.size(); ++k) runner.d_weights[k].data = parameters_->gradient(runner.first_weight + k);
  sink_ = sink;
  runner.run.gradient_ready = nullptr;
  runner.run.gradient_given = nullptr;
  runner.run.update_of = nullptr;
  runner.run.updated = nullptr;
  if (sink == nullptr) return;
  runner.run.gradient_ready = [](void* context, std::uint32_t weight, std::int64_t begin, std::int64_t end) {
    const Runner& self = *static_cast<const Runner*>(context);
    self.network->sink_->slice_ready(self.first_weight + weight, begin, end);
  };
  runner.run.gradient_given = [](void* context, std::uint32_t weight, std::int64_t begin, std::int64_t end, const float* values) {
    const Runner& self = *static_cast<const Runner*>(context);
    self.network->sink_->slice_given(self.first_weight + weight, begin, end, values);
  };
  runner.run.update_of = [](void* context, std::uint32_t weight, nnrun_update* update) {
    const Runner& self = *static_cast<const Runner*>(context);
    return self.network->sink_->update_of(self.first_weight + weight, *update) ? 1 : 0;
  };
  runner.run.updated = [](void* context, std::uint32_t weight, std::uint32_t finite) {
    const Runner& self = *static_cast<const Runner*>(context);
    self.network->sink_->updated(self.first_weight + weight, finite != 0);
  };
}

void Network::finish_backward(std::size_t index, GradientSink* sink) {
  add_shared_gradients(index);
  if (sink != nullptr) sink->layer_done(runners_[index].first_weight, runners_[index].weights.size());
  sink_ = nullptr;
}

void Network::backward_layer(std::size_t index, std::int64_t step, GradientSink* sink) {
  const PlannedLayer& layer = plan_.layers[index];
  prepare_backward(index, step, sink);
  if (watcher_ != nullptr) watcher_->backward_starts(index);
  const auto start = times_ != nullptr ? Clock::now() : Clock::time_point();
  nnrun_error error;
  error.message[0] = error.parameter[0] = '\0';
  if (layer.vtable().backward(layer.instance->self(), &runners_[index].run, &error) != 0) layer.instance->fail_in_run("backward", error);
  if (watcher_ != nullptr) watcher_->backward_done(index);
  finish_backward(index, sink);
  if (times_ != nullptr) times_->backward[index] += seconds_since(start);
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
