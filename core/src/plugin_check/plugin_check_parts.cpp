#include "plugin_check/plugin_check_parts.hpp"
#include "base/buffer.hpp"
#include "config/yaml.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace nnrun::core::checking {

namespace {

constexpr std::size_t guard_bytes = 1024;
constexpr auto ones = std::byte{0xFF};
constexpr auto mark = std::byte{0xA5};

std::string at_index(const std::string& what, std::size_t index) { return what + "[" + std::to_string(index) + "]"; }

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

// ---- Values for required parameters -----------------------------------------------------------------------

std::string chosen_integer(const nnrun_param& param) {
  const double low = param.minimum + ((param.flags & NNRUN_PARAM_MINIMUM_EXCLUDED) != 0 ? 1 : 0);
  const double high = param.maximum - ((param.flags & NNRUN_PARAM_MAXIMUM_EXCLUDED) != 0 ? 1 : 0);
  return std::to_string(static_cast<std::int64_t>(std::max(std::min(3.0, high), low)));
}

std::string chosen_number(const nnrun_param& param) {
  const bool low = std::isfinite(param.minimum) && !is_type_limit(param.minimum);
  const bool high = std::isfinite(param.maximum) && !is_type_limit(param.maximum);
  if (low && high) return number_text(param.minimum + (param.maximum - param.minimum) / 2);
  if (low) return number_text(param.minimum + 1);
  if (high) return number_text(param.maximum - 1);
  return "0.5";
}

std::string chosen_value(const nnrun_param& param, const Registry& registry, int depth);

std::string chosen_component(const std::string& kind, const Registry& registry, int depth) {
  const auto candidates = registry.components(kind);
  if (candidates.empty() || depth > 3) throw Failure("no component of kind '" + kind + "' is there to try it with");
  const nnrun_component& first = *candidates[0].first;
  std::string inner;
  for (std::size_t i = 0; i < first.param_count; ++i) {
    const nnrun_param& param = param_at(first, i);
    if ((param.flags & NNRUN_PARAM_REQUIRED) == 0) continue;
    inner += (inner.empty() ? "" : ", ") + std::string(param.name) + ": " + chosen_value(param, registry, depth + 1);
  }
  const std::string name = std::string(candidates[0].second->plugin->name) + "/" + first.name;
  return inner.empty() ? name : "{" + name + ": {" + inner + "}}";
}

std::string chosen_value(const nnrun_param& param, const Registry& registry, int depth) {
  const auto list_of = [&](const std::string& item) {
    std::string text = item;
    for (std::size_t i = 1; i < param.count_min; ++i) text += ", " + item;
    return "[" + text + "]";
  };
  switch (param.type) {
    case NNRUN_BOOLEAN: return "true";
    case NNRUN_INTEGER: return chosen_integer(param);
    case NNRUN_NUMBER: return chosen_number(param);
    case NNRUN_CHOICE: return param.choices[0];
    case NNRUN_INTEGER_LIST: return list_of(chosen_integer(param));
    case NNRUN_NUMBER_LIST: return list_of(chosen_number(param));
    case NNRUN_COMPONENT: return chosen_component(param.component_kind, registry, depth);
    default: return "other";
  }
}

// Adds `key: value`, where the map does not have the key.
void add_entry(Node& map, const std::string& key, const std::string& value) {
  if (map.find(key) != nullptr) return;
  Node parsed = parse_yaml("check-plugin", "{" + key + ": " + value + "}\n");
  map.kind = Node::Kind::map;
  map.entries.push_back(std::move(parsed.entries[0]));
}

}  // namespace

// ---- Report -------------------------------------------------------------------------------------------------

