#include "harness.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <sstream>
#include <thread>

#include "preserving.hpp"

namespace {

size_t round_up(size_t x, size_t step) { return (x + step - 1) / step * step; }

double bound_of(const std::string& name) {
#define BOUND(row, bound, doc) \
  if (name == #row) return bound;
  NNRUN_KERNEL_ROWS(BOUND)
  NNRUN_FIXED_KERNEL_ROWS(BOUND)
#undef BOUND
  return 0;
}

std::string signature_of(const std::string& name) { return "nnrun_" + name; }

std::set<std::string> cpu_features() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("flags", 0) != 0) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

Library open_library(const std::string& name) {
  Library library;
  library.name = name;
  const std::string path = std::string(NNRUN_PLUGIN_DIR) + "/libnnrun_kernels_" + name + ".so";
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  INFO(path);
  if (!handle) FAIL(dlerror());
  library.plugin = static_cast<const nnrun_plugin*>(dlsym(handle, NNRUN_PLUGIN_SYMBOL));
  REQUIRE(library.plugin);
  const std::set<std::string> features = cpu_features();
  std::istringstream words(library.plugin->cpu_features_required);
  for (std::string word; words >> word;) {
    if (!features.count(word)) library.missing += (library.missing.empty() ? "" : " ") + word;
  }
  if (name.rfind("rvv", 0) == 0 && std::system("qemu-riscv64 --version > /dev/null 2>&1") != 0) library.missing = "qemu-riscv64";
  library.table = static_cast<const nnrun_kernels_vtable*>(library.plugin->components[0]->vtable);
  return library;
}

std::set<std::string>& row_tests() {
  static std::set<std::string> names;
  return names;
}

enum class Order {
  in_order,
  reversed,
  shuffled,
  threads
};
constexpr const char* order_names[] = {"in order", "reversed", "shuffled", "on threads"};

// On a thread of its own no assertion may fail: what a kernel says goes to *failure, the last one that does.
void run_range(const nnrun_kernel& kernel, const void* arguments, void* workspace, uint32_t phase, int64_t range, std::string* failure) {
  static std::mutex mutex;
  if (kernel.run_or_fail == nullptr) {
    const std::string spoiled = run_preserving(kernel.run, arguments, workspace, phase, range);
    if (spoiled.empty()) return;
    const std::lock_guard lock(mutex);
    *failure = "does not keep " + spoiled;
    return;
  }
  nnrun_error error = {};
  if (kernel.run_or_fail(arguments, workspace, phase, range, &error) == 0) return;
  const std::lock_guard lock(mutex);
  *failure = std::string(error.message);
}

void run_phase(const nnrun_kernel& kernel, const void* arguments, void* workspace, uint32_t phase, int64_t ranges, Order order,
               std::string* failure) {
  if (order == Order::threads) {
    std::atomic<int64_t> next = 0;
    const auto body = [&] {
      for (int64_t range; (range = next++) < ranges;) run_range(kernel, arguments, workspace, phase, range, failure);
    };
    std::thread second(body), third(body);
    body();
    second.join();
    third.join();
    return;
  }
  std::vector<int64_t> sequence(static_cast<size_t>(ranges));
  std::iota(sequence.begin(), sequence.end(), 0);
  if (order == Order::reversed) std::reverse(sequence.begin(), sequence.end());
  if (order == Order::shuffled) std::shuffle(sequence.begin(), sequence.end(), std::mt19937(7));
  for (int64_t range : sequence) run_range(kernel, arguments, workspace, phase, range, failure);
}

std::string describe(double x) {
  std::ostringstream text;
  text.precision(10);
  text << x;
  return text.str();
}

}  // namespace

Guarded::Guarded(size_t bytes, bool at_end) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t inside = round_up(std::max<size_t>(bytes, 1), page);
  mapped_ = inside + 2 * page;
  mapping_ = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(mapping_ != MAP_FAILED);
  char* begin = static_cast<char*>(mapping_) + page;
  REQUIRE(mprotect(begin, inside, PROT_READ | PROT_WRITE) == 0);
  data_ = at_end ? begin + inside - bytes : begin;
}

Guarded::~Guarded() { munmap(mapping_, mapped_); }

uint32_t Problem::Output::at(const void* data, size_t index) const {
  if (element == Element::u8) return static_cast<const uint8_t*>(data)[index];
  uint32_t bits;
  std::memcpy(&bits, static_cast<const char*>(data) + index * sizeof bits, sizeof bits);
  return bits;
}

void* Problem::place(const void* initial, size_t bytes, bool written, Element element) {
  Memory memory = {std::make_unique<Guarded>(bytes, at_end_), std::vector<unsigned char>(bytes), written};
  if (bytes) std::memcpy(memory.initial.data(), initial, bytes);
  if (bytes) std::memcpy(memory.place->data(), initial, bytes);
  if (written) {
    Output output = {memory_.size(), element, {}};
    output.expected.resize(element == Element::u8 ? bytes : bytes / 4);
    outputs_.push_back(std::move(output));
  }
  memory_.push_back(std::move(memory));
  return memory_.back().place->data();
}

