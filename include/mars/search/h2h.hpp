// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/schedule_bounds.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/launch_lists.hpp>
#include <mars/search/meter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::search {

/// H2H's four steps (arXiv 2204.13852), every operator whole on one accelerator:
///   1. computation-prioritised mapping: round by round, the assignment of all ready operators with the
///      earliest end of all accelerators; all transfers count;
///   2. weights stay in memory where they fit, the largest first;
///   3. what an accelerator launches right after its producer finds its input in place;
///   4. operators, chain by chain and the latest chain first, move beside a predecessor or a successor
///      if the makespan falls; `passes` times.
/// Unlike the published code, step 4 asks for the makespan of a legal schedule ("legal step 4" of the
/// reference figures): what that code prints is not one.
///
/// On systems without staging, steps 2 and 3 have no effect. Rounds with more assignments than
/// `most_combinations`, or than the budget has left, give the ready operators accelerators one by one.
/// O(rounds·combinations + passes·V·V).
template <deferred D = when_called>
struct basic_h2h {
  int steps{4}; ///< how far to go, 1 to 4; below 3 the value is that of nothing staying in place
  int passes{2};
  std::size_t most_combinations{100'000};

  [[nodiscard]] auto name() const -> std::string_view { return "h2h"; }

  [[nodiscard]] auto operator()(later<schedule_problem, D> const& problem,
                                later<search_context, D> const& context) const
      -> schedule_solution {
    meter clock{context, ~std::uint64_t{0}};
    auto result = construct(problem, clock);
    result.bound = schedule_bound(problem);
    result.evaluations = clock.evaluations();
    return result;
  }

  /// The same without a bound.
  [[nodiscard]] auto construct(later<schedule_problem, D> const& problem, meter& clock) const
      -> schedule_solution {
    later<schedule_evaluator, D> price{problem};
    later<schedule_solution, D> result;
    detail::basic_single_choices<D> const singles{problem};
    if (!singles.complete()) { // some operator runs on no single accelerator
      result.best.choice_of.assign(problem.size(), 0);
      result.best.streamed.assign(problem.size(), 0);
      for (std::uint32_t v = 0; v < problem.size(); ++v) result.best.order.push_back(v);
      result.value = price(result.best);
      return result;
    }
    bool const staged = problem.is_staged();
    price.let_stay(false);
    later<schedule_assignment, D> a = prioritise(problem, singles, staged, clock);
    if (staged && steps >= 2) pin(problem, price, a);
    price.let_stay(steps >= 3);
    result.value = price(a);
    if (steps >= 4) remap(problem, singles, price, a, result.value, clock);
    result.best = std::move(a);
    return result;
  }

private:
  /// Step 1.
  [[nodiscard]] auto prioritise(later<schedule_problem, D> const& p,
                                detail::basic_single_choices<D> const& singles, bool staged,
                                meter& clock) const -> later<schedule_assignment, D> {
    auto const n = p.size();
    later<schedule_assignment, D> a;
    a.choice_of.assign(n, 0);
    a.streamed.assign(n, staged ? 1 : 0);
    later<std::vector<std::size_t>, D> waits(n);
    for (auto const& e : p.edges()) ++waits[e.consumer];
    later<std::vector<ticks>, D> free(p.accelerators()), end(n);
    later<std::vector<std::uint32_t>, D> ready;
    for (std::uint32_t v = 0; v < n; ++v)
      if (waits[v] == 0) ready.push_back(v);
    while (!ready.empty()) {
      std::sort(ready.begin(), ready.end(), [&](auto x, auto y) {
        return p.operator_at(x) < p.operator_at(y); // the order of the layer table
      });
      auto const round = std::exchange(ready, {});
      later<std::vector<bool>, D> taken(round.size());
      for (std::size_t i = 0; i < round.size(); ++i) {
        if (taken[i]) continue;
        // Those that can run where this one can are of its kind.
        later<std::vector<std::uint32_t>, D> kind;
        for (std::size_t k = i; k < round.size(); ++k)
          if (!taken[k] && singles.accelerators(round[k]) == singles.accelerators(round[i])) {
            kind.push_back(round[k]);
            taken[k] = true;
          }
        place(p, singles, kind, a, free, end, clock);
      }
      for (auto const v : round) {
        a.order.push_back(v);
        for (auto const i : p.out_edges(v))
          if (--waits[p.edges()[i].consumer] == 0) ready.push_back(p.edges()[i].consumer);
      }
    }
    return a;
  }

  /// The best assignment of some operators to their accelerators; the first of equals.
  void place(later<schedule_problem, D> const& p, detail::basic_single_choices<D> const& singles,
             later<std::vector<std::uint32_t>, D> const& ops, later<schedule_assignment, D>& a,
             later<std::vector<ticks>, D>& free, later<std::vector<ticks>, D>& end,
             meter& clock) const {
    auto const& where = singles.accelerators(ops[0]);
    auto const left = clock.limit() - std::min(clock.limit(), clock.evaluations());
    auto const most = std::min<std::uint64_t>(most_combinations, left);
    std::uint64_t combinations = 1;
    for (std::size_t i = 0; i < ops.size() && (i == 0 || combinations <= most); ++i)
      combinations *= where.size();
    if (combinations > most && ops.size() > 1) {
      for (auto const v : ops) place(p, singles, {v}, a, free, end, clock);
      return;
    }
    later<std::vector<std::size_t>, D> digits(ops.size()), best;
    ticks earliest = no_ticks;
    later<std::vector<ticks>, D> at;
    auto const lay = [&](later<std::vector<std::size_t>, D> const& d) {
      at = free;
      for (std::size_t i = 0; i < ops.size(); ++i) {
        auto const v = ops[i];
        auto const& c = p.choices(v)[singles.choice(v, where[d[i]])];
        auto start = at[where[d[i]]];
        for (auto const& e : p.in_edges(v))
          start = std::max(
              start,
              saturating_add(
                  picoseconds{end[e.producer]},
                  picoseconds{p.is_staged()
                                  ? 0
                                  : p.move(e, p.choices(e.producer)[a.choice_of[e.producer]], c)})
                  .count());
        end[v] = saturating_add(picoseconds{start}, picoseconds{c.most}).count();
        at[where[d[i]]] = end[v];
      }
      return *std::max_element(at.begin(), at.end());
    };
    for (std::uint64_t k = 0; k < combinations; ++k) {
      auto rest = k;
      for (std::size_t i = ops.size(); i-- > 0; rest /= where.size())
        digits[i] = rest % where.size();
      if (auto const latest = lay(digits); best.empty() || latest < earliest) {
        earliest = latest;
        best = digits;
      }
    }
    clock.count(combinations);
    (void)lay(best);
    free = at;
    for (std::size_t i = 0; i < ops.size(); ++i)
      a.choice_of[ops[i]] = singles.choice(ops[i], where[best[i]]);
  }

  /// Step 2: weights that fit stay. A knapsack whose value is its size: the largest first.
  static void pin(later<schedule_problem, D> const& p, later<schedule_evaluator, D>& price,
                  later<schedule_assignment, D>& a) {
    a.streamed.assign(p.size(), 0);
    if (p.always_fits() || price(a).overflow_bytes == 0) return;
    a.streamed.assign(p.size(), 1);
    auto const least = price(a).overflow_bytes;
    later<std::vector<std::uint32_t>, D> by_size(p.size());
    for (std::uint32_t v = 0; v < p.size(); ++v) by_size[v] = v;
    auto const weights = [&](std::uint32_t v) { return p.choices(v)[a.choice_of[v]].weights; };
    std::stable_sort(by_size.begin(), by_size.end(),
                     [&](auto x, auto y) { return weights(x) > weights(y); });
    for (auto const v : by_size) {
      a.streamed[v] = 0;
      if (price(a).overflow_bytes > least) a.streamed[v] = 1;
    }
  }

  /// Step 4.
  void remap(later<schedule_problem, D> const& p, detail::basic_single_choices<D> const& singles,
             later<schedule_evaluator, D>& price, later<schedule_assignment, D>& a,
             later<schedule_value, D>& value, meter& clock) const {
    auto const chains = chains_of(p, price);
    for (int pass = 0; pass < passes; ++pass)
      for (auto const& chain : chains)
        for (auto const v : chain) {
          if (clock.spent()) return;
          for (auto const& e : p.in_edges(v))
            attempt(p, singles, price, a, value, v, e.producer, true, clock);
          for (auto const i : p.out_edges(v))
            attempt(p, singles, price, a, value, v, p.edges()[i].consumer, false, clock);
        }
  }

  /// `v` right after, or right before, `beside` on the latter's accelerator.
  static void attempt(later<schedule_problem, D> const& p,
                      detail::basic_single_choices<D> const& singles,
                      later<schedule_evaluator, D>& price, later<schedule_assignment, D>& a,
                      later<schedule_value, D>& value, std::uint32_t v, std::uint32_t beside,
                      bool after, meter& clock) {
    auto const to = singles.accelerator_of(beside, a.choice_of[beside]);
    auto const& where = singles.accelerators(v);
    if (std::find(where.begin(), where.end(), to) == where.end()) return;
    auto candidate = a;
    candidate.choice_of[v] = singles.choice(v, to);
    auto order = detail::reorder_beside<D>(p, candidate, v, beside, after);
    if (!order) return; // the launch orders and the edges form a cycle
    candidate.order = *std::move(order);
    if (p.is_staged()) pin(p, price, candidate);
    clock.count(1);
    if (auto const found = price(candidate); found < value) {
      value = found;
      a = std::move(candidate);
    }
  }

  /// Chains along first inputs, by falling end of their last operators in the schedule at hand.
  [[nodiscard]] static auto chains_of(later<schedule_problem, D> const& p,
                                      later<schedule_evaluator, D> const& at)
      -> later<std::vector<std::vector<std::uint32_t>>, D> {
    later<std::vector<std::uint32_t>, D> by_id(p.size());
    for (std::uint32_t v = 0; v < p.size(); ++v) by_id[p.operator_at(v).index()] = v;
    later<std::vector<std::vector<std::uint32_t>>, D> chains;
    for (auto const v : by_id) {
      if (p.before(v) != p.nobody) continue;
      auto& chain = chains.emplace_back();
      for (auto w = v; w != p.nobody; w = p.next(w)) chain.push_back(w);
    }
    std::stable_sort(chains.begin(), chains.end(), [&](auto const& x, auto const& y) {
      return at.end(x.back()) > at.end(y.back());
    });
    return chains;
  }
};
using h2h = basic_h2h<>;

} // namespace mars::search
