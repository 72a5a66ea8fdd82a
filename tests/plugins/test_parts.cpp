// Losses, optimizers, schedules, initializers and metrics.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "fake_host.hpp"

using fake::Component;

namespace {

double factor(const Component& schedule, std::int64_t step, std::int64_t steps_per_epoch = 10, std::int64_t epochs = 10) {
  const nnrun_progress progress{sizeof(nnrun_progress), 0, step, step / steps_per_epoch, steps_per_epoch, epochs};
  return schedule.vtable<nnrun_schedule_vtable>().factor(schedule.self(), &progress);
}

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

TEST_CASE("every component is documented, and its defaults are within its ranges") {
  for (const char* name :
       {"layers", "losses", "optimizers", "schedules", "initializers", "metrics", "transforms", "datasets", "observers"}) {
    const nnrun_plugin& plugin = fake::library(name);
    CHECK(plugin.abi_major == NNRUN_ABI_MAJOR);
    for (std::uint32_t i = 0; i < plugin.component_count; ++i) {
      const nnrun_component& component = *plugin.components[i];
      INFO(component.name);
      CHECK(std::string(component.doc).size() > 10);
      for (std::size_t p = 0; p < component.param_count; ++p) {
        const nnrun_param& param = component.params[p];
        INFO(param.name);
        CHECK(std::string(param.doc).size() > 5);
        CHECK(((param.type == NNRUN_COMPONENT) == (param.component_kind != nullptr)));
        if ((param.flags & NNRUN_PARAM_REQUIRED) != 0) continue;
        nnrun_value value{};
        component.get_default(p, &value);
        if (param.type == NNRUN_NUMBER) {
          CHECK((param.flags & NNRUN_PARAM_MINIMUM_EXCLUDED ? value.number > param.minimum : value.number >= param.minimum));
          CHECK((param.flags & NNRUN_PARAM_MAXIMUM_EXCLUDED ? value.number < param.maximum : value.number <= param.maximum));
        }
        if (param.type == NNRUN_COMPONENT) CHECK_NOTHROW(Component(param.component_kind, value.string));
      }
    }
  }
}

TEST_CASE("softmax_cross_entropy") {
  const Component loss("loss", "softmax_cross_entropy");
  const auto& table = loss.vtable<nnrun_loss_vtable>();
  fake::Buffer<> output(NNRUN_F32, {3, 4}), gradient(NNRUN_F32, {3, 4});
  fake::Buffer<std::int32_t> labels(NNRUN_S32, {3});
  labels.numbers = {2, 0, 3};
  fake::fill(output.numbers, 1);
  nnrun_tensor output_tensor = output.c(), gradient_tensor = gradient.c(), labels_tensor = labels.c();
  nnrun_loss_plan plan{};
  plan.size = sizeof plan;
  plan.output = &output_tensor;
  plan.classes = 4;
  plan.host = &fake::host();
  fake::must([&](nnrun_error* e) { return table.plan(loss.self(), &plan, e); });
  std::vector<std::byte> scratch(plan.scratch_bytes);
  std::vector<float> losses(3);
  nnrun_loss_run run{};
  run.size = sizeof run;
  run.output = &output_tensor;
  run.labels = &labels_tensor;
  run.d_output = &gradient_tensor;
  run.losses = losses.data();
  run.scratch = scratch.data();
  run.host = &fake::host();
  fake::must([&](nnrun_error* e) { return table.run(loss.self(), &run, e); });

  fake::Buffer<> probabilities(NNRUN_F32, {3, 4});
  nnrun_tensor probabilities_tensor = probabilities.c();
  fake::must([&](nnrun_error* e) { return table.probabilities(loss.self(), &output_tensor, &probabilities_tensor, e); });
  for (std::size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 4; ++j) sum += std::exp(static_cast<double>(output.numbers[i * 4 + j]));
    const auto label = static_cast<std::size_t>(labels.numbers[i]);
    CHECK(losses[i] == Approx(std::log(sum) - static_cast<double>(output.numbers[i * 4 + label])).epsilon(1e-5));
    for (std::size_t j = 0; j < 4; ++j) {
      const double p = std::exp(static_cast<double>(output.numbers[i * 4 + j])) / sum;
      CHECK(probabilities.numbers[i * 4 + j] == Approx(p).epsilon(1e-5));
      CHECK(gradient.numbers[i * 4 + j] == Approx((p - (j == label ? 1 : 0)) / 3).epsilon(1e-5).margin(1e-7));
    }
  }

