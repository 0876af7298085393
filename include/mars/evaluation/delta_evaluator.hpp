// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

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
/// A move touches its operator and the tensors it reads and writes. Memory is kept as an upper bound
/// of every slot's peak, raised by what a move may add; only when a bound passes the capacity is the
/// peak computed anew, in O(V + E), so while memory is plentiful moves never pay for it.
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
/// `f(v)` says which choice an operator takes on its new slot. No move allocates. The problem must outlive the evaluator. Not for several threads.
class delta_evaluator {
public:
  delta_evaluator(mapping_problem const& problem, assignment start)
      : p_{&problem}, a_{std::move(start)} {
    for (std::uint32_t s = 0; s < p_->sets().size(); ++s) {
      auto const k = p_->sets()[s].set_class;
      if (k < most_kept_.size()) continue;
      designs_ = std::max(designs_, p_->designs(s).size());
      auto& most = most_kept_.emplace_back();
      std::vector<bool> seen;
      for (std::size_t v = 0; v < p_->size(); ++v) {
        auto const c = p_->op_class(v);
        if (c >= seen.size()) seen.resize(c + 1);
        if (seen[c]) continue;
        seen[c] = true;
        for (auto const kept : p_->row(v, s).kept) most = std::max(most, kept);
      }
    }
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
  void reset(assignment const& a) {
    a_ = a;
    recount();
  }

  [[nodiscard]] auto current() const -> assignment const& { return a_; }
  [[nodiscard]] auto problem() const -> mapping_problem const& { return *p_; }

  /// As `mapping_problem::evaluate(current())`.
  [[nodiscard]] auto value() -> assignment_value {
    for (std::size_t s = 0; s < peak_.size(); ++s)
      if (peak_[s] > capacity(s)) {
        measure();
        break;
      }
    assignment_value result{0, 0, std::max<ticks>(0, spent_.value() - p_->spending_limit())};
    for (std::size_t s = 0; s < peak_.size(); ++s)
      result.overflow_bytes += std::max<std::int64_t>(0, peak_[s] - capacity(s));
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
    auto const before = around(v, a_.slot_of[v], a_.choice_of[v]);
    auto const after = around(v, a_.slot_of[v], choice);
    total.finite += after.finite - before.finite;
    total.never += after.never - before.never;
    return total.value();
  }

  void set_choice(std::size_t v, std::size_t choice) { place(v, a_.slot_of[v], choice); }

  /// Puts `v` into slot number `s` of the assignment with a choice of that slot's set.
  void place(std::size_t v, std::size_t s, std::size_t choice) {
    assert(s < a_.slots.size() && choice < p_->shardings(v, a_.slots[s].set).size());
    auto const old_slot = a_.slot_of[v];
    auto const old_row = row_at(v);
    auto const old_choice = a_.choice_of[v];
    account(v, -1);
    a_.slot_of[v] = static_cast<std::uint16_t>(s);
    a_.choice_of[v] = static_cast<std::uint16_t>(choice);
    account(v, 1);
    // What the move may add to any moment of a slot's memory.
    auto const& row = *row_at(v);
    auto const kept = row.kept[choice] - (s == old_slot ? old_row->kept[old_choice] : 0);
    auto const resident =
        row.resident[choice] - (s == old_slot ? old_row->resident[old_choice] : 0);
    peak_[s] += resident + std::max<std::int64_t>(0, kept);
    if (s != old_slot) {
      peak_[old_slot] -= old_row->resident[old_choice];
      peak_[s] += most_kept_
          [p_->sets()[a_.slots[s].set]
               .set_class]; // what its last operator before v left behind was in no demand yet
    }
    raise_to_demand(v, s, row.transient[choice]);
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

  [[nodiscard]] auto capacity(std::size_t s) const -> std::int64_t {
    return p_->sets()[a_.slots[s].set].capacity;
  }
  [[nodiscard]] auto row_at(std::size_t v) const -> choice_row const* {
    return &p_->row(v, a_.slots[a_.slot_of[v]].set);
  }

  /// Value of `v` and of all its edges, if it were in slot `s` with `choice`.
  [[nodiscard]] auto around(std::size_t v, std::size_t s, std::size_t choice) const -> load {
    auto const here = a_.slots[s];
    auto total = load::of(p_->node_value(v, here, choice));
    for (auto const i : p_->in_edges(v)) {
      auto const& e = p_->edges()[i];
      total += load::of(p_->edge_value(e, a_.slots[a_.slot_of[e.producer]].set,
                                       a_.choice_of[e.producer], here.set, choice));
    }
    for (auto const i : p_->out_edges(v)) {
      auto const& e = p_->edges()[i];
      total += load::of(p_->edge_value(e, here.set, choice, a_.slots[a_.slot_of[e.consumer]].set,
                                       a_.choice_of[e.consumer]));
    }
    return total;
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
    auto const design = a_.slots[s].design;
    auto const& node = p_->row(v, a_.slots[s].set).node;
    for (std::size_t d = 0; d < node.size(); ++d)
      add(nodes_[s * designs_ + d], load::of(node[d][choice]));
    load around_v = load::of(node[design][choice]);
    load arriving;
    for (auto const i : p_->in_edges(v)) arriving += load::of(edge(p_->edges()[i]));
    add(moved_[s], arriving);
    around_v += arriving;
    for (auto const i : p_->out_edges(v)) {
      auto const& e = p_->edges()[i];
      auto const leaving = load::of(edge(e));
      add(moved_[a_.slot_of[e.consumer]], leaving);
      around_v += leaving;
    }
    add(total_, around_v);
    if (p_->limits_spending()) add(spent_, load::of(p_->spent(v, a_.slots[s], choice)));
  }
  [[nodiscard]] auto edge(problem_edge const& e) const -> ticks {
    return p_->edge_value(e, a_.slots[a_.slot_of[e.producer]].set, a_.choice_of[e.producer],
                          a_.slots[a_.slot_of[e.consumer]].set, a_.choice_of[e.consumer]);
  }
  [[nodiscard]] auto missing(problem_edge const& e) const -> std::int64_t {
    auto const from = a_.slots[a_.slot_of[e.producer]].set;
    auto const to = a_.slots[a_.slot_of[e.consumer]].set;
    return p_->table(e, from, to)
        .missing[p_->edge_index(e, from, a_.choice_of[e.producer], to, a_.choice_of[e.consumer])];
  }

  /// The demand of `v`, and of what reads it, may now be the largest: added whole, so the bound may be
  /// high, never low.
  void raise_to_demand(std::size_t v, std::size_t s, std::int64_t transient) {
    auto demand = transient;
    for (auto const i : p_->in_edges(v)) demand += missing(p_->edges()[i]);
    peak_[s] += std::max<std::int64_t>(0, demand);
    for (auto const i : p_->out_edges(v)) {
      auto const& e = p_->edges()[i];
      peak_[a_.slot_of[e.consumer]] += missing(e);
    }
  }

  /// Everything anew: O(V·designs + E).
  void recount() {
    moved_.assign(a_.slots.size(), load{});
    nodes_.assign(a_.slots.size() * designs_, load{});
    total_ = {};
    for (std::size_t v = 0; v < p_->size(); ++v) {
      auto const s = a_.slot_of[v];
      auto const& node = p_->row(v, a_.slots[s].set).node;
      for (std::size_t d = 0; d < node.size(); ++d)
        nodes_[s * designs_ + d] += load::of(node[d][a_.choice_of[v]]);
      for (auto const i : p_->in_edges(v)) moved_[s] += load::of(edge(p_->edges()[i]));
    }
    for (std::size_t s = 0; s < a_.slots.size(); ++s) {
      total_ += moved_[s];
      total_ += node_sum(s);
    }
    recount_spending();
    measure();
  }
  void recount_spending() {
    spent_ = {};
    for (std::size_t v = 0; p_->limits_spending() && v < p_->size(); ++v)
      spent_ += load::of(p_->spent(v, a_.slots[a_.slot_of[v]], a_.choice_of[v]));
  }
  void measure() { p_->peak_bytes(a_, memory_, peak_); }

  mapping_problem const* p_;
  assignment a_;
  std::size_t designs_{1};              ///< of the set that has most
  load total_;                          ///< of all slots, as they are configured
  load spent_;                          ///< of all operators
  std::vector<load> nodes_;             ///< of the operators, by slot and design
  std::vector<load> moved_;             ///< of the tensors that arrive, by slot
  std::vector<std::int64_t> peak_;      ///< by slot, bytes: never below the true one
  std::vector<std::int64_t> most_kept_; ///< by class of sets, bytes of a result
  mapping_problem::memory_space memory_;
};

} // namespace mars
