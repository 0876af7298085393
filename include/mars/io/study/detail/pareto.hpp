// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/report/detail/lanes.hpp>
#include <mars/io/study/detail/chart.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What one gives up for time: accuracy where it is known, else bytes. The two never share a plot.

namespace mars::io::detail {

/// The cells of one network, or of all, on one design: those of known accuracy, or the others.
struct pareto_panel {
  std::optional<std::uint16_t> network{};
  std::uint16_t design{};
  bool known{};
  std::vector<std::size_t> cells; ///< of the study, by time
  std::vector<bool> on_front;     ///< as `cells`
  std::size_t front_size{};
  std::string weighs; ///< "accuracy, bytes and time"
};

[[nodiscard]] inline auto criterion_name(exploration::criterion c) -> std::string {
  using exploration::criterion;
  return c == criterion::accuracy      ? "accuracy"
         : c == criterion::model_bytes ? "bytes"
         : c == criterion::time        ? "time"
                                       : "energy";
}
[[nodiscard]] inline auto criteria_text(std::vector<exploration::criterion> const& all)
    -> std::string {
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i)
    out += (i == 0 ? "" : i + 1 == all.size() ? " and " : ", ") + criterion_name(all[i]);
  return out;
}

/// A panel for each front, in the order of networks, all of them first.
[[nodiscard]] inline auto pareto_panels(exploration::study const& s) -> std::vector<pareto_panel> {
  std::vector<pareto_panel> panels;
  for (auto const& f : s.fronts) {
    bool const known = std::find(f.criteria.begin(), f.criteria.end(),
                                 exploration::criterion::accuracy) != f.criteria.end();
    pareto_panel p{f.network, f.design, known, {}, {}, 0, criteria_text(f.criteria)};
    for (std::size_t i = 0; i < s.cells.size(); ++i) {
      auto const& c = s.cells[i];
      bool const drawn = c.time.count() > 0 && std::isfinite(c.time.count());
      if (drawn && c.at[4] == f.design && (!f.network || c.at[0] == *f.network) &&
          (c.accuracy.known != exploration::provenance::unknown) == known)
        p.cells.push_back(i);
    }
    if (p.cells.empty()) continue;
    std::stable_sort(p.cells.begin(), p.cells.end(),
                     [&](auto a, auto b) { return s.cells[a].time < s.cells[b].time; });
    std::vector<bool> on_front(s.cells.size(), false);
    for (auto const i : f.cells) on_front[i] = true;
    for (auto const i : p.cells) {
      p.on_front.push_back(on_front[i]);
      p.front_size += on_front[i];
    }
    panels.push_back(std::move(p));
  }
  std::stable_sort(panels.begin(), panels.end(), [](auto const& a, auto const& b) {
    return std::pair{a.network, a.design} < std::pair{b.network, b.design};
  });
  return panels;
}

struct pareto_geometry {
  static constexpr double width = 380, height = 262;
  static constexpr double left = 46, right = 112, top = 10, bottom = 36;
};

/// Up: top-1 accuracy; within a network what it gained against the reference of its own source.
[[nodiscard]] inline auto pareto_value(exploration::cell const& c, pareto_panel const& p)
    -> double {
  if (!p.known) return static_cast<double>(std::max<std::int64_t>(c.weights.count(), 1));
  return c.accuracy.top1 - (p.network ? c.accuracy.reference : 0);
}

