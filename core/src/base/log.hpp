// Messages: warnings and errors to stderr, everything to the run's log.txt.
#pragma once

#include <nnrun/nnrun.h>

#include <filesystem>
#include <memory>
#include <string>

namespace nnrun::core {

class Log {
 public:
  Log();
  ~Log();
  // Messages, those from before too, go to the end of `file`. Throws RunError.
  void open_file(const std::filesystem::path& file);
  void write(nnrun_log_level level, const std::string& message);  // any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nnrun::core
