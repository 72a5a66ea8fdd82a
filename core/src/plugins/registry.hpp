// All components, by kind and name; who was skipped, and why. Knows no kind.
#pragma once

#include "config/component_lookup.hpp"

#include <nnrun/nnrun.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nnrun::core {

class Registry : public ComponentLookup {
 public:
  struct Plugin {
    const nnrun_plugin* plugin;
    std::filesystem::path file;
  };
  struct Skipped {
    std::filesystem::path file;
    std::string reason;
    bool left_out = false;  // of the build: there is no such file
  };

  // Loads one library. False where it was skipped; skipped() then says why. A file that is already loaded is left alone.
  bool load_file(const std::filesystem::path& file);
  // Loads the *.so files of a folder, in the order of their names. Files that are no plugins are skipped. Where a build had to leave a
  // library out, a file NAME.left_out says why.
  void load_folder(const std::filesystem::path& folder);

  const std::vector<Plugin>& plugins() const { return plugins_; }
  const std::vector<Skipped>& skipped() const { return skipped_; }
  // Components of a kind with the plugin that brings each, in order of their names.
  std::vector<std::pair<const nnrun_component*, const Plugin*>> components(std::string_view kind) const;

  const nnrun_component* find(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> kinds() const override;
  std::vector<std::string> names(std::string_view kind) const override;
  std::vector<std::string> notes(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> ambiguous(std::string_view kind, std::string_view name) const override;

 private:
  std::vector<Plugin> plugins_;
  std::vector<Skipped> skipped_;
};

// Folders to search, in order: `given` (--plugin-path), NNRUN_PLUGIN_PATH (separated by ':'), <executable>/../lib/nnrun/plugins,
// and nnrun/plugins beside libnnrun.so where that is what runs.
// Never the current directory.
std::vector<std::filesystem::path> plugin_folders(const std::vector<std::filesystem::path>& given);

}  // namespace nnrun::core
