// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/bare_graph.hpp"
#include "support/networks.hpp"

#include <mars/core/random.hpp>
#include <mars/evaluation/critical_path.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace mars;
using mars_test::bare_graph;
using ps = picoseconds;

auto scheduled_mapping(std::vector<std::vector<std::size_t>> const& sets,
                       std::vector<std::size_t> const& set_of) -> mapping {
  mapping m;
  for (auto const& s : sets) m.sets.push_back({mars_test::group(s), "d"});
  for (std::size_t v = 0; v < set_of.size(); ++v) {
    m.operators.push_back({set_id{set_of[v]}, {}});
    m.launch_order.emplace_back(v);
  }
  return m;
}
auto numbers_of(std::vector<operator_id> const& chain) -> std::vector<std::size_t> {
  std::vector<std::size_t> out;
  for (auto const v : chain) out.push_back(v.index());
  return out;
}
auto gap_is(idle_gap const& g, std::size_t a, std::int64_t from, std::int64_t to, wait_cause cause)
    -> bool {
  return g.accelerator.index() == a && g.from == ps{from} && g.to == ps{to} && g.cause == cause;
}

} // namespace

TEST_CASE("a join waits for its slower branch, and for the transfer from there") {
  // 0 on a; 1 on a, 2 on b, both read 0; 3 on a reads both.
  bare_graph const g{{{}, {0}, {0}, {1, 2}}};
  auto const m = scheduled_mapping({{0}, {1}}, {0, 0, 1, 0});
  std::vector<operator_times> const t{
      {ps{0}, ps{10}}, {ps{10}, ps{14}}, {ps{13}, ps{30}}, {ps{35}, ps{40}}};
  input_arrivals const arrive{{}, {ps{10}}, {ps{13}}, {ps{14}, ps{35}}};
  auto const path = find_critical_path(g, m, t, arrive);

  CHECK(path.makespan == ps{40});
  CHECK(numbers_of(path.chain) == std::vector<std::size_t>{0, 2, 3});
  CHECK(path.unexplained == ps{});
  CHECK(path.waits[0].cause == wait_cause::nothing);
  CHECK(path.waits[1].cause == wait_cause::result); // and the accelerator, at the same time
  CHECK(path.waits[2].cause == wait_cause::transfer);
  CHECK(path.waits[3].cause == wait_cause::transfer);
  CHECK(path.waits[3].on == operator_id{2});

  REQUIRE(path.gaps.size() == 5);
  CHECK(gap_is(path.gaps[0], 0, 14, 30, wait_cause::result)); // 2 still computes
  CHECK(gap_is(path.gaps[1], 0, 30, 35, wait_cause::transfer));
  CHECK(path.gaps[1].on == operator_id{2});
  CHECK(path.gaps[1].previous == operator_id{1});
  CHECK(path.gaps[1].next == operator_id{3});
  CHECK(gap_is(path.gaps[2], 1, 0, 10, wait_cause::result));
  CHECK_FALSE(path.gaps[2].previous.has_value()); // before its first operator
  CHECK(gap_is(path.gaps[3], 1, 10, 13, wait_cause::transfer));
  CHECK(gap_is(path.gaps[4], 1, 30, 40, wait_cause::nothing));
  CHECK_FALSE(path.gaps[4].next.has_value()); // nothing left to do

  // Nobody says when the inputs came: it was the last result's transfer.
  CHECK(find_critical_path(g, m, t).waits[3].cause == wait_cause::transfer);
  CHECK(find_critical_path(g, m, t).waits[3].on == operator_id{2});
}

TEST_CASE("a set waits for its last accelerator to be free") {
  // 0 on a, 1 on b, then 2 on both; nothing is read.
  bare_graph const g{{{}, {}, {}}};
  auto const m = scheduled_mapping({{0}, {1}, {0, 1}}, {0, 1, 2});
  std::vector<operator_times> const t{{ps{0}, ps{4}}, {ps{0}, ps{9}}, {ps{9}, ps{12}}};
  auto const path = find_critical_path(g, m, t);
  CHECK(numbers_of(path.chain) == std::vector<std::size_t>{1, 2});
  CHECK(path.waits[2].cause == wait_cause::accelerator);
  CHECK(path.waits[2].accelerator == accelerator_id{std::size_t{1}});
  REQUIRE(path.gaps.size() == 1);
  CHECK(gap_is(path.gaps[0], 0, 4, 9, wait_cause::accelerator));
  CHECK(path.gaps[0].on == operator_id{1});
  CHECK(path.gaps[0].busy == accelerator_id{std::size_t{1}});
}

