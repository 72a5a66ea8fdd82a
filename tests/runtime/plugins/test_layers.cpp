// Layers for tests: what the built-in ones do not exercise, and handles to take gradients by.
#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cstdint>

namespace {

using nnrun::Error;
using nnrun::Plan;
using nnrun::Run;
using nnrun::Tensor;

// y is a weight, whatever x is: the gradient of what follows with respect to its input is then the gradient of a weight.
struct Variable {
  static constexpr auto name = "variable";
  static constexpr auto doc = "y = a weight of the input's shape, the batch included";
  nnrun::Initializer values{"zeros"};

  static constexpr auto params() { return nnrun::schema(nnrun::param<&Variable::values>("values", "how it starts")); }
  void plan(Plan& p) {
    p.output(p.input());
    weight_ = p.weight("values", p.input().shape(), 1, 1, values);
  }
  void forward(const Run& r) const { std::copy_n(r.weight(weight_).data(), r.y().count(), r.y().data()); }
  void backward(const Run& r) const {
    // A smaller batch leaves rows behind; their gradient is zero.
    const Tensor gradient = r.d_weight(weight_);
    std::fill_n(gradient.data(), gradient.count(), 0.0f);
    std::copy_n(r.dy().data(), r.dy().count(), gradient.data());
    if (r.input_gradient()) std::fill_n(r.dx().data(), r.dx().count(), 0.0f);
  }

 private:
  int weight_ = 0;
};

// Keeps its neighbours from sharing memory and from being fused.
struct Copy {
  static constexpr auto name = "copy";
  static constexpr auto doc = "y = x, in memory of its own";

  void plan(Plan& p) { p.output(p.input()); }
  void forward(const Run& r) const { std::copy_n(r.x().data(), r.y().count(), r.y().data()); }
  void backward(const Run& r) const {
    if (r.input_gradient()) std::copy_n(r.dy().data(), r.dy().count(), r.dx().data());
  }
};

// Goes through the batch in slices; its scratch must stay its own from the first stage to the last.
struct SlicedDouble {
  static constexpr auto name = "sliced_double";
  static constexpr auto doc = "y = 2 x, in slices of the batch; takes no values above 1000";
  static constexpr std::int64_t scratch_floats = 1000;

  void plan(Plan& p) {
    p.output(p.input());
    mark_ = p.scratch(scratch_floats * sizeof(float));
  }
  void forward(const Run& r) const { double_samples(r.x(), r.y(), 0, r.batch()); }
  void backward(const Run& r) const {
    if (r.input_gradient()) double_samples(r.dy(), r.dx(), 0, r.batch());
  }
  std::int64_t slices(std::int64_t, bool) const { return 48; }
  void run_slice(const Run& r, const nnrun_slice& s) const {
    float* mark = r.scratch<float>(mark_);
    const std::int64_t begin = r.batch() * s.index / s.count, end = r.batch() * (s.index + 1) / s.count;
    if (s.stage == NNRUN_SLICES_BEFORE) {
      std::fill_n(mark, scratch_floats, 7.0f);
    } else if (s.stage == NNRUN_SLICES_BEHIND) {
      if (std::count(mark, mark + scratch_floats, 7.0f) != scratch_floats) throw Error("its scratch was written by others");
    } else if (s.backward == 0) {
      double_samples(r.x(), r.y(), begin, end);
    } else if (r.input_gradient()) {
      double_samples(r.dy(), r.dx(), begin, end);
    }
  }

 private:
  static void double_samples(const Tensor& from, const Tensor& to, std::int64_t begin, std::int64_t end) {
    const std::int64_t size = from.count() / from.dim(0);
    for (std::int64_t i = begin * size; i < end * size; ++i) {
      if (from[i] > 1000) throw Error("takes no values above 1000");
      to[i] = 2 * from[i];
    }
  }
  int mark_ = 0;
};

// Adds up its whole input before it goes through the batch, sample by sample ahead where the host wants that.
struct AheadDouble {
  static constexpr auto name = "ahead_double";
  static constexpr auto doc = "y = 2 x + the mean of the whole batch";

