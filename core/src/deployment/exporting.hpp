// From a trained net to files for elsewhere: asks an exporter, and writes what it makes.
#pragma once

#include "plugins/environment.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nnrun::core {

struct Export {
  struct File {
    std::string name;
    std::size_t bytes = 0;
  };
  std::string format;            // the exporter's name
  std::filesystem::path folder;  // where the files are
  std::vector<File> files;
  std::vector<std::string> notes;  // the exporter's
};

using ExportDone = std::function<void(const Export&)>;

// `formats`: components of kind exporter as a config writes them, eg: "c99" or "{c99: {golden: 4}}". Each format's files go into `folder`,
// or where that is empty, into a folder of their own beside the model, eg: int8-c99. Files are written when the exporter has made all of
// them. Throws DiagnosticError at the format where the net has no place in it.
void export_all(const std::filesystem::path& model, const EnvironmentOptions& options, const std::string& data,
                const std::vector<std::string>& formats, const std::filesystem::path& folder, const ExportDone& done);

// Lines for a user.
std::string describe(const Export& made);

}  // namespace nnrun::core
