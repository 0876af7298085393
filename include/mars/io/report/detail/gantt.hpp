// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// The time line. What is drawn here is drawn again by the script when the reader zooms, with the same
// rules; the two must be changed together.

namespace mars::io::detail {

inline constexpr std::array<std::string_view, 5> cause_names{
    "computation", "redistribution", "rotation wait", "partial sums", "state exchange"};
/// Class and custom property of a cause's colour: `c0` … `c4`.
[[nodiscard]] inline auto causes_in_order(report_causes const& t) -> std::array<double, 5> {
  return {t.compute_s, t.redistribution_s, t.rotation_s, t.partial_sums_s, t.state_exchange_s};
}
/// In the order in which an operator goes through them: numbers of causes.
inline constexpr std::array<std::size_t, 5> causes_in_time{1, 0, 2, 3, 4};

[[nodiscard]] inline auto set_class(std::size_t set) -> std::string {
  return std::string{"s"} + std::to_string(set % 12);
}

/// Rectangles of one set as SVG path data, one string per cause. What is narrower than a pixel is
/// merged with its neighbours into one rectangle in the colour of the largest share.
class bar_painter {
public:
  explicit bar_painter(double height) : height_{height} {}

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
  [[nodiscard]] auto finish() -> std::array<std::string, 5> const& {
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
    paths_[cause] += fmt::format("M{:.2f} 0h{:.2f}v{:.0f}h-{:.2f}z", from, width, height_, width);
  }

  double height_;
  bool active_{};
  double begin_{}, end_{};
  std::array<double, 5> share_{};
  std::array<std::string, 5> paths_;
};

/// 1, 2 or 5 times a power of ten: about `wanted` steps over the span.
[[nodiscard]] inline auto nice_step(double span, double wanted) -> double {
  double const raw = span / wanted;
  double const power = std::pow(10.0, std::floor(std::log10(raw)));
  for (double const k : {1.0, 2.0, 5.0})
    if (k * power >= raw * 0.999) return k * power;
  return 10 * power;
}

/// Ticks of an axis that starts at 0, all in one unit: labels without trailing zeros.
struct axis_scale {
  double step{};
  double scale{1};
  std::string unit;
  int digits{};

