// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/schedule_bounds.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/schedule_starts.hpp>
#include <mars/search/meter.hpp>
#include <mars/search/schedule_annealing.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::search {

/// Branch and bound over schedules: which ready operator is launched next, and how. Of launches that
/// could as well be made the other way round only one order is tried. A partial schedule is given up
/// when the ends so far, the shortest paths behind them, or the time that is left of all accelerators
/// cannot beat the best; the first best is a short walk's (`schedule_annealing`).
///
/// Prefer it for a dozen operators and small candidate sets: it proves the optimum; on larger problems
/// it is an anytime search from that walk, with `schedule_bound` as its proof. Where weights may not
/// fit, both residencies are tried. It recurses once per operator, and does not branch on more than
/// `most_operators`.
template <deferred D = when_called>
struct basic_schedule_exact {
  std::uint64_t evaluations{5'000'000}; ///< partial schedules, unless the context has a budget
  std::size_t most_operators{1000};
  std::uint64_t walk_evaluations{
      20'000}; ///< of `schedule_annealing` before, at most a fifth of all

  [[nodiscard]] auto name() const -> std::string_view { return "exact"; }

  [[nodiscard]] auto operator()(later<schedule_problem, D> const& problem,
                                later<search_context, D> const& context) const
      -> schedule_solution {
    meter clock{context, evaluations};
    later<schedule_solution, D> result;
    result.bound = schedule_bound(problem);
    later<schedule_evaluator, D> price{problem};
    start(problem, context, price, clock, result);
    if (problem.size() == 0) {
      result.exhausted = true;
      return result;
    }
    if (problem.size() <= most_operators) {
      tree all{problem, price, clock, result};
      result.exhausted = all.search();
    }
    if (result.exhausted) {
      auto const proven = result.value.feasible() ? result.value.value : no_ticks;
      if (proven > result.bound.value) result.bound = {proven, "search exhausted"};
    }
    result.evaluations = clock.evaluations();
    return result;
  }

private:
  /// The incumbent: the best of the starts, improved for a moment.
  void start(later<schedule_problem, D> const& problem, later<search_context, D> const& context,
             later<schedule_evaluator, D>& price, meter& clock,
             later<schedule_solution, D>& result) const {
    for (auto const& from : detail::schedule_starts<D>(problem, context, clock))
      if (auto const value = price(from); result.best.order.empty() || value < result.value) {
        result.best = from;
        result.value = value;
      }
    if (clock.evaluations() > clock.limit() / 5 || clock.interrupted()) return;
    auto inner = context;
    inner.observer = {};
    inner.start_schedule = result.best;
    inner.budget.evaluations = std::min(clock.limit() / 5, walk_evaluations);
    if (context.budget.wall) inner.budget.wall = *context.budget.wall / 5;
    auto const walked = basic_schedule_annealing<D>{}(problem, inner);
    clock.count(walked.evaluations);
    if (!(walked.value < result.value)) return;
    result.best = walked.best;
    result.value = walked.value;
  }

  class tree {
  public:
    tree(later<schedule_problem, D> const& p, later<schedule_evaluator, D>& price, meter& clock,
         later<schedule_solution, D>& best)
        : p_{&p},
          price_{&price},
          clock_{&clock},
          best_{&best},
          waits_(p.size()),
          least_(p.size()),
          work_(p.size()),
          tail_(p.size()),
          end_(p.size()),
          free_(p.accelerators()),
          last_(p.accelerators(), p.nobody) {
      a_.choice_of.assign(p.size(), 0);
      a_.streamed.assign(p.size(), 0);
      for (auto const& e : p.edges()) ++waits_[e.consumer];
      for (auto v = p.size(); v-- > 0;) {
        least_[v] = work_[v] = no_ticks;
        for (auto const& c : p.choices(v)) {
          auto const members = static_cast<ticks>(p.members(c.set).size());
          least_[v] = std::min(least_[v], c.least);
          work_[v] =
              std::min(work_[v], c.least > no_ticks / members ? no_ticks : c.least * members);
        }
        for (auto const i : p.out_edges(v))
          tail_[v] = std::max(tail_[v], tail_[p.edges()[i].consumer]);
        tail_[v] = std::min(no_ticks, tail_[v] + least_[v]);
        left_ = std::min(no_ticks, left_ + work_[v]);
      }
      for (std::uint32_t v = 0; v < p.size(); ++v)
        if (waits_[v] == 0) ready_.push_back(v);
    }

    /// False if the budget ended it.
    [[nodiscard]] auto search() -> bool {
      descend();
      return !stopped_;
    }

  private:
    void descend() {
      if (stopped_) return;
      auto const& p = *p_;
      if (ready_.empty()) {
        leaf();
        return;
      }
      auto const choices_now = ready_; // copies: the tree is shallow
      for (std::size_t r = 0; r < choices_now.size(); ++r) {
        auto const v = choices_now[r];
        auto const all = p.choices(v);
        for (std::uint32_t c = 0; c < all.size(); ++c)
          for (std::uint8_t streamed = 0; streamed <= (may_stream() ? 1 : 0); ++streamed) {
            if (stopped_) return;
            clock_->count(1);
            if (clock_->spent()) stopped_ = true;
            if (stopped_) return;
            if (!commutes_backwards(v, all[c])) launch(v, c, streamed);
          }
      }
    }
    [[nodiscard]] auto may_stream() const -> bool { return p_->is_staged() && !p_->always_fits(); }

    /// Could `v` have been launched before the latest launch with the same result, and has a smaller
    /// position? Then that order is tried elsewhere.
    [[nodiscard]] auto commutes_backwards(std::uint32_t v, later<schedule_choice, D> const& c) const
        -> bool {
      if (a_.order.empty()) return false;
      auto const u = a_.order.back();
      if (v > u) return false;
      auto const& p = *p_;
      for (auto const& e : p.in_edges(v))
        if (e.producer == u) return false;
      auto const other = p.members(p.choices(u)[a_.choice_of[u]].set);
      for (auto const m : p.members(c.set))
        if (std::find(other.begin(), other.end(), m) != other.end()) return false;
      return true;
    }

    void launch(std::uint32_t v, std::uint32_t c, std::uint8_t streamed) {
      auto const& p = *p_;
      auto const& choice = p.choices(v)[c];
      auto const before_free = free_;
      auto const before_last = last_;
      auto const before_ready = ready_;
      auto const before_left = left_;
      auto const before_busy = busy_;
      a_.choice_of[v] = c;
      a_.streamed[v] = streamed;
      a_.order.push_back(v);
      // The end is a lower bound: what follows may let results stay, or let it find inputs in place.
      ticks start = 0;
      for (auto const& e : p.in_edges(v)) {
        auto arrived = end_[e.producer];
        if (!p.is_staged())
          arrived += p.move(e, p.choices(e.producer)[a_.choice_of[e.producer]], choice);
        start = std::max(start, arrived);
      }
      for (auto const m : p.members(choice.set)) start = std::max(start, free_[m.index()]);
      auto const takes = shortest(v, choice); // before it is the last on its set
      end_[v] = std::min(no_ticks, start + takes);
      for (auto const m : p.members(choice.set)) {
        free_[m.index()] = end_[v];
        last_[m.index()] = v;
      }
      auto const members = static_cast<ticks>(p.members(choice.set).size());
      busy_ = takes > no_ticks / members ? no_ticks : std::min(no_ticks, busy_ + takes * members);
      left_ = std::max<ticks>(0, left_ - work_[v]);
      ready_.erase(std::find(ready_.begin(), ready_.end(), v));
      for (auto const i : p.out_edges(v))
        if (--waits_[p.edges()[i].consumer] == 0) ready_.push_back(p.edges()[i].consumer);

      if (!best_->value.feasible() || lower_bound() < best_->value.value) descend();

      for (auto const i : p.out_edges(v)) ++waits_[p.edges()[i].consumer];
      a_.order.pop_back();
      free_ = before_free;
      last_ = before_last;
      ready_ = before_ready;
      left_ = before_left;
      busy_ = before_busy;
    }

    /// With everything in place that can be: its producer ran last on the set.
    [[nodiscard]] auto shortest(std::uint32_t v, later<schedule_choice, D> const& choice) const
        -> ticks {
      auto const& p = *p_;
      if (!p.is_staged() || p.in_edges(v).empty()) return choice.least;
      auto const u = p.in_edges(v)[0].producer;
      bool follows = p.choices(u)[a_.choice_of[u]].set == choice.set;
      for (auto const m : p.members(choice.set)) follows = follows && last_[m.index()] == u;
      if (follows) return choice.least;
      ticks slowest = 0;
      for (auto const& t : p.times(v, choice)) slowest = std::max(slowest, t.compute + t.inputs);
      return std::min(no_ticks, slowest + choice.fixed);
    }

    [[nodiscard]] auto lower_bound() const -> ticks {
      auto const& p = *p_;
      if (p.how() == aggregate::bottleneck)
        return (busy_ + left_) / static_cast<ticks>(p.accelerators());
      ticks bound = 0;
      for (auto const v : a_.order) bound = std::max(bound, end_[v]);
      for (auto const v : ready_) {
        ticks start = 0;
        for (auto const& e : p.in_edges(v)) start = std::max(start, end_[e.producer]);
        ticks room = no_ticks; // the earliest that some set is free
        for (auto const& c : p.choices(v)) {
          ticks free = 0;
          for (auto const m : p.members(c.set)) free = std::max(free, free_[m.index()]);
          room = std::min(room, free);
        }
        bound = std::max(bound, std::max(start, room) + tail_[v]);
      }
      ticks all = left_;
      for (auto const f : free_) all = std::min(2 * no_ticks, all + f);
      return std::max(bound, all / static_cast<ticks>(p.accelerators()));
    }

    void leaf() {
      auto const value = (*price_)(a_);
      if (!(value < best_->value)) return;
      best_->value = value;
      best_->best = a_;
      clock_->report({value.value, value.overflow_bytes, 0}, best_->bound, "branch and bound");
    }

    later<schedule_problem, D> const* p_;
    later<schedule_evaluator, D>* price_;
    meter* clock_;
    later<schedule_solution, D>* best_;
    later<schedule_assignment, D> a_;
    std::vector<std::uint32_t> waits_, ready_;
    std::vector<ticks> least_, work_, tail_, end_, free_;
    std::vector<std::uint32_t> last_;
    ticks left_{}, busy_{};
    bool stopped_{false};
  };
};
using schedule_exact = basic_schedule_exact<>;

} // namespace mars::search
