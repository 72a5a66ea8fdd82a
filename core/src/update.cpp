#include "update.hpp"

#include <nnrun/plugin.hpp>

#include <array>

namespace nnrun::core {

namespace {

constexpr std::size_t max_optimizer_states = 8;

}  // namespace

Updater::Updater(const ComponentSpec& optimizer, const HostServices& host, Parameters& parameters)
    : instance_(optimizer, host.c()),
      table_(instance_.vtable<nnrun_optimizer_vtable>()),
      host_(host),
      parameters_(parameters),
      stepped_(parameters.weight_slots().size()),
      not_finite_(parameters.weight_slots().size()) {
  nnrun_error error{};
  if (table_.plan(instance_.self(), host.c(), &error) != 0) instance_.fail_in_config(error);
  if (table_.state_count > max_optimizer_states) {
    throw DiagnosticError(optimizer.where, std::string(optimizer.component->name) + " keeps " + std::to_string(table_.state_count) +
                                               " states a weight; at most " + std::to_string(max_optimizer_states) + " are possible");
  }
  parameters.add_training_memory(std::vector<std::string>(table_.state_names, table_.state_names + table_.state_count));
}

double Updater::begin(const nnrun_progress& progress) {
  for (std::size_t i = 0; i < stepped_.size(); ++i) {
    stepped_[i].store(0, std::memory_order_relaxed);
    not_finite_[i].store(false, std::memory_order_relaxed);
  }
  step_ = progress.step;
  rate_ = table_.rate(instance_.self(), &progress);
  return rate_;
}

void Updater::slice_ready(std::size_t slot, std::int64_t begin, std::int64_t end) {
  if (table_.slices == 0) return;
  stepped_[slot].fetch_add(end - begin, std::memory_order_relaxed);
  step(slot, begin, end);
}

void Updater::layer_done(std::size_t first_slot, std::size_t slot_count) {
  constexpr std::int64_t block = 16384;
  for (std::size_t slot = first_slot; slot < first_slot + slot_count; ++slot) {
    const std::int64_t count = parameters_.weight_slots()[slot].count;
    const std::int64_t done = stepped_[slot].load(std::memory_order_relaxed);
    if (done == count) continue;
    if (done != 0) {
      throw RunError(parameters_.weight_slots()[slot].name + ": its layer said gradient_ready() for " + std::to_string(done) + " of " +
                     std::to_string(count) + " elements; it must be all, once each, or none");
    }
    Host(host_.c()).parallel_elements(count, [&](std::int64_t begin, std::int64_t end) { step(slot, begin, end); }, block);
  }
}

void Updater::step(std::size_t slot, std::int64_t begin, std::int64_t end) {
  std::array<float*, max_optimizer_states> states{};
  for (std::size_t i = 0; i < table_.state_count; ++i) states[i] = parameters_.optimizer_state(i, slot) + begin;
  nnrun_step arguments{};
  arguments.size = sizeof arguments;
  arguments.flags = parameters_.weight_slots()[slot].flags;
  arguments.count = end - begin;
  arguments.weights = parameters_.weight(slot) + begin;
  arguments.gradients = parameters_.gradient(slot) + begin;
  arguments.states = states.data();
  arguments.rate = rate_;
  arguments.step = step_;
  if (table_.step(instance_.self(), &arguments) != 0) not_finite_[slot].store(true, std::memory_order_relaxed);
}

std::optional<std::size_t> Updater::not_finite() const {
  for (std::size_t i = 0; i < not_finite_.size(); ++i) {
    if (not_finite_[i].load(std::memory_order_relaxed)) return i;
  }
  return std::nullopt;
}

}  // namespace nnrun::core
