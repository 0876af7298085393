// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/schedule_bounds.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/meter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace mars::search {

/// HEFT with insertion, for operators on sets of accelerators: operators by falling upward rank (their
/// mean duration and the longest mean path behind them), each with the choice and in the gap where it
/// ends first. Transfers count as if nothing stayed in place, except right behind the producer.
///
/// Ending first is greedy: an operator takes all accelerators for the little that the last of them
/// helps, and nothing runs beside it. So there are several schedules, with sets of at most all, half, a
/// quarter … of the accelerators of the largest, as far as the budget goes; the best is the answer.
///
/// Out of time it places the rest beside their producers.
///
/// Prefer it as a start for others, or for graphs too large for them. O(V·choices·gaps·p·log p).
/// Sources: Topcuoglu, Hariri, Wu, IEEE TPDS 13(3), 2002; on too many processors an operator: N'Takpé,
/// Suter, Casanova, ISPDC 2007.
template <deferred D = when_called>
struct basic_list_scheduling {
  [[nodiscard]] auto name() const -> std::string_view { return "list"; }

  [[nodiscard]] auto operator()(later<schedule_problem, D> const& problem,
                                later<search_context, D> const& context) const
      -> schedule_solution {
    meter clock{context, ~std::uint64_t{0}};
    later<schedule_solution, D> result;
    result.bound = schedule_bound(problem);
    later<schedule_evaluator, D> price{problem};
    result.best = construct(problem, clock);
    result.value = price(result.best);
    if (context.start_schedule)
      if (auto const given = price(*context.start_schedule); given < result.value) {
        result.best = *context.start_schedule;
        result.value = given;
      }
    result.evaluations = clock.evaluations();
    return result;
  }

  /// The schedule alone.
  [[nodiscard]] static auto construct(later<schedule_problem, D> const& p, meter& clock)
      -> later<schedule_assignment, D> {
    auto const rank = upward_ranks(p);
    later<std::vector<std::uint32_t>, D> by_rank(p.size());
    for (std::uint32_t v = 0; v < p.size(); ++v) by_rank[v] = v;
    std::stable_sort(by_rank.begin(), by_rank.end(),
                     [&](auto x, auto y) { return rank[x] > rank[y]; });
    std::size_t largest = 1;
    for (std::uint32_t s = 0; s < p.sets().size(); ++s)
      largest = std::max(largest, p.members(s).size());
    later<schedule_evaluator, D> price{p};
    auto best = construct(p, by_rank, largest, clock);
    auto value = price(best);
    for (auto most = largest / 2; most > 0 && !clock.spent() && !clock.interrupted(); most /= 2) {
      auto other = construct(p, by_rank, most, clock);
      auto const of_other = price(other);
      if (!(of_other < value)) continue;
      value = of_other;
      best = std::move(other);
    }
    return best;
  }

private:
  static constexpr std::uint16_t no_design = 0xffff;
  struct interval_of {
    ticks begin{};
    ticks end{};
    std::uint32_t op{};
  };

  /// With sets of at most `most` accelerators, and larger ones for what runs on no other.
  [[nodiscard]] static auto construct(later<schedule_problem, D> const& p,
                                      later<std::vector<std::uint32_t>, D> const& by_rank,
                                      std::size_t most, meter& clock)
      -> later<schedule_assignment, D> {
    auto const n = p.size();
    later<schedule_assignment, D> a;
    a.choice_of.assign(n, 0);
    a.streamed.assign(n, 0);
    later<std::vector<ticks>, D> start(n), end(n);
    later<std::vector<std::vector<interval_of>>, D> busy(p.accelerators());
    std::vector<std::uint16_t> design(p.accelerators(), no_design);
    for (auto const v : by_rank) {
      auto const all = p.choices(v);
      ticks earliest = no_ticks, begins = 0;
      std::uint32_t best = 0;
      bool found = false;
      auto [first, last] = std::pair{std::uint32_t{0}, static_cast<std::uint32_t>(all.size())};
      if (p.before(v) != p.nobody && clock.interrupted()) { // in a hurry: where its producer ran
        auto const u = p.before(v);
        auto const near = p.choices_on(v, p.choices(u)[a.choice_of[u]].set);
        if (near.first != near.second) std::tie(first, last) = near;
      }
      auto const consider = [&](std::uint32_t c) {
        ticks ready = 0;
        for (auto const& e : p.in_edges(v)) {
          auto arrived = end[e.producer];
          if (!p.is_staged())
            arrived += p.move(e, p.choices(e.producer)[a.choice_of[e.producer]], all[c]);
          ready = std::max(ready, arrived);
        }
        auto const [at, ends] = fit(p, a, busy, v, c, ready);
        if (!found || ends < earliest) {
          found = true;
          earliest = ends;
          begins = at;
          best = c;
        }
      };
      for (auto c = first; c < last; ++c)
        if (p.members(all[c].set).size() <= most && may_use(p, all[c], design)) consider(c);
      if (!found)
        for (auto c = first; c < last; ++c)
          if (may_use(p, all[c], design)) consider(c);
      clock.count(1);
      a.choice_of[v] = best;
      start[v] = begins;
      end[v] = earliest;
      for (auto const m : p.members(all[best].set)) {
        auto& list = busy[m.index()];
        list.insert(std::upper_bound(list.begin(), list.end(), begins,
                                     [](ticks t, interval_of const& i) { return t < i.begin; }),
                    {begins, earliest, v});
        design[m.index()] = p.design_number(all[best]);
      }
    }
    for (std::uint32_t v = 0; v < n; ++v) a.order.push_back(v);
    std::stable_sort(a.order.begin(), a.order.end(), [&](auto x, auto y) {
      return start[x] != start[y] ? start[x] < start[y] : end[x] < end[y];
    });
    // Operators of no duration may begin together with what they read: producers first.
    settle(p, a.order);
    return a;
  }

