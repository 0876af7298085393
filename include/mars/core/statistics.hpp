// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace mars {

// Numbers here are never NaN; infinities are larger or smaller than anything else.

/// The q-quantile, 0 ≤ q ≤ 1: interpolated between the two order statistics around q·(n−1).
/// Precondition: not empty. O(n).
template <deferred = when_called>
[[nodiscard]] auto quantile(std::span<double const> values, double q) -> double {
  assert(!values.empty() && 0 <= q && q <= 1);
  std::vector<double> v(values.begin(), values.end());
  auto const at = q * static_cast<double>(v.size() - 1);
  auto const below = std::min(static_cast<std::size_t>(at), v.size() - 1);
  auto const middle = v.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(v.begin(), middle, v.end());
  auto const share = at - static_cast<double>(below);
  if (!(share > 0) || below + 1 == v.size()) return *middle;
  auto const next = *std::min_element(middle + 1, v.end());
  return *middle == next ? next : *middle + share * (next - *middle);
}
template <deferred = when_called>
[[nodiscard]] auto median(std::span<double const> values) -> double {
  return quantile(values, 0.5);
}

/// 1 for the smallest; equal values share the mean of their ranks. O(n log n).
template <deferred = when_called>
[[nodiscard]] auto mid_ranks(std::span<double const> values) -> std::vector<double> {
  std::vector<std::size_t> order(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0, end = 0; i < order.size(); i = end) {
    for (end = i; end < order.size() && !(values[order[i]] < values[order[end]]);) ++end;
    for (auto j = i; j < end; ++j) ranks[order[j]] = 0.5 * static_cast<double>(i + 1 + end);
  }
  return ranks;
}

namespace detail {
/// Pairs i < j with v[i] > v[j]; sorts v.
template <deferred = when_called>
[[nodiscard]] auto sort_counting_inversions(std::vector<double>& v) -> std::int64_t {
  std::int64_t inversions = 0;
  std::vector<double> merged(v.size());
  for (std::size_t width = 1; width < v.size(); width *= 2) {
    for (std::size_t first = 0; first < v.size(); first += 2 * width) {
      auto const middle = std::min(first + width, v.size());
      auto const last = std::min(first + 2 * width, v.size());
      for (auto i = first, j = middle, k = first; k < last; ++k) {
        if (j == last || (i < middle && !(v[j] < v[i]))) {
          merged[k] = v[i++];
        } else {
          inversions += static_cast<std::int64_t>(middle - i);
          merged[k] = v[j++];
        }
      }
    }
    v.swap(merged);
  }
  return inversions;
}
/// Pairs of neighbours' runs: Σ n(n−1)/2 over runs of elements that `same` joins.
template <class Same>
[[nodiscard]] auto tied_pairs(std::size_t size, Same const& same) -> std::int64_t {
  std::int64_t pairs = 0, run = 0;
  for (std::size_t i = 0; i < size; ++i) pairs += run = i > 0 && same(i - 1, i) ? run + 1 : 0;
  return pairs;
}
} // namespace detail

/// How the P = n(n−1)/2 pairs of points are ordered by x and by y.
struct pair_orders {
  std::int64_t concordant{}; ///< alike
  std::int64_t discordant{}; ///< the other way round
  std::int64_t x_differs{};  ///< P − ties in x
  std::int64_t y_differs{};

  /// Of the pairs that differ in both the share that is ordered the other way round; none if none does.
  template <deferred = when_called>
  [[nodiscard]] auto discordant_share() const -> std::optional<double> {
    auto const ordered = concordant + discordant;
    if (ordered == 0) return std::nullopt;
    return static_cast<double>(discordant) / static_cast<double>(ordered);
  }
};
/// Precondition: of one length. O(n log n). Source: Knight, "A computer method for calculating Kendall's
/// tau with ungrouped data", JASA 1966.
template <deferred = when_called>
[[nodiscard]] auto count_pair_orders(std::span<double const> x, std::span<double const> y)
    -> pair_orders {
  assert(x.size() == y.size());
  auto const n = x.size();
  std::vector<std::pair<double, double>> points(n);
  for (std::size_t i = 0; i < n; ++i) points[i] = {x[i], y[i]};
  std::sort(points.begin(), points.end());
  auto const count = static_cast<std::int64_t>(n);
  auto const pairs = count * (count - 1) / 2;
  auto const in_x = detail::tied_pairs(
      n, [&](std::size_t a, std::size_t b) { return points[a].first == points[b].first; });
  auto const in_both =
      detail::tied_pairs(n, [&](std::size_t a, std::size_t b) { return points[a] == points[b]; });
  std::vector<double> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = points[i].second;
  auto const discordant = detail::sort_counting_inversions(v);
  auto const in_y =
      detail::tied_pairs(n, [&](std::size_t a, std::size_t b) { return v[a] == v[b]; });
  return {.concordant = pairs - in_x - in_y + in_both - discordant,
          .discordant = discordant,
          .x_differs = pairs - in_x,
          .y_differs = pairs - in_y};
}

