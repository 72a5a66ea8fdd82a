// The C++ face of the plugin border (nnrun.h): write a plain class, name its parameters, export it.
//
//     struct Swish {
//       static constexpr auto name = "swish";
//       static constexpr auto doc = "y = x * sigmoid(beta * x)";
//       float beta = 1.0f;                                    // also the documented default
//       static constexpr auto params() {
//         return nnrun::schema(nnrun::param<&Swish::beta>("beta", "sharpness of the gate").range(0, 10));
//       }
//       void plan(nnrun::Plan& p) { p.output(p.input()); }
//       void forward(const nnrun::Run& r) const { ... }
//       void backward(const nnrun::Run& r) const { ... }
//     };
//     NNRUN_PLUGIN("swish", "1.0.0", Swish)
//
// Which kind a class is follows from its functions: forward() makes a layer, fill() an initializer, and so on (see
// "Kinds" below). Exceptions thrown anywhere reach the user as an error at the component's place in the config.
#pragma once

#include <nnrun/fixed_kernels.h>
#include <nnrun/kernels.h>
#include <nnrun/nnrun.h>
#include <nnrun/random.hpp>

#include <array>
#include <concepts>
#include <cstdio>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace nnrun {

// ---- Errors -------------------------------------------------------------------------------------------

// An error with a message for the user: what, got and expected, what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}

  // Names the parameter at fault; the message then points at its line in the config.
  Error& at(std::string parameter) {
    parameter_ = std::move(parameter);
    return *this;
  }
  const std::string& parameter() const { return parameter_; }

 private:
  std::string parameter_;
};

namespace detail {

inline void write_text(char* to, std::size_t capacity, const char* from) { std::snprintf(to, capacity, "%s", from); }

inline void write_error(nnrun_error* error, const char* message, const char* parameter = "") {
  if (error == nullptr) return;
  write_text(error->message, sizeof error->message, message);
  write_text(error->parameter, sizeof error->parameter, parameter);
}

// Runs body; what it throws becomes *error. Nothing may pass the border.
template <class Body>
int guard(nnrun_error* error, Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const Error& e) {
    write_error(error, e.what(), e.parameter().c_str());
  } catch (const std::exception& e) {
    write_error(error, e.what());
  } catch (...) {
    write_error(error, "an exception that is not a std::exception");
  }
  return 1;
}

inline void check(int status, const nnrun_error& error) {
  if (status == 0) return;
  Error e(error.message);
  e.at(error.parameter);
  throw e;
}

}  // namespace detail

// ---- Tensors ------------------------------------------------------------------------------------------

using Shape = std::vector<std::int64_t>;

// A view. dim(0) is the batch for what flows between layers.
class Tensor {
 public:
  Tensor() : c_{} {}
  explicit Tensor(const nnrun_tensor& c) : c_(c) {}

  std::int64_t dim(std::size_t index) const { return c_.dim[index]; }
  std::size_t rank() const { return c_.rank; }
  nnrun_dtype dtype() const { return static_cast<nnrun_dtype>(c_.dtype); }
  Shape shape() const { return Shape(c_.dim, c_.dim + c_.rank); }
  // All elements; for a (N, ...) tensor rows() is N and columns() the rest.
  std::int64_t count() const {
    std::int64_t product = 1;
    for (std::uint32_t i = 0; i < c_.rank; ++i) product *= c_.dim[i];
    return product;
  }
  std::int64_t rows() const { return c_.dim[0]; }
  std::int64_t columns() const { return c_.dim[0] == 0 ? 0 : count() / c_.dim[0]; }

  template <class T = float>
  T* data() const {
    return static_cast<T*>(c_.data);
  }
  template <class T = float>
  std::span<T> span() const {
    return {data<T>(), static_cast<std::size_t>(count())};
  }
  float& operator[](std::int64_t index) const { return data<float>()[index]; }
  explicit operator bool() const { return c_.data != nullptr; }
  const nnrun_tensor& c() const { return c_; }

 private:
  nnrun_tensor c_;
};

inline nnrun_tensor make_tensor(nnrun_dtype dtype, std::span<const std::int64_t> shape, void* data = nullptr) {
  nnrun_tensor tensor{};
  tensor.data = data;
  tensor.dtype = dtype;
  tensor.rank = static_cast<std::uint32_t>(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    tensor.dim[i] = shape[i];
    tensor.stride[i] = stride;
    stride *= shape[i];
  }
  return tensor;
}

inline std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

// ---- The host -----------------------------------------------------------------------------------------

class Host {
 public:
  Host() = default;
  explicit Host(const nnrun_host* c) : c_(c) {}

  void log(nnrun_log_level level, const std::string& message) const { c_->log(c_, level, message.c_str()); }

  // fn(0) .. fn(ranges - 1), on several threads, in any order. Cut the ranges by the shape of the problem alone: then the result
  // has the same bits for any number of threads.
  template <class Function>
  void parallel(std::int64_t ranges, Function&& fn) const {
    nnrun_error error{};
    using Body = std::remove_reference_t<Function>;
    const auto body = [](void* argument, std::int64_t range, nnrun_error* e) {
      return detail::guard(e, [&] { (*static_cast<Body*>(argument))(range); });
    };
    // The host only passes the pointer back; a const callable stays const in Body.
    detail::check(c_->parallel(c_, ranges, body, const_cast<void*>(static_cast<const void*>(&fn)), &error), error);
  }

  // fn(begin, end) over [0, count) in blocks of elements.
  template <class Function>
  void parallel_elements(std::int64_t count, Function&& fn, std::int64_t block = 16384) const {
    parallel((count + block - 1) / block, [&](std::int64_t range) {
      const std::int64_t begin = range * block;
      fn(begin, begin + block < count ? begin + block : count);
    });
  }

