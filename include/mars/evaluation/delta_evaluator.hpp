// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mars {

/// An assignment that is changed move by move, and its value after every move: equal to
/// `mapping_problem::evaluate` to the bit.
///
/// A move touches its operator and the tensors it reads and writes. Where even the largest choices
/// together fit, memory is not looked at. Elsewhere it is kept as an upper bound of every slot's peak,
/// raised by what a move may add; only when a bound passes the capacity is the peak computed anew, in
/// O(V + E), so while memory is plentiful moves hardly pay for it.
///
/// operation                    | cost
/// -----------------------------|---------------------------------------------------------------
/// `try_choice(v, c)`           | O(degree): the sum of values (aggregate::sum) if v chose c
/// `set_choice(v, c)`           | O(degree + designs of the slot)
/// `place(v, slot, c)`          | the same: another slot
/// `hand_over(i, j, slot, f)`   | `place` of every operator from position i to j (a moved cut)
/// `set_design(slot, d)`        | O(1); O(V) where spending is limited
/// `merge(a, b, into, f)`       | O(V + E): two slots become one
/// `split(a, l, r, which, f)`   | O(V + E): one slot becomes two
/// `value()`                    | O(slots); O(V + E) where memory is about to be short
///
/// `f(v)` says which choice an operator takes on its new slot. No move allocates: every tensor keeps the
/// tables, row and column it is at. The problem must outlive the evaluator. Not for several threads.
template <deferred D = when_called>
class basic_delta_evaluator {
public:
  basic_delta_evaluator(later<mapping_problem, D> const& problem, assignment start)
      : p_{&problem},
        a_{std::move(start)},
        rows_(p_->size()),
        wires_(p_->edges().size()),
        may_overflow_{!p_->always_fits()} {
    for (std::uint32_t s = 0; s < p_->sets().size(); ++s)
      designs_ = std::max(designs_, p_->designs(s).size());
    auto const most_slots = std::max(p_->accelerators(), a_.slots.size());
    a_.slots.reserve(most_slots);
    moved_.reserve(most_slots);
    peak_.reserve(most_slots);
    memory_.resident.reserve(most_slots);
    memory_.live.reserve(most_slots);
    nodes_.reserve(most_slots * designs_);
    recount();
  }

  /// Starts again from another assignment, without allocating. O(V + E).
  void reset(later<assignment, D> const& a) {
    a_ = a;
    recount();
  }

  [[nodiscard]] auto current() const -> assignment const& { return a_; }
  [[nodiscard]] auto problem() const -> mapping_problem const& { return *p_; }

  /// As `mapping_problem::evaluate(current())`.
  [[nodiscard]] auto value() -> assignment_value {
    assignment_value result{0, may_overflow_ ? overflow() : 0,
                            std::max<ticks>(0, spent_.value() - p_->spending_limit())};
    if (p_->how() == aggregate::sum) {
      result.value = total_.value();
    } else {
      for (std::size_t s = 0; s < a_.slots.size(); ++s) {
        auto load_of_slot = moved_[s];
        load_of_slot += node_sum(s);
        result.value = std::max(result.value, load_of_slot.value());
      }
    }
    return result;
  }

  /// The sum over operators and tensors, memory aside.
  [[nodiscard]] auto sum() const -> ticks { return total_.value(); }
  /// What `sum()` would be if `v` chose `choice` where it is; nothing changes.
  [[nodiscard]] auto try_choice(std::size_t v, std::size_t choice) const -> ticks {
    auto total = total_;
    auto const& node = rows_[v]->node[a_.slots[a_.slot_of[v]].design];
    total += load::of(node[choice]);
    total -= load::of(node[a_.choice_of[v]]);
    for (auto const i : p_->in_edges(v)) {
      auto const& w = wires_[i];
      total += load::of(w.time[w.row + w.need[choice]]);
      total -= load::of(w.time[w.row + w.column]);
    }
    for (auto const i : p_->out_edges(v)) {
      auto const& w = wires_[i];
      total += load::of(w.time[w.own[choice] * w.columns + w.column]);
      total -= load::of(w.time[w.row + w.column]);
    }
    return total.value();
  }

