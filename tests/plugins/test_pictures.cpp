// Single pictures through image_folder's read_file: formats, sizes, colours, orientation, damage.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "dataset_split.hpp"
#include "picture_makers.hpp"

using namespace fake;

namespace {

struct Reader {
  TemporaryFolder folder;
  Component dataset{"dataset", "image_folder", {{"size", std::vector<double>{8}}}};

  std::vector<std::uint8_t> read(const Bytes& file, int height, int width, int channels, std::int64_t index = 0) const {
    const std::string path = folder / "picture";
    write_file(path, file);
    Buffer<std::uint8_t> sample(NNRUN_U8, {height, width, channels});
    const nnrun_tensor tensor = sample.c();
    must([&](nnrun_error* e) { return dataset.vtable<nnrun_dataset_vtable>().read_file(dataset.self(), path.c_str(), index, &tensor, e); });
    return sample.numbers;
  }
  std::string failure(const Bytes& file) const {
    return failure_of([&] { read(file, 8, 8, 3); });
  }
};

int greatest_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  REQUIRE(a.size() == b.size());
  int greatest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) greatest = std::max(greatest, std::abs(a[i] - b[i]));
  return greatest;
}

// The mean of the old pixels around each new one, weighted by a triangle; in floating point, and slowly.
std::vector<double> resized(const Picture& picture, int height, int width) {
  const auto weight = [](int from, int to, int i, int j) {
    const double scale = static_cast<double>(from) / to, reach = std::max(scale, 1.0);
    return std::max(0.0, 1 - std::abs((j + 0.5) - (i + 0.5) * scale) / reach);
  };
  std::vector<double> result;
  for (int r = 0; r < height; ++r) {
    for (int c = 0; c < width; ++c) {
      for (int k = 0; k < picture.channels; ++k) {
        double sum = 0, all = 0;
        for (int y = 0; y < picture.height; ++y) {
          const double down = weight(picture.height, height, r, y);
          for (int x = 0; down > 0 && x < picture.width; ++x) {
            const double w = down * weight(picture.width, width, c, x);
            sum += w * picture.pixels[static_cast<std::size_t>((y * picture.width + x) * picture.channels + k)];
            all += w;
          }
        }
        result.push_back(sum / all);
      }
    }
  }
  return result;
}

Picture noisy_picture(int height, int width, int channels) {
  Picture picture{height, width, channels, {}};
  nnrun::Random random({9, 0, 0, 0});
  for (int i = 0; i < height * width * channels; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(random.next() >> 24));
  return picture;
}

}  // namespace

TEST_CASE("lossless pictures keep every pixel") {
  const Reader reader;
  const Picture colour = noisy_picture(5, 7, 3), grey = noisy_picture(6, 3, 1);
  for (const Bytes& file : {png(colour), png(colour, 16), bmp(colour), bmp(colour, true), tga(colour), pnm(colour)}) {
    CHECK(reader.read(file, 5, 7, 3) == colour.pixels);
  }
  for (const Bytes& file : {png(grey), png(grey, 16), pnm(grey)}) {
    CHECK(reader.read(file, 6, 3, 1) == grey.pixels);
    const auto as_colour = reader.read(file, 6, 3, 3);
    for (std::size_t i = 0; i < as_colour.size(); ++i) CHECK(as_colour[i] == grey.pixels[i / 3]);
  }
  const auto as_grey = reader.read(png(colour), 5, 7, 1);
  for (std::size_t i = 0; i < as_grey.size(); ++i) {
    const std::uint8_t* p = colour.pixels.data() + 3 * i;
    CHECK(std::abs(as_grey[i] - (0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2])) < 0.51);
  }
}

TEST_CASE("what is transparent lies over white") {
  const Reader reader;
  Picture picture{1, 3, 4, {10, 20, 30, 255, 10, 20, 30, 0, 100, 200, 0, 51}};
  CHECK(reader.read(png(picture), 1, 3, 3) == std::vector<std::uint8_t>{10, 20, 30, 255, 255, 255, 224, 244, 204});
  Picture grey{1, 2, 2, {40, 255, 40, 0}};
  CHECK(reader.read(png(grey), 1, 2, 1) == std::vector<std::uint8_t>{40, 255});
}

