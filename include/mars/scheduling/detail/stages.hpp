// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/core/id.hpp>
#include <mars/scheduling/detail/operator_list.hpp>
#include <mars/scheduling/detail/staged_block.hpp>
#include <mars/scheduling/detail/stream_meter.hpp>
#include <mars/scheduling/simulate_streams.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace mars::detail {

/// What runs between two synchronisations of the device.
struct stream_stage {
  std::vector<std::vector<std::uint32_t>>
      groups{};       ///< of nodes, each in order on a stream of its own
  bool merged{false}; ///< the only group as one kernel
};

struct numbers_hash {
  [[nodiscard]] auto operator()(std::vector<std::uint32_t> const& all) const -> std::size_t {
    std::uint64_t h = all.size();
    for (auto const x : all) h = hash_combine(h, x);
    return static_cast<std::size_t>(h);
  }
};

/// Stages as a schedule. What launches nothing goes with what reads it first, into its stage and onto its
/// stream: so no stage ends with a node that only the next one asked for. What nobody reads goes last.
template <deferred D = when_called>
[[nodiscard]] auto schedule_of(later<stream_problem, D> const& problem,
                               later<std::vector<stream_stage>, D> const& stages)
    -> later<stream_schedule, D> {
  auto const n = problem.size();
  later<stream_schedule, D> s;
  s.stream_of.assign(n, stream_id{});
  s.stage_of.assign(n, static_cast<std::uint32_t>(std::max<std::size_t>(stages.size(), 1) - 1));
  // Within a merged stage: before, in or behind what is merged.
  later<std::vector<std::uint8_t>, D> place(n, 0);
  for (std::uint32_t t = 0; t < stages.size(); ++t) {
    auto const& stage = stages[t];
    for (std::size_t g = 0; g < stage.groups.size(); ++g)
      for (auto const v : stage.groups[g]) {
        s.stage_of[v] = t;
        s.stream_of[v] = stream_id{g};
        place[v] = stage.merged ? 1 : 0;
      }
    if (stage.merged && stage.groups.front().size() > 1) s.merged.push_back(stage.groups.front());
  }
  for (std::size_t v = n; v-- > 0;) {
    if (problem.launches(v)) continue;
    bool read = false;
    for (auto const w : problem.outputs(v)) {
      std::uint8_t const here = place[w] == 2 ? 2 : 0;
      if (read && std::tie(s.stage_of[w], here) >= std::tie(s.stage_of[v], place[v])) continue;
      read = true;
      s.stage_of[v] = s.stage_of[w];
      s.stream_of[v] = s.stream_of[w];
      place[v] = here;
    }
    if (read) continue;
    place[v] = !stages.empty() && stages.back().merged ? 2 : 0;
    for (auto const u : problem.inputs(v))
      if (s.stage_of[u] == s.stage_of[v]) s.stream_of[v] = s.stream_of[u];
  }
  s.launch_order.resize(n);
  std::iota(s.launch_order.begin(), s.launch_order.end(), 0U);
  std::stable_sort(s.launch_order.begin(), s.launch_order.end(), [&](auto v, auto w) {
    return std::tie(s.stage_of[v], place[v]) < std::tie(s.stage_of[w], place[w]);
  });
  return s;
}

/// Prices stages of a problem by simulating each alone, with the synchronisation behind it; those that
/// launch the same kernels in the same order on the same streams once. Views cost nothing: they run where
/// what they read ran. So the sum over stages is what the whole schedule takes and one synchronisation.
template <deferred D = when_called>
class basic_stage_prices {
  template <class T>
  using vector = later<std::vector<T>, D>;

public:
  basic_stage_prices(later<stream_problem, D> const& problem,
                     later<basic_operator_list<D>, D> const& operators, stream_meter& meter)
      : p_{&problem}, operators_{&operators}, meter_{&meter}, simulate_{problem} {
    scratch_.stream_of.assign(problem.size(), stream_id{});
    auto const& o = problem.overheads();
    bool const graph = problem.options().mode == launch_mode::replay;
    behind_ = graph ? o.event - o.graph : o.barrier;
    before_ = graph ? o.graph : o.launch;
    for (std::size_t i = 0; i < operators.size(); ++i) {
      auto& w = work_.emplace_back();
      for (auto const& k : problem.kernels(operators.node(i))) {
        w.compute += k.compute;
        w.memory += k.memory;
      }
      w.least = problem.least(operators.node(i)).count();
    }
  }

  /// Of operators [first …) of a block: those that `members` says.
  void set_block(std::size_t first, later<operator_block, D> const& block) {
    first_ = first;
    block_ = &block;
  }
  /// `unpriced` once the budget is spent.
  auto operator()(operator_set const& members, bool merged) -> stage_cost {
    if (meter_->spent()) return unpriced;
    key_.assign(1, merged ? 1 : 0);
    order_.clear();
    groups_.clear();
    for (auto rest = members; !merged && !rest.empty(); rest = rest - groups_.back())
      groups_.push_back(group_of_first<D>(*block_, rest));
    members.for_each([&](std::size_t i) {
      auto const v = operators_->node(first_ + i);
      std::size_t group = 0;
      while (!merged && !groups_[group].contains(i)) ++group;
      order_.push_back(v);
      scratch_.stream_of[v] = stream_id{group};
      key_.push_back(merged ? operators_->convolution_class(first_ + i)
                            : operators_->kernel_class(first_ + i));
      key_.push_back(static_cast<std::uint32_t>(group));
    });
    auto const [at, fresh] = known_.try_emplace(key_, impossible);
    if (fresh) {
      meter_->count();
      scratch_.merged.clear();
      if (merged) scratch_.merged.push_back(order_);
      auto const latency = simulate_.run(scratch_, order_).latency;
      if (latency < never) at->second = latency.count() + behind_;
    }
    return at->second;
  }
  /// No stage of these groups costs less: the longest group, or the work of all at the device's rates.
  [[nodiscard]] auto least(operator_set const&, std::span<operator_set const> groups) const
      -> stage_cost {
    work all;
    for (auto const& g : groups) {
      time_ticks path = -p_->overheads().gap;
      g.for_each([&](std::size_t i) {
        auto const& w = work_[first_ + i];
        path += w.least + p_->overheads().gap;
        all.compute += w.compute;
        all.memory += w.memory;
      });
      all.least = std::max(all.least, path);
    }
    auto const throughput = static_cast<time_ticks>(std::max(all.compute, all.memory) * (1 - 1e-9));
    return before_ + std::max(all.least, throughput) + behind_;
  }

private:
  struct work {
    double compute{}, memory{}; ///< ps of the whole device
    time_ticks least{};
  };

  later<stream_problem, D> const* p_;
  later<basic_operator_list<D>, D> const* operators_;
  stream_meter* meter_;
  basic_stream_simulator<D> simulate_;
  time_ticks before_{}, behind_{};
  vector<work> work_; ///< of each operator
  std::size_t first_{0};
  later<operator_block, D> const* block_{nullptr};
  later<stream_schedule, D> scratch_;
  vector<std::uint32_t> key_, order_;
  vector<operator_set> groups_;
  std::unordered_map<vector<std::uint32_t>, stage_cost, numbers_hash> known_;
};

} // namespace mars::detail