  [[nodiscard]] auto label(double value) const -> std::string {
    return fmt::format("{:.{}f}", value == 0 ? 0.0 : value / scale, digits); // never -0
  }
};
[[nodiscard]] inline auto scale_for(double span, double wanted, std::string_view unit)
    -> axis_scale {
  axis_scale a{nice_step(span, wanted), 1, std::string{unit}, 0};
  struct prefix {
    double scale;
    std::string_view name;
  };
  for (auto const& p : {prefix{1, ""}, prefix{1e-3, "m"}, prefix{1e-6, "µ"}, prefix{1e-9, "n"},
                        prefix{1e-12, "p"}}) {
    a.scale = p.scale;
    a.unit = std::string{p.name} + std::string{unit};
    if (span >= p.scale * 0.999) break;
  }
  a.digits = std::max(0, static_cast<int>(-std::floor(std::log10(a.step / a.scale) + 1e-9)));
  return a;
}

struct gantt_geometry {
  static constexpr double width = 1120;
  static constexpr double left = 148;
  static constexpr double plot = width - left - 12;
  static constexpr double top = 30;
  static constexpr std::size_t most_rows = 32; ///< with more accelerators: a row per set
};

/// When the last operator that ever ends does so.
[[nodiscard]] inline auto time_span(report_data const& r) -> double {
  double span = 0;
  for (auto const& o : r.operators)
    if (std::isfinite(o.end_s)) span = std::max(span, o.end_s);
  return span;
}

[[nodiscard]] inline auto set_sentence(report_data const& r, std::size_t s) -> std::string {
  auto const n = r.sets[s].accelerators.size();
  return fmt::format("set {} · {} · {} accelerator{}", s, r.sets[s].design, n, n == 1 ? "" : "s");
}

[[nodiscard]] inline auto gantt_svg(report_data const& r) -> std::string {
  using g = gantt_geometry;
  auto const span = time_span(r);
  if (!(span > 0)) return "<p class=\"muted\">No operator takes any time.</p>\n";
  double const scale = g::plot / span;
  std::size_t rows = 0;
  for (auto const& s : r.sets) rows += s.accelerators.size();
  bool const merged = rows > g::most_rows;
  constexpr double bar = 17;
  constexpr double pitch = 21;

  std::vector<bar_painter> painters(r.sets.size(), bar_painter{bar});
  for (auto const& o : r.operators) {
    auto at = o.start_s;
    auto const parts = causes_in_order(o.time);
    for (auto const c : causes_in_time) {
      if (std::isfinite(at + parts[c]))
        painters[o.set].add(c, g::left + at * scale, g::left + (at + parts[c]) * scale);
      at += parts[c];
    }
  }

  std::string body;
  double y = g::top;
  for (std::size_t s = 0; s < r.sets.size(); ++s) {
    body += fmt::format("<text class=\"set-name\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", g::left,
                        y + 15, html_text(set_sentence(r, s)));
    y += 22;
    auto const& members = r.sets[s].accelerators;
    auto const shown = merged ? std::size_t{1} : members.size();
    body += fmt::format("<rect class=\"{}\" x=\"2\" y=\"{:.0f}\" width=\"5\" height=\"{:.0f}\" "
                        "rx=\"2\"/>\n",
                        set_class(s), y, static_cast<double>(shown) * pitch - (pitch - bar));
    for (std::size_t i = 0; i < shown; ++i, y += pitch) {
      auto const name = merged && members.size() > 1
                            ? fmt::format("{} … {}", r.accelerators[members.front()].name,
                                          r.accelerators[members.back()].name)
                            : r.accelerators[members[i]].name;
      body += fmt::format("<text class=\"row-name\" x=\"14\" y=\"{:.0f}\">{}</text>"
                          "<rect class=\"lane\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" "
                          "height=\"{:.0f}\" data-set=\"{}\"/>\n",
                          y + 12.5, html_text(shortened(name, 20)), g::left, y, g::plot, bar, s);
      if (i == 0) {
        body += fmt::format("<g transform=\"translate(0 {:.0f})\"><g id=\"bars-{}\">", y, s);
        auto const& paths = painters[s].finish();
        for (std::size_t c = 0; c < paths.size(); ++c)
          body += fmt::format("<path class=\"c{}\" d=\"{}\"/>", c, paths[c]);
        body += "</g></g>\n";
      } else {
        body += fmt::format("<use href=\"#bars-{}\" y=\"{:.0f}\"/>\n", s, y);
      }
    }
    y += 8;
  }

  std::string axis;
  auto const ticks = scale_for(span, 9, "s");
  for (int i = 0; i * ticks.step <= span * 1.0001; ++i) {
    auto const x = g::left + i * ticks.step * scale;
    axis += fmt::format("<path class=\"grid\" d=\"M{0:.1f} {1:.0f}V{2:.0f}\"/>"
                        "<text class=\"tick\" x=\"{0:.1f}\" y=\"{3:.0f}\">{4} {5}</text>",
                        x, g::top - 6, y, g::top - 12, ticks.label(i * ticks.step), ticks.unit);
  }
  return fmt::format(
      "<svg id=\"gantt\" class=\"wide\" viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" "
      "aria-label=\"Time line of operators on accelerators\" data-left=\"{2:.0f}\" "
      "data-plot=\"{3:.0f}\" data-bar=\"{4:.0f}\" data-top=\"{5:.0f}\" data-bottom=\"{1:.0f}\">\n"
      "<clipPath id=\"plot-area\"><rect x=\"{2:.0f}\" y=\"0\" width=\"{3:.0f}\" "
      "height=\"{1:.0f}\"/></clipPath>\n<g id=\"axis\">{6}</g>\n<g id=\"rows\">\n{7}</g>\n"
      "<g id=\"names\" clip-path=\"url(#plot-area)\"></g><path id=\"marker\" d=\"\"/>\n</svg>\n",
      g::width, y, g::left, g::plot, bar, g::top, axis, body);
}

/// What the script needs: rows of `[name, kind, set, sharding, start, computation, …]`, in seconds.
[[nodiscard]] inline auto gantt_data(report_data const& r) -> std::string {
  std::string out = fmt::format("{{\"span\":{:.12f},\"ops\":[", time_span(r));
  bool first = true;
  for (auto const& o : r.operators) {
    if (!std::isfinite(o.end_s)) continue;
    out += fmt::format("{}\n[{},{},{},{},{:.12f}", first ? "" : ",", json_text(o.name),
                       json_text(o.kind), o.set, json_text(o.sharding), o.start_s);
    for (auto const t : causes_in_order(o.time)) out += fmt::format(",{:.12f}", t);
    out += "]";
    first = false;
  }
  return out + "\n]}";
}

} // namespace mars::io::detail
