// A plugin by hand, without components: what it says of itself comes from the build.
#include <nnrun/nnrun.h>

#ifndef TEST_FEATURES
#define TEST_FEATURES ""
#endif
#ifndef TEST_MAJOR
#define TEST_MAJOR NNRUN_ABI_MAJOR
#endif
#ifndef TEST_MINOR
#define TEST_MINOR NNRUN_ABI_MINOR
#endif

extern "C" {
__attribute__((visibility("default"))) extern const nnrun_plugin nnrun_plugin_v1;
const nnrun_plugin nnrun_plugin_v1 = {sizeof(nnrun_plugin), TEST_MAJOR, TEST_MINOR, 0, TEST_NAME, "1.0.0", "a test",
                                      TEST_FEATURES,        nullptr};
}
