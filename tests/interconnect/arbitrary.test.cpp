// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/networks.hpp"

#include <limits>

using namespace mars_test;
using mars::bytes;
using mars::seconds;

namespace {
auto error_path(ic::topology t) -> std::string {
  auto const r = ic::arbitrary::build(std::move(t));
  return r ? "(valid)" : r.error().path;
}
/// 0 → 1 → 2 → 0, one way.
auto one_way() -> ic::topology {
  return {.accelerators = 3,
          .links = {a_link(node(0), node(1), 1_GBps), a_link(node(1), node(2), 1_GBps),
                    a_link(node(2), node(0), 1_GBps)}};
}
} // namespace

TEST_CASE("arbitrary: routes follow the links", "[interconnect]") {
  auto const net = ic::arbitrary::build(one_way()).value();
  CHECK(net.route(acc(0), acc(0)).empty());
  CHECK(net.route(acc(0), acc(1)).size() == 1);
  CHECK(net.route(acc(1), acc(0)).size() == 2);
  CHECK(net.links()[0].name == "a0->a1");
}

TEST_CASE("arbitrary: the fast detour beats the slow link", "[interconnect]") {
  ic::topology t{.accelerators = 2,
                 .links = {a_link(node(0), node(1), 1_GBps), a_link(node(1), node(0), 1_GBps),
                           a_link(node(0), hub(9), 4_GBps), a_link(hub(9), node(1), 4_GBps)}};
  auto const net = ic::arbitrary::build(t).value();
  CHECK(net.route(acc(0), acc(1)).size() == 2);
  CHECK(net.transfer_time(acc(0), acc(1), bytes{4'000'000}).count() == approx(1e-3));
  t.forwarding = mars::forwarding_mode::store_and_forward;
  CHECK(ic::arbitrary::build(t).value().transfer_time(acc(0), acc(1), bytes{4'000'000}).count() ==
        approx(2e-3));
  // For tiny messages the latency of two links outweighs their speed.
  t.links[2].latency = t.links[3].latency = seconds{1e-3};
  t.reference = bytes{10};
  CHECK(ic::arbitrary::build(t).value().route(acc(0), acc(1)).size() == 1);
}

TEST_CASE("arbitrary: accelerators need not forward", "[interconnect]") {
  auto t = one_way();
  t.accelerators_forward = false;
  auto const r = ic::arbitrary::build(t);
  REQUIRE_FALSE(r);
  CHECK(r.error().path == "links");
  CHECK_THAT(r.error().found, contains_text("from accelerator 0 to accelerator 2"));
}

TEST_CASE("arbitrary: agrees with the ring model", "[interconnect]") {
  ic::ring const ring{.accelerators = 7, .bandwidth = 3_GBps, .latency = seconds{1e-6}};
  auto const net =
      ic::arbitrary::build({.accelerators = ring.accelerators, .links = ring.links()}).value();
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < 7; ++j)
      CHECK(net.transfer_time(acc(i), acc(j), bytes{12'345}).count() ==
            approx(ring.transfer_time(acc(i), acc(j), bytes{12'345}).count()));
}

TEST_CASE("arbitrary: errors name the culprit", "[interconnect]") {
  CHECK(error_path(one_way()) == "(valid)");
  for (double const bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    auto t = one_way();
    t.links[2].bandwidth = mars::bytes_per_second{bad};
    CHECK(error_path(t) == "links[2].bandwidth");
  }
  auto t = one_way();
  t.links[1].latency = mars::infinite_seconds;
  CHECK(error_path(t) == "links[1].latency");
  t = one_way();
  t.links[1].to = node(3);
  CHECK(error_path(t) == "links[1].to");
  t = one_way();
  t.links[0].from = node(7);
  CHECK(error_path(t) == "links[0].from");
  t = one_way();
  t.links[0].to = node(0);
  CHECK(error_path(t) == "links[0]");
  t = one_way();
  t.links.pop_back();
  CHECK(error_path(t) == "links");
  CHECK(error_path({}) == "accelerators");
}

TEST_CASE("arbitrary: free links do not make a route wander", "[interconnect]") {
  auto const ideal = mars::bytes_per_second{std::numeric_limits<double>::infinity()};
  ic::topology t{.accelerators = 3};
  for (std::uint32_t i = 0; i < 3; ++i)
    for (std::uint32_t j = 0; j < 3; ++j)
      if (i != j) t.links.push_back(a_link(node(i), node(j), ideal));
  auto const net = ic::arbitrary::build(t).value();
  CHECK(net.route(acc(2), acc(1)).size() == 1);
  CHECK(net.transfer_time(acc(2), acc(1), bytes{1}) == seconds{0});
}
