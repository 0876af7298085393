// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/vector.hpp>

// The one-dimensional transforms of Winograd's F(M, 3) (Lavin and Gray, arXiv 1509.09308), on vectors of
// channels. Interpolation points: 0, ±1, ∞ for F(2, 3), and ±2 besides for F(4, 3).

namespace mars::primitive::kernels::detail {

/// x ← Bᵀ·x for x[0], x[step], …: the T = M + 2 inputs of M outputs.
template <int M>
[[gnu::always_inline]] inline void transform_input(vec* x, int step) {
  auto const at = [&](int i) __attribute__((always_inline))->vec& { return x[i * step]; };
  if constexpr (M == 2) {
    vec const a = at(0) - at(2), b = at(1) + at(2), c = at(2) - at(1), d = at(1) - at(3);
    at(0) = a, at(1) = b, at(2) = c, at(3) = d;
  } else {
    static_assert(M == 4);
    vec const even = at(4) - 4.0F * at(2), odd = at(3) - 4.0F * at(1);
    vec const far = at(4) - at(2), twice = 2.0F * (at(3) - at(1));
    vec const first = 4.0F * at(0) - 5.0F * at(2) + at(4);
    vec const last = 4.0F * at(1) - 5.0F * at(3) + at(5);
    at(0) = first, at(1) = even + odd, at(2) = even - odd;
    at(3) = far + twice, at(4) = far - twice, at(5) = last;
  }
}

/// The first M of x ← Aᵀ·x.
template <int M>
[[gnu::always_inline]] inline void transform_output(vec* x, int step) {
  auto const at = [&](int i) __attribute__((always_inline))->vec& { return x[i * step]; };
  if constexpr (M == 2) {
    vec const a = at(0) + at(1) + at(2), b = at(1) - at(2) - at(3);
    at(0) = a, at(1) = b;
  } else {
    static_assert(M == 4);
    vec const sum = at(1) + at(2), difference = at(1) - at(2);
    vec const far_sum = at(3) + at(4), far_difference = at(3) - at(4);
    vec const a = at(0) + sum + far_sum, b = difference + 2.0F * far_difference;
    vec const c = sum + 4.0F * far_sum, d = difference + 8.0F * far_difference + at(5);
    at(0) = a, at(1) = b, at(2) = c, at(3) = d;
  }
}

/// G·x for the three weights x, in double precision: done once.
template <int M>
inline void transform_weights(double const (&x)[3], double (&to)[M + 2]) {
  if constexpr (M == 2) {
    to[0] = x[0];
    to[1] = (x[0] + x[1] + x[2]) / 2;
    to[2] = (x[0] - x[1] + x[2]) / 2;
    to[3] = x[2];
  } else {
    static_assert(M == 4);
    to[0] = x[0] / 4;
    to[1] = -(x[0] + x[1] + x[2]) / 6;
    to[2] = -(x[0] - x[1] + x[2]) / 6;
    to[3] = x[0] / 24 + x[1] / 12 + x[2] / 6;
    to[4] = x[0] / 24 - x[1] / 12 + x[2] / 6;
    to[5] = x[2];
  }
}

} // namespace mars::primitive::kernels::detail
