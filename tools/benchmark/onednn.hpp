// What the programs that drive oneDNN share.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <oneapi/dnnl/dnnl.hpp>
#include <utility>
#include <vector>

namespace onednn {

using dnnl::memory;
using tag = memory::format_tag;
using type = memory::data_type;

inline dnnl::engine& engine() {
  static dnnl::engine value(dnnl::engine::kind::cpu, 0);
  return value;
}

inline dnnl::stream& stream() {
  static dnnl::stream value(engine());
  return value;
}

// A primitive with its arguments, which it keeps alive: `arguments` are bare handles. It is executed through the C API, since the
// C++ call builds a vector each time, which costs at batch 1.
struct Op {
  dnnl::primitive primitive;
  std::vector<memory> memories;
  std::vector<dnnl_exec_arg_t> arguments;

  Op() = default;
  Op(const dnnl::primitive& p, const std::vector<std::pair<int, memory>>& list) : primitive(p) {
    for (const auto& [name, value] : list) {
      memories.push_back(value);
      arguments.push_back({name, value.get()});
    }
  }
  explicit operator bool() const { return static_cast<bool>(primitive); }
  void run() const {
    dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream().get(), static_cast<int>(arguments.size()), arguments.data()),
                            "execute");
  }
};

inline memory::desc describe(const memory::dims& dims, tag format, type numbers = type::f32) { return {dims, numbers, format}; }

// Zeros, on large pages where there is room for them, as nnrun's arenas are.
inline memory allocate(const memory::desc& description) {
  memory result(description, engine());
  constexpr std::uintptr_t page = 4096;
  const auto begin = reinterpret_cast<std::uintptr_t>(result.get_data_handle()), first = (begin + page - 1) / page * page;
  const std::uintptr_t end = (begin + description.get_size()) / page * page;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
  std::fill_n(static_cast<char*>(result.get_data_handle()), description.get_size(), 0);
  return result;
}

inline float* data_of(const memory& m) { return static_cast<float*>(m.get_data_handle()); }

inline Op reorder_op(const memory& from, const memory& to) {
  return Op(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

inline dnnl::primitive_attr with_relu(bool relu) {
  dnnl::primitive_attr attributes;
  if (relu) {
    dnnl::post_ops operations;
    operations.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(operations);
  }
  return attributes;
}

// dx = y > 0 ? dy : 0, in place.
inline Op relu_backward_op(const memory& y, const memory& dy) {
  const auto layout = y.get_desc();
  const auto algorithm = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
  const dnnl::eltwise_forward::primitive_desc forward({dnnl::prop_kind::forward_training, algorithm, layout, 0, 0}, engine());
  const dnnl::eltwise_backward::primitive_desc backward({algorithm, layout, layout, 0, 0}, engine(), forward);
  return Op(dnnl::eltwise_backward(backward), {{DNNL_ARG_DST, y}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_SRC, dy}});
}

// The least seconds of a call, of 12 x 10; fewer where one takes long.
inline double time_of(const std::function<void()>& call) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const auto begin = Clock::now();
  call();
  const int repeats = seconds(begin) < 1e-3 ? 10 : 1;
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 12 && (round < 3 || seconds(begin) < 0.06); ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < repeats; ++i) call();
    best = std::min(best, seconds(start) / repeats);
  }
  return best;
}

}  // namespace onednn
