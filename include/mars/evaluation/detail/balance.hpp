// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/ticks.hpp>
#include <mars/parallel/sharding.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace mars::detail {

using uneven_parts = inplace_vector<std::int32_t, max_parts>;

/// Parts of an extent for devices of unlike speed so that the slowest is as fast as can be:
/// `cost(i, n)` is what n iterations, n ≥ 1, cost device i, and does not fall with n. Every device gets
/// one iteration at least. Empty: more devices than iterations, or than `max_parts`; or even parts do
/// as well. O(p·log extent·log(largest cost)).
template <class CostOf>
[[nodiscard]] auto balanced_parts(std::size_t devices, std::int64_t extent, CostOf const& cost)
    -> uneven_parts {
  uneven_parts parts;
  auto const p = static_cast<std::int64_t>(devices);
  if (devices < 2 || devices > max_parts || extent < p) return parts;
  // The most iterations that a device finishes within a limit.
  auto const within = [&](std::size_t i, ticks limit) {
    std::int64_t low = 0, high = extent - p + 1;
    while (low < high) {
      auto const middle = low + (high - low + 1) / 2;
      if (cost(i, middle) <= limit)
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  };
  auto const longest_even = ceil_div(extent, p);
  ticks low = 0, high = 0;
  for (std::size_t i = 0; i < devices; ++i) {
    low = std::max(low, cost(i, 1));
    high = std::max(high, cost(i, longest_even));
  }
  auto const even = high;
  if (even >= no_ticks || even <= low) return parts;
  while (low < high) {
    auto const middle = low + (high - low) / 2;
    std::int64_t done = 0;
    for (std::size_t i = 0; i < devices; ++i) done += within(i, middle);
    if (done >= extent)
      high = middle;
    else
      low = middle + 1;
  }
  if (high >= even) return parts;
  std::int64_t surplus = -extent;
  for (std::size_t i = 0; i < devices; ++i) {
    parts.push_back(static_cast<std::int32_t>(within(i, high)));
    surplus += parts.back();
  }
  // Less for whoever is slowest, while there is more than needed.
  for (; surplus > 0; --surplus) {
    std::size_t slowest = devices;
    for (std::size_t i = 0; i < devices; ++i)
      if (parts[i] > 1 && (slowest == devices || cost(i, parts[i]) > cost(slowest, parts[slowest])))
        slowest = i;
    --parts[slowest];
  }
  return parts;
}

/// The same proportions of another extent: boundaries at the nearest multiples. Empty if a part would
/// be.
template <deferred = when_called>
[[nodiscard]] auto scaled_parts(uneven_parts const& of, std::int64_t extent) -> uneven_parts {
  auto const whole = std::accumulate(of.begin(), of.end(), std::int64_t{0});
  uneven_parts parts;
  std::int64_t before = 0, at = 0;
  for (auto const n : of) {
    before += n;
    auto const next = (2 * before * extent + whole) / (2 * whole);
    if (next <= at) return {};
    parts.push_back(static_cast<std::int32_t>(next - at));
    at = next;
  }
  return parts;
}

} // namespace mars::detail
