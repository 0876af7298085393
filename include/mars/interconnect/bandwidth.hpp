// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/interconnect/concept.hpp>

#include <cstdint>

namespace mars::interconnect {

/// Effective bandwidth from a to b for large messages: the slope of transfer_time at a tebibyte,
/// where latency no longer shows. Through a store-and-forward host with 2 Gb/s links it is 1 Gb/s.
/// Infinite for a == b. Exact up to rounding, so compare with a tolerance.
template <Interconnect Net>
[[nodiscard]] auto bandwidth(Net const& net, accelerator_id a, accelerator_id b)
    -> bytes_per_second {
  constexpr bytes once{std::int64_t{1} << 40};
  constexpr bytes twice{std::int64_t{1} << 41};
  auto const slope = net.transfer_time(a, b, twice) - net.transfer_time(a, b, once);
  return bytes_per_second{static_cast<double>(once.count()) / slope.count()};
}

} // namespace mars::interconnect
