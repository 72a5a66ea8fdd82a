// `repeat` and `residual` in model.layers: lists of layers inside the list. All that comes after the config sees one flat list.
#pragma once

#include "config/component_lookup.hpp"
#include "config/diagnostic.hpp"
#include "config/schema.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nnrun::core {

// What plugins bring, and the groups beside it as if they were layers: so they are checked, merged, explained and completed
// alike.
class WithLayerGroups : public ComponentLookup {
 public:
  explicit WithLayerGroups(const ComponentLookup& inner) : inner_(inner) {}

  const nnrun_component* find(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> kinds() const override { return inner_.kinds(); }
  std::vector<std::string> names(std::string_view kind) const override;
  std::vector<std::string> notes(std::string_view kind, std::string_view name) const override { return inner_.notes(kind, name); }
  std::vector<std::string> ambiguous(std::string_view kind, std::string_view name) const override { return inner_.ambiguous(kind, name); }

 private:
  const ComponentLookup& inner_;
};

struct FlatLayers {
  std::vector<ComponentSpec> layers;
  // What each layer takes, the layer before it or the group's input first, then its references. Place 0 is the net's input, place
  // i + 1 the output of layers[i].
  std::vector<std::vector<std::size_t>> inputs;
};

// The layers as if written out. In repetition k of a `repeat`, counted from 1, names get "-k" behind them, and a reference means
// the layer of the same repetition first. A `residual` becomes its layers, those of its shortcut, and one more that adds the two;
// that one has the group's name. Adds to `errors` what is wrong with names and references.
FlatLayers flatten_layers(const std::vector<ComponentSpec>& layers, const ComponentLookup& lookup, std::vector<Diagnostic>& errors);

}  // namespace nnrun::core
