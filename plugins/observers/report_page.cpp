#include "report_page.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <kainjow/mustache.hpp>

#include "../common/text.hpp"
#include "report_chart.hpp"
#include "report_curves.hpp"
#include "report_pictures.hpp"
#include "report_template.hpp"
#include "report_words.hpp"

namespace nnrun::observers {

const std::vector<std::string>& ReportDetails::all(const std::string& name) const {
  static const std::vector<std::string> none;
  const auto found = texts.find(name);
  return found == texts.end() ? none : found->second;
}

const ReportDetails::Table& ReportDetails::table(const std::string& name) const {
  static const Table none;
  const auto found = tables.find(name);
  return found == tables.end() ? none : found->second;
}

namespace {

using kainjow::mustache::data;
using List = kainjow::mustache::list;

constexpr std::size_t most_classes = 30;  // of a confusion matrix that one can look at
constexpr std::size_t most_filters = 64;

Dims dims_of(const ReportDetails::Table& table) {
  Dims dims;
  for (const double dim : table.numbers) dims.push_back(static_cast<std::int64_t>(dim));
  return dims;
}

class Page {
 public:
  Page(const std::string& folder, const std::string& config, const ReportRows& rows, const ReportDetails& details, bool has_metrics)
      : folder_(folder), config_(config), rows_(rows), details_(details), has_metrics_(has_metrics) {}

  std::string render() {
    head();
    tiles();
    charts();
    predictions();
    filters();
    layers();
    epochs();
    facts();
    page_["config"] = config_;
    kainjow::mustache::mustache page(report_template);
    return page.render(data(page_));
  }

 private:
  using Object = kainjow::mustache::object;

  void show(const char* name, bool condition) { page_[name] = condition ? data(data::type::bool_true) : data(data::type::bool_false); }
  static data named(const std::string& name, const std::string& value) {
    Object object;
    object["name"] = name;
    object["text"] = value;
    return data(object);
  }

  void head() {
    const Row& start = rows_.start;
    namespace fs = std::filesystem;
    const fs::path folder(folder_);
    page_["title"] = folder.parent_path().filename().string() + " " + folder.filename().string();
    const double epochs = number(start, "epochs");
    const std::string done = std::to_string(rows_.epochs.size()) + " of " + whole(epochs) + " epochs";
    std::string status = "running, " + done;
    if (rows_.end.is_object()) {
      status = text(rows_.end, "status") == "finished" ? "finished after " + duration(number(rows_.end, "seconds"))
                                                       : "interrupted after " + done;
    }
    show("running", !rows_.end.is_object());
    page_["subtitle"] = text(start, "config") + ", " + status;
    show("drawn", text(start, "data") == "drawn" || text(rows_.test, "data") == "drawn");
    List notes;
    for (const std::string& note : rows_.notes) notes.push_back(data(note));
    show("has_notes", !rows_.notes.empty());
    page_["notes"] = data(notes);
  }

  void tiles() {
    List list;
    const auto add = [&](const std::string& name, const std::string& shown, const std::string& key = "", double value = std::nan("")) {
      if (shown.empty()) return;
      data tile = named(name, shown);
      tile.set("main", list.empty() ? data::type::bool_true : data::type::bool_false);
      if (std::isfinite(value)) {
        tile.set("key", key);
        tile.set("value", exact(value));
      }
      list.push_back(tile);
    };
    const Row& test = rows_.test;
    if (test.is_object()) {
      for (const std::string& key : metrics_of(test, ""))
        add("test " + spaced(key), figure(key, number(test, key)), "test." + key, number(test, key));
      add("test loss", figure("loss", number(test, "loss")), "test.loss", number(test, "loss"));
      add("test samples", whole(number(test, "samples")));
    } else if (!rows_.epochs.empty()) {
      const Row& last = rows_.epochs.back();
      for (const std::string& key : metrics_of(last, "validation_"))
        add("validation " + spaced(key), figure(key, number(last, "validation_" + key)));
      add("training loss", figure("loss", number(last, "train_loss")));
    }
    add("parameters", whole(number(rows_.start, "parameters")));
    if (!rows_.epochs.empty()) add("samples a second", whole(number(rows_.epochs.back(), "samples_per_s")));
    double seconds = 0;
    for (const Row& epoch : rows_.epochs) seconds += number(epoch, "seconds");
    if (!rows_.epochs.empty()) add("training time", duration(seconds));
    page_["tiles"] = data(list);
  }

