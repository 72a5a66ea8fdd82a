#include "plugins/instance.hpp"

namespace nnrun::core {

Instance::Instance(const ComponentSpec& spec, const nnrun_host* host) : spec_(spec) {
  const nnrun_component& component = *spec.component;
  if (component.create == nullptr) {
    throw DiagnosticError(spec.where, std::string(component.kind) + " '" + component.name + "' cannot be used in a config");
  }
  const auto values = make_values(spec, [&](const ComponentSpec& inner) {
    inner_.push_back(std::make_unique<Instance>(inner, host));
    return nnrun_component_handle{inner.component->name, inner.component->vtable, inner_.back()->self()};
  });
  nnrun_error error{};
  self_ = component.create(host, values.data(), &error);
  if (self_ == nullptr) fail_in_config(error);
}

Instance::~Instance() {
  if (self_ != nullptr) spec_.component->destroy(self_);
}

void Instance::fail_in_config(const nnrun_error& error) const {
  throw DiagnosticError(spec_.location_of(error), std::string(spec_.component->name) + ": " + error.message);
}

void Instance::fail_in_run(const char* doing, const nnrun_error& error) const {
  const Diagnostic diagnostic =
      make_error(spec_.location_of(error), std::string(spec_.component->name) + " failed in " + doing + ": " + error.message);
  throw RunError(render(diagnostic));
}

}  // namespace nnrun::core
