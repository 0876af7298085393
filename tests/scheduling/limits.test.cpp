// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory of results at its fullest, by enumeration, and policies within limits of streams, events and memory.
#include "support/catch.hpp"
#include "support/stream_cases.hpp"

#include <mars/scheduling/chain_cover.hpp>
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/critical_path.hpp>
#include <mars/scheduling/detail/limits.hpp>
#include <mars/scheduling/find_races.hpp>
#include <mars/scheduling/ios.hpp>
#include <mars/scheduling/ios_greedy.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/path_cover.hpp>
#include <mars/scheduling/peak_memory.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/stream_bounds.hpp>
#include <mars/scheduling/to_program.hpp>
#include <mars/scheduling/validate.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace {

/// Nodes that read a result, and those that read a view of it; true if it, or a view of it, is read by none.
auto find_users(mars::stream_graph const& g, std::size_t t, std::vector<std::size_t>& users)
    -> bool {
  bool stays = false, read = false;
  for (std::size_t v = 0; v < g.size(); ++v) {
    auto const& node = g.nodes[v];
    if (std::find(node.inputs.begin(), node.inputs.end(), t) == node.inputs.end()) continue;
    read = true;
    users.push_back(v);
    if (node.kernels.empty() && node.output == mars::bytes{0})
      stays = find_users(g, v, users) || stays;
  }
  return stays || !read;
}

/// Some nodes without kernels lose their memory: they are views.
void make_views(mars::random_stream& r, mars::stream_graph& g) {
  for (auto& node : g.nodes)
    if (node.kernels.empty() && r.chance(0.6)) node.output = mars::bytes{0};
}

/// The heaviest set of results of which no two can share memory, by trying all sets. Merged nodes are
/// one launch: their results live together.
auto heaviest(mars::stream_graph const& g, mars::stream_schedule const& s) -> std::int64_t {
  auto const n = g.size();
  auto const before = mars_test::order_of(g, to_program(g, s));
  std::vector<std::size_t> leader(n);
  for (std::size_t v = 0; v < n; ++v) leader[v] = v;
  for (auto const& group : s.merged)
    for (auto const v : group) leader[v] = group.front();
  auto const shares = [&](std::size_t t, std::size_t u) { // t is over when u is written
    std::vector<std::size_t> users;
    bool stays = false;
    for (std::size_t w = 0; w < n; ++w)
      if (leader[w] == leader[t]) stays = find_users(g, w, users) || stays;
    return !stays &&
           std::all_of(users.begin(), users.end(), [&](auto v) { return before[v][u] != 0; });
  };
  std::vector<unsigned> apart(n); // with which others it cannot share
  for (std::size_t t = 0; t < n; ++t)
    for (std::size_t u = 0; u < n; ++u)
      if (!shares(t, u) && !shares(u, t)) apart[t] |= 1U << u;
  std::int64_t most = 0;
  for (unsigned set = 0; set < 1U << n; ++set) {
    std::int64_t sum = 0;
    bool clique = true;
    for (std::size_t t = 0; t < n && clique; ++t) {
      if ((set >> t & 1U) == 0) continue;
      sum += g.nodes[t].output.count();
      clique = (set & ~apart[t] & ~(1U << t)) == 0;
    }
    if (clique) most = std::max(most, sum);
  }
  return most;
}

/// What one stream holds at its fullest, step by step.
auto swept(mars::stream_graph const& g, std::vector<std::uint32_t> const& order) -> std::int64_t {
  std::vector<std::vector<std::size_t>> users(g.size());
  std::vector<char> stays(g.size()), done(g.size());
  for (std::size_t t = 0; t < g.size(); ++t) stays[t] = find_users(g, t, users[t]) ? 1 : 0;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::int64_t now = 0;
    for (std::size_t k = 0; k <= i; ++k) {
      auto const t = order[k];
      bool const over =
          k < i && stays[t] == 0 &&
          std::all_of(users[t].begin(), users[t].end(), [&](auto v) { return done[v] != 0; });
      if (!over) now += g.nodes[t].output.count();
    }
    most = std::max(most, now);
    done[order[i]] = 1;
  }
  return most;
}

template <class F>
void for_each_policy(F f) {
  namespace sc = mars::scheduling;
  f(sc::sequential{});
  f(sc::path_cover{});
  f(sc::chain_cover{});
  f(sc::critical_path{});
  for (auto const version : {sc::opara_version::journal, sc::opara_version::conference})
    for (auto const order : {sc::opara_order::paper, sc::opara_order::released})
      f(sc::opara{.version = version, .order = order});
  for (auto const demand : {sc::opara_demand::max_of_three, sc::opara_demand::duration,
                            sc::opara_demand::arithmetic_intensity})
    f(sc::opara{.demand = demand, .classes = sc::opara_classes::by_name});
  f(sc::ios{});
  f(sc::ios_greedy{.groups = 3});
}

} // namespace

