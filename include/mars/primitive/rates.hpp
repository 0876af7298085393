// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <cstdint>
#include <string_view>

namespace mars::primitive {

/// How kernels were made.
enum class code_generation : std::uint8_t {
  untuned, ///< one tile for all layers, as the compiler makes of it
  tuned,   ///< the best of a set of tiles or schedules for each layer
};
[[nodiscard]] constexpr auto generation_name(code_generation g) -> std::string_view {
  return g == code_generation::tuned ? "tuned" : "untuned";
}

/// What an algorithm reaches of a machine, by which its work becomes time:
///
///   T = u · (macs · MACs/P + transforms · operations/P + decoding · indices/(P/L))
///       + traffic · bytes/B(bytes) + call · calls
///
/// P: MACs per second at the peak, L: lanes of a vector, B: bandwidth by working set, u: `untuned` for code
/// of that kind, else 1. Groups of fewer input channels than `least_channels` take as long as if they
/// had them (depthwise layers reuse nothing).
struct rates {
  double macs{1};
  double traffic{1};
  seconds call{};
  double transforms{1};
  double decoding{1};
  double untuned{1};
  double least_channels{1};

  friend auto operator==(rates const&, rates const&) -> bool = default;
};

/// Rates of an algorithm on a server CPU, tuned, one thread, relative to its peak; neutral ones for a name
/// that is not ours. Tuned: relative non-negative least squares (redone by tests/primitive/rates.test.cpp)
/// to timings of oneDNN 2.6.3 and of CSR kernels on one CPU with AVX-512. Not measured: `spatial_pack`
/// (published ratios, apache/tvm pull request 883) and `csr_spatial_pack` (as `csr_gemm`). Untuned:
/// default against best schedules of Halide 14 (direct), kernels for another CPU against the right
/// ones in OpenBLAS (products; assumed of Winograd's), the compiler's loops against the best register
/// tile (CSR direct; assumed of the others). On any other machine all of it is assumed.
[[nodiscard]] constexpr auto fitted_rates(std::string_view name) -> rates {
  // Median share of the peak over 214 layers: 0.92 dense, 0.32 depthwise.
  constexpr double least = 2.9;
  if (name == "direct")
    return {.macs = 1.06, .traffic = 0.874, .untuned = 16.4, .least_channels = least};
  // `call` is a constant per layer, of layers that are one call.
  if (name == "im2col_gemm")
    return {.macs = 1.31, .traffic = 1.48, .call = seconds{3.55e-6}, .untuned = 1.87};
  if (name == "spatial_pack")
    return {.macs = 1.21, .traffic = 1, .untuned = 1.12, .least_channels = least};
  if (name == "winograd_f2x3")
    return {.macs = 1.22, .traffic = 0.35, .transforms = 0, .untuned = 1.87};
  if (name == "winograd_f4x3")
    return {.macs = 1.37, .traffic = 1.06, .transforms = 0, .untuned = 1.87};
  // All measured layers lie in caches: `traffic` is set, not fitted.
  if (name == "csr_direct")
    return {.macs = 2.85, .call = seconds{6.41e-6}, .decoding = 5.53, .untuned = 2.35};
  if (name == "csr_gemm" || name == "csr_spatial_pack")
    return {.macs = 4.54, .traffic = 1.07, .decoding = 6.96, .untuned = 2.35};
  return {};
}

/// Of rewriting a tensor in another format, which reads and writes it: fitted as above to eight reorders
/// between channels in planes and in blocks.
[[nodiscard]] constexpr auto fitted_reordering() -> rates {
  return {.traffic = 1.14, .call = seconds{1.42e-6}};
}

} // namespace mars::primitive
