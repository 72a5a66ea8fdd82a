#include "config/merge.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "config/scalar.hpp"
#include "config/schema.hpp"
#include "config/sections.hpp"

namespace nnrun::core {

namespace {

Node map_at(const Location& where) {
  Node node;
  node.kind = Node::Kind::map;
  node.where = where;
  return node;
}

Node scalar_at(const Location& where, std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  node.where = where;
  return node;
}

bool left_out(const Node& node) { return node.is_null() && node.text.empty(); }

// ---- Components as they are written: `adam`, or `{adam: {...}}`, in layers with a `name:` beside it ------------------

const Node::Entry* component_entry(const Node& node, bool labelled) {
  for (const Node::Entry& entry : node.entries) {
    if (!labelled || !is_layer_key(entry.key)) return &entry;
  }
  return nullptr;
}
Node::Entry* component_entry(Node& node, bool labelled) { return const_cast<Node::Entry*>(component_entry(std::as_const(node), labelled)); }

std::string component_name(const Node& node, bool labelled) {
  if (node.is_scalar()) return node.text;
  const Node::Entry* entry = component_entry(node, labelled);
  return entry != nullptr ? entry->key : std::string();
}

std::string label_of(const Node& item) {
  const Node::Entry* entry = item.find(layer_label_key);
  return entry != nullptr && entry->value.is_scalar() ? entry->value.text : std::string();
}

// `relu` becomes `{relu: }`, so that it can have parameters and a name.
void make_component_map(Node& node) {
  if (!node.is_scalar()) return;
  Node map = map_at(node.where);
  Node params;
  params.where = node.where;
  map.entries.push_back({node.text, node.where, std::move(params)});
  node = std::move(map);
}

class Merger {
 public:
  explicit Merger(const ComponentLookup& lookup) : lookup_(lookup) {}

  // "acme/dense" and "dense" may be one.
  bool is_same(std::string_view kind, const std::string& a, const std::string& b) const {
    if (a == b) return true;
    const nnrun_component* component = lookup_.find(kind, a);
    return component != nullptr && component == lookup_.find(kind, b);
  }

  // `component` is NULL where it is not known: then keys are replaced.
  void params(Node& base, const Node& over, const nnrun_component* component) const {
    if (left_out(over)) return;
    if (!base.is_map() || !over.is_map()) {
      base = over;
      return;
    }
    for (const Node::Entry& entry : over.entries) {
      Node::Entry* old = base.find(entry.key);
      if (old == nullptr) {
        base.entries.push_back(entry);
        continue;
      }
      old->key_where = entry.key_where;
      const std::size_t index = component != nullptr ? param_index(*component, entry.key) : 0;
      if (component != nullptr && index < component->param_count) {
        value(old->value, entry.value, param_at(*component, index));
      } else {
        old->value = entry.value;
      }
    }
  }

  void component(Node& base, const Node& over, std::string_view kind, bool labelled) const {
    const std::string name = component_name(over, labelled);
    const bool has_component = over.is_scalar() || over.is_map();
    if (has_component && !name.empty() && is_same(kind, component_name(base, labelled), name)) {
      same_component(base, over, kind, labelled);
      return;
    }
    // A layer's name belongs to its place: others refer to it, whatever stands there.
    const Node::Entry* label = labelled ? base.find(layer_label_key) : nullptr;
    Node result = over;
    if (label != nullptr && has_component && result.find(layer_label_key) == nullptr) {
      make_component_map(result);
      result.entries.push_back(*label);
    }
    base = std::move(result);
  }

  void value(Node& base, const Node& over, const nnrun_param& param) const {
    switch (param.type) {
      case type_section: params(base, over, find_section(param.component_kind)); break;
      case NNRUN_COMPONENT: component(base, over, param.component_kind, false); break;
      case type_string_or_section:
        if (is_same_variant(base, over)) {
          params(base, over, find_section(param.component_kind));
        } else {
          base = over;
        }
        break;
      case type_kernels: params(base, over, nullptr); break;
      default: base = over;
    }
  }

