// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/operator_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mars::scheduling {

/// Which concurrent stages a dynamic program over endings looks at.
enum class enumeration : std::uint8_t {
  legal,     ///< all
  published, ///< as IOS's code: none with a group that begins with more than one operator
};

} // namespace mars::scheduling

namespace mars::detail {

/// The operators of a block, numbered in a topological order.
struct operator_block {
  std::vector<operator_set> before{};       ///< of each: what it reads
  std::vector<operator_set> after{};        ///< what reads it
  std::vector<std::uint32_t> merge_class{}; ///< equal and not 0: they may run merged

  [[nodiscard]] auto size() const -> std::size_t { return before.size(); }
};

/// Of the operators in `members`: those weakly connected with the first one.
template <deferred D = when_called>
[[nodiscard]] auto group_of_first(later<operator_block, D> const& block,
                                  operator_set const& members) -> operator_set {
  operator_set group, fresh;
  members.for_each([&](std::size_t i) {
    if (fresh.empty()) fresh.insert(i);
  });
  while (!fresh.empty()) {
    group = group | fresh;
    operator_set next;
    fresh.for_each([&](std::size_t i) { next = next | block.before[i] | block.after[i]; });
    fresh = (next & members) - group;
  }
  return group;
}

struct ending_limits {
  std::size_t r{0}; ///< most operators of a group; 0: any number
  std::size_t s{0}; ///< most groups; 0: any number
  scheduling::enumeration of{scheduling::enumeration::legal};
};

/// Walks over the endings of a state: its non-empty subsets that nothing of the rest reads from.
///
/// An ending grows by one operator at a time, all of whose readers in the state are in it: that operator
/// is first taken, then left out for good, so each ending is reached once and no visited set is needed.
/// A group too large for r stays so. Too many groups for s may still grow together, where an operator
/// feeds several of them; a branch ends when too many are left that no such operator can join.
template <deferred D = when_called>
class basic_ending_walk {
  template <class T>
  using vector = later<std::vector<T>, D>;

public:
  basic_ending_walk(later<operator_block, D> const& block, ending_limits limits)
      : block_{&block}, limits_{limits}, inner_(block.size()), outer_(block.size()) {
    for (std::size_t i = 0; i < block.size(); ++i) {
      outer_[i] = block.before[i];
      block.before[i].for_each([&](std::size_t p) { outer_[i] = outer_[i] | outer_[p]; });
    }
    for (std::size_t i = block.size(); i-- > 0;) {
      inner_[i] = block.after[i];
      block.after[i].for_each([&](std::size_t c) { inner_[i] = inner_[i] | inner_[c]; });
    }
  }

  /// `visit(ending, groups)` for each; it returns whether to go on. False: it did not want to, or more
  /// than `most` sets had to be looked at.
  template <class Visit>
  auto operator()(operator_set const& state, std::uint64_t& most, Visit&& visit) -> bool {
    state_ = state;
    joiners_ = {};
    operator_set sinks;
    state.for_each([&](std::size_t i) {
      auto const readers = block_->after[i] & state;
      if (readers.empty()) sinks.insert(i);
      if (readers.size() >= 2 && (limits_.r == 0 || (inner_[i] & state).size() < limits_.r))
        joiners_.insert(i);
    });
    groups_.clear();
    frames_.assign(1, {{}, sinks, 0});
    while (!frames_.empty()) {
      auto& top = frames_.back();
      if (top.open.empty()) {
        groups_.resize(top.first_group);
        frames_.pop_back();
        continue;
      }
      auto const i = top.open.last();
      top.open.erase(i);
      if (!grow(i)) continue;
      if (most == 0) return false;
      --most;
      auto const& now = frames_.back();
      std::span<operator_set const> const groups{groups_.data() + now.first_group,
                                                 groups_.size() - now.first_group};
      if (is_accepted(groups) && !visit(now.ending, groups)) return false;
    }
    return true;
  }

private:
  struct frame {
    operator_set ending;
    operator_set open; ///< may be taken next; largest first, so what was left out is larger
    std::size_t first_group;
  };

