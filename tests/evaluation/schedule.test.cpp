// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Schedules priced in four ways that must agree: the tables, the models, the validator, the simulator.
#include "support/catch.hpp"

#include "support/random_schedules.hpp"

#include <mars/evaluation/lower.hpp>
#include <mars/evaluation/sharing/max_min_fair.hpp>
#include <mars/evaluation/simulator.hpp>
#include <mars/mapping/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {
using namespace mars;
using mars_test::random_schedule_case;
using mars_test::schedule_case;

struct schedule_tally {
  std::size_t schedules{}, feasible{}, short_of_memory{}, two_designs{}, impossible{};
  std::size_t uneven{}, streamed{}, stays{}, slowed{}, tight{};
};

/// Nothing is cut, and results live or go as a whole: memory has one true value.
auto is_plain(graph const& g, mapping const& m) -> bool {
  auto const all = operators(g);
  return std::all_of(m.sets.begin(), m.sets.end(),
                     [](auto const& s) { return s.accelerators.size() == 1; }) &&
         std::all_of(all.begin(), all.end(),
                     [&](auto v) { return nth_operand(op(g, v), role::output, 1) == nullptr; });
}

/// What an accelerator does, added up from the time line.
auto busiest(mapping const& m, evaluation const& e, std::size_t accelerators) -> picoseconds {
  std::vector<picoseconds> busy(accelerators);
  for (std::size_t v = 0; v < m.operators.size(); ++v)
    for (auto const a : m.sets[m.operators[v].set.index()].accelerators)
      busy[a.index()] = saturating_add(busy[a.index()], e.operators[v].end - e.operators[v].start);
  return *std::max_element(busy.begin(), busy.end());
}

void check_validator(schedule_case const& c, mapping const& m, evaluation const& e) {
  std::vector<time_span> spans;
  for (auto const& o : e.operators) spans.push_back({to_seconds(o.start), to_seconds(o.end)});
  auto const found = validate(m, c.g, c.system, spans);
  if (e.feasible()) {
    CHECK(found.empty());
    for (auto const& v : found) UNSCOPED_INFO(to_string(v));
  }
  for (auto const& v : found) CHECK(v.kind == violation_kind::memory);
  auto const demands = memory_demands(m, c.g, c.system, spans);
  REQUIRE(demands.size() == e.memory.size());
  for (std::size_t a = 0; a < demands.size(); ++a) {
    CHECK(demands[a].peak.count() <= e.memory[a].peak.count());
    CHECK(demands[a].resident <= e.memory[a].resident);
    if (e.semantics == semantics::overlapped && is_plain(c.g, m))
      CHECK(demands[a].peak.count() == e.memory[a].peak.count());
  }
}

void check_simulator(schedule_case const& c, mapping const& m, schedule_tally& seen) {
  auto const low = lower(c.g, c.system, m, cost::analytical{}, collective::standard{}).value();
  auto const t = simulate(low.plan, c.system.interconnect, sharing::max_min_fair{});
  // A shared link may lose half a picosecond whenever a rate changes.
  CHECK(t.makespan + picoseconds{50} >= low.priced.latency);
  bool slowed = false;
  for (std::size_t i = 0; i < low.plan.size(); ++i)
    slowed = slowed || t.end[i] - t.start[i] != low.plan.duration(activity_id{i});
  if (low.priced.semantics == semantics::staged) CHECK_FALSE(slowed);
  seen.slowed += slowed;
  if (slowed) return;
  CHECK(t.makespan == low.priced.latency);
  for (std::size_t v = 0; v < low.last.size(); ++v) {
    CHECK(t.start[low.first[v].index()] == low.priced.operators[v].start);
    CHECK(t.end[low.last[v].index()] == low.priced.operators[v].end);
  }
}

