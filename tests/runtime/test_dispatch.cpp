#include "base/cpu.hpp"
#include "helpers.hpp"
#include "plugins/dispatch.hpp"
#include "plugins/host.hpp"

#include <nnrun/kernels.h>
#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <stdlib.h>

#include <algorithm>

using namespace nnrun;
using namespace nnrun::core;

namespace {

// Plugins are never unloaded, so one registry serves all.
const Registry& registry() {
  static const Registry* all = [] {
    auto* made = new Registry;
    made->load_folder(NNRUN_PLUGIN_DIR);
    return made;
  }();
  return *all;
}

bool has_table(const std::string& name) { return registry().find("kernels", name) != nullptr; }

NamedText choice(const std::string& kernel, const std::string& table) {
  NamedText text;
  text.name = kernel;
  text.text = table;
  return text;
}

KernelSettings settings(const std::string& table, std::vector<NamedText> tables = {}) {
  KernelSettings s;
  s.default_table = table;
  s.tables = std::move(tables);
  return s;
}

std::string refusal(const KernelSettings& s) {
  try {
    const Dispatch dispatch(registry(), s);
  } catch (const DiagnosticError& e) {
    return e.what();
  }
  return "";
}

std::string chosen_table(const Dispatch& dispatch, const char* kernel, const void* arguments) {
  std::string why;
  const nnrun_kernel* found = dispatch.choose(kernel, arguments, &why);
  return found == nullptr ? "none: " + why : dispatch.table_of(found);
}

nnrun_gemm_f32 gemm_shape() {
  nnrun_gemm_f32 shape{};
  shape.m = 64;
  shape.n = 128;
  shape.k = 256;
  shape.lda = 256;
  shape.ldb = shape.ldc = 128;
  return shape;
}

// NNRUN_KERNELS while this lives.
class KernelsVariable {
 public:
  explicit KernelsVariable(const char* value) {
    if (const char* before = getenv("NNRUN_KERNELS")) before_ = before;
    setenv("NNRUN_KERNELS", value, 1);
  }
  ~KernelsVariable() { before_.empty() ? unsetenv("NNRUN_KERNELS") : setenv("NNRUN_KERNELS", before_.c_str(), 1); }
  KernelsVariable(const KernelsVariable&) = delete;
  KernelsVariable& operator=(const KernelsVariable&) = delete;

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("without a wish the highest score runs") {
  const KernelsVariable none("");
  const Dispatch dispatch(registry(), settings("auto"));
  const std::vector<std::string> names = dispatch.names();
  REQUIRE_FALSE(names.empty());
  CHECK(std::is_sorted(names.begin(), names.end()));
  for (const std::string& name : names) {
    const auto entries = dispatch.entries(name);
    INFO(name);
    CHECK(std::is_sorted(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.kernel->score > b.kernel->score; }));
    CHECK(std::any_of(entries.begin(), entries.end(), [](const auto& e) { return e.table == "scalar"; }));
    CHECK(dispatch.forced(name) == "auto");
  }
  const nnrun_gemm_f32 shape = gemm_shape();
  const char* best = has_table("avx512") ? "avx512" : has_table("avx2") ? "avx2" : has_table("sse_asm") ? "sse_asm" : "scalar";
  CHECK(chosen_table(dispatch, "gemm_f32", &shape) == best);
}

TEST_CASE("a forced table is the one that runs") {
  const nnrun_gemm_f32 shape = gemm_shape();
  for (const std::string table : {"scalar", "sse_asm", "avx2", "avx512"}) {
    if (!has_table(table)) {
      WARN("no " << table << " here");
      continue;
    }
    const Dispatch dispatch(registry(), settings(table));
    CHECK(chosen_table(dispatch, "gemm_f32", &shape) == table);
    CHECK(dispatch.forced("gemm_f32") == table);
    const KernelsVariable variable(table.c_str());
    CHECK(chosen_table(Dispatch(registry(), settings("auto")), "gemm_f32", &shape) == table);
  }
}

TEST_CASE("NNRUN_KERNELS stands only for auto") {
  const nnrun_gemm_f32 shape = gemm_shape();
  if (!has_table("avx2")) return;
  const KernelsVariable variable("avx2");
  CHECK(chosen_table(Dispatch(registry(), settings("scalar")), "gemm_f32", &shape) == "scalar");
  CHECK(chosen_table(Dispatch(registry(), settings("auto", {choice("gemm_f32", "scalar")})), "gemm_f32", &shape) == "scalar");
}

TEST_CASE("one kernel can be forced alone") {
  const KernelsVariable none("");
  const nnrun_gemm_f32 shape = gemm_shape();
  nnrun_relu_f32 relu{};
  relu.count = 1000;
  const Dispatch dispatch(registry(), settings("auto", {choice("gemm_f32", "scalar")}));
  CHECK(chosen_table(dispatch, "gemm_f32", &shape) == "scalar");
  CHECK(dispatch.forced("gemm_f32") == "scalar");
  CHECK(dispatch.forced("relu_f32") == "auto");
  if (has_table("avx2")) CHECK(chosen_table(dispatch, "relu_f32", &relu) != "scalar");
  // And auto for one kernel, under a table for the others.
  if (has_table("avx2")) {
    const Dispatch other(registry(), settings("scalar", {choice("gemm_f32", "auto")}));
    CHECK(chosen_table(other, "gemm_f32", &shape) != "scalar");
    CHECK(chosen_table(other, "relu_f32", &relu) == "scalar");
  }
}

TEST_CASE("wrong wishes are refused, with a suggestion") {
  CHECK(refusal(settings("avx5")).find("no kernels 'avx5' on this machine") != std::string::npos);
  CHECK(refusal(settings("avx5")).find("there are: auto") != std::string::npos);
  CHECK(refusal(settings("scaler")).find("did you mean 'scalar'?") != std::string::npos);
  CHECK(refusal(settings("auto", {choice("gem_f32", "scalar")})).find("did you mean 'gemm_f32'?") != std::string::npos);
  CHECK(refusal(settings("auto", {choice("gemm_f32", "scaler")})).find("did you mean 'scalar'?") != std::string::npos);
  const KernelsVariable variable("nonsense");
  const std::string message = refusal(settings("auto"));
  CHECK(message.find("nonsense") != std::string::npos);
  CHECK(message.find("NNRUN_KERNELS") != std::string::npos);
}

TEST_CASE("an unknown kernel, and why") {
  const Dispatch dispatch(registry(), settings("auto"));
  std::string why;
  CHECK(dispatch.choose("fly_f32", nullptr, &why) == nullptr);
  CHECK(why.find("no plugin brings a kernel 'fly_f32'") != std::string::npos);
  CHECK(dispatch.entries("fly_f32").empty());
  nnrun_kernel stranger{};
  CHECK(dispatch.table_of(&stranger) == "?");
}

TEST_CASE("exact leaves out what has a bound of its own") {
  const KernelsVariable none("");
  KernelSettings exact = settings("auto");
  exact.exact = true;
  const Dispatch all(registry(), settings("auto")), exact_ones(registry(), exact);
  bool left_out = false;
  for (const std::string& name : all.names()) {
    for (const auto& entry : all.entries(name)) {
      const auto kept = exact_ones.entries(name);
      const bool is_kept = std::any_of(kept.begin(), kept.end(), [&](const auto& e) { return e.kernel == entry.kernel; });
      CHECK(is_kept == (entry.kernel->bound == 0));
      left_out = left_out || !is_kept;
    }
  }
  CHECK(left_out == has_table("avx2"));
}

TEST_CASE("kernels of another precision run only where that is asked for") {
  const KernelsVariable none("");
  nnrun_conv2d_forward_f32 shape{};
  shape.windows = {8, {32, 32}, {32, 32}, {3, 3}, {1, 1}, {1, 1}, {1, 1}};
  shape.channels = shape.filters = 64;
  shape.groups = 1;
  KernelSettings bf16 = settings("auto");
  bf16.bf16 = true;
  const auto precision = [&](const KernelSettings& s) {
    std::string why;
    return Dispatch(registry(), s).choose("conv2d_forward_f32", &shape, &why)->precision;
  };
  CHECK(precision(settings("auto")) == 0);
  if (!has_table("avx512_bf16")) {
    CHECK_THAT(refusal(bf16), Catch::Contains("no kernels on this machine multiply in bf16"));
    return;
  }
  CHECK(precision(bf16) == NNRUN_BF16);
  const Dispatch dispatch(registry(), bf16);
  const nnrun_gemm_f32 gemm = gemm_shape();
  std::string why;
  CHECK(dispatch.choose("gemm_f32", &gemm, &why)->precision == 0);
}

TEST_CASE("what a forced table lacks or does not support comes from scalar") {
  const KernelsVariable none("");
  const Dispatch all(registry(), settings("auto"));
  for (const std::string table : {"avx2", "avx512"}) {
    if (!has_table(table)) continue;
    const Dispatch dispatch(registry(), settings(table));
    for (const std::string& name : all.names()) {
      const auto entries = all.entries(name);
      const bool has = std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.table == table; });
      const bool any_shape = std::none_of(entries.begin(), entries.end(), [](const auto& e) { return e.kernel->supports != nullptr; });
      if (has || !any_shape) continue;
      INFO(name << " under " << table);
      CHECK(chosen_table(dispatch, name.c_str(), nullptr) == "scalar");
      // But asked for by name, it is an error.
      CHECK(refusal(settings("auto", {choice(name, table)})).find("have no " + name) != std::string::npos);
    }
  }
}

