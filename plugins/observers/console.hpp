#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "fields.hpp"

namespace nnrun::observers {

// What a person wants to see of a run, on standard output. On a terminal the batches are one line that is redrawn, with a bar;
// in a pipe, or with NO_COLOR (no-color.org), they are a plain line about every ten seconds. Errors of writing are ignored: a
// closed terminal shall not end a training.
class Console {
 public:
  static constexpr auto name = "console";
  static constexpr auto doc = "prints the progress: a bar on a terminal, plain lines otherwise";

  void open(const Host&, const std::string&, std::int64_t) {
    const char* no_color = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    live_ = ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
            std::string_view(terminal == nullptr ? "" : terminal) != "dumb";
    utf8_ = has_utf8();
    shown_at_ = Clock::now();
  }

  void event(const nnrun_event& e) {
    const std::string_view kind = e.name;
    if (kind == "start") {
      start(e);
    } else if (kind == "batch") {
      batch(e);
    } else if (kind == "epoch") {
      epoch(e);
    } else if (kind == "test") {
      test(e);
    } else if (kind == "note") {
      line(text(e, "text"));
    } else if (kind == "end") {
      end(e);
    }
  }

  std::int64_t position() const { return 0; }

  void close() {
    if (bar_shown_) put("\n");
    bar_shown_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void start(const nnrun_event& e) {
    drawn_ = text(e, "data") == "drawn";
    line(bold(text(e, "config")));
    if (drawn_) {
      warn_of_drawn_data();
      line("");
    }
    line("  model  " + whole(e, "parameters") + " parameters");
    std::string data = whole(e, "train_samples") + " samples to train";
    if (number(e, "validation_samples") > 0) data += ", " + whole(e, "validation_samples") + " to validate";
    if (number(e, "test_samples") > 0) data += ", " + whole(e, "test_samples") + " to test";
    line("  data   " + data + (drawn_ ? ", drawn by a program" : ""));
    std::string run = whole(e, "epochs") + (number(e, "epochs") == 1 ? " epoch" : " epochs") + ", batch " + whole(e, "batch") + ", seed " +
                      format("%.0f", number(e, "seed")) + ", " + whole(e, "threads") + (number(e, "threads") == 1 ? " thread" : " threads");
    if (has(e, "resumed_step")) run += ", resumed at step " + whole(e, "resumed_step");
    line("  run    " + run);
    if (has(e, "folder")) line("  files  " + text(e, "folder"));
    line("");
  }

  void batch(const nnrun_event& e) {
    const auto now = Clock::now();
    if (now - shown_at_ < (live_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000))) return;
    shown_at_ = now;
    const double steps = std::max(number(e, "steps_per_epoch"), 1.0);
    const double done = number(e, "step") - (number(e, "epoch") - 1) * steps;
    const double share = std::isfinite(done) ? std::clamp(done / steps, 0.0, 1.0) : 0.0;

    const std::string before = "epoch " + of_all(number(e, "epoch"), epochs_of(e));
    // What matters most goes first: a narrow terminal cuts the end off.
    std::string after = format("%3.0f %%", std::floor(share * 100));
    if (number(e, "seconds_left") >= 0) after += "   " + duration(number(e, "seconds_left")) + " left";
    after += "   loss " + figure(number(e, "loss")) + "   " + whole(e, "samples_per_s") + " samples/s";
    if (!live_) {
      put(before + "  " + after + "\n");
      return;
    }
    // One column stays free, since some terminals wrap when the last one is written.
    const std::size_t columns = terminal_columns() - 1;
    const std::size_t taken = before.size() + after.size() + 4;
    std::string shown = before + "  " + after;
    if (columns >= taken + 10) {
      shown = before + "  " + bar(share, std::min<std::size_t>(columns - taken, 32)) + "  " + after;
    } else {
      shown.resize(std::min(shown.size(), columns));
    }
    put("\r\x1b[K" + shown);
    bar_shown_ = true;
  }

  void epoch(const nnrun_event& e) {
    std::string shown = bold("epoch " + of_all(number(e, "epoch"), number(e, "epochs"))) + "   loss " + figure(number(e, "train_loss"));
    const std::string validation = figures(e, "validation_");
    if (!validation.empty()) shown += "   validation " + validation;
    if (has(e, "learning_rate")) shown += "   rate " + format("%.3g", number(e, "learning_rate"));
    if (has(e, "seconds")) shown += "   " + duration(number(e, "seconds"));
    if (has(e, "samples_per_s")) shown += "   " + whole(e, "samples_per_s") + " samples/s";
    line(shown);
    shown_at_ = Clock::now();
  }