  /// A frame for the ending of the last one and `i`. False: neither it nor what would grow from it is
  /// within the limits.
  auto grow(std::size_t i) -> bool {
    auto const parent = frames_.back();
    auto ending = parent.ending;
    ending.insert(i);
    auto const end = groups_.size();
    operator_set group;
    group.insert(i);
    for (std::size_t g = parent.first_group; g < end; ++g) {
      auto const other = groups_[g];
      if (other.intersects(block_->after[i]))
        group = group | other;
      else
        groups_.push_back(other);
    }
    groups_.push_back(group);
    if ((limits_.r != 0 && group.size() > limits_.r) || too_many(end, ending, i)) {
      groups_.resize(end);
      return false;
    }
    auto open = parent.open;
    (block_->before[i] & state_).for_each([&](std::size_t p) {
      if ((block_->after[p] & state_).is_subset_of(ending)) open.insert(p);
    });
    frames_.push_back({ending, open, end});
    return true;
  }

  /// More groups than s even if all that can still grow together did.
  [[nodiscard]] auto too_many(std::size_t first, operator_set const& ending, std::size_t i) const
      -> bool {
    if (limits_.s == 0 || groups_.size() - first <= limits_.s) return false;
    auto const rest = (joiners_ - ending) & operator_set::first(i);
    std::size_t settled = 0;
    for (auto g = first; g < groups_.size(); ++g) {
      bool can_join = false;
      groups_[g].for_each(
          [&](std::size_t v) { can_join = can_join || outer_[v].intersects(rest); });
      if (!can_join) ++settled;
    }
    return settled >= limits_.s; // and those that are not make one more
  }

  [[nodiscard]] auto is_accepted(std::span<operator_set const> groups) const -> bool {
    if (limits_.s != 0 && groups.size() > limits_.s) return false;
    if (limits_.of == scheduling::enumeration::legal) return true;
    return std::all_of(groups.begin(), groups.end(), [&](operator_set const& g) {
      std::size_t first_ones = 0;
      g.for_each([&](std::size_t v) { first_ones += block_->before[v].intersects(g) ? 0 : 1; });
      return first_ones == 1;
    });
  }

  later<operator_block, D> const* block_;
  ending_limits limits_;
  vector<operator_set> inner_; ///< of each: all that depends on it
  vector<operator_set> outer_; ///< all it depends on
  operator_set state_, joiners_;
  vector<operator_set> groups_; ///< of all frames
  vector<frame> frames_;
};

/// All states of a block, ∅ left out, smaller ones first: the sets that read from nothing outside.
/// Nothing if there are more than `most`.
template <deferred D = when_called>
[[nodiscard]] auto states_of(later<operator_block, D> const& block, std::uint64_t most)
    -> later<std::vector<operator_set>, D> {
  struct frame {
    operator_set state, open;
  };
  later<std::vector<operator_set>, D> all;
  std::vector<frame> frames(1);
  for (std::size_t i = 0; i < block.size(); ++i)
    if (block.before[i].empty()) frames[0].open.insert(i);
  // As endings, from the other side: each open operator is taken, then left out for good.
  while (!frames.empty()) {
    auto& top = frames.back();
    if (top.open.empty()) {
      frames.pop_back();
      continue;
    }
    auto const i = top.open.last();
    top.open.erase(i);
    auto next = top;
    next.state.insert(i);
    if (all.size() == most) return {};
    all.push_back(next.state);
    block.after[i].for_each([&](std::size_t c) {
      if (block.before[c].is_subset_of(next.state)) next.open.insert(c);
    });
    frames.push_back(next);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](auto const& a, auto const& b) { return a.size() < b.size(); });
  return all;
}

} // namespace mars::detail
