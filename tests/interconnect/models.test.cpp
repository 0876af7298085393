// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/networks.hpp"

#include <limits>

using namespace mars_test;
using mars::bytes;
using mars::error_code;
using mars::forwarding_mode;
using mars::seconds;

namespace {
auto path_of(mars::expected<void> const& r) -> std::string {
  return r ? "(valid)" : r.error().path;
}
auto const not_a_number = std::numeric_limits<double>::quiet_NaN();
template <class Net>
auto ms(Net const& net, std::size_t from, std::size_t to, std::int64_t size) -> double {
  return net.transfer_time(acc(from), acc(to), bytes{size}).count() * 1e3;
}
} // namespace

TEST_CASE("grouped_through_host: F1 by hand", "[interconnect]") {
  auto net = f1();
  CHECK(net.size() == 8);
  CHECK(ms(net, 0, 3, 1'000'000) == approx(1.0)); // 8 Mbit at 8 Gb/s
  CHECK(ms(net, 0, 4, 1'000'000) == approx(8.0)); // 4 ms up, 4 ms down at 2 Gb/s
  net.latency = seconds{1e-3};
  CHECK(ms(net, 0, 3, 1'000'000) == approx(2.0));  // α + 1
  CHECK(ms(net, 0, 4, 1'000'000) == approx(10.0)); // 2α + 8
  net.forwarding = forwarding_mode::cut_through;
  CHECK(ms(net, 0, 4, 1'000'000) == approx(5.0)); // α + 4
  net.host_bandwidths = std::vector<mars::bytes_per_second>(8, 2_Gbps);
  net.host_bandwidths[4] = 1_Gbps;
  CHECK(ms(net, 0, 4, 1'000'000) == approx(9.0)); // α + 8 on the slower half
  CHECK(ms(net, 0, 5, 1'000'000) == approx(5.0));
}

TEST_CASE("grouped_through_host: routes pass the host only between groups", "[interconnect]") {
  auto const net = f1();
  auto const links = net.links();
  CHECK(links.size() == 2 * 4 * 3 + 8 + 8);
  CHECK(net.route(acc(1), acc(1)).empty());
  CHECK(net.route(acc(1), acc(2)).size() == 1);
  auto const across = net.route(acc(1), acc(6));
  REQUIRE(across.size() == 2);
  CHECK(links[across[0].index()].name == "a1->host0");
  CHECK(links[across[1].index()].name == "host0->a6");
}

TEST_CASE("grouped_through_host: singles all go through the host", "[interconnect]") {
  ic::grouped_through_host const net{.groups = {{0}, {1}, {2}}, .host_bandwidth = 1_GBps};
  CHECK(net.validate());
  CHECK(net.links().size() == 6);
  CHECK(ms(net, 0, 2, 1'000'000) == approx(2.0));
}

TEST_CASE("grouped_through_host: errors name the culprit", "[interconnect]") {
  CHECK(path_of(f1().validate()) == "(valid)");
  auto net = f1();
  net.groups[1][2] = 3;
  CHECK(path_of(net.validate()) == "groups[1][2]");
  CHECK(net.validate().error().code == error_code::duplicate);
  net = f1();
  net.groups[0][1] = 8;
  CHECK(path_of(net.validate()) == "groups[0][1]");
  CHECK(net.validate().error().code == error_code::out_of_range);
  net = f1();
  net.host_bandwidth = mars::bytes_per_second{not_a_number};
  CHECK(path_of(net.validate()) == "host_bandwidth");
  net = f1();
  net.intra_bandwidth = mars::bytes_per_second{0};
  CHECK(path_of(net.validate()) == "intra_bandwidth");
  net = f1();
  net.host_bandwidths = {1_GBps};
  CHECK(net.validate().error().code == error_code::shape_mismatch);
  net.host_bandwidths.assign(8, 1_GBps);
  net.host_bandwidths[5] = mars::bytes_per_second{-1};
  CHECK(path_of(net.validate()) == "host_bandwidths[5]");
  net = f1();
  net.latency = seconds{-1};
  CHECK(path_of(net.validate()) == "latency");
  CHECK(path_of(ic::grouped_through_host{}.validate()) == "groups");
}

