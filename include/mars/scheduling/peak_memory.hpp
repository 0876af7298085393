// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>
#include <mars/core/units.hpp>
#include <mars/scheduling/detail/bit_rows.hpp>
#include <mars/scheduling/detail/launches.hpp>
#include <mars/scheduling/detail/max_flow.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_schedule.hpp>
#include <mars/scheduling/synchronization.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mars {

/// The fullest that memory can get.
struct memory_peak {
  bytes size{};
  std::vector<std::uint32_t> nodes{}; ///< whose results are there, in launch order
};

namespace detail {

/// Of every launch, those right before it: on its stream, by its waits, by the end of a stage.
template <deferred D = when_called>
[[nodiscard]] auto launches_before(later<stream_graph, D> const& g,
                                   later<stream_schedule, D> const& schedule,
                                   basic_launches<D> const& launches)
    -> later<std::vector<std::vector<std::uint32_t>>, D> {
  constexpr auto none = 0xFFFF'FFFFU;
  later<std::vector<std::vector<std::uint32_t>>, D> before(launches.size());
  for (auto const& w : synchronize<D>(g, schedule).waits)
    before[launches.of[w.consumer]].push_back(launches.of[w.producer]);
  later<std::vector<std::uint32_t>, D> tail(schedule.streams(), none), ended;
  for (std::uint32_t i = 0; i < launches.size(); ++i) {
    auto const& l = launches.all[i];
    if (i > 0 && l.stage != launches.all[i - 1].stage) ended = tail;
    auto const last = tail[l.stream];
    if (last != none && launches.all[last].stage == l.stage)
      before[i].push_back(last);
    else
      for (auto const t : ended)
        if (t != none) before[i].push_back(t);
    tail[l.stream] = i;
  }
  return before;
}

/// Until when a launch's result is needed.
struct result_lifetime {
  std::vector<std::uint32_t> readers{}; ///< launches
  bool stays{false};                    ///< to the end
};

/// Of every launch. A view (it launches nothing and has no memory of its own) is its inputs under another
/// name: who reads it reads them, and they stay if nobody does. O(V + E), and E per view at most.
template <deferred D = when_called>
[[nodiscard]] auto find_lifetimes(later<stream_graph, D> const& g,
                                  basic_launches<D> const& launches)
    -> later<std::vector<result_lifetime>, D> {
  later<std::vector<result_lifetime>, D> of_node(g.size()), of_launch(launches.size());
  later<std::vector<char>, D> read(g.size());
  for (std::size_t v = g.size(); v-- > 0;) { // consumers before producers
    auto& here = of_node[v];
    here.stays = here.stays || read[v] == 0;
    sort_ascending(here.readers);
    here.readers.erase(std::unique(here.readers.begin(), here.readers.end()), here.readers.end());
    bool const view = is_view(g.nodes[v]);
    for (auto const p : g.nodes[v].inputs) {
      read[p] = 1;
      of_node[p].readers.push_back(launches.of[v]);
      if (!view) continue;
      of_node[p].readers.insert(of_node[p].readers.end(), here.readers.begin(), here.readers.end());
      of_node[p].stays = of_node[p].stays || here.stays;
    }
    auto& there = of_launch[launches.of[v]];
    there.readers.insert(there.readers.end(), here.readers.begin(), here.readers.end());
    there.stays = there.stays || here.stays;
  }
  return of_launch;
}

} // namespace detail

/// The heaviest set of results that may be needed at once: two can share memory only if everything that
/// touches one has ended before the other is written, in the order that streams, events and stages
/// enforce, whenever kernels run. A result that nobody reads stays to the end. Merged nodes write one result,
/// which lasts as long as any part of it. What a view shows is touched by who reads the view.
///
/// A weighted antichain, by Dilworth's theorem the whole weight less a maximum flow: memory moves from
/// dead results to later ones along the order of launches. Exact. O(V + E) arcs; V²/4 bytes.
/// Precondition: the schedule is valid.
template <deferred D = when_called>
[[nodiscard]] auto peak_memory(later<stream_graph, D> const& g,
                               later<stream_schedule, D> const& schedule) -> later<memory_peak, D> {
  detail::basic_launches<D> const launches{schedule};
  auto const n = launches.size();
  auto const before = detail::launches_before<D>(g, schedule, launches);
  later<std::vector<std::int64_t>, D> size(n);
  for (std::uint32_t i = 0; i < n; ++i)
    for (auto const v : launches.nodes(schedule, i)) size[i] += g.nodes[v].output.count();
  auto const needed = detail::find_lifetimes<D>(g, launches);
  // Nodes of the network: a result when it is dead, then a launch, through which memory passes.
  auto const source = 2 * n, sink = source + 1;
  detail::basic_max_flow<D> flow{2 * n + 2};
  std::int64_t all = 0;
  detail::basic_bit_rows<D> ended{n, n}, dead{n, n};
  for (std::uint32_t i = 0; i < n; ++i) {
    all += size[i];
    if (size[i] > 0) {
      flow.add_arc(source, i, size[i]);
      flow.add_arc(n + i, sink, size[i]);
    }
    for (auto const p : before[i]) {
      ended.unite(i, p);
      ended.set(i, p);
      dead.unite(i, p);
      flow.add_arc(n + p, n + i, flow.unlimited);
    }
    auto const over = ended[i];
    for (std::size_t w = 0; w < over.size(); ++w)
      for (auto rest = over[w] & ~dead[i][w]; rest != 0; rest &= rest - 1) {
        auto const t = w * 64 + static_cast<std::size_t>(std::countr_zero(rest));
        if (size[t] == 0 || needed[t].stays ||
            !std::all_of(needed[t].readers.begin(), needed[t].readers.end(),
                         [&](auto const r) { return ended.has(i, r); }))
          continue;
        dead.set(i, t);
        flow.add_arc(t, n + i, flow.unlimited);
      }
  }
  later<memory_peak, D> peak{bytes{all - flow(source, sink)}, {}};
  for (std::uint32_t i = 0; i < n; ++i)
    if (size[i] > 0 && flow.reached(i) && !flow.reached(n + i))
      for (auto const v : launches.nodes(schedule, i)) peak.nodes.push_back(v);
  return peak;
}

} // namespace mars
