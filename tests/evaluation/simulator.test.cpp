// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulator against hand calculation, against its laws, and against the fluid model written down
// without any of the shortcuts.
#include "support/catch.hpp"

#include "support/tiny_systems.hpp"

#include <mars/core/random.hpp>
#include <mars/evaluation/sharing/detail/fair_rates.hpp>
#include <mars/evaluation/sharing/fifo.hpp>
#include <mars/evaluation/sharing/max_min_fair.hpp>
#include <mars/evaluation/simulator.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace {
using namespace mars;

static_assert(LinkSharing<sharing::fifo> && LinkSharing<sharing::max_min_fair>);

using waits = std::vector<activity_id>;
using accelerators = std::vector<accelerator_id>;
using ids = std::vector<link_id>;

constexpr auto through = forwarding_mode::cut_through;
constexpr auto whole = forwarding_mode::store_and_forward;

/// Carries one byte in `per_byte` picoseconds, after `latency` picoseconds.
auto wire(double per_byte, double latency = 0) -> mars::link {
  return {"", {}, {}, bytes_per_second{1e12 / per_byte}, seconds{latency * 1e-12}};
}
auto ends(timeline const& t) -> std::vector<std::int64_t> {
  std::vector<std::int64_t> all;
  for (auto const e : t.end) all.push_back(e.count());
  return all;
}
using numbers = std::vector<std::int64_t>;

/// Transfers between random pairs, each after up to two others, and computations among them.
auto random_plan(random_stream& r, any_interconnect const& net, std::size_t n,
                 std::int64_t most_bytes) -> activity_graph {
  activity_graph plan;
  auto const m = net.size();
  for (std::size_t i = 0; i < n; ++i) {
    waits after;
    for (auto k = r.below(3); i > 0 && k > 0; --k) after.push_back(activity_id{r.below(i)});
    auto const a = r.below(m);
    auto const b = r.below(m);
    auto const size = static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(most_bytes)));
    if (r.chance(0.2))
      plan.compute(accelerators{accelerator_id{a}}, picoseconds{size * 100'000}, after);
    else
      add_transfer(plan, net, accelerator_id{a}, accelerator_id{b}, bytes{size}, after);
  }
  return plan;
}

/// Every flow's rate, by filling all of them at once.
auto fair_by_definition(std::vector<std::vector<std::uint32_t>> const& routes,
                        std::vector<double> const& capacity) -> std::vector<double> {
  std::vector<double> rate(routes.size(), -1);
  auto rest = capacity;
  for (std::size_t left = routes.size(); left > 0;) {
    std::vector<std::size_t> waiting(capacity.size());
    for (std::size_t f = 0; f < routes.size(); ++f)
      for (auto const l : routes[f]) waiting[l] += rate[f] < 0;
    auto least = std::numeric_limits<double>::infinity();
    std::size_t tightest = 0;
    for (std::size_t l = 0; l < capacity.size(); ++l)
      if (waiting[l] > 0 && rest[l] / static_cast<double>(waiting[l]) < least) {
        least = rest[l] / static_cast<double>(waiting[l]);
        tightest = l;
      }
    for (std::size_t f = 0; f < routes.size(); ++f) {
      if (rate[f] >= 0 ||
          std::find(routes[f].begin(), routes[f].end(), tightest) == routes[f].end())
        continue;
      rate[f] = least;
      --left;
      for (auto const l : routes[f]) rest[l] -= least;
    }
  }
  return rate;
}

