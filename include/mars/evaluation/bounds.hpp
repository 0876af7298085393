// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <string_view>

namespace mars {

/// A proven lower bound: no assignment of the problem, and so no mapping made of its candidate sets
/// and shardings, has a smaller value.
struct bound {
  ticks value{};
  std::string_view name{"none"}; ///< which argument proves it
};

/// The largest of what can be said without a search, O(operators × choices):
/// - `path` (values that add up): every operator at its cheapest, tensors moving for free;
/// - `work` (bottleneck): each accelerator-second an operator needs at least, shared out evenly.
[[nodiscard]] inline auto static_bound(mapping_problem const& p) -> bound {
  ticks sum = 0;
  double work = 0;
  for (std::size_t v = 0; v < p.size(); ++v) {
    auto cheapest = no_ticks;
    auto least_work = static_cast<double>(no_ticks);
    for (std::uint32_t s = 0; s < p.sets().size(); ++s)
      for (auto const& by_choice : p.row(v, s).node)
        for (auto const value : by_choice) {
          cheapest = std::min(cheapest, value);
          if (value < no_ticks)
            least_work =
                std::min(least_work, static_cast<double>(value) *
                                         static_cast<double>(p.sets()[s].accelerators.size()));
        }
    sum = mapping_problem::add(sum, cheapest);
    work += least_work;
  }
  if (p.how() == aggregate::sum) return {sum, "path"};
  // Rounded down, and by a relative 1e-9 more for the sums above: a bound may be low, never high.
  auto const shared = work / static_cast<double>(p.accelerators()) * (1 - 1e-9);
  return {shared < static_cast<double>(no_ticks) ? static_cast<ticks>(shared) : no_ticks, "work"};
}

} // namespace mars
