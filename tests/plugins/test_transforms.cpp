#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <set>

#include "../../plugins/transforms/affine.hpp"
#include "fake_host.hpp"

using fake::Component;

namespace {

template <class From, class To>
std::vector<To> transformed(const Component& transform, fake::Buffer<From>& x, nnrun_dtype expected, bool training = true,
                            std::uint32_t sample = 0) {
  const auto& table = transform.vtable<nnrun_transform_vtable>();
  nnrun_tensor input = x.c();
  nnrun_tensor planned{};
  fake::must([&](nnrun_error* e) { return table.plan(transform.self(), &fake::host(), &input, &planned, e); });
  REQUIRE(planned.dtype == static_cast<std::uint32_t>(expected));
  fake::Buffer<To> y(expected, nnrun::Tensor(planned).shape());
  const nnrun_tensor output = y.c();
  nnrun_transform_run run{sizeof(nnrun_transform_run), training ? 1u : 0u, &input, &output, {42, NNRUN_STREAM_TRANSFORM, 0, sample}};
  fake::must([&](nnrun_error* e) { return table.apply(transform.self(), &run, e); });
  return y.numbers;
}

fake::Buffer<std::uint8_t> some_picture(const nnrun::Shape& shape) {
  fake::Buffer<std::uint8_t> picture(NNRUN_U8, shape);
  nnrun::Random random({1, 2, 3, 4});
  for (auto& pixel : picture.numbers) pixel = static_cast<std::uint8_t>(random.next() >> 24);
  return picture;
}

}  // namespace

TEST_CASE("scale multiplies by the reciprocal in float") {
  fake::Buffer<std::uint8_t> bytes(NNRUN_U8, {16, 16, 1});
  std::iota(bytes.numbers.begin(), bytes.numbers.end(), std::uint8_t{0});
  const auto y = transformed<std::uint8_t, float>(Component("transform", "scale"), bytes, NNRUN_F32);
  for (std::size_t i = 0; i < 256; ++i) REQUIRE(y[i] == static_cast<float>(i) * static_cast<float>(1.0 / 255));
  fake::Buffer<> floats(NNRUN_F32, {3});
  floats.numbers = {1, -2, 4};
  CHECK(transformed<float, float>(Component("transform", "scale", {{"divide_by", 4.0}}), floats, NNRUN_F32) ==
        std::vector<float>{0.25f, -0.5f, 1.0f});
}

TEST_CASE("normalize takes one number or one a channel") {
  fake::Buffer<> x(NNRUN_F32, {1, 2, 3});
  x.numbers = {1, 2, 3, 4, 5, 6};
  const Component each("transform", "normalize", {{"mean", std::vector<double>{1, 2, 3}}, {"deviation", std::vector<double>{2}}});
  CHECK(transformed<float, float>(each, x, NNRUN_F32) == std::vector<float>{0, 0, 0, 1.5f, 1.5f, 1.5f});
  fake::Buffer<std::uint8_t> bytes(NNRUN_U8, {2, 1});
  bytes.numbers = {10, 20};
  const Component all("transform", "normalize", {{"mean", std::vector<double>{10}}, {"deviation", std::vector<double>{5}}});
  CHECK(transformed<std::uint8_t, float>(all, bytes, NNRUN_F32) == std::vector<float>{0, 2});
  const Component wrong("transform", "normalize", {{"mean", std::vector<double>{1, 2}}, {"deviation", std::vector<double>{5}}});
  CHECK(fake::failure_of([&] { transformed<float, float>(wrong, x, NNRUN_F32); }).find("3 channels") != std::string::npos);
}

