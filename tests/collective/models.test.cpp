// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/networks.hpp"

#include <mars/collective.hpp>

#include <string>

using namespace mars_test;
using mars::bytes;
using mars::collective_kind;
using mars::seconds;
namespace co = mars::collective;

namespace {
template <class Model, class Net>
auto ms(Model const& m, Net const& net, collective_kind kind,
        std::vector<mars::accelerator_id> const& members, std::int64_t size) -> double {
  return m.time(net, kind, members, bytes{size}).count() * 1e3;
}
/// 1 kB/ms links, 1 ms latency: times in ms can be read off.
auto round_numbers(std::size_t n) -> ic::fully_connected {
  return {.accelerators = n, .bandwidth = mars::bytes_per_second{1e6}, .latency = seconds{1e-3}};
}
} // namespace

// mars.md §5: the layer of the worked example on four accelerators, 8 Gb/s, α = 0.
TEST_CASE("collective: the worked example of MARS", "[collective]") {
  ic::fully_connected const net{.accelerators = 4, .bandwidth = 8_Gbps};
  auto const check = [&](auto const& model) {
    CHECK(ms(model, net, collective_kind::all_reduce, first(4), 200704) == approx(0.301056));
    CHECK(ms(model, net, collective_kind::all_gather, first(4), 200704) == approx(0.150528));
    CHECK(ms(model, net, collective_kind::shift, first(4), 1179648) == approx(1.179648));
  };
  check(co::ring{});
  check(co::standard{});
}

