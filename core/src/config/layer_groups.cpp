#include "config/layer_groups.hpp"

#include "config/sections.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace nnrun::core {

namespace {

constexpr std::size_t most_layers = 10000;
constexpr std::size_t most_repetitions = 16 * most_layers;  // empty ones too: a list whose layers are all wrong has none

class Flattening {
 public:
  Flattening(const ComponentLookup& lookup, std::vector<Diagnostic>& errors) : lookup_(lookup), errors_(errors) {}

  FlatLayers run(const std::vector<ComponentSpec>& layers) {
    collect_names(layers);
    scopes_.emplace_back();
    add_all(layers);
    return std::move(flat_);
  }

 private:
  // What is wrong in a repeat is so in each repetition: it is said once.
  void report(const Location& where, std::string message, std::string suggestion = {}, std::vector<Diagnostic> notes = {}) {
    if (!reported_.insert({where.file.get(), where.line, where.column}).second) return;
    errors_.push_back(make_error(where, std::move(message), std::move(suggestion)));
    errors_.back().notes = std::move(notes);
  }

  void collect_names(const std::vector<ComponentSpec>& layers) {
    for (const ComponentSpec& layer : layers) {
      if (!layer.label.empty()) all_names_.insert(layer.label);
      if (!is_layer_group(*layer.component)) continue;
      for (const ParamValue& value : layer.values) collect_names(value.components);
    }
  }

  bool is_too_long() const { return flat_.layers.size() > most_layers || repetitions_ > most_repetitions; }

  void add_all(const std::vector<ComponentSpec>& layers) {
    for (const ComponentSpec& layer : layers) {
      if (is_too_long()) return;
      if (!is_layer_group(*layer.component)) {
        add_layer(layer);
      } else if (is_repeat(*layer.component)) {
        add_repeat(layer);
      } else {
        add_residual(layer);
      }
    }
  }

  void add_repeat(const ComponentSpec& group) {
    require_no_freeze(group);
    if (!group.label.empty()) {
      report(group.label_where, "a repeat has no name of its own", "name the layers in it");
    }
    const std::int64_t times = group.value("times")->integer;
    const std::size_t suffix = suffix_.size(), text = repetition_.size();
    for (std::int64_t k = 1; k <= times && !is_too_long(); ++k) {
      ++repetitions_;
      const std::string place = std::to_string(k) + " of " + std::to_string(times);
      suffix_ += '-' + std::to_string(k);
      repetition_ += (repetition_.empty() ? "" : ", ") + place;
      notes_.push_back(make_note(group.where, "in repetition " + place));
      scopes_.emplace_back();
      add_all(group.value("layers")->components);
      scopes_.pop_back();
      notes_.pop_back();
      repetition_.resize(text);
      suffix_.resize(suffix);
    }
    if (is_too_long() && scopes_.size() == 1) report(group.where, "this makes more than " + std::to_string(most_layers) + " layers");
  }

  void add_residual(const ComponentSpec& group) {
    require_no_freeze(group);
    const std::size_t input = place_;
    add_all(group.value("layers")->components);
    const std::size_t output = place_;
    place_ = input;
    const std::vector<ComponentSpec>& shortcut = group.value("shortcut")->components;
    add_all(shortcut);
    const std::size_t added = place_;
    place_ = output;
    add_join(group, added, shortcut.empty());
  }

  // The layer that adds what is at `added`: the group's input, or what its shortcut makes of it.
  void add_join(const ComponentSpec& group, std::size_t added, bool is_input) {
    const nnrun_component* component = lookup_.find("layer", residual_join);
    const nnrun_param* reference = component != nullptr ? first_reference(*component) : nullptr;
    if (reference == nullptr) {
      return report(group.where, "residual ends in the layer " + quote(residual_join) + ", which no plugin brings");
    }
    Node value;
    value.kind = Node::Kind::scalar;
    value.text = is_input ? "the group's input" : "its shortcut";  // for its messages
    value.where = group.where;
    Node params;
    params.kind = Node::Kind::map;
    params.where = group.where;
    params.entries.push_back({reference->name, group.where, value});
    CheckContext context = {lookup_, errors_};
    ComponentSpec join = check_params(*component, params, group.where, group.path, context);
    join.label = group.label;
    join.label_where = group.label_where;
    join.notes.push_back(make_note({}, is_input ? "a residual adds its input to its output; where their shapes differ, give it a "
                                                  "'shortcut:' that makes the one as the other, eg: a convolution with a kernel of 1 "
                                                  "and the same filters and stride"
                                                : "give its layers and its shortcut the same filters, and strides that come to the same"));
    add_flat(std::move(join), {place_, added});
  }

