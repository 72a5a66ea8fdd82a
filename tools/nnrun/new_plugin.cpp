#include "base/error.hpp"
#include "commands.hpp"
#include "config/diagnostic.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace nnrun::tool {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 40;

[[noreturn]] void refuse(const std::string& message, std::string suggestion = {}, const std::string& note = {}) {
  core::Diagnostic error = core::make_error({}, message, std::move(suggestion));
  if (!note.empty()) error.notes.push_back(core::make_note({}, note));
  throw core::DiagnosticError(error);
}

// One folder a kind, beside the installed configs.
fs::path template_folder() {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "share" / "nnrun" / "templates";
  if (!fs::is_directory(folder)) {
    throw core::RunError("the templates are not at " + folder.string() + "; install nnrun with `cmake --install`, which puts them there");
  }
  return folder;
}

std::vector<std::string> kinds_in(const fs::path& templates) {
  std::vector<std::string> kinds;
  for (const fs::directory_entry& entry : fs::directory_iterator(templates)) {
    if (entry.is_directory()) kinds.push_back(entry.path().filename().string());
  }
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// What nnrun_add_plugin() takes, and what makes a C++ name.
bool is_name(const std::string& name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= longest_name && name[0] >= 'a' && name[0] <= 'z' && name.back() != '_' &&
         name.find("__") == std::string::npos && std::all_of(name.begin(), name.end(), fits);
}

// hard_swish to HardSwish
std::string class_name(const std::string& name) {
  std::string result;
  bool start = true;
  for (const char c : name) {
    if (c != '_') result += start ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    start = c == '_';
  }
  return result;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

// A second component of the name would make every config that says it ambiguous.
void refuse_taken(const std::string& kind, const std::string& name, const Options& options) {
  core::Registry registry;
  core::load_plugins(registry, environment_options(options));
  for (const auto& [component, plugin] : registry.components(kind)) {
    if (name == component->name) {
      refuse("there is a component '" + name + "' of kind " + kind + " already: choose another name", "",
             "it is in " + plugin->file.string());
    }
  }
}

void copy_template(const fs::path& from, const fs::path& to, const std::string& name) {
  std::ifstream in(from, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) throw core::system_error("cannot read " + from.string());
  std::ofstream out(to, std::ios::binary);
  out << replaced(replaced(text.str(), "@NAME@", name), "@CLASS@", class_name(name));
  out.close();
  if (!out) throw core::system_error("cannot write " + to.string());
}

}  // namespace

int new_plugin(const Options& options) {
  const fs::path templates = template_folder();
  const std::string& kind = options.subject;
  const std::vector<std::string> kinds = kinds_in(templates);
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    refuse("nnrun new knows no kind " + core::quote(kind), core::did_you_mean(kind, kinds), "there are: " + listed(kinds));
  }
  if (options.words.size() != 1) {
    refuse("expected one name behind the kind, got " + std::to_string(options.words.size()), "write nnrun new " + kind + " my_" + kind);
  }
  const std::string& name = options.words[0];
  if (!is_name(name)) {
    refuse("a plugin's name is made of a-z, 0-9 and single '_' between them, starts with a letter, and has at most " +
           std::to_string(longest_name) + " characters; got " + core::quote(name));
  }
  refuse_taken(kind, name, options);
  std::error_code failure;
  const fs::path folder = name;
  if (fs::exists(fs::symlink_status(folder, failure))) {
    refuse(name + " is there already, and nothing is overwritten: move it away, or choose another name");
  }
  if (!fs::create_directory(folder, failure)) throw core::RunError("cannot make the folder " + name + ": " + failure.message());
  for (const fs::directory_entry& entry : fs::directory_iterator(templates / kind)) {
    copy_template(entry.path(), folder / replaced(entry.path().filename().string(), "NAME", name), name);
  }
  std::cout << "wrote " << name << "/: " << (kind == "kernels" ? "kernels" : "the " + kind) << " of your own, as " << name
            << ".cpp. Build, check and train with it:\n\n"
            << "  cd " << name << "\n"
            << "  cmake -S . -B build && cmake --build build\n"
            << "  ctest --test-dir build\n"
            << "  nnrun " << name << ".yaml\n";
  return 0;
}

}  // namespace nnrun::tool