TEST_CASE("collective: MARS's ring on F1 across the groups", "[collective]") {
  // Slowest hop through the host: 25000 B take 8·25000·(1/2e9 + 1/2e9) s = 0.2 ms; 14 of them.
  CHECK(ms(co::ring{}, f1(), collective_kind::all_reduce, first(8), 200'000) == approx(2.8));
  CHECK(ms(co::ring{}, f1(), collective_kind::all_gather, first(8), 200'000) == approx(1.4));
}

TEST_CASE("collective ring: every kind by hand, four members", "[collective]") {
  auto const net = round_numbers(4);
  auto const t = [&](collective_kind k) { return ms(co::ring{}, net, k, first(4), 4'000); };
  CHECK(t(collective_kind::all_reduce) == approx(6 * (1 + 1)));
  CHECK(t(collective_kind::all_gather) == approx(3 * (1 + 1)));
  CHECK(t(collective_kind::reduce_scatter) == approx(3 * (1 + 1)));
  CHECK(t(collective_kind::broadcast) == approx(6 * (1 + 1)));
  CHECK(t(collective_kind::all_to_all) == approx((1 + 3) + (1 + 2) + (1 + 1)));
  CHECK(t(collective_kind::shift) == approx(1 + 4));
}

TEST_CASE("collective ring: uneven parts wait for the largest", "[collective]") {
  // 4001 B over 4: one part of 1001 B.
  CHECK(ms(co::ring{}, round_numbers(4), collective_kind::all_gather, first(4), 4'001) ==
        approx(3 * (1 + 1.001)));
}

TEST_CASE("collective ring: crosses between groups no more than it must", "[collective]") {
  // Named alternately, yet only two hops of a good ring pass the host; either way the slowest hop
  // decides, so compare on a mesh, where a bad order pays per hop: a 2×4 mesh has a Hamiltonian
  // cycle, hence one hop of latency a step. Rising ids would hop from 3 to 4, four steps apart.
  ic::mesh const net{
      .extents = {2, 4}, .bandwidth = mars::bytes_per_second{1e6}, .latency = seconds{1e-3}};
  CHECK(ms(co::ring{}, net, collective_kind::shift, first(8), 1'000) == approx(1 + 1));
}

TEST_CASE("collective tree: every kind by hand, four members", "[collective]") {
  auto const net = round_numbers(4);
  auto const t = [&](collective_kind k) { return ms(co::tree{}, net, k, first(4), 4'000); };
  CHECK(t(collective_kind::broadcast) == approx(2 * (1 + 4)));
  CHECK(t(collective_kind::all_reduce) == approx(4 * (1 + 4)));
  CHECK(t(collective_kind::all_gather) == approx((1 + 1) + (1 + 2) + 2 * (1 + 4)));
  CHECK(t(collective_kind::reduce_scatter) == approx(2 * (1 + 4) + (1 + 2) + (1 + 1)));
  CHECK(t(collective_kind::all_to_all) == approx(2 * ((1 + 4) + (1 + 8))));
  CHECK(t(collective_kind::shift) == approx(1 + 4));
  CHECK(ms(co::tree{}, round_numbers(5), collective_kind::broadcast, first(5), 4'000) ==
        approx(3 * (1 + 4)));
}

TEST_CASE("collective tree: the first of the group is the root", "[collective]") {
  // Accelerator 3 has a slow port: as a leaf it is used once, as the root in both rounds.
  ic::switched const net{.accelerators = 4, .bandwidths = {4_GBps, 4_GBps, 4_GBps, 1_GBps}};
  auto const leaf = ms(co::tree{}, net, collective_kind::broadcast, group({0, 1, 2, 3}), 4'000'000);
  auto const root = ms(co::tree{}, net, collective_kind::broadcast, group({3, 0, 1, 2}), 4'000'000);
  CHECK(leaf == approx(1 + 4));
  CHECK(root == approx(4 + 4));
}

TEST_CASE("collective halving_doubling: every kind by hand, four members", "[collective]") {
  auto const net = round_numbers(4);
  auto const t = [&](collective_kind k) {
    return ms(co::halving_doubling{}, net, k, first(4), 4'000);
  };
  CHECK(t(collective_kind::all_gather) == approx((1 + 1) + (1 + 2)));
  CHECK(t(collective_kind::reduce_scatter) == approx((1 + 2) + (1 + 1)));
  CHECK(t(collective_kind::all_reduce) == approx(2 * ((1 + 1) + (1 + 2))));
  CHECK(t(collective_kind::broadcast) == approx(2 * ((1 + 1) + (1 + 2))));
  CHECK(t(collective_kind::all_to_all) == approx(2 * (1 + 2)));
  CHECK(t(collective_kind::shift) == approx(1 + 4));
}

TEST_CASE("collective halving_doubling: six members", "[collective]") {
  auto const net = round_numbers(6);
  auto const t = [&](collective_kind k) {
    return ms(co::halving_doubling{}, net, k, first(6), 12'000);
  };
  // Two extra members fold in (1 + 12), four halve and double (1 + 3, 1 + 6), and unfold.
  CHECK(t(collective_kind::all_reduce) == approx(13 + 2 * (4 + 7) + 13));
  // Bruck: 1, 2 and the remaining 2 pieces of 2 kB.
  CHECK(t(collective_kind::all_gather) == approx((1 + 2) + (1 + 4) + (1 + 4)));
  // Ways 1…5: bit 0 in three of them, bit 1 in two (2, 3), bit 2 in two (4, 5).
  CHECK(t(collective_kind::all_to_all) == approx((1 + 6) + (1 + 4) + (1 + 4)));
}

TEST_CASE("collective halving_doubling: large rounds stay inside fast groups", "[collective]") {
  // F1, 80 kB over 8 = 10 kB pieces. Far first: 10 kB over the host 8·1e4/1e9 = 0.08 ms, then 20
  // and 40 kB inside, 0.02 + 0.04 ms.
  CHECK(ms(co::halving_doubling{}, f1(), collective_kind::all_gather, first(8), 80'000) ==
        approx(0.08 + 0.02 + 0.04));
}

TEST_CASE("collective direct: every kind by hand, four members", "[collective]") {
  auto const net = round_numbers(4);
  auto const t = [&](collective_kind k) { return ms(co::direct{}, net, k, first(4), 4'000); };
  CHECK(t(collective_kind::all_gather) == approx(3 * (1 + 1)));
  CHECK(t(collective_kind::reduce_scatter) == approx(3 * (1 + 1)));
  CHECK(t(collective_kind::all_reduce) == approx(6 * (1 + 1)));
  CHECK(t(collective_kind::all_to_all) == approx(3 * (1 + 1)));
  CHECK(t(collective_kind::broadcast) == approx(3 * (1 + 4)));
}

TEST_CASE("collective hierarchical: two nodes of four", "[collective]") {
  ic::hierarchy const net{.nodes = 2,
                          .accelerators_per_node = 4,
                          .node_bandwidth = 4_GBps,
                          .network_bandwidth = 1_GBps};
  auto const t = [&](collective_kind k) {
    return ms(co::hierarchical<>{}, net, k, first(8), 16'000'000);
  };
  // Inside: 3 steps of 4 MB at 4 GB/s = 3 ms. Across: 4 MB in halves, 1 step of 2 MB = 2 ms.
  CHECK(t(collective_kind::all_reduce) == approx(3 + 2 * 2 + 3));
  CHECK(t(collective_kind::reduce_scatter) == approx(3 + 2));
  CHECK(t(collective_kind::all_gather) == approx(2 + 3));
  // The flat ring moves 14 steps of 2 MB over the network: 28 ms.
  CHECK(ms(co::ring{}, net, collective_kind::all_reduce, first(8), 16'000'000) == approx(28));
  // Three nodes are no power of two: halving and doubling would fold whole buffers.
  auto three = net;
  three.nodes = 3;
  CHECK(co::standard{}.algorithm(three, collective_kind::all_reduce, first(12),
                                 bytes{16'000'000}) == "hierarchical");
}

TEST_CASE("collective hierarchical: counterpart groups share an uplink", "[collective]") {
  // Two nodes of two behind uplinks of 1 GB/s: both counterpart groups use them at once.
  ic::fat_tree const net{.arity = {2, 2}, .bandwidth = {4_GBps, 1_GBps}};
  // Inside: 1 step of 4 MB at 4 GB/s = 1 ms each way. Across: 4 MB a group in 2 steps of 2 MB,
  // together 4 MB on the uplink = 4 ms a step.
  CHECK(ms(co::hierarchical<>{}, net, collective_kind::all_reduce, first(4), 8'000'000) ==
        approx(1 + 2 * 4 + 1));
}

TEST_CASE("collective hierarchical: without neighbourhoods it is its inner model", "[collective]") {
  auto const net = round_numbers(4);
  CHECK(ms(co::hierarchical<>{}, net, collective_kind::all_reduce, first(4), 4'000) ==
        approx(6 * (1 + 1)));
}

TEST_CASE("collective: messages of a step that share a link wait for it", "[collective]") {
  // On a ring of 8 the far exchange sends 4 messages over each link.
  ic::ring const net{.accelerators = 8, .bandwidth = mars::bytes_per_second{1e6}};
  // Pieces of 1 kB, partners at distance 1, 2, 4 with 1, 2, 4 kB. Distance 1: no sharing, 1 ms.
  // Distance 2: two messages of 2 kB on the link 1→2, 4 ms. Distance 4: ties go upwards, all eight
  // messages of 4 kB in one direction, four on each link: 16 ms.
  // Far first: 4 · 1 kB, 2 · 2 kB, 1 · 4 kB: 4 + 4 + 4 ms.
  CHECK(ms(co::halving_doubling{}, net, collective_kind::all_gather, first(8), 8'000) ==
        approx(12));
  CHECK(ms(co::ring{}, net, collective_kind::all_gather, first(8), 8'000) == approx(7));
}

TEST_CASE("collective cheapest: takes the minimum and says which", "[collective]") {
  auto const net = round_numbers(8);
  co::cheapest<co::ring, co::tree> const two{};
  // 8 B: ring 14·(1 + 0.001), tree 6·(1 + 0.008). 8 MB: ring 14·1001, tree 6·8001.
  CHECK(ms(two, net, collective_kind::all_reduce, first(8), 8) == approx(6 * 1.008));
  CHECK(two.algorithm(net, collective_kind::all_reduce, first(8), bytes{8}) == "tree");
  CHECK(ms(two, net, collective_kind::all_reduce, first(8), 8'000'000) == approx(14 * 1'001));
  CHECK(two.algorithm(net, collective_kind::all_reduce, first(8), bytes{8'000'000}) == "ring");
}

TEST_CASE("collective: one member has nothing to say", "[collective]") {
  auto const alone = group({3});
  for (auto const k : mars::all_collective_kinds) {
    auto const zero = [&](auto const& m) {
      CHECK(m.time(f1(), k, alone, bytes{1'000}) == seconds{0});
      CHECK(m.time(f1(), k, {}, bytes{1'000}) == seconds{0});
    };
    zero(co::ring{});
    zero(co::tree{});
    zero(co::halving_doubling{});
    zero(co::direct{});
    zero(co::hierarchical<>{});
    zero(co::standard{});
    zero(co::calibrated<>{});
  }
}
