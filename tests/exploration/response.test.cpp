// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/cost/break_even.hpp>
#include <mars/exploration/pareto.hpp>
#include <mars/exploration/response.hpp>
#include <mars/exploration/variance.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

using namespace mars;
using mars_test::approx;
namespace ex = mars::exploration;

namespace {

constexpr double hole = std::numeric_limits<double>::quiet_NaN();

auto table(std::vector<std::size_t> extents, std::vector<double> const& values) -> ex::response {
  ex::response r{std::move(extents)};
  REQUIRE(r.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) r[i] = values[i];
  return r;
}
auto value_of(std::vector<ex::sum_of_squares> const& all, std::uint32_t axes) -> double {
  for (auto const& s : all)
    if (s.axes == axes) return s.value;
  return -1;
}
/// Cells of the largest complete block, over all choices of elements.
auto largest_by_brute_force(ex::response const& r) -> std::size_t {
  std::size_t best = 0, bits = 0;
  for (auto const e : r.extents()) bits += e;
  for (std::size_t chosen = 0; chosen < std::size_t{1} << bits; ++chosen) {
    std::size_t cells = 0;
    bool complete = true;
    for (std::size_t i = 0; i < r.size() && complete; ++i) {
      auto const at = r.coordinate_of(i);
      std::size_t first = 0;
      bool in = true;
      for (std::size_t a = 0; a < at.size(); ++a) {
        in = in && (chosen >> (first + at[a]) & 1U) != 0;
        first += r.extents()[a];
      }
      cells += in ? 1 : 0;
      complete = !in || r.has(i);
    }
    if (complete && cells > best) best = cells;
  }
  return best;
}

} // namespace

TEST_CASE("an effect is a difference, an interaction the difference of two") {
  auto const r = table({2, 3}, {1, 2, 4, 3, 7, hole});
  CHECK(ex::effect_of(r, {0, 0}, 1, 2) == 3.0);
  CHECK(ex::effect_of(r, {1, 1}, 0, 0) == -5.0);
  CHECK(!ex::effect_of(r, {0, 2}, 0, 1));
  CHECK(ex::interaction_of(r, {0, 0}, 0, 1, 1, 1) == 3.0); // 7 − 3 − 2 + 1
  CHECK(!ex::interaction_of(r, {0, 0}, 0, 1, 1, 2));
}

TEST_CASE("variance of a complete table splits without rest") {
  // Rows 1, 3 (means 2 and 6), columns 2 (3, 5): mean 4; cells 1 3 / 5 7: no interaction.
  auto const plain = ex::split_variance(table({2, 2}, {1, 3, 5, 7}));
  CHECK(value_of(plain, 0) == approx(20));
  CHECK(value_of(plain, 1) == approx(16)); // 4 · 2²
  CHECK(value_of(plain, 2) == approx(4));  // 4 · 1²
  CHECK(value_of(plain, 3) == approx(0).margin(1e-12));
  // Exclusive or: nothing but interaction. An axis of one element is not there.
  auto const mixed = ex::split_variance(table({2, 1, 2}, {1, -1, -1, 1}));
  CHECK(mixed.size() == 4);
  CHECK(value_of(mixed, 5) == approx(4));
  CHECK(value_of(mixed, 1) == approx(0).margin(1e-12));

  random_stream random{7};
  ex::response r{{3, 2, 4, 2}};
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = random.uniform();
  auto const all = ex::split_variance(r);
  CHECK(all.size() == 16);
  double sum = 0;
  for (std::size_t i = 1; i < all.size(); ++i) sum += all[i].value;
  CHECK(sum == approx(all.front().value).epsilon(1e-12));
}

