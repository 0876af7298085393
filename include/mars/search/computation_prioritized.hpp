// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/meter.hpp>

#include <algorithm>
#include <vector>

namespace mars::search {

/// The baseline in writing (reference: MARS §"baseline"; our definition): designs and sets are chosen
/// for computation alone, communication is paid for afterwards. Deterministic, no parameters.
///
/// Meant for a problem whose candidate sets are the system's components without the host and whose
/// strategy is `parallel::longest_dimensions` (the façade's `computation_prioritized` builds it): on
/// such a problem it is the definition to the letter. On another it uses the largest disjoint sets,
/// taken greedily in order, and each operator's first choice.
///
/// 1. t(l, set, design) = compute time of the critical shard. 2. The designs, one per set, minimise
/// Σ_l min_set t; ties: lexicographically smallest. 3. Each operator goes to the set of smallest t;
/// ties: the previous operator's set, then the lowest id. 4. Operators without MACs are not layers of
/// the definition: each follows its first producer — same set, the sharding that costs least to feed.
/// Complexity: O(designs^sets · operators), sets beyond 2²⁰ combinations choose one after another.
template <deferred D = when_called>
struct basic_computation_prioritized {
  [[nodiscard]] auto name() const -> std::string_view { return "baseline"; }

  [[nodiscard]] auto operator()(later<mapping_problem, D> const& problem,
                                search_context const& context) const -> solution {
    meter clock{context, 1};
    assignment a;
    for (std::uint32_t s = 0; s < problem.sets().size(); ++s)
      if (std::all_of(a.slots.begin(), a.slots.end(),
                      [&](slot const& other) { return problem.disjoint(other.set, s); }))
        a.slots.push_back({s, 0});
    choose_designs(problem, a.slots);
    place(problem, a);
    clock.count(1);
    solution result{a, problem.evaluate(a), static_bound(problem), clock.evaluations(), false};
    if (context.start)
      if (auto const start = problem.evaluate(*context.start); start < result.value) {
        result.best = *context.start;
        result.value = start;
      }
    clock.report(result.value, result.bound, name());
    return result;
  }

private:
  [[nodiscard]] static auto time(later<mapping_problem, D> const& p, std::size_t v, slot s)
      -> ticks {
    auto const& row = p.row(v, s.set);
    return row.compute[s.design][first_sharding(row, s)];
  }
  /// Of the choices with the first sharding the cheapest; without variants there is one.
  [[nodiscard]] static auto first_sharding(later<choice_row, D> const& row, slot s)
      -> std::uint16_t {
    auto const& node = row.node[s.design];
    std::uint16_t best = 0;
    for (std::uint16_t c = 1; !row.variant.empty() && c < row.shardings.size(); ++c)
      if (node[c] < node[best] && row.shardings[c] == row.shardings[0]) best = c;
    return best;
  }
  [[nodiscard]] static auto total(later<mapping_problem, D> const& p,
                                  later<std::vector<slot>, D> const& slots) -> ticks {
    ticks sum = 0;
    for (std::size_t v = 0; v < p.size(); ++v) {
      if (!p.has_macs(v)) continue;
      auto best = no_ticks;
      for (auto const s : slots) best = std::min(best, time(p, v, s));
      sum = mapping_problem::add(sum, best);
    }
    return sum;
  }

  static void choose_designs(later<mapping_problem, D> const& p,
                             later<std::vector<slot>, D>& slots) {
    double combinations = 1;
    for (auto const s : slots) combinations *= static_cast<double>(p.designs(s.set).size());
    auto best = slots;
    auto best_total = total(p, slots);
    auto const consider = [&] {
      if (auto const t = total(p, slots); t < best_total) {
        best_total = t;
        best = slots;
      }
    };
    if (combinations <= (1 << 20)) {
      // Counting up with the first set most significant visits tuples in lexicographic order.
      for (bool more = true; more;) {
        more = false;
        for (std::size_t i = slots.size(); i-- > 0 && !more;) {
          more = ++slots[i].design < p.designs(slots[i].set).size();
          if (!more) slots[i].design = 0;
        }
        if (more) consider();
      }
    } else {
      for (auto& s : slots) {
        for (s.design = 1; s.design < p.designs(s.set).size(); ++s.design) consider();
        s = best[static_cast<std::size_t>(&s - slots.data())];
      }
    }
    slots = best;
  }

  static void place(later<mapping_problem, D> const& p, later<assignment, D>& a) {
    a.slot_of.assign(p.size(), 0);
    a.choice_of.assign(p.size(), 0);
    std::uint16_t previous = 0;
    for (std::size_t v = 0; v < p.size(); ++v) {
      auto const incoming = p.in_edges(v);
      if (p.has_macs(v)) {
        auto best = previous;
        for (std::uint16_t s = 0; s < a.slots.size(); ++s)
          if (time(p, v, a.slots[s]) < time(p, v, a.slots[best])) best = s;
        previous = best;
        a.slot_of[v] = previous;
        auto const here = a.slots[previous];
        a.choice_of[v] = first_sharding(p.row(v, here.set), here);
        continue;
      }
      a.slot_of[v] = incoming.empty() ? previous : a.slot_of[p.edges()[incoming.front()].producer];
      auto const here = a.slots[a.slot_of[v]];
      auto const& row = p.row(v, here.set);
      auto least = no_ticks;
      for (std::size_t c = 0; c < row.shardings.size(); ++c) {
        auto cost = row.node[here.design][c];
        for (auto const i : incoming) {
          auto const& e = p.edges()[i];
          cost = mapping_problem::add(cost, p.edge_value(e, a.slots[a.slot_of[e.producer]].set,
                                                         a.choice_of[e.producer], here.set, c));
        }
        if (cost < least) {
          least = cost;
          a.choice_of[v] = static_cast<std::uint16_t>(c);
        }
      }
    }
  }
};
using computation_prioritized = basic_computation_prioritized<>;

} // namespace mars::search
