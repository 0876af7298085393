// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/evaluation/bounds.hpp>
#include <mars/search/exhaustive.hpp>
#include <mars/testing/random_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

using namespace mars;

namespace {

auto value_of(mapping_problem const& p, std::string_view name) -> ticks {
  for (auto const& b : static_bounds(p))
    if (b.name == name) return b.value;
  FAIL("no bound is called " << name);
  return 0;
}

/// Two operators in a row, two devices joined by a link on which their tensor takes 70. The first
/// operator takes 10 on device 0 and cannot run on device 1; the second takes `there` on device 1,
/// `here` on device 0. Both keep 60 bytes of weights.
auto two_devices(ticks here, ticks there, std::int64_t capacity) -> mapping_problem {
  mapping_problem::tables t;
  t.objective = "example";
  t.accelerators = 2;
  t.order = {operator_id{0}, operator_id{1}};
  t.op_class = {0, 1};
  t.has_macs = {true, true};
  t.dims.resize(2);
  t.last_use = {1, 2};
  t.edges = {{0, 1, 0, 0, 0}};
  for (std::uint32_t s = 0; s < 2; ++s) t.sets.push_back({{accelerator_id{s}}, s, capacity});
  t.designs = {{"d"}, {"d"}};
  auto const row = [](ticks value) {
    choice_row r;
    r.shardings.resize(1);
    r.node = {{value}};
    r.compute = {{value < no_ticks ? value / 2 : value}};
    r.resident = {60};
    r.transient = {0};
    r.kept = {0};
    r.own = {{0}};
    r.need = {{0}};
    r.prior = {1.0};
    return r;
  };
  t.rows = {{row(10), row(no_ticks)}, {row(here), row(there)}};
  t.pair_class = {{0, 1}, {2, 3}};
  t.pair_classes = 4;
  for (ticks const time : {0, 70, 70, 0}) t.edge_tables.push_back({1, {time}, {0}});
  t.table_of = {0, 1, 2, 3};
  return mapping_problem{std::move(t)};
}

} // namespace

TEST_CASE("bounds by hand") {
  auto const p = two_devices(90, 30, 1000);
  CHECK(value_of(p, "work") == 10 + 30);
  CHECK(value_of(p, "path") == 10 + 30);
  CHECK(value_of(p, "roofline") == 5 + 15);
  CHECK(value_of(p, "cut") == 10 + 90); // 10 + 70 + 30 is more
  CHECK(static_bound(p).name == std::string{"cut"});
  CHECK(search::exhaustive{}(p, {}).value.value == 100);

  CHECK(value_of(two_devices(150, 30, 1000), "cut") == 10 + 70 + 30);
  // 120 bytes of weights on two devices of 59: nothing fits. On 60, one on each.
  CHECK(value_of(two_devices(90, 30, 59), "memory") == no_ticks);
  CHECK(value_of(two_devices(90, 30, 60), "memory") < no_ticks);
}

// The law, on thousands of problems that enumeration solves: no bound is above the optimum, each of
// them is positive somewhere and the largest somewhere.
TEST_CASE("no bound is above the optimum") {
  std::map<std::string, int> largest, positive;
  std::size_t compared = 0, infeasible = 0;
  for (std::uint64_t i = 0; i < 6000; ++i) {
    CAPTURE(i);
    random_stream r{6100, i};
    testing::problem_shape const shape{.operators = 1 + r.below(4),
                                       .accelerators = 1 + r.below(4),
                                       .choices = 2,
                                       .refused = r.chance(0.5) ? 0.1 : 0.7,
                                       .scarcity = r.chance(0.5) ? r.uniform() : 0.0,
                                       .spending = r.chance(0.3),
                                       .how =
                                           r.chance(0.7) ? aggregate::sum : aggregate::bottleneck};
    auto const p = testing::random_problem(r, shape);
    auto const best = search::exhaustive{}(p, {.budget = {.wall = {}, .evaluations = 20'000}});
    if (!best.exhausted) continue;
    ++compared;
    infeasible += !best.value.feasible();
    auto const optimum = best.value.feasible() ? best.value.value : no_ticks;
    auto const all = static_bounds(p);
    for (auto const& b : all) {
      CAPTURE(b.name);
      REQUIRE(b.value <= optimum);
      positive[std::string{b.name}] += b.value > 0;
    }
    ++largest[std::string{static_bound(p).name}];
  }
  CHECK(compared >= 4000);
  CHECK(infeasible >= 50);
  for (auto const* name : {"work", "path", "roofline", "cut", "memory", "spending"}) {
    CAPTURE(name);
    CHECK(positive[name] > 0);
  }
  for (auto const* name : {"work", "path", "cut", "memory", "spending"}) {
    CAPTURE(name);
    CHECK(largest[name] > 0);
  }
}
