#include "net/plan.hpp"
#include "plugin_check/plugin_check_bench.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace nnrun::core::checking {

namespace {

struct Sample {
  Shape shape;
  nnrun_dtype dtype;
};

// Small ones for what is compared number by number, and for each rank a large one, which parallel loops cut into several ranges.
const std::vector<Shape> small_shapes = {{5}, {8}, {7, 4}, {6, 6, 3}, {8, 8, 4}};
const std::vector<Shape> large_shapes = {{600}, {64, 40}, {20, 20, 16}};
constexpr std::int64_t large_batch = 64, large_picture_batch = 7;
const std::vector<std::int64_t> batches = {7, 3, 1};

// Everything that a training step leaves, to compare two of them.
struct Outcome {
  std::vector<float> y;
  std::vector<std::pair<std::string, std::vector<float>>> gradients;
};

std::vector<float> copy_of(std::span<const float> numbers) { return {numbers.begin(), numbers.end()}; }

class LayerChecks {
 public:
  LayerChecks(const ComponentSpec& spec, const Hosts& hosts, Report& report) : spec_(spec), hosts_(hosts), report_(report) {
    trainable_ = static_cast<const nnrun_layer_vtable*>(spec.component->vtable)->backward != nullptr;
  }

  void run() {
    if (!report_.check("shapes", [&] { return shapes(); })) return;
    const auto each = [&](const char* name, std::string (LayerChecks::*check)(const Sample&)) {
      return report_.check(name, [&] {
        std::string seen, not_checked;
        for (const Sample& sample : accepted_) {
          try {
            seen = (this->*check)(sample);
          } catch (const NotChecked& e) {
            not_checked = e.what();
          } catch (const std::exception& e) {
            throw Failure("for " + shape_text(sample.shape) + ": " + e.what());
          }
        }
        if (seen.empty() && !not_checked.empty()) throw NotChecked(not_checked);
        return seen;
      });
    };
    if (!each("forward", &LayerChecks::forward)) return;  // the rest would only say it again
    each("smaller batches", &LayerChecks::smaller_batches);
    each("threads", &LayerChecks::threads);
    if (!trainable_) return;
    each("gradients", &LayerChecks::gradients);
    each("backward's memory", &LayerChecks::backward_memory);
    each("first layer", &LayerChecks::first_layer);
    each("in place", &LayerChecks::in_place);
    each("dx over x", &LayerChecks::overwritten_input);
    each("slices", &LayerChecks::slices);
    each("gradient_ready", &LayerChecks::gradient_ready);
    each("with relu absorbed", &LayerChecks::absorbed_relu);
  }

 private:
  LayerSetup setup_for(const Sample& sample, std::int64_t batch = 7) const {
    LayerSetup setup;
    setup.sample = sample.shape;
    setup.batch = batch;
    setup.dtype = sample.dtype;
    setup.training = trainable_;
    setup.input_gradient = sample.dtype == NNRUN_F32;
    return setup;
  }

  LayerBench make(const LayerSetup& setup) const { return {spec_, hosts_.one(), setup}; }

  Outcome outcome_of(LayerBench& bench) const {
    bench.forward();
    Outcome outcome{bench.share_value ? bench.inputs[0].numbers() : bench.output.numbers(), {}};
    if (!trainable_) return outcome;
    std::ranges::copy(bench.output_weights(0), bench.d_output.floats().begin());
    bench.backward();
    if (bench.inputs[0].c.dtype == NNRUN_F32 && wants_input_gradient_) {
      for (std::size_t i = 0; i < bench.d_inputs.size(); ++i) {
        const bool shared = bench.share_gradient && i == 0;
        outcome.gradients.emplace_back(i == 0 ? "dx" : "dx of input " + std::to_string(i),
                                       copy_of(shared ? bench.d_output.floats() : bench.d_inputs[i].floats()));
      }
    }
    for (const auto& weight : bench.weights)
      outcome.gradients.emplace_back("the gradient of '" + weight.name + "'", copy_of(weight.gradient.floats()));
    for (const auto& [name, numbers] : outcome.gradients) require_finite(numbers, name);
    return outcome;
  }

