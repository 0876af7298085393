// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "run.hpp"
#include "schedulers.hpp"

#include <mars/evaluation/assign_streams.hpp>

#include "policies.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace mars_map {

auto check_streams(options const& o, mars::any_system const& system) -> mars::expected<void> {
  if (!o.streams) return {};
  auto const refuse = [](char const* what, std::string found, char const* wanted) {
    return mars::fail(mars::error_code::unsupported, what, std::move(found), wanted,
                      "with --streams");
  };
  auto const launches = [](mars::accelerator const& a) {
    auto const& all = a.designs();
    return std::any_of(all.begin(), all.end(), [](auto const& d) { return d.device() != nullptr; });
  };
  if (std::none_of(system.accelerators.begin(), system.accelerators.end(), launches))
    return mars::fail(mars::error_code::unsupported, "--streams", std::string{name_of(*o.streams)},
                      "a system with a design of kind gpu",
                      "no design of " + system.name + " launches kernels");
  if (mars::is_staged(system.interconnect))
    return refuse("--system", system.name, "accelerators that are not staged through a host");
  if (o.objective != objective_name::latency)
    return refuse("--objective", std::string{name_of(o.objective)}, "latency");
  if (o.cost != cost_name::analytical)
    return refuse("--cost", std::string{name_of(o.cost)}, "analytical");
  return {};
}

auto add_streams(options const& o, mars::graph const& graph, mars::any_system const& system,
                 mars::stop_token stop, outcome& into) -> mars::expected<void> {
  auto& plan = into.plan;
  mars::stream_context context{.budget = o.budget, .stop = std::move(stop), .start = {}};
  // The time is for the whole answer; some is left for the streams in any case.
  if (auto& wall = context.budget.wall) wall = std::max(*wall - plan.wall, *wall / 10);
  auto const scheduler = scheduler_of(*o.streams, o.seed);
  mars::collective::standard const collective{};
  auto found = mars::assign_streams(graph, system, std::move(plan.mapping), cost_of(o), collective,
                                    scheduler, context);
  if (!found) return mars::unexpected{std::move(found).error()};
  // Of mappings that were searched the search's bound speaks of operators one after another.
  auto bound = mars::bound_placement(graph, system, found->mapping, cost_of(o), collective);
  if (!bound) return mars::unexpected{std::move(bound).error()};
  into.streams = {.scheduler = std::string{name_of(*o.streams)},
                  .streams = found->streams,
                  .latency_one_stream = found->one_stream};
  plan.mapping = std::move(found->mapping);
  plan.evaluation = std::move(found->evaluation);
  plan.bound = *bound;
  plan.exhausted = false;
  if (auto const value = objective_of(o)(plan.evaluation)) plan.value = *value;
  return {};
}

} // namespace mars_map
