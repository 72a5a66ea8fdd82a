// The data of a config: opens its splits, and loads batches through the transforms.
#pragma once

#include "base/buffer.hpp"
#include "config/settings.hpp"
#include "plugins/host.hpp"
#include "plugins/instance.hpp"

#include <nnrun/nnrun.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nnrun::core {

// The batch of evaluation nets: 256, or fewer of large samples, so that the net takes little memory beside the one that trains.
std::int64_t evaluation_batch(const nnrun_tensor& sample);

// Where relative data paths start.
struct DataRoot {
  std::filesystem::path folder;
  bool given = false;  // by --data: then nothing stands in for missing data
};
// --data DIR, else NNRUN_DATA, else ./datasets.
DataRoot find_data_root(const std::string& given);

// Preprocessing alone: what `predict` needs, too.
class Transforms {
 public:
  // Throws DiagnosticError where a transform refuses the samples, or where what comes out is not f32.
  Transforms(const DataSettings& data, const nnrun_tensor& sample, std::uint64_t seed, const HostServices& host);

  const nnrun_tensor& input() const { return shapes_.front(); }
  const nnrun_tensor& output() const { return shapes_.back(); }
  bool augments() const { return augments_; }
  // Bytes that apply() needs beside its input and output.
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  // From `from` (like input(); may be overwritten) to `to` (like output()). Any thread.
  void apply(void* from, void* to, std::byte* scratch, std::int64_t epoch, std::int64_t sample, bool training) const;
  // Whether samples are mixed in training, and how much of itself each keeps.
  bool mixes() const { return mixer_ != nullptr; }
  float own_share(std::int64_t epoch, std::int64_t sample) const;

 private:
  nnrun_random_key key(std::size_t index, std::int64_t epoch, std::int64_t sample) const;

  std::vector<std::unique_ptr<Instance>> instances_;
  std::unique_ptr<Instance> mixer_;
  std::vector<nnrun_tensor> shapes_;  // one more than transforms
  std::uint64_t seed_;
  std::size_t scratch_bytes_ = 0;
  bool augments_ = false;
};

class Data {
 public:
  // Some samples of one opened file or folder.
  struct Subset {
    void* handle = nullptr;
    std::vector<std::uint32_t> samples;    // their numbers in it
    const std::int32_t* labels = nullptr;  // of each sample of the whole, where the data set has them at hand
    std::int64_t count() const { return static_cast<std::int64_t>(samples.size()); }
  };

  // Opens everything. Throws DiagnosticError at the path's place in the config.
  Data(const Settings& settings, const HostServices& host, const DataRoot& root);
  ~Data();
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  bool drawn() const { return drawn_; }
  // Why stand-ins are used; "" where they are not.
  const std::string& stand_in_reason() const { return stand_in_reason_; }
  bool validation_overlaps_test() const { return validation_overlaps_test_; }
  const Subset& train() const { return train_; }
  const Subset& validation() const { return validation_; }
  const Subset& test() const { return test_; }
  const nnrun_tensor& raw_sample() const { return raw_sample_; }        // before the transforms
  const nnrun_tensor& sample() const { return transforms_->output(); }  // f32, without the batch
  std::int64_t classes() const { return classes_; }
  std::int64_t targets() const { return targets_; }
  const std::vector<std::string>& class_names() const { return class_names_; }
  // What the data set has to say, eg: that pictures were left out.
  const std::vector<std::string>& notes() const { return notes_; }

  // Loads samples positions[k] of a subset to row k of `input`, and their labels to `labels`. In parallel; allocates nothing. `following`
  // will be loaded next: their bytes may come while something else is computed.
  void load(const Subset& subset, std::span<const std::uint32_t> positions, std::int64_t epoch, bool training, const nnrun_tensor& input,
            void* labels, std::span<const std::uint32_t> following = {});
  // One sample of a batch: to its row of the input, and its label as labels_of() has one. Any thread, with its own
  // row_scratch_bytes() of memory.
  void load_row(const Subset& subset, std::uint32_t position, std::int64_t epoch, bool training, std::byte* scratch, void* row,
                void* label) const;
  std::size_t row_scratch_bytes() const;  // a multiple of 64
  std::size_t label_bytes() const;        // of one sample
  // One sample as the source has it, before the transforms; the label as labels_of() has one.
  void read_raw(const Subset& subset, std::uint32_t position, const nnrun_tensor& sample, void* label) const;
  // Whether training mixes samples: then what load() gave is to go through mix().
  bool mixes() const { return transforms_->mixes(); }
  // Mixes each loaded sample with another of the batch: rows of `input`, in place; and their labels, from `labels` to `mixed`, which
  // are f32: (N, classes) distributions, or (N, targets). In parallel; allocates nothing.
  void mix(const Subset& subset, std::span<const std::uint32_t> positions, std::int64_t epoch, const nnrun_tensor& input,
           const void* labels, float* mixed);

 private:
  void prefetch(const Subset& subset, std::span<const std::uint32_t> positions) const;
  void open(const Settings& settings, const DataRoot& root);
  Subset open_split(const std::string& path, const Location& where, nnrun_split split);
  void choose_validation(const Settings& settings, const DataRoot& root);
  void cut_validation_from_train(const ValidationSettings& validation);
  // The path that the source is given: absolute, or "" where it needs no files.
  std::string resolve(const std::string& path, const DataRoot& root) const;

  const HostServices& host_;
  const std::uint64_t seed_;
  std::unique_ptr<Instance> source_;
  std::vector<void*> handles_;
  bool drawn_ = false;
  bool validation_overlaps_test_ = false;
  std::string stand_in_reason_;
  Subset train_, validation_, test_;
  nnrun_tensor raw_sample_{};
  std::int64_t classes_ = 0, targets_ = 0;
  std::vector<std::string> class_names_, notes_;
  std::unique_ptr<Transforms> transforms_;
  Buffer scratch_;  // of each parallel range of load()
};

// Loading `count` samples is cut into so many parallel ranges.
std::int64_t load_ranges(std::int64_t count);
// The rows of one of them.
struct RowRange {
  std::int64_t begin, end;
};
RowRange load_range(std::int64_t count, std::int64_t range);

// How many of each class a share takes, by class: the share of each, rounded so that together they are the share of all (largest
// remainders first). `labels` has classes 0 to classes - 1.
std::vector<std::int64_t> share_of_classes(std::span<const std::int32_t> labels, std::int64_t classes, double share);

// The order of an epoch's samples: Fisher and Yates' shuffle by counter-based numbers. `order` is resized to `count`.
void shuffle(std::vector<std::uint32_t>& order, std::int64_t count, std::uint64_t seed, std::uint32_t stream, std::int64_t epoch);

}  // namespace nnrun::core
