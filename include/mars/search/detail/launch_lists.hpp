// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/schedule_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mars::search::detail {

/// Choices that run an operator whole on one accelerator; every accelerator in one design, that which
/// runs the most operators, and of those the fastest for all of them.
template <deferred D = when_called>
class basic_single_choices {
public:
  explicit basic_single_choices(later<schedule_problem, D> const& p) : problem_{&p} {
    auto const design = designs(p);
    where_.resize(p.size());
    choice_.resize(p.size());
    for (std::size_t v = 0; v < p.size(); ++v) {
      later<std::vector<std::pair<std::uint32_t, std::uint32_t>>, D> found; // accelerator, choice
      auto const all = p.choices(v);
      for (std::uint32_t c = 0; c < all.size(); ++c) {
        auto const a = single(p, all[c]);
        if (!a || design[*a] != p.design_number(all[c])) continue;
        if (!found.empty() && found.back().first == *a) {
          if (all[c].most < all[found.back().second].most) found.back().second = c;
        } else {
          found.emplace_back(*a, c);
        }
      }
      std::sort(found.begin(), found.end());
      for (auto const& [a, c] : found) {
        where_[v].push_back(a);
        choice_[v].push_back(c);
      }
    }
  }

  /// Does every operator have one?
  [[nodiscard]] auto complete() const -> bool {
    return std::none_of(where_.begin(), where_.end(), [](auto const& w) { return w.empty(); });
  }
  /// Accelerators that can run an operator, rising.
  [[nodiscard]] auto accelerators(std::size_t v) const -> std::vector<std::uint32_t> const& {
    return where_[v];
  }
  /// Precondition: `accelerator` is one of them.
  [[nodiscard]] auto choice(std::size_t v, std::uint32_t accelerator) const -> std::uint32_t {
    auto const at = std::find(where_[v].begin(), where_[v].end(), accelerator);
    return choice_[v][static_cast<std::size_t>(at - where_[v].begin())];
  }
  [[nodiscard]] auto accelerator_of(std::size_t v, std::uint32_t choice) const -> std::uint32_t {
    return static_cast<std::uint32_t>(
        problem_->members(problem_->choices(v)[choice].set)[0].index());
  }

private:
  /// The accelerator that runs a choice alone.
  [[nodiscard]] static auto single(later<schedule_problem, D> const& p,
                                   later<schedule_choice, D> const& c)
      -> std::optional<std::uint32_t> {
    auto const members = p.members(c.set);
    if (members.size() != 1 || c.most >= no_ticks) return std::nullopt;
    return static_cast<std::uint32_t>(members[0].index());
  }

  /// By accelerator.
  [[nodiscard]] static auto designs(later<schedule_problem, D> const& p)
      -> std::vector<std::uint16_t> {
    struct merit {
      std::uint16_t design{};
      std::size_t latest{}, runs{}; ///< the last operator counted, one more than its position
      ticks time{}, of_latest{};
    };
    std::vector<std::vector<merit>> all(p.accelerators());
    for (std::size_t v = 0; v < p.size(); ++v)
      for (auto const& c : p.choices(v)) {
        auto const a = single(p, c);
        if (!a) continue;
        auto const number = p.design_number(c);
        auto at = std::find_if(all[*a].begin(), all[*a].end(),
                               [&](merit const& m) { return m.design == number; });
        if (at == all[*a].end())
          at = all[*a].insert(
              at, {.design = number, .latest = 0, .runs = 0, .time = 0, .of_latest = 0});
        bool const again = at->latest == v + 1;
        auto const least = again ? std::min(at->of_latest, c.most) : c.most;
        at->time = std::min(no_ticks, at->time + least - (again ? at->of_latest : 0));
        at->runs += again ? 0 : 1;
        at->latest = v + 1;
        at->of_latest = least;
      }
    std::vector<std::uint16_t> best;
    for (auto const& of : all) {
      auto const at = std::min_element(of.begin(), of.end(), [](merit const& x, merit const& y) {
        return x.runs != y.runs ? x.runs > y.runs : x.time < y.time;
      });
      best.push_back(at == of.end() ? std::uint16_t{0xffff} : at->design);
    }
    return best;
  }

  later<schedule_problem, D> const* problem_;
  std::vector<std::vector<std::uint32_t>> where_, choice_; ///< by position
};

/// An order in which every accelerator launches what it launched in `a`, except that `v` comes right
/// after, or right before, `beside`, on the accelerators of `v`'s choice; nothing if launch orders and
/// edges would form a cycle. O(V·p + E).
template <deferred D = when_called>
[[nodiscard]] auto reorder_beside(later<schedule_problem, D> const& p,
                                  later<schedule_assignment, D> const& a, std::uint32_t v,
                                  std::uint32_t beside, bool after)
    -> later<std::optional<std::vector<std::uint32_t>>, D> {
  auto const n = p.size();
  later<std::vector<std::vector<std::uint32_t>>, D> lists(p.accelerators());
  for (auto const u : a.order)
    if (u != v)
      for (auto const d : p.members(p.choices(u)[a.choice_of[u]].set))
        lists[d.index()].push_back(u);
  for (auto const d : p.members(p.choices(v)[a.choice_of[v]].set)) {
    auto& list = lists[d.index()];
    auto at = std::find(list.begin(), list.end(), beside);
    if (at == list.end()) return std::nullopt;
    list.insert(after ? at + 1 : at, v);
  }
  later<std::vector<std::uint32_t>, D> waits(n), order;
  later<std::vector<std::vector<std::uint32_t>>, D> followers(n);
  for (auto const& list : lists)
    for (std::size_t i = 1; i < list.size(); ++i) {
      followers[list[i - 1]].push_back(list[i]);
      ++waits[list[i]];
    }
  for (auto const& e : p.edges()) {
    followers[e.producer].push_back(e.consumer);
    ++waits[e.consumer];
  }
  for (std::uint32_t u = 0; u < n; ++u)
    if (waits[u] == 0) order.push_back(u);
  for (std::size_t i = 0; i < order.size(); ++i)
    for (auto const w : followers[order[i]])
      if (--waits[w] == 0) order.push_back(w);
  if (order.size() != n) return std::nullopt;
  return order;
}

} // namespace mars::search::detail
