// Which kernel runs for a name and a shape. Knows names, signatures and scores, not what kernels compute.
#pragma once

#include "config/settings.hpp"
#include "plugins/registry.hpp"

#include <nnrun/nnrun.h>

#include <string>
#include <string_view>
#include <vector>

namespace nnrun::core {

class Dispatch {
 public:
  static constexpr std::string_view automatic = "auto";  // stands for the best table of each kernel

  struct Entry {
    const nnrun_kernel* kernel;
    std::string table;  // eg: "avx512"
  };

  // What `run.kernels` says of one layer, eg: "2.conv2d/conv2d_forward_f32#1: avx512, Winograd".
  struct LayerChoice {
    std::string layer, name;
    int request = 0;  // the first time that the layer asks for this name is 1; 0: each time
    const nnrun_kernel* kernel = nullptr;
    Location where;
  };

  // Throws DiagnosticError where a table or kernel that is asked for does not exist or cannot run here.
  // The environment's NNRUN_KERNELS stands for `run.kernels` where that is auto.
  Dispatch(const Registry& registry, const KernelSettings& settings);

  // The best kernel for the shape; NULL and *why where none supports it.
  const nnrun_kernel* choose(std::string_view name, const void* arguments, std::string* why) const;

  // All that `run.kernels` lets run, best first: choose() takes the first. What is only for comparison (scores up to 0) is there
  // where nothing else is.
  std::vector<const nnrun_kernel*> candidates(std::string_view name, const void* arguments) const;

  const std::vector<LayerChoice>& layer_choices() const { return layer_choices_; }
  // NULL where the config leaves it to the rest of the rules.
  const LayerChoice* layer_choice(std::string_view layer, std::string_view name, int request) const;
  // Why run.kernels' choices for layers are left out; "" where they are not.
  const std::string& left_out() const { return left_out_; }
  // This CPU and the kernels for it: what measured choices are good for.
  std::string machine() const;

  // Of every kernel, best first.
  std::vector<std::string> names() const;
  std::vector<Entry> entries(std::string_view name) const;
  // The table that `kernel` is from.
  std::string table_of(const nnrun_kernel* kernel) const;
  // Eg: "gemm_f32 (avx512)", "conv2d_forward_f32 (avx512, Winograd)".
  std::string describe(const nnrun_kernel* kernel) const;
  // As `run.kernels` names it for a layer, eg: "avx512", "avx512, Winograd".
  std::string way(const nnrun_kernel* kernel) const;
  // The table that is forced for a kernel; `automatic` where none is.
  std::string forced(std::string_view name) const;

 private:
  void add_layer_choice(const NamedText& choice);
  const nnrun_kernel* find_way(const std::string& name, const NamedText& choice) const;

  std::vector<Entry> entries_;
  std::string default_table_{automatic};
  std::vector<std::pair<std::string, std::string>> forced_;
  std::vector<LayerChoice> layer_choices_;
  std::string left_out_;
};

}  // namespace nnrun::core
