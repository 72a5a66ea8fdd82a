// NumPy's files: .npy (one array) and .npz (a zip of named ones).
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <nnrun/plugin.hpp>

namespace nnrun::tool {

struct Array {
  Shape shape;
  std::vector<float> values;  // row-major
};

// All throw RunError. Numbers of other types become floats.
Array read_npy(const std::filesystem::path& file);
void write_npy(const std::filesystem::path& file, std::span<const std::int64_t> shape, std::span<const float> values);

std::map<std::string, Array> read_npz(const std::filesystem::path& file);
struct NamedArray {
  std::string name;
  const Shape& shape;
  std::span<const float> values;
};
void write_npz(const std::filesystem::path& file, std::span<const NamedArray> arrays);

}  // namespace nnrun::tool
