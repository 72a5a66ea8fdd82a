#include "allocations.hpp"
#include "base/error.hpp"
#include "helpers.hpp"
#include "training/average.hpp"
#include "training/training_step.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <fstream>
#include <map>
#include <numeric>

using namespace nnrun;
using namespace nnrun::core;
using nnrun::test::allocation_count;
using nnrun::test::make_environment;
using nnrun::test::TemporaryFolder;

namespace {

constexpr const char* head = R"(
data:
  source: {drawn_digits: {count: 300}}
  transforms: [{scale: {divide_by: 255}}]
)";

constexpr const char* layers = R"(
model:
  layers:
    - flatten
    - dense: {units: 24}
    - relu
    - dropout: {rate: 0.2}
    - dense: {units: 17}
    - batchnorm
    - relu
    - dense: {units: 10}
)";

constexpr const char* tail = R"(
train: {batch: 32, loss: softmax_cross_entropy, optimizer: adam, metrics: [accuracy]}
run: {threads: 1, observers: []}
)";

std::string whole_config() { return std::string(head) + layers + tail; }

// Environment, data and step in the order in which they must be made and go.
struct Training {
  explicit Training(const std::string& yaml, const std::vector<std::string>& overrides = {}, const DataRoot& root = {"/", true})
      : environment(make_environment(yaml, overrides)),
        data(environment->settings(), environment->host(), root),
        step(*environment, data) {}

  TrainingStep::Result run(std::size_t begin, std::size_t count) {
    positions.resize(count);
    std::iota(positions.begin(), positions.end(), static_cast<std::uint32_t>(begin));
    return step.run(positions, progress());
  }
  nnrun_progress progress() {
    nnrun_progress p{};
    p.size = sizeof p;
    p.step = done++;
    p.steps_per_epoch = 10;
    p.epochs = 1;
    return p;
  }

  std::unique_ptr<Environment> environment;
  Data data;
  TrainingStep step;
  std::vector<std::uint32_t> positions;
  std::int64_t done = 0;
};

void write_idx(const std::filesystem::path& stem, std::uint32_t count, std::uint8_t classes) {
  const auto number = [](std::ofstream& out, std::uint32_t value) {
    for (const int shift : {24, 16, 8, 0}) out.put(static_cast<char>(value >> shift));
  };
  std::ofstream images(stem.string() + "-images-idx3-ubyte", std::ios::binary);
  number(images, 0x803);
  for (const std::uint32_t dim : {count, 7u, 5u}) number(images, dim);
  for (std::uint32_t i = 0; i < count * 35; ++i) images.put(static_cast<char>(i * 2654435761u >> 24));
  std::ofstream labels(stem.string() + "-labels-idx1-ubyte", std::ios::binary);
  number(labels, 0x801);
  number(labels, count);
  for (std::uint32_t i = 0; i < count; ++i) labels.put(static_cast<char>(i % classes));
}

void check_no_allocations(Training& training) {
  training.run(0, 32);
  training.run(32, 12);  // the first smaller batch, too
  const std::size_t before = allocation_count();
  for (std::size_t i = 1; i < 8; ++i) {
    training.positions.resize(i == 7 ? 12 : 32);
    std::iota(training.positions.begin(), training.positions.end(), static_cast<std::uint32_t>(i * 32));
    training.step.run(training.positions, training.progress());
  }
  CHECK(allocation_count() - before == 0);
}

}  // namespace

TEST_CASE("the counter of allocations counts") {
  allocation_count();
  const std::size_t before = allocation_count();
  std::vector<std::unique_ptr<int>> kept;
  for (int i = 0; i < 10; ++i) kept.push_back(std::make_unique<int>(i));
  CHECK(allocation_count() - before >= 10);
}

TEST_CASE("a step allocates nothing after the first: any optimizer, kernels and threads, drawn digits") {
  allocation_count();
  for (const char* optimizer : {"sgd", "momentum", "adam"}) {
    for (const char* kernels : {"scalar", "auto"}) {
      for (const char* threads : {"1", "2", "3", "8"}) {
        INFO(optimizer << ", kernels " << kernels << ", threads " << threads);
        Training training(whole_config(), {std::string("train.optimizer=") + optimizer, std::string("run.kernels=") + kernels,
                                           std::string("run.threads=") + threads});
        check_no_allocations(training);
      }
    }
  }
}