TEST_CASE("with holes, an axis is worth what the fit loses without it") {
  // y = 2·row + 5·column exactly; (1, 2) is missing, so sums of squares are not orthogonal.
  auto const r = table({2, 3}, {0, 5, 10, 2, 7, hole});
  auto const all = ex::drop_one_variance(r);
  REQUIRE(all.size() == 3);
  CHECK(value_of(all, 0) == approx(0 + 25 + 100 + 4 + 49 - 24 * 24 / 5.0));
  // Without rows columns are fitted by their means: 1, 6, 10 leave 1 + 1 + 1 + 1.
  CHECK(value_of(all, 1) == approx(4));
  // Without columns rows are fitted by 5 and 4.5: 25 + 0 + 25 and 2 · 6.25.
  CHECK(value_of(all, 2) == approx(62.5));
  // Where nothing is missing the two methods agree.
  auto const full = table({2, 2, 2}, {3, 1, 4, 1, 5, 9, 2, 6});
  auto const split = ex::split_variance(full);
  auto const dropped = ex::drop_one_variance(full);
  for (auto const axes : {0U, 1U, 2U, 4U})
    CHECK(value_of(dropped, axes) == approx(value_of(split, axes)));
}

TEST_CASE("the largest complete block is found") {
  // Two sparse primitives run on two pruned networks of five only.
  ex::response r{{5, 4}};
  for (std::size_t c = 0; c < 5; ++c)
    for (std::size_t p = 0; p < 4; ++p)
      if (p < 2 || c >= 3) r[r.index(std::vector{c, p})] = 1;
  auto const b = ex::largest_complete_block(r);
  CHECK(b == ex::block{{0, 1, 2, 3, 4}, {0, 1}}); // 10 cells; pruned × all are 8

  random_stream random{3};
  for (int round = 0; round < 40; ++round) {
    ex::response any{{4, 3, 3}};
    for (std::size_t i = 0; i < any.size(); ++i)
      if (random.below(100) < 80) any[i] = 1;
    auto const found = ex::largest_complete_block(any);
    auto const part = ex::part_of(any, found);
    for (std::size_t i = 0; i < part.size(); ++i) REQUIRE(part.has(i));
    CHECK(part.size() == largest_by_brute_force(any));
  }
}

TEST_CASE("a front holds what nothing beats, equals included") {
  using points = std::vector<std::vector<double>>;
  CHECK(ex::pareto_front_of(points{{1, 5}, {2, 2}, {3, 3}, {2, 2}, {5, 1}, {5, 5}, {1, 6}}) ==
        std::vector<std::size_t>{0, 1, 3, 4});
  CHECK(ex::pareto_front_of(points{}).empty());
  random_stream random{11};
  points all;
  for (int i = 0; i < 200; ++i)
    all.push_back({std::floor(random.uniform() * 9), std::floor(random.uniform() * 9),
                   std::floor(random.uniform() * 9)});
  std::vector<std::size_t> slow;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bool beaten = false;
    for (auto const& other : all)
      beaten = beaten || (other != all[i] && other[0] <= all[i][0] && other[1] <= all[i][1] &&
                          other[2] <= all[i][2]);
    if (!beaten) slow.push_back(i);
  }
  CHECK(ex::pareto_front_of(all) == slow);
}

TEST_CASE("break-even lies on the line between the levels around it") {
  std::vector<mars::cost::sparsity_point> const p{
      {0.9, seconds{1}}, {0.5, seconds{5}}, {0.7, seconds{3}}}; // in any order
  CHECK(*mars::cost::break_even_of(p, seconds{2}) == approx(0.8));
  CHECK(*mars::cost::break_even_of(p, seconds{3}) == approx(0.7));
  CHECK(*mars::cost::break_even_of(p, seconds{9}) == approx(0.5)); // ahead everywhere
  CHECK(!mars::cost::break_even_of(p, seconds{0.5}));
  CHECK(!mars::cost::break_even_of(std::vector<mars::cost::sparsity_point>{}, seconds{1}));
  // Noise that crosses twice: from the last crossing on.
  std::vector<mars::cost::sparsity_point> const twice{
      {0.1, seconds{1}}, {0.2, seconds{3}}, {0.3, seconds{1}}};
  CHECK(*mars::cost::break_even_of(twice, seconds{2}) == approx(0.25));
}
