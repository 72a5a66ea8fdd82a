#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nnrun/plugin.hpp>

#include "digit_shapes.hpp"

namespace nnrun::datasets {

// Draws one digit, 28 x 28 bytes, white on black: the pen's strokes, bent, slanted, turned and moved at random, then every
// pixel by its distance to the nearest stroke.
class DigitPainter {
 public:
  static constexpr int side = 28;

  DigitPainter(int digit, const nnrun_random_key& key) : random_(key) {
    const auto shapes = digit_shapes[static_cast<std::size_t>(digit)];
    const DigitShape& shape = shapes[random_.next() % shapes.size()];
    choose_hand();
    distances_.fill(greatest);
    for (std::size_t i = 0; i < shape.count; ++i) draw(shape.strokes[i]);
  }

  void paint(std::uint8_t* pixels) {
    const float ink = random_.next_uniform(190, 255);
    const float softness = random_.next_uniform(0.9f, 1.8f);  // pixels from full ink to none
    const float noise = random_.next_uniform(0, 14) * 0x1p-8f;
    std::uint32_t state = random_.next() | 1u;
    for (std::size_t i = 0; i < distances_.size(); ++i) {
      const float cover = std::clamp(0.5f + (radius_ - std::sqrt(distances_[i])) / softness, 0.0f, 1.0f);
      state ^= state << 13;  // Marsaglia's xorshift: the grain of the paper needs no better
      state ^= state >> 17;
      state ^= state << 5;
      const float grain = static_cast<float>(static_cast<int>(state >> 23) - 256) * noise;
      pixels[i] = static_cast<std::uint8_t>(std::clamp(ink * cover + grain, 0.0f, 255.0f));
    }
  }

 private:
  static constexpr float greatest = 1e6f;

  // In pixels.
  struct Point {
    float x, y;
  };

  // What is the same for all strokes of a digit.
  void choose_hand() {
    const float size = random_.next_uniform(16.5f, 20.5f);
    const float width = size * random_.next_uniform(0.75f, 1.15f);
    const float angle = random_.next_uniform(-0.17f, 0.17f);
    const float slant = random_.next_uniform(-0.12f, 0.38f);  // most hands lean to the right
    const float cosine = std::cos(angle);
    const float sine = std::sin(angle);
    matrix_[0][0] = cosine * width;
    matrix_[0][1] = -sine * size - cosine * width * slant;
    matrix_[1][0] = sine * width;
    matrix_[1][1] = cosine * size - sine * width * slant;
    centre_x_ = 13.5f + random_.next_uniform(-1.8f, 1.8f);
    centre_y_ = 13.5f + random_.next_uniform(-1.8f, 1.8f);
    radius_ = random_.next_uniform(0.75f, 1.65f);
    for (float& bend : bends_) bend = random_.next_uniform(-0.06f, 0.06f);
    for (float& phase : phases_) phase = random_.next_uniform(0, 6.2831853f);
  }

  // From the digit's box to pixels. The bends are smooth, so that strokes which meet still do.
  Point place(PenMark mark) {
    Point p{static_cast<float>(mark.x) * 0.01f, static_cast<float>(mark.y) * 0.01f};
    p.x += bends_[0] * std::sin(4 * p.y + phases_[0]) + bends_[1] * std::sin(7 * p.x + phases_[1]) + random_.next_uniform(-0.015f, 0.015f);
    p.y += bends_[2] * std::sin(4 * p.x + phases_[2]) + bends_[3] * std::sin(7 * p.y + phases_[3]) + random_.next_uniform(-0.015f, 0.015f);
    return {matrix_[0][0] * p.x + matrix_[0][1] * p.y + centre_x_, matrix_[1][0] * p.x + matrix_[1][1] * p.y + centre_y_};
  }

  void draw(const Stroke& stroke) {
    std::array<Point, 13> points;
    for (std::size_t i = 0; i < stroke.count; ++i) points[i] = place(stroke.marks[i]);
    for (std::size_t i = 0; i + 1 < stroke.count; ++i) {
      if (stroke.kind == StrokeKind::lines) {
        line(points[i], points[i + 1]);
        continue;
      }
      // Catmull and Rom 1974: a cubic from point to point whose slopes come from their neighbours.
      const Point& p0 = points[i == 0 ? 0 : i - 1];
      const Point& p1 = points[i];
      const Point& p2 = points[i + 1];
      const Point& p3 = points[std::min(i + 2, stroke.count - 1)];
      Point from = p1;
      constexpr int pieces = 4;
      for (int piece = 1; piece <= pieces; ++piece) {
        const float t = static_cast<float>(piece) / pieces;
        const auto curve = [t](float a, float b, float c, float d) {
          return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
        };
        const Point to{curve(p0.x, p1.x, p2.x, p3.x), curve(p0.y, p1.y, p2.y, p3.y)};
        line(from, to);
        from = to;
      }
    }
  }

