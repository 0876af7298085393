// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/random_operations.hpp"

#include <mars/core/random.hpp>
#include <mars/parallel/concept.hpp>
#include <mars/parallel/iteration_splits.hpp>
#include <mars/workload/operators.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace {
using namespace mars;
using ways_of_dims = std::vector<std::array<std::int32_t, 3>>;

static_assert(ParallelismStrategy<parallel::iteration_splits>);

/// x [m, k] · w [n, k]: dimensions m, n, k in this order.
auto product(std::int64_t m, std::int64_t n, std::int64_t k) -> operation {
  return ops::linear({m, k}, n, false).value();
}
auto splits(parallel::iteration_splits const& strategy, operation const& op, std::size_t devices)
    -> ways_of_dims {
  ways_of_dims found;
  for (auto const& s : strategy.shardings(op, devices)) {
    CHECK(!s.shared);
    CHECK(!s.scatter);
    CHECK(check(op, s, strategy.idle ? static_cast<std::size_t>(shard_count(s)) : devices));
    found.push_back({ways_along(s, 0), ways_along(s, 1), ways_along(s, 2)});
  }
  return found;
}
} // namespace

TEST_CASE("all splits of a matrix product 4 x 2 x 3, by hand") {
  auto const op = product(4, 2, 3);
  // m: 1 2 4, n: 1 2, k: 1 3.
  CHECK(splits({}, op, 4) == ways_of_dims{{2, 2, 1}, {4, 1, 1}, {1, 2, 1}, {2, 1, 1}, {1, 1, 1}});
  CHECK(splits({.idle = true}, op, 4) ==
        ways_of_dims{{2, 2, 1}, {4, 1, 1}, {1, 1, 3}, {1, 2, 1}, {2, 1, 1}, {1, 1, 1}});
  CHECK(splits({}, op, 6) ==
        ways_of_dims{{1, 2, 3}, {2, 1, 3}, {1, 1, 3}, {1, 2, 1}, {2, 1, 1}, {1, 1, 1}});
  // Uneven: k also into 2, m into 3 where that divides the set.
  CHECK(
      splits({.uneven = true}, op, 4) ==
      ways_of_dims{
          {1, 2, 2}, {2, 1, 2}, {2, 2, 1}, {4, 1, 1}, {1, 1, 2}, {1, 2, 1}, {2, 1, 1}, {1, 1, 1}});
  CHECK(splits({}, op, 1) == ways_of_dims{{1, 1, 1}});
}

TEST_CASE("splits can be kept from short shards and from dimensions") {
  auto const op = product(8, 8, 8);
  CHECK(splits({.least_extent = 4}, op, 4) ==
        ways_of_dims{{1, 2, 2}, {2, 1, 2}, {2, 2, 1}, {1, 1, 2}, {1, 2, 1}, {2, 1, 1}, {1, 1, 1}});
  parallel::iteration_splits const parallel_only{.may_cut = [](operation const& o, std::size_t d) {
    return o.dims[d].kind == dim_kind::parallel;
  }};
  CHECK(splits(parallel_only, op, 4) ==
        ways_of_dims{{1, 4, 1}, {2, 2, 1}, {4, 1, 1}, {1, 2, 1}, {2, 1, 1}, {1, 1, 1}});
}

TEST_CASE("a convolution of seven long dimensions has all C(7 + 6, 6) splits on 64 devices") {
  auto const op =
      ops::conv({64, 64, 127, 127}, {.out_channels = 64, .kernel = {64, 64}, .bias = false})
          .value();
  auto const found = parallel::iteration_splits{}.shardings(op, 64);
  CHECK(found.size() == 1716);
  CHECK(std::count_if(found.begin(), found.end(),
                      [](sharding const& s) { return s.exclusive.size() == 6; }) == 7);
}

TEST_CASE("every split of random operators is legal, and none comes twice") {
  for (std::uint64_t i = 0; i < 200; ++i) {
    random_stream r{5, i};
    mars_test::operation_generator any{random_stream{6, i}};
    auto const op = any(i % mars_test::operation_generator::families);
    auto const devices = 1 + r.below(12);
    for (bool const uneven : {false, true}) {
      auto const found = parallel::iteration_splits{.uneven = uneven}.shardings(op, devices);
      REQUIRE(!found.empty());
      CHECK(found.back() == sharding{});
      for (std::size_t a = 0; a < found.size(); ++a) {
        CHECK(check(op, found[a], devices));
        CHECK(std::find(found.begin() + static_cast<std::ptrdiff_t>(a) + 1, found.end(),
                        found[a]) == found.end());
      }
    }
  }
}
