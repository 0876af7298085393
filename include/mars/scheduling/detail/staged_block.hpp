// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/endings.hpp>
#include <mars/scheduling/detail/operator_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::scheduling {

/// What a stage may do with its operators.
enum class stage_strategy : std::uint8_t {
  concurrent, ///< each weakly connected group on a stream of its own
  merge,      ///< one operator, or convolutions as one kernel
  both,
};

} // namespace mars::scheduling

namespace mars::detail {

using stage_cost = std::int64_t; ///< picoseconds

/// A dynamic program could not go on: budget, or a block beyond its effort.
inline constexpr stage_cost unpriced = -1;
/// A stage that cannot run.
inline constexpr stage_cost impossible = std::numeric_limits<stage_cost>::max() / 4;

struct block_stage {
  operator_set members{};
  bool merged{false};

  friend auto operator==(block_stage const&, block_stage const&) -> bool = default;
};

/// Stages of one block, in the order in which they run.
struct staged_block {
  enum class outcome : std::uint8_t { best, too_large, interrupted };

  outcome ended{outcome::best};
  stage_cost cost{impossible};
  std::vector<block_stage> stages{};
  std::uint64_t transitions{};       ///< (state, ending, strategy) looked at
  std::uint64_t states{};            ///< ∅ left out
  std::uint64_t concurrent_stages{}; ///< different ones
  std::uint64_t merged_stages{};
};

/// The merged stages that end a state: each operator that nothing in it reads, by itself, and any two or
/// more of one class. `visit(members, single)` returns whether to go on.
template <deferred D = when_called, class Visit>
auto for_each_merge(later<operator_block, D> const& block, operator_set const& state,
                    std::uint64_t& most, Visit&& visit) -> bool {
  auto const count = [&] { return most != 0 && most-- != 0; };
  later<std::vector<std::pair<std::uint32_t, std::size_t>>, D> sinks; // class, operator
  bool going_on = true;
  state.for_each([&](std::size_t i) {
    if (!going_on || block.after[i].intersects(state)) return;
    if (block.merge_class[i] != 0) sinks.emplace_back(block.merge_class[i], i);
    operator_set single;
    single.insert(i);
    going_on = count() && visit(single, true);
  });
  std::sort(sinks.begin(), sinks.end());
  for (std::size_t from = 0, to = 0; going_on && from < sinks.size(); from = to) {
    while (to < sinks.size() && sinks[to].first == sinks[from].first) ++to;
    // Subsets as a binary counter.
    operator_set members;
    for (bool more = to - from >= 2; more && going_on;) {
      more = false;
      for (auto i = from; i < to && !more; ++i) {
        more = !members.contains(sinks[i].second);
        if (more)
          members.insert(sinks[i].second);
        else
          members.erase(sinks[i].second);
      }
      if (more && members.size() >= 2) going_on = count() && visit(members, false);
    }
  }
  return going_on;
}

/// IOS on one block: cost[S] = min over endings E of cost[S∖E] + cost of E as a stage.
///
/// `price(members, merged)` → picoseconds of a stage, `impossible`, or `unpriced` to end here. It is
/// asked at most once for every (members, merged), and where `price.least(members, groups)` is a lower
/// bound, only for endings that could still be the best of a state, most promising first. Ties: the lower
/// bound, then the ending found first. More than `effort` sets looked at: too large.
/// O(transitions) look-ups. Source: IOS (MLSys 2021), section 4.
template <deferred D = when_called, class Price>
[[nodiscard]] auto best_stages(later<operator_block, D> const& block, ending_limits limits,
                               scheduling::stage_strategy strategy, std::uint64_t effort,
                               Price&& price) -> later<staged_block, D> {
  using scheduling::stage_strategy;
  struct known_stage {
    stage_cost least{0};
    stage_cost cost{unpriced};
  };
  struct entry {
    stage_cost cost{impossible};
    block_stage last{};
  };
  struct candidate {
    stage_cost least, rest;
    std::size_t number;
    block_stage stage;
    known_stage* known;
  };
  using set_hash = operator_set::hasher;
  later<staged_block, D> result;
  auto const end_as = [&](staged_block::outcome how) {
    result.ended = how;
    return result;
  };
  auto const states = states_of<D>(block, effort / 4);
  if (states.empty() && block.size() > 0) return end_as(staged_block::outcome::too_large);

  std::unordered_map<operator_set, entry, set_hash> best(2 * states.size() + 1);
  std::unordered_map<operator_set, known_stage, set_hash> concurrent, merged;
  best[{}] = {0, {}};
  basic_ending_walk<D> walk{block, limits};
  std::vector<candidate> open;
  auto const later_one = [](candidate const& a, candidate const& b) {
    return a.least != b.least ? a.least > b.least : a.number > b.number;
  };
  for (auto const& state : states) {
    open.clear();
    auto const consider = [&](block_stage const& stage, known_stage& known) {
      ++result.transitions;
      auto const rest = best.find(state - stage.members)->second.cost;
      if (rest < impossible && known.least < impossible)
        open.push_back({rest + known.least, rest, open.size(), stage, &known});
    };
    auto const concurrently = [&](operator_set const& ending,
                                  [[maybe_unused]] std::span<operator_set const> groups) {
      auto const [at, fresh] = concurrent.try_emplace(ending);
      if constexpr (requires { price.least(ending, groups); })
        if (fresh) at->second.least = price.least(ending, groups);
      consider({ending, false}, at->second);
      return true;
    };
    auto const merging = [&](operator_set const& ending, bool single) {
      auto& known = merged[ending];
      auto const same = single ? concurrent.find(ending) : concurrent.end();
      consider({ending, !single}, same != concurrent.end() ? same->second : known);
      return true;
    };
    if ((strategy != stage_strategy::merge && !walk(state, effort, concurrently)) ||
        (strategy != stage_strategy::concurrent &&
         !for_each_merge<D>(block, state, effort, merging)))
      return end_as(staged_block::outcome::too_large);

    entry found;
    std::make_heap(open.begin(), open.end(), later_one);
    while (!open.empty() && open.front().least < found.cost) {
      auto const& c = open.front();
      if (c.known->cost == unpriced) c.known->cost = price(c.stage.members, c.stage.merged);
      if (c.known->cost == unpriced) return end_as(staged_block::outcome::interrupted);
      if (c.known->cost < impossible && c.rest + c.known->cost < found.cost)
        found = {c.rest + c.known->cost, c.stage};
      std::pop_heap(open.begin(), open.end(), later_one);
      open.pop_back();
    }
    best.insert_or_assign(state, found);
  }
  result.states = states.size();
  result.concurrent_stages = concurrent.size();
  result.merged_stages = merged.size();
  auto state = operator_set::first(block.size());
  result.cost = best.find(state)->second.cost;
  if (result.cost >= impossible) return result;
  while (!state.empty()) {
    auto const& stage = best.find(state)->second.last;
    result.stages.push_back(stage);
    state = state - stage.members;
  }
  std::reverse(result.stages.begin(), result.stages.end());
  return result;
}

} // namespace mars::detail
