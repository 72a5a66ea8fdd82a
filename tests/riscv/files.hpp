#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

inline std::vector<unsigned char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
