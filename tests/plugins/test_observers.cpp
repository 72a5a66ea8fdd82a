#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "fake_host.hpp"

using fake::Component;

namespace {

struct Table {
  std::vector<double> numbers;
  std::int64_t columns;
};

struct Field {
  std::string name;
  std::variant<double, std::string, Table> value;
};

class Observer {
 public:
  explicit Observer(const std::string& name) : component_("observer", name), table_(component_.vtable<nnrun_observer_vtable>()) {}

  void open(const std::string& folder, std::int64_t position = 0) {
    fake::must([&](nnrun_error* e) { return table_.open(component_.self(), &fake::host(), folder.c_str(), position, e); });
  }
  void event(const char* name, const std::vector<Field>& fields) {
    std::vector<nnrun_field> list;
    for (const Field& field : fields) {
      nnrun_field c{};
      c.name = field.name.c_str();
      if (const auto* text = std::get_if<std::string>(&field.value)) c.text = text->c_str();
      if (const auto* number = std::get_if<double>(&field.value)) c.number = *number;
      if (const auto* table = std::get_if<Table>(&field.value)) {
        c.numbers = table->numbers.data();
        c.columns = table->columns;
        c.rows = static_cast<std::int64_t>(table->numbers.size()) / table->columns;
      }
      list.push_back(c);
    }
    const nnrun_event event{sizeof(nnrun_event), static_cast<std::uint32_t>(list.size()), name, list.data()};
    fake::must([&](nnrun_error* e) { return table_.event(component_.self(), &event, e); });
  }
  std::int64_t position() {
    nnrun_error error{};
    return table_.position(component_.self(), &error);
  }
  void close() { table_.close(component_.self()); }

 private:
  Component component_;
  const nnrun_observer_vtable& table_;
};

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// What is printed to standard output meanwhile.
template <class Body>
std::string printed(const std::string& file, Body&& body) {
  std::fflush(stdout);
  const int kept = dup(STDOUT_FILENO);
  const int to = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(to, STDOUT_FILENO);
  ::close(to);
  body();
  std::fflush(stdout);
  dup2(kept, STDOUT_FILENO);
  ::close(kept);
  return content(file);
}

std::string console_run(const std::string& data) {
  const fake::TemporaryFolder folder;
  return printed(folder / "out", [&] {
    Observer console("console");
    console.open(folder.path());
    console.event("start", {{"config", "configs/mnist_mlp.yaml"},
                            {"seed", 42.0},
                            {"threads", 2.0},
                            {"parameters", 242762.0},
                            {"train_samples", 60000.0},
                            {"test_samples", 10000.0},
                            {"validation_samples", 1000.0},
                            {"batch", 64.0},
                            {"epochs", 25.0},
                            {"data", data},
                            {"folder", "runs/mnist_mlp/1"}});
    console.event("batch", {{"epoch", 1.0},
                            {"step", 1.0},
                            {"steps_per_epoch", 938.0},
                            {"steps", 23450.0},
                            {"loss", 2.3},
                            {"learning_rate", 0.001},
                            {"samples_per_s", 48000.0},
                            {"seconds_left", 31.0}});
    console.event("epoch", {{"epoch", 1.0},
                            {"epochs", 25.0},
                            {"train_loss", 0.2512},
                            {"validation_loss", 0.131},
                            {"validation_accuracy", 0.9632},
                            {"learning_rate", 0.0005},
                            {"seconds", 1.26},
                            {"samples_per_s", 47619.0}});
    console.event("checkpoint", {{"step", 938.0}, {"file", "last.safetensors"}});
    console.event("note", {{"text", "something of note"}});
    console.event(
        "test",
        {{"loss", 0.0712}, {"accuracy", 0.98314}, {"samples", 10000.0}, {"data", data}, {"weights", "last"}, {"weights_sha256", "abc"}});
    console.event("end", {{"seconds", 75.2}, {"status", "done"}});
    console.close();
  });
}

}  // namespace