  const nnrun_host* c() const { return c_; }

 private:
  const nnrun_host* c_ = nullptr;
};

// ---- Kernels ------------------------------------------------------------------------------------------

// The kernel that takes `Arguments`. For kernels of your own, specialise it beside their arguments' struct.
template <class Arguments>
struct KernelTraits;

#define NNRUN_KERNEL_TRAITS(kernel_name, bound, doc)         \
  template <>                                                \
  struct KernelTraits<nnrun_##kernel_name> {                 \
    static constexpr auto name = #kernel_name;               \
    static constexpr auto signature = "nnrun_" #kernel_name; \
  };
NNRUN_KERNEL_ROWS(NNRUN_KERNEL_TRAITS)
NNRUN_FIXED_KERNEL_ROWS(NNRUN_KERNEL_TRAITS)
NNRUN_MEASURING_KERNEL_ROWS(NNRUN_KERNEL_TRAITS)
#undef NNRUN_KERNEL_TRAITS

// A kernel that the host has chosen for a shape.
template <class Arguments>
class Kernel {
 public:
  Kernel() = default;

  // `shape`: arguments with NULL pointers.
  Kernel(const Host& host, const Arguments& shape) : host_(host) {
    nnrun_error error{};
    kernel_ = host.c()->kernel(host.c(), KernelTraits<Arguments>::name, &shape, &error);
    if (kernel_ == nullptr) throw Error(error.message);
    if (std::strcmp(kernel_->signature, KernelTraits<Arguments>::signature) != 0) {
      throw Error(std::string("kernel ") + kernel_->name + " takes " + kernel_->signature + ", expected " +
                  KernelTraits<Arguments>::signature);
    }
  }

  std::size_t workspace(const Arguments& shape) const {
    nnrun_work work{};
    kernel_->work(&shape, &work);
    return work.workspace;
  }

  // All of it, in parallel.
  void operator()(const Arguments& arguments, void* workspace = nullptr) const {
    nnrun_work work{};
    kernel_->work(&arguments, &work);
    for (std::uint32_t phase = 0; phase < work.phases; ++phase) {
      if (work.ranges[phase] == 1) {
        run(arguments, workspace, phase, 0);
      } else {
        host_.parallel(work.ranges[phase], [&](std::int64_t range) { run(arguments, workspace, phase, range); });
      }
    }
  }

  // Into how many slices of the batch this can be cut: any common divisor of the batch and the result will do. 0: not at all.
  std::int64_t slices(const Arguments& shape) const {
    nnrun_work work{};
    kernel_->work(&shape, &work);
    return work.batch_phase == 0 ? 0 : work.ranges[work.batch_phase - 1];
  }

  // Into how many slices of the batch the first phase can be cut, to run ahead of the others. 0: not at all.
  std::int64_t slices_ahead(const Arguments& shape) const {
    nnrun_work work{};
    kernel_->work(&shape, &work);
    return work.ahead == 0 ? 0 : work.ranges[0];
  }

  // What belongs to a stage of the slices; `arguments` are those of the whole batch.
  void slice(const Arguments& arguments, const nnrun_slice& slice, void* workspace) const {
    nnrun_work work{};
    kernel_->work(&arguments, &work);
    const std::uint32_t batch_phase = work.batch_phase - 1;
    if (slice.stage == NNRUN_SLICES_EACH || slice.stage == NNRUN_SLICES_AHEAD) {
      const std::uint32_t phase = slice.stage == NNRUN_SLICES_EACH ? batch_phase : 0;
      const std::int64_t ranges = work.ranges[phase] / slice.count;
      for (std::int64_t range = ranges * slice.index; range < ranges * (slice.index + 1); ++range) run(arguments, workspace, phase, range);
      return;
    }
    const bool before = slice.stage == NNRUN_SLICES_BEFORE;
    const std::uint32_t first = !before ? batch_phase + 1 : slice.ahead != 0 ? 1 : 0;
    for (std::uint32_t phase = first; phase < (before ? batch_phase : work.phases); ++phase) {
      host_.parallel(work.ranges[phase], [&](std::int64_t range) { run(arguments, workspace, phase, range); });
    }
  }

  // All of it, on this thread: for callers that are one range of a parallel loop themselves.
  void serial(const Arguments& arguments, void* workspace = nullptr) const {
    nnrun_work work{};
    kernel_->work(&arguments, &work);
    for (std::uint32_t phase = 0; phase < work.phases; ++phase) {
      for (std::int64_t range = 0; range < work.ranges[phase]; ++range) run(arguments, workspace, phase, range);
    }
  }

 private:
  void run(const Arguments& arguments, void* workspace, std::uint32_t phase, std::int64_t range) const {
    if (kernel_->run_or_fail == nullptr) {
      kernel_->run(&arguments, workspace, phase, range);
    } else {
      nnrun_error error{};
      detail::check(kernel_->run_or_fail(&arguments, workspace, phase, range, &error), error);
    }
  }

  const nnrun_kernel* kernel_ = nullptr;
  Host host_;
};

// ---- Components inside components ---------------------------------------------------------------------

// Members of these types are parameters whose value is another component: nnrun::Initializer weights{"he_uniform"};
template <class Vtable>
class Component {
 public:
  Component() : handle_{} {}
  explicit constexpr Component(const char* default_name) : handle_{default_name, nullptr, nullptr} {}

  const char* name() const { return handle_.name; }
  const nnrun_component_handle& handle() const { return handle_; }
  void set(const nnrun_component_handle& handle) { handle_ = handle; }
  const Vtable& vtable() const { return *static_cast<const Vtable*>(handle_.vtable); }
  void* self() const { return handle_.self; }
  explicit operator bool() const { return handle_.vtable != nullptr; }

 private:
  nnrun_component_handle handle_;
};

