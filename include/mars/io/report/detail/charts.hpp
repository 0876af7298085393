// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/lanes.hpp>
#include <mars/io/report/detail/memory_chart.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace mars::io::detail {

[[nodiscard]] inline auto stacked_bar(std::string const& label, report_causes const& t,
                                      double total, double longest) -> std::string {
  auto out =
      fmt::format("<div class=\"bar-head\"><b>{}</b><span>{}</span></div><div class=\"track\">",
                  html_text(label), time_text(total));
  auto const parts = causes_in_order(t);
  for (std::size_t c = 0; c < parts.size(); ++c)
    if (std::isfinite(parts[c]) && parts[c] > 0 && longest > 0)
      out +=
          fmt::format("<i class=\"c{}\" style=\"width:{:.3f}%\"></i>", c, 100 * parts[c] / longest);
  return out + "</div>\n";
}

[[nodiscard]] inline auto causes_card(report_data const& r) -> std::string {
  auto const plan = causes_in_order(r.time);
  auto const baseline = causes_in_order(r.baseline_time);
  auto const total = [](auto const& parts) {
    double sum = 0;
    for (auto const p : parts) sum += p;
    return sum;
  };
  bool const compare = r.baseline_latency_s.has_value();
  auto const longest =
      std::max(std::isfinite(total(plan)) ? total(plan) : 0.0, compare ? total(baseline) : 0.0);
  std::string out = fmt::format("<section class=\"card\"><h2>Latency by cause{}</h2>\n",
                                r.is_scheduled() ? "<small>along the critical path</small>" : "");
  out += stacked_bar("this mapping", r.time, total(plan), longest);
  if (compare)
    out +=
        stacked_bar(r.baseline_policy == "baseline" ? r.baseline_policy
                                                    : std::string{"baseline: "} + r.baseline_policy,
                    r.baseline_time, total(baseline), longest);
  out += fmt::format("<table class=\"causes\"><thead><tr><th>cause</th><th class=\"num\">this "
                     "mapping</th><th class=\"num\">share</th>{}</tr></thead><tbody>\n",
                     compare ? "<th class=\"num\">baseline</th>" : "");
  for (std::size_t c = 0; c < plan.size(); ++c) {
    if (c >= 5 && plan[c] == 0 && baseline[c] == 0) continue; // only some schedules have them
    out += fmt::format(
        "<tr><td><i class=\"swatch c{}\"></i>{}</td><td class=\"num\">{}</td>"
        "<td class=\"num\">{}</td>{}</tr>\n",
        c, cause_name(c, r.semantics), time_text(plan[c]), percent_text(plan[c] / total(plan)),
        compare ? std::string{"<td class=\"num\">"} + time_text(baseline[c]) + "</td>" : "");
  }
  return out + "</tbody></table></section>\n";
}

/// A bar per accelerator, or, of many, per group: the fullest.
[[nodiscard]] inline auto memory_card(report_data const& r) -> std::string {
  std::vector<std::size_t> shown;
  std::vector<std::string> label;
  bool const merged = r.accelerators.size() > 16;
  for (auto const& group : lane_groups(r)) {
    if (merged) {
      shown.push_back(fullest(r, group));
      auto const n = group.accelerators.size();
      label.push_back(n == 1 ? r.accelerators[shown.back()].name
                      : group.sets.size() == 1
                          ? fmt::format("set {}, each of {}", group.sets.front(), n)
                          : fmt::format("each of {}", accelerators_text(r, group.accelerators)));
    } else {
      for (auto const a : group.accelerators) {
        shown.push_back(a);
        label.push_back(r.accelerators[a].name);
      }
    }
  }
  std::string out = "<section class=\"card\"><h2>Memory<small>largest demand against capacity"
                    "</small></h2>\n";
  auto const set_of = sets_by_accelerator(r);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    auto const& a = r.accelerators[shown[i]];
    bool const fits = a.peak_bytes <= a.capacity_bytes;
    auto const scale =
        static_cast<double>(std::max({a.peak_bytes, a.capacity_bytes, std::int64_t{1}}));
    auto const width = [&](std::int64_t b) {
      return 100 * static_cast<double>(std::max<std::int64_t>(b, 0)) / scale;
    };
    auto const set = set_of[shown[i]].value_or(0);
    auto const resident = std::min(a.resident_bytes, a.capacity_bytes);
    auto const rest = std::min(a.peak_bytes, a.capacity_bytes) - resident;
    out += fmt::format(
        "<div class=\"row\" title=\"{}\"><b>{}</b><div class=\"track\"><i class=\"{}\" "
        "style=\"width:{:.3f}%\"></i><i class=\"{} part\" style=\"width:{:.3f}%\"></i>{}</div>"
        "<span>{} of {}</span><span>{}</span></div>\n",
        a.peak_at.empty() ? std::string{} : std::string{"peak at "} + html_text(a.peak_at),
        html_text(label[i]), set_class(set), width(resident), set_class(set), width(rest),
        fits ? std::string{}
             : fmt::format("<i class=\"over\" style=\"width:{:.3f}%\"></i>",
                           width(a.peak_bytes - a.capacity_bytes)),
        bytes_text(a.peak_bytes), bytes_text(a.capacity_bytes),
        percent_text(static_cast<double>(a.peak_bytes) / static_cast<double>(a.capacity_bytes)));
  }
  return out + "<p class=\"legend\">Solid: weights. Lighter: activations and buffers at the peak. "
               "Red: what does not fit.</p></section>\n";
}

