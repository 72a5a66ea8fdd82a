#pragma once

#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>
#include <numeric>

#include "csv_file.hpp"

namespace nnrun::datasets {

// A table: one row a sample. Every column is a feature (a number), but for those of the label and those left out.
struct Csv {
  static constexpr auto name = "csv";
  static constexpr auto doc = "a table of numbers as text, one row a sample, plain or .gz; classes or numbers to learn";

  std::string label;
  std::string task = "classification";
  std::string leave_out;
  std::string separator = ",";
  bool header = true;

  static constexpr const char* tasks[] = {"classification", "regression", nullptr};

  static constexpr auto params() {
    return schema(
        param<&Csv::label>("label", "the column to learn, by name or by number from 1; of regression, several: price, rent").required(),
        param<&Csv::task>("task", "classification: each text of the label is a class; regression: it is a number").choices(tasks),
        param<&Csv::leave_out>("leave_out", "columns that are no features, by name or number, eg: id, name"),
        param<&Csv::separator>("separator", "what stands between fields, one character; tab: the tabulator"),
        param<&Csv::header>("header", "whether the first row names the columns"));
  }

  class Split {
   public:
    void read(std::int64_t index, const Tensor& sample, void* target) const {
      const auto number = static_cast<std::size_t>(index);
      std::memcpy(sample.data(), features.data() + number * width, width * sizeof(float));
      if (targets_a_row == 0) {
        std::memcpy(target, &labels[number], sizeof(std::int32_t));
      } else {
        std::memcpy(target, targets.data() + number * targets_a_row, targets_a_row * sizeof(float));
      }
    }

    std::size_t width = 0, targets_a_row = 0;
    std::vector<float> features, targets;
    std::vector<std::int32_t> labels;
  };

  void create(const Host&) {
    if (separator == "tab") separator = "\t";
    if (separator.size() != 1 || separator == "\"" || separator == "\n") throw Error("must be one character, or tab").at("separator");
    if (split_names(label).empty()) throw Error("names no column").at("label");
    if (task == "classification" && split_names(label).size() > 1) throw Error("classification has one label").at("label");
  }

  int present(const std::string& path) const { return std::filesystem::exists(path) ? 2 : 0; }

  std::unique_ptr<Split> open(const Host&, const std::string& path, nnrun_split, std::uint64_t, nnrun_dataset_info& info) {
    if (present(path) == 0) throw Error("there is no " + path);
    CsvFile file(path, separator[0]);
    std::vector<CsvField> row;
    if (!file.next(row)) throw Error(path + " is empty");
    const Columns columns = choose_columns(path, row);
    auto made = std::make_unique<Split>();
    const bool classes = task == "classification";
    made->width = columns.features.size();
    made->targets_a_row = classes ? 0 : columns.labels.size();
    std::vector<CsvField> texts;  // of the label, row by row
    for (bool more = header ? file.next(row) : true; more; more = file.next(row)) {
      for (const std::size_t column : columns.features) made->features.push_back(number(file, row[column], columns.names[column]));
      if (classes) texts.push_back(row[columns.labels[0]]);
      for (std::size_t i = 0; i < made->targets_a_row; ++i) {
        made->targets.push_back(number(file, row[columns.labels[i]], columns.names[columns.labels[i]]));
      }
    }
    info.count = static_cast<std::int64_t>(made->features.size() / made->width);
    info.sample = make_tensor(NNRUN_F32, Shape{static_cast<std::int64_t>(made->width)});
    info.targets = static_cast<std::int64_t>(made->targets_a_row);
    if (classes) {
      name_classes(texts);
      for (const CsvField& text : texts) made->labels.push_back(class_of(file, text));
      info.classes = static_cast<std::int64_t>(classes_.size());
      info.class_names = class_names_.data();
      info.labels = made->labels.data();
    }
    return made;
  }

  // Row `index` of a table, with or without the columns that are no features; those that are, in the order of the table to train.
  void read_file(const std::string& path, std::int64_t index, const Tensor& sample) const {
    CsvFile file(path, separator[0]);
    std::vector<CsvField> row;
    if (!file.next(row)) throw Error(path + " is empty");
    const auto width = static_cast<std::size_t>(sample.count());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < row.size(); ++i) names.push_back(header ? row[i].text : std::to_string(i + 1));
    std::vector<std::size_t> columns(row.size());
    std::iota(columns.begin(), columns.end(), std::size_t{0});
    if (columns.size() != width) {
      const auto no_features = split_names(label + "," + leave_out);
      std::erase_if(columns, [&](std::size_t i) {
        return std::any_of(no_features.begin(), no_features.end(),
                           [&](const std::string& one) { return one == names[i] || one == std::to_string(i + 1); });
      });
    }
    if (columns.size() != width) {
      throw Error(path + " has " + std::to_string(columns.size()) + " columns of features, expected " + std::to_string(width) +
                  ", as in the table to train");
    }
    bool more = header ? file.next(row) : true;
    std::int64_t rows = 0;
    for (; more && rows < index; ++rows) more = file.next(row);
    if (!more)
      throw Error(path + " has " + std::to_string(rows) + " rows: there is no number " + std::to_string(index) + " (the first is 0)");
    for (std::size_t i = 0; i < width; ++i) sample.data()[i] = number(file, row[columns[i]], names[columns[i]]);
  }

