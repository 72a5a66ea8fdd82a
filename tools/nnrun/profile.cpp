// What a net costs in instructions, for kernels that count them: one test sample, layer by layer, kernel by kernel.
#include "commands.hpp"
#include "deployment/predictor.hpp"
#include "net/network.hpp"
#include "training/data.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace nnrun::tool {

namespace {

constexpr const char* kinds[NNRUN_INSTRUCTION_KINDS] = {"arithmetic", "multiply", "load", "store", "branch", "jump", "system"};
using Mix = std::array<std::uint64_t, NNRUN_INSTRUCTION_KINDS>;

std::uint64_t sum(const Mix& mix) {
  std::uint64_t all = 0;
  for (const std::uint64_t count : mix) all += count;
  return all;
}

class Counter {
 public:
  Counter(const nnrun_kernels_vtable& table) : table_(table) {
    check([&](nnrun_error* e) { return table_.counting(1, e); });
  }
  ~Counter() {
    nnrun_error error{};
    table_.counting(0, &error);
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  std::vector<nnrun_instruction_count> all() const {
    std::vector<nnrun_instruction_count> rows;
    const auto take = [](void* to, const nnrun_instruction_count* row) {
      static_cast<std::vector<nnrun_instruction_count>*>(to)->push_back(*row);
    };
    check([&](nnrun_error* e) { return table_.counts(&rows, take, e); });
    return rows;
  }

 private:
  template <class Call>
  static void check(const Call& call) {
    nnrun_error error{};
    if (call(&error) != 0) throw core::RunError(error.message);
  }

  const nnrun_kernels_vtable& table_;
};

// Notes what has been counted when a layer is done.
class Watcher final : public core::LayerWatcher {
 public:
  explicit Watcher(const Counter& counter) : counter_(counter) {}
  void forward_done(std::size_t layer) override {
    Mix now{};
    for (const nnrun_instruction_count& row : counter_.all()) now[row.kind] += row.count;
    Mix of_layer{};
    for (std::size_t i = 0; i < now.size(); ++i) of_layer[i] = now[i] - before_[i];
    before_ = now;
    layers.emplace_back(layer, of_layer);
  }
  void backward_starts(std::size_t) override {}
  void backward_done(std::size_t) override {}

  std::vector<std::pair<std::size_t, Mix>> layers;

 private:
  const Counter& counter_;
  Mix before_{};
};

struct Loop {
  std::uint64_t begin = 0, end = 0;  // addresses of its first and last instruction
  std::uint64_t instructions = 0;
};

// Instructions one behind the other that never ran.
struct Gap {
  std::uint64_t begin = 0, end = 0;  // addresses of its first and last instruction
  std::size_t instructions = 0;
};

struct Function {
  std::string name;
  Mix mix{};
  std::size_t listed = 0, reached = 0;
  Loop hottest;  // of innermost loops
  std::vector<Gap> gaps;
};

// Innermost loops: from the target of a backward branch up to that branch, with no other such pair inside.
void find_hottest(Function& function, const std::vector<nnrun_instruction_count>& rows, std::size_t begin, std::size_t end) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> loops;
  for (std::size_t i = begin; i < end; ++i) {
    if (rows[i].target != 0 && rows[i].target <= rows[i].address && rows[i].target >= rows[begin].address) {
      loops.emplace_back(rows[i].target, rows[i].address);
    }
  }
  for (const auto& [first, last] : loops) {
    const bool innermost = std::none_of(loops.begin(), loops.end(), [first = first, last = last](const auto& other) {
      return other != std::pair(first, last) && other.first >= first && other.second <= last;
    });
    if (!innermost) continue;
    Loop loop{first, last, 0};
    for (std::size_t i = begin; i < end; ++i) {
      if (rows[i].address >= first && rows[i].address <= last) loop.instructions += rows[i].count;
    }
    if (loop.instructions > function.hottest.instructions) function.hottest = loop;
  }
}

std::vector<Function> by_function(const std::vector<nnrun_instruction_count>& rows) {
  std::vector<Function> functions;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    Function function{rows[begin].function, {}, 0, 0, {}, {}};
    for (bool ran = true; end < rows.size() && function.name == rows[end].function; ++end) {
      const nnrun_instruction_count& row = rows[end];
      function.mix[row.kind] += row.count;
      ++function.listed;
      function.reached += row.count > 0 ? 1 : 0;
      if (row.count == 0) {
        if (ran) function.gaps.push_back({row.address, row.address, 0});
        function.gaps.back().end = row.address;
        ++function.gaps.back().instructions;
      }
      ran = row.count > 0;
    }
    find_hottest(function, rows, begin, end);
    if (sum(function.mix) > 0) functions.push_back(function);
    begin = end;
  }
  std::stable_sort(functions.begin(), functions.end(), [](const Function& a, const Function& b) { return sum(a.mix) > sum(b.mix); });
  return functions;
}