TEST_CASE("pictures are resized with antialiasing") {
  const Reader reader;
  for (const auto& [from_height, from_width] : {std::pair{13, 9}, std::pair{64, 200}, std::pair{8, 8}, std::pair{3, 2}, std::pair{1, 1}}) {
    for (const int channels : {1, 3}) {
      const Picture picture = noisy_picture(from_height, from_width, channels);
      const auto got = reader.read(png(picture), 8, 11, channels);
      const auto expected = resized(picture, 8, 11);
      for (std::size_t i = 0; i < got.size(); ++i) REQUIRE(std::abs(got[i] - expected[i]) < 0.6);
    }
  }
  // One colour stays itself, whatever the size.
  const auto one = reader.read(png(plain_picture(37, 53, {255, 1, 128})), 16, 100, 3);
  for (std::size_t i = 0; i < one.size(); i += 3) REQUIRE((one[i] == 255 && one[i + 1] == 1 && one[i + 2] == 128));
}

TEST_CASE("JPEG: grey, colour, progressive, inks, and any size") {
  const Reader reader;
  for (const bool progressive : {false, true}) {
    JpegOptions options;
    options.progressive = progressive;
    const Picture colour = smooth_picture(40, 56, 3);
    CHECK(greatest_difference(reader.read(jpeg(colour, options), 40, 56, 3), colour.pixels) < 16);
    const Picture grey = smooth_picture(33, 17, 1);
    CHECK(greatest_difference(reader.read(jpeg(grey, options), 33, 17, 1), grey.pixels) < 6);
    CHECK(greatest_difference(reader.read(jpeg(grey, options), 33, 17, 3), reader.read(png(grey), 33, 17, 3)) < 6);
    // Decoded at half its size, and at an eighth.
    for (const int size : {64, 16}) {
      const Picture large = smooth_picture(300, 260, 3);
      CHECK(greatest_difference(reader.read(jpeg(large, options), size, size, 3), reader.read(png(large), size, size, 3)) < 12);
      CHECK(greatest_difference(reader.read(jpeg(large, options), size, size, 1), reader.read(png(large), size, size, 1)) < 8);
    }
  }
  JpegOptions inks;
  inks.inks = true;
  // As stored, 255 is no ink: a reddish colour with a fifth of black.
  const auto mixed = reader.read(jpeg(plain_picture(16, 16, {250, 100, 50, 204}), inks), 4, 4, 3);
  CHECK(std::abs(mixed[0] - 200) < 3);
  CHECK(std::abs(mixed[1] - 80) < 3);
  CHECK(std::abs(mixed[2] - 40) < 3);
  const auto grey = reader.read(jpeg(plain_picture(16, 16, {250, 100, 50, 204}), inks), 4, 4, 1);
  CHECK(std::abs(grey[0] - (0.299 * 200 + 0.587 * 80 + 0.114 * 40)) < 4);
}

