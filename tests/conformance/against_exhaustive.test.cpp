// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Searches against the oracle, on problems tiny enough to enumerate.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/search_policies.hpp"
#include "support/tiny_problems.hpp"
#include "support/tiny_systems.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace {
using namespace mars;

using mars_test::make_tiny;
using mars_test::wish;

struct tally {
  std::size_t problems{};
  std::size_t feasible{}; ///< that have a feasible assignment
  std::size_t found{};    ///< of these, by the search
  std::size_t optimal{};  ///< of these, as good as the oracle's
};

template <class O>
auto compare_genetic(std::uint64_t seed, std::uint64_t trials, O const& objective, wish w = {})
    -> tally {
  tally t;
  for (std::uint64_t i = 0; i < trials; ++i) {
    CAPTURE(seed, i);
    auto const e = make_tiny(seed, i, objective, w);
    if (!e) continue;
    auto const found = search::two_level_genetic{.seed = i}(e->problem, {});
    CHECK_FALSE(found.value < e->best.value);
    ++t.problems;
    if (!e->best.value.feasible()) continue;
    CHECK(found.bound.value <= e->best.value.value);
    ++t.feasible;
    t.found += found.value.feasible();
    t.optimal += found.value == e->best.value;
  }
  return t;
}

} // namespace

TEST_CASE("no search beats the oracle, no bound lies above it") {
  std::size_t compared = 0;
  for (std::uint64_t i = 0; i < 120; ++i) {
    CAPTURE(i);
    auto const e = make_tiny(5000, i, objective::latency{}, {.short_of_memory = i % 2 == 0});
    if (!e) continue;
    ++compared;
    CHECK(e->best.exhausted);
    if (e->best.value.feasible()) {
      CHECK(e->best.bound.value == e->best.value.value);
      CHECK(static_bound(e->problem).value <= e->best.value.value);
    }
    for (auto const& policy : mars_test::every_search()) {
      if (policy.name() == "genetic") continue; // below
      CAPTURE(policy.name());
      search_context const few{.budget = {.evaluations = 300}};
      auto const found = policy(e->problem, few);
      CHECK_FALSE(found.value < e->best.value);
      if (e->best.value.feasible()) CHECK(found.bound.value <= e->best.value.value);
      if (!found.exhausted) continue;
      CHECK(found.value.feasible() == e->best.value.feasible());
      if (found.value.feasible()) CHECK(found.value == e->best.value);
    }
  }
  CHECK(compared >= 40);
}

TEST_CASE("the oracle covers the space: every random assignment is one it has seen") {
  for (std::uint64_t i = 0; i < 60; ++i) {
    CAPTURE(i);
    auto const e = make_tiny(5001, i, objective::throughput{}, {.short_of_memory = i % 3 == 0});
    if (!e) continue;
    random_stream r{5002, i};
    for (int k = 0; k < 200; ++k)
      CHECK_FALSE(e->problem.evaluate(mars_test::random_assignment(e->problem, r)) < e->best.value);
  }
}

TEST_CASE("the oracle counts each assignment once") {
  // Two accelerators, each alone or both together; one design; every operator has as many choices on
  // a set as its strategy proposes there.
  auto const s = mars_test::connected_system(2, bytes_per_second{1e9});
  builder b{"two"};
  auto const x = b.input("x", {8, 8});
  b.output(b.relu(b.relu(x)));
  auto const g = std::move(b).build().value();
  auto const p = mars_test::make_problem(g, s);
  REQUIRE(p.sets().size() == 3); // {0, 1}, {0}, {1}
  auto const both = p.shardings(0, 0).size();
  auto const alone = p.shardings(0, 1).size();
  // One slot: both operators on the pair, or on the first, or on the second. Two slots: {0} then {1},
  // {1} then {0}.
  auto const expected = both * both + 4 * alone * alone;
  CHECK(search::exhaustive{}(p, {}).evaluations == expected);
}

TEST_CASE("the genetic search finds the optimum of tiny problems: latency") {
  auto const t = compare_genetic(5010, 150, objective::latency{});
  CAPTURE(t.problems, t.feasible, t.found, t.optimal);
  CHECK(t.feasible >= 60);
  CHECK(t.found == t.feasible);
  CHECK(t.optimal * 100 >= t.feasible * 95);
}
TEST_CASE("the genetic search finds the optimum of tiny problems: throughput") {
  auto const t = compare_genetic(5011, 100, objective::throughput{});
  CAPTURE(t.problems, t.feasible, t.found, t.optimal);
  CHECK(t.feasible >= 40);
  CHECK(t.found == t.feasible);
  CHECK(t.optimal * 100 >= t.feasible * 95);
}
TEST_CASE("the genetic search finds the optimum of tiny problems: energy") {
  auto const t = compare_genetic(5012, 60, objective::energy{}, {.energy = true});
  CAPTURE(t.problems, t.feasible, t.found, t.optimal);
  CHECK(t.feasible >= 20);
  CHECK(t.found == t.feasible);
  CHECK(t.optimal * 100 >= t.feasible * 95);
}
TEST_CASE("where memory is short, the genetic search finds what fits") {
  auto const t = compare_genetic(5013, 150, objective::latency{}, {.short_of_memory = true});
  CAPTURE(t.problems, t.feasible, t.found, t.optimal);
  CHECK(t.feasible >= 15);
  CHECK(t.feasible < t.problems); // some do not fit at all
  CHECK(t.found * 100 >= t.feasible * 95);
  CHECK(t.optimal * 100 >= t.feasible * 85);
}
