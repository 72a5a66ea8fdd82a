// Transforms and datasets.
#include "net/plan.hpp"
#include "plugin_check/plugin_check_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace nnrun::core::checking {

namespace {

void fill_sample(const nnrun_tensor& tensor, const GuardedMemory& memory) {
  if (tensor.dtype == NNRUN_F32) {
    fill_away_from_zero(memory.floats(), 0);
    return;
  }
  Random random({5, NNRUN_STREAM_DATASET, 0, 0});
  for (std::size_t i = 0; i < memory.bytes(); ++i) static_cast<std::uint8_t*>(memory.data())[i] = static_cast<std::uint8_t>(random.next());
}

void check_transform_on(const Instance& instance, const Hosts& hosts, const nnrun_tensor& shape) {
  const auto& table = instance.vtable<nnrun_transform_vtable>();
  nnrun_tensor output{};
  nnrun_error error{};
  if (table.plan(instance.self(), hosts.one(), &shape, &output, &error) != 0) throw NotChecked(message_of(error, "plan()"));
  require(output.rank >= 1 && output.rank <= NNRUN_MAX_RANK && Tensor(output).count() > 0, "plan() gives a shape without elements");
  const GuardedMemory from(tensor_bytes(shape)), to(tensor_bytes(output));
  fill_sample(shape, from);
  const std::vector<std::byte> original = from.copy();
  const auto apply = [&](bool training, std::uint32_t sample) {
    nnrun_tensor x = shape, y = output;
    x.data = from.data();
    y.data = to.data();
    to.poison();
    nnrun_transform_run run{};
    run.size = sizeof run;
    run.training = training ? 1 : 0;
    run.input = &x;
    run.output = &y;
    run.key = {3, NNRUN_STREAM_TRANSFORM, 0, sample};
    nnrun_error failed{};
    if (table.apply(instance.self(), &run, &failed) != 0) throw Failure("apply() failed: " + message_of(failed, "apply()"));
    from.verify("its input");
    to.verify("its output");
    require(from.equals(original), "writes to its input");
    if (output.dtype == NNRUN_F32) require_finite(to.floats(), "its output");
    return to.copy();
  };
  for (std::uint32_t sample = 0; sample < 8; ++sample) {
    const auto first = apply(true, sample);
    require(apply(true, sample) == first, "gives something else for the same sample and key");
  }
  const auto inference = apply(false, 0);
  const bool same_shape = output.dtype == shape.dtype && Tensor(output).shape() == Tensor(shape).shape();
  require(table.augments == 0 || !same_shape || inference == original, "augments, but does more than copy outside of training");
  require(table.augments != 0 || apply(true, 1) == inference, "does something else in training, but does not say that it augments");
}

}  // namespace

void check_transform(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("samples", [&] {
    std::string taken, reason;
    for (const auto& [shape, dtype] : {std::pair{Shape{8, 8, 1}, NNRUN_U8}, std::pair{Shape{9, 7, 3}, NNRUN_U8},
                                       std::pair{Shape{9, 7, 3}, NNRUN_F32}, std::pair{Shape{12}, NNRUN_F32}}) {
      const std::string text = to_string(shape) + (dtype == NNRUN_U8 ? " of bytes" : " of f32");
      try {
        const Instance instance(spec, hosts.one());
        check_transform_on(instance, hosts, make_tensor(dtype, shape));
        taken += (taken.empty() ? "takes " : ", ") + text;
      } catch (const NotChecked& e) {
        reason = e.what();
      } catch (const std::exception& e) {
        throw Failure("for samples " + text + ": " + e.what());
      }
    }
    require(!taken.empty(), "takes none of the samples that were tried; the last answer: " + reason);
    return taken;
  });
}

// ---- Datasets -----------------------------------------------------------------------------------------------

namespace {

// Reads into guarded memory.
class Reader {
 public:
  Reader(const nnrun_dataset_vtable& table, void* handle, const nnrun_dataset_info& info)
      : table_(table),
        handle_(handle),
        info_(info),
        sample_(tensor_bytes(info.sample)),
        label_(static_cast<std::size_t>(info.classes > 0 ? 1 : info.targets) * sizeof(float)) {}

