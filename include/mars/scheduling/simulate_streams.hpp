// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/scheduling/detail/kernel_engine.hpp>
#include <mars/scheduling/detail/stream_clocks.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_schedule.hpp>
#include <mars/scheduling/stream_timeline.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <span>
#include <utility>
#include <vector>

namespace mars {

/// Runs schedules of one problem, again and again, without allocating much. Not for several threads.
///
///   ready(v) = max( host(v), end(p) + gap for what runs before v on its stream,
///                   end(p) + event for inputs on other streams )
///   graph:  host(v) = one replay's overhead for all
///   eager:  host(v) = host of the node launched before + launches + waits + records, of the waits that
///           are needed and what these wait for (`synchronize`), without fork and join
///   stages: all of one has ended (+ event in a graph, + barrier when the host waits) before the next
///
/// A node that launches nothing ends when it is ready; what it waits for is charged once, on the way in.
/// Kernels then compete as `detail::basic_kernel_engine` says.
template <deferred D = when_called>
class basic_stream_simulator {
  template <class T>
  using vector = later<std::vector<T>, D>;

public:
  explicit basic_stream_simulator(later<stream_problem, D> const& problem) : p_{&problem} {}

  /// Precondition: the schedule is valid (`validate`).
  auto operator()(later<stream_schedule, D> const& s) -> stream_timeline const& {
    return run(s, std::span<std::uint32_t const>{s.launch_order});
  }

  /// The same for some nodes only, given in launch order: what is not among them has ended before.
  auto run(later<stream_schedule, D> const& s, std::span<std::uint32_t const> order)
      -> stream_timeline const& {
    auto const& p = *p_;
    auto const n = p.size();
    forget_last_run(n);
    ran_.assign(order.begin(), order.end());
    result_.latency = picoseconds{};
    units_.clear();
    if (!prepare(s, order)) {
      result_.latency = never;
      return result_;
    }
    engine_.emplace(p.device_limits(), p.options().dispatch == dispatch_rule::blocking);
    timers_ = {};
    latest_ = 0;
    stage_ = 0;
    stage_ran_ = false;
    begin_stage(p.options().mode == launch_mode::replay ? p.overheads().graph : 0);
    for (;;) {
      auto const due = timers_.empty() ? never.count() : timers_.top().first;
      auto const now = std::min(due, engine_->next());
      if (now >= never.count()) break;
      engine_->advance(now, [&](std::uint32_t u) { kernel_ended(u, now); });
      while (!timers_.empty() && timers_.top().first <= now) {
        auto const u = timers_.top().second;
        timers_.pop();
        launch(u, now);
      }
      engine_->dispatch(now, [&](std::uint32_t u) {
        if (units_[u].started) return;
        units_[u].started = true;
        units_[u].start = now;
      });
    }
    for (auto const v : ran_) {
      result_.start[v] = picoseconds{units_[unit_of_[v]].start};
      result_.end[v] = picoseconds{units_[unit_of_[v]].end};
    }
    result_.latency = picoseconds{latest_};
    return result_;
  }

private:
  using time_ticks = detail::time_ticks;
  static constexpr std::uint32_t none = 0xFFFF'FFFF;

  /// A node, or nodes merged into one. Numbered in launch order.
  struct unit {
    std::span<detail::priced_kernel const> kernels{};
    std::uint32_t next_kernel{0};
    std::uint32_t waits_for{0};
    std::uint32_t stage{0};
    std::uint32_t stream{0};
    time_ticks host{0}; ///< after the beginning of its stage
    time_ticks ready{0};
    time_ticks start{0}, end{0};
    std::uint32_t after_on_stream{none};
    bool started{false};
  };

