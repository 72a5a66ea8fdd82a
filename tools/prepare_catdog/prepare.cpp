#include "prepare.hpp"

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <nnrun/plugin.hpp>
#include <thread>

#include "../../plugins/common/text.hpp"
#include "../../plugins/datasets/picture.hpp"
#include "jpeg_writer.hpp"
#include "photographs.hpp"
#include "tar_writer.hpp"

namespace nnrun::catdog {

namespace {

struct Photograph {
  std::string file;
  Name name;
  std::vector<std::uint8_t> bytes;  // as found; then the small JPEG
  std::string fault;
};

void shrink(Photograph& photograph, datasets::PictureReader& reader) {
  std::uint8_t pixels[side * side * 3];
  try {
    reader.read(photograph.bytes, Tensor(make_tensor(NNRUN_U8, Shape{side, side, 3}, pixels)));
    photograph.bytes = encode_jpeg(pixels, side, side, quality);
  } catch (const Error& e) {
    photograph.fault = e.what();
    photograph.bytes = {};
  }
}

class Preparation {
 public:
  explicit Preparation(const std::string& from) : from_(from) {
    constexpr std::size_t at_once = 512;
    read_photographs(from, [&](const std::string& file, const Name& name, std::vector<std::uint8_t> bytes) {
      waiting_.push_back({file, name, std::move(bytes), ""});
      if (waiting_.size() == at_once) shrink_waiting();
    });
    shrink_waiting();
    if (::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r\033[K");
    require_all_parts();
  }

  void write(const std::string& folder) const {
    TarWriter train(folder + "/train.tar"), test(folder + "/test.tar");
    for (const auto& [name, photograph] : found_) {
      if (photograph.fault.empty()) (name.part() == Part::test ? test : train).add(name.path(), photograph.bytes);
    }
    train.finish();
    test.finish();
  }

  void report() const {
    std::int64_t bad = 0;
    for (const auto& [name, photograph] : found_) {
      if (photograph.fault.empty()) continue;
      std::printf("left out: %s %s\n", photograph.file.c_str(), photograph.fault.c_str());
      ++bad;
    }
    for (std::size_t label = 0; label < std::size(class_names); ++label) {
      std::printf("%s: %s pictures to train, %s to test\n", class_names[label], grouped(count(label, Part::train)).c_str(),
                  grouped(count(label, Part::test)).c_str());
    }
    const auto all = static_cast<std::int64_t>(found_.size());
    constexpr std::int64_t expected = pictures_a_class / 10 * 9 * static_cast<std::int64_t>(std::size(class_names));
    if (all < expected) {
      std::printf(
          "note: %s has %s of the set's %s photographs that are to train or to test: results will differ from those of the whole set\n",
          from_.c_str(), grouped(all).c_str(), grouped(expected).c_str());
    }
    if (bad > 0) std::printf("%s cannot be read and %s left out\n", grouped(bad).c_str(), bad == 1 ? "is" : "are");
  }

 private:
  void shrink_waiting() {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      datasets::PictureReader reader;
      for (std::size_t i; (i = next++) < waiting_.size();) shrink(waiting_[i], reader);
    };
    {
      std::vector<std::jthread> helpers;
      for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) helpers.emplace_back(work);
      work();
    }
    for (Photograph& photograph : waiting_) {
      const auto [place, is_new] = found_.try_emplace(photograph.name, std::move(photograph));
      if (!is_new) {
        throw Error(from_ + " has two photographs for " + photograph.name.path() + ": " + place->second.file + " and " + photograph.file);
      }
    }
    waiting_.clear();
    if (::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r%s pictures", grouped(static_cast<std::int64_t>(found_.size())).c_str());
  }

  std::int64_t count(std::size_t label, Part part) const {
    return std::count_if(found_.begin(), found_.end(), [&](const auto& entry) {
      return entry.second.fault.empty() && entry.first.label == label && entry.first.part() == part;
    });
  }

  void require_all_parts() const {
    for (std::size_t label = 0; label < std::size(class_names); ++label) {
      for (const Part part : {Part::train, Part::test}) {
        if (count(label, part) > 0) continue;
        const std::string name = class_names[label];
        throw Error("there is no readable photograph of a " + name + " to " + (part == Part::test ? "test" : "train") + " in " + from_ +
                    ": it should have them as PetImages/" + (label == 0 ? "Cat" : "Dog") + "/0.jpg and so on, or as " + name + ".0.jpg");
      }
    }
  }

  std::string from_;
  std::vector<Photograph> waiting_;
  std::map<Name, Photograph> found_;
};

}  // namespace

void prepare(const std::string& from, const std::string& folder) {
  const Preparation preparation(from);
  preparation.write(folder);
  preparation.report();
}

}  // namespace nnrun::catdog
