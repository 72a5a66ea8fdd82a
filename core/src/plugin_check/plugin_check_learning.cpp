// Losses, metrics, optimizers, schedules and initializers.
#include "plugin_check/plugin_check_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

namespace nnrun::core::checking {

namespace {

// What a net may end with, and what the labels are then.
struct Task {
  std::int64_t outputs, classes;  // classes 0: the targets are as many numbers as outputs
  std::string text() const {
    return shape_text(Shape{outputs}) + (classes > 0 ? " for " + std::to_string(classes) + " classes" : " for numbers");
  }
};
const std::vector<Task> tasks = {{5, 5}, {1, 2}, {5, 0}, {1, 0}};
constexpr std::int64_t planned_batch = 7;

class TaskData {
 public:
  // `outputs`: NNRUN_OUTPUTS_..., what the net's outputs stand for.
  TaskData(const Task& task, std::uint32_t outputs)
      : task_(task),
        output_(static_cast<std::size_t>(planned_batch * task.outputs) * sizeof(float)),
        labels_(static_cast<std::size_t>(planned_batch * std::max<std::int64_t>(task.classes > 0 ? 1 : task.outputs, 1)) * sizeof(float)) {
    fill_away_from_zero(output_.floats(), 0);
    if (outputs == NNRUN_OUTPUTS_PROBABILITIES) into_probabilities(output_.floats());
    if (task.classes == 0) {
      fill_away_from_zero(labels_.floats(), 1);
      if (outputs == NNRUN_OUTPUTS_PROBABILITIES) into_probabilities(labels_.floats());
      return;
    }
    auto* labels = static_cast<std::int32_t*>(labels_.data());
    for (std::int64_t i = 0; i < planned_batch; ++i) labels[i] = static_cast<std::int32_t>(i % task.classes);
  }

  // Well inside of 0..1, where the check's steps stay inside, too.
  static void into_probabilities(std::span<float> numbers) {
    for (float& number : numbers) number = 0.5f + 0.3f * std::tanh(number);
  }

  nnrun_tensor output(std::int64_t batch) const { return make_tensor(NNRUN_F32, Shape{batch, task_.outputs}, output_.data()); }
  nnrun_tensor labels(std::int64_t batch) const {
    if (task_.classes > 0) return make_tensor(NNRUN_S32, Shape{batch}, labels_.data());
    return make_tensor(NNRUN_F32, Shape{batch, task_.outputs}, labels_.data());
  }
  std::span<float> numbers() const { return output_.floats(); }
  void verify() const {
    output_.verify("the net's output");
    labels_.verify("the labels");
  }

 private:
  Task task_;
  GuardedMemory output_, labels_;
};

// ---- Losses -------------------------------------------------------------------------------------------------

class LossBench {
 public:
  LossBench(const ComponentSpec& spec, const nnrun_host* host, const Task& task)
      : instance_(spec, host),
        table_(instance_.vtable<nnrun_loss_vtable>()),
        data(task, table_.outputs),
        host_(host),
        gradient_(data.numbers().size_bytes()),
        losses_(static_cast<std::size_t>(planned_batch) * sizeof(float)) {
    nnrun_tensor output = data.output(planned_batch);
    output.data = nullptr;
    nnrun_loss_plan plan{};
    plan.size = sizeof plan;
    plan.output = &output;
    plan.classes = task.classes;
    plan.targets = task.classes > 0 ? 0 : task.outputs;
    plan.host = host;
    nnrun_error error{};
    if (table_.plan(instance_.self(), &plan, &error) != 0) throw NotChecked(message_of(error, "plan()"));
    scratch_.emplace(plan.scratch_bytes);
  }

