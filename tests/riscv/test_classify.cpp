// The program `classify`: under Linux system calls of both dialects and Venus' environment calls in the process, and under qemu.
#include "engine/program.hpp"
#include "files.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <sstream>

using namespace nnrun_riscv;
namespace fs = std::filesystem;

namespace {

struct Matrix {
  std::int32_t rows = 0, columns = 0;
  std::vector<std::int32_t> elements;

  std::int32_t& at(std::int32_t row, std::int32_t column) { return elements[static_cast<std::size_t>(row * columns + column)]; }
  std::string bytes() const {
    std::string all(8 + elements.size() * 4, '\0');
    std::memcpy(all.data(), &rows, 4);
    std::memcpy(all.data() + 4, &columns, 4);
    if (!elements.empty()) std::memcpy(all.data() + 8, elements.data(), elements.size() * 4);
    return all;
  }
};

Matrix zeros(std::int32_t rows, std::int32_t columns) {
  return {rows, columns, std::vector<std::int32_t>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns))};
}

using Random = std::mt19937;

Matrix random_matrix(Random& random, std::int32_t rows, std::int32_t columns, std::int32_t limit) {
  Matrix m = zeros(rows, columns);
  std::uniform_int_distribution<std::int32_t> any(-limit, limit);
  for (std::int32_t& element : m.elements) element = any(random);
  return m;
}

// a * b, as the program does it.
Matrix product(Matrix& a, Matrix& b, bool q16) {
  Matrix c = zeros(a.rows, b.columns);
  for (std::int32_t i = 0; i < a.rows; ++i) {
    for (std::int32_t j = 0; j < b.columns; ++j) {
      std::uint64_t sum = 0;
      for (std::int32_t k = 0; k < a.columns; ++k) sum += static_cast<std::uint64_t>(std::int64_t{a.at(i, k)} * b.at(k, j));
      c.at(i, j) = static_cast<std::int32_t>(q16 ? static_cast<std::int64_t>(sum) >> 16 : static_cast<std::int64_t>(sum));
    }
  }
  return c;
}

struct Folder {
  Folder() {
    char name[] = "/tmp/nnrun_classify_XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(*this / name, std::ios::binary) << bytes;
    return *this / name;
  }
  std::string path;
};

struct Program {
  std::vector<unsigned char> file;
  ElfFile elf;
  explicit Program(const char* path) : file(read_file(path)), elf(parse_elf(file)) {}
};

struct Way {
  const char* name;
  Dialect dialect;
};
constexpr Way ways[] = {{"Linux", Dialect::linux}, {"Linux, open", Dialect::linux_open}, {"Venus", Dialect::venus}};

ProgramResult run(Dialect dialect, std::vector<std::string> arguments) {
  static const Program for_linux(NNRUN_CLASSIFY), for_venus(NNRUN_CLASSIFY_VENUS);
  arguments.insert(arguments.begin(), "classify");
  return run_program(dialect == Dialect::venus ? for_venus.elf : for_linux.elf, arguments, dialect, 200000000);
}

std::string as_text(const std::vector<unsigned char>& bytes) { return {bytes.begin(), bytes.end()}; }

struct Net {
  Matrix m0, m1, input, scores;
  std::string classes;
};

Net make_net(Random& random, std::int32_t inputs, std::int32_t hidden, std::int32_t classes, std::int32_t samples, bool q16,
             std::int32_t limit) {
  Net net{random_matrix(random, hidden, inputs, limit),
          random_matrix(random, classes, hidden, limit),
          random_matrix(random, inputs, samples, limit),
          {},
          {}};
  Matrix between = product(net.m0, net.input, q16);
  for (std::int32_t& element : between.elements) element = std::max(element, 0);
  net.scores = product(net.m1, between, q16);
  for (std::int32_t j = 0; j < samples; ++j) {
    std::int32_t best = 0;
    for (std::int32_t i = 1; i < classes; ++i) best = net.scores.at(i, j) > net.scores.at(best, j) ? i : best;
    net.classes += std::to_string(best) + "\n";
  }
  return net;
}

// What the shell says of a command: its exit code, and its output.
std::pair<int, std::string> shell(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string output;
  for (std::array<char, 4096> buffer; const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe);)
    output.append(buffer.data(), count);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

bool have_qemu() { return shell("qemu-riscv32 --version 2>/dev/null").first == 0; }

}  // namespace

