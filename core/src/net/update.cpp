#include "net/update.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace nnrun::core {

namespace {

constexpr std::int64_t block_size = 16384;

}  // namespace

Updater::Updater(const ComponentSpec& optimizer, const HostServices& host, Parameters& parameters, const UpdateOptions& options)
    : instance_(optimizer, host.c()),
      table_(instance_.vtable<nnrun_optimizer_vtable>()),
      host_(host),
      parameters_(parameters),
      options_(options),
      stepped_(parameters.weight_slots().size()),
      not_finite_(parameters.weight_slots().size()) {
  nnrun_error error{};
  if (table_.plan(instance_.self(), host.c(), &error) != 0) instance_.fail_in_config(error);
  if (table_.state_count > max_optimizer_states) {
    throw DiagnosticError(optimizer.where, std::string(optimizer.component->name) + " keeps " + std::to_string(table_.state_count) +
                                               " states a weight; at most " + std::to_string(max_optimizer_states) + " are possible");
  }
  parameters.add_training_memory(std::vector<std::string>(table_.state_names, table_.state_names + table_.state_count));
  if (!waits()) return;
  const auto& slots = parameters.weight_slots();
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot].frozen) continue;
    for (std::int64_t begin = 0; begin < slots[slot].count; begin += block_size) {
      blocks_.push_back({slot, begin, std::min(begin + block_size, slots[slot].count)});
    }
  }
  block_squares_.resize(blocks_.size());
  if (options.batches > 1) sums_ = Buffer(parameters.flat_weights().size_bytes());
}

double Updater::begin(const nnrun_progress& progress) {
  for (std::size_t i = 0; i < stepped_.size(); ++i) {
    stepped_[i].store(0, std::memory_order_relaxed);
    not_finite_[i].store(false, std::memory_order_relaxed);
  }
  step_ = progress.step;
  batches_ = samples_ = 0;
  rate_ = table_.rate(instance_.self(), &progress);
  return rate_;
}

bool Updater::steps_at_once(std::size_t slot) const { return table_.slices != 0 && !waits() && !parameters_.weight_slots()[slot].frozen; }

void Updater::slice_ready(std::size_t slot, std::int64_t begin, std::int64_t end) {
  if (steps_at_once(slot)) slice_given(slot, begin, end, parameters_.gradient(slot) + begin);
}

void Updater::slice_given(std::size_t slot, std::int64_t begin, std::int64_t end, const float* values) {
  if (!steps_at_once(slot)) {
    std::copy(values, values + (end - begin), parameters_.gradient(slot) + begin);
    return;
  }
  stepped_[slot].fetch_add(end - begin, std::memory_order_relaxed);
  step(slot, begin, end, values);
}

bool Updater::update_of(std::size_t slot, nnrun_update& update) {
  if (!steps_at_once(slot) || table_.update == nullptr) return false;
  States states{};
  const nnrun_step arguments = arguments_of(slot, 0, parameters_.weight_slots()[slot].count, states);
  update = {};
  update.size = sizeof update;
  return table_.update(instance_.self(), &arguments, &update) != 0;
}

void Updater::updated(std::size_t slot, bool finite) {
  stepped_[slot].store(parameters_.weight_slots()[slot].count, std::memory_order_relaxed);
  if (!finite) not_finite_[slot].store(true, std::memory_order_relaxed);
}

void Updater::layer_done(std::size_t first_slot, std::size_t slot_count) {
  if (waits()) return;
  for (std::size_t slot = first_slot; slot < first_slot + slot_count; ++slot) {
    if (parameters_.weight_slots()[slot].frozen) continue;
    const std::int64_t count = parameters_.weight_slots()[slot].count;
    const std::int64_t done = stepped_[slot].load(std::memory_order_relaxed);
    if (done == count) continue;
    if (done != 0) {
      throw RunError(parameters_.weight_slots()[slot].name + ": its layer said gradient_ready() for " + std::to_string(done) + " of " +
                     std::to_string(count) + " elements; it must be all, once each, or none");
    }
    Host(host_.c()).parallel_elements(
        count, [&](std::int64_t begin, std::int64_t end) { step(slot, begin, end, parameters_.gradient(slot) + begin); }, block_size);
  }
}

