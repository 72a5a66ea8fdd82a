// The IDX format of MNIST: two zero bytes, the type, the number of dimensions, each dimension as 32 bits, big-endian, then
// the numbers, row-major (LeCun, Cortes and Burges).
#pragma once

#include <array>
#include <memory>

#include "bytes_file.hpp"

namespace nnrun::datasets {

// Whole in memory. Its storage is not zeroed first: a set is tens of megabytes.
struct IdxBytes {
  std::vector<std::int64_t> dims;  // dims[0] is the number of samples
  std::unique_ptr<std::uint8_t[]> data;
  std::int64_t count = 0;  // bytes in data
};

namespace detail {

inline std::uint32_t big_endian(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | static_cast<std::uint32_t>(bytes[3]);
}

// What the first four bytes of a file say it is.
inline std::string describe_magic(const std::uint8_t* magic) {
  if (magic[0] == 0x1f && magic[1] == 0x8b) return "gzip data; name it .gz";
  if (magic[0] == 'P' && magic[1] >= '1' && magic[1] <= '6') return "a PNM picture";
  if (magic[0] == 0x89 && magic[1] == 'P') return "a PNG picture";
  if (magic[0] == '<') return "a web page, perhaps a failed download";
  if (magic[0] != 0 || magic[1] != 0) return "no IDX file";
  const char* type = nullptr;
  switch (magic[2]) {
    case 0x08: type = "bytes"; break;
    case 0x09: type = "signed bytes"; break;
    case 0x0B: type = "16-bit integers"; break;
    case 0x0C: type = "32-bit integers"; break;
    case 0x0D: type = "floats"; break;
    case 0x0E: type = "doubles"; break;
    default: return "no IDX file";
  }
  const std::string usual = magic[2] != 0x08 ? "" : magic[3] == 1 ? ", as labels are" : magic[3] == 3 ? ", as pictures are" : "";
  return "IDX " + std::string(type) + " in " + std::to_string(magic[3]) + (magic[3] == 1 ? " dimension" : " dimensions") + usual;
}

}  // namespace detail

// Reads a file of bytes in `rank` dimensions. `what` is what it should hold, eg "pictures".
inline IdxBytes read_idx(const std::string& path, std::size_t rank, const std::string& what) {
  constexpr std::int64_t greatest_dim = 65536;  // of a picture
  constexpr std::uint64_t greatest_total = std::uint64_t{16} << 30;
  BytesFile file(path);

  std::array<std::uint8_t, 4 + 4 * 8> header{};
  const std::size_t header_size = 4 + 4 * rank;
  const std::size_t got = file.read({header.data(), 4});
  if (got == 4 && (header[0] != 0 || header[1] != 0 || header[2] != 0x08 || header[3] != rank)) {
    throw Error(path + " holds no " + what + ": expected magic " + format("0x%08x", 0x800u + static_cast<unsigned>(rank)) + ", got " +
                format("0x%08x", detail::big_endian(header.data())) + " (" + detail::describe_magic(header.data()) + ")");
  }
  if (got < 4 || file.read({header.data() + 4, header_size - 4}) < header_size - 4) {
    throw Error(path + " is too short for the header of an IDX file: expected " + std::to_string(header_size) +
                " bytes or more: get it anew");
  }

  IdxBytes idx;
  std::uint64_t total = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t dim = detail::big_endian(header.data() + 4 + 4 * i);
    if (i == 0 && dim == 0) throw Error(path + " holds no samples: its header gives a count of 0");
    if (dim == 0 || (i > 0 && dim > greatest_dim)) {
      throw Error(path + " has a dimension of " + std::to_string(dim) + " in its header, expected 1 to " + std::to_string(greatest_dim) +
                  ": it is damaged");
    }
    idx.dims.push_back(dim);
    // Below 2^32 * 2^32 before the check, and at most 2^34 after it.
    total *= static_cast<std::uint64_t>(dim);
    if (total > greatest_total) throw Error(path + " announces more than 16 GiB in its header: it is damaged, or not for this reader");
  }
  const std::string shape = to_string(idx.dims) + " = " + grouped(static_cast<std::int64_t>(total)) + " bytes";
  if (total > file.greatest_size()) {
    throw Error(path + " is cut off: its header announces " + shape + ", more than a file of its size can hold: get it anew");
  }
  idx.count = static_cast<std::int64_t>(total);
  idx.data = std::make_unique_for_overwrite<std::uint8_t[]>(total);
  if (const std::size_t bytes = file.read({idx.data.get(), total}); bytes < total) {
    throw Error(path + " is cut off: its header announces " + shape + ", got " + grouped(static_cast<std::int64_t>(bytes)) +
                ": get it anew");
  }
  file.require_end();
  return idx;
}

}  // namespace nnrun::datasets
