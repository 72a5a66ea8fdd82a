#include "training/run_folder.hpp"

#include "base/error.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace nnrun::core {

namespace fs = std::filesystem;

namespace {

// The number that a folder's name is; 0 for others.
int number_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int number = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
  return failure == std::errc() && end == name.data() + name.size() && number > 0 ? number : 0;
}

int highest_number(const fs::path& folder) {
  int highest = 0;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) highest = std::max(highest, number_of(entry.path()));
  return highest;
}

}  // namespace

std::string config_stem(const std::string& config_name) { return fs::path(config_name).stem().string(); }

RunFolder::RunFolder(fs::path path)
    : path_(std::move(path)),
      lock_(std::make_unique<FileLock>(path_ / ".lock", "another nnrun is writing to " + path_.string() +
                                                            "; wait for it, or start a run of its own (without --resume)")) {}

RunFolder RunFolder::create(const fs::path& root, const std::string& config_name) {
  const fs::path parent = root / config_stem(config_name);
  std::error_code failure;
  fs::create_directories(parent, failure);
  if (failure)
    throw RunError("cannot make the folder " + parent.string() + ": " + failure.message() + "; choose another with run.folder=DIR");
  for (int number = highest_number(parent) + 1;; ++number) {
    const fs::path path = parent / std::to_string(number);
    if (::mkdir(path.c_str(), 0755) == 0) return RunFolder(path);
    if (errno != EEXIST) throw system_error("cannot make the folder " + path.string());
  }
}

std::optional<RunFolder> RunFolder::find(const fs::path& root, const std::string& config_name, const std::string& which) {
  const fs::path parent = root / config_stem(config_name);
  if (which.empty()) {
    const int number = highest_number(parent);
    if (number == 0) return std::nullopt;
    return RunFolder(parent / std::to_string(number));
  }
  const fs::path path = number_of(which) > 0 ? parent / which : fs::path(which);
  if (!fs::is_directory(path)) throw RunError("there is no run " + path.string() + " to resume");
  return RunFolder(path);
}

}  // namespace nnrun::core