/// Best and bound over evaluations.
[[nodiscard]] inline auto convergence_card(report_data const& r) -> std::string {
  std::string out = "<section class=\"card\"><h2>Convergence<small>best value and lower bound over "
                    "evaluations</small></h2>\n";
  double high = 0, low = 0;
  bool known = false;
  double last = 1;
  for (auto const& p : r.convergence) {
    last = std::max(last, static_cast<double>(p.evaluations));
    for (double const v : {p.best_s, p.bound_s})
      if (std::isfinite(v) && v > 0) {
        high = known ? std::max(high, v) : v;
        low = known ? std::min(low, v) : v;
        known = true;
      }
  }
  if (!known)
    return out +
           "<p class=\"muted\">Nothing to draw: the search reported no progress.</p></section>\n";
  // From zero where that costs little detail.
  auto const spread = std::max(high - low, 0.05 * high);
  low = low < 0.5 * high ? 0 : low - 0.15 * spread;
  high += 0.06 * spread;
  constexpr double width = 1120, height = 240, left = 62, right = 14, top = 10, bottom = 34;
  auto const x = [&](double n) { return left + (width - left - right) * n / last; };
  auto const y = [&](double v) {
    return height - bottom - (height - top - bottom) * (v - low) / (high - low);
  };
  out += fmt::format(
      "<svg class=\"wide\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"Best value and "
      "bound over evaluations\">\n",
      width, height);
  auto scale = scale_for(high, 5, r.value_unit);
  scale.step = nice_step(high - low, 5);
  scale.digits =
      std::max(0, static_cast<int>(-std::floor(std::log10(scale.step / scale.scale) + 1e-9)));
  for (double i = std::ceil(low / scale.step - 1e-9); i * scale.step <= high; ++i)
    out += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1:.1f}H{2:.1f}\"/><text class=\"label end\" "
        "x=\"{3:.1f}\" y=\"{4:.1f}\">{5}</text>\n",
        left, y(i * scale.step), width - right, left - 7, y(i * scale.step) + 3.8,
        scale.label(i * scale.step) + " " + scale.unit);
  auto const step = std::max(1.0, nice_step(last, 9));
  for (double i = 0; i * step <= last * 1.0001; ++i)
    out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x(i * step),
                       height - bottom + 16, count_text(static_cast<std::uint64_t>(i * step)));
  out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\">evaluations</text>\n",
                     left + (width - left - right) / 2, height - 3);
  bool const alone = r.convergence.size() == 1; // a dot, and the bound all the way to it
  auto const line = [&](auto&& value, std::string const& style, bool from_start) {
    std::string path;
    double end = 0;
    for (auto const& p : r.convergence) {
      auto const v = value(p);
      if (!std::isfinite(v) || !(v > 0)) continue;
      auto const n = static_cast<double>(p.evaluations);
      path += path.empty() ? fmt::format("M{:.1f} {:.1f}", x(from_start ? 0 : n), y(v))
                           : fmt::format("H{:.1f}V{:.1f}", x(n), y(v));
      end = v;
    }
    if (path.empty()) return std::string{};
    return fmt::format(
        "<path fill=\"none\" {} d=\"{}H{:.1f}\"/><circle cx=\"{:.1f}\" cy=\"{:.1f}\" "
        "r=\"3\" style=\"fill:var(--ink)\"/>\n",
        style, path, x(last), x(last), y(end));
  };
  out += line([](auto const& p) { return p.bound_s; },
              "style=\"stroke:var(--muted)\" stroke-width=\"1.5\" stroke-dasharray=\"5 4\"", alone);
  out += line([](auto const& p) { return p.best_s; },
              "style=\"stroke:var(--accent)\" stroke-width=\"2\"", false);
  return out +
         "</svg>\n<ul class=\"legend\"><li><svg viewBox=\"0 0 26 10\"><path "
         "style=\"stroke:var(--accent)\" stroke-width=\"2\" d=\"M0 5H26\"/></svg>best "
         "found</li><li>"
         "<svg viewBox=\"0 0 26 10\"><path style=\"stroke:var(--muted)\" stroke-width=\"1.5\" "
         "stroke-dasharray=\"5 4\" d=\"M0 5H26\"/></svg>lower bound</li></ul></section>\n";
}

} // namespace mars::io::detail
