// Archives read in place: tar, tar.gz and zip, by libarchive. Nothing is ever unpacked to the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace nnrun::datasets {

// A regular file in an archive.
struct ArchiveMember {
  std::string path;
  std::int64_t offset = -1;  // of its bytes in the archive, where they are stored as they are; -1: `bytes` has them
  std::int64_t size = 0;
  std::vector<std::uint8_t> bytes;
};

// The regular files whose path is `wanted`, in the archive's order. Links, devices and paths that lead out of the archive (".."
// or from the root) are passed over. The bytes of packed members are kept in memory, at most `greatest_bytes` of them. Throws
// Error, naming the archive, where it is damaged, cut off, or something else.
std::vector<ArchiveMember> list_archive(const std::string& path, std::int64_t greatest_bytes,
                                        const std::function<bool(const std::string&)>& wanted);

// The same, one member at a time: `take` may keep it or not. No member that is packed may have more than `greatest_bytes`.
void read_archive(const std::string& path, std::int64_t greatest_bytes, const std::function<bool(const std::string&)>& wanted,
                  const std::function<void(ArchiveMember)>& take);

}  // namespace nnrun::datasets
