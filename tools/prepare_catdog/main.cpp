// Makes small archives of the Dogs vs. Cats photographs, for datasets/fetch.sh.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "prepare.hpp"

int main(int argc, char** argv) {
  CLI::App app("Prepares the Dogs vs. Cats photographs as image_folder takes them: 128 x 128, in train.tar and test.tar.");
  std::string from, folder;
  CLI::App* prepare = app.add_subcommand("prepare", "make FOLDER/train.tar and FOLDER/test.tar");
  prepare->add_option("FROM", from, "the original archive, or a folder with PetImages/Cat, PetImages/Dog or cat.0.jpg, ...")->required();
  prepare->add_option("FOLDER", folder, "where to")->required();
  CLI::App* check = app.add_subcommand("check", "whether FOLDER/train.tar and FOLDER/test.tar are whole");
  check->add_option("FOLDER", folder, "where they are")->required();
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    if (*prepare) nnrun::catdog::prepare(from, folder);
    if (*check) nnrun::catdog::check(folder);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
  return 0;
}
