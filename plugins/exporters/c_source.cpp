#include "c_source.hpp"

#include "../common/text.hpp"
#include "c_kernels.hpp"

#include <cmath>

namespace nnrun::exporters {

namespace {

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string literal(float x) {
  std::string text = format("%.9g", static_cast<double>(x));
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}
std::string literal(std::int32_t x) { return x == INT32_MIN ? "(-2147483647 - 1)" : std::to_string(x); }
std::string literal(std::int8_t x) { return std::to_string(int{x}); }
std::string literal(std::uint8_t x) { return std::to_string(int{x}); }

template <class T>
std::string list(std::span<const T> numbers, const char* indent) {
  std::string text = indent;
  std::size_t width = text.size();
  for (const T x : numbers) {
    const std::string word = literal(x) + ",";
    if (width + word.size() > 118) {
      text += "\n";
      text += indent;
      width = std::char_traits<char>::length(indent);
    }
    text += word;
    width += word.size();
  }
  return text;
}

template <class T>
void array(std::string& text, const char* type, const std::string& name, std::size_t number, const std::vector<T>& numbers) {
  if (numbers.empty()) return;
  text += std::string("static const ") + type + " " + name + "_" + std::to_string(number) + "[" + std::to_string(numbers.size()) +
          "] = {\n" + list<T>(numbers, "  ") + "\n};\n";
}

std::string pair(const std::int64_t (&numbers)[2]) { return "{" + std::to_string(numbers[0]) + ", " + std::to_string(numbers[1]) + "}"; }

std::string constants(const Layer& layer) {
  std::string text = "\n/* " + layer.name + " */\n";
  array(text, "float", "weights", layer.number, layer.weights_f32);
  array(text, "int32_t", "weights", layer.number, layer.weights_s32);
  array(text, "int8_t", "weights", layer.number, layer.weights_s8);
  array(text, "float", "bias", layer.number, layer.bias_f32);
  array(text, "int32_t", "bias", layer.number, layer.bias_s32);
  array(text, "int32_t", "multipliers", layer.number, layer.multipliers);
  array(text, "int32_t", "shifts", layer.number, layer.shifts);
  array(text, "float", "scale", layer.number, layer.scale);
  array(text, "float", "offset", layer.number, layer.offset);
  if (layer.convolution || layer.operation == Operation::maxpool) {
    const nnrun_windows& w = layer.windows;
    text += "static const struct windows windows_" + std::to_string(layer.number) + " = {" + pair(w.input) + ", " + pair(w.output) + ", " +
            pair(w.kernel) + ", " + pair(w.stride) + ", " + pair(w.dilation) + ", " + pair(w.padding) + "};\n";
  }
  return text.find('=') == std::string::npos ? "" : text;
}

std::string pointer(const Place& place, const Net& net, bool constant) {
  switch (place.where) {
    case Place::Where::input: return "input";
    case Place::Where::output: return "output";
    case Place::Where::arena: break;
  }
  const std::string at = "arena" + (place.offset == 0 ? "" : " + " + std::to_string(place.offset / 4));
  if (!net.integers || place.dtype == NNRUN_S32) return at;
  return std::string("(") + (constant ? "const " : "") + c_type(place.dtype) + " *)(" + at + ")";
}

std::string call(const Layer& layer, const Net& net) {
  const std::string n = std::to_string(layer.number), x = pointer(layer.input, net, true), y = pointer(layer.output, net, false);
  const std::string weights = "weights_" + n + ", bias_" + n, count = std::to_string(layer.input.count),
                    channels = std::to_string(layer.channels);
  const std::string shift = layer.arithmetic == "s32" ? ", " + std::to_string(layer.shift) : "";
  std::string arguments;
  switch (layer.operation) {
    case Operation::product:
      if (layer.convolution) {
        arguments = "&windows_" + n + ", " + x + ", " + weights + ", " + y + ", " + channels + ", " + std::to_string(layer.features) +
                    ", " + std::to_string(layer.groups) + shift + (layer.arithmetic == "s8" ? ", " + std::to_string(layer.outside) : "");
      } else {
        arguments = x + ", " + weights + ", " + y + ", " + std::to_string(layer.features) + ", " + std::to_string(layer.depth) + shift;
      }
      break;
    case Operation::maxpool: arguments = "&windows_" + n + ", " + x + ", " + y + ", " + channels; break;
    case Operation::relu: arguments = x + ", " + y + ", " + count; break;
    case Operation::widen: arguments = x + ", " + y + ", " + count + ", " + std::to_string(layer.factor); break;
    case Operation::requantize:
      arguments = x + ", multipliers_" + n + ", shifts_" + n + ", " + y + ", " + count + ", " + std::to_string(layer.multipliers.size());
      break;
    case Operation::affine: arguments = x + ", scale_" + n + ", offset_" + n + ", " + y + ", " + count + ", " + channels; break;
    case Operation::argmax: return "  *" + y + " = largest(" + x + ", " + channels + ");  /* " + layer.name + " */\n";
  }
  return "  " + c_function(layer) + "(" + arguments + ");  /* " + layer.name + " */\n";
}

std::string shape_text(const Net& net) { return to_string(net.input_shape); }

std::string input_doc(const Net& net) {
  if (!net.integers) return "the same floats as the net was trained with (behind the data's transforms)";
  return format("floor(x * %.9g + %.9g), brought to %.0f..%.0f, of the floats x that the net was trained with", net.input_scale,
                net.input_offset, net.input_minimum, net.input_maximum);
}

std::string header(const Net& net, const std::string& name) {
  const std::string big = upper(name);
  return "/* A neural network, written by nnrun. */\n#ifndef " + big + "_H\n#define " + big +
         "_H\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n" + "#define " + big + "_INPUTS " +
         std::to_string(net.inputs) + "   /* " + shape_text(net) + ", the last dimension together */\n" + "#define " + big + "_OUTPUTS " +
         std::to_string(net.outputs) + "\n" +
         (net.integers ? "/* output * this is what the net in floats gives, but for the rounding of its integers. */\n#define " + big +
                             "_OUTPUT_SCALE " + format("%.9g", net.output_scale) + "\n"
                       : "") +
         "\n/* Runs the net on one sample, and returns where the largest output is, the first of equal ones.\n * Input: " + input_doc(net) +
         ".\n * Its memory is static, so that one call must end before the next begins. */\n" + "int " + name + "_run(const " +
         c_type(net.input) + " *input, " + (net.integers ? "int32_t" : "float") + " *output);\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

std::string source(const Net& net, const std::string& name) {
  const std::string number = net.integers ? "int32_t" : "float";
  std::string text = "/* A neural network, written by nnrun. C99; needs no library and no heap. */\n#include \"" + name + ".h\"\n";
  text += "\n/* Sizes and sums are counted in int. */\ntypedef char int_has_32_bits[sizeof(int) >= 4 ? 1 : -1];\n";
  if (net.integers) {
    text += "/* Rounding is floor: >> has to keep the sign. */\ntypedef char shifts_keep_the_sign[(-1 >> 1) == -1 ? 1 : -1];\n";
  }
  text += c_kernels(net);
  for (const Layer& layer : net.layers) text += constants(layer);
  if (net.arena_bytes > 0) {
    text += "\n/* What layers hand on to each other: " + std::to_string(net.arena_bytes) + " bytes. */\nstatic " + number + " arena[" +
            std::to_string(net.arena_bytes / 4) + "];\n";
  }
  text += "\nint " + name + "_run(const " + c_type(net.input) + " *input, " + number + " *output) {\n";
  for (const Layer& layer : net.layers) text += call(layer, net);
  return text + "  return largest(output, " + std::to_string(net.outputs) + ");\n}\n";
}

template <class T>
void golden_array(std::string& text, const std::string& name, std::int64_t rows, std::int64_t columns, const T* numbers,
                  const std::string& type) {
  text += "\nstatic const " + type + " " + name + "[" + std::to_string(rows) + "][" + std::to_string(columns) + "] = {\n";
  for (std::int64_t i = 0; i < rows; ++i) {
    text += "  {\n" + list<T>(std::span(numbers + i * columns, static_cast<std::size_t>(columns)), "    ") + "\n  },\n";
  }
  text += "};\n";
}

std::string golden(const Net& net, const std::string& name) {
  std::string text = "/* Inputs with the outputs that nnrun computes for them. */\n#include \"" + name + ".h\"\n\n#define " + upper(name) +
                     "_GOLDEN " + std::to_string(net.golden) + "\n";
  if (net.input == NNRUN_U8)
    golden_array(text, name + "_golden_inputs", net.golden, net.inputs, static_cast<const std::uint8_t*>(net.golden_inputs.data),
                 "uint8_t");
  if (net.input == NNRUN_S32)
    golden_array(text, name + "_golden_inputs", net.golden, net.inputs, static_cast<const std::int32_t*>(net.golden_inputs.data),
                 "int32_t");
  if (net.input == NNRUN_F32)
    golden_array(text, name + "_golden_inputs", net.golden, net.inputs, static_cast<const float*>(net.golden_inputs.data), "float");
  if (net.integers) {
    golden_array(text, name + "_golden_outputs", net.golden, net.outputs, static_cast<const std::int32_t*>(net.golden_outputs.data),
                 "int32_t");
  } else {
    golden_array(text, name + "_golden_outputs", net.golden, net.outputs, static_cast<const float*>(net.golden_outputs.data), "float");
  }
  return text;
}

std::string self_test(const Net& net, const std::string& name) {
  const std::string big = upper(name), number = net.integers ? "int32_t" : "float";
  // Sums of floats depend on their order: a part of the largest output's size.
  const std::string same =
      net.integers ? "output[i] == golden[i]" : "output[i] - golden[i] <= tolerance && golden[i] - output[i] <= tolerance";
  return "/* Runs the golden vectors: cc -std=c99 -O2 " + name + ".c " + name + "_self_test.c && ./a.out */\n#include \"" + name +
         "_golden.h\"\n\n#include <stdio.h>\n\nint main(void) {\n  int good = 0;\n  for (int g = 0; g < " + big + "_GOLDEN; ++g) {\n    " +
         number + " output[" + big + "_OUTPUTS];\n    const " + number + " *golden = " + name +
         "_golden_outputs[g];\n    int same = 1;\n    " + name + "_run(" + name + "_golden_inputs[g], output);\n" +
         (net.integers ? ""
                       : "    float largest = 1;\n    for (int i = 0; i < " + big +
                             "_OUTPUTS; ++i) {\n      const float size = golden[i] < 0 ? -golden[i] : golden[i];\n      if (size > "
                             "largest) largest = size;\n    }\n"
                             "    const float tolerance = 1e-4f * largest;\n") +
         "    for (int i = 0; i < " + big + "_OUTPUTS; ++i) same = same && " + same +
         ";\n    good += same;\n  }\n  printf(\"%d of %d golden vectors\\n\", good, " + big + "_GOLDEN);\n  return good == " + big +
         "_GOLDEN ? 0 : 1;\n}\n";
}

}  // namespace

CSource c_source(const Net& net, const std::string& name) {
  return {header(net, name), source(net, name), golden(net, name), self_test(net, name)};
}

}  // namespace nnrun::exporters
