// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/detail/operator_list.hpp>
#include <mars/scheduling/detail/policy.hpp>
#include <mars/scheduling/detail/stages.hpp>
#include <mars/scheduling/stream_context.hpp>
#include <mars/scheduling/stream_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::scheduling {

/// Every operator that is ready enters the next stage, each on a stream of its own: IOS's baseline. It
/// may lose to one stream. O(V + E).
template <deferred D = when_called>
struct basic_ios_greedy {
  std::size_t groups{10}; ///< most of a stage; those first in the list go first

  [[nodiscard]] auto name() const -> std::string_view { return "ios-greedy"; }

  [[nodiscard]] auto operator()(later<stream_problem, D> const& problem,
                                stream_context const&) const -> stream_solution {
    using numbers = later<std::vector<std::uint32_t>, D>;
    later<mars::detail::basic_operator_list<D>, D> const operators{problem};
    auto const limit = problem.limits().streams;
    auto const most = std::max<std::size_t>(1, limit == 0 ? groups : std::min(groups, limit));
    auto const n = operators.size();
    numbers missing(n, 0);
    std::vector<numbers> readers(n);
    numbers ready;
    for (std::uint32_t i = 0; i < n; ++i) {
      for (auto const u : operators.reads(i)) readers[u].push_back(i);
      missing[i] = static_cast<std::uint32_t>(operators.reads(i).size());
      if (missing[i] == 0) ready.push_back(i);
    }
    later<std::vector<mars::detail::stream_stage>, D> stages;
    while (!ready.empty()) {
      sort_ascending(ready);
      auto const taken = static_cast<std::ptrdiff_t>(std::min(most, ready.size()));
      numbers next(ready.begin() + taken, ready.end());
      auto& stage = stages.emplace_back();
      for (auto it = ready.begin(); it != ready.begin() + taken; ++it) {
        stage.groups.push_back({operators.node(*it)});
        for (auto const c : readers[*it])
          if (--missing[c] == 0) next.push_back(c);
      }
      ready = std::move(next);
    }
    return detail::answer<D>(problem, mars::detail::schedule_of<D>(problem, stages));
  }

  friend auto operator==(basic_ios_greedy const&, basic_ios_greedy const&) -> bool = default;
};
using ios_greedy = basic_ios_greedy<>;

} // namespace mars::scheduling
