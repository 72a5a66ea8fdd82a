#include "plugin_check/plugin_check_bench.hpp"

#include "net/plan.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace nnrun::core::checking {

namespace {

constexpr std::size_t largest_tensor = std::size_t{1} << 28;  // bytes; a check has no need of more

LayerBench& bench(void* context) { return *static_cast<LayerBench*>(context); }

// The first input, and one for each reference that is given.
std::size_t count_inputs(const ComponentSpec& spec) {
  std::size_t count = 1;
  for (std::size_t i = 0; i < spec.component->param_count; ++i) {
    if (param_at(*spec.component, i).type == NNRUN_REFERENCE && !spec.values[i].string.empty()) ++count;
  }
  return count;
}

std::size_t bytes_of_rows(const nnrun_tensor& tensor, std::int64_t rows) {
  nnrun_tensor part = tensor;
  part.dim[0] = rows;
  return tensor_bytes(part);
}

}  // namespace

std::span<float> LayerBench::Tensor::floats() const {
  return c.dtype == NNRUN_F32 ? memory->floats().subspan(0, static_cast<std::size_t>(nnrun::Tensor(c).count())) : std::span<float>();
}

std::vector<float> LayerBench::Tensor::numbers() const {
  if (c.dtype == NNRUN_F32) return {floats().begin(), floats().end()};
  const auto copy = [this]<class T>(T) {
    const auto numbers = nnrun::Tensor(c).span<const T>();
    return std::vector<float>(numbers.begin(), numbers.end());
  };
  return c.dtype == NNRUN_U8 ? copy(std::uint8_t{}) : c.dtype == NNRUN_S8 ? copy(std::int8_t{}) : copy(std::int32_t{});
}

LayerBench::Tensor LayerBench::make(const nnrun_tensor& shape) const {
  require(tensor_bytes(shape) <= largest_tensor, "a tensor of " + std::to_string(tensor_bytes(shape)) + " bytes is too large to check");
  Tensor tensor;
  tensor.c = shape;
  tensor.memory = std::make_unique<GuardedMemory>(tensor_bytes(shape));
  tensor.c.data = tensor.memory->data();
  return tensor;
}

LayerBench::LayerBench(const ComponentSpec& spec, const nnrun_host* host, const LayerSetup& setup)
    : instance_(spec, host),
      table_(instance_.vtable<nnrun_layer_vtable>()),
      host_(host),
      training_(setup.training),
      input_gradient_(setup.training && setup.input_gradient),
      planned_batch_(setup.batch) {
  if (setup.absorb_relu && (table_.absorb == nullptr || table_.absorb(instance_.self(), NNRUN_TRAIT_RELU) == 0)) {
    throw Refused("absorbs no relu");
  }
  Shape shape = setup.sample;
  shape.insert(shape.begin(), setup.batch);
  for (std::size_t i = 0; i < count_inputs(spec); ++i) {
    inputs.push_back(make(make_tensor(setup.dtype, shape)));
    d_inputs.push_back(make(make_tensor(NNRUN_F32, shape)));
  }
  plan(host, setup);
  d_output = make(make_tensor(NNRUN_F32, nnrun::Tensor(output.c).shape()));
  for (const auto& memory : saved_) saved_pointers_.push_back(memory->data());
  for (const auto& memory : scratch_) scratch_pointers_.push_back(memory->data());
  for (const Tensor& state : states) initial_states_.push_back(state.memory->copy());
  set_batch(setup.batch);
}

void LayerBench::declare(const char* name, std::uint32_t rank, const std::int64_t* dim) {
  require(name != nullptr && *name != '\0', "plan() declares a weight or a state without a name");
  require(std::find(names_.begin(), names_.end(), name) == names_.end(), std::string("plan() declares '") + name + "' twice");
  require(rank >= 1 && rank <= NNRUN_MAX_RANK && *std::min_element(dim, dim + rank) >= 1,
          std::string("plan() declares '") + name + "' with the shape " + to_string(Shape(dim, dim + std::min<std::uint32_t>(rank, 8))));
  names_.emplace_back(name);
}

