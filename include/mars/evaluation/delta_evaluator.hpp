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
/// `set_choice(v, c)`           | O(degree)
/// `place(v, slot, c)`          | O(degree): another slot (a moved cut, a split, a merger: one each)
/// `set_design(slot, d)`        | O(operators in all slots)
/// `value()`                    | O(slots); O(V + E) where memory is about to be short
///
/// No move allocates. The problem must outlive the evaluator. Not for several threads.
class delta_evaluator {
public:
  delta_evaluator(mapping_problem const& problem, assignment start)
      : p_{&problem},
        a_{std::move(start)},
        load_(a_.slots.size()),
        peak_(a_.slots.size()),
        most_kept_(a_.slots.size()) {
    for (std::size_t s = 0; s < a_.slots.size(); ++s)
      for (std::size_t v = 0; v < p_->size(); ++v)
        for (auto const kept : p_->row(v, a_.slots[s].set).kept)
          most_kept_[s] = std::max(most_kept_[s], kept);
    recount();
    measure();
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
    assignment_value result{0, 0};
    load total;
    for (std::size_t s = 0; s < load_.size(); ++s) {
      result.overflow_bytes += std::max<std::int64_t>(0, peak_[s] - capacity(s));
      if (p_->how() == aggregate::sum)
        total += load_[s];
      else
        result.value = std::max(result.value, load_[s].value());
    }
    if (p_->how() == aggregate::sum) result.value = total.value();
    return result;
  }

  /// The sum over operators and tensors, memory aside.
  [[nodiscard]] auto sum() const -> ticks {
    load total;
    for (auto const& l : load_) total += l;
    return total.value();
  }
  /// What `sum()` would be if `v` chose `choice` where it is; nothing changes.
  [[nodiscard]] auto try_choice(std::size_t v, std::size_t choice) const -> ticks {
    load total;
    for (auto const& l : load_) total += l;
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
      peak_[s] += most_kept_[s]; // what its last operator before v left behind was in no demand yet
    }
    raise_to_demand(v, s, row.transient[choice]);
  }

  /// Configures slot number `s` with another of its designs.
  void set_design(std::size_t s, std::uint32_t design) {
    assert(design < p_->designs(a_.slots[s].set).size());
    for (std::size_t v = 0; v < p_->size(); ++v)
      if (a_.slot_of[v] == s) load_[s] -= load::of(p_->node_value(v, a_.slots[s], a_.choice_of[v]));
    a_.slots[s].design = design;
    for (std::size_t v = 0; v < p_->size(); ++v)
      if (a_.slot_of[v] == s) load_[s] += load::of(p_->node_value(v, a_.slots[s], a_.choice_of[v]));
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

  /// Adds (1) or takes away (−1) what depends on `v`: edges count for the slot of their consumer.
  void account(std::size_t v, int sign) {
    auto const add = [&](std::size_t s, ticks t) {
      if (sign > 0)
        load_[s] += load::of(t);
      else
        load_[s] -= load::of(t);
    };
    auto const s = a_.slot_of[v];
    add(s, p_->node_value(v, a_.slots[s], a_.choice_of[v]));
    for (auto const i : p_->in_edges(v)) add(s, edge(p_->edges()[i]));
    for (auto const i : p_->out_edges(v)) {
      auto const& e = p_->edges()[i];
      add(a_.slot_of[e.consumer], edge(e));
    }
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

  void recount() {
    std::fill(load_.begin(), load_.end(), load{});
    for (std::size_t v = 0; v < p_->size(); ++v) {
      auto const s = a_.slot_of[v];
      load_[s] += load::of(p_->node_value(v, a_.slots[s], a_.choice_of[v]));
      for (auto const i : p_->in_edges(v)) load_[s] += load::of(edge(p_->edges()[i]));
    }
  }
  void measure() { p_->peak_bytes(a_, memory_, peak_); }

  mapping_problem const* p_;
  assignment a_;
  std::vector<load> load_;              ///< by slot
  std::vector<std::int64_t> peak_;      ///< by slot, bytes: never below the true one
  std::vector<std::int64_t> most_kept_; ///< by slot, bytes of a result
  mapping_problem::memory_space memory_;
};

} // namespace mars
