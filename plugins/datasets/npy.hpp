#pragma once

#include <cmath>
#include <memory>

#include "bytes_file.hpp"

namespace nnrun::datasets {

// An array as NumPy's format (NEP 1) stores it: a header that is a Python dictionary, then the numbers.
struct NpyFile {
  std::string path, type;  // eg: "<f4"
  Shape shape;
  std::vector<std::uint8_t> bytes;

  std::int64_t count() const { return shape[0]; }
  std::size_t row_count() const {
    std::size_t product = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) product *= static_cast<std::size_t>(shape[i]);
    return product;
  }
  bool integers() const { return type[1] != 'f'; }

  double number(std::size_t index) const {
    const auto as = [&]<class Number>(Number value) {
      std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
      return static_cast<double>(value);
    };
    if (type == "|u1") return as(std::uint8_t{});
    if (type == "<i4") return as(std::int32_t{});
    if (type == "<i8") return as(std::int64_t{});
    return type == "<f4" ? as(float{}) : as(double{});
  }
};

inline NpyFile read_npy(const std::string& path) {
  File file(path);
  const auto take = [&](std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    if (file.read(bytes) != count) throw Error(path + " is cut off: get it anew");
    return bytes;
  };
  const auto magic = take(8);
  if (std::memcmp(magic.data(), "\x93NUMPY", 6) != 0 || magic[6] < 1 || magic[6] > 3) throw Error(path + " is no .npy file");
  const auto length_bytes = take(magic[6] == 1 ? 2 : 4);
  std::size_t length = 0;
  for (std::size_t i = length_bytes.size(); i-- > 0;) length = length * 256 + length_bytes[i];
  if (length > 65536) throw Error(path + " has a header of " + std::to_string(length) + " bytes, more than is read");
  const auto header_bytes = take(length);
  const std::string header(header_bytes.begin(), header_bytes.end());
  const auto behind = [&](const char* key) {
    const std::size_t at = header.find(std::string("'") + key + "'");
    const std::size_t colon = header.find(':', at);
    if (at == std::string::npos || colon == std::string::npos) throw Error(path + " has a header without " + key);
    const std::size_t value = header.find_first_not_of(" ", colon + 1);
    if (value == std::string::npos) throw Error(path + " has a header without " + key);
    return value;
  };
  NpyFile array;
  array.path = path;
  const std::size_t type = behind("descr");
  const std::size_t type_end = type == std::string::npos ? type : header.find('\'', type + 1);
  if (type_end == std::string::npos) throw Error(path + " has a header whose descr is no simple type");
  array.type = header.substr(type + 1, type_end - type - 1);
  std::size_t size = 0;
  for (const auto& [name, bytes] :
       {std::pair{"|u1", 1}, std::pair{"<f4", 4}, std::pair{"<f8", 8}, std::pair{"<i4", 4}, std::pair{"<i8", 8}}) {
    if (array.type == name) size = static_cast<std::size_t>(bytes);
  }
  if (size == 0)
    throw Error(path + " holds numbers of type " + array.type + "; uint8, int32, int64, float32 and float64 are read (little-endian)");
  if (header.compare(behind("fortran_order"), 5, "False") != 0) {
    throw Error(path + " is stored column by column (Fortran's order): save numpy.ascontiguousarray(a) instead");
  }
  const std::size_t shape = behind("shape");
  const std::size_t shape_end = header.find(')', std::min(shape, header.size()));
  if (shape_end == std::string::npos || header[shape] != '(') throw Error(path + " has a header whose shape makes no sense");
  std::int64_t total = 1;
  for (std::size_t at = shape + 1; at < shape_end;) {
    std::int64_t dim = 0;
    const std::size_t begin = at;
    while (at < shape_end && header[at] >= '0' && header[at] <= '9' && dim < (std::int64_t{1} << 40)) dim = dim * 10 + (header[at++] - '0');
    if (at == begin && header[at] != ' ' && header[at] != ',') throw Error(path + " has a header whose shape makes no sense");
    if (at == begin) {
      ++at;
      continue;
    }
    if (dim < 1 || dim > (std::int64_t{1} << 40) / total)
      throw Error(path + " has a dimension of " + std::to_string(dim) + ", which is not read");
    total *= dim;
    array.shape.push_back(dim);
  }
  const std::int64_t expected = total * static_cast<std::int64_t>(size);
  const auto here = static_cast<std::int64_t>(file.size()) - static_cast<std::int64_t>(8 + length_bytes.size() + length);
  if (array.shape.empty() || array.shape.size() > NNRUN_MAX_RANK - 1)
    throw Error(path + " has " + std::to_string(array.shape.size()) + " dimensions; 1 to 5 are read");
  if (here != expected) {
    throw Error(path + " should hold " + std::to_string(expected) + " bytes of numbers, and holds " + std::to_string(here) +
                ": it is damaged");
  }
  array.bytes = take(static_cast<std::size_t>(expected));
  return array;
}

