// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/branching.hpp>
#include <mars/search/detail/elimination.hpp>
#include <mars/search/meter.hpp>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::search {

/// The optimum, proven: best-first branch and bound. A subproblem (`detail::subproblem`) says which
/// slots and choices are left; its bound is the optimum without memory and without conflicts between
/// slots that are not neighbours (`detail::elimination`: dynamic programming along the graph). Where
/// that optimum respects both, the subproblem is solved; otherwise it is split in two: one slot in
/// conflict with another is given up, or everything it is in conflict with; or, where memory
/// overflows or too much is spent, one operator's choice is fixed or given up, after prices on
/// resident bytes and spending (Lagrange) have lifted the bound; or, where only ranges are wanted, an
/// operator between two of a slot joins it, or the slot ends before it, or begins after it. A slot
/// goes with all that a symmetry of the sets turns into it (orbital branching: Ostrowski et al. 2011).
///
/// Prefer it: whenever it ends, and as a bound when it does not: it is anytime, and what it holds at
/// the end of its budget is feasible if it met anything feasible. For objectives that add up
/// (`aggregate::sum`); for others it answers its start, or the cheapest of each operator, with the
/// static bound, and `exhausted` stays false.
///
/// `exhausted` means: `best` is optimal, or, where it is not feasible, nothing is. Deterministic.
/// Complexity: a subproblem costs what `detail::elimination` says; there is one for each set and
/// design that can hold everything (three on MARS's platform), and more where sets compete.
template <deferred D = when_called>
struct basic_exact {
  std::uint64_t evaluations{200'000'000}; ///< states priced, unless the context has a budget
  std::size_t most_entries{1U << 22};     ///< of one table; larger ones are split (bounds only)
  std::size_t most_states{1U << 23};      ///< of one subproblem; larger ones are split, or given up
  double most_work{3e8};                  ///< of one elimination; where more, slots are split first
  int price_steps{12};                    ///< of Lagrangian prices, where a limit is passed
  bool contiguous{}; ///< only ranges of the order: a set runs operators in a row

  [[nodiscard]] auto name() const -> std::string_view { return "exact"; }

  [[nodiscard]] auto operator()(later<mapping_problem, D> const& problem,
                                later<search_context, D> const& context) const
      -> later<solution, D> {
    run r{problem, *this, meter{context, evaluations}};
    return r.solve(context);
  }

private:
  struct run {
    later<mapping_problem, D> const& problem;
    basic_exact const& policy;
    meter clock;
    later<solution, D> result{};
    detail::basic_slot_conflicts<D> conflicts{problem};
    later<std::vector<detail::subproblem>, D> open{}; ///< a heap, the most promising on top
    ticks given_up{no_ticks}; ///< least bound of what is too large to look at

    auto solve(later<search_context, D> const& context) -> later<solution, D> {
      result.bound = static_bound(problem);
      result.value = {no_ticks, std::numeric_limits<std::int64_t>::max()};
      if (problem.size() == 0) offer({});
      if (context.start && (!policy.contiguous || is_contiguous(*context.start)))
        offer(*context.start);
      if (problem.how() != aggregate::sum) {
        offer(cheapest());
        result.evaluations = clock.evaluations();
        return std::move(result);
      }
      push(conflicts.everything());
      while (!open.empty()) {
        std::pop_heap(open.begin(), open.end(), detail::less_promising);
        auto s = std::move(open.back());
        open.pop_back();
        if (proven(s.bound)) continue;
        if (clock.spent() || !process(s)) return finish(std::min(s.bound, least_open()));
      }
      return finish(no_ticks);
    }

    /// Can nothing better come from a subproblem with this bound?
    [[nodiscard]] auto proven(ticks bound) const -> bool {
      return bound >= no_ticks || (result.value.feasible() && bound >= result.value.value);
    }
    [[nodiscard]] auto least_open() const -> ticks {
      auto least = no_ticks;
      for (auto const& s : open) least = std::min(least, s.bound);
      return least;
    }
    /// `unexplored`: the least bound of what is left.
    auto finish(ticks unexplored) -> later<solution, D> {
      unexplored = std::min(unexplored, given_up);
      result.exhausted = proven(unexplored);
      if (result.best.slots.empty() && problem.size() > 0) offer(cheapest());
      if (result.exhausted && result.value.feasible())
        result.bound = {result.value.value, "exhausted"};
      else if (!result.exhausted && unexplored > result.bound.value)
        result.bound = {unexplored, "elimination"};
      result.evaluations = clock.evaluations();
      return std::move(result);
    }

