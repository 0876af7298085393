// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/workload/operation.hpp>

namespace mars::hardware {

/// Peak rate for elements of a width. Units of one 16-bit format are no use to the other: processors go by
/// `numbers`; rooflines and devices, whose kernels are counted by width, do not.
struct width_peak {
  int element_bits{};
  flops_per_second rate{};
  number_format numbers{
      number_format::automatic}; ///< at 16 bits `automatic` is IEEE half precision

  friend auto operator==(width_peak const&, width_peak const&) -> bool = default;
};

} // namespace mars::hardware
