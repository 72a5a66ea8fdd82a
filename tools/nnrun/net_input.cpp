#include "net_input.hpp"

#include "base/error.hpp"
#include "training/evaluation.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace nnrun::tool {

namespace {

// Opens the data only where something of it is needed.
class InputMaker {
 public:
  InputMaker(const Options& options, const Subject& subject, const core::Environment& environment)
      : options_(options), environment_(environment), settings_(environment.settings()) {
    const bool needs_samples = options.input.empty();
    if (!settings_.model.input.empty()) {
      result_.sample = make_tensor(NNRUN_F32, settings_.model.input);
    } else if (subject.checkpoint()) {
      const core::ModelDescription& description = subject.checkpoint()->description();
      raw_ = description.sample;
      result_.classes = description.classes;
      result_.targets = description.targets;
      transforms_ = std::make_unique<core::Transforms>(settings_.data, raw_, settings_.seed, environment.host());
      result_.sample = transforms_->output();
    } else {
      open_data();
      raw_ = data_->raw_sample();
      result_.classes = data_->classes();
      result_.targets = data_->targets();
      transforms_ = std::make_unique<core::Transforms>(settings_.data, raw_, settings_.seed, environment.host());
      result_.sample = data_->sample();
    }
    if (needs_samples && settings_.model.input.empty() && data_ == nullptr) needs_data_ = true;
  }

  NetInput make(const Array* given) {
    if (options_.input.empty() && given != nullptr) {
      from_array(*given, "the input in " + options_.against);
    } else if (options_.input.empty() && settings_.model.input.empty()) {
      from_data();
    } else if (options_.input.empty() || options_.input == "ramp") {
      made_up("ramp", [](std::size_t k, std::size_t count) { return static_cast<float>(k) / static_cast<float>(count); });
    } else if (options_.input == "ones") {
      made_up("ones", [](std::size_t, std::size_t) { return 1.0f; });
    } else if (options_.input.ends_with(".npy")) {
      from_array(read_npy(options_.input), options_.input);
    } else {
      from_file();
    }
    if (options_.label) set_label(*options_.label);
    return std::move(result_);
  }

 private:
  std::size_t count() const { return static_cast<std::size_t>(Tensor(result_.sample).count()); }

  void open_data() { data_ = std::make_unique<core::Data>(settings_, environment_.host(), core::find_data_root(options_.data)); }

  void made_up(const char* name, const auto& number) {
    result_.batch = options_.batch;
    result_.values.resize(count() * static_cast<std::size_t>(options_.batch));
    for (std::size_t i = 0; i < result_.values.size(); ++i) result_.values[i] = number(i % count(), count());
    result_.text = name;
  }

  void from_data() {
    if (needs_data_) open_data();
    const std::int64_t first = options_.index, all = data_->train().count();
    if (first + options_.batch > all) {
      throw core::RunError("there are " + std::to_string(all) + " training samples, numbered from 0; got --index " + std::to_string(first) +
                           " and --batch " + std::to_string(options_.batch));
    }
    result_.batch = options_.batch;
    result_.values.resize(count() * static_cast<std::size_t>(options_.batch));
    result_.labels.resize(core::label_bytes(*data_, options_.batch));
    std::vector<std::uint32_t> positions(static_cast<std::size_t>(options_.batch));
    std::iota(positions.begin(), positions.end(), static_cast<std::uint32_t>(first));
    nnrun_tensor input = core::batch_of(result_.sample, options_.batch);
    input.data = result_.values.data();
    data_->load(data_->train(), positions, 0, false, input, result_.labels.data());
    result_.text =
        "training sample" + (options_.batch == 1 ? " " + std::to_string(first)
                                                 : "s " + std::to_string(first) + " to " + std::to_string(first + options_.batch - 1));
    if (!data_->stand_in_reason().empty()) result_.text += ", a DRAWN STAND-IN";
  }

