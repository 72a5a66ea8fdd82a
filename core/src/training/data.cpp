#include "training/data.hpp"

#include "net/plan.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace nnrun::core {

namespace fs = std::filesystem;

namespace {

const nnrun_dataset_vtable& table(const Instance& source) { return source.vtable<nnrun_dataset_vtable>(); }

constexpr std::int64_t rows_ahead = 3;  // that loading fetches into the cache: a step moved what prefetch() got out of it again

std::string shape_text(const nnrun_tensor& tensor) { return to_string(Tensor(tensor).shape()); }

}  // namespace

DataRoot find_data_root(const std::string& given) {
  if (!given.empty()) return {fs::absolute(given), true};
  if (const char* root = std::getenv("NNRUN_DATA"); root != nullptr && *root != '\0') return {fs::absolute(root), false};
  return {fs::absolute("datasets"), false};
}

std::int64_t evaluation_batch(const nnrun_tensor& sample) {
  constexpr std::size_t greatest_input = std::size_t{4} << 20;
  std::int64_t batch = 256;
  while (batch > 16 && static_cast<std::size_t>(batch) * tensor_bytes(sample) > greatest_input) batch /= 2;
  return batch;
}

std::int64_t load_ranges(std::int64_t count) { return std::min<std::int64_t>(count, 32); }

RowRange load_range(std::int64_t count, std::int64_t range) {
  const std::int64_t ranges = load_ranges(count);
  return {count * range / ranges, count * (range + 1) / ranges};
}

void shuffle(std::vector<std::uint32_t>& order, std::int64_t count, std::uint64_t seed, std::uint32_t stream, std::int64_t epoch) {
  order.resize(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0u);
  Random random({seed, stream, static_cast<std::uint32_t>(epoch), 0});
  for (std::size_t i = order.size(); i-- > 1;) {
    const auto j = static_cast<std::size_t>((std::uint64_t{random.next()} * (i + 1)) >> 32);
    std::swap(order[i], order[j]);
  }
}

std::vector<std::int64_t> share_of_classes(std::span<const std::int32_t> labels, std::int64_t classes, double share) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  std::int64_t left = std::llround(share * static_cast<double>(labels.size()));
  std::vector<std::pair<double, std::size_t>> remainders;  // negative, so that sorting puts the largest first, and equal ones by class
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double part = share * static_cast<double>(counts[i]);
    counts[i] = static_cast<std::int64_t>(part);
    left -= counts[i];
    remainders.emplace_back(static_cast<double>(counts[i]) - part, i);
  }
  std::sort(remainders.begin(), remainders.end());
  for (std::size_t i = 0; left > 0 && i < remainders.size(); ++i, --left) ++counts[remainders[i].second];
  return counts;
}

// ---- Transforms ---------------------------------------------------------------------------------------

Transforms::Transforms(const DataSettings& data, const nnrun_tensor& sample, std::uint64_t seed, const HostServices& host)
    : shapes_{sample}, seed_(seed) {
  for (const ComponentSpec& spec : data.transforms) {
    auto instance = std::make_unique<Instance>(spec, host.c());
    const auto& vtable = instance->vtable<nnrun_transform_vtable>();
    if (vtable.own_share != nullptr) {
      if (mixer_ != nullptr) throw DiagnosticError(spec.where, "samples are mixed already, by the transform before");
      mixer_ = std::move(instance);
      continue;
    }
    instances_.push_back(std::move(instance));
    augments_ = augments_ || vtable.augments != 0;
    nnrun_tensor output{};
    nnrun_error error{};
    if (vtable.plan(instances_.back()->self(), host.c(), &shapes_.back(), &output, &error) != 0) {
      instances_.back()->fail_in_config(error);
    }
    shapes_.push_back(output);
    scratch_bytes_ = std::max(scratch_bytes_, align_up(tensor_bytes(output)));
  }
  scratch_bytes_ *= 2;
  if (output().dtype != NNRUN_F32) {
    const Location& where = data.transforms.empty() ? data.source->where : data.transforms.back().where;
    throw DiagnosticError(
        where, "the samples are bytes, but the net takes floats; add a transform, eg: data.transforms: [{scale: {divide_by: 255}}]");
  }
}