using Initializer = Component<nnrun_initializer_vtable>;

class Schedule : public Component<nnrun_schedule_vtable> {
 public:
  using Component::Component;
  double factor(const nnrun_progress& progress) const { return *this ? vtable().factor(self(), &progress) : 1.0; }
};

// The name of an earlier layer, whose output is this layer's next input.
struct Reference {
  std::string layer;
};

// One or several integers, or a word: param<&Conv2d::padding>("padding", "...").choices(words)
struct IntegersOrWord {
  std::vector<std::int64_t> integers;
  std::string word;  // empty where there are integers
};

// ---- Parameters ---------------------------------------------------------------------------------------

namespace detail {

template <class T>
struct ParamTraits;

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <std::integral T>
struct ParamTraits<T> {
  static constexpr bool boolean = std::same_as<T, bool>;
  static constexpr nnrun_param_type type = boolean ? NNRUN_BOOLEAN : NNRUN_INTEGER;
  static constexpr double minimum = boolean ? -kInfinity : static_cast<double>(std::numeric_limits<T>::min());
  static constexpr double maximum = boolean ? kInfinity : static_cast<double>(std::numeric_limits<T>::max());
  static void set(T& member, const nnrun_value& value) { member = static_cast<T>(value.integer); }
  static void get(const T& member, nnrun_value& value) { value.integer = static_cast<std::int64_t>(member); }
};

template <std::floating_point T>
struct ParamTraits<T> {
  static constexpr nnrun_param_type type = NNRUN_NUMBER;
  static constexpr double minimum = -kInfinity, maximum = kInfinity;
  static void set(T& member, const nnrun_value& value) { member = static_cast<T>(value.number); }
  static void get(const T& member, nnrun_value& value) {
    // 0.9f shall be documented as 0.9, not as 0.89999998: through the shortest text that reads back as the same float.
    char text[32];
    std::snprintf(text, sizeof text, "%.*g", std::numeric_limits<T>::digits10, static_cast<double>(member));
    double shortest = 0;
    std::sscanf(text, "%lf", &shortest);
    value.number = static_cast<T>(shortest) == member ? shortest : static_cast<double>(member);
  }
};

template <>
struct ParamTraits<std::string> {
  static constexpr nnrun_param_type type = NNRUN_STRING;
  static constexpr double minimum = -kInfinity, maximum = kInfinity;
  static void set(std::string& member, const nnrun_value& value) { member = value.string == nullptr ? "" : value.string; }
  static void get(const std::string& member, nnrun_value& value) { value.string = member.c_str(); }
};

template <>
struct ParamTraits<std::vector<std::int64_t>> {
  static constexpr nnrun_param_type type = NNRUN_INTEGER_LIST;
  static constexpr double minimum = -kInfinity, maximum = kInfinity;
  static void set(std::vector<std::int64_t>& member, const nnrun_value& value) {
    member.assign(value.integers, value.integers + value.count);
  }
  static void get(const std::vector<std::int64_t>& member, nnrun_value& value) {
    value.integers = member.data();
    value.count = member.size();
  }
};

template <>
struct ParamTraits<IntegersOrWord> {
  static constexpr nnrun_param_type type = NNRUN_INTEGER_LIST;
  static constexpr double minimum = -kInfinity, maximum = kInfinity;
  static void set(IntegersOrWord& member, const nnrun_value& value) {
    member.word = value.string == nullptr ? "" : value.string;
    member.integers.assign(value.integers, value.integers + value.count);
  }
  static void get(const IntegersOrWord& member, nnrun_value& value) {
    value.string = member.word.c_str();
    value.integers = member.integers.data();
    value.count = member.integers.size();
  }
};

template <>
struct ParamTraits<std::vector<double>> {
  static constexpr nnrun_param_type type = NNRUN_NUMBER_LIST;
  static constexpr double minimum = -kInfinity, maximum = kInfinity;
  static void set(std::vector<double>& member, const nnrun_value& value) { member.assign(value.numbers, value.numbers + value.count); }
  static void get(const std::vector<double>& member, nnrun_value& value) {
    value.numbers = member.data();
    value.count = member.size();
  }
};

template <>
struct ParamTraits<Reference> {
  static constexpr nnrun_param_type type = NNRUN_REFERENCE;
  static constexpr double minimum = -kInfinity, maximum = kInfinity;
  static void set(Reference& member, const nnrun_value& value) { member.layer = value.string; }
  static void get(const Reference& member, nnrun_value& value) { value.string = member.layer.c_str(); }
};

template <class T>
concept ComponentMember = requires(T t) {
  { t.handle() } -> std::same_as<const nnrun_component_handle&>;
};

template <ComponentMember T>
struct ParamTraits<T> {
  static constexpr nnrun_param_type type = NNRUN_COMPONENT;
  static constexpr double minimum = -kInfinity, maximum = kInfinity;
  static void set(T& member, const nnrun_value& value) { member.set(value.component); }
  static void get(const T& member, nnrun_value& value) { value.string = member.name(); }
};

template <auto Member>
struct MemberTraits;
template <class Owner_, class Value_, Value_ Owner_::*Member>
struct MemberTraits<Member> {
  using Owner = Owner_;
  using Value = Value_;
};

}  // namespace detail

// One parameter; see param().
struct Param {
  nnrun_param c;
  void (*set)(void* object, const nnrun_value& value);
  void (*get)(const void* object, nnrun_value& value);

