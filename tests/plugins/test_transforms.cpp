#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

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
  REQUIRE(nnrun::Tensor(planned).shape() == nnrun::Tensor(input).shape());
  fake::Buffer<To> y(expected, nnrun::Tensor(planned).shape());
  const nnrun_tensor output = y.c();
  nnrun_transform_run run{
      sizeof(nnrun_transform_run), training ? 1u : 0u, &input, &output, {42, NNRUN_STREAM_TRANSFORM, 0, sample}};
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
