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
#include <string>
#include <vector>

// The time line. What is drawn here is drawn again by the script when the reader zooms, with the same
// rules; the two must be changed together.

namespace mars::io::detail {

/// Rectangles of one group as SVG path data, one string per cause. What is narrower than a pixel is
/// merged with its neighbours into one rectangle in the colour of the largest share.
class bar_painter {
public:
  void add(std::size_t cause, double from, double to) {
    if (!(to > from)) return;
    if (to - from >= 1) {
      flush();
      emit(cause, from, to);
      return;
    }
    if (active_ && from - end_ > 0.5) flush();
    if (!active_) {
      active_ = true;
      begin_ = from;
      share_ = {};
    }
    share_[cause] += to - from;
    end_ = to;
    if (end_ - begin_ >= 1) flush();
  }
  [[nodiscard]] auto finish() -> std::array<std::string, cause_count> const& {
    flush();
    return paths_;
  }

private:
  void flush() {
    if (!active_) return;
    active_ = false;
    auto const largest = std::max_element(share_.begin(), share_.end()) - share_.begin();
    emit(static_cast<std::size_t>(largest), begin_, std::max(end_, begin_ + 0.6));
  }
  void emit(std::size_t cause, double from, double to) {
    auto const width = to - from > 3 ? to - from - 0.6 : to - from;
    paths_[cause] +=
        fmt::format("M{:.2f} 0h{:.2f}v{:.0f}h-{:.2f}z", from, width, gantt_geometry::bar, width);
  }

  bool active_{};
  double begin_{}, end_{};
  std::array<double, cause_count> share_{};
  std::array<std::string, cause_count> paths_;
};

/// A thin line wherever one of some intervals is; they come in the order of their beginnings.
class line_painter {
public:
  explicit line_painter(double y) : y_{y} {}

  void add(double from, double to) {
    if (active_ && from - end_ <= 0.5) {
      end_ = std::max(end_, to);
      return;
    }
    flush();
    active_ = true;
    begin_ = from;
    end_ = std::max(to, from + 1);
  }
  [[nodiscard]] auto finish() -> std::string const& {
    flush();
    return path_;
  }

private:
  void flush() {
    if (active_) path_ += fmt::format("M{:.2f} {:.1f}H{:.2f}", begin_, y_, end_);
    active_ = false;
  }

