// datasets/fetch.sh, without the network: from local folders, and from a stand-in for curl. The files of the real set are too
// large to make here, so what is tested is that nothing wrong is ever taken for it.
#include <cstdlib>

#include "fake_host.hpp"
#include "fetch_script.hpp"

using fake::fetch;
using fake::is_empty;
using Result = fake::ScriptResult;

TEST_CASE("fetch.sh: wrong usage ends with 2") {
  CHECK(fetch("").code == 2);
  CHECK(fetch("cifar").code == 2);
  CHECK(fetch("mnist mnist").code == 2);
  CHECK(fetch("mnist --to").code == 2);
  CHECK(fetch("mnist --form x").output.find("unknown option --form") != std::string::npos);
  const Result help = fetch("--help");
  CHECK(help.code == 0);
  CHECK(help.output.find("usage:") == 0);
}

TEST_CASE("fetch.sh --from: missing and damaged files end with 1, and nothing is left") {
  const fake::TemporaryFolder folder;
  const std::string from = folder / "from", to = folder / "to";
  Result result = fetch("mnist --from '" + from + "' --to '" + to + "'");
  CHECK(result.code == 1);
  CHECK(result.output.find("there is no folder " + from) != std::string::npos);

  std::filesystem::create_directory(from);
  result = fetch("mnist --from '" + from + "' --to '" + to + "'");
  CHECK(result.code == 1);
  CHECK(result.output.find("there is neither " + from + "/train-images-idx3-ubyte.gz nor") != std::string::npos);
  CHECK(is_empty(to + "/mnist"));

  for (const char* name : {"/train-images-idx3-ubyte", "/train-images-idx3-ubyte.gz"}) {
    std::ofstream(from + name) << "something else";
    result = fetch("mnist --from '" + from + "' --to '" + to + "'");
    CHECK(result.code == 1);
    CHECK(result.output.find(from + name + " is damaged") != std::string::npos);
    CHECK(is_empty(to + "/mnist"));
  }
}

TEST_CASE("fetch.sh tries every mirror several times and takes no damaged file") {
  const fake::TemporaryFolder folder;
  const std::string bin = folder / "bin", to = folder / "to";
  // Fails for one mirror, and gives half a file from the other.
  fake::write_command(bin, "curl",
                      "case \"$*\" in *amazonaws*) exit 22;; esac\nwhile [ $# -gt 1 ]; do\n"
                      "  if [ \"$1\" = --output ]; then printf half > \"$2\"; fi\n  shift\ndone\n");
  fake::write_command(bin, "sleep", "");
  const Result result = fetch("mnist --to '" + to + "'", "PATH='" + bin + "':\"$PATH\"");
  CHECK(result.code == 1);
  CHECK(result.output.find("no mirror gave a whole train-images-idx3-ubyte.gz in 3 tries") != std::string::npos);
  std::size_t tries = 0;
  for (std::size_t at = 0; (at = result.output.find("cvdf-datasets", at)) != std::string::npos; ++at) ++tries;
  CHECK(tries == 3);
  CHECK(is_empty(to + "/mnist"));
}

TEST_CASE("fetch.sh copies the real files where they are at hand, packed or not") {
  const char* root = std::getenv("NNRUN_DATA");
  const std::string from = (root != nullptr ? std::string(root) : std::string()) + "/mnist";
  if (root == nullptr || !std::filesystem::exists(from + "/t10k-images-idx3-ubyte.gz")) {
    WARN("NNRUN_DATA names no folder with mnist/: not tested");
    return;
  }
  const fake::TemporaryFolder folder;
  const std::string copy = folder / "copy", to = folder / "to";
  CHECK(fetch("mnist --from '" + from + "' --to '" + to + "'").code == 0);
  CHECK(fetch("mnist --from /nowhere --to '" + to + "'").code == 1);
  std::filesystem::copy(to + "/mnist", copy);
  REQUIRE(std::system(("gzip -d '" + copy + "/t10k-labels-idx1-ubyte.gz'").c_str()) == 0);
  std::filesystem::remove(to + "/mnist/t10k-labels-idx1-ubyte.gz");
  const Result again = fetch("mnist --from '" + copy + "' --to '" + to + "'");
  CHECK(again.code == 0);
  CHECK(again.output.find("train-images-idx3-ubyte.gz is there already") != std::string::npos);
  CHECK(std::filesystem::exists(to + "/mnist/t10k-labels-idx1-ubyte.gz"));
}
