// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace mars::cost::detail {

/// Σ_i (1 − x_i·θ / t_i)² → min, θ ≥ 0: relative non-negative least squares of few unknowns.
///
/// The minimum of a convex function over θ ≥ 0 is the unconstrained one over some subset of unknowns, the
/// others zero, so all 2^N subsets are tried: for N ≤ 10 cheaper than it is to be clever, and with no
/// tolerance that an active set would turn on. Equal minima go to the subset of the fewest unknowns, then
/// to the first. O(N²) an observation, O(2^N·N³) to solve.
/// Source: Lawson and Hanson, Solving Least Squares Problems, 1974, ch. 23.
template <std::size_t N>
class normal_equations {
  static_assert(N <= 10);

public:
  using vector = std::array<double, N>;

  /// What θ is without data: a deviation of 1 weighs as a squared relative error of `weight`.
  void expect(vector const& theta, double weight) {
    for (std::size_t j = 0; j < N; ++j) {
      square_[j][j] += weight;
      right_[j] += weight * theta[j];
    }
  }
  /// Precondition: t > 0.
  void add(vector const& x, double t) {
    for (std::size_t j = 0; j < N; ++j) {
      right_[j] += x[j] / t;
      for (std::size_t k = 0; k < N; ++k) square_[j][k] += (x[j] / t) * (x[k] / t);
    }
  }

  [[nodiscard]] auto solve() const -> vector {
    vector best{};
    double gain = 0; // of the objective, against θ = 0
    int size = 0;
    for (std::uint32_t subset = 1; subset < (1U << N); ++subset) {
      vector theta{};
      int count = 0;
      for (std::uint32_t s = subset; s != 0; s &= s - 1) ++count;
      if (!solve_subset(subset, theta)) continue;
      double sum = 0;
      for (std::size_t j = 0; j < N; ++j) sum += theta[j] * right_[j];
      // The margin is that of rounding, far below what a better fit gains.
      auto const margin = 1e-11 * (sum < 0 ? -sum : sum);
      if (sum > gain + margin || (sum > gain - margin && count < size)) {
        best = theta;
        gain = sum;
        size = count;
      }
    }
    return best;
  }

private:
  /// Cholesky's method on the rows and columns of a subset, kept in place and the others empty; false if
  /// one of them adds nothing to those before, or if the solution is not positive.
  [[nodiscard]] auto solve_subset(std::uint32_t subset, vector& theta) const -> bool {
    auto const in_subset = [subset](std::size_t j) { return (subset >> j & 1U) != 0; };
    std::array<vector, N> lower{};
    vector z{};
    for (std::size_t j = 0; j < N; ++j) {
      if (!in_subset(j)) continue;
      for (std::size_t k = 0; k < j; ++k) {
        if (!in_subset(k)) continue;
        auto sum = square_[j][k];
        for (std::size_t m = 0; m < k; ++m) sum -= lower[j][m] * lower[k][m];
        lower[j][k] = sum / lower[k][k];
      }
      auto sum = square_[j][j];
      for (std::size_t m = 0; m < j; ++m) sum -= lower[j][m] * lower[j][m];
      if (!(sum > 1e-12 * square_[j][j])) return false;
      lower[j][j] = std::sqrt(sum);
      auto right = right_[j];
      for (std::size_t m = 0; m < j; ++m) right -= lower[j][m] * z[m];
      z[j] = right / lower[j][j];
    }
    for (std::size_t j = N; j-- > 0;) {
      if (!in_subset(j)) continue;
      auto sum = z[j];
      for (std::size_t m = j + 1; m < N; ++m) sum -= lower[m][j] * theta[m];
      theta[j] = sum / lower[j][j];
      if (!(theta[j] > 0)) return false;
    }
    return true;
  }

  std::array<vector, N> square_{};
  vector right_{};
};

} // namespace mars::cost::detail
