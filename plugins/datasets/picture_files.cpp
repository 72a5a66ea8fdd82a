#include "picture_files.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include "archive.hpp"
#include "available_memory.hpp"

namespace nnrun::datasets {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t greatest_file = std::int64_t{256} << 20;

// "a" and "b.jpg" of "a/b.jpg".
std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Whether this is the path of a picture that a person put there.
bool is_picture(const std::string& path) {
  for (const std::string& part : parts_of(path)) {
    if ((part.starts_with('.') && part != ".") || part == "__MACOSX") return false;
  }
  const std::size_t dot = path.rfind('.');
  if (dot == std::string::npos) return false;
  std::string ending = path.substr(dot + 1);
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* known : {"jpg", "jpeg", "png", "bmp", "tga", "ppm", "pgm", "pnm"}) {
    if (ending == known) return true;
  }
  return false;
}

// The folder that a picture lies in; "" for none.
std::string folder_of(const std::string& path) {
  const std::vector<std::string> parts = parts_of(path);
  return parts.size() < 2 ? "" : parts[parts.size() - 2];
}

}  // namespace

PictureFiles::PictureFiles(const std::string& path) : path_(path) {
  if (fs::is_directory(path)) {
    list_folder();
  } else {
    list_archive_members();
  }
  name_classes();
}

void PictureFiles::list_folder() {
  try {
    for (const auto& entry : fs::recursive_directory_iterator(path_)) {
      if (entry.is_symlink() || !entry.is_regular_file()) continue;
      File file;
      file.name = entry.path().lexically_relative(path_).string();
      if (is_picture(file.name)) files_.push_back(std::move(file));
    }
  } catch (const fs::filesystem_error& e) {
    throw Error("cannot list " + e.path1().string() + ": " + e.code().message());
  }
}

void PictureFiles::list_archive_members() {
  archive_ = std::make_unique<OpenFile>(path_);
  for (ArchiveMember& member : list_archive(path_, available_memory() / 2, &is_picture)) {
    files_.push_back({std::move(member.path), 0, member.offset, member.size, std::move(member.bytes)});
  }
}

void PictureFiles::name_classes() {
  const std::size_t all = files_.size();
  std::erase_if(files_, [](const File& file) { return folder_of(file.name).empty(); });
  if (files_.empty()) {
    throw Error("there is no picture in " + path_ +
                (all > 0 ? " that lies in a folder: a class is a folder of pictures, eg: cat/1.jpg"
                         : ": it should hold folders, named after their class, of pictures"));
  }
  std::map<std::string, std::size_t> labels;
  for (const File& file : files_) labels.emplace(folder_of(file.name), 0);
  for (auto& [name, label] : labels) {
    label = classes_.size();
    classes_.push_back(name);
  }
  for (File& file : files_) file.label = labels[folder_of(file.name)];
  // Stable: of two members of one path, the later one of the archive comes later, and counts.
  std::stable_sort(files_.begin(), files_.end(),
                   [](const File& a, const File& b) { return a.label != b.label ? a.label < b.label : a.name < b.name; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (kept > 0 && files_[kept - 1].name == files_[i].name) --kept;
    if (kept != i) files_[kept] = std::move(files_[i]);
    ++kept;
  }
  files_.resize(kept);
}

void PictureFiles::keep(std::span<const std::uint32_t> indices) {
  std::vector<File> kept;
  kept.reserve(indices.size());
  for (const std::uint32_t index : indices) kept.push_back(std::move(files_[index]));
  files_ = std::move(kept);
}

std::span<const std::uint8_t> PictureFiles::read(std::size_t index, std::vector<std::uint8_t>& buffer) const {
  const File& file = files_[index];
  if (!file.bytes.empty()) return file.bytes;
  const auto fill = [&](const OpenFile& from, std::int64_t offset, std::int64_t size) {
    if (size > greatest_file) throw Error("has " + std::to_string(size) + " bytes, more than is read");
    if (buffer.size() < static_cast<std::size_t>(size)) buffer.resize(static_cast<std::size_t>(size));
    const std::span<std::uint8_t> bytes(buffer.data(), static_cast<std::size_t>(size));
    return std::span<const std::uint8_t>(bytes.first(from.read_at(offset, bytes)));
  };
  if (file.size >= 0) return fill(*archive_, file.offset, file.size);
  const OpenFile opened(path_ + "/" + file.name, O_NOFOLLOW);
  return fill(opened, 0, opened.size());
}

void PictureFiles::forget_bytes() {
  for (File& file : files_) file.bytes = {};
  archive_.reset();
}

}  // namespace nnrun::datasets
