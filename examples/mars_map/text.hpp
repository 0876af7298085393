// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "names.hpp"

#include <mars/core/format.hpp>
#include <mars/core/id.hpp>
#include <mars/evaluation/objective.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mars_map {

/// `12,345` is hard to scan where orders of magnitude matter: `12.3 M`.
template <class Number>
[[nodiscard]] auto count_text(Number n) -> std::string {
  auto const x = static_cast<double>(n);
  if (x < 1e4) return fmt::format("{:.0f}", x);
  if (x < 1e6) return fmt::format("{:.1f} k", x / 1e3);
  if (x < 1e9) return fmt::format("{:.1f} M", x / 1e6);
  return fmt::format("{:.2f} G", x / 1e9);
}

/// What is minimised, in a word: for throughput the time between two results.
[[nodiscard]] inline auto quantity_of(objective_name objective) -> std::string_view {
  return objective == objective_name::throughput ? "interval" : name_of(objective);
}

/// A value of an objective with its unit.
[[nodiscard]] inline auto value_text(mars::ticks value, objective_name objective) -> std::string {
  if (value >= mars::no_ticks) return "none";
  if (objective == objective_name::energy)
    return fmt::format("{:.3}", mars::joules{static_cast<double>(value) / 1e12});
  if (objective == objective_name::weighted) return fmt::format("{}", value);
  return fmt::format("{:.3}", mars::to_seconds(mars::picoseconds{value}));
}

/// `0-3, 6`
[[nodiscard]] inline auto ranges_text(std::vector<mars::accelerator_id> const& members)
    -> std::string {
  std::string text;
  for (std::size_t i = 0; i < members.size();) {
    auto j = i;
    while (j + 1 < members.size() && members[j + 1].value == members[j].value + 1) ++j;
    text += (text.empty() ? "" : ", ") + std::to_string(members[i].value);
    if (j > i) text += std::string{"-"} + std::to_string(members[j].value);
    i = j + 1;
  }
  return text;
}

} // namespace mars_map
