// Components that lack something; which, the build says.
#include <nnrun/nnrun.h>

namespace {
constexpr nnrun_layer_vtable empty_table() {
  nnrun_layer_vtable table{};
  table.size = sizeof table;
  return table;
}
constexpr nnrun_layer_vtable table = empty_table();
void get_default(size_t, nnrun_value* value) { *value = nnrun_value{}; }
void* create(const nnrun_host*, const nnrun_value*, nnrun_error*) { return nullptr; }
void destroy(void*) {}
constexpr nnrun_param param = {sizeof(nnrun_param), NNRUN_INTEGER, "units", TEST_PARAM_DOC, 0, 0, 0, 1, 0, 0, nullptr, nullptr};
constexpr nnrun_component component = {
    sizeof(nnrun_component), 0, "layer", TEST_COMPONENT_NAME, "a test", &param, 1, get_default, create, destroy, &table};
constexpr const nnrun_component* components[] = {&component};
}  // namespace

extern "C" {
__attribute__((visibility("default"))) extern const nnrun_plugin nnrun_plugin_v1;
const nnrun_plugin nnrun_plugin_v1 = {
    sizeof(nnrun_plugin), NNRUN_ABI_MAJOR, NNRUN_ABI_MINOR, 1, "malformed", "1.0.0", "a test", "", components};
}
