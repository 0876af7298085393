// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IOS: endings and the dynamic program against brute force, the policy against every staged schedule of small graphs. The counts of published networks are in io/json/operator_graph.test.cpp.
#include "support/catch.hpp"
#include "support/stream_cases.hpp"

#include <mars/core/hash.hpp>
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/detail/staged_block.hpp>
#include <mars/scheduling/detail/stages.hpp>
#include <mars/scheduling/ios.hpp>
#include <mars/scheduling/ios_greedy.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/validate.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace {

using mars::detail::best_stages;
using mars::detail::operator_block;
using mars::detail::operator_set;
using mars::detail::stage_cost;
using mars::detail::staged_block;
using mars::scheduling::enumeration;
using mars::scheduling::stage_strategy;
using bits = std::uint32_t; ///< a set, for the brute force

auto to_bits(operator_set const& s) -> bits {
  bits b = 0;
  s.for_each([&](std::size_t i) { b |= bits{1} << i; });
  return b;
}

/// Edges as masks, and everything the slow way.
struct plain_block {
  std::vector<bits> before, after;
  std::vector<std::uint32_t> merge_class;

  [[nodiscard]] auto size() const -> std::size_t { return before.size(); }
  [[nodiscard]] auto has(bits s, std::size_t i) const -> bool { return (s >> i & 1U) != 0; }
  /// Weakly connected components.
  [[nodiscard]] auto groups(bits s) const -> std::vector<bits> {
    std::vector<bits> all;
    while (s != 0) {
      bits g = s & (~s + 1);
      for (bool grown = true; grown;) {
        grown = false;
        for (std::size_t i = 0; i < size(); ++i)
          if (has(s & ~g, i) && ((before[i] | after[i]) & g) != 0) {
            g |= bits{1} << i;
            grown = true;
          }
      }
      all.push_back(g);
      s &= ~g;
    }
    return all;
  }
  [[nodiscard]] auto is_ending(bits s, bits e) const -> bool {
    for (std::size_t i = 0; i < size(); ++i)
      if (has(e, i) && (after[i] & s & ~e) != 0) return false;
    return e != 0;
  }
  [[nodiscard]] auto within(bits e, std::size_t r, std::size_t s, enumeration of) const -> bool {
    auto const all = groups(e);
    if (s != 0 && all.size() > s) return false;
    for (auto const g : all) {
      if (r != 0 && static_cast<std::size_t>(std::popcount(g)) > r) return false;
      int first = 0;
      for (std::size_t i = 0; i < size(); ++i) first += has(g, i) && (before[i] & g) == 0 ? 1 : 0;
      if (of == enumeration::published && first != 1) return false;
    }
    return true;
  }
  [[nodiscard]] auto may_merge(bits e) const -> bool {
    std::set<std::uint32_t> classes;
    for (std::size_t i = 0; i < size(); ++i)
      if (has(e, i)) classes.insert(merge_class[i]);
    return std::popcount(e) == 1 || (classes.size() == 1 && *classes.begin() != 0);
  }
  [[nodiscard]] auto block() const -> operator_block {
    operator_block b;
    b.merge_class = merge_class;
    for (std::size_t i = 0; i < size(); ++i) {
      auto& in = b.before.emplace_back();
      auto& out = b.after.emplace_back();
      for (std::size_t j = 0; j < size(); ++j) {
        if (has(before[i], j)) in.insert(j);
        if (has(after[i], j)) out.insert(j);
      }
    }
    return b;
  }
};

auto random_block(mars::random_stream& r, std::size_t n) -> plain_block {
  plain_block b{std::vector<bits>(n), std::vector<bits>(n), std::vector<std::uint32_t>(n)};
  auto const density = 0.1 + 0.6 * r.uniform();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (r.chance(density)) {
        b.before[i] |= bits{1} << j;
        b.after[j] |= bits{1} << i;
      }
  // What merges reads the same.
  for (std::size_t i = 0; i < n; ++i)
    if (std::popcount(b.before[i]) <= 1 && r.chance(0.7)) b.merge_class[i] = 1 + b.before[i];
  return b;
}