  /// Another choice where it is.
  void set_choice(std::size_t v, std::size_t choice) {
    auto const s = a_.slot_of[v];
    auto const& row = *rows_[v];
    assert(choice < row.shardings.size());
    auto const old = a_.choice_of[v];
    a_.choice_of[v] = static_cast<std::uint16_t>(choice);
    load change;
    for (std::size_t d = 0; d < row.node.size(); ++d) {
      auto difference = load::of(row.node[d][choice]);
      difference -= load::of(row.node[d][old]);
      nodes_[s * designs_ + d] += difference;
      if (d == a_.slots[s].design) change = difference;
    }
    load arriving;
    std::int64_t demand = 0;
    for (auto const i : p_->in_edges(v)) {
      auto& w = wires_[i];
      arriving -= load::of(w.time[w.row + w.column]);
      w.column = w.need[choice];
      arriving += load::of(w.time[w.row + w.column]);
      if (may_overflow_) demand += w.missing[w.row + w.column];
    }
    moved_[s] += arriving;
    change += arriving;
    for (auto const i : p_->out_edges(v)) {
      auto& w = wires_[i];
      load leaving;
      leaving -= load::of(w.time[w.row + w.column]);
      w.row = w.own[choice] * w.columns;
      leaving += load::of(w.time[w.row + w.column]);
      auto const reader = a_.slot_of[w.consumer];
      moved_[reader] += leaving;
      change += leaving;
      if (may_overflow_) peak_[reader] += w.missing[w.row + w.column];
    }
    total_ += change;
    if (may_overflow_)
      // What it may add to any moment, and its own moment in case that is now the largest.
      peak_[s] += row.resident[choice] - row.resident[old] +
                  std::max<std::int64_t>(0, row.kept[choice] - row.kept[old]) +
                  std::max<std::int64_t>(0, row.transient[choice] + demand);
    if (p_->limits_spending()) {
      auto const design = a_.slots[s].design;
      spent_ += load::of(row.spent[design][choice]);
      spent_ -= load::of(row.spent[design][old]);
    }
  }

  /// Puts `v` into slot number `s` of the assignment with a choice of that slot's set.
  void place(std::size_t v, std::size_t s, std::size_t choice) {
    assert(s < a_.slots.size() && choice < p_->shardings(v, a_.slots[s].set).size());
    auto const old_slot = a_.slot_of[v];
    if (s == old_slot) return set_choice(v, choice);
    account(v, -1);
    if (may_overflow_) peak_[old_slot] -= rows_[v]->resident[a_.choice_of[v]];
    a_.slot_of[v] = static_cast<std::uint16_t>(s);
    a_.choice_of[v] = static_cast<std::uint16_t>(choice);
    rows_[v] = &p_->row(v, a_.slots[s].set);
    for (auto const i : p_->in_edges(v)) connect(i);
    for (auto const i : p_->out_edges(v)) connect(i);
    account(v, 1);
    if (!may_overflow_) return;
    auto const& row = *rows_[v];
    auto demand = row.transient[choice];
    for (auto const i : p_->in_edges(v)) demand += wires_[i].now_missing();
    // The most that is kept: what its last operator before v left behind was in no demand yet.
    peak_[s] += row.resident[choice] + row.kept[choice] + p_->most_kept(a_.slots[s].set) +
                std::max<std::int64_t>(0, demand);
    for (auto const i : p_->out_edges(v))
      peak_[a_.slot_of[wires_[i].consumer]] += wires_[i].now_missing();
  }

  /// Places the operators at positions [first, last) in slot number `s`: a cut of the order moves.
  template <class Choose>
  void hand_over(std::size_t first, std::size_t last, std::size_t s, Choose&& choose) {
    for (auto v = first; v < last; ++v) place(v, s, choose(v));
  }

