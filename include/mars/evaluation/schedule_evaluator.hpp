// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/schedule_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <queue>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace mars {

/// Prices assignments of one problem, with working space of its own: no allocation after the first
/// call. Equals `evaluate_schedule` of the decoded mapping to the picosecond.
/// O(V·p + E), and O(V log V) more where memory can run short.
template <deferred D = when_called>
class basic_schedule_evaluator {
public:
  explicit basic_schedule_evaluator(schedule_problem const& problem)
      : problem_{&problem},
        start_(problem.size()),
        end_(problem.size()),
        duration_(problem.size()),
        continues_(problem.size()),
        free_(problem.accelerators()),
        busy_(problem.accelerators()),
        last_(problem.accelerators()),
        design_(problem.accelerators()) {}

  /// Precondition: choices exist, the order has every position once, producers first.
  auto operator()(schedule_assignment const& a) -> schedule_value {
    auto const& p = *problem_;
    std::fill(free_.begin(), free_.end(), 0);
    std::fill(last_.begin(), last_.end(), nobody);
    std::fill(design_.begin(), design_.end(), no_design);
    makespan_ = 0;
    conflicts_ = 0;
    if (p.is_staged())
      for (auto const v : a.order) launch_staged(a, v);
    else
      for (auto const v : a.order) launch(a, v);
    for (std::size_t v = 0; v < p.size(); ++v) makespan_ = std::max(makespan_, end_[v]);
    schedule_value result{makespan_, 0, conflicts_};
    if (p.how() == aggregate::bottleneck) {
      std::fill(busy_.begin(), busy_.end(), 0);
      for (std::size_t v = 0; v < p.size(); ++v)
        for (auto const d : p.members(p.choices(v)[a.choice_of[v]].set))
          busy_[d.index()] = add(busy_[d.index()], duration_[v]);
      result.value = 0;
      for (auto const b : busy_) result.value = std::max(result.value, b);
    }
    if (!p.always_fits()) result.overflow_bytes = overflow(a);
    return result;
  }

  /// From now on nothing stays where it was made, as in H2H's first two steps; or again it does.
  void let_stay(bool stay) { may_stay_ = stay; }

  // Of the latest call, by position.
  [[nodiscard]] auto start(std::size_t v) const -> ticks { return start_[v]; }
  [[nodiscard]] auto end(std::size_t v) const -> ticks { return end_[v]; }
  [[nodiscard]] auto duration(std::size_t v) const -> ticks { return duration_[v]; }
  /// Staged: it found its first input where it was made.
  [[nodiscard]] auto continues(std::size_t v) const -> bool { return continues_[v] != 0; }
  [[nodiscard]] auto makespan() const -> ticks { return makespan_; }

private:
  static constexpr auto nobody = std::numeric_limits<std::uint32_t>::max();
  static constexpr auto no_design = std::numeric_limits<std::uint16_t>::max();

  [[nodiscard]] static constexpr auto add(ticks a, ticks b) -> ticks {
    auto const sum = a + b; // both are at most no_ticks, a quarter of the range
    return sum < no_ticks ? sum : no_ticks;
  }

  void occupy(std::uint32_t v, schedule_choice const& c, ticks ready) {
    auto const& p = *problem_;
    auto const design = p.design_number(c);
    for (auto const d : p.members(c.set)) {
      auto const i = d.index();
      ready = std::max(ready, free_[i]);
      if (design_[i] == no_design)
        design_[i] = design;
      else
        conflicts_ += design_[i] != design ? 1U : 0U;
    }
    start_[v] = ready;
    end_[v] = add(ready, duration_[v]);
    for (auto const d : p.members(c.set)) {
      free_[d.index()] = end_[v];
      last_[d.index()] = v;
    }
  }

  void launch(schedule_assignment const& a, std::uint32_t v) {
    auto const& p = *problem_;
    auto const& c = p.choices(v)[a.choice_of[v]];
    ticks ready = 0;
    for (auto const& e : p.in_edges(v)) {
      auto const& from = p.choices(e.producer)[a.choice_of[e.producer]];
      ready = std::max(ready, add(end_[e.producer], p.move(e, from, c)));
    }
    duration_[v] = add(p.times(v, c)[0].compute, c.fixed);
    occupy(v, c, ready);
  }