  static void require_same(const Outcome& got, const Outcome& expected, const std::string& where) {
    require_same_bits(got.y, expected.y, where + "y");
    for (std::size_t i = 0; i < got.gradients.size(); ++i) {
      require_same_bits(got.gradients[i].second, expected.gradients[i].second, where + got.gradients[i].first);
    }
  }

  // Which shapes it takes. Refusing is its right, as long as it says why.
  std::string shapes() {
    std::string takes, refuses, reason;
    for (const nnrun_dtype dtype : {NNRUN_F32, NNRUN_U8, NNRUN_S32}) {
      for (const Shape& shape : small_shapes) {
        try {
          make(setup_for({shape, dtype}));
          accepted_.push_back({shape, dtype});
          takes += (takes.empty() ? "" : ", ") + shape_text(shape);
        } catch (const Refused& e) {
          reason = e.what();
          refuses += (refuses.empty() ? "" : ", ") + shape_text(shape);
        }
      }
      if (!accepted_.empty()) break;  // integers are for layers that take no floats
    }
    require(!accepted_.empty(), "takes none of the shapes that were tried, neither as f32 nor as u8 or s32; the last answer: " + reason);
    if (accepted_[0].dtype == NNRUN_U8) takes += " of bytes";
    if (accepted_[0].dtype == NNRUN_S32) takes += " of 32-bit integers";
    return "takes " + takes + (refuses.empty() ? "" : "; refuses " + refuses + ": " + reason);
  }

  std::string forward(const Sample& sample) {
    std::vector<std::string> names;
    for (const bool training : {false, true}) {
      if (training && !trainable_) continue;
      LayerSetup setup = setup_for(sample);
      setup.training = training;
      LayerBench bench = make(setup);
      bench.forward();
      const std::vector<float> first = bench.output.numbers();
      bench.forward();
      require_same_bits(bench.output.numbers(), first, training ? "a second forward with the same key: y" : "a second forward: y");
      std::vector<std::string> declared;
      for (const auto& weight : bench.weights) declared.push_back(weight.name + " " + to_string(Tensor(weight.value.c).shape()));
      require(!training || declared == names, "plan() declares other weights for training than for inference");
      names = declared;
    }
    return trainable_ ? "in training and inference" : "inference alone: it has no backward";
  }

  // A bench for the batch, or none where the layer refuses it.
  std::optional<std::vector<float>> planned_output(LayerSetup setup, std::int64_t batch) const {
    setup.batch = batch;
    try {
      LayerBench bench = make(setup);
      bench.forward();
      return bench.output.numbers();
    } catch (const Refused&) {
      return std::nullopt;
    }
  }

  std::string smaller_batches(const Sample& sample) {
    for (const bool training : {false, true}) {
      if (training && !trainable_) continue;
      LayerSetup setup = setup_for(sample);
      setup.training = training;
      LayerBench bench = make(setup);
      for (const std::int64_t batch : batches) {
        const auto expected = planned_output(setup, batch);
        if (!expected) continue;  // too few samples for what it does, and it says so
        const std::string what = "a batch of " + std::to_string(batch) + " in a plan for 7: ";
        try {
          bench.set_batch(batch);
          bench.forward();
          require_close(bench.output.numbers(), *expected, 1e-4, "y");
          if (!training) continue;
          std::ranges::copy(bench.output_weights(0), bench.d_output.floats().begin());
          bench.d_output.memory->poison_from(bench.d_output.floats().size_bytes());
          bench.backward();
          for (const auto& gradient : bench.d_inputs) {
            if (setup.input_gradient) require_finite(gradient.floats(), "dx");
          }
          for (const auto& weight : bench.weights) require_finite(weight.gradient.floats(), "the gradient of '" + weight.name + "'");
        } catch (const Failure& e) {
          throw Failure(what + e.what());
        }
      }
    }
    return "1 and 3 of 7";
  }

