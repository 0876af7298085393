// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "policies.hpp"
#include "run.hpp"

#include <mars/collective/cheapest.hpp>
#include <mars/evaluation/lower.hpp>
#include <mars/evaluation/sharing/fifo.hpp>
#include <mars/evaluation/sharing/max_min_fair.hpp>
#include <mars/evaluation/simulator.hpp>

#include <algorithm>

namespace mars_map {

auto simulate_mapping(options const& o, mars::graph const& graph, mars::any_system const& system,
                      mars::mapping const& mapping) -> mars::expected<mars::io::simulation_result> {
  auto const lowered =
      mars::lower(graph, system, mapping, cost_of(o), mars::collective::standard{});
  if (!lowered) return mars::unexpected{lowered.error()};
  auto const& plan = lowered->plan;
  auto const seen = *o.simulate == sharing_name::fifo
                        ? mars::simulate(plan, system.interconnect, mars::sharing::fifo{})
                        : mars::simulate(plan, system.interconnect, mars::sharing::max_min_fair{});
  mars::io::simulation_result result{.sharing = std::string{name_of(*o.simulate)},
                                     .latency = seen.makespan,
                                     .transfers = 0,
                                     .events = seen.events};
  for (std::size_t i = 0; i < plan.size(); ++i)
    result.transfers += plan.kind(mars::activity_id{i}) == mars::activity_kind::transfer ? 1U : 0U;
  return result;
}

} // namespace mars_map
