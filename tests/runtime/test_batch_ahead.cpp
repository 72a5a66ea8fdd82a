#include "training/batch_ahead.hpp"

#include "helpers.hpp"
#include "training/evaluation.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <fstream>
#include <numeric>
#include <thread>

using nnrun::core::BatchAhead;
using nnrun::core::Data;

namespace {

constexpr const char* turned_digits = R"(
data:
  source: {drawn_digits: {count: 300}}
  transforms: [{affine: {rotate: 20, shift: 3}}, {scale: {divide_by: 255}}]
model: {layers: [flatten, {dense: {units: 10}}]}
train: {epochs: 1, batch: 50, loss: softmax_cross_entropy, optimizer: sgd}
)";

struct Loaded {
  std::vector<float> pixels;
  std::vector<std::int32_t> labels;
  bool operator==(const Loaded&) const = default;
};

template <class Load>
Loaded load_with(const Data& data, std::span<const std::uint32_t> positions, Load&& load) {
  nnrun_tensor input = nnrun::core::batch_of(data.sample(), static_cast<std::int64_t>(positions.size()));
  Loaded loaded{std::vector<float>(static_cast<std::size_t>(nnrun::Tensor(input).count())), std::vector<std::int32_t>(positions.size())};
  input.data = loaded.pixels.data();
  load(input, loaded.labels.data());
  return loaded;
}

Loaded plainly(Data& data, std::span<const std::uint32_t> positions, std::int64_t epoch) {
  return load_with(data, positions,
                   [&](const nnrun_tensor& input, void* labels) { data.load(data.train(), positions, epoch, true, input, labels); });
}

Loaded taken(BatchAhead& ahead, const Data& data, std::span<const std::uint32_t> positions, std::int64_t epoch) {
  return load_with(data, positions, [&](const nnrun_tensor& input, void* labels) { ahead.take(positions, epoch, input, labels); });
}

// The threads get no time of a core that is wanted by others, so this may take a while.
void wait_until_ready(const BatchAhead& ahead, std::int64_t count) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (ahead.ready_count() < count) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::vector<std::uint32_t> numbers(std::uint32_t first, std::size_t count) {
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), first);
  return all;
}

void write_photograph(const std::filesystem::path& path, int brightness) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << "P5\n4 4\n255\n" << std::string(16, static_cast<char>(brightness));
}

}  // namespace

TEST_CASE("a batch that is loaded ahead has the same bits, however much of it came early") {
  for (const int threads : {1, 3}) {
    const auto environment = nnrun::test::make_environment(turned_digits, {"run.threads=" + std::to_string(threads)});
    Data data(environment->settings(), environment->host(), {});
    BatchAhead ahead(data, environment->host(), 50);
    for (std::uint32_t step = 0; step < 40; ++step) {
      INFO(threads << " threads, step " << step);
      const auto positions = numbers(5 * step, 20 + step % 30);
      const Loaded expected = plainly(data, positions, step % 3);
      switch (step % 5) {
        case 0: ahead.begin(positions, step % 3); break;                              // taken at once
        case 1: ahead.begin(positions, step % 3 + 1); break;                          // for another epoch
        case 2: ahead.begin(numbers(5 * step + 1, 20 + step % 30), step % 3); break;  // others
        case 3: ahead.begin({}, step % 3); break;
        default: ahead.begin(positions, step % 3); std::this_thread::sleep_for(std::chrono::microseconds(300 * (step % 4)));
      }
      CHECK(taken(ahead, data, positions, step % 3) == expected);
      // Taken already.
      CHECK(taken(ahead, data, positions, step % 3) == expected);
    }
    // Nothing of this is waited for.
    ahead.begin(numbers(0, 50), 0);
  }
}

TEST_CASE("samples that came early are not read again, and those that cannot be read are reported when they are taken") {
  const nnrun::test::TemporaryFolder folder;
  for (int i = 0; i < 6; ++i) write_photograph(folder / "pets" / (i < 3 ? "cat" : "dog") / (std::to_string(i) + ".pgm"), 40 * i);
  const std::string yaml = "data:\n  source: {image_folder: {size: 4, color: grey, cache: none}}\n  train: " + (folder / "pets").string() +
                           "\n  test: " + (folder / "pets").string() + R"(
  transforms: [{scale: {divide_by: 255}}]
model: {layers: [flatten, {dense: {units: 2}}]}
train: {epochs: 1, batch: 6, loss: softmax_cross_entropy, optimizer: sgd}
)";
  const auto environment = nnrun::test::make_environment(yaml, {"run.threads=2"});
  Data data(environment->settings(), environment->host(), {});
  BatchAhead ahead(data, environment->host(), 6);
  const auto all = numbers(0, 6);
  const Loaded expected = plainly(data, all, 0);

  ahead.begin(all, 0);
  wait_until_ready(ahead, 6);
  std::filesystem::remove_all(folder / "pets");
  CHECK(taken(ahead, data, all, 0) == expected);

  write_photograph(folder / "pets/cat/0.pgm", 0);
  // The threads may need a moment to see that they are done; until then, nothing is begun.
  do ahead.begin(all, 0);
  while (ahead.ready_count() == 6);
  wait_until_ready(ahead, 1);
  CHECK_THROWS_WITH(taken(ahead, data, all, 0), Catch::Contains("cat/1.pgm"));
}
