#include "config/diagnostic.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace nnrun::core {

namespace {

constexpr std::size_t shown_columns = 110;  // of a source line; longer ones are cut around the caret

// Bytes of the UTF-8 sequence that starts at text[at], or 0 where it is broken.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  std::size_t length = 0;
  if (first < 0x80) {
    length = 1;
  } else if (first >= 0xC2 && first < 0xE0) {
    length = 2;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3;
  } else if (first >= 0xF0 && first < 0xF5) {
    length = 4;
  }
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// One string per character. What would disturb a terminal is replaced; each replacement is one column wide.
std::vector<std::string> printable_characters(std::string_view text) {
  std::vector<std::string> characters;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    const auto first = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      characters.emplace_back("?");
      ++at;
      continue;
    }
    if (text[at] == '\t' || text[at] == '\n') {
      characters.emplace_back(" ");
    } else if (first < 0x20 || first == 0x7F) {
      characters.emplace_back("?");
    } else {
      characters.emplace_back(text.substr(at, length));
    }
    at += length;
  }
  return characters;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at += std::max<std::size_t>(1, sequence_length(text, at));
  return count;
}

std::string_view line_of(std::string_view text, std::size_t line) {
  std::size_t begin = 0;
  for (std::size_t i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return {};
    begin = end + 1;
  }
  return text.substr(begin, text.find('\n', begin) - begin);
}

struct Style {
  const char *bold, *red, *cyan, *green, *reset;
};
constexpr Style plain = {"", "", "", "", ""};
constexpr Style coloured = {"\033[1m", "\033[1;31m", "\033[1;36m", "\033[1;32m", "\033[0m"};

std::string sanitized(std::string_view text) {
  std::string result;
  for (const std::string& character : printable_characters(text)) result += character;
  return result;
}

void append_source_line(std::string& out, const Location& where, const std::string& suggestion, const Style& style) {
  const std::vector<std::string> characters = printable_characters(line_of(where.file->text, where.line));
  const std::size_t caret = where.column > 0 ? where.column - 1 : 0;
  std::size_t begin = 0;
  while (begin < characters.size() && begin < caret && characters[begin] == " ") ++begin;  // its own indentation
  std::size_t end = characters.size();
  bool cut_begin = false, cut_end = false;
  if (end - begin > shown_columns) {
    if (caret > begin + shown_columns / 2) {
      begin = std::min(caret - shown_columns / 2, end);
      cut_begin = true;
    }
    if (end - begin > shown_columns) {
      end = begin + shown_columns;
      cut_end = true;
    }
  }
  out += cut_begin ? "   ..." : "   ";
  for (std::size_t i = begin; i < end; ++i) out += characters[i];
  if (cut_end) out += "...";
  out += "\n   ";
  out.append((cut_begin ? 3u : 0u) + (std::max(caret, begin) - begin), ' ');
  out += style.green;
  out += '^';
  const std::size_t room = end > caret + 1 ? end - caret - 1 : 0;
  if (where.length > 1) out.append(std::min<std::size_t>(where.length - 1, room), '~');
  out += style.reset;
  if (!suggestion.empty()) out += ' ' + sanitized(suggestion);
  out += '\n';
}

void append(std::string& out, const Diagnostic& diagnostic, const Style& style) {
  const Location& where = diagnostic.location;
  out += style.bold;
  if (where.file) {
    out += sanitized(where.file->name) + ':';
    if (where.line > 0 && where.file->numbered) {
      out += std::to_string(where.line) + ':' + std::to_string(where.column) + ':';
    }
    out += ' ';
  }
  out += style.reset;
  const bool is_error = diagnostic.severity == Severity::error;
  out += is_error ? style.red : style.cyan;
  out += is_error ? "error: " : "note: ";
  out += style.reset;
  out += sanitized(diagnostic.message);
  const bool shows_line = where.file && where.line > 0;
  if (!shows_line && !diagnostic.suggestion.empty()) out += "; " + sanitized(diagnostic.suggestion);
  out += '\n';
  if (shows_line) append_source_line(out, where, diagnostic.suggestion, style);
  for (const Diagnostic& note : diagnostic.notes) append(out, note, style);
}

char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

