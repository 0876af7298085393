// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/study.hpp>
#include <mars/io/study/detail/chart.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// What moves time, and by how much: shares of variance, single moves, moves that do not multiply,
// compressions on each design.

namespace mars::io::detail {

[[nodiscard]] inline auto axes_text(exploration::study const& s,
                                    std::vector<exploration::axis_id> const& axes) -> std::string {
  std::string out;
  for (auto const a : axes)
    out += (out.empty() ? "" : " × ") + s.axes[static_cast<std::size_t>(a)].name;
  return out;
}

/// A main effect has its axis's colour, an interaction is grey.
[[nodiscard]] inline auto share_class(exploration::variance_share const& v) -> std::string {
  return v.axes.size() == 1 ? colour_class(static_cast<std::size_t>(v.axes.front()))
                            : std::string{"joint"};
}

[[nodiscard]] inline auto variance_card(exploration::study const& s) -> std::string {
  auto const& v = s.variance;
  if (v.shares.empty()) return {};
  bool const adds_up = v.method == exploration::variance_method::orthogonal;
  double largest = 0;
  for (auto const& x : v.shares) largest = std::max(largest, x.share);
  std::string content;
  if (adds_up) {
    content += "<div class=\"track tall\">";
    for (auto const& x : v.shares)
      content += fmt::format("<i class=\"{}\" style=\"width:{:.3f}%\" title=\"{} {}\"></i>",
                             share_class(x), 100 * std::max(0.0, x.share),
                             html_text(axes_text(s, x.axes)), percent_text(x.share));
    content += "</div>\n";
  }
  auto shares = v.shares; // interactions: the largest first
  auto const joint = std::stable_partition(shares.begin(), shares.end(),
                                           [](auto const& x) { return x.axes.size() == 1; });
  std::stable_sort(joint, shares.end(),
                   [](auto const& a, auto const& b) { return a.share > b.share; });
  constexpr double least = 0.0005; // what is printed as 0.0 %
  std::size_t small = 0;
  for (auto const& x : shares) {
    if (x.axes.size() > 1 && x.share < least) {
      ++small;
      continue;
    }
    content += fmt::format(
        "<div class=\"row shares\"><b>{}</b><div class=\"track\"><i class=\"{}\" "
        "style=\"width:{:.3f}%\"></i></div><span>{}</span></div>\n",
        html_text(axes_text(s, x.axes)), share_class(x),
        largest > 0 ? 100 * std::max(0.0, x.share) / largest : 0.0, percent_text(x.share));
  }
  if (small > 0)
    content += fmt::format("<p class=\"legend\">{} interaction{} of less than 0.05 % {} not listed."
                           "</p>\n",
                           small, small == 1 ? "" : "s", small == 1 ? "is" : "are");
  std::string block;
  for (std::size_t a = 0; a < exploration::axis_count; ++a)
    block += fmt::format("{}{} {}", a == 0 ? "" : " × ", v.block[a].size(),
                         html_text(s.axes[a].name + (v.block[a].size() == 1 ? "" : "s")));
  return study_card(
      "variance", "What time depends on",
      adds_up ? "shares of the variance of ln time" : "what the fit loses without a factor", "",
      (adds_up ? fmt::format(
                     "Over the largest complete block, {} ({} cells; {} legal cells lie outside "
                     "it), the shares add up to one. Grey: axes that act together, which no "
                     "study of one axis can see.",
                     block, count_text(v.cells), count_text(v.excluded))
               : fmt::format(
                     "Drop-one sums of squares over {} cells ({} left out): shares need not add "
                     "up. Grey: axes that act together.",
                     count_text(v.cells), count_text(v.excluded))),
      content);
}

/// An axis of factors below rows: grid, ticks, which side is better. For moves by at most `most`.
[[nodiscard]] inline auto factor_axis(plot_scale const& x, double top, double bottom)
    -> std::string {
  std::string out;
  for (auto const t : factor_ticks(x))
    out += fmt::format("<path class=\"{}\" d=\"M{:.1f} {:.0f}V{:.0f}\"/><text class=\"tick\" "
                       "x=\"{:.1f}\" y=\"{:.0f}\">{}</text>\n",
                       std::abs(t) < 1e-9 ? "zero" : "grid", x(t), top, bottom, x(t), bottom + 14,
                       std::abs(t) < 1e-9
                           ? std::string{"×1"}
                           : fmt::format("{}{:.0f}", t < 0 ? "÷" : "×", std::exp(std::abs(t))));
  return out + fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.0f}\">← faster</text><text "
                           "class=\"label end\" x=\"{:.1f}\" y=\"{:.0f}\">slower →</text>\n",
                           x.from, bottom + 28, x.to, bottom + 28);
}

/// Of ln factors: both sides of ×1 are shown.
[[nodiscard]] inline auto around_one() -> value_range {
  value_range r;
  r.add(-std::log(1.5));
  r.add(std::log(1.5));
  return r;
}