void check_schedule(schedule_case const& c, schedule_assignment const& a, bool simulated,
                    schedule_tally& seen) {
  ++seen.schedules;
  auto const& p = c.problem;
  schedule_evaluator price{p};
  auto const value = price(a);
  CHECK(price(a) == value); // nothing left over from the call before
  auto const m = p.decode(a);
  auto const again = p.encode(m);
  REQUIRE(again);
  CHECK(*again == a);
  auto const priced = evaluate(c.g, c.system, m, cost::analytical{}, collective::standard{});
  if (value.conflicts > 0) {
    ++seen.two_designs;
    REQUIRE_FALSE(priced);
    CHECK(priced.error().code == error_code::invalid_mapping);
    return;
  }
  REQUIRE(priced);
  auto const& e = *priced;
  CHECK(e.semantics == p.semantics());
  CHECK(price.makespan() == e.latency.count());
  CHECK(value.feasible() == e.feasible());
  std::int64_t over = 0;
  for (auto const& use : e.memory)
    over += std::max<std::int64_t>(0, (use.peak - use.capacity).count());
  CHECK(value.overflow_bytes == over);
  if (e.latency >= never) {
    ++seen.impossible;
    return;
  }
  CHECK(value.value == (p.how() == aggregate::sum ? e.latency : e.bottleneck).count());
  CHECK(e.bottleneck == busiest(m, e, c.system.accelerators.size()));
  for (std::uint32_t v = 0; v < p.size(); ++v) {
    auto const& of = e.operators[p.operator_at(v).index()];
    CHECK(price.start(v) == of.start.count());
    CHECK(price.end(v) == of.end.count());
    auto const& choice = p.choices(v)[a.choice_of[v]];
    CHECK(price.duration(v) >= choice.least);
    CHECK(price.duration(v) <= choice.most);
    seen.stays += price.continues(v);
    seen.streamed += a.streamed[v];
    seen.uneven += !m.operators[p.operator_at(v).index()].sharding.parts.empty();
  }
  e.feasible() ? ++seen.feasible : ++seen.short_of_memory;
  seen.tight += e.semantics == semantics::overlapped && is_plain(c.g, m);
  check_validator(c, m, e);
  if (simulated) check_simulator(c, m, seen);
}

auto many_schedules(bool staged, std::uint64_t seed) -> schedule_tally {
  schedule_tally seen;
  random_stream const root{seed};
  for (std::uint64_t trial = 0; seen.schedules < 5'000; ++trial) {
    CAPTURE(staged, trial);
    auto r = root.substream(trial);
    auto const c = random_schedule_case(r, {.operators = 2 + r.below(8),
                                            .accelerators = 6,
                                            .sets = 8,
                                            .staged = staged,
                                            .roomy = r.chance(0.3),
                                            .throughput = r.chance(0.3)});
    for (int k = 0; c && k < 10; ++k)
      check_schedule(*c, mars_test::random_schedule(r, c->problem), k < 4, seen);
  }
  WARN((staged ? "staged: " : "overlapped: ")
       << seen.schedules << " schedules, " << seen.feasible << " feasible, " << seen.short_of_memory
       << " short of memory, " << seen.two_designs << " with two designs, " << seen.impossible
       << " impossible; operators: " << seen.uneven << " uneven, " << seen.streamed << " streamed, "
       << seen.stays << " find their input in place");
  CHECK(seen.feasible > 1'000);
  CHECK(seen.short_of_memory > 200);
  CHECK(seen.two_designs > 200);
  return seen;
}

} // namespace

