// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <cstddef>
#include <vector>

namespace mars::cost {

struct bandwidth_point {
  bytes working_set{};
  bytes_per_second rate{};

  friend auto operator==(bandwidth_point const&, bandwidth_point const&) -> bool = default;
};

/// What a core reads per second, by how much it goes through again and again: B(bytes) of a machine
/// with caches. Points ascend by working set and have positive rates.
struct bandwidth_curve {
  std::vector<bandwidth_point> points{};

  /// Of going through `size` bytes once: times are interpolated between points and rates kept beyond
  /// them. Rises with `size` if it does from point to point. Zero without points. O(points).
  [[nodiscard]] auto time(bytes size) const -> seconds {
    if (points.empty()) return {};
    for (std::size_t i = 0; i < points.size(); ++i) {
      auto const& p = points[i];
      if (p.working_set < size) continue;
      auto const here = p.working_set / p.rate;
      if (i == 0) return size / p.rate;
      auto const& before = points[i - 1];
      auto const start = before.working_set / before.rate;
      return start +
             (here - start) * ((size - before.working_set) / (p.working_set - before.working_set));
    }
    return size / points.back().rate;
  }

  friend auto operator==(bandwidth_curve const&, bandwidth_curve const&) -> bool = default;
};

} // namespace mars::cost
