// A plain tar archive, the same bytes for the same members.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace nnrun::catdog {

// Writes `path`.part, which gets its name when it is complete and on the disk; without finish(), nothing is left. Throws Error.
class TarWriter {
 public:
  explicit TarWriter(const std::string& path);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  void add(const std::string& member, std::span<const std::uint8_t> bytes);
  void finish();

 private:
  struct Archive;
  [[noreturn]] void fail() const;

  std::string path_, part_;
  std::unique_ptr<Archive> archive_;
};

}  // namespace nnrun::catdog