  std::vector<std::byte> read(std::int64_t index) {
    sample_.poison();
    label_.poison();
    nnrun_tensor sample = info_.sample;
    sample.data = sample_.data();
    nnrun_error error{};
    const std::string what = "sample " + std::to_string(index);
    if (table_.read(handle_, index, &sample, label_.data(), &error) != 0)
      throw Failure("reading " + what + " failed: " + message_of(error, "read()"));
    sample_.verify(what);
    label_.verify("the label of " + what);
    if (sample.dtype == NNRUN_F32) require_finite(sample_.floats(), what);
    if (info_.classes > 0) {
      std::int32_t label = 0;
      std::memcpy(&label, label_.data(), sizeof label);
      require(label >= 0 && label < info_.classes,
              "the label of " + what + " is " + std::to_string(label) + ", expected 0 to " + std::to_string(info_.classes - 1));
    } else {
      require_finite(label_.floats(), "the targets of " + what);
    }
    std::vector<std::byte> all = sample_.copy();
    const std::vector<std::byte> label = label_.copy();
    all.insert(all.end(), label.begin(), label.end());
    return all;
  }

 private:
  const nnrun_dataset_vtable& table_;
  void* handle_;
  nnrun_dataset_info info_;
  GuardedMemory sample_, label_;
};

struct Opened {
  Opened(const Instance& instance, const nnrun_host* host, const char* path, nnrun_split split)
      : table(instance.vtable<nnrun_dataset_vtable>()) {
    info.size = sizeof info;
    handle = table.open(instance.self(), host, path, split, 11, &info, &error);
  }
  ~Opened() {
    if (handle != nullptr) table.close(handle);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  const nnrun_dataset_vtable& table;
  nnrun_dataset_info info{};
  nnrun_error error{};
  void* handle = nullptr;
};

std::string check_split(const Instance& instance, const Hosts& hosts, nnrun_split split) {
  const Opened opened(instance, hosts.one(), "", split);
  if (opened.handle == nullptr) throw Failure("open() failed: " + message_of(opened.error, "open()"));
  const nnrun_dataset_info& info = opened.info;
  require(info.count > 0, "has no samples");
  require(info.classes > 0 || info.targets > 0, "has neither classes nor targets");
  require(info.sample.rank >= 1 && info.sample.rank <= NNRUN_MAX_RANK && Tensor(info.sample).count() > 0, "its samples have no elements");
  for (std::int64_t i = 0; info.class_names != nullptr && i < info.classes; ++i) {
    require(info.class_names[i] != nullptr && *info.class_names[i] != '\0', "class " + std::to_string(i) + " has no name");
  }
  Reader reader(opened.table, opened.handle, info);
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < 32; ++i) order.push_back(i * (info.count - 1) / 31);
  std::vector<std::vector<std::byte>> seen;
  for (const std::int64_t index : order) seen.push_back(reader.read(index));
  for (std::size_t i = order.size(); i-- > 0;) {
    require(reader.read(order[i]) == seen[i], "sample " + std::to_string(order[i]) + " is another one when read again");
  }
  // Opened anew, by another number of threads.
  const Opened again(instance, hosts.all().back().second, "", split);
  require(again.handle != nullptr && again.info.count == info.count, "has another number of samples when it is opened again");
  Reader second(again.table, again.handle, again.info);
  for (std::size_t i = 0; i < order.size(); ++i) {
    require(second.read(order[i]) == seen[i],
            "sample " + std::to_string(order[i]) + " is another one when opened again with the same seed");
  }
  return std::to_string(info.count);
}

std::string check_missing_files(const Instance& instance, const Hosts& hosts) {
  constexpr const char* nowhere = "/nonexistent/nnrun-check-plugin";
  const auto& table = instance.vtable<nnrun_dataset_vtable>();
  require(table.present(instance.self(), nowhere) == 0, "present() finds files at a path that does not exist");
  const Opened opened(instance, hosts.one(), nowhere, NNRUN_SPLIT_TRAIN);
  require(opened.handle == nullptr, "opens a path that does not exist");
  return "an error: " + message_of(opened.error, "open()");
}

}  // namespace

void check_dataset(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  const bool needs_files = static_cast<const nnrun_dataset_vtable*>(spec.component->vtable)->present != nullptr;
  if (needs_files) {
    report.check("missing files", [&] {
      const Instance instance(spec, hosts.one());
      return check_missing_files(instance, hosts);
    });
  }
  report.check("samples", [&] {
    if (needs_files) throw NotChecked("it needs files");
    const Instance instance(spec, hosts.one());
    return check_split(instance, hosts, NNRUN_SPLIT_TRAIN) + " to train, " + check_split(instance, hosts, NNRUN_SPLIT_TEST) + " to test, " +
           check_split(instance, hosts, NNRUN_SPLIT_VALIDATION) + " to validate; the same in any order";
  });
}

}  // namespace nnrun::core::checking
