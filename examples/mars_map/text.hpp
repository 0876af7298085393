// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "names.hpp"

#include <mars/core/format.hpp>
#include <mars/evaluation/objective.hpp>

#include <fmt/format.h>

#include <string>

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

/// A value of an objective with its unit. Throughput is minimised as the time between two results.
[[nodiscard]] inline auto value_text(mars::ticks value, objective_name objective) -> std::string {
  if (value >= mars::no_ticks) return "none";
  if (objective == objective_name::energy)
    return fmt::format("{:.3}", mars::joules{static_cast<double>(value) / 1e12});
  return fmt::format("{:.3}", mars::to_seconds(mars::picoseconds{value}));
}

} // namespace mars_map
