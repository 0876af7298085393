// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The same transfers in SimGrid, an independent simulator, and in mars: random routes and traffic, ends
// compared activity by activity. Prints the largest relative difference; fails at 1 %.
//
// Where the models coincide: SimGrid's CM02 lets a message wait for the latency of its route, then gives
// it one max–min fair rate along all of it, which is `sharing::max_min_fair` cut through. To make them
// coincide, its corrections for TCP are off (bandwidth-factor, latency-factor, TCP-gamma, weight-S,
// crosstraffic) and all routes have the same latency, because CM02 shares in proportion to 1/latency.
// `network/optim:Full` computes every rate anew at every event; with SimGrid's default, Lazy, it disagrees
// with itself once routes have latencies. It knows neither messages stored and forwarded nor queues.
#include <mars/core/random.hpp>
#include <mars/evaluation/sharing/max_min_fair.hpp>
#include <mars/evaluation/simulator.hpp>

#include <simgrid/s4u.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace {

namespace sg4 = simgrid::s4u;

/// Its second is our microsecond: CM02 weighs flows by 1/latency, and its tolerances want numbers that
/// are neither large nor small.
constexpr double unit = 1e-6;

/// Hosts with a route of one to four random links between every two, and a last link that nothing else
/// crosses: it makes up the latency.
struct topology {
  std::vector<mars::link> links;
  std::vector<std::vector<mars::link_id>> routes; ///< from · hosts + to
  std::size_t hosts{};
};

auto random_topology(mars::random_stream& r) -> topology {
  topology t;
  t.hosts = 2 + r.below(7);
  auto const shared = 1 + r.below(3 * t.hosts);
  bool const ideal = r.chance(0.3);
  for (std::size_t l = 0; l < shared; ++l) {
    auto const bandwidth = 1e9 * static_cast<double>(1 + r.below(100));
    auto const latency = ideal ? 0.0 : 1e-7 * static_cast<double>(r.below(10));
    t.links.push_back({"", {}, {}, mars::bytes_per_second{bandwidth}, mars::seconds{latency}});
  }
  auto const whole = ideal ? 0.0 : 5e-6;
  for (std::size_t i = 0; i < t.hosts * t.hosts; ++i) {
    std::vector<mars::link_id> route;
    double latency = 0;
    for (auto hops = 1 + r.below(4); hops > 0; --hops) {
      mars::link_id const l{r.below(shared)};
      if (std::find(route.begin(), route.end(), l) != route.end()) continue;
      route.push_back(l);
      latency += t.links[l.index()].latency.count();
    }
    route.push_back(mars::link_id{t.links.size()});
    t.links.push_back({"", {}, {}, mars::bytes_per_second{1e15}, mars::seconds{whole - latency}});
    t.routes.push_back(std::move(route));
  }
  return t;
}

/// Transfers and computations, each after up to two others.
struct traffic {
  mars::activity_graph plan;
  std::vector<std::size_t> from, to; ///< of a computation: where
};

auto random_traffic(mars::random_stream& r, topology const& t, std::size_t activities) -> traffic {
  traffic all;
  for (std::size_t i = 0; i < activities; ++i) {
    std::vector<mars::activity_id> after;
    for (auto k = r.below(3); i > 0 && k > 0; --k) after.push_back(mars::activity_id{r.below(i)});
    auto const a = r.below(t.hosts);
    auto const b = (a + 1 + r.below(t.hosts - 1)) % t.hosts;
    all.from.push_back(a);
    all.to.push_back(b);
    if (r.chance(0.2)) {
      std::vector<mars::accelerator_id> const where{mars::accelerator_id{a}};
      all.plan.compute(
          where, mars::picoseconds{1 + static_cast<std::int64_t>(r.below(100'000'000))}, after);
      continue;
    }
    mars::bytes const size{1000 + static_cast<std::int64_t>(r.below(1'000'000))};
    auto const& route = t.routes[a * t.hosts + b];
    auto slowest = t.links[route.front().index()].bandwidth;
    mars::seconds latency{0};
    for (auto const l : route) {
      slowest = std::min(slowest, t.links[l.index()].bandwidth);
      latency += t.links[l.index()].latency;
    }
    all.plan.transfer(route, size, mars::to_picoseconds(latency + size / slowest), after);
  }
  return all;
}

/// One of the two.
struct activity {
  sg4::CommPtr comm;
  sg4::ExecPtr exec;

  [[nodiscard]] auto any() const -> sg4::ActivityPtr {
    return comm ? sg4::ActivityPtr{comm} : sg4::ActivityPtr{exec};
  }
  void precedes(activity const& next) const {
    if (comm)
      comm->add_successor(next.any());
    else
      exec->add_successor(next.any());
  }
};