  void plan(Plan& p) {
    p.output(p.input());
    sums_ = p.scratch(static_cast<std::size_t>(p.batch()) * sizeof(float));
  }
  void forward(const Run& r) const { all(r, r.x(), r.y()); }
  void backward(const Run& r) const { all(r, r.dy(), r.dx()); }
  std::int64_t slices(std::int64_t batch, bool) const { return -batch; }
  std::int64_t slices_ahead(std::int64_t batch, bool) const { return batch; }
  void run_slice(const Run& r, const nnrun_slice& s) const {
    const Tensor from = s.backward == 0 ? r.x() : r.dy(), to = s.backward == 0 ? r.y() : r.dx();
    const std::int64_t begin = r.batch() * s.index / s.count, end = r.batch() * (s.index + 1) / s.count;
    if (s.stage == NNRUN_SLICES_AHEAD) {
      add_up(r, from, begin, end);
    } else if (s.stage == NNRUN_SLICES_BEFORE) {
      if (s.ahead == 0) add_up(r, from, 0, r.batch());
    } else if (s.stage == NNRUN_SLICES_EACH) {
      double_samples(r, from, to, begin, end);
    }
  }

 private:
  void all(const Run& r, const Tensor& from, const Tensor& to) const {
    add_up(r, from, 0, r.batch());
    double_samples(r, from, to, 0, r.batch());
  }
  void add_up(const Run& r, const Tensor& from, std::int64_t begin, std::int64_t end) const {
    for (std::int64_t n = begin; n < end; ++n) {
      float& sum = r.scratch<float>(sums_)[n] = 0;
      for (std::int64_t i = 0; i < from.columns(); ++i) sum += from[n * from.columns() + i];
    }
  }
  void double_samples(const Run& r, const Tensor& from, const Tensor& to, std::int64_t begin, std::int64_t end) const {
    if (!to) return;
    float mean = 0;
    for (std::int64_t n = 0; n < r.batch(); ++n) mean += r.scratch<float>(sums_)[n] / static_cast<float>(from.count());
    for (std::int64_t i = begin * from.columns(); i < end * from.columns(); ++i) to[i] = 2 * from[i] + mean;
  }
  int sums_ = 0;
};

struct AddReference {
  static constexpr auto name = "add_reference";
  static constexpr auto doc = "y = x + the output of an earlier layer";
  nnrun::Reference with;

  static constexpr auto params() {
    return nnrun::schema(nnrun::param<&AddReference::with>("with", "name of the earlier layer").required());
  }
  void plan(Plan& p) {
    if (p.input(0).shape() != p.input(1).shape()) {
      throw Error("adds equal shapes, got " + nnrun::to_string(p.input(0).shape()) + " and " + nnrun::to_string(p.input(1).shape()));
    }
    p.output(p.input());
  }
  void forward(const Run& r) const {
    for (std::int64_t i = 0; i < r.y().count(); ++i) r.y()[i] = r.x(0)[i] + r.x(1)[i];
  }
  void backward(const Run& r) const {
    if (!r.input_gradient()) return;
    for (std::int64_t i = 0; i < r.dy().count(); ++i) {
      r.dx(0)[i] = r.dy()[i];
      r.dx(1)[i] = r.dy()[i];
    }
  }
};

// y = x. Fills all the memory that it may use with a pattern, and complains where the saved part does not survive.
struct Scribble {
  static constexpr auto name = "scribble";
  static constexpr auto doc = "y = x; checks that its saved memory stays its own";
  std::int64_t bytes = 100;

  static constexpr auto params() { return nnrun::schema(nnrun::param<&Scribble::bytes>("bytes", "of each memory").at_least(1)); }
  void plan(Plan& p) {
    p.output(p.input());
    p.in_place();
    saved_ = p.saved(static_cast<std::size_t>(bytes));
    scratch_ = p.scratch(static_cast<std::size_t>(bytes) * 3);
  }
  void forward(const Run& r) const {
    for (std::int64_t i = 0; i < bytes; ++i) r.saved<std::uint8_t>(saved_)[i] = pattern(i);
    std::fill_n(r.scratch<std::uint8_t>(scratch_), bytes * 3, std::uint8_t{0xff});  // as floats: NaN
    if (r.x().data() != r.y().data()) std::copy_n(r.x().data(), r.y().count(), r.y().data());
  }
  void backward(const Run& r) const {
    std::fill_n(r.scratch<std::uint8_t>(scratch_), bytes * 3, std::uint8_t{0xff});
    for (std::int64_t i = 0; i < bytes; ++i) {
      if (r.saved<std::uint8_t>(saved_)[i] != pattern(i)) throw Error("saved byte " + std::to_string(i) + " was overwritten");
    }
    if (r.input_gradient() && r.dx().data() != r.dy().data()) std::copy_n(r.dy().data(), r.dy().count(), r.dx().data());
  }

