// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/assignment.hpp>
#include <mars/evaluation/detail/relaxations.hpp>
#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <vector>

namespace mars {

/// What can be said without a search, each by its own argument. Choices that do not fit into memory
/// even alone are left out of all of them.
///
/// name       | argument                                                                  | values
/// -----------|---------------------------------------------------------------------------|-----------
/// `work`     | sum: every operator at its cheapest; bottleneck: the accelerator-time that | both
///            | operators need at least, shared out evenly over the accelerators          |
/// `path`     | sum: operators on a longest path, each at its cheapest; bottleneck: the    | both
///            | dearest operator, which is whole on one set                               |
/// `roofline` | as `work`, of the computation alone (only where a value is never below it) | both
/// `cut`      | sum over a spanning forest of the tensors: operators at their cheapest on  | sum
///            | every set, tensors at their cheapest between sets (exact, by dynamic       |
///            | programming): what must cross a slow link, crosses it                     |
/// `memory`   | sum: every operator at its cheapest, together within the bytes of all      | sum
///            | accelerators (a bin bound, by Lagrangian relaxation)                       |
/// `spending` | the same with what `objective::within` lets operators spend                | sum
///
/// Searches add `elimination` and `exhausted`. The certificate of an answer is the largest of all.
/// Complexity: O(K·C·choices) for K classes of operators and C classes of sets, O(V + E), and for
/// `cut` another O(E·sets²), left out where that is above `most_cut_work`.
template <deferred D = when_called>
[[nodiscard]] auto static_bounds(later<mapping_problem, D> const& p, double most_cut_work = 1e6)
    -> later<std::vector<bound>, D> {
  detail::relaxations const r{p};
  later<std::vector<bound>, D> all;
  if (p.how() == aggregate::sum) {
    all.push_back({r.sum_of_least(), "work"});
    all.push_back({r.longest_path(), "path"});
    if (auto const t = r.sum_of_computation()) all.push_back({*t, "roofline"});
    if (r.cut_work() <= most_cut_work) all.push_back({r.cheapest_forest(), "cut"});
    all.push_back({r.within_memory(), "memory"});
    if (p.limits_spending()) all.push_back({r.within_spending(), "spending"});
  } else {
    all.push_back({r.shared_out(), "work"});
    all.push_back({r.dearest(), "path"});
    if (auto const t = r.shared_out_computation()) all.push_back({*t, "roofline"});
  }
  return all;
}

/// The largest of `static_bounds`; of equal ones the first.
template <deferred D = when_called>
[[nodiscard]] auto static_bound(later<mapping_problem, D> const& p) -> bound {
  auto const all = static_bounds(p);
  return *std::max_element(all.begin(), all.end(),
                           [](bound const& a, bound const& b) { return a.value < b.value; });
}

} // namespace mars
