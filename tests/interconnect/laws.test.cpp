// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/networks.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <span>

using mars::bytes;
using mars::forwarding_mode;
using mars::seconds;
using mars_test::acc;
using mars_test::approx;

TEST_CASE("interconnect laws: routes lead from sender to receiver, over no link twice",
          "[interconnect]") {
  for (auto const& net : mars_test::every_model()) {
    INFO(net.name());
    auto const links = net.links();
    for (std::size_t i = 0; i < net.size(); ++i)
      for (std::size_t j = 0; j < net.size(); ++j) {
        INFO(i << " to " << j);
        auto at = mars_test::node(static_cast<std::uint32_t>(i));
        std::set<mars::link_id> crossed;
        for (auto const id : net.route(acc(i), acc(j))) {
          REQUIRE(id.index() < links.size());
          REQUIRE(links[id.index()].from == at);
          at = links[id.index()].to;
          REQUIRE(crossed.insert(id).second);
        }
        REQUIRE(at == mars_test::node(static_cast<std::uint32_t>(j)));
      }
  }
}

TEST_CASE("interconnect laws: a transfer takes what its route says", "[interconnect]") {
  for (auto const& net : mars_test::every_model()) {
    INFO(net.name());
    auto const links = net.links();
    for (bytes const size : {bytes{0}, bytes{1}, bytes{1'000'000}})
      for (std::size_t i = 0; i < net.size(); ++i)
        for (std::size_t j = 0; j < net.size(); ++j) {
          double latency = 0;
          double sum = 0;
          double slowest = 0;
          for (auto const id : net.route(acc(i), acc(j))) {
            auto const& l = links[id.index()];
            auto const sent = static_cast<double>(size.count()) / l.bandwidth.count();
            latency += l.latency.count();
            sum += sent;
            slowest = std::max(slowest, sent);
          }
          bool const streams = net.forwarding() == forwarding_mode::cut_through;
          REQUIRE(net.transfer_time(acc(i), acc(j), size).count() ==
                  approx(latency + (streams ? slowest : sum)).epsilon(1e-12).margin(0));
        }
  }
}

TEST_CASE("interconnect laws: links have distinct ends and every link is on some route",
          "[interconnect]") {
  for (auto const& net : mars_test::every_model()) {
    INFO(net.name());
    std::set<std::pair<mars::endpoint, mars::endpoint>> ends;
    for (auto const& l : net.links()) {
      CHECK(l.from != l.to);
      CHECK_FALSE(l.name.empty());
      CHECK(l.bandwidth.count() > 0);
      ends.emplace(l.from, l.to);
    }
    if (net.name().rfind("arbitrary", 0) == 0) continue; // may list parallel or useless links
    CHECK(ends.size() == net.links().size());
    std::set<mars::link_id> used;
    for (std::size_t i = 0; i < net.size(); ++i)
      for (std::size_t j = 0; j < net.size(); ++j)
        for (auto const id : net.route(acc(i), acc(j))) used.insert(id);
    CHECK(used.size() == net.links().size());
  }
}

TEST_CASE(
    "interconnect laws: more bytes never take less time; nothing moves for free but to itself",
    "[interconnect]") {
  for (auto const& net : mars_test::every_model())
    for (std::size_t i = 0; i < net.size(); ++i)
      for (std::size_t j = 0; j < net.size(); ++j) {
        auto last = seconds{0};
        for (std::int64_t s = 0; s < 1 << 20; s = s * 3 + 1) {
          auto const t = net.transfer_time(acc(i), acc(j), bytes{s});
          REQUIRE(t >= last);
          REQUIRE((i == j ? t == seconds{0} : (s == 0 || t > seconds{0})));
          last = t;
        }
      }
}

TEST_CASE("interconnect laws: a faster link is never slower", "[interconnect]") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    mars::random_stream r{3, seed};
    auto slow = mars_test::random_topology(r.substream(0), forwarding_mode::store_and_forward);
    // The promise of shortest routes holds for the size they were computed for.
    slow.reference = bytes{1'000'000};
    auto fast = slow;
    auto& chosen = r.pick(fast.links);
    chosen.bandwidth = chosen.bandwidth * (1 + 9 * r.uniform());
    auto const a = mars_test::ic::arbitrary::build(slow).value();
    auto const b = mars_test::ic::arbitrary::build(fast).value();
    for (std::size_t i = 0; i < a.size(); ++i)
      for (std::size_t j = 0; j < a.size(); ++j)
        REQUIRE(b.transfer_time(acc(i), acc(j), slow.reference).count() <=
                a.transfer_time(acc(i), acc(j), slow.reference).count() * (1 + 1e-12));
  }
}

TEST_CASE("interconnect laws: infinite bandwidth leaves the latency", "[interconnect]") {
  auto const ideal = mars::bytes_per_second{std::numeric_limits<double>::infinity()};
  mars_test::ic::switched const net{
      .accelerators = 2, .bandwidth = ideal, .latency = seconds{2e-6}};
  CHECK(net.validate());
  CHECK(net.transfer_time(acc(0), acc(1), bytes{1'000'000}) == seconds{2e-6});
}
