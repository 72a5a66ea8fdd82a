// Metrics.
#include <catch2/catch.hpp>
#include <cmath>

#include "fake_host.hpp"

using fake::Component;

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
