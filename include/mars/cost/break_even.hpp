// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace mars::cost {

/// Time of a sparse algorithm at one share of zero weights.
struct sparsity_point {
  double sparsity{};
  seconds time{};
};

/// From which share of zeros on a sparse algorithm is as fast as a dense opponent: time is read off
/// straight lines between neighbouring points, and the last crossing counts. The least point where the
/// sparse one is never slower; nothing where it is slower at the largest.
template <deferred D = when_called>
[[nodiscard]] auto break_even_of(later<std::vector<sparsity_point>, D> points, seconds opponent)
    -> std::optional<double> {
  if (points.empty()) return std::nullopt;
  std::sort(points.begin(), points.end(), [](sparsity_point const& a, sparsity_point const& b) {
    return a.sparsity < b.sparsity;
  });
  if (points.back().time > opponent) return std::nullopt;
  for (auto i = points.size() - 1; i > 0; --i) {
    auto const& slow = points[i - 1];
    auto const& fast = points[i];
    if (slow.time > opponent)
      return slow.sparsity +
             (fast.sparsity - slow.sparsity) * ((slow.time - opponent) / (slow.time - fast.time));
  }
  return points.front().sparsity;
}

} // namespace mars::cost
