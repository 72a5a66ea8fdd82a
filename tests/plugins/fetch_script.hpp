// Runs datasets/fetch.sh.
#pragma once

#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace fake {

struct ScriptResult {
  int code;
  std::string output;  // of both streams
  bool says(const std::string& text) const { return output.find(text) != std::string::npos; }
};

// Single quotes do for these arguments. `before`: shell words in front of the command, eg: settings of variables.
inline ScriptResult fetch(const std::string& arguments, const std::string& before = "") {
  const std::string command = before + " bash '" NNRUN_FETCH_SCRIPT "' " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  ScriptResult result{};
  char part[4096];
  for (std::size_t got = 0; (got = fread(part, 1, sizeof part, pipe)) > 0;) result.output.append(part, got);
  const int status = pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

inline bool is_empty(const std::string& folder) { return !std::filesystem::exists(folder) || std::filesystem::is_empty(folder); }

// A command of the script's own: found before those of the system where `folder` leads its PATH.
inline void write_command(const std::string& folder, const std::string& name, const std::string& text) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/" + name) << "#!/bin/sh\n" + text;
  std::filesystem::permissions(folder + "/" + name, std::filesystem::perms::owner_all);
}

}  // namespace fake
