// Pictures and archives of every kind, for tests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fake {

using Bytes = std::string;

// Bytes (height, width, channels), from the top.
struct Picture {
  int height = 0, width = 0, channels = 3;
  std::vector<std::uint8_t> pixels;
};

// A smooth picture: JPEG changes it little. `which` varies it.
Picture smooth_picture(int height, int width, int channels, int which = 0);
// One colour.
Picture plain_picture(int height, int width, const std::vector<std::uint8_t>& colour);

struct JpegOptions {
  int quality = 95;
  bool progressive = false;
  bool inks = false;    // 4 channels as CMYK, as Adobe's programs store it
  int orientation = 0;  // EXIF's; 0: none
  bool big_endian = false;
};
Bytes jpeg(const Picture& picture, const JpegOptions& options = {});

// 1 to 4 channels of 8 or 16 bits; with 16, each byte is the upper one, and the lower one is 0x55.
Bytes png(const Picture& picture, int bits = 8);
Bytes bmp(const Picture& picture, bool from_top = false);  // 3 channels
Bytes tga(const Picture& picture);                         // 3 channels, from the top
Bytes pnm(const Picture& picture);                         // 1 or 3 channels

// Members in the order given, as format "tar", "tar.gz" or "zip" (deflated) or "zip stored".
struct Member {
  std::string path;
  Bytes bytes;
  std::string link;  // not empty: a symbolic link to this
};
void write_archive(const std::string& path, const std::string& format, const std::vector<Member>& members);
void write_file(const std::string& path, const Bytes& bytes);  // its folders are made

}  // namespace fake