bool Report::check(const std::string& name, const std::function<std::string()>& body) {
  if (options_.starting) options_.starting(component_, name);
  CheckResult result{component_, name, CheckResult::Outcome::ok, ""};
  try {
    result.detail = body();
  } catch (const NotChecked& e) {
    result.outcome = CheckResult::Outcome::not_checked;
    result.detail = e.what();
  } catch (const std::exception& e) {
    result.outcome = CheckResult::Outcome::failed;
    result.detail = e.what();
  }
  results_.push_back(result);
  return result.outcome == CheckResult::Outcome::ok;
}

// ---- Memory -------------------------------------------------------------------------------------------------

void GuardedMemory::Free::operator()(std::byte* memory) const { std::free(memory); }

GuardedMemory::GuardedMemory(std::size_t bytes)
    : bytes_(bytes),
      memory_(static_cast<std::byte*>(std::aligned_alloc(tensor_alignment, align_up(bytes + 2 * guard_bytes)))),
      start_(memory_.get() + guard_bytes) {
  if (memory_ == nullptr) throw Failure("out of memory: " + std::to_string(bytes) + " bytes");
  std::memset(memory_.get(), 0xFF, align_up(bytes + 2 * guard_bytes));
}

void GuardedMemory::poison_from(std::size_t byte) const { std::fill(start_ + byte, start_ + bytes_, ones); }

void GuardedMemory::verify(const std::string& what) const {
  const auto touched = [](std::byte value) { return value != ones; };
  require(std::none_of(memory_.get(), start_, touched), what + ": memory before it was written to");
  const std::byte* end = start_ + bytes_;
  const auto* at = std::find_if(end, end + guard_bytes, touched);
  require(at == end + guard_bytes,
          what + ": memory behind it was written to (" + std::to_string(at - end) + " bytes behind its " + std::to_string(bytes_) + ")");
}

void GuardedMemory::mark_from(std::size_t byte) const { std::fill(start_ + byte, start_ + bytes_, mark); }

void GuardedMemory::verify_marked_from(std::size_t byte, const std::string& what) const {
  require(std::all_of(start_ + byte, start_ + bytes_, [](std::byte value) { return value == mark; }),
          what + ": rows behind the batch were written to");
}

void GuardedMemory::restore(const std::vector<std::byte>& copy) const { std::copy(copy.begin(), copy.end(), start_); }

bool GuardedMemory::equals(const std::vector<std::byte>& copy) const {
  return copy.size() == bytes_ && std::equal(copy.begin(), copy.end(), start_);
}

// ---- Specs and hosts ----------------------------------------------------------------------------------------

ComponentSpec make_spec(const nnrun_component& component, const Registry& registry, const std::string& params) {
  Node map;
  if (!params.empty()) map = parse_yaml("check-plugin", params);
  for (std::size_t i = 0; i < component.param_count; ++i) {
    const nnrun_param& param = param_at(component, i);
    if ((param.flags & NNRUN_PARAM_REQUIRED) != 0) add_entry(map, param.name, chosen_value(param, registry, 0));
  }
  std::vector<Diagnostic> errors;
  CheckContext context{registry, errors};
  ComponentSpec spec = check_params(component, map, {}, component.name, context);
  if (!errors.empty()) throw Failure(errors[0].message);
  return spec;
}

Hosts::Hosts(const Registry& registry) : dispatch_(registry, KernelSettings{}), backwards_{} {
  const auto ignore = [](nnrun_log_level, const std::string&) {};
  for (const int threads : {1, 2, 3, 8}) hosts_.push_back(std::make_unique<HostServices>(dispatch_, threads, ignore));
  backwards_.dispatch = &dispatch_;
  backwards_.host.size = sizeof(nnrun_host);
  backwards_.host.threads = 1;
  backwards_.host.log = [](const nnrun_host*, nnrun_log_level, const char*) {};
  backwards_.host.parallel = [](const nnrun_host*, std::int64_t ranges, nnrun_range_function body, void* argument, nnrun_error* error) {
    for (std::int64_t range = ranges; range-- > 0;) {
      if (const int status = body(argument, range, error); status != 0) return status;
    }
    return 0;
  };
  backwards_.host.kernel = [](const nnrun_host* host, const char* name, const void* arguments, nnrun_error* error) {
    std::string why;
    const nnrun_kernel* kernel = reinterpret_cast<const Backwards*>(host)->dispatch->choose(name, arguments, &why);
    if (kernel == nullptr) detail::write_error(error, why.c_str());
    return kernel;
  };
  backwards_.host.score = [](const nnrun_host* host, const char* name, const void* arguments) {
    const nnrun_kernel* kernel = reinterpret_cast<const Backwards*>(host)->dispatch->choose(name, arguments, nullptr);
    return kernel == nullptr ? -1 : kernel->score;
  };
}

