// Losses and metrics.
#include "plugin_check/plugin_check_parts.hpp"

#include <algorithm>
#include <cmath>
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

}  // namespace nnrun::core::checking
