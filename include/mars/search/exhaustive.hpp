// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/search/concept.hpp>

#include <algorithm>
#include <vector>

namespace mars::search {

/// Every assignment, one by one: the oracle that other searches are tested against. Prefer it for
/// nothing else: the space is (sets · designs · choices)^operators. Ends early when the budget does,
/// and then says so (`exhausted` false). Deterministic; ties: the first in lexicographic order.
struct exhaustive {
  std::uint64_t evaluations{100'000'000};  ///< unless the context has a budget

  [[nodiscard]] auto name() const -> std::string_view { return "exhaustive"; }

  [[nodiscard]] auto operator()(mapping_problem const& problem, search_context const& context) const
      -> solution {
    state s{problem, meter{context, evaluations}, {}, {}, {}};
    s.result.bound = static_bound(problem);
    if (context.start) {
      s.result.best = *context.start;
      s.result.value = problem.evaluate(*context.start);
    } else {
      s.result.value = {no_ticks, std::numeric_limits<std::int64_t>::max()};
    }
    auto const complete = s.visit(0);
    s.result.evaluations = s.clock.evaluations();
    s.result.exhausted = complete;
    if (complete && s.result.value.feasible()) s.result.bound = {s.result.value.value, "exhausted"};
    return s.result;
  }

 private:
  struct state {
    mapping_problem const& problem;
    meter clock;
    assignment partial;
    solution result;
    std::vector<std::uint32_t> unused;

    /// Extends the partial assignment by every way to place operator `v`. False: out of budget.
    auto visit(std::size_t v) -> bool {
      if (v == problem.size()) return price();
      for (std::size_t s = 0; s < partial.slots.size(); ++s)
        if (!choose(v, s)) return false;
      for (std::uint32_t set = 0; set < problem.sets().size(); ++set) {
        if (!std::all_of(partial.slots.begin(), partial.slots.end(),
                         [&](slot const& o) { return problem.disjoint(o.set, set); }))
          continue;
        for (std::uint32_t d = 0; d < problem.designs(set).size(); ++d) {
          partial.slots.push_back({set, d});
          auto const going = choose(v, partial.slots.size() - 1);
          partial.slots.pop_back();
          if (!going) return false;
        }
      }
      return true;
    }
    auto choose(std::size_t v, std::size_t s) -> bool {
      auto const choices = problem.shardings(v, partial.slots[s].set).size();
      bool going = true;
      partial.slot_of.push_back(static_cast<std::uint16_t>(s));
      for (std::size_t c = 0; c < choices && going; ++c) {
        partial.choice_of.push_back(static_cast<std::uint16_t>(c));
        going = visit(v + 1);
        partial.choice_of.pop_back();
      }
      partial.slot_of.pop_back();
      return going;
    }
    auto price() -> bool {
      clock.count(1);
      auto const value = problem.evaluate(partial);
      if (value < result.value) {
        result.value = value;
        result.best = partial;
        clock.report(value, result.bound, "enumerating");
      }
      return !clock.spent();
    }
  };
};

}  // namespace mars::search
