// Runs each kernel of each library over awkward problems, and compares.
//
// A row's test gives problems: arguments, memory, and what is expected, computed naively in double. The scalar library must
// agree with that, the others with scalar, to the row's bound times the sum of the magnitudes of a result's terms. All memory
// lies between guard pages; nothing but expected elements may change; ranges in any order and on several threads must give
// the same bits.
#pragma once

#include <nnrun/fixed_kernels.h>
#include <nnrun/kernels.h>
#include <nnrun/nnrun.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

// Memory with an inaccessible page directly before its first byte (`at_end` false) or directly behind its last.
class Guarded {
 public:
  Guarded(size_t bytes, bool at_end);
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded();
  void* data() const { return data_; }

 private:
  void* mapping_;
  size_t mapped_;
  void* data_;
};

class Problem {
 public:
  // `at_end`: where the guard page of each buffer is. What ends a page is seldom aligned.
  Problem(std::string what, bool at_end) : what_(std::move(what)), at_end_(at_end) {}

  template <class T>
  T* input(const std::vector<T>& values) {
    return static_cast<T*>(place(values.data(), values.size() * sizeof(T), false));
  }

  // Written, or updated in place. Gets these values again before each run.
  float* output(const std::vector<float>& initial) {
    return static_cast<float*>(place(initial.data(), initial.size() * sizeof(float), true));
  }

  uint8_t* output(const std::vector<uint8_t>& initial) {
    return static_cast<uint8_t*>(place(initial.data(), initial.size(), true, Element::u8));
  }

  int32_t* output(const std::vector<int32_t>& initial) {
    return static_cast<int32_t*>(place(initial.data(), initial.size() * sizeof(int32_t), true, Element::s32));
  }

  // Element `index` of an output must become `value`, which is made of terms whose magnitudes sum up to `magnitude`. Elements
  // of which nothing is said must stay what they are.
  void expect(const void* output, int64_t index, double value, double magnitude);
  // The same for s32: exactly this value.
  void expect_exactly(const int32_t* output, int64_t index, int32_t value);
  // The same for a choice that rounding may decide: a number whose `shortfall`, relative to the magnitudes summed up, is within what two
  // sums may be off.
  using Shortfalls = std::array<float, 5>;
  void expect_choice(const void* output, int64_t index, const Shortfalls& shortfall);

  // First without pointers, as at plan time, then with them.
  template <class Arguments>
  void shape(const Arguments& a) {
    keep(shape_, a);
  }
  template <class Arguments>
  void arguments(const Arguments& a) {
    keep(arguments_, a);
  }

 private:
  friend class Check;
  struct Memory {
    std::unique_ptr<Guarded> place;
    std::vector<unsigned char> initial;
    bool written;
  };
  struct Expected {
    double value, magnitude;
    bool any = false;
    std::optional<Shortfalls> choice;
  };
  enum class Element {
    f32,
    u8,
    s32
  };
  struct Output {
    size_t memory;
    Element element;
    std::vector<Expected> expected;
    // Element `index` of `data`: the bits of a float, or a whole number.
    uint32_t at(const void* data, size_t index) const;
  };

  void* place(const void* initial, size_t bytes, bool written, Element element = Element::f32);
  template <class Arguments>
  static void keep(std::vector<uint64_t>& to, const Arguments& a) {
    to.assign((sizeof a + 7) / 8, 0);
    *static_cast<Arguments*>(static_cast<void*>(to.data())) = a;
  }

  std::string what_;
  bool at_end_;
  std::vector<Memory> memory_;
  std::vector<Output> outputs_;
  std::vector<uint64_t> shape_, arguments_;
};

using Use = std::function<void(Problem& problem)>;
using Problems = std::function<void(const Use& use)>;

// Checks all libraries on all problems of a row.
void check_row(const char* name, const Problems& problems);

// Checks all libraries on `count` problems that `make(random)` makes, each with other numbers and another shape, against what the problems
// expect; ranges in order only.
using MakeProblem = std::function<Problem(std::mt19937& random)>;
void check_random(const char* name, int count, const MakeProblem& make);

// For test_kernels.cpp: which rows have a test.
bool add_row_test(const char* name);
bool has_row_test(const std::string& name);

#define NNRUN_TEST_ROW(name, problems)               \
  const bool name##_is_tested = add_row_test(#name); \
  TEST_CASE(#name, "[row]") { check_row(#name, problems); }

struct Library {
  std::string name;
  std::string missing;  // CPU features that it needs and this machine lacks; then it is not run
  const nnrun_plugin* plugin = nullptr;
  const nnrun_kernels_vtable* table = nullptr;
  // The plain one, which supports every shape; and all of that name.
  const nnrun_kernel* find(const std::string& kernel) const;
  std::vector<const nnrun_kernel*> all(const std::string& kernel) const;
};

// All that are built, scalar first.
const std::vector<Library>& libraries();

// Normally distributed, the same in each run.
class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  float operator()() { return distribution_(engine_); }
  std::vector<float> floats(int64_t count) {
    std::vector<float> x(static_cast<size_t>(count));
    for (float& f : x) f = (*this)();
    return x;
  }

 private:
  std::mt19937 engine_;
  std::normal_distribution<float> distribution_;
};