void Transforms::apply(void* from, void* to, std::byte* scratch, std::int64_t epoch, std::int64_t sample, bool training) const {
  if (instances_.empty()) {
    std::memcpy(to, from, tensor_bytes(output()));
    return;
  }
  void* current = from;
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    nnrun_tensor x = shapes_[i], y = shapes_[i + 1];
    x.data = current;
    y.data = i + 1 == instances_.size() ? to : scratch + (i % 2) * (scratch_bytes_ / 2);
    nnrun_transform_run run{};
    run.size = sizeof run;
    run.training = training ? 1 : 0;
    run.input = &x;
    run.output = &y;
    run.key = key(i, epoch, sample);
    nnrun_error error;
    error.message[0] = error.parameter[0] = '\0';
    if (instances_[i]->vtable<nnrun_transform_vtable>().apply(instances_[i]->self(), &run, &error) != 0) {
      instances_[i]->fail_in_run("preprocessing", error);
    }
    current = y.data;
  }
}

nnrun_random_key Transforms::key(std::size_t index, std::int64_t epoch, std::int64_t sample) const {
  return {seed_, NNRUN_STREAM_TRANSFORM + 256 * static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(epoch),
          static_cast<std::uint32_t>(sample)};
}

float Transforms::own_share(std::int64_t epoch, std::int64_t sample) const {
  const nnrun_random_key own = key(instances_.size(), epoch, sample);
  return static_cast<float>(mixer_->vtable<nnrun_transform_vtable>().own_share(mixer_->self(), &own));
}

// ---- Data ---------------------------------------------------------------------------------------------

Data::Data(const Settings& settings, const HostServices& host, const DataRoot& root) : host_(host), seed_(settings.seed) {
  try {
    open(settings, root);
  } catch (...) {
    for (void* handle : handles_) table(*source_).close(handle);
    throw;
  }
}

Data::~Data() {
  for (void* handle : handles_) table(*source_).close(handle);
}

std::string Data::resolve(const std::string& path, const DataRoot& root) const {
  if (table(*source_).present == nullptr) return "";
  return fs::path(path).is_absolute() ? path : (root.folder / path).lexically_normal().string();
}

void Data::open(const Settings& settings, const DataRoot& root) {
  const DataSettings& data = settings.data;
  if (!data.source) throw DiagnosticError(data.where, "this net has no data: data.source is needed for this");
  source_ = std::make_unique<Instance>(*data.source, host_.c());
  const bool needs_files = table(*source_).present != nullptr;
  if (needs_files) {
    for (const PathSetting* path : {&data.train, &data.test}) {
      if (path->path.empty()) {
        throw DiagnosticError(data.where, std::string("data.") + (path == &data.train ? "train" : "test") + " is missing: a path for " +
                                              source_->spec().component->name);
      }
    }
    const auto present = [&](const PathSetting& path) {
      return table(*source_).present(source_->self(), resolve(path.path, root).c_str());
    };
    const bool explicit_path = root.given || fs::path(data.train.path).is_absolute() || fs::path(data.test.path).is_absolute();
    if (data.otherwise && !explicit_path && present(data.train) == 0 && present(data.test) == 0) {
      stand_in_reason_ = "there is no " + data.train.path + " and no " + data.test.path + " in " + root.folder.string();
      source_ = std::make_unique<Instance>(*data.otherwise, host_.c());
    }
  }
  drawn_ = table(*source_).drawn != 0;

  train_ = open_split(resolve(data.train.path, root), data.train.where, NNRUN_SPLIT_TRAIN);
  test_ = open_split(resolve(data.test.path, root), data.test.where, NNRUN_SPLIT_TEST);
  choose_validation(settings, root);

  transforms_ = std::make_unique<Transforms>(data, raw_sample_, seed_, host_);
  const std::int64_t ranges = load_ranges(std::max<std::int64_t>(settings.train.batch, evaluation_batch(sample())));
  scratch_ = Buffer(static_cast<std::size_t>(ranges) * row_scratch_bytes());
}

