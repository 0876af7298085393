// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/study/detail/chart.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

// All cells at once. Drawn again by the script when the reader asks for another reference, by the same
// thresholds, which it is told.

namespace mars::io::detail {

/// Slower than the best by less than this factor: colour `h1`, …; `h0` is the best itself.
inline constexpr std::array<double, 4> heat_steps{1.25, 2, 4, 10};
/// Slower than the base, or faster, by less than this factor: colours `d3`; `d2`, `d4`; …
inline constexpr std::array<double, 3> change_steps{1.1, 2, 4};
inline constexpr std::size_t heat_colours = heat_steps.size() + 2;
inline constexpr std::size_t change_colours = 2 * change_steps.size() + 1;

[[nodiscard]] inline auto heat_class(double factor) -> std::size_t {
  if (factor <= 1) return 0;
  std::size_t k = 1;
  for (auto const step : heat_steps) k += factor >= step;
  return k;
}

/// Rows: networks, compressions within. Columns: designs, code generations within, primitives within.
struct heat_geometry {
  explicit heat_geometry(exploration::study const& s) {
    using exploration::axis_id;
    networks = s.elements(axis_id::network).size();
    compressions = s.elements(axis_id::compression).size();
    primitives = s.elements(axis_id::primitive).size();
    generations = s.elements(axis_id::code_generation).size();
    designs = s.elements(axis_id::design).size();
    auto const columns = static_cast<double>(std::max<std::size_t>(columns_of(), 1));
    auto const rows = static_cast<double>(std::max<std::size_t>(networks * compressions, 1));
    auto const gaps = static_cast<double>(designs) *
                      (generation_gap * static_cast<double>(generations) + design_gap);
    cell = std::clamp(std::floor((1120 - left - gaps) / columns), 7.0, 30.0);
    row = std::clamp(std::floor(900 / rows), 11.0, 22.0);
    width = std::max(1120.0, left + columns * cell + gaps + 4);
    height = top + rows * row + static_cast<double>(networks) * network_gap + 4;
  }
  [[nodiscard]] auto columns_of() const -> std::size_t {
    return designs * generations * primitives;
  }
  [[nodiscard]] auto generation_pitch() const -> double {
    return static_cast<double>(primitives) * cell + generation_gap;
  }
  [[nodiscard]] auto design_pitch() const -> double {
    return static_cast<double>(generations) * generation_pitch() + design_gap;
  }
  [[nodiscard]] auto x(std::size_t design, std::size_t generation, std::size_t primitive) const
      -> double {
    return left + static_cast<double>(design) * design_pitch() +
           static_cast<double>(generation) * generation_pitch() +
           static_cast<double>(primitive) * cell;
  }
  [[nodiscard]] auto y(std::size_t network, std::size_t compression) const -> double {
    return top + static_cast<double>(network * compressions + compression) * row +
           static_cast<double>(network) * network_gap;
  }
  /// As a path: one rectangle.
  [[nodiscard]] auto rectangle(exploration::coordinate const& at) const -> std::string {
    return fmt::format("M{:.0f} {:.0f}h{:.0f}v{:.0f}h-{:.0f}z", x(at[4], at[3], at[2]),
                       y(at[0], at[1]), cell - 1, row - 1, cell - 1);
  }