TEST_CASE("one after another, an accelerator also waits for its turn") {
  // Nothing depends on anything, and yet 1 waits for 0.
  bare_graph const g{{{}, {}, {1}}};
  auto m = scheduled_mapping({{0}, {1}, {2}}, {0, 1, 0});
  m.launch_order.clear();
  std::vector<operator_times> const t{{ps{0}, ps{5}}, {ps{5}, ps{7}}, {ps{7}, ps{8}}};
  auto const path = find_critical_path(g, m, t);
  CHECK(numbers_of(path.chain) == std::vector<std::size_t>{0, 1, 2});
  CHECK(path.waits[1].cause == wait_cause::turn);
  CHECK(path.waits[2].cause == wait_cause::result);
  REQUIRE(path.gaps.size() == 4);
  CHECK(gap_is(path.gaps[0], 0, 5, 7, wait_cause::result));
  CHECK(gap_is(path.gaps[1], 1, 0, 5, wait_cause::turn));
  CHECK(gap_is(path.gaps[2], 1, 7, 8, wait_cause::nothing));
  CHECK(gap_is(path.gaps[3], 2, 0, 8, wait_cause::nothing)); // runs nothing at all
}

TEST_CASE("what nothing explains is said to be so") {
  bare_graph const g{{{}, {}}};
  auto const m = scheduled_mapping({{0}}, {0, 0});
  std::vector<operator_times> const t{{ps{0}, ps{5}}, {ps{8}, ps{9}}};
  auto const path = find_critical_path(g, m, t);
  CHECK(path.waits[1].cause == wait_cause::unexplained);
  CHECK(path.waits[1].ready == ps{5});
  CHECK(path.unexplained == ps{3});
  REQUIRE(path.gaps.size() == 1);
  CHECK(gap_is(path.gaps[0], 0, 5, 8, wait_cause::unexplained));
  CHECK(find_critical_path(g, m, std::vector<operator_times>{{ps{2}, ps{5}}, {ps{5}, ps{9}}})
            .unexplained == ps{2}); // a late first start, too
}

TEST_CASE("chains of random schedules are as long as the schedules, gaps and work fill all time") {
  random_stream r{42, 0};
  for (int round = 0; round < 200; ++round) {
    auto const n = 1 + r.below(40);
    auto const devices = 1 + r.below(5);
    bare_graph g;
    std::vector<std::vector<std::size_t>> sets;
    std::vector<std::size_t> set_of;
    for (std::size_t s = 0; s < 1 + r.below(6); ++s) {
      sets.emplace_back();
      for (std::size_t a = 0; a < devices; ++a)
        if (r.chance(0.5)) sets.back().push_back(a);
      if (sets.back().empty()) sets.back().push_back(r.below(devices));
    }
    std::vector<operator_times> t;
    input_arrivals arrive;
    std::vector<ps> free(devices);
    std::vector<ps> work(devices);
    for (std::size_t v = 0; v < n; ++v) {
      g.producers.emplace_back();
      for (std::size_t u = 0; u < v; ++u)
        if (r.chance(1.5 / static_cast<double>(v))) g.producers[v].push_back(u);
      set_of.push_back(r.below(sets.size()));
      auto start = ps{};
      arrive.emplace_back();
      for (auto const u : g.producers[v]) {
        auto const moves = ps{r.chance(0.5) ? 0 : static_cast<std::int64_t>(r.below(9))};
        arrive[v].push_back(t[u].end + moves);
        start = std::max(start, arrive[v].back());
      }
      for (auto const a : sets[set_of[v]]) start = std::max(start, free[a]);
      auto const takes = ps{static_cast<std::int64_t>(r.below(12))}; // at times none
      t.push_back({start, start + takes});
      for (auto const a : sets[set_of[v]]) {
        free[a] = start + takes;
        work[a] += takes;
      }
    }
    auto const m = scheduled_mapping(sets, set_of);
    auto const path = find_critical_path(g, m, t, arrive);
    CHECK(path.unexplained == ps{});

    // Operators and what lies between them, summed along the chain.
    ps length{};
    ps reached{};
    for (auto const v : path.chain) {
      auto const& wait = path.waits[v.index()];
      CHECK(wait.ready == t[v.index()].start);
      if (t[v.index()].start > reached) CHECK(wait.cause == wait_cause::transfer);
      length += t[v.index()].start - reached + (t[v.index()].end - t[v.index()].start);
      reached = t[v.index()].end;
    }
    CHECK(length == path.makespan);
    CHECK(path.waits[path.chain.front().index()].cause == wait_cause::nothing);
    CHECK(t[path.chain.front().index()].start == ps{});

    for (auto const& gap : path.gaps) work[gap.accelerator.index()] += gap.to - gap.from;
    for (std::size_t a = 0; a < devices; ++a) {
      bool const listed = std::any_of(sets.begin(), sets.end(), [&](auto const& s) {
        return std::find(s.begin(), s.end(), a) != s.end();
      });
      CHECK(work[a] == (listed ? path.makespan : ps{}));
    }
    for (auto const& gap : path.gaps) CHECK(gap.cause != wait_cause::unexplained);
  }
}
