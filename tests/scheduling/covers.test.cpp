// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Streams by path cover, chain cover and Opara's Algorithm 1: the published and computed counts of GoogLeNet and
// Inception-v3, counterexamples, and minimality by enumeration.
#include "support/catch.hpp"
#include "support/stream_cases.hpp"

#include <mars/scheduling/chain_cover.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/path_cover.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/synchronization.hpp>
#include <mars/scheduling/validate.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <numeric>
#include <vector>

namespace {

using mars::scheduling::opara_version;

auto streams_of(auto const& policy, mars::stream_problem const& p) -> std::size_t {
  return policy.schedule(p).streams();
}

/// Nodes in another topological order, their inputs in any order.
auto reordered(mars::random_stream& r, mars::stream_graph const& g) -> mars::stream_graph {
  auto const order = mars_test::random_stream_order(r, g);
  std::vector<std::uint32_t> number(g.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) number[order[i]] = i;
  mars::stream_graph other;
  for (auto const v : order) {
    other.nodes.push_back(g.nodes[v]);
    auto& inputs = other.nodes.back().inputs;
    for (auto& p : inputs) p = number[p];
    r.shuffle(inputs);
  }
  return other;
}

/// Independent of matchings: the fewest paths by trying every predecessor of every node.
auto fewest_paths(mars_test::relation const& edge, std::size_t v, std::vector<char>& used)
    -> std::size_t {
  if (v == edge.size()) return 0;
  auto best = 1 + fewest_paths(edge, v + 1, used);
  for (std::size_t p = 0; p < v; ++p) {
    if (edge[p][v] == 0 || used[p] != 0) continue;
    used[p] = 1;
    best = std::min(best, fewest_paths(edge, v + 1, used));
    used[p] = 0;
  }
  return best;
}

/// The most nodes of which none runs before another, by trying all sets.
auto widest(mars_test::relation const& before) -> std::size_t {
  std::size_t most = 0;
  for (unsigned set = 0; set < 1U << before.size(); ++set) {
    bool free = true;
    for (std::size_t u = 0; u < before.size(); ++u)
      for (std::size_t v = 0; v < before.size(); ++v)
        if ((set >> u & set >> v & 1U) != 0 && before[u][v] != 0) free = false;
    if (free) most = std::max(most, static_cast<std::size_t>(std::popcount(set)));
  }
  return most;
}

/// Edges that no path of two or more edges implies.
auto reduced(mars::stream_graph const& g, mars_test::relation const& before)
    -> mars_test::relation {
  mars_test::relation edge(g.size(), std::vector<char>(g.size()));
  for (std::size_t v = 0; v < g.size(); ++v)
    for (auto const p : g.nodes[v].inputs) {
      edge[p][v] = 1;
      for (std::size_t k = 0; k < g.size(); ++k)
        if (before[p][k] != 0 && before[k][v] != 0) edge[p][v] = 0;
    }
  return edge;
}

/// The fewest waits of all allocations that keep nodes in no order on streams of their own.
auto fewest_waits(mars::stream_graph const& g, mars_test::relation const& before,
                  mars::stream_schedule& s, std::size_t v) -> std::size_t {
  if (v == g.size()) return mars::synchronize(g, s).waits.size();
  std::size_t streams = 0;
  for (std::size_t u = 0; u < v; ++u) streams = std::max(streams, s.stream_of[u].index() + 1);
  auto best = static_cast<std::size_t>(-1);
  for (std::size_t stream = 0; stream <= streams; ++stream) {
    bool ordered = true;
    for (std::size_t u = 0; u < v; ++u)
      ordered = ordered && (s.stream_of[u].index() != stream || before[u][v] != 0);
    if (!ordered) continue;
    s.stream_of[v] = mars::stream_id{stream};
    best = std::min(best, fewest_waits(g, before, s, v + 1));
  }
  return best;
}

} // namespace

#ifdef MARS_TEST_SHARED_DIR
TEST_CASE("streams, waits and events of published networks") {
  struct expectation {
    char const* name;
    std::size_t nodes, edges, opara, cross, producers, paths, width, named;
  };
  // GoogLeNet: 28 by Opara and 4 are the paper's; the others by two independent programs.
  auto const e = GENERATE(expectation{"googlenet", 199, 225, 28, 54, 36, 28, 4, 59},
                          expectation{"inception_v3", 316, 350, 36, 70, 50, 36, 6, 107});
  CAPTURE(e.name);
  auto const net = mars_test::read_fx(e.name);
  auto const p = mars_test::stream_problem_of(net.graph);
  REQUIRE(p.size() == e.nodes);
  REQUIRE(p.edges() == e.edges);
  for (auto const version : {opara_version::journal, opara_version::conference}) {
    auto const s = mars::scheduling::opara{.version = version}.schedule(p);
    CHECK(s.streams() == e.opara);
    auto const sync = mars::synchronize(net.graph, s, mars::wait_rule::every);
    CHECK(sync.cross_edges == e.cross);
    CHECK(sync.waits.size() == e.cross);
    CHECK(sync.events == e.producers);
    // Both graphs are their transitive reductions and each stream a path: no wait is implied.
    CHECK(mars::synchronize(net.graph, s).waits.size() == e.cross);
  }
  auto const paths = mars::scheduling::path_cover{}.schedule(p);
  CHECK(paths.streams() == e.paths);
  CHECK(mars::synchronize(net.graph, paths).waits.size() == e.cross);
  CHECK(streams_of(mars::scheduling::chain_cover{}, p) == e.width);
  CHECK(streams_of(mars::scheduling::sequential{}, p) == 1);

  mars::scheduling::opara const by_name{.classes = mars::scheduling::opara_classes::by_name};
  CHECK(by_name.memory_bound(p) == net.memory_bound);
  CHECK(static_cast<std::size_t>(
            std::accumulate(net.memory_bound.begin(), net.memory_bound.end(), 0)) == e.named);
}