TEST_CASE("affine and elastic leave pictures alone outside training, and with nothing to do") {
  auto picture = some_picture({9, 7, 3});
  const Component busy("transform", "affine", {{"rotate", 30.0}, {"shift", 3.0}, {"zoom", 0.2}, {"shear", 10.0}});
  const Component idle("transform", "affine");
  const Component bending("transform", "elastic");
  const Component straight("transform", "elastic", {{"strength", 0.0}});
  CHECK(busy.vtable<nnrun_transform_vtable>().augments == 1);
  CHECK((transformed<std::uint8_t, std::uint8_t>(busy, picture, NNRUN_U8, false) == picture.numbers));
  CHECK((transformed<std::uint8_t, std::uint8_t>(idle, picture, NNRUN_U8) == picture.numbers));
  CHECK((transformed<std::uint8_t, std::uint8_t>(bending, picture, NNRUN_U8, false) == picture.numbers));
  CHECK((transformed<std::uint8_t, std::uint8_t>(straight, picture, NNRUN_U8) == picture.numbers));
}

TEST_CASE("affine and elastic depend on the key alone") {
  auto picture = some_picture({28, 28, 1});
  for (const Component* transform :
       {new Component("transform", "affine", {{"rotate", 15.0}, {"shift", 2.0}}), new Component("transform", "elastic")}) {
    const std::unique_ptr<const Component> owner(transform);
    const auto first = transformed<std::uint8_t, std::uint8_t>(*transform, picture, NNRUN_U8, true, 1);
    CHECK((first == transformed<std::uint8_t, std::uint8_t>(*transform, picture, NNRUN_U8, true, 1)));
    CHECK((first != transformed<std::uint8_t, std::uint8_t>(*transform, picture, NNRUN_U8, true, 2)));
    CHECK((first != picture.numbers));
  }
}

TEST_CASE("an affine map turns, shifts and enlarges as said") {
  using nnrun::transforms::AffineMap;
  fake::Buffer<> x(NNRUN_F32, {3, 3, 1}), y(NNRUN_F32, {3, 3, 1});
  x.numbers = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto mapped = [&](const AffineMap& map) {
    map.apply(nnrun::Tensor(x.c()), nnrun::Tensor(y.c()));
    std::vector<float> rounded;
    for (const float number : y.numbers) rounded.push_back(std::round(number * 1e4f) / 1e4f);
    return rounded;
  };
  CHECK(mapped(AffineMap::make(90, 0, 0, 1, 0)) == std::vector<float>{7, 4, 1, 8, 5, 2, 9, 6, 3});  // clockwise
  CHECK(mapped(AffineMap::make(180, 0, 0, 1, 0)) == std::vector<float>{9, 8, 7, 6, 5, 4, 3, 2, 1});
  CHECK(mapped(AffineMap::make(0, 1, 0, 1, 0)) == std::vector<float>{0, 1, 2, 0, 4, 5, 0, 7, 8});   // to the right
  CHECK(mapped(AffineMap::make(0, 0, -1, 1, 0)) == std::vector<float>{4, 5, 6, 7, 8, 9, 0, 0, 0});  // up
  CHECK(mapped(AffineMap::make(0, 0.5, 0, 1, 0)) == std::vector<float>{0.5f, 1.5f, 2.5f, 2, 4.5f, 5.5f, 3.5f, 7.5f, 8.5f});
  CHECK(mapped(AffineMap::make(0, 0, 0, 2, 0)) == std::vector<float>{3, 3.5f, 4, 4.5f, 5, 5.5f, 6, 6.5f, 7});
  CHECK(mapped(AffineMap::make(0, 0, 0, 1, 45)) == std::vector<float>{2, 3, 0, 4, 5, 6, 0, 7, 8});  // rows slide by their height
}

// ---- Pictures -------------------------------------------------------------------------------------------------------------

namespace {

std::vector<std::uint8_t> on_bytes(const Component& transform, fake::Buffer<std::uint8_t>& x, std::uint32_t sample = 0,
                                   bool training = true) {
  return transformed<std::uint8_t, std::uint8_t>(transform, x, NNRUN_U8, training, sample);
}

fake::Buffer<> as_floats(const fake::Buffer<std::uint8_t>& bytes, const nnrun::Shape& shape) {
  fake::Buffer<> floats(NNRUN_F32, shape);
  std::copy(bytes.numbers.begin(), bytes.numbers.end(), floats.numbers.begin());
  return floats;
}

// How many different results 64 samples have.
std::size_t different(const Component& transform, fake::Buffer<std::uint8_t>& x) {
  std::set<std::string> all;
  for (std::uint32_t sample = 0; sample < 64; ++sample) {
    const auto y = on_bytes(transform, x, sample);
    all.emplace(y.begin(), y.end());
  }
  return all.size();
}

}  // namespace

