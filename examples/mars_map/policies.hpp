// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <mars/core/stop.hpp>
#include <mars/cost/analytical.hpp>
#include <mars/cost/any_cost.hpp>
#include <mars/cost/roofline.hpp>
#include <mars/evaluation/objective.hpp>
#include <mars/parallel/data.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/parallel/iteration_splits.hpp>
#include <mars/parallel/longest_dimensions.hpp>
#include <mars/parallel/whole.hpp>
#include <mars/search/annealing.hpp>
#include <mars/search/any_search.hpp>
#include <mars/search/beam.hpp>
#include <mars/search/exact.hpp>
#include <mars/search/exhaustive.hpp>
#include <mars/search/portfolio.hpp>
#include <mars/search/two_level_genetic.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

// The policies that the command line names, chosen at run time: one instantiation of the mapper.

namespace mars_map {

/// A strategy by name. Those with exclusive shards also offer what the baseline would do, so that
/// every search can start from the baseline's mapping; `data` stays data parallelism, and splits splits.
struct chosen_strategy {
  strategy_name which{};

  [[nodiscard]] auto shardings(mars::operation const& op, std::size_t ways) const
      -> std::vector<mars::sharding> {
    if (which == strategy_name::data) return mars::parallel::data{}.shardings(op, ways);
    if (which == strategy_name::iteration_splits)
      return mars::parallel::iteration_splits{}.shardings(op, ways);
    if (which == strategy_name::whole) {
      auto const only = mars::parallel::whole{}.shardings(op, ways);
      return {only.begin(), only.end()};
    }
    if (which == strategy_name::single_cut) {
      constexpr mars::parallel::exclusive_shared one{
          .max_exclusive = 1, .max_shared = 0, .replicate = false};
      return one.shardings(op, ways);
    }
    auto found = exclusive().shardings(op, ways);
    if (mars::macs_of(op).count() > 0)
      for (auto const& s : mars::parallel::longest_dimensions{}.shardings(op, ways))
        if (std::find(found.begin(), found.end(), s) == found.end()) found.push_back(s);
    return found;
  }
  [[nodiscard]] auto prior(mars::operation const& op, mars::sharding const& s) const -> double {
    return which == strategy_name::data || which == strategy_name::whole ? 1.0
                                                                         : exclusive().prior(op, s);
  }

private:
  [[nodiscard]] auto exclusive() const -> mars::parallel::exclusive_shared {
    return {.max_shared = which == strategy_name::exclusive_shared ? 1U : 0U};
  }
};

/// An objective by name.
struct named_objective {
  objective_name which{};
  mars::objective::weighted weights{};

  /// Calls `f` with the objective of that name.
  template <class F>
  [[nodiscard]] auto visit(F&& f) const {
    switch (which) {
    case objective_name::throughput: return f(mars::objective::throughput{});
    case objective_name::energy: return f(mars::objective::energy{});
    case objective_name::weighted: return f(weights);
    case objective_name::latency: break;
    }
    return f(mars::objective::latency{});
  }

  [[nodiscard]] auto name() const -> std::string_view { return name_of(which); }
  [[nodiscard]] auto how() const -> mars::aggregate {
    return visit([](auto const& o) { return o.how(); });
  }
  [[nodiscard]] auto node(mars::operator_price const& p) const -> std::optional<mars::ticks> {
    return visit([&](auto const& o) { return o.node(p); });
  }
  [[nodiscard]] auto edge(mars::picoseconds t) const -> mars::ticks {
    return visit([&](auto const& o) { return o.edge(t); });
  }
  [[nodiscard]] auto operator()(mars::evaluation const& e) const -> std::optional<mars::ticks> {
    return visit([&](auto const& o) { return o(e); });
  }
};

/// The same within limits. (A limit on memory is put on the system: explanations know it there.)
using chosen_objective = mars::objective::within<named_objective>;
[[nodiscard]] inline auto objective_of(options const& o) -> chosen_objective {
  return {.base = {o.objective, o.weights}, .memory = {}, .energy = o.energy_limit};
}

[[nodiscard]] inline auto cost_of(options const& o) -> mars::any_cost {
  if (o.cost == cost_name::roofline) return mars::cost::roofline{};
  return mars::cost::analytical{};
}

/// The baseline as the answer. Its own bound is that of its few candidates; the one reported is
/// that of all candidates of the strategy.
struct keep_start {
  [[nodiscard]] auto name() const -> std::string_view { return "baseline"; }
  [[nodiscard]] auto operator()(mars::mapping_problem const& problem,
                                mars::search_context const& context) const -> mars::solution {
    auto best = context.start ? *context.start : first(problem);
    auto const value = problem.evaluate(best);
    return {std::move(best), value, mars::static_bound(problem), 1, false};
  }

private:
  [[nodiscard]] static auto first(mars::mapping_problem const& problem) -> mars::assignment {
    return {{{0, 0}},
            std::vector<std::uint16_t>(problem.size()),
            std::vector<std::uint16_t>(problem.size())};
  }
};

/// A search whose time counts what came before it, too: a budget is for the whole answer.
struct timed_search {
  mars::search::any_search inner;
  mars::deadline until{};

  [[nodiscard]] auto name() const -> std::string_view { return inner.name(); }
  [[nodiscard]] auto operator()(mars::mapping_problem const& problem,
                                mars::search_context const& context) const -> mars::solution {
    auto left = context;
    if (!until.is_never()) left.budget.wall = until.remaining();
    return inner(problem, left);
  }
};

[[nodiscard]] inline auto search_in_one_go(options const& o) -> mars::search::any_search {
  switch (o.search) {
  case search_name::baseline: return keep_start{};
  case search_name::exact: return mars::search::exact{};
  case search_name::annealing: return mars::search::annealing{.seed = o.seed};
  case search_name::beam: return mars::search::beam{};
  case search_name::portfolio:
    return mars::search::portfolio{.members = {mars::search::exact{},
                                               mars::search::two_level_genetic{.seed = o.seed},
                                               mars::search::annealing{.seed = o.seed}}};
  case search_name::exhaustive: return mars::search::exhaustive{};
  case search_name::list:
  case search_name::h2h: // schedules: see run_schedule.cpp
  case search_name::genetic: break;
  }
  return mars::search::two_level_genetic{.seed = o.seed};
}

/// With a checkpoint every search goes in rounds, each twice as long as the one before.
[[nodiscard]] inline auto search_of(options const& o) -> mars::search::any_search {
  auto search = search_in_one_go(o);
  if (o.checkpoint.empty() || o.search == search_name::portfolio) return search;
  return mars::search::portfolio{
      .members = {std::move(search)}, .first_round = 1'000'000, .growth = 2};
}

} // namespace mars_map