  [[nodiscard]] static auto upward_ranks(later<schedule_problem, D> const& p)
      -> std::vector<double> {
    std::vector<double> rank(p.size());
    for (auto v = p.size(); v-- > 0;) {
      double sum = 0;
      std::size_t sets = 0;
      for (std::uint32_t s = 0; s < p.sets().size(); ++s) {
        auto const [first, last] = p.choices_on(v, s);
        if (first == last) continue;
        auto least = no_ticks;
        for (auto c = first; c < last; ++c) least = std::min(least, p.choices(v)[c].most);
        sum += static_cast<double>(least);
        ++sets;
      }
      for (auto const i : p.out_edges(v)) rank[v] = std::max(rank[v], rank[p.edges()[i].consumer]);
      rank[v] += sum / static_cast<double>(std::max<std::size_t>(1, sets));
    }
    return rank;
  }

  [[nodiscard]] static auto may_use(later<schedule_problem, D> const& p,
                                    later<schedule_choice, D> const& c,
                                    std::vector<std::uint16_t> const& design) -> bool {
    for (auto const m : p.members(c.set))
      if (design[m.index()] != no_design && design[m.index()] != p.design_number(c)) return false;
    return true;
  }

  /// The first gap of all members: when it begins and ends there.
  [[nodiscard]] static auto fit(later<schedule_problem, D> const& p,
                                later<schedule_assignment, D> const& a,
                                std::vector<std::vector<interval_of>> const& busy, std::uint32_t v,
                                std::uint32_t c, ticks ready) -> std::pair<ticks, ticks> {
    auto const& choice = p.choices(v)[c];
    auto at = ready;
    auto const duration = choice.most - streaming(p, v, choice);
    for (bool moved = true; moved;) {
      moved = false;
      for (auto const m : p.members(choice.set)) {
        auto const& list = busy[m.index()];
        auto i = std::partition_point(list.begin(), list.end(),
                                      [&](auto const& x) { return x.end <= at; });
        for (; i != list.end() && i->begin < at + duration; ++i)
          if (i->end > at) {
            at = i->end;
            moved = true;
          }
      }
    }
    return {at, std::min(no_ticks, at + continuing(p, a, busy, v, c, duration))};
  }
  /// What `most` counts for streamed weights, which list scheduling keeps resident.
  [[nodiscard]] static auto streaming(later<schedule_problem, D> const& p, std::uint32_t v,
                                      later<schedule_choice, D> const& choice) -> ticks {
    if (!p.is_staged()) return 0;
    ticks with = 0, without = 0;
    for (auto const& t : p.times(v, choice)) {
      with = std::max(with, t.compute + t.inputs + t.weights + t.results);
      without = std::max(without, t.compute + t.inputs + t.results);
    }
    return with - without;
  }
  /// The duration where the producer was the last to run on the set.
  [[nodiscard]] static auto continuing(later<schedule_problem, D> const& p,
                                       later<schedule_assignment, D> const& a,
                                       std::vector<std::vector<interval_of>> const& busy,
                                       std::uint32_t v, std::uint32_t c, ticks duration) -> ticks {
    auto const u = p.before(v);
    if (!p.is_staged() || u == p.nobody) return duration;
    auto const& choice = p.choices(v)[c];
    auto const& maker = p.choices(u)[a.choice_of[u]];
    if (maker.set != choice.set) return duration;
    for (auto const m : p.members(choice.set))
      if (busy[m.index()].empty() || busy[m.index()].back().op != u) return duration;
    auto const stays = p.staying(p.in_edges(v)[0], c, choice, maker);
    auto const times = p.times(v, choice);
    ticks slowest = 0;
    for (std::size_t i = 0; i < times.size(); ++i)
      slowest = std::max(slowest, times[i].compute + stays[i].inputs + times[i].results);
    return slowest + choice.fixed;
  }

  /// A topological order that keeps the given one wherever it can. O(V²) in the worst case, O(V + E)
  /// where nothing is out of place.
  static void settle(later<schedule_problem, D> const& p, std::vector<std::uint32_t>& order) {
    std::vector<std::uint32_t> waits(p.size()), settled;
    for (auto const& e : p.edges()) ++waits[e.consumer];
    std::vector<bool> done(p.size());
    while (settled.size() < order.size())
      for (auto const v : order) {
        if (done[v] || waits[v] != 0) continue;
        done[v] = true;
        settled.push_back(v);
        for (auto const i : p.out_edges(v)) --waits[p.edges()[i].consumer];
      }
    order = std::move(settled);
  }
};
using list_scheduling = basic_list_scheduling<>;

} // namespace mars::search
