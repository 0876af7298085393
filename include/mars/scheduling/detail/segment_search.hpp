// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/random.hpp>
#include <mars/scheduling/detail/segments.hpp>
#include <mars/scheduling/simulate_streams.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace mars::detail {

/// How a segment is launched: its units (nodes, or nodes merged into one) in launch order, and the
/// stream of each. The entry, where there is one, is a unit of its own, first, on stream 0.
struct segment_plan {
  std::vector<std::vector<std::uint32_t>> units; ///< nodes of the segment by place in it
  std::vector<std::uint32_t> streams;
  time_ticks value{never.count()};
};

/// Local search over one segment: another place in the launch order for a unit, another stream for it,
/// both, or other nodes merged. A move is kept if it is not worse than now or than what was kept fifty
/// moves ago (late acceptance: no temperature to tune); after 400 without a better one three moves at
/// once lead away from the best.
template <deferred D = when_called>
class basic_segment_search {
  template <class T>
  using vector = later<std::vector<T>, D>;

public:
  /// `nodes`: of the whole problem, the entry first if there is one.
  basic_segment_search(later<stream_problem, D> const& whole, later<stream_segment, D> const& s)
      : nodes_{s.nodes}, has_entry_{s.entry != stream_segment::none} {
    if (has_entry_) nodes_.insert(nodes_.begin(), s.entry);
    auto const exit = std::find(nodes_.begin(), nodes_.end(), s.exit);
    exit_ = exit == nodes_.end() ? stream_segment::none
                                 : static_cast<std::uint32_t>(exit - nodes_.begin());
    p_ = std::make_unique<later<stream_problem, D> const>(whole.part(nodes_));
    simulate_.emplace(*p_);
    schedule_.stream_of.resize(nodes_.size());
    for (std::size_t v = 0; v < p_->size(); ++v) merges_ |= p_->may_merge(v);
    most_streams_ = whole.limits().streams == 0 ? nodes_.size() : whole.limits().streams;
  }

  [[nodiscard]] auto evaluations() const -> std::uint64_t { return evaluations_; }
  [[nodiscard]] auto size() const -> std::size_t { return nodes_.size(); }
  [[nodiscard]] auto problem() const -> stream_problem const& { return *p_; }
  /// Of the whole problem, by place.
  [[nodiscard]] auto nodes() const -> vector<std::uint32_t> const& { return nodes_; }

  /// A schedule of the whole problem, as far as it concerns the segment.
  [[nodiscard]] auto restrict(later<stream_schedule, D> const& whole) -> later<segment_plan, D> {
    later<segment_plan, D> plan;
    vector<std::uint32_t> group(nodes_.size(), stream_segment::none);
    for (std::uint32_t g = 0; g < whole.merged.size(); ++g)
      for (auto const v : whole.merged[g])
        if (auto const i = place(v); i != stream_segment::none) group[i] = g;
    vector<std::uint32_t> names; // streams, in the order in which they appear
    std::uint32_t last = stream_segment::none;
    if (has_entry_) { // what launches nothing and reads nothing may have gone before it
      names.push_back(whole.stream_of[nodes_.front()].value);
      plan.units.push_back({0});
      plan.streams.push_back(0);
    }
    for (auto const v : whole.launch_order) {
      auto const i = place(v);
      if (i == stream_segment::none || (has_entry_ && i == 0)) continue;
      if (group[i] != stream_segment::none && group[i] == last) {
        plan.units.back().push_back(i);
        continue;
      }
      last = group[i];
      auto const name = whole.stream_of[v].value;
      auto at = std::find(names.begin(), names.end(), name);
      if (at == names.end()) at = names.insert(names.end(), name);
      plan.units.push_back({i});
      plan.streams.push_back(static_cast<std::uint32_t>(at - names.begin()));
    }
    evaluate(plan);
    return plan;
  }

  /// Walks from `best` until `bound` is reached, the moves are used up or `stop()`.
  template <class Stop>
  void improve(later<segment_plan, D>& best, time_ticks bound, std::uint64_t moves,
               random_stream random, Stop&& stop) {
    constexpr std::size_t memory = 50;
    auto now = best;
    vector<time_ticks> past(memory, now.value);
    auto const first = std::size_t{has_entry_ ? 1U : 0U};
    if (best.units.size() < first + 2) return;
    std::uint64_t improved = 0;
    for (std::uint64_t move = 0; move < moves && best.value > bound && !stop(); ++move) {
      auto next = now;
      bool const kick = move - improved >= 8 * memory;
      if (kick) {
        next = best;
        improved = move;
      }
      for (int steps = kick ? 3 : 1; steps > 0; --steps) step(next, first, random);
      if (next.streams == now.streams && next.units == now.units) continue;
      evaluate(next);
      if (kick) std::fill(past.begin(), past.end(), next.value);
      auto& before = past[move % memory];
      if (kick || next.value <= now.value || next.value <= before) now = std::move(next);
      before = now.value;
      if (now.value >= best.value) continue;
      best = now;
      improved = move;
    }
  }

private:
  void step(later<segment_plan, D>& plan, std::size_t first, random_stream& random) const {
    auto const u = first + static_cast<std::size_t>(random.below(plan.units.size() - first));
    auto const kind = random.below(merges_ ? 4 : 3);
    if (kind == 3) change_merging(plan, u, random);
    if (kind == 1 || kind == 2) change_stream(plan, u, random);
    if (kind == 0 || kind == 2) change_place(plan, u, first, random);
  }
  [[nodiscard]] auto place(std::uint32_t v) const -> std::uint32_t {
    if (has_entry_ && v == nodes_.front()) return 0; // it may be far in front of the others
    auto const at = std::lower_bound(nodes_.begin() + (has_entry_ ? 1 : 0), nodes_.end(), v);
    return at == nodes_.end() || *at != v ? stream_segment::none
                                          : static_cast<std::uint32_t>(at - nodes_.begin());
  }
  void evaluate(later<segment_plan, D>& plan) {
    schedule_.launch_order.clear();
    schedule_.merged.clear();
    for (std::size_t u = 0; u < plan.units.size(); ++u) {
      for (auto const i : plan.units[u]) {
        schedule_.launch_order.push_back(i);
        schedule_.stream_of[i] = stream_id{plan.streams[u]};
      }
      if (plan.units[u].size() > 1) schedule_.merged.push_back(plan.units[u]);
    }
    ++evaluations_;
    auto const& t = (*simulate_)(schedule_);
    plan.value = exit_ == stream_segment::none || t.latency >= never ? t.latency.count()
                                                                     : t.end[exit_].count();
  }

