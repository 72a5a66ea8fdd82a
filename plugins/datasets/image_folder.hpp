#pragma once

#include <memory>
#include <nnrun/plugin.hpp>
#include <string>
#include <vector>

#include "picture.hpp"
#include "picture_files.hpp"

namespace nnrun::datasets {

// Photographs: a folder, or an archive read in place, of folders named after their class.
struct ImageFolder {
  static constexpr auto name = "image_folder";
  static constexpr auto doc =
      "pictures (JPEG, PNG, BMP, TGA, PNM) in folders named after their class: a folder of folders, a .tar, .tar.gz or .zip";

  std::vector<std::int64_t> size;
  std::string color = "rgb";
  std::string cache = "auto";
  bool strict = false;
  std::int64_t limit = 0;
  double train_share = 1;
  std::uint64_t split_seed = 1;

  static constexpr const char* colors[] = {"rgb", "grey", nullptr};
  static constexpr const char* caches[] = {"auto", "memory", "none", nullptr};

  static constexpr auto params() {
    return schema(
        param<&ImageFolder::size>("size", "height and width that every picture is resized to, eg: [128, 128]; one number: both")
            .required()
            .items(1, 2)
            .range(1, 8192),
        param<&ImageFolder::color>("color", "rgb: 3 channels, grey: 1").choices(colors),
        param<&ImageFolder::cache>("cache", "memory: decoded once and kept; none: decoded each time; auto: memory where it is ample")
            .choices(caches),
        param<&ImageFolder::strict>("strict", "true: a picture that cannot be read is an error; false: it is left out and listed"),
        param<&ImageFolder::limit>("limit", "takes the first so many files of each class, by name; 0: all").at_least(0),
        param<&ImageFolder::train_share>("train_share",
                                         "where train and test are one path: how much of each class is to train; the rest tests")
            .above(0)
            .range(0, 1),
        param<&ImageFolder::split_seed>("split_seed", "which of them are to train, where train_share is below 1"));
  }

  class Split;

  void create(const Host&);
  int present(const std::string& path) const;
  // The first split that is opened settles the classes; a later one may lack some of them, but has no others.
  std::unique_ptr<Split> open(const Host& host, const std::string& path, nnrun_split split, std::uint64_t, nnrun_dataset_info& info);
  // One picture, of any size.
  void read_file(const std::string& path, std::int64_t index, const Tensor& sample) const;

 private:
  std::int64_t channels() const { return color == "grey" ? 1 : 3; }
  Shape sample_shape() const { return {size.front(), size.back(), channels()}; }
  // The files of one split, in the order of its samples.
  std::vector<std::uint32_t> choose(const PictureFiles& files, nnrun_split split) const;
  void settle_classes(const PictureFiles& files, const std::string& path);

  std::vector<std::string> classes_;
  std::vector<const char*> class_names_;
  std::string train_path_;
};

// One split's pictures, all of them checked. Samples are (height, width, channels) bytes.
class ImageFolder::Split {
 public:
  // `labels`: of each class of `files`.
  Split(const Host& host, const ImageFolder& settings, const std::string& path, PictureFiles files,
        const std::vector<std::int32_t>& labels);

  void describe(nnrun_dataset_info& info) const;
  void read(std::int64_t index, const Tensor& sample, void* label) const;

 private:
  bool keep_in_memory(const Host& host, const ImageFolder& settings, const std::string& path) const;
  // Reads every file once; what is wrong with each, "" where nothing is.
  std::vector<std::string> check(const Host& host, bool keep);
  void leave_out(const Host& host, const ImageFolder& settings, const std::string& path, const std::vector<std::string>& faults);

  PictureFiles files_;
  std::string path_;
  nnrun_tensor sample_{};
  std::size_t sample_bytes_ = 0;
  std::vector<std::int32_t> labels_;        // of each sample
  std::vector<std::uint32_t> places_;       // of each sample in pixels_; damaged ones leave gaps there
  std::unique_ptr<std::uint8_t[]> pixels_;  // null: decoded when read
  std::string note_;
};

}  // namespace nnrun::datasets
