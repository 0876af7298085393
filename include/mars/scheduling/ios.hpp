// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/detail/operator_list.hpp>
#include <mars/scheduling/detail/policy.hpp>
#include <mars/scheduling/detail/staged_block.hpp>
#include <mars/scheduling/detail/stages.hpp>
#include <mars/scheduling/detail/stream_meter.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/stream_bounds.hpp>
#include <mars/scheduling/stream_context.hpp>
#include <mars/scheduling/stream_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::scheduling {

/// The inter-operator scheduler: stages one after another, the device synchronised between them. Groups
/// of a stage run beside each other, or it is convolutions of one input merged into one kernel. Which
/// stages is found by dynamic programming over *endings*, for each block of the graph by itself:
///
///   cost[∅] = 0,  cost[S] = min over endings E of S: cost[S∖E] + cost of E as a stage
///
/// A stage costs what it takes in the simulator alone; stages and blocks that launch the same kernels are
/// priced once. The result is the best of all schedules within r and s, block by block, or one stream
/// without stages where that is faster (which IOS itself does not look at).
///
/// Prefer it where operators are few and wide, and merging pays (small batches); synchronising after
/// each stage costs what the kernels are short of. `transitions` and `states` count as in IOS.
/// Out of budget: blocks not yet done are one stage on one stream.
/// O((n/d + 1)^(2d)) transitions, n operators of a block, d its width.
/// Source: Ding, Zhu, Jia, Pekhimenko, Han: IOS, MLSys 2021; endings as they should be enumerated.
template <deferred D = when_called>
struct basic_ios {
  stage_strategy strategies{stage_strategy::both};
  std::size_t r{3};                ///< most operators of a group; 0: any number
  std::size_t s{8};                ///< most groups of a stage; 0: any number
  std::size_t split_above{100};    ///< operators; larger blocks are divided, to 128 at most
  std::uint64_t effort{4'000'000}; ///< sets of operators looked at for a block; beyond it is halved
  std::uint64_t simulations{200'000}; ///< of stages, unless the context has a budget
  scheduling::enumeration enumeration{scheduling::enumeration::legal};

  [[nodiscard]] auto name() const -> std::string_view { return "ios"; }

  [[nodiscard]] auto operator()(later<stream_problem, D> const& problem,
                                later<stream_context, D> const& context) const -> stream_solution {
    mars::detail::stream_meter meter{context, simulations};
    later<stream_solution, D> result;
    auto const offer = [&](later<stream_schedule, D> schedule) {
      meter.count();
      auto found = detail::answer<D>(problem, std::move(schedule));
      bool const better = found.timeline.latency < result.timeline.latency;
      if (!result.schedule.launch_order.empty() && !better) return;
      result.timeline = std::move(found.timeline);
      result.schedule = std::move(found.schedule);
    };
    offer(basic_sequential<D>{}.schedule(problem));
    if (context.start) offer(*context.start);
    auto const bound = bound_streams<D>(problem);
    result.bound = bound.value;
    result.binding = bound.binding;
    later<mars::detail::basic_operator_list<D>, D> const operators{problem};
    state at{problem, operators, meter, {problem, operators, meter}, {}, {}};
    result.exhausted = search(at, result);
    offer(mars::detail::schedule_of<D>(problem, at.stages));
    result.evaluations = meter.evaluations();
    return result;
  }

  friend auto operator==(basic_ios const&, basic_ios const&) -> bool = default;

private:
  using numbers = later<std::vector<std::uint32_t>, D>;

  struct state {
    later<stream_problem, D> const& problem;
    mars::detail::basic_operator_list<D> const& operators;
    mars::detail::stream_meter& meter;
    mars::detail::basic_stage_prices<D> prices;
    std::unordered_map<numbers, mars::detail::staged_block, mars::detail::numbers_hash> known;
    later<std::vector<mars::detail::stream_stage>, D> stages;
  };

  /// False: the budget ended it.
  [[nodiscard]] auto search(state& at, later<stream_solution, D>& result) const -> bool {
    auto const largest = mars::detail::operator_set::max_size;
    auto const starts = at.operators.blocks(std::clamp<std::size_t>(split_above, 1, largest));
    later<std::vector<std::pair<std::size_t, std::size_t>>, D> left;
    for (std::size_t b = starts.size(); --b > 0;)
      if (starts[b - 1] < starts[b]) left.emplace_back(starts[b - 1], starts[b]);
    bool complete = true;
    while (!left.empty()) {
      auto const [from, to] = left.back();
      left.pop_back();
      auto const block = at.operators.block(from, to);
      auto const [found, fresh] =
          at.known.try_emplace(at.operators.signature(block, from), mars::detail::staged_block{});
      if (fresh && complete) found->second = solve(at, block, from);
      auto const& best = found->second;
      using outcome = mars::detail::staged_block::outcome;
      if (best.ended == outcome::too_large && to - from > 1) {
        auto const n = to - from;
        auto const half = at.operators.split(from, to, from + n - n * 3 / 4, from + n / 2);
        left.emplace_back(half, to);
        left.emplace_back(from, half);
        continue;
      }
      result.transitions += best.transitions;
      result.states += best.states;
      complete = complete && best.ended != outcome::interrupted;
      append(at, block, from, best);
    }
    return complete;
  }
  [[nodiscard]] auto solve(state& at, later<mars::detail::operator_block, D> const& block,
                           std::size_t from) const -> later<mars::detail::staged_block, D> {
    auto const most = at.problem.limits().streams;
    auto const groups = most == 0 ? s : s == 0 ? most : std::min(s, most);
    at.prices.set_block(from, block);
    return mars::detail::best_stages<D>(block, {r, groups, enumeration}, strategies, effort,
                                        at.prices);
  }
  /// A block without stages is one stage on one stream.
  static void append(state& at, later<mars::detail::operator_block, D> const& block,
                     std::size_t from, later<mars::detail::staged_block, D> const& best) {
    auto const nodes = [&](mars::detail::operator_set const& members) {
      numbers all;
      members.for_each([&](std::size_t i) { all.push_back(at.operators.node(from + i)); });
      return all;
    };
    for (auto const& stage : best.stages) {
      auto& added = at.stages.emplace_back();
      added.merged = stage.merged;
      for (auto rest = stage.members; !rest.empty();) {
        auto const group = stage.merged ? rest : mars::detail::group_of_first<D>(block, rest);
        added.groups.push_back(nodes(group));
        rest = rest - group;
      }
    }
    if (best.stages.empty())
      at.stages.push_back({{nodes(mars::detail::operator_set::first(block.size()))}, false});
  }
};
using ios = basic_ios<>;

} // namespace mars::scheduling
