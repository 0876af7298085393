// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/evaluation/event_queue.hpp>
#include <mars/evaluation/sharing/detail/fair_rates.hpp>
#include <mars/evaluation/sharing/traffic.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace mars {

namespace detail {

/// Messages as flows: on all links of the route at one rate where messages cut through, else on one
/// link after another. Those on the same links have the same rate, so what each of them has been
/// served since its stream began is one number, and they end in the order of that number at which
/// they have all their bytes: of a stream only the first end is an event, and a new rate costs O(1).
template <deferred D = when_called>
class fair_links {
public:
  explicit fair_links(later<traffic, D> const& t)
      : traffic_{&t},
        rates_{t.links()},
        used_(t.links().size()),
        busy_since_(t.links().size()),
        progress_(t.plan().size()) {
    if (t.cuts_through())
      find_routes();
    else
      for (std::uint32_t l = 0; l < t.links().size(); ++l) add_stream({&l, 1});
  }

  void begin(activity_id a, picoseconds now, later<event_queue, D>& events) {
    enter(a, 0, now, events);
  }
  auto advance(activity_id a, picoseconds now, later<event_queue, D>& events) -> bool {
    auto& p = progress_[a.index()];
    if (!p.sends) { // its latency is over
      p.sends = true;
      if (way(a).sending > picoseconds{}) return join(a, now, events), false;
    } else if (limited(stream_of(a))) {
      leave(a, now);
    }
    auto const route = traffic_->plan().places(a);
    auto const done = traffic_->cuts_through() ? route.size() : p.hop + std::size_t{1};
    for (auto k = std::size_t{p.hop}; k < done; ++k)
      used_[route[k]].carried += traffic_->plan().moved(a);
    if (done == route.size()) return true;
    enter(a, done, now, events);
    return false;
  }
  void settle(picoseconds now, later<event_queue, D>& events) {
    for (auto const& [number, rate] : rates_.settle()) {
      auto& s = streams_[number];
      serve(s, now);
      s.rate = rate;
      touch(number);
    }
    for (auto const number : touched_) {
      auto& s = streams_[number];
      s.touched = false;
      if (s.ends.empty()) continue;
      auto const& [at, a] = s.ends.front();
      // One that nobody shares with from its first byte on takes exactly its time alone.
      bool const alone =
          s.ends.size() == 1 && s.rate == rates_.full(number) && progress_[a.index()].joined == now;
      auto const takes = alone ? way(a).sending : nearest(std::max(0.0, at - s.served) / s.rate);
      events.schedule(a, saturating_add(now, takes));
    }
    touched_.clear();
  }
  [[nodiscard]] auto used() const -> std::span<link_use const> { return used_; }

private:
  using end_at = std::pair<double, activity_id>; ///< bytes served by then; then by id

  struct progress {
    std::uint32_t hop{}; ///< where it is, or waits to be
    bool sends{};
    picoseconds joined{}; ///< when it began to
  };
  struct stream {
    later<std::vector<end_at>, D> ends; ///< a heap, the first end in front
    double served{};                    ///< bytes, to each flow, since it was empty
    double rate{};                      ///< bytes a picosecond, of each flow
    picoseconds since{};                ///< when that much was served
    bool touched{};                     ///< the event of its first end may be another one
  };

  [[nodiscard]] static auto nearest(double ps) -> picoseconds {
    return ps < static_cast<double>(never.count())
               ? picoseconds{static_cast<std::int64_t>(ps + 0.5)}
               : never;
  }
  [[nodiscard]] auto way(activity_id a) const -> passage const& {
    return traffic_->ways()[traffic_->plan().first_place(a) + progress_[a.index()].hop];
  }
  [[nodiscard]] auto stream_of(activity_id a) const -> std::uint32_t {
    return traffic_->cuts_through() ? stream_of_[a.index()]
                                    : traffic_->plan().places(a)[progress_[a.index()].hop];
  }
  [[nodiscard]] auto limited(std::uint32_t number) const -> bool {
    return rates_.full(number) < std::numeric_limits<double>::infinity();
  }
  /// The links it is on from hop k.
  [[nodiscard]] auto on(activity_id a) const -> std::span<std::uint32_t const> {
    auto const route = traffic_->plan().places(a);
    return traffic_->cuts_through() ? route : route.subspan(progress_[a.index()].hop, 1);
  }