  void add_chart(List& list, const Curve& curve) {
    const std::string svg = svg_of(curve.chart);
    if (svg.empty()) return;
    data object;
    object.set("name", curve.name);
    object.set("svg", svg);
    List legend;
    for (const auto& [style, key] : curve.keys) {
      data entry;
      entry.set("style", style);
      entry.set("name", key);
      legend.push_back(entry);
    }
    object.set("keys", data(legend));
    list.push_back(object);
  }

  void charts() {
    List list;
    for (const Curve& curve : curves_of(rows_)) add_chart(list, curve);
    show("has_charts", !list.empty());
    page_["no_charts"] = has_metrics_ ? "There are no epochs yet."
                                      : "There is no metrics.jsonl: the observer metrics writes the rows that curves are drawn from.";
    page_["charts"] = data(list);
  }

  std::string class_name(std::size_t index) const {
    const auto& names = details_.all("class_name");
    return index < names.size() ? names[index] : std::to_string(index);
  }

  void predictions() {
    for (const char* name : {"has_confusion", "has_pairs", "has_mistakes"}) show(name, false);
    const ReportDetails::Table& probabilities = details_.table("probabilities");
    const ReportDetails::Table& labels = details_.table("labels");
    const auto classes = static_cast<std::size_t>(probabilities.columns);
    if (classes < 2 || labels.columns != 1 || labels.rows != probabilities.rows) return;
    std::vector<std::vector<std::int64_t>> counts(classes, std::vector<std::int64_t>(classes, 0));
    std::vector<std::size_t> said(labels.numbers.size());
    std::int64_t wrong = 0;
    for (std::size_t i = 0; i < said.size(); ++i) {
      const auto row = probabilities.numbers.begin() + static_cast<std::ptrdiff_t>(i * classes);
      said[i] = static_cast<std::size_t>(std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row);
      const auto label = std::min(static_cast<std::size_t>(labels.numbers[i]), classes - 1);
      ++counts[label][said[i]];
      wrong += label != said[i] ? 1 : 0;
    }
    if (classes <= most_classes) {
      confusion(counts);
    } else {
      pairs(counts);
    }
    mistakes(said, labels.numbers, wrong);
  }

  void confusion(const std::vector<std::vector<std::int64_t>>& counts) {
    const std::size_t classes = counts.size();
    std::int64_t most_wrong = 1;
    std::vector<std::int64_t> columns(classes, 0);
    for (std::size_t i = 0; i < classes; ++i) {
      for (std::size_t j = 0; j < classes; ++j) {
        if (i != j) most_wrong = std::max(most_wrong, counts[i][j]);
        columns[j] += counts[i][j];
      }
    }
    const auto share = [](std::int64_t part, std::int64_t all) {
      return all > 0 ? format("%.1f %%", 100 * static_cast<double>(part) / static_cast<double>(all)) : std::string("-");
    };
    List heads, rows, precisions;
    for (std::size_t i = 0; i < classes; ++i) {
      std::int64_t all = 0;
      for (const std::int64_t count : counts[i]) all += count;
      List cells;
      for (std::size_t j = 0; j < classes; ++j) {
        data cell;
        cell.set("text", counts[i][j] > 0 ? grouped(counts[i][j]) : "");
        if (counts[i][j] > 0) {
          const double part = i == j ? static_cast<double>(counts[i][j]) / static_cast<double>(all)
                                     : std::sqrt(static_cast<double>(counts[i][j]) / static_cast<double>(most_wrong));
          cell.set("kind", i == j ? "right" : "wrong");
          cell.set("style", format("%.2f", 0.05 + 0.5 * part));
        }
        cells.push_back(cell);
      }
      data row;
      row.set("name", class_name(i));
      row.set("cells", data(cells));
      row.set("recall", share(counts[i][i], all));
      rows.push_back(row);
      heads.push_back(data(class_name(i)));
      precisions.push_back(data(share(counts[i][i], columns[i])));
    }
    show("has_confusion", true);
    page_["confusion_text"] = "test samples; a row's class was taken for a column's";
    page_["columns"] = data(heads);
    page_["confusion"] = data(rows);
    page_["precisions"] = data(precisions);
  }

