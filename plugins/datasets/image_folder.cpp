#include "image_folder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "../common/text.hpp"
#include "available_memory.hpp"

namespace nnrun::datasets {

namespace {

// What a thread needs to read pictures, made once.
struct Workplace {
  PictureReader reader;
  std::vector<std::uint8_t> bytes;
};
Workplace& workplace() {
  thread_local Workplace own;
  return own;
}

std::string mebibytes(std::int64_t bytes) { return grouped((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

}  // namespace

void ImageFolder::create(const Host&) {
  if (limit > 0 && train_share < 1 && std::llround(train_share * static_cast<double>(limit)) == 0) {
    throw Error("leaves no picture of a class to train, with a limit of " + std::to_string(limit)).at("train_share");
  }
}

int ImageFolder::present(const std::string& path) const { return std::filesystem::exists(path) ? 2 : 0; }

std::unique_ptr<ImageFolder::Split> ImageFolder::open(const Host& host, const std::string& path, nnrun_split split, std::uint64_t,
                                                      nnrun_dataset_info& info) {
  if (present(path) == 0) throw Error("there is no " + path + ": see datasets/README.md");
  PictureFiles files(path);
  settle_classes(files, path);
  std::vector<std::int32_t> labels;
  for (const std::string& class_name : files.classes()) {
    labels.push_back(static_cast<std::int32_t>(std::find(classes_.begin(), classes_.end(), class_name) - classes_.begin()));
  }
  files.keep(choose(files, split));
  auto made = std::make_unique<Split>(host, *this, path, std::move(files), labels);
  made->describe(info);
  class_names_.clear();
  for (const std::string& class_name : classes_) class_names_.push_back(class_name.c_str());
  info.classes = static_cast<std::int64_t>(class_names_.size());
  info.class_names = class_names_.data();
  if (split == NNRUN_SPLIT_TRAIN) train_path_ = path;
  if (split == NNRUN_SPLIT_TEST && path == train_path_ && train_share == 1) {
    host.log(NNRUN_LOG_WARNING, path + " is both to train and to test: set train_share, or the test says nothing");
  }
  return made;
}

void ImageFolder::settle_classes(const PictureFiles& files, const std::string& path) {
  if (classes_.empty()) {
    if (files.classes().size() < 2) {
      throw Error("all pictures of " + path + " lie in folders called " + files.classes()[0] + ": a class is a folder, and two are needed");
    }
    classes_ = files.classes();
    return;
  }
  for (const std::string& class_name : files.classes()) {
    if (std::find(classes_.begin(), classes_.end(), class_name) != classes_.end()) continue;
    std::string known;
    for (const std::string& one : classes_) known += (known.empty() ? "" : ", ") + one;
    throw Error(path + " has a class " + class_name + ", which the pictures to train do not have (they have " + known + ")");
  }
}

std::vector<std::uint32_t> ImageFolder::choose(const PictureFiles& files, nnrun_split split) const {
  std::vector<std::uint32_t> chosen;
  for (std::size_t begin = 0; begin < files.count();) {
    std::size_t end = begin;
    while (end < files.count() && files.label(end) == files.label(begin)) ++end;
    std::vector<std::uint32_t> own(limit > 0 ? std::min(end - begin, static_cast<std::size_t>(limit)) : end - begin);
    std::iota(own.begin(), own.end(), static_cast<std::uint32_t>(begin));
    if (train_share < 1 && split != NNRUN_SPLIT_VALIDATION) {
      // Each class is shuffled by itself, and cut.
      Random random({split_seed, NNRUN_STREAM_SPLIT, 0, static_cast<std::uint32_t>(files.label(begin))});
      for (std::size_t i = own.size(); i-- > 1;)
        std::swap(own[i], own[static_cast<std::size_t>((std::uint64_t{random.next()} * (i + 1)) >> 32)]);
      const auto cut = static_cast<std::ptrdiff_t>(std::llround(train_share * static_cast<double>(own.size())));
      if (split == NNRUN_SPLIT_TRAIN) {
        own.erase(own.begin() + cut, own.end());
      } else {
        own.erase(own.begin(), own.begin() + cut);
      }
      std::sort(own.begin(), own.end());
    }
    chosen.insert(chosen.end(), own.begin(), own.end());
    begin = end;
  }
  if (chosen.empty()) throw Error("leaves no picture for this part").at("train_share");
  return chosen;
}

void ImageFolder::read_file(const std::string& path, std::int64_t index, const Tensor& sample) const {
  if (index != 0) throw Error(path + " is one picture: it has no number " + std::to_string(index));
  const OpenFile file(path);
  constexpr std::int64_t greatest_file = std::int64_t{256} << 20;
  if (file.size() > greatest_file) throw Error(path + " has " + mebibytes(file.size()) + ", more than is read");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  bytes.resize(file.read_at(0, bytes));
  try {
    workplace().reader.read(bytes, sample);
  } catch (const Error& e) {
    throw Error(path + " " + e.what());
  }
}

// ---- Split ----------------------------------------------------------------------------------------------------------------

ImageFolder::Split::Split(const Host& host, const ImageFolder& settings, const std::string& path, PictureFiles files,
                          const std::vector<std::int32_t>& labels)
    : files_(std::move(files)),
      path_(path),
      sample_(make_tensor(NNRUN_U8, settings.sample_shape())),
      sample_bytes_(static_cast<std::size_t>(Tensor(sample_).count())) {
  const bool keep = keep_in_memory(host, settings, path);
  if (keep) pixels_ = std::make_unique_for_overwrite<std::uint8_t[]>(files_.count() * sample_bytes_);
  for (std::size_t i = 0; i < files_.count(); ++i) labels_.push_back(labels[files_.label(i)]);
  places_.resize(files_.count());
  std::iota(places_.begin(), places_.end(), 0u);
  leave_out(host, settings, path, check(host, keep));
  if (keep) files_.forget_bytes();
}

bool ImageFolder::Split::keep_in_memory(const Host& host, const ImageFolder& settings, const std::string& path) const {
  if (settings.cache != "auto") return settings.cache == "memory";
  const auto needed = static_cast<std::int64_t>(files_.count() * sample_bytes_);
  const std::int64_t available = available_memory();
  const bool fits = needed <= available / 2;
  host.log(NNRUN_LOG_INFO, "the pictures of " + path + " take " + mebibytes(needed) + " of " + mebibytes(available) +
                               " that are available: they are " + (fits ? "kept in memory" : "decoded each time (cache: none)"));
  return fits;
}

std::vector<std::string> ImageFolder::Split::check(const Host& host, bool keep) {
  std::vector<std::string> faults(files_.count());
  host.parallel_elements(
      static_cast<std::int64_t>(files_.count()),
      [&](std::int64_t begin, std::int64_t end) {
        Workplace& own = workplace();
        nnrun_tensor sample = sample_;
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          try {
            const auto bytes = files_.read(i, own.bytes);
            sample.data = keep ? pixels_.get() + i * sample_bytes_ : nullptr;
            if (keep) {
              own.reader.read(bytes, Tensor(sample));
            } else {
              own.reader.check(bytes);
            }
          } catch (const Error& e) {
            faults[i] = e.what();
          }
        }
      },
      16);
  return faults;
}

void ImageFolder::Split::leave_out(const Host& host, const ImageFolder& settings, const std::string& path,
                                   const std::vector<std::string>& faults) {
  std::vector<std::uint32_t> good;
  std::string listed;
  std::size_t bad = 0;
  for (std::size_t i = 0; i < files_.count(); ++i) {
    if (faults[i].empty()) {
      good.push_back(static_cast<std::uint32_t>(i));
      continue;
    }
    const std::string text = files_.name(i) + " " + faults[i];
    if (settings.strict) throw Error(path + ": " + text + " (strict: false leaves such pictures out)");
    host.log(NNRUN_LOG_INFO, "left out of " + path + ": " + text);
    constexpr std::size_t greatest_listed = 5;
    if (bad < greatest_listed) listed += (bad == 0 ? "" : "; ") + text;
    if (bad == greatest_listed) listed += "; ...";
    ++bad;
  }
  if (bad == 0) return;
  note_ = grouped(static_cast<std::int64_t>(bad)) + " of " + grouped(static_cast<std::int64_t>(files_.count())) + " pictures of " + path +
          " cannot be read and are left out: " + listed;
  if (good.empty()) throw Error("no picture of " + path + " can be read: " + listed);
  std::vector<std::int32_t> labels;
  for (const std::uint32_t index : good) labels.push_back(labels_[index]);
  labels_ = std::move(labels);
  if (pixels_ != nullptr) {
    places_ = std::move(good);
  } else {
    files_.keep(good);
    places_.resize(good.size());
  }
}

void ImageFolder::Split::describe(nnrun_dataset_info& info) const {
  info.count = static_cast<std::int64_t>(labels_.size());
  info.sample = sample_;
  info.labels = labels_.data();
  info.note = note_.empty() ? nullptr : note_.c_str();
}

void ImageFolder::Split::read(std::int64_t index, const Tensor& sample, void* label) const {
  const auto number = static_cast<std::size_t>(index);
  std::memcpy(label, &labels_[number], sizeof labels_[number]);
  if (pixels_ != nullptr) {
    std::memcpy(sample.c().data, pixels_.get() + places_[number] * sample_bytes_, sample_bytes_);
    return;
  }
  Workplace& own = workplace();
  try {
    own.reader.read(files_.read(number, own.bytes), sample);
  } catch (const Error& e) {
    throw Error(path_ + ": " + files_.name(number) + " " + e.what() + "; it was readable when the run began");
  }
}

}  // namespace nnrun::datasets