std::vector<std::pair<std::string, const nnrun_host*>> Hosts::all() const {
  std::vector<std::pair<std::string, const nnrun_host*>> list;
  for (const auto& host : hosts_) list.emplace_back(std::to_string(host->threads()) + " threads", host->c());
  list.emplace_back("ranges in reverse order", &backwards_.host);
  return list;
}

// ---- Numbers ------------------------------------------------------------------------------------------------

void fill_away_from_zero(std::span<float> numbers, std::uint32_t which) {
  Random random({2027, NNRUN_STREAM_DATASET, 0, which});
  for (float& number : numbers) {
    const float magnitude = random.next_uniform(0.1f, 1.0f);
    number = (random.next() & 1u) != 0 ? magnitude : -magnitude;
  }
}

void fill_apart(std::span<float> numbers, std::uint32_t which) {
  constexpr std::uint32_t levels = 29, positive = 14;  // a prime number of them, 0.06 apart
  constexpr float distance = 0.06f, wobble = 0.013f;
  Random random({2027, NNRUN_STREAM_DATASET, 1, which});
  const std::uint32_t first = random.next() % levels, stride = 1 + random.next() % (levels - 1);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto level = static_cast<std::uint32_t>((first + i * stride) % levels);
    const float magnitude = 0.1f + distance * static_cast<float>(level < positive ? level : level - positive);
    numbers[i] = (level < positive ? magnitude : -magnitude) + random.next_uniform(-wobble, wobble);
  }
}

void require_finite(std::span<const float> numbers, const std::string& what) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    require(std::isfinite(numbers[i]),
            at_index(what, i) + " is " + number_text(static_cast<double>(numbers[i])) +
                ", expected a finite number: " + "it was not written, or computed from memory that is not its own");
  }
}

void require_same_bits(std::span<const float> got, std::span<const float> expected, const std::string& what) {
  require(got.size() == expected.size(),
          what + " has " + std::to_string(got.size()) + " elements, expected " + std::to_string(expected.size()));
  for (std::size_t i = 0; i < got.size(); ++i) {
    require(std::memcmp(&got[i], &expected[i], sizeof(float)) == 0, at_index(what, i) + " is " + number_text(static_cast<double>(got[i])) +
                                                                        ", expected " + number_text(static_cast<double>(expected[i])) +
                                                                        " to the bit");
  }
}

void require_close(std::span<const float> got, std::span<const float> expected, double tolerance, const std::string& what) {
  require(got.size() == expected.size(),
          what + " has " + std::to_string(got.size()) + " elements, expected " + std::to_string(expected.size()));
  double mean = 0;
  for (const float value : expected) mean += std::abs(static_cast<double>(value)) / static_cast<double>(expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    require(difference <= tolerance * (std::abs(static_cast<double>(expected[i])) + mean),
            at_index(what, i) + " is " + number_text(static_cast<double>(got[i])) + ", expected " +
                number_text(static_cast<double>(expected[i])));
  }
}

std::string message_of(const nnrun_error& error, const std::string& of) {
  require(error.message[0] != '\0', of + " failed without a message: throw nnrun::Error, or fill nnrun_error");
  return error.message;
}

