#include "plugins/dispatch.hpp"

#include "base/cpu.hpp"
#include "base/sha256.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

namespace nnrun::core {

namespace {

[[noreturn]] void refuse_table(const Registry& registry, const std::string& table, const Location& where) {
  Diagnostic error = make_error(where, "no kernels '" + table + "' on this machine", did_you_mean(table, registry.names("kernels")));
  for (const std::string& note : registry.notes("kernels", table)) {
    // Only what concerns it: plugin nnrun_kernels_avx512.so for table avx512.
    if (note.find(table) != std::string::npos) error.notes.push_back(make_note({}, note));
  }
  std::string there;
  for (const std::string& name : registry.names("kernels")) there += (there.empty() ? "" : ", ") + name;
  error.notes.push_back(make_note({}, "there are: auto, " + there));
  throw DiagnosticError(error);
}

[[noreturn]] void refuse_bf16(const Registry& registry, const Location& where) {
  Diagnostic error = make_error(where, "no kernels on this machine multiply in bf16: take precision: f32");
  for (const std::string& note : registry.notes("kernels", "bf16")) {
    if (note.find("bf16") != std::string::npos) error.notes.push_back(make_note({}, note));
  }
  throw DiagnosticError(error);
}

}  // namespace

Dispatch::Dispatch(const Registry& registry, const KernelSettings& settings) {
  for (const auto& [component, plugin] : registry.components("kernels")) {
    const auto& table = *static_cast<const nnrun_kernels_vtable*>(component->vtable);
    for (std::uint32_t i = 0; i < table.count; ++i) {
      const nnrun_kernel& kernel = table.kernels[i];
      if (settings.exact && kernel.bound != 0) continue;
      if (kernel.precision != 0 && !(kernel.precision == NNRUN_BF16 && settings.bf16)) continue;
      entries_.push_back({&kernel, component->name});
    }
  }
  if (settings.bf16 && std::none_of(entries_.begin(), entries_.end(), [](const Entry& e) { return e.kernel->precision == NNRUN_BF16; })) {
    refuse_bf16(registry, settings.precision_where);
  }
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.kernel->score > b.kernel->score; });

  const auto check_table = [&](const std::string& table, const Location& where) {
    if (table != automatic && registry.find("kernels", table) == nullptr) refuse_table(registry, table, where);
  };
  default_table_ = settings.default_table;
  Location default_where = settings.where;
  if (const char* given = std::getenv("NNRUN_KERNELS"); given != nullptr && *given != '\0' && default_table_ == automatic) {
    default_table_ = given;
    auto source = std::make_shared<Source>();
    source->name = "environment";
    source->text = std::string("NNRUN_KERNELS=") + given;
    source->numbered = false;
    default_where = locate(source, 14, default_table_.size());
  }
  check_table(default_table_, default_where);
  const std::vector<std::string> known = names();
  const bool tuned_here = settings.tuned_on.empty() || settings.tuned_on == machine();
  for (const NamedText& choice : settings.tables) {
    if (choice.name.find('/') != std::string::npos) {
      if (tuned_here) {
        add_layer_choice(choice);
      } else {
        left_out_ = "run.kernels' choices for layers are left out: they were measured on " + settings.tuned_on + ", this is " + machine() +
                    "; measure here with: nnrun bench CONFIG --tune FILE";
      }
      continue;
    }
    if (std::find(known.begin(), known.end(), choice.name) == known.end()) {
      throw DiagnosticError(choice.where, "no kernel '" + choice.name + "'", did_you_mean(choice.name, known));
    }
    check_table(choice.text, choice.where);
    if (choice.text != automatic) {
      const auto list = entries(choice.name);
      if (std::none_of(list.begin(), list.end(), [&](const Entry& e) { return e.table == choice.text; })) {
        throw DiagnosticError(choice.where, "kernels '" + choice.text + "' have no " + choice.name);
      }
    }
    forced_.emplace_back(choice.name, choice.text);
  }
}

// "LAYER/KERNEL" or "LAYER/KERNEL#REQUEST".
void Dispatch::add_layer_choice(const NamedText& choice) {
  const std::size_t slash = choice.name.rfind('/'), number = choice.name.find('#', slash);
  LayerChoice made;
  made.layer = choice.name.substr(0, slash);
  made.name = choice.name.substr(slash + 1, number == std::string::npos ? number : number - slash - 1);
  made.where = choice.where;
  if (number != std::string::npos) {
    const char* end = choice.name.data() + choice.name.size();
    const auto [stopped, failure] = std::from_chars(choice.name.data() + number + 1, end, made.request);
    if (failure != std::errc() || stopped != end || made.request < 1) {
      throw DiagnosticError(
          choice.where,
          quote(choice.name) + " should end with a number from 1 behind its #: which of the layer's requests for " + made.name);
    }
  }
  const std::vector<std::string> known = names();
  if (std::find(known.begin(), known.end(), made.name) == known.end()) {
    throw DiagnosticError(choice.where, "no kernel " + quote(made.name), did_you_mean(made.name, known));
  }
  made.kernel = find_way(made.name, choice);
  if (layer_choice(made.layer, made.name, made.request) != nullptr)
    throw DiagnosticError(choice.where, quote(choice.name) + " is chosen already");
  layer_choices_.push_back(std::move(made));
}

