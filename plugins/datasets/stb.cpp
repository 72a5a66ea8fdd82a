#include "stb.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <nnrun/plugin.hpp>
#include <string>

namespace {

// No single piece of memory that a picture asks for may be larger. Zeroed: what a decoder forgets to write has the same value
// on every run.
thread_local std::size_t greatest_piece = 0;

void* take(std::size_t size) { return size > greatest_piece ? nullptr : std::calloc(1, size); }
void* take_more(void* memory, std::size_t size) { return size > greatest_piece ? nullptr : std::realloc(memory, size); }

}  // namespace

#define STBI_MALLOC(size) take(size)
#define STBI_REALLOC(memory, size) take_more(memory, size)
#define STBI_FREE(memory) std::free(memory)
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_ONLY_TGA
#define STBI_ONLY_PNM
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>

namespace nnrun::datasets {

namespace {

// Feeds stb_image, and notices when it wants more than there is: it would go on with zeros.
class Feed {
 public:
  explicit Feed(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool cut_off() const { return cut_off_; }
  static const stbi_io_callbacks* callbacks() {
    static constexpr stbi_io_callbacks table{
        [](void* self, char* to, int size) { return static_cast<Feed*>(self)->read(to, static_cast<std::size_t>(size)); },
        [](void* self, int size) { static_cast<Feed*>(self)->skip(size); },
        [](void* self) { return static_cast<Feed*>(self)->at_ == static_cast<Feed*>(self)->bytes_.size() ? 1 : 0; }};
    return &table;
  }

 private:
  // What the decoder's own buffer takes at once; it may be more than is left without being more than is needed.
  static constexpr std::size_t buffer_size = 128;

  int read(char* to, std::size_t size) {
    const std::size_t count = std::min(size, bytes_.size() - at_);
    cut_off_ = cut_off_ || count == 0 || (count < size && size != buffer_size);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), count, to);
    at_ += count;
    return static_cast<int>(count);
  }

  void skip(int size) {
    const auto wanted = static_cast<std::ptrdiff_t>(at_) + size;
    cut_off_ = cut_off_ || wanted < 0 || wanted > static_cast<std::ptrdiff_t>(bytes_.size());
    at_ = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(wanted, 0, static_cast<std::ptrdiff_t>(bytes_.size())));
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  bool cut_off_ = false;
};

std::uint32_t big_endian(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

// stb_image looks at no checksum. Chunk: length, type, data, CRC-32 of type and data (PNG specification, 5.3).
void require_whole_png(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t signature = 8;
  for (std::size_t at = signature; bytes.size() - at >= 12;) {
    const std::size_t length = big_endian(bytes, at);
    if (length > bytes.size() - at - 12) break;
    const std::string type(reinterpret_cast<const char*>(bytes.data()) + at + 4, 4);
    const auto sum = static_cast<std::uint32_t>(crc32(0, bytes.data() + at + 4, static_cast<uInt>(length + 4)));
    if (sum != big_endian(bytes, at + 8 + length)) throw Error("is damaged: a checksum is wrong at byte " + std::to_string(at));
    if (type == "IEND") return;
    at += length + 12;
  }
  throw Error("is cut off: it ends before its IEND chunk");
}

// "P5" and "P6" have a value of white, which stb_image takes for 255.
void require_bytes_of_255(std::span<const std::uint8_t> bytes) {
  std::int64_t numbers[3] = {0, 0, 0};
  std::size_t at = 2;
  for (std::int64_t& number : numbers) {
    while (at < bytes.size() && (bytes[at] == '#' || bytes[at] <= ' ')) {
      if (bytes[at] == '#') {
        while (at < bytes.size() && bytes[at] != '\n' && bytes[at] != '\r') ++at;
      } else {
        ++at;
      }
    }
    while (at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9' && number < 1000000) number = number * 10 + (bytes[at++] - '0');
  }
  if (numbers[2] != 255) throw Error("is a PNM picture whose white is " + std::to_string(numbers[2]) + "; 255 is read");
}

bool starts_with(std::span<const std::uint8_t> bytes, const char* text) {
  const std::size_t size = std::strlen(text);
  return bytes.size() >= size && std::memcmp(bytes.data(), text, size) == 0;
}

struct Free {
  void operator()(stbi_uc* memory) const { stbi_image_free(memory); }
};

// `from`: 1 to 4 channels a pixel, the second or fourth being how much it covers.
void convert(const stbi_uc* from, int from_channels, Pixels& pixels) {
  const std::int64_t count = pixels.height * pixels.width;
  const bool covers = from_channels == 2 || from_channels == 4;
  const int colours = from_channels < 3 ? 1 : 3;
  std::uint8_t* to = pixels.data.data();
  for (std::int64_t i = 0; i < count; ++i, from += from_channels) {
    int colour[3];
    for (int c = 0; c < 3; ++c) {
      const int value = from[c < colours ? c : 0];
      const int cover = covers ? from[from_channels - 1] : 255;
      colour[c] = (value * cover + 255 * (255 - cover) + 127) / 255;
    }
    if (pixels.channels == 1) {
      *to++ = colours == 1 ? static_cast<std::uint8_t>(colour[0]) : luma(colour[0], colour[1], colour[2]);
    } else {
      for (const int value : colour) *to++ = static_cast<std::uint8_t>(value);
    }
  }
}

}  // namespace

void decode_stb(std::span<const std::uint8_t> bytes, std::int64_t channels, Pixels& pixels) {
  const bool png = starts_with(bytes, "\x89PNG\r\n\x1a\n");
  if (png) require_whole_png(bytes);
  if (starts_with(bytes, "P5") || starts_with(bytes, "P6")) require_bytes_of_255(bytes);
  int width = 0, height = 0, from_channels = 0;
  greatest_piece = bytes.size() + 65536;
  Feed header(bytes);
  if (stbi_info_from_callbacks(Feed::callbacks(), &header, &width, &height, &from_channels) == 0) {
    throw Error("is no JPEG, PNG, BMP, TGA or PNM picture that can be read: " + std::string(stbi_failure_reason()));
  }
  // A BMP that is stored from the top has a negative height.
  const std::int64_t rows = std::abs(std::int64_t{height}), columns = std::abs(std::int64_t{width}), count = rows * columns;
  const std::string size = std::to_string(columns) + " x " + std::to_string(rows);
  if (rows == 0 || columns == 0) throw Error("has " + size + " pixels");
  if (rows > greatest_side || columns > greatest_side || count > greatest_pixels) {
    throw Error("has " + size + " pixels, more than is read");
  }
  // Deflate packs at most 1032 to 1, and a pixel takes a bit at least; the other formats pack at most 128 to 1.
  if (count > (std::int64_t{1} << 20) && count / 8256 > static_cast<std::int64_t>(bytes.size())) {
    throw Error("is cut off: it claims " + size + " pixels in " + std::to_string(bytes.size()) + " bytes");
  }
  greatest_piece = bytes.size() + 2 * static_cast<std::size_t>(8 * count + rows) + 65536;
  Feed feed(bytes);
  const std::unique_ptr<stbi_uc, Free> decoded(stbi_load_from_callbacks(Feed::callbacks(), &feed, &width, &height, &from_channels, 0));
  if (decoded == nullptr) throw Error("cannot be decoded: " + std::string(stbi_failure_reason()));
  if (feed.cut_off()) throw Error("is cut off: it ends before its last pixel");
  if (height != rows || width != columns || from_channels < 1 || from_channels > 4) throw Error("contradicts itself about its size");
  pixels.resize(rows, columns, channels);
  convert(decoded.get(), from_channels, pixels);
}

}  // namespace nnrun::datasets
