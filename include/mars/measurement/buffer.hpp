// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

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
class buffer {
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr std::align_val_t line{64};

public:
  buffer() = default;
  explicit buffer(std::size_t size, std::uint32_t seed = 1)
      : data_{size == 0 ? nullptr : static_cast<T*>(::operator new(size * sizeof(T), line))},
        size_{size} {
    fill(std::span<T>{*this}, seed);
  }
  buffer(buffer&& other) noexcept : data_{other.data_}, size_{other.size_} {
    other.data_ = nullptr;
    other.size_ = 0;
  }
  auto operator=(buffer&& other) noexcept -> buffer& {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~buffer() { ::operator delete(data_, line); }

  [[nodiscard]] auto data() -> T* { return data_; }
  [[nodiscard]] auto data() const -> T const* { return data_; }
  [[nodiscard]] auto size() const -> std::size_t { return size_; }
  [[nodiscard]] auto begin() -> T* { return data_; }
  [[nodiscard]] auto end() -> T* { return data_ + size_; }
  [[nodiscard]] auto begin() const -> T const* { return data_; }
  [[nodiscard]] auto end() const -> T const* { return data_ + size_; }

private:
  T* data_{};
  std::size_t size_{};
};

} // namespace mars::measurement