/// At most `most` of sorted things, ends included.
template <class T>
[[nodiscard]] auto evenly(std::vector<T> const& sorted, std::size_t most) -> std::vector<T> {
  if (sorted.size() <= most) return sorted;
  std::vector<T> few;
  for (std::size_t i = 0; i < most; ++i)
    few.push_back(sorted[i * (sorted.size() - 1) / (most - 1)]);
  return few;
}

/// Moves from one element to another, of all bases.
struct move_row {
  exploration::axis_id axis;
  std::uint16_t from, to;
  std::vector<exploration::perturbation const*> moves; ///< by effect
};
[[nodiscard]] inline auto move_rows(exploration::study const& s) -> std::vector<move_row> {
  std::vector<move_row> rows;
  for (auto const& p : s.perturbations) {
    if (!std::isfinite(p.effect)) continue;
    move_row const like{p.axis, position(p.base, p.axis), p.to, {}};
    auto const key = [](move_row const& r) { return std::tuple{r.axis, r.from, r.to}; };
    auto const at = std::lower_bound(rows.begin(), rows.end(), like,
                                     [&](auto& a, auto& b) { return key(a) < key(b); });
    bool const there = at != rows.end() && key(*at) == key(like);
    (there ? at : rows.insert(at, like))->moves.push_back(&p);
  }
  for (auto& r : rows)
    std::stable_sort(r.moves.begin(), r.moves.end(),
                     [](auto const* a, auto const* b) { return a->effect < b->effect; });
  return rows;
}

[[nodiscard]] inline auto moves_svg(exploration::study const& s, std::vector<move_row> const& rows)
    -> std::string {
  constexpr double left = 330, right = 1034;
  auto effects = around_one();
  for (auto const& r : rows)
    for (auto const* p : r.moves) effects.add(p->effect);
  auto const x = effects.linear(left, right, 0.05);
  dot_lanes lanes{left, right, 21};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto const& r = rows[i];
    auto const axis = static_cast<std::size_t>(r.axis);
    if (i == 0 || rows[i - 1].axis != r.axis) lanes.heading(s.axes[axis].name);
    auto const label = element_name(s, r.axis, r.from) + " → " + element_name(s, r.axis, r.to);
    lanes.lane(shortened(label, 40));
    for (auto const* p : evenly(r.moves, 60))
      lanes.add(mark(0, colour_class(axis) + " move", x(p->effect), lanes.centre(),
                     label + ": " + speed_text(p->effect) + "\nfrom " + cell_name(s, p->base)));
    auto const median = r.moves[r.moves.size() / 2]->effect;
    lanes.add(fmt::format("<use class=\"median\" href=\"#tick\" x=\"{:.1f}\" y=\"{:.1f}\"/>\n",
                          x(median), lanes.centre()));
    lanes.note(factor_text(median));
    lanes.next();
  }
  return lanes.svg("Effect of each move of one axis on time",
                   factor_axis(x, dot_lanes::top, lanes.bottom()), 34);
}

[[nodiscard]] inline auto perturbation_card(exploration::study const& s) -> std::string {
  auto choices = move_rows(s);
  if (choices.empty()) return {};
  // Networks differ by so much that nothing else could be seen beside them.
  std::vector<move_row> networks;
  auto const end = std::stable_partition(choices.begin(), choices.end(), [](auto const& r) {
    return r.axis != exploration::axis_id::network;
  });
  networks.assign(end, choices.end());
  choices.erase(end, choices.end());
  std::string content;
  if (!choices.empty()) content += moves_svg(s, choices);
  if (!networks.empty())
    content += fmt::format("<details{}><summary class=\"minor\">Moves between networks</summary>{}"
                           "</details>\n",
                           choices.empty() ? " open" : "", moves_svg(s, networks));
  return study_card(
      "moves", "One move at a time", "time after the move, of the time before", "",
      "A dot is one base cell with one element exchanged and all others kept; the bar is the "
      "median, printed on the right. A row whose dots lie on both sides of ×1 is a change that "
      "helps in some surroundings and hurts in others. Of more than 60 bases, evenly many are "
      "drawn.",
      content);
}

[[nodiscard]] inline auto interactions_card(exploration::study const& s) -> std::string {
  if (s.interactions.empty()) return {};
  constexpr std::size_t most = 40;
  std::string rows = "<div class=\"scroll\"><table class=\"sortable\"><thead><tr><th>first "
                     "move</th><th>second move"
                     "</th><th>base</th><th class=\"num\">together</th><th class=\"num\">l₁₁ − l₁₀ "
                     "− l₀₁ + l₀₀</th>"
                     "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(most, s.interactions.size()); ++i) {
    auto const& x = s.interactions[i];
    auto const move = [&](exploration::axis_id a, std::uint16_t to) {
      return html_text(s.name_of(x.base, a) + " → " + element_name(s, a, to));
    };
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"name\">{}</td><td class=\"num\" "
                        "data-v=\"{}\">{}</td><td class=\"num\" data-v=\"{}\">{}</td></tr>\n",
                        move(x.first, x.to_first), move(x.second, x.to_second),
                        html_text(cell_name(s, x.base)), sort_key(x.effect), speed_text(x.effect),
                        sort_key(x.effect), signed_text(x.effect, 3));
  }
  return study_card("interactions", "Moves that do not multiply",
                    fmt::format("the {} largest of {}", std::min(most, s.interactions.size()),
                                count_text(std::max(s.interactions_tried, s.interactions.size()))),
                    "",
                    "How much faster or slower two moves together are than each alone would make "
                    "believe; l is ln "
                    "time, zero means that the moves multiply.",
                    rows + "</tbody></table></div>\n");
}

