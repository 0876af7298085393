// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/report/detail/lanes.hpp>
#include <mars/io/study/detail/chart.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace mars::io::detail {

/// Real runs against the model: every measured cell, and how far off the model is.
[[nodiscard]] inline auto measured_scatter(exploration::study const& s,
                                           std::vector<std::size_t> const& cells) -> std::string {
  constexpr double width = 560, height = 400, left = 62, right = 14, top = 10, bottom = 40;
  value_range both;
  for (auto const i : cells) {
    both.add(s.cells[i].run->measured.count());
    both.add(s.cells[i].run->modelled.count());
  }
  auto const x = both.logarithmic(left, width - right);
  auto const y = both.logarithmic(height - bottom, top);
  auto out = fmt::format("<svg class=\"marks\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
                         "aria-label=\"Measured against modelled time of {} cells\">\n",
                         width, height, cells.size());
  for (auto const t : log_ticks(x)) // the same for both
    out += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {2}V{3}M{4} {1:.1f}H{5}\"/><text class=\"tick\" "
        "x=\"{0:.1f}\" y=\"{6}\">{7}</text><text class=\"label end\" x=\"{8}\" y=\"{9:.1f}\">{7}"
        "</text>\n",
        x(t), y(t), top, height - bottom, left, width - right, height - bottom + 15,
        short_text(t, "s"), left - 6, y(t) + 3.8);
  // Inside the frame: y = 1.1 x and y = x / 1.1.
  auto const low = x.low, high = x.high;
  out += fmt::format("<path class=\"band\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} "
                     "{:.1f} {:.1f} {:.1f} {:.1f} {:.1f}z\"/>",
                     x(low), y(low), x(low), y(low * 1.1), x(high / 1.1), y(high), x(high), y(high),
                     x(high), y(high * 0.9), x(low / 0.9), y(low));
  out += fmt::format("<path class=\"diagonal\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", x(low),
                     y(low), x(high), y(high));
  for (auto const i : cells) {
    auto const& c = s.cells[i];
    auto const generation = position(c.at, exploration::axis_id::code_generation);
    out += fmt::format(
        "<use class=\"{} best\" href=\"#m{}\" x=\"{:.1f}\" y=\"{:.1f}\" data-c=\"{}\"/>\n",
        colour_class(position(c.at, exploration::axis_id::primitive)), generation % mark_shapes,
        x(c.run->modelled.count()), y(c.run->measured.count()), i);
  }
  return out + fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\">modelled</text><text "
                           "class=\"label middle\" transform=\"translate(11 {:.1f})rotate(-90)\">"
                           "measured</text></svg>\n",
                           (left + width - right) / 2, height - 6, (top + height - bottom) / 2);
}

