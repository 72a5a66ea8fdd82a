// What all components of the built-in plugins have in common.
#include <catch2/catch.hpp>

#include "fake_host.hpp"

using fake::Component;

TEST_CASE("every component is documented, and its defaults are within its ranges") {
  for (const char* name :
       {"layers", "losses", "optimizers", "schedules", "initializers", "metrics", "transforms", "datasets", "observers"}) {
    const nnrun_plugin& plugin = fake::library(name);
    CHECK(plugin.abi_major == NNRUN_ABI_MAJOR);
    for (std::uint32_t i = 0; i < plugin.component_count; ++i) {
      const nnrun_component& component = *plugin.components[i];
      INFO(component.name);
      CHECK(std::string(component.doc).size() > 10);
      for (std::size_t p = 0; p < component.param_count; ++p) {
        const nnrun_param& param = component.params[p];
        INFO(param.name);
        CHECK(std::string(param.doc).size() > 5);
        CHECK(((param.type == NNRUN_COMPONENT) == (param.component_kind != nullptr)));
        if ((param.flags & NNRUN_PARAM_REQUIRED) != 0) continue;
        nnrun_value value{};
        component.get_default(p, &value);
        if (param.type == NNRUN_NUMBER) {
          CHECK((param.flags & NNRUN_PARAM_MINIMUM_EXCLUDED ? value.number > param.minimum : value.number >= param.minimum));
          CHECK((param.flags & NNRUN_PARAM_MAXIMUM_EXCLUDED ? value.number < param.maximum : value.number <= param.maximum));
        }
        if (param.type == NNRUN_COMPONENT) CHECK_NOTHROW(Component(param.component_kind, value.string));
      }
    }
  }
}
