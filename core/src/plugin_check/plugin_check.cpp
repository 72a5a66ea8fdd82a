#include "plugin_check/plugin_check.hpp"

#include "plugin_check/plugin_check_parts.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace nnrun::core {

namespace checking {
namespace {

constexpr std::size_t longest_doc = 160;

bool is_snake_case(const std::string& name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::all_of(name.begin(), name.end(), fits);
}

void check_doc(const char* doc, const std::string& of) {
  require(doc != nullptr && *doc != '\0', of + " has no description");
  const std::string text = doc;
  require(text.find('\n') == std::string::npos && text.size() <= longest_doc, of + ": its description is longer than a line");
}

bool in_range(const nnrun_param& param, double value) {
  const bool above = (param.flags & NNRUN_PARAM_MINIMUM_EXCLUDED) != 0 ? value > param.minimum : value >= param.minimum;
  const bool below = (param.flags & NNRUN_PARAM_MAXIMUM_EXCLUDED) != 0 ? value < param.maximum : value <= param.maximum;
  return above && below;
}

void check_default(const nnrun_component& component, std::size_t index, const Registry& registry) {
  const nnrun_param& param = param_at(component, index);
  const nnrun_value value = default_of(component, index);
  const std::string what = std::string("the default of '") + param.name + "'";
  const std::string word = value.string != nullptr ? value.string : "";
  const auto check_number = [&](double number) {
    require(in_range(param, number), what + " is out of its range: " + std::to_string(number));
  };
  const auto check_count = [&] {
    require(value.count >= param.count_min && value.count <= param.count_max, what + " has " + std::to_string(value.count) + " items");
  };
  const auto check_choice = [&] {
    bool found = false;
    for (const char* const* choice = param.choices; choice != nullptr && *choice != nullptr; ++choice) found = found || word == *choice;
    require(found, what + ", '" + word + "', is none of its choices");
  };
  switch (param.type) {
    case NNRUN_INTEGER: check_number(static_cast<double>(value.integer)); break;
    case NNRUN_NUMBER: check_number(value.number); break;
    case NNRUN_INTEGER_LIST:
      if (!word.empty()) {
        check_choice();
        break;
      }
      check_count();
      for (std::size_t i = 0; i < value.count; ++i) check_number(static_cast<double>(value.integers[i]));
      break;
    case NNRUN_NUMBER_LIST:
      check_count();
      for (std::size_t i = 0; i < value.count; ++i) check_number(value.numbers[i]);
      break;
    case NNRUN_CHOICE: check_choice(); break;
    case NNRUN_COMPONENT:
      require(word.empty() || registry.find(param.component_kind, word) != nullptr,
              what + " is '" + word + "', but no " + param.component_kind + " of that name is loaded");
      break;
    default: break;
  }
}

std::string check_schema(const nnrun_component& component, const Registry& registry) {
  require(is_snake_case(component.name), "its name must be like dense or conv2d: a-z, 0-9 and _");
  check_doc(component.doc, "it");
  std::set<std::string> names;
  std::string required;
  for (std::size_t i = 0; i < component.param_count; ++i) {
    const nnrun_param& param = param_at(component, i);
    const std::string what = std::string("parameter '") + param.name + "'";
    require(is_snake_case(param.name), what + ": its name must be like learning_rate: a-z, 0-9 and _");
    require(std::string(param.name) != "name", what + ": in a config `name` is the layer's own name");
    require(names.insert(param.name).second, what + " is there twice");
    check_doc(param.doc, what);
    require(param.type >= NNRUN_BOOLEAN && param.type <= NNRUN_REFERENCE, what + " has the unknown type " + std::to_string(param.type));
    require(param.minimum <= param.maximum && param.count_min <= param.count_max, what + ": its smallest value is above its largest");
    require(param.type != NNRUN_CHOICE || (param.choices != nullptr && param.choices[0] != nullptr), what + " has no choices");
    if (param.type == NNRUN_COMPONENT) {
      require(param.component_kind != nullptr, what + " does not say of which kind it is");
      require(!registry.names(param.component_kind).empty(),
              what + " is of kind '" + param.component_kind + "', of which nothing is loaded");
    }
    if ((param.flags & NNRUN_PARAM_REQUIRED) != 0) {
      required += (required.empty() ? "; required: " : ", ") + std::string(param.name);
    } else {
      check_default(component, i, registry);
    }
  }
  if (component.param_count == 0) return "none";
  return std::to_string(component.param_count) + required;
}

// Makes one with each parameter at each end of its range: an instance, or an error with a message.
std::string check_creation(const ComponentSpec& spec, const Hosts& hosts) {
  const Instance usual(spec, hosts.one());
  int ends = 0;
  for (std::size_t i = 0; i < spec.component->param_count; ++i) {
    const nnrun_param& param = param_at(*spec.component, i);
    if (param.type != NNRUN_INTEGER && param.type != NNRUN_NUMBER) continue;
    for (const double end : {param.minimum, param.maximum}) {
      if (!std::isfinite(end) || is_type_limit(end) || !in_range(param, end)) continue;
      ComponentSpec extreme = spec;
      extreme.values[i].integer = static_cast<std::int64_t>(end);
      extreme.values[i].number = end;
      ++ends;
      try {
        const Instance instance(extreme, hosts.one());
      } catch (const DiagnosticError& e) {
        require(!std::string(e.what()).empty(),
                std::string("fails without a message where '") + param.name + "' is at the end of its range");
      }
    }
  }
  if (ends == 0) return "";
  return "with usual values, and at " + std::to_string(ends) + (ends == 1 ? " end" : " ends") + " of its parameters' ranges";
}

using Checker = void (*)(const ComponentSpec&, const Hosts&, Report&);

Checker checker_of(const std::string& kind) {
  static const std::pair<const char*, Checker> checkers[] = {{"layer", check_layer},         {"loss", check_loss},
                                                             {"optimizer", check_optimizer}, {"schedule", check_schedule},
                                                             {"metric", check_metric},       {"initializer", check_initializer},
                                                             {"transform", check_transform}, {"dataset", check_dataset}};
  for (const auto& [name, checker] : checkers) {
    if (kind == name) return checker;
  }
  return nullptr;
}

}  // namespace
}  // namespace checking

std::vector<CheckResult> check_component(const nnrun_component& component, const Registry& registry, const CheckOptions& options) {
  using namespace checking;
  const std::string kind = component.kind;
  Report report(kind + " " + component.name, options);
  const bool sane = report.check("parameters", [&] { return check_schema(component, registry); });
  if (kind == "kernels") {
    check_kernels(component, registry, report);
    return report.take();
  }
  if (!sane) return report.take();
  std::optional<Hosts> hosts;
  ComponentSpec spec;
  const bool made = report.check("creation", [&] {
    hosts.emplace(registry);
    if (component.create == nullptr) throw NotChecked("it has no instances");
    spec = make_spec(component, registry, options.params);
    return check_creation(spec, *hosts);
  });
  if (!made) return report.take();
  if (const Checker checker = checker_of(kind); checker != nullptr) {
    checker(spec, *hosts, report);
  } else {
    report.check("behaviour", [&]() -> std::string { throw NotChecked("there are no checks for the kind '" + kind + "'"); });
  }
  return report.take();
}

bool passed(const std::vector<CheckResult>& results) {
  return std::none_of(results.begin(), results.end(),
                      [](const CheckResult& result) { return result.outcome == CheckResult::Outcome::failed; });
}

}  // namespace nnrun::core
