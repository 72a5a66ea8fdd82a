#include "base/error.hpp"
#include "base/files.hpp"
#include "helpers.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>

using namespace nnrun::core;
using nnrun::test::TemporaryFolder;

namespace {

// No file may grow beyond `bytes` while this lives: the kernel then answers as for a full disk, with another text.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const RunError& e) {
    return e.what();
  }
  return "";
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a file is written and replaced as a whole") {
  const TemporaryFolder folder;
  write_atomically(folder / "x", "first");
  CHECK(read_file(folder / "x") == "first");
  const std::string large(3'000'000, 'y');
  write_atomically(folder / "x", large);
  CHECK(read_file(folder / "x") == large);
  write_atomically(folder / "x", "");
  CHECK(read_file(folder / "x").empty());
  CHECK(files_in(folder.path()) == 1);
  struct stat status {};
  REQUIRE(stat((folder / "x").c_str(), &status) == 0);
  CHECK((status.st_mode & S_IRUSR) != 0);
}

TEST_CASE("several parts are joined") {
  const TemporaryFolder folder;
  const std::string a = "ab", b, c = "cd";
  const std::vector<std::span<const std::byte>> parts{std::as_bytes(std::span(a)), std::as_bytes(std::span(b)),
                                                      std::as_bytes(std::span(c))};
  write_atomically(folder / "x", parts);
  CHECK(read_file(folder / "x") == "abcd");
}

TEST_CASE("a file without a folder in its name lands in the current one") {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_atomically("plain", "text");
  std::filesystem::current_path(before);
  CHECK(read_file(folder / "plain") == "text");
}

TEST_CASE("a full disk leaves the old file, and no rubbish") {
  const TemporaryFolder folder;
  write_atomically(folder / "x", "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = message_of([&] { write_atomically(folder / "x", std::string(5000, 'n')); });
  }
  CHECK(message.find((folder / "x").string()) != std::string::npos);
  CHECK(message.find("too large") != std::string::npos);  // EFBIG
  CHECK(read_file(folder / "x") == "old");
  CHECK(files_in(folder.path()) == 1);
  write_atomically(folder / "x", std::string(5000, 'n'));
  CHECK(read_file(folder / "x").size() == 5000);
}

TEST_CASE("places that cannot be written are named") {
  const TemporaryFolder folder;
  CHECK(message_of([&] { write_atomically(folder / "no/such/folder", "x"); }).find("cannot write") != std::string::npos);
  CHECK(message_of([] { write_atomically("/proc/nnrun_test", "x"); }).find("/proc/nnrun_test") != std::string::npos);
  // A folder in the way.
  std::filesystem::create_directory(folder / "taken");
  std::ofstream(folder / "taken/inside") << "x";
  CHECK(message_of([&] { write_atomically(folder / "taken", "x"); }).find("cannot replace") != std::string::npos);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("reading names what is missing") {
  const TemporaryFolder folder;
  CHECK(message_of([&] { read_file(folder / "missing"); }).find("No such file") != std::string::npos);
  CHECK(message_of([&] { read_file(folder.path()); }).find("it is a folder") != std::string::npos);
}

TEST_CASE("a lock is for one, and ends with its holder") {
  const TemporaryFolder folder;
  auto lock = std::make_unique<FileLock>(folder / "lock", "busy here");
  CHECK(message_of([&] { FileLock(folder / "lock", "busy here"); }) == "busy here");
  lock.reset();
  CHECK(message_of([&] { FileLock(folder / "lock", "busy here"); }).empty());
  CHECK(message_of([&] { FileLock(folder / "no/lock", "busy here"); }).find("cannot write") != std::string::npos);
}
