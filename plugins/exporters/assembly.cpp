#include "assembly.hpp"

#include "../common/text.hpp"
#include "kernel_sources.hpp"

#include <algorithm>
#include <cstring>
#include <regex>

namespace nnrun::exporters {

namespace {

std::string line(const std::string& instruction) { return "  " + instruction + "\n"; }

// Which of the kernels' files a layer needs, and which function it calls.
struct Needed {
  std::vector<std::string> files;
  std::string function;
};

Needed needed(const Layer& layer) {
  switch (layer.operation) {
    case Operation::product:
      if (layer.convolution) return {{"matmul_" + layer.arithmetic, "conv2d"}, "conv2d_" + layer.arithmetic};
      return {{"matmul_" + layer.arithmetic}, "matmul_" + layer.arithmetic};
    case Operation::maxpool: return {{"maxpool2d"}, layer.input.dtype == NNRUN_U8 ? "maxpool2d_u8" : "maxpool2d_s32"};
    case Operation::relu: return {{"elementwise"}, "relu_s32"};
    case Operation::widen: return {{"elementwise"}, "u8_to_s32"};
    case Operation::requantize: return {{"requantize"}, "requantize"};
    case Operation::argmax: return {{"elementwise"}, "argmax_s32"};
    case Operation::affine: break;
  }
  throw Error(layer.name + " is of floats, for which there is no RISC-V kernel: quantise the net first, eg: nnrun quantize MODEL int8");
}

// Venus computes no operands: (3 * 4), (1 << 2) and -16 * 4 become numbers.
std::string with_numbers(const std::string& text) {
  static const std::regex operation(R"(\(?(-?\d+) (\*|<<) (\d+)\)?)");
  std::string result;
  auto begin = text.cbegin();
  std::smatch match;
  while (std::regex_search(begin, text.cend(), match, operation)) {
    result.append(begin, match[0].first);
    const long left = std::stol(match[1]), right = std::stol(match[3]);
    std::string word = std::to_string(match[2] == "*" ? left * right : left << right);
    // One bracket alone belongs to something else.
    const std::string whole = match[0];
    if (whole.front() == '(' && whole.back() != ')') word = "(" + word;
    if (whole.front() != '(' && whole.back() == ')') word += ")";
    result += word;
    begin = match[0].second;
  }
  result.append(begin, text.cend());
  return result;
}

// A function and all until the next one that is not needed is left out: a file may hold more than a net wants.
std::string functions_of(const std::string& file, const std::vector<std::string>& wanted) {
  std::vector<std::string> blocks;  // each from the comments before a .globl to those before the next
  std::string current;
  std::vector<std::string> names;
  std::string comments;
  std::string name;
  std::string text = file;
  std::string result;
  std::size_t at = 0;
  const auto finish = [&] {
    if (name.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end()) result += current;
    current.clear();
  };
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string row = text.substr(at, end - at);
    at = end + 1;
    const std::size_t first = row.find_first_not_of(' ');
    if (first == std::string::npos) continue;
    if (row.compare(first, 7, ".globl ") == 0) {
      finish();
      name = row.substr(first + 7);
      while (!name.empty() && name.back() == ' ') name.pop_back();
      current = comments + row + "\n";
      comments.clear();
    } else if (row.compare(0, 2, "##") == 0) {
      comments += row + "\n";
    } else {
      current += comments + row + "\n";
      comments.clear();
    }
  }
  finish();
  return result + comments;
}

class Writer {
 public:
  Writer(const Net& net, const std::string& name, Dialect dialect) : net_(net), name_(name), dialect_(dialect) {}

  std::string text() {
    std::string result = "## A neural network for RV32IM, written by nnrun.\n##\n## int " + name_ + "_run(const " +
                         (net_.input == NNRUN_U8 ? "uint8_t" : "int32_t") +
                         " *input, int32_t *output): runs it on one sample, and returns in a0 where\n"
                         "## the largest output is, the first of equal ones. Input: " +
                         std::to_string(net_.inputs) + " numbers, " + to_string(net_.input_shape) +
                         ", output: " + std::to_string(net_.outputs) +
                         ".\n## By the C calling convention (ilp32); memory is static: one call at a time.\n\n";
    result += run();
    result += kernels();
    result += data();
    return result;
  }

