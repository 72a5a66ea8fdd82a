#include "inspection/gradient_check.hpp"

#include "base/error.hpp"
#include "config/scalar.hpp"
#include "net/network.hpp"
#include "training/evaluation.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

namespace nnrun::core {

namespace {

using Floats = std::vector<float>;

constexpr double relative_step = 0x1p-6;
constexpr int dense_directions = 4, single_directions = 8;

double to_double(float value) { return static_cast<double>(value); }

double root_mean_square(std::span<const float> numbers) {
  double sum = 0;
  for (const float number : numbers) sum += to_double(number) * to_double(number);
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(numbers.size(), 1)));
}

double norm(std::span<const float> numbers) { return root_mean_square(numbers) * std::sqrt(static_cast<double>(numbers.size())); }

// Numbers that are all zero (biases at the start) say nothing of their scale.
double scale_of(std::span<const float> numbers) {
  const double size = root_mean_square(numbers);
  return size > 0 ? size : 0.1;
}

std::string text_of(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

std::span<float> floats_of(const nnrun_tensor& tensor) { return Tensor(tensor).span(); }

Floats copy_of(std::span<const float> numbers) { return {numbers.begin(), numbers.end()}; }

// A function from `numbers` to `outputs`, and its gradient.
struct Function {
  std::span<float> numbers;
  std::function<std::span<const float>()> evaluate;
  // The gradient of sum(outputs * weights) at the numbers as they are.
  std::function<Floats(const Floats& weights)> gradient;
  Floats weights;
};

struct Seen {
  double error = 0;
  int counted = 0;
  int zero = 0;  // directions in which both are 0 within rounding
  std::string failure;
};

class Differences {
 public:
  Differences(const Function& function, std::uint32_t seed)
      : f_(function),
        base_(copy_of(function.numbers)),
        at_base_(copy_of(function.evaluate())),
        random_({seed, NNRUN_STREAM_DATASET, 2, 0}),
        step_(relative_step * scale_of(base_)) {}

  Seen run() {
    const Floats gradient = f_.gradient(f_.weights);
    for (const float value : gradient) {
      if (!std::isfinite(value)) return {0, 1, 0, "it is not finite"};
    }
    Floats direction(base_.size());
    for (int k = 0; k < dense_directions; ++k) {
      for (std::size_t i = 0; i < direction.size(); ++i) {
        const bool positive = k == 0 ? gradient[i] >= 0 : (random_.next() & 1u) != 0;
        direction[i] = positive ? 1.0f : -1.0f;
      }
      compare(direction, k == 0 ? "along its own signs" : "along random signs");
    }
    std::ranges::fill(direction, 0.0f);
    for (int k = 0; k < single_directions; ++k) {
      const std::size_t index = random_.next() % base_.size();
      direction[index] = 1;
      compare(direction, "at element " + std::to_string(index));
      direction[index] = 0;
    }
    return seen_;
  }

 private:
  struct Points {
    Floats above, below;  // the outputs there
    Floats moved;         // above minus below, of the numbers, as rounding has it
  };

  Points evaluate_at(const Floats& direction, double step) {
    Points points;
    const auto move = [&](double by) {
      for (std::size_t i = 0; i < base_.size(); ++i) {
        f_.numbers[i] = static_cast<float>(to_double(base_[i]) + by * to_double(direction[i]));
      }
    };
    move(step);
    points.moved = copy_of(f_.numbers);
    points.above = copy_of(f_.evaluate());
    move(-step);
    for (std::size_t i = 0; i < base_.size(); ++i) points.moved[i] -= f_.numbers[i];
    points.below = copy_of(f_.evaluate());
    std::ranges::copy(base_, f_.numbers.begin());
    return points;
  }

  // Where the outputs bend more than a smooth function would between points this near: 0, elsewhere their weights.
  Floats smooth_weights(const Points& wide, const Points& narrow) const {
    Floats weights = f_.weights;
    for (std::size_t j = 0; j < weights.size(); ++j) {
      const double above = to_double(wide.above[j]), below = to_double(wide.below[j]), middle = to_double(at_base_[j]);
      const double half = to_double(narrow.above[j]) - to_double(narrow.below[j]);
      const double difference = std::abs(above - below);
      const double noise = 0x1p-20 * (std::abs(above) + std::abs(below) + std::abs(middle));
      const bool bends = std::abs(above - 2 * middle + below) > 0.1 * difference + noise ||
                         std::abs(above - below - 2 * half) > 0.05 * difference + 2 * noise;
      if (bends) weights[j] = 0;
    }
    return weights;
  }

  void compare(const Floats& direction, const std::string& along) {
    const Points wide = evaluate_at(direction, step_), narrow = evaluate_at(direction, step_ / 2);
    const Floats weights = smooth_weights(wide, narrow);
    double measured_wide = 0, measured_narrow = 0, kept = 0, all = 0, noise = 0;
    for (std::size_t j = 0; j < weights.size(); ++j) {
      const double change = to_double(wide.above[j]) - to_double(wide.below[j]);
      const double size = std::abs(to_double(wide.above[j])) + std::abs(to_double(wide.below[j]));
      const double weight = to_double(weights[j]);
      measured_wide += weight * change;
      measured_narrow += weight * (to_double(narrow.above[j]) - to_double(narrow.below[j]));
      all += std::abs(to_double(f_.weights[j]) * change);
      kept += std::abs(weight * change);
      if (change != 0) noise += weight * size * weight * size;
    }
    if (kept < 0.25 * all) return;  // too many kinks
    f_.evaluate();
    const Floats gradient = f_.gradient(weights);
    double claimed_wide = 0, claimed_narrow = 0;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      claimed_wide += to_double(gradient[i]) * to_double(wide.moved[i]);
      claimed_narrow += to_double(gradient[i]) * to_double(narrow.moved[i]);
    }
    const auto extrapolated = [&](double at_wide, double at_narrow) { return (8 * at_narrow - at_wide) / (6 * step_); };
    const double measured = extrapolated(measured_wide, measured_narrow), claimed = extrapolated(claimed_wide, claimed_narrow);
    // What rounding in f32 makes of sums of many outputs: a few units in the last place each, in any direction.
    const double rounding = 16 * 0x1p-24 * std::sqrt(noise) / step_;
    double size = std::max(std::abs(measured), std::abs(claimed));
    // Random signs may cancel, which makes the derivative no better known.
    if (std::ranges::count(direction, 0.0f) == 0) size = std::max(size, norm(gradient));
    const double difference = std::abs(measured - claimed);
    if (rounding > 2 * GradientReport::layer_bound * size) {
      // Terms that cancel, eg: a bias before batch normalization.
      if (difference <= rounding && rounding <= GradientReport::layer_bound * kept / step_) ++seen_.zero;
      return;
    }
    ++seen_.counted;
    if (difference == 0) return;
    if (difference / size > seen_.error) {
      seen_.error = difference / size;
      if (difference > GradientReport::layer_bound * size + rounding) {
        seen_.failure = along + " it says " + text_of(claimed) + ", finite differences say " + text_of(measured);
      }
    }
  }

  const Function& f_;
  const Floats base_, at_base_;
  Random random_;
  const double step_;
  Seen seen_;
};

