#include "net/plan.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cstdlib>

namespace nnrun::core {

namespace {

// What a layer says while it plans.
struct Answers {
  PlannedLayer* layer;
  const nnrun_tensor* input;
  nnrun_tensor output;
  bool has_output;
};

Answers& answers(void* context) { return *static_cast<Answers*>(context); }

Shape checked_shape(std::uint32_t rank, const std::int64_t* dim, const std::string& what) {
  if (rank == 0 || rank > NNRUN_MAX_RANK) throw Error(what + " has rank " + std::to_string(rank) + ", expected 1 to 6");
  Shape shape(dim, dim + rank);
  double elements = 1;
  for (const std::int64_t size : shape) {
    if (size < 1) throw Error(what + " has the shape " + to_string(shape) + ": every dimension must be at least 1");
    elements *= static_cast<double>(size);
  }
  if (elements > 1e11) throw Error(what + " has the shape " + to_string(shape) + ": too large");
  return shape;
}

void set_output(Answers& a, std::uint32_t dtype, std::uint32_t rank, const std::int64_t* dim) {
  if (a.has_output) throw Error("declared its output twice");
  const Shape shape = checked_shape(rank, dim, "its output");
  if (shape[0] != a.input->dim[0]) {
    throw Error("its output has the shape " + to_string(shape) + ": the first dimension must stay the batch, " +
                std::to_string(a.input->dim[0]));
  }
  a.output = make_tensor(static_cast<nnrun_dtype>(dtype), shape);
  a.has_output = true;
}

Slot make_slot(const PlannedLayer& layer, const char* name, std::uint32_t rank, const std::int64_t* dim, std::uint32_t flags) {
  Slot slot;
  slot.name = layer.name + "." + name;
  slot.layer = layer.index;
  slot.shape = checked_shape(rank, dim, std::string("its weight '") + name + "'");
  slot.flags = flags;
  slot.frozen = layer.frozen;
  for (const DeclaredWeight& weight : layer.weights) {
    if (weight.slot.name == slot.name) throw Error(std::string("declared the weight '") + name + "' twice");
  }
  for (const DeclaredState& state : layer.states) {
    if (state.slot.name == slot.name) throw Error(std::string("declared the state '") + name + "' twice");
  }
  return slot;
}

nnrun_plan make_plan(Answers& a, const std::vector<nnrun_tensor>& inputs, const HostServices& host, bool training) {
  nnrun_plan plan{};
  plan.size = sizeof plan;
  plan.input_count = static_cast<std::uint32_t>(inputs.size());
  plan.inputs = inputs.data();
  plan.training = training ? 1 : 0;
  plan.input_gradient = a.layer->input_gradient ? 1 : 0;
  plan.frozen = a.layer->frozen ? 1 : 0;
  plan.host = host.c();
  plan.context = &a;
  plan.output = [](void* context, std::uint32_t dtype, std::uint32_t rank, const std::int64_t* dim, nnrun_error* error) {
    return detail::guard(error, [&] { set_output(answers(context), dtype, rank, dim); });
  };
  plan.weight = [](void* context, const char* name, std::uint32_t rank, const std::int64_t* dim, std::int64_t fan_in, std::int64_t fan_out,
                   const nnrun_component_handle* initializer, std::uint32_t flags, nnrun_error* error) {
    PlannedLayer& layer = *answers(context).layer;
    const int status = detail::guard(error, [&] {
      if (initializer == nullptr || initializer->vtable == nullptr) throw Error(std::string("weight '") + name + "' has no initializer");
      layer.weights.push_back({make_slot(layer, name, rank, dim, flags), fan_in, fan_out, *initializer});
    });
    return status != 0 ? -1 : static_cast<int>(layer.weights.size()) - 1;
  };
  plan.state = [](void* context, const char* name, std::uint32_t rank, const std::int64_t* dim, float value, nnrun_error* error) {
    PlannedLayer& layer = *answers(context).layer;
    const int status = detail::guard(error, [&] { layer.states.push_back({make_slot(layer, name, rank, dim, 0), value}); });
    return status != 0 ? -1 : static_cast<int>(layer.states.size()) - 1;
  };
  plan.integers = [](void* context, const char* name, std::uint32_t dtype, std::uint32_t rank, const std::int64_t* dim,
                     nnrun_error* error) {
    PlannedLayer& layer = *answers(context).layer;
    const int status = detail::guard(error, [&] {
      if (dtype != NNRUN_U8 && dtype != NNRUN_S8 && dtype != NNRUN_S32)
        throw Error(std::string("declared '") + name + "' of a type that is not u8, s8 or s32");
      Slot slot = make_slot(layer, name, rank, dim, 0);
      slot.dtype = dtype;
      layer.states.push_back({std::move(slot), 0});
    });
    return status != 0 ? -1 : static_cast<int>(layer.states.size()) - 1;
  };
  plan.saved = [](void* context, std::size_t bytes, nnrun_error*) {
    PlannedLayer& layer = *answers(context).layer;
    layer.saved.push_back(bytes);
    return static_cast<int>(layer.saved.size()) - 1;
  };
  plan.scratch = [](void* context, std::size_t bytes, nnrun_error*) {
    PlannedLayer& layer = *answers(context).layer;
    layer.scratch.push_back(bytes);
    return static_cast<int>(layer.scratch.size()) - 1;
  };
  plan.folded = [](void* context, std::size_t bytes, nnrun_error*) {
    PlannedLayer& layer = *answers(context).layer;
    layer.folded.push_back(bytes);
    return static_cast<int>(layer.folded.size()) - 1;
  };
  plan.backward_needs = [](void* context, std::uint32_t flags) { answers(context).layer->backward_needs |= flags; };
  plan.in_place = [](void* context) { answers(context).layer->in_place = true; };
  plan.cost = [](void* context, double forward_flops, double backward_flops) {
    answers(context).layer->forward_flops = forward_flops;
    answers(context).layer->backward_flops = backward_flops;
  };
  return plan;
}

// How many layers take what is at that place.
std::size_t consumers(const ModelSettings& model, std::size_t place) {
  std::size_t count = 0;
  for (const auto& inputs : model.inputs) count += static_cast<std::size_t>(std::count(inputs.begin(), inputs.end(), place));
  return count;
}

std::uint32_t trait_of(const ComponentSpec& spec, const HostServices& host) {
  const auto& vtable = *static_cast<const nnrun_layer_vtable*>(spec.component->vtable);
  if (vtable.trait_of == nullptr) return vtable.trait;
  return vtable.trait_of(Instance(spec, host.c()).self());
}

// A layer of a plugin made before there was fold() has no such entries.
bool can_fold(const nnrun_layer_vtable& layer) { return layer.size >= sizeof(nnrun_layer_vtable) && layer.fold != nullptr; }

PlannedLayer named_layer(const ComponentSpec& spec, std::size_t index, const HostServices& host) {
  PlannedLayer layer;
  layer.index = index;
  layer.name = spec.label.empty() ? std::to_string(index) + "." + spec.component->name : spec.label;
  layer.instance = std::make_unique<Instance>(spec, host.c());
  layer.frozen = spec.frozen;
  return layer;
}

void plan_layer(PlannedLayer& layer, ModelPlan& model, const HostServices& host, bool training) {
  std::vector<nnrun_tensor> inputs;
  for (const std::size_t input : layer.inputs) inputs.push_back(model.tensors[input]);
  Answers a{&layer, &inputs[0], {}, false};
  nnrun_plan plan = make_plan(a, inputs, host, training);
  host.plan_for(layer.name, training);
  nnrun_error error{};
  if (layer.vtable().plan(layer.instance->self(), &plan, &error) != 0) {
    // Every layer's complaint about a shape shows what came in.
    const ComponentSpec& spec = layer.instance->spec();
    Diagnostic diagnostic = make_error(spec.location_of(error), layer.name + ": " + error.message);
    std::string shapes;
    for (const nnrun_tensor& input : inputs) shapes += (shapes.empty() ? "" : ", ") + to_string(Tensor(input).shape());
    diagnostic.notes.push_back(
        make_note({}, (inputs.size() == 1 ? "its input has the shape " : "its inputs have the shapes ") + shapes + ", the batch first"));
    diagnostic.notes.insert(diagnostic.notes.end(), spec.notes.begin(), spec.notes.end());
    throw DiagnosticError(diagnostic);
  }
  if (!a.has_output) {
    throw DiagnosticError(layer.instance->spec().where, layer.name + ": its plan() declared no output");
  }
  if (layer.frozen && layer.weights.empty() && layer.states.empty()) {
    throw DiagnosticError(layer.instance->spec().where, layer.name + " has no weights to freeze: take `freeze` out");
  }
  std::vector<std::string> kernels;
  for (KernelChoice& choice : host.take_chosen()) {
    const std::string text = host.dispatch().describe(choice.kernel);
    if (std::find(kernels.begin(), kernels.end(), text) == kernels.end()) kernels.push_back(text);
    layer.choices.push_back({layer.name + "/" + choice.kernel->name + "#" + std::to_string(choice.request), std::move(choice)});
  }
  host.plan_for("", false);
  layer.kernels = std::move(kernels);
  layer.output = model.tensors.size();
  model.tensors.push_back(a.output);
}

// Its weights and states stay in the net, though its work is done by `layer`. It sees the output of all that `layer` does, whose channels
// are its own.
void plan_affine(PlannedLayer& layer, const ComponentSpec& spec, std::size_t index, ModelPlan& model, const HostServices& host) {
  layer.affine = std::make_unique<PlannedLayer>(named_layer(spec, index, host));
  layer.affine->inputs = {layer.output};
  plan_layer(*layer.affine, model, host, false);
  model.tensors.pop_back();
  layer.affine->output = layer.output;
}

// A choice that no layer asks for is a mistyped one, or from another net.
void refuse_unused_choices(const ModelPlan& model, const Dispatch& dispatch) {
  for (const Dispatch::LayerChoice& choice : dispatch.layer_choices()) {
    const auto layer = std::ranges::find(model.layers, choice.layer, &PlannedLayer::name);
    if (layer == model.layers.end()) {
      std::vector<std::string> names;
      for (const PlannedLayer& known : model.layers) names.push_back(known.name);
      throw DiagnosticError(choice.where, "no layer " + quote(choice.layer) + " computes anything in this net",
                            did_you_mean(choice.layer, names));
    }
    const auto requests =
        std::ranges::count_if(layer->choices, [&](const PlannedKernel& k) { return choice.name == k.choice.kernel->name; });
    if (requests < std::max(choice.request, 1)) {
      throw DiagnosticError(choice.where,
                            choice.layer + " asks for " + choice.name +
                                (requests == 0 ? " never" : " " + std::to_string(requests) + (requests == 1 ? " time" : " times")) +
                                "; nnrun plan --why shows what it asks for");
    }
  }
}

bool follows(const ModelPlan& model, std::size_t index) {
  const std::size_t before = model.layers[index - 1].output;
  const auto takes = [&](const PlannedLayer& layer) { return std::count(layer.inputs.begin(), layer.inputs.end(), before); };
  std::ptrdiff_t consumers = 0;
  for (const PlannedLayer& layer : model.layers) consumers += takes(layer);
  return consumers == 1 && model.layers[index].inputs == std::vector{before};
}

// Whether the layer's pass needs all that comes from the layers before it (backward: behind it) when it begins.
bool begins_chain(const PlannedLayer& layer, std::int64_t batch, bool backward) {
  const nnrun_layer_vtable& vtable = layer.vtable();
  return vtable.slices(layer.instance->self(), batch, backward ? 1 : 0) < 0;
}

std::vector<LayerChain> chains_of(const ModelPlan& model, bool backward) {
  const std::int64_t batch = model.tensors[0].dim[0];
  const auto joins = [&](std::size_t index) {
    const PlannedLayer& layer = model.layers[index];
    return (layer.runs_backward || !backward) && slices_of(layer, batch, backward) > 1;
  };
  // Backward begins with a chain's last layer.
  const auto parted = [&](std::size_t index) { return begins_chain(model.layers[backward ? index : index + 1], batch, backward); };
  std::vector<LayerChain> chains;
  for (std::size_t first = 0; first < model.layers.size(); ++first) {
    std::size_t last = first;
    if (!joins(first)) continue;
    while (last + 1 < model.layers.size() && joins(last + 1) && follows(model, last + 1) && !parted(last)) ++last;
    chains.push_back({first, last});
    first = last;
  }
  for (std::size_t i = 0; i + 1 < chains.size(); ++i) {
    const std::size_t border = chains[i + 1].first;
    if (border != chains[i].last + 1 || !follows(model, border)) continue;
    const PlannedLayer& begins = model.layers[backward ? chains[i].last : border];
    chains[backward ? i + 1 : i].ahead = slices_ahead_of(begins, batch, backward) > 1;
  }
  // One layer alone has nothing of slices.
  std::vector<LayerChain> useful;
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const std::size_t before = backward ? i + 1 : i - 1;  // in the order of the pass
    const bool is_ahead = before < chains.size() && chains[before].ahead;
    if (!chains[i].alone() || chains[i].ahead || is_ahead) useful.push_back(chains[i]);
  }
  return useful;
}

}  // namespace

