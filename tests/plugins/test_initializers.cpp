// Initializers.
#include <catch2/catch.hpp>
#include <cmath>

#include "fake_host.hpp"

using fake::Component;

namespace {

std::vector<float> filled(const Component& initializer, std::int64_t fan_in, std::int64_t fan_out, const nnrun::Shape& shape,
                          const nnrun_random_key& key = {42, NNRUN_STREAM_WEIGHTS, 3, 0}) {
  fake::Buffer<> weight(NNRUN_F32, shape);
  nnrun_tensor tensor = weight.c();
  fake::must([&](nnrun_error* e) {
    return initializer.vtable<nnrun_initializer_vtable>().fill(initializer.self(), &tensor, fan_in, fan_out, &key, e);
  });
  return weight.numbers;
}

}  // namespace

TEST_CASE("initializers") {
  const nnrun_random_key key{42, NNRUN_STREAM_WEIGHTS, 3, 0};
  const nnrun::Random random(key);

  const std::vector<float> he = filled(Component("initializer", "he_uniform"), 784, 256, {784, 3}, key);
  const auto limit = static_cast<float>(std::sqrt(6.0 / 784));
  for (std::size_t t = 0; t < he.size(); ++t)
    REQUIRE(he[t] == (2.0f * (static_cast<float>(random.word(t) >> 8) * 0x1p-24f) - 1.0f) * limit);

  const std::vector<float> lcg =
      filled(Component("initializer", "he_uniform", {{"generator", std::string("lcg")}}), 784, 256, {784, 3}, key);
  std::uint32_t state = random.word(0);
  for (const float element : lcg) {
    state = state * 1664525u + 1013904223u;
    REQUIRE(element == (2.0f * (static_cast<float>(state >> 8) * 0x1p-24f) - 1.0f) * limit);
  }

  const std::vector<float> glorot = filled(Component("initializer", "glorot_uniform"), 100, 50, {100, 50});
  for (const float element : glorot) REQUIRE(std::abs(element) <= 0.2f);
  CHECK(*std::max_element(glorot.begin(), glorot.end()) > 0.199f);

  for (const std::int64_t count : {20000, 20001}) {
    const std::vector<float> normal = filled(Component("initializer", "he_normal"), 50, 1, {count});
    double sum = 0, squares = 0;
    for (const float element : normal) {
      sum += static_cast<double>(element);
      squares += static_cast<double>(element) * static_cast<double>(element);
    }
    CHECK(sum / static_cast<double>(count) == Approx(0).margin(0.006));  // four standard errors
    CHECK(std::sqrt(squares / static_cast<double>(count)) == Approx(0.2).epsilon(0.02));
  }

  CHECK(filled(Component("initializer", "zeros"), 1, 1, {2, 2}) == std::vector<float>(4, 0.0f));
  CHECK(filled(Component("initializer", "ones"), 1, 1, {3}) == std::vector<float>(3, 1.0f));
  CHECK(filled(Component("initializer", "constant", {{"value", 0.25}}), 1, 1, {3}) == std::vector<float>(3, 0.25f));
}
