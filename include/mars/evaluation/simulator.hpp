// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/activity.hpp>
#include <mars/evaluation/event_queue.hpp>
#include <mars/evaluation/sharing/concept.hpp>
#include <mars/interconnect/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mars {

/// When everything happened. `never`: it does not end, or waits for what does not.
struct timeline {
  std::vector<picoseconds> start; ///< by activity: all it waits for has ended
  std::vector<picoseconds> end;
  std::vector<link_use> links; ///< by link id
  picoseconds makespan{};      ///< the last end
  std::uint64_t events{};      ///< taken from the queue

  friend auto operator==(timeline const&, timeline const&) -> bool = default;
};

/// Executes a plan: every activity begins once all it waits for has ended; transfers that meet share
/// links as `share` says, with computation and with each other. Activities of one moment are taken by
/// rising id, so the same plan gives the same timeline, everywhere.
///
/// Preconditions: routes name links of `links`. Complexity: O(log n) an event and what the policy
/// takes; memory O(n + waits + links crossed). Where nothing contends, every transfer takes exactly
/// its duration.
template <LinkSharing Sharing, deferred D = when_called>
[[nodiscard]] auto simulate(later<activity_graph, D> const& plan, std::span<link const> links,
                            forwarding_mode forwarding, Sharing const& share)
    -> later<timeline, D> {
  auto const n = plan.size();
  later<timeline, D> seen;
  seen.start.resize(n);
  seen.end.resize(n);

  later<std::vector<std::uint32_t>, D> waiting(n), first(n + 1), next(plan.waits());
  for (std::size_t i = 0; i < n; ++i) {
    auto const before = plan.after(activity_id{i});
    waiting[i] = static_cast<std::uint32_t>(before.size());
    for (auto const b : before) ++first[b.index() + 1];
  }
  for (std::size_t i = 0; i < n; ++i) first[i + 1] += first[i];
  auto place = first;
  for (std::uint32_t i = 0; i < n; ++i)
    for (auto const b : plan.after(activity_id{i})) next[place[b.index()]++] = i;

  later<event_queue, D> events{n};
  later<traffic, D> const moving{plan, links, forwarding};
  auto serving = share(moving);
  auto const moves = [&](activity_id a) {
    return plan.kind(a) == activity_kind::transfer && !plan.places(a).empty();
  };
  auto const begin = [&](activity_id a, picoseconds now) {
    seen.start[a.index()] = now;
    if (moves(a))
      serving.begin(a, now, events);
    else
      events.schedule(a, saturating_add(now, plan.duration(a)));
  };

  for (std::size_t i = 0; i < n; ++i)
    if (waiting[i] == 0) begin(activity_id{i}, picoseconds{});
  while (!events.empty()) {
    auto const now = events.time();
    while (!events.empty() && events.time() == now) {
      auto const a = events.pop();
      ++seen.events;
      if (moves(a) && !serving.advance(a, now, events)) continue;
      seen.end[a.index()] = now;
      for (auto i = first[a.index()]; i < first[a.index() + 1]; ++i)
        if (--waiting[next[i]] == 0) begin(activity_id{next[i]}, now);
    }
    serving.settle(now, events);
    seen.makespan = now;
  }
  std::span<link_use const> const used = serving.used();
  seen.links.assign(used.begin(), used.end());
  return seen;
}

/// On the links of a network.
template <RoutedInterconnect Net, LinkSharing Sharing, deferred D = when_called>
[[nodiscard]] auto simulate(later<activity_graph, D> const& plan, Net const& net,
                            Sharing const& share) -> later<timeline, D> {
  auto const& links = net.links();
  return simulate(plan, std::span<link const>{links}, forwarding_of(net), share);
}

} // namespace mars