  const std::vector<float> before = losses;
  run.d_output = nullptr;
  fake::must([&](nnrun_error* e) { return table.run(loss.self(), &run, e); });
  CHECK(losses == before);

  plan.classes = 10;
  CHECK(fake::failure_of([&] { fake::must([&](nnrun_error* e) { return table.plan(loss.self(), &plan, e); }); }) ==
        "the net gives 4 outputs a sample, but the data has 10 classes: make the last dense layer {units: 10}");
  plan.classes = 0;
  CHECK(fake::failure_of([&] { fake::must([&](nnrun_error* e) { return table.plan(loss.self(), &plan, e); }); }).find("class labels") !=
        std::string::npos);
}

namespace {

// Plans a loss; returns what it complains of, or "".
std::string plan_loss(const Component& loss, std::int64_t columns, std::int64_t classes, std::int64_t targets) {
  fake::Buffer<> output(NNRUN_F32, {4, columns});
  const nnrun_tensor shape = output.c();
  nnrun_loss_plan plan{};
  plan.size = sizeof plan;
  plan.output = &shape;
  plan.classes = classes;
  plan.targets = targets;
  plan.host = &fake::host();
  nnrun_error error{};
  return loss.vtable<nnrun_loss_vtable>().plan(loss.self(), &plan, &error) == 0 ? "" : error.message;
}

}  // namespace

TEST_CASE("losses on one output refuse what does not fit") {
  for (const char* name : {"sigmoid_cross_entropy", "binary_cross_entropy"}) {
    const Component loss("loss", name);
    CHECK(plan_loss(loss, 1, 2, 0).empty());
    CHECK(plan_loss(loss, 3, 0, 3).empty());
    CHECK(plan_loss(loss, 1, 10, 0).find("for two classes, but the data has 10 classes: choose softmax_cross_entropy") !=
          std::string::npos);
    CHECK(plan_loss(loss, 2, 2, 0).find("the net gives 2 outputs a sample: make the last dense layer {units: 1}") != std::string::npos);
    CHECK(plan_loss(loss, 3, 0, 1).find("but the data has 1 target: make the last dense layer {units: 1}") != std::string::npos);
  }
  const Component squares("loss", "mean_squared_error");
  CHECK(plan_loss(squares, 3, 0, 3).empty());
  CHECK(plan_loss(squares, 1, 2, 0) ==
        "needs targets that are numbers, but the data has 2 classes: choose sigmoid_cross_entropy or softmax_cross_entropy");
}

TEST_CASE("binary_cross_entropy takes probabilities only") {
  const Component loss("loss", "binary_cross_entropy");
  REQUIRE(plan_loss(loss, 1, 2, 0).empty());
  CHECK(loss.vtable<nnrun_loss_vtable>().outputs == NNRUN_OUTPUTS_PROBABILITIES);
  fake::Buffer<> output(NNRUN_F32, {2, 1}), gradient(NNRUN_F32, {2, 1}), probabilities(NNRUN_F32, {2, 2});
  fake::Buffer<std::int32_t> labels(NNRUN_S32, {2});
  output.numbers = {0.25f, 1};
  labels.numbers = {1, 0};
  const nnrun_tensor output_tensor = output.c(), gradient_tensor = gradient.c(), labels_tensor = labels.c();
  nnrun_tensor probabilities_tensor = probabilities.c();
  std::vector<float> losses(2);
  nnrun_loss_run run{};
  run.size = sizeof run;
  run.output = &output_tensor;
  run.labels = &labels_tensor;
  run.d_output = &gradient_tensor;
  run.losses = losses.data();
  run.host = &fake::host();
  const auto& table = loss.vtable<nnrun_loss_vtable>();
  fake::must([&](nnrun_error* e) { return table.run(loss.self(), &run, e); });
  CHECK(losses[0] == Approx(-std::log(0.25)));
  CHECK(losses[1] == 100);  // the logarithm of 0, clamped
  CHECK(gradient.numbers[0] == Approx(-2));
  CHECK(gradient.numbers[1] == Approx(0.5e12));
  fake::must([&](nnrun_error* e) { return table.probabilities(loss.self(), &output_tensor, &probabilities_tensor, e); });
  CHECK(probabilities.numbers[0] == 0.75f);
  CHECK(probabilities.numbers[1] == 0.25f);
  output.numbers = {0.25f, 1.5f};
  CHECK(fake::failure_of([&] { fake::must([&](nnrun_error* e) { return table.run(loss.self(), &run, e); }); }) ==
        "takes probabilities from 0 to 1, but the net gives 1.5: end it with `sigmoid`, or take train.loss: sigmoid_cross_entropy");
}

