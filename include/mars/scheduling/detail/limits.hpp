// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/scheduling/detail/launches.hpp>
#include <mars/scheduling/detail/reachability.hpp>
#include <mars/scheduling/peak_memory.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_schedule.hpp>
#include <mars/scheduling/synchronization.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace mars::detail {

/// Does it keep events and memory? Streams are counted by who folds them.
template <deferred D = when_called>
[[nodiscard]] auto is_within(later<stream_problem, D> const& problem,
                             later<stream_schedule, D> const& schedule) -> bool {
  auto const& limits = problem.limits();
  if (limits.events && synchronize<D>(problem.graph(), schedule).events > *limits.events)
    return false;
  return !limits.memory || peak_memory<D>(problem.graph(), schedule).size <= *limits.memory;
}

/// Streams, two of which become one again and again: first those whose nodes are in order anyway (a
/// stream goes on where another ended), then those that lose the least time of running side by side,
/// at most min(alone(u), alone(v)) over pairs in no order. Ties: the lowest numbers.
template <deferred D = when_called>
class basic_stream_folding {
public:
  /// O(V² + streams²).
  basic_stream_folding(later<stream_problem, D> const& problem, later<stream_schedule, D> const& s)
      : left_{s.streams()}, loss_(left_ * left_), into_(left_), partner_(left_) {
    std::iota(into_.begin(), into_.end(), std::size_t{0});
    auto const above = ancestors_of(problem);
    later<std::vector<double>, D> time(problem.size());
    // Doubles: sums of times that are `never` must not wrap around.
    for (std::size_t v = 0; v < problem.size(); ++v)
      time[v] = static_cast<double>(problem.alone(v).count());
    auto const streams = left_;
    for (std::size_t v = 0; v < problem.size(); ++v)
      for (std::size_t u = 0; u < v; ++u) {
        auto const a = s.stream_of[u].index(), b = s.stream_of[v].index();
        if (a == b || above.has(v, u)) continue;
        if (!s.stage_of.empty() && s.stage_of[u] != s.stage_of[v]) continue;
        auto const both = 1 + std::min(time[u], time[v]);
        loss_[a * streams + b] += both;
        loss_[b * streams + a] += both;
      }
    for (std::size_t i = 0; i < streams; ++i) find_partner(i);
  }

  [[nodiscard]] auto streams() const -> std::size_t { return left_; }

  /// Makes one of two. Precondition: there are two. O(streams), and as much for each stream whose best
  /// partner was one of them.
  void fold() {
    auto const n = into_.size();
    std::size_t a = n;
    for (std::size_t i = 0; i < n; ++i)
      if (into_[i] == i && partner_[i] < n &&
          (a == n || loss_[i * n + partner_[i]] < loss_[a * n + partner_[a]]))
        a = i;
    auto const b = partner_[a];
    for (auto& s : into_)
      if (s == b) s = a;
    for (std::size_t k = 0; k < n; ++k) {
      loss_[a * n + k] += loss_[b * n + k];
      loss_[k * n + a] = loss_[a * n + k];
    }
    --left_;
    // Losses only grow: who had another partner keeps it.
    for (std::size_t i = 0; i < n; ++i)
      if (into_[i] == i && (i == a || partner_[i] == a || partner_[i] == b)) find_partner(i);
  }

  /// The schedule on the streams left, numbered in the order of their first launch.
  [[nodiscard]] auto operator()(later<stream_schedule, D> s) const -> later<stream_schedule, D> {
    auto const n = into_.size();
    later<std::vector<std::size_t>, D> number(n, n);
    std::size_t next = 0;
    for (auto const v : s.launch_order) {
      auto const stream = into_[s.stream_of[v].index()];
      if (number[stream] == n) number[stream] = next++;
      s.stream_of[v] = stream_id{number[stream]};
    }
    return s;
  }

private:
  /// The first of those behind `i` with which it loses least.
  void find_partner(std::size_t i) {
    auto const n = into_.size();
    auto& best = partner_[i] = n;
    for (auto j = i + 1; j < n; ++j)
      if (into_[j] == j && (best == n || loss_[i * n + j] < loss_[i * n + best])) best = j;
  }

  std::size_t left_;
  later<std::vector<double>, D> loss_; ///< of two streams, if they become one
  later<std::vector<std::size_t>, D> into_;
  later<std::vector<std::size_t>, D>
      partner_; ///< of each, among those behind it; their number: none
};

/// A schedule that keeps the problem's limits, made of this one by folding streams, down to one; and
/// true, or false if not even that fits: then memory is short in this launch order and in the order of
/// the graph. The launch order stays otherwise. Nothing changes where all limits hold.
template <deferred D = when_called>
[[nodiscard]] auto keep_limits(later<stream_problem, D> const& problem,
                               later<stream_schedule, D> schedule)
    -> std::pair<later<stream_schedule, D>, bool> {
  auto const most = problem.limits().streams;
  if ((most == 0 || schedule.streams() <= most) && is_within<D>(problem, schedule))
    return {std::move(schedule), true};
  basic_stream_folding<D> folding{problem, schedule};
  while (folding.streams() > 1) {
    folding.fold();
    if (most != 0 && folding.streams() > most) continue;
    auto folded = folding(schedule);
    if (is_within<D>(problem, folded)) return {std::move(folded), true};
  }
  schedule = folding(std::move(schedule));
  if (is_within<D>(problem, schedule)) return {std::move(schedule), true};
  auto in_order = schedule;
  in_order.stage_of.clear();
  in_order.merged.clear();
  std::iota(in_order.launch_order.begin(), in_order.launch_order.end(), 0U);
  if (is_within<D>(problem, in_order)) return {std::move(in_order), true};
  return {std::move(schedule), false};
}

} // namespace mars::detail
