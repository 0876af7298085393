// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Uniform problems: the tables against the cost itself, edge by edge, and exact against enumeration.
#include "support/catch.hpp"

#include "support/random_problems.hpp"

#include <mars/cost/pase.hpp>
#include <mars/evaluation/build_uniform_problem.hpp>
#include <mars/parallel/iteration_splits.hpp>
#include <mars/search/exact.hpp>
#include <mars/search/exhaustive.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace {
using namespace mars;

/// F of a mapping, with no table between.
auto priced(graph const& g, cost::pase const& f, mapping const& m) -> double {
  double sum = 0;
  for (std::size_t v = 0; v < m.operators.size(); ++v) {
    operation const& o = op(g, operator_id{v});
    sum += f.layer(o, m.operators[v].sharding);
    for (input_edge const e : inputs(g, operator_id{v})) {
      operation const& u = op(g, e.producer);
      sum += f.transfer(f.part(u, *nth_operand(u, role::output, e.output),
                               m.operators[e.producer.index()].sharding),
                        f.part(o, o.operands[e.operand], m.operators[v].sharding));
    }
  }
  return sum;
}

/// A byte costs three FLOP: little enough that it pays to cut networks of a few hundred elements.
auto any_cost_of(random_stream& r) -> cost::pase {
  cost::pase f{.peak = flops_per_second{3e9}, .bandwidth = bytes_per_second{1e9}};
  f.training = r.chance(0.5);
  f.unfolded = r.chance(0.5);
  f.holders = r.chance(0.5) ? cost::pase_holders::devices : cost::pase_holders::parts;
  return f;
}

/// A near miss: says nothing of transfers.
struct half_a_cost {
  [[nodiscard]] auto name() const -> std::string_view { return "half"; }
  [[nodiscard]] auto layer(operation const&, sharding const&) const -> double { return 0.5; }
};
static_assert(!LayerwiseCost<half_a_cost>);
} // namespace

TEST_CASE("the tables of a uniform problem add up to what the cost says") {
  for (std::uint64_t i = 0; i < 60; ++i) {
    random_stream r{11, i};
    auto const g = mars_test::random_network(r, 3 + r.below(12));
    auto const f = any_cost_of(r);
    auto const devices = 1 + r.below(6);
    parallel::iteration_splits const splits{.uneven = r.chance(0.5), .idle = r.chance(0.5)};
    auto const problem = build_uniform_problem(g, devices, splits, f).value();
    CHECK(problem.accelerators() == devices);
    for (int k = 0; k < 5; ++k) {
      auto const a = mars_test::random_assignment(problem, r);
      auto const value = problem.evaluate(a);
      auto const m = problem.decode(a);
      CHECK(value.feasible());
      CHECK(value.overflow_bytes == 0);
      // Rounded once per operator and edge.
      auto const entries = static_cast<double>(problem.size() + problem.edges().size());
      CHECK(std::abs(in_units(value.value) - priced(g, f, m)) <= entries / 512);
      CHECK(problem.encode(m) == a);
    }
  }
}

TEST_CASE("exact finds the least F of small networks, as enumeration does") {
  int compared = 0, cut = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    random_stream r{12, i};
    auto const g = mars_test::random_network(r, 2 + r.below(4));
    auto const f = any_cost_of(r);
    parallel::iteration_splits const splits{.idle = r.chance(0.5)};
    auto const problem = build_uniform_problem(g, 2 + r.below(3), splits, f).value();
    auto const all = search::exhaustive{.evaluations = 200'000}(problem, {});
    if (!all.exhausted) continue;
    auto const found = search::exact{}(problem, {});
    REQUIRE(found.exhausted);
    CHECK(found.value.value == all.value.value);
    CHECK(found.bound.value == all.value.value);
    ++compared;
    for (auto const& p : problem.decode(found.best).operators)
      if (!p.sharding.exclusive.empty()) {
        ++cut;
        break;
      }
  }
  CHECK(compared > 100);
  CHECK(cut > compared / 2);
}

TEST_CASE("a uniform problem of a strategy for placed mappings, and errors") {
  builder b{"one"};
  b.output(b.linear(b.input("x", {8, 32}), 16));
  auto const g = std::move(b).build().value();
  cost::pase const f{};
  // Rotations are infinite, not refused.
  auto const placed = build_uniform_problem(g, 4, parallel::exclusive_shared{}, f);
  REQUIRE(placed);
  CHECK(search::exact{}(*placed, {}).exhausted);
  CHECK(build_uniform_problem(g, 0, parallel::iteration_splits{}, f).error().path == "devices");
  struct nothing {
    [[nodiscard]] auto shardings(operation const&, std::size_t) const -> std::vector<sharding> {
      return {};
    }
  };
  CHECK(build_uniform_problem(g, 4, nothing{}, f).error().path == "strategy");
  struct too_many_shards {
    [[nodiscard]] auto shardings(operation const&, std::size_t) const -> std::vector<sharding> {
      sharding s;
      s.exclusive.push_back({0, 8});
      return {s};
    }
  };
  CHECK(build_uniform_problem(g, 4, too_many_shards{}, f).error().path == "strategy.exclusive");
  CHECK(
      build_uniform_problem(mars_test::empty_graph{}, 4, parallel::iteration_splits{}, f)->size() ==
      0);
}