// The gradients that each layer got in one backward pass.
class KeepGradients : public LayerWatcher {
 public:
  explicit KeepGradients(const Network& network) : network_(network), d_outputs(network.plan().layers.size()) {}
  void forward_done(std::size_t) override {}
  void backward_starts(std::size_t layer) override {
    d_outputs[layer] = copy_of(floats_of(network_.gradient(network_.plan().layers[layer].output)));
  }
  void backward_done(std::size_t) override {}

 private:
  const Network& network_;

 public:
  std::vector<Floats> d_outputs;
};

class Checker {
 public:
  Checker(const Environment& environment, Data& data)
      : settings_(environment.settings()),
        data_(data),
        batch_(std::min(settings_.train.batch, data.train().count())),
        apart_(settings_.model, environment.host(), batch_of(data.sample(), batch_), true, settings_.seed, nullptr,
               {.share_memory = false}),
        net_(settings_.model, environment.host(), batch_of(data.sample(), batch_), true, settings_.seed, apart_.parameters()),
        loss_(*settings_.train.loss, environment.host(), apart_.output(), data.classes(), data.targets()),
        labels_(label_bytes(data, batch_)) {
    parameters().add_training_memory({});
    apart_.initialize_parameters();
    move_constant_weights();
    std::vector<std::uint32_t> order;
    shuffle(order, data.train().count(), settings_.seed, NNRUN_STREAM_ORDER, 0);
    data.load(data.train(), std::span(order).subspan(0, static_cast<std::size_t>(batch_)), 0, true, apart_.input(), labels_.data());
    input_ = copy_of(floats_of(apart_.input()));
  }

  GradientReport run() {
    GradientReport report;
    report.samples = batch_;
    apart_.forward(0);
    report.loss = loss_.run(apart_.output(), labels(), &apart_.output_gradient()) / static_cast<double>(batch_);
    if (!std::isfinite(report.loss)) throw RunError("the loss of the first batch is not finite: there are no gradients to check");
    const GradientRow loss_row = check_loss();
    apart_.forward(0);
    loss_.run(apart_.output(), labels(), &apart_.output_gradient());
    KeepGradients kept(apart_);
    apart_.watch(&kept);
    apart_.backward(0, nullptr);
    apart_.watch(nullptr);
    for (std::size_t i = 0; i < apart_.plan().layers.size(); ++i) check_layer(i, kept.d_outputs[i], report.rows);
    check_net(report.rows);
    report.rows.push_back(loss_row);
    return report;
  }