/// How many cells are off by how much: ln(measured / modelled).
[[nodiscard]] inline auto ratio_histogram(exploration::study const& s,
                                          std::vector<std::size_t> const& cells) -> std::string {
  constexpr double width = 560, height = 400, left = 42, right = 14, top = 10, bottom = 40;
  double most = 0.12;
  for (auto const i : cells) most = std::max(most, std::abs(s.cells[i].run->log_ratio));
  most = std::min(most, 2.5); // what is further off stands at the edge
  auto const bin = most <= 0.3 ? 0.02 : most <= 0.8 ? 0.05 : 0.1;
  auto const half = static_cast<std::size_t>(std::ceil(most / bin - 1e-9));
  std::vector<std::size_t> count(2 * half, 0);
  for (auto const i : cells) {
    auto const at = std::floor(s.cells[i].run->log_ratio / bin) + static_cast<double>(half);
    ++count[static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(2 * half - 1)))];
  }
  auto const highest = *std::max_element(count.begin(), count.end());
  auto const reach = static_cast<double>(half) * bin;
  plot_scale const x{-reach, reach, left, width - right};
  plot_scale const y{0, static_cast<double>(highest) * 1.05, height - bottom, top};
  auto out = fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"How far "
                         "measured times lie from modelled ones\">\n",
                         width, height);
  out += fmt::format("<path class=\"band\" d=\"M{0:.1f} {2}H{1:.1f}V{3}H{0:.1f}z\"/>\n",
                     x(std::log(0.9)), x(std::log(1.1)), top, height - bottom);
  auto const step = std::max(1.0, nice_step(static_cast<double>(highest), 4));
  for (double n = 0; n <= y.high; n += step)
    out += fmt::format("<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text class=\"label end\" "
                       "x=\"{3}\" y=\"{4:.1f}\">{5:.0f}</text>\n",
                       left, y(n), width - right, left - 6, y(n) + 3.8, n);
  for (std::size_t k = 0; k < count.size(); ++k) {
    if (count[k] == 0) continue;
    auto const from = (static_cast<double>(k) - static_cast<double>(half)) * bin;
    out += fmt::format("<path class=\"bar\" d=\"M{:.1f} {:.1f}H{:.1f}V{:.1f}H{:.1f}z\"><title>{} "
                       "cells\nmeasured {} to {} of the modelled time</title></path>\n",
                       x(from) + 0.7, y(0), x(from + bin) - 0.7, y(static_cast<double>(count[k])),
                       x(from) + 0.7, count[k], percent_text(std::exp(from)),
                       percent_text(std::exp(from + bin)));
  }
  out += fmt::format("<path class=\"diagonal\" d=\"M{0:.1f} {1}V{2}\"/>\n", x(0), top,
                     height - bottom);
  for (double const share : {0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0, 10.0}) {
    auto const v = std::log(share);
    bool const crowded = reach > 0.8 && (share == 0.9 || share == 1.1 || share == 0.75);
    if (std::abs(v) > reach || crowded) continue;
    out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\">{:.0f} %</text>\n", x(v),
                       height - bottom + 15, 100 * share);
  }
  return out + fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\">measured, of the modelled "
                           "time</text></svg>\n",
                           (left + width - right) / 2, height - 6);
}

[[nodiscard]] inline auto measured_card(exploration::study const& s,
                                        algorithm_colours const& colours) -> std::string {
  std::vector<std::size_t> cells;
  std::vector<double> error;
  std::size_t close = 0;
  for (std::size_t i = 0; i < s.cells.size(); ++i) {
    auto const& run = s.cells[i].run;
    if (!run || !(run->measured.count() > 0) || !(run->modelled.count() > 0)) continue;
    cells.push_back(i);
    error.push_back(std::abs(run->modelled / run->measured - 1));
    close += error.back() <= 0.1;
  }
  if (cells.empty()) return {};
  std::sort(error.begin(), error.end());
  double sum = 0;
  for (auto const e : error) sum += e;
  auto const n = static_cast<double>(error.size());
  auto const median = (error[(error.size() - 1) / 2] + error[error.size() / 2]) / 2;
  auto const summary =
      fmt::format("{} cells: the model is off by {} on average, {} in the median, {} at worst; {} "
                  "of the cells lie within 10 %.",
                  error.size(), percent_text(sum / n), percent_text(median),
                  percent_text(error.back()), percent_text(static_cast<double>(close) / n));
  std::string legend = "<ul class=\"legend\">" + colours.legend([&](std::size_t k) {
    return std::any_of(cells.begin(), cells.end(), [&](auto i) {
      return position(s.cells[i].at, exploration::axis_id::primitive) == k;
    });
  });
  legend += generation_legend(s);
  legend += "<li><i class=\"swatch band-key\"></i>±10 %</li></ul>\n";
  return study_card(
      "measured", "Model and measurement", "sums over the operators that were run", "",
      summary + " Above the diagonal a cell takes longer than the model says." +
          (s.fitted_to_runs
               ? " The model of what was run was fitted to these very runs: how far off "
                 "it is on runs that it was not fitted to says the cross-validated "
                 "table of the text output."
               : ""),
      "<div class=\"halves\">" + measured_scatter(s, cells) + ratio_histogram(s, cells) +
          "</div>\n" + legend);
}

} // namespace mars::io::detail
