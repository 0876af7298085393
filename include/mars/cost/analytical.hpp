// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/cost/concept.hpp>
#include <mars/workload/shard.hpp>

#include <vector>

namespace mars::cost {

/// Believes the design: its time, and its energy if it knows one.
///
/// Prefer it unless you have measurements; it costs one call of the design.
struct analytical {
  template <AcceleratorDesign D>
  [[nodiscard]] auto operator()(shard const& s, D const& design) const -> shard_cost {
    if constexpr (ChoosyDesign<D>)
      if (!design.supports(s)) return {.time = unsupported_time()};
    shard_cost result{.time = design.time(s)};
    if constexpr (EnergyDesign<D>) result.energy = design.energy(s);
    return result;
  }

  /// Those of the design, each with the energy that it states.
  template <AlgorithmicDesign D>
  [[nodiscard]] auto algorithms(shard const& s, D const& design) const
      -> std::vector<algorithm_cost> {
    std::vector<algorithm_cost> all;
    for (algorithm_time const& a : design.algorithms(s)) all.push_back({a, a.energy});
    return all;
  }
};

/// Nothing can run. The fallback that makes gaps in a table visible: what is not measured is
/// refused.
struct unavailable {
  template <AcceleratorDesign D>
  [[nodiscard]] auto operator()(shard const&, D const&) const -> shard_cost {
    return {.time = unsupported_time()};
  }
};

} // namespace mars::cost
