#include "report_chart.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "../common/text.hpp"

namespace nnrun::observers {

namespace {

constexpr double width = 480, height = 270, left = 62, right = 12, top = 12, bottom = 34;

// Round steps: 1, 2 or 5 times a power of ten.
std::vector<double> ticks(double low, double high, int about) {
  const double rough = (high - low) / about;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> list;
  for (double at = std::ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step)
    list.push_back(std::abs(at) < step * 1e-9 ? 0 : at);
  return list;
}

std::vector<double> powers(double low, double high) {
  std::vector<double> list;
  const bool few = std::log10(high / low) < 2.5;
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if ((factor == 1.0 || few) && factor * power >= low && factor * power <= high) list.push_back(factor * power);
    }
  }
  return list;
}

struct Range {
  double low = HUGE_VAL, high = -HUGE_VAL;
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart) {
    for (const Series& series : chart.series) {
      for (const auto& [x, y] : series.points) {
        if (!std::isfinite(y)) continue;
        x_.add(x);
        y_.add(y);
      }
    }
    x_.low = 0;
    // A few wild batches shall not flatten the rest: the band may be cut off.
    logarithmic_ = !chart.percent && y_.low > 0 && y_.high > 30 * y_.low;
    if (logarithmic_) {
      y_.low /= 1.2;
      y_.high *= 1.2;
    } else {
      const double room = std::max((y_.high - y_.low) * 0.06, std::abs(y_.high) * 1e-3 + 1e-12);
      y_.low = y_.low >= 0 ? std::max(0.0, y_.low - room) : y_.low - room;
      y_.high = chart.percent ? std::min(y_.high + room, std::max(1.0, y_.high)) : y_.high + room;
    }
  }

  bool is_empty() const { return !(x_.high > 0) || !(y_.high > y_.low); }

  std::string draw() {
    svg_ = format("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", width, height) + chart_.label + "\">";
    grid();
    band();
    for (const Series& series : chart_.series) line(series);
    return svg_ + "</svg>";
  }

 private:
  double px(double x) const { return left + (width - left - right) * x / x_.high; }
  double py(double y) const {
    const double share =
        logarithmic_ ? std::log(std::max(y, y_.low) / y_.low) / std::log(y_.high / y_.low) : (y - y_.low) / (y_.high - y_.low);
    return height - bottom - (height - top - bottom) * std::clamp(share, 0.0, 1.0);
  }
  std::string value(double y) const { return chart_.percent ? format("%g %%", y * 100) : format("%g", y); }

  void grid() {
    for (const double y : logarithmic_ ? powers(y_.low, y_.high) : ticks(y_.low, y_.high, 5)) {
      svg_ += format("<line class=\"grid\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>", left, width - right, py(y), py(y));
      svg_ += format("<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">", left - 7, py(y) + 4) + value(y) + "</text>";
    }
    const std::vector<double> all = ticks(0, x_.high, 8);
    for (const double x : all) {
      if (x_.high >= 3 && x != std::floor(x)) continue;
      svg_ += format("<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%g</text>", px(x), height - bottom + 17, x);
    }
    svg_ += format("<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">", width - right, height - 3) + chart_.x_name + "</text>";
  }

  void band() {
    const Band& band = chart_.band;
    if (band.x.size() < 2) return;
    svg_ += "<path class=\"band\" d=\"";
    for (std::size_t i = 0; i < band.x.size(); ++i) svg_ += format("%c%.1f %.1f", i == 0 ? 'M' : 'L', px(band.x[i]), py(band.high[i]));
    for (std::size_t i = band.x.size(); i-- > 0;) svg_ += format("L%.1f %.1f", px(band.x[i]), py(band.low[i]));
    svg_ += "Z\"/>";
  }

  void line(const Series& series) {
    std::string path, marks;
    bool pen = false;  // a NaN interrupts the line
    for (const auto& [x, y] : series.points) {
      if (!std::isfinite(y)) {
        pen = false;
        continue;
      }
      path += format("%c%.1f %.1f", pen ? 'L' : 'M', px(x), py(y));
      pen = true;
      if (!series.marks) continue;
      const std::string text = chart_.percent ? format("%.2f %%", y * 100) : format("%.5g", y);
      marks += format("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>", series.style.c_str(), px(x), py(y),
                      series.points.size() > 60 ? 1.5 : 2.8) +
               series.name + format(", %s %g: ", chart_.x_name.c_str(), x) + text + "</title></circle>";
    }
    svg_ += "<path class=\"line " + series.style + "\" d=\"" + path + "\"/>" + marks;
  }

  const Chart& chart_;
  Range x_, y_;
  bool logarithmic_ = false;
  std::string svg_;
};

}  // namespace

std::string svg_of(const Chart& chart) {
  Drawing drawing(chart);
  return drawing.is_empty() ? "" : drawing.draw();
}

}  // namespace nnrun::observers