  void pairs(const std::vector<std::vector<std::int64_t>>& counts) {
    struct Pair {
      std::size_t label, said;
      std::int64_t count;
    };
    std::vector<Pair> all;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      for (std::size_t j = 0; j < counts.size(); ++j) {
        if (i != j && counts[i][j] > 0) all.push_back({i, j, counts[i][j]});
      }
    }
    std::ranges::stable_sort(all, [](const Pair& a, const Pair& b) { return a.count > b.count; });
    all.resize(std::min<std::size_t>(all.size(), 20));
    List list;
    for (const Pair& pair : all) {
      data row;
      row.set("label", class_name(pair.label));
      row.set("said", class_name(pair.said));
      row.set("count", grouped(pair.count));
      list.push_back(row);
    }
    show("has_pairs", !list.empty());
    page_["pairs"] = data(list);
  }

  void mistakes(const std::vector<std::size_t>& said, const std::vector<double>& labels, std::int64_t wrong) {
    const ReportDetails::Table& list = details_.table("mistakes");
    const ReportDetails::Table& samples = details_.table("mistake_samples");
    const ReportDetails::Table& probabilities = details_.table("probabilities");
    const Dims shape = dims_of(details_.table("sample_shape"));
    const auto bytes = details_.numbers.find("sample_bytes");
    List figures;
    for (std::size_t i = 0; i < list.numbers.size(); ++i) {
      const auto sample = static_cast<std::size_t>(list.numbers[i]);
      if (sample >= said.size()) continue;
      data entry;
      if (static_cast<std::int64_t>(i) < samples.rows) {
        const auto elements = static_cast<std::size_t>(samples.columns);
        const std::string picture = sample_picture(std::span(samples.numbers).subspan(i * elements, elements), shape,
                                                   bytes != details_.numbers.end() && bytes->second != 0);
        if (!picture.empty()) entry.set("picture", picture);
      }
      const double probability = probabilities.numbers[sample * static_cast<std::size_t>(probabilities.columns) + said[sample]];
      entry.set("said", class_name(said[sample]));
      entry.set("label", class_name(static_cast<std::size_t>(labels[sample])));
      entry.set("probability", format("%.1f %%", 100 * probability));
      entry.set("sample", std::to_string(sample));
      figures.push_back(entry);
    }
    show("has_mistakes", !figures.empty());
    show("small", !shape.empty() && shape[0] < 64);
    page_["mistakes_text"] = grouped(wrong) + " of " + grouped(static_cast<std::int64_t>(said.size())) +
                             " test samples are wrong; these are those of which the net was most certain";
    page_["mistakes"] = data(figures);
  }

  void filters() {
    const ReportDetails::Table& weights = details_.table("weights");
    const Dims shape = dims_of(details_.table("weights_shape"));
    List list;
    if (!weights.numbers.empty() && !shape.empty()) {
      const auto pictures = filter_pictures(weights.numbers, shape, dims_of(details_.table("input_shape")), most_filters);
      for (std::size_t i = 0; i < pictures.size(); ++i) {
        data entry;
        entry.set("picture", pictures[i]);
        entry.set("number", std::to_string(i));
        list.push_back(entry);
      }
      const std::int64_t all = shape.size() == 4 ? shape[0] : shape.back();
      const bool colour = shape.size() == 4 && shape[3] == 3;
      page_["filters_text"] = details_.all("weights_name")[0] + ", " + std::to_string(list.size()) + " of " + grouped(all) +
                              (colour ? ", each from its least to its greatest weight" : "; blue below 0, red above, white at 0");
    }
    show("has_filters", !list.empty());
    page_["filters"] = data(list);
  }

