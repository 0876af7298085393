// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/networks.hpp"

using namespace mars_test;
using sets = std::vector<std::vector<mars::accelerator_id>>;

TEST_CASE("bandwidth: of a pair, for large messages", "[interconnect]") {
  auto net = f1();
  net.latency = mars::seconds{1e-3};
  CHECK(ic::bandwidth(net, acc(0), acc(1)).count() == approx(1e9));
  CHECK(ic::bandwidth(net, acc(0), acc(4)).count() == approx(1.25e8)); // 2 Gb/s up, then down
  net.forwarding = mars::forwarding_mode::cut_through;
  CHECK(ic::bandwidth(net, acc(0), acc(4)).count() == approx(2.5e8));
}

// mars.md §6 on the system of §3.
TEST_CASE("components: candidate sets of F1", "[interconnect]") {
  CHECK(ic::threshold_components(f1()) ==
        sets{group({0, 1, 2, 3, 4, 5, 6, 7}), group({0, 1, 2, 3}), group({4, 5, 6, 7}), group({0}),
             group({1}), group({2}), group({3}), group({4}), group({5}), group({6}), group({7})});
  CHECK(ic::with_halves(ic::threshold_components(f1())) ==
        sets{group({0, 1, 2, 3, 4, 5, 6, 7}), group({0, 1, 2, 3}), group({4, 5, 6, 7}),
             group({0, 1}), group({2, 3}), group({4, 5}), group({6, 7}), group({0}), group({1}),
             group({2}), group({3}), group({4}), group({5}), group({6}), group({7})});
}

TEST_CASE("components: halves stop at odd sizes", "[interconnect]") {
  CHECK(ic::with_halves({first(6)}) == sets{first(6), group({0, 1, 2}), group({3, 4, 5})});
  CHECK(ic::with_halves({first(2)}) == sets{first(2)});
}

TEST_CASE("components: latency does not split equal links", "[interconnect]") {
  ic::torus const net{.extents = {4, 4}, .bandwidth = 90_GBps, .latency = mars::seconds{1e-6}};
  CHECK(ic::threshold_components(net).size() == 1 + 16);
}

TEST_CASE("components: partitions of a part of the system refine each other", "[interconnect]") {
  ic::hierarchy const net{.nodes = 2,
                          .accelerators_per_node = 4,
                          .node_bandwidth = 8_GBps,
                          .network_bandwidth = 1_GBps};
  auto const levels = ic::partitions_by_bandwidth(net, group({6, 1, 0, 7}));
  REQUIRE(levels.size() == 3);
  CHECK(levels[0] == sets{group({0}), group({1}), group({6}), group({7})});
  CHECK(levels[1] == sets{group({0, 1}), group({6, 7})});
  CHECK(levels[2] == sets{group({0, 1, 6, 7})});
}

TEST_CASE("components: without the host", "[interconnect]") {
  CHECK(ic::direct_components(f1()) == sets{group({0, 1, 2, 3}), group({4, 5, 6, 7})});
  CHECK(ic::direct_components(ic::switched{.accelerators = 3, .bandwidth = 1_GBps}) ==
        sets{first(3)}); // a network switch does not separate
  CHECK(ic::direct_components(ic::grouped_through_host{
            .groups = {{0}, {2, 1}}, .intra_bandwidth = 1_GBps, .host_bandwidth = 1_GBps}) ==
        sets{group({0}), group({1, 2})});
}
