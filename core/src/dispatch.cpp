#include "dispatch.hpp"

#include <algorithm>
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
  for (const NamedText& choice : settings.tables) {
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

std::string Dispatch::describe(const nnrun_kernel* kernel) const {
  const std::string how = kernel->algorithm == nullptr ? "" : std::string(", ") + kernel->algorithm;
  return std::string(kernel->name) + " (" + table_of(kernel) + how + ")";
}

}  // namespace nnrun::core
