// Folders and archives of pictures.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "dataset_split.hpp"
#include "picture_makers.hpp"

using namespace fake;

namespace {

Settings of_size(double size, Settings more = {}) {
  more.emplace("size", std::vector<double>{size});
  return more;
}

// Ten pictures of each class, each of one colour: red tells the class, green the picture.
std::vector<Member> two_classes(int each = 10) {
  std::vector<Member> members;
  for (int label = 0; label < 2; ++label) {
    for (int i = 0; i < each; ++i) {
      const Bytes file = png(plain_picture(6 + i, 9, {static_cast<std::uint8_t>(100 * label), static_cast<std::uint8_t>(i), 7}));
      members.push_back({std::string(label == 0 ? "cat/" : "dog/") + std::to_string(100 + i) + ".png", file, ""});
    }
  }
  return members;
}

void write_folder(const std::string& path, const std::vector<Member>& members) {
  for (const Member& member : members) write_file(path + "/" + member.path, member.bytes);
}

// Which picture of two_classes() each sample is.
std::vector<std::pair<int, int>> who(const Split& split) {
  std::vector<std::pair<int, int>> all;
  for (std::int64_t i = 0; i < split.info.count; ++i) {
    const auto [pixels, label] = split.read(i);
    REQUIRE(pixels[0] == 100 * label);
    REQUIRE(split.info.labels[i] == label);
    all.emplace_back(label, pixels[1]);
  }
  return all;
}

}  // namespace

TEST_CASE("image_folder reads folders and archives alike, in the order of names") {
  const TemporaryFolder folder;
  std::vector<Member> members = two_classes();
  write_folder(folder / "all", members);
  std::reverse(members.begin(), members.end());
  for (const char* format : {"tar", "tar.gz", "zip", "zip stored"}) write_archive(folder / format, format, members);
  for (const char* cache : {"memory", "none", "auto"}) {
    for (const char* path : {"all", "tar", "tar.gz", "zip", "zip stored"}) {
      INFO(path << ", cache " << cache);
      const Component dataset("dataset", "image_folder", of_size(4, {{"cache", std::string(cache)}}));
      CHECK(dataset.vtable<nnrun_dataset_vtable>().present(dataset.self(), (folder / path).c_str()) == 2);
      CHECK(dataset.vtable<nnrun_dataset_vtable>().present(dataset.self(), (folder / "no").c_str()) == 0);
      const Split split(dataset, folder / path);
      CHECK(split.info.count == 20);
      CHECK(nnrun::Tensor(split.info.sample).shape() == nnrun::Shape{4, 4, 3});
      CHECK(split.info.classes == 2);
      CHECK(std::string(split.info.class_names[0]) == "cat");
      CHECK(std::string(split.info.class_names[1]) == "dog");
      CHECK(split.info.note == nullptr);
      const auto found = who(split);
      for (int i = 0; i < 20; ++i) CHECK(found[static_cast<std::size_t>(i)] == std::pair(i / 10, i % 10));
    }
  }
}

TEST_CASE("image_folder: sizes and grey") {
  const TemporaryFolder folder;
  write_archive(folder / "set.tar", "tar", two_classes());
  const Component dataset("dataset", "image_folder", {{"size", std::vector<double>{3, 5}}, {"color", std::string("grey")}});
  const Split split(dataset, folder / "set.tar");
  CHECK(nnrun::Tensor(split.info.sample).shape() == nnrun::Shape{3, 5, 1});
  CHECK(split.read(19).first[0] == (19595 * 100 + 38470 * 9 + 7471 * 7 + 32768) >> 16);
}

