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

/// Stages as a schedule. What launches nothing follows its last input: into its stage, onto its stream.
template <deferred D = when_called>
[[nodiscard]] auto schedule_of(later<stream_problem, D> const& problem,
                               std::vector<stream_stage> const& stages)
    -> later<stream_schedule, D> {
  auto const n = problem.size();
  later<stream_schedule, D> s;
  s.stream_of.assign(n, stream_id{});
  s.stage_of.assign(n, 0);
  std::vector<std::uint8_t> place(n, 0); // in a merged stage: before, in or behind what is merged
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
  for (std::uint32_t v = 0; v < n; ++v) {
    s.launch_order.push_back(v);
    if (problem.launches(v)) continue;
    for (auto const u : problem.inputs(v)) {
      if (s.stage_of[u] < s.stage_of[v]) continue;
      if (s.stage_of[u] > s.stage_of[v]) place[v] = 0;
      s.stage_of[v] = s.stage_of[u];
      s.stream_of[v] = s.stream_of[u];
      if (place[u] != 0) place[v] = 2;
    }
  }
  std::stable_sort(s.launch_order.begin(), s.launch_order.end(), [&](auto v, auto w) {
    return std::tie(s.stage_of[v], place[v]) < std::tie(s.stage_of[w], place[w]);
  });
  return s;
}

/// All nodes in order on one stream.
template <deferred D = when_called>
[[nodiscard]] auto one_stream(later<stream_problem, D> const& problem)
    -> later<stream_schedule, D> {
  later<stream_schedule, D> s;
  s.stream_of.assign(problem.size(), stream_id{});
  for (std::uint32_t v = 0; v < problem.size(); ++v) s.launch_order.push_back(v);
  return s;
}

/// Prices a stage by simulating it alone, with the synchronisation behind it; stages that launch the
/// same kernels in the same order on the same streams once. Views cost nothing: they run where what
/// they read ran. So the sum over stages is what the whole schedule takes, but for one synchronisation.
template <deferred D = when_called>
class basic_stage_prices {
public:
  basic_stage_prices(later<stream_problem, D> const& problem,
                     later<basic_operator_list<D>, D> const& operators, stream_meter& meter)
      : p_{&problem}, operators_{&operators}, meter_{&meter}, simulate_{problem} {
    scratch_.stream_of.assign(problem.size(), stream_id{});
  }

  /// Of operators [first …) in `members`. `unpriced` once the budget is spent.
  auto operator()(std::size_t first, operator_set const& members,
                  std::span<operator_set const> groups, bool merged) -> stage_cost {
    if (meter_->spent()) return unpriced;
    key_.clear();
    order_.clear();
    key_.push_back(merged ? 1 : 0);
    members.for_each([&](std::size_t i) {
      auto const v = operators_->node(first + i);
      order_.push_back(v);
      std::size_t group = 0;
      while (!groups[group].contains(i)) ++group;
      scratch_.stream_of[v] = stream_id{group};
      key_.push_back(merged ? operators_->convolution_class(first + i)
                            : operators_->kernel_class(first + i));
      key_.push_back(static_cast<std::uint32_t>(group));
    });
    renumber_groups();
    auto const [at, fresh] = known_.try_emplace(key_, impossible);
    if (fresh) {
      meter_->count();
      at->second = simulated(merged);
    }
    return at->second;
  }

private:
  /// By first operator: which group came first when it was found must not matter.
  void renumber_groups() {
    numbering_.clear();
    for (std::size_t i = 0; i < order_.size(); ++i) {
      auto& group = key_[2 * i + 2];
      auto const at = std::find(numbering_.begin(), numbering_.end(), group);
      if (at == numbering_.end()) numbering_.push_back(group);
      group = static_cast<std::uint32_t>(std::find(numbering_.begin(), numbering_.end(), group) -
                                         numbering_.begin());
      scratch_.stream_of[order_[i]] = stream_id{group};
    }
  }
  [[nodiscard]] auto simulated(bool merged) -> stage_cost {
    scratch_.merged.clear();
    if (merged) scratch_.merged.push_back(order_);
    auto const latency = simulate_.run(scratch_, order_).latency;
    if (latency >= never) return impossible;
    auto const& o = p_->overheads();
    return p_->options().mode == launch_mode::graph ? latency.count() - o.graph + o.event
                                                    : latency.count() + o.barrier;
  }

  later<stream_problem, D> const* p_;
  later<basic_operator_list<D>, D> const* operators_;
  stream_meter* meter_;
  basic_stream_simulator<D> simulate_;
  later<stream_schedule, D> scratch_;
  std::vector<std::uint32_t> key_, order_, numbering_;
  std::unordered_map<std::vector<std::uint32_t>, stage_cost, numbers_hash> known_;
};

} // namespace mars::detail
