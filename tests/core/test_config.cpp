#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include "config/config.hpp"
#include "config/yaml.hpp"

using namespace nnrun::core;
namespace fs = std::filesystem;

namespace {

std::string error_of(const std::string& text) {
  try {
    parse_yaml("x.yaml", text);
  } catch (const DiagnosticError& error) {
    return error.diagnostics().at(0).message;
  }
  return {};
}

// A folder that is gone at the end of the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("nnrun_config_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)))) {
    fs::create_directories(path_ / "sub");
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string path(const std::string& name = "") const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("values keep their text, their quotes and their places") {
  const Node root = parse_yaml("x.yaml", "seed: 012 # c\nrun:\n  folder: \"a b\"\nlist: [1, ~, x]\nempty:\n");
  REQUIRE(root.entries.size() == 4);
  CHECK(root.entries[0].key == "seed");
  CHECK(root.entries[0].value.text == "012");
  CHECK_FALSE(root.entries[0].value.quoted);
  CHECK(root.entries[0].value.where.column == 7);
  CHECK(root.entries[0].value.where.length == 3);
  const Node& folder = root.find("run")->value.find("folder")->value;
  CHECK(folder.quoted);
  CHECK(folder.text == "a b");
  CHECK(folder.where.line == 3);
  CHECK(folder.where.length == 5);
  CHECK(root.find("list")->value.items.at(1).is_null());
  CHECK(root.find("list")->value.items.at(1).text == "~");
  CHECK(root.find("empty")->value.is_null());
  CHECK(root.find("empty")->value.text.empty());
  CHECK(root.find("empty")->value.where.line == 5);
  CHECK(root.find("nothing") == nullptr);
}

TEST_CASE("windows line ends and a byte order mark are harmless") {
  const Node root = parse_yaml("x.yaml", "\xEF\xBB\xBFseed: 1\r\nrun:\r\n  folder: a\r\n");
  CHECK(root.find("seed")->value.text == "1");
  CHECK(root.find("run")->value.find("folder")->value.text == "a");
}

TEST_CASE("the parser's traps are errors") {
  CHECK(error_of("a: 1\na: 2\n").find("duplicate key 'a': lines 1 and 2") == 0);
  CHECK(error_of("a: {x: 1}\nb:\n  <<: {y: 1}\n").find("'<<' does not merge") == 0);
  CHECK(error_of("a: &a [*a]\n").find("anchor") == 0);
  CHECK(error_of("a: *nowhere\n").find("a config has no anchors and aliases") == 0);
  CHECK(error_of(",").find("the config ends before this") == 0);
  CHECK(error_of("a: 1\n---\nb: 2\n").find("the config ends before this") == 0);
  CHECK(error_of("").find("the file is empty") == 0);
  CHECK(error_of(std::string("a: \0b", 5)).find("control character 0x00") == 0);
  CHECK(error_of("a: \xC0\x80").find("byte 0xC0 is not UTF-8") == 0);
  CHECK(error_of("a: \xED\xA0\x80").find("byte 0xED is not UTF-8") == 0);
  CHECK(error_of("a:\n\tb: 1\n").find("a tab in the indentation") == 0);
  CHECK(error_of("a: \"x\\0y\"\n").find("a text cannot contain") == 0);
  CHECK(error_of("a: \"\\uD800\"\n").find("not YAML") == 0);
}

TEST_CASE("an alias bomb costs nothing") {
  std::string bomb = "a0: &a0 x\n";
  for (int i = 1; i <= 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before + "]\n";
  }
  CHECK(error_of(bomb).find("anchor") == 0);
}

TEST_CASE("a config has a budget") {
  CHECK(error_of("a: " + std::string(33, '[') + std::string(33, ']')).find("nested deeper than 32") == 0);
  CHECK(error_of("a: " + std::string(20, '[') + std::string(20, ']')).empty());
  std::string many = "a: [";
  for (std::size_t i = 0; i <= max_config_nodes; ++i) many += "1,";
  CHECK(error_of(many + "]").find("more than 100000 values") == 0);
  std::string keys = "a: {";
  for (std::size_t i = 0; i <= max_config_keys; ++i) keys += "k" + std::to_string(i) + ": 1,";
  CHECK(error_of(keys + "}").find("a map with more than 1000 keys") == 0);
  CHECK(error_of("a: " + std::string(max_config_bytes, 'x')).find("the file is larger than 1024 KiB") == 0);
}

TEST_CASE("several mistakes are reported at once") {
  try {
    parse_yaml("x.yaml", "a: &x 1\nb: 1\nb: 2\nc: !t 1\n");
    FAIL("accepted");
  } catch (const DiagnosticError& error) {
    CHECK(error.diagnostics().size() == 3);
  }
}

TEST_CASE("overrides are split at dots and brackets") {
  const Override change = parse_override("model.layers[3].dense.units=5");
  REQUIRE(change.path.size() == 5);
  CHECK(change.path[1].name == "layers");
  CHECK(change.path[2].is_index);
  CHECK(change.path[2].index == 3);
  CHECK(change.path[2].where.column == 13);
  CHECK(change.value.text == "5");
  CHECK(change.value.where.file_name() == "command line");
  CHECK(parse_override("a={b: [1, x]}").value.find("b")->value.items.at(1).text == "x");
  CHECK(parse_override("a=\"q: #\"").value.text == "q: #");
  CHECK(parse_override("a=/some: path #1=x").value.text == "/some: path #1=x");  // only brackets and quotes start YAML
  CHECK(parse_override("a=").value.is_null());
  CHECK(parse_override("a=null").value.is_null());
  for (const char* text :
       {"a", "=1", "a.=1", ".a=1", "a[=1", "a[]=1", "a[1=1", "a[1]b=1", "a[99999999999]=1", "a={", "a=[1]]", "a b=1", ""}) {
    INFO(text);
    CHECK_THROWS_AS(parse_override(text), DiagnosticError);
  }
}

TEST_CASE("extends is relative to the file that says it") {
  const Folder folder;
  folder.write("base.yaml", "seed: 1\nplugins: [x.so]\n");
  folder.write("sub/middle.yaml", "extends: ../base.yaml\nseed: 2\n");
  const std::string path = folder.write("top.yaml", "extends: sub/middle.yaml\nrun: {folder: r}\n");
  const Config config = load_config(path);
  REQUIRE(config.files.size() == 3);
  CHECK(config.files[0].find("seed")->value.text == "1");
  CHECK(config.files[1].find("seed")->value.text == "2");
  CHECK(config.files[2].find("extends") == nullptr);
  REQUIRE(config.plugins.size() == 1);
  CHECK(config.plugins[0].path == folder.path("x.so"));
}

TEST_CASE("plugins: the last word counts") {
  const Folder folder;
  const std::string path = folder.write("a.yaml", "plugins: one.so\n");
  CHECK(load_config(path).plugins.at(0).path == folder.path("one.so"));
  const Config config = load_config(path, {"plugins=[/abs/two.so, three.so]"});
  REQUIRE(config.plugins.size() == 2);
  CHECK(config.plugins[0].path == "/abs/two.so");
  CHECK(config.plugins[1].path == (fs::current_path() / "three.so").string());
}

TEST_CASE("a missing config names one that is there") {
  const Folder folder;
  folder.write("mnist.yaml", "seed: 1\n");
  try {
    load_config(folder.path("mnits.yaml"));
    FAIL("accepted");
  } catch (const DiagnosticError& error) {
    CHECK(error.diagnostics().at(0).message == "no such file");
    CHECK(error.diagnostics().at(0).suggestion == "did you mean '" + folder.path("mnist.yaml") + "'?");
  }
  CHECK_THROWS_AS(load_config(folder.path()), DiagnosticError);
}

TEST_CASE("a text from a checkpoint cannot extend") {
  CHECK_THROWS_AS(config_from_text("checkpoint", "extends: a.yaml\n"), DiagnosticError);
}