  void test(const nnrun_event& e) {
    std::string shown = figures(e, "");
    if (has(e, "samples")) shown += " on " + whole(e, "samples") + " samples";
    if (has(e, "weights")) shown += ", " + text(e, "weights") + " weights";
    line("");
    line(bold("test    " + shown) + (drawn_ || text(e, "data") == "drawn" ? warning("   (drawn data)") : ""));
  }

  void end(const nnrun_event& e) {
    line((has(e, "status") ? text(e, "status") : "end") + " after " + duration(number(e, "seconds")));
    if (drawn_) warn_of_drawn_data();
  }

  void warn_of_drawn_data() {
    line("");
    line(warning("!!! DRAWN DATA: a program drew the samples of this run, in place of a real data set."));
    line(warning("!!! Its figures say nothing about real data. See datasets/README.md."));
  }

  // The figures whose names begin with `prefix`, loss first: "loss 0.0811, accuracy 97.60 %".
  std::string figures(const nnrun_event& e, std::string_view prefix) const {
    constexpr std::array<std::string_view, 6> others{"samples", "seconds", "epoch", "epochs", "step", "samples_per_s"};
    std::string shown;
    for (const nnrun_field& field : fields_of(e)) {
      std::string_view figure_name = field.name;
      if (field.text != nullptr || field.numbers != nullptr || !figure_name.starts_with(prefix)) continue;
      figure_name.remove_prefix(prefix.size());
      if (std::find(others.begin(), others.end(), figure_name) != others.end()) continue;
      // Accuracies are shares.
      const bool share = figure_name.find("accuracy") != std::string_view::npos;
      const std::string value = share ? format("%.2f %%", field.number * 100) : figure(field.number);
      shown += (shown.empty() ? "" : ", ") + std::string(figure_name) + " " + value;
    }
    return shown;
  }

  // Batches do not say of how many epochs they are: all steps by those of an epoch.
  static double epochs_of(const nnrun_event& e) {
    if (has(e, "epochs")) return number(e, "epochs");
    return std::ceil(number(e, "steps") / std::max(number(e, "steps_per_epoch"), 1.0));
  }

  // " 3/25": as wide for the first as for the last.
  static std::string of_all(double index, double all) {
    if (!(all >= 1)) return format("%.0f", index);
    const std::string last = format("%.0f", all);
    return format("%*.0f", static_cast<int>(last.size()), index) + "/" + last;
  }

  static std::string figure(double value) {
    const double size = std::abs(value);
    return format(size == 0 || (size >= 0.001 && size < 1000) ? "%.4f" : "%.3g", value);
  }

  static std::string whole(const nnrun_event& e, std::string_view field) {
    const double value = number(e, field);
    return std::isfinite(value) && std::abs(value) < 0x1p53 ? grouped(std::llround(value)) : "?";
  }

  // 1.2 s, 4:05, 1:02:03.
  static std::string duration(double seconds) {
    if (!(seconds >= 0 && seconds < 1e9)) return "?";
    if (seconds < 59.95) return format("%.1f s", seconds);
    const long long all = std::llround(seconds);
    if (all < 3600) return format("%lld:%02lld", all / 60, all % 60);
    return format("%lld:%02lld:%02lld", all / 3600, all / 60 % 60, all % 60);
  }

  std::string bar(double share, std::size_t cells) const {
    const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
    std::string shown;
    for (std::size_t i = 0; i < cells; ++i) shown += i < full ? (utf8_ ? "\u2588" : "#") : (utf8_ ? "\u2591" : "-");
    return shown;
  }

  static std::size_t terminal_columns() {
    winsize size{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
  }

  static bool has_utf8() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
      const char* value = std::getenv(variable);
      if (value == nullptr || *value == '\0') continue;
      const std::string_view locale = value;
      return locale.find("UTF-8") != std::string_view::npos || locale.find("utf8") != std::string_view::npos;
    }
    return false;
  }

  std::string bold(const std::string& shown) const { return live_ ? "\x1b[1m" + shown + "\x1b[0m" : shown; }
  std::string warning(const std::string& shown) const { return live_ ? "\x1b[1;33m" + shown + "\x1b[0m" : shown; }

  // A line of its own, in place of the bar.
  void line(const std::string& shown) {
    put((bar_shown_ ? "\r\x1b[K" : "") + shown + "\n");
    bar_shown_ = false;
  }

  static void put(const std::string& shown) {
    std::fwrite(shown.data(), 1, shown.size(), stdout);
    std::fflush(stdout);
  }

  bool live_ = false, utf8_ = false, drawn_ = false, bar_shown_ = false;
  Clock::time_point shown_at_{};
};

}  // namespace nnrun::observers