TEST_CASE("augmentations copy outside of training, do nothing with nothing to do, and depend on the key alone") {
  struct Case {
    const char* name;
    fake::Settings idle;
  };
  for (const Case& one : {Case{"flip", {{"horizontal", 0.0}}}, Case{"shift", {{"pixels", 0.0}}}, Case{"rotate", {{"degrees", 0.0}}},
                          Case{"zoom", {{"share", 0.0}}}, Case{"cutout", {{"share", 0.0}}},
                          Case{"color_jitter", {{"brightness", 0.0}, {"contrast", 0.0}, {"saturation", 0.0}}}}) {
    INFO(one.name);
    const Component busy("transform", one.name), idle("transform", one.name, one.idle);
    CHECK(busy.vtable<nnrun_transform_vtable>().augments == 1);
    for (const nnrun::Shape& shape : {nnrun::Shape{24, 20, 3}, nnrun::Shape{24, 20, 1}, nnrun::Shape{9, 7}}) {
      auto x = some_picture(shape);
      CHECK(on_bytes(busy, x, 3, false) == x.numbers);
      CHECK(on_bytes(idle, x, 3) == x.numbers);
      CHECK(on_bytes(busy, x, 3) == on_bytes(busy, x, 3));
      CHECK(different(busy, x) >= 2);
      // Floats go the same way, up to rounding.
      auto floats = as_floats(x, shape);
      const auto from_bytes = on_bytes(busy, x, 3);
      const auto from_floats = transformed<float, float>(busy, floats, NNRUN_F32, true, 3);
      for (std::size_t i = 0; i < from_bytes.size(); ++i) {
        REQUIRE(std::abs(std::clamp(from_floats[i], 0.0f, 255.0f) - static_cast<float>(from_bytes[i])) < 0.51f);
      }
    }
  }
}

TEST_CASE("flip mirrors rows, columns and whole pixels") {
  fake::Buffer<std::uint8_t> x(NNRUN_U8, {2, 2, 3});
  x.numbers = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const Component sideways("transform", "flip", {{"horizontal", 1.0}}), over("transform", "flip", {{"horizontal", 0.0}, {"vertical", 1.0}});
  CHECK(on_bytes(sideways, x) == std::vector<std::uint8_t>{4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9});
  CHECK(on_bytes(over, x) == std::vector<std::uint8_t>{7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6});
  fake::Buffer<std::uint8_t> grey(NNRUN_U8, {1, 4, 1});
  grey.numbers = {1, 2, 3, 4};
  CHECK(on_bytes(sideways, grey) == std::vector<std::uint8_t>{4, 3, 2, 1});
  const Component half("transform", "flip");
  int flipped = 0;
  for (std::uint32_t sample = 0; sample < 1000; ++sample) flipped += on_bytes(half, grey, sample)[0] == 4 ? 1 : 0;
  CHECK(std::abs(flipped - 500) < 80);
}

