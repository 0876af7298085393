// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string_view>

namespace mars::measurement {

/// What weights and activations are kept in; sums are as wide as the hardware has them.
enum class precision : std::uint8_t {
  fp32,
  bf16,
  int8, ///< unsigned activations, signed weights
};

[[nodiscard]] constexpr auto to_string(precision p) -> std::string_view {
  switch (p) {
  case precision::fp32: return "fp32";
  case precision::bf16: return "bf16";
  case precision::int8: return "int8";
  }
  return "unknown";
}
[[nodiscard]] constexpr auto bits_of(precision p) -> int {
  return p == precision::fp32 ? 32 : p == precision::bf16 ? 16 : 8;
}

} // namespace mars::measurement
