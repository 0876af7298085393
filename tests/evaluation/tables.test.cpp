// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tables against the full evaluator, which shares no table code, on random problems.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/mapping/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {
using namespace mars;

/// Everything that both say about one assignment.
template <class System, class O>
void compare(graph const& g, System const& s, mapping_problem const& p, assignment const& a,
             O const& objective) {
  auto const m = p.decode(a);
  auto const priced = evaluate(g, s, m, cost::analytical{}, collective::standard{});
  REQUIRE(priced);
  auto const value = p.evaluate(a);
  CHECK(value.value == objective(*priced));
  CHECK(value.feasible() == priced->feasible());
  auto const peaks = p.peak_bytes(a);
  std::int64_t overflow = 0;
  for (std::size_t i = 0; i < a.slots.size(); ++i) {
    std::int64_t beyond = 0;
    for (auto const x : p.sets()[a.slots[i].set].accelerators) {
      auto const& use = priced->memory[x.index()];
      CHECK(use.peak.count() == peaks[i]);
      beyond = std::max(beyond, use.peak.count() - use.capacity.count());
    }
    overflow += beyond;
  }
  CHECK(value.overflow_bytes == overflow);
  CHECK(p.encode(m) == a);

  // The time line: one operator after another, and every cause in its place.
  picoseconds at{};
  for (std::size_t v = 0; v < p.size(); ++v) {
    auto const& o = priced->operators[p.operator_at(v).index()];
    CHECK(o.start == at);
    at = saturating_add(at, saturating_add(o.compute, o.communication()));
    CHECK(o.end == at);
  }
  CHECK(priced->latency == at);

  // The validator counts memory device by device, so it may only be the milder judge.
  auto const complaints = validate(m, g, s);
  for (auto const& c : complaints) {
    INFO(to_string(c));
    CHECK_FALSE(priced->feasible());
    CHECK((c.kind == violation_kind::memory || c.kind == violation_kind::refused_operator));
  }
}

template <class O>
void compare_many(std::uint64_t seed, std::uint64_t trials, O const& objective, bool energy) {
  std::size_t feasible = 0;
  for (std::uint64_t trial = 0; trial < trials; ++trial) {
    CAPTURE(seed, trial);
    random_stream r{seed, trial};
    auto const g = mars_test::random_network(r, 2 + r.below(7));
    auto const s = mars_test::random_system(r, 8, energy);
    CAPTURE(s.interconnect.name(), s.size());
    auto const p = mars_test::make_problem(
        g, s, parallel::exclusive_shared{.cut_kernels = r.chance(0.3)}, objective);
    for (int k = 0; k < 4; ++k) {
      auto const a = mars_test::random_assignment(p, r);
      compare(g, s, p, a, objective);
      feasible += p.evaluate(a).feasible();
    }
  }
  // Both outcomes occur, or the comparison proves little.
  CHECK(feasible > trials / 10);
  CHECK(feasible < 4 * trials);
}

} // namespace

TEST_CASE("tables equal the evaluator to the picosecond: latency") {
  compare_many(101, 120, objective::latency{}, false);
}
TEST_CASE("tables equal the evaluator to the picosecond: throughput") {
  compare_many(102, 60, objective::throughput{}, false);
}
TEST_CASE("tables equal the evaluator to the picojoule: energy") {
  compare_many(103, 60, objective::energy{}, true);
}

TEST_CASE("tables equal the full evaluator: latency and energy weighed") {
  compare_many(2003, 60, objective::weighted{.per_picosecond = 3, .per_picojoule = 7}, true);
}

// Limits: the tables say by how much, the evaluator that it is too much.
TEST_CASE("tables and the full evaluator agree on what is within limits") {
  std::size_t within = 0, beyond = 0;
  for (std::uint64_t trial = 0; trial < 80; ++trial) {
    CAPTURE(trial);
    random_stream r{2004, trial};
    auto const g = mars_test::random_network(r, 2 + r.below(6));
    auto s = mars_test::random_system(r, 6, true);
    for (auto& a : s.accelerators) a.capacity = bytes{1'000'000'000};
    auto const unlimited = mars_test::make_problem(g, s);
    auto const a = mars_test::random_assignment(unlimited, r);
    auto const priced =
        evaluate(g, s, unlimited.decode(a), cost::analytical{}, collective::standard{}).value();
    std::int64_t peak = 0;
    for (auto const& use : priced.memory) peak = std::max(peak, use.peak.count());
    auto const near = [&] { return 0.8 + 0.4 * r.uniform(); };
    objective::within<> const wanted{
        .base = {},
        .memory = bytes{static_cast<std::int64_t>(near() * static_cast<double>(peak))},
        .energy = joules{near() * priced.energy->count()}};
    auto const p = mars_test::make_problem(g, s, parallel::exclusive_shared{}, wanted);
    auto const value = p.evaluate(a);
    CHECK(value.feasible() == (wanted(priced) < no_ticks));
    CHECK((value.overflow_bytes > 0) == (peak > wanted.memory->count()));
    CHECK(value.overspent ==
          std::max<ticks>(0, *objective::energy{}(priced) - *wanted.spending_limit()));
    CHECK(value.value == priced.latency.count());
    ++(value.feasible() ? within : beyond);
  }
  CHECK(within >= 8);
  CHECK(beyond >= 8);
}