TEST_CASE("image_folder: a class is the folder that a picture lies in, whatever lies around") {
  const TemporaryFolder folder;
  std::vector<Member> members = two_classes(2);
  for (Member& member : members) member.path = "./photos/train/" + member.path;
  const Bytes other = png(plain_picture(2, 2, {9, 9, 9}));
  members.push_back({"photos/README.txt", "about them", ""});
  members.push_back({"photos/train/cat/.hidden.png", other, ""});
  members.push_back({"photos/.thumbnails/x/1.png", other, ""});
  members.push_back({"__MACOSX/cat/100.png", other, ""});
  members.push_back({"photos/train/cat/Thumbs.db", "no picture", ""});
  members.push_back({"photos/train/cat/link.png", "", "100.png"});
  members.push_back({"photos/train/cat/outside.png", "", "/etc/passwd"});
  members.push_back({"../evil/1.png", other, ""});
  members.push_back({"/etc/evil/1.png", other, ""});
  members.push_back({"photos/../../evil/1.png", other, ""});
  members.push_back({"stray.png", other, ""});
  for (const char* format : {"tar", "tar.gz", "zip"}) {
    write_archive(folder / format, format, members);
    const Component dataset("dataset", "image_folder", of_size(4));
    const Split split(dataset, folder / format);
    CHECK(who(split) == std::vector<std::pair<int, int>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  }
  // The same of a folder, with a device and links on the way.
  write_folder(folder / "all", two_classes(2));
  write_file(folder / "all/cat/notes.txt", "no picture");
  write_file(folder / "outside/1.png", other);
  REQUIRE(mkfifo((folder / "all/cat/pipe.png").c_str(), 0600) == 0);
  std::filesystem::create_symlink(folder / "outside/1.png", folder / "all/cat/link.png");
  std::filesystem::create_directory_symlink(folder / "outside", folder / "all/evil");
  const Component dataset("dataset", "image_folder", of_size(4));
  CHECK(who(Split(dataset, folder / "all")).size() == 4);
  CHECK(std::distance(std::filesystem::recursive_directory_iterator(folder.path()), {}) > 0);
}

TEST_CASE("image_folder: of two members of one path, the later one counts") {
  const TemporaryFolder folder;
  std::vector<Member> members = two_classes(2);
  members.push_back({"cat/100.png", png(plain_picture(3, 3, {0, 77, 0})), ""});
  write_archive(folder / "set.tar", "tar", members);
  const Component dataset("dataset", "image_folder", of_size(4));
  CHECK(who(Split(dataset, folder / "set.tar")) == std::vector<std::pair<int, int>>{{0, 77}, {0, 1}, {1, 0}, {1, 1}});
}

TEST_CASE("image_folder: limit takes the first of each class; train_share cuts each class once and for all") {
  const TemporaryFolder folder;
  write_archive(folder / "set.tar", "tar", two_classes());
  const std::string path = folder / "set.tar";
  const Component limited("dataset", "image_folder", of_size(4, {{"limit", 3.0}}));
  CHECK(who(Split(limited, path)) == std::vector<std::pair<int, int>>{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}});

  const auto cut = [&](double seed, nnrun_split split, std::uint64_t run_seed = 1) {
    const Component dataset("dataset", "image_folder", of_size(4, {{"train_share", 0.8}, {"split_seed", seed}}));
    return who(Split(dataset, path, split, run_seed));
  };
  const auto train = cut(1, NNRUN_SPLIT_TRAIN), test = cut(1, NNRUN_SPLIT_TEST);
  CHECK(train.size() == 16);
  CHECK(test.size() == 4);
  CHECK(std::count_if(test.begin(), test.end(), [](const auto& one) { return one.first == 0; }) == 2);
  std::set<std::pair<int, int>> all(train.begin(), train.end());
  all.insert(test.begin(), test.end());
  CHECK(all.size() == 20);
  CHECK(train == cut(1, NNRUN_SPLIT_TRAIN, 99));
  CHECK(train != cut(2, NNRUN_SPLIT_TRAIN));
  CHECK(cut(1, NNRUN_SPLIT_VALIDATION).size() == 20);
  CHECK_SAYS(failure_of([&] {
               Component("dataset", "image_folder", of_size(4, {{"train_share", 0.1}, {"limit", 3.0}}));
             }),
             "leaves no picture");
}

TEST_CASE("image_folder: training settles the classes") {
  const TemporaryFolder folder;
  write_folder(folder / "train", two_classes());
  write_file(folder / "dogs/dog/1.png", png(plain_picture(3, 3, {100, 5, 0})));
  write_file(folder / "birds/bird/1.png", png(plain_picture(3, 3, {100, 5, 0})));
  const Component dataset("dataset", "image_folder", of_size(4));
  const Split train(dataset, folder / "train");
  const Split test(dataset, folder / "dogs", NNRUN_SPLIT_TEST);
  CHECK(test.info.classes == 2);
  CHECK(test.read(0).second == 1);
  CHECK_SAYS(failure_of([&] { Split(dataset, folder / "birds", NNRUN_SPLIT_TEST); }), "birds has a class bird", "cat, dog");
  logged.clear();
  const Split same(dataset, folder / "train", NNRUN_SPLIT_TEST);
  CHECK(
      std::any_of(logged.begin(), logged.end(), [](const std::string& line) { return line.find("set train_share") != std::string::npos; }));
}