 private:
  Parameters& parameters() { return *apart_.parameters(); }

  // Biases start at 0, and where the samples are 0, too, a relu behind them then sits on its kink, which has no gradient.
  void move_constant_weights() {
    for (std::size_t slot = 0; slot < parameters().weight_slots().size(); ++slot) {
      const std::span<float> weights(parameters().weight(slot), static_cast<std::size_t>(parameters().weight_slots()[slot].count));
      if (std::ranges::any_of(weights, [&](float weight) { return weight != weights[0]; })) continue;
      Random random({settings_.seed, NNRUN_STREAM_WEIGHTS, 0, static_cast<std::uint32_t>(slot)});
      for (float& weight : weights) {
        const float by = random.next_uniform(0.02f, 0.1f);
        weight += (random.next() & 1u) != 0 ? by : -by;
      }
    }
  }
  nnrun_tensor labels() { return labels_of(data_, batch_, labels_.data()); }

  static std::string name_of(const PlannedLayer& layer) {
    std::string name = layer.name;
    for (const ComponentSpec* absorbed : layer.absorbed) name += std::string(" + ") + absorbed->component->name;
    return name;
  }

  static void conclude(GradientRow& row, const Seen& seen) {
    row.error = seen.error;
    row.directions = seen.counted;
    if (!seen.failure.empty()) {
      row.outcome = GradientRow::Outcome::failed;
      row.detail = seen.failure;
    } else if (seen.counted == 0 && seen.zero > 0) {
      row.outcome = GradientRow::Outcome::ok;
      row.directions = seen.zero;
      row.detail = "0 within rounding";
    } else if (seen.counted == 0) {
      row.detail = "in every direction, kinks or rounding hide it";
    } else {
      row.outcome = GradientRow::Outcome::ok;
    }
  }

  GradientRow check_loss() {
    GradientRow row;
    row.layer = "loss";
    row.tensor = settings_.train.loss->component->name;
    row.where = settings_.train.loss->where;
    const Floats gradient = copy_of(floats_of(apart_.output_gradient()));
    Function f;
    f.numbers = floats_of(apart_.output());
    f.evaluate = [this]() -> std::span<const float> {
      loss_.run(apart_.output(), labels(), nullptr);
      return {loss_.losses(), static_cast<std::size_t>(batch_)};
    };
    f.weights.assign(static_cast<std::size_t>(batch_), static_cast<float>(1.0 / static_cast<double>(batch_)));
    // Each sample's output reaches its own loss alone: leaving a loss out leaves out its row.
    f.gradient = [&](const Floats& weights) {
      Floats masked = gradient;
      const std::size_t columns = masked.size() / weights.size();
      for (std::size_t i = 0; i < masked.size(); ++i) {
        if (weights[i / columns] == 0) masked[i] = 0;
      }
      return masked;
    };
    conclude(row, Differences(f, 0).run());
    return row;
  }

  void check_layer(std::size_t index, const Floats& d_output, std::vector<GradientRow>& rows) {
    const PlannedLayer& layer = apart_.plan().layers[index];
    if (!layer.runs_backward) return;
    const auto check = [&](const std::string& tensor, std::span<float> numbers, const std::function<std::span<const float>()>& gradient) {
      GradientRow row;
      row.layer = name_of(layer);
      row.tensor = tensor;
      row.where = layer.instance->spec().where;
      if (std::ranges::all_of(d_output, [](float value) { return value == 0; })) {
        row.detail = "the gradient that it gets is 0 everywhere";
        rows.push_back(row);
        return;
      }
      Function f;
      f.numbers = numbers;
      f.evaluate = [&]() -> std::span<const float> {
        apart_.forward_layer(index, 0);
        return floats_of(apart_.value(layer.output));
      };
      f.gradient = [&](const Floats& weights) {
        std::ranges::copy(weights, floats_of(apart_.gradient(layer.output)).begin());
        apart_.backward_layer(index, 0, nullptr);
        return copy_of(gradient());
      };
      f.weights = d_output;
      conclude(row, Differences(f, static_cast<std::uint32_t>(index)).run());
      apart_.forward_layer(index, 0);
      rows.push_back(row);
    };
    for (std::size_t k = 0; layer.input_gradient && k < layer.inputs.size(); ++k) {
      const nnrun_tensor& input = apart_.value(layer.inputs[k]);
      if (input.dtype != NNRUN_F32) continue;
      check(k == 0 ? "dx" : "dx of input " + std::to_string(k), floats_of(input),
            [this, index, k] { return floats_of(apart_.input_gradient(index, k)); });
    }
    for (std::size_t k = 0; k < layer.weights.size(); ++k) {
      const std::size_t slot = apart_.first_weight(index) + k;
      const auto count = static_cast<std::size_t>(parameters().weight_slots()[slot].count);
      check(layer.weights[k].slot.name.substr(layer.name.size() + 1), {parameters().weight(slot), count},
            [this, slot, count] { return std::span<const float>(parameters().gradient(slot), count); });
    }
  }

