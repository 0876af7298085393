// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/policy.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mars::scheduling {

/// List scheduling by upward rank: of what is ready, the node with the longest way to the end goes
/// first, to the stream where it would start first if every kernel ran as it does alone. Streams are
/// used again; one is opened only for an earlier start.
///
/// rank(v) = alone(v) + max over readers of ((gap + event) / 2 + rank)    as HEFT's mean of both ways
/// Ties between streams: where an input ran last, then where the last end is latest, then the lowest.
///
/// Prefer it: where branches differ in length, which covers and Opara do not look at. It does not see
/// that kernels slow each other down. O(E log V + V · streams).
/// Source: Topcuoglu, Hariri and Wu, "HEFT", IEEE TPDS 13(3), 2002.
template <deferred D = when_called>
struct basic_critical_path {
  [[nodiscard]] auto name() const -> std::string_view { return "critical-path"; }

  [[nodiscard]] auto schedule(later<stream_problem, D> const& p) const
      -> later<stream_schedule, D> {
    auto const ranks = upward_ranks(p);
    later<stream_schedule, D> s{later<std::vector<stream_id>, D>(p.size()),
                                detail::graph_order<D>(p.size())};
    // Stable, and inputs never rank lower than readers: producers come first.
    std::stable_sort(s.launch_order.begin(), s.launch_order.end(),
                     [&](auto a, auto b) { return ranks[a] > ranks[b]; });
    auto const most = p.limits().streams;
    bool const eager = p.options().mode == launch_mode::eager;
    auto const& cost = p.overheads();
    later<std::vector<std::uint32_t>, D> tail; // of each stream
    later<std::vector<picoseconds>, D> end(p.size());
    picoseconds host{};
    for (auto const v : s.launch_order) {
      if (eager)
        host = saturating_add(
            host, picoseconds{cost.launch * static_cast<std::int64_t>(p.kernels(v).size())});
      auto const start_on = [&](std::size_t stream) {
        auto start = host;
        auto const after = [&](std::uint32_t u, std::int64_t delay) {
          start = std::max(start, saturating_add(end[u], picoseconds{p.launches(u) ? delay : 0}));
        };
        if (stream < tail.size()) after(tail[stream], cost.gap);
        for (auto const u : p.inputs(v))
          if (stream == tail.size() || s.stream_of[u].index() != stream) after(u, cost.event);
        return start;
      };
      auto best = tail.size();
      picoseconds start{};
      bool is_input = false;
      for (std::size_t stream = 0; stream < tail.size(); ++stream) {
        auto const at = start_on(stream);
        auto const in = p.inputs(v);
        bool const follows = std::find(in.begin(), in.end(), tail[stream]) != in.end();
        if (best < tail.size() &&
            (at > start ||
             (at == start && (follows < is_input ||
                              (follows == is_input && end[tail[stream]] <= end[tail[best]])))))
          continue;
        best = stream;
        start = at;
        is_input = follows;
      }
      if (best == tail.size() ||
          (start_on(tail.size()) < start && (most == 0 || tail.size() < most))) {
        best = tail.size();
        start = start_on(best);
        tail.push_back(v);
      }
      s.stream_of[v] = stream_id{best};
      tail[best] = v;
      end[v] = saturating_add(start, p.alone(v));
    }
    return s;
  }
  [[nodiscard]] auto operator()(later<stream_problem, D> const& problem,
                                stream_context const&) const -> stream_solution {
    return detail::answer<D>(problem, schedule(problem));
  }

  friend auto operator==(basic_critical_path const&, basic_critical_path const&) -> bool = default;

private:
  [[nodiscard]] auto upward_ranks(later<stream_problem, D> const& p) const
      -> std::vector<picoseconds> {
    std::vector<picoseconds> rank(p.size());
    auto const between = (p.overheads().gap + p.overheads().event) / 2;
    for (auto v = p.size(); v-- > 0;) {
      picoseconds rest{};
      for (auto const r : p.outputs(v))
        rest = std::max(rest, saturating_add(rank[r], picoseconds{p.launches(v) ? between : 0}));
      rank[v] = saturating_add(rest, p.alone(v));
    }
    return rank;
  }
};
using critical_path = basic_critical_path<>;

} // namespace mars::scheduling
