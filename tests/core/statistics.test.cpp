// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/core/statistics.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

using mars_test::approx;
using numbers = std::vector<double>;

namespace {

/// By the definition, pair by pair.
auto tau_b_by_pairs(numbers const& x, numbers const& y) -> double {
  double agree = 0, x_differs = 0, y_differs = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      auto const a = (x[i] > x[j]) - (x[i] < x[j]);
      auto const b = (y[i] > y[j]) - (y[i] < y[j]);
      agree += a * b;
      x_differs += a * a;
      y_differs += b * b;
    }
  return agree / std::sqrt(x_differs * y_differs);
}

} // namespace

TEST_CASE("statistics: quantiles interpolate between order statistics", "[core]") {
  numbers const v{40, 10, 30, 20};
  CHECK(mars::quantile(v, 0) == 10);
  CHECK(mars::quantile(v, 1) == 40);
  CHECK(mars::quantile(v, 0.1) == approx(13).epsilon(1e-12)); // 0.3 of the way from 10 to 20
  CHECK(mars::median(v) == 25);
  CHECK(mars::median(numbers{7}) == 7);
  CHECK(mars::median(numbers{1, 2, 100}) == 2);
  constexpr auto infinite = std::numeric_limits<double>::infinity();
  CHECK(mars::quantile(numbers{infinite, infinite, 1}, 0.75) == infinite);
}

TEST_CASE("statistics: equal values share their mean rank", "[core]") {
  CHECK(mars::mid_ranks(numbers{30, 10, 30, 20, 30}) == numbers{4, 1, 4, 2, 4});
  CHECK(mars::mid_ranks(numbers{5, 5}) == numbers{1.5, 1.5});
  CHECK(mars::mid_ranks(numbers{}).empty());
}

// scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]) of its documentation: −0.4714045207910316.
// By hand: of ten pairs two are ties in x and one in y; discordant − concordant is 4: −4 / √(8·9).
TEST_CASE("statistics: tau-b counts ties as SciPy does", "[core]") {
  CHECK(mars::kendall_tau_b(numbers{12, 2, 1, 12, 2}, numbers{1, 4, 7, 1, 0}).value() ==
        approx(-0.4714045207910316).epsilon(1e-14));
  CHECK(mars::kendall_tau_b(numbers{1, 2, 3}, numbers{10, 20, 30}) == 1.0);
  CHECK(mars::kendall_tau_b(numbers{1, 2, 3}, numbers{30, 20, 10}) == -1.0);
  // Tied alike in both: still in full agreement; tau-a would say 2/3.
  CHECK(mars::kendall_tau_b(numbers{1, 1, 2}, numbers{5, 5, 6}).value() ==
        approx(1).epsilon(1e-14));
  // Tied in x only: all ordered pairs agree, and still not 1.
  CHECK(mars::kendall_tau_b(numbers{1, 1, 2}, numbers{5, 6, 7}).value() ==
        approx(2 / std::sqrt(6.0)).epsilon(1e-14));
  CHECK(mars::count_pair_orders(numbers{1, 1, 2}, numbers{5, 6, 7}).discordant_share() == 0.0);
  CHECK(mars::count_pair_orders(numbers{1, 2, 3}, numbers{4, 3, 2}).discordant_share() == 1.0);
  CHECK(mars::count_pair_orders(numbers{1, 2, 3}, numbers{1, 3, 2}).discordant_share().value() ==
        approx(1 / 3.0).epsilon(1e-14));
  CHECK_FALSE(mars::count_pair_orders(numbers{1, 1}, numbers{1, 2}).discordant_share());
  CHECK_FALSE(mars::kendall_tau_b(numbers{1, 1}, numbers{1, 2}));
  CHECK_FALSE(mars::kendall_tau_b(numbers{1}, numbers{1}));
  CHECK_FALSE(mars::kendall_tau_b(numbers{}, numbers{}));
}

TEST_CASE("statistics: tau-b equals its definition on random data with ties", "[core]") {
  mars::random_stream random{1};
  for (std::size_t n = 2; n < 60; ++n) {
    numbers x(n), y(n);
    for (auto& v : x) v = static_cast<double>(random.below(n / 2 + 2));
    for (auto& v : y) v = static_cast<double>(random.below(n));
    auto const expected = tau_b_by_pairs(x, y);
    auto const found = mars::kendall_tau_b(x, y);
    CHECK(found.has_value() == std::isfinite(expected));
    if (found) CHECK(*found == approx(expected).margin(1e-13));
  }
}

// Spearman 1904's formula without ties: ρ = 1 − 6 Σd² / (n(n² − 1)); d = 0, 1, 1, 1, 1.
TEST_CASE("statistics: Spearman's rho", "[core]") {
  CHECK(mars::spearman(numbers{1, 2, 3, 4, 5}, numbers{1, 3, 2, 600, 40}).value() ==
        approx(1 - 6 * 4.0 / 120).epsilon(1e-14));
  // Monotone, however far from a line.
  CHECK(mars::spearman(numbers{1, 2, 3, 4}, numbers{1, 10, 1e3, 1e9}).value() ==
        approx(1).epsilon(1e-14));
  CHECK_FALSE(mars::spearman(numbers{1, 2}, numbers{3, 3}));
  // Six times a sixth of 0.1 is not 0.1: nothing varies all the same.
  for (std::size_t n = 1; n < 40; ++n) {
    numbers rising(n);
    for (std::size_t i = 0; i < n; ++i) rising[i] = static_cast<double>(i);
    CHECK_FALSE(mars::pearson(rising, numbers(n, 0.1)));
    CHECK_FALSE(mars::pearson(numbers(n, 0.1), rising));
    CHECK_FALSE(mars::spearman(rising, numbers(n, 0.1)));
  }
}

TEST_CASE("statistics: agreement of predictions and measurements", "[core]") {
  auto const a = mars::agreement_of(numbers{11, 18, 300, 4}, numbers{10, 20, 200, 4});
  CHECK(a.n == 4);
  CHECK(a.mape == approx((0.1 + 0.1 + 0.5 + 0) / 4).epsilon(1e-12));
  CHECK(a.median == approx(0.1).epsilon(1e-12));
  CHECK(a.worst == approx(0.5).epsilon(1e-12));
  CHECK(a.within_10 == approx(0.75).epsilon(1e-12));
  CHECK(a.tau_b == 1.0);
  CHECK(mars::agreement_of(numbers{}, numbers{}).n == 0);
  CHECK(std::isnan(mars::agreement_of(numbers{}, numbers{}).mape));
}