TEST_CASE("the CPU's features are sorted, and unknown ones count as lacking") {
  CHECK(std::is_sorted(cpu_features().begin(), cpu_features().end()));
  CHECK(missing_cpu_features("").empty());
  CHECK(missing_cpu_features("  no_such_feature  ") == std::vector<std::string>{"no_such_feature"});
  for (const std::string& feature : cpu_features()) CHECK(missing_cpu_features(feature).empty());
}

TEST_CASE("what a forced table lacks comes from scalar, and is told") {
  const KernelsVariable none("");
  if (!has_table("sse_asm")) {
    WARN("no sse_asm here");
    return;
  }
  const Dispatch dispatch(registry(), settings("sse_asm"));
  HostServices host(dispatch, 1, [](nnrun_log_level, const std::string&) {});
  nnrun_error error{};
  const nnrun_gemm_f32 product = gemm_shape();
  CHECK(host.c()->kernel(host.c(), "gemm_f32", &product, &error) != nullptr);
  CHECK(host.lacking().empty());
  nnrun_activation_f32 activation{};
  activation.count = 100;
  activation.function = NNRUN_TANH;
  CHECK(host.c()->kernel(host.c(), "activation_f32", &activation, &error) != nullptr);
  CHECK(host.lacking() == "kernels 'sse_asm' lack some of what this net needs; plain ones run instead: activation_f32 (scalar)");

  const Dispatch automatic(registry(), settings("auto"));
  HostServices any(automatic, 1, [](nnrun_log_level, const std::string&) {});
  CHECK(any.c()->kernel(any.c(), "activation_f32", &activation, &error) != nullptr);
  CHECK(any.lacking().empty());
}