TEST_CASE("the peak of memory, by hand") {
  // a → b → c and a → d, of 10, 20, 30 and 40 bytes.
  auto g = mars_test::stream_dag({{}, {0}, {1}, {0}});
  for (std::size_t v = 0; v < 4; ++v)
    g.nodes[v].output = mars::bytes{10 * static_cast<std::int64_t>(v + 1)};
  mars::stream_schedule s{std::vector<mars::stream_id>(4), {0, 1, 2, 3}, {}, {}};
  // One stream: a b | a b c | a c d, and the results of c and d stay.
  CHECK(mars::peak_memory(g, s).size == mars::bytes{80});
  CHECK(mars::peak_memory(g, s).nodes == std::vector<std::uint32_t>{0, 2, 3});
  // d beside b and c: nothing says that d is not written while b is there.
  s.stream_of[3] = mars::stream_id{1U};
  CHECK(mars::peak_memory(g, s).size == mars::bytes{100});
  CHECK(mars::peak_memory(g, s).nodes == std::vector<std::uint32_t>{0, 1, 2, 3});
  // In a stage after it: as on one stream.
  s.stage_of = {0, 0, 0, 1};
  CHECK(mars::peak_memory(g, s).size == mars::bytes{80});
}

TEST_CASE("a view keeps what it views, by hand") {
  // a of 10 bytes, a view v of it, b of 100 reading a, w a view of v, c of 20 reading b and w, d of 5
  // reading c: b is written after a's direct reader could have ended, but w is still to be read.
  mars::kernel const k{.blocks = 1};
  mars::stream_graph g{"views",
                       {{"a", {k}, {}, mars::bytes{10}},
                        {"v", {}, {0}},
                        {"w", {}, {1}},
                        {"b", {k}, {0}, mars::bytes{100}},
                        {"c", {k}, {3, 2}, mars::bytes{20}},
                        {"d", {k}, {4}, mars::bytes{5}}},
                       {}};
  mars::stream_schedule s{std::vector<mars::stream_id>(6), {0, 1, 2, 3, 4, 5}, {}, {}};
  // a b | a b c | c d
  CHECK(mars::peak_memory(g, s).size == mars::bytes{130});
  CHECK(mars::peak_memory(g, s).nodes == std::vector<std::uint32_t>{0, 3, 4});
  CHECK(validate(g, s, {.memory = mars::bytes{130}}).empty());
  CHECK(validate(g, s, {.memory = mars::bytes{129}}).size() == 1);
  // With memory of its own, w is a copy: a is over when c is written. a b | w b c
  g.nodes[2].output = mars::bytes{1};
  CHECK(mars::peak_memory(g, s).size == mars::bytes{121});
  // A view that nobody reads is a result: a stays. a b | a c (if c reads only b) | a c d
  g.nodes[2].output = mars::bytes{0};
  g.nodes[4].inputs = {3};
  g.nodes[3].output = mars::bytes{1};
  CHECK(mars::peak_memory(g, s).nodes == std::vector<std::uint32_t>{0, 4, 5});
  CHECK(mars::peak_memory(g, s).size == mars::bytes{35});
}

TEST_CASE("the peak of memory is the heaviest set of results that cannot share, by enumeration") {
  mars::random_stream r{21};
  for (int i = 0; i < 1'000; ++i) {
    CAPTURE(i);
    auto g = mars_test::random_stream_dag(r, r.below(9));
    make_views(r, g);
    auto const s = mars_test::random_stream_schedule(r, g);
    auto const expected = heaviest(g, s);
    auto const peak = mars::peak_memory(g, s);
    REQUIRE(peak.size.count() == expected);
    std::int64_t sum = 0;
    for (auto const v : peak.nodes) sum += g.nodes[v].output.count();
    REQUIRE(sum == expected);
    // The validator, which counts for itself, draws the line at the same byte.
    REQUIRE(validate(g, s, {.memory = mars::bytes{expected}}).empty());
    if (expected > 0) REQUIRE(validate(g, s, {.memory = mars::bytes{expected - 1}}).size() == 1);
    auto const events = mars::synchronize(g, s).events;
    REQUIRE(validate(g, s, {.events = events}).empty());
    if (events > 0) REQUIRE(validate(g, s, {.events = events - 1}).size() == 1);
    auto one = s;
    one.stream_of.assign(g.size(), mars::stream_id{0U});
    one.merged.clear();
    REQUIRE(mars::peak_memory(g, one).size.count() == swept(g, one.launch_order));
  }
}

