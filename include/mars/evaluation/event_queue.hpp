// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/activity.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace mars {

/// At most one event for each activity; the earliest first, and of equal times the smallest id, so
/// that the order depends on nothing else. A heap of four children a node: all operations O(log n).
template <deferred D = when_called>
class basic_event_queue {
public:
  explicit basic_event_queue(std::size_t activities) : at_(activities, nowhere) {}

  [[nodiscard]] auto empty() const -> bool { return heap_.empty(); }
  /// Of the next event. Precondition: there is one.
  [[nodiscard]] auto time() const -> picoseconds { return heap_.front().first; }

  /// The event of `a` is at `when`; an earlier plan for it is forgotten.
  void schedule(activity_id a, picoseconds when) {
    auto& at = at_[a.index()];
    if (at == nowhere) {
      at = static_cast<std::uint32_t>(heap_.size());
      heap_.emplace_back(when, a);
      rise(at);
      return;
    }
    bool const sooner = when < heap_[at].first;
    heap_[at].first = when;
    sooner ? rise(at) : sink(at);
  }
  /// No event of `a` any more.
  void cancel(activity_id a) {
    auto const place = at_[a.index()];
    if (place == nowhere) return;
    at_[a.index()] = nowhere;
    auto const last = heap_.back();
    heap_.pop_back();
    if (last.second == a) return;
    put(place, last);
    rise(place);
    sink(at_[last.second.index()]);
  }
  /// Precondition: there is an event.
  auto pop() -> activity_id {
    auto const first = heap_.front().second;
    cancel(first);
    return first;
  }

private:
  using event = std::pair<picoseconds, activity_id>;
  static constexpr auto nowhere = std::numeric_limits<std::uint32_t>::max();

  void put(std::size_t place, event const& e) {
    heap_[place] = e;
    at_[e.second.index()] = static_cast<std::uint32_t>(place);
  }
  void rise(std::size_t place) {
    auto const e = heap_[place];
    while (place > 0) {
      auto const above = (place - 1) / 4;
      if (!(e < heap_[above])) break;
      put(place, heap_[above]);
      place = above;
    }
    put(place, e);
  }
  void sink(std::size_t place) {
    auto const e = heap_[place];
    for (;;) {
      auto const first = 4 * place + 1;
      if (first >= heap_.size()) break;
      auto least = first;
      for (auto c = first + 1; c < std::min(first + 4, heap_.size()); ++c)
        if (heap_[c] < heap_[least]) least = c;
      if (!(heap_[least] < e)) break;
      put(place, heap_[least]);
      place = least;
    }
    put(place, e);
  }

  later<std::vector<event>, D> heap_;
  later<std::vector<std::uint32_t>, D> at_; ///< by activity, its place in the heap
};
using event_queue = basic_event_queue<>;

} // namespace mars