TEST_CASE("optimizers follow their formulas") {
  struct Case {
    const char* name;
    fake::Settings settings;
    bool decays;
  };
  for (const Case& c :
       {Case{"sgd", {{"learning_rate", 0.1}}, true}, Case{"sgd", {{"learning_rate", 0.1}, {"weight_decay", 0.01}}, true},
        Case{"momentum", {{"beta", 0.8}, {"weight_decay", 0.01}}, false}, Case{"momentum", {{"nesterov", 1.0}}, true},
        Case{"adam", {}, true}, Case{"adam", {{"beta1", 0.8}, {"beta2", 0.99}, {"weight_decay", 0.1}, {"epsilon", 1e-3}}, true},
        Case{"sgd", {{"weight_decay", 0.1}}, false}, Case{"sgd", {{"weight_decay", 0.1}, {"decay_all", 1.0}}, false},
        Case{"momentum", {{"weight_decay", 0.1}, {"decay_all", 1.0}}, false},
        Case{"adam", {{"weight_decay", 0.1}, {"decay_all", 1.0}}, false}, Case{"adamw", {{"weight_decay", 0.1}}, true},
        Case{"adamw", {{"weight_decay", 0.1}}, false}, Case{"adamw", {{"weight_decay", 0.1}, {"decay_all", 1.0}}, false}}) {
    INFO(c.name);
    const std::string name = c.name;
    const Component optimizer("optimizer", c.name, c.settings);
    const auto& table = optimizer.vtable<nnrun_optimizer_vtable>();
    const auto setting = [&](const char* key, double otherwise) {
      const auto found = c.settings.find(key);
      return found == c.settings.end() ? otherwise : std::get<double>(found->second);
    };
    fake::must([&](nnrun_error* e) { return table.plan(optimizer.self(), &fake::host(), e); });
    constexpr std::size_t count = 37;
    std::vector<float> weights(count), gradients(count), m(count), v(count);
    fake::fill(weights, 1);
    std::vector<double> w(weights.begin(), weights.end()), first(count), second(count);
    float* states[] = {m.data(), v.data()};
    for (std::int64_t step = 0; step < 5; ++step) {
      fake::fill(gradients, static_cast<std::uint32_t>(10 + step));
      const nnrun_progress progress{sizeof(nnrun_progress), 0, step, 0, 10, 1};
      nnrun_step s{};
      s.size = sizeof s;
      s.flags = c.decays ? NNRUN_WEIGHT_DECAY : 0;
      s.count = count;
      s.weights = weights.data();
      s.gradients = gradients.data();
      s.states = states;
      s.rate = table.rate(optimizer.self(), &progress);
      s.step = step;
      CHECK(s.rate == Approx(setting("learning_rate", name.starts_with("adam") ? 0.001 : 0.01)));
      REQUIRE(table.step(optimizer.self(), &s) == 0);
      const auto t = static_cast<double>(step + 1);
      for (std::size_t i = 0; i < count; ++i) {
        const double decay = c.decays || setting("decay_all", 0) != 0 ? setting("weight_decay", 0) : 0;
        const double g = static_cast<double>(gradients[i]) + (name == "adamw" ? 0 : decay * w[i]);
        if (name == "adamw") w[i] -= s.rate * decay * w[i];
        if (name == "sgd") {
          w[i] -= s.rate * g;
        } else if (name == "momentum") {
          const double beta = setting("beta", 0.9);
          first[i] = beta * first[i] + g;
          w[i] -= s.rate * (setting("nesterov", 0) != 0 ? g + beta * first[i] : first[i]);
        } else {
          const double beta1 = setting("beta1", 0.9), beta2 = setting("beta2", 0.999);
          first[i] = beta1 * first[i] + (1 - beta1) * g;
          second[i] = beta2 * second[i] + (1 - beta2) * g * g;
          w[i] -= s.rate * (first[i] / (1 - std::pow(beta1, t))) /
                  (std::sqrt(second[i] / (1 - std::pow(beta2, t))) + setting("epsilon", name == "adam" ? 1e-7 : 1e-8));
        }
        CHECK(weights[i] == Approx(w[i]).epsilon(1e-5).margin(1e-6));
      }
    }
    gradients[5] = std::numeric_limits<float>::infinity();
    nnrun_step s{};
    s.size = sizeof s;
    s.count = count;
    s.weights = weights.data();
    s.gradients = gradients.data();
    s.states = states;
    s.rate = 0.1;
    CHECK(table.step(optimizer.self(), &s) == 1);
  }
}