TEST_CASE("a layer's own choice") {
  const KernelsVariable none("");
  const Dispatch dispatch(registry(), settings("auto", {choice("2.dense/gemm_f32#3", "scalar"), choice("a/b/sgd_f32", "scalar")}));
  REQUIRE(dispatch.layer_choices().size() == 2);
  CHECK(dispatch.layer_choice("2.dense", "gemm_f32", 2) == nullptr);
  CHECK(dispatch.layer_choice("1.dense", "gemm_f32", 3) == nullptr);
  const Dispatch::LayerChoice* third = dispatch.layer_choice("2.dense", "gemm_f32", 3);
  REQUIRE(third != nullptr);
  CHECK(dispatch.way(third->kernel) == "scalar");
  REQUIRE(dispatch.layer_choice("a/b", "sgd_f32", 7) != nullptr);  // without a number: each time
  CHECK(dispatch.left_out().empty());
  // Others get what they would have got without.
  const nnrun_gemm_f32 shape = gemm_shape();
  CHECK(chosen_table(dispatch, "gemm_f32", &shape) == chosen_table(Dispatch(registry(), settings("auto")), "gemm_f32", &shape));
}

TEST_CASE("a layer's own choice has to be one") {
  const KernelsVariable none("");
  const auto refused = [](const std::string& request, const std::string& way) { return refusal(settings("auto", {choice(request, way)})); };
  CHECK_THAT(refused("2.dense/gemm_f32#", "scalar"), Catch::Contains("a number from 1"));
  CHECK_THAT(refused("2.dense/gemm_f32#1x", "scalar"), Catch::Contains("a number from 1"));
  CHECK_THAT(refused("2.dense/gemm", "scalar"), Catch::Contains("no kernel 'gemm'"));
  CHECK_THAT(refused("2.dense/gemm_f32", "scalar, Winograd"),
             Catch::Contains("no gemm_f32 is 'scalar, Winograd'") && Catch::Contains("there are: "));
  CHECK_THAT(refusal(settings("auto", {choice("1/sgd_f32", "scalar"), choice("1/sgd_f32#1", "scalar")})),
             Catch::Contains("chosen already"));
}

TEST_CASE("choices for layers count on the machine that they were measured on") {
  const KernelsVariable none("");
  KernelSettings tuned = settings("auto", {choice("2.dense/gemm_f32#1", "scalar"), choice("sgd_f32", "scalar")});
  tuned.tuned_on = Dispatch(registry(), settings("auto")).machine();
  CHECK(Dispatch(registry(), tuned).layer_choices().size() == 1);
  tuned.tuned_on += " and a bit";
  const Dispatch elsewhere(registry(), tuned);
  CHECK(elsewhere.layer_choices().empty());
  CHECK_THAT(elsewhere.left_out(), Catch::Contains(tuned.tuned_on));
  CHECK(elsewhere.forced("sgd_f32") == "scalar");  // for all layers: nobody measured that
}

TEST_CASE("candidates begin with what is chosen, and leave out what is for comparison") {
  const KernelsVariable none("");
  const Dispatch dispatch(registry(), settings("auto"));
  const nnrun_gemm_f32 shape = gemm_shape();
  std::string why;
  const auto all = dispatch.candidates("gemm_f32", &shape);
  REQUIRE_FALSE(all.empty());
  CHECK(all[0] == dispatch.choose("gemm_f32", &shape, &why));
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i]->score > 0);
  CHECK(Dispatch(registry(), settings("scalar")).candidates("gemm_f32", &shape).size() == 1);
}