/// Names of compressions, or of networks, beside the values they have, where there is room.
[[nodiscard]] inline auto level_labels(exploration::study const& s, pareto_panel const& p,
                                       plot_scale const& y) -> std::string {
  struct level {
    double at;
    std::string name;
  };
  std::vector<level> levels;
  for (std::size_t k = 0; k < p.cells.size(); ++k) {
    auto const& c = s.cells[p.cells[k]];
    if (!p.on_front[k]) continue;
    auto const& name = s.name_of(c.at, p.network ? exploration::axis_id::compression
                                                 : exploration::axis_id::network);
    if (std::none_of(levels.begin(), levels.end(), [&](auto const& l) { return l.name == name; }))
      levels.push_back({y(pareto_value(c, p)), name});
  }
  std::stable_sort(levels.begin(), levels.end(),
                   [](auto const& a, auto const& b) { return a.at < b.at; });
  using g = pareto_geometry;
  std::string out;
  double last = -HUGE_VAL;
  for (auto const& l : levels) {
    if (l.at < last + 10) continue;
    last = l.at;
    out += fmt::format("<text class=\"label small\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                       g::width - g::right + 5, l.at + 3.3, html_text(shortened(l.name, 18)));
  }
  return out;
}

/// What the front's cells reach at best within each time; a guide for the eye where sources differ.
[[nodiscard]] inline auto staircase(exploration::study const& s, pareto_panel const& p,
                                    plot_scale const& x, plot_scale const& y) -> std::string {
  std::string path;
  double reached = 0;
  for (std::size_t k = 0; k < p.cells.size(); ++k) {
    if (!p.on_front[k]) continue;
    auto const& c = s.cells[p.cells[k]];
    auto const v = pareto_value(c, p);
    if (!path.empty() && (p.known ? v <= reached : v >= reached)) continue;
    path += path.empty() ? fmt::format("M{:.1f} {:.1f}", x(c.time.count()), y(v))
                         : fmt::format("H{:.1f}V{:.1f}", x(c.time.count()), y(v));
    reached = v;
  }
  if (path.empty()) return {};
  return fmt::format("<path class=\"front{}\" d=\"{}H{:.1f}\"/>\n", p.known ? "" : " dashed", path,
                     pareto_geometry::width - pareto_geometry::right);
}

/// A circle: published; a square: measured; a diamond: unknown.
[[nodiscard]] inline auto provenance_mark(exploration::provenance p) -> std::size_t {
  return p == exploration::provenance::published  ? 0
         : p == exploration::provenance::measured ? 1
                                                  : 3;
}

[[nodiscard]] inline auto network_key(pareto_panel const& p) -> std::string {
  return p.network ? std::to_string(*p.network) : std::string{"together"};
}

[[nodiscard]] inline auto pareto_figure(exploration::study const& s, pareto_panel const& p,
                                        plot_scale const& x, plot_scale const& y) -> std::string {
  using g = pareto_geometry;
  using exploration::axis_id;
  auto const& design = element_name(s, axis_id::design, p.design);
  auto const title =
      (p.network ? element_name(s, axis_id::network, *p.network) : std::string{"All networks"}) +
      " on " + design;
  auto out = fmt::format(
      "<figure class=\"panel\" data-network=\"{}\" data-design=\"{}\"><figcaption><b>{}</b> {} of "
      "{}</figcaption>\n<svg class=\"marks\" viewBox=\"0 0 {:.0f} {:.0f}\" "
      "role=\"img\" aria-label=\"{}: {} against time, {} of {} cells on the front\">\n",
      network_key(p), p.design, html_text(title), p.front_size, p.cells.size(), g::width, g::height,
      html_text(title), p.known ? "accuracy" : "bytes of the model", p.front_size, p.cells.size());
  for (auto const t : log_ticks(x))
    out += fmt::format("<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/><text class=\"tick\" "
                       "x=\"{0:.1f}\" y=\"{3}\">{4}</text>\n",
                       x(t), g::top, g::height - g::bottom, g::height - g::bottom + 14,
                       short_text(t, "s"));
  std::vector<double> values;
  if (p.known) {
    auto const step = nice_step(y.high - y.low, 5);
    for (double i = std::ceil(y.low / step); i * step <= y.high; ++i) values.push_back(i * step);
  } else {
    values = log_ticks(y);
  }
  for (auto const v : values)
    out += fmt::format("<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text class=\"label end\" "
                       "x=\"{3}\" y=\"{4:.1f}\">{5}</text>\n",
                       g::left, y(v), g::width - g::right, g::left - 5, y(v) + 3.8,
                       !p.known     ? short_text(v, "B")
                       : !p.network ? fmt::format("{:g} %", v)
                                    : plain_text(v));
  out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\">time of one inference</text>\n",
                     (g::left + g::width - g::right) / 2, g::height - 5);
  // What is beaten lies below.
  for (bool const front : {false, true}) {
    if (front) out += staircase(s, p, x, y);
    for (std::size_t k = 0; k < p.cells.size(); ++k) {
      if (p.on_front[k] != front) continue;
      auto const& c = s.cells[p.cells[k]];
      out += fmt::format(
          "<use class=\"{}{}\" href=\"#{}{}\" x=\"{:.1f}\" y=\"{:.1f}\" "
          "data-c=\"{}\"/>\n",
          colour_class(position(c.at, p.network ? axis_id::primitive : axis_id::network)),
          front ? " best" : " beaten", front ? "m" : "b", provenance_mark(c.accuracy.known),
          x(c.time.count()), y(pareto_value(c, p)), p.cells[k]);
    }
  }
  return out + level_labels(s, p, y) + "</svg></figure>\n";
}

/// The cells on the fronts in words: what a plot does not tell everyone.
[[nodiscard]] inline auto fronts_table(exploration::study const& s,
                                       std::vector<pareto_panel> const& panels) -> std::string {
  using exploration::axis_id;
  std::string out =
      "<details><summary class=\"minor\">The cells on the fronts</summary><div class=\"scroll\">"
      "<table class=\"sortable\"><thead><tr><th>network</th><th>design</th><th>front</th>"
      "<th>compression</th><th>primitive</th><th>code</th><th class=\"num\">time</th><th "
      "class=\"num\">model</th><th class=\"num\">top-1</th><th class=\"num\">lost</th></tr></thead>"
      "<tbody>\n";
  for (auto const& p : panels)
    for (std::size_t k = 0; k < p.cells.size(); ++k) {
      if (!p.on_front[k]) continue;
      auto const& c = s.cells[p.cells[k]];
      auto const name = [&](axis_id a) { return html_text(s.name_of(c.at, a)); };
      out += fmt::format(
          "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
          "<td class=\"num\" data-v=\"{}\">{}</td><td class=\"num\" "
          "data-v=\"{}\">{}</td>",
          name(axis_id::network), name(axis_id::design),
          std::string{p.known ? "accuracy" : "bytes"} + (p.network ? "" : ", all networks"),
          name(axis_id::compression), name(axis_id::primitive), name(axis_id::code_generation),
          sort_key(c.time.count()), time_text(c.time.count()), c.weights.count(),
          bytes_text(c.weights.count()));
      out += p.known ? fmt::format("<td class=\"num\" data-v=\"{0:.4f}\">{0:.2f} %</td><td "
                                   "class=\"num\" data-v=\"{1:.4f}\">{1:.2f}</td></tr>\n",
                                   c.accuracy.top1, c.accuracy.reference - c.accuracy.top1)
                     : std::string{"<td class=\"num\" data-v=\"-1\">unknown</td><td class=\"num\" "
                                   "data-v=\"99\">–</td></tr>\n"};
    }
  return out + "</tbody></table></div></details>\n";
}

