// A host just large enough to run one component at a time: it opens the built libraries, creates components from their
// defaults and a few settings, runs parallel loops backwards (so that no test passes by the order of ranges), and takes its
// kernels from the scalar library.
#pragma once

#include <dlfcn.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nnrun/plugin.hpp>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace fake {

inline const nnrun_plugin& library(const std::string& name) {
  static std::map<std::string, const nnrun_plugin*> opened;
  const nnrun_plugin*& plugin = opened[name];
  if (plugin == nullptr) {
    std::string path = std::string(NNRUN_PLUGIN_DIR) + "/nnrun_" + name + ".so";
    if (!std::filesystem::exists(path)) path = std::string(NNRUN_PLUGIN_DIR) + "/libnnrun_" + name + ".so";
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(dlerror());
    plugin = static_cast<const nnrun_plugin*>(dlsym(handle, NNRUN_PLUGIN_SYMBOL));
    if (plugin == nullptr) throw std::runtime_error(path + " has no " + NNRUN_PLUGIN_SYMBOL);
  }
  return *plugin;
}

inline std::vector<std::string> logged;

inline const nnrun_host& host() {
  static const nnrun_host instance = [] {
    nnrun_host h{};
    h.size = sizeof h;
    h.threads = 1;
    h.log = [](const nnrun_host*, nnrun_log_level, const char* message) { logged.emplace_back(message); };
    h.parallel = [](const nnrun_host*, std::int64_t ranges, nnrun_range_function body, void* argument, nnrun_error* error) {
      for (std::int64_t range = ranges; range-- > 0;) {
        if (body(argument, range, error) != 0) return 1;
      }
      return 0;
    };
    h.kernel = [](const nnrun_host*, const char* name, const void* arguments, nnrun_error* error) -> const nnrun_kernel* {
      const auto* table = static_cast<const nnrun_kernels_vtable*>(library("kernels_scalar").components[0]->vtable);
      for (std::uint32_t i = 0; i < table->count; ++i) {
        const nnrun_kernel& kernel = table->kernels[i];
        if (std::string(kernel.name) == name && (kernel.supports == nullptr || kernel.supports(arguments) == 1)) return &kernel;
      }
      nnrun::detail::write_error(error, "no such kernel");
      return nullptr;
    };
    h.score = [](const nnrun_host* self, const char* name, const void* arguments) {
      nnrun_error ignored{};
      const nnrun_kernel* kernel = self->kernel(self, name, arguments, &ignored);
      return kernel == nullptr ? -1 : kernel->score;
    };
    return h;
  }();
  return instance;
}

// What a component reported.
struct Failure : std::runtime_error {
  explicit Failure(const nnrun_error& error) : std::runtime_error(error.message), parameter(error.parameter) {}
  std::string parameter;
};

template <class Call>
void must(Call&& call) {
  nnrun_error error{};
  if (call(&error) != 0) throw Failure(error);
}

