// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Search policies for tests: an archetype with the least a policy can be, and every model by name.

#include "support/random_problems.hpp"

#include <mars/search/annealing.hpp>
#include <mars/search/any_search.hpp>
#include <mars/search/beam.hpp>
#include <mars/search/computation_prioritized.hpp>
#include <mars/search/exact.hpp>
#include <mars/search/exhaustive.hpp>
#include <mars/search/portfolio.hpp>
#include <mars/search/two_level_genetic.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mars_test {

/// The simplest honest search: random assignments until the budget is spent.
struct random_search {
  std::uint64_t seed{1};

  [[nodiscard]] auto name() const -> std::string_view { return "random"; }
  [[nodiscard]] auto operator()(mars::mapping_problem const& problem,
                                mars::search_context const& context) const -> mars::solution {
    mars::search::meter clock{context, 1000};
    mars::random_stream r{seed};
    mars::solution result;
    result.bound = mars::static_bound(problem);
    result.best = context.start ? *context.start : random_assignment(problem, r);
    result.value = problem.evaluate(result.best);
    for (clock.count(1); !clock.spent(); clock.count(1)) {
      auto other = random_assignment(problem, r);
      auto const value = problem.evaluate(other);
      if (!(value < result.value)) continue;
      result.best = std::move(other);
      result.value = value;
      clock.report(result.value, result.bound, name());
    }
    result.evaluations = clock.evaluations();
    return result;
  }
};

/// Every policy, small enough to run hundreds of times.
inline auto every_search() -> std::vector<mars::search::any_search> {
  namespace search = mars::search;
  return {search::computation_prioritized{},
          search::two_level_genetic{},
          search::two_level_genetic{.seed = 7, .population = 5, .immigrants = 1, .patience = 6},
          search::exact{.evaluations = 20000},
          search::annealing{.evaluations = 20000, .walks = 3, .kicks = 2, .moves = 200},
          search::beam{.widest = 16},
          search::portfolio{.members = {search::exact{}, search::annealing{},
                                        search::two_level_genetic{.population = 6}},
                            .evaluations = 60000,
                            .first_round = 300},
          search::exhaustive{.evaluations = 2000},
          random_search{},
          search::any_search{random_search{.seed = 3}}};
}

} // namespace mars_test