std::vector<std::string> mix_cells(const std::string& name, const Mix& mix) {
  std::vector<std::string> cells = {name, with_commas(static_cast<std::int64_t>(sum(mix)))};
  for (const std::uint64_t count : mix) {
    char text[16];
    std::snprintf(text, sizeof text, "%.1f %%",
                  100 * static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(sum(mix), 1)));
    cells.emplace_back(text);
  }
  return cells;
}

nlohmann::ordered_json mix_json(const Mix& mix) {
  nlohmann::ordered_json json{{"instructions", sum(mix)}};
  for (std::size_t i = 0; i < mix.size(); ++i) json[kinds[i]] = mix[i];
  return json;
}

// The disassembly of a loop, or a gap.
template <class Range>
std::vector<const nnrun_instruction_count*> lines_of(const Range& range, const std::vector<nnrun_instruction_count>& rows) {
  std::vector<const nnrun_instruction_count*> lines;
  for (const nnrun_instruction_count& row : rows) {
    if (range.instructions > 0 && row.address >= range.begin && row.address <= range.end) lines.push_back(&row);
  }
  return lines;
}

struct Profile {
  std::string model, table;
  std::int64_t sample;
  const core::ModelPlan& plan;
  const std::vector<std::pair<std::size_t, Mix>>& layers;
  const std::vector<nnrun_instruction_count>& rows;
  const std::vector<Function>& functions;  // those that ran, the longest first
  Mix all;
};

void print_json(const Profile& p) {
  nlohmann::ordered_json json{{"model", p.model}, {"kernels", p.table}, {"sample", p.sample}, {"total", mix_json(p.all)}};
  for (const auto& [layer, mix] : p.layers) {
    nlohmann::ordered_json row{{"name", p.plan.layers[layer].name}, {"kernels", p.plan.layers[layer].kernels}};
    row.update(mix_json(mix));
    json["layers"].push_back(row);
  }
  for (const Function& f : p.functions) {
    nlohmann::ordered_json row{{"name", f.name}};
    row.update(mix_json(f.mix));
    row["instructions_of_code"] = f.listed;
    row["reached"] = f.reached;
    row["never_reached"] = nlohmann::ordered_json::array();
    for (const Gap& gap : f.gaps) {
      for (const nnrun_instruction_count* line : lines_of(gap, p.rows))
        row["never_reached"].push_back({{"address", line->address}, {"text", line->text}});
    }
    nlohmann::ordered_json lines = nlohmann::ordered_json::array();
    for (const nnrun_instruction_count* line : lines_of(f.hottest, p.rows)) {
      lines.push_back({{"address", line->address}, {"text", line->text}, {"count", line->count}});
    }
    row["hottest_loop"] = {{"instructions", f.hottest.instructions}, {"lines", lines}};
    json["functions"].push_back(row);
  }
  std::cout << json.dump(2) << "\n";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string hexadecimal(std::uint64_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(number));
  return text;
}

void print_hottest(const Profile& p) {
  const Function& f = *std::max_element(p.functions.begin(), p.functions.end(), [](const Function& a, const Function& b) {
    return a.hottest.instructions < b.hottest.instructions;
  });
  std::vector<std::vector<std::string>> lines = {{"instruction", "address", "times"}};
  for (const nnrun_instruction_count* line : lines_of(f.hottest, p.rows)) {
    lines.push_back({line->text, hexadecimal(line->address), with_commas(static_cast<std::int64_t>(line->count))});
  }
  std::cout << "\nthe hottest loop, in " << f.name << ": " << with_commas(static_cast<std::int64_t>(f.hottest.instructions))
            << " instructions\n\n"
            << table(lines, 1);
}