  // The large shape of the same rank, where the layer takes it.
  LayerSetup large_setup(const Sample& sample) const {
    for (const Shape& large : large_shapes) {
      if (large.size() != sample.shape.size()) continue;
      const LayerSetup setup = setup_for({large, sample.dtype}, large.size() == 3 ? large_picture_batch : large_batch);
      try {
        make(setup);
        return setup;
      } catch (const Refused&) {
        break;
      }
    }
    return setup_for(sample);
  }

  std::string threads(const Sample& sample) {
    const LayerSetup setup = large_setup(sample);
    std::optional<Outcome> first;
    for (const auto& [name, host] : hosts_.all()) {
      LayerBench bench(spec_, host, setup);
      const Outcome outcome = outcome_of(bench);
      if (first) require_same(outcome, *first, name + " against 1: ");
      if (!first) first = outcome;
    }
    return "the same bits on 1, 2, 3 and 8, and in any order";
  }

  std::string gradients(const Sample& sample) {
    if (sample.dtype != NNRUN_F32) throw NotChecked("its inputs are not f32");
    int counted = 0, tried = 0;
    for (std::uint32_t seed = 0; seed < 2; ++seed) {
      LayerBench bench = make(setup_for(sample));
      for (std::size_t i = 0; i < bench.inputs.size(); ++i)
        fill_apart(bench.inputs[i].floats(), 100 * seed + static_cast<std::uint32_t>(i));
      const Outcome base = outcome_of(bench);
      const std::vector<float> weights = bench.output_weights(0);
      const auto evaluate = [&bench]() -> std::span<const float> {
        bench.forward();
        return bench.output.floats();
      };
      std::size_t index = 0;
      const auto compare = [&](std::span<float> numbers) {
        const auto& [name, gradient] = base.gradients[index++];
        counted += compare_with_differences({name, numbers, gradient, evaluate, weights}, seed);
        tried += 16;
      };
      for (auto& input : bench.inputs) compare(input.floats());
      for (auto& weight : bench.weights) compare(weight.value.floats());
    }
    if (counted < tried / 4)
      throw NotChecked("only " + std::to_string(counted) + " of " + std::to_string(tried) + " directions meet no kink");
    return "as finite differences of forward, step 2^-6, along " + std::to_string(counted) + " directions";
  }

  // The host gives away what plan() did not ask for with backward_needs_input() and backward_needs_output().
  std::string backward_memory(const Sample& sample) {
    LayerBench bench = make(setup_for(sample));
    const Outcome expected = outcome_of(bench);
    bench.poison_unneeded = true;
    try {
      require_same(outcome_of(bench), expected, "");
    } catch (const Failure& e) {
      throw Failure(std::string("backward reads x or y, but plan() does not say backward_needs_input() or backward_needs_output(): ") +
                    e.what());
    }
    const bool x = (bench.needs & NNRUN_BACKWARD_NEEDS_INPUT) != 0, y = (bench.needs & NNRUN_BACKWARD_NEEDS_OUTPUT) != 0;
    return std::string("needs ") + (x && y ? "x and y" : x ? "x" : y ? "y" : "neither x nor y");
  }

  // Nobody before the first layer learns: no memory for dx.
  std::string first_layer(const Sample& sample) {
    LayerBench with = make(setup_for(sample));
    const Outcome expected = outcome_of(with);
    LayerSetup setup = setup_for(sample);
    setup.input_gradient = false;
    LayerBench without = make(setup);
    wants_input_gradient_ = false;
    const Outcome outcome = outcome_of(without);
    wants_input_gradient_ = true;
    const std::size_t skip = expected.gradients.size() - outcome.gradients.size();
    for (std::size_t i = 0; i < outcome.gradients.size(); ++i) {
      require_close(outcome.gradients[i].second, expected.gradients[skip + i].second, 1e-4,
                    "without dx wanted, " + outcome.gradients[i].first);
    }
    return "runs without dx";
  }