TEST_CASE("staged schedules: tables, models, validator and simulator agree") {
  auto const seen = many_schedules(true, 31);
  CHECK(seen.uneven > 500);
  CHECK(seen.streamed > 2'000);
  CHECK(seen.stays > 1'000);
  CHECK(seen.slowed == 0);
}

TEST_CASE("overlapped schedules: tables, models, validator and simulator agree") {
  auto const seen = many_schedules(false, 32);
  CHECK(seen.slowed > 20);
  CHECK(seen.impossible > 100);
  CHECK(seen.tight > 100);
  CHECK(seen.streamed == 0);
}

TEST_CASE("staged schedules: members draw their power for as long as the operator takes") {
  // 10 and 20 bytes a tensor, links of 10 byte/s; 400 FLOP/s, and half of that.
  graph_builder b{"two"};
  auto const x = b.linear(b.input("x", {1, 10}, 8), 20, false);
  b.output(b.linear(x, 5, false));
  auto const g = std::move(b).build().value();
  auto const priced = [&](watts first, watts second, watts idle) {
    any_system s{.name = "pair",
                 .accelerators = {},
                 .interconnect = interconnect::host_staged{.accelerators = 3,
                                                           .bandwidth = bytes_per_second{10}}};
    auto const add = [&](double rate, watts draw) {
      s.accelerators.push_back(
          {.name = "a" + std::to_string(s.accelerators.size()),
           .capacity = bytes{1'000'000},
           .configurations = {mars_test::plain_design("plain", rate, watts{7})},
           .draw = draw});
    };
    add(400, first);
    add(200, second);
    add(400, idle);
    mapping m;
    m.sets = {{{accelerator_id{0}, accelerator_id{1}}, "plain"}, {{accelerator_id{1}}, "plain"}};
    auto const& both = op(g, operator_id{0});
    std::uint8_t columns = 0; // of the weight and the result
    while (both.dims[columns].extent != 20) ++columns;
    m.operators = {{set_id{0}, {.exclusive = {{columns, 2}}, .shared = {}, .scatter = {}}},
                   {set_id{1}, {}}};
    m.launch_order = topological_order(g).value();
    return evaluate(g, s, m, cost::analytical{}, collective::standard{}).value();
  };
  // The first loads 10 bytes in 1 s, computes 200 FLOP in 0.5 s and 1 s, stores 10 bytes in 1 s: both
  // members for 3 s. The second: 2 s, 200 FLOP in 1 s, 0.5 s.
  auto const e = priced(watts{3}, watts{2}, unknown_watts);
  REQUIRE(e.latency == to_picoseconds(seconds{6.5}));
  REQUIRE(e.energy);
  CHECK(e.energy->count() == mars_test::approx(3 * 3 + 3 * 2 + 3.5 * 2));
  // A member that does not say: the designs' energy of computing, 0.5 s + 1 s + 1 s at 7 W.
  for (auto const& other :
       {priced(unknown_watts, watts{2}, watts{1}), priced(watts{3}, unknown_watts, watts{1})}) {
    REQUIRE(other.energy);
    CHECK(other.energy->count() == mars_test::approx(2.5 * 7));
  }
}

TEST_CASE("launching in topological order is never slower than one after another") {
  random_stream const root{33};
  std::size_t compared = 0, faster = 0;
  for (std::uint64_t trial = 0; trial < 400; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const g = mars_test::random_network(r, 2 + r.below(8));
    auto const system = mars_test::random_system(r, 6);
    mapping m; // disjoint sets
    for (std::size_t a = 0; a < system.accelerators.size(); ++a)
      if (m.sets.empty() || r.chance(0.5))
        m.sets.push_back({{accelerator_id{a}}, "plain"});
      else
        m.sets.back().accelerators.push_back(accelerator_id{a});
    for (auto const v : operators(g)) {
      set_id const set{r.below(m.sets.size())};
      auto const choices =
          parallel::exclusive_shared{}.shardings(op(g, v), m.sets[set.index()].accelerators.size());
      m.operators.push_back({set, r.pick(choices)});
    }
    auto const price = [&] {
      return evaluate(g, system, m, cost::analytical{}, collective::standard{}).value();
    };
    auto const sequential = price();
    m.launch_order = topological_order(g).value();
    auto const scheduled = price();
    CHECK(scheduled.latency <= sequential.latency);
    CHECK(scheduled.energy == sequential.energy);
    ++compared;
    faster += scheduled.latency < sequential.latency;
  }
  CHECK(compared == 400);
  CHECK(faster > 100);
}
