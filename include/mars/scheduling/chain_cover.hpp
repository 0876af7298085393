// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/path_cover.hpp>

#include <string_view>

namespace mars::scheduling {

/// As few streams as let all run at once that can: as many as the graph is wide (Dilworth). A stream is
/// used again once what it ran has ended, which costs waits that `path_cover` does not make, and no
/// concurrency. Launches in the order of the graph.
///
/// Prefer it: where streams are scarce, or cost. O(V²/64 · √V), 3 V²/8 bytes.
template <deferred D = when_called>
struct basic_chain_cover {
  [[nodiscard]] auto name() const -> std::string_view { return "chain-cover"; }

  [[nodiscard]] auto schedule(later<stream_problem, D> const& problem) const
      -> later<stream_schedule, D> {
    return {detail::streams_along<D>(detail::chains_of<D>(problem)),
            detail::graph_order<D>(problem.size())};
  }
  [[nodiscard]] auto operator()(later<stream_problem, D> const& problem,
                                stream_context const&) const -> stream_solution {
    return detail::answer<D>(problem, schedule(problem));
  }

  friend auto operator==(basic_chain_cover const&, basic_chain_cover const&) -> bool = default;
};
using chain_cover = basic_chain_cover<>;

} // namespace mars::scheduling
