#include <zlib.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <functional>

#include "dataset_split.hpp"

using fake::Component;
using fake::Split;

namespace {

using Bytes = std::string;

Bytes big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

Bytes idx(std::uint32_t magic, const std::vector<std::uint32_t>& dims, const Bytes& data) {
  Bytes file = big_endian(magic);
  for (const std::uint32_t dim : dims) file += big_endian(dim);
  return file + data;
}

// Four pictures of 2 x 3, with pixels 0, 1, 2, ..., and their labels.
Bytes pictures() {
  Bytes data;
  for (char i = 0; i < 24; ++i) data += i;
  return idx(0x803, {4, 2, 3}, data);
}
Bytes labels() { return idx(0x801, {4}, {3, 0, 7, 1}); }

Bytes packed(const Bytes& plain) {
  Bytes out(compressBound(plain.size()) + 64, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes in = plain;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void write(const std::string& path, const Bytes& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

struct IdxFiles {
  fake::TemporaryFolder folder;
  Component dataset{"dataset", "idx"};
  std::string prefix = folder / "train";
  std::string images = prefix + "-images-idx3-ubyte", labels_path = prefix + "-labels-idx1-ubyte";

  int present() const { return dataset.vtable<nnrun_dataset_vtable>().present(dataset.self(), prefix.c_str()); }

  std::string failure() const {
    return fake::failure_of([&] { Split(dataset, prefix); });
  }
  // What opening says of these files; it names the first one.
  std::string failure(const Bytes& images_bytes, const Bytes& labels_bytes, const std::string& ending = "") const {
    write(images + ending, images_bytes);
    write(labels_path + ending, labels_bytes);
    const std::string text = failure();
    std::filesystem::remove(images + ending);
    std::filesystem::remove(labels_path + ending);
    return text;
  }

  std::vector<std::uint8_t> read_file(const std::string& path, std::int64_t index, std::int64_t height = 2, std::int64_t width = 3) const {
    fake::Buffer<std::uint8_t> sample(NNRUN_U8, {height, width, 1});
    const nnrun_tensor tensor = sample.c();
    fake::must(
        [&](nnrun_error* e) { return dataset.vtable<nnrun_dataset_vtable>().read_file(dataset.self(), path.c_str(), index, &tensor, e); });
    return sample.numbers;
  }
};

}  // namespace

TEST_CASE("idx reads plain and packed files, whole") {
  for (const bool gzip : {false, true}) {
    IdxFiles files;
    CHECK(files.present() == 0);
    const std::string ending = gzip ? ".gz" : "";
    write(files.images + ending, gzip ? packed(pictures()) : pictures());
    CHECK(files.present() == 1);
    write(files.labels_path + ending, gzip ? packed(labels()) : labels());
    CHECK(files.present() == 2);
    const Split split(files.dataset, files.prefix);
    CHECK(split.info.count == 4);
    CHECK(split.info.classes == 8);
    CHECK(split.info.sample.dtype == NNRUN_U8);
    CHECK(nnrun::Tensor(split.info.sample).shape() == nnrun::Shape{2, 3, 1});
    CHECK(split.read(0) == std::pair(std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5}, std::int32_t{3}));
    CHECK(split.read(3) == std::pair(std::vector<std::uint8_t>{18, 19, 20, 21, 22, 23}, std::int32_t{1}));
  }
}

TEST_CASE("idx understands the other spelling of the names") {
  IdxFiles files;
  write(files.prefix + "-images.idx3-ubyte", pictures());
  write(files.prefix + "-labels.idx1-ubyte", labels());
  CHECK(files.present() == 2);
  CHECK(Split(files.dataset, files.prefix).info.count == 4);
}

TEST_CASE("idx refuses bad files and says why") {
  const IdxFiles files;
  CHECK_SAYS(files.failure(), "there is neither ", "train-images-idx3-ubyte nor ", "README");
  const Bytes good = pictures();

  SECTION("headers") {
    CHECK_SAYS(files.failure(labels(), labels()), files.images.c_str(), "expected magic 0x00000803, got 0x00000801", "as labels are");
    CHECK_SAYS(files.failure(good, good), files.labels_path.c_str(), "expected magic 0x00000801, got 0x00000803", "as pictures are");
    CHECK_SAYS(files.failure(packed(good), labels()), "gzip data; name it .gz");
    CHECK_SAYS(files.failure("<!DOCTYPE html>", labels()), "a web page");
    CHECK_SAYS(files.failure(idx(0xD03, {4, 2, 3}, good), labels()), "IDX floats in 3 dimensions");
    CHECK_SAYS(files.failure(idx(0x12345678, {4, 2, 3}, good), labels()), "0x12345678 (no IDX file)");
    CHECK_SAYS(files.failure("", labels()), "too short for the header", "expected 16 bytes");
    CHECK_SAYS(files.failure(good.substr(0, 15), labels()), "too short for the header");
    CHECK_SAYS(files.failure(idx(0x803, {0, 2, 3}, ""), labels()), "holds no samples");
    CHECK_SAYS(files.failure(idx(0x803, {4, 0, 3}, ""), labels()), "a dimension of 0", "1 to 65536");
    CHECK_SAYS(files.failure(idx(0x803, {4, 2, 65537}, ""), labels()), "a dimension of 65537");
    CHECK_SAYS(files.failure(idx(0x803, {0xffffffff, 65536, 65536}, ""), labels()), "more than 16 GiB");
    CHECK_SAYS(files.failure(idx(0x803, {1000000, 28, 28}, "x"), labels()), "is cut off", "(1000000, 28, 28)", "784,000,000 bytes");
  }
  SECTION("lengths") {
    CHECK_SAYS(files.failure(good.substr(0, good.size() - 1), labels()), files.images.c_str(), "is cut off");
    CHECK_SAYS(files.failure(good + "x", labels()), files.images.c_str(), "goes on behind");
    CHECK_SAYS(files.failure(good, labels() + "x"), files.labels_path.c_str(), "goes on behind");
    CHECK_SAYS(files.failure(good, idx(0x801, {3}, {1, 2, 3})), "4 pictures", "3 labels", "do not belong together");
  }
  SECTION("gzip") {
    const Bytes small = packed(good);
    const auto failure = [&](const Bytes& bytes) { return files.failure(bytes, packed(labels()), ".gz"); };
    CHECK_SAYS(failure(good), "not a gzip file");
    CHECK_SAYS(failure(""), "not a gzip file");
    for (std::size_t size = 2; size < small.size(); ++size) CHECK_SAYS(failure(small.substr(0, size)), files.images.c_str(), "get it anew");
    CHECK_SAYS(failure(small + "x"), "behind the end of its gzip data");
    CHECK_SAYS(failure(small + small), "behind the end of its gzip data");
    CHECK_SAYS(failure(packed(good.substr(0, good.size() - 1))), "is cut off", "got 23");
    CHECK_SAYS(failure(packed(good + "x")), "goes on behind the data");
    // Each single bit behind the header, whose time and such are read by nobody. The last bits of the packed data, up to 7, only
    // fill a byte.
    int unnoticed = 0;
    for (std::size_t bit = 10 * 8; bit < small.size() * 8; ++bit) {
      Bytes damaged = small;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      unnoticed += failure(damaged) == "no failure" ? 1 : 0;
    }
    CHECK(unnoticed <= 7);
    // A small file that would unpack to 1 GB.
    CHECK_SAYS(failure(packed(idx(0x803, {1000000, 32, 32}, ""))), "is cut off", "more than a file of its size can hold");
  }
  SECTION("no files at all") {
    std::filesystem::create_directory(files.images);
    write(files.labels_path, labels());
    CHECK_SAYS(files.failure(), "not a regular file");
    std::filesystem::remove(files.images);
    std::filesystem::create_symlink("nowhere", files.images);
    CHECK(files.present() == 1);
    CHECK_SAYS(files.failure(), "there is neither");
  }
}

TEST_CASE("idx reads a picture to predict") {
  const IdxFiles files;
  const std::string pgm = files.folder / "digit.pgm";
  const std::vector<std::uint8_t> expected{0, 51, 102, 153, 204, 255};
  write(pgm, Bytes("P5 3 2 255\n") + Bytes("\x00\x33\x66\x99\xcc\xff", 6));
  CHECK(files.read_file(pgm, 0) == expected);
  write(pgm, "P2\n# drawn by hand\n3 2\n5\n0 1 2\n3 4 5\n");
  CHECK(files.read_file(pgm, 0) == expected);
  write(pgm, Bytes("P5\n3 2\n65535\n") + Bytes("\x00\x00\x33\x33\x66\x66\x99\x99\xcc\xcc\xff\xff", 12));
  CHECK(files.read_file(pgm, 0) == expected);
  CHECK_SAYS(fake::failure_of([&] { files.read_file(pgm, 1); }), "it has no number 1");
  CHECK_SAYS(fake::failure_of([&] { files.read_file(pgm, 0, 28, 28); }), "is 3 x 2 pixels, expected 28 x 28", "-resize 28x28!");

  for (const char* bad :
       {"P5 3 2 255\nabc", "P5", "P5 3", "P5 0 2 255\n", "P5 99999999999999999999 2 255\n", "P5 65536 65536 255\n", "P5 3 2 0\nabcdef",
        "P2 3 2 5 0 1 2 3 4 6", "P2 3 2 5 0 1 2 3 4", "P2 3 2 5 0 1 2 x 4 5", "P5 3 2 100\nabcde\xff"}) {
    write(pgm, bad);
    INFO(bad);
    CHECK_SAYS(fake::failure_of([&] { files.read_file(pgm, 0); }), pgm.c_str());
  }

  const std::string set = files.folder / "set.gz";
  write(set, packed(pictures()));
  CHECK(files.read_file(set, 2) == std::vector<std::uint8_t>{12, 13, 14, 15, 16, 17});
  CHECK_SAYS(fake::failure_of([&] { files.read_file(set, 4); }), "pictures 0 to 3, not 4");
  write(pgm, "\x89PNG\r\n");
  CHECK_SAYS(fake::failure_of([&] { files.read_file(pgm, 0); }), "a PNG picture", "a PGM file (P5 or P2)");
  CHECK_SAYS(fake::failure_of([&] { files.read_file(files.folder / "nothing", 0); }), "cannot open", "No such file");
}

TEST_CASE("drawn_digits are balanced, and the same for the same seed") {
  const Component dataset("dataset", "drawn_digits", {{"count", 200.0}});
  CHECK(dataset.vtable<nnrun_dataset_vtable>().drawn == 1);
  CHECK(dataset.vtable<nnrun_dataset_vtable>().present == nullptr);
  const Split train(dataset, ""), again(dataset, ""), other_seed(dataset, "", NNRUN_SPLIT_TRAIN, 43);
  const Split test(dataset, "", NNRUN_SPLIT_TEST), validation(dataset, "", NNRUN_SPLIT_VALIDATION);
  CHECK(train.info.count == 200);
  CHECK(test.info.count == 33);
  CHECK(Split(Component("dataset", "drawn_digits", {{"count", 10.0}}), "", NNRUN_SPLIT_TEST).info.count == 10);
  CHECK(train.info.classes == 10);
  CHECK(std::string(train.info.class_names[7]) == "7");
  CHECK(nnrun::Tensor(train.info.sample).shape() == nnrun::Shape{28, 28, 1});
  for (std::int64_t i = 0; i < 200; ++i) {
    CHECK(train.read(i).second == i % 10);
    CHECK(train.read(i) == again.read(i));
    CHECK(train.read(i) != other_seed.read(i));
    if (i < 33) {
      CHECK(train.read(i) != test.read(i));
      CHECK(test.read(i) != validation.read(i));
    }
    if (i >= 10) CHECK(train.read(i).first != train.read(i - 10).first);
  }
}

TEST_CASE("drawn_digits of different classes differ: the nearest mean picture tells most of them apart") {
  const Component dataset("dataset", "drawn_digits", {{"count", 2000.0}});
  const Split train(dataset, ""), test(dataset, "", NNRUN_SPLIT_TEST);
  std::vector<std::vector<double>> mean(10, std::vector<double>(784));
  for (std::int64_t i = 0; i < train.info.count; ++i) {
    const auto [pixels, label] = train.read(i);
    for (std::size_t p = 0; p < 784; ++p) mean[static_cast<std::size_t>(label)][p] += pixels[p] / 200.0;
  }
  int right = 0;
  for (std::int64_t i = 0; i < test.info.count; ++i) {
    const auto [pixels, label] = test.read(i);
    double least = 1e18;
    std::size_t nearest = 0;
    for (std::size_t digit = 0; digit < 10; ++digit) {
      double distance = 0;
      for (std::size_t p = 0; p < 784; ++p) distance += (pixels[p] - mean[digit][p]) * (pixels[p] - mean[digit][p]);
      if (distance < least) {
        least = distance;
        nearest = digit;
      }
    }
    right += static_cast<std::int32_t>(nearest) == label ? 1 : 0;
  }
  const double accuracy = static_cast<double>(right) / static_cast<double>(test.info.count);
  INFO(accuracy);
  CHECK(accuracy > 0.6);
  CHECK(accuracy < 0.98);  // and they are not all alike
}

TEST_CASE("drawn_pets are cats and dogs by turns, and the same for the same seed") {
  const Component dataset("dataset", "drawn_pets", {{"count", 64.0}});
  CHECK(dataset.vtable<nnrun_dataset_vtable>().drawn == 1);
  CHECK(dataset.vtable<nnrun_dataset_vtable>().present == nullptr);
  const Split train(dataset, ""), again(dataset, ""), other_seed(dataset, "", NNRUN_SPLIT_TRAIN, 43);
  const Split test(dataset, "", NNRUN_SPLIT_TEST), validation(dataset, "", NNRUN_SPLIT_VALIDATION);
  CHECK(train.info.count == 64);
  CHECK(test.info.count == 16);
  CHECK(nnrun::Tensor(train.info.sample).shape() == nnrun::Shape{128, 128, 3});
  CHECK(std::string(train.info.class_names[0]) == "cat");
  CHECK(std::string(train.info.class_names[1]) == "dog");
  for (std::int64_t i = 0; i < 64; ++i) {
    CHECK(train.read(i).second == i % 2);
    CHECK(train.info.labels[i] == i % 2);
    CHECK((train.read(i) == again.read(i)));
    CHECK((train.read(i) != other_seed.read(i)));
    if (i < 16) CHECK((train.read(i) != test.read(i)));
    if (i < 16) CHECK((test.read(i) != validation.read(i)));
  }
}
