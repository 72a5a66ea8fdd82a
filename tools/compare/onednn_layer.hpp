// A layer with weights at its best: the fastest way of each of its products, and the layout in which the weights are kept and
// updated.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "onednn_peer.hpp"

namespace peer {

using namespace onednn;

// One way to compute a product, with everything bound but the weights (or their gradient), which it wants in this layout.
struct Way {
  memory::desc weights;
  std::function<Op(const memory& own)> bind;
};
using Ways = std::vector<Way>;

// The same order of other numbers. Winograd's layouts are of f32 alone.
inline memory::desc with_numbers(memory::desc layout, type numbers) {
  if (layout.data.format_kind != dnnl_format_kind_wino) layout.data.data_type = memory::convert_to_c(numbers);
  return layout;
}

class Layer {
 public:
  // Measures every way, and takes the layout and the ways that are fastest in sum; where a way wants another layout, or other numbers
  // than f32, the reorder counts. `data_ways` may be empty: nobody wants the input's gradient.
  Layer(const Ways& forward_ways, const Ways& weights_ways, const Ways& data_ways) {
    const std::vector<double> seconds_of[] = {times(forward_ways), times(weights_ways), times(data_ways)};
    const Ways* const ways[] = {&forward_ways, &weights_ways, &data_ways};
    std::vector<memory::desc> layouts;
    for (const Ways* product : ways) {
      for (const Way& way : *product) {
        const memory::desc layout = with_numbers(way.weights, type::f32);  // what an optimizer works on
        if (std::find(layouts.begin(), layouts.end(), layout) == layouts.end()) layouts.push_back(layout);
      }
    }
    const Way* best[3] = {};
    memory::desc best_layout;
    for (const memory::desc& layout : layouts) {
      const Way* candidates[3] = {};
      double sum = 0;
      double reorder[3] = {};
      for (int i = 0; i < 3; ++i) sum += fastest(*ways[i], seconds_of[i], layout, i == 1, candidates[i], reorder[i]);
      if (share_weights(candidates)) sum -= reorder[2];
      if (sum >= seconds) continue;
      seconds = sum;
      best_layout = layout;
      std::copy(candidates, candidates + 3, best);
    }
    weights = allocate(best_layout);
    gradient = allocate(best_layout);
    for (int i = 0; i < 3; ++i) {
      if (best[i]) products_[i] = bind(*best[i], i == 1 ? gradient : weights, i == 1);
    }
    // What the forward product had made of the weights is still so in the backward one.
    if (share_weights(best) && products_[0].reorder) products_[2] = {best[2]->bind(products_[0].own), Op(), products_[0].own};
  }

  void forward() const { run(products_[0]); }
  void backward_data() const { run(products_[2]); }
  void backward_weights() const {
    products_[1].op.run();
    if (products_[1].reorder) products_[1].reorder.run();
  }
  int reorders() const {
    return static_cast<int>(std::count_if(products_, products_ + 3, [](const Product& p) { return bool(p.reorder); }));
  }

  memory weights, gradient;
  double seconds = std::numeric_limits<double>::infinity();  // of all three products with their reorders

 private:
  struct Product {
    Op op, reorder;
    memory own;  // where it takes the weights from, or leaves their gradient
  };

  static bool share_weights(const Way* const (&chosen)[3]) { return chosen[0] && chosen[2] && chosen[0]->weights == chosen[2]->weights; }

  static std::vector<double> times(const Ways& ways) {
    std::vector<double> result;
    for (const Way& way : ways) {
      const Op op = way.bind(allocate(way.weights));
      result.push_back(time_of([&] { op.run(); }));
    }
    return result;
  }

  // Seconds with the reorder, which are told apart, too; 0 where there are no ways.
  static double fastest(const Ways& ways, const std::vector<double>& times, const memory::desc& layout, bool is_gradient,
                        const Way*& chosen, double& reorder_seconds) {
    double best = ways.empty() ? 0 : std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < ways.size(); ++i) {
      if (times[i] >= best) continue;
      double sum = times[i], reordering = 0;
      if (ways[i].weights != layout) {
        const memory own = allocate(ways[i].weights), kept = allocate(layout);
        const Op reorder = is_gradient ? reorder_op(own, kept) : reorder_op(kept, own);
        sum += reordering = time_of([&] { reorder.run(); });
      }
      if (sum < best) best = sum, chosen = &ways[i], reorder_seconds = reordering;
    }
    return best;
  }

  static Product bind(const Way& way, const memory& kept, bool is_gradient) {
    if (way.weights == kept.get_desc()) return {way.bind(kept), Op(), kept};
    const memory own = allocate(way.weights);
    return {way.bind(own), is_gradient ? reorder_op(own, kept) : reorder_op(kept, own), own};
  }

  static void run(const Product& product) {
    if (product.reorder) product.reorder.run();
    product.op.run();
  }

  Product products_[3];
};

}  // namespace peer
