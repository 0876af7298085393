// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/vector.hpp>

// The one-dimensional transforms of Winograd's F(M, 3) (Lavin and Gray, arXiv 1509.09308), on vectors of
// channels. Interpolation points of F(2, 3): 0, ±1, ∞. Of F(4, 3): 0, ±5/8, ±3/2, ∞, as oneDNN has them, since the
// usual ±1, ±2 err four to five times as much; all constants of the vectors' side are exact.

namespace mars::primitive::kernels::detail::winograd_points {

inline constexpr float a = 0.625F, a2 = a * a; ///< the nearer points of F(4, 3)
inline constexpr float b = 1.5F, b2 = b * b;   ///< the farther ones

/// x ← Bᵀ·x for x[0], x[step], …: the T = M + 2 inputs of M outputs.
template <int M>
[[gnu::always_inline]] inline void transform_input(vec* x, int step) {
  auto const at = [&](int i) __attribute__((always_inline))->vec& { return x[i * step]; };
  if constexpr (M == 2) {
    vec const first = at(0) - at(2), sum = at(1) + at(2), last = at(1) - at(3);
    at(2) = at(2) - at(1), at(0) = first, at(1) = sum, at(3) = last;
  } else {
    static_assert(M == 4);
    vec const near_even = at(4) - b2 * at(2), near_odd = a * (at(3) - b2 * at(1));
    vec const far_even = at(4) - a2 * at(2), far_odd = b * (at(3) - a2 * at(1));
    vec const first = a2 * b2 * at(0) - (a2 + b2) * at(2) + at(4);
    vec const last = a2 * b2 * at(1) - (a2 + b2) * at(3) + at(5);
    at(0) = first, at(1) = near_even + near_odd, at(2) = near_even - near_odd;
    at(3) = far_even + far_odd, at(4) = far_even - far_odd, at(5) = last;
  }
}

/// The first M of x ← Aᵀ·x.
template <int M>
[[gnu::always_inline]] inline void transform_output(vec* x, int step) {
  auto const at = [&](int i) __attribute__((always_inline))->vec& { return x[i * step]; };
  if constexpr (M == 2) {
    vec const first = at(0) + at(1) + at(2);
    at(1) = at(1) - at(2) - at(3), at(0) = first;
  } else {
    static_assert(M == 4);
    vec const near_sum = at(1) + at(2), near_difference = at(1) - at(2);
    vec const far_sum = at(3) + at(4), far_difference = at(3) - at(4);
    vec const first = at(0) + near_sum + far_sum;
    at(1) = a * near_difference + b * far_difference;
    at(2) = a2 * near_sum + b2 * far_sum;
    at(3) = a * a2 * near_difference + b * b2 * far_difference + at(5);
    at(0) = first;
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
    // At point p: (x₀ + p·x₁ + p²·x₂) / Π(p − other points).
    auto const at = [&](double p, double others) {
      return (x[0] + p * x[1] + p * p * x[2]) / others;
    };
    constexpr double near = 2.0 * a2 * (a2 - b2), far = 2.0 * b2 * (b2 - a2);
    to[0] = x[0] / (double{a2} * b2);
    to[1] = at(a, near), to[2] = at(-a, near);
    to[3] = at(b, far), to[4] = at(-b, far);
    to[5] = x[2];
  }
}

} // namespace mars::primitive::kernels::detail::winograd_points
