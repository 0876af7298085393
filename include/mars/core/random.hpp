// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace mars {

/// Philox4x32-10: ten rounds of a keyed bijection of 128 bits. Same answer on every platform.
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Random123).
[[nodiscard]] constexpr auto philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key)
    -> std::array<std::uint32_t, 4> {
  for (int round = 0; round < 10; ++round) {
    if (round > 0) {
      key[0] += 0x9E3779B9U;
      key[1] += 0xBB67AE85U;
    }
    auto const p0 = std::uint64_t{0xD2511F53U} * counter[0];
    auto const p1 = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
  }
  return counter;
}

/// A sequence of random numbers that is a function of (seed, stream) only: a regular value, so a
/// copy repeats the sequence. Distributions are ours because those of the standard library differ
/// between implementations. Each stream holds 2⁶⁶ words.
class random_stream {
public:
  constexpr random_stream() = default;
  explicit constexpr random_stream(std::uint64_t seed, std::uint64_t stream = 0)
      : seed_{seed}, stream_{stream} {}

  /// Stream `i` below this one: independent of it, of its siblings, and of how many numbers were
  /// drawn here. Costs one Philox block; may be nested (one per generation, then per individual).
  [[nodiscard]] constexpr auto substream(std::uint64_t i) const -> random_stream {
    // The key is complemented so that a derived seed is never one of this stream's own outputs.
    auto const w = philox4x32(words(i, stream_), key(~seed_));
    return random_stream{join(w[0], w[1]), join(w[2], w[3])};
  }

  [[nodiscard]] constexpr auto next_u32() -> std::uint32_t {
    if (used_ == 0) buffer_ = philox4x32(words(block_++, stream_), key(seed_));
    auto const word = buffer_[used_];
    used_ = (used_ + 1) % 4;
    return word;
  }
  [[nodiscard]] constexpr auto next_u64() -> std::uint64_t {
    auto const low = next_u32();
    return join(low, next_u32());
  }

  /// Uniform in {0, …, n−1}, unbiased. Precondition: n > 0.
  /// Source: Lemire, "Fast random integer generation in an interval", TOMACS 2019.
  [[nodiscard]] constexpr auto below(std::uint64_t n) -> std::uint64_t {
    assert(n > 0);
    if (n > 0xFFFFFFFFU) return below_wide(n);
    auto const limit = static_cast<std::uint32_t>(n);
    auto product = std::uint64_t{next_u32()} * limit;
    if (static_cast<std::uint32_t>(product) < limit) {
      auto const threshold = (0U - limit) % limit;
      while (static_cast<std::uint32_t>(product) < threshold)
        product = std::uint64_t{next_u32()} * limit;
    }
    return product >> 32;
  }

  /// Uniform in [0, 1): a multiple of 2⁻⁵³.
  [[nodiscard]] constexpr auto uniform() -> double {
    return static_cast<double>(next_u64() >> 11) * 0x1p-53;
  }
  /// True with probability p; never for p ≤ 0 or NaN, always for p ≥ 1.
  [[nodiscard]] constexpr auto chance(double p) -> bool { return uniform() < p; }

  /// A uniformly random order (Fisher–Yates) of anything with size() and operator[].
  template <class Sequence>
  constexpr void shuffle(Sequence&& values) {
    using std::swap;
    for (std::size_t i = values.size(); i > 1; --i)
      swap(values[i - 1], values[static_cast<std::size_t>(below(i))]);
  }
  /// A uniformly chosen element, by reference. Precondition: not empty.
  template <class Sequence>
  [[nodiscard]] constexpr auto pick(Sequence&& values) -> decltype(values[std::size_t{}]) {
    return values[static_cast<std::size_t>(below(values.size()))];
  }
  /// An index chosen in proportion to its weight. Weights that are not positive count as zero; if
  /// none is positive, every index is as likely. Precondition: not empty, the sum is finite.
  [[nodiscard]] constexpr auto pick_weighted(std::span<double const> weights) -> std::size_t {
    assert(!weights.empty());
    double total = 0;
    for (double const w : weights) total += w > 0 ? w : 0;
    if (!(total > 0)) return static_cast<std::size_t>(below(weights.size()));
    // Compared with running sums, not counted down: a − b·c may be fused by some compilers.
    double const mark = uniform() * total;
    double sum = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (!(weights[i] > 0)) continue;
      sum += weights[i];
      last = i;
      if (mark < sum) break;
    }
    return last;
  }

  friend constexpr auto operator==(random_stream const&, random_stream const&) -> bool = default;

private:
  [[nodiscard]] static constexpr auto low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
  [[nodiscard]] static constexpr auto high(std::uint64_t x) {
    return static_cast<std::uint32_t>(x >> 32);
  }
  [[nodiscard]] static constexpr auto join(std::uint32_t lo, std::uint32_t hi) -> std::uint64_t {
    return std::uint64_t{hi} << 32 | lo;
  }
  [[nodiscard]] static constexpr auto key(std::uint64_t k) -> std::array<std::uint32_t, 2> {
    return {low(k), high(k)};
  }
  [[nodiscard]] static constexpr auto words(std::uint64_t a, std::uint64_t b)
      -> std::array<std::uint32_t, 4> {
    return {low(a), high(a), low(b), high(b)};
  }
  [[nodiscard]] constexpr auto below_wide(std::uint64_t n) -> std::uint64_t {
    __extension__ using wide = unsigned __int128;
    auto product = static_cast<wide>(next_u64()) * n;
    auto const threshold = (std::uint64_t{0} - n) % n;
    while (static_cast<std::uint64_t>(product) < threshold)
      product = static_cast<wide>(next_u64()) * n;
    return static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t seed_{};
  std::uint64_t stream_{};
  std::uint64_t block_{}; ///< next block to draw
  std::array<std::uint32_t, 4> buffer_{};
  std::uint32_t used_{}; ///< words of the buffer given out, modulo 4
};

} // namespace mars