/// Ends of all activities under max–min fair sharing: all rates anew at every event, in seconds.
auto fluid_ends(activity_graph const& plan, std::span<mars::link const> links, forwarding_mode mode)
    -> std::vector<double> {
  struct state {
    bool begun{};
    bool ended{};
    std::size_t hop{};
    double quiet{}; ///< seconds of latency or computation left
    double left{};  ///< bytes
    double end{};
  };
  std::vector<state> all(plan.size());
  std::vector<double> capacity;
  for (auto const& l : links) capacity.push_back(l.bandwidth.count());
  double now = 0;
  for (std::size_t open = plan.size(); open > 0;) {
    auto const enter = [&](std::size_t i, std::size_t hop) {
      activity_id const a{i};
      auto& s = all[i];
      s.hop = hop;
      s.left = static_cast<double>(plan.moved(a).count());
      s.quiet = plan.places(a).empty() || plan.kind(a) == activity_kind::compute
                    ? to_seconds(plan.duration(a)).count()
                    : 0;
      if (plan.kind(a) == activity_kind::transfer)
        for (std::size_t k = hop; k < plan.places(a).size(); ++k)
          if (mode == through || k == hop) s.quiet += links[plan.places(a)[k]].latency.count();
    };
    for (bool again = true; again;) {
      again = false;
      for (std::size_t i = 0; i < plan.size(); ++i) {
        activity_id const a{i};
        auto& s = all[i];
        auto const after = plan.after(a);
        if (!s.begun &&
            std::all_of(after.begin(), after.end(), [&](auto b) { return all[b.index()].ended; })) {
          s.begun = again = true;
          enter(i, 0);
        }
        if (!s.begun || s.ended || s.quiet > 0) continue;
        bool const moves = plan.kind(a) == activity_kind::transfer && !plan.places(a).empty();
        if (moves && s.left > 1e-6) continue;
        again = true;
        if (moves && mode == whole && s.hop + 1 < plan.places(a).size()) {
          enter(i, s.hop + 1);
        } else {
          s.ended = true;
          s.end = now;
          --open;
        }
      }
    }
    std::vector<std::size_t> flows;
    std::vector<std::vector<std::uint32_t>> routes;
    auto step = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < plan.size(); ++i) {
      auto const& s = all[i];
      if (!s.begun || s.ended) continue;
      if (s.quiet > 0) {
        step = std::min(step, s.quiet);
        continue;
      }
      auto const route = plan.places(activity_id{i});
      flows.push_back(i);
      if (mode == through)
        routes.emplace_back(route.begin(), route.end());
      else
        routes.push_back({route[s.hop]});
    }
    auto const rates = fair_by_definition(routes, capacity);
    for (std::size_t f = 0; f < flows.size(); ++f)
      step = std::min(step, all[flows[f]].left / rates[f]);
    if (open == 0) break;
    now += step;
    for (auto& s : all)
      if (s.begun && !s.ended && s.quiet > 0) s.quiet = s.quiet - step < 1e-15 ? 0 : s.quiet - step;
    for (std::size_t f = 0; f < flows.size(); ++f) all[flows[f]].left -= rates[f] * step;
  }
  std::vector<double> out;
  for (auto const& s : all) out.push_back(s.end);
  return out;
}

} // namespace

TEST_CASE("events come by time, then by id") {
  random_stream r{13};
  event_queue events{50};
  std::map<std::uint32_t, std::int64_t> planned;
  for (int step = 0; step < 5000; ++step) {
    activity_id const a{r.below(50)};
    auto const what = r.below(10);
    if (what < 5) {
      planned[a.value] = static_cast<std::int64_t>(r.below(20));
      events.schedule(a, picoseconds{planned[a.value]});
    } else if (what < 7) {
      planned.erase(a.value);
      events.cancel(a);
    } else if (!planned.empty()) {
      auto const next =
          std::min_element(planned.begin(), planned.end(), [](auto const& x, auto const& y) {
            return std::pair{x.second, x.first} < std::pair{y.second, y.first};
          });
      REQUIRE(events.time().count() == next->second);
      REQUIRE(events.pop().value == next->first);
      planned.erase(next);
    }
    REQUIRE(events.empty() == planned.empty());
  }
}

