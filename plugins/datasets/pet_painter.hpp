// Draws a cat or a dog. Colours, fur, pose, size and surroundings come from the same distributions for both; only shapes tell them
// apart: ears, muzzle, pupils, whiskers, tail.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <nnrun/plugin.hpp>

namespace nnrun::datasets {

class PetPainter {
 public:
  static constexpr int side = 128;

  PetPainter(bool dog, const nnrun_random_key& key) : dog_(dog), random_(key) {}

  // Writes (side, side, 3) bytes.
  void paint(std::uint8_t* pixels) {
    choose();
    paint_background();
    for (int i = 0; i < 3; ++i) paint_thing();
    paint_tail();
    paint_body();
    paint_head();
    if (chance(0.5f)) paint_thing();  // in front of it
    finish(pixels);
  }

 private:
  struct Colour {
    float red = 0, green = 0, blue = 0;
  };
  struct Point {
    float x, y;
  };
  enum class Fur {
    plain,
    striped,
    spotted
  };

  float uniform(float low, float high) { return random_.next_uniform(low, high); }
  bool chance(float share) { return random_.next_uniform() < share; }
  Colour any_colour() { return {uniform(15, 240), uniform(15, 240), uniform(15, 240)}; }
  static Colour mix(Colour a, Colour b, float share) {
    return {a.red + (b.red - a.red) * share, a.green + (b.green - a.green) * share, a.blue + (b.blue - a.blue) * share};
  }

  void choose() {
    unit_ = uniform(17, 31);  // pixels a unit: the head is 2 units wide
    const float angle = uniform(-0.45f, 0.45f);
    cosine_ = std::cos(angle);
    sine_ = std::sin(angle);
    facing_ = chance(0.5f) ? 1.0f : -1.0f;
    centre_ = {uniform(40, 88), uniform(38, 70)};
    // Furs: from black over brown and grey to white, a little tinted.
    const float light = uniform(25, 225);
    fur_ = {light * uniform(0.95f, 1.1f), light * uniform(0.8f, 1.0f), light * uniform(0.6f, 1.0f)};
    const float other = uniform(25, 225);
    second_ = {other, other * uniform(0.8f, 1.0f), other * uniform(0.65f, 1.0f)};
    kind_ = static_cast<Fur>(random_.next() % 3);
    stripes_ = uniform(4, 9);
    phase_ = uniform(0, 6.28f);
  }

  // From pixels to units about the head's centre, upright and facing right.
  Point to_units(float x, float y) const {
    const float dx = (x - centre_.x) / unit_, dy = (y - centre_.y) / unit_;
    return {facing_ * (cosine_ * dx + sine_ * dy), cosine_ * dy - sine_ * dx};
  }
  Point to_pixels(Point p) const {
    const float x = facing_ * p.x;
    return {centre_.x + unit_ * (cosine_ * x - sine_ * p.y), centre_.y + unit_ * (sine_ * x + cosine_ * p.y)};
  }

  // Where distance(point), in units, is negative, within `reach` units around `middle`, puts colour(point).
  template <class Distance, class Paint>
  void fill(Point middle, float reach, Distance&& distance, Paint&& colour) {
    const Point at = to_pixels(middle);
    const float wide = reach * unit_ + 1;
    const int left = std::max(0, static_cast<int>(at.x - wide)), right = std::min(side - 1, static_cast<int>(at.x + wide) + 1);
    const int top = std::max(0, static_cast<int>(at.y - wide)), bottom = std::min(side - 1, static_cast<int>(at.y + wide) + 1);
    for (int y = top; y <= bottom; ++y) {
      for (int x = left; x <= right; ++x) {
        const Point p = to_units(static_cast<float>(x), static_cast<float>(y));
        const float cover = std::clamp(0.5f - distance(p) * unit_, 0.0f, 1.0f);
        if (cover > 0) blend(x, y, colour(p), cover);
      }
    }
  }