std::int64_t slices_of(const PlannedLayer& layer, std::int64_t batch, bool backward) {
  const nnrun_layer_vtable& vtable = layer.vtable();
  return vtable.slices == nullptr ? 0 : std::abs(vtable.slices(layer.instance->self(), batch, backward ? 1 : 0));
}

std::int64_t slices_ahead_of(const PlannedLayer& layer, std::int64_t batch, bool backward) {
  const nnrun_layer_vtable& vtable = layer.vtable();
  return vtable.slices_ahead == nullptr ? 0 : vtable.slices_ahead(layer.instance->self(), batch, backward ? 1 : 0);
}

std::size_t dtype_bytes(std::uint32_t dtype) {
  switch (dtype) {
    case NNRUN_U8:
    case NNRUN_S8: return 1;
    case NNRUN_BF16: return 2;
    default: return 4;
  }
}

std::size_t tensor_bytes(const nnrun_tensor& tensor) {
  return static_cast<std::size_t>(Tensor(tensor).count()) * dtype_bytes(tensor.dtype);
}

ModelPlan plan_model(const ModelSettings& settings, const HostServices& host, const nnrun_tensor& input, bool training,
                     const PlanOptions& options) {
  ModelPlan model;
  model.tensors.push_back(input);
  std::vector<bool> learns{false};  // of each tensor: does anything that it depends on have weights?
  const std::vector<ComponentSpec>& specs = settings.layers;
  std::vector<std::size_t> tensors(specs.size() + 1, 0);  // at each place of settings.inputs
  for (std::size_t i = 0; i < specs.size(); ++i) {
    PlannedLayer layer = named_layer(specs[i], i, host);
    for (const std::size_t place : settings.inputs[i]) layer.inputs.push_back(tensors[place]);
    for (const std::size_t tensor : layer.inputs) layer.input_gradient = layer.input_gradient || learns[tensor];

    std::size_t last = i, affine = i;
    while (options.absorb && layer.vtable().absorb != nullptr && last + 1 < specs.size() && consumers(settings, last + 1) == 1 &&
           settings.inputs[last + 1] == std::vector{last + 1}) {
      const std::uint32_t trait = trait_of(specs[last + 1], host);
      if (trait == NNRUN_TRAIT_NONE || (specs[last + 1].frozen && trait != NNRUN_TRAIT_AFFINE)) break;
      if (trait == NNRUN_TRAIT_AFFINE && (training || !options.fold || !can_fold(layer.vtable()))) break;
      if (layer.vtable().absorb(layer.instance->self(), trait) == 0) break;
      layer.absorbed.push_back(&specs[++last]);
      if (trait == NNRUN_TRAIT_AFFINE) affine = last;
    }

    plan_layer(layer, model, host, training);
    if (affine != i) plan_affine(layer, specs[affine], affine, model, host);
    const bool has_learning_weights = !layer.weights.empty() && !layer.frozen;
    layer.runs_backward = training && (layer.input_gradient || has_learning_weights);
    if (layer.runs_backward && layer.vtable().backward == nullptr) {
      throw DiagnosticError(specs[i].where, layer.name + " has no backward pass, so nothing before it can learn; take it out, or run " +
                                                "this net without training (nnrun eval, nnrun predict)");
    }
    learns.push_back(layer.input_gradient || has_learning_weights);
    tensors[last + 1] = layer.output;
    model.layers.push_back(std::move(layer));
    i = last;
  }
  if (training && options.absorb) refuse_unused_choices(model, host.dispatch());
  model.forward_chains = chains_of(model, false);
  model.backward_chains = chains_of(model, true);
  return model;
}

}  // namespace nnrun::core