    void push(later<detail::subproblem, D> s) {
      if (proven(s.bound)) return;
      s.id = next_id++;
      open.push_back(std::move(s));
      std::push_heap(open.begin(), open.end(), detail::less_promising);
    }

    void offer(later<assignment, D> a) {
      auto const value = problem.evaluate(a);
      if (!result.best.slots.empty() && !(value < result.value)) return;
      result.best = std::move(a);
      result.value = value;
      clock.report(result.value, result.bound, "exact");
    }
    [[nodiscard]] auto cheapest() const -> assignment {
      later<assignment, D> a{{{0, 0}}, std::vector<std::uint16_t>(problem.size()), {}};
      for (std::size_t v = 0; v < problem.size(); ++v) {
        auto const& node = problem.row(v, 0).node[0];
        a.choice_of.push_back(
            static_cast<std::uint16_t>(std::min_element(node.begin(), node.end()) - node.begin()));
      }
      return a;
    }

    /// Solves or splits. False: out of budget before either.
    auto process(later<detail::subproblem, D>& s) -> bool {
      auto const outline = conflicts.outline_of(s);
      s.bound = std::max(s.bound, outline.least);
      if (proven(s.bound)) return true;
      if (outline.states > policy.most_states) {
        if (auto parts = conflicts.components(s, s.allowed); parts.size() > 1)
          for (auto& part : parts) push(std::move(part));
        else if (auto const at = conflicts.contested(s.allowed))
          split(s, *at);
        else
          given_up = std::min(given_up, s.bound);
        return true;
      }
      auto const limit = result.value.feasible() ? result.value.value : no_ticks;
      auto domain = conflicts.states(s, {});
      if (s.solo && !conflicts.fit_alone(domain)) return true;
      s.bound = std::max(s.bound, conflicts.reduce(domain, limit));
      if (proven(s.bound)) return true;

      // What cannot be together in a connected graph is looked at apart.
      if (auto parts = conflicts.components(s, conflicts.present_in(domain)); parts.size() > 1) {
        for (auto& part : parts) push(std::move(part));
        return true;
      }
      if (conflicts.work(domain) > policy.most_work)
        if (auto const at = conflicts.contested(conflicts.present_in(domain))) return split(s, *at);

      auto answer = eliminate(domain);
      if (!answer) return false;
      s.bound = std::max(s.bound, answer->bound);
      if (proven(s.bound)) return true;
      if (!answer->state_of.empty()) {
        auto const used = conflicts.used(domain, answer->state_of);
        if (auto const at = conflicts.contested(used)) {
          if (!repair(s, used)) return false;
          return split(s, *at);
        }
        if (auto const gap = interruption(domain, answer->state_of)) {
          for (auto& way : conflicts.uninterrupted(s, *gap)) push(std::move(way));
          return true;
        }
        auto found = conflicts.assignment_of(domain, answer->state_of);
        auto const value = problem.evaluate(found);
        assert(!answer->exact || value.value == answer->bound);
        offer(std::move(found));
        if (answer->exact && value.within_limits()) return true; // its value is the bound
        if (proven(s.bound)) return true;
        if (!value.within_limits() && !price_limits(s)) return false;
        if (proven(s.bound)) return true;
        return split_choice(s, domain, answer->state_of, value.overspent > 0);
      }
      return split_choice(s, domain, answer->state_of, false);
    }

    [[nodiscard]] auto eliminate(later<detail::domains, D> const& domain)
        -> std::optional<typename detail::basic_elimination<D>::answer> {
      std::uint64_t states = 0;
      for (auto const& of : domain) states += of.size();
      clock.count(states);
      detail::basic_elimination<D> table{problem, domain, policy.most_entries};
      bool stopped = false;
      auto answer = table([&] { return stopped = clock.interrupted(); });
      if (stopped) return std::nullopt;
      return answer;
    }