nnrun_plan LayerBench::make_plan(const std::vector<nnrun_tensor>& shapes, const LayerSetup& setup, const nnrun_host* host) {
  nnrun_plan plan{};
  plan.size = sizeof plan;
  plan.input_count = static_cast<std::uint32_t>(shapes.size());
  plan.inputs = shapes.data();
  plan.training = setup.training ? 1 : 0;
  plan.input_gradient = input_gradient_ ? 1 : 0;
  plan.host = host;
  plan.context = this;
  plan.output = [](void* context, std::uint32_t dtype, std::uint32_t rank, const std::int64_t* dim, nnrun_error* error) {
    return detail::guard(error, [&] {
      LayerBench& self = bench(context);
      require(!self.has_output_, "plan() declares the output twice");
      require(rank >= 1 && rank <= NNRUN_MAX_RANK && *std::min_element(dim, dim + rank) >= 1, "plan() declares an output without elements");
      require(dim[0] == self.planned_batch_, "plan() declares an output whose first dimension is not the batch");
      self.output = self.make(make_tensor(static_cast<nnrun_dtype>(dtype), Shape(dim, dim + rank)));
      self.has_output_ = true;
    });
  };
  plan.weight = [](void* context, const char* name, std::uint32_t rank, const std::int64_t* dim, std::int64_t fan_in, std::int64_t fan_out,
                   const nnrun_component_handle* initializer, std::uint32_t, nnrun_error* error) {
    LayerBench& self = bench(context);
    const int status = detail::guard(error, [&] {
      self.declare(name, rank, dim);
      require(initializer != nullptr && initializer->vtable != nullptr, std::string("the weight '") + name + "' has no initializer");
      Weight weight{self.make(make_tensor(NNRUN_F32, Shape(dim, dim + rank))), self.make(make_tensor(NNRUN_F32, Shape(dim, dim + rank))),
                    name};
      const auto& table = *static_cast<const nnrun_initializer_vtable*>(initializer->vtable);
      const nnrun_random_key key{1, NNRUN_STREAM_WEIGHTS, 0, static_cast<std::uint32_t>(self.weights.size())};
      nnrun_error inner{};
      detail::check(table.fill(initializer->self, &weight.value.c, fan_in, fan_out, &key, &inner), inner);
      Random random({1, NNRUN_STREAM_WEIGHTS, 1, key.minor});
      for (float& value : weight.value.floats()) value += random.next_uniform(-0.25f, 0.25f);
      require_finite(weight.value.floats(), std::string("the initial weight '") + name + "'");
      self.weights.push_back(std::move(weight));
    });
    return status != 0 ? -1 : static_cast<int>(self.weights.size()) - 1;
  };
  plan.state = [](void* context, const char* name, std::uint32_t rank, const std::int64_t* dim, float value, nnrun_error* error) {
    LayerBench& self = bench(context);
    const int status = detail::guard(error, [&] {
      self.declare(name, rank, dim);
      self.states.push_back(self.make(make_tensor(NNRUN_F32, Shape(dim, dim + rank))));
      std::ranges::fill(self.states.back().floats(), value);
    });
    return status != 0 ? -1 : static_cast<int>(self.states.size()) - 1;
  };
  plan.integers = [](void* context, const char* name, std::uint32_t dtype, std::uint32_t rank, const std::int64_t* dim,
                     nnrun_error* error) {
    LayerBench& self = bench(context);
    const int status = detail::guard(error, [&] {
      self.declare(name, rank, dim);
      self.states.push_back(self.make(make_tensor(static_cast<nnrun_dtype>(dtype), Shape(dim, dim + rank))));
      std::memset(self.states.back().c.data, 0, tensor_bytes(self.states.back().c));
    });
    return status != 0 ? -1 : static_cast<int>(self.states.size()) - 1;
  };
  plan.saved = [](void* context, std::size_t bytes, nnrun_error* error) {
    LayerBench& self = bench(context);
    const int status = detail::guard(error, [&] { self.saved_.push_back(std::make_unique<GuardedMemory>(bytes)); });
    return status != 0 ? -1 : static_cast<int>(self.saved_.size()) - 1;
  };
  plan.scratch = [](void* context, std::size_t bytes, nnrun_error* error) {
    LayerBench& self = bench(context);
    const int status = detail::guard(error, [&] { self.scratch_.push_back(std::make_unique<GuardedMemory>(bytes)); });
    return status != 0 ? -1 : static_cast<int>(self.scratch_.size()) - 1;
  };
  plan.backward_needs = [](void* context, std::uint32_t flags) { bench(context).needs |= flags; };
  plan.in_place = [](void* context) { bench(context).in_place = true; };
  plan.cost = [](void*, double, double) {};
  return plan;
}