std::string shape_text(std::span<const std::int64_t> sample) {
  std::string text = "(N";
  for (const std::int64_t dim : sample) text += ", " + std::to_string(dim);
  return text + ")";
}

// ---- Finite differences -------------------------------------------------------------------------------------

namespace {

// f(x + step * d) - f(x - step * d), and the same by the gradient; both divided by 2 * step.
struct Slope {
  double measured = 0, claimed = 0;
  double noise = 0;  // what rounding in f32 may make of `measured`
};

Slope slope_along(const Differentiable& f, const std::vector<float>& base, const std::vector<float>& direction, double step) {
  const auto move = [&](double by) {
    for (std::size_t i = 0; i < base.size(); ++i)
      f.numbers[i] = static_cast<float>(static_cast<double>(base[i]) + by * static_cast<double>(direction[i]));
  };
  Slope slope;
  move(step);
  const std::vector<float> forward(f.numbers.begin(), f.numbers.end());
  const std::span<const float> seen = f.evaluate();
  const std::vector<float> above(seen.begin(), seen.end());
  move(-step);
  // What was really moved, after rounding.
  for (std::size_t i = 0; i < base.size(); ++i) {
    slope.claimed += static_cast<double>(f.gradient[i]) * (static_cast<double>(forward[i]) - static_cast<double>(f.numbers[i]));
  }
  const std::span<const float> below = f.evaluate();
  constexpr double roundings = 16 * 0x1p-23;
  for (std::size_t j = 0; j < above.size(); ++j) {
    const double high = static_cast<double>(above[j]), low = static_cast<double>(below[j]), weight = static_cast<double>(f.weights[j]);
    if (above[j] == below[j]) continue;  // it does not depend on what was moved
    slope.measured += weight * (high - low);
    slope.noise += roundings * std::abs(weight) * (std::abs(high) + std::abs(low));
  }
  std::copy(base.begin(), base.end(), f.numbers.begin());
  slope.measured /= 2 * step;
  slope.claimed /= 2 * step;
  slope.noise /= step;
  return slope;
}

}  // namespace

int compare_with_differences(const Differentiable& f, std::uint32_t seed) {
  constexpr double step = 0x1p-6;
  constexpr int dense_directions = 4, single_directions = 12;
  constexpr double tolerance = 0.01;
  require_finite(f.gradient, f.what);
  const std::vector<float> base(f.numbers.begin(), f.numbers.end());
  Random random({seed, NNRUN_STREAM_DATASET, 1, 0});
  int counted = 0;
  for (int k = 0; k < dense_directions + single_directions; ++k) {
    std::vector<float> direction(base.size(), 0.0f);
    const std::size_t single = random.next() % base.size();
    if (k < dense_directions) {
      for (float& d : direction) d = (random.next() & 1u) != 0 ? 1.0f : -1.0f;
    } else {
      direction[single] = 1.0f;
    }
    const Slope wide = slope_along(f, base, direction, step);
    const Slope narrow = slope_along(f, base, direction, step / 2);
    // Where the function is smooth, halving the step hardly matters; a kink between the two points would be no fault of the
    // gradient's.
    const double largest = std::max(std::abs(wide.measured), std::abs(narrow.measured));
    if (std::abs(wide.measured - narrow.measured) > 0.05 * largest + wide.noise + narrow.noise) continue;
    ++counted;
    const double measured = (4 * narrow.measured - wide.measured) / 3;  // Richardson 1911: the error of the second order cancels
    const double allowed = tolerance * std::max(std::abs(measured), std::abs(narrow.claimed)) + wide.noise + 2 * narrow.noise;
    require(std::abs(measured - narrow.claimed) <= allowed,
            (k < dense_directions ? f.what + " along a random direction" : at_index(f.what, single)) + " is " +
                number_text(narrow.claimed) + ", finite differences (step 2^-6) say " + number_text(measured));
  }
  return counted;
}

}  // namespace nnrun::core::checking
