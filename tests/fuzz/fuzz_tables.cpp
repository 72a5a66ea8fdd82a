// Any bytes may be a table or an array: each is read or refused with an Error, and nothing else happens.
//
//     fuzz_tables RUNS [SEED]
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>

#include "../../plugins/datasets/csv.hpp"
#include "../../plugins/datasets/npy.hpp"

namespace {

using Bytes = std::string;

Bytes npy(const Bytes& type, const Bytes& shape, std::size_t data_bytes) {
  Bytes header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  Bytes file("\x93NUMPY\x01\0", 8);
  file += static_cast<char>(header.size());
  file += '\0';
  return file + header + Bytes(data_bytes, '\1');
}

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit); }

  Bytes mutate(Bytes bytes) {
    static const Bytes pieces[] = {",",          ";",  "\"", "\"\"",  "\n",    "\r\n",         "1e999",   "-",   "+",   "nan",
                                   "0x1",        "'",  "(",  ")",     ",)",    "True",         "<f8",     "|u1", ">i4", "99999999999",
                                   "4294967296", "-1", "0",  "descr", "shape", Bytes(1, '\0'), "\xff\xff"};
    for (std::size_t left = 1 + below(5); left > 0 && !bytes.empty(); --left) {
      const std::size_t at = below(bytes.size());
      switch (below(6)) {
        case 0: bytes[at] = static_cast<char>(below(256)); break;
        case 1: bytes.erase(at, 1 + below(12)); break;
        case 2: bytes.insert(at, pieces[below(std::size(pieces))]); break;
        case 3: bytes.resize(at); break;
        case 4: bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(40))); break;
        default: {
          const Bytes& piece = pieces[below(std::size(pieces))];
          bytes.replace(at, piece.size(), piece);
        }
      }
    }
    return bytes;
  }

 private:
  std::mt19937_64 random_;
};

class MemoryFile {
 public:
  explicit MemoryFile(const Bytes& bytes) : file_(memfd_create("table", 0)) {
    if (file_ < 0 || write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  }
  ~MemoryFile() { close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

// A label of every sample must be written where it belongs, and no more.
template <class Split>
void read_samples(const Split& split, const nnrun_dataset_info& info) {
  nnrun_tensor sample = info.sample;
  std::vector<float> row(static_cast<std::size_t>(nnrun::Tensor(sample).count()));
  std::vector<float> label(static_cast<std::size_t>(info.classes > 0 ? 1 : info.targets));
  sample.data = row.data();
  for (std::int64_t i = 0; i < info.count; ++i) split.read(i, nnrun::Tensor(sample), label.data());
}

bool read_table(const Bytes& bytes, const char* label, bool classes) {
  const MemoryFile file(bytes);
  const nnrun_host none{};
  try {
    nnrun::datasets::Csv csv;
    csv.label = label;
    csv.task = classes ? "classification" : "regression";
    csv.create(nnrun::Host(&none));
    nnrun_dataset_info info{};
    const auto split = csv.open(nnrun::Host(&none), file.path(), NNRUN_SPLIT_TRAIN, 0, info);
    if (info.count > 0) read_samples(*split, info);
    std::vector<float> row(2);
    csv.read_file(file.path(), 1, nnrun::Tensor(nnrun::make_tensor(NNRUN_F32, nnrun::Shape{2}, row.data())));
  } catch (const nnrun::Error&) {
    return false;
  }
  return true;
}

bool read_arrays(const Bytes& features, const Bytes& labels) {
  const MemoryFile first(features), second(labels);
  try {
    const nnrun::datasets::NpyFile x = nnrun::datasets::read_npy(first.path()), y = nnrun::datasets::read_npy(second.path());
    if (x.count() != y.count()) return false;
    const nnrun::datasets::Npy::Split split(x, y);
    nnrun_dataset_info info{};
    split.describe(x, info);
    read_samples(split, info);
  } catch (const nnrun::Error&) {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const long runs = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (runs <= 0) {
    std::fprintf(stderr, "usage: %s RUNS [SEED]\n", argv[0]);
    return 2;
  }
  const Bytes classes = "length,width,kind\n1,2,\"a, b\"\n3.5,-4e2,c\n 5,6,c\n", numbers = "a,b,kind\r\n1,2,3\r\n4,5,6\r\n0,0,7\r\n";
  const Bytes features[] = {npy("|u1", "(3, 2, 2)", 12), npy("<f4", "(3, 4)", 48), npy("<f8", "(3,)", 24)};
  const Bytes labels[] = {npy("<i8", "(3,)", 24), npy("<f4", "(3, 2)", 24)};
  if (!read_table(classes, "kind", true) || !read_table(numbers, "kind", false))
    return std::fprintf(stderr, "a whole table was refused\n"), 1;
  Mutator mutator(argc > 2 ? static_cast<unsigned>(std::strtol(argv[2], nullptr, 10)) : 42);
  long tables = 0, arrays = 0;
  for (long i = 0; i < runs; ++i) {
    const bool with_classes = i % 2 == 0;
    tables += read_table(mutator.mutate(with_classes ? classes : numbers), "kind", with_classes) ? 1 : 0;
    const Bytes &x = features[mutator.below(3)], &y = labels[mutator.below(2)];
    arrays += (i % 2 == 0 ? read_arrays(mutator.mutate(x), y) : read_arrays(x, mutator.mutate(y))) ? 1 : 0;
  }
  std::printf("%ld tables mutated, %ld still read; %ld arrays mutated, %ld still read\n", runs, tables, runs, arrays);
  return 0;
}
