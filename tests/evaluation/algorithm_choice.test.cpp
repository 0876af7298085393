// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Algorithms and formats as choices: tables against the full evaluator and the validator, which share
// no code with them but the arithmetic of one reorder, and prices worked out by hand.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"
#include "support/toy_processor.hpp"

#include <mars/mapping/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace {
using namespace mars;
using mars_test::toy_processor;

/// Toys on some accelerators, of one kind or two, and designs without algorithms on others.
auto random_toy_system(random_stream& r) {
  auto s = mars_test::random_system(r, 6, false);
  auto const first = mars_test::random_toy(r);
  auto const second = r.chance(0.5) ? first : mars_test::random_toy(r);
  auto const adaptive = mars_test::random_toy(r, "other toy");
  for (std::size_t i = 0; i < s.accelerators.size(); ++i) {
    auto& designs = s.accelerators[i].configurations;
    if (r.chance(0.8)) designs = {i % 2 == 0 ? first : second};
    if (r.chance(0.3)) designs.insert(designs.begin(), adaptive);
  }
  return s;
}

template <class O>
void compare_many(std::uint64_t seed, std::uint64_t trials, O const& objective) {
  std::size_t feasible = 0, rewritten = 0;
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    CAPTURE(seed, trial);
    random_stream r{seed, trial};
    auto const g = mars_test::random_network(r, 2 + r.below(7));
    auto const s = random_toy_system(r);
    auto const p = mars_test::make_problem(g, s, parallel::exclusive_shared{}, objective);
    for (int k = 0; k < 4; ++k) {
      auto const a = mars_test::random_assignment(p, r);
      auto const m = p.decode(a);
      auto const priced = evaluate(g, s, m, cost::analytical{}, collective::standard{});
      REQUIRE(priced);
      auto const value = p.evaluate(a);
      // A choice is one of one design: with another design of its set it cannot run, though that one may
      // list an algorithm of the same name.
      if (value.value >= no_ticks) continue;
      CHECK(value.value == objective(*priced));
      CHECK(value.feasible() == priced->feasible());
      CHECK(p.encode(m) == a);
      auto const peaks = p.peak_bytes(a);
      for (std::size_t i = 0; i < a.slots.size(); ++i)
        for (auto const x : p.sets()[a.slots[i].set].accelerators)
          CHECK(priced->memory[x.index()].peak.count() == peaks[i]);
      feasible += value.feasible();
      for (auto const& o : priced->operators) rewritten += o.reorders > picoseconds{};
    }
  }
  CHECK(feasible > trials / 10);
  CHECK(rewritten > trials);
}

} // namespace

TEST_CASE("tables with algorithms equal the evaluator to the picosecond: latency") {
  compare_many(601, 120, objective::latency{});
}
TEST_CASE("tables with algorithms equal the evaluator to the picosecond: throughput") {
  compare_many(602, 60, objective::throughput{});
}