TEST_CASE("fully_connected: by hand", "[interconnect]") {
  ic::fully_connected const net{.accelerators = 4, .bandwidth = 8_Gbps, .latency = seconds{1e-3}};
  CHECK(ms(net, 2, 0, 2'000'000) == approx(3.0));
  CHECK(net.links().size() == 12);
  CHECK(path_of(ic::fully_connected{.bandwidth = 1_GBps}.validate()) == "accelerators");
  CHECK(path_of(ic::fully_connected{.accelerators = 100'000, .bandwidth = 1_GBps}.validate()) ==
        "accelerators");
  CHECK(path_of(ic::fully_connected{.accelerators = 2}.validate()) == "bandwidth");
  CHECK(path_of(ic::fully_connected{2, 1_GBps, mars::infinite_seconds}.validate()) == "latency");
}

TEST_CASE("ring: the shorter way", "[interconnect]") {
  ic::ring net{.accelerators = 8, .bandwidth = 1_GBps, .latency = seconds{1e-3}};
  CHECK(net.links().size() == 16);
  CHECK(net.route(acc(7), acc(0)).size() == 1);
  CHECK(net.route(acc(1), acc(6)).size() == 3);
  CHECK(net.route(acc(0), acc(4)).size() == 4);
  CHECK(net.links()[net.route(acc(0), acc(4))[0].index()].name == "a0->a1"); // upwards on a tie
  CHECK(ms(net, 1, 6, 1'000'000) == approx(3 + 1));
  net.forwarding = forwarding_mode::store_and_forward;
  CHECK(ms(net, 1, 6, 1'000'000) == approx(3 + 3));
  CHECK(path_of(ic::ring{0, 1_GBps}.validate()) == "accelerators");
}

TEST_CASE("mesh: distances and dimension order", "[interconnect]") {
  ic::mesh const net{.extents = {3, 4}, .bandwidth = 1_GBps};
  CHECK(net.size() == 12);
  CHECK(net.links().size() == 2 * (2 * 4 + 3 * 3)); // 8 vertical and 9 horizontal neighbours
  auto const links = net.links();
  auto const route = net.route(acc(0), acc(6)); // (0,0) to (1,2)
  REQUIRE(route.size() == 3);
  CHECK(links[route[0].index()].name == "a0->a4"); // the first dimension first
  CHECK(links[route[1].index()].name == "a4->a5");
  CHECK(links[route[2].index()].name == "a5->a6");
  CHECK(net.route(acc(0), acc(11)).size() == 5);
  CHECK(path_of(ic::mesh{{}, 1_GBps}.validate()) == "extents");
  CHECK(path_of(ic::mesh{{3, 0}, 1_GBps}.validate()) == "extents[1]");
  CHECK(path_of(ic::mesh{{4'000'000'000U, 4'000'000'000U, 16}, 1_GBps}.validate()) == "extents");
}

TEST_CASE("torus: wraps where told", "[interconnect]") {
  ic::torus net{.extents = {4, 4}, .bandwidth = 1_GBps};
  CHECK(net.links().size() == 64); // four links a chip, as TPU v5e
  CHECK(net.route(acc(0), acc(15)).size() == 2);
  net.wrap = {false, true};
  CHECK(net.links().size() == 2 * 12 + 2 * 16);
  CHECK(net.route(acc(0), acc(15)).size() == 3 + 1);
  CHECK(path_of(net.validate()) == "(valid)");
  net.wrap = {true};
  CHECK(path_of(net.validate()) == "wrap");
  CHECK(ic::torus{.extents = {2, 2}, .bandwidth = 1_GBps}.links().size() == 8);
}

TEST_CASE("switched: the slower port counts", "[interconnect]") {
  ic::switched net{.accelerators = 3, .bandwidths = {1_GBps, 2_GBps, 4_GBps}};
  CHECK(ms(net, 1, 2, 4'000'000) == approx(2.0));
  CHECK(ms(net, 2, 0, 4'000'000) == approx(4.0));
  net.forwarding = forwarding_mode::store_and_forward;
  CHECK(ms(net, 1, 2, 4'000'000) == approx(2.0 + 1.0));
  net.bandwidths[1] = mars::bytes_per_second{0};
  CHECK(path_of(net.validate()) == "bandwidths[1]");
  net.bandwidths.pop_back();
  CHECK(path_of(net.validate()) == "bandwidths");
}

TEST_CASE("hierarchy: a card for each accelerator", "[interconnect]") {
  ic::hierarchy const net{.nodes = 2,
                          .accelerators_per_node = 8,
                          .node_bandwidth = 450_GBps,
                          .node_latency = seconds{1e-5},
                          .network_bandwidth = 50_GBps,
                          .network_latency = seconds{2e-5}};
  CHECK(net.size() == 16);
  CHECK(ms(net, 0, 7, 450'000'000) == approx(1.01));
  CHECK(ms(net, 7, 8, 50'000'000) == approx(1.02));
  CHECK(net.links().size() == 64);
  auto bad = net;
  bad.network_bandwidth = mars::bytes_per_second{not_a_number};
  CHECK(path_of(bad.validate()) == "network_bandwidth");
  bad.nodes = 1;
  CHECK(path_of(bad.validate()) == "(valid)"); // nothing uses the network
}

TEST_CASE("fat_tree: up to the lowest common switch", "[interconnect]") {
  ic::fat_tree const net{
      .arity = {2, 2}, .bandwidth = {4_GBps, 1_GBps}, .latency = {seconds{1e-3}, seconds{2e-3}}};
  CHECK(net.size() == 4);
  CHECK(net.links().size() == 2 * 4 + 2 * 2);
  CHECK(ms(net, 0, 1, 4'000'000) == approx(2 * 1 + 1));
  CHECK(ms(net, 0, 2, 4'000'000) == approx(2 * 1 + 2 * 2 + 4));
  CHECK(net.route(acc(0), acc(3)).size() == 4);
  CHECK(path_of(ic::fat_tree{{2, 0}, {1_GBps, 1_GBps}, {}}.validate()) == "arity[1]");
  CHECK(path_of(ic::fat_tree{{2, 2}, {1_GBps}, {}}.validate()) == "bandwidth");
  CHECK(path_of(ic::fat_tree{{2}, {1_GBps}, {seconds{not_a_number}}}.validate()) == "latency[0]");
}

TEST_CASE("any_interconnect: shares and repeats its model", "[interconnect]") {
  mars::any_interconnect const net{f1()};
  auto const copy = net;
  CHECK(copy.name() == "grouped through host");
  CHECK(copy.links().data() == net.links().data());
  CHECK(ms(copy, 0, 4, 1'000'000) == approx(8.0));
  CHECK(forwarding_of(copy) == forwarding_mode::store_and_forward);
  CHECK(mars::any_interconnect{f1(), "F1"}.name() == "F1");
}
