// datasets/fetch.sh catdog, from made-up archives and a stand-in for curl, up to what image_folder reads of it.
#include <algorithm>
#include <iterator>
#include <sstream>

#include "dataset_split.hpp"
#include "fetch_script.hpp"
#include "picture_makers.hpp"

using namespace fake;

namespace {

constexpr int each = 20;  // numbers 4, 9, 14, 19 test; 3 and 13 are left out

std::uint8_t green_of(int number) { return static_cast<std::uint8_t>(20 + 10 * number); }

Bytes photograph(int label, int number) {
  return jpeg(plain_picture(90 + number, 160 - number, {static_cast<std::uint8_t>(200 * label), green_of(number), 50}));
}

// As Microsoft packs them: in no order, with one that is empty, one that is cut off, and files that are none.
std::vector<Member> original() {
  std::vector<Member> members{{"readme[1].txt", "terms", ""}, {"PetImages/Cat/Thumbs.db", "thumbs", ""}};
  for (const int label : {0, 1}) {
    for (int i = each; i-- > 0;) {
      Bytes bytes = photograph(label, i);
      if (label == 0 && i == 6) bytes.clear();
      if (label == 1 && i == 14) bytes.resize(bytes.size() / 2);
      members.push_back({std::string("PetImages/") + (label == 0 ? "Cat/" : "Dog/") + std::to_string(i) + ".jpg", bytes, ""});
    }
  }
  return members;
}

std::string content(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class Fetching {
 public:
  Fetching() { write_command(bin(), "sleep", ""); }

  std::string operator/(const std::string& name) const { return folder_ / name; }
  std::string bin() const { return folder_ / "bin"; }
  std::string target() const { return folder_ / "data/catdog"; }

  // fetch.sh catdog --to data, with the commands of bin().
  ScriptResult operator()(const std::string& arguments) const {
    return fetch("catdog --to '" + (folder_ / "data") + "' " + arguments, "PATH='" + bin() + "':'" NNRUN_PROGRAM_DIR "':\"$PATH\"");
  }

  // A curl that hands out `file`; half of it in the first call. Notes its arguments in curl.log.
  void serve(const std::string& file) const {
    write_command(bin(), "curl",
                  "echo \"$*\" >> '" + (folder_ / "curl.log") + "'\nwhile [ $# -gt 1 ]; do [ \"$1\" = --output ] && to=$2; shift; done\n" +
                      "had=$(wc -c < \"$to\" 2>/dev/null || echo 0)\n" + "if [ $had = 0 ]; then head -c 1000 '" + file +
                      "' > \"$to\"; exit 18; fi\n" + "tail -c +$((had + 1)) '" + file + "' >> \"$to\"\n");
  }
  // Takes any file for the original.
  void believe_sums() const {
    write_command(bin(), "sha256sum", "cat > /dev/null\necho b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9 -\n");
  }

 private:
  TemporaryFolder folder_;
};

std::vector<std::string> members_of(const std::string& tar) {
  FILE* pipe = popen(("tar -tf '" + tar + "'").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  CHECK(pclose(pipe) == 0);
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

}  // namespace

TEST_CASE("fetch.sh catdog prepares an archive as image_folder takes it") {
  const Fetching run;
  write_archive(run / "k.zip", "zip", original());
  const ScriptResult result = run("--from '" + (run / "k.zip") + "'");
  INFO(result.output);
  REQUIRE(result.code == 0);
  CHECK(result.says("k.zip is not Microsoft's"));
  CHECK(result.says("left out: PetImages/Cat/6.jpg is empty"));
  CHECK(result.says("left out: PetImages/Dog/14.jpg cannot be decoded"));
  CHECK(result.says("cat: 13 pictures to train, 4 to test"));
  CHECK(result.says("dog: 14 pictures to train, 3 to test"));
  CHECK(result.says("has 36 of the set's 22,500 photographs"));
  CHECK(members_of(run.target() + "/test.tar") == std::vector<std::string>{"cat/00004.jpg", "cat/00009.jpg", "cat/00014.jpg",
                                                                           "cat/00019.jpg", "dog/00004.jpg", "dog/00009.jpg",
                                                                           "dog/00019.jpg"});
  CHECK(std::distance(std::filesystem::directory_iterator(run.target()), {}) == 2);

  const Component dataset("dataset", "image_folder", {{"size", std::vector<double>{128}}, {"strict", 1.0}});
  const Split train(dataset, run.target() + "/train.tar");
  CHECK(train.info.count == 27);
  CHECK(std::string(train.info.class_names[0]) == "cat");
  CHECK(std::string(train.info.class_names[1]) == "dog");
  const Split test(dataset, run.target() + "/test.tar");
  REQUIRE(test.info.count == 7);
  const int numbers[] = {4, 9, 14, 19, 4, 9, 19};
  for (std::int64_t i = 0; i < test.info.count; ++i) {
    const auto [pixels, label] = test.read(i);
    CHECK(label == (i < 4 ? 0 : 1));
    CHECK(std::abs(pixels[0] - 200 * label) <= 4);
    CHECK(std::abs(pixels[1] - green_of(numbers[i])) <= 4);
  }
}

TEST_CASE("fetch.sh catdog makes the same bytes of archive, folder and Kaggle's names") {
  const Fetching run;
  std::vector<Member> members = original();
  for (const Member& member : members) write_file((run / "folder/") + member.path, member.bytes);
  for (Member& member : members) {
    if (member.path.starts_with("PetImages/Cat/")) member.path.replace(0, 14, "train/cat.");
    if (member.path.starts_with("PetImages/Dog/")) member.path.replace(0, 14, "train/dog.");
  }
  std::reverse(members.begin(), members.end());
  write_archive(run / "kaggle.tar", "tar", members);
  write_archive(run / "k.zip", "zip", original());
  std::vector<std::string> made;
  for (const char* from : {"k.zip", "k.zip", "folder", "folder/PetImages", "kaggle.tar"}) {
    std::filesystem::remove_all(run.target());
    const ScriptResult result = run("--from '" + (run / from) + "'");
    INFO(result.output);
    REQUIRE(result.code == 0);
    made.push_back(content(run.target() + "/train.tar") + content(run.target() + "/test.tar"));
    INFO(from);
    CHECK(made.back() == made.front());
  }
}

TEST_CASE("fetch.sh catdog copies prepared archives that are whole, and leaves good ones alone") {
  const Fetching run;
  write_archive(run / "k.zip", "zip", original());
  REQUIRE(run("--from '" + (run / "k.zip") + "'").code == 0);
  CHECK(run("").says("are there already"));
  std::filesystem::rename(run.target(), run / "ready");
  CHECK(run("--from '" + (run / "ready") + "'").code == 0);
  CHECK(content(run.target() + "/train.tar") == content(run / "ready/train.tar"));

  // A damaged one is made anew, and never copied.
  std::filesystem::resize_file(run / "ready/test.tar", 5000);
  CHECK(run("--from '" + (run / "ready") + "'").says("are there already"));
  std::filesystem::remove_all(run.target());
  const ScriptResult damaged = run("--from '" + (run / "ready") + "'");
  CHECK(damaged.code == 1);
  CHECK(damaged.says("ready/test.tar"));
  CHECK(damaged.says("are damaged, or others"));
  CHECK(is_empty(run.target()));
  std::filesystem::rename(run / "ready", run.target());
  CHECK(run("--from '" + (run / "k.zip") + "'").says("is made anew"));
  CHECK(run("").says("are there already"));

  // Train and test swapped would test on what was trained.
  std::filesystem::rename(run.target(), run / "swapped");
  std::filesystem::copy(run / "swapped/train.tar", run / "swapped/third.tar");
  std::filesystem::rename(run / "swapped/test.tar", run / "swapped/train.tar");
  std::filesystem::rename(run / "swapped/third.tar", run / "swapped/test.tar");
  CHECK(run("--from '" + (run / "swapped") + "'").says("train.tar has cat/00004.jpg, which does not belong there"));
}

TEST_CASE("fetch.sh catdog refuses what is no such set, and leaves nothing") {
  const Fetching run;
  CHECK(run("--from '" + (run / "nowhere") + "'").says("there is no file or folder"));
  write_file(run / "junk.zip", "this is no archive, whatever its name");
  CHECK(run("--from '" + (run / "junk.zip") + "'").code == 1);
  std::filesystem::create_directory(run / "empty");
  CHECK(run("--from '" + (run / "empty") + "'").says("there is no readable photograph of a cat to train in"));

  std::vector<Member> members = original();
  std::erase_if(members, [](const Member& member) { return member.path.find("Dog") != std::string::npos; });
  write_archive(run / "cats.zip", "zip", members);
  const ScriptResult cats = run("--from '" + (run / "cats.zip") + "'");
  CHECK(cats.code == 1);
  CHECK(cats.says("there is no readable photograph of a dog to train"));

  members = original();
  members.push_back({"train/cat.7.jpg", photograph(0, 7), ""});
  write_archive(run / "twice.zip", "zip", members);
  CHECK(run("--from '" + (run / "twice.zip") + "'").says("two photographs for cat/00007.jpg: PetImages/Cat/7.jpg and train/cat.7.jpg"));

  write_archive(run / "cut.zip", "zip", original());
  std::filesystem::resize_file(run / "cut.zip", std::filesystem::file_size(run / "cut.zip") / 2);
  CHECK(run("--from '" + (run / "cut.zip") + "'").code == 1);

  // A folder with a file of the original's name has to have the original.
  write_archive(run / "kagglecatsanddogs_5340.zip", "zip", original());
  CHECK(run("--from '" + (run / "") + "'").says("kagglecatsanddogs_5340.zip is damaged"));
  CHECK(is_empty(run.target()));
}

TEST_CASE("fetch.sh catdog: a full disk") {
  const Fetching run;
  write_archive(run / "k.zip", "zip", original());
  // Its first block of 512 bytes, and no more.
  const ScriptResult full = fetch("catdog --to '" + (run / "data") + "' --from '" + (run / "k.zip") + "'",
                                  "PATH='" NNRUN_PROGRAM_DIR "':\"$PATH\"; trap '' XFSZ; ulimit -f 1;");
  INFO(full.output);
  CHECK(full.code == 1);
  CHECK(full.says("cannot write"));
  CHECK(full.says("File too large"));
  CHECK(is_empty(run.target()));
  write_command(run.bin(), "df", "echo header\necho /dev/sda 1000000 900000 100000 90% /\n");
  CHECK(run("--from '" + (run / "k.zip") + "'").says("97 MiB free, and 190 MiB are needed"));
  CHECK(run("").says("97 MiB free, and 977 MiB are needed"));
  CHECK(is_empty(run.target()));
}

TEST_CASE("fetch.sh catdog downloads, goes on where it stopped, and checks the sum") {
  const Fetching run;
  write_archive(run / "k.zip", "zip", original());
  run.serve(run / "k.zip");

  // Another archive than the original is not taken.
  const ScriptResult wrong = run("");
  CHECK(wrong.code == 1);
  CHECK(wrong.says("what came is damaged or something else"));
  CHECK(wrong.says("no whole kagglecatsanddogs_5340.zip could be got in 3 tries"));
  CHECK(!std::filesystem::exists(run.target() + "/train.tar"));

  std::filesystem::remove_all(run.target());
  std::filesystem::remove(run / "curl.log");
  run.believe_sums();
  const ScriptResult right = run("");
  INFO(right.output);
  CHECK(right.code == 0);
  CHECK(right.says("the download broke off, with 1000 of 824887076 bytes"));
  CHECK(content(run / "curl.log").find("--continue-at -") != std::string::npos);
  CHECK(std::distance(std::filesystem::directory_iterator(run.target()), {}) == 2);
  CHECK(members_of(run.target() + "/train.tar").size() == 27);

  std::filesystem::remove_all(run.target());
  write_command(run.bin(), "curl", "echo 'curl: (6) Could not resolve host' >&2\nexit 6\n");
  const ScriptResult offline = run("");
  CHECK(offline.code == 1);
  CHECK(offline.says("Could not resolve host"));
  CHECK(offline.says("check the network and run this again, or use --from"));
  CHECK(is_empty(run.target()));
}
