// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/workload/shard.hpp>

namespace mars {

/// Bytes of a shard's weights, inputs and outputs.
template <deferred = when_called>
[[nodiscard]] auto bytes_by_role(shard const& s) -> host_bytes {
  return {.weights = bytes_of(s, role::weight),
          .inputs = bytes_of(s, role::input),
          .outputs = bytes_of(s, role::output)};
}

/// What crosses the host link for a shard on a design, if all of it is staged there.
template <AcceleratorDesign D>
[[nodiscard]] auto host_traffic(D const& design, shard const& s) -> host_bytes {
  if constexpr (StagingDesign<D>)
    return design.host_traffic(s);
  else
    return (void)design, bytes_by_role(s);
}

} // namespace mars
