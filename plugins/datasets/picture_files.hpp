// The pictures of a folder or an archive, each in a folder named after its class.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "file_bytes.hpp"

namespace nnrun::datasets {

class PictureFiles {
 public:
  // Lists the pictures under `path`, by their names' endings (jpg, jpeg, png, bmp, tga, ppm, pgm, pnm). A picture's class is the name of
  // the folder it lies in. Hidden files and folders, links, and whatever is no regular file are passed over. Sorted by class and then by
  // path, as bytes, however the folder or archive orders them. Throws Error, naming `path`.
  explicit PictureFiles(const std::string& path);

  std::size_t count() const { return files_.size(); }
  // eg: cat/00001.jpg
  const std::string& name(std::size_t index) const { return files_[index].name; }
  const std::vector<std::string>& classes() const { return classes_; }  // sorted
  std::size_t label(std::size_t index) const { return files_[index].label; }

  // Keeps those files alone, in this order.
  void keep(std::span<const std::uint32_t> indices);

  // The bytes of one file, in `buffer` or in this object. Any thread. Throws Error without the file's name.
  std::span<const std::uint8_t> read(std::size_t index, std::vector<std::uint8_t>& buffer) const;

  // Drops what read() needs.
  void forget_bytes();

 private:
  struct File {
    std::string name;
    std::size_t label = 0;
    std::int64_t offset = 0, size = -1;  // in the archive; a size of -1: a file of the folder
    std::vector<std::uint8_t> bytes;     // of a packed one
  };
  void list_folder();
  void list_archive_members();
  void name_classes();

  std::string path_;
  std::unique_ptr<OpenFile> archive_;
  std::vector<File> files_;
  std::vector<std::string> classes_;
};

}  // namespace nnrun::datasets
