#include "base/cpu.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace nnrun::core {

namespace {

std::vector<std::string> detect() {
  std::vector<std::string> found;
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init();
  // The builtin's argument must be a literal. It looks at cpuid and, for the wide registers, at xgetbv.
#define NNRUN_FEATURE(name, builtin) \
  if (__builtin_cpu_supports(builtin)) found.emplace_back(name)
  NNRUN_FEATURE("sse2", "sse2");
  NNRUN_FEATURE("sse3", "sse3");
  NNRUN_FEATURE("ssse3", "ssse3");
  NNRUN_FEATURE("sse4_1", "sse4.1");
  NNRUN_FEATURE("sse4_2", "sse4.2");
  NNRUN_FEATURE("popcnt", "popcnt");
  NNRUN_FEATURE("avx", "avx");
  NNRUN_FEATURE("avx2", "avx2");
  NNRUN_FEATURE("bmi1", "bmi");
  NNRUN_FEATURE("bmi2", "bmi2");
  NNRUN_FEATURE("fma", "fma");
  NNRUN_FEATURE("avx512f", "avx512f");
  NNRUN_FEATURE("avx512vl", "avx512vl");
  NNRUN_FEATURE("avx512bw", "avx512bw");
  NNRUN_FEATURE("avx512dq", "avx512dq");
  NNRUN_FEATURE("avx512cd", "avx512cd");
  NNRUN_FEATURE("avx512vbmi", "avx512vbmi");
  NNRUN_FEATURE("avx512_vbmi2", "avx512vbmi2");
  NNRUN_FEATURE("avx512_vnni", "avx512vnni");
  NNRUN_FEATURE("avx512_bf16", "avx512bf16");
#undef NNRUN_FEATURE
#endif
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

const std::vector<std::string>& cpu_features() {
  static const std::vector<std::string> features = detect();
  return features;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string name = "unknown CPU", family = "?", model = "?";
  for (std::string line; std::getline(info, line) && !line.empty();) {  // the first CPU's lines
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1), value = line.substr(colon + 2);
    if (key == "model name") name = value;
    if (key == "cpu family") family = value;
    if (key == "model") model = value;
  }
  return name + " (" + family + "/" + model + ")";
}

std::vector<std::string> missing_cpu_features(std::string_view required) {
  std::vector<std::string> missing;
  std::istringstream words{std::string(required)};
  for (std::string word; words >> word;) {
    if (!std::binary_search(cpu_features().begin(), cpu_features().end(), word)) missing.push_back(word);
  }
  return missing;
}

}  // namespace nnrun::core
