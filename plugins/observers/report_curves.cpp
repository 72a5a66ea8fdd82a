#include "report_curves.hpp"

#include <algorithm>
#include <cmath>

#include "../common/text.hpp"
#include "report_words.hpp"

namespace nnrun::observers {

namespace {

Series series_of(const ReportRows& rows, const std::string& key, const std::string& style, const std::string& name) {
  Series series{style, name, {}, true};
  for (const Row& epoch : rows.epochs) {
    const double value = number(epoch, key);
    if (std::isfinite(value)) series.points.emplace_back(number(epoch, "epoch"), value);
  }
  return series;
}

Curve loss_curve(const ReportRows& rows) {
  Chart loss{"loss by epoch", "epoch", false, {}, {}};
  std::vector<Curve::Key> keys;
  const double steps = std::ceil(number(rows.start, "train_samples") / number(rows.start, "batch"));
  if (steps > 0 && !rows.batches.empty()) {
    Series batches{"s1 thin", "", {}, false};
    for (const ReportRows::Group& group : rows.batches) {
      batches.points.emplace_back(group.step / steps, group.mean);
      loss.band.x.push_back(group.step / steps);
      loss.band.low.push_back(group.least);
      loss.band.high.push_back(group.greatest);
    }
    loss.series.push_back(std::move(batches));
    const bool grouped_batches = loss.band.low != loss.band.high;
    if (!grouped_batches) loss.band = {};
    keys.emplace_back(grouped_batches ? "band" : "s1 thin", grouped_batches ? "training batches, mean and range" : "training batches");
  }
  loss.series.push_back(series_of(rows, "train_loss", "s1", "training loss"));
  keys.emplace_back("s1", "training, epoch's mean");
  if (Series validation = series_of(rows, "validation_loss", "s2", "validation loss"); !validation.points.empty()) {
    loss.series.push_back(std::move(validation));
    keys.emplace_back("s2", "validation");
  }
  return {"Loss", std::move(loss), std::move(keys)};
}

// Of what is measured on the validation split.
void add_validation(const ReportRows& rows, std::vector<Curve>& curves) {
  // Shares in one chart, other figures in charts of their own.
  Chart shares{"validation by epoch", "epoch", true, {}, {}};
  std::vector<Curve::Key> keys;
  for (const std::string& key : metrics_of(rows.epochs.back(), "validation_")) {
    if (!is_share(key)) {
      Chart other{"validation " + spaced(key) + " by epoch", "epoch", false, {series_of(rows, "validation_" + key, "s2", spaced(key))}, {}};
      curves.push_back({"Validation " + spaced(key), other, {{"s2", spaced(key)}}});
      continue;
    }
    const std::string style = format("s%d", static_cast<int>((keys.size() + 1) % 4 + 1));
    shares.series.push_back(series_of(rows, "validation_" + key, style, spaced(key)));
    keys.emplace_back(style, spaced(key));
  }
  curves.push_back({keys.size() == 1 ? "Validation " + keys[0].second : "Validation", shares, keys});
}

void add_rate(const ReportRows& rows, std::vector<Curve>& curves) {
  Chart rate{"learning rate by epoch", "epoch", false, {series_of(rows, "learning_rate", "s3", "learning rate")}, {}};
  const auto& rates = rate.series[0].points;
  if (std::ranges::any_of(rates, [&](const auto& point) { return point.second != rates[0].second; })) {
    curves.push_back({"Learning rate", rate, {{"s3", "of each epoch's last step"}}});
  }
}

}  // namespace

std::vector<Curve> curves_of(const ReportRows& rows) {
  std::vector<Curve> curves{loss_curve(rows)};
  if (!rows.epochs.empty()) {
    add_validation(rows, curves);
    add_rate(rows, curves);
  }
  return curves;
}

}  // namespace nnrun::observers
