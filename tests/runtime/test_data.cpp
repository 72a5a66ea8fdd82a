#include "training/data.hpp"

#include "helpers.hpp"
#include "training/evaluation.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using nnrun::core::share_of_classes;

TEST_CASE("a share of classes is the share of each, and of all") {
  std::vector<std::int32_t> labels;
  for (std::int32_t label = 0; label < 3; ++label) labels.insert(labels.end(), static_cast<std::size_t>(7 + label), label);
  CHECK(share_of_classes(labels, 3, 0.5) == std::vector<std::int64_t>{4, 4, 4});  // of 7, 8, 9: 3.5, 4, 4.5; 12 together
  CHECK(share_of_classes(labels, 3, 1.0 / 3) == std::vector<std::int64_t>{2, 3, 3});
  CHECK(share_of_classes(labels, 4, 0.01) == std::vector<std::int64_t>{0, 0, 0, 0});
  for (double share = 0.02; share < 1; share += 0.07) {
    const auto counts = share_of_classes(labels, 3, share);
    CHECK(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) == std::llround(share * 24));
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(static_cast<double>(counts[i]) - share * static_cast<double>(7 + i)) < 1);
  }
}

namespace {

constexpr const char* mixing = R"(
data:
  source: {drawn_digits: {count: 60}}
  transforms: [{scale: {divide_by: 255}}, {mixup: {alpha: 1}}]
model: {layers: [flatten, {dense: {units: 10}}]}
train: {epochs: 1, batch: 9, loss: softmax_cross_entropy, optimizer: sgd}
)";

struct Batch {
  std::vector<float> pixels, labels;
};

// Samples 3, 4, ... of the training set, mixed or not.
Batch load(const std::string& yaml, std::int64_t count, std::int64_t epoch, int threads = 1) {
  const auto environment = nnrun::test::make_environment(yaml, {"run.threads=" + std::to_string(threads)});
  nnrun::core::Data data(environment->settings(), environment->host(), {});
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(count));
  std::iota(positions.begin(), positions.end(), 3u);
  Batch batch{std::vector<float>(static_cast<std::size_t>(count * 784)), std::vector<float>(static_cast<std::size_t>(count * 10))};
  nnrun_tensor input = nnrun::core::batch_of(data.sample(), count);
  input.data = batch.pixels.data();
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
  data.load(data.train(), positions, epoch, true, input, labels.data());
  if (data.mixes()) {
    data.mix(data.train(), positions, epoch, input, labels.data(), batch.labels.data());
  } else {
    for (std::size_t i = 0; i < labels.size(); ++i) batch.labels[i * 10 + static_cast<std::size_t>(labels[i])] = 1;
  }
  return batch;
}

}  // namespace

TEST_CASE("mixup mixes each sample and its label with one other of the batch, alike") {
  std::string plain = mixing;
  plain.erase(plain.find(", {mixup: {alpha: 1}}"), 21);
  for (const std::int64_t count : {9, 4, 1}) {
    const Batch before = load(plain, count, 2), after = load(mixing, count, 2);
    for (std::int64_t row = 0; row < count; ++row) {
      const std::int64_t other = count - 1 - row;
      const float* own = before.labels.data() + row * 10;
      const float* others = before.labels.data() + other * 10;
      const float* mixed = after.labels.data() + row * 10;
      // The labels of consecutive digits differ, so the share can be read from them.
      float share = 1;
      for (int c = 0; c < 10; ++c) share = own[c] > others[c] ? mixed[c] : share;
      REQUIRE((share >= 0 && share <= 1));
      if (other == row) CHECK(share == 1);
      for (std::int64_t i = 0; i < 10; ++i) CHECK(mixed[i] == Approx(share * own[i] + (1 - share) * others[i]).margin(1e-6));
      for (std::int64_t i = 0; i < 784; ++i) {
        const auto x = static_cast<std::size_t>(row * 784 + i), y = static_cast<std::size_t>(other * 784 + i);
        REQUIRE(after.pixels[x] == Approx(share * before.pixels[x] + (1 - share) * before.pixels[y]).margin(1e-5));
      }
    }
    CHECK(after.pixels == load(mixing, count, 2, 3).pixels);
    if (count > 1) CHECK(after.pixels != load(mixing, count, 3).pixels);
  }
}