TEST_CASE("classify computes scores and classes, in every dialect") {
  Random random(1);
  const Folder folder;
  const std::int32_t shapes[][4] = {{1, 1, 1, 1}, {3, 5, 2, 1}, {7, 4, 10, 3}, {784, 128, 10, 1}, {30, 13, 11, 17}, {5, 1, 12, 2}};
  for (const auto& shape : shapes) {
    for (const bool q16 : {false, true}) {
      for (const std::int32_t limit : {100, 2147483647}) {
        Net net = make_net(random, shape[0], shape[1], shape[2], shape[3], q16, limit);
        std::vector<std::string> arguments = {folder.write("m0", net.m0.bytes()), folder.write("m1", net.m1.bytes()),
                                              folder.write("input", net.input.bytes()), folder / "output"};
        if (q16) arguments.insert(arguments.begin(), "-q16");
        for (const Way& way : ways) {
          fs::remove(folder / "output");
          const ProgramResult result = run(way.dialect, arguments);
          INFO(way.name << (q16 ? ", -q16, " : ", ") << shape[0] << " " << shape[1] << " " << shape[2] << " " << shape[3]);
          CHECK(result.exit_code == 0);
          CHECK(result.output == net.classes);
          CHECK(as_text(read_file(folder / "output")) == net.scores.bytes());
        }
      }
    }
  }
}

TEST_CASE("of equal scores the first wins") {
  const Folder folder;
  Matrix ones = zeros(2, 2), m1 = zeros(4, 2), input = zeros(2, 1);
  for (std::int32_t& element : ones.elements) element = 1;
  m1.elements = {0, 1, 1, 1, 1, 1, 0, 0};
  input.elements = {3, 4};
  const ProgramResult result = run(Dialect::linux, {folder.write("m0", ones.bytes()), folder.write("m1", m1.bytes()),
                                                    folder.write("input", input.bytes()), folder / "output"});
  CHECK(result.output == "1\n");
}

TEST_CASE("each failure of classify has its exit code, and leaves no half-written file") {
  Random random(2);
  const Folder folder;
  const Net net = make_net(random, 6, 4, 3, 2, false, 100);
  const std::string m0 = net.m0.bytes(), m1 = net.m1.bytes(), input = net.input.bytes();
  const auto header = [](std::uint32_t rows, std::uint32_t columns, std::size_t elements) {
    std::string bytes(8 + elements * 4, '\1');
    std::memcpy(bytes.data(), &rows, 4);
    std::memcpy(bytes.data() + 4, &columns, 4);
    return bytes;
  };

  // Files that are wrong by themselves, at each of the three places.
  std::vector<std::pair<std::string, int>> files = {
      {"", 29},               // empty
      {m0.substr(0, 1), 29},  // a byte
      {m0.substr(0, 4), 29},  // rows alone
      {m0.substr(0, 7), 29},  // most of the header
      {header(0, 6, 0), 38},  // no rows
      {header(6, 0, 0), 38},  // no columns
      {header(0, 0, 0), 38},
      {header(0xffffffff, 6, 6), 38},  // negative
      {header(6, 0x80000000, 6), 38},
      {header(0xffffffff, 0xffffffff, 1), 38},  // whose product is 1
      {header(0x10000, 0x10000, 0), 38},        // whose product is 0 in 32 bits
      {header(0x7fffffff, 0x7fffffff, 0), 38},
      {header(0x20000000, 1, 0), 38},  // whose bytes wrap
      {header(0x1fffffff, 1, 0), 26},  // 2 GiB
      {header(0x4000001, 1, 0), 26},   // a word more than 256 MiB
      {header(2, 2, 3), 29},           // an element short
      {header(2, 2, 0), 29},           // no element
      {header(2, 2, 5), 33},           // an element too many
      {header(2, 2, 4) + "\n", 33},    // a byte too many
      {"P5 28 28 255 ", 38},           // something else entirely
  };
  int cases = 0;
  for (const Way& way : ways) {
    for (const auto& [bytes, code] : files) {
      for (int place = 0; place < 3; ++place) {
        const std::vector<std::string> arguments = {folder.write("m0", place == 0 ? bytes : m0),
                                                    folder.write("m1", place == 1 ? bytes : m1),
                                                    folder.write("input", place == 2 ? bytes : input), folder / "output"};
        INFO(way.name << ", file " << place << " of " << bytes.size() << " bytes, expected " << code);
        const ProgramResult result = run(way.dialect, arguments);
        CHECK(result.exit_code == code);
        CHECK(result.output.empty());
        CHECK(!fs::exists(folder / "output"));
        ++cases;
      }
    }

    // Matrices that do not fit together, absent files, folders, and wrong arguments.
    const std::string good0 = folder.write("m0", m0), good1 = folder.write("m1", m1), good = folder.write("input", input),
                      output = folder / "output", absent = folder / "absent";
    const std::string other = folder.write("other", header(5, 5, 25)), tall = folder.write("tall", header(7, 1, 7));
    const std::vector<std::pair<std::vector<std::string>, int>> calls = {
        {{good0, good1, tall, output}, 38},
        {{good0, other, good, output}, 38},
        {{other, good1, good, output}, 38},
        {{good1, good0, good, output}, 38},
        {{good0, good1, good1, output}, 38},
        {{absent, good1, good, output}, 27},
        {{good0, absent, good, output}, 27},
        {{good0, good1, absent, output}, 27},
        {{folder.path, good1, good, output}, 29},
        {{good0, good1, folder.path, output}, 29},
        {{good0, good1, good, folder.path}, 27},
        {{good0, good1, good, absent + "/x"}, 27},
        {{"", good1, good, output}, 27},
        {{good0, good1, good, ""}, 27},
        {{good0, good1, good, "/dev/full"}, 30},
        {{}, 31},
        {{good0}, 31},
        {{good0, good1, good}, 31},
        {{good0, good1, good, output, output}, 31},
        {{"-q15", good0, good1, good, output}, 31},
        {{"-q1", good0, good1, good, output}, 31},
        {{"-q160", good0, good1, good, output}, 31},
        {{"", good0, good1, good, output}, 31},
        {{"q16", good0, good1, good, output}, 31},
        {{"-q16", good0, good1, good}, 27},  // four arguments: -q16 is a file, then
        {{"-q16", "-q16", good0, good1, good, output}, 31},
    };
    for (const auto& [arguments, code] : calls) {
      INFO(way.name << ", " << arguments.size() << " arguments, expected " << code);
      const ProgramResult result = run(way.dialect, arguments);
      CHECK(result.exit_code == code);
      CHECK(result.output.empty());
      CHECK(!fs::exists(output));
      ++cases;
    }
  }
  CHECK(cases >= 120);
}