/// Random, the same for the same stage.
auto cost_of(std::uint64_t seed, bits e, bool merged) -> stage_cost {
  auto const h = mars::hash_combine(mars::hash_combine(seed, e), merged ? 1 : 0);
  return 1 + static_cast<stage_cost>(h % 1000) * std::popcount(e);
}

struct random_prices {
  std::uint64_t seed;
  double bound; ///< `least` is this share of the cost

  auto operator()(operator_set const& e, bool merged) const -> stage_cost {
    return cost_of(seed, to_bits(e), merged);
  }
  [[nodiscard]] auto least(operator_set const& e, std::span<operator_set const>) const
      -> stage_cost {
    return static_cast<stage_cost>(bound * static_cast<double>(cost_of(seed, to_bits(e), false)));
  }
};

auto in_problem(std::vector<std::vector<std::uint32_t>> const& inputs, std::uint64_t seed,
                mars::stream_options o = {}) -> mars::stream_problem {
  auto g = mars_test::stream_dag(inputs);
  mars::random_stream r{seed};
  mars_test::furnish(r, g);
  return mars_test::stream_problem_of(std::move(g), std::move(o));
}

} // namespace

TEST_CASE("endings are the up-sets within r and s, each once", "[scheduling][ios]") {
  mars::random_stream random{1};
  for (int round = 0; round < 150; ++round) {
    auto const plain = random_block(random, 1 + random.below(8));
    auto const n = plain.size();
    auto const block = plain.block();
    auto const r = random.below(4);
    auto const s = random.below(4);
    auto const of = random.chance(0.5) ? enumeration::legal : enumeration::published;
    mars::detail::basic_ending_walk<> walk{block, {r, s, of}};
    std::set<bits> states;
    for (auto const& x : mars::detail::states_of(block, 1000))
      CHECK(states.insert(to_bits(x)).second);
    for (bits state = 1; state < bits{1} << n; ++state) {
      bool down = true;
      operator_set as_set;
      for (std::size_t i = 0; i < n; ++i)
        if (plain.has(state, i)) {
          as_set.insert(i);
          down = down && (plain.before[i] & ~state) == 0;
        }
      REQUIRE(states.count(state) == (down ? 1 : 0));
      if (!down) continue;
      std::set<bits> wanted, found;
      for (bits e = state; e != 0; e = (e - 1) & state)
        if (plain.is_ending(state, e) && plain.within(e, r, s, of)) wanted.insert(e);
      std::uint64_t most = 100'000;
      bool once = true, right_groups = true;
      walk(as_set, most, [&](operator_set const& e, std::span<operator_set const> groups) {
        once = found.insert(to_bits(e)).second && once;
        std::set<bits> seen;
        for (auto const& g : groups) seen.insert(to_bits(g));
        auto const all = plain.groups(to_bits(e));
        right_groups = right_groups && seen == std::set<bits>(all.begin(), all.end());
        return true;
      });
      REQUIRE(once);
      REQUIRE(right_groups);
      REQUIRE(found == wanted);
    }
  }
}