TEST_CASE("an optimizer's rate follows its schedule") {
  const Component sgd(
      "optimizer", "sgd",
      {{"learning_rate", 0.005}, {"schedule", std::make_shared<Component>("schedule", "exponential", fake::Settings{{"factor", 0.97}})}});
  const nnrun_progress progress{sizeof(nnrun_progress), 0, 33, 3, 10, 10};
  CHECK(sgd.vtable<nnrun_optimizer_vtable>().rate(sgd.self(), &progress) == Approx(0.005 * 0.97 * 0.97 * 0.97).epsilon(1e-14));
}

TEST_CASE("schedules") {
  CHECK(factor(Component("schedule", "constant"), 77) == 1.0);

  const Component by_epoch("schedule", "exponential", {{"factor", 0.5}});
  CHECK(factor(by_epoch, 9) == 1.0);
  CHECK(factor(by_epoch, 10) == 0.5);
  CHECK(factor(by_epoch, 39) == 0.125);
  CHECK(factor(Component("schedule", "exponential", {{"factor", 0.5}, {"per", std::string("step")}}), 3) == 0.125);

  const Component steps("schedule", "step", {{"every", 3.0}, {"factor", 0.1}});
  CHECK(factor(steps, 29) == 1.0);
  CHECK(factor(steps, 30) == Approx(0.1));
  CHECK(factor(steps, 60) == Approx(0.01));

  const Component cosine("schedule", "cosine", {{"final", 0.2}});
  CHECK(factor(cosine, 0) == 1.0);
  CHECK(factor(cosine, 50) == Approx(0.6));
  CHECK(factor(cosine, 25) == Approx(0.2 + 0.8 * 0.5 * (1 + std::cos(std::numbers::pi / 4))));
  CHECK(factor(cosine, 100) == Approx(0.2));
  CHECK(factor(cosine, 200) == Approx(0.2));

  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=100): 29 is the peak, 99 the last.
  const Component cycle("schedule", "one_cycle");
  CHECK(factor(cycle, 0) == Approx(0.04));
  CHECK(factor(cycle, 29) == 1.0);
  CHECK(factor(cycle, 10) == Approx(1 + (0.04 - 1) / 2 * (1 + std::cos(std::numbers::pi * 10 / 29))));
  CHECK(factor(cycle, 64) == Approx(0.5 * (1 + 0.0001)));
  CHECK(factor(cycle, 99) == Approx(0.0001));
  CHECK(factor(cycle, 150) == Approx(0.0001));
  const Component warm("schedule", "warm_up", {{"steps", 4.0}, {"then", std::make_shared<Component>("schedule", "cosine")}});
  for (const std::int64_t step : {0, 1, 2, 3, 4, 50, 99}) {
    CHECK(factor(warm, step) == Approx(std::min(1.0, static_cast<double>(step + 1) / 4) * factor(Component("schedule", "cosine"), step)));
  }
  const Component by_epochs("schedule", "warm_up", {{"epochs", 0.5}, {"start", 0.2}});
  CHECK(factor(by_epochs, 0) == Approx(0.2 + 0.8 / 5));
  CHECK(factor(by_epochs, 4) == 1.0);
  const Component by_share("schedule", "warm_up", {{"share", 0.1}});
  CHECK(factor(by_share, 4) == Approx(0.5));
  CHECK(factor(by_share, 9) == 1.0);
  CHECK(factor(Component("schedule", "warm_up"), 1) == Approx(0.4));  // a twentieth of 100 steps
  CHECK(fake::failure_of([] {
          Component("schedule", "warm_up", {{"steps", 4.0}, {"share", 0.1}});
        }) == "has several lengths: give one of `steps`, `epochs` and `share`");

  const Component no_warm_up("schedule", "one_cycle", {{"warm_up", 0.0}});
  CHECK(factor(no_warm_up, 99) == Approx(0.0001));
  CHECK(std::isfinite(factor(cycle, 0, 1, 1)));
}

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

