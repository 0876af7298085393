// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/cheapest.hpp>
#include <mars/core/deadline.hpp>
#include <mars/cost/analytical.hpp>
#include <mars/evaluation/build_problem.hpp>
#include <mars/evaluation/build_schedule_problem.hpp>
#include <mars/evaluation/evaluate.hpp>
#include <mars/interconnect/any_interconnect.hpp>
#include <mars/interconnect/components.hpp>
#include <mars/mapping/to_string.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/parallel/longest_dimensions.hpp>
#include <mars/search/computation_prioritized.hpp>
#include <mars/search/context.hpp>
#include <mars/search/exact.hpp>
#include <mars/search/two_level_genetic.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

/// An operator of a plan in words, so that a plan can be read without its graph.
struct operator_summary {
  std::string name;
  std::string sharding; ///< and algorithm, as `to_string(placement, operation)` writes it
};

/// What a mapper answers: the mapping, what it costs, and how far from optimal it can be.
struct plan {
  mars::mapping mapping;
  mars::evaluation evaluation;             ///< of `mapping`, by the models themselves
  std::vector<operator_summary> operators; ///< by operator id
  std::string objective;
  ticks value{no_ticks}; ///< of the objective: picoseconds, or picojoules
  mars::bound bound;     ///< no mapping from the candidates has a smaller value
  std::string policy;    ///< name of the search
  std::uint64_t evaluations{};
  seconds wall{}; ///< of building the problem and searching
  bool exhausted{};

  /// It fits, every operator can run, and the objective's limits are kept.
  [[nodiscard]] auto feasible() const -> bool { return evaluation.feasible() && value < no_ticks; }
  [[nodiscard]] auto latency() const -> seconds { return to_seconds(evaluation.latency); }
  /// (value − bound) / value: 0 = proven optimal among the candidates.
  [[nodiscard]] auto gap() const -> double {
    if (value >= no_ticks || value <= 0) return value <= 0 ? 0.0 : 1.0;
    return static_cast<double>(value - std::min(value, bound.value)) / static_cast<double>(value);
  }
};

namespace detail {
/// A system with its interconnect behind `any_interconnect`, which keeps the links that a model by
/// itself may have to write down anew for every question.
template <class System>
struct cached_system {
  decltype(std::declval<System const&>().accelerators) const& accelerators;
  any_interconnect interconnect;
};
template <class System>
[[nodiscard]] auto with_cached_links(System const& system) -> decltype(auto) {
  using network = std::remove_cvref_t<decltype(system.interconnect)>;
  if constexpr (RoutedInterconnect<network> && !std::same_as<network, any_interconnect>)
    return cached_system<System>{system.accelerators, system.interconnect};
  else
    return (system);
}

template <class Net>
[[nodiscard]] auto candidate_sets(Net const& net) -> std::vector<std::vector<accelerator_id>> {
  return interconnect::with_halves(interconnect::threshold_components(net));
}
} // namespace detail

namespace detail {
/// Sets for schedules on a staged system: every subset of accelerators with a design in common, where
/// those are few; else each with its 1, 2, 4, … successors in order.
template <AcceleratorSystem System>
[[nodiscard]] auto staged_candidates(System const& system)
    -> std::vector<std::vector<accelerator_id>> {
  constexpr std::size_t few = 8;
  design_catalogue<System> const catalogue{system};
  std::vector<std::vector<accelerator_id>> groups; // by first design in common
  for (std::size_t a = 0; a < system.accelerators.size(); ++a) {
    bool placed = false;
    for (auto& g : groups) {
      g.push_back(accelerator_id{a});
      placed = !catalogue.options(g).empty();
      if (placed) break;
      g.pop_back();
    }
    if (!placed) groups.push_back({accelerator_id{a}});
  }
  std::vector<std::vector<accelerator_id>> sets;
  for (auto const& g : groups) {
    if (g.size() <= few) {
      for (std::uint32_t bits = 1; bits < (1U << g.size()); ++bits) {
        auto& set = sets.emplace_back();
        for (std::size_t i = 0; i < g.size(); ++i)
          if (((bits >> i) & 1U) != 0) set.push_back(g[i]);
      }
      continue;
    }
    for (std::size_t size = 1; size <= g.size(); size *= 2)
      for (std::size_t first = 0; first + size <= g.size(); first += size)
        sets.emplace_back(g.begin() + static_cast<std::ptrdiff_t>(first),
                          g.begin() + static_cast<std::ptrdiff_t>(first + size));
  }
  return sets;
}
/// Asserts that a type is a search, of schedules if it takes their problems.
template <class S, bool Schedules = solves_schedules<S>>
struct is_search {
  static_assert(SearchPolicy<S>);
  static constexpr bool value = true;
};
template <class S>
struct is_search<S, true> {
  static_assert(ScheduleSearchPolicy<S>);
  static constexpr bool value = true;
};
} // namespace detail

