// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace mars::measurement {

/// Fills with numbers that differ, that no kernel gets denormals, infinities or zeros from, and that are
/// the same everywhere: floating-point ones of either sign in [1/4, 1), integers of 7 bits. Memory
/// nobody wrote is one page of zeros many times over, which fits any cache.
template <class T>
void fill(std::span<T> values, std::uint32_t seed = 1) {
  auto state = seed * 2654435761U + 12345U;
  for (auto& v : values) {
    state = state * 1664525U + 1013904223U; // Numerical Recipes' linear congruence
    auto const high = state >> 8;
    if constexpr (std::is_floating_point_v<T>) {
      auto const size =
          static_cast<T>(0.25) + static_cast<T>(0.75) * static_cast<T>(high >> 1) / T{8388608};
      v = (high & 1U) != 0 ? size : -size;
    } else {
      v = static_cast<T>(1 + high % 127);
    }
  }
}

/// An array that starts a cache line, filled.
template <class T>
class buffer : public primitive::kernels::buffer<T> {
  static_assert(std::is_trivially_copyable_v<T>);

public:
  buffer() = default;
  explicit buffer(std::size_t size, std::uint32_t seed = 1) : primitive::kernels::buffer<T>{size} {
    fill(this->span(), seed);
  }

  [[nodiscard]] auto begin() -> T* { return this->data(); }
  [[nodiscard]] auto end() -> T* { return this->data() + this->size(); }
  [[nodiscard]] auto begin() const -> T const* { return this->data(); }
  [[nodiscard]] auto end() const -> T const* { return this->data() + this->size(); }
};

} // namespace mars::measurement
