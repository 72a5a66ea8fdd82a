// Calls what nobody has; linked as a library that allows that.
extern "C" int nnrun_test_defined_nowhere();
extern "C" __attribute__((visibility("default"))) int nnrun_test_call() { return nnrun_test_defined_nowhere(); }