/// The façade: composes a cost model, a strategy and a search into a function from a graph and a
/// system to a plan. Further axes, with defaults: the objective, the collective model, the candidate
/// sets of accelerators (default: MARS's, see `interconnect::threshold_components`; for schedules on a
/// staged system see `detail::staged_candidates`).
///
/// The search decides the semantics: a `SearchPolicy` maps operators that run one after another, a
/// `ScheduleSearchPolicy` schedules them. A schedule on a system that is not staged begins with the
/// sequential optimum (or what `search::exact` finds in its budget), and is never slower.
///
/// Errors of `find`: what `build_problem` and `evaluate` refuse. A mapping that does not fit is not
/// an error: the plan's evaluation says what is short.
template <class Cost = cost::analytical, class Strategy = parallel::exclusive_shared,
          class Search = search::two_level_genetic, class Wanted = objective::latency,
          class Collective = collective::standard>
class mapper {
  // Asserted, not constrained: of a constrained class whose arguments are deduced, clang says only
  // that "constraints are not satisfied"; of these, both compilers quote the missing expression.
  static_assert(ParallelismStrategy<Strategy>);
  static_assert(detail::is_search<Search>::value);
  static_assert(Objective<Wanted>);
  static_assert(CollectiveModel<Collective>);

public:
  explicit mapper(Cost cost = {}, Strategy strategy = {}, Search search = {}, Wanted objective = {},
                  Collective collective = {})
      : cost_{std::move(cost)},
        strategy_{std::move(strategy)},
        search_{std::move(search)},
        objective_{std::move(objective)},
        collective_{std::move(collective)} {}

  /// The plan; `.value()` of `find`.
  template <WorkloadGraph Graph, AcceleratorSystem System>
  requires CostModelForSystem<Cost, System>
  [[nodiscard]] auto operator()(Graph const& g, System const& system,
                                search_context const& context = {}) const -> plan {
    return find(g, system, context).value();
  }

  template <WorkloadGraph Graph, AcceleratorSystem System>
  requires CostModelForSystem<Cost, System>
  [[nodiscard]] auto find(Graph const& g, System const& given, search_context context = {}) const
      -> expected<plan> {
    decltype(auto) system = detail::with_cached_links(given);
    if constexpr (ScheduleSearchPolicy<Search>) {
      return find_schedule(g, system, std::move(context));
    } else {
      auto const sets =
          candidates_.empty() ? detail::candidate_sets(system.interconnect) : candidates_;
      return find_assignment(g, system, sets, std::move(context));
    }
  }

  /// The same with a form of each operator chosen from `forms`, too (compressed_mapper.hpp makes them of
  /// compressions). The mapping names what was chosen; `form_graph` makes the graph that it maps.
  template <WorkloadGraph Graph, AcceleratorSystem System>
  requires CostModelForSystem<Cost, System>
  [[nodiscard]] auto find_formed(Graph const& g, System const& given, operator_forms const& forms,
                                 search_context context = {}) const -> expected<plan> {
    static_assert(!ScheduleSearchPolicy<Search>, "schedules choose no compressions");
    decltype(auto) system = detail::with_cached_links(given);
    auto const sets =
        candidates_.empty() ? detail::candidate_sets(system.interconnect) : candidates_;
    return find_assignment(g, system, sets, std::move(context), forms);
  }

  /// Prices a mapping found elsewhere: no search, no bound.
  template <WorkloadGraph Graph, AcceleratorSystem System>
  requires CostModelForSystem<Cost, System>
  [[nodiscard]] auto price(Graph const& g, System const& given, mapping m) const -> expected<plan> {
    decltype(auto) system = detail::with_cached_links(given);
    auto priced = evaluate(g, system, m, cost_, collective_);
    if (!priced) return unexpected{std::move(priced).error()};
    plan result;
    for (std::size_t v = 0; v < m.operators.size(); ++v) {
      operation const& o = op(g, operator_id{v});
      result.operators.push_back({o.name, to_string(m.operators[v], o)});
    }
    result.mapping = std::move(m);
    result.evaluation = *std::move(priced);
    result.objective = std::string{std::string_view{objective_.name()}};
    auto const value = objective_(result.evaluation);
    if (!value)
      return fail(error_code::invalid_argument, "objective", result.objective,
                  "an objective that every design can answer");
    result.value = *value;
    return result;
  }

