// Initializers.
#include "plugin_check/plugin_check_parts.hpp"

namespace nnrun::core::checking {

void check_initializer(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("fill", [&] {
    const Instance instance(spec, hosts.one());
    const auto& table = instance.vtable<nnrun_initializer_vtable>();
    bool random = false;
    for (const Shape& shape : {Shape{1}, Shape{7}, Shape{5, 7}, Shape{4, 3, 3, 2}}) {
      const std::int64_t count = Tensor(make_tensor(NNRUN_F32, shape)).count();
      GuardedMemory memory(static_cast<std::size_t>(count) * sizeof(float));
      const auto fill = [&](std::uint32_t minor) {
        memory.poison();
        nnrun_tensor weight = make_tensor(NNRUN_F32, shape, memory.data());
        const nnrun_random_key key{9, NNRUN_STREAM_WEIGHTS, 0, minor};
        nnrun_error error{};
        if (table.fill(instance.self(), &weight, count / shape.back() + 1, shape.back(), &key, &error) != 0) {
          throw Failure("fill() failed for " + to_string(shape) + ": " + message_of(error, "fill()"));
        }
        memory.verify("the weight " + to_string(shape));
        require_finite(memory.floats(), "the weight " + to_string(shape));
        return std::vector<float>(memory.floats().begin(), memory.floats().end());
      };
      const std::vector<float> first = fill(0);
      require_same_bits(fill(0), first, "filled again with the same key, the weight " + to_string(shape));
      random = random || fill(1) != first;
    }
    return std::string(random ? "the same bits for the same key" : "the same for every key");
  });
}

}  // namespace nnrun::core::checking