  /// Costs what the last run was, not what the graph is: parts of large graphs are run as well.
  void forget_last_run(std::size_t n) {
    result_.start.resize(n);
    result_.end.resize(n);
    unit_of_.resize(n, none);
    for (auto const v : ran_) {
      result_.start[v] = result_.end[v] = picoseconds{};
      unit_of_[v] = none;
    }
  }
  [[nodiscard]] auto prepare(later<stream_schedule, D> const& s,
                             std::span<std::uint32_t const> order) -> bool {
    auto const& p = *p_;
    bool const eager = p.options().mode == launch_mode::eager;
    bool const staged = !s.stage_of.empty();
    merged_kernels_.clear();
    if (!s.merged.empty()) {
      group_of_.assign(p.size(), none);
      for (std::uint32_t g = 0; g < s.merged.size(); ++g)
        for (auto const v : s.merged[g]) group_of_[v] = g;
      merged_kernels_.resize(s.merged.size());
    }
    std::size_t streams = 0;
    for (auto const v : order) streams = std::max(streams, s.stream_of[v].index() + 1);
    tail_.assign(streams, none);
    stages_.clear();
    edges_.clear();
    std::uint32_t last_group = none;
    for (auto const v : order) {
      auto const group = s.merged.empty() ? none : group_of_[v];
      if (group != none && group == last_group) {
        unit_of_[v] = static_cast<std::uint32_t>(units_.size() - 1);
        add_inputs(s, v);
        continue;
      }
      last_group = group;
      auto const u = static_cast<std::uint32_t>(units_.size());
      unit_of_[v] = u;
      unit x;
      x.kernels = p.kernels(v);
      if (group != none) {
        auto kernels = p.merged(s.merged[group]);
        if (!kernels) return false;
        merged_kernels_[group] = *std::move(kernels);
        x.kernels = merged_kernels_[group];
      }
      x.stage = staged ? s.stage_of[v] : 0;
      x.stream = s.stream_of[v].value;
      units_.push_back(x);
      auto& tail = tail_[x.stream];
      if (tail != none && units_[tail].stage == x.stage) {
        units_[tail].after_on_stream = u;
        ++units_[u].waits_for;
      }
      tail = u;
      add_inputs(s, v);
    }
    for (auto const& k : units_)
      for (auto const& x : k.kernels)
        if (x.fit <= 0) return false;
    index_edges();
    if (eager) find_needed_waits(tail_.size());
    // What the host does, node by node, from the beginning of each stage.
    time_ticks host = 0;
    std::uint32_t stage = none;
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      auto& x = units_[u];
      if (x.stage != stage) {
        stage = x.stage;
        stages_.push_back({u, 0});
        host = 0;
      }
      ++stages_.back().second;
      if (!eager) continue;
      if (!x.kernels.empty())
        host += static_cast<time_ticks>(x.kernels.size()) * p.overheads().launch;
      host += waits_[u] * p.overheads().wait;
      host += records_[u] * p.overheads().record;
      x.host = host;
    }
    return true;
  }

  /// Inputs of `v` on other streams, as edges from their units.
  void add_inputs(later<stream_schedule, D> const& s, std::uint32_t v) {
    auto const u = unit_of_[v];
    for (auto const i : p_->inputs(v)) {
      auto const from = unit_of_[i];
      if (from == none || from == u || units_[from].stage != units_[u].stage ||
          s.stream_of[i] == s.stream_of[v])
        continue;
      edges_.emplace_back(from, u);
    }
  }
  void index_edges() {
    std::sort(edges_.begin(), edges_.end());
    edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
    first_edge_.assign(units_.size() + 1, 0);
    for (auto const& [from, to] : edges_) {
      ++first_edge_[from + 1];
      ++units_[to].waits_for;
    }
    for (std::size_t u = 0; u < units_.size(); ++u) first_edge_[u + 1] += first_edge_[u];
  }
  /// What the host asks for besides launches: of every unit the waits that nothing implies, as
  /// `synchronize` counts them, and whether one is for it.
  void find_needed_waits(std::size_t streams) {
    auto const n = units_.size();
    waits_.assign(n, 0);
    records_.assign(n, 0);
    if (edges_.empty()) return;
    by_consumer_.assign(edges_.begin(), edges_.end());
    // Of each consumer the latest producer first: it may imply others.
    std::sort(by_consumer_.begin(), by_consumer_.end(), [](auto const& a, auto const& b) {
      return a.second != b.second ? a.second < b.second : a.first > b.first;
    });
    clocks_.reset(streams, n);
    auto e = by_consumer_.begin();
    for (std::uint32_t u = 0; u < n; ++u) {
      for (; e != by_consumer_.end() && e->second == u; ++e) {
        if (clocks_.is_behind(units_[u].stream, e->first)) continue;
        clocks_.wait(units_[u].stream, e->first);
        ++waits_[u];
        records_[e->first] = 1;
      }
      clocks_.launch(units_[u].stream, u, first_edge_[u] != first_edge_[u + 1]);
    }
  }

