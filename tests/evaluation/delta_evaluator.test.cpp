// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/evaluation/delta_evaluator.hpp>
#include <mars/testing/random_problem.hpp>

#include <cstddef>
#include <cstdint>

using namespace mars;

namespace {

/// One random move of any kind.
void move_once(mapping_problem const& problem, delta_evaluator& delta, random_stream& r) {
  auto const& a = delta.current();
  auto const v = r.below(problem.size());
  auto const s = r.below(a.slots.size());
  auto const any_choice = [&](std::size_t of, std::uint32_t set) {
    return r.below(problem.shardings(of, set).size());
  };
  switch (r.below(8)) {
  case 0: {
    auto const set = a.slots[s].set;
    delta.set_design(s, static_cast<std::uint32_t>(r.below(problem.designs(set).size())));
    break;
  }
  case 1: delta.place(v, s, any_choice(v, a.slots[s].set)); break;
  case 2: {
    auto const last = v + r.below(problem.size() - v) + 1;
    auto const set = a.slots[s].set;
    delta.hand_over(v, last, s, [&](std::size_t u) { return any_choice(u, set); });
    break;
  }
  case 3: { // two slots become one
    auto const t = r.below(a.slots.size());
    auto const set = static_cast<std::uint32_t>(r.below(problem.sets().size()));
    bool fits = s != t;
    for (std::size_t i = 0; i < a.slots.size(); ++i)
      fits = fits && (i == s || i == t || problem.disjoint(a.slots[i].set, set));
    if (fits) delta.merge(s, t, {set, 0}, [&](std::size_t u) { return any_choice(u, set); });
    break;
  }
  case 4: { // one slot becomes two
    auto const left = static_cast<std::uint32_t>(r.below(problem.sets().size()));
    auto const right = static_cast<std::uint32_t>(r.below(problem.sets().size()));
    bool fits = problem.disjoint(left, right);
    for (std::size_t i = 0; i < a.slots.size(); ++i)
      fits = fits && (i == s || (problem.disjoint(a.slots[i].set, left) &&
                                 problem.disjoint(a.slots[i].set, right)));
    if (!fits) break;
    std::vector<bool> goes(problem.size());
    for (std::size_t u = 0; u < goes.size(); ++u) goes[u] = r.chance(0.5);
    delta.split(
        s, {left, 0}, {right, 0}, [&](std::size_t u) { return goes[u]; },
        [&](std::size_t u) { return any_choice(u, goes[u] ? right : left); });
    break;
  }
  case 5: delta.reset(mars_test::random_assignment(problem, r)); break;
  default: {
    auto const c = any_choice(v, a.slots[a.slot_of[v]].set);
    auto const promised = delta.try_choice(v, c);
    delta.set_choice(v, c);
    REQUIRE(delta.sum() == promised);
    break;
  }
  }
}

/// Random moves of every kind; after each the full evaluator has the last word.
void walk_in(mapping_problem const& problem, random_stream& r, int moves) {
  delta_evaluator delta{problem, mars_test::random_assignment(problem, r)};
  for (int move = 0; move < moves; ++move) {
    CAPTURE(move);
    move_once(problem, delta, r);
    if (r.chance(0.7)) REQUIRE(delta.value() == problem.evaluate(delta.current()));
  }
  REQUIRE(delta.value() == problem.evaluate(delta.current()));
}

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
  walk_in(problem, r, moves);
}

} // namespace

TEST_CASE("delta evaluation equals the full one, move by move: latency") {
  for (std::uint64_t i = 0; i < 60; ++i) walk(6000, i, objective::latency{}, 60);
}
TEST_CASE("delta evaluation equals the full one, move by move: throughput") {
  for (std::uint64_t i = 0; i < 60; ++i) walk(6001, i, objective::throughput{}, 60);
}
TEST_CASE("delta evaluation equals the full one, move by move: random tables, limits") {
  for (std::uint64_t i = 0; i < 300; ++i) {
    CAPTURE(i);
    random_stream r{6002, i};
    auto const problem =
        testing::random_problem(r, {.operators = 1 + r.below(9),
                                    .accelerators = 1 + r.below(8),
                                    .scarcity = r.chance(0.5) ? 0.5 : 0.0,
                                    .spending = r.chance(0.5),
                                    .how = r.chance(0.7) ? aggregate::sum : aggregate::bottleneck});
    walk_in(problem, r, 40);
  }
}
