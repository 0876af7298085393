// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/checked.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <cstdint>

// Counts are double: rounding to vectors and tiles could carry a product that `validate` admits past 2⁶³.

namespace mars::primitive::detail {

[[nodiscard]] constexpr auto real(std::int64_t n) -> double { return static_cast<double>(n); }
[[nodiscard]] constexpr auto round_up(std::int64_t n, std::int64_t multiple) -> std::int64_t {
  return ceil_div(n, multiple) * multiple;
}
/// A whole number of bytes, at most 2⁶².
[[nodiscard]] constexpr auto to_bytes(double n) -> bytes {
  constexpr auto most = std::int64_t{1} << 62;
  return bytes{n < real(most) ? static_cast<std::int64_t>(n) : most};
}
/// ⌈elements · bits / 8⌉, exact below 2⁵³.
[[nodiscard]] constexpr auto stored(double elements, int element_bits) -> bytes {
  return to_bytes((elements * element_bits + 7) / 8);
}
/// Sum of sizes that each are at most 2⁶².
template <class... Sizes>
[[nodiscard]] constexpr auto total(Sizes... sizes) -> bytes {
  return to_bytes((real(sizes.count()) + ...));
}

[[nodiscard]] inline auto input_of(convolution_layer const& c) -> bytes {
  return stored(real(c.batch) * real(c.in_channels) * real(c.in.rows) * real(c.in.columns),
                c.element_bits);
}
[[nodiscard]] inline auto output_of(convolution_layer const& c) -> bytes {
  return stored(real(c.batch) * real(c.out_channels) * real(c.out.rows) * real(c.out.columns),
                c.element_bits);
}

/// Channels of a layer as vectors of lanes walk them.
struct padded_channels {
  std::int64_t out{}; ///< K, of all groups
  std::int64_t in{};  ///< C/g, of one group
};
/// K to whole vectors. Groups of one input channel (depthwise) share vectors, others do not.
[[nodiscard]] inline auto in_vectors(convolution_layer const& c, int lanes) -> padded_channels {
  auto const in = c.in_channels / c.groups;
  auto const out = in == 1 ? round_up(c.out_channels, lanes)
                           : c.groups * round_up(c.out_channels / c.groups, lanes);
  return {out, in};
}
/// K and C to whole blocks of a blocked layout; depthwise, each channel has the one of its own.
[[nodiscard]] inline auto in_blocks(convolution_layer const& c, int lanes) -> padded_channels {
  auto p = in_vectors(c, lanes);
  if (p.in > 1) p.in = round_up(p.in, lanes);
  return p;
}

/// The matrix that unfolds one image for one group, (C/g)·R·S × Y·X; none for what is a matrix product
/// as it lies.
[[nodiscard]] inline auto unfolded(convolution_layer const& c) -> bytes {
  if (c.is_pointwise()) return {};
  return stored(real(c.in_channels / c.groups) * real(c.kernel.rows) * real(c.kernel.columns) *
                    real(c.out.rows) * real(c.out.columns),
                c.element_bits);
}
/// One image with borders of the same width on both sides, C·(H + 2p)·(W + 2p).
[[nodiscard]] inline auto bordered(convolution_layer const& c) -> bytes {
  return stored(real(c.in_channels) * real(c.in.rows + 2 * c.padding.rows) *
                    real(c.in.columns + 2 * c.padding.columns),
                c.element_bits);
}
/// Written once and read once, `times` times.
[[nodiscard]] constexpr auto passes(bytes workspace, double times) -> bytes {
  return to_bytes(2 * times * real(workspace.count()));
}

} // namespace mars::primitive::detail
