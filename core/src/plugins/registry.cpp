#include "plugins/registry.hpp"

#include "plugins/library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <span>
#include <sstream>

namespace nnrun::core {

namespace fs = std::filesystem;

namespace {

std::span<const nnrun_component* const> components_of(const nnrun_plugin& plugin) { return {plugin.components, plugin.component_count}; }

// A plugin by hand, in C, can leave anything out.
void check_components(const nnrun_plugin& plugin) {
  if (plugin.name == nullptr || plugin.version == nullptr) throw LibraryError("it has no name or no version");
  if (plugin.component_count > 0 && plugin.components == nullptr) throw LibraryError("it has no list of components");
  std::set<std::pair<std::string, std::string>> seen;
  for (const nnrun_component* component : components_of(plugin)) {
    if (component == nullptr || component->kind == nullptr || component->name == nullptr || component->vtable == nullptr) {
      throw LibraryError("it has a component without kind, name or table of functions");
    }
    const std::string what = std::string(component->kind) + " '" + component->name + "'";
    if (component->size < sizeof(nnrun_component)) throw LibraryError(what + " is described by too few bytes");
    if (!seen.emplace(component->kind, component->name).second) throw LibraryError("it has " + what + " twice");
    if ((component->create == nullptr) != (component->destroy == nullptr)) {
      throw LibraryError(what + " has only one of create and destroy");
    }
    if (component->param_count > 0 && (component->params == nullptr || component->get_default == nullptr)) {
      throw LibraryError(what + " has parameters, but no table or no defaults for them");
    }
    for (std::size_t i = 0; i < component->param_count; ++i) {
      const nnrun_param& param = component->params[i];
      if (param.size < sizeof(nnrun_param) || param.name == nullptr || param.doc == nullptr) {
        throw LibraryError(what + " has a parameter without a name or a description");
      }
    }
  }
}

}  // namespace

bool Registry::load_file(const fs::path& file) {
  std::error_code failure;
  const fs::path canonical = fs::canonical(file, failure);
  if (failure) {
    skipped_.push_back({file, "cannot be opened: " + failure.message(), false});
    return false;
  }
  for (const Plugin& plugin : plugins_) {
    if (plugin.file == canonical) return true;
  }
  try {
    const nnrun_plugin& plugin = open_library(canonical);
    check_components(plugin);
    plugins_.push_back({&plugin, canonical});
    return true;
  } catch (const LibraryError& e) {
    skipped_.push_back({canonical, e.what(), false});
    return false;
  }
}

void Registry::load_folder(const fs::path& folder) {
  std::vector<fs::path> files, left_out;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) {
    if (entry.path().extension() == ".so") files.push_back(entry.path());
    if (entry.path().extension() == ".left_out") left_out.push_back(entry.path());
  }
  if (failure) {
    skipped_.push_back({folder, "cannot be listed: " + failure.message(), false});
    return;
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) load_file(file);
  std::sort(left_out.begin(), left_out.end());
  for (const fs::path& file : left_out) {
    std::string reason;
    std::getline(std::ifstream(file), reason);
    skipped_.push_back({fs::path(file).replace_extension(".so"), "left out of this build: " + reason, true});
  }
}

std::vector<std::pair<const nnrun_component*, const Registry::Plugin*>> Registry::components(std::string_view kind) const {
  std::vector<std::pair<const nnrun_component*, const Plugin*>> found;
  for (const Plugin& plugin : plugins_) {
    for (const nnrun_component* component : components_of(*plugin.plugin)) {
      if (kind == component->kind) found.emplace_back(component, &plugin);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return std::string_view(a.first->name) < b.first->name; });
  return found;
}

const nnrun_component* Registry::find(std::string_view kind, std::string_view name) const {
  const std::size_t slash = name.find('/');
  const std::string_view vendor = slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
  const std::string_view plain = slash == std::string_view::npos ? name : name.substr(slash + 1);
  const nnrun_component* found = nullptr;
  for (const auto& [component, plugin] : components(kind)) {
    if (plain != component->name || (!vendor.empty() && vendor != plugin->plugin->name)) continue;
    if (found != nullptr) return nullptr;
    found = component;
  }
  return found;
}

std::vector<std::string> Registry::kinds() const {
  std::set<std::string> all;
  for (const Plugin& plugin : plugins_) {
    for (const nnrun_component* component : components_of(*plugin.plugin)) all.insert(component->kind);
  }
  return {all.begin(), all.end()};
}

std::vector<std::string> Registry::names(std::string_view kind) const {
  std::set<std::string> all;
  for (const auto& [component, plugin] : components(kind)) all.insert(component->name);
  return {all.begin(), all.end()};
}

std::vector<std::string> Registry::notes(std::string_view kind, std::string_view name) const {
  std::vector<std::string> lines;
  const auto named = components(kind);
  const auto count = std::count_if(named.begin(), named.end(), [&](const auto& c) { return name == c.first->name; });
  if (count > 1) {
    for (const auto& [component, plugin] : named) {
      if (name == component->name) {
        lines.push_back(std::string(plugin->plugin->name) + "/" + component->name + " is in " + plugin->file.string());
      }
    }
    return lines;
  }
  for (const Skipped& skipped : skipped_) {
    // What is not there has no components that could be asked; libraries of kernels have their table's name.
    if (skipped.left_out && !skipped.file.stem().string().ends_with("_" + std::string(name))) continue;
    lines.push_back(skipped.file.filename().string() + (skipped.left_out ? " was " : " was skipped: ") + skipped.reason);
  }
  if (plugins_.empty() && lines.empty()) {
    lines.push_back("no plugins were found; see --plugin-path and NNRUN_PLUGIN_PATH");
  }
  return lines;
}

std::vector<std::string> Registry::ambiguous(std::string_view kind, std::string_view name) const {
  std::vector<std::string> full_names;
  for (const auto& [component, plugin] : components(kind)) {
    if (name == component->name) full_names.push_back(std::string(plugin->plugin->name) + "/" + component->name);
  }
  return full_names.size() > 1 ? full_names : std::vector<std::string>{};
}

namespace {

// libnnrun.so, in a program that embeds it; "" in the command line, which has this code within itself.
fs::path runtime_library() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&plugin_folders), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code failure;
  const fs::path file = fs::canonical(info.dli_fname, failure);
  return !failure && file.filename().string().starts_with("libnnrun.so") ? file : fs::path();
}

}  // namespace

std::vector<fs::path> plugin_folders(const std::vector<fs::path>& given) {
  std::vector<fs::path> folders = given;
  if (const char* list = std::getenv("NNRUN_PLUGIN_PATH"); list != nullptr) {
    std::istringstream parts{list};
    for (std::string part; std::getline(parts, part, ':');) {
      if (!part.empty()) folders.emplace_back(part);
    }
  }
  std::error_code failure;
  const fs::path executable = fs::read_symlink("/proc/self/exe", failure);
  if (!failure) {
    const fs::path own = executable.parent_path().parent_path() / "lib" / "nnrun" / "plugins";
    if (fs::is_directory(own, failure)) folders.push_back(own);
  }
  if (const fs::path library = runtime_library(); !library.empty()) {
    // lib/libnnrun.so, or lib/x86_64-linux-gnu/libnnrun.so
    for (const fs::path& lib : {library.parent_path(), library.parent_path().parent_path()}) {
      const fs::path own = lib / "nnrun" / "plugins";
      if (fs::is_directory(own, failure)) folders.push_back(own);
    }
  }
  return folders;
}

}  // namespace nnrun::core
