#pragma once

#include "picture.hpp"

namespace nnrun::transforms {

// Cuts a piece out of each picture: at random in training, from the middle otherwise.
struct Crop {
  static constexpr auto name = "crop";
  static constexpr auto doc = "cuts a piece out of each picture: in training at a random place, otherwise from the middle";
  static constexpr bool augments = true;

  std::vector<std::int64_t> size;
  std::int64_t padding = 0;
  std::string border = "black";

  static constexpr auto params() {
    return schema(
        param<&Crop::size>("size", "height and width of the piece; one number: both").required().items(1, 2).range(1, 65536),
        param<&Crop::padding>("padding", "in training, the place may be this far outside of the picture, in pixels").range(0, 65536),
        param<&Crop::border>("border", border_doc).choices(border_names));
  }

  nnrun_tensor plan(const Host&, const Tensor& input) const {
    const PictureSize from = picture_size(input);
    if (size.front() > from.height || size.back() > from.width) {
      throw Error("is larger than the pictures of " + to_string(input.shape())).at("size");
    }
    Shape shape = input.shape();
    shape[0] = size.front();
    shape[1] = size.back();
    return make_tensor(input.dtype(), shape);
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key& key, bool training) const {
    const std::int64_t spare_rows = x.dim(0) - y.dim(0), spare_columns = x.dim(1) - y.dim(1);
    std::int64_t top = spare_rows / 2, left = spare_columns / 2;
    if (training) {
      Random random(key);
      const auto place = [&](std::int64_t spare) {
        const auto places = static_cast<std::uint64_t>(spare + 2 * padding + 1);
        return static_cast<std::int64_t>((std::uint64_t{random.next()} * places) >> 32) - padding;
      };
      top = place(spare_rows);
      left = place(spare_columns);
    }
    if (x.dtype() == NNRUN_U8) {
      cut(x.data<const std::uint8_t>(), y.data<std::uint8_t>(), picture_size(x), picture_size(y), top, left);
    } else {
      cut(x.data<const float>(), y.data<float>(), picture_size(x), picture_size(y), top, left);
    }
  }

 private:
  template <class Number>
  void cut(const Number* x, Number* y, const PictureSize& from, const PictureSize& to, std::int64_t top, std::int64_t left) const {
    const bool edge = border_of(border) == Border::edge;
    for (std::int64_t r = 0; r < to.height; ++r, y += to.width * to.channels) {
      const std::int64_t row = edge ? std::clamp<std::int64_t>(top + r, 0, from.height - 1) : top + r;
      if (row < 0 || row >= from.height) {
        std::fill_n(y, to.width * to.channels, Number{0});
        continue;
      }
      const Number* line = x + row * from.width * from.channels;
      // The columns that the picture has.
      const std::int64_t begin = std::clamp<std::int64_t>(-left, 0, to.width);
      const std::int64_t end = std::clamp<std::int64_t>(from.width - left, begin, to.width);
      std::copy_n(line + (left + begin) * from.channels, (end - begin) * from.channels, y + begin * to.channels);
      for (std::int64_t c = 0; c < to.width; ++c) {
        if (c == begin) c = end;
        if (c >= to.width) break;
        const Number* pixel = line + (c < begin ? 0 : from.width - 1) * from.channels;
        for (std::int64_t k = 0; k < to.channels; ++k) y[c * to.channels + k] = edge ? pixel[k] : Number{0};
      }
    }
  }
};

}  // namespace nnrun::transforms
