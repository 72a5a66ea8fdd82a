#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "config/explain.hpp"
#include "config/json_schema.hpp"
#include "config/schema.hpp"
#include "config/sections.hpp"
#include "config/yaml.hpp"
#include "fake_components.hpp"

#include <nlohmann/json.hpp>

using namespace nnrun::core;
using nnrun::test::FakeLookup;

namespace {

const FakeLookup lookup;

std::optional<ComponentSpec> spec_of(const char* kind, const std::string& text, std::vector<Diagnostic>& errors) {
  const Node root = parse_yaml("x.yaml", "it: " + text + "\n");
  CheckContext context = {lookup, errors};
  return check_component(root.find("it")->value, kind, "it", context);
}

}  // namespace

TEST_CASE("a component's values come in the order of its parameters") {
  std::vector<Diagnostic> errors;
  const auto spec = spec_of("layer", "{conv2d: {padding: same, filters: 3, kernel: 5}}", errors);
  REQUIRE(errors.empty());
  REQUIRE(spec->values.size() == 4);
  CHECK(spec->values[0].integer == 3);
  CHECK(spec->values[1].integers == std::vector<std::int64_t>{5});
  CHECK(spec->values[2].string == "same");
  CHECK(spec->values[2].given);
  CHECK_FALSE(spec->values[3].given);
  CHECK(spec->value("filters")->integer == 3);
  CHECK(spec->value("nothing") == nullptr);
  CHECK(spec->path == "it.conv2d");
}

TEST_CASE("integers or a word") {
  const auto padding_of = [](const std::string& text) {
    std::vector<Diagnostic> errors;
    const auto spec = spec_of("layer", "{conv2d: {filters: 3" + text + "}}", errors);
    REQUIRE(errors.empty());
    const nnrun_value value = make_values(*spec, [](const ComponentSpec&) { return nnrun_component_handle{}; })[2];
    return std::pair(std::string(value.string), std::vector<std::int64_t>(value.integers, value.integers + value.count));
  };
  using Integers = std::vector<std::int64_t>;
  CHECK(padding_of("") == std::pair(std::string("valid"), Integers{}));
  CHECK(padding_of(", padding: same") == std::pair(std::string("same"), Integers{}));
  CHECK(padding_of(", padding: 2") == std::pair(std::string(), Integers{2}));
  CHECK(padding_of(", padding: [1, 0]") == std::pair(std::string(), Integers{1, 0}));
}

TEST_CASE("values for create: nested components are made by the caller") {
  std::vector<Diagnostic> errors;
  const auto spec = spec_of("layer", "{dense: {units: 5, bias: false}}", errors);
  REQUIRE(errors.empty());
  int self = 0;
  std::vector<std::string> made;
  const auto values = make_values(*spec, [&](const ComponentSpec& inner) {
    made.push_back(inner.component->name);
    nnrun_component_handle handle = {};
    handle.name = inner.component->name;
    handle.self = &self;
    return handle;
  });
  REQUIRE(values.size() == 4);
  CHECK(values[0].integer == 5);
  CHECK(values[1].integer == 0);
  CHECK(values[2].component.self == &self);
  CHECK(made == std::vector<std::string>{"he_uniform", "zeros"});

  const auto lists = spec_of("transform", "{normalize: {mean: [1, 2.5], deviation: 3}}", errors);
  const auto list_values = make_values(*lists, [](const ComponentSpec&) { return nnrun_component_handle{}; });
  REQUIRE(list_values[0].count == 2);
  CHECK(list_values[0].numbers[1] == 2.5);
  CHECK(list_values[1].count == 1);
}

TEST_CASE("null stands for the default, no value is an error") {
  std::vector<Diagnostic> errors;
  CHECK(spec_of("layer", "{dropout: {rate: null}}", errors)->value("rate")->number == 0.5);
  CHECK(errors.empty());
  spec_of("layer", "{dropout: {rate: }}", errors);
  CHECK(errors.size() == 1);
}

TEST_CASE("the limit of a C++ type is mentioned only where it is exceeded") {
  std::vector<Diagnostic> errors;
  spec_of("layer", "{conv2d: {filters: 3000000000}}", errors);
  spec_of("layer", "{conv2d: {filters: 0}}", errors);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].message == "conv2d.filters must be at least 1 and at most 2147483647, got 3000000000");
  CHECK(errors[1].message == "conv2d.filters must be at least 1, got 0");
}