  // Each sample's loss.
  std::span<const float> run(std::int64_t batch, bool with_gradient) {
    const nnrun_tensor output = data.output(batch), labels = data.labels(batch);
    nnrun_tensor gradient = output;
    gradient.data = gradient_.data();
    const auto rows = static_cast<std::size_t>(batch);
    const std::size_t loss_bytes = rows * sizeof(float);
    const std::size_t gradient_bytes = with_gradient ? rows * static_cast<std::size_t>(output.dim[1]) * sizeof(float) : 0;
    losses_.poison();
    losses_.mark_from(loss_bytes);
    gradient_.poison();
    gradient_.mark_from(gradient_bytes);
    scratch_->poison();
    const std::vector<float> before(data.numbers().begin(), data.numbers().end());
    nnrun_loss_run run{};
    run.size = sizeof run;
    run.output = &output;
    run.labels = &labels;
    run.d_output = with_gradient ? &gradient : nullptr;
    run.losses = losses_.floats().data();
    run.scratch = scratch_->data();
    run.host = host_;
    nnrun_error error{};
    if (table_.run(instance_.self(), &run, &error) != 0) throw Failure("run() failed: " + message_of(error, "run()"));
    data.verify();
    losses_.verify("losses");
    gradient_.verify("d_output");
    scratch_->verify("scratch memory");
    losses_.verify_marked_from(loss_bytes, "losses");
    gradient_.verify_marked_from(gradient_bytes, "d_output");
    require_same_bits(data.numbers(), before, "the net's output was written to: it");
    const auto losses = losses_.floats().subspan(0, rows);
    require_finite(losses, "losses");
    return losses;
  }
  std::span<const float> gradient(std::int64_t batch) const {
    return gradient_.floats().subspan(0, static_cast<std::size_t>(batch * data.output(batch).dim[1]));
  }

  // Rows of (classes) numbers; none where the loss has no such function.
  std::optional<std::vector<float>> probabilities(std::int64_t classes) {
    if (table_.probabilities == nullptr) return std::nullopt;
    const nnrun_tensor output = data.output(planned_batch);
    GuardedMemory memory(static_cast<std::size_t>(planned_batch * classes) * sizeof(float));
    nnrun_tensor result = make_tensor(NNRUN_F32, Shape{planned_batch, classes}, memory.data());
    nnrun_error error{};
    if (table_.probabilities(instance_.self(), &output, &result, &error) != 0) throw Failure(message_of(error, "probabilities()"));
    memory.verify("probabilities");
    return std::vector<float>(memory.floats().begin(), memory.floats().end());
  }

 private:
  Instance instance_;
  const nnrun_loss_vtable& table_;

 public:
  TaskData data;

 private:
  const nnrun_host* host_;
  GuardedMemory gradient_, losses_;
  std::optional<GuardedMemory> scratch_;
};

std::vector<float> copy_of(std::span<const float> numbers) { return {numbers.begin(), numbers.end()}; }

std::string check_loss_on(const ComponentSpec& spec, const Hosts& hosts, const Task& task) {
  LossBench bench(spec, hosts.one(), task);
  for (const std::int64_t batch : {planned_batch, std::int64_t{3}, std::int64_t{1}}) {
    const std::vector<float> alone = copy_of(bench.run(batch, false));
    require_close(bench.run(batch, true), alone, 1e-6, "with the gradient wanted, the loss");
    require_finite(bench.gradient(batch), "d_output");
    // The gradient is of the mean over the batch.
    const std::vector<float> gradient = copy_of(bench.gradient(batch));
    const std::vector<float> weights(static_cast<std::size_t>(batch), 1.0f / static_cast<float>(batch));
    const auto numbers = bench.data.numbers().subspan(0, gradient.size());
    const int counted = compare_with_differences({"d_output", numbers, gradient, [&] { return bench.run(batch, false); }, weights},
                                                 static_cast<std::uint32_t>(batch));
    require(counted >= 4, "finite differences meet kinks nearly everywhere");
  }
  const std::vector<float> expected_losses = copy_of(bench.run(planned_batch, true)), expected = copy_of(bench.gradient(planned_batch));
  for (const auto& [name, host] : hosts.all()) {
    LossBench other(spec, host, task);
    require_same_bits(other.run(planned_batch, true), expected_losses, name + ": losses");
    require_same_bits(other.gradient(planned_batch), expected, name + ": d_output");
  }
  if (task.classes > 0) {
    if (const auto probabilities = bench.probabilities(task.classes)) {
      require_finite(*probabilities, "probabilities");
      for (std::size_t row = 0; row < static_cast<std::size_t>(planned_batch); ++row) {
        double sum = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(task.classes); ++i) {
          const float p = (*probabilities)[row * static_cast<std::size_t>(task.classes) + i];
          require(p >= 0 && p <= 1, "a probability is " + std::to_string(p));
          sum += static_cast<double>(p);
        }
        require(std::abs(sum - 1) < 1e-4, "the probabilities of a sample add up to " + std::to_string(sum));
      }
    }
  }
  return task.text();
}

// Runs `check` on each task that the component takes.
template <class Check>
std::string on_tasks(Check&& check) {
  std::string taken, reason;
  for (const Task& task : tasks) {
    try {
      const std::string text = check(task);
      taken += (taken.empty() ? "outputs " : "; ") + text;
    } catch (const NotChecked& e) {
      reason = e.what();
    } catch (const std::exception& e) {
      throw Failure("for outputs " + task.text() + ": " + e.what());
    }
  }
  require(!taken.empty(), "takes none of the outputs that were tried; the last answer: " + reason);
  return taken;
}

}  // namespace

