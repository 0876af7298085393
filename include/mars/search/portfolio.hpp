// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/parallel_for.hpp>
#include <mars/search/annealing.hpp>
#include <mars/search/any_search.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/exact.hpp>
#include <mars/search/two_level_genetic.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mars::search {

/// Several policies under one budget, round after round: in each they run side by side, everyone from
/// the best known, with an equal share; every round is `growth` times as long as the one before. The
/// best answer and the best bound are kept; it ends as soon as they meet.
///
/// Prefer it: when it is not known which policy suits the problem. Costs as much as its members on one
/// core; with threads, as the slowest of them. Deterministic for any number of threads: policies run
/// apart and meet only between rounds.
struct portfolio {
  /// (In a function: g++ 12 fails on this list as a default initialiser in a generic lambda.)
  [[nodiscard]] static auto standard_members() -> std::vector<any_search> {
    return {exact{}, two_level_genetic{}, annealing{}};
  }

  std::vector<any_search> members = standard_members();
  std::uint64_t evaluations{300'000'000}; ///< of all, unless the context has a budget
  std::uint64_t first_round{200'000};     ///< evaluations of each member
  std::uint64_t growth{4};

  [[nodiscard]] auto name() const -> std::string_view { return "portfolio"; }

  [[nodiscard]] auto operator()(mapping_problem const& problem, search_context const& context) const
      -> solution {
    meter clock{context, evaluations};
    auto const until =
        context.budget.wall ? deadline::after(*context.budget.wall) : deadline::never();
    solution best;
    best.bound = static_bound(problem);
    best.value.overflow_bytes = -1; // none yet
    if (context.start) {
      best.best = *context.start;
      best.value = problem.evaluate(best.best);
    }
    std::uint64_t share = std::max<std::uint64_t>(1, first_round);
    std::vector<solution> found(members.size());
    bool done = members.empty();
    while (!done) {
      auto const left = clock.limit() - std::min(clock.limit(), clock.evaluations());
      share = std::max<std::uint64_t>(1, std::min(share, left / members.size()));
      parallel_for(members.size(), context.threads, [&](std::size_t i) {
        search_context one{.budget = {.evaluations = share}, .stop = context.stop, .threads = 1};
        if (!until.is_never()) one.budget.wall = until.remaining();
        if (best.value.overflow_bytes >= 0) one.start = best.best;
        found[i] = members[i](problem, one);
      });
      for (auto& f : found) {
        clock.count(f.evaluations);
        best.exhausted = best.exhausted || f.exhausted;
        if (f.bound.value > best.bound.value) best.bound = f.bound;
        if (best.value.overflow_bytes >= 0 && !(f.value < best.value)) continue;
        best.best = f.best;
        best.value = f.value;
      }
      clock.report(best.value, best.bound, name());
      bool const proven = best.value.feasible() && best.bound.value >= best.value.value;
      done = best.exhausted || proven || clock.spent() || clock.interrupted() || until.expired();
      share = share > clock.limit() / growth ? clock.limit() : share * growth;
    }
    best.evaluations = clock.evaluations();
    return best;
  }
};

} // namespace mars::search