TEST_CASE("counts of published networks hold in 300 topological orders") {
  mars::random_stream r{17};
  auto const googlenet = mars_test::read_fx("googlenet").graph;
  auto const inception = mars_test::read_fx("inception_v3").graph;
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < 300; ++i) {
    bool const first = i % 2 == 0;
    auto const p = mars_test::stream_problem_of(reordered(r, first ? googlenet : inception));
    std::size_t const streams = first ? 28 : 36;
    bool good = streams_of(mars::scheduling::path_cover{}, p) == streams &&
                streams_of(mars::scheduling::chain_cover{}, p) == (first ? 4U : 6U);
    for (auto const version : {opara_version::journal, opara_version::conference})
      good = good && streams_of(mars::scheduling::opara{.version = version}, p) == streams;
    if (!good) wrong.push_back(i);
  }
  CHECK(wrong.empty());
}
#endif

TEST_CASE("Opara's two versions differ, and neither is minimal") {
  // p1 → v, p2 → v, p2 → w
  auto const differ = mars_test::stream_problem_of(mars_test::stream_dag({{}, {}, {0, 1}, {1}}));
  CHECK(streams_of(mars::scheduling::opara{}, differ) == 2);
  CHECK(streams_of(mars::scheduling::opara{.version = opara_version::conference}, differ) == 3);
  // p1 → v, p2 → v, p1 → w
  auto const poor = mars_test::stream_problem_of(mars_test::stream_dag({{}, {}, {0, 1}, {0}}));
  CHECK(streams_of(mars::scheduling::opara{}, poor) == 3);
  CHECK(streams_of(mars::scheduling::opara{.version = opara_version::conference}, poor) == 3);
  CHECK(streams_of(mars::scheduling::path_cover{}, poor) == 2);
  CHECK(streams_of(mars::scheduling::chain_cover{}, poor) == 2);
}

TEST_CASE("the path cover looks at the minimum equivalent graph, the chain cover at the closure") {
  // a → b → c, a → c: of its edges a → c is implied; d alone.
  auto const p = mars_test::stream_problem_of(mars_test::stream_dag({{}, {0}, {1, 0}, {}}));
  auto const s = mars::scheduling::path_cover{}.schedule(p);
  CHECK(s.stream_of == std::vector{mars::stream_id{0U}, mars::stream_id{0U}, mars::stream_id{0U},
                                   mars::stream_id{1U}});
  // Two diamonds in a row: paths end at a join, chains go on.
  auto const q =
      mars_test::stream_problem_of(mars_test::stream_dag({{}, {0}, {0}, {1, 2}, {3}, {3}, {4, 5}}));
  CHECK(streams_of(mars::scheduling::path_cover{}, q) == 3);
  CHECK(streams_of(mars::scheduling::chain_cover{}, q) == 2);
}

TEST_CASE("covers are minimal on small graphs, by enumeration") {
  mars::random_stream r{3};
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    auto const g = mars_test::random_stream_dag(r, r.below(9));
    auto const p = mars_test::stream_problem_of(g);
    auto const before = mars_test::order_of(g);
    auto const edge = reduced(g, before);
    std::vector<char> used(g.size());
    auto const paths = mars::scheduling::path_cover{}.schedule(p);
    auto const chains = mars::scheduling::chain_cover{}.schedule(p);
    REQUIRE(paths.streams() == fewest_paths(edge, 0, used));
    REQUIRE(chains.streams() == widest(before));
    for (std::size_t v = 0; v < g.size(); ++v)
      for (std::size_t u = 0; u < v; ++u)
        if (before[u][v] == 0) {
          REQUIRE(paths.stream_of[u] != paths.stream_of[v]);
          REQUIRE(chains.stream_of[u] != chains.stream_of[v]);
        }
    if (i % 10 != 0 || g.size() > 7) continue;
    auto any = mars::scheduling::sequential{}.schedule(p);
    REQUIRE(mars::synchronize(g, paths).waits.size() == fewest_waits(g, before, any, 0));
  }
}
