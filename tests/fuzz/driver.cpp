// For compilers without libFuzzer: mutates the seeds in a fixed, repeatable way.
//
//     fuzz_config_driver RUNS FILE_OR_FOLDER...
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;
using Bytes = std::string;

void read_file(const fs::path& path, std::vector<Bytes>& seeds) {
  std::ifstream stream(path, std::ios::binary);
  seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
}

std::vector<Bytes> read_seeds(int count, char** paths) {
  std::vector<Bytes> seeds;
  for (int i = 0; i < count; ++i) {
    if (!fs::is_directory(paths[i])) {
      read_file(paths[i], seeds);
      continue;
    }
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(paths[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());  // the order of a folder is not repeatable
    for (const fs::path& file : files) read_file(file, seeds);
  }
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Bytes>& seeds) : seeds_(seeds) {}

  Bytes next() {
    Bytes bytes = seeds_[below(seeds_.size())];
    for (std::size_t left = 1 + below(4); left > 0; --left) mutate(bytes);
    if (bytes.size() > 8192) bytes.resize(8192);
    return bytes;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit); }

  Bytes piece(const Bytes& from) {
    const std::size_t begin = below(from.size());
    return from.substr(begin, 1 + below(40));
  }

  void mutate(Bytes& bytes) {
    static const std::vector<Bytes> words = {"{",
                                             "}",
                                             "[",
                                             "]",
                                             ": ",
                                             "- ",
                                             "\n",
                                             "\n  ",
                                             "\"",
                                             "'",
                                             "&a ",
                                             "*a",
                                             "!t ",
                                             "|",
                                             ">",
                                             "~",
                                             "---\n",
                                             "...",
                                             "<<: ",
                                             "\t",
                                             "#",
                                             "%",
                                             "0x1",
                                             "1e999",
                                             ".nan",
                                             "-1",
                                             "9223372036854775808",
                                             "name: ",
                                             "model.layers[0]",
                                             "#=",
                                             "=",
                                             "?",
                                             ","};
    const std::size_t at = below(bytes.size() + 1);
    switch (below(6)) {
      case 0: bytes.insert(at, words[below(words.size())]); break;
      case 1: bytes.erase(at, 1 + below(20)); break;
      case 2: bytes.insert(at, piece(seeds_[below(seeds_.size())])); break;
      case 3: bytes.insert(at, piece(bytes)); break;
      case 4: {
        const std::size_t line = bytes.rfind('\n', at);  // a line again
        const std::size_t begin = line == Bytes::npos ? 0 : line;
        bytes.insert(begin, bytes.substr(begin, bytes.find('\n', begin + 1) - begin));
        break;
      }
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(below(256));
    }
  }

  const std::vector<Bytes>& seeds_;
  std::mt19937_64 random_{42};
};

}  // namespace

int main(int argc, char** argv) {
  const long runs = argc > 2 ? std::strtol(argv[1], nullptr, 10) : 0;
  std::vector<Bytes> seeds = argc > 2 ? read_seeds(argc - 2, argv + 2) : std::vector<Bytes>();
  if (runs <= 0 || seeds.empty()) {
    std::fprintf(stderr, "usage: %s RUNS FILE_OR_FOLDER...\n", argv[0]);
    return 2;
  }
  const auto run = [](const Bytes& bytes) { LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()); };
  for (const Bytes& seed : seeds) run(seed);
  Mutator mutator(seeds);
  for (long i = 0; i < runs; ++i) run(mutator.next());
  std::printf("%ld inputs from %zu seeds: no fault\n", runs, seeds.size());
  return 0;
}