 private:
  void same_component(Node& base, const Node& over, std::string_view kind, bool labelled) const {
    if (over.is_scalar()) return;
    make_component_map(base);
    Node::Entry& old = *component_entry(base, labelled);
    for (const Node::Entry& entry : over.entries) {
      if (labelled && is_layer_key(entry.key)) {
        if (Node::Entry* beside = base.find(entry.key)) {
          *beside = entry;
        } else {
          base.entries.push_back(entry);
          return same_component(base, over, kind, labelled);  // `old` has moved; the key is there now
        }
      } else if (&entry == component_entry(over, labelled)) {
        params(old.value, entry.value, lookup_.find(kind, entry.key));
      } else if (base.find(entry.key) == nullptr) {
        base.entries.push_back(entry);  // one too many: check() says so
        return;
      }
    }
  }

  // {from: train, share: 0.1} and {from: test, range: [...]} are as different as two components.
  static bool is_same_variant(const Node& base, const Node& over) {
    if (!base.is_map() || !over.is_map()) return false;
    const Node::Entry* old = base.find("from");
    const Node::Entry* fresh = over.find("from");
    return fresh == nullptr || (old != nullptr && old->value.text == fresh->value.text);
  }

  const ComponentLookup& lookup_;
};

// ---- Overrides --------------------------------------------------------------------------------------------

class Change {
 public:
  Change(const Override& change, const ComponentLookup& lookup) : change_(change), lookup_(lookup), merger_(lookup) {}

  void apply(Node& root) {
    if (change_.path[0].name == "extends") throw DiagnosticError(change_.path[0].where, "'extends' works in a config file only");
    if (change_.path[0].name == "plugins" && change_.path.size() > 1) {
      throw DiagnosticError(change_.path[1].where, "plugins cannot be changed one by one", "write the whole list: plugins=[a.so, b.so]");
    }
    in_params(root, root_section(), 0);
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string message, std::string suggestion = {}) const {
    throw DiagnosticError(change_.path[at].where, std::move(message), std::move(suggestion));
  }

  bool is_last(std::size_t at) const { return at + 1 == change_.path.size(); }

  // The first `count` segments as written.
  std::string path(std::size_t count) const {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      const PathSegment& segment = change_.path[i];
      if (segment.is_index) {
        text += '[' + std::to_string(segment.index) + ']';
      } else {
        text += (text.empty() ? "" : ".") + segment.name;
      }
    }
    return text;
  }
  std::string rest(std::size_t from) const {
    std::string text;
    for (std::size_t i = from; i < change_.path.size(); ++i) {
      const PathSegment& segment = change_.path[i];
      text += segment.is_index ? '[' + std::to_string(segment.index) + ']' : '.' + segment.name;
    }
    return text;
  }

  // A section or the parameters of a component; path[at] is the key.
  void in_params(Node& node, const nnrun_component& component, std::size_t at) {
    const PathSegment& segment = change_.path[at];
    if (segment.is_index) fail(at, path(at) + " is not a list");
    const std::size_t index = param_index(component, segment.name);
    if (index == component.param_count) {
      std::vector<std::string> names;
      for (std::size_t i = 0; i < component.param_count; ++i) names.emplace_back(param_at(component, i).name);
      const bool is_section = std::string_view(component.kind) == "section";
      const std::string owner = at == 0 ? "a config" : is_section ? path(at) : component.name;
      fail(at, owner + (is_section ? " has no key " : " has no parameter ") + quote(segment.name), did_you_mean(segment.name, names));
    }
    if (node.is_null()) node = map_at(segment.where);
    if (!node.is_map()) fail(at, path(at) + " is " + describe_node(node) + ", not a map: " + quote(segment.name) + " cannot be set in it");
    in_value(entry_at(node, segment), component, index, at);
  }

  static Node& entry_at(Node& map, const PathSegment& segment) {
    Node::Entry* entry = map.find(segment.name);
    if (entry != nullptr) {
      entry->key_where = segment.where;
      return entry->value;
    }
    Node value;
    value.where = segment.where;
    map.entries.push_back({segment.name, segment.where, std::move(value)});
    return map.entries.back().value;
  }