/// Kendall's τ_b = (concordant − discordant) / √((P − ties in x)(P − ties in y)), in [−1, 1]. Pairs tied
/// on both sides lower neither end; pairs tied on one side only keep it away from both, however well
/// the others agree. None if all of x or all of y is equal (n < 2 included).
/// Precondition: of one length. O(n log n).
template <deferred = when_called>
[[nodiscard]] auto kendall_tau_b(std::span<double const> x, std::span<double const> y)
    -> std::optional<double> {
  auto const p = count_pair_orders(x, y);
  if (p.x_differs == 0 || p.y_differs == 0) return std::nullopt;
  // One root: that of a square is exact, so full agreement is 1 to the bit.
  return static_cast<double>(p.concordant - p.discordant) /
         std::sqrt(static_cast<double>(p.x_differs) * static_cast<double>(p.y_differs));
}

/// Pearson's correlation; none if x or y does not vary (n < 2 included). Precondition: of one length.
template <deferred = when_called>
[[nodiscard]] auto pearson(std::span<double const> x, std::span<double const> y)
    -> std::optional<double> {
  assert(x.size() == y.size());
  // Exactly: a mean has rounding errors, and equal numbers would differ from theirs.
  auto const varies = [](std::span<double const> v) {
    return std::any_of(v.begin(), v.end(), [&](double z) { return z != v.front(); });
  };
  if (!varies(x) || !varies(y)) return std::nullopt;
  auto const n = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0;
  for (auto const v : x) mean_x += v / n;
  for (auto const v : y) mean_y += v / n;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (!(xx > 0) || !(yy > 0)) return std::nullopt;
  return xy / (std::sqrt(xx) * std::sqrt(yy));
}
/// Spearman's ρ: Pearson's of the mid-ranks.
template <deferred = when_called>
[[nodiscard]] auto spearman(std::span<double const> x, std::span<double const> y)
    -> std::optional<double> {
  auto const a = mid_ranks(x), b = mid_ranks(y);
  return pearson(a, b);
}

/// Do two quantities rank things alike?
struct rank_correlation {
  std::size_t n{};
  std::optional<double> tau_b{};
  std::optional<double> rho{}; ///< Spearman's
};
template <deferred = when_called>
[[nodiscard]] auto correlate_ranks(std::span<double const> x, std::span<double const> y)
    -> rank_correlation {
  return {x.size(), kendall_tau_b(x, y), spearman(x, y)};
}

/// How well predictions agree with what was measured.
struct agreement {
  std::size_t n{};
  double mape{std::numeric_limits<double>::quiet_NaN()};   ///< mean of |p − m| / m
  double median{std::numeric_limits<double>::quiet_NaN()}; ///< of the same
  double worst{std::numeric_limits<double>::quiet_NaN()};
  double within_10{std::numeric_limits<double>::quiet_NaN()}; ///< share of errors ≤ 10 %
  std::optional<double> tau_b{};
  std::optional<double> rho{};
};
/// Preconditions: of one length; what was measured is positive. NaN where there is nothing.
template <deferred = when_called>
[[nodiscard]] auto agreement_of(std::span<double const> predicted, std::span<double const> measured)
    -> agreement {
  assert(predicted.size() == measured.size());
  agreement a{.n = measured.size()};
  if (a.n == 0) return a;
  std::vector<double> errors(a.n);
  double sum = 0, within = 0;
  for (std::size_t i = 0; i < a.n; ++i) {
    assert(measured[i] > 0);
    errors[i] = std::abs(predicted[i] - measured[i]) / measured[i];
    sum += errors[i];
    within += errors[i] <= 0.1 ? 1 : 0;
  }
  auto const n = static_cast<double>(a.n);
  a.mape = sum / n;
  a.median = median(errors);
  a.worst = *std::max_element(errors.begin(), errors.end());
  a.within_10 = within / n;
  a.tau_b = kendall_tau_b(predicted, measured);
  a.rho = spearman(predicted, measured);
  return a;
}

} // namespace mars