void Problem::expect(const void* output, int64_t index, double value, double magnitude) {
  for (Output& o : outputs_) {
    if (memory_[o.memory].place->data() == output) o.expected.at(static_cast<size_t>(index)) = {value, magnitude, true, {}};
  }
}

void Problem::expect_exactly(const int32_t* output, int64_t index, int32_t value) { expect(output, index, value, 0); }

void Problem::expect_choice(const void* output, int64_t index, const Shortfalls& shortfall) {
  for (Output& o : outputs_) {
    if (memory_[o.memory].place->data() == output) o.expected.at(static_cast<size_t>(index)) = {0, 0, true, shortfall};
  }
}

class Check {
 public:
  Check(const char* name, const Problem& problem) : name_(name), problem_(problem) {}

  bool supported_by(const nnrun_kernel& kernel) const { return kernel.supports == nullptr || kernel.supports(problem_.shape_.data()) == 1; }

  size_t bytes() const {
    size_t all = 0;
    for (const Problem::Memory& m : problem_.memory_) all += m.initial.size();
    return all;
  }

  // All outputs after a run, one behind the other.
  std::vector<uint32_t> run(const Library& library, const nnrun_kernel& kernel, Order order) {
    for (const Problem::Memory& m : problem_.memory_) {
      if (m.written && !m.initial.empty()) std::memcpy(m.place->data(), m.initial.data(), m.initial.size());
    }
    algorithm_ = kernel.algorithm;
    nnrun_work work = {}, again = {};
    if (const std::string spoiled = work_preserving(kernel.work, problem_.shape_.data(), &work); !spoiled.empty())
      fail(library, "work() does not keep " + spoiled);
    kernel.work(problem_.arguments_.data(), &again);
    if (std::memcmp(&work, &again, sizeof work) != 0) fail(library, "work() depends on more than the shape");
    if (work.phases < 1 || work.phases > NNRUN_MAX_PHASES) {
      fail(library, "work() says " + std::to_string(work.phases) + " phases");
      return {};
    }
    // Full of NaN: what is read must have been written. 64 bytes are the alignment that kernels may rely on.
    Guarded workspace(round_up(work.workspace, 64), true);
    std::memset(workspace.data(), 0xff, round_up(work.workspace, 64));
    std::string failure;
    for (uint32_t phase = 0; phase < work.phases; ++phase)
      run_phase(kernel, problem_.arguments_.data(), workspace.data(), phase, work.ranges[phase], order, &failure);
    if (!failure.empty()) fail(library, failure);
    std::vector<uint32_t> results;
    for (const Problem::Output& o : problem_.outputs_) {
      for (size_t i = 0; i < o.expected.size(); ++i) results.push_back(o.at(problem_.memory_[o.memory].place->data(), i));
    }
    for (const Problem::Memory& m : problem_.memory_) {
      if (!m.written && !m.initial.empty() && std::memcmp(m.place->data(), m.initial.data(), m.initial.size()) != 0)
        fail(library, "an input was changed");
    }
    return results;
  }

  // Against `reference`, or against what the problem expects. Returns whether all is as expected.
  bool compare(const Library& library, const nnrun_kernel& kernel, const std::vector<uint32_t>& got,
               const std::vector<uint32_t>* reference) {
    const double bound = kernel.bound > 0 ? kernel.bound : bound_of(name_);
    size_t at = 0;
    for (const Problem::Output& o : problem_.outputs_) {
      for (size_t i = 0; i < o.expected.size(); ++i, ++at) {
        const Problem::Expected& e = o.expected[i];
        bool good;
        double wanted = 0;
        if (!e.any) {
          const uint32_t initial = o.at(problem_.memory_[o.memory].initial.data(), i);
          good = got[at] == initial;
          wanted = number_of(o, initial);
        } else if (e.choice) {
          const Problem::Shortfalls& shortfall = *e.choice;
          good = got[at] < shortfall.size() && static_cast<double>(shortfall[got[at]]) <= 2 * bound;
          wanted = static_cast<double>(std::min_element(shortfall.begin(), shortfall.end()) - shortfall.begin());
        } else {
          wanted = reference ? number_of(o, (*reference)[at]) : e.value;
          good = o.element == Problem::Element::f32 ? agrees(std::bit_cast<float>(got[at]), wanted, e.magnitude, bound)
                                                    : number_of(o, got[at]) == wanted;
        }
        if (good) continue;
        fail(library, "output " + std::to_string(&o - problem_.outputs_.data()) + ", element " + std::to_string(i) +
                          (e.any ? "" : " (to be left alone)") + ": got " + describe(number_of(o, got[at])) + ", expected " +
                          std::to_string(wanted) + ", magnitude " + std::to_string(e.magnitude) + ", difference " +
                          std::to_string((number_of(o, got[at]) - wanted) / e.magnitude / 1e-6) + "e-6");
        return false;
      }
    }
    return true;
  }

