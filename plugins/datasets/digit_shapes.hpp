// How the digits are written: the strokes of a pen, several ways for each digit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nnrun::datasets {

// In hundredths of the digit's height: x to the right, y downwards, (0, 0) in the middle.
struct PenMark {
  std::int8_t x, y;
};

// Through its marks, in order.
enum class StrokeKind {
  lines,
  curve
};

struct Stroke {
  StrokeKind kind;
  std::size_t count;
  std::array<PenMark, 13> marks;
};

struct DigitShape {
  std::size_t count;
  std::array<Stroke, 2> strokes;
};

namespace shapes {

using enum StrokeKind;

// clang-format off
inline constexpr DigitShape zero_shapes[] = {
    {1, {{{curve, 9, {{{0, -50}, {-25, -34}, {-33, 0}, {-25, 34}, {0, 50}, {25, 34}, {33, 0}, {25, -34}, {0, -50}}}}}}},
    {1, {{{curve, 9, {{{10, -45}, {-12, -44}, {-28, -12}, {-26, 28}, {-4, 50}, {22, 32}, {29, -4}, {16, -38}, {-6, -48}}}}}}},
};
inline constexpr DigitShape one_shapes[] = {
    {1, {{{lines, 2, {{{0, -50}, {0, 50}}}}}}},
    {1, {{{lines, 2, {{{2, -50}, {-3, 50}}}}}}},
    {1, {{{lines, 3, {{{-20, -26}, {3, -50}, {3, 50}}}}}}},
    {2, {{{lines, 3, {{{-20, -28}, {2, -50}, {2, 50}}}},
          {lines, 2, {{{-22, 50}, {24, 50}}}}}}},
};
inline constexpr DigitShape two_shapes[] = {
    {2, {{{curve, 7, {{{-28, -26}, {-12, -46}, {12, -48}, {27, -28}, {17, 0}, {-8, 26}, {-32, 50}}}},
          {lines, 2, {{{-32, 50}, {34, 48}}}}}}},
    {1, {{{curve, 11, {{{-26, -30}, {-6, -50}, {20, -42}, {22, -14}, {2, 20}, {-20, 43}, {-31, 38}, {-20, 27},
                          {0, 38}, {18, 48}, {36, 38}}}}}}},
};
inline constexpr DigitShape three_shapes[] = {
    {2, {{{curve, 5, {{{-26, -37}, {-3, -50}, {22, -39}, {20, -15}, {-6, -3}}}},
          {curve, 6, {{{-6, -3}, {20, 6}, {28, 26}, {10, 47}, {-16, 48}, {-31, 36}}}}}}},
    {2, {{{lines, 3, {{{-26, -47}, {24, -48}, {-4, -10}}}},
          {curve, 6, {{{-4, -10}, {20, -2}, {28, 24}, {10, 46}, {-15, 48}, {-30, 37}}}}}}},
};
inline constexpr DigitShape four_shapes[] = {
    {2, {{{lines, 3, {{{-22, -48}, {-29, 7}, {32, 4}}}},
          {lines, 2, {{{17, -40}, {12, 50}}}}}}},
    {2, {{{lines, 3, {{{12, -50}, {-33, 14}, {34, 14}}}},
          {lines, 2, {{{12, -50}, {12, 50}}}}}}},
    {2, {{{curve, 5, {{{-24, -46}, {-30, -14}, {-16, 4}, {8, 2}, {22, -6}}}},
          {lines, 2, {{{24, -47}, {16, 50}}}}}}},
};
inline constexpr DigitShape five_shapes[] = {
    {2, {{{lines, 3, {{{30, -48}, {-19, -47}, {-24, -6}}}},
          {curve, 7, {{{-24, -6}, {2, -14}, {25, 2}, {27, 26}, {8, 47}, {-16, 48}, {-30, 36}}}}}}},
    {1, {{{curve, 9, {{{28, -47}, {2, -47}, {-20, -40}, {-21, -16}, {4, -8}, {25, 8}, {23, 36}, {0, 50}, {-28, 41}}}}}}},
};
inline constexpr DigitShape six_shapes[] = {
    {1, {{{curve, 10, {{{20, -48}, {-6, -32}, {-25, -2}, {-27, 28}, {-6, 50}, {20, 43}, {28, 22}, {13, 4}, {-10, 8},
                          {-26, 28}}}}}}},
    {1, {{{curve, 9, {{{2, -50}, {-15, -20}, {-24, 15}, {-16, 42}, {5, 50}, {23, 36}, {20, 13}, {2, 6}, {-21, 24}}}}}}},
};
inline constexpr DigitShape seven_shapes[] = {
    {1, {{{lines, 3, {{{-31, -45}, {30, -47}, {-4, 50}}}}}}},
    {2, {{{lines, 3, {{{-30, -46}, {30, -46}, {-6, 50}}}},
          {lines, 2, {{{-14, 3}, {24, 1}}}}}}},
    {2, {{{lines, 3, {{{-29, -30}, {-28, -46}, {29, -45}}}},
          {curve, 4, {{{29, -45}, {12, -12}, {2, 18}, {-2, 50}}}}}}},
};
inline constexpr DigitShape eight_shapes[] = {
    {1, {{{curve, 13, {{{22, -36}, {2, -50}, {-20, -40}, {-17, -17}, {4, 1}, {25, 20}, {19, 44}, {-2, 50},
                          {-23, 42}, {-23, 19}, {0, 0}, {20, -18}, {22, -36}}}}}}},
    {2, {{{curve, 7, {{{0, -50}, {-20, -37}, {-17, -12}, {1, -3}, {18, -12}, {20, -37}, {0, -50}}}},
          {curve, 7, {{{1, -3}, {-24, 13}, {-22, 40}, {0, 50}, {22, 40}, {24, 13}, {1, -3}}}}}}},
};
inline constexpr DigitShape nine_shapes[] = {
    {2, {{{curve, 7, {{{24, -30}, {4, -49}, {-21, -37}, {-24, -12}, {-5, 1}, {16, -10}, {25, -32}}}},
          {curve, 3, {{{25, -34}, {22, 8}, {14, 50}}}}}}},
    {2, {{{curve, 7, {{{22, -36}, {2, -50}, {-22, -37}, {-22, -12}, {-2, 0}, {17, -10}, {24, -32}}}},
          {curve, 5, {{{24, -36}, {27, -4}, {21, 30}, {2, 50}, {-22, 42}}}}}}},
};
// clang-format on

}  // namespace shapes

inline constexpr std::array<std::span<const DigitShape>, 10> digit_shapes{
    shapes::zero_shapes, shapes::one_shapes, shapes::two_shapes,   shapes::three_shapes, shapes::four_shapes,
    shapes::five_shapes, shapes::six_shapes, shapes::seven_shapes, shapes::eight_shapes, shapes::nine_shapes};

}  // namespace nnrun::datasets