void check_loss(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("values and gradients", [&] { return on_tasks([&](const Task& task) { return check_loss_on(spec, hosts, task); }); });
}

// ---- Metrics ------------------------------------------------------------------------------------------------

void check_metric(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("sums", [&] {
    return on_tasks([&](const Task& task) {
      const Instance instance(spec, hosts.one());
      const auto& table = instance.vtable<nnrun_metric_vtable>();
      const TaskData data(task, NNRUN_OUTPUTS_LOGITS);
      nnrun_tensor shape = data.output(planned_batch);
      shape.data = nullptr;
      nnrun_metric_plan plan{};
      plan.size = sizeof plan;
      plan.output = &shape;
      plan.classes = task.classes;
      plan.targets = task.classes > 0 ? 0 : task.outputs;
      nnrun_error refusal{};
      if (table.plan(instance.self(), &plan, &refusal) != 0) throw NotChecked(message_of(refusal, "plan()"));
      GuardedMemory memory(plan.sums * sizeof(double));
      auto* sums = static_cast<double*>(memory.data());
      const auto start = [&] { std::fill_n(sums, plan.sums, 0.0); };
      const auto add = [&](std::int64_t first, std::int64_t count) {
        nnrun_tensor output = data.output(count), labels = data.labels(count);
        output.data = static_cast<float*>(output.data) + first * task.outputs;
        labels.data = static_cast<float*>(labels.data) + first * (task.classes > 0 ? 1 : task.outputs);
        nnrun_error error{};
        if (table.add(instance.self(), &output, &labels, sums, &error) != 0) throw Failure("add() failed: " + message_of(error, "add()"));
        memory.verify("sums");
        data.verify();
      };
      start();
      add(0, planned_batch);
      const double whole = table.result(instance.self(), sums);
      require(std::isfinite(whole), "result() is not finite");
      start();
      add(0, 3);
      add(3, planned_batch - 3);
      const double parts = table.result(instance.self(), sums);
      require(std::abs(whole - parts) <= 1e-9 * std::max(1.0, std::abs(whole)),
              "over batches of 3 and 4 it is " + std::to_string(parts) + ", over all 7 at once " + std::to_string(whole));
      return task.text();
    });
  });
}

// ---- Optimizers ---------------------------------------------------------------------------------------------

namespace {

constexpr std::size_t optimizer_count = 1000;

class OptimizerBench {
 public:
  OptimizerBench(const ComponentSpec& spec, const nnrun_host* host)
      : instance_(spec, host),
        table_(instance_.vtable<nnrun_optimizer_vtable>()),
        weights_(optimizer_count * sizeof(float)),
        gradients_(optimizer_count * sizeof(float)) {
    nnrun_error error{};
    if (table_.plan(instance_.self(), host, &error) != 0) throw Failure("plan() failed: " + message_of(error, "plan()"));
    for (std::uint32_t i = 0; i < table_.state_count; ++i) {
      require(table_.state_names != nullptr && table_.state_names[i] != nullptr && *table_.state_names[i] != '\0', "a state has no name");
      states_.push_back(std::make_unique<GuardedMemory>(optimizer_count * sizeof(float)));
      std::ranges::fill(states_.back()->floats(), 0.0f);
    }
    fill_away_from_zero(weights_.floats(), 0);
  }

