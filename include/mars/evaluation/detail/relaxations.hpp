// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace mars::detail {

/// A problem with some of its conditions dropped, solved: the arguments behind `static_bounds`.
///
/// Operators of a class are alike, so most of it is counted by class. Sums in double are lowered by a
/// relative 1e-9, far beyond their error: a bound may be low, never high.
template <deferred D = when_called>
class basic_relaxations {
public:
  explicit basic_relaxations(later<mapping_problem, D> const& problem) : p_{&problem} {
    for (std::uint32_t v = 0; v < p_->size(); ++v) {
      auto const k = p_->op_class(v);
      if (k >= classes_.size()) classes_.resize(k + 1);
      if (classes_[k].count++ == 0) classes_[k].position = v;
    }
    // Sets of a class differ in capacity at most: the largest stands for all.
    for (std::uint32_t s = 0; s < p_->sets().size(); ++s) {
      auto const& set = p_->sets()[s];
      if (set.set_class >= largest_.size()) largest_.resize(set.set_class + 1, none);
      auto& of_class = largest_[set.set_class];
      if (of_class == none || set.capacity > p_->sets()[of_class].capacity) of_class = s;
    }
    for (auto& k : classes_) {
      k.least_on.assign(largest_.size(), no_ticks);
      for_each_choice(
          k, [&](std::uint32_t set, choice_row const& row, std::size_t d, std::size_t c) {
            auto const value = row.node[d][c];
            auto const members = members_of(set);
            auto& here = k.least_on[p_->sets()[set].set_class];
            here = std::min(here, value);
            k.least = std::min(k.least, value);
            k.least_shared = std::min(k.least_shared, static_cast<double>(value) * members);
            k.computation = std::min(k.computation, row.compute[d][c]);
            k.computation_shared =
                std::min(k.computation_shared, static_cast<double>(row.compute[d][c]) * members);
            computation_counts_ = computation_counts_ && value >= row.compute[d][c];
          });
    }
  }

  [[nodiscard]] auto sum_of_least() const -> ticks {
    return total([](op_class const& k) { return k.least; });
  }
  [[nodiscard]] auto sum_of_computation() const -> later<std::optional<ticks>, D> {
    if (!computation_counts_) return std::nullopt;
    return total([](op_class const& k) { return k.computation; });
  }
  [[nodiscard]] auto shared_out() const -> ticks {
    return shared([](op_class const& k) { return k.least_shared; });
  }
  [[nodiscard]] auto shared_out_computation() const -> later<std::optional<ticks>, D> {
    if (!computation_counts_) return std::nullopt;
    return shared([](op_class const& k) { return k.computation_shared; });
  }
  [[nodiscard]] auto dearest() const -> ticks {
    ticks most = 0;
    for (auto const& k : classes_)
      if (k.count > 0) most = std::max(most, k.least);
    return most;
  }
  [[nodiscard]] auto longest_path() const -> ticks {
    later<std::vector<ticks>, D> until(p_->size());
    ticks longest = 0;
    for (std::size_t v = 0; v < p_->size(); ++v) {
      for (auto const e : p_->in_edges(v))
        until[v] = std::max(until[v], until[p_->edges()[e].producer]);
      until[v] = mapping_problem::add(until[v], classes_[p_->op_class(v)].least);
      longest = std::max(longest, until[v]);
    }
    return longest;
  }

