// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/checked.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/workload/shard.hpp>

#include <cstdint>

namespace mars::hardware::detail {

/// ⌈a / b⌉ as a factor of a cycle count. Counts are doubles: exact below 2⁵³ and free of overflow
/// above, where products of legal extents can exceed 64 bits once tiles are rounded up.
[[nodiscard]] constexpr auto tiles(std::int64_t a, std::int64_t b) -> double {
  return static_cast<double>(ceil_div(a, b));
}
[[nodiscard]] constexpr auto real(std::int64_t n) -> double { return static_cast<double>(n); }

[[nodiscard]] constexpr auto duration(double cycle_count, hertz clock) -> seconds {
  return seconds{cycle_count / clock.count()};
}

/// An operator without the convolution loop nest on a design made for it. Assumed: it is fused into
/// the stream that leaves the array and costs nothing, unless the design has a vector unit of
/// `elements_per_cycle` > 0 that walks every point of the iteration space.
[[nodiscard]] inline auto outside_loop_nest(shard const& s, double elements_per_cycle, hertz clock,
                                            seconds memory) -> time_breakdown {
  if (s.op->kind == op_kind::opaque) return unestimated_time();
  if (!(elements_per_cycle > 0)) return {};
  auto const points = static_cast<double>(work_points(*s.op, s.extents));
  return overlapped(duration(points / elements_per_cycle, clock), memory);
}

} // namespace mars::hardware::detail
