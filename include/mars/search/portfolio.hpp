// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deadline.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/parallel_for.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/search/annealing.hpp>
#include <mars/search/any_search.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/exact.hpp>
#include <mars/search/meter.hpp>
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
/// It can be interrupted and resumed (`search_context::keep`, `resume`): between rounds there is
/// nothing to know but the best answer and how many rounds are over, so with a budget of evaluations a
/// resumed search ends as one that was never interrupted. That goes for one member, too.
///
/// Prefer it: when it is not known which policy suits the problem. Costs as much as its members on one
/// core; with threads, as the slowest of them. Deterministic for any number of threads: policies run
/// apart and meet only between rounds.
template <deferred D = when_called>
struct basic_portfolio {
  /// (In a function: g++ 12 fails on this list as a default initialiser in a generic lambda.)
  [[nodiscard]] static auto standard_members() -> later<std::vector<any_search>, D> {
    return {exact{}, two_level_genetic{}, annealing{}};
  }

  std::vector<any_search> members = standard_members();
  std::uint64_t evaluations{300'000'000}; ///< of all, unless the context has a budget
  std::uint64_t first_round{200'000};     ///< evaluations of each member
  std::uint64_t growth{4};

  /// That of its member, where it has one: then it is that policy, in rounds.
  [[nodiscard]] auto name() const -> std::string_view {
    return members.size() == 1 ? members.front().name() : "portfolio";
  }

  [[nodiscard]] auto operator()(later<mapping_problem, D> const& problem,
                                search_context const& context) const -> solution {
    meter clock{context, evaluations};
    auto const begun = deadline::clock::now();
    auto const until =
        context.budget.wall ? deadline::after(*context.budget.wall) : deadline::never();
    solution best;
    best.bound = static_bound(problem);
    best.value.overflow_bytes = -1; // none yet
    if (context.start) {
      best.best = *context.start;
      best.value = problem.evaluate(best.best);
    }
    checkpoint now;
    if (context.keep) now.problem = fingerprint(problem);
    auto const longer = [&](std::uint64_t share) {
      return share > clock.limit() / growth ? clock.limit() : share * growth;
    };
    auto whole = std::max<std::uint64_t>(1, first_round); // share of a member in a whole round
    if (context.resume) {
      best.best = context.resume->best;
      best.value = problem.evaluate(best.best);
      best.bound = context.resume->bound;
      best.exhausted = context.resume->exhausted;
      now.rounds = context.resume->rounds;
      clock.count(context.resume->evaluations);
      for (std::uint64_t k = 0; k < now.rounds; ++k) whole = longer(whole);
    }
    later<std::vector<solution>, D> found(members.size());
    auto const is_proven = [&] {
      return best.exhausted || (best.value.feasible() && best.bound.value >= best.value.value);
    };
    bool done = members.empty() || is_proven() || (context.resume && clock.spent());
    bool told_to_stop = false; // by the observer of an only member: its round is not whole
    while (!done) {
      auto const left = clock.limit() - std::min(clock.limit(), clock.evaluations());
      auto const share = std::max<std::uint64_t>(1, std::min(whole, left / members.size()));
      parallel_for(members.size(), context.threads, [&](std::size_t i) {
        search_context one{.budget = {.evaluations = share}, .stop = context.stop, .threads = 1};
        if (!until.is_never()) one.budget.wall = until.remaining();
        if (best.value.overflow_bytes >= 0) one.start = best.best;
        if (members.size() == 1 && context.observer)
          one.observer = [&](progress p) { // nobody else reports: it is called in this thread
            p.bound = std::max(p.bound, picoseconds{best.bound.value});
            p.evaluations += clock.evaluations();
            p.elapsed = seconds_since(begun);
            auto const answer = context.observer(p);
            told_to_stop = told_to_stop || answer == verdict::stop;
            return answer;
          };
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
      bool const cut_short = told_to_stop || clock.interrupted() || until.expired();
      ++now.rounds;
      if (context.keep && !cut_short && share == whole) {
        now.evaluations = clock.evaluations();
        now.best = best.best;
        now.bound = best.bound;
        now.exhausted = best.exhausted;
        context.keep(now);
      }
      done = is_proven() || clock.spent() || cut_short;
      whole = longer(whole);
    }
    best.evaluations = clock.evaluations();
    return best;
  }
};
using portfolio = basic_portfolio<>;

} // namespace mars::search
