// runs/<config>/<number>/: where a run leaves its files.
#pragma once

#include "base/files.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace nnrun::core {

class RunFolder {
 public:
  // A new one: the next number. Two processes at once get two.
  static RunFolder create(const std::filesystem::path& root, const std::string& config_name);
  // `which`: "" for the config's latest, a number, or a folder. None where the config has no run yet (and `which` is "").
  static std::optional<RunFolder> find(const std::filesystem::path& root, const std::string& config_name, const std::string& which);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.yaml"; }
  std::filesystem::path log() const { return path_ / "log.txt"; }
  std::filesystem::path last() const { return path_ / "last.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.safetensors"; }

 private:
  // Throws RunError where another process is writing to it.
  explicit RunFolder(std::filesystem::path path);

  std::filesystem::path path_;
  std::unique_ptr<FileLock> lock_;
};

// Of a config's file: "configs/mnist_mlp.yaml" is "mnist_mlp".
std::string config_stem(const std::string& config_name);

}  // namespace nnrun::core
