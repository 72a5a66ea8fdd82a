// Loads the next batch while the current one is computed, on threads that only use cores nobody else wants.
#pragma once

#include "base/buffer.hpp"
#include "plugins/host.hpp"
#include "training/data.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

namespace nnrun::core {

// Where all cores compute, nothing comes early, and the batch is loaded in parallel when it is taken, as without this class; where
// some are idle, or the loading waits for a disk, it is there by then. Which samples came early changes no bit of any.
class BatchAhead {
 public:
  // Of the training samples of `data`, up to `batch` at once. Both must outlive this.
  BatchAhead(const Data& data, const HostServices& host, std::int64_t batch);
  ~BatchAhead();
  BatchAhead(const BatchAhead&) = delete;
  BatchAhead& operator=(const BatchAhead&) = delete;

  // Starts loading what take() will be asked for next. Allocates nothing.
  void begin(std::span<const std::uint32_t> positions, std::int64_t epoch);
  // As Data::load() for training: what did not come early is loaded here, whatever was begun. Allocates nothing but what the data
  // set and the transforms do.
  void take(std::span<const std::uint32_t> positions, std::int64_t epoch, const nnrun_tensor& input, void* labels);

  // Whether a training sample takes long to load: it is drawn, decoded, comes from a slow disk, or is moved between pixels. Measured on a
  // few, for no data set or transform could say it for every machine.
  static bool is_worthwhile(const Data& data);

  // How many samples of the batch that was begun are there.
  std::int64_t ready_count() const;

 private:
  // No sample is left to be begun.
  static constexpr std::uint32_t closed = 1u << 30;

  void work(std::size_t number);
  void load(std::uint32_t row, std::byte* scratch);
  std::byte* scratch(std::size_t number) const { return scratch_.data() + number * data_.row_scratch_bytes(); }
  std::byte* row_of(std::uint32_t row) const { return rows_.data() + row * row_bytes_; }
  std::byte* label_of(std::uint32_t row) const { return labels_.data() + row * data_.label_bytes(); }

  const Data& data_;
  const HostServices& host_;
  const std::size_t row_bytes_;
  Buffer rows_, labels_;  // what came early
  Buffer scratch_;        // of each parallel range of take(), then of each thread

  // Written by begin() while no thread is busy.
  std::vector<std::uint32_t> positions_;
  std::int64_t epoch_ = 0;
  std::unique_ptr<std::atomic<bool>[]> ready_;

  std::atomic<std::uint32_t> next_ = closed;  // the next row to load
  std::atomic<std::uint32_t> busy_ = 0;       // threads that may be loading
  std::atomic<std::uint32_t> batches_ = 0;    // that were begun: what the threads wait for
  std::atomic<bool> stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace nnrun::core