TEST_CASE("an error of a plugin finds its parameter") {
  std::vector<Diagnostic> errors;
  const auto spec = spec_of("layer", "{dense: {units: 5}}", errors);
  nnrun_error error = {};
  std::strcpy(error.parameter, "units");
  CHECK(spec->location_of(error).column == spec->location_of("units").column);
  std::strcpy(error.parameter, "");
  CHECK(spec->location_of(error).column == spec->where.column);
}

TEST_CASE("rows of another size are found") {
  // As an older plugin would have them, or a newer one: the size counts, not ours.
  struct Larger {
    nnrun_param param;
    double more;
  };
  Larger rows[2] = {};
  for (Larger& row : rows) row.param.size = sizeof(Larger);
  rows[0].param.name = "first";
  rows[1].param.name = "second";
  nnrun_component component = {};
  component.params = &rows[0].param;
  component.param_count = 2;
  CHECK(std::string(param_at(component, 1).name) == "second");
  CHECK(param_index(component, "second") == 1);
  CHECK(param_index(component, "third") == 2);
}

TEST_CASE("every key of every section has a type, a doc and a default that passes its own check") {
  for (const nnrun_component* section : all_sections()) {
    for (std::size_t i = 0; i < section->param_count; ++i) {
      const nnrun_param& param = param_at(*section, i);
      INFO(section->name << '.' << param.name);
      CHECK(describe_type(param) != "unknown type");
      CHECK(std::strlen(param.doc) > 0);
      if (param.type == type_section || param.type == type_string_or_section) CHECK(find_section(param.component_kind) != nullptr);
    }
  }
}

TEST_CASE("explain shows names, types, defaults and ranges in columns") {
  CHECK(explain("dropout", lookup) ==
        "dropout (layer): zeroes elements while training\n"
        "\n"
        "  rate  number, at least 0 and below 1  default 0.5  share of the elements to zero\n");
  const std::string train = explain("train", lookup);
  CHECK(train.find("epochs") != std::string::npos);
  CHECK(train.find("default 10") != std::string::npos);
  CHECK(train.find("one of last, best") != std::string::npos);
  CHECK(explain("train.batch", lookup).find("at least 1 and at most 65536") != std::string::npos);
  CHECK(explain("layers", lookup).find("  relu       y = max(x, 0)\n") != std::string::npos);
  CHECK(explain("dense.bias", lookup).find("true or false  default true") != std::string::npos);
  CHECK(explain("dense.units", lookup).find("required") != std::string::npos);
  CHECK(explain("", lookup).find("optimizers:\n") != std::string::npos);
  CHECK(explain("metrics", lookup).find("accuracy") != std::string::npos);
  CHECK(explain("metric/accuracy", lookup).find("accuracy (metric)") == 0);
  CHECK_THROWS_WITH(explain("desne", lookup), Catch::Contains("did you mean 'dense'?"));
}

TEST_CASE("the JSON schema names every key, closes every object and knows the ranges") {
  const auto schema = nlohmann::json::parse(json_schema(lookup));
  CHECK(schema["additionalProperties"] == false);
  CHECK(schema["required"] == nlohmann::json::array({"model"}));
  CHECK(schema["properties"]["seed"]["minimum"] == 0);
  const auto& defs = schema["$defs"];
  CHECK(defs["section:train"]["properties"]["batch"]["maximum"] == 65536);
  CHECK(defs["section:train"]["properties"]["batch"]["default"] == 32);
  CHECK(defs["layer:dropout"]["properties"]["rate"]["exclusiveMaximum"] == 1);
  CHECK(defs["layer:dense"]["required"] == nlohmann::json::array({"units"}));
  CHECK(defs["layer:dense"]["additionalProperties"] == false);
  // dense needs a parameter, so its name alone is no layer
  const auto names = defs["layer"]["oneOf"][0]["enum"];
  CHECK(std::find(names.begin(), names.end(), "relu") != names.end());
  CHECK(std::find(names.begin(), names.end(), "dense") == names.end());
  const auto dump = schema.dump();
  for (std::size_t at = dump.find("#/$defs/"); at != std::string::npos; at = dump.find("#/$defs/", at + 1)) {
    const std::string name = dump.substr(at + 8, dump.find('"', at) - at - 8);
    INFO(name);
    CHECK(defs.contains(name));
  }
}