TEST_CASE("nothing to do takes no time") {
  activity_graph const none;
  auto const t = simulate(none, {}, through, sharing::max_min_fair{});
  CHECK(t == timeline{});

  std::vector<mars::link> const links{wire(1, 5)};
  activity_graph plan;
  auto const join = plan.join({});
  auto const here = plan.transfer({}, bytes{100}, picoseconds{0}, waits{join});
  plan.transfer(ids{link_id{0}}, bytes{0}, picoseconds{5}, waits{here}); // latency is paid
  plan.delay(picoseconds{3}, waits{join});
  for (auto const mode : {through, whole}) {
    CHECK(ends(simulate(plan, links, mode, sharing::max_min_fair{})) == numbers{0, 0, 5, 3});
    CHECK(ends(simulate(plan, links, mode, sharing::fifo{})) == numbers{0, 0, 5, 3});
  }
}

TEST_CASE("what never ends keeps waiting what waits for it, and nothing else") {
  std::vector<mars::link> const links{wire(1)};
  activity_graph plan;
  auto const stuck = plan.compute(accelerators{accelerator_id{0}}, never, {});
  plan.transfer(ids{link_id{0}}, bytes{10}, picoseconds{10}, waits{stuck});
  plan.transfer(ids{link_id{0}}, bytes{10}, picoseconds{10}, {});
  auto const t = simulate(plan, links, through, sharing::max_min_fair{});
  CHECK(ends(t) == numbers{never.count(), never.count(), 10});
  CHECK(t.makespan == never);
  CHECK(simulate(plan, links, through, sharing::fifo{}).end == t.end);
}

TEST_CASE("an accelerator runs one computation at a time, as they were added") {
  activity_graph plan;
  accelerators const zero{accelerator_id{0}}, both{accelerator_id{0}, accelerator_id{1}};
  accelerators const one{accelerator_id{1}};
  auto const late = plan.delay(picoseconds{100}, {});
  plan.compute(one, picoseconds{10}, {});                // 0–10
  plan.compute(both, picoseconds{5}, waits{late});       // 100–105
  plan.compute(zero, picoseconds{7}, {});                // 105–112, though it could begin at once
  auto const exchange = plan.delay(picoseconds{20}, {}); // 0–20
  plan.occupy(one, exchange);
  plan.compute(one, picoseconds{1}, {}); // 20–21: `occupy` replaces what was last
  auto const t = simulate(plan, {}, through, sharing::fifo{});
  CHECK(ends(t) == numbers{100, 10, 105, 112, 20, 21});
}

TEST_CASE("two messages share a link: hand calculation") {
  // 1 ps a byte, no latency: 100 bytes from 0, 100 bytes from 50.
  std::vector<mars::link> const links{wire(1), wire(2, 10)};
  activity_graph plan;
  ids const first{link_id{0}};
  plan.transfer(first, bytes{100}, picoseconds{100}, {});
  auto const then = plan.delay(picoseconds{50}, {});
  plan.transfer(first, bytes{100}, picoseconds{100}, waits{then});

  // Fair: 50 left each of 100 at t = 50, half speed: the first ends at 150, the other at 200.
  auto const fair = simulate(plan, links, through, sharing::max_min_fair{});
  CHECK(ends(fair) == numbers{150, 50, 200});
  auto const fifo = simulate(plan, links, through, sharing::fifo{});
  CHECK(ends(fifo) == numbers{100, 50, 200});
  for (auto const* t : {&fair, &fifo}) {
    CHECK(t->links[0] == link_use{bytes{200}, picoseconds{200}});
    CHECK(t->links[1] == link_use{});
  }

  // Over both links the slower one limits, 2 ps a byte; what it leaves of the first, others take.
  activity_graph mixed;
  mixed.transfer(ids{link_id{0}, link_id{1}}, bytes{100}, picoseconds{210}, {});
  mixed.transfer(first, bytes{60}, picoseconds{60}, {});
  // Cut through: the long one pays 10 first, then flows at 1/2; the short one has 1 for 10 ps, then
  // 1/2 for 100 ps more.
  CHECK(ends(simulate(mixed, links, through, sharing::max_min_fair{})) == numbers{210, 110});
  // Queued: the head is at the first link at 0, before the short one of a larger id, and keeps it
  // for the 200 ps that the slower link needs.
  CHECK(ends(simulate(mixed, links, through, sharing::fifo{})) == numbers{210, 260});

  // Stored: 60 bytes each take 120 ps on the first, then 40 more; 10 + 200 on the second.
  activity_graph stored;
  stored.transfer(ids{link_id{0}, link_id{1}}, bytes{100}, picoseconds{310}, {});
  stored.transfer(first, bytes{60}, picoseconds{60}, {});
  auto const t = simulate(stored, links, whole, sharing::max_min_fair{});
  CHECK(ends(t) == numbers{370, 120});
  CHECK(t.links[0] == link_use{bytes{160}, picoseconds{160}});
  CHECK(t.links[1] == link_use{bytes{100}, picoseconds{200}});
  CHECK(ends(simulate(stored, links, whole, sharing::fifo{})) == numbers{310, 160});
}

