// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "run.hpp"

#include "inspect.hpp"
#include "output.hpp"
#include "policies.hpp"

#include <mars/evaluation/delta_evaluator.hpp>
#include <mars/mapping/validate.hpp>

#include <algorithm>
#include <utility>

namespace mars_map {

namespace {

using tool_mapper = mars::mapper<mars::any_cost, chosen_strategy, timed_search, chosen_objective>;

[[nodiscard]] auto mapper_of(options const& o, mars::any_system const& system, mars::deadline until)
    -> tool_mapper {
  // MARS's candidates, and the sets of the baseline, so that the search can start from it.
  auto sets = mars::detail::candidate_sets(system.interconnect);
  for (auto& set : mars::interconnect::direct_components(system.interconnect))
    if (std::find(sets.begin(), sets.end(), set) == sets.end()) sets.push_back(std::move(set));
  return tool_mapper{cost_of(o), chosen_strategy{o.strategy}, timed_search{search_of(o), until},
                     objective_of(o)}
      .with_candidates(std::move(sets));
}

/// A checkpoint of another problem is the file's mistake.
[[nodiscard]] auto in_checkpoint(options const& o, mars::error error) -> mars::error {
  return error.path == "checkpoint" ? in_file(o.checkpoint, std::move(error)) : error;
}

} // namespace

void add_baseline(options const& o, mars::graph const& graph, mars::any_system const& system,
                  bool scheduled, price_function const& price, outcome& into) {
  auto found =
      scheduled ? find_schedule_baseline(o, graph, system) : find_baseline(o, graph, system);
  if (!found) {
    into.no_baseline = to_string(found.error());
    return;
  }
  into.baseline_cut_short = is_cut_short(o, graph, *found);
  auto priced = price(std::move(found->mapping));
  if (!priced) {
    into.no_baseline = to_string(priced.error());
    return;
  }
  priced->policy = found->policy;
  priced->evaluations = found->evaluations;
  priced->wall = found->wall;
  into.baseline = *std::move(priced);
}

auto find_mapping(options const& o, mars::graph const& graph, mars::any_system const& system,
                  mars::stop_token stop,
                  std::function<mars::verdict(mars::progress const&)> observer)
    -> mars::expected<outcome> {
  if (o.semantics == semantics_name::scheduled)
    return find_schedule(o, graph, system, std::move(stop), std::move(observer));
  constexpr std::size_t largest_for_exhaustive = 1000; // it recurses once per operator
  if (o.search == search_name::exhaustive && graph.size() > largest_for_exhaustive)
    return mars::fail(mars::error_code::out_of_range, "--search exhaustive",
                      std::to_string(graph.size()) + " operators",
                      std::string{"at most "} + std::to_string(largest_for_exhaustive),
                      "use genetic");
  if (o.search == search_name::exact && o.objective == objective_name::throughput)
    return mars::fail(mars::error_code::unsupported, "--search exact", "--objective throughput",
                      "an objective that adds up: latency, energy or weighted", "use genetic");
  auto const until =
      o.budget.wall ? mars::deadline::after(*o.budget.wall) : mars::deadline::never();
  auto mapper = mapper_of(o, system, until);
  outcome result;
  auto const price = [&](mars::mapping m) { return mapper.price(graph, system, std::move(m)); };
  add_baseline(o, graph, system, false, price, result);
  mars::search_context context{.budget = o.budget, .stop = stop, .threads = o.threads};
  context.observer = [&](mars::progress const& p) {
    result.convergence.push_back(p);
    result.convergence.back().phase = {};
    return observer ? observer(p) : mars::verdict::proceed;
  };
  if (o.search == search_name::baseline && !result.baseline)
    return mars::fail(mars::error_code::infeasible, "--search baseline", "no baseline", {},
                      result.no_baseline);
  if (result.baseline) mapper = mapper.with_start(result.baseline->mapping);
  mars::expected<void> kept;
  if (!o.checkpoint.empty()) {
    auto at = load_checkpoint(o);
    if (!at) return mars::unexpected{std::move(at).error()};
    context.resume = *std::move(at);
    context.keep = [&](mars::checkpoint const& c) {
      if (kept) kept = keep_checkpoint(o, c);
    };
  }
  auto found = mapper.find(graph, system, std::move(context));
  if (!found) return mars::unexpected{in_checkpoint(o, std::move(found).error())};
  if (!kept) result.no_checkpoint = to_string(kept.error());
  result.plan = *std::move(found);
  if (o.search == search_name::baseline && result.plan.mapping != result.baseline->mapping)
    result.plan = *result.baseline; // not of this strategy: its bound says nothing
  return result;
}

auto price_mapping(options const& o, mars::graph const& graph, mars::any_system const& system,
                   mars::mapping mapping) -> mars::expected<outcome> {
  auto const tool = mapper_of(o, system, mars::deadline::never());
  outcome result;
  auto priced = tool.price(graph, system, std::move(mapping));
  if (!priced) return mars::unexpected{std::move(priced).error()};
  result.plan = *std::move(priced);
  result.plan.policy = "none";
  auto const price = [&](mars::mapping m) { return tool.price(graph, system, std::move(m)); };
  add_baseline(o, graph, system, result.plan.mapping.is_scheduled(), price, result);
  return result;
}

auto find_alternatives(options const& o, mars::graph const& graph, mars::any_system const& system,
                       mars::mapping const& mapping, mars::operator_id which)
    -> mars::expected<std::vector<alternative>> {
  if (mapping.is_scheduled()) return find_schedule_alternatives(o, graph, system, mapping, which);
  constexpr std::size_t shown = 8;
  std::vector<std::vector<mars::accelerator_id>> sets;
  for (auto const& s : mapping.sets) sets.push_back(s.accelerators);
  auto const problem = mars::build_problem(graph, system, cost_of(o), chosen_strategy{o.strategy},
                                           mars::collective::standard{}, objective_of(o), sets);
  if (!problem) return mars::unexpected{problem.error()};
  auto const a = problem->encode(mapping);
  std::vector<alternative> found;
  if (!a || problem->how() != mars::aggregate::sum) return found;
  mars::delta_evaluator const delta{*problem, *a};
  std::size_t v = 0;
  while (problem->operator_at(v) != which) ++v;
  auto const set = a->slots[a->slot_of[v]].set;
  auto const shardings = problem->shardings(v, set);
  auto const how = [&](std::size_t c) {
    mars::placement p{{}, shardings[c]};
    if (auto const* variant = problem->variant(v, set, c); variant != nullptr) {
      p.algorithm = variant->algorithm;
      p.format = variant->format;
    }
    return p;
  };
  for (std::size_t c = 0; c < shardings.size(); ++c)
    if (auto const sum = delta.try_choice(v, c); c != a->choice_of[v] && sum < mars::no_ticks)
      found.push_back({how(c), {}, sum - delta.sum()});
  std::stable_sort(found.begin(), found.end(),
                   [](auto const& x, auto const& y) { return x.change < y.change; });
  found.resize(std::min(found.size(), shown));
  return found;
}

} // namespace mars_map