TEST_CASE("every policy keeps limits, or says that none of its schedules can") {
  mars::random_stream r{22};
  std::size_t tight = 0, staged = 0, impossible = 0;
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    auto g = mars_test::random_stream_dag(r, 1 + r.below(20));
    make_views(r, g);
    auto const order = mars::scheduling::sequential{}.schedule(mars_test::stream_problem_of(g));
    auto const least = swept(g, order.launch_order);
    mars::stream_options o{.mode = r.chance(0.5) ? mars::launch_mode::replay
                                                 : mars::launch_mode::eager};
    if (r.chance(0.5)) o.limits.streams = 1 + r.below(4);
    if (r.chance(0.4)) o.limits.events = r.below(4);
    if (r.chance(0.6))
      o.limits.memory =
          mars::bytes{least * 9 / 10 + static_cast<std::int64_t>(
                                           r.below(static_cast<std::uint64_t>(least / 2 + 1)))};
    auto const p = mars_test::stream_problem_of(g, o);
    auto const bound = bound_streams(p);
    for_each_policy([&](auto const& policy) {
      CAPTURE(policy.name());
      static_assert(mars::StreamScheduler<std::decay_t<decltype(policy)>>);
      auto const found = policy(p, {});
      auto const faults = validate(p, found.schedule);
      REQUIRE(validate(g, found.schedule).empty());
      REQUIRE(validate(g, to_program(p, found.schedule)).empty());
      REQUIRE(found.bound == bound.value);
      REQUIRE(found.binding == bound.binding);
      REQUIRE(found.bound <= found.latency());
      REQUIRE(found.schedule == policy(p, {}).schedule);
      if (found.latency() < mars::never) {
        REQUIRE(faults.empty());
        if constexpr (requires { policy.schedule(p); })
          tight += found.schedule != policy.schedule(p) ? 1U : 0U;
        else
          staged += found.schedule.stage_of.empty() ? 0U : 1U;
        return;
      }
      ++impossible;
      REQUIRE(faults.size() == 1);
      REQUIRE(faults[0].kind == mars::stream_violation_kind::memory);
      REQUIRE(found.schedule.streams() == 1);
      REQUIRE(least > o.limits.memory->count()); // in the order of the graph neither
    });
  }
  CHECK(tight > 300);
  CHECK(staged > 50);
  CHECK(impossible > 100);
}

TEST_CASE("limits are kept by schedules with stages and merged nodes too") {
  mars::random_stream r{23};
  std::size_t folded = 0;
  for (int i = 0; i < 1'000; ++i) {
    CAPTURE(i);
    auto const g = mars_test::random_stream_dag(r, 1 + r.below(12));
    auto const s = mars_test::random_stream_schedule(r, g);
    mars::stream_options o;
    o.limits.streams = 1 + r.below(4);
    if (r.chance(0.5)) o.limits.events = r.below(4);
    if (r.chance(0.5)) o.limits.memory = mars::bytes{static_cast<std::int64_t>(r.below(600))};
    auto const p = mars_test::stream_problem_of(g, o);
    auto const [kept, fits] = mars::detail::keep_limits(p, s);
    REQUIRE(validate(g, kept).empty());
    REQUIRE(validate(g, kept, o.limits).empty() == fits);
    if (validate(g, s, o.limits).empty()) REQUIRE(kept == s);
    if (fits && kept != s) ++folded;
  }
  CHECK(folded > 200);
}

TEST_CASE("folding goes on where a stream ended before it takes concurrency away") {
  // a → {b → c, d → e} → f → {g, h}: paths of Opara open a stream for h that can follow either branch.
  auto const g = mars_test::stream_dag({{}, {0}, {1}, {0}, {3}, {2, 4}, {5}, {5}});
  auto const free = mars_test::stream_problem_of(g);
  auto const wide = mars::scheduling::opara{}.schedule(free);
  REQUIRE(wide.streams() == 3);
  mars::stream_options const two{.limits = {.streams = 2}};
  auto const p = mars_test::stream_problem_of(g, two);
  auto const s = mars::scheduling::opara{}(p, {}).schedule;
  CHECK(s.streams() == 2);
  auto const before = mars_test::order_of(g);
  for (std::size_t v = 0; v < g.size(); ++v)
    for (std::size_t u = 0; u < v; ++u)
      if (before[u][v] == 0) CHECK(s.stream_of[u] != s.stream_of[v]);
}

#ifdef MARS_TEST_SHARED_DIR
TEST_CASE("published networks fold to their width without losing concurrency") {
  struct expectation {
    char const* name;
    std::size_t width;
  };
  auto const e = GENERATE(expectation{"googlenet", 4}, expectation{"inception_v3", 6});
  auto const g = mars_test::read_fx(e.name).graph;
  mars::stream_options o;
  o.limits.streams = e.width;
  auto const p = mars_test::stream_problem_of(g, o);
  auto const before = mars_test::order_of(g);
  auto const check = [&](auto const& policy) {
    CAPTURE(policy.name());
    auto const s = policy(p, {}).schedule;
    CHECK(s.streams() == e.width);
    std::size_t lost = 0; // pairs that could run side by side and now cannot
    for (std::size_t v = 0; v < g.size(); ++v)
      for (std::size_t u = 0; u < v; ++u)
        lost += before[u][v] == 0 && s.stream_of[u] == s.stream_of[v] ? 1U : 0U;
    CHECK(lost == 0);
  };
  check(mars::scheduling::path_cover{});
  check(mars::scheduling::chain_cover{});
  check(mars::scheduling::opara{});
  check(mars::scheduling::opara{.version = mars::scheduling::opara_version::conference});
}
#endif