TEST_CASE("a transfer that meets nobody takes its time to the picosecond") {
  random_stream const root{3};
  std::size_t moved = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const net = mars_test::random_interconnect(r, 2 + r.below(9));
    activity_graph plan;
    waits last;
    std::int64_t sum = 0;
    for (int k = 0; k < 8; ++k) {
      accelerator_id const a{r.below(net.size())};
      accelerator_id const b{r.below(net.size())};
      bytes const size{static_cast<std::int64_t>(r.below(r.chance(0.5) ? 50 : 10'000'000))};
      last = {add_transfer(plan, net, a, b, size, last)};
      auto const alone = to_picoseconds(net.transfer_time(a, b, size)).count();
      CHECK(plan.duration(last[0]).count() == alone);
      sum += alone;
      moved += alone > 0;
    }
    auto const fair = simulate(plan, net, sharing::max_min_fair{});
    auto const fifo = simulate(plan, net, sharing::fifo{});
    CHECK(fair.makespan.count() == sum);
    CHECK(fifo.end == fair.end);
    CHECK(fifo.start == fair.start);
  }
  CHECK(moved > 1000);
}

TEST_CASE("rates are max-min fair whatever came and went before") {
  random_stream const root{5};
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const count = 1 + r.below(12);
    std::vector<mars::link> links;
    for (std::size_t l = 0; l < count; ++l) {
      bool const ideal = r.chance(0.05);
      links.push_back(wire(static_cast<double>(1 + r.below(5))));
      if (ideal) links.back().bandwidth = bytes_per_second{std::numeric_limits<double>::infinity()};
    }
    struct stream {
      std::vector<std::uint32_t> route;
      std::size_t flows{};
      double rate{};
    };
    detail::fair_rates<> rates{links};
    std::vector<stream> streams;
    for (int event = 0; event < 80; ++event) {
      for (auto changes = 1 + r.below(3); changes > 0; --changes) {
        if (streams.empty() || r.chance(0.15)) {
          std::vector<std::uint32_t> route;
          for (std::uint32_t l = 0; l < count; ++l)
            if (r.chance(0.3)) route.push_back(l);
          rates.add_stream(route);
          streams.push_back({route, 0, 0.0});
        }
        auto const number = static_cast<std::uint32_t>(r.below(streams.size()));
        auto& s = streams[number];
        if (s.flows > 0 && r.chance(0.5)) {
          rates.leave(number);
          if (--s.flows == 0) s.rate = 0;
        } else if (rates.full(number) < std::numeric_limits<double>::infinity()) {
          rates.join(number);
          ++s.flows;
        }
      }
      for (auto const& c : rates.settle()) {
        REQUIRE(streams[c.stream].flows > 0);
        streams[c.stream].rate = c.rate;
      }

      std::vector<double> load(count), fastest(count);
      for (auto const& s : streams)
        for (auto const l : s.route) {
          load[l] += s.rate * static_cast<double>(s.flows);
          fastest[l] = std::max(fastest[l], s.rate);
        }
      for (std::size_t l = 0; l < count; ++l)
        CHECK(load[l] <= links[l].bandwidth.count() * 1e-12 * (1 + 1e-8));
      for (auto const& s : streams) {
        if (s.flows == 0) continue;
        CHECK(std::any_of(s.route.begin(), s.route.end(), [&](auto l) {
          return load[l] >= links[l].bandwidth.count() * 1e-12 * (1 - 1e-8) &&
                 s.rate >= fastest[l] * (1 - 1e-8);
        }));
      }
    }
  }
}

