// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deadline.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/parallel_for.hpp>
#include <mars/core/random.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/delta_evaluator.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/relax.hpp>
#include <mars/search/meter.hpp>
#include <mars/search/roles.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::search {

/// Local search that also walks uphill, less and less (threshold accepting: Dueck and Scheuer 1990;
/// simulated annealing without the exponential, so that every platform decides alike). Small moves:
/// another sharding for an operator, another slot for it, another design for a slot; each priced by
/// `delta_evaluator`. Large ones, at the beginning of every stage: a mutation of the genetic search,
/// then shardings relaxed along paths. Several walks run side by side; after every stage the worst goes on from the
/// best. Walks begin where MARS's seeding puts them (the first at the context's start), and the best
/// end is relaxed along paths.
///
/// Prefer it: for large graphs and objectives that do not add up, where the genetic search's
/// generations are slow. Moves cost O(degree). Deterministic for any number of threads.
template <deferred D = when_called>
struct basic_annealing {
  std::uint64_t seed{1};
  std::uint64_t evaluations{40'000'000}; ///< choices priced, unless the context has a budget
  std::size_t walks{4};
  std::size_t kicks{8};       ///< large moves a stage
  std::uint64_t moves{5'000}; ///< small moves a stage
  double warmest{1e-2};       ///< accepted rise at first, as a share of the walk's value
  int halvings{20};           ///< of that, by the end of the budget

  [[nodiscard]] auto name() const -> std::string_view { return "annealing"; }

  [[nodiscard]] auto operator()(later<mapping_problem, D> const& problem,
                                later<search_context, D> const& context) const -> solution {
    meter clock{context, evaluations};
    later<solution, D> result;
    result.bound = static_bound(problem);
    auto const lanes = std::max<std::size_t>(1, walks);
    basic_profile<D> const known{problem};
    roles::basic_proportional_seeding<D> const seeding{};
    random_stream const random{seed, 0x616E6E65};
    detail::basic_path_relaxation<D> const relaxation{problem};
    if (problem.size() == 0) {
      result.best = context.start.value_or(later<assignment, D>{});
      result.value = problem.evaluate(result.best);
      return result;
    }

    std::vector<std::unique_ptr<walk>> all(lanes);
    parallel_for(lanes, context.threads, [&](std::size_t i) {
      auto stream = random.substream(i);
      auto from = i == 0 && context.start ? *context.start : seeding(problem, known, stream);
      all[i] = std::make_unique<walk>(problem, std::move(from), relaxation, stream);
    });
    for (auto const& w : all) clock.count(w->priced);
    // Cools with the budget: with its evaluations, or else with its time.
    bool const timed = context.budget.wall && !context.budget.evaluations;
    auto const until = timed ? deadline::after(*context.budget.wall) : deadline::never();
    while (!clock.spent() && !clock.interrupted()) {
      auto const used =
          timed ? 1 - until.remaining() / *context.budget.wall
                : static_cast<double>(clock.evaluations()) / static_cast<double>(clock.limit());
      auto rise = warmest; // halved, not raised to a power: the same on every platform
      for (int k = 0; k < static_cast<int>(used * halvings); ++k) rise /= 2;
      auto const allowance = (clock.limit() - clock.evaluations()) / lanes + 1;
      parallel_for(lanes, context.threads, [&](std::size_t i) {
        auto& w = *all[i];
        for (std::size_t k = 0; k < kicks && w.priced < allowance && !clock.interrupted(); ++k)
          w.kick(known, rise);
        w.go(std::min(moves, allowance - std::min(allowance, w.priced)), rise, clock);
      });
      for (auto const& w : all) clock.count(std::exchange(w->priced, 0));
      auto const best = best_of(all);
      auto const worst = worst_of(all);
      if (all[best]->best < all[worst]->best) all[worst]->restart(*all[best]);
      clock.report(all[best]->best, result.bound, "annealing");
    }
    auto& winner = *all[best_of(all)];
    auto polished = winner.found;
    auto relax = relaxation;
    clock.count(relax(polished, {}));
    auto const value = problem.evaluate(polished);
    bool const better = value < winner.best;
    result.best = better ? std::move(polished) : std::move(winner.found);
    result.value = better ? value : winner.best;
    result.evaluations = clock.evaluations();
    return result;
  }

private:
  /// One walk: where it is, and the best it has seen.
  struct walk {
    later<delta_evaluator, D> at;
    random_stream random;
    assignment_value current;
    assignment_value best;
    later<assignment, D> found;
    detail::basic_path_relaxation<D> relax;
    std::uint64_t priced{};

    walk(later<mapping_problem, D> const& problem, later<assignment, D> from,
         detail::basic_path_relaxation<D> relaxation, random_stream stream)
        : at{problem, from},
          random{stream},
          current{at.value()},
          best{current},
          found{from},
          relax{std::move(relaxation)} {
      priced = relax(from, {});
      if (auto const value = problem.evaluate(from); value < best) {
        at.reset(from);
        current = best = value;
        found = std::move(from);
      }
    }

    void restart(walk const& from) {
      at.reset(from.found);
      current = best = from.best;
      found = from.found;
    }

    /// A large move, kept if it is not too bad.
    void kick(profile const& known, double rise) {
      auto candidate = at.current();
      roles::mixed_mutation{}(at.problem(), known, candidate, random);
      priced += relax(candidate, {});
      auto const value = at.problem().evaluate(candidate);
      if (!acceptable(value, rise * static_cast<double>(std::min(current.value, no_ticks)))) return;
      at.reset(candidate);
      take(value);
    }

    void go(std::uint64_t steps, double rise, meter const& clock) {
      auto const& p = at.problem();
      for (std::uint64_t k = 0; k < steps; ++k, ++priced) {
        if ((k & 1023U) == 1023U && clock.interrupted()) return;
        auto const limit = rise * static_cast<double>(std::min(current.value, no_ticks));
        auto const v = random.below(p.size());
        auto const slot = at.current().slot_of[v];
        auto const slots = at.current().slots.size();
        if (slots > 1 && random.chance(0.1)) {
          auto const to = random.below(slots);
          auto const choices = p.shardings(v, at.current().slots[to].set).size();
          move(v, to, random.below(choices), limit);
        } else if (random.chance(0.002)) {
          auto const s = random.below(slots);
          auto const [set, design] = at.current().slots[s];
          auto const other = random.below(p.designs(set).size());
          at.set_design(s, static_cast<std::uint32_t>(other));
          if (!settle(limit)) at.set_design(s, design);
        } else {
          auto const c = random.below(p.shardings(v, at.current().slots[slot].set).size());
          // Most moves are refused, and can be without being made.
          if (p.how() == aggregate::sum && current.within_limits() &&
              static_cast<double>(at.try_choice(v, c) - current.value) > limit)
            continue;
          move(v, slot, c, limit);
        }
      }
    }

  private:
    void move(std::size_t v, std::size_t slot, std::size_t choice, double limit) {
      auto const old_slot = at.current().slot_of[v];
      auto const old_choice = at.current().choice_of[v];
      at.place(v, slot, choice);
      if (!settle(limit)) at.place(v, old_slot, old_choice);
    }
    /// Keeps the move just made if it is not too bad.
    auto settle(double limit) -> bool {
      auto const value = at.value();
      if (!acceptable(value, limit)) return false;
      take(value);
      return true;
    }
    [[nodiscard]] auto acceptable(assignment_value const& value, double limit) const -> bool {
      if (value.overflow_bytes != current.overflow_bytes)
        return value.overflow_bytes < current.overflow_bytes;
      return value.overspent != current.overspent
                 ? value.overspent < current.overspent
                 : static_cast<double>(value.value - current.value) <= limit;
    }
    void take(assignment_value const& value) {
      current = value;
      if (current < best) {
        best = current;
        found = at.current();
      }
    }
  };

  [[nodiscard]] static auto best_of(std::vector<std::unique_ptr<walk>> const& all) -> std::size_t {
    return static_cast<std::size_t>(
        std::min_element(all.begin(), all.end(),
                         [](auto const& a, auto const& b) { return a->best < b->best; }) -
        all.begin());
  }
  [[nodiscard]] static auto worst_of(std::vector<std::unique_ptr<walk>> const& all) -> std::size_t {
    return static_cast<std::size_t>(
        std::max_element(all.begin(), all.end(),
                         [](auto const& a, auto const& b) { return a->best < b->best; }) -
        all.begin());
  }
};
using annealing = basic_annealing<>;

} // namespace mars::search
