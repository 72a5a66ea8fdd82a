#include "base/error.hpp"
#include "helpers.hpp"
#include "training/run_folder.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <set>
#include <thread>

using namespace nnrun::core;
using nnrun::test::TemporaryFolder;
namespace fs = std::filesystem;

TEST_CASE("runs are numbered") {
  const TemporaryFolder root;
  const RunFolder first = RunFolder::create(root.path(), "configs/mnist_mlp.yaml");
  CHECK(first.path() == root / "mnist_mlp/1");
  const RunFolder second = RunFolder::create(root.path(), "configs/mnist_mlp.yaml");
  CHECK(second.path() == root / "mnist_mlp/2");
  const RunFolder other = RunFolder::create(root.path(), "elsewhere/cats.yml");
  CHECK(other.path() == root / "cats/1");
  fs::create_directories(root / "mnist_mlp/17");
  fs::create_directories(root / "mnist_mlp/99 copy");
  fs::create_directories(root / "mnist_mlp/-3");
  CHECK(RunFolder::create(root.path(), "mnist_mlp.yaml").path() == root / "mnist_mlp/18");
}

TEST_CASE("many at once get a folder each") {
  const TemporaryFolder root;
  std::vector<std::optional<RunFolder>> runs(16);
  std::vector<std::thread> threads;
  for (auto& run : runs) threads.emplace_back([&] { run = RunFolder::create(root.path(), "x.yaml"); });
  for (std::thread& thread : threads) thread.join();
  std::set<fs::path> paths;
  for (const auto& run : runs) paths.insert(run->path());
  CHECK(paths.size() == runs.size());
}

TEST_CASE("a run is found by number, by folder, or as the latest") {
  const TemporaryFolder root;
  CHECK_FALSE(RunFolder::find(root.path(), "x.yaml", "").has_value());
  for (int i = 0; i < 11; ++i) RunFolder::create(root.path(), "x.yaml");
  CHECK(RunFolder::find(root.path(), "x.yaml", "")->path() == root / "x/11");  // not 9, as text would sort
  CHECK(RunFolder::find(root.path(), "x.yaml", "3")->path() == root / "x/3");
  CHECK(RunFolder::find(root.path(), "x.yaml", (root / "x/4").string())->path() == root / "x/4");
  CHECK_THROWS_AS(RunFolder::find(root.path(), "x.yaml", "12"), RunError);
  CHECK_THROWS_AS(RunFolder::find(root.path(), "x.yaml", (root / "y").string()), RunError);
}

TEST_CASE("a run that is being written to is not given out") {
  const TemporaryFolder root;
  auto running = std::make_optional(RunFolder::create(root.path(), "x.yaml"));
  std::string message;
  try {
    RunFolder::find(root.path(), "x.yaml", "");
  } catch (const RunError& e) {
    message = e.what();
  }
  CHECK(message.find("another nnrun is writing to " + (root / "x/1").string()) != std::string::npos);
  running.reset();
  CHECK(RunFolder::find(root.path(), "x.yaml", "").has_value());
}

TEST_CASE("a root that cannot be made is told") {
  const TemporaryFolder root;
  std::ofstream(root / "file") << "x";
  for (const fs::path& bad : {root / "file", fs::path("/proc/runs")}) {
    std::string message;
    try {
      RunFolder::create(bad, "x.yaml");
    } catch (const RunError& e) {
      message = e.what();
    }
    CHECK(message.find("cannot make the folder " + bad.string()) != std::string::npos);
    CHECK(message.find("run.folder=") != std::string::npos);
  }
}
