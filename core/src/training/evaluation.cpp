#include "training/evaluation.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <numeric>

namespace nnrun::core {

nnrun_tensor batch_of(const nnrun_tensor& sample, std::int64_t batch) {
  Shape shape = Tensor(sample).shape();
  shape.insert(shape.begin(), batch);
  return make_tensor(static_cast<nnrun_dtype>(sample.dtype), shape);
}

nnrun_tensor labels_of(const Data& data, std::int64_t batch, void* memory) {
  // No Shape: it would take memory in every step.
  const std::int64_t dims[] = {batch, data.targets()};
  if (data.classes() > 0) return make_tensor(NNRUN_S32, std::span(dims, 1), memory);
  return make_tensor(NNRUN_F32, dims, memory);
}

nnrun_tensor mixed_labels_of(const Data& data, std::int64_t batch, void* memory) {
  const std::int64_t dims[] = {batch, data.classes() > 0 ? data.classes() : data.targets()};
  return make_tensor(NNRUN_F32, dims, memory);
}

std::size_t label_bytes(const Data& data, std::int64_t batch) { return tensor_bytes(labels_of(data, batch, nullptr)); }

LossFunction::LossFunction(const ComponentSpec& spec, const HostServices& host, const nnrun_tensor& output, std::int64_t classes,
                           std::int64_t targets)
    : instance_(spec, host.c()), host_(host), losses_(static_cast<std::size_t>(output.dim[0]) * sizeof(float)) {
  nnrun_loss_plan plan{};
  plan.size = sizeof plan;
  plan.output = &output;
  plan.classes = classes;
  plan.targets = targets;
  plan.host = host.c();
  nnrun_error error{};
  if (instance_.vtable<nnrun_loss_vtable>().plan(instance_.self(), &plan, &error) != 0) instance_.fail_in_config(error);
  scratch_ = Buffer(plan.scratch_bytes);
}

double LossFunction::run(const nnrun_tensor& output, const nnrun_tensor& labels, const nnrun_tensor* gradient) {
  nnrun_loss_run run{};
  run.size = sizeof run;
  run.output = &output;
  run.labels = &labels;
  run.d_output = gradient;
  run.losses = losses_.as<float>();
  run.scratch = scratch_.data();
  run.host = host_.c();
  nnrun_error error;
  error.message[0] = error.parameter[0] = '\0';
  if (instance_.vtable<nnrun_loss_vtable>().run(instance_.self(), &run, &error) != 0) instance_.fail_in_run("computing", error);
  return std::accumulate(losses(), losses() + output.dim[0], 0.0);
}

void LossFunction::probabilities(const nnrun_tensor& output, nnrun_tensor& probabilities) {
  const auto& table = instance_.vtable<nnrun_loss_vtable>();
  if (table.probabilities == nullptr) {
    std::copy_n(static_cast<const float*>(output.data), Tensor(output).count(), static_cast<float*>(probabilities.data));
    return;
  }
  nnrun_error error{};
  if (table.probabilities(instance_.self(), &output, &probabilities, &error) != 0) instance_.fail_in_run("computing", error);
}

Evaluator::Evaluator(const Environment& environment, Data& data, std::shared_ptr<Parameters> parameters)
    : settings_(environment.settings()),
      data_(data),
      network_(settings_.model, environment.host(), batch_of(data.sample(), evaluation_batch(data.sample())), false, settings_.seed,
               std::move(parameters), {.fold = true}),
      loss_(*settings_.train.loss, environment.host(), network_.output(), data.classes(), data.targets()),
      labels_(label_bytes(data, evaluation_batch(data.sample()))) {
  plan_metrics(environment.host());
}

void Evaluator::plan_metrics(const HostServices& host) {
  for (const ComponentSpec& spec : settings_.train.metrics) {
    PlannedMetric metric{std::make_unique<Instance>(spec, host.c()), {}};
    nnrun_metric_plan plan{};
    plan.size = sizeof plan;
    plan.outputs = loss_.outputs();
    plan.output = &network_.output();
    plan.classes = data_.classes();
    plan.targets = data_.targets();
    nnrun_error error{};
    if (metric.table().plan(metric.instance->self(), &plan, &error) != 0) metric.instance->fail_in_config(error);
    metric.sums.resize(plan.sums);
    metrics_.push_back(std::move(metric));
  }
}

void Evaluator::add_to_metrics(const nnrun_tensor& labels) {
  for (PlannedMetric& metric : metrics_) {
    nnrun_error error{};
    if (metric.table().add(metric.instance->self(), &network_.output(), &labels, metric.sums.data(), &error) != 0) {
      metric.instance->fail_in_run("computing", error);
    }
  }
}

void Evaluator::add_to(Predictions& predictions, std::int64_t batch) {
  predictions.columns = data_.classes() > 0 ? data_.classes() : data_.targets();
  std::vector<float> numbers(static_cast<std::size_t>(batch * predictions.columns));
  nnrun_tensor probabilities = make_tensor(NNRUN_F32, Shape{batch, predictions.columns}, numbers.data());
  loss_.probabilities(network_.output(), probabilities);
  predictions.probabilities.insert(predictions.probabilities.end(), numbers.begin(), numbers.end());
  if (data_.classes() > 0) {
    predictions.labels.insert(predictions.labels.end(), labels_.as<std::int32_t>(), labels_.as<std::int32_t>() + batch);
  } else {
    predictions.labels.insert(predictions.labels.end(), labels_.as<float>(), labels_.as<float>() + batch * data_.targets());
  }
}

Evaluation Evaluator::run(const Data::Subset& subset, Predictions* predictions) {
  network_.parameters_changed();
  for (PlannedMetric& metric : metrics_) std::fill(metric.sums.begin(), metric.sums.end(), 0.0);
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(subset.count()));
  std::iota(positions.begin(), positions.end(), 0u);
  Evaluation result;
  const std::int64_t whole_batch = evaluation_batch(data_.sample());
  for (std::int64_t begin = 0; begin < subset.count(); begin += whole_batch) {
    const std::int64_t batch = std::min(whole_batch, subset.count() - begin);
    network_.set_batch(batch);
    data_.load(subset, std::span(positions).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(batch)), 0, false,
               network_.input(), labels_.data());
    network_.forward(0);
    const nnrun_tensor labels = labels_of(data_, batch, labels_.data());
    result.loss += loss_.run(network_.output(), labels, nullptr);
    add_to_metrics(labels);
    if (predictions != nullptr) add_to(*predictions, batch);
  }
  result.samples = subset.count();
  result.loss /= static_cast<double>(std::max<std::int64_t>(subset.count(), 1));
  for (const PlannedMetric& metric : metrics_) {
    result.metrics.emplace_back(metric.instance->spec().component->name,
                                metric.table().result(metric.instance->self(), metric.sums.data()));
    if (metric.table().table == nullptr) continue;
    nnrun_field field{};
    metric.table().table(metric.instance->self(), metric.sums.data(), &field);
    const auto is_known = [&](const Evaluation::Table& table) { return table.name == field.name; };
    if (field.name == nullptr || std::any_of(result.tables.begin(), result.tables.end(), is_known)) continue;
    result.tables.push_back({field.name, {field.numbers, field.numbers + field.rows * field.columns}, field.rows, field.columns});
  }
  return result;
}

}  // namespace nnrun::core
