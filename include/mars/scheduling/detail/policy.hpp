// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/scheduling/detail/limits.hpp>
#include <mars/scheduling/simulate_streams.hpp>
#include <mars/scheduling/stream_bounds.hpp>
#include <mars/scheduling/stream_context.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace mars::scheduling::detail {

/// What a policy that makes one schedule answers: it with the problem's limits kept, simulated, and what no
/// schedule is below.
/// `never` where no number of streams keeps them.
template <deferred D = when_called>
[[nodiscard]] auto answer(later<stream_problem, D> const& problem,
                          later<stream_schedule, D> schedule) -> stream_solution {
  auto [kept, fits] = mars::detail::keep_limits<D>(problem, std::move(schedule));
  later<stream_solution, D> s;
  s.timeline = simulate_streams<D>(problem, kept);
  if (!fits) s.timeline.latency = never;
  auto const bound = bound_streams<D>(problem);
  s.bound = bound.value;
  s.binding = bound.binding;
  s.schedule = std::move(kept);
  s.evaluations = 1;
  s.exhausted = true;
  return s;
}

/// 0, 1, … n − 1: the order of the graph.
template <deferred D = when_called>
[[nodiscard]] auto graph_order(std::size_t n) -> later<std::vector<std::uint32_t>, D> {
  later<std::vector<std::uint32_t>, D> order(n);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

} // namespace mars::scheduling::detail
