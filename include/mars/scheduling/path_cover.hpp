// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/bipartite_matching.hpp>
#include <mars/scheduling/detail/policy.hpp>
#include <mars/scheduling/detail/reachability.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::scheduling {

namespace detail {

/// Streams of nodes that follow others: each node is on the stream of the one before it; numbered in
/// order of their first nodes.
template <deferred D = when_called>
[[nodiscard]] auto streams_along(later<std::vector<std::uint32_t>, D> const& previous)
    -> later<std::vector<stream_id>, D> {
  later<std::vector<stream_id>, D> stream_of;
  std::size_t streams = 0;
  for (auto const p : previous)
    stream_of.push_back(p == mars::detail::nobody ? stream_id{streams++} : stream_of[p]);
  return stream_of;
}

/// Of every node, the one before it in a minimum path cover of the minimum equivalent graph.
template <deferred D = when_called, class Dag>
[[nodiscard]] auto paths_of(Dag const& dag, mars::detail::bit_rows const& above)
    -> later<std::vector<std::uint32_t>, D> {
  return mars::detail::maximum_matching<D>(mars::detail::needed_inputs(dag, above));
}

/// The same in a minimum chain cover: matching goes on from the paths, so that most inputs stay on the
/// streams of their readers.
template <deferred D = when_called, class Dag>
[[nodiscard]] auto chains_of(Dag const& dag) -> later<std::vector<std::uint32_t>, D> {
  auto const above = mars::detail::ancestors_of(dag);
  return mars::detail::maximum_matching<D>(above, paths_of<D>(dag, above));
}

} // namespace detail

/// Nimble's allocation: as few paths of the minimum equivalent graph as cover all nodes, each a stream.
/// Nodes in no order never share one, and no allocation with that property needs fewer waits. Launches
/// in the order of the graph, which is topological, as Nimble does.
///
/// Prefer it: where concurrency matters more than the number of streams. O(V²/64 · √V), 3 V²/8 bytes.
/// Source: Kwon et al., "Nimble", NeurIPS 2020.
template <deferred D = when_called>
struct basic_path_cover {
  [[nodiscard]] auto name() const -> std::string_view { return "path-cover"; }

  [[nodiscard]] auto schedule(later<stream_problem, D> const& problem) const
      -> later<stream_schedule, D> {
    auto const above = mars::detail::ancestors_of(problem);
    return {detail::streams_along<D>(detail::paths_of<D>(problem, above)),
            detail::graph_order<D>(problem.size())};
  }
  [[nodiscard]] auto operator()(later<stream_problem, D> const& problem,
                                stream_context const&) const -> stream_solution {
    return detail::answer<D>(problem, schedule(problem));
  }

  friend auto operator==(basic_path_cover const&, basic_path_cover const&) -> bool = default;
};
using path_cover = basic_path_cover<>;

} // namespace mars::scheduling
