// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/meter.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace mars::search {

/// Every assignment, one by one: the oracle that other searches are tested against. Prefer it for
/// nothing else: the space is (sets · designs · choices)^operators. Ends early when the budget does,
/// and then says so (`exhausted` false). Deterministic; ties: the first in lexicographic order.
template <deferred = when_called>
struct basic_exhaustive {
  std::uint64_t evaluations{100'000'000}; ///< unless the context has a budget

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
    auto const complete = s.enumerate();
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
    std::vector<bool> opened; ///< by operator placed: was its slot new?

    /// An odometer, not a recursion: its depth would be the number of operators. False: out of budget.
    auto enumerate() -> bool {
      for (;;) {
        while (partial.slot_of.size() < problem.size()) enter();
        if (!price()) return false;
        while (!partial.slot_of.empty() && !advance()) leave();
        if (partial.slot_of.empty()) return true;
      }
    }
    /// Places the next operator in the first way there is.
    void enter() {
      partial.slot_of.push_back(0);
      partial.choice_of.push_back(0);
      opened.push_back(false);
      if (partial.slots.empty()) open({0, 0});
    }
    void leave() {
      partial.slot_of.pop_back();
      partial.choice_of.pop_back();
      opened.pop_back();
    }
    /// Places the last operator in the next way: choices first, then slots that others use, then
    /// further ones. False: there is none, and its own slot is closed.
    auto advance() -> bool {
      auto const v = partial.slot_of.size() - 1;
      auto& s = partial.slot_of[v];
      if (++partial.choice_of[v] < problem.shardings(v, partial.slots[s].set).size()) return true;
      partial.choice_of[v] = 0;
      if (!opened[v]) {
        if (++s < partial.slots.size()) return true;
        return open({0, 0});
      }
      auto next = partial.slots.back();
      partial.slots.pop_back();
      opened[v] = false;
      if (++next.design == problem.designs(next.set).size()) next = {next.set + 1, 0};
      return open(next);
    }
    /// Opens the first free slot from `next` on for the last operator.
    auto open(slot next) -> bool {
      for (; next.set < problem.sets().size(); next = {next.set + 1, 0}) {
        if (!std::all_of(partial.slots.begin(), partial.slots.end(),
                         [&](slot const& o) { return problem.disjoint(o.set, next.set); }))
          continue;
        partial.slots.push_back(next);
        partial.slot_of.back() = static_cast<std::uint16_t>(partial.slots.size() - 1);
        opened.back() = true;
        return true;
      }
      return false;
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
using exhaustive = basic_exhaustive<>;

} // namespace mars::search
