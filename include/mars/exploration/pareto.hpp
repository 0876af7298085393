// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

namespace mars::exploration {

/// Which points no other point beats: none is at least as small in every criterion and smaller in one.
/// What should be large enters negated. Of equal points all stay. Rising by number.
/// Preconditions: as many criteria everywhere, no NaN. O(n²) at worst, O(n·front) as a rule.
template <deferred D = when_called>
[[nodiscard]] auto pareto_front_of(later<std::vector<std::vector<double>>, D> const& points)
    -> std::vector<std::size_t> {
  std::vector<std::size_t> order(points.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  // A point is beaten by smaller ones only, so by some on the front before it.
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return points[a] < points[b]; });
  std::vector<std::size_t> front;
  for (auto const i : order) {
    auto const beats = [&](std::size_t f) {
      assert(points[f].size() == points[i].size());
      for (std::size_t k = 0; k < points[i].size(); ++k)
        if (points[i][k] < points[f][k]) return false;
      return points[f] != points[i];
    };
    if (std::none_of(front.begin(), front.end(), beats)) front.push_back(i);
  }
  std::sort(front.begin(), front.end());
  return front;
}

} // namespace mars::exploration