  void layers() {
    const ReportDetails::Table& seconds = details_.table("layer_seconds");
    const auto& names = details_.all("layer");
    double longest = 0;
    for (std::int64_t i = 0; i < seconds.rows; ++i)
      longest = std::max(longest, seconds.numbers[2 * static_cast<std::size_t>(i)] + seconds.numbers[2 * static_cast<std::size_t>(i) + 1]);
    List list;
    for (std::size_t i = 0; i < names.size() && static_cast<std::int64_t>(i) < seconds.rows; ++i) {
      const double forward = seconds.numbers[2 * i], backward = seconds.numbers[2 * i + 1];
      data row;
      row.set("name", names[i]);
      row.set("forward", format("%.4f", forward * 1e3));
      row.set("backward", format("%.4f", backward * 1e3));
      row.set("forward_width", format("%.1f", 320 * forward / std::max(longest, 1e-12)));
      row.set("backward_width", format("%.1f", 320 * backward / std::max(longest, 1e-12)));
      list.push_back(row);
    }
    show("has_layers", !list.empty());
    page_["layers"] = data(list);
  }

  void epochs() {
    List columns, rows;
    if (!rows_.epochs.empty()) {
      std::vector<std::string> keys;
      for (const auto& [key, value] : rows_.epochs.back().items()) {
        if (value.is_number() && key != "epochs") keys.push_back(key);
      }
      for (const std::string& key : keys) columns.push_back(data(spaced(key)));
      for (const Row& epoch : rows_.epochs) {
        List cells;
        for (const std::string& key : keys) {
          const double value = number(epoch, key);
          data cell;
          cell.set("key", "epoch." + key);
          cell.set("value", std::isfinite(value) ? exact(value) : "");
          cell.set("text", key == "epoch" || key == "samples_per_s" ? whole(value) : figure(key, value));
          cells.push_back(cell);
        }
        data row;
        row.set("cells", data(cells));
        rows.push_back(row);
      }
    }
    show("has_epochs", !rows.empty());
    page_["epoch_columns"] = data(columns);
    page_["epochs"] = data(rows);
  }

  void facts() {
    const Row& start = rows_.start;
    List run, machine;
    const auto add = [](List& list, const std::string& name, const std::string& value) {
      if (!value.empty()) list.push_back(named(name, value));
    };
    add(run, "config", text(start, "config"));
    add(run, "data", text(start, "data") == "drawn" ? "DRAWN by a program" : text(start, "data"));
    std::string samples = whole(number(start, "train_samples")) + " to train";
    if (number(start, "validation_samples") > 0) samples += ", " + whole(number(start, "validation_samples")) + " to validate";
    if (number(start, "test_samples") > 0) samples += ", " + whole(number(start, "test_samples")) + " to test";
    add(run, "samples", samples);
    add(run, "batch", whole(number(start, "batch")));
    add(run, "seed", std::isfinite(number(start, "seed")) ? format("%.0f", number(start, "seed")) : "");
    if (rows_.test.is_object()) {
      add(run, "verdict on", "the " + text(rows_.test, "weights") + " weights");
      add(run, "weights sha256", text(rows_.test, "weights_sha256"));
    }
    add(run, "folder", folder_);
    add(machine, "CPU", cpu_name());
    add(machine, "threads", whole(number(start, "threads")));
    std::string kernels;
    for (const std::string& kernel : details_.all("kernel")) kernels += (kernels.empty() ? "" : ", ") + kernel;
    add(machine, "kernels", kernels);
    if (!details_.all("version").empty()) add(machine, "nnrun", details_.all("version")[0]);
    page_["run"] = data(run);
    page_["machine"] = data(machine);
  }

  const std::string& folder_;
  const std::string& config_;
  const ReportRows& rows_;
  const ReportDetails& details_;
  const bool has_metrics_;
  Object page_;
};

}  // namespace

std::string report_page(const std::string& folder, const std::string& config, const ReportRows& rows, const ReportDetails& details,
                        bool has_metrics) {
  return Page(folder, config, rows, details, has_metrics).render();
}

}  // namespace nnrun::observers