  constexpr Param required() const { return with_flags(NNRUN_PARAM_REQUIRED); }
  // Both ends allowed.
  constexpr Param range(double minimum, double maximum) const {
    Param p = *this;
    p.c.minimum = minimum;
    p.c.maximum = maximum;
    return p;
  }
  constexpr Param at_least(double minimum) const { return range(minimum, c.maximum); }
  // value > minimum
  constexpr Param above(double minimum) const { return range(minimum, c.maximum).with_flags(NNRUN_PARAM_MINIMUM_EXCLUDED); }
  // value < maximum
  constexpr Param below(double maximum) const { return range(c.minimum, maximum).with_flags(NNRUN_PARAM_MAXIMUM_EXCLUDED); }
  // For strings and IntegersOrWord: `list` is a NULL-terminated array that lives as long as the plugin.
  constexpr Param choices(const char* const* list) const {
    Param p = *this;
    if (p.c.type == NNRUN_STRING) p.c.type = NNRUN_CHOICE;
    p.c.choices = list;
    return p;
  }
  // For lists: how many items.
  constexpr Param items(std::size_t minimum, std::size_t maximum) const {
    Param p = *this;
    p.c.count_min = minimum;
    p.c.count_max = maximum;
    return p;
  }

 private:
  constexpr Param with_flags(std::uint32_t flags) const {
    Param p = *this;
    p.c.flags |= flags;
    return p;
  }
};

namespace detail {
template <class T>
constexpr const char* component_kind() {
  if constexpr (std::derived_from<T, Component<nnrun_initializer_vtable>>) {
    return "initializer";
  } else if constexpr (std::derived_from<T, Component<nnrun_schedule_vtable>>) {
    return "schedule";
  } else {
    return nullptr;
  }
}
}  // namespace detail

// A parameter held in the member; its default is the member's initialiser.
template <auto Member>
constexpr Param param(const char* name, const char* doc) {
  using Owner = typename detail::MemberTraits<Member>::Owner;
  using Value = typename detail::MemberTraits<Member>::Value;
  using Traits = detail::ParamTraits<Value>;
  Param p{};
  p.c.size = sizeof(nnrun_param);
  p.c.type = Traits::type;
  p.c.name = name;
  p.c.doc = doc;
  p.c.minimum = Traits::minimum;
  p.c.maximum = Traits::maximum;
  p.c.count_max = std::numeric_limits<std::size_t>::max();
  p.c.component_kind = detail::component_kind<Value>();
  p.set = [](void* object, const nnrun_value& value) { Traits::set(static_cast<Owner*>(object)->*Member, value); };
  p.get = [](const void* object, nnrun_value& value) { Traits::get(static_cast<const Owner*>(object)->*Member, value); };
  return p;
}

template <class... Params>
constexpr std::array<Param, sizeof...(Params)> schema(const Params&... params) {
  return {params...};
}

// ---- Layers -------------------------------------------------------------------------------------------

class Plan {
 public:
  Plan(nnrun_plan* c) : c_(c) {}

  Tensor input(std::size_t index = 0) const {
    if (index >= c_->input_count) throw Error("needs " + std::to_string(index + 1) + " inputs, got " + std::to_string(c_->input_count));
    return Tensor(c_->inputs[index]);
  }
  std::size_t input_count() const { return c_->input_count; }
  std::int64_t batch() const { return c_->inputs[0].dim[0]; }
  bool training() const { return c_->training != 0; }
  bool input_gradient() const { return c_->input_gradient != 0; }
  bool frozen() const { return c_->frozen != 0; }
  Host host() const { return Host(c_->host); }

  void output(const Tensor& like) { output(like.shape(), like.dtype()); }
  void output(const Shape& shape, nnrun_dtype dtype = NNRUN_F32) {
    nnrun_error error{};
    detail::check(c_->output(c_->context, dtype, static_cast<std::uint32_t>(shape.size()), shape.data(), &error), error);
  }

  // A trained tensor; its index for Run::weight().
  int weight(const char* name, const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, const Initializer& initializer,
             bool decays = true) {
    nnrun_error error{};
    const int index = c_->weight(c_->context, name, static_cast<std::uint32_t>(shape.size()), shape.data(), fan_in, fan_out,
                                 &initializer.handle(), decays ? static_cast<std::uint32_t>(NNRUN_WEIGHT_DECAY) : 0u, &error);
    detail::check(index < 0, error);
    return index;
  }
  // A tensor saved with the weights, not trained; its index for Run::state().
  int state(const char* name, const Shape& shape, float value) {
    nnrun_error error{};
    const int index = c_->state(c_->context, name, static_cast<std::uint32_t>(shape.size()), shape.data(), value, &error);
    detail::check(index < 0, error);
    return index;
  }
  // A tensor of u8, s8 or s32, which a quantizer makes; the index for Run::state().
  int integers(const char* name, nnrun_dtype dtype, const Shape& shape) {
    nnrun_error error{};
    const int index = c_->integers(c_->context, name, dtype, static_cast<std::uint32_t>(shape.size()), shape.data(), &error);
    detail::check(index < 0, error);
    return index;
  }
  // Bytes kept from forward to backward; the index for Run::saved().
  int saved(std::size_t bytes) {
    nnrun_error error{};
    const int index = c_->saved(c_->context, bytes, &error);
    detail::check(index < 0, error);
    return index;
  }
  // Bytes for the time of one call; the index for Run::scratch().
  int scratch(std::size_t bytes) {
    nnrun_error error{};
    const int index = c_->scratch(c_->context, bytes, &error);
    detail::check(index < 0, error);
    return index;
  }
  // Bytes that fold() writes and forward() reads; the index for Run::folded().
  int folded(std::size_t bytes) {
    nnrun_error error{};
    const int index = c_->folded(c_->context, bytes, &error);
    detail::check(index < 0, error);
    return index;
  }
  void backward_needs_input() { c_->backward_needs(c_->context, NNRUN_BACKWARD_NEEDS_INPUT); }
  // Backward has read each number of x for the last time before it writes dx there: dx may be x's memory.
  void backward_overwrites_input() { c_->backward_needs(c_->context, NNRUN_BACKWARD_OVERWRITES_INPUT); }
  void backward_needs_output() { c_->backward_needs(c_->context, NNRUN_BACKWARD_NEEDS_OUTPUT); }
  void in_place() { c_->in_place(c_->context); }
  // Floating-point operations for the whole batch.
  void cost(double forward_flops, double backward_flops) { c_->cost(c_->context, forward_flops, backward_flops); }