 private:
  void address(std::string& code, const char* reg, const Place& place) const {
    switch (place.where) {
      case Place::Where::input: code += line(std::string("mv ") + reg + ", s0"); return;
      case Place::Where::output: code += line(std::string("mv ") + reg + ", s1"); return;
      case Place::Where::arena: break;
    }
    code += line(std::string("la ") + reg + ", " + name_ + "_arena");
    if (place.offset != 0) {
      code += line("li t0, " + std::to_string(place.offset));
      code += line(std::string("add ") + reg + ", " + reg + ", t0");
    }
  }
  std::string label(const char* what, const Layer& layer) const { return name_ + "_" + what + "_" + std::to_string(layer.number); }

  // The structure that conv2d and maxpool2d take: what is known now lies in memory; addresses are filled in by the program.
  void windows(std::string& code, const Layer& layer) const {
    code += line("la s2, " + label("fields", layer));
    const auto put = [&](int field, const char* reg) { code += line(format("sw %s, %d(s2)", reg, 4 * field)); };
    address(code, "a0", layer.input);
    put(18, "a0");
    address(code, "a0", layer.output);
    put(21, "a0");
    if (layer.convolution) {
      code += line("la a0, " + label("weights", layer));
      put(19, "a0");
      code += line("la a0, " + label("bias", layer));
      put(20, "a0");
      code += line("la a0, " + name_ + "_patch");
      put(22, "a0");
    }
    code += line("mv a0, s2");
  }

  void operands(std::string& code, const Layer& layer) const {
    const auto number = [&](const char* reg, std::int64_t value) { code += line(std::string("li ") + reg + ", " + std::to_string(value)); };
    if (layer.operation == Operation::maxpool || layer.convolution) return windows(code, layer);
    address(code, "a0", layer.input);
    switch (layer.operation) {
      case Operation::product:
        code += line("la a1, " + label("weights", layer));
        code += line("la a2, " + label("bias", layer));
        address(code, "a3", layer.output);
        number("a4", 1);
        number("a5", layer.depth);
        number("a6", layer.features);
        number("a7", layer.shift);
        return;
      case Operation::requantize:
        code += line("la a1, " + label("multipliers", layer));
        code += line("la a2, " + label("shifts", layer));
        address(code, "a3", layer.output);
        number("a4", layer.input.count / layer.channels);
        number("a5", layer.channels);
        number("a6", layer.multipliers.size() == 1 ? 0 : 1);
        return;
      case Operation::argmax:
        address(code, "a1", layer.output);
        number("a2", 1);
        number("a3", layer.channels);
        return;
      default:
        address(code, "a1", layer.output);
        number("a2", layer.input.count);
        if (layer.operation == Operation::widen) number("a3", layer.factor);
    }
  }

  std::string run() const {
    std::string code = line(".text") + line(".globl " + name_ + "_run");
    if (dialect_ == Dialect::gnu) code += line(".type " + name_ + "_run, @function");
    code += name_ + "_run:\n";
    for (const char* instruction :
         {"addi sp, sp, -32", "sw ra, 28(sp)", "sw s0, 24(sp)", "sw s1, 20(sp)", "sw s2, 16(sp)", "mv s0, a0", "mv s1, a1"}) {
      code += line(instruction);
    }
    for (const Layer& layer : net_.layers) {
      code += "  ## " + layer.name + "\n";
      operands(code, layer);
      code += line("jal ra, " + needed(layer).function);
    }
    code += "  ## the largest output\n";
    code += line("mv a0, s1") + line("addi a1, sp, 12") + line("li a2, 1") + line("li a3, " + std::to_string(net_.outputs)) +
            line("jal ra, argmax_s32");
    for (const char* instruction :
         {"lw a0, 12(sp)", "lw ra, 28(sp)", "lw s0, 24(sp)", "lw s1, 20(sp)", "lw s2, 16(sp)", "addi sp, sp, 32", "ret"}) {
      code += line(instruction);
    }
    if (dialect_ == Dialect::gnu) code += line(".size " + name_ + "_run, .-" + name_ + "_run");
    return code + "\n";
  }

  std::string kernels() const {
    std::vector<std::string> files{"elementwise"}, functions{"argmax_s32"};
    const auto add = [](std::vector<std::string>& list, const std::string& word) {
      if (std::find(list.begin(), list.end(), word) == list.end()) list.push_back(word);
    };
    for (const Layer& layer : net_.layers) {
      const Needed need = needed(layer);
      for (const std::string& file : need.files) {
        add(files, file);
        if (file.starts_with("matmul")) add(functions, file);
      }
      add(functions, need.function);
    }
    std::string text;
    for (const std::string& file : files) {
      const KernelSource& source = kernel_source(file);
      text += functions_of(dialect_ == Dialect::venus ? with_numbers(source.venus) : source.gnu, functions) + "\n";
    }
    return text;
  }