  static constexpr double left = 236, top = 148;
  static constexpr double generation_gap = 3, design_gap = 9, network_gap = 8;
  std::size_t networks{}, compressions{}, primitives{}, generations{}, designs{};
  double cell{}, row{}, width{}, height{};
};

[[nodiscard]] inline auto heat_labels(exploration::study const& s, heat_geometry const& g)
    -> std::string {
  using exploration::axis_id;
  std::string out;
  for (std::size_t n = 0; n < g.networks; ++n) {
    out += fmt::format("<text class=\"set-name\" x=\"0\" y=\"{:.1f}\">{}</text>\n",
                       g.y(n, 0) + g.row / 2 + 3.5,
                       html_text(shortened(element_name(s, axis_id::network, n), 16)));
    for (std::size_t c = 0; c < g.compressions; ++c)
      out += fmt::format("<text class=\"label end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                         heat_geometry::left - 6, g.y(n, c) + g.row / 2 + 3.5,
                         html_text(shortened(element_name(s, axis_id::compression, c), 20)));
  }
  for (std::size_t d = 0; d < g.designs; ++d) {
    auto const from = g.x(d, 0, 0);
    auto const wide = g.design_pitch() - heat_geometry::design_gap - heat_geometry::generation_gap;
    auto const fits = [](double pixels) {
      return std::max<std::size_t>(5, static_cast<std::size_t>(pixels / 6.4));
    };
    out += fmt::format("<text class=\"set-name middle\" x=\"{:.1f}\" y=\"13\">{}</text>"
                       "<path class=\"bracket\" d=\"M{:.1f} 20h{:.1f}\"/>\n",
                       from + wide / 2,
                       html_text(shortened(element_name(s, axis_id::design, d), fits(wide))), from,
                       wide - 1);
    for (std::size_t k = 0; k < g.generations; ++k) {
      auto const group = static_cast<double>(g.primitives) * g.cell;
      out += fmt::format(
          "<text class=\"label middle\" x=\"{:.1f}\" y=\"35\">{}</text>\n",
          g.x(d, k, 0) + group / 2,
          html_text(shortened(element_name(s, axis_id::code_generation, k), fits(group))));
      for (std::size_t p = 0; p < g.primitives; ++p)
        out += fmt::format("<text class=\"label small\" transform=\"translate({:.1f} "
                           "{:.0f})rotate(-90)\">{}</text>\n",
                           g.x(d, k, p) + g.cell / 2 + 3, heat_geometry::top - 6,
                           html_text(shortened(element_name(s, axis_id::primitive, p), 17)));
    }
  }
  return out;
}

[[nodiscard]] inline auto heat_legend() -> std::string {
  std::string out = "<ul class=\"legend scale\" data-scale=\"best\"><li><i class=\"swatch h0\"></i>"
                    "the fastest</li>";
  for (std::size_t k = 0; k < heat_steps.size(); ++k)
    out += fmt::format("<li><i class=\"swatch h{}\"></i>less than {:g}× as long</li>", k + 1,
                       heat_steps[k]);
  out += fmt::format("<li><i class=\"swatch h{}\"></i>longer</li>", heat_steps.size() + 1);
  std::string const rejected =
      "<li><svg class=\"box\" viewBox=\"0 0 12 12\"><path class=\"hatched\" d=\"M0 0h12v12h-12z\"/>"
      "</svg>cannot be</li></ul>\n";
  out += rejected + "<ul class=\"legend scale\" data-scale=\"change\" hidden>";
  auto const& c = change_steps;
  out += fmt::format("<li><i class=\"swatch d0\"></i>÷{:g} and faster</li>"
                     "<li><i class=\"swatch d1\"></i>÷{:g}</li><li><i class=\"swatch d2\"></i>÷{:g}"
                     "</li><li><i class=\"swatch d3\"></i>within {:.0f} %</li>"
                     "<li><i class=\"swatch d4\"></i>×{:g}</li><li><i class=\"swatch d5\"></i>×{:g}"
                     "</li><li><i class=\"swatch d6\"></i>×{:g} and slower</li>"
                     "<li><i class=\"swatch none\"></i>no base to compare with</li>",
                     c[2], c[1], c[0], 100 * (c[0] - 1), c[0], c[1], c[2]);
  return out + rejected;
}

[[nodiscard]] inline auto heat_map_card(exploration::study const& s) -> std::string {
  if (s.product() == 0) return {};
  heat_geometry const g{s};
  // The best primitive of each row, code generation and design.
  std::vector<double> best(g.networks * g.compressions * g.generations * g.designs, HUGE_VAL);
  auto const row_of = [&](exploration::coordinate const& at) {
    return ((at[0] * g.compressions + at[1]) * g.generations + at[3]) * g.designs + at[4];
  };
  for (auto const& c : s.cells) best[row_of(c.at)] = std::min(best[row_of(c.at)], c.time.count());
  std::array<std::string, heat_colours> paths;
  for (auto const& c : s.cells)
    paths[heat_class(c.time.count() / best[row_of(c.at)])] += g.rectangle(c.at);
  std::string hatched;
  for (auto const& r : s.rejected) hatched += g.rectangle(r.at);

  auto svg = fmt::format(
      "<div class=\"scroll-x\"><svg id=\"heat\" class=\"wide\" style=\"min-width:{5:.0f}px\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" data-left=\"{2:.0f}\" data-top=\"{3:.0f}\" "
      "data-cell=\"{6:.0f}\" data-row=\"{7:.0f}\" data-generation=\"{8:.0f}\" "
      "data-design=\"{9:.0f}\" "
      "data-network=\"{10:.0f}\" aria-label=\"Time of {4} legal cells; rows are networks and "
      "compressions, columns designs, code generations and primitives\">\n",
      g.width, g.height, heat_geometry::left, heat_geometry::top, s.cells.size(),
      std::max(720.0, 0.8 * g.width), g.cell, g.row, g.generation_pitch(), g.design_pitch(),
      static_cast<double>(g.compressions) * g.row + heat_geometry::network_gap);
  svg += heat_labels(s, g);
  svg += fmt::format("<path class=\"hatched\" d=\"{}\"/>\n<g id=\"heat-cells\">\n", hatched);
  for (std::size_t k = 0; k < heat_colours; ++k)
    svg += fmt::format("<path class=\"h{}\" d=\"{}\"/>\n", k, paths[k]);
  svg += "</g><path id=\"heat-cursor\" d=\"\"/></svg></div>\n";
  svg += heat_legend();
  return study_card(
      "cells", "All cells",
      fmt::format("{} legal, {} rejected", count_text(s.cells.size()),
                  count_text(s.rejected.size())),
      "<div class=\"tools\"><label>relative to <select id=\"heat-mode\">"
      "<option value=\"block\" selected>the best primitive of a block</option>"
      "<option value=\"design\">the best on the same design</option>"
      "<option value=\"row\">the best of a row</option>"
      "<option value=\"base\">the base on the same design</option>"
      "</select></label></div>",
      "A block is one compressed network, code generation and design; the strongest colour is the "
      "primitive that wins there. Where it wanders from block to block, axes interact. Hover, or "
      "focus and use arrow keys, for a cell's figures or the reason why it cannot be.",
      svg);
}

} // namespace mars::io::detail
