// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/parallel/data.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/parallel/longest_dimensions.hpp>
#include <mars/workload/operators.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace {
using namespace mars;

/// n0 k1 y2 x3 | c4 r5 s6 with extents 1 4 4 1 | 2 1 1: only k, y and c can be cut.
auto small() -> operation {
  return ops::conv({1, 2, 4, 1}, {.out_channels = 4, .bias = false}).value();
}
enum : std::uint8_t { n, k, y, x, c, r, s };

auto exclusive(inplace_vector<cut, max_cuts> cuts) -> sharding {
  return {.exclusive = cuts, .shared = {}, .scatter = {}};
}
auto rotated(sharding base, std::uint8_t dim, std::int32_t ways) -> sharding {
  base.shared = cut{dim, ways};
  return base;
}
auto scattered(sharding base, std::uint8_t dim) -> sharding {
  base.scatter = dim;
  return base;
}

template <class Strategy>
auto proposed(Strategy const& strategy, operation const& op, std::size_t ways)
    -> std::vector<sharding> {
  auto const found = strategy.shardings(op, ways);
  for (auto const& f : found) CHECK(check(op, f, ways));
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(std::count(found.begin(), found.end(), found[i]) == 1);
  return found;
}
auto contains(std::vector<sharding> const& all, sharding const& one) -> bool {
  return std::find(all.begin(), all.end(), one) != all.end();
}
} // namespace

TEST_CASE("exclusive shards of a small convolution on four devices, by hand") {
  // 4 = 4 or 2·2, in every order: c has only two ways, k and y have four.
  std::vector<sharding> const expected{
      exclusive({{k, 4}}),         exclusive({{k, 2}, {y, 2}}), exclusive({{k, 2}, {c, 2}}),
      exclusive({{y, 4}}),         exclusive({{y, 2}, {k, 2}}), exclusive({{y, 2}, {c, 2}}),
      exclusive({{c, 2}, {k, 2}}), exclusive({{c, 2}, {y, 2}}), {}};
  parallel::exclusive_shared const strategy{.max_shared = 0, .scatter_partial_sums = false};
  CHECK(proposed(strategy, small(), 4) == expected);
}

TEST_CASE("scattered partial sums and rotations of the same, by hand") {
  auto const found = proposed(parallel::exclusive_shared{}, small(), 4);
  // The four that cut c may scatter over k or y.
  for (auto const& e : {exclusive({{k, 2}, {c, 2}}), exclusive({{c, 2}, {k, 2}}),
                        exclusive({{y, 2}, {c, 2}}), exclusive({{c, 2}, {y, 2}})}) {
    CHECK(contains(found, scattered(e, k)));
    CHECK(contains(found, scattered(e, y)));
    CHECK_FALSE(contains(found, scattered(e, n)));
  }
  std::vector<sharding> rotations;
  for (auto const& f : found)
    if (f.shared) rotations.push_back(f);
  std::vector<sharding> expected;
  // k:4 leaves the input alike on all: it turns along y (c is too short for four parts).
  expected.push_back(rotated(exclusive({{k, 4}}), y, 4));
  // y:4 leaves the weights alike on all: they turn along k.
  expected.push_back(rotated(exclusive({{y, 4}}), k, 4));
  // k:2 y:2: weights on pairs (along k or c), the input on pairs (along y; along c weights first).
  for (auto const& e : {exclusive({{k, 2}, {y, 2}}), exclusive({{y, 2}, {k, 2}})})
    for (auto const d : {k, y, c}) expected.push_back(rotated(e, d, 2));
  // k:2 c:2, all-reduced or scattered either way: the input on pairs, along y.
  // y:2 c:2: the weights on pairs, along k.
  for (auto const& [e, d] :
       {std::pair{exclusive({{k, 2}, {c, 2}}), y}, std::pair{exclusive({{c, 2}, {k, 2}}), y},
        std::pair{exclusive({{y, 2}, {c, 2}}), k}, std::pair{exclusive({{c, 2}, {y, 2}}), k}})
    for (auto const& base : {e, scattered(e, k), scattered(e, y)})
      expected.push_back(rotated(base, d, 2));
  CHECK(rotations.size() == expected.size());
  for (auto const& e : expected) CHECK(contains(rotations, e));
  CHECK(found.size() == 8 + 8 + expected.size() + 1);
}

TEST_CASE("the limits of the strategy are its members") {
  using parallel::exclusive_shared;
  auto const op = small();
  CHECK(proposed(exclusive_shared{}, op, 4).size() == 37);
  CHECK(proposed(exclusive_shared{.max_exclusive = 0}, op, 4) == std::vector<sharding>{{}});
  // k:4, y:4 and what turns under them.
  CHECK(proposed(exclusive_shared{.max_exclusive = 1}, op, 4).size() == 5);
  CHECK(proposed(exclusive_shared{.max_shared = 0}, op, 4).size() == 17);
  CHECK(proposed(exclusive_shared{.scatter_partial_sums = false}, op, 4).size() == 21);
  CHECK(proposed(exclusive_shared{.replicate = false}, op, 4).size() == 36);
  CHECK(proposed(exclusive_shared{.limit = 3}, op, 4) ==
        std::vector<sharding>{exclusive({{k, 4}}), exclusive({{k, 2}, {y, 2}}),
                              exclusive({{k, 2}, {c, 2}})});
  CHECK(proposed(exclusive_shared{.limit = 0}, op, 4).size() == 1);
  CHECK(proposed(exclusive_shared{.max_exclusive = 99}, op, 4).size() == 37);
  CHECK(proposed(exclusive_shared{}, op, 1) == std::vector<sharding>{{}});

  // Three cuts need three allowed.
  auto const triple = exclusive({{k, 2}, {y, 2}, {c, 2}});
  CHECK_FALSE(contains(proposed(exclusive_shared{}, op, 8), triple));
  CHECK(contains(proposed(exclusive_shared{.max_exclusive = 3}, op, 8), triple));
}

