#include "c_kernels.hpp"

#include <map>
#include <set>

namespace nnrun::exporters {

namespace {

// What a product's loops are filled in with.
struct Words {
  const char* number;  // of x
  const char* weight;
  const char* sum;     // the type that is summed in
  const char* step;    // one product
  const char* result;  // from the sum and b, the bias
  const char* parameter;
  const char* doc;
};

const Words& words_of(const std::string& arithmetic) {
  static const std::map<std::string, Words> words{
      {"f32", {"float", "float", "float", "sum += x[k] * w[k];", "sum + b", "", "sum of x * w, plus the bias"}},
      {"q16",
       {"int32_t", "int32_t", "int64_t", "sum += (int64_t)x[k] * w[k];", "(int32_t)(sum >> 16) + b", "",
        "floor(sum of x * w / 2^16), plus the bias: numbers with 16 fraction bits, sums in 64 bits"}},
      {"q16_low",
       {"int32_t", "int32_t", "int32_t", "sum += (x[k] * w[k]) >> 16;", "sum + b", "",
        "sum of floor(x * w / 2^16), plus the bias: each product fits into 32 bits, as was proved when the net was made"}},
      {"s32",
       {"int32_t", "int32_t", "int32_t", "sum += x[k] * w[k];", "(sum + b) >> shift", ", int shift",
        "floor((sum of x * w, plus the bias) / 2^shift)"}},
      {"s8",
       {"uint8_t", "int8_t", "int32_t", "sum += x[k] * w[k];", "sum + b", "", "sum of x * w, plus the bias: bytes times signed bytes"}}};
  return words.at(arithmetic);
}

std::string filled(std::string text, const Layer& layer, bool outside) {
  const Words& words = words_of(layer.arithmetic);
  const std::pair<std::string, std::string> holes[] = {
      {"@ARITHMETIC@", layer.arithmetic},
      {"@X@", words.number},
      {"@W@", words.weight},
      {"@Y@", layer.arithmetic == "f32" ? "float" : "int32_t"},
      {"@SUM@", words.sum},
      {"@STEP@", words.step},
      {"@RESULT@", words.result},
      {"@PARAMETER@", words.parameter},
      {"@DOC@", words.doc},
      {"@OUTSIDE@", outside ? "          else {\n            for (int k = 0; k < depth; ++k) sum += outside * w[k];\n          }\n" : ""},
      {"@OUTSIDE_PARAMETER@", outside ? ", int outside" : ""}};
  for (const auto& [hole, word] : holes) {
    for (std::size_t at = text.find(hole); at != std::string::npos; at = text.find(hole)) text.replace(at, hole.size(), word);
  }
  return text;
}

constexpr const char* dense = R"(
/* y[f] = @DOC@. x is (depth), weights (features, depth). */
static void dense_@ARITHMETIC@(const @X@ *x, const @W@ *w, const @Y@ *bias, @Y@ *y, int features, int depth@PARAMETER@) {
  for (int f = 0; f < features; ++f, w += depth) {
    const @Y@ b = bias[f];
    @SUM@ sum = 0;
    for (int k = 0; k < depth; ++k) @STEP@
    y[f] = @RESULT@;
  }
}
)";

constexpr const char* windows = R"(
/* Windows that slide over a picture (height, width, channels): window i of an axis covers the places i * stride - padding + t * dilation,
 * t from 0 to kernel - 1. */
struct windows {
  int input[2], output[2], kernel[2], stride[2], dilation[2], padding[2];
};

/* The place of the picture that step t of window i covers, or -1: outside. */
static int window_place(const struct windows *v, int axis, int i, int t) {
  const int place = i * v->stride[axis] - v->padding[axis] + t * v->dilation[axis];
  return place < v->input[axis] ? place : -1;
}
)";

constexpr const char* convolution = R"(
/* y[place][f] = @DOC@. Weights are (filters, kernel, kernel, channels / groups). */
static void conv2d_@ARITHMETIC@(const struct windows *v, const @X@ *picture, const @W@ *weights, const @Y@ *bias, @Y@ *y,
                       int channels, int filters, int groups@PARAMETER@@OUTSIDE_PARAMETER@) {
  const int depth = channels / groups;
  for (int row = 0; row < v->output[0]; ++row) {
    for (int column = 0; column < v->output[1]; ++column) {
      const @W@ *w = weights;
      for (int f = 0; f < filters; ++f) {
        const @Y@ b = bias[f];
        @SUM@ sum = 0;
        for (int t = 0; t < v->kernel[0] * v->kernel[1]; ++t, w += depth) {
          const int r = window_place(v, 0, row, t / v->kernel[1]), c = window_place(v, 1, column, t % v->kernel[1]);
          if (r >= 0 && c >= 0) {
            const @X@ *x = picture + (r * v->input[1] + c) * channels + f / (filters / groups) * depth;
            for (int k = 0; k < depth; ++k) @STEP@
          }
@OUTSIDE@        }
        *y++ = @RESULT@;
      }
    }
  }
}
)";