TEST_CASE("the dynamic program finds what brute force finds", "[scheduling][ios]") {
  mars::random_stream random{2};
  int merged = 0, several_first = 0;
  for (std::uint64_t round = 0; round < 1000; ++round) {
    auto const plain = random_block(random, 1 + random.below(6));
    auto const r = random.below(4);
    auto const s = random.below(4);
    auto const of = random.chance(0.5) ? enumeration::legal : enumeration::published;
    auto const strategy = static_cast<stage_strategy>(random.below(3));
    // All sequences of stages, from the front: what comes first reads nothing that is left.
    std::function<stage_cost(bits)> const least = [&](bits left) {
      if (left == 0) return stage_cost{0};
      auto best = mars::detail::impossible;
      for (bits e = left; e != 0; e = (e - 1) & left) {
        bool ready = true;
        for (std::size_t i = 0; i < plain.size(); ++i)
          ready = ready && !(plain.has(e, i) && (plain.before[i] & left & ~e) != 0);
        if (!ready) continue;
        auto cost = mars::detail::impossible;
        if (strategy != stage_strategy::merge && plain.within(e, r, s, of))
          cost = cost_of(round, e, false);
        if (strategy != stage_strategy::concurrent && plain.may_merge(e))
          cost = std::min(cost, cost_of(round, e, std::popcount(e) > 1));
        if (cost < best) best = std::min(best, cost + least(left & ~e));
      }
      return best;
    };
    auto const all = (bits{1} << plain.size()) - 1;
    auto const found = best_stages(plain.block(), {r, s, of}, strategy, 1'000'000,
                                   random_prices{round, random.uniform()});
    REQUIRE(found.ended == staged_block::outcome::best);
    REQUIRE(found.cost == least(all));
    // And its stages are what it says.
    stage_cost sum = 0;
    bits done = 0;
    for (auto const& stage : found.stages) {
      auto const e = to_bits(stage.members);
      sum += cost_of(round, e, stage.merged);
      for (std::size_t i = 0; i < plain.size(); ++i)
        if (plain.has(e, i)) CHECK((plain.before[i] & ~(done | e)) == 0);
      CHECK((done & e) == 0);
      done |= e;
      merged += stage.merged ? 1 : 0;
      if (!stage.merged && !plain.within(e, 0, 0, enumeration::published)) ++several_first;
    }
    CHECK(done == all);
    CHECK(sum == found.cost);
  }
  CHECK(merged > 50);
  CHECK(several_first > 10);
}

TEST_CASE("a block beyond its effort says so", "[scheduling][ios]") {
  plain_block const wide{std::vector<bits>(20), std::vector<bits>(20),
                         std::vector<std::uint32_t>(20)};
  auto const ended = [&](std::uint64_t effort) {
    return best_stages(wide.block(), {3, 8}, stage_strategy::both, effort, random_prices{1, 0})
        .ended;
  };
  CHECK(ended(1000) == staged_block::outcome::too_large);      // states
  CHECK(ended(5'000'000) == staged_block::outcome::too_large); // endings
  auto const nothing =
      best_stages(wide.block(), {3, 8}, stage_strategy::merge, 100'000'000,
                  [](operator_set const&, bool) { return mars::detail::unpriced; });
  CHECK(nothing.ended == staged_block::outcome::interrupted);
}

// ---- the policy --------------------------------------------------------------------------------