Data::Subset Data::open_split(const std::string& path, const Location& where, nnrun_split split) {
  const Location& place = where.file && !drawn_ ? where : source_->spec().where;
  nnrun_dataset_info info{};
  info.size = sizeof info;
  nnrun_error error{};
  void* handle = table(*source_).open(source_->self(), host_.c(), path.c_str(), split, seed_, &info, &error);
  if (handle == nullptr) {
    throw DiagnosticError(place, std::string(source_->spec().component->name) + ": " + error.message);
  }
  handles_.push_back(handle);
  if (info.count < 1) throw DiagnosticError(place, "there are no samples in " + path);
  if (handles_.size() == 1) {
    raw_sample_ = info.sample;
    targets_ = info.targets;
    classes_ = info.classes;
    for (std::int64_t i = 0; info.class_names != nullptr && i < classes_; ++i) class_names_.emplace_back(info.class_names[i]);
  }
  if (shape_text(info.sample) != shape_text(raw_sample_) || info.sample.dtype != raw_sample_.dtype) {
    throw DiagnosticError(
        place, "its samples have the shape " + shape_text(info.sample) + ", those of data.train have " + shape_text(raw_sample_));
  }
  if (info.classes > classes_ || info.targets != targets_) {
    throw DiagnosticError(place,
                          "it has labels of " + std::to_string(info.classes) + " classes, data.train has " + std::to_string(classes_));
  }
  if (info.note != nullptr) notes_.emplace_back(info.note);
  Subset subset{handle, {}, info.classes > 0 ? info.labels : nullptr};
  subset.samples.resize(static_cast<std::size_t>(info.count));
  std::iota(subset.samples.begin(), subset.samples.end(), 0u);
  return subset;
}

void Data::choose_validation(const Settings& settings, const DataRoot& root) {
  const ValidationSettings& validation = settings.data.validation;
  switch (validation.from) {
    case ValidationSettings::From::none: break;
    case ValidationSettings::From::path:
      validation_ = open_split(resolve(validation.path, root), validation.where, NNRUN_SPLIT_VALIDATION);
      break;
    case ValidationSettings::From::test: {
      // Stand-ins may be fewer; the range then covers the same share of them.
      std::int64_t begin = validation.begin, end = validation.end;
      if (drawn_ && end > test_.count()) {
        begin = begin * test_.count() / end;
        end = test_.count();
      }
      if (end > test_.count()) {
        throw DiagnosticError(validation.where,
                              "data.test has " + std::to_string(test_.count()) + " samples, the range ends at " + std::to_string(end));
      }
      validation_.handle = test_.handle;
      validation_.samples.assign(test_.samples.begin() + begin, test_.samples.begin() + end);
      validation_overlaps_test_ = true;
      break;
    }
    case ValidationSettings::From::train: cut_validation_from_train(validation); break;
  }
}

void Data::cut_validation_from_train(const ValidationSettings& validation) {
  std::vector<std::uint32_t> order;
  shuffle(order, train_.count(), seed_, NNRUN_STREAM_SPLIT, 0);
  const std::int64_t count = std::llround(validation.share * static_cast<double>(train_.count()));
  if (count < 1 || count >= train_.count()) {
    throw DiagnosticError(validation.where, "this share of " + std::to_string(train_.count()) + " training samples leaves " +
                                                std::to_string(count) + " for validation");
  }
  // The first of the shuffled order; where the labels are known, the first of each class.
  std::vector<std::int64_t> left{count};
  if (train_.labels != nullptr) {
    left = share_of_classes({train_.labels, static_cast<std::size_t>(train_.count())}, classes_, validation.share);
  }
  validation_ = {train_.handle, {}, train_.labels};
  train_.samples.clear();
  for (const std::uint32_t sample : order) {
    std::int64_t& own = train_.labels != nullptr ? left[static_cast<std::size_t>(train_.labels[sample])] : left[0];
    (own > 0 ? validation_ : train_).samples.push_back(sample);
    --own;
  }
  std::sort(validation_.samples.begin(), validation_.samples.end());
  std::sort(train_.samples.begin(), train_.samples.end());
}

