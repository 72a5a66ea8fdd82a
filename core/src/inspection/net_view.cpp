#include "inspection/net_view.hpp"

#include "training/evaluation.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <numeric>

namespace nnrun::core {

namespace {

// How many samples there is memory for.
std::int64_t affordable(const Environment& environment, const nnrun_tensor& sample, std::int64_t wanted) {
  constexpr std::size_t budget = std::size_t{256} << 20;
  const ModelPlan plan = plan_model(environment.settings().model, environment.host(), batch_of(sample, 1), false, {.absorb = false});
  std::size_t bytes = 0;
  for (const nnrun_tensor& tensor : plan.tensors) bytes += tensor_bytes(tensor);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(budget / bytes), 1, wanted);
}

}  // namespace

NetView::NetView(const Environment& environment, Data& data, const Data::Subset& subset, std::int64_t samples,
                 std::shared_ptr<Parameters> parameters)
    : network_(environment.settings().model, environment.host(),
               batch_of(data.sample(), affordable(environment, data.sample(), std::min(samples, subset.count()))), false,
               environment.settings().seed, std::move(parameters), {.absorb = false, .share_memory = false}) {
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(network_.max_batch()));
  std::iota(positions.begin(), positions.end(), 0u);
  const Buffer labels(label_bytes(data, network_.max_batch()));
  // As many at once as an evaluation loads: data has memory for no more.
  const std::int64_t part = evaluation_batch(data.sample());
  for (std::int64_t begin = 0; begin < network_.max_batch(); begin += part) {
    nnrun_tensor input = network_.input();
    input.data = static_cast<std::byte*>(input.data) + static_cast<std::size_t>(begin) * tensor_bytes(data.sample());
    const auto count = static_cast<std::size_t>(std::min(part, network_.max_batch() - begin));
    data.load(subset, std::span(positions).subspan(static_cast<std::size_t>(begin), count), 0, false, input, labels.data());
  }
  network_.forward(0);

  const std::size_t count = network_.plan().layers.size();
  layers_.resize(count);
  views_.reserve(count);
  std::size_t weight = 0, state = 0;
  for (std::size_t i = 0; i < count; ++i) add_layer(i, weight, state, environment.host());
  view_.size = sizeof view_;
  view_.layer_count = static_cast<std::uint32_t>(count);
  view_.layers = views_.data();
  view_.input = network_.input();
  view_.host = environment.host().c();
}

// `weight` and `state`: its first ones; then those behind its last.
void NetView::add_layer(std::size_t index, std::size_t& weight, std::size_t& state, const HostServices& host) {
  const PlannedLayer& planned = network_.plan().layers[index];
  const ComponentSpec& spec = planned.instance->spec();
  Layer& layer = layers_[index];
  for (std::size_t i = 0; i < spec.component->param_count; ++i) layer.param_names.push_back(param_at(*spec.component, i).name);
  layer.params = make_values(spec, [](const ComponentSpec&) { return nnrun_component_handle{}; });
  const auto add = [&](const Slot& slot, float* data) {
    layer.names.push_back(slot.name.substr(slot.name.rfind('.') + 1));
    layer.tensors.push_back(make_tensor(static_cast<nnrun_dtype>(slot.dtype), slot.shape, data));
  };
  const Parameters& parameters = *network_.parameters();
  for (const DeclaredWeight& declared : planned.weights) add(declared.slot, parameters.weight(weight++));
  const std::size_t first_state = layer.tensors.size();
  for (const DeclaredState& declared : planned.states) add(declared.slot, parameters.state(state++));
  for (const std::string& name : layer.names) layer.tensor_names.push_back(name.c_str());
  for (const std::size_t input : planned.inputs) layer.inputs.push_back(static_cast<std::uint32_t>(input));

  const nnrun_layer_vtable& table = planned.vtable();
  nnrun_layer_view view{};
  view.size = sizeof view;
  view.trait = table.trait_of != nullptr ? table.trait_of(planned.instance->self()) : table.trait;
  view.output = network_.value(planned.output);
  if (view.trait == NNRUN_TRAIT_AFFINE && table.affine != nullptr) {
    const auto channels = static_cast<std::size_t>(view.output.dim[view.output.rank - 1]);
    layer.scale.resize(channels);
    layer.offset.resize(channels);
    nnrun_run run{};
    run.size = sizeof run;
    run.weight_count = static_cast<std::uint32_t>(first_state);
    run.state_count = static_cast<std::uint32_t>(layer.tensors.size() - first_state);
    run.weights = layer.tensors.data();
    run.states = layer.tensors.data() + first_state;
    run.host = host.c();
    nnrun_error error{};
    if (table.affine(planned.instance->self(), &run, layer.scale.data(), layer.offset.data(), &error) != 0)
      planned.instance->fail_in_run("folding", error);
    view.scale = layer.scale.data();
    view.offset = layer.offset.data();
  }
  view.component = spec.component->name;
  view.name = planned.name.c_str();
  view.param_count = static_cast<std::uint32_t>(layer.params.size());
  view.param_names = layer.param_names.data();
  view.params = layer.params.data();
  view.tensor_count = static_cast<std::uint32_t>(layer.tensors.size());
  view.tensor_names = layer.tensor_names.data();
  view.tensors = layer.tensors.data();
  view.input_count = static_cast<std::uint32_t>(layer.inputs.size());
  view.inputs = layer.inputs.data();
  views_.push_back(view);
}

}  // namespace nnrun::core
