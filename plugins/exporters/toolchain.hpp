// The RISC-V assembler, linker and compiler that this machine has, for measuring what is exported and for linking it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nnrun::exporters {

// Removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path write(const std::string& name, const std::string& text) const;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::string read(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

// "as", "ld", "gcc", "size": the tool for RISC-V, or "" where there is none.
std::string find_tool(const std::string& name);

// Its standard output. Throws Error with what it said where it fails.
std::string run_tool(const std::vector<std::string>& command);

}  // namespace nnrun::exporters
