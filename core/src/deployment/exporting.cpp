#include "deployment/exporting.hpp"

#include "base/files.hpp"
#include "config/yaml.hpp"
#include "deployment/predictor.hpp"
#include "inspection/net_view.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <set>

namespace nnrun::core {

namespace {

constexpr std::int64_t golden_samples = 256;  // as many as an exporter may want

struct Made {
  struct File {
    std::string name, bytes;
    bool executable;
  };
  std::vector<File> files;
  std::vector<std::string> notes;

  void add(const std::string& name, const void* data, std::size_t bytes, bool executable) {
    const bool plain = !name.empty() && name.find('/') == std::string::npos && name != "." && name != "..";
    if (!plain || std::ranges::find(files, name, &File::name) != files.end()) throw Error("the exporter names a file '" + name + "'");
    files.push_back({name, std::string(static_cast<const char*>(data), bytes), executable});
  }
};

Made& made_of(void* context) { return *static_cast<Made*>(context); }

Made ask(const ComponentSpec& exporter, const HostServices& host, const NetView& net) {
  Made made;
  nnrun_exported to{};
  to.size = sizeof to;
  to.context = &made;
  to.file = [](void* context, const char* name, const void* data, std::size_t bytes, std::uint32_t executable, nnrun_error* error) {
    return detail::guard(error, [&] { made_of(context).add(name, data, bytes, executable != 0); });
  };
  to.note = [](void* context, const char* text) { made_of(context).notes.emplace_back(text); };
  const Instance instance(exporter, host.c());
  nnrun_error error{};
  if (instance.vtable<nnrun_exporter_vtable>().export_net(instance.self(), &net.c(), &to, &error) != 0) instance.fail_in_config(error);
  return made;
}

Export write(const Made& made, const std::string& format, const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw RunError("cannot make the folder " + folder.string() + ": " + failed.message());
  Export result{format, folder, {}, made.notes};
  for (const Made::File& file : made.files) {
    write_atomically(folder / file.name, file.bytes);
    if (file.executable) {
      std::filesystem::permissions(
          folder / file.name, std::filesystem::perms::owner_exec | std::filesystem::perms::group_exec | std::filesystem::perms::others_exec,
          std::filesystem::perm_options::add, failed);
    }
    result.files.push_back({file.name, file.bytes.size()});
  }
  return result;
}

}  // namespace

void export_all(const std::filesystem::path& file, const EnvironmentOptions& options, const std::string& data_root,
                const std::vector<std::string>& words, const std::filesystem::path& folder, const ExportDone& done) {
  const Predictor model(file, options);
  const Environment& environment = model.environment();
  std::vector<ComponentSpec> exporters;
  std::vector<Diagnostic> errors;
  CheckContext context{environment.registry(), errors};
  for (const std::string& word : words) {
    auto spec = check_component(parse_document(make_source("command line", word), 0), "exporter", "export", context);
    if (spec) exporters.push_back(std::move(*spec));
  }
  if (!errors.empty()) throw DiagnosticError(std::move(errors));
  if (exporters.empty())
    throw DiagnosticError({}, "export to what? Write one or more formats behind the model, eg: nnrun export " + file.string() +
                                  " c99; `nnrun explain exporter` lists them");
  Data data(environment.settings(), environment.host(), find_data_root(data_root));
  const NetView view(environment, data, data.test(), golden_samples, model.parameters());
  for (const ComponentSpec& exporter : exporters) {
    const std::string format = exporter.component->name;
    const Made made = ask(exporter, environment.host(), view);
    done(write(made, format, folder.empty() ? file.parent_path() / (file.stem().string() + "-" + format) : folder));
  }
}

std::string describe(const Export& made) {
  std::string text = made.format + ": " + made.folder.string() + "\n";
  for (const Export::File& file : made.files) text += "  " + file.name + ", " + std::to_string(file.bytes) + " bytes\n";
  for (const std::string& note : made.notes) text += "  " + note + "\n";
  return text;
}

}  // namespace nnrun::core