void print_gaps(const Profile& p) {
  std::vector<std::vector<std::string>> lines = {{"function", "from", "to", "instructions"}};
  for (const Function& f : p.functions) {
    for (const Gap& gap : f.gaps) {
      const auto code = lines_of(gap, p.rows);
      lines.push_back({f.name, hexadecimal(gap.begin) + " " + code.front()->text, hexadecimal(gap.end) + " " + code.back()->text,
                       std::to_string(gap.instructions)});
    }
  }
  if (lines.size() > 1) std::cout << "\nnot reached by this sample (tails, other shapes, refusals)\n\n" << table(lines, 3);
}

void print_text(const Profile& p) {
  std::vector<std::string> heading = {"layer", "kernels", "instructions"};
  heading.insert(heading.end(), std::begin(kinds), std::end(kinds));
  std::vector<std::vector<std::string>> layers = {heading};
  for (const auto& [layer, mix] : p.layers) {
    layers.push_back(mix_cells(p.plan.layers[layer].name, mix));
    layers.back().insert(layers.back().begin() + 1, joined(p.plan.layers[layer].kernels));
  }
  layers.push_back(mix_cells("all", p.all));
  layers.back().insert(layers.back().begin() + 1, "");
  heading[0] = "function";
  heading[1] = "code reached";
  std::vector<std::vector<std::string>> functions = {heading};
  for (const Function& f : p.functions) {
    functions.push_back(mix_cells(f.name, f.mix));
    functions.back().insert(functions.back().begin() + 1, std::to_string(f.reached) + " of " + std::to_string(f.listed));
  }
  std::cout << p.model << ", test sample " << p.sample << ", kernels " << p.table << "\n\n"
            << table(layers, 2) << "\n"
            << table(functions, 2);
  print_hottest(p);
  print_gaps(p);
}

}  // namespace

int profile(const Options& options) {
  std::vector<std::string> words = options.words;
  const bool chosen = std::any_of(words.begin(), words.end(), [](const std::string& word) { return word.starts_with("run.kernels"); });
  if (!chosen) words.insert(words.begin(), "run.kernels=riscv");
  const core::Predictor predictor(options.subject, environment_options(options), words);
  const core::Environment& environment = predictor.environment();
  const std::string& table_name = environment.settings().run.kernels.default_table;
  const nnrun_component* component = environment.registry().find("kernels", table_name);
  const auto* kernels = component == nullptr ? nullptr : static_cast<const nnrun_kernels_vtable*>(component->vtable);
  // A library made before there was counting has no such entry.
  if (kernels == nullptr || kernels->size < sizeof(nnrun_kernels_vtable) || kernels->counting == nullptr) {
    throw core::RunError("the kernels '" + table_name + "' cannot count their instructions; run.kernels=riscv can");
  }

  core::Data data(environment.settings(), environment.host(), core::find_data_root(options.data));
  if (options.index >= data.test().count()) {
    throw core::RunError("there is no test sample " + std::to_string(options.index) + ": there are " + std::to_string(data.test().count()));
  }
  core::Network network(environment.settings().model, environment.host(), core::batch_of(data.sample(), 1), false,
                        environment.settings().seed, predictor.parameters(), {.fold = true});
  const core::Buffer labels(core::label_bytes(data, 1));
  const std::uint32_t position[] = {static_cast<std::uint32_t>(options.index)};
  data.load(data.test(), position, 0, false, network.input(), labels.data());

  const Counter counter(*kernels);
  Watcher watcher(counter);
  network.watch(&watcher);
  network.forward(0);
  const std::vector<nnrun_instruction_count> rows = counter.all();
  const std::vector<Function> functions = by_function(rows);
  Mix all{};
  for (const nnrun_instruction_count& row : rows) all[row.kind] += row.count;
  if (functions.empty()) {
    throw core::RunError("no kernel of '" + table_name +
                         "' ran: it has those for integers, so it takes a net of integers (see `quantize` in a config)");
  }

  const Profile p{options.subject, table_name, options.index, network.plan(), watcher.layers, rows, functions, all};
  if (options.json) {
    print_json(p);
  } else {
    print_text(p);
  }
  return 0;
}

}  // namespace nnrun::tool
