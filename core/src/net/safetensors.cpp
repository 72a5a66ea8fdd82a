#include "net/safetensors.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "net/plan.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace nnrun::core {

namespace fs = std::filesystem;

namespace {

// A header of a checkpoint is a few kilobytes; what is larger is damaged or hostile.
constexpr std::uint64_t max_header_bytes = std::uint64_t{16} << 20;

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw RunError(file.string() + " is not a usable checkpoint: " + why);
}

struct DtypeName {
  std::uint32_t dtype;
  const char* name;
};
constexpr DtypeName dtype_names[] = {{NNRUN_F32, "F32"}, {NNRUN_S32, "I32"}, {NNRUN_S8, "I8"}, {NNRUN_U8, "U8"}};

std::string name_of(std::uint32_t dtype) {
  for (const DtypeName& d : dtype_names) {
    if (d.dtype == dtype) return d.name;
  }
  throw RunError("a checkpoint holds no tensors of type " + std::to_string(dtype));
}

std::uint32_t dtype_of(const fs::path& file, const std::string& tensor, const nlohmann::json& entry) {
  const nlohmann::json name = entry.is_object() ? entry.value("dtype", nlohmann::json()) : nlohmann::json();
  for (const DtypeName& d : dtype_names) {
    if (name == d.name) return d.dtype;
  }
  refuse(file, "tensor '" + tensor + "' is not of type F32, I32, I8 or U8");
}

std::span<const std::byte> bytes_of(const NamedTensor& tensor) { return {static_cast<const std::byte*>(tensor.data), tensor.bytes()}; }

template <class T>
std::vector<float> converted(const NamedTensor& tensor) {
  const auto* numbers = static_cast<const T*>(tensor.data);
  std::vector<float> values(tensor.count);
  for (std::size_t i = 0; i < tensor.count; ++i) values[i] = static_cast<float>(numbers[i]);
  return values;
}

// Counters and the config can be damaged as well as weights. Keys sorted and nothing between them: the order in the file and its
// padding do not count.
void add_header(Sha256& hash, const nlohmann::json& header_without_checksum) {
  const std::string text = header_without_checksum.dump();
  hash.add(text.data(), text.size());
}

}  // namespace

std::size_t NamedTensor::bytes() const { return count * dtype_bytes(dtype); }

std::vector<float> NamedTensor::as_floats() const {
  switch (dtype) {
    case NNRUN_S32: return converted<std::int32_t>(*this);
    case NNRUN_S8: return converted<std::int8_t>(*this);
    case NNRUN_U8: return converted<std::uint8_t>(*this);
    default: return converted<float>(*this);
  }
}