TEST_CASE("metrics.jsonl holds one object a line") {
  const fake::TemporaryFolder folder;
  Observer metrics("metrics");
  metrics.open(folder.path());
  metrics.event("start", {{"config", "a \"b\"\\\n\t\x01 \xc3\xa9"}, {"seed", 42.0}});
  metrics.event("batch",
                {{"step", 100000.0}, {"loss", static_cast<double>(0.1f)}, {"rate", 0.1}, {"bad", std::nan("")}, {"worse", -INFINITY}});
  metrics.event("checkpoint", {{"step", 1.0}});
  metrics.event("epoch", {{"epoch", 1.0}, {"zero", -0.0}, {"tiny", 5e-324}, {"negative", -3.0}});
  metrics.event("test", {{"confusion_matrix", Table{{5, 1, 0, 0.5, 2, 7}, 3}}});
  metrics.close();
  CHECK(content(folder / "metrics.jsonl") ==
        "{\"event\":\"start\",\"config\":\"a \\\"b\\\"\\\\\\n\\t\\u0001 \xc3\xa9\",\"seed\":42}\n"
        "{\"event\":\"batch\",\"step\":100000,\"loss\":0.10000000149011612,\"rate\":0.1,\"bad\":null,\"worse\":null}\n"
        "{\"event\":\"epoch\",\"epoch\":1,\"zero\":-0,\"tiny\":5e-324,\"negative\":-3}\n"
        "{\"event\":\"test\",\"confusion_matrix\":[[5,1,0],[0.5,2,7]]}\n");
}

TEST_CASE("metrics.jsonl is cut to the checkpoint on resume") {
  const fake::TemporaryFolder folder;
  const std::string path = folder / "metrics.jsonl";
  std::int64_t position = 0;
  {
    Observer metrics("metrics");
    metrics.open(folder.path());
    metrics.event("batch", {{"step", 1.0}});
    position = metrics.position();
    CHECK(position == static_cast<std::int64_t>(std::filesystem::file_size(path)));
    metrics.event("batch", {{"step", 2.0}});
    metrics.close();
    CHECK(static_cast<std::int64_t>(std::filesystem::file_size(path)) > position);
  }
  {
    Observer metrics("metrics");
    metrics.open(folder.path(), position);
    metrics.event("batch", {{"step", 3.0}});
    metrics.close();
    CHECK(content(path) == "{\"event\":\"batch\",\"step\":1}\n{\"event\":\"batch\",\"step\":3}\n");
  }
  {
    Observer metrics("metrics");
    CHECK(fake::failure_of([&] { metrics.open(folder.path(), 1000); }).find("bytes, but had 1000 when") != std::string::npos);
    metrics.open(folder.path());
    metrics.close();
    CHECK(content(path).empty());
  }
}

TEST_CASE("metrics.jsonl on a full disk is an error that names the file") {
  const fake::TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "metrics.jsonl");
  Observer metrics("metrics");
  metrics.open(folder.path());
  metrics.event("batch", {{"step", 1.0}});
  CHECK(metrics.position() == -1);
  CHECK(fake::failure_of([&] {
          metrics.event("epoch", {{"epoch", 1.0}});
        }) == "cannot write " + (folder / "metrics.jsonl") + ": No space left on device");
  metrics.close();
  CHECK(fake::failure_of([&] { metrics.open(folder / "nowhere"); }).find("No such file") != std::string::npos);
}

TEST_CASE("the console prints plain lines into a pipe") {
  const std::string shown = console_run("real");
  CHECK(shown ==
        "configs/mnist_mlp.yaml\n"
        "  model  242,762 parameters\n"
        "  data   60,000 samples to train, 1,000 to validate, 10,000 to test\n"
        "  run    25 epochs, batch 64, seed 42, 2 threads\n"
        "  files  runs/mnist_mlp/1\n"
        "\n"
        "epoch  1/25   loss 0.2512   validation loss 0.1310, accuracy 96.32 %   rate 0.0005   1.3 s   47,619 samples/s\n"
        "something of note\n"
        "\n"
        "test    loss 0.0712, accuracy 98.31 % on 10,000 samples, last weights\n"
        "done after 1:15\n");
}

TEST_CASE("the console says first and last that data is drawn") {
  const std::string shown = console_run("drawn");
  const std::size_t first = shown.find("DRAWN DATA");
  const std::size_t last = shown.rfind("DRAWN DATA");
  CHECK(first < shown.find("parameters"));
  CHECK(last > shown.find("done after"));
  CHECK(last != std::string::npos);
  CHECK(shown.find("(drawn data)") != std::string::npos);
}