  /// To a stream of an input, of a reader, or any other; maybe a new one.
  void change_stream(later<segment_plan, D>& plan, std::size_t u, random_stream& random) const {
    vector<std::uint32_t> unit_of(nodes_.size(), 0);
    for (std::uint32_t x = 0; x < plan.units.size(); ++x)
      for (auto const i : plan.units[x]) unit_of[i] = x;
    auto const v = plan.units[u].front();
    vector<std::uint32_t> near;
    for (auto const i : p_->inputs(v)) near.push_back(plan.streams[unit_of[i]]);
    for (auto const w : p_->outputs(v)) near.push_back(plan.streams[unit_of[w]]);
    auto used = *std::max_element(plan.streams.begin(), plan.streams.end()) + 1;
    if (!near.empty() && random.chance(0.6)) {
      plan.streams[u] = near[static_cast<std::size_t>(random.below(near.size()))];
      return;
    }
    if (used < most_streams_ && used < nodes_.size()) ++used;
    plan.streams[u] = static_cast<std::uint32_t>(random.below(used));
  }

  /// Takes a merged unit apart, or merges it with another of the same input: where the first of both is,
  /// for what reads it may come right behind.
  void change_merging(later<segment_plan, D>& plan, std::size_t u, random_stream& random) const {
    auto const at = [](auto& list, std::size_t i) {
      return list.begin() + static_cast<std::ptrdiff_t>(i);
    };
    if (plan.units[u].size() > 1) {
      auto const nodes = plan.units[u];
      plan.units[u] = {nodes.front()};
      for (std::size_t i = 1; i < nodes.size(); ++i) {
        plan.units.insert(at(plan.units, u + i), {nodes[i]});
        plan.streams.insert(at(plan.streams, u + i), plan.streams[u]);
      }
      return;
    }
    vector<std::size_t> others;
    for (std::size_t w = 0; w < plan.units.size(); ++w)
      if (w != u && p_->may_merge(plan.units[w].front()) &&
          p_->node(plan.units[w].front()).inputs == p_->node(plan.units[u].front()).inputs)
        others.push_back(w);
    if (!p_->may_merge(plan.units[u].front()) || others.empty()) return;
    auto const w = others[static_cast<std::size_t>(random.below(others.size()))];
    auto nodes = plan.units[u];
    nodes.insert(nodes.end(), plan.units[w].begin(), plan.units[w].end());
    if (!p_->merged(nodes)) return;
    auto const [early, late] = std::minmax(u, w);
    plan.units[early] = std::move(nodes);
    plan.streams[early] = plan.streams[u];
    plan.units.erase(at(plan.units, late));
    plan.streams.erase(at(plan.streams, late));
  }

  /// Anywhere between the last unit it reads and the first that reads it.
  void change_place(later<segment_plan, D>& plan, std::size_t u, std::size_t first,
                    random_stream& random) const {
    auto const depends = [&](auto const& later_unit, auto const& earlier) {
      for (auto const i : later_unit)
        for (auto const x : p_->inputs(i))
          if (std::find(earlier.begin(), earlier.end(), x) != earlier.end()) return true;
      return false;
    };
    auto low = u, high = u;
    while (low > first && !depends(plan.units[u], plan.units[low - 1])) --low;
    while (high + 1 < plan.units.size() && !depends(plan.units[high + 1], plan.units[u])) ++high;
    if (low == high) return;
    auto to = low + static_cast<std::size_t>(random.below(high - low));
    if (to >= u) ++to;
    auto const shift = [&](auto& list) {
      auto const at = list.begin();
      auto const from = static_cast<std::ptrdiff_t>(u), goal = static_cast<std::ptrdiff_t>(to);
      if (from < goal)
        std::rotate(at + from, at + from + 1, at + goal + 1);
      else
        std::rotate(at + goal, at + from, at + from + 1);
    };
    shift(plan.units);
    shift(plan.streams);
  }

  vector<std::uint32_t> nodes_;
  bool has_entry_;
  std::uint32_t exit_{};
  std::unique_ptr<later<stream_problem, D> const>
      p_; ///< of the segment; the simulator points at it
  std::optional<basic_stream_simulator<D>> simulate_;
  later<stream_schedule, D> schedule_;
  std::size_t most_streams_{};
  bool merges_{false};
  std::uint64_t evaluations_{0};
};

} // namespace mars::detail
