#include "jpeg.hpp"

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <nnrun/plugin.hpp>
#include <string>

// Needs size_t and FILE to be known.
#include <jpeglib.h>

#include <jerror.h>

#include "exif.hpp"

namespace nnrun::datasets {

namespace {

// libjpeg reports an error by a function that must not return, so each call into it runs in attempt(), and the frames that
// are jumped over hold nothing that needs a destructor.
class JpegReader {
 public:
  explicit JpegReader(std::span<const std::uint8_t> bytes) {
    decoder_.err = jpeg_std_error(&errors_);
    decoder_.client_data = this;
    errors_.error_exit = &on_error;
    errors_.emit_message = &on_message;
    attempt([](JpegReader& r) {
      jpeg_create_decompress(&r.decoder_);
      r.progress_.progress_monitor = &on_progress;
      r.decoder_.progress = &r.progress_;
    });
    bytes_ = bytes;
  }
  ~JpegReader() { jpeg_destroy_decompress(&decoder_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  void read_header() {
    attempt([](JpegReader& r) {
      jpeg_mem_src(&r.decoder_, r.bytes_.data(), static_cast<unsigned long>(r.bytes_.size()));
      jpeg_save_markers(&r.decoder_, JPEG_APP0 + 1, 0xffff);
      jpeg_read_header(&r.decoder_, TRUE);
    });
    const std::int64_t count = std::int64_t{decoder_.image_height} * decoder_.image_width;
    if (count > greatest_pixels) throw Error("has " + size_text() + " pixels, more than is read");
    // A block of 8 x 8 takes at least a bit, or two in the usual modes: what claims more is not worth the memory.
    if (count > (std::int64_t{1} << 20) && count / 1024 > static_cast<std::int64_t>(bytes_.size())) {
      throw Error("is cut off: it claims " + size_text() + " pixels in " + std::to_string(bytes_.size()) + " bytes");
    }
  }

  int orientation() const {
    for (const jpeg_marker_struct* marker = decoder_.marker_list; marker != nullptr; marker = marker->next) {
      const int found = exif_orientation({marker->data, marker->data_length});
      if (found != 1) return found;
    }
    return 1;
  }

  void decode(std::int64_t channels, std::int64_t needed_height, std::int64_t needed_width, Pixels& pixels) {
    const bool inks = decoder_.jpeg_color_space == JCS_CMYK || decoder_.jpeg_color_space == JCS_YCCK;
    const bool own_grey = decoder_.jpeg_color_space == JCS_YCbCr || decoder_.jpeg_color_space == JCS_GRAYSCALE;
    decoder_.out_color_space = inks ? JCS_CMYK : channels == 1 && own_grey ? JCS_GRAYSCALE : JCS_RGB;
    // The same bits on every CPU: the integer transforms are exact in libjpeg-turbo's vector code.
    decoder_.dct_method = JDCT_ISLOW;
    decoder_.scale_denom = 8;
    decoder_.scale_num = 8;
    for (const unsigned smaller : {4u, 2u, 1u}) {
      const auto scaled = [smaller](JDIMENSION side) { return (std::int64_t{side} * smaller + 7) / 8; };
      if (scaled(decoder_.image_height) < needed_height || scaled(decoder_.image_width) < needed_width) break;
      decoder_.scale_num = smaller;
    }
    attempt([](JpegReader& r) { jpeg_start_decompress(&r.decoder_); });
    pixels.resize(decoder_.output_height, decoder_.output_width, decoder_.output_components);
    rows_ = pixels.data.data();
    attempt([](JpegReader& r) {
      jpeg_decompress_struct& d = r.decoder_;
      const std::size_t stride = std::size_t{d.output_width} * static_cast<std::size_t>(d.output_components);
      while (d.output_scanline < d.output_height) {
        JSAMPROW rows[8];
        const JDIMENSION left = d.output_height - d.output_scanline;
        const JDIMENSION count = left < 8 ? left : 8;
        for (JDIMENSION i = 0; i < count; ++i) rows[i] = r.rows_ + (d.output_scanline + i) * stride;
        jpeg_read_scanlines(&d, rows, count);
      }
      jpeg_finish_decompress(&d);
    });
    if (inks) mix_inks(pixels);
    if (channels == 1 && pixels.channels == 3) to_grey(pixels);
    pixels.height_eighths = std::int64_t{decoder_.image_height} * decoder_.scale_num;
    pixels.width_eighths = std::int64_t{decoder_.image_width} * decoder_.scale_num;
  }

 private:
  static JpegReader& from(j_common_ptr common) { return *static_cast<JpegReader*>(common->client_data); }

  template <class Step>
  void attempt(Step step) {
    if (setjmp(failed_) == 0) {
      step(*this);
      return;
    }
    throw Error("cannot be decoded: " + std::string(message_));
  }

  [[noreturn]] static void on_error(j_common_ptr common) {
    JpegReader& r = from(common);
    common->err->format_message(common, r.message_);
    std::longjmp(r.failed_, 1);
  }

  // Level -1 is a warning: libjpeg goes on, with grey where data is lost. Where nothing is lost, so do we.
  static void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;
    switch (common->err->msg_code) {
      case JWRN_ARITH_BAD_CODE:
      case JWRN_HIT_MARKER:
      case JWRN_HUFF_BAD_CODE:
      case JWRN_JPEG_EOF:
      case JWRN_MUST_RESYNC: on_error(common);
      default: break;
    }
  }

  // A few bytes can ask for any number of scans over the whole picture.
  static void on_progress(j_common_ptr common) {
    constexpr int greatest_scans = 200;
    JpegReader& r = from(common);
    if (r.decoder_.input_scan_number <= greatest_scans) return;
    std::snprintf(r.message_, sizeof r.message_, "more than %d scans", greatest_scans);
    std::longjmp(r.failed_, 1);
  }

  // Adobe's files, and with them all that are met, store inks inverted: 255 is none.
  void mix_inks(Pixels& pixels) const {
    const bool inverted = decoder_.saw_Adobe_marker != FALSE;
    const std::int64_t count = pixels.height * pixels.width;
    std::uint8_t* to = pixels.data.data();
    const std::uint8_t* from = to;
    for (std::int64_t i = 0; i < count; ++i, from += 4, to += 3) {
      const int black = inverted ? from[3] : 255 - from[3];
      int colours[3];
      for (int c = 0; c < 3; ++c) colours[c] = ((inverted ? from[c] : 255 - from[c]) * black + 127) / 255;
      for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>(colours[c]);
    }
    pixels.resize(pixels.height, pixels.width, 3);
  }

  static void to_grey(Pixels& pixels) {
    const std::int64_t count = pixels.height * pixels.width;
    std::uint8_t* data = pixels.data.data();
    for (std::int64_t i = 0; i < count; ++i) data[i] = luma(data[3 * i], data[3 * i + 1], data[3 * i + 2]);
    pixels.resize(pixels.height, pixels.width, 1);
  }

  std::string size_text() const { return std::to_string(decoder_.image_width) + " x " + std::to_string(decoder_.image_height); }

  jpeg_decompress_struct decoder_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf failed_;
  char message_[JMSG_LENGTH_MAX] = "";
  std::span<const std::uint8_t> bytes_;
  std::uint8_t* rows_ = nullptr;
};

}  // namespace

int decode_jpeg(std::span<const std::uint8_t> bytes, std::int64_t channels, std::int64_t needed_height, std::int64_t needed_width,
                Pixels& pixels) {
  JpegReader reader(bytes);
  reader.read_header();
  const int orientation = reader.orientation();
  // From 5 on, the picture lies on its side.
  if (orientation >= 5) std::swap(needed_height, needed_width);
  reader.decode(channels, needed_height, needed_width, pixels);
  return orientation;
}

}  // namespace nnrun::datasets
