// One fault a component, for `nnrun check-plugin` to find.
#include <nnrun/plugin.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace {

// y = x * x, done right; the others differ from it in one thing.
struct Square {
  static constexpr auto doc = "y = x * x";
  void plan(nnrun::Plan& p) {
    p.output(p.input());
    p.backward_needs_input();
  }
  void forward(const nnrun::Run& r) const {
    for (std::int64_t i = 0; i < r.x().count(); ++i) r.y()[i] = r.x()[i] * r.x()[i];
  }
  void backward(const nnrun::Run& r) const {
    if (!r.input_gradient()) return;
    for (std::int64_t i = 0; i < r.x().count(); ++i) r.dx()[i] = 2 * r.x()[i] * r.dy()[i];
  }
};

struct Right : Square {
  static constexpr auto name = "right";
};

struct WrongGradient : Square {
  static constexpr auto name = "wrong_gradient";
  void backward(const nnrun::Run& r) const {
    Square::backward(r);
    if (r.input_gradient()) r.dx()[r.dx().count() - 1] *= 1.05f;
  }
};

struct Overrun : Square {
  static constexpr auto name = "overrun";
  void forward(const nnrun::Run& r) const {
    Square::forward(r);
    r.y()[r.y().count()] = 1;
  }
};

struct ScratchOverrun : Square {
  static constexpr auto name = "scratch_overrun";
  void plan(nnrun::Plan& p) {
    Square::plan(p);
    scratch_ = p.scratch(100);
  }
  void forward(const nnrun::Run& r) const {
    Square::forward(r);
    r.scratch<std::uint8_t>(scratch_)[100] = 0;
  }
  int scratch_ = 0;
};

struct WritesInput : Square {
  static constexpr auto name = "writes_input";
  void forward(const nnrun::Run& r) const {
    Square::forward(r);
    r.x()[0] += 1;
  }
};

struct LeavesRows : Square {
  static constexpr auto name = "leaves_rows";
  void forward(const nnrun::Run& r) const {
    for (std::int64_t i = 0; i + 1 < r.x().count(); ++i) r.y()[i] = r.x()[i] * r.x()[i];
  }
};

// Cuts a sum by the number of threads.
struct CountsThreads : Square {
  static constexpr auto name = "counts_threads";
  void forward(const nnrun::Run& r) const {
    Square::forward(r);
    const std::int64_t parts = r.host().c()->threads, count = r.x().count();
    float total = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      float sum = 0;
      for (std::int64_t i = part * count / parts; i < (part + 1) * count / parts; ++i) sum += r.x()[i] * 1e-3f;
      total += sum;
    }
    r.y()[0] += total;
  }
};

struct ForgetsNeeds : Square {
  static constexpr auto name = "forgets_needs";
  void plan(nnrun::Plan& p) { p.output(p.input()); }
};

struct IgnoresBatch : Square {
  static constexpr auto name = "ignores_batch";
  void plan(nnrun::Plan& p) {
    Square::plan(p);
    count_ = p.input().count();
  }
  void forward(const nnrun::Run& r) const {
    for (std::int64_t i = 0; i < count_; ++i) r.y()[i] = r.x()[i] * r.x()[i];
  }
  std::int64_t count_ = 0;
};

struct NotInPlace : Square {
  static constexpr auto name = "not_in_place";
  void plan(nnrun::Plan& p) {
    p.output(p.input());
    p.backward_needs_output();
    p.in_place();
  }
  void forward(const nnrun::Run& r) const {
    for (std::int64_t i = 0; i < r.x().count(); ++i) r.y()[i] = r.x()[i] + r.x()[0];
  }
  void backward(const nnrun::Run& r) const {
    if (!r.input_gradient()) return;
    float sum = 0;
    for (std::int64_t i = 0; i < r.dy().count(); ++i) sum += r.dy()[i];
    for (std::int64_t i = 0; i < r.dy().count(); ++i) r.dx()[i] = r.dy()[i];
    r.dx()[0] += sum;
  }
};

// Gives up a part of its weight, and reads it afterwards.
struct ReadsGivenUp : Square {
  static constexpr auto name = "reads_given_up";
  nnrun::Initializer weights{"ones"};
  static constexpr auto params() { return nnrun::schema(nnrun::param<&ReadsGivenUp::weights>("weights", "how the weights start")); }
  void plan(nnrun::Plan& p) {
    if (p.input().rank() != 2) throw nnrun::Error("takes (N, features)");
    p.output(p.input());
    p.backward_needs_input();
    columns_ = p.input().dim(1);
    weight_ = p.weight("scale", {columns_}, 1, 1, weights);
  }
  void forward(const nnrun::Run& r) const {
    for (std::int64_t i = 0; i < r.x().count(); ++i) r.y()[i] = r.x()[i] * r.weight(weight_)[i % columns_];
  }
  void backward(const nnrun::Run& r) const {
    std::fill_n(r.d_weight(weight_).data(), columns_, 0.0f);
    for (std::int64_t i = 0; i < r.x().count(); ++i) r.d_weight(weight_)[i % columns_] += r.x()[i] * r.dy()[i];
    r.gradient_ready(weight_, 0, columns_);
    if (!r.input_gradient()) return;
    for (std::int64_t i = 0; i < r.x().count(); ++i) r.dx()[i] = r.dy()[i] * r.weight(weight_)[i % columns_];
  }
  std::int64_t columns_ = 0;
  int weight_ = 0;
};

struct WrongDefault : Square {
  static constexpr auto name = "wrong_default";
  double rate = 2;
  static constexpr auto params() { return nnrun::schema(nnrun::param<&WrongDefault::rate>("rate", "of something").range(0, 1)); }
};

// An optimizer whose step depends on how the weights are cut.
struct CutDependent {
  static constexpr auto name = "cut_dependent";
  static constexpr auto doc = "steps by the mean of the slice";
  static constexpr const char* const states[] = {nullptr};
  void plan(const nnrun::Host&) {}
  double rate(const nnrun_progress&) const { return 0.01; }
  bool step(const nnrun_step& s) const {
    float mean = 0;
    for (std::int64_t i = 0; i < s.count; ++i) mean += s.gradients[i] / static_cast<float>(s.count);
    for (std::int64_t i = 0; i < s.count; ++i) s.weights[i] -= 0.01f * (s.gradients[i] + mean);
    return true;
  }
};

// Another sample each time.
struct Restless {
  static constexpr auto name = "restless";
  static constexpr auto doc = "counts";
  struct Split {
    mutable std::atomic<int> reads{0};
    void read(std::int64_t, const nnrun::Tensor& sample, void* label) const {
      sample[0] = static_cast<float>(reads++);
      *static_cast<std::int32_t*>(label) = 0;
    }
  };
  std::unique_ptr<Split> open(const nnrun::Host&, const std::string&, nnrun_split, std::uint64_t, nnrun_dataset_info& info) const {
    info.count = 10;
    info.classes = 2;
    info.sample = nnrun::make_tensor(NNRUN_F32, nnrun::Shape{1});
    return std::make_unique<Split>();
  }
};

}  // namespace

NNRUN_PLUGIN("faulty", "1.0.0", Right, WrongGradient, Overrun, ScratchOverrun, WritesInput, LeavesRows, CountsThreads, ForgetsNeeds,
             IgnoresBatch, NotInPlace, ReadsGivenUp, WrongDefault, CutDependent, Restless)