TEST_CASE("the EXIF orientation is undone") {
  const Reader reader;
  // Seen upright: bright at the top left, dark elsewhere; a little at the top right.
  const int height = 32, width = 48;
  Picture upright = plain_picture(height, width, {0, 0, 0});
  const auto paint = [](Picture& picture, int top, int left, std::uint8_t value) {
    for (int r = top; r < top + 16; ++r) {
      for (int c = left; c < left + 16; ++c) {
        for (int k = 0; k < 3; ++k) picture.pixels[static_cast<std::size_t>((r * picture.width + c) * 3 + k)] = value;
      }
    }
  };
  paint(upright, 0, 0, 240);
  paint(upright, 0, width - 16, 120);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    // By EXIF's table: where the stored row 0 and column 0 are seen.
    const bool side = orientation >= 5;
    Picture stored = plain_picture(side ? width : height, side ? height : width, {0, 0, 0});
    for (int r = 0; r < stored.height; ++r) {
      for (int c = 0; c < stored.width; ++c) {
        int y = 0, x = 0;
        switch (orientation) {
          case 1: y = r, x = c; break;                           // top, left
          case 2: y = r, x = width - 1 - c; break;               // top, right
          case 3: y = height - 1 - r, x = width - 1 - c; break;  // bottom, right
          case 4: y = height - 1 - r, x = c; break;              // bottom, left
          case 5: x = r, y = c; break;                           // left, top
          case 6: x = width - 1 - r, y = c; break;               // right, top
          case 7: x = width - 1 - r, y = height - 1 - c; break;  // right, bottom
          default: x = r, y = height - 1 - c; break;             // left, bottom
        }
        std::copy_n(upright.pixels.begin() + (y * width + x) * 3, 3, stored.pixels.begin() + (r * stored.width + c) * 3);
      }
    }
    JpegOptions options;
    options.orientation = orientation;
    for (const bool big_endian : {false, true}) {
      options.big_endian = big_endian;
      INFO(orientation);
      CHECK(greatest_difference(reader.read(jpeg(stored, options), height, width, 3), upright.pixels) < 12);
      CHECK(greatest_difference(reader.read(jpeg(stored, options), height / 2, width / 2, 3),
                                reader.read(png(upright), height / 2, width / 2, 3)) < 12);
    }
  }
  JpegOptions nonsense;
  nonsense.orientation = 9;
  CHECK(greatest_difference(reader.read(jpeg(upright, nonsense), height, width, 3), upright.pixels) < 12);
}

TEST_CASE("pictures that are damaged, cut off, absurd or something else are refused") {
  const Reader reader;
  const Picture picture = noisy_picture(24, 24, 3);
  CHECK_SAYS(reader.failure(""), "picture", "is empty");
  CHECK_SAYS(reader.failure("hello, world: this is no picture at all"), "is no JPEG, PNG, BMP, TGA or PNM picture");
  CHECK_SAYS(reader.failure("GIF89a\x01\x01\x80\x01"), "is no JPEG");
  for (const Bytes& file : {jpeg(picture), png(picture), bmp(picture), tga(picture), pnm(picture)}) {
    REQUIRE(reader.failure(file) == "no failure");
    for (const std::size_t size : {file.size() / 4, file.size() / 2, file.size() - 30}) {
      INFO(size << " of " << file.size());
      CHECK(reader.failure(file.substr(0, size)) != "no failure");
    }
  }
  CHECK_SAYS(reader.failure(bmp(picture).substr(0, 700)), "is cut off");
  CHECK_SAYS(reader.failure(pnm(picture).substr(0, 700)), "is cut off");
  CHECK_SAYS(reader.failure(jpeg(picture).substr(0, 700)), "Premature end");
  Bytes damaged = png(picture);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  CHECK_SAYS(reader.failure(damaged), "a checksum is wrong");
  CHECK_SAYS(reader.failure("P6\n4 4\n1023\n" + Bytes(96, 'x')), "whose white is 1023; 255 is read");

  Bytes huge = jpeg(picture);
  const std::size_t frame = huge.find("\xff\xc0");
  REQUIRE(frame != Bytes::npos);
  huge.replace(frame + 5, 4, "\xea\x60\xea\x60");
  CHECK_SAYS(reader.failure(huge), "60000 x 60000 pixels, more than is read");
  huge.replace(frame + 5, 4, Bytes("\x10\x00\x10\x00", 4));
  CHECK_SAYS(reader.failure(huge), "it claims 4096 x 4096 pixels in");
  CHECK_SAYS(reader.failure("P6\n60000 60000\n255\n"), "60000 x 60000 pixels, more than is read");
  CHECK_SAYS(reader.failure("P6\n8000 8000\n255\n"), "it claims 8000 x 8000 pixels in");
  CHECK_SAYS(failure_of([&] { reader.read(png(picture), 8, 8, 3, 1); }), "is one picture: it has no number 1");
}
