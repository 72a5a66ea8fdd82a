#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "fake_host.hpp"

namespace {

std::shared_ptr<fake::Component> layer(const std::string& name, const fake::Settings& settings = {}) {
  return std::make_shared<fake::Component>("layer", name, settings);
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

// Compares backward() with central differences of sum(y * g) along one random direction of `numbers`. y of the tested layers is
// at most quadratic-like at this step, and sums are in double: 1e-3 leaves room for float's rounding alone.
void check_direction(fake::Layer& tested, std::vector<float>& numbers, const std::vector<float>& gradient, const std::vector<float>& g) {
  constexpr float step = 1e-2f;
  std::vector<float> direction(numbers.size());
  fake::fill(direction, 99);
  const std::vector<float> start = numbers;
  const auto value_at = [&](float distance) {
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = start[i] + distance * direction[i];
    tested.forward();
    return dot(tested.y.numbers, g);
  };
  const double difference = (value_at(step) - value_at(-step)) / (2.0 * static_cast<double>(step));
  numbers = start;
  CHECK(dot(gradient, direction) == Approx(difference).epsilon(2e-3).margin(1e-3));
}

void check_gradients(fake::Layer& tested) {
  fake::fill(tested.x.numbers, 1);
  tested.forward();
  std::vector<float> g(tested.y.numbers.size());
  fake::fill(g, 2);
  tested.dy.numbers = g;
  tested.backward();
  const std::vector<float> dx = tested.dx.numbers;
  check_direction(tested, tested.x.numbers, dx, g);
  for (std::size_t i = 0; i < tested.weights.size(); ++i) {
    check_direction(tested, tested.weights[i].numbers, tested.d_weights[i].numbers, g);
  }
}

}  // namespace

TEST_CASE("dense multiplies by its weights and adds its bias") {
  fake::Layer dense(layer("dense", {{"units", 3.0}}), {2, 4});
  REQUIRE(dense.weights.size() == 2);
  CHECK(dense.flags == std::vector<std::uint32_t>{NNRUN_WEIGHT_DECAY, 0});
  fake::fill(dense.x.numbers, 1);
  fake::fill(dense.weights[1].numbers, 2);
  dense.forward();
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t j = 0; j < 3; ++j) {
      double sum = static_cast<double>(dense.weights[1].numbers[j]);
      for (std::size_t i = 0; i < 4; ++i) {
        sum += static_cast<double>(dense.x.numbers[n * 4 + i]) * static_cast<double>(dense.weights[0].numbers[i * 3 + j]);
      }
      CHECK(dense.y.numbers[n * 3 + j] == Approx(sum).epsilon(1e-6));
    }
  }
}

TEST_CASE("dense refuses pictures and says what to put before it") {
  const std::string text = fake::failure_of([] { fake::Layer(layer("dense", {{"units", 3.0}}), {2, 28, 28, 1}); });
  CHECK(text == "takes (N, features), got (N, 28, 28, 1): put `flatten` before it");
}

TEST_CASE("dense has right gradients and reports each part of them once") {
  // 8 x 784 x 256 is cut into blocks with a rest; 3 x 5 x 2 is a single, odd one.
  for (const auto& [batch, in, units] : {std::array<std::int64_t, 3>{3, 5, 2}, {8, 784, 256}, {16, 200, 96}}) {
    fake::Layer dense(layer("dense", {{"units", static_cast<double>(units)}}), {batch, in});
    check_gradients(dense);
    std::vector<std::vector<std::int64_t>> parts = dense.ready;
    std::sort(parts.begin(), parts.end());
    REQUIRE(parts.size() >= 2);
    CHECK(parts.back() == std::vector<std::int64_t>{1, 0, units});
    std::int64_t at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      CHECK(parts[i][0] == 0);
      CHECK(parts[i][1] == at);
      at = parts[i][2];
    }
    CHECK(at == in * units);
    if (in == 784) CHECK(parts.size() - 1 >= 8);  // enough for eight threads
  }
}

TEST_CASE("dense with relu absorbed equals dense and relu") {
  const auto plain_component = layer("dense", {{"units", 24.0}});
  const auto fused_component = layer("dense", {{"units", 24.0}});
  REQUIRE(fused_component->vtable<nnrun_layer_vtable>().absorb(fused_component->self(), NNRUN_TRAIT_RELU) == 1);
  CHECK(fused_component->vtable<nnrun_layer_vtable>().absorb(fused_component->self(), NNRUN_TRAIT_NONE) == 0);
  fake::Layer plain(plain_component, {7, 20});
  fake::Layer fused(fused_component, {7, 20});
  fake::Layer relu(layer("relu"), {7, 24});
  CHECK(relu.in_place);

  fake::fill(plain.x.numbers, 1);
  fused.x.numbers = plain.x.numbers;
  plain.forward();
  relu.x.numbers = plain.y.numbers;
  relu.forward();
  fused.forward();
  CHECK(fused.y.numbers == relu.y.numbers);

  fake::fill(relu.dy.numbers, 2);
  fused.dy.numbers = relu.dy.numbers;
  relu.backward();
  plain.dy.numbers = relu.dx.numbers;
  plain.backward();
  fused.backward();
  CHECK(fused.dx.numbers == plain.dx.numbers);
  CHECK(fused.d_weights[0].numbers == plain.d_weights[0].numbers);
  CHECK(fused.d_weights[1].numbers == plain.d_weights[1].numbers);
}