  void blend(int x, int y, Colour colour, float cover) {
    float* pixel = picture_.data() + (y * side + x) * 3;
    pixel[0] += (colour.red - pixel[0]) * cover;
    pixel[1] += (colour.green - pixel[1]) * cover;
    pixel[2] += (colour.blue - pixel[2]) * cover;
  }

  // About the distance to an ellipse, negative inside.
  static float ellipse(Point p, Point middle, float wide, float high) {
    const float x = (p.x - middle.x) / wide, y = (p.y - middle.y) / high;
    return (std::sqrt(x * x + y * y) - 1) * std::min(wide, high);
  }

  static float triangle(Point p, Point a, Point b, Point c) {
    const auto beside = [p](Point from, Point to) {
      const float dx = to.x - from.x, dy = to.y - from.y;
      return ((p.x - from.x) * dy - (p.y - from.y) * dx) / std::sqrt(dx * dx + dy * dy);
    };
    const float turn = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) > 0 ? 1.0f : -1.0f;
    return std::max({turn * beside(a, b), turn * beside(b, c), turn * beside(c, a)});
  }

  static float line(Point p, Point a, Point b, float wide) {
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float along = std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy), 0.0f, 1.0f);
    const float ex = p.x - a.x - along * dx, ey = p.y - a.y - along * dy;
    return std::sqrt(ex * ex + ey * ey) - wide;
  }

  Colour fur_at(Point p) const {
    float share = 0;
    if (kind_ == Fur::striped) share = std::sin(stripes_ * (p.x + 0.3f * std::sin(2 * p.y)) + phase_) > 0.3f ? 0.8f : 0.0f;
    if (kind_ == Fur::spotted)
      share = std::sin(0.6f * stripes_ * p.x + phase_) * std::sin(0.6f * stripes_ * p.y - phase_) > 0.35f ? 1.0f : 0.0f;
    const float shade = 1 - 0.12f * std::clamp(p.y, -1.0f, 2.0f);
    const Colour colour = mix(fur_, second_, share);
    return {colour.red * shade, colour.green * shade, colour.blue * shade};
  }

  void paint_background() {
    // Two colours that change over into each other, and a smooth noise between the points of a coarse grid.
    constexpr int cells = 6;
    std::array<Colour, (cells + 1) * (cells + 1)> grid;
    const Colour above = any_colour(), below = any_colour();
    const float wild = uniform(10, 70);
    for (int r = 0; r <= cells; ++r) {
      for (int c = 0; c <= cells; ++c) {
        const float light = uniform(-wild, wild);
        Colour colour = mix(above, below, static_cast<float>(r) / cells);
        colour = {colour.red + light + uniform(-12, 12), colour.green + light + uniform(-12, 12), colour.blue + light + uniform(-12, 12)};
        grid[static_cast<std::size_t>(r * (cells + 1) + c)] = colour;
      }
    }
    for (int y = 0; y < side; ++y) {
      const float row = static_cast<float>(y) * cells / side;
      const int r = static_cast<int>(row);
      for (int x = 0; x < side; ++x) {
        const float column = static_cast<float>(x) * cells / side;
        const int c = static_cast<int>(column);
        const Colour* corner = grid.data() + r * (cells + 1) + c;
        const Colour colour = mix(mix(corner[0], corner[1], column - static_cast<float>(c)),
                                  mix(corner[cells + 1], corner[cells + 2], column - static_cast<float>(c)), row - static_cast<float>(r));
        float* pixel = picture_.data() + (y * side + x) * 3;
        pixel[0] = colour.red;
        pixel[1] = colour.green;
        pixel[2] = colour.blue;
      }
    }
  }

  // Something that is neither: an ellipse, a triangle or a bar.
  void paint_thing() {
    const Point middle = to_units(uniform(0, side), uniform(0, side));
    const float wide = uniform(0.2f, 0.9f), high = uniform(0.2f, 0.9f);
    const Colour colour = any_colour();
    const auto plain = [&](Point) { return colour; };
    const Point a{middle.x + uniform(-1, 1), middle.y + uniform(-1, 1)}, b{middle.x + uniform(-1, 1), middle.y + uniform(-1, 1)};
    switch (random_.next() % 3) {
      case 0:
        fill(
            middle, 1, [&](Point p) { return ellipse(p, middle, wide, high); }, plain);
        break;
      case 1:
        fill(
            middle, 1.5f, [&](Point p) { return triangle(p, middle, a, b); }, plain);
        break;
      default:
        fill(
            middle, 1.5f, [&](Point p) { return line(p, a, b, 0.12f); }, plain);
    }
  }

  void paint_body() {
    const Point middle{uniform(-0.5f, 0.5f), uniform(1.5f, 1.8f)};
    const float wide = uniform(0.8f, 1.2f), high = uniform(1.0f, 1.4f);
    fill(
        middle, 1.5f, [&](Point p) { return ellipse(p, middle, wide, high); }, [&](Point p) { return fur_at(p); });
  }

  // A cat's is long and thin, and bent; a dog's shorter and thicker.
  void paint_tail() {
    const float wide = dog_ ? uniform(0.12f, 0.24f) : uniform(0.07f, 0.14f);
    Point from{uniform(-0.9f, -0.5f), 2.2f};
    float angle = uniform(2.2f, 3.6f);
    const float length = dog_ ? uniform(0.2f, 0.35f) : uniform(0.3f, 0.5f), bend = uniform(-0.7f, 0.7f);
    for (int piece = 0; piece < 4; ++piece) {
      const Point to{from.x + length * std::cos(angle), from.y - length * std::sin(angle)};
      fill(
          {(from.x + to.x) / 2, (from.y + to.y) / 2}, length / 2 + wide, [&](Point p) { return line(p, from, to, wide); },
          [&](Point p) { return fur_at(p); });
      from = to;
      angle += bend;
    }
  }

  void paint_ears() {
    const auto fur = [&](Point p) { return fur_at(p); };
    // Some dogs hold their ears up, too.
    const bool pointed = !dog_ || chance(0.2f);
    for (const float which : {-1.0f, 1.0f}) {
      if (pointed) {
        const float height = uniform(1.3f, 1.75f), base = uniform(0.25f, 0.4f);
        const Point tip{which * uniform(0.6f, 0.95f), -height}, inner{which * base, -0.75f}, outer{which * 0.98f, -0.25f};
        fill(
            {which * 0.7f, -0.9f}, 1.2f, [&](Point p) { return triangle(p, tip, inner, outer); }, fur);
        fill(
            {which * 0.7f, -0.9f}, 1.0f, [&](Point p) { return triangle(p, tip, inner, outer) + 0.13f; },
            [&](Point) {
              return Colour{205, 150, 145};
            });
      } else {
        const Point middle{which * uniform(0.85f, 1.1f), uniform(-0.1f, 0.3f)};
        const float wide = uniform(0.24f, 0.36f), high = uniform(0.55f, 0.85f);
        const Colour ear = mix(fur_, second_, 0.7f);
        fill(
            middle, 1.1f, [&](Point p) { return ellipse(p, middle, wide, high); }, [&](Point) { return ear; });
      }
    }
  }

  void paint_head() {
    const float wide = dog_ ? uniform(0.75f, 0.95f) : uniform(0.9f, 1.05f), high = dog_ ? uniform(0.85f, 1.05f) : uniform(0.75f, 0.9f);
    const bool ears_in_front = dog_;
    if (!ears_in_front) paint_ears();
    fill(
        {0, 0}, 1.2f,
        [&](Point p) {
          return ellipse(p, {0, 0}, wide, high);
        },
        [&](Point p) { return fur_at(p); });
    if (ears_in_front) paint_ears();
    paint_eyes();
    paint_muzzle();
  }

  void paint_eyes() {
    const float apart = uniform(0.32f, 0.45f), size = uniform(0.13f, 0.19f), height = uniform(-0.25f, -0.1f);
    const Colour iris = chance(0.5f) ? Colour{uniform(90, 200), uniform(120, 210), 60} : Colour{uniform(60, 120), uniform(40, 90), 30};
    const float pupil_wide = dog_ ? size * uniform(0.6f, 0.75f) : size * uniform(0.25f, 0.45f);
    for (const float which : {-1.0f, 1.0f}) {
      const Point eye{which * apart, height};
      fill(
          eye, 0.3f, [&](Point p) { return ellipse(p, eye, size, size * 0.85f); }, [&](Point) { return iris; });
      fill(
          eye, 0.3f, [&](Point p) { return ellipse(p, eye, pupil_wide, size * 0.75f); },
          [](Point) {
            return Colour{12, 12, 14};
          });
    }
  }

  void paint_muzzle() {
    const float turned = uniform(-0.12f, 0.12f);
    const Colour light = mix(fur_, {235, 225, 215}, uniform(0.2f, 0.6f));
    if (dog_) {
      const Point middle{turned, uniform(0.45f, 0.6f)};
      const float wide = uniform(0.36f, 0.46f), high = uniform(0.45f, 0.6f);
      fill(
          middle, 0.7f, [&](Point p) { return ellipse(p, middle, wide, high); }, [&](Point) { return light; });
      const Point nose{turned, middle.y - 0.18f};
      fill(
          nose, 0.4f, [&](Point p) { return ellipse(p, nose, 0.2f, 0.14f); },
          [](Point) {
            return Colour{25, 22, 22};
          });
      if (chance(0.4f)) {
        const Point tongue{turned, middle.y + high * 0.85f};
        fill(
            tongue, 0.4f, [&](Point p) { return ellipse(p, tongue, 0.13f, 0.26f); },
            [](Point) {
              return Colour{220, 105, 115};
            });
      }
      return;
    }
    for (const float which : {-1.0f, 1.0f}) {
      const Point cheek{turned + which * 0.17f, 0.42f};
      fill(
          cheek, 0.35f, [&](Point p) { return ellipse(p, cheek, 0.24f, 0.19f); }, [&](Point) { return light; });
    }
    const Point nose{turned, 0.25f};
    fill(
        nose, 0.2f,
        [&](Point p) {
          return triangle(p, {turned - 0.1f, 0.2f}, {turned + 0.1f, 0.2f}, {turned, 0.32f});
        },
        [](Point) {
          return Colour{200, 120, 120};
        });
    const Colour whisker = chance(0.5f) ? Colour{240, 240, 235} : Colour{30, 30, 30};
    for (const float which : {-1.0f, 1.0f}) {
      for (int i = -1; i <= 1; ++i) {
        const Point from{turned + which * 0.3f, 0.42f + 0.07f * static_cast<float>(i)};
        const Point to{turned + which * uniform(0.95f, 1.25f), 0.42f + 0.25f * static_cast<float>(i) + uniform(-0.05f, 0.05f)};
        const Point middle{(from.x + to.x) / 2, (from.y + to.y) / 2};
        fill(
            middle, 0.55f, [&](Point p) { return line(p, from, to, 0.012f); }, [&](Point) { return whisker; });
      }
    }
  }

  // Light, contrast and grain as of a camera.
  void finish(std::uint8_t* pixels) {
    const float contrast = uniform(0.6f, 1.15f), light = uniform(-35, 35) + 128 * (1 - contrast), grain = uniform(2, 18) * 0x1p-15f;
    std::uint32_t state = random_.next() | 1u;
    for (std::size_t i = 0; i < picture_.size(); ++i) {
      state ^= state << 13;  // Marsaglia's xorshift
      state ^= state >> 17;
      state ^= state << 5;
      const float noise = static_cast<float>(static_cast<int>(state >> 16) - 32768) * grain;
      pixels[i] = static_cast<std::uint8_t>(std::clamp(picture_[i] * contrast + light + noise, 0.0f, 255.0f));
    }
  }

  bool dog_;
  Random random_;
  float unit_ = 1, cosine_ = 1, sine_ = 0, facing_ = 1;
  Point centre_{64, 64};
  Colour fur_, second_;
  Fur kind_ = Fur::plain;
  float stripes_ = 1, phase_ = 0;
  std::array<float, side * side * 3> picture_;
};

}  // namespace nnrun::datasets
