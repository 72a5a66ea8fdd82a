#include "base/error.hpp"
#include "base/files.hpp"
#include "helpers.hpp"
#include "net/safetensors.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>
#include <random>

using namespace nnrun::core;
using nnrun::test::TemporaryFolder;

namespace {

void write(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// For many thousand files: some file systems take milliseconds to replace one.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("nnrun_test", MFD_CLOEXEC)) { REQUIRE(descriptor_ >= 0); }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  void set(const std::string& bytes) const {
    REQUIRE(ftruncate(descriptor_, 0) == 0);
    REQUIRE(pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

std::string with_header(const std::string& header, const std::string& data) {
  std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + data;
}

// Three tensors, one without elements.
std::string good_file(const std::filesystem::path& file) {
  std::vector<float> values(10);
  std::iota(values.begin(), values.end(), 1.0f);
  const std::vector<NamedTensor> tensors{
      {"a", {2, 3}, values.data(), 6}, {"none", {0, 7}, values.data(), 0}, {"b", {4}, values.data() + 6, 4}};
  write_safetensors(file, tensors, {{"format", "nnrun"}, {"step", "17"}});
  return read_file(file);
}

std::uint64_t header_length(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

std::string refusal(const std::filesystem::path& file) {
  try {
    const SafetensorsFile read(file);
  } catch (const RunError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("tensors come back to the bit, and in the published layout") {
  const TemporaryFolder folder;
  const auto file = folder / "x.safetensors";
  std::vector<float> odd{0.0f, -0.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::denorm_min(), 1e-30f, 3.0f};
  odd[5] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<NamedTensor> tensors{{"1.dense.weights", {2, 3}, odd.data(), 6}, {"scalar", {}, odd.data() + 4, 1}};
  write_safetensors(file, tensors, {{"config", "a: \"b\"\n# \xc3\xa4\n"}, {"empty", ""}});

  const SafetensorsFile read(file);
  CHECK(read.metadata("config") == "a: \"b\"\n# \xc3\xa4\n");
  CHECK(read.metadata("empty").empty());
  CHECK_THROWS_AS(read.metadata("missing"), RunError);
  CHECK(read.find("missing") == nullptr);
  REQUIRE(read.find("1.dense.weights") != nullptr);
  CHECK(read.find("1.dense.weights")->shape == std::vector<std::int64_t>{2, 3});
  CHECK(std::memcmp(read.find("1.dense.weights")->data, odd.data(), 24) == 0);
  REQUIRE(read.find("scalar") != nullptr);
  CHECK(read.find("scalar")->shape.empty());
  CHECK(read.find("scalar")->floats()[0] == 1e-30f);

  // What another reader would do.
  const std::string bytes = read_file(file);
  const std::uint64_t length = header_length(bytes);
  CHECK((8 + length) % 64 == 0);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  CHECK(header.at("1.dense.weights").at("dtype") == "F32");
  CHECK(header.at("1.dense.weights").at("shape") == nlohmann::json({2, 3}));
  CHECK(header.at("1.dense.weights").at("data_offsets") == nlohmann::json({0, 24}));
  CHECK(header.at("scalar").at("data_offsets") == nlohmann::json({24, 28}));
  CHECK(header.at("__metadata__").at("empty") == "");
  CHECK(bytes.size() == 8 + length + 28);
}

TEST_CASE("integers come back, bytes behind what needs alignment") {
  const TemporaryFolder folder;
  const auto file = folder / "x.safetensors";
  const std::int8_t bytes[] = {-128, 0, 127};
  const std::int32_t integers[] = {-2147483647 - 1, 7};
  const std::uint8_t pixels[] = {0, 255};
  const std::vector<NamedTensor> tensors{
      {"bytes", {3}, bytes, 3, NNRUN_S8}, {"integers", {2}, integers, 2, NNRUN_S32}, {"pixels", {1, 2}, pixels, 2, NNRUN_U8}};
  write_safetensors(file, tensors, {});
  const SafetensorsFile read(file);
  for (const NamedTensor& tensor : tensors) {
    const NamedTensor* found = read.find(tensor.name);
    REQUIRE(found != nullptr);
    CHECK(found->dtype == tensor.dtype);
    CHECK(found->shape == tensor.shape);
    CHECK(std::memcmp(found->data, tensor.data, tensor.bytes()) == 0);
  }
  CHECK(reinterpret_cast<std::uintptr_t>(read.find("integers")->data) % 4 == 0);
  CHECK(read.find("bytes")->as_floats() == std::vector<float>{-128, 0, 127});
}

TEST_CASE("a file cut off anywhere is refused") {
  const TemporaryFolder folder;
  const std::string good = good_file(folder / "good");
  REQUIRE(refusal(folder / "good").empty());
  const MemoryFile file;
  for (std::size_t size = 0; size < good.size(); ++size) {
    file.set(good.substr(0, size));
    INFO("cut to " << size << " of " << good.size() << " bytes");
    REQUIRE(refusal(file.path()).find("not a usable checkpoint") != std::string::npos);
  }
  write(folder / "bad", good + std::string(4, '\0'));
  CHECK_FALSE(refusal(folder / "bad").empty());
  write(folder / "bad", good + "x");
  CHECK_FALSE(refusal(folder / "bad").empty());
}

TEST_CASE("a damaged header is refused, and why is told") {
  const TemporaryFolder folder;
  const std::string data(40, '\1');
  struct Case {
    const char* header;
    const char* why;
  };
  const std::string nested = std::string(200'000, '[');
  const Case cases[] = {
      {"", "not a JSON object"},
      {" ", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"null", "not a JSON object"},
      {"\"x\"", "not a JSON object"},
      {"{", "not a JSON object"},
      {"{\"a\":}", "not a JSON object"},
      {"{} {}", "not a JSON object"},
      {"{\"\xff\xfe\":1}", "not a JSON object"},
      {nested.c_str(), "not a JSON object"},
      {"{}", "the header speaks of 0"},
      {"{\"a\":1}", "not of type F32"},
      {"{\"a\":null}", "not of type F32"},
      {"{\"a\":{}}", "not of type F32"},
      {R"({"a":{"dtype":"F16","shape":[20],"data_offsets":[0,40]}})", "not of type F32"},
      {R"({"a":{"dtype":32,"shape":[10],"data_offsets":[0,40]}})", "not of type F32"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,40]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[10]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":10,"data_offsets":[0,40]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":["10"],"data_offsets":[0,40]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[10.0],"data_offsets":[0,40]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[-10],"data_offsets":[0,40]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[-2,-5],"data_offsets":[0,40]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[0]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40,80]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[-4,36]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[0,"40"]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[1e30],"data_offsets":[0,40]}})", "no proper shape"},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[40,0]}})", "ends at byte"},
      {R"({"a":{"dtype":"F32","shape":[11],"data_offsets":[0,44]}})", "ends at byte"},
      {R"({"a":{"dtype":"F32","shape":[9],"data_offsets":[2,38]}})", "ends at byte"},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[0,18446744073709551615]}})", "ends at byte"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,40]}})", "too large"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,40]}})", "too large"},
      {R"({"a":{"dtype":"F32","shape":[40,40],"data_offsets":[0,40]}})", "too large"},
      {R"({"a":{"dtype":"F32","shape":[9],"data_offsets":[0,40]}})", "shape of 9 elements"},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[0,38]}})", "shape of 10 elements"},
      {R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,40]}})", "shape of 0 elements"},
      {R"({"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}})", "the header speaks of 36"},
      {R"({"a":{"dtype":"F32","shape":[9],"data_offsets":[4,40]}})", "overlap or leave holes"},
      {R"({"a":{"dtype":"F32","shape":[5],"data_offsets":[0,20]},"b":{"dtype":"F32","shape":[4],"data_offsets":[24,40]}})",
       "overlap or leave holes"},
      {R"({"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},"b":{"dtype":"F32","shape":[5],"data_offsets":[20,40]}})",
       "overlap or leave holes"},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]},"b":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})",
       "overlap or leave holes"},
      {R"({"a":{"dtype":"F32","shape":[5],"data_offsets":[0,20]},"a":{"dtype":"F32","shape":[5],"data_offsets":[20,40]}})", "stands twice"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[10],"data_offsets":[0,40]}})", "stands twice"},
      {R"({"__metadata__":{"x":"1","x":"2"},"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})", "stands twice"},
      {R"({"__metadata__":{"x":1},"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})", "is not a string"},
      {R"({"__metadata__":{"x":{}},"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})", "is not a string"},
      {R"({"__metadata__":5,"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})", "is not a string"},
      {R"({"__metadata__":["x"],"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})", ""},
      {R"({"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})", "no checksum"},
      {R"({"__metadata__":{"checksum":""},"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})", "checksum does not match"},
      {R"({"__metadata__":{"checksum":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}})",
       "checksum does not match"},
  };
  for (const Case& one : cases) {
    write(folder / "bad", with_header(one.header, data));
    const std::string message = refusal(folder / "bad");
    INFO(std::string(one.header).substr(0, 150) << "\n" << message);
    REQUIRE_FALSE(message.empty());
    CHECK(message.find(one.why) != std::string::npos);
    CHECK(message.find((folder / "bad").string()) != std::string::npos);
  }
}

