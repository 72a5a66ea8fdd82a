#pragma once

#include "idx_file.hpp"
#include "pgm.hpp"

namespace nnrun::datasets {

// MNIST and its kin: PATH-images-idx3-ubyte and PATH-labels-idx1-ubyte, plain or with .gz; "train-images.idx3-ubyte" is
// understood too. Samples are (height, width, 1) bytes; labels are 0 to the greatest one found.
struct Idx {
  static constexpr auto name = "idx";
  static constexpr auto doc = "pictures and labels in MNIST's format: PATH-images-idx3-ubyte and PATH-labels-idx1-ubyte, plain or .gz";

  class Split {
   public:
    Split(const std::string& images_path, const std::string& labels_path)
        : images_(read_idx(images_path, 3, "pictures")), labels_(read_idx(labels_path, 1, "labels")) {
      if (images_.dims[0] != labels_.dims[0]) {
        throw Error(images_path + " holds " + grouped(images_.dims[0]) + " pictures, but " + labels_path + " holds " +
                    grouped(labels_.dims[0]) + " labels: they do not belong together");
      }
      sample_bytes_ = images_.dims[1] * images_.dims[2];
    }

    void describe(nnrun_dataset_info& info) const {
      info.count = images_.dims[0];
      info.sample = make_tensor(NNRUN_U8, Shape{images_.dims[1], images_.dims[2], 1});
      info.classes = 1 + *std::max_element(labels_.data.get(), labels_.data.get() + labels_.count);
    }

    void read(std::int64_t index, const Tensor& sample, void* label) const {
      std::memcpy(sample.data<std::uint8_t>(), images_.data.get() + index * sample_bytes_, static_cast<std::size_t>(sample_bytes_));
      const std::int32_t value = labels_.data[static_cast<std::size_t>(index)];
      std::memcpy(label, &value, sizeof value);
    }

    void prefetch(std::int64_t index) const noexcept {
      const std::uint8_t* sample = images_.data.get() + index * sample_bytes_;
      for (std::int64_t at = 0; at < sample_bytes_; at += 64) __builtin_prefetch(sample + at, 0, 2);
      __builtin_prefetch(labels_.data.get() + index, 0, 2);
    }

   private:
    IdxBytes images_, labels_;
    std::int64_t sample_bytes_ = 0;
  };

  int present(const std::string& path) const {
    return (find(path, images_names).empty() ? 0 : 1) + (find(path, labels_names).empty() ? 0 : 1);
  }

  std::unique_ptr<Split> open(const Host&, const std::string& path, nnrun_split, std::uint64_t, nnrun_dataset_info& info) const {
    const std::string images = require(path, images_names);
    auto split = std::make_unique<Split>(images, require(path, labels_names));
    split->describe(info);
    return split;
  }

  // A PGM picture, or picture `index` of an IDX file of pictures. Nothing is resized or inverted: MNIST's digits are white on
  // black.
  void read_file(const std::string& path, std::int64_t index, const Tensor& sample) const {
    const std::int64_t height = sample.dim(0);
    const std::int64_t width = sample.dim(1);
    auto* to = sample.data<std::uint8_t>();
    if (const auto picture = read_pgm(path)) {
      if (index != 0) throw Error(path + " is one picture: it has no number " + std::to_string(index));
      require_size(path, picture->height, picture->width, height, width);
      std::copy(picture->pixels.begin(), picture->pixels.end(), to);
      return;
    }
    IdxBytes images;
    try {
      images = read_idx(path, 3, "pictures");
    } catch (const Error& e) {
      throw Error(std::string(e.what()) + ". A picture to predict is a PGM file (P5 or P2) or an IDX file of pictures");
    }
    require_size(path, images.dims[1], images.dims[2], height, width);
    if (index < 0 || index >= images.dims[0]) {
      throw Error(path + " holds pictures 0 to " + std::to_string(images.dims[0] - 1) + ", not " + std::to_string(index));
    }
    std::copy_n(images.data.get() + index * height * width, height * width, to);
  }

 private:
  static constexpr std::array<const char*, 4> images_names{"-images-idx3-ubyte", "-images-idx3-ubyte.gz", "-images.idx3-ubyte",
                                                           "-images.idx3-ubyte.gz"};
  static constexpr std::array<const char*, 4> labels_names{"-labels-idx1-ubyte", "-labels-idx1-ubyte.gz", "-labels.idx1-ubyte",
                                                           "-labels.idx1-ubyte.gz"};

  // The first that exists, or "".
  static std::string find(const std::string& path, const std::array<const char*, 4>& names) {
    for (const char* ending : names) {
      if (::access((path + ending).c_str(), F_OK) == 0) return path + ending;
    }
    return "";
  }

  static std::string require(const std::string& path, const std::array<const char*, 4>& names) {
    std::string found = find(path, names);
    if (found.empty()) throw Error("there is neither " + path + names[0] + " nor " + path + names[1] + ": see datasets/README.md");
    return found;
  }

  static void require_size(const std::string& path, std::int64_t got_height, std::int64_t got_width, std::int64_t height,
                           std::int64_t width) {
    if (got_height == height && got_width == width) return;
    const auto size = [](std::int64_t w, std::int64_t h) { return std::to_string(w) + " x " + std::to_string(h); };
    throw Error(path + " is " + size(got_width, got_height) + " pixels, expected " + size(width, height) +
                ": resize it, eg with ImageMagick: convert PICTURE -resize " + std::to_string(width) + "x" + std::to_string(height) +
                "! out.pgm");
  }
};

}  // namespace nnrun::datasets