std::string maxpool(const std::string& type) {
  return "\n/* The largest of each window, channel by channel. */\n"
         "static void maxpool2d_" +
         type + "(const struct windows *v, const " + type + " *x, " + type +
         " *y, int channels) {\n"
         "  for (int row = 0; row < v->output[0]; ++row) {\n"
         "    for (int column = 0; column < v->output[1]; ++column) {\n"
         "      for (int channel = 0; channel < channels; ++channel) {\n"
         "        " +
         type +
         " largest = 0;\n"
         "        int some = 0;\n"
         "        for (int t = 0; t < v->kernel[0] * v->kernel[1]; ++t) {\n"
         "          const int r = window_place(v, 0, row, t / v->kernel[1]), c = window_place(v, 1, column, t % v->kernel[1]);\n"
         "          if (r < 0 || c < 0) continue;\n"
         "          const " +
         type +
         " number = x[(r * v->input[1] + c) * channels + channel];\n"
         "          if (!some || number > largest) largest = number;\n"
         "          some = 1;\n"
         "        }\n"
         "        *y++ = largest;\n"
         "      }\n"
         "    }\n"
         "  }\n"
         "}\n";
}

std::string relu(const std::string& type) {
  return "\n/* y = max(x, 0); y may be x. */\n"
         "static void relu_" +
         type + "(const " + type + " *x, " + type +
         " *y, int count) {\n"
         "  for (int i = 0; i < count; ++i) y[i] = x[i] > 0 ? x[i] : 0;\n"
         "}\n";
}

constexpr const char* widen = R"(
static void widen(const uint8_t *x, int32_t *y, int count, int32_t factor) {
  for (int i = 0; i < count; ++i) y[i] = x[i] * factor;
}
)";

// By halves: a shift of 64 bits by a variable number would be a call into the compiler's library on 32-bit machines.
constexpr const char* requantize = R"(
/* y = floor(x * multiplier / 2^shift), brought to 0..255. shift is in 0..62; there is one of each, or one a channel. */
static void requantize(const int32_t *x, const int32_t *multiplier, const int32_t *shift, uint8_t *y, int count, int channels) {
  int channel = 0;
  for (int i = 0; i < count; ++i) {
    const int64_t product = (int64_t)x[i] * multiplier[channel];
    const uint32_t high = (uint32_t)((uint64_t)product >> 32), low = (uint32_t)product;
    const int s = shift[channel];
    uint32_t number;
    if (product < 0) number = 0;
    else if (s >= 32) number = high >> (s - 32);
    else if (high >> s != 0) number = 255;
    else number = s == 0 ? low : high << (32 - s) | low >> s;
    y[i] = number > 255 ? 255 : (uint8_t)number;
    if (++channel == channels) channel = 0;
  }
}
)";

constexpr const char* affine = R"(
/* y = x * scale + offset, channel by channel; y may be x. */
static void affine(const float *x, const float *scale, const float *offset, float *y, int count, int channels) {
  for (int i = 0; i < count; ++i) y[i] = x[i] * scale[i % channels] + offset[i % channels];
}
)";

std::string largest(const std::string& type) {
  return "\n/* Where the largest number is; the first of equal ones. */\n"
         "static int largest(const " +
         type +
         " *x, int count) {\n"
         "  int best = 0;\n"
         "  for (int i = 1; i < count; ++i) {\n"
         "    if (x[i] > x[best]) best = i;\n"
         "  }\n"
         "  return best;\n"
         "}\n";
}

std::string text_of(const Layer& layer) {
  switch (layer.operation) {
    case Operation::product: return filled(layer.convolution ? convolution : dense, layer, layer.convolution && layer.arithmetic == "s8");
    case Operation::maxpool: return maxpool(c_type(layer.input.dtype));
    case Operation::relu: return relu(c_type(layer.input.dtype));
    case Operation::widen: return widen;
    case Operation::requantize: return requantize;
    case Operation::affine: return affine;
    case Operation::argmax: return "";
  }
  return "";
}

}  // namespace

std::string c_type(nnrun_dtype dtype) {
  switch (dtype) {
    case NNRUN_F32: return "float";
    case NNRUN_U8: return "uint8_t";
    case NNRUN_S8: return "int8_t";
    case NNRUN_S32: return "int32_t";
    case NNRUN_BF16: break;
  }
  throw Error("bf16 cannot be exported");
}

std::string c_function(const Layer& layer) {
  switch (layer.operation) {
    case Operation::product: return (layer.convolution ? "conv2d_" : "dense_") + layer.arithmetic;
    case Operation::maxpool: return "maxpool2d_" + c_type(layer.input.dtype);
    case Operation::relu: return "relu_" + c_type(layer.input.dtype);
    case Operation::widen: return "widen";
    case Operation::requantize: return "requantize";
    case Operation::affine: return "affine";
    case Operation::argmax: return "largest";
  }
  return "";
}

std::string c_kernels(const Net& net) {
  std::string text;
  std::set<std::string> there;
  for (const Layer& layer : net.layers) {
    if ((layer.convolution || layer.operation == Operation::maxpool) && there.insert("windows").second) text += windows;
    if (there.insert(c_function(layer)).second) text += text_of(layer);
  }
  return text + largest(net.integers ? "int32_t" : "float");
}

}  // namespace nnrun::exporters