    /// Something feasible near a relaxed optimum whose slots are in conflict: its busiest slots that
    /// are not, alone.
    auto repair(later<detail::subproblem, D> const& s,
                later<std::vector<std::size_t>, D> const& used) -> bool {
      if (result.value.feasible() && repairs++ > 8) return true;
      auto const domain = conflicts.states(conflicts.compatible_part(s, used), {});
      if (std::any_of(domain.begin(), domain.end(), [](auto const& d) { return d.empty(); }))
        return true;
      auto const answer = eliminate(domain);
      if (!answer) return false;
      if (!answer->state_of.empty() &&
          !conflicts.contested(conflicts.used(domain, answer->state_of)) &&
          !interruption(domain, answer->state_of))
        offer(conflicts.assignment_of(domain, answer->state_of));
      return true;
    }

    /// What a bound should reach: the best value, or a little above what is proven.
    [[nodiscard]] auto target() const -> ticks {
      if (result.value.feasible()) return result.value.value;
      auto const lowest = std::min(least_open(), result.value.value);
      return lowest >= no_ticks ? result.bound.value + result.bound.value / 8 : lowest + lowest / 8;
    }
    /// Where only ranges are wanted: what breaks one.
    [[nodiscard]] auto interruption(later<detail::domains, D> const& domain,
                                    later<std::vector<std::size_t>, D> const& chosen) const
        -> std::optional<typename detail::basic_slot_conflicts<D>::interruption> {
      if (!policy.contiguous) return std::nullopt;
      return conflicts.interrupted(domain, chosen);
    }
    [[nodiscard]] static auto is_contiguous(later<assignment, D> const& a) -> bool {
      later<std::vector<bool>, D> left(a.slots.size());
      for (std::size_t v = 1; v < a.slot_of.size(); ++v) {
        if (a.slot_of[v] == a.slot_of[v - 1]) continue;
        left[a.slot_of[v - 1]] = true;
        if (left[a.slot_of[v]]) return false;
      }
      return true;
    }

    /// Lagrangian prices on resident bytes and spending: every step is a valid bound, and may be
    /// within the limits.
    auto price_limits(later<detail::subproblem, D>& s) -> bool {
      if (s.price.empty()) s.price.assign(conflicts.size() + 1, 0.0);
      auto const steps = s.decisions.empty() ? policy.price_steps : 2; // prices are inherited
      for (int step = 0; step < steps && !clock.spent(); ++step) {
        auto const domain = conflicts.states(s, s.price);
        auto const answer = eliminate(domain);
        if (!answer) return false;
        if (answer->bound >= no_ticks) {
          s.bound = no_ticks;
          return true;
        }
        s.bound = std::max(s.bound, answer->bound - conflicts.priced_limits(s.price));
        if (answer->state_of.empty()) return true;
        auto const used = conflicts.used(domain, answer->state_of);
        if (conflicts.contested(used) || interruption(domain, answer->state_of)) return true;
        auto found = conflicts.assignment_of(domain, answer->state_of);
        bool const changed = conflicts.raise(s.price, found, s.bound, target());
        offer(std::move(found));
        if (proven(s.bound) || !changed) return true;
      }
      return true;
    }

    auto split(later<detail::subproblem, D> const& s, std::size_t at) -> bool {
      push(conflicts.without(s, at));
      push(conflicts.without_conflicts_of(s, at));
      return true;
    }
    auto split_choice(later<detail::subproblem, D> const& s,
                      later<detail::domains, D> const& domain,
                      later<std::vector<std::size_t>, D> const& chosen, bool by_spending) -> bool {
      auto const v = conflicts.operator_to_fix(domain, by_spending);
      if (v == domain.size()) return true; // every choice is fixed, and it has been priced
      auto const& x = domain[v][chosen.empty() ? 0 : chosen[v]];
      push(conflicts.fixed(s, v, x, true));
      push(conflicts.fixed(s, v, x, false));
      return true;
    }

    std::uint64_t next_id{};
    int repairs{};
  };
};
using exact = basic_exact<>;

} // namespace mars::search
