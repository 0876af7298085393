// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/cost/concept.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/workload/shard.hpp>

#include <limits>
#include <optional>

namespace mars::cost {

/// The roof alone: T = overhead + max(flops/peak, operand bytes/bandwidth), whatever the design's
/// own model says of idle multipliers, tiles and ports.
///
/// A value given here holds for every design; one left out is asked of the design
/// (`d.peak(element_bits)`, `d.memory_bandwidth()`), and a design that does not say has no such
/// limit. Where neither peak nor bandwidth is known the answer is marked as not estimated.
///
/// Prefer it to see how far a design is from its roof, or for designs without a model. It is no
/// lower bound of designs that fuse operators: it charges those. What a design refuses
/// (`supports`) is refused here too. O(operands). Source: Williams et al., CACM 2009.
struct roofline {
  std::optional<flops_per_second> peak{};
  std::optional<bytes_per_second> bandwidth{};
  seconds overhead{};

  template <AcceleratorDesign D>
  [[nodiscard]] auto operator()(shard const& s, D const& design) const -> shard_cost {
    if constexpr (ChoosyDesign<D>)
      if (!design.supports(s)) return {.time = unsupported_time()};
    if (s.op->kind == op_kind::opaque) return {.time = unestimated_time()};
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    flops_per_second rate{unlimited};
    bytes_per_second stream{unlimited};
    if (peak)
      rate = *peak;
    else if constexpr (RooflineDesign<D>)
      rate = design.peak(hardware::computing_bits(s));
    if (bandwidth)
      stream = *bandwidth;
    else if constexpr (states_bandwidth<D>)
      stream = design.memory_bandwidth();
    auto time = overlapped(flops_of(s) / rate, traffic_of(s) / stream, overhead);
    time.estimated = rate.count() < unlimited || stream.count() < unlimited;
    return {.time = time};
  }
};

} // namespace mars::cost
