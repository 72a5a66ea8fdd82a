// The photographs of Dogs vs. Cats: what their names say, and where they are read from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nnrun::catdog {

inline constexpr const char* class_names[] = {"cat", "dog"};
inline constexpr std::int64_t pictures_a_class = 12500;  // numbered from 0

enum class Part {
  train,
  test,
  left_out
};

struct Name {
  std::size_t label = 0;  // in class_names
  std::int64_t number = 0;

  // By the number, the same for both classes: a fifth tests, and a tenth is in neither archive.
  Part part() const { return number % 5 == 4 ? Part::test : number % 10 == 3 ? Part::left_out : Part::train; }
  // eg: cat/00004.jpg
  std::string path() const;
  auto operator<=>(const Name&) const = default;
};

// From "PetImages/Cat/4.jpg" as Microsoft names it, "train/cat.4.jpg" as Kaggle does, or "cat/00004.jpg"; nothing for any other file.
std::optional<Name> parse_name(const std::string& path);

// Each photograph of a folder or an archive that is to train or to test, in any order. Throws Error, naming `path`.
void read_photographs(const std::string& path,
                      const std::function<void(const std::string& file, const Name& name, std::vector<std::uint8_t> bytes)>& take);

}  // namespace nnrun::catdog
