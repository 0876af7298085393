// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/schedule_problem.hpp>
#include <mars/search/context.hpp>
#include <mars/search/h2h.hpp>
#include <mars/search/list_scheduling.hpp>
#include <mars/search/meter.hpp>

#include <utility>
#include <vector>

namespace mars::search::detail {

/// Where searches for schedules begin: the context's start, the list schedule, and H2H's where
/// operators run on single accelerators and transfers are staged.
template <deferred D = when_called>
[[nodiscard]] auto schedule_starts(later<schedule_problem, D> const& p,
                                   later<search_context, D> const& context, meter& clock)
    -> std::vector<schedule_assignment> {
  std::vector<schedule_assignment> all;
  if (context.start_schedule) all.push_back(*context.start_schedule);
  all.push_back(basic_list_scheduling<D>::construct(p, clock));
  if (p.is_staged() && basic_single_choices<D>{p}.complete() && !clock.interrupted()) {
    // A quarter of the budget: its last step looks at every operator again and again.
    search_context part;
    part.stop = context.stop;
    part.budget.evaluations = clock.limit() / 4;
    if (context.budget.wall) part.budget.wall = *context.budget.wall / 4;
    meter of_part{part, clock.limit() / 4};
    all.push_back(basic_h2h<D>{}.construct(p, of_part).best);
    clock.count(of_part.evaluations());
  }
  return all;
}

} // namespace mars::search::detail