  void from_array(Array array, const std::string& name) {
    const Shape sample = Tensor(result_.sample).shape();
    Shape shape = array.shape;
    if (shape == sample) shape.insert(shape.begin(), 1);
    if (shape.size() != sample.size() + 1 || !std::equal(sample.begin(), sample.end(), shape.begin() + 1) || shape[0] < 1) {
      Shape batch = sample;
      throw core::RunError(name + " has the shape " + to_string(array.shape) + "; the net takes " + to_string(sample) +
                           ", or several with their number first");
    }
    result_.batch = shape[0];
    result_.values = std::move(array.values);
    result_.text = name;
  }

  void from_file() {
    if (!settings_.model.input.empty()) {
      throw core::RunError("this net has no data.source that could read " + options_.input + "; give a .npy file, ones, or ramp");
    }
    const core::Instance source(*settings_.data.source, environment_.host().c());
    const auto& table = source.vtable<nnrun_dataset_vtable>();
    if (table.read_file == nullptr) {
      throw core::RunError(std::string(source.spec().component->name) +
                           " data cannot be read from single files; give a .npy file of shape " +
                           to_string(Tensor(result_.sample).shape()) + ", ones, or ramp");
    }
    std::vector<std::byte> raw(core::tensor_bytes(raw_));
    core::Buffer scratch(transforms_->scratch_bytes());
    nnrun_tensor picture = raw_;
    picture.data = raw.data();
    nnrun_error error{};
    if (table.read_file(source.self(), options_.input.c_str(), options_.index, &picture, &error) != 0) throw core::RunError(error.message);
    result_.values.resize(count());
    transforms_->apply(raw.data(), result_.values.data(), scratch.data(), 0, 0, false);
    result_.text = options_.input;
  }

  void set_label(std::int64_t label) {
    if (label >= result_.classes) {
      throw core::RunError(result_.classes == 0 ? "--label needs data with classes; this net's has none"
                                                : "there is no class " + std::to_string(label) + ": the data has " +
                                                      std::to_string(result_.classes) + ", numbered from 0");
    }
    const std::vector<std::int32_t> labels(static_cast<std::size_t>(result_.batch), static_cast<std::int32_t>(label));
    result_.labels.resize(labels.size() * sizeof(std::int32_t));
    std::memcpy(result_.labels.data(), labels.data(), result_.labels.size());
    result_.text += ", as class " + std::to_string(label);
  }

  const Options& options_;
  const core::Environment& environment_;
  const core::Settings& settings_;
  NetInput result_;
  nnrun_tensor raw_{};
  std::unique_ptr<core::Data> data_;
  std::unique_ptr<core::Transforms> transforms_;
  bool needs_data_ = false;
};

}  // namespace

Subject::Subject(const Options& options) : options_(options) {
  if (options.subject.ends_with(".safetensors")) checkpoint_.emplace(options.subject);
}

std::unique_ptr<core::Environment> Subject::environment(const std::vector<std::string>& more) const {
  std::vector<std::string> overrides = options_.words;
  overrides.insert(overrides.end(), more.begin(), more.end());
  const core::Config config = checkpoint_
                                  ? core::config_from_text(options_.subject + " (its config)", checkpoint_->description().config, overrides)
                                  : core::load_config(options_.subject, overrides);
  return std::make_unique<core::Environment>(config, environment_options(options_));
}

nnrun_tensor NetInput::label_tensor() {
  const std::int64_t dims[] = {batch, targets};
  void* data = labels.empty() ? nullptr : labels.data();
  return classes > 0 ? make_tensor(NNRUN_S32, std::span(dims, 1), data) : make_tensor(NNRUN_F32, dims, data);
}

NetInput make_net_input(const Options& options, const Subject& subject, const core::Environment& environment, const Array* given) {
  return InputMaker(options, subject, environment).make(given);
}

}  // namespace nnrun::tool
