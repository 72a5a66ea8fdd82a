#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"

using namespace nnrun::core;

namespace {

std::shared_ptr<const Source> source_of(std::string text, bool numbered = true) {
  auto source = std::make_shared<Source>();
  source->name = numbered ? "configs/x.yaml" : "command line";
  source->text = std::move(text);
  source->numbered = numbered;
  return source;
}

}  // namespace

TEST_CASE("an error shows its line, a caret and a suggestion") {
  const auto source = source_of("a: 1\n    - conv2d: {filters: 32, kernal: 3}\n");
  const std::size_t byte = source->text.find("kernal");
  const Diagnostic error = make_error(locate(source, byte, 6), "conv2d has no parameter 'kernal'", "did you mean 'kernel'?");
  CHECK(render(error) ==
        "configs/x.yaml:2:29: error: conv2d has no parameter 'kernal'\n"
        "   - conv2d: {filters: 32, kernal: 3}\n"
        "                           ^~~~~~ did you mean 'kernel'?\n");
}

TEST_CASE("colour appears only when asked for") {
  const Diagnostic error = make_error(locate(source_of("a: 1\n"), 3, 1), "wrong");
  CHECK(render(error).find('\033') == std::string::npos);
  CHECK(render(error, true).find("\033[1;31merror: \033[0m") != std::string::npos);
}

TEST_CASE("notes follow their error; without a place they are a line") {
  Diagnostic error = make_error({}, "unknown layer 'swish'");
  error.notes.push_back(make_note({}, "nnrun_swish.so was skipped"));
  CHECK(render(error) == "error: unknown layer 'swish'\nnote: nnrun_swish.so was skipped\n");
  CHECK(std::string(DiagnosticError(error).what()) == render(error));
}

TEST_CASE("the command line has no line numbers") {
  const auto source = source_of("train.batch=0", false);
  CHECK(render(make_error(locate(source, 12, 1), "train.batch must be at least 1, got 0")) ==
        "command line: error: train.batch must be at least 1, got 0\n"
        "   train.batch=0\n"
        "               ^\n");
}

TEST_CASE("columns count characters, not bytes") {
  const auto source = source_of("größe: 3\n");
  const Location where = locate(source, source->text.find('3'), 1);
  CHECK(where.column == 8);
  CHECK(render(make_error(where, "m")) == "configs/x.yaml:1:8: error: m\n   größe: 3\n          ^\n");
}

TEST_CASE("long lines are cut around the caret") {
  const auto source = source_of(std::string(5000, 'a') + "HERE" + std::string(5000, 'b'));
  const std::string text = render(make_error(locate(source, 5000, 4), "m"));
  CHECK(text.size() < 400);
  CHECK(text.find("HERE") != std::string::npos);
  const std::size_t caret = text.rfind('^') - (text.rfind('\n', text.rfind('^')) + 1);
  const std::size_t here = text.find("HERE") - (text.rfind('\n', text.find("HERE")) + 1);
  CHECK(caret == here);
}

TEST_CASE("nothing that a terminal would obey is printed") {
  const auto source = source_of("a: \033[2J\x80\n");
  const std::string text = render(make_error(locate(source, 3, 1), "got " + quote("\033[2J")));
  CHECK(text.find('\033') == std::string::npos);
  CHECK(text.find('\x80') == std::string::npos);
}

TEST_CASE("edit distance") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("kernel", "kernel") == 0);
  CHECK(edit_distance("kernal", "kernel") == 1);
  CHECK(edit_distance("desne", "dense") == 1);  // a swap of neighbours
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("epoch", "epochs") == 1);
}

TEST_CASE("suggestions are close, or there are none") {
  const std::vector<std::string> names = {"dense", "relu", "learning_rate", "conv2d", "batch", "weight_decay"};
  CHECK(closest("desne", names) == "dense");
  CHECK(closest("ReLU", names) == "relu");
  CHECK(closest("lr", names) == "learning_rate");
  CHECK(closest("learning-rate", names) == "learning_rate");
  CHECK(closest("conv", names) == "conv2d");
  CHECK(closest("batch_size", names) == "batch");
  CHECK(closest("swish", names).empty());
  CHECK(closest("x", names).empty());
  CHECK(closest(std::string(1000, 'd'), names).empty());
  CHECK(did_you_mean("desne", names) == "did you mean 'dense'?");
}

TEST_CASE("errors are sorted by place, files in order of appearance") {
  const auto a = source_of("1\n2\n3\n"), b = source_of("1\n");
  std::vector<Diagnostic> errors = {make_error(locate(a, 4, 1), "a3"), make_error(locate(b, 0, 1), "b1"),
                                    make_error(locate(a, 0, 1), "a1")};
  sort_by_location(errors);
  CHECK(errors[0].message == "a1");
  CHECK(errors[1].message == "a3");
  CHECK(errors[2].message == "b1");
}
