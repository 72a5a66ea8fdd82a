// Line charts as inline SVG: colours come from the page's style, so that they follow light and dark.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace nnrun::observers {

struct Series {
  std::string style;  // a class of the page, eg: "s1"
  std::string name;   // "": not in the points' titles
  std::vector<std::pair<double, double>> points;
  bool marks = true;  // a mark with a title at each point
};

struct Band {
  std::vector<double> x, low, high;
};

struct Chart {
  std::string label;   // for readers that see no picture
  std::string x_name;  // eg: "epoch"
  bool percent = false;
  std::vector<Series> series;
  Band band;
};

// "" where there is nothing to draw.
std::string svg_of(const Chart& chart);

}  // namespace nnrun::observers