TEST_CASE("an impossible header length is refused before memory is taken for it") {
  const TemporaryFolder folder;
  const std::string good = good_file(folder / "good");
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{1}, header_length(good) - 1, header_length(good) + 1, std::uint64_t{good.size()},
        std::uint64_t{good.size() - 7}, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{0} - 7}) {
    std::string bad = good;
    std::memcpy(bad.data(), &length, sizeof length);
    write(folder / "bad", bad);
    INFO("a header of " << length << " bytes");
    CHECK_FALSE(refusal(folder / "bad").empty());
  }
}

TEST_CASE("what is no file is refused") {
  const TemporaryFolder folder;
  CHECK(refusal(folder / "missing").find("cannot read the checkpoint") != std::string::npos);
  CHECK_FALSE(refusal(folder.path()).empty());
  CHECK_FALSE(refusal("/dev/null").empty());
  CHECK_FALSE(refusal("/dev/zero").empty());
}

TEST_CASE("a flipped bit is noticed, wherever it is") {
  const TemporaryFolder folder;
  const std::string good = good_file(folder / "good");
  // Behind the header's JSON there are spaces up to the data: not content.
  const MemoryFile file;
  const std::size_t json_end = good.rfind('}', 8 + header_length(good)) + 1;
  for (std::size_t at = 0; at < good.size(); ++at) {
    const bool padding = at >= json_end && at < 8 + header_length(good);
    if (padding) continue;
    for (const int bit : {0, 6}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      file.set(bad);
      INFO("bit " << bit << " of byte " << at);
      REQUIRE_FALSE(refusal(file.path()).empty());
    }
  }
}

