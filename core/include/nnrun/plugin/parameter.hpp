// Parameters of components: members of a class that a config sets. Some have other components for a value.
#pragma once

#include <nnrun/nnrun.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

namespace nnrun {

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

}  // namespace nnrun