std::string folded(std::string_view text) {
  std::string result;
  for (const char c : text) result += folded(c);
  return result;
}

// "lr" of "learning_rate"
std::string initials(std::string_view words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != '_' && (i == 0 || words[i - 1] == '_')) result += words[i];
  }
  return result;
}

}  // namespace

Location locate(const std::shared_ptr<const Source>& file, std::size_t byte, std::size_t bytes) {
  const std::string_view text = file->text;
  byte = std::min(byte, text.size());
  const std::string_view before = text.substr(0, byte);
  const std::size_t newline = before.rfind('\n');
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t end = std::min(text.find('\n', byte), text.size());
  Location where;
  where.file = file;
  where.line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
  where.column = static_cast<std::uint32_t>(count_characters(before.substr(begin)) + 1);
  where.length = static_cast<std::uint32_t>(count_characters(text.substr(byte, std::min(bytes, end - byte))));
  return where;
}

Diagnostic make_error(Location location, std::string message, std::string suggestion) {
  Diagnostic diagnostic;
  diagnostic.location = std::move(location);
  diagnostic.message = std::move(message);
  diagnostic.suggestion = std::move(suggestion);
  return diagnostic;
}

Diagnostic make_note(Location location, std::string message) {
  Diagnostic note = make_error(std::move(location), std::move(message));
  note.severity = Severity::note;
  return note;
}

DiagnosticError::DiagnosticError(std::vector<Diagnostic> diagnostics)
    : std::runtime_error(render(diagnostics)), diagnostics_(std::move(diagnostics)) {}

DiagnosticError::DiagnosticError(Diagnostic diagnostic) : DiagnosticError(std::vector<Diagnostic>{std::move(diagnostic)}) {}

DiagnosticError::DiagnosticError(Location location, std::string message, std::string suggestion)
    : DiagnosticError(make_error(std::move(location), std::move(message), std::move(suggestion))) {}

std::string render(const Diagnostic& diagnostic, bool colour) {
  std::string out;
  append(out, diagnostic, colour ? coloured : plain);
  return out;
}

std::string render(std::span<const Diagnostic> diagnostics, bool colour) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) append(out, diagnostic, colour ? coloured : plain);
  return out;
}

void sort_by_location(std::vector<Diagnostic>& diagnostics) {
  std::vector<const Source*> files;
  const auto rank = [&](const Diagnostic& diagnostic) {
    const auto found = std::find(files.begin(), files.end(), diagnostic.location.file.get());
    return found - files.begin();
  };
  for (const Diagnostic& diagnostic : diagnostics) {
    const Source* file = diagnostic.location.file.get();
    if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(rank(a), a.location.line, a.location.column) < std::tuple(rank(b), b.location.line, b.location.column);
  });
}

std::string quote(std::string_view text) {
  constexpr std::size_t most = 60;
  const std::vector<std::string> characters = printable_characters(text.substr(0, 4 * most + 4));
  std::string result = "'";
  for (std::size_t i = 0; i < std::min(most, characters.size()); ++i) result += characters[i];
  if (characters.size() > most) result += "...";
  return result + "'";
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string closest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty() || word.size() > 64) return {};
  const std::string typed = folded(word);
  // A third of the letters may be wrong: more, and the guess would be a joke.
  const std::size_t limit = typed.size() <= 1 ? 0 : std::clamp<std::size_t>(typed.size() / 3, 1, 4);
  std::string best;
  std::size_t best_distance = limit + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = candidate.size() > 64 ? 64 : edit_distance(typed, folded(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (!best.empty()) return best;
  for (const std::string& candidate : candidates) {
    const std::string name = folded(candidate);
    const bool is_start = typed.size() >= 3 && name.starts_with(typed);        // conv: conv2d
    const bool is_longer = name.size() >= 3 && typed.starts_with(name + '_');  // batch_size: batch
    const bool is_initials = typed.size() >= 2 && initials(name) == typed;     // lr: learning_rate
    if (is_start || is_longer || is_initials) return candidate;
  }
  return {};
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string best = closest(word, candidates);
  return best.empty() ? std::string() : "did you mean '" + best + "'?";
}

}  // namespace nnrun::core