TEST_CASE("dense as the first layer computes no input gradient") {
  fake::Layer dense(layer("dense", {{"units", 3.0}, {"bias", 0.0}}), {2, 4}, true, false);
  REQUIRE(dense.weights.size() == 1);
  fake::fill(dense.x.numbers, 1);
  dense.forward();
  fake::fill(dense.dy.numbers, 2);
  dense.backward();
  CHECK(dense.ready == std::vector<std::vector<std::int64_t>>{{0, 0, 12}});
}

TEST_CASE("flatten keeps the numbers") {
  fake::Layer flatten(layer("flatten"), {2, 3, 4, 5});
  CHECK(flatten.in_place);
  CHECK(nnrun::Tensor(flatten.y.c()).shape() == nnrun::Shape{2, 60});
  check_gradients(flatten);
  flatten.forward();
  CHECK(flatten.y.numbers == flatten.x.numbers);
}

TEST_CASE("softmax gives probabilities, with right gradients") {
  fake::Layer softmax(layer("softmax"), {4, 6});
  check_gradients(softmax);
  softmax.forward();
  for (std::size_t row = 0; row < 4; ++row) {
    double sum = 0;
    for (std::size_t j = 0; j < 6; ++j) sum += static_cast<double>(softmax.y.numbers[row * 6 + j]);
    CHECK(sum == Approx(1));
  }
}

TEST_CASE("dropout drops its share in training and nothing otherwise") {
  const nnrun::Shape shape{100, 401};  // blocks of the parallel loop end in the middle of a row
  fake::Layer dropout(layer("dropout", {{"rate", 0.25}}), shape);
  dropout.x.numbers.assign(dropout.x.numbers.size(), 3.0f);
  dropout.forward(false);
  CHECK(dropout.y.numbers == dropout.x.numbers);

  dropout.forward();
  const auto dropped = std::count(dropout.y.numbers.begin(), dropout.y.numbers.end(), 0.0f);
  CHECK(static_cast<double>(dropped) == Approx(10025).margin(350));  // four standard deviations
  CHECK(std::count(dropout.y.numbers.begin(), dropout.y.numbers.end(), 4.0f) + dropped == 40100);
  // Element i is decided by number i of the key.
  const nnrun::Random random(dropout.key);
  for (std::uint64_t i = 0; i < 40100; i += 97) {
    CHECK((nnrun::Random::to_uniform(random.word(i)) < 0.25f) == (dropout.y.numbers[static_cast<std::size_t>(i)] == 0.0f));
  }
  dropout.dy.numbers.assign(dropout.dy.numbers.size(), 3.0f);
  dropout.backward();
  CHECK(dropout.dx.numbers == dropout.y.numbers);

  const std::vector<float> first = dropout.y.numbers;
  dropout.key.major = 1;
  dropout.forward();
  CHECK(dropout.y.numbers != first);
}

TEST_CASE("batchnorm normalises, keeps running statistics and has right gradients") {
  fake::Layer batchnorm(layer("batchnorm", {{"momentum", 0.75}}), {6, 2, 2, 3});
  CHECK(batchnorm.flags == std::vector<std::uint32_t>{0, 0});
  check_gradients(batchnorm);

  batchnorm.states[0].numbers.assign(3, 0.0f);
  batchnorm.states[1].numbers.assign(3, 1.0f);
  batchnorm.weights[0].numbers = {1.0f, 2.0f, -1.0f};
  batchnorm.weights[1].numbers = {0.0f, 0.5f, 1.0f};
  batchnorm.forward();
  constexpr std::size_t rows = 24;
  double mean[3], unbiased[3];
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < rows; ++i) sum += static_cast<double>(batchnorm.x.numbers[i * 3 + c]);
    mean[c] = sum / rows;
    for (std::size_t i = 0; i < rows; ++i) squares += std::pow(static_cast<double>(batchnorm.x.numbers[i * 3 + c]) - mean[c], 2);
    unbiased[c] = squares / (rows - 1);
    const double inverse = 1 / std::sqrt(squares / rows + 1e-5);
    const double expected =
        (static_cast<double>(batchnorm.x.numbers[c]) - mean[c]) * inverse * static_cast<double>(batchnorm.weights[0].numbers[c]) +
        static_cast<double>(batchnorm.weights[1].numbers[c]);
    CHECK(batchnorm.y.numbers[c] == Approx(expected).epsilon(1e-5).margin(1e-6));
    CHECK(batchnorm.states[0].numbers[c] == Approx(0.25 * mean[c]).epsilon(1e-5).margin(1e-7));
    CHECK(batchnorm.states[1].numbers[c] == Approx(0.75 + 0.25 * unbiased[c]).epsilon(1e-5));
  }
  batchnorm.forward(false);
  const double inverse = 1 / std::sqrt(0.75 + 0.25 * unbiased[1] + 1e-5);
  CHECK(batchnorm.y.numbers[1] ==
        Approx((static_cast<double>(batchnorm.x.numbers[1]) - 0.25 * mean[1]) * inverse * 2 + 0.5).epsilon(1e-4).margin(1e-5));
  CHECK(batchnorm.states[0].numbers[0] == Approx(0.25 * mean[0]).epsilon(1e-5).margin(1e-7));
}

TEST_CASE("batchnorm cannot train on one value a channel") {
  CHECK(fake::failure_of([] { fake::Layer(layer("batchnorm"), {1, 3}); }).find("choose train.batch") != std::string::npos);
}