void LayerBench::plan(const nnrun_host* host, const LayerSetup& setup) {
  std::vector<nnrun_tensor> shapes;
  for (const Tensor& input : inputs) {
    shapes.push_back(input.c);
    shapes.back().data = nullptr;
  }
  nnrun_plan request = make_plan(shapes, setup, host);
  nnrun_error error{};
  if (table_.plan(instance_.self(), &request, &error) != 0) throw Refused(message_of(error, "plan()"));
  require(has_output_, "plan() declares no output");
}

void LayerBench::set_batch(std::int64_t batch) {
  batch_ = batch;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs[i].c.dim[0] = d_inputs[i].c.dim[0] = batch;
    const std::size_t bytes = bytes_of_rows(inputs[i].c, batch);
    if (inputs[i].c.dtype == NNRUN_F32) {
      fill_away_from_zero(inputs[i].floats(), static_cast<std::uint32_t>(i));
    } else if (inputs[i].c.dtype == NNRUN_S32) {
      Random random({2027, NNRUN_STREAM_DATASET, 3, static_cast<std::uint32_t>(i)});
      auto* data = static_cast<std::int32_t*>(inputs[i].memory->data());
      for (std::size_t k = 0; k < bytes / sizeof(std::int32_t); ++k) data[k] = static_cast<std::int32_t>(random.next() % 2001) - 1000;
    } else {
      Random random({2027, NNRUN_STREAM_DATASET, 2, static_cast<std::uint32_t>(i)});
      auto* data = static_cast<std::uint8_t*>(inputs[i].memory->data());
      for (std::size_t k = 0; k < bytes; ++k) data[k] = static_cast<std::uint8_t>(random.next() % 100);
    }
    inputs[i].memory->poison_from(bytes);
  }
  output.c.dim[0] = d_output.c.dim[0] = batch;
}

std::vector<float> LayerBench::output_weights(std::uint32_t which) const {
  std::vector<float> list(static_cast<std::size_t>(nnrun::Tensor(output.c).count()));
  fill_away_from_zero(list, 1000 + which);
  return list;
}

nnrun_run LayerBench::make_run() {
  const auto views = [](const std::vector<Tensor>& tensors) {
    std::vector<nnrun_tensor> list;
    for (const Tensor& tensor : tensors) list.push_back(tensor.c);
    return list;
  };
  input_views_ = views(inputs);
  d_input_views_ = views(d_inputs);
  state_views_ = views(states);
  weight_views_.clear();
  d_weight_views_.clear();
  for (const Weight& weight : weights) {
    weight_views_.push_back(weight.value.c);
    d_weight_views_.push_back(weight.gradient.c);
  }
  output_view_ = output.c;
  d_output_view_ = d_output.c;
  if (share_value) output_view_.data = input_views_[0].data;
  if (share_gradient) d_input_views_[0].data = d_output_view_.data;
  if (overwrite_input) d_input_views_[0].data = input_views_[0].data;
  if (!input_gradient_) {
    for (nnrun_tensor& view : d_input_views_) view.data = nullptr;
  }
  nnrun_run run{};
  run.size = sizeof run;
  run.training = training_ ? 1 : 0;
  run.input_count = static_cast<std::uint32_t>(inputs.size());
  run.weight_count = static_cast<std::uint32_t>(weights.size());
  run.state_count = static_cast<std::uint32_t>(states.size());
  run.saved_count = static_cast<std::uint32_t>(saved_.size());
  run.scratch_count = static_cast<std::uint32_t>(scratch_.size());
  run.input_gradient = input_gradient_ ? 1 : 0;
  run.inputs = input_views_.data();
  run.output = &output_view_;
  run.d_inputs = d_input_views_.data();
  run.d_output = &d_output_view_;
  run.weights = weight_views_.data();
  run.d_weights = d_weight_views_.data();
  run.states = state_views_.data();
  run.saved = saved_pointers_.data();
  run.scratch = scratch_pointers_.data();
  run.host = host_;
  run.key = {1, NNRUN_STREAM_LAYER, 3, 0};
  run.context = this;
  return run;
}