// PATH-features.npy and PATH-labels.npy. Bytes stay bytes, all else becomes f32. Whole numbers as labels are classes, 0 and up;
// other ones are numbers to come close to.
struct Npy {
  static constexpr auto name = "npy";
  static constexpr auto doc = "NumPy arrays: PATH-features.npy (samples first) and PATH-labels.npy (integers: classes; floats: numbers)";

  class Split {
   public:
    Split(const NpyFile& features, const NpyFile& labels) : row_(features.row_count()), bytes_(features.type == "|u1") {
      const std::size_t all = row_ * static_cast<std::size_t>(features.count());
      if (bytes_) {
        raw_ = features.bytes;
      } else {
        for (std::size_t i = 0; i < all; ++i) numbers_.push_back(finite(features, i));
      }
      const auto count = static_cast<std::size_t>(labels.count()) * labels.row_count();
      for (std::size_t i = 0; i < count; ++i) {
        if (!labels.integers()) {
          targets_.push_back(finite(labels, i));
          continue;
        }
        const double value = labels.number(i);
        if (value < 0 || value > 65535) {
          throw Error(labels.path + ": label " + std::to_string(i) + " is " + std::to_string(static_cast<std::int64_t>(value)) +
                      ", expected a class of 0 to 65535");
        }
        classes_.push_back(static_cast<std::int32_t>(value));
      }
      targets_a_row_ = labels.integers() ? 0 : labels.row_count();
    }

    void describe(const NpyFile& features, nnrun_dataset_info& info) const {
      Shape shape(features.shape.begin() + 1, features.shape.end());
      if (shape.empty()) shape.push_back(1);
      info.count = features.count();
      info.sample = make_tensor(bytes_ ? NNRUN_U8 : NNRUN_F32, shape);
      info.targets = static_cast<std::int64_t>(targets_a_row_);
      info.classes = classes_.empty() ? 0 : 1 + *std::max_element(classes_.begin(), classes_.end());
      info.labels = classes_.empty() ? nullptr : classes_.data();
    }

    void read(std::int64_t index, const Tensor& sample, void* label) const {
      const auto number = static_cast<std::size_t>(index);
      if (bytes_) {
        std::memcpy(sample.c().data, raw_.data() + number * row_, row_);
      } else {
        std::memcpy(sample.c().data, numbers_.data() + number * row_, row_ * sizeof(float));
      }
      if (targets_a_row_ == 0) {
        std::memcpy(label, &classes_[number], sizeof(std::int32_t));
      } else {
        std::memcpy(label, targets_.data() + number * targets_a_row_, targets_a_row_ * sizeof(float));
      }
    }

    static float finite(const NpyFile& array, std::size_t index) {
      const auto value = static_cast<float>(array.number(index));
      if (!std::isfinite(value)) throw Error(array.path + ": number " + std::to_string(index) + " is not finite, or beyond f32");
      return value;
    }

   private:
    std::size_t row_, targets_a_row_ = 0;
    bool bytes_;
    std::vector<std::uint8_t> raw_;
    std::vector<float> numbers_, targets_;
    std::vector<std::int32_t> classes_;
  };

  int present(const std::string& path) const {
    return (::access((path + "-features.npy").c_str(), F_OK) == 0 ? 1 : 0) + (::access((path + "-labels.npy").c_str(), F_OK) == 0 ? 1 : 0);
  }

  std::unique_ptr<Split> open(const Host&, const std::string& path, nnrun_split, std::uint64_t, nnrun_dataset_info& info) const {
    const NpyFile features = read_npy(path + "-features.npy"), labels = read_npy(path + "-labels.npy");
    if (features.count() != labels.count()) {
      throw Error(features.path + " holds " + grouped(features.count()) + " samples, but " + labels.path + " holds " +
                  grouped(labels.count()) + " labels: they do not belong together");
    }
    if (labels.shape.size() > 2 || (labels.integers() && labels.row_count() != 1)) {
      throw Error(labels.path + " has the shape " + to_string(labels.shape) + "; labels are (N), numbers (N) or (N, targets)");
    }
    auto made = std::make_unique<Split>(features, labels);
    made->describe(features, info);
    return made;
  }

  // Sample `index` of an array of features.
  void read_file(const std::string& path, std::int64_t index, const Tensor& sample) const {
    const NpyFile features = read_npy(path);
    Shape shape(features.shape.begin() + 1, features.shape.end());
    if (shape.empty()) shape.push_back(1);
    const bool bytes = features.type == "|u1";
    if (shape != sample.shape() || bytes != (sample.dtype() == NNRUN_U8)) {
      throw Error(path + " has samples of " + to_string(shape) + (bytes ? " bytes" : " numbers") + ", expected " +
                  to_string(sample.shape()) + (sample.dtype() == NNRUN_U8 ? " bytes" : " numbers") + ", as in the array to train");
    }
    if (index >= features.count()) {
      throw Error(path + " has " + grouped(features.count()) + " samples: there is no number " + std::to_string(index) +
                  " (the first is 0)");
    }
    const std::size_t count = features.row_count(), first = static_cast<std::size_t>(index) * count;
    if (bytes) {
      std::memcpy(sample.c().data, features.bytes.data() + first, count);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) sample.data()[i] = Split::finite(features, first + i);
  }
};

}  // namespace nnrun::datasets