  /// Configures slot number `s` with another of its designs.
  void set_design(std::size_t s, std::uint32_t design) {
    assert(design < p_->designs(a_.slots[s].set).size());
    total_ -= node_sum(s);
    a_.slots[s].design = design;
    total_ += node_sum(s);
    if (p_->limits_spending()) recount_spending();
  }

  /// Slots number `a` and `b` become one, `into`, which must be disjoint from all others. It gets the
  /// smaller number; the last slot gets the larger.
  template <class Choose>
  void merge(std::size_t a, std::size_t b, slot into, Choose&& choose) {
    assert(a != b && a < a_.slots.size() && b < a_.slots.size());
    if (b < a) std::swap(a, b);
    a_.slots[a] = into;
    auto const last = a_.slots.size() - 1;
    for (std::size_t v = 0; v < p_->size(); ++v) {
      auto& s = a_.slot_of[v];
      if (s == a || s == b) {
        s = static_cast<std::uint16_t>(a);
        a_.choice_of[v] = static_cast<std::uint16_t>(choose(v));
      } else if (s == last) {
        s = static_cast<std::uint16_t>(b);
      }
    }
    a_.slots[b] = a_.slots[last];
    a_.slots.pop_back();
    recount();
  }

  /// Slot number `a` becomes two: `left` keeps its number, `right` becomes the last; both must be
  /// disjoint from each other and from all others. `goes_right(v)` says where an operator goes.
  template <class GoesRight, class Choose>
  void split(std::size_t a, slot left, slot right, GoesRight&& goes_right, Choose&& choose) {
    assert(a < a_.slots.size() && p_->disjoint(left.set, right.set));
    a_.slots[a] = left;
    a_.slots.push_back(right);
    for (std::size_t v = 0; v < p_->size(); ++v) {
      if (a_.slot_of[v] != a) continue;
      if (goes_right(v)) a_.slot_of[v] = static_cast<std::uint16_t>(a_.slots.size() - 1);
      a_.choice_of[v] = static_cast<std::uint16_t>(choose(v));
    }
    recount();
  }

private:
  /// A sum that can be taken back: what is finite, and how many are not.
  struct load {
    ticks finite{};
    std::int64_t never{};

    [[nodiscard]] static auto of(ticks t) -> load {
      return t >= no_ticks ? load{0, 1} : load{t, 0};
    }
    [[nodiscard]] auto value() const -> ticks {
      return never > 0 || finite >= no_ticks ? no_ticks : finite;
    }
    void operator+=(load const& l) { finite += l.finite, never += l.never; }
    void operator-=(load const& l) { finite -= l.finite, never -= l.never; }
  };

  /// An edge between two slots: its tables, and where in them it is.
  struct wire {
    ticks const* time{};
    std::int64_t const* missing{};
    std::uint16_t const* own{};  ///< row of the tables, by choice of the producer
    std::uint16_t const* need{}; ///< column, by choice of the consumer
    std::size_t columns{};
    std::size_t row{}; ///< its first entry
    std::size_t column{};
    std::uint32_t consumer{}; ///< position

    [[nodiscard]] auto now() const -> ticks { return time[row + column]; }
    [[nodiscard]] auto now_missing() const -> std::int64_t { return missing[row + column]; }
  };
  void connect(std::size_t i) {
    auto const& e = p_->edges()[i];
    auto const from = a_.slots[a_.slot_of[e.producer]].set;
    auto const to = a_.slots[a_.slot_of[e.consumer]].set;
    auto const& table = p_->table(e, from, to);
    auto& w = wires_[i];
    w.time = table.time.data();
    w.missing = table.missing.data();
    w.own = rows_[e.producer]->own[e.output].data();
    w.need = rows_[e.consumer]->need[e.operand].data();
    w.columns = table.columns;
    w.row = w.own[a_.choice_of[e.producer]] * w.columns;
    w.column = w.need[a_.choice_of[e.consumer]];
    w.consumer = e.consumer;
  }