  // Keeps for each pixel near the line from a to b the square of the least distance to any line so far.
  void line(Point a, Point b) {
    const float reach = radius_ + 1.5f;
    const auto first = [](float low) { return std::max(static_cast<int>(low), 0); };
    const auto last = [](float high) { return std::min(static_cast<int>(high) + 1, side - 1); };
    const int left = first(std::min(a.x, b.x) - reach), right = last(std::max(a.x, b.x) + reach);
    const int top = first(std::min(a.y, b.y) - reach), bottom = last(std::max(a.y, b.y) + reach);
    const float dx = b.x - a.x;
    const float dy = b.y - a.y;
    const float inverse = 1 / std::max(dx * dx + dy * dy, 1e-6f);
    for (int y = top; y <= bottom; ++y) {
      float* row = distances_.data() + y * side;
      const float py = static_cast<float>(y) - a.y;
      for (int x = left; x <= right; ++x) {
        const float px = static_cast<float>(x) - a.x;
        const float along = std::min(std::max((px * dx + py * dy) * inverse, 0.0f), 1.0f);
        const float ex = px - along * dx;
        const float ey = py - along * dy;
        row[x] = std::min(row[x], ex * ex + ey * ey);
      }
    }
  }

  Random random_;
  float matrix_[2][2]{};
  float centre_x_ = 0, centre_y_ = 0, radius_ = 1;
  std::array<float, 4> bends_{}, phases_{};
  std::array<float, side * side> distances_;
};

// Stand-ins for MNIST: enough like written digits to try every part of a run, but a stand-in. Sample i shows digit i % 10 and
// depends on the seed, the split and i alone.
struct DrawnDigits {
  static constexpr auto name = "drawn_digits";
  static constexpr auto doc = "digits drawn by a program, 28 x 28, to try things without MNIST's files";
  static constexpr bool drawn = true;

  std::int64_t count = 60000;

  static constexpr auto params() {
    return schema(
        param<&DrawnDigits::count>("count", "samples to train; to test, and to validate, there is a sixth of it").range(10, 1000000));
  }

  class Split {
   public:
    Split(const Host& host, std::int64_t count, nnrun_random_key key)
        : pixels_(std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(count * sample_bytes))) {
      // All at once: drawing them anew in each epoch would cost more than the memory.
      host.parallel_elements(
          count,
          [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
              nnrun_random_key sample_key = key;
              sample_key.minor = static_cast<std::uint32_t>(i);
              DigitPainter(static_cast<int>(i % 10), sample_key).paint(pixels_.get() + i * sample_bytes);
            }
          },
          256);
    }

    void read(std::int64_t index, const Tensor& sample, void* label) const {
      std::memcpy(sample.data<std::uint8_t>(), pixels_.get() + index * sample_bytes, static_cast<std::size_t>(sample_bytes));
      const auto digit = static_cast<std::int32_t>(index % 10);
      std::memcpy(label, &digit, sizeof digit);
    }

   private:
    static constexpr std::int64_t sample_bytes = DigitPainter::side * DigitPainter::side;
    std::unique_ptr<std::uint8_t[]> pixels_;
  };

  std::unique_ptr<Split> open(const Host& host, const std::string&, nnrun_split split, std::uint64_t seed, nnrun_dataset_info& info) const {
    static constexpr const char* class_names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    info.count = split == NNRUN_SPLIT_TRAIN ? count : std::max<std::int64_t>(count / 6, 10);
    info.sample = make_tensor(NNRUN_U8, Shape{DigitPainter::side, DigitPainter::side, 1});
    info.classes = 10;
    info.class_names = class_names;
    return std::make_unique<Split>(host, info.count, nnrun_random_key{seed, NNRUN_STREAM_DATASET, static_cast<std::uint32_t>(split), 0});
  }
};

}  // namespace nnrun::datasets
