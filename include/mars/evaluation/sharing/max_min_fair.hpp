// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/event_queue.hpp>
#include <mars/evaluation/sharing/detail/fair_rates.hpp>
#include <mars/evaluation/sharing/traffic.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mars {

namespace detail {

/// Messages as flows: on all links of the route at one rate where messages cut through, else on one
/// link after another.
template <deferred D = when_called>
class fair_links {
public:
  explicit fair_links(later<traffic, D> const& t)
      : traffic_{&t},
        rates_{t.links()},
        used_(t.links().size()),
        busy_since_(t.links().size()),
        progress_(t.plan().size()) {}

  void begin(activity_id a, picoseconds now, later<event_queue, D>& events) {
    enter(a, 0, now, events);
  }
  auto advance(activity_id a, picoseconds now, later<event_queue, D>& events) -> bool {
    auto& p = progress_[a.index()];
    if (p.flow == none) { // its latency is over
      if (way(a).sending > picoseconds{}) return join(a, now, events), false;
    } else {
      leave(a, now);
    }
    auto const hops = traffic_->plan().places(a).size();
    auto const done = traffic_->cuts_through() ? hops : p.hop + std::size_t{1};
    for (auto k = std::size_t{p.hop}; k < done; ++k)
      used_[traffic_->plan().places(a)[k]].carried += traffic_->plan().moved(a);
    if (done == hops) return true;
    enter(a, done, now, events);
    return false;
  }
  void settle(picoseconds now, later<event_queue, D>& events) {
    for (auto const& [flow, rate] : rates_.settle()) {
      auto& f = flows_[flow];
      // Never slowed down, or back at full speed before a byte has moved: exactly its time alone.
      bool const whole = f.rate == 0 || f.since == now;
      if (!whole) f.whole = false;
      f.left = std::max(0.0, f.left - f.rate * static_cast<double>((now - f.since).count()));
      f.since = now;
      f.rate = rate;
      auto const takes = f.whole && rate == f.full ? f.sending : nearest(f.left / rate);
      events.schedule(f.of, saturating_add(now, takes));
    }
  }
  [[nodiscard]] auto used() const -> std::span<link_use const> { return used_; }

private:
  static constexpr auto none = fair_rates<D>::none;
  static constexpr auto unlimited = none - 1; ///< a flow that no link limits

  struct progress {
    std::uint32_t hop{};      ///< where it is, or waits to be
    std::uint32_t flow{none}; ///< while it sends
  };
  struct flow_state {
    activity_id of;
    picoseconds sending; ///< at full speed
    picoseconds since;   ///< when `left` bytes were left
    double left{};
    double rate{}; ///< bytes a picosecond
    double full{};
    bool whole{true};
  };

  [[nodiscard]] static auto nearest(double ps) -> picoseconds {
    return ps < static_cast<double>(never.count())
               ? picoseconds{static_cast<std::int64_t>(ps + 0.5)}
               : never;
  }
  [[nodiscard]] auto way(activity_id a) const -> passage const& {
    return traffic_->ways()[traffic_->plan().first_place(a) + progress_[a.index()].hop];
  }
  /// The links it is on from hop k.
  [[nodiscard]] auto on(activity_id a) const -> std::span<std::uint32_t const> {
    auto const route = traffic_->plan().places(a);
    return traffic_->cuts_through() ? route : route.subspan(progress_[a.index()].hop, 1);
  }
  void enter(activity_id a, std::size_t hop, picoseconds now, later<event_queue, D>& events) {
    progress_[a.index()] = {static_cast<std::uint32_t>(hop), none};
    auto latency = way(a).latency;
    auto const route = traffic_->plan().places(a);
    for (std::size_t k = 1; traffic_->cuts_through() && k < route.size(); ++k)
      latency += traffic_->ways()[traffic_->plan().first_place(a) + k].latency;
    events.schedule(a, saturating_add(now, latency));
  }
  void join(activity_id a, picoseconds now, later<event_queue, D>& events) {
    auto const links = on(a);
    auto const sending = way(a).sending;
    auto const added = rates_.add(links);
    if (added.flow == none) { // nothing limits it: as long as its price says
      progress_[a.index()].flow = unlimited;
      events.schedule(a, saturating_add(now, sending));
      return;
    }
    progress_[a.index()].flow = added.flow;
    if (added.flow >= flows_.size()) flows_.resize(added.flow + std::size_t{1});
    flows_[added.flow] = {
        a, sending,    now, static_cast<double>(traffic_->plan().moved(a).count()),
        0, added.full, true};
    for (auto const l : links)
      if (rates_.flows_on(l) == 1) busy_since_[l] = now;
  }
  void leave(activity_id a, picoseconds now) {
    auto const f = progress_[a.index()].flow;
    if (f == unlimited) return;
    rates_.remove(f);
    for (auto const l : on(a))
      if (rates_.flows_on(l) == 0 && rates_.limits(l))
        used_[l].busy = saturating_add(used_[l].busy, now - busy_since_[l]);
  }

  later<traffic, D> const* traffic_;
  fair_rates<D> rates_;
  later<std::vector<link_use>, D> used_;
  later<std::vector<picoseconds>, D> busy_since_;
  later<std::vector<progress>, D> progress_; ///< by activity
  later<std::vector<flow_state>, D> flows_;  ///< by number in rates_
};

} // namespace detail

namespace sharing {

/// Messages that meet on a link share it: rates are max–min fair, that is, none can be raised
/// without lowering one that is not larger. Cut through, a message has one rate along its route;
/// stored and forwarded, it is on one link at a time. It pays latencies before its bytes flow.
/// Prefer it for networks that interleave packets, which is most of them.
///
/// Rates are kept, not computed anew: when a message comes or goes, only those are asked that it
/// affects (see detail/fair_rates.hpp). Rates are exact up to 10⁻⁹ of themselves.
/// Source: Bertsekas and Gallager, Data Networks, §6.5.2 (progressive filling).
struct max_min_fair {
  template <deferred D = when_called>
  [[nodiscard]] auto operator()(later<traffic, D> const& t) const -> detail::fair_links<D> {
    return detail::fair_links<D>{t};
  }

  friend constexpr auto operator==(max_min_fair, max_min_fair) -> bool = default;
};

} // namespace sharing
} // namespace mars