/// One network and code generation: compressions against designs.
[[nodiscard]] inline auto effect_figure(
    exploration::study const& s, std::uint16_t network, std::uint16_t generation,
    std::vector<exploration::compression_effect const*> const& rows, value_range const& effects)
    -> std::string {
  using exploration::axis_id;
  constexpr double width = 540, left = 150, right = 24, pitch = 22, top = 4;
  auto const x = effects.linear(left, width - right, 0.05);
  auto const title = element_name(s, axis_id::network, network) + ", " +
                     element_name(s, axis_id::code_generation, generation);
  auto const bottom = top + pitch * static_cast<double>(rows.size());
  auto out =
      fmt::format("<figure class=\"panel\" data-network=\"{}\" data-code=\"{}\"><figcaption>"
                  "<b>{}</b></figcaption><svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
                  "aria-label=\"What compressing {} buys on each design\">\n",
                  network, generation, html_text(title), width, bottom + 34, html_text(title));
  out += factor_axis(x, top, bottom);
  auto y = top + pitch / 2;
  for (auto const* e : rows) {
    value_range range;
    for (auto const& d : e->by_design)
      if (d) range.add(*d);
    if (range.known()) {
      auto const ends = range.linear(0, 1, 0); // widened: the line passes its marks
      out += fmt::format("<path class=\"{}\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n",
                         e->sign_changes ? "span changes" : "span", x(std::max(x.low, ends.low)), y,
                         x(std::min(x.high, ends.high)));
    }
    auto const& name = element_name(s, axis_id::compression, e->compression);
    out += fmt::format("<text class=\"{} end\" x=\"{}\" y=\"{:.1f}\">{}{}</text>\n",
                       e->sign_changes ? "strong" : "label", left - 8, y + 3.8,
                       e->sign_changes ? "⇄ " : "", html_text(shortened(name, 19)));
    for (std::size_t d = 0; d < e->by_design.size(); ++d)
      if (e->by_design[d] && std::isfinite(*e->by_design[d]))
        out += mark(d, colour_class(d) + " best", x(*e->by_design[d]), y,
                    name + " on " + element_name(s, axis_id::design, d) + "\n" +
                        factor_text(*e->by_design[d]) + ": " + speed_text(*e->by_design[d]) +
                        " than uncompressed, best primitive of each" +
                        (e->sign_changes ? "\nfaster on some designs, slower on others" : ""));
    y += pitch;
  }
  return out + "</svg></figure>\n";
}

[[nodiscard]] inline auto compression_card(exploration::study const& s) -> std::string {
  using exploration::axis_id;
  if (s.compression_effects.empty()) return {};
  std::map<std::pair<std::uint16_t, std::uint16_t>,
           std::vector<exploration::compression_effect const*>>
      panels;
  auto effects = around_one();
  std::size_t changes = 0;
  for (auto const& e : s.compression_effects) {
    panels[{e.network, e.code_generation}].push_back(&e);
    changes += e.sign_changes;
    for (auto const& d : e.by_design)
      if (d) effects.add(*d);
  }
  std::string figures;
  for (auto const& [at, rows] : panels)
    figures += effect_figure(s, at.first, at.second, rows, effects);
  std::string legend = "<ul class=\"legend\">";
  auto const& designs = s.elements(axis_id::design);
  for (std::size_t d = 0; d < designs.size(); ++d)
    legend += fmt::format("<li><svg class=\"box\" viewBox=\"-7 -7 14 14\"><use class=\"{}\" "
                          "href=\"#m{}\"/></svg>{}</li>",
                          colour_class(d), d % mark_shapes, html_text(designs[d].name));
  legend += "<li><b>⇄</b>the sign changes between designs</li></ul>\n";
  auto const network = distinct(s.compression_effects, [](auto const& e) { return e.network; });
  auto const code =
      distinct(s.compression_effects, [](auto const& e) { return e.code_generation; });
  return study_card(
      "compression", "What compressing buys", "by design, best primitive on both sides",
      choice_tools(
          {{"network", names_of(s, axis_id::network), network},
           {"code", names_of(s, axis_id::code_generation), code, panel_choice::start::last}}),
      fmt::format(
          "Time compressed, of the time uncompressed. Marks of a row that lie far apart say "
          "that the gain is the design's, not the compression's; in {} of {} rows a "
          "compression is faster on one design and slower on another, by more than 2 % each.",
          changes, s.compression_effects.size()),
      "<div class=\"panels two\">" + figures + "</div>\n" + legend);
}

} // namespace mars::io::detail