TEST_CASE("a step allocates nothing after the first: idx files") {
  const TemporaryFolder folder;
  write_idx(folder / "train", 300, 10);
  write_idx(folder / "test", 40, 10);
  const std::string yaml = "data:\n  source: idx\n  train: train\n  test: test\n  transforms: [{scale: {divide_by: 255}}]\n";
  for (const char* threads : {"1", "3"}) {
    Training training(yaml + layers + tail, {std::string("run.threads=") + threads}, DataRoot{folder.path(), true});
    check_no_allocations(training);
  }
}

namespace {

// Nothing in it depends on what else is in a batch.
constexpr const char* separable = R"(
model:
  layers: [flatten, {dense: {units: 20}}, gelu, {dense: {units: 10}}]
train: {batch: 64, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 0.1}}}
run: {threads: 2, observers: []}
)";

std::vector<float> weights_of(const Training& training) {
  const auto flat = training.step.parameters()->flat_weights();
  return {flat.begin(), flat.end()};
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    squares += difference * difference;
  }
  return std::sqrt(squares);
}

}  // namespace

TEST_CASE("a step allocates nothing after the first: clipped, of several batches") {
  for (const char* threads : {"1", "3"}) {
    Training training(whole_config(),
                      {std::string("run.threads=") + threads, "train.gradient_clipping=1", "train.accumulate=4", "train.batch=8"});
    check_no_allocations(training);
  }
}

TEST_CASE("several batches accumulated are one large batch, within rounding") {
  Training whole(std::string(head) + separable);
  Training parts(std::string(head) + separable, {"train.batch=12", "train.accumulate=6"});
  const std::vector<float> start = weights_of(whole);
  for (const std::size_t count : {64u, 64u, 41u, 5u}) {  // 12 leaves a smaller last batch of each
    const double loss = whole.run(0, count).loss_sum;
    CHECK(parts.run(0, count).loss_sum == Approx(loss).epsilon(1e-5));
  }
  CHECK(distance(weights_of(whole), start) > 0.1);
  CHECK(distance(weights_of(whole), weights_of(parts)) < 1e-5 * distance(weights_of(whole), start));
}

TEST_CASE("dropout drops others in each of the batches that make up a step") {
  // Twice the same samples: equal losses would mean equal masks.
  const std::string yaml = std::string(head) + R"(
model: {layers: [flatten, {dropout: {rate: 0.5}}, {dense: {units: 10}}]}
train: {batch: 1, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 1e-30}}}
run: {threads: 1, observers: []}
)";
  const auto loss = [&](const char* accumulate) {
    Training training(yaml, {std::string("train.accumulate=") + accumulate});
    const std::vector<std::uint32_t> same{3, 3};
    return training.step.run(std::span(same).first(std::string(accumulate) == "1" ? 1 : 2), training.progress()).loss_sum;
  };
  CHECK(loss("2") != 2 * loss("1"));
}

TEST_CASE("clipping scales all gradients to the norm") {
  Training free(std::string(head) + separable), clipped(std::string(head) + separable, {"train.gradient_clipping=0.01"}),
      loose(std::string(head) + separable, {"train.gradient_clipping=1e6"});
  const std::vector<float> start = weights_of(free);
  free.run(0, 64);
  const double norm = loose.run(0, 64).gradient_norm;
  // A step of SGD is the rate, 0.1, times the gradient.
  CHECK(distance(weights_of(free), start) == Approx(0.1 * norm).epsilon(1e-4));
  CHECK(weights_of(loose) == weights_of(free));
  CHECK(clipped.run(0, 64).gradient_norm == Approx(norm));
  CHECK(distance(weights_of(clipped), start) == Approx(0.1 * 0.01).epsilon(1e-3));
  // In the same direction.
  const std::vector<float> step = weights_of(clipped);
  std::vector<float> expected = start;
  for (std::size_t i = 0; i < start.size(); ++i) expected[i] += (weights_of(free)[i] - start[i]) * static_cast<float>(0.01 / norm);
  CHECK(distance(step, expected) < 1e-6);
}

TEST_CASE("gradients that are not finite stop a clipped step, too") {
  Training training(whole_config(), {"train.optimizer=sgd", "train.optimizer.sgd.learning_rate=1e30", "train.gradient_clipping=1e20"});
  std::string message;
  try {
    for (std::size_t i = 0; i < 5; ++i) training.run(i * 32, 32);
  } catch (const RunError& e) {
    message = e.what();
  }
  CHECK(message.find("not finite") != std::string::npos);
}

