// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/study/detail/chart.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io::detail {

inline constexpr std::array<std::string_view, 4> quantity_names{"bytes of the model", "valid MACs",
                                                                "executed MACs", "accuracy"};

/// What of the stack a slice fixes: "direct, tuned, server_cpu".
[[nodiscard]] inline auto slice_name(exploration::study const& s, exploration::correlation const& c)
    -> std::string {
  using exploration::axis_id;
  auto text = c.pooled ? std::string{"pooled: all cells"}
                       : element_name(s, axis_id::primitive, c.primitive) + ", " +
                             element_name(s, axis_id::code_generation, c.code_generation) + ", " +
                             element_name(s, axis_id::design, c.design);
  if (!c.source.empty()) text += "; of " + c.source;
  return text;
}

/// A lane for each quantity: slices as dots, the pooled figure as a diamond.
[[nodiscard]] inline auto correlation_strip(exploration::study const& s) -> std::string {
  constexpr double left = 150, right = 1096;
  plot_scale const x{-1, 1, left, right};
  dot_lanes lanes{left, right, 50};
  for (std::size_t q = 0; q < quantity_names.size(); ++q) {
    std::string slices, pooled;
    std::size_t number = 0;
    for (auto const& c : s.correlations) {
      if (static_cast<std::size_t>(c.quantity) != q || !c.kendall) continue;
      auto const title = fmt::format("{} against time, {}\ntau-b {}, n = {}", quantity_names[q],
                                     slice_name(s, c), signed_text(*c.kendall, 3), c.n);
      // Dots of a lane lie on five heights, so that equal figures can be told apart.
      if (c.pooled)
        pooled += mark(3, "pooled", x(*c.kendall), lanes.centre() - 3, title);
      else
        slices += mark(0, colour_class(q) + " move", x(*c.kendall),
                       lanes.centre() - 3 + 5.5 * (static_cast<double>(number++ % 5) - 2), title);
    }
    if (slices.empty() && pooled.empty()) continue;
    lanes.lane(std::string{quantity_names[q]});
    for (auto const& r : s.correlation_ranges)
      if (static_cast<std::size_t>(r.quantity) == q)
        lanes.add(
            fmt::format(
                "<path class=\"spread\" d=\"M{0:.1f} {2:.1f}H{1:.1f}M{0:.1f} {3:.1f}v6M{1:.1f} "
                "{3:.1f}v6\"><title>{4} over networks alone, {5} slices\ntau-b {6} to {7}, "
                "median {8}</title></path>\n",
                x(r.least), x(r.most), lanes.centre() + 17, lanes.centre() + 14, quantity_names[q],
                r.slices, signed_text(r.least, 2), signed_text(r.most, 2),
                signed_text(r.median, 2)) +
            fmt::format("<path class=\"spread\" d=\"M{:.1f} {:.1f}l4-7h-8z\"/>\n", x(r.median),
                        lanes.centre() + 16));
    lanes.add(slices + pooled);
    lanes.next();
  }
  if (lanes.empty()) return {};
  std::string grid;
  for (double t = -4; t <= 4; ++t)
    grid +=
        fmt::format("<path class=\"{}\" d=\"M{:.1f} {}V{:.1f}\"/><text class=\"tick\" "
                    "x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                    t == 0 ? "zero" : "grid", x(t / 4), dot_lanes::top, lanes.bottom(), x(t / 4),
                    lanes.bottom() + 14, t == 0 ? std::string{"0"} : signed_text(t / 4, 2));
  grid += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\">Kendall's tau-b with "
                      "time</text>\n",
                      x(0), lanes.bottom() + 28);
  return lanes.svg("Kendall's tau of each quantity with time", grid, 32);
}

[[nodiscard]] inline auto correlation_card(exploration::study const& s) -> std::string {
  if (s.correlations.empty()) return {};
  auto const cell = [](std::optional<double> const& v) {
    return v ? fmt::format("<td class=\"num\" data-v=\"{}\">{}</td>", sort_key(*v),
                           signed_text(*v, 3))
             : std::string{"<td class=\"num\" data-v=\"-9\">constant</td>"};
  };
  std::string rows =
      "<details open><summary class=\"minor\">All of them</summary><label class=\"search\">find "
      "<input type=\"search\" data-table=\"correlations\" placeholder=\"quantity or "
      "slice\"></label>"
      "<div class=\"scroll low\"><table class=\"sortable\" id=\"correlations\"><thead><tr>"
      "<th>quantity</th><th>slice</th><th class=\"num\">tau-b</th><th class=\"num\">Spearman</th>"
      "<th class=\"num\">n</th></tr></thead><tbody>\n";
  for (bool const pooled : {true, false})
    for (auto const& c : s.correlations)
      if (c.pooled == pooled)
        rows += fmt::format("<tr{}><td>{}</td><td class=\"name\">{}</td>{}{}<td class=\"num\">{}"
                            "</td></tr>\n",
                            pooled ? " class=\"sum\"" : "",
                            quantity_names[static_cast<std::size_t>(c.quantity)],
                            html_text(slice_name(s, c)), cell(c.kendall), cell(c.spearman), c.n);
  return study_card(
      "correlation", "Does it follow time?", "rank correlation with time", "",
      "How well a quantity ranks cells by time: +1 in the same order, −1 in reverse, 0 not at "
      "all. A dot is one slice: primitive, code generation and design fixed, networks and "
      "compressions vary. Of accuracies those of one source count. The diamond is all cells "
      "together, the line below the range over "
      "networks "
      "alone, with its median. A diamond far from its dots: the rule holds within a slice and "
      "misleads across the stack.",
      correlation_strip(s) + rows + "</tbody></table></div></details>\n");
}

