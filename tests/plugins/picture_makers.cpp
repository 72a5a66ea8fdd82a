#include "picture_makers.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

// Needs stdio.
#include <jpeglib.h>

namespace fake {

Picture smooth_picture(int height, int width, int channels, int which) {
  Picture picture{height, width, channels, {}};
  for (int r = 0; r < height; ++r) {
    for (int c = 0; c < width; ++c) {
      for (int k = 0; k < channels; ++k) {
        const double wave = std::sin(0.05 * (r + which) * (k + 1)) + std::cos(0.04 * c + which);
        picture.pixels.push_back(static_cast<std::uint8_t>(127 + 60 * wave));
      }
    }
  }
  return picture;
}

Picture plain_picture(int height, int width, const std::vector<std::uint8_t>& colour) {
  Picture picture{height, width, static_cast<int>(colour.size()), {}};
  for (int i = 0; i < height * width; ++i) picture.pixels.insert(picture.pixels.end(), colour.begin(), colour.end());
  return picture;
}

// ---- JPEG -----------------------------------------------------------------------------------------------------------------

Bytes jpeg(const Picture& picture, const JpegOptions& options) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &memory, &size);
  encoder.image_height = static_cast<JDIMENSION>(picture.height);
  encoder.image_width = static_cast<JDIMENSION>(picture.width);
  encoder.input_components = picture.channels;
  encoder.in_color_space = options.inks ? JCS_CMYK : picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, options.quality, TRUE);
  if (options.progressive) jpeg_simple_progression(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  if (options.orientation != 0) {
    const auto number = [&](unsigned value, int bytes) {
      Bytes text;
      for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * (options.big_endian ? bytes - 1 - i : i)));
      return text;
    };
    Bytes exif("Exif\0\0", 6);
    exif += options.big_endian ? "MM" : "II";
    exif += number(42, 2) + number(8, 4) + number(2, 2);
    exif += number(0x0100, 2) + number(4, 2) + number(1, 4) + number(77, 4);  // some other tag
    exif += number(0x0112, 2) + number(3, 2) + number(1, 4) + number(static_cast<unsigned>(options.orientation), 2) + number(0, 2);
    exif += number(0, 4);
    jpeg_write_marker(&encoder, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(exif.data()), static_cast<unsigned>(exif.size()));
  }
  std::vector<std::uint8_t> pixels = picture.pixels;
  while (encoder.next_scanline < encoder.image_height) {
    JSAMPROW row =
        pixels.data() + static_cast<std::size_t>(encoder.next_scanline) * static_cast<std::size_t>(picture.width * picture.channels);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  Bytes bytes(reinterpret_cast<const char*>(memory), size);
  jpeg_destroy_compress(&encoder);
  std::free(memory);
  return bytes;
}

// ---- The others -----------------------------------------------------------------------------------------------------------

namespace {

Bytes big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

Bytes little_endian(std::uint32_t value, int bytes) {
  Bytes text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

Bytes chunk(const char* type, const Bytes& data) {
  const Bytes summed = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(summed.data()), static_cast<uInt>(summed.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + summed + big_endian(static_cast<std::uint32_t>(sum));
}

// One row's pixels with red and blue swapped.
Bytes swapped_row(const Picture& picture, int row) {
  Bytes bytes;
  for (int c = 0; c < picture.width; ++c) {
    const std::uint8_t* pixel = picture.pixels.data() + (row * picture.width + c) * 3;
    for (int k = 2; k >= 0; --k) bytes += static_cast<char>(pixel[k]);
  }
  return bytes;
}

}  // namespace

Bytes png(const Picture& picture, int bits) {
  Bytes raw;
  const int row = picture.width * picture.channels;
  for (int r = 0; r < picture.height; ++r) {
    raw += '\0';  // no filter
    for (int i = 0; i < row; ++i) {
      raw += static_cast<char>(picture.pixels[static_cast<std::size_t>(r * row + i)]);
      if (bits == 16) raw += '\x55';
    }
  }
  Bytes packed(compressBound(raw.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(raw.data()), raw.size());
  packed.resize(size);
  const char types[] = {0, 0, 4, 2, 6};
  const Bytes header = big_endian(static_cast<std::uint32_t>(picture.width)) + big_endian(static_cast<std::uint32_t>(picture.height)) +
                       Bytes{static_cast<char>(bits), types[picture.channels], 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", "");
}

Bytes bmp(const Picture& picture, bool from_top) {
  Bytes data;
  for (int r = 0; r < picture.height; ++r) {
    data += swapped_row(picture, from_top ? r : picture.height - 1 - r);
    while (data.size() % 4 != 0) data += '\0';
  }
  const auto height = static_cast<std::uint32_t>(from_top ? -picture.height : picture.height);
  return "BM" + little_endian(static_cast<std::uint32_t>(54 + data.size()), 4) + little_endian(0, 4) + little_endian(54, 4) +
         little_endian(40, 4) + little_endian(static_cast<std::uint32_t>(picture.width), 4) + little_endian(height, 4) +
         little_endian(1, 2) + little_endian(24, 2) + Bytes(24, '\0') + data;
}

Bytes tga(const Picture& picture) {
  Bytes file(18, '\0');
  file[2] = 2;
  file.replace(12, 2, little_endian(static_cast<std::uint32_t>(picture.width), 2));
  file.replace(14, 2, little_endian(static_cast<std::uint32_t>(picture.height), 2));
  file[16] = 24;
  file[17] = 0x20;
  for (int r = 0; r < picture.height; ++r) file += swapped_row(picture, r);
  return file;
}

Bytes pnm(const Picture& picture) {
  return (picture.channels == 1 ? "P5\n" : "P6\n") + std::to_string(picture.width) + " " + std::to_string(picture.height) + "\n255\n" +
         Bytes(picture.pixels.begin(), picture.pixels.end());
}

void write_archive(const std::string& path, const std::string& format, const std::vector<Member>& members) {
  archive* a = archive_write_new();
  if (format.starts_with("tar")) {
    archive_write_set_format_pax_restricted(a);
    if (format == "tar.gz") archive_write_add_filter_gzip(a);
  } else {
    archive_write_set_format_zip(a);
    archive_write_set_options(a, format == "zip stored" ? "zip:compression=store" : "zip:compression=deflate");
  }
  if (archive_write_open_filename(a, path.c_str()) != ARCHIVE_OK) throw std::runtime_error(archive_error_string(a));
  for (const Member& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.path.c_str());
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_filetype(entry, member.link.empty() ? AE_IFREG : AE_IFLNK);
    if (member.link.empty()) {
      archive_entry_set_size(entry, static_cast<la_int64_t>(member.bytes.size()));
    } else {
      archive_entry_set_symlink(entry, member.link.c_str());
    }
    if (archive_write_header(a, entry) != ARCHIVE_OK) throw std::runtime_error(archive_error_string(a));
    archive_write_data(a, member.bytes.data(), member.bytes.size());
    archive_entry_free(entry);
  }
  archive_write_close(a);
  archive_write_free(a);
}

void write_file(const std::string& path, const Bytes& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace fake
