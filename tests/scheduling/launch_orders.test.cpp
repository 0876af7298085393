// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opara's Algorithm 2 and the critical path, by hand.
#include "support/catch.hpp"
#include "support/stream_cases.hpp"

#include <mars/scheduling/critical_path.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/validate.hpp>

#include <string>
#include <vector>

namespace {

using mars::scheduling::opara;
using mars::scheduling::opara_classes;
using mars::scheduling::opara_demand;
using mars::scheduling::opara_order;
using launched = std::vector<std::uint32_t>;

auto kernel_of(std::int64_t kflop, std::int64_t kbyte, std::int64_t shared_kib = 0)
    -> mars::kernel {
  mars::kernel k;
  k.blocks = 4;
  k.work = mars::flops{1000 * kflop};
  k.traffic = mars::bytes{1000 * kbyte};
  k.shared = mars::bytes{1024 * shared_kib};
  return k;
}
auto launch_order(opara const& policy, mars::stream_graph const& g) -> launched {
  return policy.schedule(mars_test::stream_problem_of(g)).launch_order;
}

} // namespace

TEST_CASE("Opara alternates between classes and takes small demands first") {
  // Six sources; the device balances at 10 flop per byte: a, c, e move bytes, b, d, f compute.
  auto g = mars_test::stream_dag({{}, {}, {}, {}, {}, {}});
  std::int64_t const shared[] = {30, 20, 10, 20, 20, 10}; // KiB
  for (std::size_t v = 0; v < 6; ++v)
    g.nodes[v].kernels = {v % 2 == 0 ? kernel_of(9, 1, shared[v]) : kernel_of(10, 1, shared[v])};
  CHECK(launch_order({}, g) == launched{2, 5, 4, 1, 0, 3});
  CHECK(launch_order({.order = opara_order::released}, g) == launched{5, 2, 1, 4, 3, 0});
  CHECK(launch_order({.classes = opara_classes::none}, g) == launched{2, 5, 1, 3, 4, 0});
}

TEST_CASE("Opara's paper and released code turn differently while a class has nothing ready") {
  // x, y, z compute, m moves bytes and reads x.
  auto g = mars_test::stream_dag({{}, {}, {}, {0}});
  for (std::size_t v = 0; v < 3; ++v) g.nodes[v].kernels = {kernel_of(100, 1)};
  g.nodes[3].kernels = {kernel_of(1, 100)};
  // Nothing memory-bound: x; then the class not used last, which is m's.
  CHECK(launch_order({}, g) == launched{0, 3, 1, 2});
  // x is the first, so m's class is next.
  CHECK(launch_order({.order = opara_order::released}, g) == launched{0, 3, 1, 2});
  // Ready after two launches: the paper's turn is m's, the code's the computing class's.
  g.nodes[3].inputs = {1};
  CHECK(launch_order({}, g) == launched{0, 1, 3, 2});
  CHECK(launch_order({.order = opara_order::released}, g) == launched{0, 1, 2, 3});
}

TEST_CASE("what demands least goes first") {
  auto g = mars_test::stream_dag({{}, {}, {}, {}});
  g.nodes[0].kernels = {kernel_of(4000, 1, 1)};
  g.nodes[1].kernels = {kernel_of(100, 9, 2)};
  g.nodes[2].kernels = {kernel_of(2000, 9, 0)};
  g.nodes[2].kernels[0].threads = 1024; // 32 of 64 warps
  auto const by = [&](opara_demand demand, opara_order rule = opara_order::paper) {
    return launch_order({.demand = demand, .classes = opara_classes::none, .order = rule}, g);
  };
  CHECK(by(opara_demand::shared_memory) == launched{2, 3, 0, 1}); // d has no kernel: no demand
  CHECK(by(opara_demand::max_of_three) == launched{3, 0, 1, 2});
  CHECK(by(opara_demand::duration) == launched{3, 1, 2, 0});
  CHECK(by(opara_demand::arithmetic_intensity) == launched{3, 1, 2, 0});
  CHECK(by(opara_demand::shared_memory, opara_order::released) == launched{2, 0, 1, 3});
  // Of several kernels the largest demand counts, in the released code the first.
  g.nodes[2].kernels.push_back(kernel_of(1, 1, 8));
  CHECK(by(opara_demand::shared_memory) == launched{3, 0, 1, 2});
  CHECK(by(opara_demand::shared_memory, opara_order::released) == launched{2, 0, 1, 3});
}

TEST_CASE("the released code hands on streams in launch order") {
  // a → c, {a, b} → d, and d is launched before c.
  auto g = mars_test::stream_dag({{}, {}, {0}, {0, 1}});
  g.nodes[0].kernels = g.nodes[1].kernels = {kernel_of(100, 1)};
  g.nodes[2].kernels = {kernel_of(100, 1, 9)};
  g.nodes[3].kernels = {kernel_of(100, 1, 1)};
  auto const p = mars_test::stream_problem_of(g);
  auto const streams = [&](opara_order rule) {
    auto const s = opara{.classes = opara_classes::none, .order = rule}.schedule(p);
    CHECK(s.launch_order == launched{0, 1, 3, 2});
    return s.streams();
  };
  CHECK(streams(opara_order::paper) == 2);    // c takes a's, d takes b's
  CHECK(streams(opara_order::released) == 3); // d takes a's, none is left for c
}

TEST_CASE("names of memory-bound operators as published, slips and all") {
  using mars::scheduling::detail::is_named_memory_bound;
  CHECK(is_named_memory_bound("inception3a_relu_1"));
  CHECK(is_named_memory_bound("max_pool2d"));
  CHECK(is_named_memory_bound("top_logits")); // "to"
  CHECK_FALSE(is_named_memory_bound("conv1_bn"));
  CHECK_FALSE(is_named_memory_bound("cat_1"));
  CHECK_FALSE(is_named_memory_bound("sqrt"));
  CHECK_FALSE(is_named_memory_bound("permute"));
}

TEST_CASE("the critical path goes first, and streams are used again") {
  // s → {a → b, c, d} → t; a and b are long. Nothing overlaps on the host.
  auto g = mars_test::stream_dag({{}, {0}, {1}, {0}, {0}, {2, 3, 4}});
  std::int64_t const kflop[] = {100, 4000, 4000, 1000, 500, 100};
  for (std::size_t v = 0; v < g.size(); ++v) g.nodes[v].kernels = {kernel_of(kflop[v], 0)};
  auto const p = mars_test::stream_problem_of(g);
  auto const s = mars::scheduling::critical_path{}.schedule(p);
  CHECK(validate(p, s).empty());
  CHECK(s.launch_order == launched{0, 1, 2, 3, 4, 5});
  // s, a, b and t on the first; c on a second; d starts on a third before c ends.
  std::vector<std::uint32_t> streams;
  for (auto const x : s.stream_of) streams.push_back(x.value);
  CHECK(streams == launched{0, 0, 0, 1, 2, 0});
  // Longer first, whatever the order of the graph.
  g.nodes[4].kernels = {kernel_of(2000, 0)};
  auto const q = mars_test::stream_problem_of(g);
  CHECK(mars::scheduling::critical_path{}.schedule(q).launch_order == launched{0, 1, 2, 4, 3, 5});
  SECTION("within the limit of streams") {
    mars::stream_options o;
    o.limits.streams = 2;
    auto const two = mars::scheduling::critical_path{}.schedule(mars_test::stream_problem_of(g, o));
    CHECK(two.streams() == 2);
    CHECK(two.stream_of[3] == two.stream_of[4]);
  }
}
