// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/event_queue.hpp>
#include <mars/evaluation/sharing/traffic.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mars {

namespace detail {

/// Links take messages on in the order of their events, so a link is known by when it is free again.
template <deferred D = when_called>
class queued_links {
public:
  explicit queued_links(later<traffic, D> const& t)
      : traffic_{&t}, free_at_(t.links().size()), used_(t.links().size()), hop_(t.plan().size()) {}

  void begin(activity_id a, picoseconds now, later<event_queue, D>& events) {
    approach(a, 0, now, events);
  }
  auto advance(activity_id a, picoseconds now, later<event_queue, D>& events) -> bool {
    auto const route = traffic_->plan().places(a);
    auto const k = hop_[a.index()];
    if (k == route.size()) return true;
    auto& free_at = free_at_[route[k]];
    auto const from = std::max(now, free_at);
    auto const sending = way(a, k).sending;
    free_at = saturating_add(from, sending);
    auto& use = used_[route[k]];
    use.carried += traffic_->plan().moved(a);
    use.busy = saturating_add(use.busy, sending);
    hop_[a.index()] = k + 1;
    if (k + 1 == route.size())
      events.schedule(a, free_at);
    else
      approach(a, k + 1, traffic_->cuts_through() ? from : free_at, events);
    return false;
  }
  void settle(picoseconds, later<event_queue, D>&) {}
  [[nodiscard]] auto used() const -> std::span<link_use const> { return used_; }

private:
  [[nodiscard]] auto way(activity_id a, std::size_t k) const -> passage const& {
    return traffic_->ways()[traffic_->plan().first_place(a) + k];
  }
  /// Its head is at the k-th link after the latency of that.
  void approach(activity_id a, std::size_t k, picoseconds now, later<event_queue, D>& events) {
    events.schedule(a, saturating_add(now, way(a, k).latency));
  }

  later<traffic, D> const* traffic_;
  later<std::vector<picoseconds>, D> free_at_; ///< by link
  later<std::vector<link_use>, D> used_;
  later<std::vector<std::uint32_t>, D> hop_; ///< by activity: how many links have taken it on
};

} // namespace detail

namespace sharing {

/// A link carries one message at a time, in the order in which their heads arrive. Stored and
/// forwarded, the head moves on once the link is done; cut through, as soon as a link takes the
/// message on, and every link is busy for as long as the slowest needs (virtual cut-through: what
/// has to wait, waits in buffers that never fill; Kermani and Kleinrock, 1979).
/// Prefer it for engines that copy one buffer after another. One event a link crossed, O(log n) each.
struct fifo {
  template <deferred D = when_called>
  [[nodiscard]] auto operator()(later<traffic, D> const& t) const -> detail::queued_links<D> {
    return detail::queued_links<D>{t};
  }

  friend constexpr auto operator==(fifo, fifo) -> bool = default;
};

} // namespace sharing
} // namespace mars
