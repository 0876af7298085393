// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/parallel/exclusive_shared.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace mars::parallel {

/// The shardings of MARS's written baseline (`search::computation_prioritized`): for an operator with
/// MACs exactly one — p = f1·f2 with f1 ≥ f2 and f1/f2 minimal; f1 ways along the longest and f2
/// along the second longest of (Cout, Cin, H, W), ties in that order, no shared shards. A matrix
/// product has Cout = n, Cin = k, H = m, W = its batch. A dimension too short for its ways gives them
/// up (replicated). Operators without MACs, of which the baseline does not speak, get every exclusive
/// sharding so that they can follow their producer.
struct longest_dimensions {
  template <deferred = when_called>
  [[nodiscard]] auto shardings(operation const& op, std::size_t ways) const
      -> std::vector<sharding> {
    if (macs_of(op).count() == 0)
      return exclusive_shared{.max_shared = 0, .scatter_partial_sums = false}.shardings(op, ways);
    std::array<std::vector<label>, 4> const roles =
        op.kind == op_kind::matmul
            ? std::array<std::vector<label>, 4>{{{"n"}, {"k"}, {"m"}, {"b0", "b1", "b2"}}}
            : std::array<std::vector<label>, 4>{{{"k", "g"}, {"c"}, {"y"}, {"x"}}};
    std::vector<std::size_t> dims; // of each role its longest dimension
    for (auto const& names : roles) {
      std::optional<std::size_t> longest;
      for (auto const name : names)
        if (auto const d = find_dim(op, name);
            d && (!longest || op.dims[*d].extent > op.dims[*longest].extent))
          longest = d;
      if (longest) dims.push_back(*longest);
    }
    std::stable_sort(dims.begin(), dims.end(),
                     [&](auto a, auto b) { return op.dims[a].extent > op.dims[b].extent; });
    auto f2 = static_cast<std::int64_t>(ways);
    for (std::int64_t f = 1; f * f <= static_cast<std::int64_t>(ways); ++f)
      if (static_cast<std::int64_t>(ways) % f == 0) f2 = f;
    std::array<std::int64_t, 2> const factors{static_cast<std::int64_t>(ways) / f2, f2};
    sharding result;
    for (std::size_t i = 0; i < std::min<std::size_t>(2, dims.size()); ++i) {
      auto longer = result;
      longer.exclusive.push_back(
          {static_cast<std::uint8_t>(dims[i]), static_cast<std::int32_t>(factors[i])});
      if (factors[i] > 1 && check(op, longer, ways)) result = longer;
    }
    return {result};
  }
};

} // namespace mars::parallel
