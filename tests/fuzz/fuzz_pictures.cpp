// Any bytes may be a picture or an archive of pictures: each is read or refused with an Error, and nothing else happens.
//
//     fuzz_pictures RUNS [SEED]
//
// Seeds are made, then mutated in a fixed, repeatable way. Checksums are put right again in half of the mutated PNGs and tars, so
// that the code behind them sees the damage.
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "../../plugins/datasets/picture.hpp"
#include "../../plugins/datasets/picture_files.hpp"
#include "../plugins/picture_makers.hpp"

namespace {

using fake::Bytes;

struct Seed {
  std::string kind;
  Bytes bytes;
};

Bytes archive_of(const std::string& format, const std::vector<fake::Member>& members) {
  const std::string path = (std::filesystem::temp_directory_path() / ("nnrun_fuzz_" + std::to_string(getpid()))).string();
  fake::write_archive(path, format, members);
  std::ifstream stream(path, std::ios::binary);
  Bytes bytes(std::istreambuf_iterator<char>(stream), {});
  std::filesystem::remove(path);
  return bytes;
}

std::vector<Seed> make_seeds() {
  const fake::Picture colour = fake::smooth_picture(37, 29, 3), grey = fake::smooth_picture(19, 23, 1),
                      clear = fake::smooth_picture(9, 11, 4);
  fake::JpegOptions progressive, inks, turned;
  progressive.progressive = true;
  inks.inks = true;
  turned.orientation = 6;
  std::vector<Seed> seeds{{"jpeg", fake::jpeg(colour)},
                          {"jpeg", fake::jpeg(grey)},
                          {"jpeg", fake::jpeg(colour, progressive)},
                          {"jpeg", fake::jpeg(clear, inks)},
                          {"jpeg", fake::jpeg(colour, turned)},
                          {"png", fake::png(colour)},
                          {"png", fake::png(grey, 16)},
                          {"png", fake::png(clear)},
                          {"bmp", fake::bmp(colour)},
                          {"bmp", fake::bmp(colour, true)},
                          {"tga", fake::tga(colour)},
                          {"pnm", fake::pnm(colour)},
                          {"pnm", fake::pnm(grey)}};
  const std::vector<fake::Member> members{{"cat/1.png", fake::png(grey), ""},
                                          {"cat/a name that is far too long for the header of an old tar, so that it takes one more "
                                           "member to hold it, which is read before the member itself.jpg",
                                           fake::jpeg(grey), ""},
                                          {"dog/1.bmp", fake::bmp(colour), ""},
                                          {"dog/link.png", "", "1.bmp"}};
  for (const char* format : {"tar", "tar.gz", "zip", "zip stored"}) seeds.push_back({format, archive_of(format, members)});
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit); }

  Bytes mutate(const Seed& seed, const std::vector<Seed>& all) {
    Bytes bytes = seed.bytes;
    for (std::size_t left = 1 + below(6); left > 0 && !bytes.empty(); --left) once(bytes, all);
    if (seed.kind == "png" && below(2) == 0) correct_png(bytes);
    if (seed.kind == "tar" && below(2) == 0) correct_tar(bytes);
    return bytes;
  }

 private:
  void once(Bytes& bytes, const std::vector<Seed>& all) {
    // Headers are where most goes wrong.
    const std::size_t at = below(2) == 0 ? below(std::min<std::size_t>(bytes.size(), 160)) : below(bytes.size());
    static constexpr unsigned numbers[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff};
    switch (below(8)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 1: bytes[at] = static_cast<char>(below(256)); break;
      case 2: bytes.erase(at, 1 + below(30)); break;
      case 3: bytes.insert(at, 1 + below(30), static_cast<char>(below(256))); break;
      case 4: bytes.resize(at); break;
      case 5: {
        const Bytes& other = all[below(all.size())].bytes;
        bytes.insert(at, other.substr(below(other.size()), 1 + below(200)));
        break;
      }
      case 6: {
        const Bytes piece = bytes.substr(at, 1 + below(100));
        bytes.replace(std::min(below(bytes.size()), bytes.size() - 1), piece.size(), piece);
        break;
      }
      default: {
        const unsigned number = numbers[below(std::size(numbers))];
        const std::size_t size = std::size_t{1} << below(3);
        const bool big_endian = below(2) == 0;
        for (std::size_t i = 0; i < size && at + i < bytes.size(); ++i) {
          bytes[at + i] = static_cast<char>(number >> (8 * (big_endian ? size - 1 - i : i)));
        }
      }
    }
  }

  static void correct_png(Bytes& bytes) {
    const auto byte = [&](std::size_t at) { return std::uint32_t{static_cast<std::uint8_t>(bytes[at])}; };
    for (std::size_t at = 8; at + 12 <= bytes.size();) {
      const std::size_t length = byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
      if (length > bytes.size() - at - 12) return;
      const auto sum = crc32(0, reinterpret_cast<const Bytef*>(bytes.data()) + at + 4, static_cast<uInt>(length + 4));
      for (std::size_t i = 0; i < 4; ++i) bytes[at + 8 + length + i] = static_cast<char>(sum >> (24 - 8 * i));
      at += length + 12;
    }
  }

  static void correct_tar(Bytes& bytes) {
    for (std::size_t at = 0; at + 512 <= bytes.size(); at += 512) {
      if (bytes.compare(at + 257, 5, "ustar") != 0) continue;
      bytes.replace(at + 148, 8, "        ");
      unsigned sum = 0;
      for (std::size_t i = 0; i < 512; ++i) sum += static_cast<std::uint8_t>(bytes[at + i]);
      char text[8];
      std::snprintf(text, sizeof text, "%06o", sum & 0777777);
      bytes.replace(at + 148, 7, text, 7);
    }
  }

  std::mt19937_64 random_;
};

