#include "photographs.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "../../plugins/datasets/archive.hpp"
#include "../../plugins/datasets/file_bytes.hpp"

namespace nnrun::catdog {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t greatest_file = std::int64_t{64} << 20;

bool wanted(const std::string& path) {
  const std::optional<Name> name = parse_name(path);
  return name && name->part() != Part::left_out;
}

std::vector<std::uint8_t> read_piece(const datasets::OpenFile& file, std::int64_t offset, std::int64_t size, const std::string& name) {
  if (size > greatest_file) throw Error(name + " has " + std::to_string(size) + " bytes: that is no photograph of this set");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  bytes.resize(file.read_at(offset, bytes));
  return bytes;
}

}  // namespace

std::string Name::path() const {
  char text[32];
  std::snprintf(text, sizeof text, "%s/%05d.jpg", class_names[label], static_cast<int>(number));
  return text;
}

std::optional<Name> parse_name(const std::string& path) {
  std::string lower = path;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!lower.ends_with(".jpg")) return std::nullopt;
  lower.erase(lower.size() - 4);
  for (std::size_t label = 0; label < std::size(class_names); ++label) {
    for (const char separator : {'/', '.'}) {
      const std::string start = std::string("/") + class_names[label] + separator;
      const std::string whole = "/" + lower;
      const std::size_t at = whole.rfind(start);
      if (at == std::string::npos) continue;
      const char* begin = whole.data() + at + start.size();
      const char* end = whole.data() + whole.size();
      Name name{label, 0};
      const auto [rest, failure] = std::from_chars(begin, end, name.number);
      if (failure == std::errc() && rest == end && *begin != '-' && name.number < pictures_a_class) return name;
    }
  }
  return std::nullopt;
}

void read_photographs(const std::string& path,
                      const std::function<void(const std::string&, const Name&, std::vector<std::uint8_t>)>& take) {
  if (fs::is_directory(path)) {
    try {
      for (const auto& entry : fs::recursive_directory_iterator(path)) {
        const std::string name = entry.path().lexically_relative(path).string();
        // The folder given may itself be the one named after the class.
        const std::string whole = entry.path().string();
        if (entry.is_symlink() || !entry.is_regular_file() || !wanted(whole)) continue;
        const datasets::OpenFile file(whole);
        take(name, *parse_name(whole), read_piece(file, 0, file.size(), whole));
      }
    } catch (const fs::filesystem_error& e) {
      throw Error("cannot list " + e.path1().string() + ": " + e.code().message());
    }
    return;
  }
  const datasets::OpenFile archive(path);
  datasets::read_archive(path, greatest_file, &wanted, [&](datasets::ArchiveMember member) {
    if (member.offset >= 0) member.bytes = read_piece(archive, member.offset, member.size, member.path);
    const Name name = *parse_name(member.path);
    take(member.path, name, std::move(member.bytes));
  });
}

}  // namespace nnrun::catdog