  double rate(std::int64_t step) const {
    nnrun_progress progress{};
    progress.size = sizeof progress;
    progress.step = step;
    progress.steps_per_epoch = 50;
    progress.epoch = step / 50;
    progress.epochs = 10;
    return table_.rate(instance_.self(), &progress);
  }

  // One step of all weights, `slice` at a time.
  bool step(std::int64_t number, std::size_t slice, std::uint32_t flags = NNRUN_WEIGHT_DECAY) {
    const std::vector<float> before = numbers(gradients_);
    bool finite = true;
    for (std::size_t begin = 0; begin < optimizer_count; begin += slice) {
      std::vector<float*> states;
      for (const auto& state : states_) states.push_back(state->floats().data() + begin);
      nnrun_step arguments{};
      arguments.size = sizeof arguments;
      arguments.flags = flags;
      arguments.count = static_cast<std::int64_t>(std::min(slice, optimizer_count - begin));
      arguments.weights = weights_.floats().data() + begin;
      arguments.gradients = gradients_.floats().data() + begin;
      arguments.states = states.data();
      arguments.rate = rate(number);
      arguments.step = number;
      finite = table_.step(instance_.self(), &arguments) == 0 && finite;
    }
    weights_.verify("the weights");
    gradients_.verify("the gradients");
    for (const auto& state : states_) state->verify("a state");
    require(std::memcmp(before.data(), gradients_.data(), gradients_.bytes()) == 0, "step() writes to the gradients");
    return finite;
  }

  // Of half the sum of squares, whose minimum is 0.
  void set_gradients() { std::ranges::copy(weights_.floats(), gradients_.floats().begin()); }
  double height() const {
    double sum = 0;
    for (const float w : weights_.floats()) sum += 0.5 * static_cast<double>(w) * static_cast<double>(w);
    return sum;
  }
  std::span<float> weights() const { return weights_.floats(); }
  std::span<float> gradients() const { return gradients_.floats(); }
  std::vector<std::vector<float>> all() const {
    std::vector<std::vector<float>> list{numbers(weights_)};
    for (const auto& state : states_) list.push_back(numbers(*state));
    return list;
  }

 private:
  static std::vector<float> numbers(const GuardedMemory& memory) { return {memory.floats().begin(), memory.floats().end()}; }

  Instance instance_;
  const nnrun_optimizer_vtable& table_;
  GuardedMemory weights_, gradients_;
  std::vector<std::unique_ptr<GuardedMemory>> states_;
};

std::string check_slices(const ComponentSpec& spec, const Hosts& hosts) {
  const auto run = [&](std::size_t slice) {
    OptimizerBench bench(spec, hosts.one());
    for (std::int64_t step = 0; step < 5; ++step) {
      fill_away_from_zero(bench.gradients(), static_cast<std::uint32_t>(step));
      require(bench.step(step, slice), "step() finds a gradient that is not finite where all are");
    }
    for (const auto& numbers : bench.all()) require_finite(numbers, "a weight or state");
    return bench.all();
  };
  const auto whole = run(optimizer_count);
  for (const std::size_t slice : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{333}}) {
    const auto parts = run(slice);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      require_same_bits(parts[i], whole[i],
                        "in slices of " + std::to_string(slice) + ", " + (i == 0 ? "weights" : "state " + std::to_string(i - 1)));
    }
  }
  return "slices of 1, 7, 64 and 333 give the bits of the whole";
}

std::string check_descent(const ComponentSpec& spec, const Hosts& hosts) {
  OptimizerBench bench(spec, hosts.one());
  const double before = bench.height();
  for (std::int64_t step = 0; step < 200; ++step) {
    bench.set_gradients();
    bench.step(step, optimizer_count, 0);
  }
  require_finite(bench.weights(), "weights");
  const double after = bench.height();
  char text[96];
  std::snprintf(text, sizeof text, "200 steps took half the sum of squares from %.4g to %.4g", before, after);
  require(after < before, std::string(text) + ": it must fall");
  return text;
}

