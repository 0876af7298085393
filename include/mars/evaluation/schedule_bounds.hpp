// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/assignment.hpp>
#include <mars/evaluation/schedule_problem.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mars {

template <deferred D = when_called>
[[nodiscard]] auto schedule_bound(later<schedule_problem, D> const& p) -> bound {
  later<std::vector<ticks>, D> end(p.size());
  ticks latest = 0;
  for (std::size_t v = 0; v < p.size(); ++v) {
    ticks least = no_ticks;
    for (auto const& c : p.choices(v)) least = std::min(least, c.least);
    for (auto const& e : p.in_edges(v)) end[v] = std::max(end[v], end[e.producer]);
    end[v] = std::min(no_ticks, end[v] + least);
    latest = std::max(latest, end[v]);
  }
  return {latest, "path"};
}

} // namespace mars