 private:
  std::uint8_t pattern(std::int64_t i) const { return static_cast<std::uint8_t>(i * 7 + bytes * 13); }
  int saved_ = 0, scratch_ = 0;
};

// Says that only a part of its gradient is ready.
struct HalfReady {
  static constexpr auto name = "half_ready";
  static constexpr auto doc = "y = x; breaks the promise of gradient_ready()";
  nnrun::Initializer values{"zeros"};

  static constexpr auto params() { return nnrun::schema(nnrun::param<&HalfReady::values>("values", "how its weight starts")); }
  void plan(Plan& p) {
    p.output(p.input());
    weight_ = p.weight("values", {8}, 1, 1, values);
  }
  void forward(const Run& r) const { std::copy_n(r.x().data(), r.y().count(), r.y().data()); }
  void backward(const Run& r) const {
    std::fill_n(r.d_weight(weight_).data(), 8, 1.0f);
    r.gradient_ready(weight_, 0, 4);
    if (r.input_gradient()) std::copy_n(r.dy().data(), r.dy().count(), r.dx().data());
  }

 private:
  int weight_ = 0;
};

// y = w x, with a w for each column; its gradients are too large by factors.
struct WrongGradient {
  static constexpr auto name = "wrong_gradient";
  static constexpr auto doc = "y = w x, with gradients multiplied by factors";
  float dx = 1, dw = 1;
  nnrun::Initializer values{"ones"};

  static constexpr auto params() {
    return nnrun::schema(nnrun::param<&WrongGradient::dx>("dx", "factor of dx"), nnrun::param<&WrongGradient::dw>("dw", "factor of dw"),
                         nnrun::param<&WrongGradient::values>("values", "how w starts"));
  }
  void plan(Plan& p) {
    p.output(p.input());
    p.backward_needs_input();
    weight_ = p.weight("w", {p.input().columns()}, 1, 1, values);
  }
  void forward(const Run& r) const {
    const std::int64_t columns = r.x().columns();
    for (std::int64_t i = 0; i < r.x().count(); ++i) r.y().data()[i] = r.x().data()[i] * r.weight(weight_).data()[i % columns];
  }
  void backward(const Run& r) const {
    const std::int64_t columns = r.x().columns();
    float* gradient = r.d_weight(weight_).data();
    std::fill_n(gradient, columns, 0.0f);
    for (std::int64_t i = 0; i < r.x().count(); ++i) gradient[i % columns] += dw * r.dy().data()[i] * r.x().data()[i];
    for (std::int64_t i = 0; r.input_gradient() && i < r.x().count(); ++i) {
      r.dx().data()[i] = dx * r.dy().data()[i] * r.weight(weight_).data()[i % columns];
    }
  }

 private:
  int weight_ = 0;
};

// Reads x in backward without having asked for it: right as long as nothing else lies there.
struct Forgetful {
  static constexpr auto name = "forgetful";
  static constexpr auto doc = "y = x * x, with a backward that reads what the host may have given away";

  void plan(Plan& p) { p.output(p.input()); }
  void forward(const Run& r) const {
    for (std::int64_t i = 0; i < r.x().count(); ++i) r.y().data()[i] = r.x().data()[i] * r.x().data()[i];
  }
  void backward(const Run& r) const {
    for (std::int64_t i = 0; r.input_gradient() && i < r.x().count(); ++i) {
      r.dx().data()[i] = 2 * r.x().data()[i] * r.dy().data()[i];
    }
  }
};

}  // namespace

NNRUN_PLUGIN("test_layers", "1.0.0", Variable, Copy, SlicedDouble, AheadDouble, AddReference, Scribble, HalfReady, WrongGradient, Forgetful)