void LayerBench::verify_guards() const {
  for (const Tensor& input : inputs) input.memory->verify("x");
  for (const Tensor& gradient : d_inputs) gradient.memory->verify("dx");
  output.memory->verify("y");
  d_output.memory->verify("dy");
  for (const Weight& weight : weights) {
    weight.value.memory->verify("the weight '" + weight.name + "'");
    weight.gradient.memory->verify("the gradient of '" + weight.name + "'");
  }
  for (const Tensor& state : states) state.memory->verify("a state");
  for (std::size_t i = 0; i < saved_.size(); ++i) saved_[i]->verify("saved memory " + std::to_string(i));
  for (std::size_t i = 0; i < scratch_.size(); ++i) scratch_[i]->verify("scratch memory " + std::to_string(i));
}

std::int64_t LayerBench::slices(bool backward) const {
  if (table_.slices == nullptr) return 0;
  const std::int64_t count = std::abs(table_.slices(instance_.self(), batch_, backward ? 1 : 0));
  const std::int64_t divisor = count == 0 ? 0 : std::gcd(count, batch_);
  return divisor > 1 ? divisor : 0;
}

std::int64_t LayerBench::slices_ahead(bool backward) const {
  if (table_.slices_ahead == nullptr || table_.slices(instance_.self(), batch_, backward ? 1 : 0) >= 0) return 0;
  const std::int64_t count = table_.slices_ahead(instance_.self(), batch_, backward ? 1 : 0);
  return count == 0 ? 0 : std::gcd(count, batch_);
}

int LayerBench::run_layer(bool backward, const nnrun_run& run, nnrun_error& error) {
  const std::int64_t count = in_slices ? slices(backward) : 0;
  if (count == 0) return (backward ? table_.backward : table_.forward)(instance_.self(), &run, &error);
  nnrun_slice part{sizeof part, backward ? 1u : 0u, NNRUN_SLICES_AHEAD, 0, 0, slices_ahead(backward)};
  for (part.index = part.count - 1; part.index >= 0; --part.index) {
    if (const int status = table_.run_slice(instance_.self(), &run, &part, &error); status != 0) return status;
  }
  part = {sizeof part, backward ? 1u : 0u, NNRUN_SLICES_BEFORE, part.count > 0 ? 1u : 0u, 0, count};
  if (const int status = table_.run_slice(instance_.self(), &run, &part, &error); status != 0) return status;
  part.stage = NNRUN_SLICES_EACH;
  part.ahead = 0;
  for (part.index = count - 1; part.index >= 0; --part.index) {
    if (const int status = table_.run_slice(instance_.self(), &run, &part, &error); status != 0) return status;
  }
  part.index = 0;
  part.stage = NNRUN_SLICES_BEHIND;
  return table_.run_slice(instance_.self(), &run, &part, &error);
}

void LayerBench::call(bool backward, const nnrun_run& run) {
  const char* doing = backward ? "backward" : "forward";
  std::vector<std::vector<std::byte>> inputs_before, weights_before;
  for (const Tensor& input : inputs) inputs_before.push_back(input.memory->copy());
  for (const Weight& weight : weights) weights_before.push_back(weight.value.memory->copy());
  const std::vector<std::byte> output_before = output.memory->copy();
  for (const auto& memory : scratch_) memory->poison();
  ready_.clear();
  nnrun_error error{};
  if (run_layer(backward, run, error) != 0) throw Failure(std::string(doing) + " failed: " + message_of(error, doing));
  verify_guards();
  const std::string in = std::string(" in ") + doing;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool may_write = (share_value || (overwrite_input && backward)) && i == 0;
    require(may_write || inputs[i].memory->equals(inputs_before[i]), "x was written to" + in + ", without in_place() in plan()");
  }
  if (run.gradient_ready != nullptr) verify_ready(weights_before);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    require(weights[i].value.memory->equals(weights_before[i]), "the weight '" + weights[i].name + "' was written to" + in);
  }
  require(!backward || output.memory->equals(output_before), "y was written to" + in);
}

void LayerBench::forward() {
  if (!share_value) {
    output.memory->poison();
    output.memory->mark_from(bytes_of_rows(output.c, batch_));
  }
  for (const auto& memory : saved_) memory->poison();
  for (std::size_t i = 0; i < states.size(); ++i) states[i].memory->restore(initial_states_[i]);
  const nnrun_run run = make_run();
  call(false, run);
  if (share_value) return;
  output.memory->verify_marked_from(bytes_of_rows(output.c, batch_), "y");
  require_finite(output.floats(), "y");
  for (std::size_t i = 0; i < states.size(); ++i) {
    require_finite(states[i].floats(), "a state");
    require(training_ || states[i].memory->equals(initial_states_[i]), "a state was written to outside of training");
  }
}