  [[nodiscard]] auto cut_work() const -> double {
    auto const sets = static_cast<double>(p_->sets().size());
    return sets * sets * static_cast<double>(p_->edges().size());
  }
  /// Every operator on its cheapest set, and one tensor of each crossing to there.
  [[nodiscard]] auto cheapest_forest() const -> ticks {
    auto const sets = p_->sets().size();
    later<std::map<std::pair<std::uint32_t, std::size_t>, ticks>, D> known; // edge class, table
    auto const least_of = [&](problem_edge const& e, std::uint32_t a, std::uint32_t b) {
      if (a != b && !p_->disjoint(a, b)) return no_ticks;
      auto const [at, fresh] = known.try_emplace({e.edge_class, p_->pair_class(a, b)}, no_ticks);
      if (fresh)
        for (auto const t : p_->table(e, a, b).time) at->second = std::min(at->second, t);
      return at->second;
    };
    // below[v][s]: least of v on s with all that hangs from it. Each operator hangs from one that it
    // reads, so a later one is complete before the earlier one is looked at.
    later<std::vector<ticks>, D> below(p_->size() * sets);
    ticks sum = 0;
    later<std::map<std::uint32_t, std::vector<ticks>>, D> crossing; // by edge class
    for (auto v = p_->size(); v-- > 0;) {
      auto* const mine = &below[v * sets];
      auto const& k = classes_[p_->op_class(v)];
      for (std::size_t s = 0; s < sets; ++s)
        mine[s] = mapping_problem::add(mine[s], k.least_on[p_->sets()[s].set_class]);
      auto const in = p_->in_edges(v);
      if (in.empty()) {
        sum = mapping_problem::add(sum, *std::min_element(mine, mine + sets));
        continue;
      }
      auto const& e = p_->edges()[in.front()];
      auto& across = crossing[e.edge_class];
      if (across.empty())
        for (std::uint32_t a = 0; a < sets; ++a)
          for (std::uint32_t b = 0; b < sets; ++b) across.push_back(least_of(e, a, b));
      auto* const from = &below[e.producer * sets];
      for (std::size_t a = 0; a < sets; ++a) {
        auto least = no_ticks;
        for (std::size_t b = 0; b < sets; ++b)
          least = std::min(least, mapping_problem::add(across[a * sets + b], mine[b]));
        from[a] = mapping_problem::add(from[a], least);
      }
    }
    return sum;
  }

  /// Resident bytes of all members, within the bytes of all accelerators.
  [[nodiscard]] auto within_memory() const -> ticks {
    later<std::vector<std::int64_t>, D> most(p_->accelerators());
    for (auto const& set : p_->sets())
      for (auto const a : set.accelerators)
        most[a.index()] = std::max(most[a.index()], set.capacity);
    double capacity = 0;
    for (auto const c : most) capacity += static_cast<double>(c);
    return lagrangian(capacity,
                      [&](std::uint32_t set, choice_row const& row, std::size_t, std::size_t c) {
                        return static_cast<double>(row.resident[c]) * members_of(set);
                      });
  }
  [[nodiscard]] auto within_spending() const -> ticks {
    return lagrangian(static_cast<double>(p_->spending_limit()),
                      [](std::uint32_t, choice_row const& row, std::size_t d, std::size_t c) {
                        return static_cast<double>(row.spent[d][c]);
                      });
  }

private:
  static constexpr auto none = std::numeric_limits<std::uint32_t>::max();
  static constexpr double lowered = 1 - 1e-9;

  /// Operators that are alike.
  struct op_class {
    std::uint32_t position{}; ///< of one of them
    std::uint32_t count{};
    later<std::vector<ticks>, D> least_on; ///< by class of sets
    ticks least{no_ticks};
    ticks computation{no_ticks};
    double least_shared{static_cast<double>(no_ticks)}; ///< times the members of the set
    double computation_shared{static_cast<double>(no_ticks)};
  };

  [[nodiscard]] auto members_of(std::uint32_t set) const -> double {
    return static_cast<double>(p_->sets()[set].accelerators.size());
  }

