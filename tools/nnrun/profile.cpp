// What a net costs in instructions, for kernels that count them: one test sample, layer by layer, kernel by kernel.
#include "commands.hpp"
#include "data.hpp"
#include "network.hpp"
#include "predictor.hpp"

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
  Counter(const nnrun_kernels_vtable& table) : table_(table) { check([&](nnrun_error* e) { return table_.counting(1, e); }); }
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

struct Function {
  std::string name;
  Mix mix{};
  std::size_t listed = 0, reached = 0;
  Loop hottest;  // of innermost loops
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
    Function function{rows[begin].function, {}, 0, 0, {}};
    for (; end < rows.size() && function.name == rows[end].function; ++end) {
      function.mix[rows[end].kind] += rows[end].count;
      ++function.listed;
      function.reached += rows[end].count > 0 ? 1 : 0;
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
    std::snprintf(text, sizeof text, "%.1f %%", 100 * static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(sum(mix), 1)));
    cells.emplace_back(text);
  }
  return cells;
}

nlohmann::ordered_json mix_json(const Mix& mix) {
  nlohmann::ordered_json json{{"instructions", sum(mix)}};
  for (std::size_t i = 0; i < mix.size(); ++i) json[kinds[i]] = mix[i];
  return json;
}

std::vector<const nnrun_instruction_count*> lines_of(const Loop& loop, const std::vector<nnrun_instruction_count>& rows) {
  std::vector<const nnrun_instruction_count*> lines;
  for (const nnrun_instruction_count& row : rows) {
    if (loop.instructions > 0 && row.address >= loop.begin && row.address <= loop.end) lines.push_back(&row);
  }
  return lines;
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
  if (kernels == nullptr || kernels->counting == nullptr) {
    throw core::RunError("the kernels '" + table_name + "' cannot count their instructions; run.kernels=riscv can");
  }

  core::Data data(environment.settings(), environment.host(), core::find_data_root(options.data));
  if (options.index >= data.test().count()) {
    throw core::RunError("there is no test sample " + std::to_string(options.index) + ": there are " + std::to_string(data.test().count()));
  }
  core::Network network(environment.settings().model, environment.host(), core::batch_of(data.sample(), 1), false, environment.settings().seed,
                        predictor.parameters(), {.fold = true});
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
    throw core::RunError("no kernel of '" + table_name + "' ran: it has those for integers, so it takes a quantized net (see quantize in a config)");
  }

  const auto layer_name = [&](std::size_t index) { return network.plan().layers[index].name; };
  if (options.json) {
    nlohmann::ordered_json json{{"model", options.subject}, {"kernels", table_name}, {"sample", options.index}, {"total", mix_json(all)}};
    for (const auto& [layer, mix] : watcher.layers) {
      nlohmann::ordered_json row{{"name", layer_name(layer)}};
      row.update(mix_json(mix));
      json["layers"].push_back(row);
    }
    for (const Function& f : functions) {
      nlohmann::ordered_json row{{"name", f.name}};
      row.update(mix_json(f.mix));
      row["instructions_of_code"] = f.listed;
      row["reached"] = f.reached;
      nlohmann::ordered_json lines = nlohmann::ordered_json::array();
      for (const nnrun_instruction_count* line : lines_of(f.hottest, rows)) {
        lines.push_back({{"address", line->address}, {"text", line->text}, {"count", line->count}});
      }
      row["hottest_loop"] = {{"instructions", f.hottest.instructions}, {"lines", lines}};
      json["functions"].push_back(row);
    }
    std::cout << json.dump(2) << "\n";
    return 0;
  }

  std::vector<std::string> heading = {"layer", "instructions"};
  heading.insert(heading.end(), std::begin(kinds), std::end(kinds));
  std::vector<std::vector<std::string>> layers = {heading};
  for (const auto& [layer, mix] : watcher.layers) layers.push_back(mix_cells(layer_name(layer), mix));
  layers.push_back(mix_cells("all", all));
  heading[0] = "function";
  std::vector<std::vector<std::string>> table_of_functions = {heading};
  table_of_functions[0].emplace_back("code reached");
  for (const Function& f : functions) {
    table_of_functions.push_back(mix_cells(f.name, f.mix));
    table_of_functions.back().push_back(std::to_string(f.reached) + " of " + std::to_string(f.listed));
  }
  std::cout << options.subject << ", test sample " << options.index << ", kernels " << table_name << "\n\n"
            << table(layers, 1) << "\n" << table(table_of_functions, 1);
  const Function& hottest = *std::max_element(functions.begin(), functions.end(), [](const Function& a, const Function& b) {
    return a.hottest.instructions < b.hottest.instructions;
  });
  std::cout << "\nthe hottest loop, in " << hottest.name << ": " << with_commas(static_cast<std::int64_t>(hottest.hottest.instructions))
            << " instructions\n";
  for (const nnrun_instruction_count* line : lines_of(hottest.hottest, rows)) {
    std::printf("  %12s  %6llx  %s\n", with_commas(static_cast<std::int64_t>(line->count)).c_str(),
                static_cast<unsigned long long>(line->address), line->text);
  }
  return 0;
}

}  // namespace nnrun::tool