 private:
  struct Columns {
    std::vector<std::size_t> features, labels;
    std::vector<std::string> names;
  };

  static std::vector<std::string> split_names(const std::string& list) {
    std::vector<std::string> names;
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = std::min(list.find(',', begin), list.size());
      const std::size_t first = list.find_first_not_of(' ', begin);
      if (first < end) names.push_back(list.substr(first, list.find_last_not_of(' ', end - 1) + 1 - first));
      begin = end + 1;
    }
    return names;
  }

  Columns choose_columns(const std::string& path, const std::vector<CsvField>& first) {
    Columns columns;
    for (std::size_t i = 0; i < first.size(); ++i) columns.names.push_back(header ? first[i].text : std::to_string(i + 1));
    const auto find = [&](const std::string& wanted, const char* parameter) {
      for (std::size_t i = 0; i < columns.names.size(); ++i) {
        if (columns.names[i] == wanted || std::to_string(i + 1) == wanted) return i;
      }
      std::string all;
      for (const std::string& one : columns.names) all += (all.empty() ? "" : ", ") + one;
      throw Error(path + " has no column " + wanted + "; it has " + all).at(parameter);
    };
    std::vector<bool> feature(first.size(), true);
    for (const std::string& wanted : split_names(label)) {
      columns.labels.push_back(find(wanted, "label"));
      feature[columns.labels.back()] = false;
    }
    for (const std::string& wanted : split_names(leave_out)) feature[find(wanted, "leave_out")] = false;
    std::vector<std::string> features;
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (!feature[i]) continue;
      columns.features.push_back(i);
      features.push_back(columns.names[i]);
    }
    if (features.empty()) throw Error(path + " has no column left for features");
    if (features_.empty()) features_ = features;
    if (features != features_) throw Error(path + " has other columns than the table to train, or in another order");
    return columns;
  }

  static float number(const CsvFile& file, const CsvField& field, const std::string& column) {
    const std::size_t begin = field.text.find_first_not_of(" \t");
    const std::size_t end = field.text.find_last_not_of(" \t");
    double value = 0;
    bool whole = false;
    if (begin != std::string::npos) {
      const char* first = field.text.data() + begin + (field.text[begin] == '+' ? 1 : 0);
      const char* last = field.text.data() + end + 1;
      const auto result = std::from_chars(first, last, value);
      whole = result.ec == std::errc() && result.ptr == last;
    }
    if (!whole || !std::isfinite(static_cast<float>(value))) {
      file.fail(field, "column " + column + ": expected a number, got " + (field.text.empty() ? "nothing" : "'" + field.text + "'"));
    }
    return static_cast<float>(value);
  }

  // The first table settles the classes, sorted: by value where all are whole numbers, else as text.
  void name_classes(const std::vector<CsvField>& texts) {
    if (!classes_.empty()) return;
    for (const CsvField& text : texts) classes_.push_back(text.text);
    const auto is_integer = [](const std::string& text) {
      return !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos &&
             text != "-";
    };
    const bool integers = std::all_of(classes_.begin(), classes_.end(), is_integer);
    std::sort(classes_.begin(), classes_.end(), [integers](const std::string& a, const std::string& b) {
      return integers && std::stoll(a) != std::stoll(b) ? std::stoll(a) < std::stoll(b) : a < b;
    });
    classes_.erase(std::unique(classes_.begin(), classes_.end()), classes_.end());
    for (const std::string& one : classes_) class_names_.push_back(one.c_str());
  }

  std::int32_t class_of(const CsvFile& file, const CsvField& text) const {
    const auto found = std::find(classes_.begin(), classes_.end(), text.text);
    if (found == classes_.end()) file.fail(text, "the table to train has no class '" + text.text + "'");
    return static_cast<std::int32_t>(found - classes_.begin());
  }

  std::vector<std::string> features_, classes_;
  std::vector<const char*> class_names_;
};

}  // namespace nnrun::datasets
