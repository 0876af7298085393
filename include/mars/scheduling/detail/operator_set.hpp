// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/hash.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mars::detail {

/// Operators of a block by their number in it: a state, a stage or a group of IOS.
class operator_set {
public:
  static constexpr std::size_t max_size = 128;

  constexpr operator_set() = default;
  /// The first `n` operators. Precondition: n ≤ max_size.
  [[nodiscard]] static constexpr auto first(std::size_t n) -> operator_set {
    operator_set s;
    s.words_[0] = n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
    if (n > 64) s.words_[1] = n >= 128 ? ~std::uint64_t{0} : (std::uint64_t{1} << (n - 64)) - 1;
    return s;
  }

  [[nodiscard]] constexpr auto contains(std::size_t i) const -> bool {
    return (words_[i / 64] >> (i % 64) & 1U) != 0;
  }
  constexpr void insert(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << (i % 64); }
  constexpr void erase(std::size_t i) { words_[i / 64] &= ~(std::uint64_t{1} << (i % 64)); }

  [[nodiscard]] constexpr auto empty() const -> bool { return (words_[0] | words_[1]) == 0; }
  [[nodiscard]] constexpr auto size() const -> std::size_t {
    return static_cast<std::size_t>(std::popcount(words_[0]) + std::popcount(words_[1]));
  }
  /// The largest number in it. Precondition: not empty.
  [[nodiscard]] constexpr auto last() const -> std::size_t {
    return words_[1] != 0 ? 127 - static_cast<std::size_t>(std::countl_zero(words_[1]))
                          : 63 - static_cast<std::size_t>(std::countl_zero(words_[0]));
  }
  /// In rising order.
  template <class F>
  constexpr void for_each(F f) const {
    for (std::size_t w = 0; w < 2; ++w)
      for (auto bits = words_[w]; bits != 0; bits &= bits - 1)
        f(w * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
  }

  [[nodiscard]] constexpr auto intersects(operator_set const& o) const -> bool {
    return !(*this & o).empty();
  }
  [[nodiscard]] constexpr auto is_subset_of(operator_set const& o) const -> bool {
    return (*this - o).empty();
  }
  friend constexpr auto operator&(operator_set a, operator_set const& b) -> operator_set {
    for (std::size_t w = 0; w < 2; ++w) a.words_[w] &= b.words_[w];
    return a;
  }
  friend constexpr auto operator|(operator_set a, operator_set const& b) -> operator_set {
    for (std::size_t w = 0; w < 2; ++w) a.words_[w] |= b.words_[w];
    return a;
  }
  /// Without those of `b`.
  friend constexpr auto operator-(operator_set a, operator_set const& b) -> operator_set {
    for (std::size_t w = 0; w < 2; ++w) a.words_[w] &= ~b.words_[w];
    return a;
  }
  friend constexpr auto operator==(operator_set const&, operator_set const&) -> bool = default;

  struct hasher {
    [[nodiscard]] constexpr auto operator()(operator_set const& s) const -> std::size_t {
      return static_cast<std::size_t>(hash_combine(s.words_[0], s.words_[1]));
    }
  };

private:
  std::array<std::uint64_t, 2> words_{};
};

} // namespace mars::detail