  void fail(const Library& library, const std::string& why) {
    FAIL_CHECK(name_ << " of " << library.name << (algorithm_ ? std::string(" (") + algorithm_ + ")" : "") << ", " << problem_.what_
                     << ", guard page " << (problem_.at_end_ ? "behind" : "before") << ": " << why);
  }

 private:
  static double number_of(const Problem::Output& output, uint32_t bits) {
    if (output.element == Problem::Element::f32) return static_cast<double>(std::bit_cast<float>(bits));
    return static_cast<double>(static_cast<int32_t>(bits));
  }

  static bool agrees(float got, double wanted, double magnitude, double bound) {
    if (std::isnan(wanted)) return std::isnan(got);
    const float rounded = static_cast<float>(wanted);
    if (std::memcmp(&got, &rounded, sizeof got) == 0) return true;
    if (bound == 0) return false;
    // Below the normal range, floats are the smallest one apart.
    return std::fabs(static_cast<double>(got) - wanted) <=
           bound * magnitude + 2 * static_cast<double>(std::numeric_limits<float>::denorm_min());
  }

  const char* name_;
  const Problem& problem_;
  const char* algorithm_ = nullptr;
};

void check_row(const char* name, const Problems& problems) {
  const Library& scalar = libraries().front();
  const nnrun_kernel* reference = scalar.find(name);
  REQUIRE(reference);
  std::map<const nnrun_kernel*, int> runs;
  problems([&](Problem& problem) {
    Check check(name, problem);
    const std::vector<uint32_t> expected = check.run(scalar, *reference, Order::in_order);
    check.compare(scalar, *reference, expected, nullptr);
    for (const Library& library : libraries()) {
      if (!library.missing.empty()) continue;
      for (const nnrun_kernel* kernel : library.all(name)) {
        if (!check.supported_by(*kernel)) continue;
        // An emulated processor takes minutes for large problems, which have no edge that small ones lack.
        if (kernel->run_or_fail && check.bytes() > 10000) continue;
        ++runs[kernel];
        const std::vector<uint32_t> got = check.run(library, *kernel, Order::in_order);
        if (got.size() != expected.size()) continue;
        check.compare(library, *kernel, got, &expected);
        for (Order order : {Order::reversed, Order::shuffled, Order::threads}) {
          if (kernel->run_or_fail && order != Order::threads) continue;  // on an emulated processor; threads run in any order
          const std::vector<uint32_t> other = check.run(library, *kernel, order);
          if (other != got) check.fail(library, std::string("other bits when its ranges run ") + order_names[static_cast<int>(order)]);
        }
      }
    }
  });
  // A kernel that no problem suits is one that nobody checks.
  for (const auto& [kernel, count] : runs) {
    INFO(name << " (" << (kernel->algorithm ? kernel->algorithm : "plain") << ")");
    CHECK(count >= 5);
  }
}

void check_random(const char* name, int count, const MakeProblem& make) {
  std::mt19937 random(2024);
  for (int i = 0; i < count; ++i) {
    const Problem problem = make(random);
    Check check(name, problem);
    for (const Library& library : libraries()) {
      if (!library.missing.empty()) continue;
      for (const nnrun_kernel* kernel : library.all(name)) {
        if (!check.supported_by(*kernel)) continue;
        const std::vector<uint32_t> got = check.run(library, *kernel, Order::in_order);
        if (!check.compare(library, *kernel, got, nullptr)) return;  // the first one says it
      }
    }
  }
  SUCCEED();
}

bool add_row_test(const char* name) { return row_tests().insert(name).second; }
bool has_row_test(const std::string& name) { return row_tests().count(name) > 0; }

const nnrun_kernel* Library::find(const std::string& kernel) const {
  for (const nnrun_kernel* k : all(kernel)) {
    if (k->supports == nullptr) return k;
  }
  return nullptr;
}

std::vector<const nnrun_kernel*> Library::all(const std::string& kernel) const {
  std::vector<const nnrun_kernel*> found;
  for (uint32_t i = 0; i < table->count; ++i) {
    if (table->kernels[i].name == kernel && table->kernels[i].signature == signature_of(kernel)) found.push_back(&table->kernels[i]);
  }
  return found;
}

const std::vector<Library>& libraries() {
  static const std::vector<Library> all = [] {
    std::vector<Library> opened;
    for (const char* name : {"scalar", "sse_asm", "avx2", "avx512", "avx512_bf16", "avx512_vnni", "riscv", "rvv128", "rvv256", "rvv512"}) {
      const std::string path = std::string(NNRUN_PLUGIN_DIR) + "/libnnrun_kernels_" + name + ".so";
      if (access(path.c_str(), R_OK) == 0) opened.push_back(open_library(name));
    }
    REQUIRE(!opened.empty());
    REQUIRE(opened.front().name == "scalar");
    return opened;
  }();
  return all;
}
