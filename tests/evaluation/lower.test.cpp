// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A mapping that is simulated against the same mapping priced.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/collective/ring.hpp>
#include <mars/evaluation/lower.hpp>
#include <mars/evaluation/sharing/fifo.hpp>
#include <mars/evaluation/sharing/max_min_fair.hpp>
#include <mars/evaluation/simulator.hpp>
#include <mars/interconnect/host_staged.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {
using namespace mars;

struct lowering_case {
  graph g;
  any_system system;
  mapping m;
};

/// Sets of one to all accelerators, which overlap when operators are scheduled; any sharding.
auto random_lowering(random_stream& r, bool scheduled) -> lowering_case {
  auto g = mars_test::random_network(r, 3 + r.below(8));
  auto system = mars_test::random_system(r, 8);
  mapping m;
  std::vector<accelerator_id> free;
  for (std::size_t a = 0; a < system.accelerators.size(); ++a) free.push_back(accelerator_id{a});
  auto const all = free;
  while (!free.empty() && m.sets.size() < 4) {
    auto const size = 1 + r.below(free.size());
    m.sets.push_back({{free.begin(), free.begin() + static_cast<std::ptrdiff_t>(size)}, "plain"});
    if (scheduled) {
      free = all;
      r.shuffle(free);
    } else {
      free.erase(free.begin(), free.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }
  for (auto const v : operators(g)) {
    set_id const set{r.below(m.sets.size())};
    auto const choices = parallel::exclusive_shared{.scatter_partial_sums = true}.shardings(
        op(g, v), m.sets[set.index()].accelerators.size());
    m.operators.push_back({set, r.pick(choices)});
  }
  if (scheduled) m.launch_order = topological_order(g).value();
  return {std::move(g), std::move(system), std::move(m)};
}

auto slowed_down(activity_graph const& plan, timeline const& t) -> bool {
  for (std::size_t i = 0; i < plan.size(); ++i)
    if (t.end[i] - t.start[i] != plan.duration(activity_id{i})) return true;
  return false;
}

} // namespace

TEST_CASE("a mapping takes in the simulator what the evaluator says, and longer only in traffic") {
  random_stream const root{21};
  std::size_t free = 0, jammed = 0, moved = 0;
  for (std::uint64_t trial = 0; trial < 1200; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const c = random_lowering(r, trial % 2 == 1);
    auto const low = lower(c.g, c.system, c.m, cost::analytical{}, collective::standard{}).value();
    auto const check = [&](auto sharing) {
      auto const t = simulate(low.plan, c.system.interconnect, sharing);
      // A shared link may lose half a picosecond whenever a rate changes.
      CHECK(t.makespan + picoseconds{50} >= low.priced.latency);
      if (slowed_down(low.plan, t)) return false;
      CHECK(t.makespan == low.priced.latency);
      for (std::size_t v = 0; v < low.last.size(); ++v) {
        CHECK(t.end[low.last[v].index()] == low.priced.operators[v].end);
        if (c.m.is_scheduled())
          CHECK(t.start[low.first[v].index()] == low.priced.operators[v].start);
      }
      return true;
    };
    // A queue may hold up what rates would not: messages that a slower link behind it limits.
    check(sharing::fifo{}) ? ++free : ++jammed;
    check(sharing::max_min_fair{}) ? ++free : ++jammed;
    for (std::size_t i = 0; i < low.plan.size(); ++i)
      moved += low.plan.kind(activity_id{i}) == activity_kind::transfer;
  }
  CHECK(free > 600);
  CHECK(jammed > 200);
  CHECK(moved > 10'000);
}

TEST_CASE("rings of transfers take what the ring model says where they have links of their own") {
  random_stream const root{22};
  std::size_t longer = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto c = random_lowering(r, false);
    auto const n = c.system.accelerators.size();
    c.system.interconnect = interconnect::fully_connected{
        .accelerators = n,
        .bandwidth = bytes_per_second{1e6 * static_cast<double>(1 + r.below(50))},
        .latency = seconds{1e-6 * static_cast<double>(r.below(3))}};
    auto const with = [&](collective_lowering how) {
      return lower(c.g, c.system, c.m, cost::analytical{}, collective::ring{}, how).value();
    };
    auto const low = with(collective_lowering::rings);
    auto const t = simulate(low.plan, c.system.interconnect, sharing::max_min_fair{});
    CHECK_FALSE(slowed_down(low.plan, t));
    // Rounded at each part of a sum: by half a picosecond for a phase or a step.
    auto const difference = t.makespan - low.priced.latency;
    CHECK(difference <= picoseconds{200});
    CHECK(difference >= picoseconds{-200});
    longer += low.plan.size() > with(collective_lowering::blocks).plan.size();
  }
  CHECK(longer > 100);
}

TEST_CASE("staged transfers belong to the operator") {
  random_stream const root{23};
  std::size_t stored = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto c = random_lowering(r, true);
    c.system.interconnect = interconnect::host_staged{.accelerators = c.system.accelerators.size(),
                                                      .bandwidth = bytes_per_second{1e6},
                                                      .latency = seconds{1e-6}};
    auto const low = lower(c.g, c.system, c.m, cost::analytical{}, collective::standard{},
                           collective_lowering::rings)
                         .value();
    REQUIRE(low.priced.semantics == semantics::staged);
    auto const t = simulate(low.plan, c.system.interconnect, sharing::max_min_fair{});
    CHECK(t.makespan == low.priced.latency);
    for (std::size_t v = 0; v < low.last.size(); ++v) {
      CHECK(t.start[low.first[v].index()] == low.priced.operators[v].start);
      CHECK(t.end[low.last[v].index()] == low.priced.operators[v].end);
      stored += low.priced.operators[v].results > picoseconds{};
    }
  }
  CHECK(stored > 500);
}

