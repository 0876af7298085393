// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/networks.hpp"

#include <mars/collective.hpp>

#include <algorithm>
#include <string>

using namespace mars_test;
using mars::bytes;
using mars::collective_kind;
using mars::seconds;
namespace co = mars::collective;

namespace {
template <class F>
void with_every_algorithm(F const& f) {
  f(co::ring{}, "ring");
  f(co::tree{}, "tree");
  f(co::halving_doubling{}, "halving doubling");
  f(co::direct{}, "direct");
  f(co::hierarchical<>{}, "hierarchical");
  f(co::standard{}, "standard");
}
} // namespace

TEST_CASE("collective laws: no algorithm beats the bound of a member's own ports", "[collective]") {
  // Each member must send and receive so much whatever is done (Chan et al., 2007); S in bytes, b
  // of every port. A network of full-duplex ports cannot do better with any schedule that is one
  // message in, one out; `switched` is that network.
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    mars::random_stream r{21, seed};
    auto const g = 2 + static_cast<std::size_t>(r.below(8));
    auto const size = bytes{1 + static_cast<std::int64_t>(r.below(10'000'000))};
    ic::switched const port{.accelerators = g, .bandwidth = 1_GBps};
    ic::ring const ring{.accelerators = g, .bandwidth = 1_GBps};
    auto const whole = static_cast<double>(size.count()) / 1e9;
    auto const n = static_cast<double>(g);
    with_every_algorithm([&](auto const& m, char const* name) {
      INFO(name << " of " << g << ", " << size.count() << " B");
      auto const all = first(g);
      auto const slack = 1 - 1e-12;
      CHECK(m.time(port, collective_kind::all_reduce, all, size).count() >=
            2 * (n - 1) / n * whole * slack);
      CHECK(m.time(port, collective_kind::all_gather, all, size).count() >=
            (n - 1) / n * whole * slack);
      CHECK(m.time(port, collective_kind::reduce_scatter, all, size).count() >=
            (n - 1) / n * whole * slack);
      CHECK(m.time(port, collective_kind::all_to_all, all, size).count() >=
            (n - 1) / n * whole * slack);
      CHECK(m.time(port, collective_kind::broadcast, all, size).count() >= whole * slack);
      CHECK(m.time(port, collective_kind::shift, all, size).count() >= whole * slack);
      // A member of a bidirectional ring has two ports, so half the time is the bound there.
      CHECK(m.time(ring, collective_kind::all_reduce, all, size).count() >=
            (n - 1) / n * whole * slack);
    });
    // The ring algorithm uses one of them: mars.md's formula is its bound too.
    CHECK(co::ring{}.time(ring, collective_kind::all_reduce, first(g), size).count() >=
          2 * (n - 1) / n * whole * (1 - 1e-12));
  }
}

TEST_CASE("collective laws: latency counts at least the rounds information needs", "[collective]") {
  // In one-in, one-out rounds, g members need ⌈log₂ g⌉ of them to hear of each other.
  for (std::size_t g = 2; g <= 9; ++g) {
    ic::switched const net{.accelerators = g, .bandwidth = 1_GBps, .latency = seconds{1}};
    auto const rounds = g <= 2 ? 1.0 : g <= 4 ? 2.0 : g <= 8 ? 3.0 : 4.0;
    with_every_algorithm([&](auto const& m, char const* name) {
      INFO(name << " of " << g);
      for (auto const k : mars::all_collective_kinds)
        if (k != collective_kind::shift)
          CHECK(m.time(net, k, first(g), bytes{0}).count() >= rounds);
    });
  }
}

TEST_CASE("collective laws: faster links never hurt, more bytes never help", "[collective]") {
  for (auto const k : mars::all_collective_kinds)
    with_every_algorithm([&](auto const& m, char const* name) {
      INFO(name << ", " << mars::kind_name(k));
      auto last = seconds{0};
      for (std::int64_t s = 1; s < 1 << 24; s *= 5) {
        auto const t = m.time(f1(), k, first(8), bytes{s});
        CHECK(t >= last);
        last = t;
        auto faster = f1();
        faster.intra_bandwidth = 16_Gbps;
        CHECK(m.time(faster, k, first(8), bytes{s}) <= t);
        faster.host_bandwidth = 3_Gbps;
        CHECK(m.time(faster, k, first(8), bytes{s}) <= t);
      }
    });
}

TEST_CASE("collective laws: the order of the group does not matter", "[collective]") {
  mars::random_stream r{4};
  for (auto const& net : every_model()) {
    if (net.size() < 4) continue;
    auto members = first(net.size());
    for (auto const k : mars::all_collective_kinds)
      with_every_algorithm([&](auto const& m, char const* name) {
        INFO(net.name() << ", " << name << ", " << mars::kind_name(k));
        auto shuffled = members;
        r.shuffle(shuffled);
        if (k == collective_kind::broadcast) // its root must stay first
          std::swap(shuffled.front(), *std::find(shuffled.begin(), shuffled.end(), acc(0)));
        auto const t = m.time(net, k, members, bytes{10'000}).count();
        CHECK(t > 0);
        CHECK(m.time(net, k, shuffled, bytes{10'000}).count() == approx(t).epsilon(1e-12));
      });
  }
}

TEST_CASE("collective laws: the standard is the best of its parts", "[collective]") {
  for (auto const& net : every_model())
    for (auto const k : mars::all_collective_kinds)
      with_every_algorithm([&](auto const& m, char const* name) {
        INFO(net.name() << ", " << name << ", " << mars::kind_name(k));
        auto const all = first(net.size());
        CHECK(co::standard{}.time(net, k, all, bytes{50'000}) <=
              m.time(net, k, all, bytes{50'000}));
      });
}

TEST_CASE("collective laws: routes can only add to the time", "[collective]") {
  /// The same network without its routes: contention is not seen.
  struct blind {
    mars::any_interconnect net;
    [[nodiscard]] auto size() const -> std::size_t { return net.size(); }
    [[nodiscard]] auto transfer_time(mars::accelerator_id a, mars::accelerator_id b, bytes s) const
        -> seconds {
      return net.transfer_time(a, b, s);
    }
  };
  for (auto const& net : every_model())
    for (auto const k : mars::all_collective_kinds)
      with_every_algorithm([&](auto const& m, char const* name) {
        INFO(net.name() << ", " << name << ", " << mars::kind_name(k));
        auto const all = first(net.size());
        CHECK(m.time(net, k, all, bytes{50'000}).count() >=
              m.time(blind{net}, k, all, bytes{50'000}).count() * (1 - 1e-12));
      });
}
