// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/inplace_vector.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/detail/parameters.hpp>
#include <mars/hardware/width_peak.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

namespace mars::hardware {

/// Bits of the elements a shard computes with: those of its first input (of its output, if it has
/// no input). Biases and accumulators, often wider, do not decide which units work.
[[nodiscard]] inline auto computing_bits(shard const& s) -> int {
  if (auto const* in = nth_operand(*s.op, role::input, 0)) return in->element_bits;
  if (auto const* out = nth_operand(*s.op, role::output, 0)) return out->element_bits;
  return 16;
}

/// A device known by its data sheet: peak rate, memory bandwidth, launch overhead.
///   T = launch + max(flops / (efficiency · peak), operand bytes / (efficiency · bandwidth))
///
/// Prefer it for GPUs and other accelerators whose insides are not modelled; it is optimistic about
/// small shards, whose idle units it does not see, and pessimistic about fused operators.
/// A reshape is a view and free (assumed). O(operands).
/// Source: Williams, Waterman, Patterson, CACM 2009.
struct roofline {
  std::string title{"roofline"};
  flops_per_second peak_rate{}; ///< for element widths that `peaks` does not list
  bytes_per_second bandwidth{};
  seconds launch{};             ///< before every operator
  double compute_efficiency{1}; ///< reachable share of the peak
  double memory_efficiency{1};
  inplace_vector<width_peak, 6> peaks{};
  watts power{unknown_watts}; ///< while running; energy is power · time

  [[nodiscard]] auto name() const -> std::string_view { return title; }

  [[nodiscard]] auto peak(int element_bits) const -> flops_per_second {
    for (auto const& p : peaks)
      if (p.element_bits == element_bits) return p.rate;
    return peak_rate;
  }
  [[nodiscard]] auto memory_bandwidth() const -> bytes_per_second { return bandwidth; }

  template <deferred = when_called>
  [[nodiscard]] auto time(shard const& s) const -> time_breakdown {
    if (s.op->kind == op_kind::opaque) return unestimated_time();
    if (s.op->kind == op_kind::reshape) return {};
    return overlapped(flops_of(s) / (compute_efficiency * peak(computing_bits(s))),
                      traffic_of(s) / (memory_efficiency * bandwidth), launch);
  }
  [[nodiscard]] auto energy(shard const& s) const -> joules { return power * time(s).total; }

  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    detail::parameter_check check;
    check.name(title)
        .positive("peak_rate", peak_rate.count())
        .positive("bandwidth", bandwidth.count())
        .finite("launch", launch.count())
        .fraction("compute_efficiency", compute_efficiency)
        .fraction("memory_efficiency", memory_efficiency);
    for (auto const& p : peaks)
      check.at_least("peaks", p.element_bits, 1).positive("peaks", p.rate.count());
    if (is_known(power)) check.finite("power", power.count());
    return check.result();
  }
  /// Two unknown powers are equal.
  friend auto operator==(roofline const& a, roofline const& b) -> bool {
    return a.title == b.title && a.peak_rate == b.peak_rate && a.bandwidth == b.bandwidth &&
           a.launch == b.launch && a.compute_efficiency == b.compute_efficiency &&
           a.memory_efficiency == b.memory_efficiency && a.peaks == b.peaks &&
           (a.power == b.power || (!is_known(a.power) && !is_known(b.power)));
  }
};

} // namespace mars::hardware