  std::string in_place(const Sample& sample) {
    LayerBench bench = make(setup_for(sample));
    if (!bench.in_place) throw NotChecked("plan() does not say in_place()");
    if (bench.inputs.size() != 1 || tensor_bytes(bench.inputs[0].c) != tensor_bytes(bench.output.c) || sample.dtype != NNRUN_F32) {
      throw NotChecked("y has not the size of x");
    }
    const Outcome expected = outcome_of(bench);
    LayerBench shared = make(setup_for(sample));
    shared.share_value = (shared.needs & NNRUN_BACKWARD_NEEDS_INPUT) == 0;
    shared.share_gradient = true;
    require_same(outcome_of(shared), expected, "with y in x's memory and dx in dy's: ");
    return "the same bits";
  }

  std::string overwritten_input(const Sample& sample) {
    LayerBench bench = make(setup_for(sample));
    if ((bench.needs & NNRUN_BACKWARD_OVERWRITES_INPUT) == 0) throw NotChecked("plan() does not say backward_overwrites_input()");
    require(bench.inputs.size() == 1 && sample.dtype == NNRUN_F32, "only a single input of f32 can be overwritten by its gradient");
    const Outcome expected = outcome_of(bench);
    LayerBench shared = make(setup_for(sample));
    shared.overwrite_input = true;
    require_same(outcome_of(shared), expected, "with dx in x's memory: ");
    return "the same bits";
  }

  std::string slices(const Sample& sample) {
    const LayerSetup setup = setup_for(sample, 8);
    LayerBench bench = make(setup);
    if (bench.slices(false) == 0 && bench.slices(true) == 0) throw NotChecked("it cannot be cut into slices");
    const Outcome expected = outcome_of(bench);
    LayerBench sliced = make(setup);
    sliced.in_slices = true;
    require_same(outcome_of(sliced), expected, "in slices, the last one first: ");
    return "the same bits";
  }

  std::string gradient_ready(const Sample& sample) {
    LayerBench bench = make(setup_for(sample));
    const Outcome expected = outcome_of(bench);
    bench.watch_ready = true;
    try {
      require_same(outcome_of(bench), expected, "");
    } catch (const Failure& e) {
      throw Failure(std::string("with weights changed as gradient_ready() allows: ") + e.what());
    }
    if (!bench.said_ready) throw NotChecked("backward does not call it, which it need not");
    return "slices do not overlap, are final, and their weights are not read any more";
  }

  // Does it the work of a relu behind it, if it takes that over?
  std::string absorbed_relu(const Sample& sample) {
    LayerSetup setup = setup_for(sample);
    LayerBench plain = make(setup);
    setup.absorb_relu = true;
    std::optional<LayerBench> fused;
    try {
      fused.emplace(spec_, hosts_.one(), setup);
    } catch (const Refused&) {
      throw NotChecked("absorbs no relu");
    }
    plain.forward();
    fused->forward();
    std::vector<float> expected = copy_of(plain.output.floats()), dy = plain.output_weights(0);
    std::vector<float> masked = dy;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Where y is about 0, both sides of the kink are right.
      if (std::abs(expected[i]) < 1e-4f) dy[i] = masked[i] = 0;
      if (expected[i] <= 0) expected[i] = masked[i] = 0;
    }
    require_close(fused->output.floats(), expected, 1e-5, "y");
    std::ranges::copy(masked, plain.d_output.floats().begin());
    plain.backward();
    std::ranges::copy(dy, fused->d_output.floats().begin());
    fused->backward();
    for (std::size_t i = 0; i < plain.d_inputs.size() && setup.input_gradient; ++i) {
      require_close(fused->d_inputs[i].floats(), plain.d_inputs[i].floats(), 1e-4, "dx");
    }
    for (std::size_t i = 0; i < plain.weights.size(); ++i) {
      require_close(fused->weights[i].gradient.floats(), plain.weights[i].gradient.floats(), 1e-4,
                    "the gradient of '" + plain.weights[i].name + "'");
    }
    return "as with a relu of its own behind it";
  }

  const ComponentSpec& spec_;
  const Hosts& hosts_;
  Report& report_;
  bool trainable_ = false;
  bool wants_input_gradient_ = true;
  std::vector<Sample> accepted_;
};

}  // namespace

void check_layer(const ComponentSpec& spec, const Hosts& hosts, Report& report) { LayerChecks(spec, hosts, report).run(); }

}  // namespace nnrun::core::checking