/// Sets the plan up on hosts of a zone of its own; they start when the engine runs.
auto replay(sg4::NetZone* root, std::string const& name, topology const& t, traffic const& all)
    -> std::vector<activity> {
  auto* zone = sg4::create_full_zone(name);
  zone->set_parent(root);
  std::vector<sg4::Host*> hosts;
  for (std::size_t h = 0; h < t.hosts; ++h)
    hosts.push_back(zone->create_host(name + "-h" + std::to_string(h), 1e12 * unit)->seal());
  std::vector<sg4::Link*> links;
  for (std::size_t l = 0; l < t.links.size(); ++l)
    links.push_back(
        zone->create_link(name + "-l" + std::to_string(l), t.links[l].bandwidth.count() * unit)
            ->set_latency(t.links[l].latency.count() / unit)
            ->seal());
  for (std::size_t a = 0; a < t.hosts; ++a)
    for (std::size_t b = 0; b < t.hosts; ++b) {
      if (a == b) continue;
      std::vector<sg4::LinkInRoute> route;
      for (auto const l : t.routes[a * t.hosts + b]) route.emplace_back(links[l.index()]);
      zone->add_route(hosts[a]->get_netpoint(), hosts[b]->get_netpoint(), nullptr, nullptr, route,
                      false);
    }
  zone->seal();
  std::vector<activity> activities;
  for (std::size_t i = 0; i < all.plan.size(); ++i) {
    mars::activity_id const id{i};
    if (all.plan.kind(id) == mars::activity_kind::compute) {
      auto const exec = sg4::Exec::init();
      exec->set_flops_amount(static_cast<double>(all.plan.duration(id).count()));
      exec->set_host(hosts[all.from[i]]);
      activities.push_back({{}, exec});
    } else {
      auto const comm = sg4::Comm::sendto_init(hosts[all.from[i]], hosts[all.to[i]]);
      comm->set_payload_size(static_cast<std::uint64_t>(all.plan.moved(id).count()));
      activities.push_back({comm, {}});
    }
    auto const after = all.plan.after(id);
    for (std::size_t k = 0; k < after.size(); ++k)
      if (std::find(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(k), after[k]) ==
          after.begin() + static_cast<std::ptrdiff_t>(k))
        activities[after[k].index()].precedes(activities.back());
  }
  return activities;
}

} // namespace

int main(int argc, char** argv) {
  sg4::Engine engine{&argc, argv};
  for (auto const* option :
       {"network/model:CM02", "network/TCP-gamma:0", "network/bandwidth-factor:1",
        "network/latency-factor:1", "network/weight-S:0", "network/crosstraffic:0",
        "surf/precision:1e-12", "maxmin/precision:1e-9", "network/optim:Full"})
    sg4::Engine::set_config(option);
  constexpr std::size_t trials = 60, activities = 60;
  auto* root = sg4::create_full_zone("root");
  mars::random_stream const seed{17};
  std::vector<std::vector<activity>> theirs;
  std::vector<mars::timeline> ours;
  std::size_t slowed = 0;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    auto r = seed.substream(trial);
    auto const t = random_topology(r);
    auto const all = random_traffic(r, t, activities);
    theirs.push_back(replay(root, "t" + std::to_string(trial), t, all));
    ours.push_back(mars::simulate(all.plan, t.links, mars::forwarding_mode::cut_through,
                                  mars::sharing::max_min_fair{}));
    for (std::size_t i = 0; i < activities; ++i)
      slowed += ours.back().end[i] - ours.back().start[i] >
                all.plan.duration(mars::activity_id{i}) + mars::picoseconds{1};
  }
  root->seal();
  for (auto const& plan : theirs)
    for (auto const& a : plan) a.any()->vetoable_start();
  engine.run();

  double worst = 0;
  for (std::size_t trial = 0; trial < trials; ++trial)
    for (std::size_t i = 0; i < activities; ++i) {
      auto const wanted = theirs[trial][i].any()->get_finish_time() * unit;
      auto const found = mars::to_seconds(ours[trial].end[i]).count();
      auto const difference = std::abs(found - wanted) / wanted;
      worst = std::max(worst, wanted > 0 ? difference : 1.0);
    }
  std::printf("%zu activities, %zu slowed down by others; largest difference of an end: %.2e\n",
              trials * activities, slowed, worst);
  return worst < 0.01 && slowed > trials * activities / 10 ? 0 : 1;
}
