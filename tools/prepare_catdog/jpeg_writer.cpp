#include "jpeg_writer.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>

// Needs size_t and FILE to be known.
#include <jpeglib.h>

namespace nnrun::catdog {

std::vector<std::uint8_t> encode_jpeg(const std::uint8_t* pixels, int height, int width, int quality) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  // Its errors end the program: nothing but a lack of memory can go wrong.
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &bytes, &size);
  encoder.image_height = static_cast<JDIMENSION>(height);
  encoder.image_width = static_cast<JDIMENSION>(width);
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, quality, TRUE);
  encoder.dct_method = JDCT_ISLOW;
  jpeg_start_compress(&encoder, TRUE);
  while (encoder.next_scanline < encoder.image_height) {
    auto* row = const_cast<std::uint8_t*>(pixels) + std::size_t{encoder.next_scanline} * static_cast<std::size_t>(width) * 3;
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  const std::vector<std::uint8_t> encoded(bytes, bytes + size);
  std::free(bytes);
  return encoded;
}

}  // namespace nnrun::catdog
