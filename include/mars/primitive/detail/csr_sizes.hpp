// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/primitive/detail/layer_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

namespace mars::primitive::detail {

/// Weights that are not zero: density · weights to the nearest whole number, halves up.
[[nodiscard]] inline auto nonzeros_of(convolution_layer const& c) -> double {
  return real(static_cast<std::int64_t>(c.density * real(weights_of(c)) + 0.5));
}
/// K rows of (C/g)·R·S columns: values with column indices of 4 bytes, and where each row begins.
[[nodiscard]] inline auto csr_of(convolution_layer const& c) -> bytes {
  auto const n = nonzeros_of(c);
  return total(stored(n, c.element_bits), to_bytes(4 * n),
               to_bytes(4 * (real(c.out_channels) + 1)));
}

} // namespace mars::primitive::detail