  void begin_stage(time_ticks at) {
    if (stage_ >= stages_.size()) return;
    auto const first = stages_[stage_].first;
    for (auto u = first; u < first + stages_[stage_].second; ++u) {
      auto& x = units_[u];
      x.ready = std::max(x.ready, at + x.host);
      if (x.waits_for == 0) timers_.emplace(x.ready, u);
    }
  }

  /// The next kernel of a unit is ready, or the unit without kernels.
  void launch(std::uint32_t u, time_ticks now) {
    auto& x = units_[u];
    if (x.kernels.empty()) {
      x.start = now;
      ended(u, now);
      return;
    }
    engine_->add(x.kernels[x.next_kernel++], u, u);
  }
  void kernel_ended(std::uint32_t u, time_ticks now) {
    auto const& x = units_[u];
    latest_ = std::max(latest_, now);
    if (x.next_kernel < x.kernels.size())
      timers_.emplace(now + p_->overheads().gap, u);
    else
      ended(u, now);
  }
  void ended(std::uint32_t u, time_ticks now) {
    auto& x = units_[u];
    x.end = now;
    bool const ran = !x.kernels.empty();
    stage_ran_ |= ran;
    auto const release = [&](std::uint32_t v, time_ticks delay) {
      auto& y = units_[v];
      y.ready = std::max(y.ready, now + (ran ? delay : 0));
      if (--y.waits_for == 0) timers_.emplace(y.ready, v);
    };
    if (x.after_on_stream != none) release(x.after_on_stream, p_->overheads().gap);
    for (auto e = first_edge_[u]; e < first_edge_[u + 1]; ++e)
      release(edges_[e].second, p_->overheads().event);
    if (--stages_[stage_].second == 0 && stage_ + 1 < stages_.size()) {
      auto const join = p_->options().mode == launch_mode::replay ? p_->overheads().event
                                                                  : p_->overheads().barrier;
      auto const ran_any = std::exchange(stage_ran_, false);
      ++stage_;
      begin_stage(now + (ran_any ? join : 0));
    }
  }

  using timer = later<std::pair<time_ticks, std::uint32_t>, D>; // equal times: in launch order

  later<stream_problem, D> const* p_;
  std::optional<detail::basic_kernel_engine<D>> engine_;
  later<stream_timeline, D> result_;
  vector<unit> units_;
  vector<std::uint32_t> ran_, unit_of_, group_of_, tail_, first_edge_;
  vector<time_ticks> waits_, records_;                                  ///< of each unit, counts
  vector<std::pair<std::uint32_t, std::uint32_t>> edges_, by_consumer_; ///< producer, consumer
  detail::basic_stream_clocks<D> clocks_;
  vector<std::pair<std::uint32_t, std::uint32_t>> stages_; ///< first unit, units left
  vector<std::vector<detail::priced_kernel>> merged_kernels_;
  std::priority_queue<timer, std::vector<timer>, std::greater<>> timers_;
  time_ticks latest_{0};
  std::size_t stage_{0};
  bool stage_ran_{false};
};
using stream_simulator = basic_stream_simulator<>;

/// When every node of a schedule runs. Precondition: the schedule is valid (`validate`).
template <deferred D = when_called>
[[nodiscard]] auto simulate_streams(later<stream_problem, D> const& problem,
                                    later<stream_schedule, D> const& schedule) -> stream_timeline {
  return basic_stream_simulator<D>{problem}(schedule);
}

} // namespace mars
