// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/search/exact.hpp>
#include <mars/search/two_level_genetic.hpp>

#include <cstddef>
#include <cstdint>

namespace {
using namespace mars;

struct counts {
  std::size_t compared{};
  std::size_t feasible{};
  std::size_t several_slots{}; ///< optimum on more than one set
};

/// Against the oracle, problem by problem.
template <class O>
auto against_enumeration(std::uint64_t seed, std::uint64_t trials, O const& objective,
                         mars_test::wish w) -> counts {
  counts n;
  for (std::uint64_t i = 0; i < trials; ++i) {
    CAPTURE(seed, i);
    auto const e = mars_test::make_tiny(seed, i, objective, w);
    if (!e) continue;
    ++n.compared;
    auto const found = search::exact{}(e->problem, {});
    REQUIRE(found.exhausted);
    REQUIRE(mars_test::is_legal(e->problem, found.best));
    REQUIRE(found.value == e->problem.evaluate(found.best));
    REQUIRE(found.value.feasible() == e->best.value.feasible());
    if (!e->best.value.feasible()) continue;
    ++n.feasible;
    n.several_slots += e->best.best.slots.size() > 1;
    REQUIRE(found.value.value == e->best.value.value);
    REQUIRE(found.bound.value == found.value.value);
  }
  return n;
}

} // namespace

TEST_CASE("exact equals enumeration: latency") {
  auto const n = against_enumeration(7000, 800, objective::latency{}, {});
  CAPTURE(n.compared, n.feasible, n.several_slots);
  CHECK(n.compared >= 400);
  CHECK(n.several_slots >= 10);
}
TEST_CASE("exact equals enumeration: latency where memory is short") {
  auto const n = against_enumeration(7001, 800, objective::latency{}, {.short_of_memory = true});
  CAPTURE(n.compared, n.feasible, n.several_slots);
  CHECK(n.compared >= 400);
  CHECK(n.feasible >= 80);
  CHECK(n.feasible < n.compared);
}
TEST_CASE("exact equals enumeration: energy") {
  auto const n = against_enumeration(7002, 400, objective::energy{}, {.energy = true});
  CAPTURE(n.compared, n.feasible, n.several_slots);
  CHECK(n.feasible >= 80);
}

// Hidden, for it takes half a minute: test_conformance "[long]" -s
TEST_CASE("exact equals enumeration on more than ten thousand problems", "[.][long]") {
  auto const plenty = against_enumeration(8000, 9000, objective::latency{}, {});
  auto const tight =
      against_enumeration(8001, 9000, objective::latency{}, {.short_of_memory = true});
  auto const joules = against_enumeration(8002, 2000, objective::energy{}, {.energy = true});
  auto const compared = plenty.compared + tight.compared + joules.compared;
  WARN(compared << " problems compared");
  CHECK(compared >= 10'000);
}
