// How the digits are written: the strokes of a pen, several ways for most digits.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace nnrun::datasets {

// The digit stands in a box of height 1: x to the right, y downwards, (0, 0) in the middle.
struct PenPoint {
  float x, y;
};

struct Stroke {
  bool smooth;  // a curve through the points, rather than straight lines between them
  std::size_t count;
  std::array<PenPoint, 13> points;
};

struct DigitShape {
  std::size_t count;
  std::array<Stroke, 3> strokes;
};

inline constexpr DigitShape zero_shapes[] = {
    {1, {{{true, 9, {{{0, -.5f}, {-.25f, -.34f}, {-.33f, 0}, {-.25f, .34f}, {0, .5f}, {.25f, .34f}, {.33f, 0}, {.25f, -.34f}, {0, -.5f}}}}}}},
    {1, {{{true, 9, {{{.1f, -.45f}, {-.12f, -.44f}, {-.28f, -.12f}, {-.26f, .28f}, {-.04f, .5f}, {.22f, .32f}, {.29f, -.04f}, {.16f, -.38f}, {-.06f, -.48f}}}}}}},
};
inline constexpr DigitShape one_shapes[] = {
    {1, {{{false, 2, {{{0, -.5f}, {0, .5f}}}}}}},
    {1, {{{false, 2, {{{.02f, -.5f}, {-.03f, .5f}}}}}}},
    {1, {{{false, 3, {{{-.2f, -.26f}, {.03f, -.5f}, {.03f, .5f}}}}}}},
    {2, {{{false, 3, {{{-.2f, -.28f}, {.02f, -.5f}, {.02f, .5f}}}}, {false, 2, {{{-.22f, .5f}, {.24f, .5f}}}}}}},
};
inline constexpr DigitShape two_shapes[] = {
    {2, {{{true, 7, {{{-.28f, -.26f}, {-.12f, -.46f}, {.12f, -.48f}, {.27f, -.28f}, {.17f, 0}, {-.08f, .26f}, {-.32f, .5f}}}},
          {false, 2, {{{-.32f, .5f}, {.34f, .48f}}}}}}},
    {1, {{{true, 11, {{{-.26f, -.3f}, {-.06f, -.5f}, {.2f, -.42f}, {.22f, -.14f}, {.02f, .2f}, {-.2f, .43f}, {-.31f, .38f}, {-.2f, .27f}, {0, .38f}, {.18f, .48f}, {.36f, .38f}}}}}}},
};
inline constexpr DigitShape three_shapes[] = {
    {2, {{{true, 5, {{{-.26f, -.37f}, {-.03f, -.5f}, {.22f, -.39f}, {.2f, -.15f}, {-.06f, -.03f}}}},
          {true, 6, {{{-.06f, -.03f}, {.2f, .06f}, {.28f, .26f}, {.1f, .47f}, {-.16f, .48f}, {-.31f, .36f}}}}}}},
    {2, {{{false, 3, {{{-.26f, -.47f}, {.24f, -.48f}, {-.04f, -.1f}}}},
          {true, 6, {{{-.04f, -.1f}, {.2f, -.02f}, {.28f, .24f}, {.1f, .46f}, {-.15f, .48f}, {-.3f, .37f}}}}}}},
};
inline constexpr DigitShape four_shapes[] = {
    {2, {{{false, 3, {{{-.22f, -.48f}, {-.29f, .07f}, {.32f, .04f}}}}, {false, 2, {{{.17f, -.4f}, {.12f, .5f}}}}}}},
    {2, {{{false, 3, {{{.12f, -.5f}, {-.33f, .14f}, {.34f, .14f}}}}, {false, 2, {{{.12f, -.5f}, {.12f, .5f}}}}}}},
    {2, {{{true, 5, {{{-.24f, -.46f}, {-.3f, -.14f}, {-.16f, .04f}, {.08f, .02f}, {.22f, -.06f}}}}, {false, 2, {{{.24f, -.47f}, {.16f, .5f}}}}}}},
};
inline constexpr DigitShape five_shapes[] = {
    {2, {{{false, 3, {{{.3f, -.48f}, {-.19f, -.47f}, {-.24f, -.06f}}}},
          {true, 7, {{{-.24f, -.06f}, {.02f, -.14f}, {.25f, .02f}, {.27f, .26f}, {.08f, .47f}, {-.16f, .48f}, {-.3f, .36f}}}}}}},
    {1, {{{true, 9, {{{.28f, -.47f}, {.02f, -.47f}, {-.2f, -.4f}, {-.21f, -.16f}, {.04f, -.08f}, {.25f, .08f}, {.23f, .36f}, {0, .5f}, {-.28f, .41f}}}}}}},
};
inline constexpr DigitShape six_shapes[] = {
    {1, {{{true, 10, {{{.2f, -.48f}, {-.06f, -.32f}, {-.25f, -.02f}, {-.27f, .28f}, {-.06f, .5f}, {.2f, .43f}, {.28f, .22f}, {.13f, .04f}, {-.1f, .08f}, {-.26f, .28f}}}}}}},
    {1, {{{true, 9, {{{.02f, -.5f}, {-.15f, -.2f}, {-.24f, .15f}, {-.16f, .42f}, {.05f, .5f}, {.23f, .36f}, {.2f, .13f}, {.02f, .06f}, {-.21f, .24f}}}}}}},
};
inline constexpr DigitShape seven_shapes[] = {
    {1, {{{false, 3, {{{-.31f, -.45f}, {.3f, -.47f}, {-.04f, .5f}}}}}}},
    {2, {{{false, 3, {{{-.3f, -.46f}, {.3f, -.46f}, {-.06f, .5f}}}}, {false, 2, {{{-.14f, .03f}, {.24f, .01f}}}}}}},
    {2, {{{false, 3, {{{-.29f, -.3f}, {-.28f, -.46f}, {.29f, -.45f}}}}, {true, 4, {{{.29f, -.45f}, {.12f, -.12f}, {.02f, .18f}, {-.02f, .5f}}}}}}},
};
inline constexpr DigitShape eight_shapes[] = {
    {1, {{{true, 13, {{{.22f, -.36f}, {.02f, -.5f}, {-.2f, -.4f}, {-.17f, -.17f}, {.04f, .01f}, {.25f, .2f}, {.19f, .44f}, {-.02f, .5f}, {-.23f, .42f}, {-.23f, .19f}, {0, 0}, {.2f, -.18f}, {.22f, -.36f}}}}}}},
    {2, {{{true, 7, {{{0, -.5f}, {-.2f, -.37f}, {-.17f, -.12f}, {.01f, -.03f}, {.18f, -.12f}, {.2f, -.37f}, {0, -.5f}}}},
          {true, 7, {{{.01f, -.03f}, {-.24f, .13f}, {-.22f, .4f}, {0, .5f}, {.22f, .4f}, {.24f, .13f}, {.01f, -.03f}}}}}}},
};
inline constexpr DigitShape nine_shapes[] = {
    {2, {{{true, 7, {{{.24f, -.3f}, {.04f, -.49f}, {-.21f, -.37f}, {-.24f, -.12f}, {-.05f, .01f}, {.16f, -.1f}, {.25f, -.32f}}}},
          {true, 3, {{{.25f, -.34f}, {.22f, .08f}, {.14f, .5f}}}}}}},
    {2, {{{true, 7, {{{.22f, -.36f}, {.02f, -.5f}, {-.22f, -.37f}, {-.22f, -.12f}, {-.02f, 0}, {.17f, -.1f}, {.24f, -.32f}}}},
          {true, 5, {{{.24f, -.36f}, {.27f, -.04f}, {.21f, .3f}, {.02f, .5f}, {-.22f, .42f}}}}}}},
};

inline constexpr std::array<std::span<const DigitShape>, 10> digit_shapes{zero_shapes, one_shapes,   two_shapes,   three_shapes, four_shapes,
                                                                          five_shapes, six_shapes,   seven_shapes, eight_shapes, nine_shapes};

}  // namespace nnrun::datasets