  static const nnrun_param* first_reference(const nnrun_component& component) {
    for (std::size_t i = 0; i < component.param_count; ++i) {
      if (param_at(component, i).type == NNRUN_REFERENCE) return &param_at(component, i);
    }
    return nullptr;
  }

  void require_no_freeze(const ComponentSpec& group) {
    if (group.frozen) {
      report(group.where, "'freeze' stands beside single layers, not beside a " + std::string(group.component->name),
             "write it beside the layers in it");
    }
  }

  void add_layer(const ComponentSpec& layer) {
    std::vector<std::size_t> inputs{place_};
    for (std::size_t i = 0; i < layer.values.size(); ++i) {
      const std::string& name = layer.values[i].string;
      if (param_at(*layer.component, i).type != NNRUN_REFERENCE || name.empty()) continue;
      inputs.push_back(resolve(name, layer.param_locations[i]));
    }
    add_flat(layer, std::move(inputs));
  }

  void add_flat(ComponentSpec layer, std::vector<std::size_t> inputs) {
    const std::string written = layer.label;
    if (!written.empty()) layer.label += suffix_;
    layer.repetition = repetition_;
    layer.notes.insert(layer.notes.end(), notes_.rbegin(), notes_.rend());
    flat_.layers.push_back(std::move(layer));
    flat_.inputs.push_back(std::move(inputs));
    place_ = flat_.layers.size();
    if (!written.empty()) add_name(written);
  }

  // Of the last layer.
  void add_name(const std::string& written) {
    const ComponentSpec& layer = flat_.layers.back();
    const auto [first, is_new] = places_.try_emplace(layer.label, place_);
    if (is_new) {
      scopes_.back()[written] = place_;
      last_label_[written] = layer.label;
      return;
    }
    const ComponentSpec& other = flat_.layers[first->second - 1];
    report(layer.label_where, "two layers have the name " + quote(layer.label), "",
           {make_note(other.label_where, other.repetition.empty() ? "the first one" : "the first one, in a repeat")});
  }

  // The place of the layer that is meant.
  std::size_t resolve(const std::string& name, const Location& where) {
    std::vector<std::string> earlier;
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      const auto found = scope->find(name);
      if (found != scope->end()) return found->second;
      for (const auto& [label, place] : *scope) earlier.push_back(label);
    }
    const auto exact = places_.find(name);
    if (exact != places_.end()) return exact->second;
    const auto repeated = last_label_.find(name);
    if (repeated != last_label_.end()) {
      report(where, "the layer " + quote(name) + " is in a repeat, where each has its own name",
             "write '" + repeated->second + "' for the last one");
    } else if (all_names_.contains(name)) {
      report(where, "the layer " + quote(name) + " does not come before this one");
    } else {
      report(where, "no layer has the name " + quote(name), did_you_mean(name, earlier));
    }
    return place_;
  }

  const ComponentLookup& lookup_;
  std::vector<Diagnostic>& errors_;
  FlatLayers flat_;
  std::size_t place_ = 0;  // what the next layer takes
  std::size_t repetitions_ = 0;
  // Of the repetitions that the next layer is in.
  std::string suffix_, repetition_;
  std::vector<Diagnostic> notes_;
  std::vector<std::map<std::string, std::size_t>> scopes_;  // places of the layers so far, by their names as written
  std::map<std::string, std::size_t> places_;               // and by their names with their repetitions'
  std::map<std::string, std::string> last_label_;           // these names of those
  std::set<std::string> all_names_;                         // as written, also of layers to come
  std::set<std::tuple<const Source*, std::uint32_t, std::uint32_t>> reported_;
};

}  // namespace

const nnrun_component* WithLayerGroups::find(std::string_view kind, std::string_view name) const {
  const nnrun_component* group = kind == "layer" ? find_layer_group(name) : nullptr;
  return group != nullptr ? group : inner_.find(kind, name);
}

std::vector<std::string> WithLayerGroups::names(std::string_view kind) const {
  std::vector<std::string> names = inner_.names(kind);
  if (kind != "layer") return names;
  for (const nnrun_component* group : all_layer_groups()) names.emplace_back(group->name);
  std::sort(names.begin(), names.end());
  return names;
}

FlatLayers flatten_layers(const std::vector<ComponentSpec>& layers, const ComponentLookup& lookup, std::vector<Diagnostic>& errors) {
  return Flattening(lookup, errors).run(layers);
}

}  // namespace nnrun::core