namespace {

// A metric over one batch after another, as the host runs it.
class MetricRun {
 public:
  MetricRun(const char* name, std::int64_t columns, std::int64_t classes, std::uint32_t outputs = NNRUN_OUTPUTS_LOGITS)
      : metric_("metric", name), columns_(columns) {
    fake::Buffer<> output(NNRUN_F32, {4, columns});
    const nnrun_tensor shape = output.c();
    nnrun_metric_plan plan{};
    plan.size = sizeof plan;
    plan.outputs = outputs;
    plan.output = &shape;
    plan.classes = classes;
    plan.targets = classes > 0 ? 0 : columns;
    fake::must([&](nnrun_error* e) { return table().plan(metric_.self(), &plan, e); });
    sums_.resize(plan.sums);
  }

  void add(const std::vector<float>& outputs, const std::vector<std::int32_t>& classes) {
    const auto rows = static_cast<std::int64_t>(classes.size());
    fake::Buffer<> output(NNRUN_F32, {rows, columns_});
    fake::Buffer<std::int32_t> labels(NNRUN_S32, {rows});
    std::copy(outputs.begin(), outputs.end(), output.numbers.begin());
    std::copy(classes.begin(), classes.end(), labels.numbers.begin());
    const nnrun_tensor output_tensor = output.c(), labels_tensor = labels.c();
    fake::must([&](nnrun_error* e) { return table().add(metric_.self(), &output_tensor, &labels_tensor, sums_.data(), e); });
  }

  double result() const { return table().result(metric_.self(), sums_.data()); }
  nnrun_field details() const {
    nnrun_field field{};
    if (table().table != nullptr) table().table(metric_.self(), sums_.data(), &field);
    return field;
  }

 private:
  const nnrun_metric_vtable& table() const { return metric_.vtable<nnrun_metric_vtable>(); }

  Component metric_;
  std::int64_t columns_;
  std::vector<double> sums_;
};

}  // namespace

