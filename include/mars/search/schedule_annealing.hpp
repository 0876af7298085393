// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deadline.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/parallel_for.hpp>
#include <mars/core/random.hpp>
#include <mars/evaluation/schedule_bounds.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/schedule_moves.hpp>
#include <mars/search/detail/schedule_starts.hpp>
#include <mars/search/meter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::search {

/// Local search over schedules that also walks uphill, less and less (threshold accepting, as
/// `annealing`). Moves: another choice for an operator; a piece of a chain to another set, sharded anew
/// by dynamic programming; another place in the launch order for it; a set that gains, loses or
/// exchanges an accelerator, with everything that runs on it; weights streamed or resident. Several
/// walks run side by side, each from one of the starts (the context's, the list schedule, H2H's); after
/// every stage the worst goes on from the best.
///
/// Prefer it: it is the default for schedules. Deterministic for any number of threads. O(V·p + E) a
/// move.
template <deferred D = when_called>
struct basic_schedule_annealing {
  std::uint64_t seed{1};
  std::uint64_t evaluations{100'000}; ///< schedules priced, unless the context has a budget
  std::size_t walks{4};
  std::uint64_t moves{500}; ///< of a walk, a stage
  double warmest{3e-2};     ///< accepted rise at first, as a share of the walk's value
  int halvings{12};         ///< of that, by the end of the budget

  [[nodiscard]] auto name() const -> std::string_view { return "annealing"; }

  [[nodiscard]] auto operator()(later<schedule_problem, D> const& problem,
                                later<search_context, D> const& context) const
      -> schedule_solution {
    meter clock{context, evaluations};
    bool const timed = context.budget.wall && !context.budget.evaluations;
    auto const until = timed ? deadline::after(*context.budget.wall) : deadline::never();
    later<schedule_solution, D> result;
    result.bound = schedule_bound(problem);
    random_stream const random{seed, 0x73636865};
    auto const starts = detail::schedule_starts<D>(problem, context, clock);
    auto const lanes = std::max({std::size_t{1}, walks, starts.size()});
    std::vector<std::unique_ptr<walk>> all(lanes);
    for (std::size_t i = 0; i < lanes; ++i)
      all[i] = std::make_unique<walk>(problem, starts[i % starts.size()], random.substream(i));
    auto const best = [&]() -> walk& {
      return **std::min_element(all.begin(), all.end(),
                                [](auto const& a, auto const& b) { return a->best < b->best; });
    };
    while (problem.size() > 0 && !clock.spent() && !clock.interrupted()) {
      auto const used =
          timed ? 1 - until.remaining() / *context.budget.wall
                : static_cast<double>(clock.evaluations()) / static_cast<double>(clock.limit());
      auto rise = warmest; // halved, not raised to a power: the same on every platform
      for (int k = 0; k < static_cast<int>(used * halvings); ++k) rise /= 2;
      auto const share = (clock.limit() - clock.evaluations() + lanes - 1) / lanes;
      auto const steps = std::min(moves, share);
      parallel_for(lanes, context.threads, [&](std::size_t i) { all[i]->go(steps, rise, clock); });
      clock.count(steps * lanes);
      auto& winner = best();
      auto& loser = **std::max_element(
          all.begin(), all.end(), [](auto const& a, auto const& b) { return a->best < b->best; });
      if (winner.best < loser.best) loser.restart(winner);
      clock.report({winner.best.value, winner.best.overflow_bytes, 0}, result.bound, "annealing");
      if (winner.best.feasible() && winner.best.value <= result.bound.value) break;
    }
    result.best = best().found;
    result.value = best().best;
    result.exhausted = result.value.feasible() && result.value.value <= result.bound.value;
    result.evaluations = clock.evaluations();
    return result;
  }

private:
  /// One walk: where it is, and the best it has seen.
  struct walk {
    detail::basic_schedule_moves<D> change;
    later<schedule_evaluator, D> price;
    random_stream random;
    later<schedule_assignment, D> at, candidate, found;
    schedule_value current, best;

    walk(later<schedule_problem, D> const& p, later<schedule_assignment, D> from,
         random_stream stream)
        : change{p}, price{p}, random{stream}, at{from}, found{std::move(from)} {
      current = best = price(at);
    }
    void restart(walk const& from) {
      at = found = from.found;
      current = best = from.best;
    }
    void go(std::uint64_t steps, double rise, meter const& clock) {
      for (std::uint64_t k = 0; k < steps; ++k) {
        if ((k & 63U) == 63U && clock.interrupted()) return;
        candidate = at;
        change(candidate, random);
        auto const value = price(candidate);
        if (!acceptable(value, rise)) continue;
        std::swap(at, candidate);
        current = value;
        if (current < best) {
          best = current;
          found = at;
        }
      }
    }
    [[nodiscard]] auto acceptable(schedule_value const& value, double rise) const -> bool {
      if (value.conflicts != current.conflicts) return value.conflicts < current.conflicts;
      if (value.overflow_bytes != current.overflow_bytes)
        return value.overflow_bytes < current.overflow_bytes;
      return static_cast<double>(value.value - current.value) <=
             rise * static_cast<double>(current.value);
    }
  };
};
using schedule_annealing = basic_schedule_annealing<>;

} // namespace mars::search