void Data::load(const Subset& subset, std::span<const std::uint32_t> positions, std::int64_t epoch, bool training,
                const nnrun_tensor& input, void* labels, std::span<const std::uint32_t> following) {
  const auto count = static_cast<std::int64_t>(positions.size());
  const std::size_t row_bytes = tensor_bytes(sample());
  // Errors cross the parallel loop as the border's do.
  Host(host_.c()).parallel(load_ranges(count), [&](std::int64_t range) {
    const auto [begin, end] = load_range(count, range);
    for (std::int64_t k = begin; k < end; ++k) {
      const auto row = static_cast<std::size_t>(k);
      if (k + rows_ahead < count) prefetch(subset, positions.subspan(row + rows_ahead, 1));
      load_row(subset, positions[row], epoch, training, scratch_.data() + static_cast<std::size_t>(range) * row_scratch_bytes(),
               static_cast<std::byte*>(input.data) + row * row_bytes, static_cast<std::byte*>(labels) + row * label_bytes());
      if (row < following.size()) prefetch(subset, following.subspan(row, 1));  // to the cache of the thread that will load it
    }
  });
}

void Data::load_row(const Subset& subset, std::uint32_t position, std::int64_t epoch, bool training, std::byte* scratch, void* row,
                    void* label) const {
  const std::int64_t number = subset.samples[position];
  nnrun_tensor raw = raw_sample_;
  raw.data = scratch;
  nnrun_error error;
  error.message[0] = error.parameter[0] = '\0';
  if (table(*source_).read(subset.handle, number, &raw, label, &error) != 0) source_->fail_in_run("reading", error);
  transforms_->apply(scratch, row, scratch + align_up(tensor_bytes(raw_sample_)), epoch, number, training);
}

std::size_t Data::row_scratch_bytes() const { return align_up(tensor_bytes(raw_sample_)) + transforms_->scratch_bytes(); }

std::size_t Data::label_bytes() const { return classes_ > 0 ? sizeof(std::int32_t) : static_cast<std::size_t>(targets_) * sizeof(float); }

void Data::read_raw(const Subset& subset, std::uint32_t position, const nnrun_tensor& sample, void* label) const {
  nnrun_error error{};
  if (table(*source_).read(subset.handle, subset.samples[position], &sample, label, &error) != 0) source_->fail_in_run("reading", error);
}

void Data::mix(const Subset& subset, std::span<const std::uint32_t> positions, std::int64_t epoch, const nnrun_tensor& input,
               const void* labels, float* mixed) {
  const auto count = static_cast<std::int64_t>(positions.size());
  const std::int64_t length = Tensor(sample()).count();
  const std::int64_t width = classes_ > 0 ? classes_ : targets_;
  auto* rows = static_cast<float*>(input.data);
  const auto share_of = [&](std::int64_t row) {
    return transforms_->own_share(epoch, subset.samples[positions[static_cast<std::size_t>(row)]]);
  };
  const auto write_label = [&](std::int64_t row) {
    float* to = mixed + row * width;
    if (classes_ == 0) {
      std::copy_n(static_cast<const float*>(labels) + row * width, width, to);
      return;
    }
    std::fill_n(to, width, 0.0f);
    to[static_cast<const std::int32_t*>(labels)[row]] = 1;
  };
  // The batch is in random order, so the first row's partner may be the last, and so on inwards: both are mixed at once, in place. An
  // odd one in the middle stays as it is.
  Host(host_.c()).parallel((count + 1) / 2, [&](std::int64_t row) {
    const std::int64_t other = count - 1 - row;
    write_label(row);
    if (other == row) return;
    write_label(other);
    const float own = share_of(row), others = share_of(other);
    const auto blend = [own, others](float* a, float* b, std::int64_t size) {
      for (std::int64_t i = 0; i < size; ++i) {
        const float x = a[i], y = b[i];
        a[i] = own * x + (1 - own) * y;
        b[i] = others * y + (1 - others) * x;
      }
    };
    blend(rows + row * length, rows + other * length, length);
    blend(mixed + row * width, mixed + other * width, width);
  });
}

void Data::prefetch(const Subset& subset, std::span<const std::uint32_t> positions) const {
  if (table(*source_).prefetch == nullptr) return;
  for (const std::uint32_t position : positions) table(*source_).prefetch(subset.handle, subset.samples[position]);
}

}  // namespace nnrun::core
