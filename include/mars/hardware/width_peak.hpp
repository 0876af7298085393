// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

namespace mars::hardware {

/// Peak rate for elements of a width.
struct width_peak {
  int element_bits{};
  flops_per_second rate{};

  friend auto operator==(width_peak const&, width_peak const&) -> bool = default;
};

} // namespace mars::hardware