TEST_CASE("classify under qemu") {
  if (!have_qemu()) {
    WARN("qemu-riscv32 is missing (Debian: qemu-user): nothing to test");
    return;
  }
  Random random(3);
  const Folder folder;
  const std::string program = std::string("qemu-riscv32 ") + NNRUN_CLASSIFY;
  for (const bool q16 : {false, true}) {
    Net net = make_net(random, 784, 128, 10, 5, q16, 70000);
    const auto [code, output] =
        shell(program + (q16 ? " -q16 " : " ") + folder.write("m0", net.m0.bytes()) + " " + folder.write("m1", net.m1.bytes()) + " " +
              folder.write("input", net.input.bytes()) + " " + folder / "output");
    CHECK(code == 0);
    CHECK(output == net.classes);
    CHECK(as_text(read_file(folder / "output")) == net.scores.bytes());
  }
  // The mix of kinds, by the translator's plugin: as many instructions as the engine in the process counts.
  const std::vector<std::string> words = {"-q16", folder / "m0", folder / "m1", folder / "input", folder / "output"};
  std::string line;
  for (const std::string& word : words) line += " " + word;
  const auto [code, mix] = shell(std::string("qemu-riscv32 -plugin ") + NNRUN_COUNTER + " " + NNRUN_CLASSIFY + line + " 2>&1 >/dev/null");
  CHECK(code == 0);
  std::istringstream lines(mix);
  std::uint64_t total = 0, sum = 0;
  std::string name;
  lines >> total >> name;
  std::vector<std::string> names;
  for (std::string percent, sign; lines >> name;) {
    std::uint64_t count = 0;
    lines >> count >> percent >> sign;
    names.push_back(name);
    sum += count;
    if (name == "multiply") {
      constexpr std::uint64_t products = 5 * (784 * 128 + 128 * 10);  // a mul and a mulh each; and a few for the sizes of matrices
      CHECK(count >= 2 * products);
      CHECK(count <= 2 * products + 100);
    }
    if (name == "store" || name == "branch" || name == "jump" || name == "system") CHECK(count > 0);
  }
  CHECK(names == std::vector<std::string>{"arithmetic", "multiply", "load", "store", "branch", "jump", "system"});
  CHECK(sum == total);
  CHECK(total == run(Dialect::linux, words).instructions);

  const std::string files = (folder / "m0") + " " + (folder / "m1") + " " + (folder / "input") + " ";
  CHECK(shell(program).first == 31);
  CHECK(shell(program + " " + files + "/dev/full").first == 30);
  CHECK(shell(program + " " + files + (folder / "output") + " > /dev/full").first == 30);
  CHECK(shell(program + " " + (folder / "absent") + " " + (folder / "m1") + " " + (folder / "input") + " " + (folder / "output")).first ==
        27);
  CHECK(shell(program + " " + (folder / "m1") + " " + (folder / "m1") + " " + (folder / "input") + " " + (folder / "output")).first == 38);
  folder.write("m1", "x");
  CHECK(shell(program + " " + files + (folder / "output")).first == 29);
}