  template <class Arguments>
  Kernel<Arguments> kernel(const Arguments& shape) const {
    return Kernel<Arguments>(host(), shape);
  }
  // Of the kernel that kernel() would give: 0 is scalar's, -1: there is none.
  template <class Arguments>
  int score(const Arguments& shape) const {
    return c_->host->score(c_->host, KernelTraits<Arguments>::name, &shape);
  }

 private:
  nnrun_plan* c_;
};

class Run {
 public:
  Run(const nnrun_run* c) : c_(c) {}

  Tensor x(std::size_t index = 0) const { return Tensor(c_->inputs[index]); }
  Tensor y() const { return Tensor(*c_->output); }
  Tensor dy() const { return Tensor(*c_->d_output); }
  Tensor dx(std::size_t index = 0) const { return c_->input_gradient ? Tensor(c_->d_inputs[index]) : Tensor(); }
  Tensor weight(int index) const { return Tensor(c_->weights[index]); }
  Tensor d_weight(int index) const { return Tensor(c_->d_weights[index]); }
  Tensor state(int index) const { return Tensor(c_->states[index]); }
  template <class T = float>
  T* saved(int index) const {
    return static_cast<T*>(c_->saved[index]);
  }
  template <class T = float>
  T* scratch(int index) const {
    return static_cast<T*>(c_->scratch[index]);
  }
  float* folded(int index) const { return static_cast<float*>(c_->folded[index]); }
  bool training() const { return c_->training != 0; }
  bool input_gradient() const { return c_->input_gradient != 0; }
  std::int64_t batch() const { return c_->inputs[0].dim[0]; }
  const nnrun_random_key& key() const { return c_->key; }
  Host host() const { return Host(c_->host); }

  template <class Function>
  void parallel(std::int64_t ranges, Function&& fn) const {
    host().parallel(ranges, std::forward<Function>(fn));
  }
  template <class Function>
  void parallel_elements(std::int64_t count, Function&& fn) const {
    host().parallel_elements(count, std::forward<Function>(fn));
  }
  // d_weight(index)[begin, end) is final, and that part of the weight is not read any more; see nnrun_run.
  void gradient_ready(int index, std::int64_t begin, std::int64_t end) const {
    if (c_->gradient_ready != nullptr) c_->gradient_ready(c_->context, static_cast<std::uint32_t>(index), begin, end);
  }
  // The same, but the slice is at `values`, and d_weight(index) was not written.
  void give_gradient(int index, std::int64_t begin, std::int64_t end, const float* values) const {
    if (c_->gradient_given != nullptr) {
      c_->gradient_given(c_->context, static_cast<std::uint32_t>(index), begin, end, values);
      return;
    }
    std::memcpy(d_weight(index).data() + begin, values, static_cast<std::size_t>(end - begin) * sizeof(float));
    gradient_ready(index, begin, end);
  }
  // Whether the layer is to take the optimizer's step over this weight with its gradient, and which; then updated(). See nnrun_run.
  bool update_of(int index, nnrun_update& update) const {
    return c_->update_of != nullptr && c_->update_of(c_->context, static_cast<std::uint32_t>(index), &update) != 0;
  }
  void updated(int index, bool finite) const { c_->updated(c_->context, static_cast<std::uint32_t>(index), finite ? 1 : 0); }

 private:
  const nnrun_run* c_;
};

// ---- Kinds --------------------------------------------------------------------------------------------
// Each is what a class must offer, and the table made from it.

namespace detail {

template <class T>
T& as(void* self) {
  return *static_cast<T*>(self);
}

// layer: void plan(Plan&); void forward(const Run&) const; optionally backward, `static constexpr std::uint32_t trait`,
// or std::uint32_t trait_of() const where it depends on the parameters, and bool absorb(std::uint32_t trait). With NNRUN_TRAIT_AFFINE:
// void affine(const Run&, float* scale, float* offset) const. Who absorbs that: void fold(const Run&, const float* scale,
// const float* offset) const. To go through the batch in slices: std::int64_t slices(std::int64_t batch, bool backward) const and
// void run_slice(const Run&, const nnrun_slice&) const, and std::int64_t slices_ahead(std::int64_t batch, bool backward) const; see
// nnrun_layer_vtable.
template <class T>
concept Layer = requires(T t, Plan& plan, const Run& run) {
  t.plan(plan);
  t.forward(run);
};

template <class T>
constexpr nnrun_layer_vtable layer_vtable() {
  nnrun_layer_vtable table{};
  table.size = sizeof table;
  if constexpr (requires { T::trait; }) table.trait = T::trait;
  table.plan = [](void* self, nnrun_plan* plan, nnrun_error* error) {
    return guard(error, [&] {
      Plan p(plan);
      as<T>(self).plan(p);
    });
  };
  table.forward = [](void* self, const nnrun_run* run, nnrun_error* error) { return guard(error, [&] { as<T>(self).forward(Run(run)); }); };
  if constexpr (requires(T t, const Run& run) { t.backward(run); }) {
    table.backward = [](void* self, const nnrun_run* run, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).backward(Run(run)); });
    };
  }
  if constexpr (requires(T t) { t.absorb(std::uint32_t{}); }) {
    table.absorb = [](void* self, std::uint32_t trait) { return as<T>(self).absorb(trait) ? 1 : 0; };
  }
  if constexpr (requires(const T t) { t.trait_of(); }) {
    table.trait_of = [](void* self) -> std::uint32_t { return as<T>(self).trait_of(); };
  }
  if constexpr (requires(const T t, const Run& run, float* numbers) { t.affine(run, numbers, numbers); }) {
    table.affine = [](void* self, const nnrun_run* run, float* scale, float* offset, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).affine(Run(run), scale, offset); });
    };
  }
  if constexpr (requires(const T t, const Run& run, const float* numbers) { t.fold(run, numbers, numbers); }) {
    table.fold = [](void* self, const nnrun_run* run, const float* scale, const float* offset, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).fold(Run(run), scale, offset); });
    };
  }
  if constexpr (requires(const T t, const Run& run, const nnrun_slice& slice) { t.run_slice(run, slice); }) {
    table.slices = [](void* self, std::int64_t batch, std::uint32_t backward) -> std::int64_t {
      return as<T>(self).slices(batch, backward != 0);
    };
    table.run_slice = [](void* self, const nnrun_run* run, const nnrun_slice* slice, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).run_slice(Run(run), *slice); });
    };
  }
  if constexpr (requires(const T t) { t.slices_ahead(std::int64_t{}, true); }) {
    table.slices_ahead = [](void* self, std::int64_t batch, std::uint32_t backward) -> std::int64_t {
      return as<T>(self).slices_ahead(batch, backward != 0);
    };
  }
  return table;
}