void Updater::for_each_block(const auto& body) const {
  Host(host_.c()).parallel(static_cast<std::int64_t>(blocks_.size()), [&](std::int64_t range) {
    const auto index = static_cast<std::size_t>(range);
    body(index, blocks_[index]);
  });
}

void Updater::end_batch(std::int64_t samples) {
  if (options_.batches > 1) {
    const auto weight = static_cast<float>(samples);
    const bool first = batches_ == 0;
    for_each_block([&](std::size_t, const Block& block) {
      const float* gradient = parameters_.gradient(block.slot);
      float* sum = sums_.as<float>() + parameters_.weight_slots()[block.slot].offset;
      for (std::int64_t i = block.begin; i < block.end; ++i) sum[i] = (first ? 0.0f : sum[i]) + weight * gradient[i];
    });
  }
  ++batches_;
  samples_ += samples;
}

double Updater::finish() {
  if (!waits()) return 0;
  if (options_.batches > 1) {
    const auto share = static_cast<float>(1.0 / static_cast<double>(samples_));
    for_each_block([&](std::size_t, const Block& block) {
      const float* sum = sums_.as<float>() + parameters_.weight_slots()[block.slot].offset;
      float* gradient = parameters_.gradient(block.slot);
      for (std::int64_t i = block.begin; i < block.end; ++i) gradient[i] = sum[i] * share;
    });
  }
  const double norm = options_.clip_norm > 0 ? gradient_norm() : 0;
  // An infinite norm makes every gradient 0 or NaN: the step is then refused, see not_finite().
  const auto scale = norm > options_.clip_norm ? static_cast<float>(options_.clip_norm / norm) : 1.0f;
  for_each_block([&](std::size_t, const Block& block) {
    float* gradient = parameters_.gradient(block.slot);
    if (options_.clip_norm > 0 && scale != 1.0f) {
      for (std::int64_t i = block.begin; i < block.end; ++i) gradient[i] *= scale;
    }
    step(block.slot, block.begin, block.end, gradient + block.begin);
  });
  return norm;
}

// In double, blocks in order: the same for any number of threads.
double Updater::gradient_norm() {
  for_each_block([&](std::size_t index, const Block& block) {
    const float* gradient = parameters_.gradient(block.slot);
    double sum = 0;
    for (std::int64_t i = block.begin; i < block.end; ++i) sum += static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]);
    block_squares_[index] = sum;
  });
  return std::sqrt(std::accumulate(block_squares_.begin(), block_squares_.end(), 0.0));
}

nnrun_step Updater::arguments_of(std::size_t slot, std::int64_t begin, std::int64_t end, States& states) const {
  for (std::size_t i = 0; i < table_.state_count; ++i) states[i] = parameters_.optimizer_state(i, slot) + begin;
  nnrun_step arguments{};
  arguments.size = sizeof arguments;
  arguments.flags = parameters_.weight_slots()[slot].flags;
  arguments.count = end - begin;
  arguments.weights = parameters_.weight(slot) + begin;
  arguments.states = states.data();
  arguments.rate = rate_;
  arguments.step = step_;
  return arguments;
}

void Updater::step(std::size_t slot, std::int64_t begin, std::int64_t end, const float* gradients) {
  States states{};
  nnrun_step arguments = arguments_of(slot, begin, end, states);
  arguments.gradients = gradients;
  if (table_.step(instance_.self(), &arguments) != 0) not_finite_[slot].store(true, std::memory_order_relaxed);
}

std::optional<std::size_t> Updater::not_finite() const {
  for (std::size_t i = 0; i < not_finite_.size(); ++i) {
    if (not_finite_[i].load(std::memory_order_relaxed)) return i;
  }
  return std::nullopt;
}

}  // namespace nnrun::core