void write_safetensors(const fs::path& file, std::span<const NamedTensor> given, std::map<std::string, std::string> metadata) {
  std::vector<NamedTensor> tensors(given.begin(), given.end());
  std::stable_partition(tensors.begin(), tensors.end(),
                        [](const NamedTensor& tensor) { return dtype_bytes(tensor.dtype) == sizeof(float); });
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    const std::size_t end = offset + tensor.bytes();
    header[tensor.name] = {{"dtype", name_of(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  Sha256 hash;
  add_header(hash, header);
  for (const NamedTensor& tensor : tensors) hash.add(tensor.data, tensor.bytes());
  header["__metadata__"]["checksum"] = hash.hexadecimal();
  std::string text = header.dump();
  // Readers map the file: keep the tensors aligned.
  text.resize((text.size() + 63) / 64 * 64 + 56, ' ');
  const std::uint64_t length = text.size();
  static_assert(std::endian::native == std::endian::little);

  std::vector<std::span<const std::byte>> parts{std::as_bytes(std::span(&length, 1)), std::as_bytes(std::span(text))};
  for (const NamedTensor& tensor : tensors) parts.push_back(bytes_of(tensor));
  write_atomically(file, parts);
}

SafetensorsFile::SafetensorsFile(const fs::path& file) : path_(file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || fs::is_directory(file)) throw RunError("cannot read the checkpoint " + file.string() + ": no such file");
  in.seekg(0, std::ios::end);
  const auto file_size = static_cast<std::uint64_t>(in.tellg());
  in.seekg(0);
  std::uint64_t header_bytes = 0;
  if (!in.read(reinterpret_cast<char*>(&header_bytes), sizeof header_bytes)) refuse(file, "it has fewer than 8 bytes");
  if (header_bytes > max_header_bytes || header_bytes > file_size - sizeof header_bytes) {
    refuse(file, "its header would have " + std::to_string(header_bytes) + " bytes; the file has " + std::to_string(file_size));
  }
  std::string text(header_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(header_bytes));

  // The parser keeps the last of duplicate keys; here they are an attack or damage.
  std::vector<std::set<std::string>> keys;
  bool duplicates = false;
  const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::object_start) keys.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) keys.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) duplicates = true;
    return true;
  };
  const nlohmann::json header = nlohmann::json::parse(text, watch, false);
  if (header.is_discarded() || !header.is_object()) refuse(file, "its header is not a JSON object");
  if (duplicates) refuse(file, "a name stands twice in its header");

  const std::uint64_t data_bytes = file_size - sizeof header_bytes - header_bytes;
  struct Range {
    std::uint64_t begin, end;
  };
  std::vector<Range> ranges;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) refuse(file, "metadata '" + key + "' is not a string");
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    const std::uint32_t dtype = dtype_of(file, name, entry);
    const std::size_t element = dtype_bytes(dtype);
    const auto shape = entry.find("shape");
    const auto offsets = entry.find("data_offsets");
    const auto all_unsigned = [](const nlohmann::json& list) {
      return list.is_array() && std::all_of(list.begin(), list.end(), [](const auto& v) { return v.is_number_unsigned(); });
    };
    if (shape == entry.end() || offsets == entry.end() || !all_unsigned(*shape) || !all_unsigned(*offsets) || offsets->size() != 2) {
      refuse(file, "tensor '" + name + "' has no proper shape and offsets");
    }
    const Range range{(*offsets)[0].get<std::uint64_t>(), (*offsets)[1].get<std::uint64_t>()};
    if (range.begin > range.end || range.end > data_bytes || range.begin % element != 0) {
      refuse(file, "tensor '" + name + "' ends at byte " + std::to_string(range.end) + " of " + std::to_string(data_bytes));
    }
    NamedTensor tensor{name, {}, nullptr, static_cast<std::size_t>((range.end - range.begin) / element), dtype};
    std::uint64_t count = 1;
    for (const auto& dim : *shape) {
      const auto size = dim.get<std::uint64_t>();
      if (size > data_bytes || (size != 0 && count > data_bytes / size)) refuse(file, "tensor '" + name + "' is too large");
      count *= size;
      tensor.shape.push_back(static_cast<std::int64_t>(size));
    }
    if (count * element != range.end - range.begin) {
      refuse(file, "tensor '" + name + "' has a shape of " + std::to_string(count) + " elements, but " +
                       std::to_string(range.end - range.begin) + " bytes");
    }
    tensors_.push_back(std::move(tensor));
    ranges.push_back(range);
  }
  std::vector<Range> sorted = ranges;
  std::sort(sorted.begin(), sorted.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin || (a.begin == b.begin && a.end < b.end); });
  std::uint64_t end = 0;
  for (const Range& range : sorted) {
    if (range.begin != end) refuse(file, "its tensors overlap or leave holes");
    end = range.end;
  }
  if (end != data_bytes)
    refuse(file, "it has " + std::to_string(data_bytes) + " bytes of tensors, the header speaks of " + std::to_string(end));

  data_.resize(static_cast<std::size_t>(data_bytes));
  in.read(reinterpret_cast<char*>(data_.data()), static_cast<std::streamsize>(data_bytes));
  if (!in) refuse(file, "it cannot be read to its end");
  for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].data = data_.data() + ranges[i].begin;

  const auto checksum = metadata_.find("checksum");
  if (checksum == metadata_.end()) refuse(file, "it has no checksum; was it written by nnrun?");
  nlohmann::json hashed = header;
  hashed["__metadata__"].erase("checksum");
  Sha256 hash;
  add_header(hash, hashed);
  hash.add(data_.data(), static_cast<std::size_t>(data_bytes));
  if (hash.hexadecimal() != checksum->second) refuse(file, "its checksum does not match: the file is damaged");
}

const std::string& SafetensorsFile::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) refuse(path_, "its metadata has no '" + key + "'");
  return found->second;
}

const NamedTensor* SafetensorsFile::find(const std::string& name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const NamedTensor& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace nnrun::core