TEST_CASE("moves with an edge repeat the outermost pixels; three channels move as one does") {
  using nnrun::transforms::AffineMap;
  using nnrun::transforms::Border;
  fake::Buffer<> x(NNRUN_F32, {3, 3, 1}), y(NNRUN_F32, {3, 3, 1});
  x.numbers = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  AffineMap::make(0, 1, -5, 1, 0).apply(nnrun::Tensor(x.c()), nnrun::Tensor(y.c()), Border::edge);
  CHECK(y.numbers == std::vector<float>{7, 7, 8, 7, 7, 8, 7, 7, 8});

  auto colour = some_picture({17, 13, 3});
  fake::Buffer<std::uint8_t> channel(NNRUN_U8, {17, 13, 1});
  for (const char* border : {"black", "edge"}) {
    const Component affine("transform", "affine",
                           {{"rotate", 40.0}, {"shift", 4.0}, {"zoom", 0.3}, {"shear", 20.0}, {"border", std::string(border)}});
    const auto moved = on_bytes(affine, colour, 5);
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t i = 0; i < channel.numbers.size(); ++i) channel.numbers[i] = colour.numbers[3 * i + c];
      const auto alone = on_bytes(affine, channel, 5);
      for (std::size_t i = 0; i < alone.size(); ++i) REQUIRE(alone[i] == moved[3 * i + c]);
    }
  }
}

TEST_CASE("crop takes the middle outside of training, and any place in it") {
  fake::Buffer<std::uint8_t> x(NNRUN_U8, {4, 5, 1});
  std::iota(x.numbers.begin(), x.numbers.end(), std::uint8_t{0});
  const Component crop("transform", "crop", {{"size", std::vector<double>{2, 3}}});
  CHECK(on_bytes(crop, x, 0, false) == std::vector<std::uint8_t>{6, 7, 8, 11, 12, 13});
  CHECK(different(crop, x) == 9);
  const Component whole("transform", "crop", {{"size", std::vector<double>{4, 5}}});
  CHECK(on_bytes(whole, x) == x.numbers);
  CHECK(fake::failure_of([&] {
          on_bytes(Component("transform", "crop", {{"size", std::vector<double>{5}}}), x);
        }).find("is larger than") != std::string::npos);

  // With padding: every place is the picture's, or beside it.
  for (const char* border : {"black", "edge"}) {
    const Component padded("transform", "crop", {{"size", std::vector<double>{4, 5}}, {"padding", 7.0}, {"border", std::string(border)}});
    auto colour = some_picture({4, 5, 3});
    std::set<std::pair<int, int>> places;
    for (std::uint32_t sample = 0; sample < 400; ++sample) {
      const auto y = on_bytes(padded, colour, sample);
      int found = 0;
      for (int top = -7; top <= 7; ++top) {
        for (int left = -7; left <= 7; ++left) {
          std::vector<std::uint8_t> expected;
          for (int i = 0; i < 60; ++i) {
            int r = top + i / 15, c = left + i / 3 % 5;
            const bool inside = r >= 0 && r < 4 && c >= 0 && c < 5;
            r = std::clamp(r, 0, 3);
            c = std::clamp(c, 0, 4);
            const std::uint8_t pixel = colour.numbers[static_cast<std::size_t>((r * 5 + c) * 3 + i % 3)];
            expected.push_back(inside || border[0] == 'e' ? pixel : std::uint8_t{0});
          }
          if (expected == y) {
            ++found;
            places.emplace(top, left);
          }
        }
      }
      REQUIRE(found >= 1);
    }
    CHECK(places.size() > 120);
  }
}