// Whether they were read.
bool read_picture(const Bytes& bytes) {
  static nnrun::datasets::PictureReader reader;
  static std::uint8_t pixels[16 * 24 * 3];
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  // A copy of just its size, so that a byte read behind it is noticed.
  const std::vector<std::uint8_t> exact(begin, begin + bytes.size());
  bool checked = true;
  try {
    reader.check(exact);
  } catch (const nnrun::Error&) {
    checked = false;
  }
  for (const std::int64_t channels : {1, 3}) {
    bool read = true;
    try {
      reader.read(exact, nnrun::Tensor(nnrun::make_tensor(NNRUN_U8, nnrun::Shape{16, 24, channels}, pixels)));
    } catch (const nnrun::Error&) {
      read = false;
    }
    // What is left out when a set is opened is what cannot be read later.
    if (read != checked) {
      std::fprintf(stderr, "check() says %d, read() %d\n", checked, read);
      std::abort();
    }
  }
  return checked;
}

bool read_archive(const Bytes& bytes) {
  const int file = memfd_create("archive", 0);
  if (file < 0 || write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  bool read = true;
  try {
    const nnrun::datasets::PictureFiles files("/proc/self/fd/" + std::to_string(file));
    std::vector<std::uint8_t> buffer;
    for (std::size_t i = 0; i < files.count(); ++i) {
      const auto got = files.read(i, buffer);
      read_picture(Bytes(got.begin(), got.end()));
    }
  } catch (const nnrun::Error&) {
    read = false;
  }
  close(file);
  return read;
}

}  // namespace

int main(int argc, char** argv) {
  const long runs = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (runs <= 0) {
    std::fprintf(stderr, "usage: %s RUNS [SEED]\n", argv[0]);
    return 2;
  }
  const std::vector<Seed> seeds = make_seeds();
  const auto is_archive = [](const Seed& seed) { return seed.kind.starts_with("tar") || seed.kind.starts_with("zip"); };
  for (const Seed& seed : seeds) {
    if (is_archive(seed) ? read_archive(seed.bytes) : read_picture(seed.bytes)) continue;
    std::fprintf(stderr, "a %s that is whole was refused\n", seed.kind.c_str());
    return 1;
  }
  Mutator mutator(argc > 2 ? static_cast<unsigned>(std::strtol(argv[2], nullptr, 10)) : 42);
  std::map<std::string, std::pair<long, long>> counts;  // all, read
  for (long i = 0; i < runs; ++i) {
    const Seed& seed = seeds[static_cast<std::size_t>(i) % seeds.size()];
    const Bytes bytes = mutator.mutate(seed, seeds);
    auto& [all, read] = counts[seed.kind];
    ++all;
    read += (is_archive(seed) ? read_archive(bytes) : read_picture(bytes)) ? 1 : 0;
  }
  for (const auto& [kind, count] : counts) std::printf("%-10s %6ld mutated, %6ld still read\n", kind.c_str(), count.first, count.second);
  return 0;
}
