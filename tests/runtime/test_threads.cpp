#include "base/threads.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <vector>

using namespace nnrun;
using namespace nnrun::core;

namespace {

using Body = std::function<void(std::int64_t)>;

int run(int threads, std::int64_t ranges, const Body& body, nnrun_error* error) {
  const auto call = [](void* argument, std::int64_t range, nnrun_error* e) {
    return detail::guard(e, [&] { (*static_cast<const Body*>(argument))(range); });
  };
  return parallel_ranges(threads, ranges, call, const_cast<Body*>(&body), error);
}

}  // namespace

TEST_CASE("every range runs exactly once, on any number of threads") {
  for (const int threads : {1, 2, 3, 8}) {
    for (const std::int64_t ranges : {0, 1, 2, 7, 8, 9, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(ranges));
      nnrun_error error{};
      REQUIRE(run(
                  threads, ranges, [&](std::int64_t range) { ++runs[static_cast<std::size_t>(range)]; }, &error) == 0);
      for (const auto& count : runs) REQUIRE(count == 1);
    }
  }
}

TEST_CASE("the error of the lowest failing range is the one that is told") {
  for (const int threads : {1, 2, 3, 8}) {
    for (int round = 0; round < 20; ++round) {
      nnrun_error error{};
      const int status = run(
          threads, 100,
          [](std::int64_t range) {
            if (range >= 13 && range % 3 == 1) throw Error("range " + std::to_string(range)).at("rate");
          },
          &error);
      REQUIRE(status != 0);
      REQUIRE(std::string(error.message) == "range 13");
      REQUIRE(std::string(error.parameter) == "rate");
    }
  }
}

TEST_CASE("an error need not be wanted") {
  for (const int threads : {1, 3}) {
    CHECK(run(
              threads, 10, [](std::int64_t) { throw Error("no"); }, nullptr) != 0);
    nnrun_error error{};
    CHECK(run(
              threads, 10, [](std::int64_t) { throw 5; }, &error) != 0);
    CHECK(std::string(error.message).find("not a std::exception") != std::string::npos);
  }
}

TEST_CASE("a loop inside a loop runs serially, in order") {
  for (const int threads : {2, 3, 8}) {
    std::atomic<int> in_order{0};
    nnrun_error error{};
    REQUIRE(run(
                threads, 16,
                [&](std::int64_t) {
                  std::vector<std::int64_t> seen;  // no lock: one thread
                  nnrun_error inner{};
                  run(
                      threads, 50, [&](std::int64_t range) { seen.push_back(range); }, &inner);
                  bool good = seen.size() == 50;
                  for (std::size_t i = 0; good && i < seen.size(); ++i) good = seen[i] == static_cast<std::int64_t>(i);
                  if (good) ++in_order;
                },
                &error) == 0);
    CHECK(in_order == 16);
  }
}

TEST_CASE("the automatic number of threads is sane") {
  CHECK(available_threads() >= 1);
  CHECK(available_threads() <= 256);
}
