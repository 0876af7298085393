// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/scheduling/detail/segments.hpp>
#include <mars/scheduling/stream_problem.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <string_view>
#include <utility>
#include <vector>

namespace mars {

struct stream_bound {
  picoseconds value{};
  std::string_view binding{}; ///< what most of it comes from
};

namespace detail {

/// A node as the bounds see it: released after `head`, with `tail` to go when it ends.
struct bounded_node {
  time_ticks head{}, least{}, tail{};
  time_ticks arithmetic{}, traffic{}; ///< of the whole device
};

/// One machine that may be interrupted: work that is released at heads, the longest tail first. Nothing
/// that shares the machine fairly, or in any other way, ends before it (Jackson's preemptive schedule).
/// O(n log n).
template <deferred D = when_called>
[[nodiscard]] auto one_machine_bound(later<std::vector<bounded_node>, D> const& nodes,
                                     time_ticks bounded_node::*work) -> time_ticks {
  later<std::vector<std::uint32_t>, D> by_head(nodes.size());
  for (std::uint32_t i = 0; i < by_head.size(); ++i) by_head[i] = i;
  std::sort(by_head.begin(), by_head.end(), [&](auto a, auto b) {
    return std::pair{nodes[a].head, a} < std::pair{nodes[b].head, b};
  });
  later<std::priority_queue<std::pair<time_ticks, std::uint32_t>>, D> waiting; // by tail
  later<std::vector<time_ticks>, D> left(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) left[i] = nodes[i].*work;
  time_ticks now = 0, bound = 0;
  std::size_t next = 0;
  while (next < by_head.size() || !waiting.empty()) {
    if (waiting.empty()) now = std::max(now, nodes[by_head[next]].head);
    while (next < by_head.size() && nodes[by_head[next]].head <= now) {
      waiting.emplace(nodes[by_head[next]].tail, by_head[next]);
      ++next;
    }
    auto const i = waiting.top().second;
    auto until = now + left[i];
    if (next < by_head.size()) until = std::min(until, nodes[by_head[next]].head);
    left[i] -= until - now;
    now = until;
    if (left[i] > 0) continue;
    waiting.pop();
    bound = std::max(bound, now + nodes[i].tail);
  }
  return bound;
}

/// What no schedule can save on node `v`.
template <deferred D = when_called>
[[nodiscard]] auto bounded(later<stream_problem, D> const& p, std::size_t v) -> bounded_node {
  bounded_node b;
  if (p.may_merge(v)) {
    auto const& floor = p.merged_floor(v);
    b.least = floor.least;
    b.arithmetic = floor.compute;
    b.traffic = floor.memory;
    return b;
  }
  b.least = p.least(v).count();
  double arithmetic = 0, traffic = 0;
  for (auto const& k : p.kernels(v)) {
    arithmetic += k.compute;
    traffic += k.memory;
  }
  // Rates are kept in floating point: leave the last digits out.
  b.arithmetic = static_cast<time_ticks>(arithmetic * (1 - 1e-8));
  b.traffic = static_cast<time_ticks>(traffic * (1 - 1e-8));
  return b;
}

/// From the end of a segment's entry to the end of the segment.
template <deferred D = when_called>
[[nodiscard]] auto segment_bound(later<stream_problem, D> const& p,
                                 later<stream_segment, D> const& s) -> std::array<time_ticks, 3> {
  later<std::vector<bounded_node>, D> nodes(s.nodes.size());
  later<std::vector<std::uint32_t>, D> place; // of nodes of the problem
  auto const first = s.nodes.empty() ? 0 : s.nodes.front();
  auto const last = s.nodes.empty() ? 0 : s.nodes.back();
  place.assign(s.nodes.empty() ? 0 : last - first + 1, stream_segment::none);
  for (std::uint32_t i = 0; i < s.nodes.size(); ++i) place[s.nodes[i] - first] = i;
  auto const inside = [&](std::uint32_t v) {
    return v < first || v > last ? stream_segment::none : place[v - first];
  };
  // Between stages of the host there is the barrier instead, in a graph an event.
  auto step = std::min(p.overheads().gap, p.overheads().event);
  if (p.options().mode == launch_mode::eager) step = std::min(step, p.overheads().barrier);
  auto const after = [&](std::uint32_t u) { return p.launches(u) ? step : 0; };
  time_ticks path = 0;
  for (std::uint32_t i = 0; i < s.nodes.size(); ++i) {
    auto const v = s.nodes[i];
    nodes[i] = bounded<D>(p, v);
    // Beside a cut node nothing runs: its waves are whole.
    if (v == s.exit) nodes[i].least = p.alone(v).count();
    for (auto const u : p.inputs(v)) {
      auto const j = inside(u);
      if (j != stream_segment::none)
        nodes[i].head = std::max(nodes[i].head, nodes[j].head + nodes[j].least + after(u));
      else if (u == s.entry)
        nodes[i].head = std::max(nodes[i].head, after(u));
    }
  }
  for (auto i = s.nodes.size(); i-- > 0;) {
    auto const v = s.nodes[i];
    for (auto const w : p.outputs(v)) {
      auto const j = inside(w);
      // A view at the end is nothing to wait for.
      if (j == stream_segment::none) continue;
      auto const beyond = nodes[j].least + nodes[j].tail;
      if (beyond == 0 && s.nodes[j] != s.exit) continue;
      nodes[i].tail = std::max(nodes[i].tail, after(v) + beyond);
    }
    if (p.launches(v) || v == s.exit)
      path = std::max(path, nodes[i].head + nodes[i].least + nodes[i].tail);
  }
  // Views behind the last kernel are nothing to wait for, but have heads.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (p.launches(s.nodes[i])) nodes[kept++] = nodes[i];
  nodes.resize(kept);
  return {path, one_machine_bound<D>(nodes, &bounded_node::arithmetic),
          one_machine_bound<D>(nodes, &bounded_node::traffic)};
}

} // namespace detail

/// No schedule of the problem takes less: segment by segment, the longest path of least times with the
/// smallest of gap, event and (between stages of the host) barrier per edge, and arithmetic and DRAM traffic of the device as one machine each,
/// with heads and tails from those paths. Launched by the host one by one: what it launches. O(V log V + E).
/// Source: reference bounds of the kernel model; Jackson's preemptive schedule (Carlier, EJOR 1982).
template <deferred D = when_called>
[[nodiscard]] auto bound_streams(later<stream_problem, D> const& p) -> stream_bound {
  std::array<detail::time_ticks, 3> share{};
  detail::time_ticks sum = 0, launches = 0;
  for (auto const& s : detail::find_segments<D>(p)) {
    auto const bounds = detail::segment_bound<D>(p, s);
    auto const best =
        static_cast<std::size_t>(std::max_element(bounds.begin(), bounds.end()) - bounds.begin());
    share[best] += bounds[best];
    sum += bounds[best];
  }
  bool any = false;
  for (std::size_t v = 0; v < p.size(); ++v) {
    any |= p.launches(v);
    if (!p.may_merge(v))
      launches += static_cast<detail::time_ticks>(p.kernels(v).size()) * p.overheads().launch;
  }
  if (!any) return {picoseconds{}, "nothing to launch"};
  constexpr std::array<std::string_view, 3> names{"path", "arithmetic", "memory traffic"};
  auto const binding =
      names[static_cast<std::size_t>(std::max_element(share.begin(), share.end()) - share.begin())];
  if (p.options().mode == launch_mode::replay)
    return {picoseconds{sum + p.overheads().graph}, binding};
  if (launches > sum) return {picoseconds{launches}, "launches"};
  return {picoseconds{sum}, binding};
}

} // namespace mars