/// Scales that all designs share: what is faster lies further left.
[[nodiscard]] inline auto pareto_scales(exploration::study const& s,
                                        std::vector<pareto_panel> const& panels,
                                        pareto_panel const& p)
    -> std::pair<plot_scale, plot_scale> {
  using g = pareto_geometry;
  value_range time, value;
  for (auto const& q : panels)
    if (q.network == p.network && q.known == p.known)
      for (auto const i : q.cells) {
        time.add(s.cells[i].time.count());
        value.add(pareto_value(s.cells[i], p));
      }
  return {time.logarithmic(g::left, g::width - g::right),
          p.known ? value.linear(g::height - g::bottom, g::top, 0.1)
                  : value.logarithmic(g::height - g::bottom, g::top)};
}

[[nodiscard]] inline auto pareto_legends(exploration::study const& s,
                                         algorithm_colours const& colours) -> std::string {
  using exploration::axis_id;
  auto const& networks = s.elements(axis_id::network);
  std::string out = "<ul class=\"legend panel\" data-network=\"together\">";
  for (std::size_t n = 0; n < networks.size(); ++n)
    out += fmt::format("<li><i class=\"swatch {}\"></i>{}</li>", colour_class(n),
                       html_text(networks[n].name));
  out += "</ul>\n<ul class=\"legend panel\" data-network=\"each\">" +
         colours.legend([&](std::size_t k) { return k < s.elements(axis_id::primitive).size(); }) +
         "</ul>\n<ul class=\"legend\">";
  constexpr std::array<std::string_view, 3> says{"unknown accuracy", "published", "measured"};
  for (auto const p : {exploration::provenance::published, exploration::provenance::measured,
                       exploration::provenance::unknown})
    out += fmt::format("<li><svg class=\"box\" viewBox=\"-7 -7 14 14\"><use class=\"key\" "
                       "href=\"#m{}\"/></svg>{}</li>",
                       provenance_mark(p), says[static_cast<std::size_t>(p)]);
  return out + "<li>faint: beaten by another cell</li></ul>\n";
}

[[nodiscard]] inline auto pareto_card(exploration::study const& s, algorithm_colours const& colours)
    -> std::string {
  using exploration::axis_id;
  auto const panels = pareto_panels(s);
  if (panels.empty()) return {};
  std::string content;
  for (bool const known : {true, false}) {
    std::string figures, weighed;
    for (auto const& p : panels) {
      if (p.known != known) continue;
      if (weighed.find(p.weighs) == weighed.npos)
        weighed += (weighed.empty() ? "" : " or ") + p.weighs;
      auto const [x, y] = pareto_scales(s, panels, p);
      figures += pareto_figure(s, p, x, y);
    }
    if (figures.empty()) continue;
    content += fmt::format(
        "<h3>{}<small>fronts of {}{}</small></h3>\n",
        known ? "Accuracy is known: top-1 against time"
              : "Accuracy is unknown: bytes of the model against time",
        weighed,
        known ? "<span class=\"panel\" data-network=\"each\">; in points, against the uncompressed "
                "network of the same source</span>"
              : "");
    content += "<div class=\"panels\">" + figures + "</div>\n";
  }
  using start = panel_choice::start;
  panel_choice networks{"network", names_of(s, axis_id::network), {}, start::first};
  for (auto const& p : panels) {
    if (!p.network)
      networks.begin = start::together;
    else if (networks.shown.empty() || networks.shown.back() != *p.network)
      networks.shown.push_back(*p.network);
  }
  auto const design = distinct(panels, [](auto const& p) { return p.design; });
  return study_card(
      "pareto", "Pareto fronts", "per network and design",
      choice_tools({networks, {"design", names_of(s, axis_id::design), design}}),
      "Up and left is better where accuracy is known, down and left where it is not. The line "
      "joins "
      "what is best within a time; full marks off the line are on the front, too, because they "
      "need "
      "fewer bytes, less energy, or an accuracy of another source: those do not compare. Beside "
      "each name: cells on the front, of all. Panels of a "
      "network share their axes.",
      content + pareto_legends(s, colours) + fronts_table(s, panels));
}

} // namespace mars::io::detail
