// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

// The one place that knows of vectors: GNU's vector extension, which g++ and clang++ lower to whatever
// the target has. Plain loops over small arrays were tried first: neither compiler keeps 28 of them in
// registers reliably.

namespace mars::primitive::kernels {

/// Elements of a vector register, and channels in a block of the format nchwc.
#if defined(__AVX512F__)
inline constexpr int lanes = 16;
#elif defined(__AVX__)
inline constexpr int lanes = 8;
#else
inline constexpr int lanes = 4; // SSE, NEON, and what a compiler makes of four floats elsewhere
#endif

/// Vector registers of the target: how large a register tile may be.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int registers = 32;
#else
inline constexpr int registers = 16;
#endif

using offset = std::ptrdiff_t;

using vec [[gnu::vector_size(lanes * sizeof(float))]] = float;

/// Any alignment.
[[nodiscard, gnu::always_inline]] inline auto load(float const* p) -> vec {
  vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
[[gnu::always_inline]] inline void store(float* p, vec v) { std::memcpy(p, &v, sizeof v); }

[[nodiscard, gnu::always_inline]] inline auto broadcast(float x) -> vec { return x - vec{}; }

/// Copies a run of any length without a call: most are rows of small images, of seven to fifty-six numbers.
/// What does not fill a vector is copied from its end, so that some numbers are copied twice.
[[gnu::always_inline]] inline void copy_run(float const* from, offset count, float* to) {
  auto const ends = [&](auto width) __attribute__((always_inline)) {
    std::memcpy(to, from, width * sizeof(float));
    std::memcpy(to + count - width, from + count - width, width * sizeof(float));
  };
  if (count >= lanes) {
    for (offset i = 0; i + lanes <= count; i += lanes) store(to + i, load(from + i));
    store(to + count - lanes, load(from + count - lanes));
  } else if (count >= 8) {
    ends(std::integral_constant<offset, 8>{});
  } else if (count >= 4) {
    ends(std::integral_constant<offset, 4>{});
  } else {
    for (offset i = 0; i < count; ++i) to[i] = from[i];
  }
}

/// f(0), …, f(N − 1) with constants: a loop that every compiler unrolls, so that arrays indexed by it
/// live in registers.
template <int N, class F>
[[gnu::always_inline]] inline void unrolled(F&& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, I>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

/// A stride that is known when compiling.
template <offset N>
inline constexpr std::integral_constant<offset, N> known{};

namespace detail {

/// a₀ b₀ a₁ b₁ … from the lower halves (Half = 0) or the upper ones (1).
template <int Half, int... I>
[[nodiscard, gnu::always_inline]] inline auto interleave(vec a, vec b,
                                                         std::integer_sequence<int, I...>) -> vec {
  return __builtin_shufflevector(a, b, (I / 2 + (I % 2) * lanes + Half * lanes / 2)...);
}

} // namespace detail

/// Rows become columns: log₂ `lanes` rounds, each of which interleaves the first half of the rows with
/// the second.
[[gnu::always_inline]] inline void transpose(vec (&rows)[lanes]) {
  constexpr std::make_integer_sequence<int, lanes> each{};
  for (int round = 1; round < lanes; round *= 2) {
    vec mixed[lanes];
    unrolled<lanes / 2>([&](auto i) __attribute__((always_inline)) {
      mixed[2 * i] = detail::interleave<0>(rows[i], rows[i + lanes / 2], each);
      mixed[2 * i + 1] = detail::interleave<1>(rows[i], rows[i + lanes / 2], each);
    });
    unrolled<lanes>([&](auto i) __attribute__((always_inline)) { rows[i] = mixed[i]; });
  }
}

[[nodiscard]] constexpr auto ceil_div(offset a, offset b) -> offset { return (a + b - 1) / b; }
[[nodiscard]] constexpr auto round_up(offset a, offset b) -> offset { return ceil_div(a, b) * b; }

} // namespace mars::primitive::kernels
