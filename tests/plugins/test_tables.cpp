// Tables: csv and npy.
#include <catch2/catch.hpp>

#include "dataset_split.hpp"
#include "picture_makers.hpp"

using namespace fake;

namespace {

// All features and targets of a split of floats.
struct Table {
  nnrun_dataset_info info{};
  std::vector<std::string> class_names;
  std::vector<float> features, targets;
  std::vector<std::int32_t> labels;
};

Table read_all(const Component& dataset, const std::string& path, nnrun_split part = NNRUN_SPLIT_TRAIN) {
  const Split split(dataset, path, part);
  const auto& table = dataset.vtable<nnrun_dataset_vtable>();
  Table all;
  all.info = split.info;
  for (std::int64_t i = 0; split.info.class_names != nullptr && i < split.info.classes; ++i)
    all.class_names.emplace_back(split.info.class_names[i]);
  for (std::int64_t i = 0; i < split.info.count; ++i) {
    Buffer<> sample(NNRUN_F32, nnrun::Tensor(split.info.sample).shape());
    const nnrun_tensor tensor = sample.c();
    std::vector<float> label(static_cast<std::size_t>(std::max<std::int64_t>(split.info.targets, 1)));
    must([&](nnrun_error* e) { return table.read(split.handle(), i, &tensor, label.data(), e); });
    all.features.insert(all.features.end(), sample.numbers.begin(), sample.numbers.end());
    if (split.info.classes > 0) {
      std::int32_t value = -1;
      std::memcpy(&value, label.data(), sizeof value);
      all.labels.push_back(value);
    } else {
      all.targets.insert(all.targets.end(), label.begin(), label.end());
    }
  }
  return all;
}

struct Csv {
  TemporaryFolder folder;
  std::string path = folder / "table.csv";