  // `node` is the value of path[at].
  void in_value(Node& node, const nnrun_component& owner, std::size_t index, std::size_t at) {
    const nnrun_param& param = param_at(owner, index);
    if (is_last(at)) {
      if (left_out(change_.value)) {
        node = change_.value;  // check() says that the value is missing
      } else {
        merger_.value(node, change_.value, param);
      }
      return;
    }
    const nnrun_value value = default_of(owner, index);
    const std::string word = value.string != nullptr ? value.string : "";
    switch (param.type) {
      case type_section: in_params(node, *find_section(param.component_kind), at + 1); break;
      case NNRUN_COMPONENT: in_component(node, param.component_kind, false, word, at); break;
      case type_component_list:
      case type_layer_list: in_components(node, param, word, at); break;
      case type_string_or_section:
        if (node.is_scalar()) {
          fail(at + 1, path(at + 1) + " is the path " + quote(node.text) + " here",
               "write " + path(at + 1) + "={from: train, share: 0.1} first");
        }
        in_params(node, *find_section(param.component_kind), at + 1);
        break;
      case type_kernels: in_kernels(node, at); break;
      case NNRUN_INTEGER_LIST:
      case NNRUN_NUMBER_LIST: in_list(node, at); break;
      default: fail(at + 1, path(at + 1) + " is a single value: there is nothing in it");
    }
  }

  // path[at] holds a component of that kind; path[at + 1] is its name.
  void in_component(Node& node, const std::string& kind, bool labelled, const std::string& default_name, std::size_t at) {
    const PathSegment& segment = change_.path[at + 1];
    if (segment.is_index) fail(at + 1, path(at + 1) + " is a component, not a list");
    if (labelled && is_layer_key(segment.name)) {
      make_component_map(node);
      if (!node.is_map() || !is_last(at + 1)) fail(at + 1, path(at + 2) + " cannot be set");
      entry_at(node, segment) = change_.value;
      return;
    }
    std::string current = component_name(node, labelled);
    if (current.empty() && node.is_null()) current = default_name;
    if (current.empty() || !merger_.is_same(kind, current, segment.name)) report_other_component(kind, current, at);
    if (node.is_null()) node = scalar_at(segment.where, current);
    make_component_map(node);
    Node& params = component_entry(node, labelled)->value;
    const nnrun_component* component = lookup_.find(kind, current);
    if (is_last(at + 1)) {
      merger_.params(params, change_.value, component);
    } else if (component != nullptr) {
      in_params(params, *component, at + 2);
    }  // an unknown component is check()'s to report
  }

  [[noreturn]] void report_other_component(const std::string& kind, const std::string& current, std::size_t at) const {
    const std::string& wanted = change_.path[at + 1].name;
    const std::string here = path(at + 1);
    const std::string state = current.empty() ? here + " is not set" : here + " is " + current + " here";
    if (lookup_.find(kind, wanted) != nullptr) {
      fail(at + 1, state + (current.empty() ? "" : ", not " + wanted), "write " + here + '=' + wanted + " first");
    }
    const nnrun_component* component = current.empty() ? nullptr : lookup_.find(kind, current);
    if (component != nullptr && param_index(*component, wanted) < component->param_count) {
      fail(at + 1, state + ": the name of the " + kind + " is missing in the path", "write " + here + '.' + current + rest(at + 1));
    }
    fail(at + 1, state + ", and there is no " + kind + ' ' + quote(wanted), did_you_mean(wanted, lookup_.names(kind)));
  }

  // path[at] holds a list of components; path[at + 1] is an index, or the name of a layer.
  void in_components(Node& node, const nnrun_param& param, const std::string& default_names, std::size_t at) {
    const bool labelled = param.type == type_layer_list;
    if (node.is_null() && !default_names.empty()) {
      node.kind = Node::Kind::sequence;
      std::istringstream names(default_names);
      std::string name;
      while (names >> name) node.items.push_back(scalar_at(change_.path[at].where, name));
    } else if (!labelled && (node.is_scalar() || node.is_map())) {
      Node list;  // a single one stands for a list of one
      list.kind = Node::Kind::sequence;
      list.where = node.where;
      list.items.push_back(std::move(node));
      node = std::move(list);
    }
    if (!node.is_sequence()) fail(at + 1, path(at + 1) + (node.is_null() ? " is not set" : " is not a list"));
    Node& item = find_item(node, labelled, at);
    if (is_last(at + 1)) {
      merger_.component(item, change_.value, param.component_kind, labelled);
    } else {
      in_component(item, param.component_kind, labelled, "", at + 1);
    }
  }