const nnrun_kernel* Dispatch::find_way(const std::string& name, const NamedText& choice) const {
  std::string there;
  std::vector<std::string> ways;
  for (const Entry& entry : entries(name)) {
    ways.push_back(way(entry.kernel));
    if (ways.back() == choice.text) return entry.kernel;
    there += (there.empty() ? "" : "; ") + ways.back();
  }
  Diagnostic error =
      make_error(choice.where, "no " + name + " is " + quote(choice.text) + " on this machine", did_you_mean(choice.text, ways));
  error.notes.push_back(make_note({}, "there are: " + there));
  throw DiagnosticError(error);
}

const Dispatch::LayerChoice* Dispatch::layer_choice(std::string_view layer, std::string_view name, int request) const {
  const auto found = std::find_if(layer_choices_.begin(), layer_choices_.end(), [&](const LayerChoice& choice) {
    return choice.layer == layer && choice.name == name && (choice.request == request || choice.request == 0);
  });
  return found == layer_choices_.end() ? nullptr : &*found;
}

std::string Dispatch::machine() const {
  std::string all;
  for (const Entry& entry : entries_) all += describe(entry.kernel) + ' ' + std::to_string(entry.kernel->score) + '\n';
  return cpu_name() + ", kernels " + sha256_of(all).substr(0, 12);
}

std::string Dispatch::forced(std::string_view name) const {
  for (const auto& [kernel, table] : forced_) {
    if (kernel == name) return table;
  }
  // A default table need not have every kernel: what it lacks comes from scalar, the reference.
  return default_table_;
}

const nnrun_kernel* Dispatch::choose(std::string_view name, const void* arguments, std::string* why) const {
  const std::string table = forced(name);
  const bool whole_default = table == default_table_;
  const nnrun_kernel* fallback = nullptr;
  bool exists = false;
  for (const Entry& entry : entries_) {
    if (name != entry.kernel->name) continue;
    exists = true;
    if (entry.kernel->supports != nullptr && entry.kernel->supports(arguments) == 0) continue;
    if (table == automatic || entry.table == table) return entry.kernel;
    if (whole_default && entry.kernel->score == 0) fallback = entry.kernel;
  }
  if (fallback == nullptr && why != nullptr) {
    *why = exists ? "no kernel '" + std::string(name) + "' supports this shape" +
                        (table == automatic ? "" : " in the kernels '" + table + "' that are asked for")
                  : "no plugin brings a kernel '" + std::string(name) + "'";
  }
  return fallback;
}

std::vector<const nnrun_kernel*> Dispatch::candidates(std::string_view name, const void* arguments) const {
  std::vector<const nnrun_kernel*> found;
  const nnrun_kernel* best = choose(name, arguments, nullptr);
  if (best != nullptr) found.push_back(best);
  const std::string table = forced(name);
  for (const Entry& entry : entries_) {
    if (name != entry.kernel->name || entry.kernel == best || entry.kernel->score <= 0) continue;
    if (entry.kernel->supports != nullptr && entry.kernel->supports(arguments) == 0) continue;
    if (table == automatic || entry.table == table) found.push_back(entry.kernel);
  }
  return found;
}

std::vector<std::string> Dispatch::names() const {
  std::set<std::string> all;
  for (const Entry& entry : entries_) all.insert(entry.kernel->name);
  return {all.begin(), all.end()};
}

std::vector<Dispatch::Entry> Dispatch::entries(std::string_view name) const {
  std::vector<Entry> found;
  for (const Entry& entry : entries_) {
    if (name == entry.kernel->name) found.push_back(entry);
  }
  return found;
}

std::string Dispatch::table_of(const nnrun_kernel* kernel) const {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.kernel == kernel; });
  return entry == entries_.end() ? "?" : entry->table;
}

std::string Dispatch::way(const nnrun_kernel* kernel) const {
  return table_of(kernel) + (kernel->algorithm == nullptr ? "" : std::string(", ") + kernel->algorithm);
}

std::string Dispatch::describe(const nnrun_kernel* kernel) const { return std::string(kernel->name) + " (" + way(kernel) + ")"; }

}  // namespace nnrun::core