// initializer: void fill(Tensor weight, int64 fan_in, int64 fan_out, const nnrun_random_key&) const
template <class T>
concept InitializerKind = requires(T t, Tensor w, const nnrun_random_key& key) {
  t.fill(w, std::int64_t{}, std::int64_t{}, key);
};

template <class T>
constexpr nnrun_initializer_vtable initializer_vtable() {
  nnrun_initializer_vtable table{};
  table.size = sizeof table;
  table.fill = [](void* self, nnrun_tensor* weight, std::int64_t fan_in, std::int64_t fan_out, const nnrun_random_key* key,
                  nnrun_error* error) { return guard(error, [&] { as<T>(self).fill(Tensor(*weight), fan_in, fan_out, *key); }); };
  return table;
}

// schedule: double factor(const nnrun_progress&) const noexcept
template <class T>
concept ScheduleKind = requires(T t, const nnrun_progress& progress) {
  { t.factor(progress) } -> std::convertible_to<double>;
};

template <class T>
constexpr nnrun_schedule_vtable schedule_vtable() {
  nnrun_schedule_vtable table{};
  table.size = sizeof table;
  table.factor = [](void* self, const nnrun_progress* progress) { return static_cast<double>(as<T>(self).factor(*progress)); };
  return table;
}

// optimizer: static constexpr const char* const states[] (NULL-terminated); void plan(const Host&);
// double rate(const nnrun_progress&), once a step before its slices; bool step(const nnrun_step&) const noexcept, true when all gradients
// were finite; optionally bool update(const nnrun_step&, nnrun_update&) const noexcept, see nnrun_optimizer_vtable.
template <class T>
concept Optimizer = requires(T t, const nnrun_step& step, const nnrun_progress& progress) {
  { t.step(step) } -> std::convertible_to<bool>;
  { t.rate(progress) } -> std::convertible_to<double>;
  T::states;
};

template <class T>
constexpr nnrun_optimizer_vtable optimizer_vtable() {
  nnrun_optimizer_vtable table{};
  table.size = sizeof table;
  while (T::states[table.state_count] != nullptr) ++table.state_count;
  table.state_names = T::states;
  table.slices = 1;
  table.plan = [](void* self, const nnrun_host* host, nnrun_error* error) { return guard(error, [&] { as<T>(self).plan(Host(host)); }); };
  table.rate = [](void* self, const nnrun_progress* progress) { return static_cast<double>(as<T>(self).rate(*progress)); };
  table.step = [](void* self, const nnrun_step* step) { return as<T>(self).step(*step) ? 0 : 1; };
  if constexpr (requires(const T t, const nnrun_step& step, nnrun_update& update) { t.update(step, update); }) {
    table.update = [](void* self, const nnrun_step* step, nnrun_update* update) { return as<T>(self).update(*step, *update) ? 1 : 0; };
  }
  return table;
}

// loss: void plan(nnrun_loss_plan&); void run(const nnrun_loss_run&) const; optionally
// void probabilities(Tensor output, Tensor probabilities) const, and `static constexpr std::uint32_t outputs` (NNRUN_OUTPUTS_...).
template <class T>
concept Loss = requires(T t, nnrun_loss_plan& plan, const nnrun_loss_run& run) {
  t.plan(plan);
  t.run(run);
};

template <class T>
constexpr nnrun_loss_vtable loss_vtable() {
  nnrun_loss_vtable table{};
  table.size = sizeof table;
  if constexpr (requires { T::outputs; }) table.outputs = T::outputs;
  table.plan = [](void* self, nnrun_loss_plan* plan, nnrun_error* error) { return guard(error, [&] { as<T>(self).plan(*plan); }); };
  table.run = [](void* self, const nnrun_loss_run* run, nnrun_error* error) { return guard(error, [&] { as<T>(self).run(*run); }); };
  if constexpr (requires(T t, Tensor tensor) { t.probabilities(tensor, tensor); }) {
    table.probabilities = [](void* self, const nnrun_tensor* output, nnrun_tensor* probabilities, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).probabilities(Tensor(*output), Tensor(*probabilities)); });
    };
  }
  return table;
}

// metric: std::size_t plan(const nnrun_metric_plan&), which returns how many sums it takes; void add(Tensor output, Tensor labels,
// double* sums) const; double result(const double* sums) const; optionally void table(const double* sums, nnrun_field&) const.
template <class T>
concept Metric = requires(T t, Tensor tensor, double* sums, const nnrun_metric_plan& plan) {
  { t.plan(plan) } -> std::convertible_to<std::size_t>;
  t.add(tensor, tensor, sums);
  { t.result(sums) } -> std::convertible_to<double>;
};

