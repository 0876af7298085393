// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace mars::detail {

/// For tables that compare what hashes alike: quick rather than thorough.
struct range_hash {
  template <class Range>
  [[nodiscard]] auto operator()(Range const& values) const -> std::size_t {
    std::uint64_t h = 0;
    for (auto const x : values) h = mix(h, bits(x));
    return static_cast<std::size_t>(h);
  }
  [[nodiscard]] static constexpr auto mix(std::uint64_t h, std::uint64_t x) -> std::uint64_t {
    h = (h ^ x) * 0x9E3779B97F4A7C15U;
    return h ^ (h >> 32);
  }

private:
  [[nodiscard]] static constexpr auto bits(std::integral auto x) -> std::uint64_t {
    return static_cast<std::uint64_t>(x);
  }
  [[nodiscard]] static constexpr auto bits(double x) -> std::uint64_t {
    return std::bit_cast<std::uint64_t>(x + 0.0); // −0.0 equals 0.0
  }
};

/// Gives equal values equal small numbers, in order of first appearance. Keys are ranges of numbers.
template <class Key>
class interner {
public:
  auto operator()(Key const& key) -> std::uint32_t {
    return ids_.try_emplace(key, static_cast<std::uint32_t>(ids_.size())).first->second;
  }
  [[nodiscard]] auto size() const -> std::size_t { return ids_.size(); }

private:
  std::unordered_map<Key, std::uint32_t, range_hash> ids_;
};

} // namespace mars::detail