  /// `f(set, row, design, choice)` for all that one operator of a class can do by itself.
  template <class F>
  void for_each_choice(op_class const& k, F&& f) const {
    if (k.count == 0) return;
    for (auto const set : largest_) {
      if (set == none) continue;
      auto const& row = p_->row(k.position, set);
      for (std::size_t d = 0; d < row.node.size(); ++d)
        for (std::size_t c = 0; c < row.node[d].size(); ++c)
          if (row.node[d][c] < no_ticks &&
              row.resident[c] + row.transient[c] <= p_->sets()[set].capacity)
            f(set, row, d, c);
    }
  }
  template <class Of>
  [[nodiscard]] auto total(Of of) const -> ticks {
    ticks sum = 0;
    for (auto const& k : classes_) {
      if (k.count == 0) continue;
      auto const one = of(k);
      if (one >= no_ticks || one > (no_ticks - 1 - sum) / k.count) return no_ticks;
      sum += one * k.count;
    }
    return sum;
  }
  template <class Of>
  [[nodiscard]] auto shared(Of of) const -> ticks {
    double sum = 0;
    for (auto const& k : classes_) {
      if (k.count > 0 && of(k) >= static_cast<double>(no_ticks)) return no_ticks;
      sum += of(k) * k.count;
    }
    return rounded_down(sum / static_cast<double>(std::max<std::size_t>(1, p_->accelerators())));
  }
  [[nodiscard]] static auto rounded_down(double value) -> ticks {
    value *= lowered;
    return value < static_cast<double>(no_ticks) ? static_cast<ticks>(std::max(0.0, value))
                                                 : no_ticks;
  }

  /// max over prices λ ≥ 0 of Σ min (value + λ·amount) − λ·limit: never above the least sum of values
  /// whose amounts stay within the limit. Concave in λ: its slope is bracketed, then halved.
  template <class Amount>
  [[nodiscard]] auto lagrangian(double limit, Amount amount) const -> ticks {
    struct point {
      double value{};
      double slope{}; ///< amount of the minimiser − limit
    };
    auto const at = [&](double price) {
      point sum{-price * limit, -limit};
      for (auto const& k : classes_) {
        if (k.count == 0) continue;
        auto least = std::numeric_limits<double>::infinity();
        double taken = 0;
        for_each_choice(
            k, [&](std::uint32_t set, choice_row const& row, std::size_t d, std::size_t c) {
              auto const n = amount(set, row, d, c);
              auto const value = static_cast<double>(row.node[d][c]) + price * n;
              if (value < least || (value == least && n < taken)) least = value, taken = n;
            });
        sum.value += least * k.count;
        sum.slope += taken * k.count;
      }
      return sum;
    };
    auto best = sum_of_least();
    if (best >= no_ticks) return no_ticks;
    if (at(0).slope <= 0) return best;
    double fewest = 0;
    for (auto const& k : classes_) {
      auto least = std::numeric_limits<double>::infinity();
      for_each_choice(k, [&](std::uint32_t set, choice_row const& row, std::size_t d,
                             std::size_t c) { least = std::min(least, amount(set, row, d, c)); });
      if (k.count > 0) fewest += least * k.count;
    }
    if (fewest * lowered > limit) return no_ticks;
    // The error of a sum with large prices is relative to its largest term, the priced limit.
    auto const keep = [&](double price, point const& x) {
      auto const safe = x.value - 1e-9 * (price * limit + static_cast<double>(best));
      best = std::max(best, rounded_down(safe));
    };
    double low = 0;
    double high = std::max(1e-12, static_cast<double>(best) / std::max(1.0, limit));
    for (int k = 0; k < 60; ++k, high *= 2) {
      auto const x = at(high);
      keep(high, x);
      if (x.slope <= 0) break;
      low = high;
    }
    for (int k = 0; k < 40; ++k) {
      auto const middle = (low + high) / 2;
      auto const x = at(middle);
      keep(middle, x);
      (x.slope > 0 ? low : high) = middle;
    }
    return best;
  }

  later<mapping_problem, D> const* p_;
  std::vector<op_class> classes_;
  later<std::vector<std::uint32_t>, D> largest_; ///< by class of sets: the set of largest capacity
  bool computation_counts_{true};
};
using relaxations = basic_relaxations<>;

} // namespace mars::detail
