#include <nnrun/plugin.hpp>

#include "../../plugins/datasets/jpeg.hpp"
#include "../../plugins/datasets/picture_files.hpp"
#include "photographs.hpp"
#include "prepare.hpp"

namespace nnrun::catdog {

namespace {

void check_archive(const std::string& path, Part part) {
  const datasets::PictureFiles files(path);
  if (files.classes() != std::vector<std::string>(std::begin(class_names), std::end(class_names))) {
    throw Error(path + " should have the folders cat and dog, no others");
  }
  std::vector<std::uint8_t> buffer;
  datasets::Pixels pixels;
  for (std::size_t i = 0; i < files.count(); ++i) {
    const std::optional<Name> name = parse_name(files.name(i));
    if (!name || name->path() != files.name(i) || name->part() != part) {
      throw Error(path + " has " + files.name(i) + ", which does not belong there");
    }
    try {
      // Never smaller than stored.
      datasets::decode_jpeg(files.read(i, buffer), 3, datasets::greatest_side, datasets::greatest_side, pixels);
    } catch (const Error& e) {
      throw Error(path + ": " + files.name(i) + " " + e.what());
    }
    if (pixels.height != side || pixels.width != side) {
      throw Error(path + ": " + files.name(i) + " has " + std::to_string(pixels.height) + " x " + std::to_string(pixels.width) +
                  " pixels, not 128 x 128");
    }
  }
}

}  // namespace

void check(const std::string& folder) {
  check_archive(folder + "/train.tar", Part::train);
  check_archive(folder + "/test.tar", Part::test);
}

}  // namespace nnrun::catdog