  Table read(const Bytes& text, const Settings& settings) const {
    write_file(path, text);
    return read_all(Component("dataset", "csv", settings), path);
  }
  std::string failure(const Bytes& text, const Settings& settings = {{"label", std::string("kind")}}) const {
    return failure_of([&] { read(text, settings); });
  }
};

Bytes npy(const std::string& type, const std::string& shape, const Bytes& data, const std::string& fortran = "False") {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
  while ((10 + header.size()) % 64 != 63) header += ' ';
  header += '\n';
  return Bytes("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() % 256) + static_cast<char>(header.size() / 256) + header + data;
}

template <class Number>
Bytes raw(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

}  // namespace

TEST_CASE("csv: classes by their names, columns by theirs") {
  const Csv csv;
  const Bytes text = "id,width,kind,height\r\n1,1.5,tulip,-2\r\n\r\n2,\" 3e2\",\"a \"\"rose\"\", red\",+4\r\n3,0,tulip,7";
  const Table table = csv.read(text, {{"label", std::string("kind")}, {"leave_out", std::string("id")}});
  CHECK(table.info.count == 3);
  CHECK(table.features == std::vector<float>{1.5f, -2, 300, 4, 0, 7});
  CHECK(table.class_names == std::vector<std::string>{"a \"rose\", red", "tulip"});
  CHECK(table.labels == std::vector<std::int32_t>{1, 0, 1});
  // Whole numbers are sorted by value.
  CHECK(csv.read("10;1\n9;2\n-3;3\n", {{"label", std::string("1")}, {"header", 0.0}, {"separator", std::string(";")}}).class_names ==
        std::vector<std::string>{"-3", "9", "10"});
}

TEST_CASE("csv: numbers to learn") {
  const Csv csv;
  const Table table =
      csv.read("a\tprice\trent\n1\t10\t0.5\n2\t20\t0.25\n",
               {{"label", std::string("price, rent")}, {"task", std::string("regression")}, {"separator", std::string("tab")}});
  CHECK(table.info.classes == 0);
  CHECK(table.info.targets == 2);
  CHECK(table.features == std::vector<float>{1, 2});
  CHECK(table.targets == std::vector<float>{10, 0.5f, 20, 0.25f});
}

TEST_CASE("csv: errors name line and column") {
  const Csv csv;
  CHECK_SAYS(csv.failure("a,kind\n1,x\nabc,y\n"), "table.csv:3:1: column a: expected a number, got 'abc'");
  CHECK_SAYS(csv.failure("a,b,kind\n1,,x\n"), "table.csv:2:3: column b: expected a number, got nothing");
  CHECK_SAYS(csv.failure("a,kind\n1e99,x\n"), "table.csv:2:1: column a");
  CHECK_SAYS(csv.failure("a,kind\n0x1,x\n"), "table.csv:2:1: column a");
  CHECK_SAYS(csv.failure("a,kind\n1,x,3\n"), "table.csv:2:1: this row has 3 fields, the first one has 2");
  CHECK_SAYS(csv.failure("a,kind\n\"1\n,x\n"), "table.csv:2:1: these quotes are never closed");
  CHECK_SAYS(csv.failure("a,kind\n1,\"x\"y\n"), "table.csv:2:3: there is something behind the closing quotes");
  CHECK_SAYS(csv.failure("a,b\n1,2\n"), "has no column kind; it has a, b");
  CHECK_SAYS(csv.failure("kind\nx\n"), "no column left for features");
  CHECK_SAYS(csv.failure(""), "is empty");
  CHECK_SAYS(csv.failure("a,kind\n1,x\n", {{"label", std::string("a,kind")}}), "classification has one label");
  CHECK_SAYS(csv.failure("a,kind\n1,x\n", {{"label", std::string("kind")}, {"separator", std::string("::")}}), "one character");
  // The table to train settles columns and classes.
  write_file(csv.path, "a,kind\n1,x\n2,y\n");
  const Component dataset("dataset", "csv", {{"label", std::string("kind")}});
  CHECK(read_all(dataset, csv.path).labels == std::vector<std::int32_t>{0, 1});
  write_file(csv.path, "a,kind\n1,y\n");
  CHECK(read_all(dataset, csv.path, NNRUN_SPLIT_TEST).labels == std::vector<std::int32_t>{1});
  write_file(csv.path, "a,kind\n1,z\n");
  CHECK_SAYS(failure_of([&] { read_all(dataset, csv.path, NNRUN_SPLIT_TEST); }), "table.csv:2:3: the table to train has no class 'z'");
  write_file(csv.path, "b,kind\n1,x\n");
  CHECK_SAYS(failure_of([&] { read_all(dataset, csv.path, NNRUN_SPLIT_TEST); }), "has other columns");
}

TEST_CASE("npy: every type of features and labels") {
  const TemporaryFolder folder;
  const std::string path = folder / "set";
  const Component dataset("dataset", "npy");
  const std::vector<float> expected{1, 2, 3, 4, 5, 250};
  const auto write = [&](const Bytes& features, const Bytes& labels) {
    write_file(path + "-features.npy", features);
    write_file(path + "-labels.npy", labels);
  };
  const Bytes classes = npy("<i8", "(2,)", raw<std::int64_t>({1, 0}));
  CHECK(dataset.vtable<nnrun_dataset_vtable>().present(dataset.self(), path.c_str()) == 0);
  for (const Bytes& features :
       {npy("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5, 250})), npy("<f8", "(2, 3)", raw<double>({1, 2, 3, 4, 5, 250})),
        npy("<i4", "(2, 3)", raw<std::int32_t>({1, 2, 3, 4, 5, 250})), npy("<i8", "(2, 3)", raw<std::int64_t>({1, 2, 3, 4, 5, 250}))}) {
    write(features, classes);
    CHECK(dataset.vtable<nnrun_dataset_vtable>().present(dataset.self(), path.c_str()) == 2);
    const Table table = read_all(dataset, path);
    CHECK(table.features == expected);
    CHECK(table.labels == std::vector<std::int32_t>{1, 0});
    CHECK(table.info.classes == 2);
  }
  write(npy("|u1", "(2, 1, 3)", raw<std::uint8_t>({1, 2, 3, 4, 5, 250})), npy("|u1", "(2, 1)", raw<std::uint8_t>({3, 0})));
  const Split bytes(dataset, path);
  CHECK(bytes.info.sample.dtype == NNRUN_U8);
  CHECK(nnrun::Tensor(bytes.info.sample).shape() == nnrun::Shape{1, 3});
  CHECK(bytes.read(1) == std::pair(std::vector<std::uint8_t>{4, 5, 250}, std::int32_t{0}));
  CHECK(bytes.info.classes == 4);
  write(npy("<f4", "(2,)", raw<float>({1, 2})), npy("<f8", "(2, 2)", raw<double>({1, 2, 3, 4})));
  const Table numbers = read_all(dataset, path);
  CHECK(numbers.info.targets == 2);
  CHECK(numbers.targets == std::vector<float>{1, 2, 3, 4});
  CHECK(numbers.features == std::vector<float>{1, 2});
}

TEST_CASE("npy: bad files") {
  const TemporaryFolder folder;
  const std::string path = folder / "set";
  const Component dataset("dataset", "npy");
  const Bytes labels = npy("<i4", "(2,)", raw<std::int32_t>({1, 0}));
  const auto failure = [&](const Bytes& features, const Bytes& others) {
    write_file(path + "-features.npy", features);
    write_file(path + "-labels.npy", others);
    return failure_of([&] { read_all(dataset, path); });
  };
  const Bytes data = raw<float>({1, 2, 3, 4});
  REQUIRE(failure(npy("<f4", "(2, 2)", data), labels) == "no failure");
  CHECK_SAYS(failure("hello, this is no array", labels), "set-features.npy is no .npy file");
  CHECK_SAYS(failure("", labels), "is cut off");
  CHECK_SAYS(failure(npy("<f4", "(2, 2)", data, "True"), labels), "column by column", "ascontiguousarray");
  CHECK_SAYS(failure(npy(">f4", "(2, 2)", data), labels), "type >f4", "little-endian");
  CHECK_SAYS(failure(npy("<U5", "(2, 2)", data), labels), "type <U5");
  CHECK_SAYS(failure(npy("<f4", "(2, 3)", data), labels), "should hold 24 bytes", "holds 16");
  CHECK_SAYS(failure(npy("<f4", "(2, 1)", data), labels), "should hold 8 bytes");
  CHECK_SAYS(failure(npy("<f4", "(99999999999999999999, 2)", data), labels), "which is not read");
  CHECK_SAYS(failure(npy("<f4", "(0, 2)", ""), labels), "a dimension of 0");
  CHECK_SAYS(failure(npy("<f4", "()", raw<float>({1})), labels), "0 dimensions");
  CHECK_SAYS(failure(npy("<f4", "(1, 4)", data), labels), "1 samples", "2 labels", "do not belong together");
  CHECK_SAYS(failure(npy("<f4", "(2, 2)", raw<float>({1, 2, 3, NAN})), labels), "number 3 is not finite");
  CHECK_SAYS(failure(npy("<f4", "(2, 2)", data), npy("<i4", "(2,)", raw<std::int32_t>({1, -1}))), "label 1 is -1");
  CHECK_SAYS(failure(npy("<f4", "(2, 2)", data), npy("<i4", "(2, 2)", raw<std::int32_t>({1, 1, 1, 1}))), "labels are (N)");
  const Bytes good = npy("<f4", "(2, 2)", data);
  for (std::size_t size = 0; size < good.size(); ++size) CHECK(failure(good.substr(0, size), labels) != "no failure");
}
