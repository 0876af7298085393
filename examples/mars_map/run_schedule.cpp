// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "inspect.hpp"
#include "policies.hpp"
#include "run.hpp"

#include <mars/evaluation/build_schedule_problem.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/search/any_search.hpp>
#include <mars/search/h2h.hpp>
#include <mars/search/list_scheduling.hpp>
#include <mars/search/schedule_annealing.hpp>
#include <mars/search/schedule_exact.hpp>
#include <mars/search/schedule_genetic.hpp>

#include <algorithm>
#include <utility>

namespace mars_map {

namespace {

/// A search whose time counts what came before it, too.
struct timed_schedule_search {
  mars::search::any_schedule_search inner;
  mars::deadline until{};

  [[nodiscard]] auto name() const -> std::string_view { return inner.name(); }
  [[nodiscard]] auto operator()(mars::schedule_problem const& problem,
                                mars::search_context const& context) const
      -> mars::schedule_solution {
    auto left = context;
    if (!until.is_never()) left.budget.wall = until.remaining();
    return inner(problem, left);
  }
};

using schedule_mapper =
    mars::mapper<mars::any_cost, chosen_strategy, timed_schedule_search, chosen_objective>;

[[nodiscard]] auto search_for_schedules(options const& o) -> mars::search::any_schedule_search {
  switch (o.search) {
  case search_name::list: return mars::search::list_scheduling{};
  case search_name::h2h: return mars::search::h2h{};
  case search_name::exact: return mars::search::schedule_exact{};
  case search_name::genetic: return mars::search::schedule_genetic{.seed = o.seed};
  default: return mars::search::schedule_annealing{.seed = o.seed};
  }
}

[[nodiscard]] auto single_accelerators(mars::any_system const& system)
    -> std::vector<std::vector<mars::accelerator_id>> {
  std::vector<std::vector<mars::accelerator_id>> sets;
  for (std::size_t a = 0; a < system.size(); ++a) sets.push_back({mars::accelerator_id{a}});
  return sets;
}

[[nodiscard]] auto schedule_mapper_of(options const& o, mars::any_system const& system,
                                      mars::deadline until) -> schedule_mapper {
  schedule_mapper mapper{cost_of(o), chosen_strategy{o.strategy},
                         timed_schedule_search{search_for_schedules(o), until}, objective_of(o)};
  if (o.search == search_name::h2h || o.strategy == strategy_name::whole)
    mapper = mapper.with_candidates(single_accelerators(system));
  return mapper;
}

} // namespace

auto settle(options& o, mars::any_system const& system) -> mars::expected<void> {
  bool const staged = mars::is_staged(system.interconnect);
  bool const for_schedules = o.search == search_name::list || o.search == search_name::h2h;
  if (!o.semantics_given && (staged || for_schedules)) o.semantics = semantics_name::scheduled;
  if (o.semantics == semantics_name::sequential) {
    if (!for_schedules) return {};
    return mars::fail(mars::error_code::invalid_argument, "--search",
                      std::string{name_of(o.search)}, "a search of sequential mappings",
                      "it makes schedules: --semantics scheduled");
  }
  if (!o.search_given) o.search = search_name::annealing;
  if (!o.strategy_given && staged)
    o.strategy = o.search == search_name::h2h ? strategy_name::whole : strategy_name::single_cut;
  using enum search_name;
  for (auto const s : {baseline, beam, portfolio, exhaustive})
    if (o.search == s && o.mapping.empty())
      return mars::fail(mars::error_code::unsupported, "--search", std::string{name_of(s)},
                        "genetic, exact, annealing, list or h2h for schedules");
  if (o.objective != objective_name::latency && o.objective != objective_name::throughput)
    return mars::fail(mars::error_code::unsupported, "--objective",
                      std::string{name_of(o.objective)}, "latency or throughput for schedules");
  if (o.energy_limit)
    return mars::fail(mars::error_code::unsupported, "--energy-limit", "a limit",
                      "none for schedules");
  if (!o.checkpoint.empty())
    return mars::fail(mars::error_code::unsupported, "--checkpoint", o.checkpoint,
                      "none for schedules");
  return {};
}

namespace {

/// H2H's last step looks at every operator once per operator: not for long on large graphs.
[[nodiscard]] auto baseline_budget(options const& o, mars::graph const& graph) -> mars::budget {
  constexpr std::uint64_t operators_looked_at = 20'000'000;
  mars::budget b;
  b.evaluations = std::max<std::uint64_t>(1, operators_looked_at / (graph.size() + 1));
  if (o.budget.wall) b.wall = *o.budget.wall / 4;
  return b;
}

} // namespace

auto is_cut_short(options const& o, mars::graph const& graph, mars::plan const& baseline) -> bool {
  auto const b = baseline_budget(o, graph);
  return baseline.policy == name_of(search_name::h2h) &&
         (baseline.evaluations >= *b.evaluations || (b.wall && baseline.wall >= *b.wall));
}

auto find_schedule_baseline(options const& o, mars::graph const& graph,
                            mars::any_system const& system) -> mars::expected<mars::plan> {
  if (!mars::is_staged(system.interconnect)) return find_baseline(o, graph, system);
  auto steps = o;
  steps.search = search_name::h2h;
  steps.strategy = strategy_name::whole;
  mars::search_context context;
  context.budget = baseline_budget(o, graph);
  return schedule_mapper_of(steps, system, mars::deadline::never())
      .find(graph, system, std::move(context));
}

auto find_schedule(options const& o, mars::graph const& graph, mars::any_system const& system,
                   mars::stop_token stop,
                   std::function<mars::verdict(mars::progress const&)> observer)
    -> mars::expected<outcome> {
  auto const until =
      o.budget.wall ? mars::deadline::after(*o.budget.wall) : mars::deadline::never();
  auto mapper = schedule_mapper_of(o, system, until);
  outcome result;
  auto const price = [&](mars::mapping m) { return mapper.price(graph, system, std::move(m)); };
  add_baseline(o, graph, system, true, price, result);
  // Others begin with the sequential optimum.
  if (result.baseline && result.baseline->mapping.is_scheduled())
    mapper = mapper.with_start(result.baseline->mapping);
  mars::search_context context{.budget = o.budget, .stop = stop, .threads = o.threads};
  context.observer = [&](mars::progress const& p) {
    result.convergence.push_back(p);
    result.convergence.back().phase = {};
    return observer ? observer(p) : mars::verdict::proceed;
  };
  auto found = mapper.find(graph, system, std::move(context));
  if (!found) return mars::unexpected{std::move(found).error()};
  result.plan = *std::move(found);
  return result;
}

auto find_schedule_alternatives(options const& o, mars::graph const& graph,
                                mars::any_system const& system, mars::mapping const& mapping,
                                mars::operator_id which)
    -> mars::expected<std::vector<alternative>> {
  constexpr std::size_t shown = 8;
  std::vector<std::vector<mars::accelerator_id>> sets;
  for (auto const& s : mapping.sets) sets.push_back(s.accelerators);
  auto const problem =
      mars::build_schedule_problem(graph, system, cost_of(o), chosen_strategy{o.strategy},
                                   mars::collective::standard{}, objective_of(o), sets);
  if (!problem) return mars::unexpected{problem.error()};
  std::vector<alternative> found;
  auto const a = problem->encode(mapping);
  if (!a) return found;
  mars::schedule_evaluator price{*problem};
  // With streams the tables say nothing: the models are asked.
  auto const value_of = [&](mars::schedule_assignment const& x) -> std::optional<mars::ticks> {
    if (!mapping.is_streamed()) {
      auto const value = price(x);
      return value.feasible() ? std::optional{value.value} : std::nullopt;
    }
    auto other = problem->decode(x);
    other.streams = mapping.streams;
    auto const e = mars::evaluate(graph, system, other, cost_of(o), mars::collective::standard{});
    return e && e->feasible() ? objective_of(o)(*e) : std::nullopt;
  };
  auto const now = mapping.is_streamed() ? value_of(*a) : std::optional{price(*a).value};
  std::size_t v = 0;
  while (problem->operator_at(v) != which) ++v;
  auto const all = problem->choices(v);
  auto const set = all[a->choice_of[v]].set;
  for (std::uint32_t c = 0; c < all.size(); ++c) {
    if (c == a->choice_of[v]) continue;
    auto other = *a;
    other.choice_of[v] = c;
    auto const value = value_of(other);
    if (!now || !value) continue;
    found.push_back({{{}, problem->row(v).shardings[all[c].sharding]}, {}, *value - *now});
    auto const members = problem->members(all[c].set);
    if (all[c].set != set) found.back().elsewhere.assign(members.begin(), members.end());
  }
  std::stable_sort(found.begin(), found.end(),
                   [](auto const& x, auto const& y) { return x.change < y.change; });
  found.resize(std::min(found.size(), shown));
  return found;
}

} // namespace mars_map