  double net_loss() {
    std::ranges::copy(input_, floats_of(net_.input()).begin());
    net_.forward(0);
    return loss_.run(net_.output(), labels(), nullptr) / static_cast<double>(batch_);
  }

  void check_net(std::vector<GradientRow>& rows) {
    std::ranges::copy(input_, floats_of(net_.input()).begin());
    net_.forward(0);
    loss_.run(net_.output(), labels(), &net_.output_gradient());
    net_.backward(0, nullptr);
    std::vector<Floats> gradients;
    for (std::size_t slot = 0; slot < parameters().weight_slots().size(); ++slot) {
      gradients.push_back(copy_of({parameters().gradient(slot), static_cast<std::size_t>(parameters().weight_slots()[slot].count)}));
    }
    for (std::size_t i = 0; i < net_.plan().layers.size(); ++i) {
      const PlannedLayer& layer = net_.plan().layers[i];
      for (std::size_t k = 0; k < layer.weights.size(); ++k) {
        const std::size_t slot = net_.first_weight(i) + k;
        const std::string tensor = layer.weights[k].slot.name.substr(layer.name.size() + 1);
        const auto row = std::ranges::find_if(rows, [&](const GradientRow& r) { return r.layer == name_of(layer) && r.tensor == tensor; });
        if (row != rows.end()) compare_net(slot, gradients[slot], *row);
      }
    }
  }

  // d loss / d step along the gradient, which is then its length.
  void compare_net(std::size_t slot, const Floats& gradient, GradientRow& row) {
    const double length = root_mean_square(gradient);
    if (!(length > 0)) return;
    const std::span<float> numbers(parameters().weight(slot), gradient.size());
    const Floats base = copy_of(numbers);
    const double here = net_loss();
    struct Slope {
      double measured, claimed;
      double bend;  // by how much the slopes on both sides differ
    };
    const auto slope_at = [&](double step) {
      Slope slope{0, 0, -2 * here};
      for (const double sign : {1.0, -1.0}) {
        for (std::size_t i = 0; i < base.size(); ++i) {
          numbers[i] = static_cast<float>(to_double(base[i]) + sign * step * to_double(gradient[i]) / length);
          slope.claimed += sign * to_double(gradient[i]) * (to_double(numbers[i]) - to_double(base[i]));
        }
        const double loss = net_loss();
        slope.measured += sign * loss;
        slope.bend += loss;
      }
      std::ranges::copy(base, numbers.begin());
      return Slope{slope.measured / (2 * step), slope.claimed / (2 * step), std::abs(slope.bend) / step};
    };
    double least = HUGE_VAL, step = scale_of(base) * 0x1p-3;
    Slope before = slope_at(step), best = before;
    for (int k = 4; k <= 10; ++k) {
      step /= 2;
      const Slope now = slope_at(step);
      const double change = std::abs(now.measured - before.measured);
      if (change < least) {
        least = change;
        best = now;
      }
      before = now;
    }
    const double size = std::max(std::abs(best.measured), std::abs(best.claimed));
    // The differences themselves are not sure where no step agrees with its half.
    if (!(size > 0) || least > GradientReport::net_bound / 2 * size) return;
    row.net_error = std::abs(best.measured - best.claimed) / size;
    // At a kink the gradient may be that of either side; the difference is the mean of both.
    row.net_failed = *row.net_error > GradientReport::net_bound + best.bend / 2 / size;
    if (row.net_failed && row.detail.empty()) {
      row.detail = "through the whole net it says " + text_of(best.claimed) + " along itself, the loss says " + text_of(best.measured);
    }
  }

  const Settings& settings_;
  Data& data_;
  const std::int64_t batch_;
  Network apart_;  // keeps every tensor
  Network net_;    // as training has it
  LossFunction loss_;
  Buffer labels_;
  Floats input_;
};

}  // namespace

const GradientRow* GradientReport::fault() const {
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (row->outcome == GradientRow::Outcome::failed) return &*row;
  }
  // All are right alone: what lies between them is not.
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (row->net_failed) return &*row;
  }
  return nullptr;
}

bool GradientReport::passed() const { return fault() == nullptr; }

GradientReport check_gradients(const Environment& environment, Data& data) { return Checker(environment, data).run(); }

}  // namespace nnrun::core
