// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <optional>

namespace mars {

/// Arithmetic at the boundary, where extents come from files: no value on overflow.
[[nodiscard]] constexpr auto checked_multiply(std::int64_t a, std::int64_t b)
    -> std::optional<std::int64_t> {
  std::int64_t r{};
  if (__builtin_mul_overflow(a, b, &r)) return std::nullopt;
  return r;
}

[[nodiscard]] constexpr auto checked_add(std::int64_t a, std::int64_t b)
    -> std::optional<std::int64_t> {
  std::int64_t r{};
  if (__builtin_add_overflow(a, b, &r)) return std::nullopt;
  return r;
}

/// ⌈a / b⌉ for a ≥ 0, b > 0.
[[nodiscard]] constexpr auto ceil_div(std::int64_t a, std::int64_t b) -> std::int64_t {
  return a / b + (a % b != 0);
}

} // namespace mars