TEST_CASE("image_folder: damaged pictures are left out, counted and listed; strict refuses them") {
  const TemporaryFolder folder;
  std::vector<Member> members = two_classes();
  members[3].bytes.resize(members[3].bytes.size() - 20);
  members[15].bytes = "no picture";
  members.push_back({"cat/half.jpg", jpeg(smooth_picture(40, 40, 3)).substr(0, 500), ""});
  members.push_back({"cat/empty.jpg", "", ""});
  for (const char* format : {"tar", "zip", "zip stored"}) {
    write_archive(folder / format, format, members);
    for (const char* cache : {"memory", "none"}) {
      INFO(format << ", cache " << cache);
      logged.clear();
      const Component dataset("dataset", "image_folder", of_size(4, {{"cache", std::string(cache)}}));
      const Split split(dataset, folder / format);
      REQUIRE(split.info.note != nullptr);
      CHECK_SAYS(split.info.note, "4 of 22 pictures", "cat/103.png is cut off", "dog/105.png is no JPEG", "cat/half.jpg cannot be decoded");
      const auto found = who(split);
      CHECK(found.size() == 18);
      CHECK(std::count(found.begin(), found.end(), std::pair(0, 3)) == 0);
      CHECK(std::count(found.begin(), found.end(), std::pair(1, 5)) == 0);
      CHECK(found[3] == std::pair(0, 4));
      CHECK(logged.size() == 4);
      const Component strict("dataset", "image_folder", of_size(4, {{"cache", std::string(cache)}, {"strict", 1.0}}));
      CHECK_SAYS(failure_of([&] { Split(strict, folder / format); }), "cat/103.png is cut off", "strict: false");
    }
  }
}

TEST_CASE("image_folder says what is wrong with a folder or archive") {
  const TemporaryFolder folder;
  const Component dataset("dataset", "image_folder", of_size(4));
  const auto failure = [&](const std::string& name) { return failure_of([&] { Split(dataset, folder / name); }); };
  CHECK_SAYS(failure("none.tar"), "there is no ", "none.tar", "datasets/README.md");
  write_file(folder / "text.tar", "this is no archive at all, but a text that goes on for a while");
  CHECK_SAYS(failure("text.tar"), "text.tar", "as a tar (plain or .gz) or zip");
  write_archive(folder / "empty.tar", "tar", {});
  CHECK_SAYS(failure("empty.tar"), "there is no picture in ", "folders, named after their class");
  write_archive(folder / "flat.tar", "tar", {{"1.png", png(plain_picture(2, 2, {1, 2, 3})), ""}});
  CHECK_SAYS(failure("flat.tar"), "lies in a folder");
  write_archive(folder / "one.tar", "tar", {{"cat/1.png", png(plain_picture(2, 2, {1, 2, 3})), ""}});
  CHECK_SAYS(failure("one.tar"), "folders called cat", "two are needed");
  write_archive(folder / "bad.tar", "tar", {{"cat/1.png", "x", ""}, {"dog/1.png", "y", ""}});
  CHECK_SAYS(failure("bad.tar"), "no picture of ", "can be read", "cat/1.png is no JPEG");

  write_archive(folder / "good.tar", "tar", two_classes());
  write_archive(folder / "good.tar.gz", "tar.gz", two_classes());
  write_archive(folder / "good.zip", "zip", two_classes());
  for (const char* name : {"good.tar", "good.tar.gz", "good.zip"}) {
    const auto size = std::filesystem::file_size(folder / name);
    std::filesystem::copy(folder / name, folder / "cut");
    std::filesystem::resize_file(folder / "cut", size / 2);
    INFO(name);
    CHECK_SAYS(failure("cut"), "cut", "get it anew");
    std::filesystem::remove(folder / "cut");
  }
}
