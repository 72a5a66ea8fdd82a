#include "training/batch_ahead.hpp"

#include "net/plan.hpp"

#include <nnrun/plugin.hpp>

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace nnrun::core {

namespace {

// Such a thread runs where a core has nothing else to do. Nothing waits for these: they hold no lock, and what they have not
// finished is loaded once more.
void become_idle_thread() {
  const sched_param none{};
  pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
  // Signals are for the thread that trains.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

BatchAhead::BatchAhead(const Data& data, const HostServices& host, std::int64_t batch)
    : data_(data),
      host_(host),
      row_bytes_(tensor_bytes(data.sample())),
      rows_(row_bytes_ * static_cast<std::size_t>(batch)),
      labels_(data.label_bytes() * static_cast<std::size_t>(batch)),
      ready_(std::make_unique<std::atomic<bool>[]>(static_cast<std::size_t>(batch))) {
  positions_.reserve(static_cast<std::size_t>(batch));
  const auto ranges = static_cast<std::size_t>(load_ranges(batch));
  const auto threads = static_cast<std::size_t>(std::min<std::int64_t>(host.threads(), batch));
  scratch_ = Buffer((ranges + threads) * data.row_scratch_bytes());
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, ranges, i] { work(ranges + i); });
}

BatchAhead::~BatchAhead() {
  stopping_ = true;
  next_ = closed;
  ++batches_;
  batches_.notify_all();
}

void BatchAhead::begin(std::span<const std::uint32_t> positions, std::int64_t epoch) {
  next_ = closed;
  // A thread that is still at a row of the batch before writes to it. It is late already: this batch is loaded when it is taken.
  if (busy_ != 0) return;
  positions_.assign(positions.begin(), positions.end());
  epoch_ = epoch;
  for (std::size_t i = 0; i < positions.size(); ++i) ready_[i] = false;
  if (positions.empty()) return;
  next_ = 0;
  ++batches_;
  batches_.notify_all();
}

void BatchAhead::work(std::size_t number) {
  become_idle_thread();
  for (std::uint32_t seen = 0; !stopping_;) {
    batches_.wait(seen);
    seen = batches_;
    // First busy, then a row: begin() either sees it busy, or closed the rows before this.
    ++busy_;
    for (std::uint32_t row; (row = next_++) < closed && row < positions_.size();) load(row, scratch(number));
    --busy_;
  }
}

void BatchAhead::load(std::uint32_t row, std::byte* scratch) {
  try {
    data_.load_row(data_.train(), positions_[row], epoch_, true, scratch, row_of(row), label_of(row));
    ready_[row] = true;
  } catch (const std::exception&) {
    // take() will meet it again, and report it.
  }
}

void BatchAhead::take(std::span<const std::uint32_t> positions, std::int64_t epoch, const nnrun_tensor& input, void* labels) {
  const bool begun = next_.exchange(closed) < closed && epoch == epoch_ && std::ranges::equal(positions, positions_);
  const auto count = static_cast<std::int64_t>(positions.size());
  const std::size_t label_bytes = data_.label_bytes();
  Host(host_.c()).parallel(load_ranges(count), [&](std::int64_t range) {
    const auto [first, last] = load_range(count, range);
    for (auto row = static_cast<std::uint32_t>(first); row < static_cast<std::uint32_t>(last); ++row) {
      auto* to = static_cast<std::byte*>(input.data) + row * row_bytes_;
      auto* label = static_cast<std::byte*>(labels) + row * label_bytes;
      if (begun && ready_[row]) {
        std::memcpy(to, row_of(row), row_bytes_);
        std::memcpy(label, label_of(row), label_bytes);
      } else {
        data_.load_row(data_.train(), positions[row], epoch, true, scratch(static_cast<std::size_t>(range)), to, label);
      }
    }
  });
}

bool BatchAhead::is_worthwhile(const Data& data) {
  constexpr auto long_time = std::chrono::microseconds(40);
  constexpr std::int64_t tries = 5;
  const Buffer scratch(data.row_scratch_bytes()), row(tensor_bytes(data.sample())), label(data.label_bytes());
  auto shortest = std::chrono::steady_clock::duration::max();
  for (std::uint32_t i = 0; i < std::min(tries, data.train().count()); ++i) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      data.load_row(data.train(), i, 0, true, scratch.data(), row.data(), label.data());
    } catch (const std::exception&) {
      return false;  // the step that needs this sample will report it
    }
    shortest = std::min(shortest, std::chrono::steady_clock::now() - begin);
  }
  return shortest >= long_time;
}

std::int64_t BatchAhead::ready_count() const {
  return std::count_if(ready_.get(), ready_.get() + positions_.size(), [](const std::atomic<bool>& ready) { return ready.load(); });
}

}  // namespace nnrun::core
