// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/evaluation/delta_evaluator.hpp>
#include <mars/search/annealing.hpp>
#include <mars/search/detail/symmetry.hpp>
#include <mars/search/exact.hpp>
#include <mars/search/two_level_genetic.hpp>
#include <mars/testing/random_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

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

/// The least value of all assignments whose slots run ranges of the order, by recursion.
class ranges {
public:
  explicit ranges(mapping_problem const& p) : p_{p} { place(0); }
  assignment_value best{no_ticks, std::numeric_limits<std::int64_t>::max()};

private:
  void place(std::size_t v) {
    if (v == p_.size()) {
      if (auto const value = p_.evaluate(a_); value < best) best = value;
      return;
    }
    if (v > 0) choose(v);
    for (std::uint32_t s = 0; s < p_.sets().size(); ++s) {
      if (!std::all_of(a_.slots.begin(), a_.slots.end(),
                       [&](slot const& o) { return p_.disjoint(o.set, s); }))
        continue;
      for (std::uint32_t d = 0; d < p_.designs(s).size(); ++d) {
        a_.slots.push_back({s, d});
        choose(v);
        a_.slots.pop_back();
      }
    }
  }
  void choose(std::size_t v) {
    a_.slot_of.push_back(static_cast<std::uint16_t>(a_.slots.size() - 1));
    for (std::size_t c = 0; c < p_.shardings(v, a_.slots.back().set).size(); ++c) {
      a_.choice_of.push_back(static_cast<std::uint16_t>(c));
      place(v + 1);
      a_.choice_of.pop_back();
    }
    a_.slot_of.pop_back();
  }

  mapping_problem const& p_;
  assignment a_;
};

auto random_tables(std::uint64_t seed, std::uint64_t i) -> mapping_problem {
  random_stream r{seed, i};
  return testing::random_problem(r, {.operators = 1 + r.below(4),
                                     .accelerators = 1 + r.below(4),
                                     .choices = 2,
                                     .refused = r.chance(0.5) ? 0.1 : 0.6,
                                     .scarcity = r.chance(0.5) ? r.uniform() : 0.0,
                                     .spending = r.chance(0.3)});
}

} // namespace

TEST_CASE("exact equals enumeration: random tables, short memory, limited spending") {
  std::size_t compared = 0, feasible = 0, spending = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    CAPTURE(i);
    auto const p = random_tables(7003, i);
    auto const best = search::exhaustive{}(p, {.budget = {.wall = {}, .evaluations = 20'000}});
    if (!best.exhausted) continue;
    ++compared;
    auto const found = search::exact{}(p, {});
    REQUIRE(found.exhausted);
    REQUIRE(found.value.feasible() == best.value.feasible());
    if (!best.value.feasible()) continue;
    ++feasible;
    spending += p.limits_spending();
    REQUIRE(found.value.value == best.value.value);
  }
  CAPTURE(compared, feasible, spending);
  CHECK(compared >= 3000);
  CHECK(feasible < compared);
  CHECK(spending >= 300);
}

TEST_CASE("exact with ranges only equals enumeration of ranges") {
  std::size_t feasible = 0, dearer = 0;
  for (std::uint64_t i = 0; i < 1500; ++i) {
    CAPTURE(i);
    auto const p = random_tables(7004, i);
    auto const expected = ranges{p}.best;
    auto const found = search::exact{.contiguous = true}(p, {});
    REQUIRE(found.exhausted);
    REQUIRE(found.value.feasible() == expected.feasible());
    if (!expected.feasible()) continue;
    ++feasible;
    REQUIRE(found.value.value == expected.value);
    dearer += search::exact{}(p, {}).value < found.value;
  }
  CAPTURE(feasible, dearer);
  CHECK(feasible >= 700);
  CHECK(dearer >= 50); // the condition is one
}

// Blocks that repeat are eliminated once: what is reused must be what would have been computed.
TEST_CASE("exact on repeated blocks attains the bound it proves") {
  for (std::size_t blocks = 1; blocks <= 40; blocks += 13) {
    builder b{"blocks"};
    auto x = b.input("x", {1, 8, 12, 12});
    for (std::size_t i = 0; i < blocks; ++i) {
      auto const y = b.relu(b.conv(x, {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}}));
      auto const z = b.conv(x, {.out_channels = 8, .kernel = {1, 1}});
      x = b.add(b.add(y, z), x);
    }
    b.output(x);
    auto const g = std::move(b).build().value();
    auto const p =
        mars_test::make_problem(g, mars_test::connected_system(4, bytes_per_second{2e8}));
    CAPTURE(blocks);
    auto const found = search::exact{}(p, {});
    CHECK(found.exhausted);
    CHECK(found.bound.value == found.value.value);
    CHECK(found.value == p.evaluate(found.best));
    // No single move makes it better, and a search that does not eliminate finds nothing better.
    delta_evaluator delta{p, found.best};
    for (std::size_t v = 0; v < p.size(); ++v)
      for (std::size_t c = 0; c < p.shardings(v, found.best.slots.front().set).size(); ++c)
        if (found.best.slots.size() == 1) REQUIRE(delta.try_choice(v, c) >= found.value.value);
    auto const other = search::annealing{.evaluations = 200'000}(p, {});
    CHECK_FALSE(other.value < found.value);
  }
}

TEST_CASE("symmetries of sets are those of the interconnect") {
  random_stream r{7005};
  auto const g = mars_test::random_network(r, 4);
  interconnect::grouped_through_host const net{.groups = {{0, 1, 2, 3}, {4, 5, 6, 7}},
                                               .intra_bandwidth = bytes_per_second{1e9},
                                               .host_bandwidth = bytes_per_second{1e8}};
  auto system = mars_test::uniform_system(net, {mars_test::plain_design("plain", 1e9)});
  auto const orbit_of_pair_with = [&](std::uint32_t member) {
    auto const p = mars_test::make_problem(g, system);
    search::detail::set_symmetry::use all(p.sets().size());
    std::uint32_t pair = 0;
    for (std::uint32_t s = 0; s < p.sets().size(); ++s) {
      auto const& members = p.sets()[s].accelerators;
      all[s].assign(p.designs(s).size(), true);
      if (members.size() == 2 &&
          std::find(members.begin(), members.end(), accelerator_id{member}) != members.end())
        pair = s;
    }
    REQUIRE(p.sets()[pair].accelerators.size() == 2);
    return search::detail::set_symmetry{p}.orbit(all, pair).size();
  };
  // Two groups of four behind a host: any of the four pairs can stand for any other.
  CHECK(orbit_of_pair_with(0) == 4);
  // With less memory on the last accelerator, the pairs of the first group are alike, its own two not.
  system.accelerators.back().capacity = bytes{1000};
  CHECK(orbit_of_pair_with(0) == 2);
  CHECK(orbit_of_pair_with(4) == 1);
  CHECK(orbit_of_pair_with(7) == 1);
}

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
  std::size_t tables = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    CAPTURE(i);
    auto const p = random_tables(8003, i);
    auto const best = search::exhaustive{}(p, {.budget = {.wall = {}, .evaluations = 20'000}});
    if (!best.exhausted) continue;
    ++tables;
    auto const found = search::exact{}(p, {});
    REQUIRE(found.exhausted);
    REQUIRE(found.value.feasible() == best.value.feasible());
    if (best.value.feasible()) REQUIRE(found.value.value == best.value.value);
  }
  auto const compared = plenty.compared + tight.compared + joules.compared + tables;
  WARN(compared << " problems compared");
  CHECK(compared >= 10'000);
}
