// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/evaluation/delta_evaluator.hpp>

#include <cstddef>
#include <cstdint>

using namespace mars;

namespace {

/// Random moves of every kind; after each the full evaluator has the last word.
template <class O>
void walk(std::uint64_t seed, std::uint64_t index, O const& objective, int moves) {
  CAPTURE(seed, index);
  random_stream r{seed, index};
  auto const g = mars_test::random_network(r, 3 + r.below(8));
  auto system = mars_test::random_system(r, 6);
  auto problem = mars_test::make_problem(g, system, parallel::exclusive_shared{}, objective);
  // Half of them short of memory: about what a random assignment needs.
  if (r.chance(0.5)) {
    auto const peaks = problem.peak_bytes(mars_test::random_assignment(problem, r));
    for (auto& a : system.accelerators)
      a.capacity = bytes{
          static_cast<std::int64_t>((0.7 + r.uniform()) * static_cast<double>(peaks.front()))};
    problem = mars_test::make_problem(g, system, parallel::exclusive_shared{}, objective);
  }
  delta_evaluator delta{problem, mars_test::random_assignment(problem, r)};
  for (int move = 0; move < moves; ++move) {
    CAPTURE(move);
    auto const& a = delta.current();
    auto const v = r.below(problem.size());
    switch (r.below(4)) {
    case 0: {
      auto const s = r.below(a.slots.size());
      auto const set = a.slots[s].set;
      delta.set_design(s, static_cast<std::uint32_t>(r.below(problem.designs(set).size())));
      break;
    }
    case 1: {
      auto const s = r.below(a.slots.size());
      delta.place(v, s, r.below(problem.shardings(v, a.slots[s].set).size()));
      break;
    }
    default: {
      auto const c = r.below(problem.shardings(v, a.slots[a.slot_of[v]].set).size());
      auto const promised = delta.try_choice(v, c);
      delta.set_choice(v, c);
      REQUIRE(delta.sum() == promised);
      break;
    }
    }
    if (r.chance(0.7)) REQUIRE(delta.value() == problem.evaluate(delta.current()));
  }
  REQUIRE(delta.value() == problem.evaluate(delta.current()));
}

} // namespace

TEST_CASE("delta evaluation equals the full one, move by move: latency") {
  for (std::uint64_t i = 0; i < 60; ++i) walk(6000, i, objective::latency{}, 60);
}
TEST_CASE("delta evaluation equals the full one, move by move: throughput") {
  for (std::uint64_t i = 0; i < 60; ++i) walk(6001, i, objective::throughput{}, 60);
}
