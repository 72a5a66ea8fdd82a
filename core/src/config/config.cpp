#include "config/config.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "config/yaml.hpp"

namespace nnrun::core {

namespace {

namespace fs = std::filesystem;

// The files beside a missing one, for a suggestion.
std::string similar_file(const fs::path& path) {
  std::error_code failed;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end && names.size() < 1000; entry.increment(failed)) {
    const std::string extension = entry->path().extension().string();
    if (extension == ".yaml" || extension == ".yml") names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  const std::string best = closest(path.filename().string(), names);
  if (best.empty()) return {};
  return "did you mean '" + (path.has_parent_path() ? path.parent_path() / best : fs::path(best)).string() + "'?";
}

// `from` is where another file names this one; it has no file for the user's own.
SourcePointer read_source(const std::string& path, const Location& from) {
  const auto fail = [&](const std::string& reason, const std::string& suggestion) {
    if (from.file) throw DiagnosticError(from, "cannot read " + quote(path) + ": " + reason, suggestion);
    throw DiagnosticError(whole_file(make_source(path, "")), reason, suggestion);
  };
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) fail("no such file", similar_file(path));
  if (fs::is_directory(status)) fail("this is a folder, not a config file", "");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail("it cannot be opened: check its permissions", "");
  std::string text(max_config_bytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) fail("reading failed", "");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return make_source(path, std::move(text));
}

// Takes `extends` out of a file. "": has none.
struct Extends {
  std::string path;
  Location where;
};
std::optional<Extends> take_extends(Node& file) {
  Node::Entry* entry = file.find("extends");
  if (entry == nullptr) return std::nullopt;
  const Node value = entry->value;
  file.entries.erase(file.entries.begin() + (entry - file.entries.data()));
  if (!value.is_scalar() || value.text.empty()) throw DiagnosticError(value.where, "'extends' must be the path of one other config file");
  return Extends{value.text, value.where};
}

std::string path_beside(const Location& where, const std::string& path) {
  if (!where.file || !where.file->numbered) return path;
  return (fs::path(where.file->name).parent_path() / path).lexically_normal().string();
}

// The same file however it is spelled.
std::string identity(const std::string& path) {
  std::error_code failed;
  const fs::path canonical = fs::weakly_canonical(path, failed);
  return failed ? path : canonical.string();
}

void read_chain(const std::string& path, const Location& from, std::vector<std::string>& seen, std::vector<Location>& links,
                std::vector<Node>& files) {
  const std::string self = identity(path);
  if (std::find(seen.begin(), seen.end(), self) != seen.end()) {
    Diagnostic error = make_error(from, "'extends' goes in a circle: " + quote(path) + " is already being read");
    for (std::size_t i = 0; i + 1 < links.size(); ++i) error.notes.push_back(make_note(links[i], "which was named here"));
    throw DiagnosticError(std::move(error));
  }
  if (seen.size() >= max_config_extends) {
    throw DiagnosticError(from, "more than " + std::to_string(max_config_extends) + " files in a chain of 'extends'");
  }
  seen.push_back(self);
  Node file = parse_yaml(read_source(path, from));
  if (const std::optional<Extends> extends = take_extends(file)) {
    links.push_back(extends->where);
    read_chain(path_beside(extends->where, extends->path), extends->where, seen, links, files);
  }
  files.push_back(std::move(file));
}

void collect_plugins(const Node& list, std::vector<PluginPath>& plugins) {
  plugins.clear();
  const auto add = [&](const Node& node) {
    if (node.is_scalar() && !node.text.empty()) plugins.push_back(resolve_plugin_path(node.text, node.where));
  };
  if (list.is_scalar()) add(list);
  for (const Node& item : list.items) add(item);
}

// Wrong types are left for check(), which reports them together with everything else.
void read_plugins(Config& config) {
  for (const Node& file : config.files) {
    if (const Node::Entry* entry = file.find("plugins")) collect_plugins(entry->value, config.plugins);
  }
  for (const Override& change : config.overrides) {
    if (change.path.size() == 1 && change.path[0].name == "plugins") collect_plugins(change.value, config.plugins);
  }
}

void parse_overrides(const std::vector<std::string>& texts, Config& config) {
  std::vector<Diagnostic> errors;
  for (const std::string& text : texts) {
    try {
      config.overrides.push_back(parse_override(text));
    } catch (const DiagnosticError& error) {
      errors.insert(errors.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  if (!errors.empty()) throw DiagnosticError(std::move(errors));
}

}  // namespace

PluginPath resolve_plugin_path(const std::string& path, const Location& where) {
  std::error_code failed;
  const fs::path absolute = fs::absolute(path_beside(where, path), failed);
  return {failed ? path : absolute.lexically_normal().string(), where};
}

Config load_config(const std::string& path, const std::vector<std::string>& overrides) {
  Config config;
  config.name = path;
  std::vector<std::string> seen;
  std::vector<Location> links;
  read_chain(path, {}, seen, links, config.files);
  parse_overrides(overrides, config);
  read_plugins(config);
  return config;
}

Config config_from_text(std::string name, std::string text, const std::vector<std::string>& overrides) {
  Config config;
  config.name = name;
  config.files.push_back(parse_yaml(std::move(name), std::move(text)));
  if (const std::optional<Extends> extends = take_extends(config.files[0])) {
    throw DiagnosticError(extends->where, "'extends' works in a config file only; this text has no folder to start from");
  }
  parse_overrides(overrides, config);
  read_plugins(config);
  return config;
}

}  // namespace nnrun::core