TEST_CASE("the average of the weights follows them") {
  Training training(std::string(head) + separable);
  const Parameters& parameters = *training.step.parameters();
  WeightAverage average(parameters, 0.6, training.environment->host());
  std::vector<double> expected(parameters.flat_weights().begin(), parameters.flat_weights().end());
  for (std::int64_t step = 0; step < 20; ++step) {
    training.run(0, 64);
    average.update(step);
    const double decay = std::min(0.6, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] = decay * expected[i] + (1 - decay) * static_cast<double>(parameters.flat_weights()[i]);
    }
  }
  const auto got = average.parameters()->flat_weights();
  for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(got[i] == Approx(expected[i]).margin(1e-6));
  const std::size_t before = allocation_count();
  average.update(20);
  CHECK(allocation_count() == before);
}

TEST_CASE("evaluation after steps sees their weights, and a smaller last batch") {
  Training training(whole_config(), {"model.layers[3].dropout.rate=0"});
  Evaluator evaluator(*training.environment, training.data, training.step.parameters());
  const Evaluation before = evaluator.run(training.data.train());
  CHECK(before.samples == 300);  // 256 and 44
  for (std::size_t epoch = 0; epoch < 20; ++epoch) {
    for (std::size_t begin = 0; begin < 300; begin += 32) training.run(begin, std::min<std::size_t>(32, 300 - begin));
  }
  const Evaluation after = evaluator.run(training.data.train());
  CHECK(after.loss < before.loss / 2);
  REQUIRE(after.metrics.size() == 1);
  CHECK(after.metrics[0].first == "accuracy");
  CHECK(after.metrics[0].second > 0.9);
}

TEST_CASE("the loss of a smaller batch is of its samples alone") {
  // Without batch norm and dropout a sample's loss does not depend on its batch.
  const std::string plain = std::string(head) + "model:\n  layers: [flatten, {dense: {units: 20}}, relu, {dense: {units: 10}}]\n" + R"(
train: {batch: 64, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 1e-30}}}
run: {threads: 1, observers: []}
)";
  Training training(plain);
  double parts = 0;
  for (const auto& [begin, count] : std::vector<std::pair<std::size_t, std::size_t>>{{0, 13}, {13, 1}, {14, 50}}) {
    parts += training.run(begin, count).loss_sum;
  }
  const double whole = training.run(0, 64).loss_sum;
  CHECK(parts == Approx(whole).epsilon(1e-5));
  CHECK(std::isfinite(training.run(5, 1).loss_sum));
}

TEST_CASE("the same bits for any number of threads") {
  std::map<std::string, std::string> results;
  for (const char* threads : {"1", "2", "3", "4", "8"}) {
    Training training(whole_config(), {std::string("run.threads=") + threads});
    for (std::size_t begin = 0; begin < 300; begin += 32) training.run(begin, std::min<std::size_t>(32, 300 - begin));
    results[threads] = training.step.parameters()->sha256();
  }
  // Larger than one block of the update, clipped, of several batches.
  for (const char* threads : {"1", "2", "3", "8"}) {
    Training training(whole_config(), {std::string("run.threads=") + threads, "model.layers[1].dense.units=301", "train.accumulate=2",
                                       "train.batch=30", "train.gradient_clipping=0.5", "train.optimizer=adamw"});
    WeightAverage average(*training.step.parameters(), 0.99, training.environment->host());
    for (std::int64_t step = 0; step < 5; ++step) {
      training.run(static_cast<std::size_t>(step) * 60, 60);
      average.update(step);
    }
    const std::string sha256 = training.step.parameters()->sha256() + average.parameters()->sha256();
    CHECK(sha256 == results.try_emplace("large", sha256).first->second);
  }
  results.erase("large");
  for (const auto& [threads, sha256] : results) {
    INFO(threads << " threads");
    CHECK(sha256 == results["1"]);
  }
}