TEST_CASE("ios is the best of all staged schedules of small graphs", "[scheduling][ios]") {
  static_assert(mars::StreamScheduler<mars::scheduling::ios>);
  static_assert(mars::StreamScheduler<mars::scheduling::ios_greedy>);
  mars::random_stream random{4};
  int staged = 0, merged = 0;
  for (int round = 0; round < 120; ++round) {
    mars::stream_options o;
    o.mode = random.chance(0.5) ? mars::launch_mode::replay : mars::launch_mode::eager;
    auto g = mars_test::random_stream_dag(random, 1 + random.below(5));
    if (random.chance(0.3)) { // a cell, of which more can be merged
      g = mars_test::stream_dag({{}, {0}, {0}, {0}, {1, 2, 3}});
      mars_test::furnish(random, g);
    }
    // Often all operators launch the same, so that prices are remembered; convolutions may merge.
    bool const alike = random.chance(0.5);
    auto const some = mars::kernel{.blocks = 1 + static_cast<std::int64_t>(random.below(9)),
                                   .work = mars::flops{2'000'000}};
    for (auto& node : g.nodes) {
      if (alike && !node.kernels.empty()) node.kernels = {some};
      if (node.inputs.size() != 1 || node.kernels.empty()) continue;
      node.convolution = {.input = {1, 8, 4, 4}};
      node.convolution->options.out_channels = 1 + static_cast<std::int64_t>(random.below(3));
    }
    o.lower = [](mars::mergeable_convolution const& c) -> std::vector<mars::kernel> {
      return {{.blocks = 2, .work = mars::flops{20'000 * c.options.out_channels}}};
    };
    auto const p = mars_test::stream_problem_of(std::move(g), o);
    auto const r = random.below(4), s = random.below(3);
    auto const found = mars::scheduling::ios{.r = r, .s = s}(p, {});
    REQUIRE(mars::validate(p, found.schedule).empty());
    REQUIRE(found.timeline == mars::simulate_streams(p, found.schedule));
    CHECK(found.bound <= found.latency());
    CHECK(found.exhausted);
    auto best = mars::scheduling::sequential{}(p, {}).latency();
    CHECK(found.latency() <= best);
    // Every sequence of stages of operators, as a whole schedule.
    mars::detail::basic_operator_list<> const operators{p};
    plain_block plain{std::vector<bits>(operators.size()), std::vector<bits>(operators.size()), {}};
    for (std::size_t i = 0; i < operators.size(); ++i)
      for (auto const u : operators.reads(i)) {
        plain.before[i] |= bits{1} << u;
        plain.after[u] |= bits{1} << i;
      }
    std::vector<mars::detail::stream_stage> stages;
    std::function<void(bits)> const extend = [&](bits left) {
      if (left == 0) {
        best =
            std::min(best, mars::simulate_streams(p, mars::detail::schedule_of(p, stages)).latency);
        return;
      }
      auto const nodes = [&](bits of) {
        std::vector<std::uint32_t> list;
        for (std::size_t i = 0; i < plain.size(); ++i)
          if (plain.has(of, i)) list.push_back(operators.node(i));
        return list;
      };
      for (bits e = left; e != 0; e = (e - 1) & left) {
        bool ready = true;
        for (std::size_t i = 0; i < plain.size(); ++i)
          ready = ready && !(plain.has(e, i) && (plain.before[i] & left & ~e) != 0);
        if (!ready) continue;
        if (plain.within(e, r, s, enumeration::legal)) {
          auto& stage = stages.emplace_back();
          for (auto const part : plain.groups(e)) stage.groups.push_back(nodes(part));
          extend(left & ~e);
          stages.pop_back();
        }
        if (std::popcount(e) > 1 && p.merged(nodes(e))) {
          stages.push_back({{nodes(e)}, true});
          extend(left & ~e);
          stages.pop_back();
        }
      }
    };
    extend((bits{1} << plain.size()) - 1);
    // Eager, views that several groups read cost the host a wait that no single stage knows of.
    if (o.mode == mars::launch_mode::replay) REQUIRE(found.latency() == best);
    CHECK(found.latency() >= best);
    staged += found.schedule.stage_of.empty() ? 0 : 1;
    merged += found.schedule.merged.empty() ? 0 : 1;
  }
  CHECK(staged > 15);
  CHECK(merged > 5);
}

TEST_CASE("prices of stages that are remembered are those of other stages alike",
          "[scheduling][ios]") {
  mars::random_stream random{6};
  std::uint64_t asked = 0, simulated = 0;
  for (int round = 0; round < 40; ++round) {
    auto g = mars_test::stream_dag({{}, {0}, {0}, {0}, {0}, {1}, {2}});
    for (auto& node : g.nodes) {
      node.kernels = {{.blocks = 1 + static_cast<std::int64_t>(random.below(3)),
                       .work = mars::flops{1'000'000}}};
      if (node.inputs.size() != 1) continue;
      node.convolution = {.input = {1, 8, 4, 4}};
      node.convolution->options.out_channels = 1 + static_cast<std::int64_t>(random.below(3));
    }
    mars::stream_options o;
    o.lower = [](mars::mergeable_convolution const& c) -> std::vector<mars::kernel> {
      return {{.blocks = 2, .work = mars::flops{400'000 * c.options.out_channels}}};
    };
    auto const p = mars_test::stream_problem_of(std::move(g), o);
    mars::detail::basic_operator_list<> const operators{p};
    auto const block = operators.block(0, operators.size());
    mars::detail::stream_meter meter{{}};
    mars::detail::basic_stage_prices<> prices{p, operators, meter};
    prices.set_block(0, block);
    for (bits e = 1; e < bits{1} << operators.size(); ++e) {
      operator_set members;
      std::vector<std::uint32_t> nodes;
      for (std::size_t i = 0; i < operators.size(); ++i)
        if ((e >> i & 1U) != 0) {
          members.insert(i);
          nodes.push_back(operators.node(i));
        }
      for (bool const merged : {false, true}) {
        if (merged && (nodes.size() < 2 || !p.merged(nodes))) continue;
        mars::detail::stream_meter own{{}};
        mars::detail::basic_stage_prices<> fresh{p, operators, own};
        fresh.set_block(0, block);
        REQUIRE(prices(members, merged) == fresh(members, merged));
        ++asked;
      }
    }
    simulated += meter.evaluations();
  }
  CHECK(simulated < asked * 3 / 4);
}

TEST_CASE("a group may begin with several operators", "[scheduling][ios]") {
  // Two branches that meet: all three in one stage spare a synchronisation, which the published code,
  // unable to form the group, has to pay.
  auto g = mars_test::stream_dag({{}, {}, {0, 1}});
  for (auto& node : g.nodes)
    node.kernels = {{.blocks = 1, .threads = 32, .work = mars::flops{1000}}};
  auto d = mars_test::stream_device();
  d.overheads.gap = mars::seconds{1e-7};
  auto const p = mars::stream_problem::make(g, d).value();
  using mars::scheduling::ios;
  auto const cost = [&](enumeration of) {
    mars::detail::stream_meter meter{{}};
    mars::detail::basic_operator_list<> const operators{p};
    mars::detail::basic_stage_prices<> prices{p, operators, meter};
    auto const block = operators.block(0, operators.size());
    prices.set_block(0, block);
    return best_stages(block, {3, 8, of}, stage_strategy::both, 1000, prices);
  };
  auto const legal = cost(enumeration::legal), published = cost(enumeration::published);
  CHECK(legal.stages.size() == 1);
  CHECK(published.stages.size() == 2);
  CHECK(legal.cost < published.cost);
  CHECK(legal.transitions == published.transitions + 1);
}

TEST_CASE("identical cells are searched once", "[scheduling][ios]") {
  // Cells of four branches between nodes that everything passes, without block numbers.
  auto const cells = [](std::uint32_t count) {
    std::vector<std::vector<std::uint32_t>> inputs{{}};
    std::vector<std::uint32_t> blocks{0};
    for (std::uint32_t c = 0; c < count; ++c) {
      auto const enter = static_cast<std::uint32_t>(inputs.size() - 1);
      for (int branch = 0; branch < 4; ++branch) inputs.push_back({enter});
      inputs.push_back({enter + 1, enter + 2, enter + 3, enter + 4});
      blocks.insert(blocks.end(), 5, c + 1);
    }
    auto g = mars_test::stream_dag(inputs);
    for (std::size_t v = 0; v < g.size(); ++v)
      g.nodes[v].kernels = {{.name = g.nodes[v].name,
                             .blocks = 1 + static_cast<std::int64_t>(v % 5),
                             .work = mars::flops{3'000'000}}};
    g.block_of = blocks;
    return mars_test::stream_problem_of(std::move(g));
  };
  auto const two = mars::scheduling::ios{}(cells(2), {});
  auto const nine = mars::scheduling::ios{}(cells(9), {});
  CHECK(two.evaluations == nine.evaluations);
  auto const one = mars::scheduling::ios{}(cells(1), {});
  CHECK(nine.transitions - two.transitions == 7 * (two.transitions - one.transitions));
  CHECK(nine.states - two.states == 7 * (two.states - one.states));
  CHECK_FALSE(nine.schedule.stage_of.empty());
}

TEST_CASE("budgets, limits and starts of ios", "[scheduling][ios]") {
  mars::random_stream random{5};
  for (int round = 0; round < 30; ++round) {
    auto const inputs = 1 + random.below(14);
    auto g = mars_test::random_stream_dag(random, inputs);
    mars::stream_options o;
    if (random.chance(0.5)) o.limits.streams = 1 + random.below(2);
    if (random.chance(0.3)) o.limits.events = random.below(3);
    if (random.chance(0.3))
      o.limits.memory = mars::bytes{static_cast<std::int64_t>(random.below(800))};
    auto const p = mars_test::stream_problem_of(std::move(g), o);
    auto const one = mars::scheduling::sequential{}(p, {});
    for (auto const evaluations : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{1'000'000}}) {
      auto const found = mars::scheduling::ios{}(p, {.budget = {.evaluations = evaluations}});
      CHECK(found.latency() <= one.latency());
      if (found.latency() < mars::never) CHECK(mars::validate(p, found.schedule).empty());
      CHECK(found.evaluations <= std::max<std::uint64_t>(evaluations, 2) + 1);
    }
    auto const greedy = mars::scheduling::ios_greedy{}(p, {});
    if (greedy.latency() < mars::never) CHECK(mars::validate(p, greedy.schedule).empty());
    auto const again = mars::scheduling::ios{.r = 1, .s = 1}(
        p, {.start = mars::scheduling::ios{}(p, {}).schedule});
    CHECK(again.latency() <= mars::scheduling::ios{}(p, {}).latency());
  }
}

TEST_CASE("a large and wide graph is divided", "[scheduling][ios]") {
  // 300 branches of one source: far too many states, and more than 128 operators.
  std::vector<std::vector<std::uint32_t>> inputs{{}};
  for (int i = 0; i < 300; ++i) inputs.push_back({0});
  auto const p = in_problem(inputs, 7);
  auto const found = mars::scheduling::ios{.effort = 20'000}(p, {});
  CHECK(mars::validate(p, found.schedule).empty());
  CHECK(found.exhausted);
  CHECK(found.latency() <= mars::scheduling::sequential{}(p, {}).latency());
  std::atomic<bool> const stop{true};
  auto const stopped = mars::scheduling::ios{}(p, {.stop = mars::stop_token{&stop}});
  CHECK_FALSE(stopped.exhausted);
  CHECK(mars::validate(p, stopped.schedule).empty());
}

TEST_CASE("blocks end where only one result goes on", "[scheduling][ios]") {
  // a chain of diamonds 0 → {1, 2} → 3 → {4, 5} → 6 …, all of which launch something
  std::vector<std::vector<std::uint32_t>> inputs{{}};
  for (std::uint32_t c = 0; c < 30; ++c)
    inputs.insert(inputs.end(), {{3 * c}, {3 * c}, {3 * c + 1, 3 * c + 2}});
  auto g = mars_test::stream_dag(inputs);
  for (auto& node : g.nodes) node.kernels = {{.blocks = 1}};
  auto const starts = [&](std::size_t most) {
    auto const p = mars_test::stream_problem_of(g);
    return mars::detail::basic_operator_list<>{p}.blocks(most);
  };
  CHECK(starts(91) == std::vector<std::size_t>{0, 91});
  CHECK(starts(50) == std::vector<std::size_t>{0, 49, 91});
  CHECK(starts(11) == std::vector<std::size_t>{0, 10, 19, 28, 37, 46, 55, 64, 73, 82, 91});
  CHECK(starts(2).size() > 46); // nowhere else to go than through diamonds
  g.block_of.assign(91, 0);
  for (std::size_t v = 60; v < 91; ++v) g.block_of[v] = 4;
  CHECK(starts(91) == std::vector<std::size_t>{0, 60, 91});
}

TEST_CASE("what launches nothing goes before all that reads it in its stage", "[scheduling][ios]") {
  // A view of a view, which nobody reads, and two nodes that run merged read the first.
  auto g = mars_test::stream_dag({{}, {0}, {0}, {0}});
  for (std::size_t v : {2U, 3U}) g.nodes[v].kernels = {{.work = mars::flops{1000}}};
  auto const p = mars_test::stream_problem_of(g);
  auto const s = mars::detail::schedule_of(p, {{{{2, 3}}, true}});
  CHECK(s.launch_order == std::vector<std::uint32_t>{0, 2, 3, 1});
  CHECK(mars::validate(g, s).empty());
}
