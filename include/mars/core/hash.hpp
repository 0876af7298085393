// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <string_view>

namespace mars {

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection that spreads every
/// input bit over the whole word.
[[nodiscard]] constexpr auto mix64(std::uint64_t x) -> std::uint64_t {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Adds `value` to a running hash; order matters. The same on every platform and in every run,
/// which std::hash does not promise, so it may be written to files.
[[nodiscard]] constexpr auto hash_combine(std::uint64_t hash, std::uint64_t value)
    -> std::uint64_t {
  return mix64(hash + 0x9E3779B97F4A7C15U + mix64(value));
}

/// 64-bit FNV-1a of the bytes of `text`.
[[nodiscard]] constexpr auto fnv1a(std::string_view text) -> std::uint64_t {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (char const c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3U;
  }
  return hash;
}

/// Collects values into one stable 64-bit hash: `stable_hash{}.add(extent).add(name).digest()`.
/// Not for adversaries.
class stable_hash {
public:
  template <std::integral T>
  constexpr auto add(T value) -> stable_hash& {
    state_ = hash_combine(state_, static_cast<std::uint64_t>(value));
    return *this;
  }
  /// −0.0 counts as 0.0, so that equal numbers hash equal; every NaN counts the same.
  constexpr auto add(double value) -> stable_hash& {
    if (value != value) return add(std::uint64_t{0x7FF8000000000000U});
    return add(std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value));
  }
  /// The length is hashed too: ("ab", "c") differs from ("a", "bc").
  constexpr auto add(std::string_view text) -> stable_hash& {
    return add(fnv1a(text)).add(text.size());
  }
  constexpr auto add(char const* text) -> stable_hash& { return add(std::string_view{text}); }

  [[nodiscard]] constexpr auto digest() const -> std::uint64_t { return state_; }

private:
  std::uint64_t state_{};
};

} // namespace mars