TEST_CASE("accuracy counts right answers, the first maximum winning") {
  MetricRun three("accuracy", 3, 3);
  CHECK(three.result() == 0);
  three.add({1, 2, 0, 5, 5, 1, 0, 0, 0}, {1, 0, 2});  // right, right (first of two), wrong
  three.add({-1, -2, -3}, {0});                       // right
  CHECK(three.result() == 0.75);
  const nnrun_field matrix = three.details();
  CHECK(std::string(matrix.name) == "confusion_matrix");
  CHECK(std::vector<double>(matrix.numbers, matrix.numbers + matrix.rows * matrix.columns) ==
        std::vector<double>{2, 0, 0, 0, 1, 0, 1, 0, 0});

  MetricRun logit("accuracy", 1, 2);
  logit.add({1, -1, 0, 2}, {1, 0, 1, 0});  // right, right, wrong (0 is not above 0), wrong
  CHECK(logit.result() == 0.5);

  MetricRun probability("accuracy", 1, 2, NNRUN_OUTPUTS_PROBABILITIES);
  probability.add({0.6f, 0.4f, 0.5f, 0.1f}, {1, 0, 1, 1});  // right, right, wrong (0.5 is not above 0.5), wrong
  CHECK(probability.result() == 0.5);

  CHECK(MetricRun("accuracy", 101, 101).details().name == nullptr);
  CHECK(fake::failure_of([] { MetricRun("accuracy", 3, 0); }) == "needs class labels, but the data's targets are numbers");
  CHECK(fake::failure_of([] { MetricRun("accuracy", 3, 10); }) == "the net gives 3 outputs a sample, but the data has 10 classes");
}

TEST_CASE("precision and recall") {
  // Two classes: labels 1 1 1 0 0, answers 1 1 0 1 0.
  for (const auto& [name, expected] : {std::pair("precision", 2.0 / 3), std::pair("recall", 2.0 / 3)}) {
    MetricRun metric(name, 1, 2);
    metric.add({1, 2, -1, 3, -2}, {1, 1, 1, 0, 0});
    CHECK(metric.result() == Approx(expected));
  }
  MetricRun never("precision", 1, 2);
  never.add({-1, -1}, {1, 0});
  CHECK(never.result() == 0);
  // Three classes: labels 0 0 1 2, answers 0 1 1 0.
  const std::vector<float> outputs{9, 0, 0, 0, 9, 0, 0, 9, 0, 9, 0, 0};
  MetricRun precision("precision", 3, 3), recall("recall", 3, 3);
  precision.add(outputs, {0, 0, 1, 2});
  recall.add(outputs, {0, 0, 1, 2});
  CHECK(precision.result() == Approx((0.5 + 0.5 + 0) / 3));
  CHECK(recall.result() == Approx((0.5 + 1 + 0) / 3));
}

TEST_CASE("auc is the share of pairs in the right order") {
  constexpr std::size_t count = 400;
  nnrun::Random random({5, 0, 0, 0});
  std::vector<float> scores(count), probabilities(count), pairs;
  std::vector<std::int32_t> labels(count);
  for (std::size_t i = 0; i < count; ++i) {
    labels[i] = random.next_uniform(0, 1) < 0.3f ? 1 : 0;
    scores[i] = random.next_uniform(-2, 2) + 0.7f * static_cast<float>(labels[i]);
    probabilities[i] = 1.0f / (1.0f + std::exp(-scores[i]));
    pairs.insert(pairs.end(), {0.25f, 0.25f + scores[i]});
  }
  double won = 0, all = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      all += 1;
      won += scores[i] > scores[j] ? 1 : scores[i] < scores[j] ? 0 : 0.5;
    }
  }
  MetricRun logit("auc", 1, 2), two("auc", 2, 2), probability("auc", 1, 2, NNRUN_OUTPUTS_PROBABILITIES);
  logit.add(scores, labels);
  two.add(pairs, labels);
  probability.add(probabilities, labels);
  CHECK(logit.result() == Approx(won / all).margin(5e-4));
  CHECK(two.result() == Approx(won / all).margin(5e-4));
  CHECK(probability.result() == Approx(won / all).margin(5e-4));

  MetricRun perfect("auc", 1, 2), tied("auc", 1, 2), one_class("auc", 1, 2);
  perfect.add({-100, -1, 0.001f, 50}, {0, 0, 1, 1});
  CHECK(perfect.result() == 1);
  tied.add({0, -0.0f, 0}, {0, 1, 1});
  CHECK(tied.result() == 0.5);
  one_class.add({1, 2}, {1, 1});
  CHECK(one_class.result() == 0.5);
  CHECK(fake::failure_of([] { MetricRun("auc", 10, 10); }) == "is for two classes, but the data has 10");
}
