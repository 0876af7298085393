// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/evaluation/ticks.hpp>

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mars {

/// A candidate set configured with one of its designs.
struct slot {
  std::uint32_t set{};
  std::uint32_t design{};

  friend constexpr auto operator<=>(slot const&, slot const&) = default;
};

/// What searches move about: disjoint slots, and for every operator (by position in the topological
/// order) its slot and its choice, an index into `mapping_problem::shardings`.
struct assignment {
  std::vector<slot> slots;
  std::vector<std::uint16_t> slot_of;
  std::vector<std::uint16_t> choice_of;

  friend auto operator==(assignment const&, assignment const&) -> bool = default;
};

/// Value of an assignment. One within its limits is better than one that is not; among those the
/// value decides, among these the bytes that do not fit, then what is spent too much.
struct assignment_value {
  ticks value{no_ticks};
  std::int64_t overflow_bytes{}; ///< beyond the capacity, summed over slots
  ticks overspent{};             ///< beyond `mapping_problem::spending_limit`

  [[nodiscard]] constexpr auto within_limits() const -> bool {
    return overflow_bytes == 0 && overspent == 0;
  }
  [[nodiscard]] constexpr auto feasible() const -> bool {
    return within_limits() && value < no_ticks;
  }
  friend constexpr auto operator<(assignment_value const& a, assignment_value const& b) -> bool {
    if (a.overflow_bytes != b.overflow_bytes) return a.overflow_bytes < b.overflow_bytes;
    if (a.overspent != b.overspent) return a.overspent < b.overspent;
    return a.value < b.value;
  }
  friend constexpr auto operator==(assignment_value const&, assignment_value const&)
      -> bool = default;
};

/// A proven lower bound: no feasible assignment of the problem, and so no feasible mapping made of
/// its candidate sets and shardings, has a smaller value. `no_ticks`: nothing is feasible.
struct bound {
  ticks value{};
  std::string_view name{"none"}; ///< which argument proves it
};

} // namespace mars