TEST_CASE("what cannot be priced cannot be lowered") {
  mars_test::empty_graph const g;
  auto const system = mars_test::connected_system(2, bytes_per_second{1e6});
  auto const low = lower(g, system, {}, cost::analytical{}, collective::standard{});
  REQUIRE(low);
  CHECK(low->plan.size() == 0);
  mapping wrong;
  wrong.operators.resize(1);
  CHECK(lower(g, system, wrong, cost::analytical{}, collective::standard{}).error().code ==
        error_code::invalid_mapping);
}

TEST_CASE("rings of more steps than activities have numbers are refused before any is made") {
  auto const system = mars_test::connected_system(2, bytes_per_second{1e6});
  struct lengths {
    std::int64_t first{}, second{};
  };
  auto const lowered = [&](lengths of, collective_lowering how) {
    graph_builder b{"recurrent"};
    for (auto const steps : {of.first, of.second})
      b.output(b.lstm(b.input(std::string{"x"} + std::to_string(b.size()), {steps, 1, 4}), 4)[0]);
    auto const g = std::move(b).build().value();
    mapping m;
    m.sets.push_back({{accelerator_id{0}, accelerator_id{1}}, "plain"});
    // Each step gathers a state that is cut two ways.
    auto const k = find_dim(op(g, operator_id{0}), "k").value();
    m.operators.assign(
        2, {set_id{0},
            {.exclusive = {{static_cast<std::uint8_t>(k), 2}}, .shared = {}, .scatter = {}}});
    return lower(g, system, m, cost::analytical{}, collective::ring{}, how);
  };
  auto const million = std::int64_t{1} << 20;
  auto const few = lowered({3, 5}, collective_lowering::rings);
  REQUIRE(few);
  CHECK(few->plan.size() > 2 * (3 + 5)); // a transfer by each of two members, every step
  for (auto const& [of, culprit] :
       {std::pair{lengths{3, 100 * million}, "operators[1]"},
        std::pair{lengths{std::int64_t{1} << 45, 3}, "operators[0]"},
        std::pair{lengths{25 * million, 25 * million}, "operators[1]"}}) {
    CAPTURE(of.first, of.second);
    auto const refused = lowered(of, collective_lowering::rings);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == error_code::overflow);
    CHECK(refused.error().path == culprit);
    CHECK(lowered(of, collective_lowering::blocks));
  }
}
