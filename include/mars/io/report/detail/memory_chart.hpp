// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/lanes.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Memory over time, below the time line and on its axis. The script draws it again with the same rules
// when the reader zooms.

namespace mars::io::detail {

/// The fullest accelerator of a group.
[[nodiscard]] inline auto fullest(report_data const& r, lane_group const& g) -> std::size_t {
  auto const filled = [&](std::size_t a) {
    auto const& x = r.accelerators[a];
    return static_cast<double>(x.peak_bytes) /
           static_cast<double>(std::max<std::int64_t>(x.capacity_bytes, 1));
  };
  return *std::max_element(g.accelerators.begin(), g.accelerators.end(),
                           [&](auto a, auto b) { return filled(a) < filled(b); });
}

/// Groups with a known memory; of many, the first.
[[nodiscard]] inline auto memory_rows(report_data const& r, std::vector<lane_group> const& groups)
    -> std::vector<std::size_t> {
  constexpr std::size_t most = 16;
  std::vector<std::size_t> rows;
  for (std::size_t g = 0; g < groups.size() && rows.size() < most; ++g)
    if (r.accelerators[fullest(r, groups[g])].memory.size() > 1) rows.push_back(g);
  return rows;
}

/// At most two steps for each of `parts` equal parts of the span, the largest and the last, so that
/// the largest of all is among them.
[[nodiscard]] inline auto thinned(std::vector<report_memory_step> const& steps, double span,
                                  std::size_t parts) -> std::vector<report_memory_step> {
  if (!(span > 0)) return steps;
  std::vector<report_memory_step> out;
  auto const part = [&](report_memory_step const& s) {
    return std::floor(s.at_s / span * static_cast<double>(parts));
  };
  for (std::size_t i = 0; i < steps.size();) {
    if (!std::isfinite(steps[i].at_s)) break;
    auto largest = i, end = i;
    for (; end == i || (end < steps.size() && part(steps[end]) <= part(steps[i])); ++end)
      if (steps[end].total() > steps[largest].total()) largest = end;
    if (largest + 1 != end) out.push_back(steps[largest]);
    out.push_back(steps[end - 1]);
    i = end;
  }
  return out;
}

struct memory_geometry {
  static constexpr double height = 46; ///< of a row's plot
  static constexpr double pitch = 64;
};

/// The largest share of its capacity that any row shows; all rows have this scale.
[[nodiscard]] inline auto memory_scale(report_data const& r, std::vector<lane_group> const& groups)
    -> double {
  double most = 0;
  for (auto const g : memory_rows(r, groups)) {
    auto const& a = r.accelerators[fullest(r, groups[g])];
    for (auto const& s : a.memory)
      most = std::max(most, static_cast<double>(s.total()) /
                                static_cast<double>(std::max<std::int64_t>(a.capacity_bytes, 1)));
  }
  return most > 0.4 ? std::max(1.0, most) * 1.04 : std::max(most * 1.15, 1e-9);
}

/// Areas below the weights, below those and the results, below all.
[[nodiscard]] inline auto memory_paths(std::vector<report_memory_step> const& steps, double span,
                                       double full) -> std::array<std::string, 3> {
  using g = gantt_geometry;
  constexpr auto h = memory_geometry::height;
  std::array<std::string, 3> paths;
  for (std::size_t layer = 0; layer < 3; ++layer) {
    auto& path = paths[layer] = fmt::format("M{:.0f} {:.0f}", g::left, h);
    double drawn = -1;
    for (auto const& s : steps) {
      auto const value =
          s.weights_bytes + (layer > 0 ? s.results_bytes : 0) + (layer > 1 ? s.buffers_bytes : 0);
      auto const x = g::left + g::plot * s.at_s / span;
      auto const y = h - h * static_cast<double>(value) / full;
      if (y == drawn) continue;
      path += fmt::format("H{:.1f}V{:.1f}", x, y);
      drawn = y;
    }
    path += fmt::format("H{:.0f}V{:.0f}z", g::left + g::plot, h);
  }
  return paths;
}

[[nodiscard]] inline auto memory_over_time_card(report_data const& r) -> std::string {
  using g = gantt_geometry;
  auto const groups = lane_groups(r);
  auto const rows = memory_rows(r, groups);
  auto const span = time_span(r);
  if (rows.empty() || !(span > 0)) return {};
  auto const share = memory_scale(r, groups);
  double y = g::top + 6;
  std::string body;
  for (auto const k : rows) {
    auto const& a = r.accelerators[fullest(r, groups[k])];
    auto const capacity = static_cast<double>(std::max<std::int64_t>(a.capacity_bytes, 1));
    auto const name = accelerators_text(r, groups[k].accelerators);
    constexpr auto h = memory_geometry::height;
    body += fmt::format(
        "<text class=\"row-name\" x=\"14\" y=\"{:.0f}\">{}<title>{}\n{}</title></text><text "
        "class=\"row-name\" x=\"14\" y=\"{:.0f}\">peak {}</text><text class=\"row-name\" x=\"14\" "
        "y=\"{:.0f}\">of {} ({})</text><rect class=\"lane\" x=\"{:.0f}\" y=\"{:.0f}\" "
        "width=\"{:.0f}\" height=\"{:.0f}\" data-row=\"{}\"/>\n<rect class=\"{}\" x=\"2\" "
        "y=\"{:.0f}\" width=\"5\" height=\"{:.0f}\" rx=\"2\"/><g transform=\"translate(0 "
        "{:.0f})\" id=\"memory-{}\" class=\"{}\">",
        y + 11, html_text(shortened(name, 20)), html_text(name),
        html_text(group_sentence(r, groups[k])), y + 27, bytes_text(a.peak_bytes), y + 43,
        bytes_text(a.capacity_bytes), percent_text(static_cast<double>(a.peak_bytes) / capacity),
        g::left, y, g::plot, h, k, set_class(groups[k].sets.front()), y, h, y, k,
        set_class(groups[k].sets.front()));
    auto const paths = memory_paths(thinned(a.memory, span, 600), span, share * capacity);
    for (std::size_t layer = 3; layer-- > 0;)
      body += fmt::format("<path class=\"m{}\" d=\"{}\"/>", layer, paths[layer]);
    body += "</g>\n";
    if (share > 1)
      body += fmt::format("<path class=\"capacity\" d=\"M{:.0f} {:.1f}h{:.0f}\"/>\n", g::left,
                          y + h - h / share, g::plot);
    y += memory_geometry::pitch;
  }
  auto const bottom = y - (memory_geometry::pitch - memory_geometry::height);
  auto out = fmt::format(
      "<section class=\"card\"><h2>Memory over time<small>{}</small></h2>\n<svg id=\"memory\" "
      "class=\"wide\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"Memory of "
      "accelerators over time\" data-share=\"{:.9g}\" data-height=\"{:.0f}\" "
      "data-bottom=\"{:.0f}\"><g class=\"axis\">{}</g>\n{}<path id=\"memory-marker\" "
      "d=\"\"/></svg>\n<ul class=\"legend\"><li>From below: weights (solid), results that wait "
      "for readers, buffers of what runs (lightest).</li>{}</ul>",
      share > 1 ? "against capacity, the dashed line"
                : fmt::format("drawn up to {} of the capacity", percent_text(share)),
      g::width, bottom + 4, share, memory_geometry::height, bottom, time_axis(span, bottom), body,
      rows.size() < groups.size()
          ? fmt::format("<li>{} more not drawn.</li>", groups.size() - rows.size())
          : "");
  return out + "</section>\n";
}

} // namespace mars::io::detail