template <class T>
constexpr nnrun_metric_vtable metric_vtable() {
  nnrun_metric_vtable table{};
  table.size = sizeof table;
  table.plan = [](void* self, nnrun_metric_plan* plan, nnrun_error* error) {
    return guard(error, [&] { plan->sums = as<T>(self).plan(*plan); });
  };
  table.add = [](void* self, const nnrun_tensor* output, const nnrun_tensor* labels, double* sums, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).add(Tensor(*output), Tensor(*labels), sums); });
  };
  table.result = [](void* self, const double* sums) { return static_cast<double>(as<T>(self).result(sums)); };
  if constexpr (requires(T t, const double* sums, nnrun_field& field) { t.table(sums, field); }) {
    table.table = [](void* self, const double* sums, nnrun_field* field) { as<T>(self).table(sums, *field); };
  }
  return table;
}

// transform: static constexpr bool augments; nnrun_tensor plan(const Host&, const Tensor& input);
// void apply(const Tensor& x, const Tensor& y, const nnrun_random_key&, bool training) const; optionally
// double own_share(const nnrun_random_key&) const noexcept, which makes it a transform that mixes samples
template <class T>
concept Transform = requires(T t, const Host& host, const Tensor& tensor, const nnrun_random_key& key) {
  { t.plan(host, tensor) } -> std::same_as<nnrun_tensor>;
  t.apply(tensor, tensor, key, true);
};

template <class T>
constexpr nnrun_transform_vtable transform_vtable() {
  nnrun_transform_vtable table{};
  table.size = sizeof table;
  table.augments = T::augments ? 1 : 0;
  table.plan = [](void* self, const nnrun_host* host, const nnrun_tensor* input, nnrun_tensor* output, nnrun_error* error) {
    return guard(error, [&] { *output = as<T>(self).plan(Host(host), Tensor(*input)); });
  };
  table.apply = [](void* self, const nnrun_transform_run* run, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).apply(Tensor(*run->input), Tensor(*run->output), run->key, run->training != 0); });
  };
  if constexpr (requires(T t, const nnrun_random_key& key) { t.own_share(key); }) {
    table.own_share = [](void* self, const nnrun_random_key* key) { return static_cast<double>(as<T>(self).own_share(*key)); };
  }
  return table;
}

// dataset: a class with `using Split = ...`; std::unique_ptr<Split> open(const Host&, const std::string& path, nnrun_split,
// std::uint64_t seed, nnrun_dataset_info&) const. Split has void read(int64 index, Tensor sample, void* label) const.
// Optional: Split's void prefetch(int64 index) const noexcept; int present(const std::string& path) const; static constexpr bool drawn;
// void read_file(const std::string& path, int64 index, Tensor sample) const.
template <class T>
concept Dataset = requires {
  typename T::Split;
  &T::open;
};

template <class T>
constexpr nnrun_dataset_vtable dataset_vtable() {
  nnrun_dataset_vtable table{};
  table.size = sizeof table;
  if constexpr (requires { T::drawn; }) table.drawn = T::drawn ? 1 : 0;
  if constexpr (requires(T t, std::string path) { t.present(path); }) {
    table.present = [](void* self, const char* path) {
      int result = 0;
      return guard(nullptr, [&] { result = as<T>(self).present(path); }) == 0 ? result : 0;
    };
  }
  table.open = [](void* self, const nnrun_host* host, const char* path, nnrun_split split, std::uint64_t seed, nnrun_dataset_info* info,
                  nnrun_error* error) -> void* {
    void* handle = nullptr;
    guard(error, [&] { handle = as<T>(self).open(Host(host), path, split, seed, *info).release(); });
    return handle;
  };
  table.read = [](void* handle, std::int64_t index, const nnrun_tensor* sample, void* label, nnrun_error* error) {
    return guard(error, [&] { as<typename T::Split>(handle).read(index, Tensor(*sample), label); });
  };
  table.close = [](void* handle) { delete static_cast<typename T::Split*>(handle); };
  if constexpr (requires(const typename T::Split& split) { split.prefetch(std::int64_t{}); }) {
    table.prefetch = [](void* handle, std::int64_t index) { as<typename T::Split>(handle).prefetch(index); };
  }
  if constexpr (requires(T t, std::string path, Tensor tensor) { t.read_file(path, std::int64_t{}, tensor); }) {
    table.read_file = [](void* self, const char* path, std::int64_t index, const nnrun_tensor* sample, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).read_file(path, index, Tensor(*sample)); });
    };
  }
  return table;
}

// observer: void open(const Host&, const std::string& folder, int64 position); void event(const nnrun_event&);
// int64 position(); void close()
template <class T>
concept Observer = requires(T t, const nnrun_event& event) {
  t.event(event);
  t.close();
};

template <class T>
constexpr nnrun_observer_vtable observer_vtable() {
  nnrun_observer_vtable table{};
  table.size = sizeof table;
  table.open = [](void* self, const nnrun_host* host, const char* folder, std::int64_t position, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).open(Host(host), folder, position); });
  };
  table.event = [](void* self, const nnrun_event* event, nnrun_error* error) { return guard(error, [&] { as<T>(self).event(*event); }); };
  table.position = [](void* self, nnrun_error* error) -> std::int64_t {
    std::int64_t result = 0;
    return guard(error, [&] { result = as<T>(self).position(); }) == 0 ? result : -1;
  };
  table.close = [](void* self) { guard(nullptr, [&] { as<T>(self).close(); }); };
  return table;
}