TEST_CASE("random damage is refused or harmless, never a crash") {
  const TemporaryFolder folder;
  const std::string good = good_file(folder / "good");
  const MemoryFile file;
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good;
    const unsigned changes = 1 + random() % 4;
    for (unsigned i = 0; i < changes; ++i) {
      // Most of it in the header, where the structure is.
      const std::size_t range = random() % 8 == 0 ? bad.size() : std::min<std::size_t>(bad.size(), 400);
      const std::size_t at = random() % range;
      switch (random() % 4) {
        case 0: bad[at] = static_cast<char>(random()); break;
        case 1: bad.erase(at, 1 + random() % 9); break;
        case 2: bad.insert(at, 1 + random() % 3, "0123456789{}[],:\"-e."[random() % 20]); break;
        default: bad[at] = "0123456789{}[],:\"-e."[random() % 20]; break;
      }
      if (bad.empty()) bad = "x";
    }
    // The length of the header made right again lets more of them through to the parser.
    if (random() % 2 == 0 && bad.size() >= 48) {
      const std::uint64_t length = bad.size() - 48;
      std::memcpy(bad.data(), &length, sizeof length);
    }
    file.set(bad);
    try {
      const SafetensorsFile read(file.path());
      double sum = 0;
      for (const NamedTensor& tensor : read.tensors()) sum += std::accumulate(tensor.floats().begin(), tensor.floats().end(), 0.0);
      REQUIRE(sum == 55);  // only where nothing of value was hit
    } catch (const RunError&) {
    }
  }
}