  double y_;
  bool active_{};
  double begin_{}, end_{};
  std::string path_;
};

struct band_painter {
  bar_painter bars{};
  line_painter critical{gantt_geometry::bar + 1.5};
  line_painter arriving{-1.5};
};

[[nodiscard]] inline auto paint_bands(report_data const& r, std::vector<lane_group> const& groups,
                                      std::vector<lane_band> const& bands, double scale)
    -> std::vector<band_painter> {
  std::vector<band_painter> painters(bands.size());
  auto const of_set = bands_by_set(r, groups, bands);
  auto const shows = [&](std::size_t b, report_operator const& o) {
    return bands[b].stream.value_or(o.stream) == o.stream;
  };
  auto const x = [&](double s) { return gantt_geometry::left + s * scale; };
  for (auto const& o : r.operators) {
    if (!std::isfinite(o.start_s)) continue;
    auto const parts = causes_in_order(o.time);
    for (auto const g : of_set[o.set]) {
      if (!shows(g, o)) continue;
      auto at = o.start_s;
      for (auto const c : causes_in_time) {
        if (std::isfinite(at + parts[c])) painters[g].bars.add(c, x(at), x(at + parts[c]));
        at += parts[c];
      }
      if (o.critical && std::isfinite(o.end_s)) painters[g].critical.add(x(o.start_s), x(o.end_s));
    }
  }
  if (!is_overlapped(r.semantics)) return painters;
  std::vector<report_transfer> transfers;
  for (auto const& t : r.transfers)
    if (t.start_s < t.end_s && std::isfinite(t.end_s)) transfers.push_back(t);
  std::stable_sort(transfers.begin(), transfers.end(),
                   [](auto const& a, auto const& b) { return a.start_s < b.start_s; });
  for (auto const& t : transfers)
    for (auto const g : of_set[r.operators[t.to].set])
      if (shows(g, r.operators[t.to])) painters[g].arriving.add(x(t.start_s), x(t.end_s));
  return painters;
}

[[nodiscard]] inline auto gantt_svg(report_data const& r) -> std::string {
  using g = gantt_geometry;
  auto const span = time_span(r);
  if (!(span > 0)) return "<p class=\"muted\">No operator takes any time.</p>\n";
  auto const groups = lane_groups(r);
  auto const bands = lane_bands(r, groups);
  std::size_t rows = 0;
  bool alone = true; // headings of single accelerators would double the height
  for (auto const& band : bands) rows += groups[band.group].accelerators.size();
  for (auto const& group : groups) alone = alone && group.accelerators.size() == 1;
  bool const merged = rows > g::most_rows;
  alone = alone && groups.size() > 1;
  auto painters = paint_bands(r, groups, bands, g::plot / span);

  std::string body;
  double y = g::top;
  for (std::size_t first = 0, last = 0; first < bands.size(); first = last) {
    for (last = first; last < bands.size() && bands[last].group == bands[first].group;) ++last;
    auto const& group = groups[bands[first].group];
    auto const& members = group.accelerators;
    auto const sentence = group_sentence(r, group);
    if (!alone) {
      body += fmt::format("<text class=\"set-name\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", g::left,
                          y + 15, html_text(shortened(sentence, 120)));
      y += 22;
    }
    auto const shown = merged ? std::size_t{1} : members.size();
    body +=
        fmt::format("<rect class=\"{}\" x=\"2\" y=\"{:.0f}\" width=\"5\" height=\"{:.0f}\" "
                    "rx=\"2\"/>\n",
                    set_class(group.sets.front()), y,
                    static_cast<double>(shown * (last - first)) * g::pitch - (g::pitch - g::bar));
    for (std::size_t i = 0; i < shown; ++i)
      for (auto k = first; k < last; ++k, y += g::pitch) {
        auto name = merged ? accelerators_text(r, members) : r.accelerators[members[i]].name;
        auto label = shortened(name, 20);
        if (auto const stream = bands[k].stream) {
          auto const suffix = fmt::format(" stream {}", *stream);
          label = shortened(name, 20 - suffix.size()) + suffix;
          name += suffix;
        }
        body += fmt::format(
            "<text class=\"row-name\" x=\"14\" y=\"{:.0f}\">{}<title>{}\n{}</title></text>"
            "<rect class=\"lane\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" "
            "data-band=\"{}\" data-accelerator=\"{}\"/>\n",
            y + 12.5, html_text(label), html_text(name), html_text(sentence), g::left, y, g::plot,
            g::bar, k, members[i]);
        if (i > 0) {
          body += fmt::format("<use href=\"#bars-{}\" y=\"{:.0f}\"/>\n", k, y);
          continue;
        }
        body += fmt::format("<g transform=\"translate(0 {:.0f})\"><g id=\"bars-{}\">", y, k);
        auto const& paths = painters[k].bars.finish();
        for (std::size_t c = 0; c < paths.size(); ++c)
          body += fmt::format("<path class=\"c{} bars\" d=\"{}\"/>", c, paths[c]);
        if (r.is_scheduled()) // where the script moves what is on the critical path to, to highlight it
          for (std::size_t c = 0; c < paths.size(); ++c)
            body += fmt::format("<path class=\"c{} on\" d=\"\"/>", c);
        body += fmt::format("<path class=\"underline\" d=\"{}\"/><path class=\"arriving\" "
                            "d=\"{}\"/></g></g>\n",
                            painters[k].critical.finish(), painters[k].arriving.finish());
      }
    y += alone ? 2 : 8;
  }

  return fmt::format(
      "<svg id=\"gantt\" class=\"wide\" viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" "
      "aria-label=\"Time line of operators on accelerators\" data-left=\"{2:.0f}\" "
      "data-plot=\"{3:.0f}\" data-bar=\"{4:.0f}\" data-top=\"{5:.0f}\" data-bottom=\"{1:.0f}\">\n"
      "<clipPath id=\"plot-area\"><rect x=\"{2:.0f}\" y=\"0\" width=\"{3:.0f}\" "
      "height=\"{1:.0f}\"/></clipPath>\n<g id=\"axis\">{6}</g>\n<g id=\"rows\">\n{7}</g>\n"
      "<g clip-path=\"url(#plot-area)\"><g id=\"names\"></g><path id=\"chain\" d=\"\"/><path "
      "id=\"transfers\" d=\"\"/></g><path id=\"marker\" d=\"\"/><rect id=\"selection\" "
      "y=\"{8:.0f}\" "
      "width=\"0\" height=\"{9:.0f}\"/>\n</svg>\n",
      g::width, y, g::left, g::plot, g::bar, g::top, time_axis(span, y), body, g::top - 6,
      y - g::top + 6);
}

} // namespace mars::io::detail
