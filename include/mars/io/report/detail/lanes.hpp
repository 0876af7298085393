// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the drawings share: accelerators that do the same, colours, axes.

namespace mars::io::detail {

inline constexpr std::size_t cause_count = 8;
/// Class and custom property of a cause's colour: `c0` … `c7`.
[[nodiscard]] inline auto causes_in_order(report_causes const& t)
    -> std::array<double, cause_count> {
  return {t.compute_s,        t.redistribution_s, t.rotation_s, t.partial_sums_s,
          t.state_exchange_s, t.weights_s,        t.store_s,    t.idle_s};
}
/// In the order in which an operator goes through them: numbers of causes.
inline constexpr std::array<std::size_t, cause_count> causes_in_time{5, 1, 0, 2, 3, 4, 6, 7};

[[nodiscard]] inline auto cause_name(std::size_t cause, semantics how) -> std::string_view {
  constexpr std::array<std::string_view, cause_count> names{
      "computation",    "redistribution",   "rotation wait",  "partial sums",
      "state exchange", "weights streamed", "results stored", "unexplained"};
  return cause == 1 && how == semantics::staged ? "inputs loaded" : names[cause];
}

[[nodiscard]] inline auto set_class(std::size_t set) -> std::string {
  return std::string{"s"} + std::to_string(set % 12);
}

/// Accelerators that are in the same sets, and so do the same all the time.
struct lane_group {
  std::vector<std::size_t> sets;         ///< ascending
  std::vector<std::size_t> accelerators; ///< in rank order of the first set
};
/// In the order of sets and of ranks. Accelerators of no set are in none.
[[nodiscard]] inline auto lane_groups(report_data const& r) -> std::vector<lane_group> {
  std::vector<std::vector<std::size_t>> sets_of(r.accelerators.size());
  for (std::size_t s = 0; s < r.sets.size(); ++s)
    for (auto const a : r.sets[s].accelerators) sets_of[a].push_back(s);
  std::map<std::vector<std::size_t>, std::size_t> known;
  std::vector<lane_group> groups;
  std::vector<bool> done(r.accelerators.size());
  for (auto const& set : r.sets)
    for (auto const a : set.accelerators) {
      if (done[a]) continue;
      done[a] = true;
      auto const [at, fresh] = known.try_emplace(sets_of[a], groups.size());
      if (fresh) groups.push_back({sets_of[a], {}});
      groups[at->second].accelerators.push_back(a);
    }
  return groups;
}
/// What has a row on each accelerator of a group: all that runs there, or one of several streams.
struct lane_band {
  std::size_t group{};
  std::optional<std::size_t> stream{}; ///< nothing: there are not several
};
/// In the order of groups, then of streams.
[[nodiscard]] inline auto lane_bands(report_data const& r, std::vector<lane_group> const& groups)
    -> std::vector<lane_band> {
  std::vector<std::set<std::size_t>> used(r.sets.size());
  for (auto const& o : r.operators)
    if (o.end_s > o.start_s) used[o.set].insert(o.stream);
  std::vector<lane_band> bands;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::set<std::size_t> streams;
    for (auto const s : groups[g].sets) streams.insert(used[s].begin(), used[s].end());
    if (streams.size() < 2)
      bands.push_back({g, {}});
    else
      for (auto const s : streams) bands.push_back({g, s});
  }
  return bands;
}
/// The bands of each set; an operator is in those without a stream or with its own.
[[nodiscard]] inline auto bands_by_set(report_data const& r, std::vector<lane_group> const& groups,
                                       std::vector<lane_band> const& bands)
    -> std::vector<std::vector<std::size_t>> {
  std::vector<std::vector<std::size_t>> out(r.sets.size());
  for (std::size_t b = 0; b < bands.size(); ++b)
    for (auto const s : groups[bands[b].group].sets) out[s].push_back(b);
  return out;
}
/// The first set of each accelerator.
[[nodiscard]] inline auto sets_by_accelerator(report_data const& r)
    -> std::vector<std::optional<std::size_t>> {
  std::vector<std::optional<std::size_t>> set(r.accelerators.size());
  for (std::size_t s = 0; s < r.sets.size(); ++s)
    for (auto const a : r.sets[s].accelerators)
      if (!set[a]) set[a] = s;
  return set;
}

[[nodiscard]] inline auto accelerators_text(report_data const& r,
                                            std::vector<std::size_t> const& members)
    -> std::string {
  return members.size() > 1 ? fmt::format("{} … {}", r.accelerators[members.front()].name,
                                          r.accelerators[members.back()].name)
                            : r.accelerators[members.front()].name;
}
/// "set 0 · design · 4 accelerators"; of overlapping sets the first few.
[[nodiscard]] inline auto group_sentence(report_data const& r, lane_group const& g) -> std::string {
  std::string numbers;
  for (std::size_t i = 0; i < g.sets.size() && i < 6; ++i)
    numbers += fmt::format("{}{}", i == 0 ? " " : ", ", g.sets[i]);
  auto const n = g.accelerators.size();
  return fmt::format("set{}{}{} · {} · {} accelerator{}", g.sets.size() == 1 ? "" : "s", numbers,
                     g.sets.size() > 6 ? ", …" : "", r.sets[g.sets.front()].design, n,
                     n == 1 ? "" : "s");
}

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

/// Of the time line and of what stands below it on the same axis.
struct gantt_geometry {
  static constexpr double width = 1120;
  static constexpr double left = 148;
  static constexpr double plot = width - left - 24; ///< half of the last label stands beside it
  static constexpr double top = 30;
  static constexpr double bar = 17;
  static constexpr double pitch = 22;
  static constexpr std::size_t most_rows = 32; ///< with more accelerators: a row per group
};

/// When the last operator that ever ends does so.
[[nodiscard]] inline auto time_span(report_data const& r) -> double {
  double span = 0;
  for (auto const& o : r.operators)
    if (std::isfinite(o.end_s)) span = std::max(span, o.end_s);
  return span;
}

/// Lines and labels of the axis, from the top to `bottom`.
[[nodiscard]] inline auto time_axis(double span, double bottom) -> std::string {
  using g = gantt_geometry;
  std::string axis;
  auto const ticks = scale_for(span, 9, "s");
  for (int i = 0; i * ticks.step <= span * 1.0001; ++i) {
    auto const x = g::left + i * ticks.step * g::plot / span;
    axis +=
        fmt::format("<path class=\"grid\" d=\"M{0:.1f} {1:.0f}V{2:.0f}\"/>"
                    "<text class=\"tick\" x=\"{0:.1f}\" y=\"{3:.0f}\">{4} {5}</text>",
                    x, g::top - 6, bottom, g::top - 12, ticks.label(i * ticks.step), ticks.unit);
  }
  return axis;
}

/// Why an operator starts when it does, or an accelerator rests. Names as they are.
[[nodiscard]] inline auto wait_text(report_data const& r, wait_cause cause,
                                    std::optional<std::size_t> on) -> std::string {
  auto const who = on ? r.operators[*on].name : std::string{"?"};
  switch (cause) {
  case wait_cause::result: return std::string{"result of "} + who;
  case wait_cause::transfer: return std::string{"transfer from "} + who;
  case wait_cause::accelerator: return std::string{"accelerator that runs "} + who;
  case wait_cause::turn: return std::string{"its turn after "} + who;
  case wait_cause::unexplained: return "nothing known";
  case wait_cause::nothing: break;
  }
  return "nothing";
}

} // namespace mars::io::detail