std::string check_not_finite(const ComponentSpec& spec, const Hosts& hosts) {
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{501}, optimizer_count - 1}) {
      OptimizerBench bench(spec, hosts.one());
      bench.set_gradients();
      bench.gradients()[at] = bad;
      require(!bench.step(0, optimizer_count),
              "step() does not tell of the " + std::string(std::isnan(bad) ? "NaN" : "infinity") + " in gradient " + std::to_string(at));
    }
  }
  return "told of, wherever they are";
}

}  // namespace

void check_optimizer(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("rate", [&] {
    const OptimizerBench bench(spec, hosts.one());
    for (std::int64_t step = 0; step < 500; ++step) {
      const double rate = bench.rate(step);
      require(std::isfinite(rate) && rate >= 0, "the learning rate of step " + std::to_string(step) + " is " + std::to_string(rate));
    }
    return std::string("finite");
  });
  report.check("slices", [&] { return check_slices(spec, hosts); });
  report.check("descent", [&] { return check_descent(spec, hosts); });
  report.check("NaN and infinity", [&] { return check_not_finite(spec, hosts); });
}

// ---- Schedules ----------------------------------------------------------------------------------------------

void check_schedule(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("factor", [&] {
    const Instance instance(spec, hosts.one());
    const auto& table = instance.vtable<nnrun_schedule_vtable>();
    double least = HUGE_VAL, greatest = -HUGE_VAL;
    for (const auto& [steps, epochs] : {std::pair{1, 1}, std::pair{10, 5}, std::pair{3, 200}}) {
      for (std::int64_t step = 0; step < static_cast<std::int64_t>(steps) * epochs; ++step) {
        nnrun_progress progress{};
        progress.size = sizeof progress;
        progress.step = step;
        progress.steps_per_epoch = steps;
        progress.epoch = step / steps;
        progress.epochs = epochs;
        const double factor = table.factor(instance.self(), &progress);
        const std::string where = " at step " + std::to_string(step) + " of " + std::to_string(steps * epochs);
        require(std::isfinite(factor) && factor >= 0, "is " + std::to_string(factor) + where);
        require(factor == table.factor(instance.self(), &progress), "differs when asked twice" + where);
        least = std::min(least, factor);
        greatest = std::max(greatest, factor);
      }
    }
    char text[64];
    std::snprintf(text, sizeof text, "between %.3g and %.3g", least, greatest);
    return std::string(text);
  });
}

// ---- Initializers -------------------------------------------------------------------------------------------

void check_initializer(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("fill", [&] {
    const Instance instance(spec, hosts.one());
    const auto& table = instance.vtable<nnrun_initializer_vtable>();
    bool random = false;
    for (const Shape& shape : {Shape{1}, Shape{7}, Shape{5, 7}, Shape{4, 3, 3, 2}}) {
      const std::int64_t count = Tensor(make_tensor(NNRUN_F32, shape)).count();
      GuardedMemory memory(static_cast<std::size_t>(count) * sizeof(float));
      const auto fill = [&](std::uint32_t minor) {
        memory.poison();
        nnrun_tensor weight = make_tensor(NNRUN_F32, shape, memory.data());
        const nnrun_random_key key{9, NNRUN_STREAM_WEIGHTS, 0, minor};
        nnrun_error error{};
        if (table.fill(instance.self(), &weight, count / shape.back() + 1, shape.back(), &key, &error) != 0) {
          throw Failure("fill() failed for " + to_string(shape) + ": " + message_of(error, "fill()"));
        }
        memory.verify("the weight " + to_string(shape));
        require_finite(memory.floats(), "the weight " + to_string(shape));
        return std::vector<float>(memory.floats().begin(), memory.floats().end());
      };
      const std::vector<float> first = fill(0);
      require_same_bits(fill(0), first, "filled again with the same key, the weight " + to_string(shape));
      random = random || fill(1) != first;
    }
    return std::string(random ? "the same bits for the same key" : "the same for every key");
  });
}

}  // namespace nnrun::core::checking