// quantizer: void quantize(const nnrun_net_view&, const nnrun_quantized&) const
template <class T>
concept Quantizer = requires(T t, const nnrun_net_view& net, const nnrun_quantized& to) {
  t.quantize(net, to);
};

template <class T>
constexpr nnrun_quantizer_vtable quantizer_vtable() {
  nnrun_quantizer_vtable table{};
  table.size = sizeof table;
  table.quantize = [](void* self, const nnrun_net_view* net, const nnrun_quantized* to, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).quantize(*net, *to); });
  };
  return table;
}

// exporter: void export_net(const nnrun_net_view&, const nnrun_exported&) const
template <class T>
concept Exporter = requires(T t, const nnrun_net_view& net, const nnrun_exported& to) {
  t.export_net(net, to);
};

template <class T>
constexpr nnrun_exporter_vtable exporter_vtable() {
  nnrun_exporter_vtable table{};
  table.size = sizeof table;
  table.export_net = [](void* self, const nnrun_net_view* net, const nnrun_exported* to, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).export_net(*net, *to); });
  };
  return table;
}

// The kind's name and table that fit T.
template <class T>
struct Kind {
  static_assert(Layer<T> || InitializerKind<T> || ScheduleKind<T> || Optimizer<T> || Loss<T> || Metric<T> || Transform<T> || Dataset<T> ||
                    Observer<T> || Quantizer<T> || Exporter<T>,
                "this class has the functions of no kind of component: see 'Kinds' in nnrun/plugin.hpp");
  static constexpr auto make() {
    if constexpr (Layer<T>) {
      return std::pair("layer", layer_vtable<T>());
    } else if constexpr (Optimizer<T>) {
      return std::pair("optimizer", optimizer_vtable<T>());
    } else if constexpr (InitializerKind<T>) {
      return std::pair("initializer", initializer_vtable<T>());
    } else if constexpr (ScheduleKind<T>) {
      return std::pair("schedule", schedule_vtable<T>());
    } else if constexpr (Loss<T>) {
      return std::pair("loss", loss_vtable<T>());
    } else if constexpr (Metric<T>) {
      return std::pair("metric", metric_vtable<T>());
    } else if constexpr (Transform<T>) {
      return std::pair("transform", transform_vtable<T>());
    } else if constexpr (Dataset<T>) {
      return std::pair("dataset", dataset_vtable<T>());
    } else if constexpr (Quantizer<T>) {
      return std::pair("quantizer", quantizer_vtable<T>());
    } else if constexpr (Exporter<T>) {
      return std::pair("exporter", exporter_vtable<T>());
    } else {
      return std::pair("observer", observer_vtable<T>());
    }
  }
  static constexpr auto value = make();
};

template <class T>
constexpr auto params_of() {
  if constexpr (requires { T::params(); }) {
    return T::params();
  } else {
    return std::array<Param, 0>{};
  }
}

template <class T>
struct Exported {
  static constexpr auto params = params_of<T>();
  static constexpr std::size_t param_count = params.size();

  // One more than needed, so that it is never empty.
  static constexpr auto make_c_params() {
    std::array<nnrun_param, param_count + 1> list{};
    for (std::size_t i = 0; i < param_count; ++i) list[i] = params[i].c;
    return list;
  }
  static constexpr auto c_params = make_c_params();

  static void get_default(std::size_t index, nnrun_value* value) {
    static const T defaults{};
    *value = nnrun_value{};
    if constexpr (param_count > 0) params[index].get(&defaults, *value);
  }

  static void* create(const nnrun_host* host, const nnrun_value* values, nnrun_error* error) {
    T* object = nullptr;
    guard(error, [&] {
      auto made = std::make_unique<T>();
      for (std::size_t i = 0; i < param_count; ++i) params[i].set(made.get(), values[i]);
      if constexpr (requires { made->create(Host(host)); }) made->create(Host(host));
      object = made.release();
    });
    return object;
  }

  static void destroy(void* self) { delete static_cast<T*>(self); }

  static constexpr nnrun_component component{sizeof(nnrun_component), 0,           Kind<T>::value.first, T::name, T::doc,
                                             c_params.data(),         param_count, &get_default,         &create, &destroy,
                                             &Kind<T>::value.second};
};

template <class... Components>
struct ComponentList {
  static constexpr const nnrun_component* list[] = {&Exported<Components>::component...};
};

}  // namespace detail

// Parameters may be checked together after they are set: give the class `void create(const nnrun::Host&)`, and throw nnrun::Error.

#if defined(__clang__)
#define NNRUN_BUILD "clang " __clang_version__
#elif defined(__GNUC__)
#define NNRUN_BUILD "g++ " __VERSION__
#else
#define NNRUN_BUILD "unknown compiler"
#endif

// The CPU features that the whole library is compiled for; define it to "avx512f ..." where ISA flags are given.
#ifndef NNRUN_CPU_FEATURES
#define NNRUN_CPU_FEATURES ""
#endif

// Exports the classes named after the version; once a library.
#define NNRUN_PLUGIN(plugin_name, plugin_version, ...)                                                                                    \
  extern "C" __attribute__((visibility("default"))) const nnrun_plugin nnrun_plugin_v1;                                                   \
  constinit const nnrun_plugin nnrun_plugin_v1 = {sizeof(nnrun_plugin),                                                                   \
                                                  NNRUN_ABI_MAJOR,                                                                        \
                                                  NNRUN_ABI_MINOR,                                                                        \
                                                  static_cast<std::uint32_t>(std::size(nnrun::detail::ComponentList<__VA_ARGS__>::list)), \
                                                  plugin_name,                                                                            \
                                                  plugin_version,                                                                         \
                                                  NNRUN_BUILD,                                                                            \
                                                  NNRUN_CPU_FEATURES,                                                                     \
                                                  nnrun::detail::ComponentList<__VA_ARGS__>::list};

}  // namespace nnrun