// The text of the failure that `call` ends with.
template <class Call>
std::string failure_of(Call&& call) {
  try {
    call();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "no failure";
}

class Component;
using Setting = std::variant<double, std::string, std::vector<double>, std::shared_ptr<Component>>;
using Settings = std::map<std::string, Setting>;

inline std::string library_of(const std::string& kind) {
  if (kind == "loss") return "losses";
  return kind + "s";
}

class Component {
 public:
  Component(const std::string& kind, const std::string& name, const Settings& settings = {}) {
    const nnrun_plugin& plugin = library(library_of(kind));
    for (std::uint32_t i = 0; i < plugin.component_count; ++i) {
      if (plugin.components[i]->kind == kind && plugin.components[i]->name == name) component_ = plugin.components[i];
    }
    if (component_ == nullptr) throw std::runtime_error("there is no " + kind + " " + name);
    std::vector<nnrun_value> values(component_->param_count);
    std::size_t used = 0;
    for (std::size_t i = 0; i < component_->param_count; ++i) {
      const nnrun_param& param = component_->params[i];
      nnrun_value& value = values[i];
      component_->get_default(i, &value);
      const auto setting = settings.find(param.name);
      if (setting != settings.end()) {
        ++used;
        set(value, param, setting->second);
      } else if (param.type == NNRUN_COMPONENT) {
        children_.push_back(std::make_shared<Component>(param.component_kind, value.string));
        value.component = children_.back()->handle();
      }
    }
    if (used != settings.size()) throw std::runtime_error(name + " lacks one of the parameters given");
    nnrun_error error{};
    self_ = component_->create(&host(), values.data(), &error);
    if (self_ == nullptr) throw Failure(error);
  }
  ~Component() {
    if (self_ != nullptr) component_->destroy(self_);
  }
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;

  template <class Vtable>
  const Vtable& vtable() const {
    return *static_cast<const Vtable*>(component_->vtable);
  }
  void* self() const { return self_; }
  const nnrun_component& c() const { return *component_; }
  nnrun_component_handle handle() const { return {component_->name, component_->vtable, self_}; }

 private:
  void set(nnrun_value& value, const nnrun_param& param, const Setting& setting) {
    if (const auto* number = std::get_if<double>(&setting)) {
      value.number = *number;
      value.integer = static_cast<std::int64_t>(*number);
    } else if (const auto* string = std::get_if<std::string>(&setting)) {
      value.string = string->c_str();
    } else if (const auto* numbers = std::get_if<std::vector<double>>(&setting)) {
      integers_.emplace_back(numbers->begin(), numbers->end());
      value.integers = integers_.back().data();
      value.numbers = numbers->data();
      value.count = numbers->size();
    } else {
      if (param.type != NNRUN_COMPONENT) throw std::runtime_error(std::string(param.name) + " takes no component");
      children_.push_back(std::get<std::shared_ptr<Component>>(setting));
      value.component = children_.back()->handle();
    }
  }

  const nnrun_component* component_ = nullptr;
  std::vector<std::vector<std::int64_t>> integers_;
  std::vector<std::shared_ptr<Component>> children_;
  void* self_ = nullptr;
};

// Memory for a tensor.
template <class Number = float>
class Buffer {
 public:
  Buffer() = default;
  Buffer(nnrun_dtype dtype, const nnrun::Shape& shape) : dtype_(dtype), shape_(shape) {
    std::int64_t count = 1;
    for (const std::int64_t dim : shape) count *= dim;
    numbers.resize(static_cast<std::size_t>(count));
  }
  nnrun_tensor c() { return nnrun::make_tensor(dtype_, shape_, numbers.data()); }

  std::vector<Number> numbers;

 private:
  nnrun_dtype dtype_ = NNRUN_F32;
  nnrun::Shape shape_;
};

// Some numbers in -1..1 that are the same on every run.
inline void fill(std::vector<float>& numbers, std::uint32_t which) {
  nnrun::Random random({7, 0, 0, which});
  for (float& number : numbers) number = random.next_uniform(-1, 1);
}

// A layer with all the memory that it asked for.
class Layer {
 public:
  std::vector<Buffer<>> weights, d_weights, states;
  Buffer<> x, y, dx, dy;
  std::vector<std::vector<std::int64_t>> ready;  // {weight, begin, end} of each gradient_ready()

  Layer(std::shared_ptr<Component> component, const nnrun::Shape& input, bool training = true, bool input_gradient = true)
      : x(NNRUN_F32, input), dx(NNRUN_F32, input), component_(std::move(component)), input_gradient_(input_gradient) {
    nnrun_tensor input_tensor = x.c();
    input_tensor.data = nullptr;
    nnrun_plan plan{};
    plan.size = sizeof plan;
    plan.input_count = 1;
    plan.inputs = &input_tensor;
    plan.training = training ? 1 : 0;
    plan.input_gradient = input_gradient ? 1 : 0;
    plan.host = &host();
    plan.context = this;
    plan.output = [](void* context, std::uint32_t, std::uint32_t rank, const std::int64_t* dim, nnrun_error*) {
      auto& self = *static_cast<Layer*>(context);
      self.y = Buffer<>(NNRUN_F32, nnrun::Shape(dim, dim + rank));
      self.dy = self.y;
      return 0;
    };
    plan.weight = [](void* context, const char*, std::uint32_t rank, const std::int64_t* dim, std::int64_t fan_in, std::int64_t fan_out,
                     const nnrun_component_handle* initializer, std::uint32_t weight_flags, nnrun_error* error) {
      auto& self = *static_cast<Layer*>(context);
      self.weights.emplace_back(NNRUN_F32, nnrun::Shape(dim, dim + rank));
      self.d_weights.push_back(self.weights.back());
      self.flags.push_back(weight_flags);
      nnrun_tensor weight = self.weights.back().c();
      const nnrun_random_key weight_key{1, NNRUN_STREAM_WEIGHTS, 0, static_cast<std::uint32_t>(self.weights.size() - 1)};
      const auto& table = *static_cast<const nnrun_initializer_vtable*>(initializer->vtable);
      if (table.fill(initializer->self, &weight, fan_in, fan_out, &weight_key, error) != 0) return -1;
      return static_cast<int>(self.weights.size() - 1);
    };
    plan.state = [](void* context, const char*, std::uint32_t rank, const std::int64_t* dim, float value, nnrun_error*) {
      auto& self = *static_cast<Layer*>(context);
      self.states.emplace_back(NNRUN_F32, nnrun::Shape(dim, dim + rank));
      self.states.back().numbers.assign(self.states.back().numbers.size(), value);
      return static_cast<int>(self.states.size() - 1);
    };
    plan.saved = [](void* context, std::size_t bytes, nnrun_error*) { return keep(static_cast<Layer*>(context)->saved_, bytes); };
    plan.scratch = [](void* context, std::size_t bytes, nnrun_error*) { return keep(static_cast<Layer*>(context)->scratch_, bytes); };
    plan.backward_needs = [](void*, std::uint32_t) {};
    plan.in_place = [](void* context) { static_cast<Layer*>(context)->in_place = true; };
    plan.cost = [](void*, double, double) {};
    must([&](nnrun_error* e) { return component_->vtable<nnrun_layer_vtable>().plan(component_->self(), &plan, e); });
  }

  std::vector<std::uint32_t> flags;
  bool in_place = false;
  nnrun_random_key key{3, NNRUN_STREAM_LAYER, 0, 0};

  void forward(bool training = true) {
    run(training,
        [&](const nnrun_run& r, nnrun_error* e) { return component_->vtable<nnrun_layer_vtable>().forward(component_->self(), &r, e); });
  }
  void backward() {
    run(true,
        [&](const nnrun_run& r, nnrun_error* e) { return component_->vtable<nnrun_layer_vtable>().backward(component_->self(), &r, e); });
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };

  static int keep(std::vector<std::vector<Line>>& list, std::size_t bytes) {
    list.emplace_back((bytes + 63) / 64);
    return static_cast<int>(list.size() - 1);
  }

  template <class Call>
  void run(bool training, Call&& call) {
    nnrun_tensor x_tensor = x.c(), y_tensor = y.c(), dx_tensor = dx.c(), dy_tensor = dy.c();
    std::vector<nnrun_tensor> weight_tensors, d_weight_tensors, state_tensors;
    std::vector<void*> saved, scratch;
    for (auto& weight : weights) weight_tensors.push_back(weight.c());
    for (auto& weight : d_weights) d_weight_tensors.push_back(weight.c());
    for (auto& state : states) state_tensors.push_back(state.c());
    for (auto& memory : saved_) saved.push_back(memory.data());
    for (auto& memory : scratch_) scratch.push_back(memory.data());
    nnrun_run r{};
    r.size = sizeof r;
    r.training = training ? 1 : 0;
    r.input_count = 1;
    r.weight_count = static_cast<std::uint32_t>(weights.size());
    r.state_count = static_cast<std::uint32_t>(states.size());
    r.saved_count = static_cast<std::uint32_t>(saved.size());
    r.scratch_count = static_cast<std::uint32_t>(scratch.size());
    r.input_gradient = input_gradient_ ? 1 : 0;
    r.inputs = &x_tensor;
    r.output = &y_tensor;
    r.d_inputs = input_gradient_ ? &dx_tensor : nullptr;
    r.d_output = &dy_tensor;
    r.weights = weight_tensors.data();
    r.d_weights = d_weight_tensors.data();
    r.states = state_tensors.data();
    r.saved = saved.data();
    r.scratch = scratch.data();
    r.host = &host();
    r.key = key;
    r.context = this;
    r.gradient_ready = [](void* context, std::uint32_t weight, std::int64_t begin, std::int64_t end) {
      static_cast<Layer*>(context)->ready.push_back({weight, begin, end});
    };
    must([&](nnrun_error* e) { return call(r, e); });
  }

  std::shared_ptr<Component> component_;
  bool input_gradient_;
  std::vector<std::vector<Line>> saved_, scratch_;
};

// A folder for one test, gone afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nnrun_test_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace fake