/// From which sparsity on sparse beats dense, on one design: a lane for each pair of primitives.
[[nodiscard]] inline auto break_even_figure(exploration::study const& s, std::uint16_t design)
    -> std::string {
  using exploration::axis_id;
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::vector<exploration::break_even const*>>
      lanes; // sparse and opponent
  for (auto const& b : s.break_evens)
    if (b.design == design) lanes[{b.sparse, b.opponent}].push_back(&b);
  constexpr double left = 250, right = 990;
  plot_scale const x{0, 1, left, right};
  dot_lanes plot{left, right, 21};
  for (auto const& [pair, list] : lanes) {
    auto const& ours = element_name(s, axis_id::primitive, pair.first);
    auto const& theirs = element_name(s, axis_id::primitive, pair.second);
    plot.lane(shortened(ours + " > " + theirs, 36));
    std::size_t never = 0;
    std::map<double, std::size_t> early; // ahead already at the lowest level
    for (auto const* b : list) {
      if (!b->sparsity)
        ++never;
      else if (b->at_most)
        ++early[*b->sparsity];
      else
        plot.add(mark(b->code_generation, colour_class(pair.second) + " move", x(*b->sparsity),
                      plot.centre(),
                      fmt::format("{} on {}, {}\n{} beats {} from {} of zero weights on",
                                  element_name(s, axis_id::network, b->network),
                                  element_name(s, axis_id::design, design),
                                  element_name(s, axis_id::code_generation, b->code_generation),
                                  ours, theirs, percent_text(*b->sparsity))));
    }
    for (auto const& [level, n] : early)
      plot.add(fmt::format("<text class=\"label end\" x=\"{:.1f}\" y=\"{:.1f}\">◂ {}</text>\n",
                           x(level), plot.centre() + 3.8, n));
    if (never > 0) plot.note(fmt::format("never: {} of {}", never, list.size()));
    plot.next();
  }
  std::string grid;
  auto const bottom = plot.bottom();
  for (double t = 0; t <= 10; t += 2)
    grid += fmt::format("<path class=\"grid\" d=\"M{0:.1f} {1}V{2:.1f}\"/><text class=\"tick\" "
                        "x=\"{0:.1f}\" y=\"{3:.1f}\">{4:.0f} %</text>\n",
                        x(t / 10), dot_lanes::top, bottom, bottom + 14, 10 * t);
  grid += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\">zero weights at which both "
                      "take as long</text>\n",
                      x(0.5), bottom + 28);
  auto const name = html_text(element_name(s, axis_id::design, design));
  return fmt::format(
             "<figure class=\"panel\" data-design=\"{}\"><figcaption><b>{}</b></figcaption>",
             design, name) +
         plot.svg("Sparsity from which on sparse primitives win on " + name, grid, 32) +
         "</figure>\n";
}

[[nodiscard]] inline auto break_even_card(exploration::study const& s,
                                          algorithm_colours const& colours) -> std::string {
  using exploration::axis_id;
  if (s.break_evens.empty()) return {};
  auto const designs = distinct(s.break_evens, [](auto const& b) { return b.design; });
  auto const never = static_cast<std::size_t>(std::count_if(
      s.break_evens.begin(), s.break_evens.end(), [](auto const& b) { return !b.sparsity; }));
  std::string figures = "<div class=\"panels one\">";
  for (auto const d : designs) figures += break_even_figure(s, d);
  figures += "</div>\n<ul class=\"legend\">" + colours.legend([&](std::size_t i) {
    return std::any_of(s.break_evens.begin(), s.break_evens.end(),
                       [&](auto const& b) { return b.opponent == i; });
  });
  figures += generation_legend(s) + "</ul>\n";
  std::string rows =
      "<details><summary class=\"minor\">All of them</summary><label class=\"search\">find <input "
      "type=\"search\" data-table=\"break-evens\" placeholder=\"network, primitive, "
      "design\"></label>"
      "<div class=\"scroll low\"><table class=\"sortable\" "
      "id=\"break-evens\"><thead><tr><th>network"
      "</th><th>sparse</th><th>dense opponent</th><th>code</th><th>design</th><th "
      "class=\"num\">zero "
      "weights</th></tr></thead><tbody>\n";
  for (auto const& b : s.break_evens) {
    auto const name = [&](axis_id a, std::size_t i) { return html_text(element_name(s, a, i)); };
    rows += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td "
        "class=\"num\" data-v=\"{:.6f}\">{}</td></tr>\n",
        name(axis_id::network, b.network), name(axis_id::primitive, b.sparse),
        name(axis_id::primitive, b.opponent), name(axis_id::code_generation, b.code_generation),
        name(axis_id::design, b.design), b.sparsity.value_or(2),
        b.sparsity ? (b.at_most ? "≤ " : "") + percent_text(*b.sparsity) : std::string{"never"});
  }
  return study_card(
      "break-even", "From which sparsity on it pays", "sparse primitives against dense ones",
      choice_tools({{"design", names_of(s, axis_id::design), designs, panel_choice::start::first}}),
      fmt::format("A mark is one network: the share of zero weights from which on the sparse "
                  "primitive is faster than the opponent on dense weights. Further left is better "
                  "for sparsity; in {} of {} comparisons it never pays within the levels studied. "
                  "Colour: the opponent. ◂: how many are ahead at the lowest level already.",
                  count_text(never), count_text(s.break_evens.size())),
      figures + rows + "</tbody></table></div></details>\n");
}

} // namespace mars::io::detail