// Where gradients are clipped, the optimizer waits for all of them; otherwise kernels may take its steps with the gradients.
TEST_CASE("steps taken with the gradient learn the same bits as steps behind it, for any number of threads") {
  for (const char* optimizer : {"sgd: {weight_decay: 0.01}", "momentum: {}", "momentum: {nesterov: true, weight_decay: 0.01}",
                                "adam: {weight_decay: 0.01}", "adamw: {weight_decay: 0.01}"}) {
    for (const char* kernels : {"auto", "avx2", "scalar"}) {
      if (std::string(kernels) == "avx2" && !__builtin_cpu_supports("avx2")) continue;
      INFO(optimizer << ", kernels " << kernels);
      std::string first;
      for (const std::vector<std::string>& how : {std::vector<std::string>{"run.threads=1"},
                                                  {"run.threads=2"},
                                                  {"run.threads=8"},
                                                  {"run.threads=2", "train.gradient_clipping=1e6"}}) {
        std::vector<std::string> overrides = how;
        for (const std::string& more : {std::string("train.optimizer={") + optimizer + "}", std::string("run.kernels=") + kernels,
                                        std::string("train.batch=75"), std::string("model.layers[1].dense.units=301")}) {
          overrides.push_back(more);
        }
        Training training(whole_config(), overrides);
        for (std::size_t begin = 0; begin < 300; begin += 75) training.run(begin, begin == 225 ? 7 : 75);
        const std::string sha256 = training.step.parameters()->sha256();
        if (first.empty()) first = sha256;
        CHECK(sha256 == first);
      }
    }
  }
}

TEST_CASE("a dense layer that absorbs relu learns the same bits as the two apart") {
  const auto run = [](const std::string& between) {
    const std::string yaml = std::string(head) + "model:\n  layers:\n    - flatten\n    - dense: {units: 33}\n" + between +
                             "    - relu\n    - dense: {units: 10}\n      name: last\n" + tail;
    // The second dense layer starts by its place in the list, which `between` shifts: give both the same start.
    Training training(yaml, {"model.layers.last.dense.weights=zeros"});
    std::vector<double> losses;
    for (std::size_t begin = 0; begin < 300; begin += 32)
      losses.push_back(training.run(begin, std::min<std::size_t>(32, 300 - begin)).loss_sum);
    return std::pair(losses, training.step.parameters()->sha256());
  };
  const auto fused = run("");
  CHECK(run("    - flatten\n") == fused);
  CHECK(run("    - copy\n") == fused);
}

TEST_CASE("numbers that are not finite stop the training, and where is told") {
  Training training(whole_config(), {"train.optimizer=sgd", "train.optimizer.sgd.learning_rate=1e30"});
  std::string message;
  try {
    for (std::size_t i = 0; i < 5; ++i) training.run(i * 32, 32);
  } catch (const RunError& e) {
    message = e.what();
  }
  INFO(message);
  const bool layer = message.find("1.dense") != std::string::npos || message.find("7.dense") != std::string::npos ||
                     message.find("4.dense") != std::string::npos || message.find("5.batchnorm") != std::string::npos;
  CHECK(layer);
  CHECK(message.find("step 2") != std::string::npos);
  CHECK(message.find("epoch 1") != std::string::npos);
  CHECK(message.find("learning_rate") != std::string::npos);
}

TEST_CASE("the first layer that is not finite is the one that is named") {
  Training training(whole_config());
  training.run(0, 32);
  const auto& slots = training.step.parameters()->weight_slots();
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot].name == "4.dense.bias") training.step.parameters()->weight(slot)[3] = std::numeric_limits<float>::quiet_NaN();
  }
  std::string message;
  try {
    training.run(0, 32);
  } catch (const RunError& e) {
    message = e.what();
  }
  CHECK(message.find("first layer whose output is not finite is 4.dense") != std::string::npos);
}

TEST_CASE("a layer that is not ready with all of a gradient is found out") {
  const std::string yaml = std::string(head) + "model:\n  layers: [flatten, {dense: {units: 10}}, half_ready]\n" + tail;
  Training run(yaml);
  std::string message;
  try {
    run.run(0, 32);
  } catch (const RunError& e) {
    message = e.what();
  }
  CHECK(message.find("2.half_ready.values") != std::string::npos);
  CHECK(message.find("4 of 8") != std::string::npos);
}

TEST_CASE("weights start from the seed") {
  const auto start = [](const std::string& seed) { return Training(whole_config(), {"seed=" + seed}).step.parameters()->sha256(); };
  CHECK(start("1") == start("1"));
  CHECK(start("1") != start("2"));
}