TEST_CASE("the simulator is the fluid model") {
  random_stream const root{7};
  std::size_t slowed = 0;
  for (std::uint64_t trial = 0; trial < 120; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const net = mars_test::random_interconnect(r, 2 + r.below(7));
    CAPTURE(net.name(), net.size());
    auto const plan = random_plan(r, net, 30, 100'000);
    auto const t = simulate(plan, net, sharing::max_min_fair{});
    auto const wanted = fluid_ends(plan, net.links(), net.forwarding());
    for (std::size_t i = 0; i < plan.size(); ++i) {
      CAPTURE(i);
      // Whole picoseconds: half of one is lost at most at each change of a rate.
      CHECK(std::abs(static_cast<double>(t.end[i].count()) - wanted[i] * 1e12) < 1000);
      slowed += t.end[i] - t.start[i] > plan.duration(activity_id{i});
    }
  }
  CHECK(slowed > 500);
}

TEST_CASE("laws of links: every byte arrives, none faster than alone, none beyond a bandwidth") {
  random_stream const root{9};
  for (std::uint64_t trial = 0; trial < 150; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const net = mars_test::random_interconnect(r, 2 + r.below(9));
    auto const plan = random_plan(r, net, 60, 100'000);
    auto const links = net.links();
    std::vector<std::int64_t> carried(links.size());
    for (std::size_t i = 0; i < plan.size(); ++i)
      if (activity_id const a{i}; plan.kind(a) == activity_kind::transfer)
        for (auto const l : plan.places(a)) carried[l] += plan.moved(a).count();
    auto const check = [&](auto policy) {
      auto const t = simulate(plan, net, policy);
      CHECK(t == simulate(plan, net, policy));
      for (std::size_t l = 0; l < links.size(); ++l) {
        CHECK(t.links[l].carried.count() == carried[l]);
        CHECK(t.links[l].busy <= t.makespan);
        auto const least = to_picoseconds(t.links[l].carried / links[l].bandwidth);
        CHECK(t.links[l].busy + picoseconds{500} >= least);
      }
      for (std::size_t i = 0; i < plan.size(); ++i) {
        activity_id const a{i};
        for (auto const b : plan.after(a)) CHECK(t.start[i] >= t.end[b.index()]);
        CHECK(t.end[i] - t.start[i] + picoseconds{100} >= plan.duration(a));
        if (plan.kind(a) == activity_kind::compute)
          CHECK(t.end[i] - t.start[i] == plan.duration(a));
      }
    };
    check(sharing::max_min_fair{});
    check(sharing::fifo{});
  }
}

TEST_CASE("on one link nobody's order of service changes when the last is done") {
  // Both policies keep a link busy while anything waits.
  random_stream const root{11};
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    std::vector<mars::link> const links{wire(static_cast<double>(1 + r.below(9)))};
    activity_graph plan;
    for (int k = 0; k < 20; ++k) {
      auto const arrival = plan.delay(picoseconds{static_cast<std::int64_t>(r.below(3000))}, {});
      bytes const size{static_cast<std::int64_t>(r.below(100))};
      plan.transfer(ids{link_id{0}}, size, to_picoseconds(size / links[0].bandwidth),
                    waits{arrival});
    }
    auto const fair = simulate(plan, links, whole, sharing::max_min_fair{});
    auto const fifo = simulate(plan, links, whole, sharing::fifo{});
    CHECK(std::abs((fair.makespan - fifo.makespan).count()) <= 40);
    CHECK(std::abs((fair.links[0].busy - fifo.links[0].busy).count()) <= 40);
  }
}
