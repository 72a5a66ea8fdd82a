// Samples and filters as PNG data URIs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nnrun::observers {

using Dims = std::vector<std::int64_t>;

// Of a sample (H, W), (H, W, 1) or (H, W, 3), row-major; "" for other shapes. Bytes as they are, others from their least to their
// greatest number.
std::string sample_picture(std::span<const double> sample, const Dims& shape, bool bytes);

// The first layer's weights: filters (F, K, K, C), or dense ones (inputs, units) where the inputs are a picture of `input_shape`. One
// channel: blue below 0, white, red above; three: a picture in colour. At most `most`; empty where they are no pictures.
std::vector<std::string> filter_pictures(std::span<const double> weights, const Dims& shape, const Dims& input_shape, std::size_t most);

}  // namespace nnrun::observers
