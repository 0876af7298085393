// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/evaluation/ticks.hpp>

#include <cstdint>
#include <vector>

namespace mars {

/// What searches for schedules move about, by position in the topological order: the choice of every
/// operator (an index into `schedule_problem::choices`), which operators stream their weights, and the
/// order of launching.
struct schedule_assignment {
  std::vector<std::uint32_t> choice_of;
  std::vector<std::uint8_t> streamed; ///< 1: weights cross the host link in every inference
  std::vector<std::uint32_t> order;   ///< positions, producers first

  friend auto operator==(schedule_assignment const&, schedule_assignment const&) -> bool = default;
};

/// Value of a schedule. What can run is better than what cannot; then the value decides.
struct schedule_value {
  ticks value{no_ticks};         ///< makespan, or load of the busiest accelerator
  std::int64_t overflow_bytes{}; ///< beyond the capacity, summed over accelerators
  std::uint32_t conflicts{};     ///< accelerators that would need two designs at once

  [[nodiscard]] constexpr auto feasible() const -> bool {
    return overflow_bytes == 0 && conflicts == 0 && value < no_ticks;
  }
  friend constexpr auto operator<(schedule_value const& a, schedule_value const& b) -> bool {
    if (a.conflicts != b.conflicts) return a.conflicts < b.conflicts;
    if (a.overflow_bytes != b.overflow_bytes) return a.overflow_bytes < b.overflow_bytes;
    return a.value < b.value;
  }
  friend constexpr auto operator==(schedule_value const&, schedule_value const&) -> bool = default;
};

} // namespace mars
