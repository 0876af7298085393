// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <initializer_list>

namespace mars {

/// Up to `Capacity` values stored in place: no allocation, trivially copyable when `T` is.
/// Precondition of every growth: there is room.
template <class T, std::size_t Capacity>
class inplace_vector {
public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = T const*;

  constexpr inplace_vector() = default;
  constexpr inplace_vector(std::initializer_list<T> values) {
    for (auto const& v : values) push_back(v);
  }

  constexpr void push_back(T const& value) {
    assert(size_ < Capacity);
    values_[size_++] = value;
  }
  constexpr void pop_back() { --size_; }
  constexpr void clear() { size_ = 0; }

  [[nodiscard]] static constexpr auto capacity() -> std::size_t { return Capacity; }
  [[nodiscard]] constexpr auto size() const -> std::size_t { return size_; }
  [[nodiscard]] constexpr auto empty() const -> bool { return size_ == 0; }
  [[nodiscard]] constexpr auto full() const -> bool { return size_ == Capacity; }
  [[nodiscard]] constexpr auto operator[](std::size_t i) -> T& { return values_[i]; }
  [[nodiscard]] constexpr auto operator[](std::size_t i) const -> T const& { return values_[i]; }
  [[nodiscard]] constexpr auto back() -> T& { return values_[size_ - 1]; }
  [[nodiscard]] constexpr auto back() const -> T const& { return values_[size_ - 1]; }
  [[nodiscard]] constexpr auto begin() -> iterator { return values_.data(); }
  [[nodiscard]] constexpr auto end() -> iterator { return values_.data() + size_; }
  [[nodiscard]] constexpr auto begin() const -> const_iterator { return values_.data(); }
  [[nodiscard]] constexpr auto end() const -> const_iterator { return values_.data() + size_; }

  friend constexpr auto operator==(inplace_vector const& a, inplace_vector const& b) -> bool {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i)
      if (!(a.values_[i] == b.values_[i])) return false;
    return true;
  }

private:
  std::array<T, Capacity> values_{};
  std::size_t size_{};
};

} // namespace mars
