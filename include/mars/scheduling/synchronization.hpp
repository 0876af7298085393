// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/launches.hpp>
#include <mars/scheduling/detail/stream_clocks.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace mars {

/// Which waits a schedule makes.
enum class wait_rule : std::uint8_t {
  needed, ///< not those that streams and the other waits imply
  every,  ///< one per dependence between streams, as Opara does
};

/// A node waits for the event of another on another stream.
struct stream_wait {
  std::uint32_t producer{}; ///< of merged nodes: the first in launch order
  std::uint32_t consumer{}; ///< the same

  friend auto operator==(stream_wait const&, stream_wait const&) -> bool = default;
};

/// What keeps the order of dependences between streams.
struct synchronization {
  std::vector<stream_wait>
      waits{};               ///< in launch order of consumers, of each the latest producer first
  std::size_t events{};      ///< producers that are waited for: each records one
  std::size_t cross_edges{}; ///< dependences between streams within a stage
};

/// Waits of a schedule. A wait is implied if what the consumer comes after anyway — the launch before it
/// on its stream, its other waits — comes after the producer. Exact: clocks, one number per stream, tell
/// what precedes what; the waits kept are the fewest that order the same launches.
/// Precondition: the schedule is valid. O(V + E log E + waits · streams).
template <deferred D = when_called>
[[nodiscard]] auto synchronize(later<stream_graph, D> const& g,
                               later<stream_schedule, D> const& schedule,
                               wait_rule rule = wait_rule::needed) -> later<synchronization, D> {
  later<synchronization, D> found;
  detail::basic_launches<D> const launches{schedule};
  detail::basic_stream_clocks<D> clocks;
  clocks.reset(schedule.streams(), launches.size());
  later<std::vector<char>, D> waited_for(launches.size());
  later<std::vector<std::vector<std::uint32_t>>, D> waits_of(launches.size());
  for (std::uint32_t i = 0; i < launches.size(); ++i) {
    auto const& to = launches.all[i];
    for (auto const v : launches.nodes(schedule, i))
      for (auto const p : g.nodes[v].inputs) {
        auto const& from = launches.all[launches.of[p]];
        if (from.stream == to.stream || from.stage != to.stage) continue;
        ++found.cross_edges;
        waits_of[i].push_back(launches.of[p]);
        waited_for[launches.of[p]] = 1;
      }
    // The latest first: it may imply others, but not the other way round.
    std::sort(waits_of[i].begin(), waits_of[i].end(), std::greater<>{});
    waits_of[i].erase(std::unique(waits_of[i].begin(), waits_of[i].end()), waits_of[i].end());
  }
  later<std::vector<char>, D> records(launches.size());
  for (std::uint32_t i = 0; i < launches.size(); ++i) {
    auto const& to = launches.all[i];
    for (auto const p : waits_of[i]) {
      if (rule == wait_rule::needed && clocks.is_behind(to.stream, p)) continue;
      clocks.wait(to.stream, p);
      found.waits.push_back(
          {schedule.launch_order[launches.all[p].first], schedule.launch_order[to.first]});
      if (records[p] == 0) ++found.events;
      records[p] = 1;
    }
    clocks.launch(to.stream, i, waited_for[i] != 0);
  }
  return found;
}

} // namespace mars