  /// Slowest member, then the exchanges. `in` and `out` replace inputs and results where not empty.
  [[nodiscard]] auto staged_duration(schedule_assignment const& a, std::size_t v,
                                     std::span<staying_ticks const> in,
                                     std::span<staying_ticks const> out) const -> ticks {
    auto const& p = *problem_;
    auto const& c = p.choices(v)[a.choice_of[v]];
    auto const times = p.times(v, c);
    bool const streamed = a.streamed[v] != 0;
    ticks slowest = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      auto t = add(times[i].compute, in.empty() ? times[i].inputs : in[i].inputs);
      t = add(t, out.empty() ? times[i].results : out[i].results);
      if (streamed) t = add(t, times[i].weights);
      slowest = std::max(slowest, t);
    }
    return add(slowest, c.fixed);
  }

  void launch_staged(schedule_assignment const& a, std::uint32_t v) {
    auto const& p = *problem_;
    auto const& c = p.choices(v)[a.choice_of[v]];
    auto const in = p.in_edges(v);
    std::span<staying_ticks const> stays;
    if (!in.empty() && may_stay_) {
      auto const u = in[0].producer;
      auto const& maker = p.choices(u)[a.choice_of[u]];
      bool follows = maker.set == c.set;
      for (auto const d : p.members(c.set)) follows = follows && last_[d.index()] == u;
      if (follows) {
        stays = p.staying(in[0], a.choice_of[v], c, maker);
        if (p.may_store_less(u)) {
          duration_[u] = staged_duration(a, u, kept_in_[u], stays);
          end_[u] = add(start_[u], duration_[u]);
          for (auto const d : p.members(c.set)) free_[d.index()] = end_[u];
        }
      }
    }
    continues_[v] = stays.empty() ? 0 : 1;
    if (kept_in_.size() != p.size()) kept_in_.resize(p.size());
    kept_in_[v] = stays;
    ticks ready = 0;
    for (auto const& e : in) ready = std::max(ready, end_[e.producer]);
    duration_[v] = staged_duration(a, v, stays, {});
    occupy(v, c, ready);
  }

  /// As `evaluate_schedule` counts memory.
  [[nodiscard]] auto overflow(schedule_assignment const& a) -> std::int64_t {
    auto const& p = *problem_;
    auto const n = p.size();
    later<std::vector<std::uint32_t>, D> order(n), place(n);
    for (std::uint32_t v = 0; v < n; ++v) order[v] = v;
    std::sort(order.begin(), order.end(), [&](auto x, auto y) {
      return std::tuple{start_[x], end_[x], x} < std::tuple{start_[y], end_[y], y};
    });
    for (std::uint32_t i = 0; i < n; ++i) place[order[i]] = i;
    using moment = later<std::pair<ticks, std::uint32_t>, D>;
    later<std::vector<moment>, D> release(n);
    for (std::size_t v = 0; v < n; ++v) {
      release[v] = {end_[v], place[v]};
      for (auto const i : p.out_edges(v)) {
        auto const r = p.edges()[i].consumer;
        release[v] = std::max(release[v], moment{end_[r], place[r]});
      }
      if (p.stays_to_the_end(v)) release[v] = {no_ticks, static_cast<std::uint32_t>(n)};
    }
    later<std::vector<std::vector<std::uint32_t>>, D> runs(p.accelerators());
    for (auto const v : order)
      for (auto const d : p.members(p.choices(v)[a.choice_of[v]].set)) runs[d.index()].push_back(v);
    std::int64_t over = 0;
    for (std::size_t d = 0; d < runs.size(); ++d) {
      using leaving = later<std::pair<moment, std::int64_t>, D>;
      std::priority_queue<leaving, std::vector<leaving>, std::greater<>> living;
      std::int64_t live = 0, highest = 0, weights = 0;
      for (auto const v : runs[d]) {
        while (!living.empty() && living.top().first.first <= start_[v] &&
               living.top().first.second < place[v]) {
          live -= living.top().second;
          living.pop();
        }
        auto const& c = p.choices(v)[a.choice_of[v]];
        if (a.streamed[v] == 0) weights += c.weights;
        auto demand = live + c.transient;
        for (auto const& e : p.in_edges(v))
          demand += p.missing(e, p.choices(e.producer)[a.choice_of[e.producer]], c);
        highest = std::max(highest, demand);
        live += c.kept;
        living.emplace(release[v], c.kept);
      }
      over += std::max<std::int64_t>(0, weights + highest - p.capacity(d));
    }
    return over;
  }

  schedule_problem const* problem_;
  std::vector<ticks> start_, end_, duration_;
  std::vector<std::uint8_t> continues_;
  std::vector<ticks> free_, busy_;
  std::vector<std::uint32_t> last_;
  std::vector<std::uint16_t> design_;
  std::vector<std::span<staying_ticks const>> kept_in_; ///< by position, of the latest call
  bool may_stay_{true};
  ticks makespan_{};
  std::uint32_t conflicts_{};
};
using schedule_evaluator = basic_schedule_evaluator<>;

} // namespace mars
