// The safetensors format: 8 bytes of header length (little-endian), a JSON header, then the tensors' bytes without holes.
// https://github.com/huggingface/safetensors
#pragma once

#include <nnrun/nnrun.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace nnrun::core {

struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  const void* data;
  std::size_t count;
  std::uint32_t dtype = NNRUN_F32;  // or u8, s8, s32

  std::size_t bytes() const;
  // Of f32 ones.
  std::span<const float> floats() const { return {static_cast<const float*>(data), count}; }
  // Of any type, as floats.
  std::vector<float> as_floats() const;
};

// Writes atomically; tensors of bytes go behind the others, so that all are aligned. A SHA-256 goes into the metadata as "checksum": of the
// header's JSON without it (compact, keys sorted), followed by the tensors' bytes.
void write_safetensors(const std::filesystem::path& file, std::span<const NamedTensor> tensors,
                       std::map<std::string, std::string> metadata);

class SafetensorsFile {
 public:
  // Trusts nothing in the file. Throws RunError.
  explicit SafetensorsFile(const std::filesystem::path& file);

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // Throws RunError where it is missing.
  const std::string& metadata(const std::string& key) const;
  // NULL where there is none.
  const NamedTensor* find(const std::string& name) const;
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::vector<std::byte> data_;
  std::vector<NamedTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace nnrun::core
