// Single moves of a picture: shift, rotate, zoom. Each resamples; affine does all of them at once.
#pragma once

#include "affine.hpp"

namespace nnrun::transforms {

// What they share. `Move` gives its map for random numbers.
template <class Move>
struct RandomMove {
  static constexpr bool augments = true;

  nnrun_tensor plan(const Host&, const Tensor& input) const {
    picture_size(input);
    return make_tensor(input.dtype(), input.shape());
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key& key, bool training) const {
    if (!training) {
      copy_sample(x, y);
      return;
    }
    Random random(key);
    const Move& move = static_cast<const Move&>(*this);
    move.map(random).apply(x, y, border_of(move.border));
  }

 protected:
  static double within(Random& random, double greatest) { return greatest * (2.0 * static_cast<double>(random.next_uniform()) - 1.0); }
};

struct Shift : RandomMove<Shift> {
  static constexpr auto name = "shift";
  static constexpr auto doc = "in training, moves each picture by a random amount";

  double pixels = 8;
  std::string border = "black";

  static constexpr auto params() {
    return schema(param<&Shift::pixels>("pixels", "greatest shift along each axis, in pixels").range(0, 65536),
                  param<&Shift::border>("border", border_doc).choices(border_names));
  }

  AffineMap map(Random& random) const {
    const double x = within(random, pixels);
    return AffineMap::make(0, x, within(random, pixels), 1, 0);
  }
};

struct Rotate : RandomMove<Rotate> {
  static constexpr auto name = "rotate";
  static constexpr auto doc = "in training, turns each picture about its centre by a random angle";

  double degrees = 10;
  std::string border = "black";

  static constexpr auto params() {
    return schema(param<&Rotate::degrees>("degrees", "greatest angle either way").range(0, 180),
                  param<&Rotate::border>("border", border_doc).choices(border_names));
  }

  AffineMap map(Random& random) const { return AffineMap::make(within(random, degrees), 0, 0, 1, 0); }
};

struct Zoom : RandomMove<Zoom> {
  static constexpr auto name = "zoom";
  static constexpr auto doc = "in training, enlarges or shrinks each picture by a random factor";

  double share = 0.1;
  std::string border = "black";

  static constexpr auto params() {
    return schema(param<&Zoom::share>("share", "greatest change of size: 0.1 gives 0.9 to 1.1 times").range(0, 1).below(1),
                  param<&Zoom::border>("border", border_doc).choices(border_names));
  }

  AffineMap map(Random& random) const { return AffineMap::make(0, 0, 0, 1 + within(random, share), 0); }
};

}  // namespace nnrun::transforms