  std::string data() const {
    std::string text = line(constant_section(dialect_));
    const auto constants = [&]<class T>(const char* what, const Layer& layer, const std::vector<T>& numbers) {
      if (!numbers.empty()) words(text, label(what, layer), numbers.data(), numbers.size() * sizeof(T));
    };
    std::int64_t patch = 0;
    for (const Layer& layer : net_.layers) {
      constants("weights", layer, layer.weights_s8);
      constants("weights", layer, layer.weights_s32);
      constants("bias", layer, layer.bias_s32);
      constants("multipliers", layer, layer.multipliers);
      constants("shifts", layer, layer.shifts);
      if (layer.convolution) patch = std::max(patch, layer.depth * bytes_of(layer.input.dtype));
    }
    // Written by the program.
    text += line(".data");
    for (const Layer& layer : net_.layers) {
      if (!layer.convolution && layer.operation != Operation::maxpool) continue;
      const nnrun_windows& w = layer.windows;
      std::vector<std::int32_t> fields;
      for (const std::int64_t field : {std::int64_t{1}, w.input[0], w.input[1], w.output[0], w.output[1], w.kernel[0], w.kernel[1],
                                       w.stride[0], w.stride[1], w.dilation[0], w.dilation[1], w.padding[0], w.padding[1], layer.channels,
                                       layer.features, layer.groups, layer.outside, layer.shift}) {
        fields.push_back(static_cast<std::int32_t>(field));
      }
      fields.resize(23);
      words(text, label("fields", layer), fields.data(), fields.size() * 4);
    }
    text += line(variable_section(dialect_));
    reserve(text, name_ + "_arena", net_.arena_bytes);
    reserve(text, name_ + "_patch", (patch + 3) / 4 * 4);
    return text;
  }

  void reserve(std::string& text, const std::string& label, std::int64_t bytes) const {
    if (bytes == 0) return;
    if (dialect_ == Dialect::gnu) {
      text += line(".balign 4") + label + ":\n" + line(".zero " + std::to_string(bytes));
      return;
    }
    const std::vector<std::int32_t> zeros(static_cast<std::size_t>(bytes / 4));
    words(text, label, zeros.data(), zeros.size() * 4);
  }

  const Net& net_;
  const std::string& name_;
  const Dialect dialect_;
};

}  // namespace

const char* constant_section(Dialect dialect) { return dialect == Dialect::venus ? ".data" : ".section .rodata"; }
const char* variable_section(Dialect dialect) { return dialect == Dialect::venus ? ".data" : ".bss"; }

// Bytes lie four in a word, the first one lowest, as the machine reads them; sections begin at a multiple of 4 and hold nothing but words.
void words(std::string& text, const std::string& label, const void* data, std::size_t bytes) {
  text += label + ":\n";
  for (std::size_t i = 0; i < bytes; i += 4) {
    std::int32_t word = 0;
    std::memcpy(&word, static_cast<const char*>(data) + i, std::min<std::size_t>(4, bytes - i));
    text += "  .word " + std::to_string(word) + "\n";
  }
}

std::string assembly_of(const Net& net, const std::string& name, Dialect dialect) {
  if (!net.integers) throw Error("RISC-V kernels are of integers, this net is of floats: quantise it first, eg: nnrun quantize MODEL int8");
  return Writer(net, name, dialect).text();
}

std::string golden_assembly(const Net& net, const std::string& name, Dialect dialect) {
  std::string text = line(constant_section(dialect));
  // Each input begins at a word.
  const std::size_t row = static_cast<std::size_t>(net.inputs * bytes_of(net.input)), aligned = (row + 3) / 4 * 4;
  std::vector<char> inputs(static_cast<std::size_t>(net.golden) * aligned);
  for (std::size_t i = 0; i < static_cast<std::size_t>(net.golden); ++i) {
    std::memcpy(inputs.data() + i * aligned, static_cast<const char*>(net.golden_inputs.data) + i * row, row);
  }
  words(text, name + "_golden_inputs", inputs.data(), inputs.size());
  words(text, name + "_golden_outputs", net.golden_outputs.data, static_cast<std::size_t>(net.golden * net.outputs * 4));
  return text;
}

}  // namespace nnrun::exporters