TEST_CASE("kernels are cut on request only") {
  auto const op =
      ops::conv({1, 1, 3, 1}, {.out_channels = 1, .kernel = {3, 1}, .padding = {1, 0}}).value();
  auto const rows_of_kernel = exclusive({{r, 3}});
  CHECK_FALSE(contains(proposed(parallel::exclusive_shared{}, op, 3), rows_of_kernel));
  CHECK(contains(proposed(parallel::exclusive_shared{.cut_kernels = true}, op, 3), rows_of_kernel));
}

TEST_CASE("an operator too small for the set uses the largest divisor it has room for") {
  auto const op = ops::elementwise({{4}}, "Relu", 1).value();
  // Twelve devices: 12 and 6 do not fit an extent of 4; four shards, three replicas each.
  auto const found = proposed(parallel::exclusive_shared{.max_shared = 0}, op, 12);
  CHECK(found == std::vector<sharding>{exclusive({{0, 4}}), {}});
  CHECK(proposed(parallel::exclusive_shared{}, op, 7) == std::vector<sharding>{{}});
  auto const scalar = ops::elementwise({{1}}, "Relu", 1).value();
  CHECK(proposed(parallel::exclusive_shared{.replicate = false}, scalar, 4) ==
        std::vector<sharding>{{}});
}

TEST_CASE("seeds favour the longest dimensions, and plain shards") {
  auto const op = ops::conv({1, 16, 8, 8}, {.out_channels = 64, .bias = false}).value();
  parallel::exclusive_shared const strategy;
  auto const prior = [&](sharding const& f) { return strategy.prior(op, f); };
  CHECK(prior({}) == 0);
  CHECK(prior(exclusive({{k, 4}})) == 1);
  CHECK(prior(exclusive({{c, 4}})) == mars_test::approx(0.25));
  CHECK(prior(exclusive({{k, 4}})) > prior(exclusive({{k, 2}, {c, 2}})));
  CHECK(prior(exclusive({{k, 2}, {c, 2}})) > prior(exclusive({{y, 2}, {x, 2}})));
  CHECK(prior(rotated(exclusive({{k, 4}}), y, 4)) < prior(exclusive({{k, 4}})));
}

TEST_CASE("data parallelism cuts the batch and nothing else") {
  auto const batch_of = [](std::int64_t size) {
    return ops::conv({size, 2, 4, 4}, {.out_channels = 4}).value();
  };
  parallel::data const strategy;
  CHECK(proposed(strategy, batch_of(8), 4) == std::vector<sharding>{exclusive({{n, 4}})});
  CHECK(proposed(strategy, batch_of(6), 4) == std::vector<sharding>{exclusive({{n, 4}})});
  CHECK(proposed(strategy, batch_of(3), 4) == std::vector<sharding>{exclusive({{n, 2}})});
  CHECK(proposed(strategy, batch_of(1), 4) == std::vector<sharding>{{}});
  CHECK(proposed(strategy, batch_of(8), 1) == std::vector<sharding>{{}});
  // The `n` of a matrix product is a feature, and other tensors may have no batch at all.
  auto const product = ops::linear({8, 16}, 32).value();
  CHECK(proposed(strategy, product, 4) == std::vector<sharding>{{}});
  CHECK(proposed(parallel::data{.dim = "d0"}, ops::softmax({8, 4}).value(), 4) ==
        std::vector<sharding>{exclusive({{0, 4}})});
}

TEST_CASE("the written baseline cuts the two longest of Cout, Cin, H, W") {
  parallel::longest_dimensions const strategy;
  auto const of = [&](std::int64_t out, std::int64_t in, std::int64_t h, std::int64_t w,
                      std::size_t ways) {
    return proposed(strategy, ops::conv({1, in, h, w}, {.out_channels = out}).value(), ways);
  };
  using one = std::vector<sharding>;
  CHECK(of(64, 32, 16, 8, 4) == one{exclusive({{k, 2}, {c, 2}})});
  CHECK(of(8, 16, 32, 64, 8) == one{exclusive({{x, 4}, {y, 2}})});
  CHECK(of(8, 8, 8, 8, 4) == one{exclusive({{k, 2}, {c, 2}})}); // ties in the order named
  CHECK(of(64, 3, 112, 112, 2) == one{exclusive({{y, 2}})});
  CHECK(of(64, 32, 1, 1, 6) == one{exclusive({{k, 3}, {c, 2}})});
  CHECK(of(2, 1, 1, 1, 8) == one{{}});                      // too short for four ways
  auto const product = ops::linear({16, 64}, 1000).value(); // m n | k
  CHECK(proposed(strategy, product, 4) == one{exclusive({{1, 2}, {2, 2}})});
}