  Node& find_item(Node& list, bool labelled, std::size_t at) const {
    const PathSegment& segment = change_.path[at + 1];
    if (segment.is_index) {
      check_index(list, at);
      return list.items[segment.index];
    }
    std::vector<std::string> labels;
    Node* item = labelled ? find_label(list, segment.name, labels) : nullptr;
    if (item != nullptr) return *item;
    if (!labelled) fail(at + 1, path(at + 1) + " is a list", "write " + path(at + 1) + "[0]" + rest(at + 1));
    fail(at + 1, "no layer has the name " + quote(segment.name), did_you_mean(segment.name, labels));
  }

  // The layer of that name, in groups, too; NULL where there is none, and all names in `labels`.
  Node* find_label(Node& list, const std::string& name, std::vector<std::string>& labels) const {
    for (Node& item : list.items) {
      const std::string label = label_of(item);
      if (label == name && !label.empty()) return &item;
      if (!label.empty()) labels.push_back(label);
      Node::Entry* entry = component_entry(item, true);
      const nnrun_component* group = entry != nullptr ? find_layer_group(entry->key) : nullptr;
      for (std::size_t i = 0; group != nullptr && i < group->param_count; ++i) {
        Node::Entry* inner = param_at(*group, i).type == type_layer_list ? entry->value.find(param_at(*group, i).name) : nullptr;
        if (Node* found = inner != nullptr ? find_label(inner->value, name, labels) : nullptr) return found;
      }
    }
    return nullptr;
  }

  void check_index(const Node& list, std::size_t at) const {
    const std::size_t count = list.items.size();
    if (change_.path[at + 1].index < count) return;
    const std::string here = path(at + 1);
    if (count == 0) fail(at + 1, here + " is empty");
    fail(at + 1, here + " has " + std::to_string(count) + (count == 1 ? " item" : " items"),
         "the last one is " + here + '[' + std::to_string(count - 1) + ']');
  }

  void in_kernels(Node& node, std::size_t at) {
    const PathSegment& segment = change_.path[at + 1];
    if (segment.is_index || !is_last(at + 1)) fail(at + 1, "expected the name of a kernel, as in " + path(at + 1) + ".gemm_f32=scalar");
    if (node.is_scalar()) {
      Node map = map_at(node.where);
      map.entries.push_back({"default", node.where, node});
      node = std::move(map);
    } else if (!node.is_map()) {
      node = map_at(segment.where);
    }
    entry_at(node, segment) = change_.value;
  }

  void in_list(Node& node, std::size_t at) {
    if (!change_.path[at + 1].is_index || !is_last(at + 1))
      fail(at + 1, path(at + 1) + " is a list: write an index, as in " + path(at + 1) + "[0]");
    if (node.is_null()) fail(at + 1, path(at + 1) + " is not set", "write the whole list: " + path(at + 1) + "=[...]");
    if (node.is_scalar()) {
      Node list;
      list.kind = Node::Kind::sequence;
      list.where = node.where;
      list.items.push_back(std::move(node));
      node = std::move(list);
    }
    check_index(node, at);
    node.items[change_.path[at + 1].index] = change_.value;
  }

  const Override& change_;
  const ComponentLookup& lookup_;
  Merger merger_;
};

}  // namespace

Node merge(const Config& config, const ComponentLookup& lookup, std::vector<Diagnostic>& errors) {
  const Merger merger(lookup);
  Node tree = config.files.front();
  for (std::size_t i = 1; i < config.files.size(); ++i) merger.params(tree, config.files[i], &root_section());
  tree.where = config.files.back().where;
  for (const Override& change : config.overrides) {
    Node changed = tree;  // one that fails halfway must leave nothing behind
    try {
      Change(change, lookup).apply(changed);
      tree = std::move(changed);
    } catch (const DiagnosticError& error) {
      errors.insert(errors.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  return tree;
}

}  // namespace nnrun::core
