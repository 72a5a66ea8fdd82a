#include "helpers.hpp"
#include "inspection/gradient_check.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace nnrun::core;
using nnrun::test::make_environment;

namespace {

GradientReport check(const std::string& layers, const std::vector<std::string>& overrides = {}) {
  const auto environment = make_environment(R"(
data:
  source: {drawn_digits: {count: 200}}
  transforms: [{scale: {divide_by: 255}}]
train: {batch: 24, loss: softmax_cross_entropy, optimizer: sgd}
run: {threads: 1, observers: []}
model:
  layers: )" + layers,
                                            overrides);
  Data data(environment->settings(), environment->host(), DataRoot{"/", true});
  return check_gradients(*environment, data);
}

const GradientRow& row_of(const GradientReport& report, const std::string& layer, const std::string& tensor) {
  const auto row = std::ranges::find_if(report.rows, [&](const GradientRow& r) { return r.layer == layer && r.tensor == tensor; });
  REQUIRE(row != report.rows.end());
  return *row;
}

}  // namespace

TEST_CASE("right gradients pass, each of them checked, alone and in the net") {
  const GradientReport report = check("[flatten, {dense: {units: 20}}, batchnorm, relu, {dropout: {rate: 0.3}}, {dense: {units: 10}}]");
  CHECK(report.passed());
  CHECK(report.samples == 24);
  for (const GradientRow& row : report.rows) {
    INFO(row.layer << " " << row.tensor << ": " << row.detail);
    CHECK(row.outcome == GradientRow::Outcome::ok);
    CHECK(row.error < GradientReport::layer_bound);
  }
  CHECK(row_of(report, "1.dense", "weights").net_error.has_value());
  CHECK(row_of(report, "1.dense", "bias").detail == "0 within rounding");  // what batch normalization subtracts again
  CHECK(row_of(report, "5.dense", "dx").directions > 8);
  CHECK(row_of(report, "loss", "softmax_cross_entropy").directions > 8);
}

TEST_CASE("a wrong gradient is found, and its layer is named") {
  const std::string before = "[flatten, {dense: {units: 20}}, ", after = ", relu, {dense: {units: 10}}]";
  SECTION("dx too large by 5 %") {
    const GradientReport report = check(before + "{wrong_gradient: {dx: 1.05}}" + after);
    REQUIRE(report.fault() != nullptr);
    CHECK(report.fault()->layer == "2.wrong_gradient");
    CHECK(report.fault()->tensor == "dx");
    CHECK(report.fault()->error == Approx(0.05 / 1.05).margin(0.01));
    CHECK(report.fault()->detail.find("finite differences say") != std::string::npos);
    // The layers around it are right alone.
    CHECK(row_of(report, "1.dense", "weights").outcome == GradientRow::Outcome::ok);
    CHECK(row_of(report, "2.wrong_gradient", "w").outcome == GradientRow::Outcome::ok);
    CHECK(row_of(report, "4.dense", "dx").outcome == GradientRow::Outcome::ok);
  }
  SECTION("a weight's gradient of the other sign, in the net too") {
    const GradientReport report = check(before + "{wrong_gradient: {dw: -1}}" + after);
    REQUIRE(report.fault() != nullptr);
    CHECK(report.fault()->layer == "2.wrong_gradient");
    CHECK(report.fault()->tensor == "w");
    CHECK(report.fault()->net_failed);
    CHECK_FALSE(row_of(report, "1.dense", "weights").net_failed);
  }
  SECTION("a gradient that is 0") {
    const GradientReport report = check(before + "{wrong_gradient: {dx: 0}}" + after);
    REQUIRE(report.fault() != nullptr);
    CHECK(report.fault()->layer == "2.wrong_gradient");
    // What is before it gets nothing to check.
    CHECK(row_of(report, "1.dense", "weights").outcome == GradientRow::Outcome::not_checked);
  }
}

TEST_CASE("a layer that is right alone but not in the net is found there") {
  // Far larger tensors come behind it: they are placed first, and its input, which nobody seems to need any longer, where they lie,
  // whatever scratch the dense layer before it takes.
  const GradientReport report = check("[flatten, {dense: {units: 20}}, forgetful, {dense: {units: 6000}}, copy, {dense: {units: 10}}]");
  CHECK(row_of(report, "2.forgetful", "dx").outcome == GradientRow::Outcome::ok);
  REQUIRE(report.fault() != nullptr);
  CHECK(report.fault()->layer == "1.dense");
  CHECK(report.fault()->net_failed);
}
