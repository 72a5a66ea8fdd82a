// Losses.
#include <catch2/catch.hpp>
#include <cmath>

#include "fake_host.hpp"

using fake::Component;

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