  auto add_stream(std::span<std::uint32_t const> links) -> std::uint32_t {
    streams_.emplace_back();
    return rates_.add_stream(links);
  }
  /// A stream for each distinct route, by open addressing.
  void find_routes() {
    auto const& plan = traffic_->plan();
    stream_of_.resize(plan.size());
    later<std::vector<activity_id>, D> first; // by stream
    later<std::vector<std::uint32_t>, D> known(64, none);
    auto const slot = [&](activity_id a) {
      auto const route = plan.places(a);
      stable_hash h;
      for (auto const l : route) h.add(l);
      auto at = h.digest() & (known.size() - 1);
      while (known[at] != none) {
        auto const other = plan.places(first[known[at]]);
        if (std::equal(route.begin(), route.end(), other.begin(), other.end())) break;
        at = (at + 1) & (known.size() - 1);
      }
      return static_cast<std::size_t>(at);
    };
    for (std::size_t i = 0; i < plan.size(); ++i) {
      activity_id const a{i};
      if (plan.kind(a) != activity_kind::transfer || plan.places(a).empty()) continue;
      auto at = slot(a);
      if (known[at] == none) {
        known[at] = add_stream(plan.places(a));
        first.push_back(a);
        if (2 * first.size() > known.size()) {
          known.assign(2 * known.size(), none);
          for (std::uint32_t s = 0; s < first.size(); ++s) known[slot(first[s])] = s;
          at = slot(a);
        }
      }
      stream_of_[i] = known[at];
    }
  }

  void enter(activity_id a, std::size_t hop, picoseconds now, later<event_queue, D>& events) {
    progress_[a.index()] = {static_cast<std::uint32_t>(hop), false, {}};
    auto latency = way(a).latency;
    auto const route = traffic_->plan().places(a);
    for (std::size_t k = 1; traffic_->cuts_through() && k < route.size(); ++k)
      latency += traffic_->ways()[traffic_->plan().first_place(a) + k].latency;
    events.schedule(a, saturating_add(now, latency));
  }
  void join(activity_id a, picoseconds now, later<event_queue, D>& events) {
    auto const number = stream_of(a);
    if (!limited(number)) { // as long as its price says
      events.schedule(a, saturating_add(now, way(a).sending));
      return;
    }
    progress_[a.index()].joined = now;
    auto& s = streams_[number];
    serve(s, now);
    for (auto const l : on(a))
      if (rates_.flows_on(l) == 0) busy_since_[l] = now;
    rates_.join(number);
    auto const before = s.ends.empty() ? a : s.ends.front().second;
    s.ends.emplace_back(s.served + static_cast<double>(traffic_->plan().moved(a).count()), a);
    std::push_heap(s.ends.begin(), s.ends.end(), std::greater<>{});
    if (s.ends.front().second != before) events.cancel(before); // its turn comes later
    touch(number);
  }
  /// The first end of its stream has come.
  void leave(activity_id a, picoseconds now) {
    auto const number = stream_of(a);
    auto& s = streams_[number];
    serve(s, now);
    std::pop_heap(s.ends.begin(), s.ends.end(), std::greater<>{});
    s.ends.pop_back();
    rates_.leave(number);
    if (s.ends.empty()) s.served = s.rate = 0;
    touch(number);
    for (auto const l : on(a))
      if (rates_.flows_on(l) == 0 && rates_.limits(l))
        used_[l].busy = saturating_add(used_[l].busy, now - busy_since_[l]);
  }
  static void serve(stream& s, picoseconds now) {
    s.served += s.rate * static_cast<double>((now - s.since).count());
    s.since = now;
  }
  void touch(std::uint32_t number) {
    if (streams_[number].touched) return;
    streams_[number].touched = true;
    touched_.push_back(number);
  }

  static constexpr auto none = std::numeric_limits<std::uint32_t>::max();

  later<traffic, D> const* traffic_;
  fair_rates<D> rates_;
  later<std::vector<link_use>, D> used_;
  later<std::vector<picoseconds>, D> busy_since_;
  later<std::vector<progress>, D> progress_;       ///< by activity
  later<std::vector<stream>, D> streams_;          ///< stored: by link
  later<std::vector<std::uint32_t>, D> stream_of_; ///< cut through: by activity
  later<std::vector<std::uint32_t>, D> touched_;
};

} // namespace detail

namespace sharing {

/// Messages that meet on a link share it: rates are max–min fair, that is, none can be raised
/// without lowering one that is not larger. Cut through, a message has one rate along its route;
/// stored and forwarded, it is on one link at a time. It pays latencies before its bytes flow.
/// Prefer it for networks that interleave packets, which is most of them.
///
/// Rates are kept, not computed anew: when a message comes or goes, only those are asked that it
/// affects (see detail/fair_rates.hpp), so an event costs what the change of rates spreads to: a
/// route or two in light traffic, at worst all routes in use and the links² they cross. Messages
/// on one route count as one. Rates are max–min fair up to 10⁻⁹ of themselves, ends rounded to whole
/// picoseconds. Like its subject the model is sensitive: in dense traffic with dependencies a
/// picosecond can grow to a visible difference thousands of messages later. It is the same one on
/// every compiler.
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
