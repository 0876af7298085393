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

/// Choices that run an operator whole on one accelerator.
template <deferred D = when_called>
class basic_single_choices {
public:
  explicit basic_single_choices(later<schedule_problem, D> const& p) : problem_{&p} {
    where_.resize(p.size());
    choice_.resize(p.size());
    // An accelerator has one design: the one with which it would run everything soonest.
    std::vector<std::vector<std::pair<std::uint16_t, double>>> sums(p.accelerators());
    auto const each = [&](std::size_t v, auto const& f) {
      auto const all = p.choices(v);
      for (std::uint32_t c = 0; c < all.size(); ++c) {
        auto const members = p.members(all[c].set);
        if (members.size() == 1) f(c, all[c], members[0].index());
      }
    };
    for (std::size_t v = 0; v < p.size(); ++v)
      each(v, [&](std::uint32_t, later<schedule_choice, D> const& c, std::size_t a) {
        auto const design = p.design_number(c);
        auto at = std::find_if(sums[a].begin(), sums[a].end(),
                               [&](auto const& x) { return x.first == design; });
        if (at == sums[a].end()) at = sums[a].insert(at, {design, 0.0});
        at->second += static_cast<double>(c.most);
      });
    for (std::size_t v = 0; v < p.size(); ++v) {
      each(v,
           [&](std::uint32_t number, later<schedule_choice, D> const& c, std::size_t accelerator) {
             auto const chosen =
                 std::min_element(sums[accelerator].begin(), sums[accelerator].end(),
                                  [](auto const& x, auto const& y) { return x.second < y.second; });
             if (c.most >= no_ticks || chosen->first != p.design_number(c)) return;
             auto const a = static_cast<std::uint32_t>(accelerator);
             auto const known = std::find(where_[v].begin(), where_[v].end(), a);
             auto const at = static_cast<std::size_t>(known - where_[v].begin());
             if (known == where_[v].end()) {
               where_[v].push_back(a);
               choice_[v].push_back(number);
             } else if (c.most < p.choices(v)[choice_[v][at]].most) {
               choice_[v][at] = number;
             }
           });
      // By accelerator.
      std::vector<std::pair<std::uint32_t, std::uint32_t>> both;
      for (std::size_t i = 0; i < where_[v].size(); ++i)
        both.emplace_back(where_[v][i], choice_[v][i]);
      std::sort(both.begin(), both.end());
      for (std::size_t i = 0; i < both.size(); ++i) {
        where_[v][i] = both[i].first;
        choice_[v][i] = both[i].second;
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