  [[nodiscard]] auto capacity(std::size_t s) const -> std::int64_t {
    return p_->sets()[a_.slots[s].set].capacity;
  }
  [[nodiscard]] auto overflow() -> std::int64_t {
    for (std::size_t s = 0; s < peak_.size(); ++s)
      if (peak_[s] > capacity(s)) {
        measure();
        break;
      }
    std::int64_t over = 0;
    for (std::size_t s = 0; s < peak_.size(); ++s)
      over += std::max<std::int64_t>(0, peak_[s] - capacity(s));
    return over;
  }

  /// Of the operators in a slot, as it is configured.
  [[nodiscard]] auto node_sum(std::size_t s) const -> load const& {
    return nodes_[s * designs_ + a_.slots[s].design];
  }

  /// Adds (1) or takes away (−1) what depends on `v`: edges count for the slot of their consumer.
  void account(std::size_t v, int sign) {
    auto const add = [&](load& to, load const& l) {
      if (sign > 0)
        to += l;
      else
        to -= l;
    };
    auto const s = a_.slot_of[v];
    auto const choice = a_.choice_of[v];
    auto const& row = *rows_[v];
    for (std::size_t d = 0; d < row.node.size(); ++d)
      add(nodes_[s * designs_ + d], load::of(row.node[d][choice]));
    auto around = load::of(row.node[a_.slots[s].design][choice]);
    load arriving;
    for (auto const i : p_->in_edges(v)) arriving += load::of(wires_[i].now());
    add(moved_[s], arriving);
    around += arriving;
    for (auto const i : p_->out_edges(v)) {
      auto const leaving = load::of(wires_[i].now());
      add(moved_[a_.slot_of[wires_[i].consumer]], leaving);
      around += leaving;
    }
    add(total_, around);
    if (p_->limits_spending()) add(spent_, load::of(p_->spent(v, a_.slots[s], choice)));
  }

  /// Everything anew: O(V·designs + E).
  void recount() {
    moved_.assign(a_.slots.size(), load{});
    nodes_.assign(a_.slots.size() * designs_, load{});
    for (std::size_t v = 0; v < p_->size(); ++v) {
      auto const s = a_.slot_of[v];
      rows_[v] = &p_->row(v, a_.slots[s].set);
      for (std::size_t d = 0; d < rows_[v]->node.size(); ++d)
        nodes_[s * designs_ + d] += load::of(rows_[v]->node[d][a_.choice_of[v]]);
    }
    for (std::size_t i = 0; i < wires_.size(); ++i) {
      connect(i);
      moved_[a_.slot_of[wires_[i].consumer]] += load::of(wires_[i].now());
    }
    total_ = {};
    for (std::size_t s = 0; s < a_.slots.size(); ++s) {
      total_ += moved_[s];
      total_ += node_sum(s);
    }
    recount_spending();
    if (may_overflow_) measure();
  }
  void recount_spending() {
    spent_ = {};
    for (std::size_t v = 0; p_->limits_spending() && v < p_->size(); ++v)
      spent_ += load::of(p_->spent(v, a_.slots[a_.slot_of[v]], a_.choice_of[v]));
  }
  void measure() { p_->peak_bytes(a_, memory_, peak_); }

  later<mapping_problem, D> const* p_;
  assignment a_;
  later<std::vector<choice_row const*>, D> rows_; ///< by position
  std::vector<wire> wires_;                       ///< by edge
  std::size_t designs_{1};                        ///< of the set that has most
  load total_;                                    ///< of all slots, as they are configured
  load spent_;                                    ///< of all operators
  std::vector<load> nodes_;                       ///< of the operators, by slot and design
  std::vector<load> moved_;                       ///< of the tensors that arrive, by slot
  later<std::vector<std::int64_t>, D> peak_;      ///< by slot, bytes: never below the true one
  bool may_overflow_;                             ///< else `peak_` is not kept
  mapping_problem::memory_space memory_;
};
using delta_evaluator = basic_delta_evaluator<>;

} // namespace mars