void LayerBench::backward() {
  const auto written_bytes = [&](const Tensor& gradient) { return input_gradient_ ? bytes_of_rows(gradient.c, batch_) : 0; };
  for (const Tensor& gradient : d_inputs) {
    gradient.memory->poison();
    gradient.memory->mark_from(written_bytes(gradient));
  }
  for (const Weight& weight : weights) weight.gradient.memory->poison();
  std::vector<std::vector<std::byte>> inputs_before;
  for (const Tensor& input : inputs) inputs_before.push_back(input.memory->copy());
  if (poison_unneeded) {
    if ((needs & NNRUN_BACKWARD_NEEDS_INPUT) == 0) {
      for (const Tensor& input : inputs) input.memory->poison();
    }
    if ((needs & NNRUN_BACKWARD_NEEDS_OUTPUT) == 0) output.memory->poison();
  }
  nnrun_run run = make_run();
  if (watch_ready) {
    run.gradient_ready = [](void* context, std::uint32_t weight, std::int64_t begin, std::int64_t end) {
      bench(context).ready(weight, begin, end);
    };
    run.gradient_given = [](void* context, std::uint32_t weight, std::int64_t begin, std::int64_t end, const float* values) {
      bench(context).given(weight, begin, end, values);
    };
  }
  call(true, run);
  if (overwrite_input) std::memcpy(d_inputs[0].memory->data(), inputs[0].memory->data(), bytes_of_rows(inputs[0].c, batch_));
  if (!share_value) {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].memory->restore(inputs_before[i]);
  }
  for (const Tensor& gradient : d_inputs) {
    if (!share_gradient) gradient.memory->verify_marked_from(written_bytes(gradient), "dx");
  }
}

void LayerBench::given(std::uint32_t weight, std::int64_t begin, std::int64_t end, const float* values) {
  if (weight < weights.size() && begin >= 0 && end <= std::ssize(weights[weight].gradient.floats())) {
    std::copy(values, values + std::max<std::int64_t>(end - begin, 0), weights[weight].gradient.floats().begin() + begin);
  }
  ready(weight, begin, end);
}

void LayerBench::ready(std::uint32_t weight, std::int64_t begin, std::int64_t end) {
  const std::lock_guard lock(ready_mutex_);
  if (weight >= weights.size() || begin < 0 || end < begin || end > std::ssize(weights[weight].value.floats())) {
    ready_.push_back({weight, begin, end, {}});  // found later: nothing may be thrown through the layer
    return;
  }
  const auto gradient = weights[weight].gradient.floats().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  ready_.push_back({weight, begin, end, {gradient.begin(), gradient.end()}});
  // The optimizer may change this part of the weight from now on.
  const auto given_up = weights[weight].value.floats().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  std::memset(given_up.data(), 0xFF, given_up.size_bytes());
}

void LayerBench::verify_ready(const std::vector<std::vector<std::byte>>& weights_before) {
  said_ready = !ready_.empty();
  std::sort(ready_.begin(), ready_.end(),
            [](const Ready& a, const Ready& b) { return std::pair(a.weight, a.begin) < std::pair(b.weight, b.begin); });
  std::vector<std::int64_t> done(weights.size(), 0);
  for (const Ready& slice : ready_) {
    require(slice.weight < weights.size(), "gradient_ready() names weight " + std::to_string(slice.weight) + ", which does not exist");
    const Weight& weight = weights[slice.weight];
    const std::string where = "gradient_ready(" + weight.name + ", " + std::to_string(slice.begin) + ", " + std::to_string(slice.end) + ")";
    require(slice.begin == done[slice.weight] && slice.end >= slice.begin && slice.end <= std::ssize(weight.value.floats()),
            where + " overlaps another slice, leaves a gap, or reaches beyond the weight");
    done[slice.weight] = slice.end;
    require_same_bits(
        slice.gradient,
        weight.gradient.floats().subspan(static_cast<std::size_t>(slice.begin), static_cast<std::size_t>(slice.end - slice.begin)),
        where + " came before the gradient was final: " + weight.name);
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    require(done[i] == 0 || done[i] == std::ssize(weights[i].value.floats()),
            "gradient_ready() covers " + std::to_string(done[i]) + " elements of '" + weights[i].name + "'; it must be all, or none");
    weights[i].value.memory->restore(weights_before[i]);
  }
}

}  // namespace nnrun::core::checking
