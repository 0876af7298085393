// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/policy.hpp>

#include <string_view>
#include <vector>

namespace mars::scheduling {

/// One stream, in the order of the graph: the baseline. Prefer it where kernels fill the device, or
/// memory is short. O(V + E).
template <deferred D = when_called>
struct basic_sequential {
  [[nodiscard]] auto name() const -> std::string_view { return "sequential"; }

  [[nodiscard]] auto schedule(later<stream_problem, D> const& problem) const
      -> later<stream_schedule, D> {
    return {later<std::vector<stream_id>, D>(problem.size()),
            detail::graph_order<D>(problem.size())};
  }
  [[nodiscard]] auto operator()(later<stream_problem, D> const& problem,
                                stream_context const&) const -> stream_solution {
    return detail::answer<D>(problem, schedule(problem));
  }

  friend auto operator==(basic_sequential const&, basic_sequential const&) -> bool = default;
};
using sequential = basic_sequential<>;

} // namespace mars::scheduling