TEST_CASE("color_jitter scales light, contrast and colour") {
  fake::Buffer<> x(NNRUN_F32, {1, 2, 3});
  x.numbers = {0.2f, 0.4f, 0.6f, 0.8f, 0.6f, 0.1f};
  const double grey[2] = {0.299 * 0.2 + 0.587 * 0.4 + 0.114 * 0.6, 0.299 * 0.8 + 0.587 * 0.6 + 0.114 * 0.1};
  const double mean = (grey[0] + grey[1]) / 2;
  const auto jittered = [&](const char* what, double most) {
    fake::Settings settings{{"brightness", 0.0}, {"contrast", 0.0}, {"saturation", 0.0}};
    settings[what] = most;
    return transformed<float, float>(Component("transform", "color_jitter", settings), x, NNRUN_F32, true, 1);
  };
  const auto bright = jittered("brightness", 0.5), contrast = jittered("contrast", 0.5), saturation = jittered("saturation", 0.5);
  for (std::size_t i = 1; i < 6; ++i) {
    CHECK(bright[i] / x.numbers[i] == Approx(bright[0] / x.numbers[0]));
    CHECK((contrast[i] - mean) / (x.numbers[i] - mean) == Approx((contrast[0] - mean) / (x.numbers[0] - mean)).epsilon(1e-4));
    CHECK((saturation[i] - grey[i / 3]) / (x.numbers[i] - grey[i / 3]) ==
          Approx((saturation[0] - grey[0]) / (x.numbers[0] - grey[0])).epsilon(1e-4));
  }
  CHECK(bright[0] != Approx(x.numbers[0]));
  // A turn of the colours keeps the sum and the length.
  const auto turned = jittered("hue", 180);
  for (std::size_t p = 0; p < 6; p += 3) {
    double sums[2] = {0, 0}, squares[2] = {0, 0};
    for (std::size_t c = 0; c < 3; ++c) {
      sums[0] += x.numbers[p + c];
      sums[1] += turned[p + c];
      squares[0] += x.numbers[p + c] * x.numbers[p + c];
      squares[1] += turned[p + c] * turned[p + c];
    }
    CHECK(sums[1] == Approx(sums[0]));
    CHECK(squares[1] == Approx(squares[0]));
  }
  CHECK(turned[0] != Approx(x.numbers[0]));
  fake::Buffer<> two(NNRUN_F32, {2, 2, 2});
  CHECK(fake::failure_of([&] {
          transformed<float, float>(Component("transform", "color_jitter"), two, NNRUN_F32);
        }).find("1 or 3 channels") != std::string::npos);
}

TEST_CASE("cutout covers one rectangle, which may reach out of the picture") {
  fake::Buffer<std::uint8_t> x(NNRUN_U8, {12, 10, 3});
  std::fill(x.numbers.begin(), x.numbers.end(), std::uint8_t{200});
  const Component cutout("transform", "cutout", {{"size", std::vector<double>{4, 6}}, {"fill", 7.0}});
  std::set<std::size_t> counts;
  for (std::uint32_t sample = 0; sample < 300; ++sample) {
    const auto y = on_bytes(cutout, x, sample);
    const auto covered = static_cast<std::size_t>(std::count(y.begin(), y.end(), std::uint8_t{7}));
    CHECK(covered + static_cast<std::size_t>(std::count(y.begin(), y.end(), std::uint8_t{200})) == y.size());
    counts.insert(covered);
  }
  CHECK(*counts.rbegin() == 4 * 6 * 3);
  CHECK(*counts.begin() == 2 * 3 * 3);
  CHECK(fake::failure_of([&] { on_bytes(Component("transform", "cutout", {{"fill", 300.0}}), x); }).find("0 to 255") != std::string::npos);
}

TEST_CASE("mixup draws shares from the Beta distribution") {
  for (const double alpha : {0.05, 0.2, 1.0, 4.0}) {
    const Component mixup("transform", "mixup", {{"alpha", alpha}});
    const auto& table = mixup.vtable<nnrun_transform_vtable>();
    REQUIRE(table.own_share != nullptr);
    double sum = 0, squares = 0;
    const int count = 4000;
    for (int i = 0; i < count; ++i) {
      const nnrun_random_key key{1, NNRUN_STREAM_TRANSFORM, 0, static_cast<std::uint32_t>(i)};
      const double share = table.own_share(mixup.self(), &key);
      REQUIRE((share >= 0 && share <= 1));
      REQUIRE(share == table.own_share(mixup.self(), &key));
      sum += share;
      squares += (share - 0.5) * (share - 0.5);
    }
    CHECK(sum / count == Approx(0.5).margin(0.03));
    CHECK(squares / count == Approx(1 / (4 * (2 * alpha + 1))).margin(0.012));  // the variance of Beta(alpha, alpha)
  }
  CHECK(Component("transform", "flip").vtable<nnrun_transform_vtable>().own_share == nullptr);
}
