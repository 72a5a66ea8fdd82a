// Every error a user sees: where it is, what is wrong, and what to write instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nnrun::core {

// A text that locations point into. It stays alive as long as any location does, so that an error that turns up
// late (a dataset that is not there, a shape that does not fit) can still show its line.
struct Source {
  std::string name;      // as the user wrote it; "command line" for overrides
  std::string text;      // UTF-8; lines end with '\n'
  bool numbered = true;  // false: has one line only, so line and column would say nothing
};

// A place in a text. Lines and columns count from 1, columns in characters (code points).
// line 0: the file as a whole. No file: nowhere.
struct Location {
  std::shared_ptr<const Source> file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 0;  // in characters, on this line

  std::string_view file_name() const { return file ? std::string_view(file->name) : std::string_view(); }
};

// From a byte range of the source's text. The length is cut at the end of the line.
Location locate(const std::shared_ptr<const Source>& file, std::size_t byte, std::size_t bytes);

enum class Severity {
  error,
  note
};

struct Diagnostic {
  Severity severity = Severity::error;
  Location location;
  std::string message;
  std::string suggestion;  // stands behind the caret, eg: did you mean 'kernel'?
  std::vector<Diagnostic> notes;
};

Diagnostic make_error(Location location, std::string message, std::string suggestion = {});
Diagnostic make_note(Location location, std::string message);

class DiagnosticError : public std::runtime_error {
 public:
  explicit DiagnosticError(Diagnostic diagnostic);
  explicit DiagnosticError(std::vector<Diagnostic> diagnostics);
  DiagnosticError(Location location, std::string message, std::string suggestion = {});

  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;  // what() is their rendering without colour
};

// Compiler style; every line ends with '\n'.
std::string render(const Diagnostic& diagnostic, bool colour = false);
std::string render(std::span<const Diagnostic> diagnostics, bool colour = false);

// By file (in order of first appearance), line and column; otherwise the order stays.
void sort_by_location(std::vector<Diagnostic>& diagnostics);

// In single quotes, for messages: shortened where long, control characters and broken UTF-8 replaced.
std::string quote(std::string_view text);

// How many insertions, deletions, substitutions and swaps of neighbours turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);
// The candidate that `word` was probably meant to be; "" where none is close.
std::string closest(std::string_view word, std::span<const std::string> candidates);
// "did you mean 'x'?", or "".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace nnrun::core
