// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/study/detail/chart.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

// Which algorithm wins where: operator by operator, and primitive by primitive as code is tuned.

namespace mars::io::detail {

struct strip_geometry {
  static constexpr double width = 1120, height = 36;
  static constexpr double chosen = 18;  ///< height of the upper band
  static constexpr double wish_at = 21; ///< the lower: where the fastest is another one
  static constexpr double wish = 8;
};

/// Operators from left to right, each as wide as every other, in the colour of its algorithm.
[[nodiscard]] inline auto strip_svg(exploration::best_algorithms const& b,
                                    algorithm_colours const& colours, std::size_t number,
                                    std::string const& title) -> std::string {
  using g = strip_geometry;
  auto const count = b.operators.size();
  auto const pitch = g::width / static_cast<double>(count);
  auto const seam = pitch > 5 ? 1.0 : 0.0;
  std::vector<std::string> chosen(colours.names().size()), wish(colours.names().size());
  std::string reorders;
  for (std::size_t i = 0; i < count; ++i) {
    auto const& o = b.operators[i];
    auto const x = pitch * static_cast<double>(i);
    auto const rectangle = [&](double y, double high) {
      return fmt::format("M{:.1f} {:.0f}h{:.1f}v{:.0f}h-{:.1f}z", x, y, pitch - seam, high,
                         pitch - seam);
    };
    chosen[colours.index(o.algorithm)] += rectangle(0, g::chosen);
    if (o.fastest != o.algorithm) wish[colours.index(o.fastest)] += rectangle(g::wish_at, g::wish);
    if (o.reorders.count() > 0) reorders += fmt::format("M{:.1f} 0V{:.0f}", x, g::chosen);
  }
  auto out = fmt::format("<svg class=\"strip wide\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
                         "data-best=\"{}\" aria-label=\"Algorithm of each of {} operators of {}\">",
                         g::width, g::height, number, count, html_text(title));
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    if (!chosen[k].empty())
      out += fmt::format("<path class=\"{}\" d=\"{}\"/>", colour_class(k), chosen[k]);
    if (!wish[k].empty())
      out += fmt::format("<path class=\"{}\" d=\"{}\"/>", colour_class(k), wish[k]);
  }
  return out + fmt::format("<path class=\"reorders\" d=\"{}\"/></svg>", reorders);
}

[[nodiscard]] inline auto algorithms_card(exploration::study const& s,
                                          algorithm_colours const& colours) -> std::string {
  using exploration::axis_id;
  if (s.best.empty()) return {};
  std::string strips;
  std::vector<bool> occurs(colours.names().size(), false);
  for (auto const& b : s.best)
    for (auto const& o : b.operators)
      occurs[colours.index(o.algorithm)] = occurs[colours.index(o.fastest)] = true;
  double gain = 0;
  std::size_t gains = 0, exact = 0;
  for (std::size_t i = 0; i < s.best.size(); ++i) {
    auto const& b = s.best[i];
    exact += b.exact;
    if (b.time.count() > 0 && b.uniform.count() > 0 && std::isfinite(b.uniform.count())) {
      gain += std::log(b.time / b.uniform);
      ++gains;
    }
    if (b.operators.empty()) continue;
    auto const title = element_name(s, axis_id::network, b.network) + " · " +
                       element_name(s, axis_id::compression, b.compression) + " · " +
                       element_name(s, axis_id::code_generation, b.code_generation) + " · " +
                       element_name(s, axis_id::design, b.design);
    auto const against = [&](seconds other) {
      return b.time.count() > 0 && std::isfinite(other.count())
                 ? fmt::format("{} ({})", time_text(other.count()),
                               factor_text(std::log(other / b.time)))
                 : std::string{"–"};
    };
    strips += fmt::format("<div class=\"panel strip-row\" data-network=\"{}\" "
                          "data-compression=\"{}\" data-code=\"{}\" "
                          "data-design=\"{}\"><div class=\"bar-head\"><b>{}</b><span>{}{}, "
                          "reorders {} · one primitive, "
                          "{}: {} · each its fastest: {}</span></div>{}</div>\n",
                          b.network, b.compression, b.code_generation, b.design, html_text(title),
                          b.exact ? "" : "at most ", time_text(b.time.count()),
                          b.time.count() > 0 ? percent_text(b.reorders / b.time) : std::string{"–"},
                          html_text(element_name(s, axis_id::primitive, b.uniform_primitive)),
                          against(b.uniform), against(b.blind), strip_svg(b, colours, i, title));
  }
  using start = panel_choice::start;
  auto const choice = [&](std::string_view key, axis_id a, auto&& of, start begin) {
    return panel_choice{key, names_of(s, a), distinct(s.best, of), begin};
  };
  return study_card(
      "algorithms", "The best algorithm of every operator", "reorders between formats included",
      choice_tools(
          {choice(
               "network", axis_id::network, [](auto const& b) { return b.network; }, start::all),
           choice(
               "compression", axis_id::compression, [](auto const& b) { return b.compression; },
               start::first),
           choice(
               "code", axis_id::code_generation, [](auto const& b) { return b.code_generation; },
               start::last),
           choice(
               "design", axis_id::design, [](auto const& b) { return b.design; }, start::first)}),
      fmt::format(
          "From the first operator on the left to the last: the upper band is what runs, the lower "
          "one what would be faster if reorders were free, where that differs; a line between "
          "operators is a reorder. {} of {} choices are proven optimal{}",
          exact, s.best.size(),
          gains > 0 ? fmt::format("; on (geometric) average they take {} of the time of the best "
                                  "single primitive.",
                                  percent_text(std::exp(gain / static_cast<double>(gains))))
                    : std::string{"."}),
      "<div class=\"strips\">" + strips + "</div>\n<ul class=\"legend\">" +
          colours.legend([&](std::size_t k) { return occurs[k]; }) +
          "<li><svg viewBox=\"0 0 26 10\"><path class=\"reorders\" d=\"M13 "
          "0V10\"/></svg>reorder</li>"
          "</ul>\n");
}

[[nodiscard]] inline auto flips_card(exploration::study const& s, algorithm_colours const& colours)
    -> std::string {
  using exploration::axis_id;
  if (s.flip_candidates == 0) return {};
  std::string rows;
  for (auto const& f : s.flips) {
    auto const primitive = [&](std::uint16_t p) {
      auto const& name = element_name(s, axis_id::primitive, p);
      return fmt::format("<i class=\"swatch {}\"></i>{}", colour_class(colours.index(name)),
                         html_text(name));
    };
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        html_text(element_name(s, axis_id::network, f.network)),
                        html_text(element_name(s, axis_id::compression, f.compression)),
                        html_text(element_name(s, axis_id::design, f.design)), primitive(f.untuned),
                        primitive(f.tuned));
  }
  auto const table =
      rows.empty()
          ? std::string{"<p class=\"muted\">Tuning changes no choice.</p>\n"}
          : "<div class=\"scroll low\"><table class=\"sortable\" id=\"flips-table\"><thead>"
            "<tr><th>network</th><th>compression</th><th>design</th><th>best untuned</th>"
            "<th>best tuned</th></tr></thead><tbody>\n" +
                rows + "</tbody></table></div>\n";
  return study_card(
      "flips", "Tuning changes the winner",
      fmt::format("{} of {} choices", count_text(s.flips.size()), count_text(s.flip_candidates)),
      "",
      "Where the primitive that is best without tuning is not the one that is best with it: "
      "choosing "
      "by untuned code would choose wrongly.",
      table);
}

} // namespace mars::io::detail
