// A trained net as quantizers and exporters see it: each layer with its parameters, its tensors, and what it makes of some samples.
#pragma once

#include "net/network.hpp"
#include "plugins/environment.hpp"
#include "training/data.hpp"

#include <nnrun/nnrun.h>

#include <memory>
#include <vector>

namespace nnrun::core {

class NetView {
 public:
  // Of the first samples of `subset`: `samples`, or fewer where their activations would take more than about 256 MiB.
  NetView(const Environment& environment, Data& data, const Data::Subset& subset, std::int64_t samples,
          std::shared_ptr<Parameters> parameters);
  NetView(const NetView&) = delete;
  NetView& operator=(const NetView&) = delete;

  const nnrun_net_view& c() const { return view_; }

 private:
  struct Layer {
    std::vector<const char*> param_names, tensor_names;
    std::vector<nnrun_value> params;
    std::vector<std::string> names;
    std::vector<nnrun_tensor> tensors;
    std::vector<float> scale, offset;
    std::vector<std::uint32_t> inputs;
  };
  void add_layer(std::size_t index, std::size_t& weight, std::size_t& state, const HostServices& host);

  Network network_;
  std::vector<Layer> layers_;
  std::vector<nnrun_layer_view> views_;
  nnrun_net_view view_{};
};

}  // namespace nnrun::core