  /// Only these sets of accelerators, each in rank order.
  [[nodiscard]] auto with_candidates(std::vector<std::vector<accelerator_id>> sets) const
      -> mapper {
    auto copy = *this;
    copy.candidates_ = std::move(sets);
    return copy;
  }
  /// Starts from a mapping; the answer is never worse, if its sets and shardings are candidates.
  [[nodiscard]] auto with_start(mapping m) const -> mapper {
    auto copy = *this;
    copy.start_ = std::move(m);
    return copy;
  }

private:
  /// What a search found, priced by the models themselves.
  template <class Graph, class System, class Found>
  [[nodiscard]] auto plan_of(Graph const& g, System const& system, mapping best, Found const& found,
                             seconds wall) const -> expected<plan> {
    auto result = price(g, system, std::move(best));
    if (!result) return result;
    result->bound = found.bound;
    result->policy = std::string{std::string_view{search_.name()}};
    result->evaluations = found.evaluations;
    result->wall = wall;
    result->exhausted = found.exhausted;
    return result;
  }

  template <class Graph, class System>
  [[nodiscard]] auto find_assignment(Graph const& g, System const& system,
                                     std::vector<std::vector<accelerator_id>> const& sets,
                                     search_context context, operator_forms const& forms = {}) const
      -> expected<plan> {
    auto const begun = deadline::clock::now();
    auto problem = build_problem(g, system, cost_, strategy_, collective_, objective_, sets,
                                 overlaps::no, algorithm_choice::mapper, forms);
    if (!problem) return unexpected{std::move(problem).error()};
    if (!context.start && start_) context.start = problem->encode(*start_);
    if (context.resume && (context.resume->problem != fingerprint(*problem) ||
                           !problem->accepts(context.resume->best)))
      return fail(error_code::invalid_argument, "checkpoint", "of another problem",
                  "the workload, system, strategy, costs and objective it was made with");
    auto const found = search_(*problem, context);
    auto const wall = seconds_since(begun);
    auto best = problem->decode(found.best);
    if (forms.empty()) return plan_of(g, system, std::move(best), found, wall);
    auto const formed = form_graph(g, forms, best);
    if (!formed) return unexpected{formed.error()};
    return plan_of(*formed, system, std::move(best), found, wall);
  }

  template <class Graph, class System>
  [[nodiscard]] auto find_schedule(Graph const& g, System const& system,
                                   search_context context) const -> expected<plan> {
    auto const begun = deadline::clock::now();
    bool const staged = is_staged(system.interconnect);
    auto sets = candidates_;
    if (sets.empty())
      sets =
          staged ? detail::staged_candidates(system) : detail::candidate_sets(system.interconnect);
    auto problem =
        build_schedule_problem(g, system, cost_, strategy_, collective_, objective_, sets);
    if (!problem) return unexpected{std::move(problem).error()};
    if (!context.start_schedule && start_) context.start_schedule = problem->encode(*start_);
    if (!staged && !context.start_schedule) {
      auto tables = build_problem(g, system, cost_, strategy_, collective_, objective::latency{},
                                  sets, overlaps::no, algorithm_choice::design);
      if (!tables) return unexpected{std::move(tables).error()};
      search_context inner;
      inner.stop = context.stop;
      inner.threads = context.threads;
      inner.budget.evaluations = sequential_evaluations;
      if (context.budget.wall) inner.budget.wall = *context.budget.wall / 3;
      auto const sequential = search::exact{}(*tables, inner);
      context.start_schedule = problem->encode(tables->decode(sequential.best));
    }
    auto const found = search_(*problem, context);
    auto const wall = seconds_since(begun);
    if (found.value.conflicts > 0)
      return fail(error_code::infeasible, "system",
                  "no schedule in which every accelerator keeps one design", "one",
                  std::string{"search "} + std::string{std::string_view{search_.name()}});
    return plan_of(g, system, problem->decode(found.best), found, wall);
  }

  /// Of the sequential search that schedules begin with.
  static constexpr std::uint64_t sequential_evaluations = 20'000'000;

  Cost cost_;
  Strategy strategy_;
  Search search_;
  Wanted objective_;
  Collective collective_;
  std::vector<std::vector<accelerator_id>> candidates_;
  std::optional<mapping> start_;
};

/// The written baseline for a graph on a system: `search::computation_prioritized` on the components
/// without the host and the two longest dimensions.
template <WorkloadGraph Graph, AcceleratorSystem System, class Cost = cost::analytical,
          Objective Wanted = objective::latency, CollectiveModel Collective = collective::standard>
[[nodiscard]] auto find_baseline(Graph const& g, System const& system, Cost cost = {},
                                 Wanted objective = {}, Collective collective = {})
    -> expected<plan> {
  return mapper{std::move(cost), parallel::longest_dimensions{}, search::computation_prioritized{},
                std::move(objective), std::move(collective)}
      .with_candidates(interconnect::direct_components(system.interconnect))
      .find(g, system);
}

} // namespace mars
