// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/search/detail/elimination.hpp>
#include <mars/search/detail/symmetry.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace mars::search::detail {

/// What is left of a problem on one branch of an exact search.
struct subproblem {
  /// One choice of an operator is the only one, or is given up; or its slot is the only one.
  struct decision {
    enum class kind : std::uint8_t { choice_kept, choice_given_up, slot_kept } what{};
    std::uint32_t position{};
    slot where;
    std::uint16_t choice{};
  };
  /// The operators that a slot may run: positions [first, last).
  struct range {
    std::uint32_t first{0};
    std::uint32_t last{std::numeric_limits<std::uint32_t>::max()};
  };
  std::vector<bool> allowed;       ///< by number of a slot
  std::vector<decision> decisions; ///< of choices and slots
  std::vector<range> ranges;       ///< by number of a slot; empty = any operator
  std::vector<double> price;       ///< of a resident byte, by slot; last, of spending; empty = free
  ticks bound{};                   ///< nothing in it has a smaller value
  bool solo{};                     ///< one slot: quick, and feasible if memory suffices
  std::uint64_t id{};
};
/// Order of a heap: what is quick comes first (a single slot not yet split further), then the smallest
/// bound, then the newest.
[[nodiscard]] inline auto less_promising(subproblem const& a, subproblem const& b) -> bool {
  auto const is_quick = [](subproblem const& s) { return s.solo && s.decisions.empty(); };
  if (is_quick(a) != is_quick(b)) return is_quick(b);
  if (a.bound != b.bound) return a.bound > b.bound;
  return a.id < b.id;
}

/// The slots of a problem by number, which of them cannot be used together, and what follows for
/// subproblems.
template <deferred D = when_called>
class basic_slot_conflicts {
  template <class T>
  using vector = later<std::vector<T>, D>;

public:
  explicit basic_slot_conflicts(later<mapping_problem, D> const& problem) : p_{&problem} {
    for (std::uint32_t s = 0; s < p_->sets().size(); ++s) {
      first_.push_back(slots_.size());
      for (std::uint32_t d = 0; d < p_->designs(s).size(); ++d) slots_.push_back({s, d});
    }
    vector<std::size_t> parent(p_->size());
    std::iota(parent.begin(), parent.end(), std::size_t{0});
    auto apart = parent.size();
    for (auto const& e : p_->edges()) apart -= unite(parent, e.producer, e.consumer);
    connected_ = apart <= 1;
    vector<std::int64_t> most(p_->accelerators());
    for (auto const& set : p_->sets())
      for (auto const a : set.accelerators)
        most[a.index()] = std::max(most[a.index()], set.capacity);
    for (auto const c : most) capacity_ += static_cast<double>(c);
    for (std::uint32_t v = 0; v < p_->size(); ++v) {
      auto const k = p_->op_class(v);
      if (k >= least_.size()) least_.resize(k + 1);
      if (!least_[k].empty()) continue;
      for (auto const s : slots_) {
        auto const& node = p_->row(v, s.set).node[s.design];
        least_[k].push_back({node.size(), *std::min_element(node.begin(), node.end())});
      }
    }
  }

  [[nodiscard]] auto size() const -> std::size_t { return slots_.size(); }
  [[nodiscard]] auto number(slot s) const -> std::size_t { return first_[s.set] + s.design; }
  [[nodiscard]] auto in_conflict(std::size_t i, std::size_t j) const -> bool {
    return i != j && !p_->disjoint(slots_[i].set, slots_[j].set);
  }

  /// At most so many states has a subproblem, and at least this is the sum of its operators' own
  /// values: both without writing the states down.
  struct outline {
    std::size_t states{};
    ticks least{};
  };
  [[nodiscard]] auto outline_of(later<subproblem, D> const& s) const -> outline {
    outline all;
    for (std::uint32_t v = 0; v < p_->size(); ++v) {
      auto const& of_class = least_[p_->op_class(v)];
      auto least = no_ticks;
      for (std::size_t i = 0; i < size(); ++i) {
        if (!s.allowed[i]) continue;
        least = std::min(least, of_class[i].least);
        all.states += of_class[i].states;
      }
      all.least = later<mapping_problem, D>::add(all.least, least);
    }
    return all;
  }

  [[nodiscard]] auto everything() const -> later<subproblem, D> {
    return {vector<bool>(size(), true), {}, {}, {}, 0, false, 0};
  }
  /// Without a slot, and without those that a symmetry of the subproblem turns into it: with any of
  /// them things go as with the first.
  [[nodiscard]] auto without(later<subproblem, D> s, std::size_t at) const -> later<subproblem, D> {
    s.allowed[at] = false;
    if (is_symmetric(s)) {
      auto before = s.allowed;
      before[at] = true;
      for (auto const set : symmetry_.orbit(use_of(before), slots_[at].set))
        s.allowed[number({set, slots_[at].design})] = false;
    }
    return s;
  }
  [[nodiscard]] auto without_conflicts_of(later<subproblem, D> s, std::size_t at) const
      -> later<subproblem, D> {
    for (std::size_t i = 0; i < size(); ++i)
      if (in_conflict(i, at)) s.allowed[i] = false;
    return s;
  }
  [[nodiscard]] auto fixed(later<subproblem, D> s, std::size_t v, state const& x, bool kept) const
      -> later<subproblem, D> {
    using kind = subproblem::decision::kind;
    s.decisions.push_back({kept ? kind::choice_kept : kind::choice_given_up,
                           static_cast<std::uint32_t>(v), x.where, x.choice});
    return s;
  }

  /// A slot that does not run a whole range of operators: `at` is between two of its operators, and
  /// elsewhere.
  struct interruption {
    std::size_t slot{}; ///< by number
    std::uint32_t at{};
  };
  [[nodiscard]] auto interrupted(later<domains, D> const& all,
                                 vector<std::size_t> const& chosen) const
      -> std::optional<interruption> {
    vector<std::uint32_t> first(size(), no_position), last(size());
    auto const slot_at = [&](std::size_t v) { return number(all[v][chosen[v]].where); };
    for (std::uint32_t v = 0; v < all.size(); ++v) {
      auto const i = slot_at(v);
      if (first[i] == no_position) first[i] = v;
      last[i] = v;
    }
    for (std::size_t i = 0; i < size(); ++i) {
      if (first[i] == no_position) continue;
      // The one nearest to the middle splits best.
      auto const middle = first[i] + (last[i] - first[i]) / 2;
      std::optional<interruption> nearest;
      for (auto v = first[i]; v < last[i]; ++v)
        if (slot_at(v) != i && (!nearest || distance(v, middle) < distance(nearest->at, middle)))
          nearest = {i, v};
      if (nearest) return nearest;
    }
    return std::nullopt;
  }
  /// The three ways out: the operator joins the slot, or the slot ends before it, or begins after it.
  [[nodiscard]] auto uninterrupted(later<subproblem, D> const& s, interruption const& i) const
      -> vector<later<subproblem, D>> {
    vector<later<subproblem, D>> ways(3, s);
    ways[0].decisions.push_back(
        {subproblem::decision::kind::slot_kept, i.at, slots_[i.slot], std::uint16_t{0}});
    for (auto* way : {&ways[1], &ways[2]}) way->ranges.resize(size());
    auto& before = ways[1].ranges[i.slot];
    before.last = std::min(before.last, i.at);
    auto& after = ways[2].ranges[i.slot];
    after.first = std::max(after.first, i.at + 1);
    return ways;
  }

  /// What every operator may do. A choice that alone does not fit into memory is none; `price` is
  /// added for resident bytes and spending, rounded down.
  [[nodiscard]] auto states(later<subproblem, D> const& s, vector<double> const& price) const
      -> later<domains, D> {
    later<domains, D> all(p_->size());
    for (std::uint32_t v = 0; v < p_->size(); ++v)
      for (std::size_t i = 0; i < size(); ++i) {
        if (!s.allowed[i]) continue;
        if (!s.ranges.empty() && (v < s.ranges[i].first || v >= s.ranges[i].last)) continue;
        auto const& row = p_->row(v, slots_[i].set);
        auto const& node = row.node[slots_[i].design];
        auto const capacity = p_->sets()[slots_[i].set].capacity;
        auto const rate = price.empty() ? 0.0 : price[i];
        for (std::size_t c = 0; c < node.size(); ++c) {
          if (node[c] >= no_ticks || row.resident[c] + row.transient[c] > capacity) continue;
          auto const spent = static_cast<double>(p_->spent(v, slots_[i], c));
          if (spent > static_cast<double>(p_->spending_limit())) continue;
          auto const paid = std::floor(rate * static_cast<double>(row.resident[c]) +
                                       (price.empty() ? 0.0 : price.back() * spent));
          auto const value = paid < static_cast<double>(no_ticks)
                                 ? later<mapping_problem, D>::add(node[c], static_cast<ticks>(paid))
                                 : no_ticks;
          if (value < no_ticks) all[v].push_back({slots_[i], static_cast<std::uint16_t>(c), value});
        }
      }
    for (auto const& d : s.decisions)
      std::erase_if(all[d.position], [&](state const& x) {
        using kind = subproblem::decision::kind;
        if (d.what == kind::slot_kept) return x.where != d.where;
        return (x.where == d.where && x.choice == d.choice) != (d.what == kind::choice_kept);
      });
    return all;
  }

  /// Least sum of the operators' own values, and out goes every choice with which that sum reaches
  /// `limit`, or with which more is spent than may be. `no_ticks` when an operator has no choice left,
  /// the weights cannot fit, or too much is spent in any case.
  [[nodiscard]] auto reduce(later<domains, D>& all, ticks limit) const -> ticks {
    ticks sum = 0;
    double bytes = 0;
    ticks spent = 0;
    vector<ticks> least(all.size(), no_ticks), thriftiest(all.size(), no_ticks);
    auto const spent_by = [&](std::size_t v, state const& x) {
      return p_->spent(v, x.where, x.choice);
    };
    for (std::size_t v = 0; v < all.size(); ++v) {
      auto lightest = std::numeric_limits<double>::infinity();
      for (auto const& x : all[v]) {
        least[v] = std::min(least[v], x.value);
        thriftiest[v] = std::min(thriftiest[v], spent_by(v, x));
        auto const resident = p_->row(v, x.where.set).resident[x.choice];
        auto const members = p_->sets()[x.where.set].accelerators.size();
        lightest = std::min(lightest, static_cast<double>(resident) * static_cast<double>(members));
      }
      sum = later<mapping_problem, D>::add(sum, least[v]);
      spent = later<mapping_problem, D>::add(spent, thriftiest[v]);
      bytes += lightest;
    }
    if (sum >= no_ticks || bytes > capacity_ || spent > p_->spending_limit()) return no_ticks;
    for (std::size_t v = 0; v < all.size(); ++v)
      std::erase_if(all[v], [&](state const& x) {
        return sum - least[v] + x.value >= limit ||
               spent - thriftiest[v] + spent_by(v, x) > p_->spending_limit();
      });
    return sum;
  }

  /// In a subproblem of one slot: out goes every choice that does not fit even if all other operators
  /// take the fewest bytes they can. False when that leaves an operator without a choice.
  [[nodiscard]] auto fit_alone(later<domains, D>& all) const -> bool {
    struct least {
      std::int64_t resident, transient, kept;
    };
    auto const bytes_of = [&](std::size_t v, state const& x) {
      auto const& row = p_->row(v, x.where.set);
      return least{row.resident[x.choice], row.transient[x.choice], row.kept[x.choice]};
    };
    for (bool changed = true; changed;) {
      changed = false;
      vector<least> few(all.size());
      vector<std::int64_t> alive(all.size());
      vector<std::int64_t> later(all.size(), std::numeric_limits<std::int64_t>::min() / 2);
      std::int64_t weights = 0, live = 0;
      for (std::size_t v = 0; v < all.size(); ++v) {
        if (all[v].empty()) return false;
        few[v] = bytes_of(v, all[v].front());
        for (auto const& x : all[v]) {
          auto const b = bytes_of(v, x);
          few[v].resident = std::min(few[v].resident, b.resident);
          few[v].transient = std::min(few[v].transient, b.transient);
          few[v].kept = std::min(few[v].kept, b.kept);
        }
        weights += few[v].resident;
      }
      // alive: kept by earlier operators; later: the most needed at once while the result is kept.
      for (std::size_t v = 0; v < all.size(); ++v) {
        alive[v] = live;
        live += few[v].kept;
        for (auto const u : p_->freed_after(v)) live -= few[u].kept;
      }
      for (std::size_t v = 0; v < all.size(); ++v) {
        auto const until = std::min<std::size_t>(all.size(), std::size_t{p_->last_use(v)} + 1);
        for (auto u = v + 1; u < until; ++u)
          later[v] = std::max(later[v], alive[u] + few[u].transient - few[v].kept);
      }
      for (std::size_t v = 0; v < all.size(); ++v)
        changed |= std::erase_if(all[v], [&](state const& x) {
                     auto const b = bytes_of(v, x);
                     auto const others = weights - few[v].resident + b.resident;
                     return others + std::max(alive[v] + b.transient, later[v] + b.kept) >
                            p_->sets()[x.where.set].capacity;
                   }) > 0;
    }
    return true;
  }

  /// Operators that are connected sit in slots that are: one subproblem for each component of the
  /// graph of slots that may be used together. A single one when there is nothing to gain.
  /// `present`: the slots in question.
  [[nodiscard]] auto components(later<subproblem, D> const& s, vector<bool> const& present) const
      -> vector<later<subproblem, D>> {
    vector<later<subproblem, D>> parts;
    if (!connected_) return parts;
    vector<std::size_t> parent(size());
    std::iota(parent.begin(), parent.end(), std::size_t{0});
    for (std::size_t i = 0; i < size(); ++i)
      for (std::size_t j = 0; present[i] && j < i; ++j)
        if (present[j] && !in_conflict(i, j)) unite(parent, i, j);
    vector<later<std::optional<std::size_t>, D>> part_of(size());
    for (std::size_t i = 0; i < size(); ++i) {
      if (!present[i]) continue;
      auto& at = part_of[root(parent, i)];
      if (!at) {
        at = parts.size();
        parts.push_back(s);
        parts.back().allowed.assign(size(), false);
        parts.back().solo = true;
      } else {
        parts[*at].solo = false;
      }
      parts[*at].allowed[i] = true;
    }
    if (!is_symmetric(s)) return parts;
    // Of parts that a symmetry turns into each other one is enough.
    vector<later<subproblem, D>> distinct;
    vector<typename basic_set_symmetry<D>::use> uses;
    for (auto& part : parts) {
      auto use = use_of(part.allowed);
      if (std::any_of(uses.begin(), uses.end(),
                      [&](auto const& known) { return symmetry_.from_to(known, use).has_value(); }))
        continue;
      uses.push_back(std::move(use));
      distinct.push_back(std::move(part));
    }
    return distinct;
  }

  /// About how many steps an elimination takes: Σ over edges of layouts³.
  [[nodiscard]] auto work(later<domains, D> const& all) const -> double {
    double sum = 0;
    auto const layouts = [&](std::uint32_t v, bool gives, std::uint16_t index) {
      double n = 0;
      later<std::optional<slot>, D> last;
      for (auto const& x : all[v]) { // by slot
        if (last == x.where) continue;
        last = x.where;
        auto const& row = p_->row(v, x.where.set);
        auto const& of = gives ? row.own[index] : row.need[index];
        n += 1 + *std::max_element(of.begin(), of.end());
      }
      return n;
    };
    for (auto const& e : p_->edges()) {
      auto const a = layouts(e.producer, true, e.output);
      auto const b = layouts(e.consumer, false, e.operand);
      sum += a * b * std::max(a, b);
    }
    return sum;
  }

  /// Operators in each slot.
  [[nodiscard]] auto used(later<domains, D> const& all, vector<std::size_t> const& chosen) const
      -> vector<std::size_t> {
    vector<std::size_t> count(size());
    for (std::size_t v = 0; v < all.size(); ++v) ++count[number(all[v][chosen[v]].where)];
    return count;
  }
  /// The busiest slot that is in conflict with another one in use.
  [[nodiscard]] auto contested(vector<std::size_t> const& used) const
      -> later<std::optional<std::size_t>, D> {
    later<std::optional<std::size_t>, D> worst;
    for (std::size_t i = 0; i < size(); ++i)
      for (std::size_t j = 0; used[i] > 0 && j < size(); ++j)
        if (used[j] > 0 && in_conflict(i, j) && (!worst || used[i] > used[*worst])) worst = i;
    return worst;
  }
  /// Among the slots present, one of the largest set that is in conflict with another.
  [[nodiscard]] auto contested(vector<bool> const& present) const
      -> later<std::optional<std::size_t>, D> {
    later<std::optional<std::size_t>, D> widest;
    auto const members = [&](std::size_t i) {
      return p_->sets()[slots_[i].set].accelerators.size();
    };
    for (std::size_t i = 0; i < size(); ++i)
      for (std::size_t j = 0; present[i] && j < size(); ++j)
        if (present[j] && in_conflict(i, j) && (!widest || members(i) > members(*widest)))
          widest = i;
    return widest;
  }
  /// Only slots that go together: the busiest first.
  [[nodiscard]] auto compatible_part(later<subproblem, D> s, vector<std::size_t> const& used) const
      -> later<subproblem, D> {
    vector<std::size_t> by_use(size());
    std::iota(by_use.begin(), by_use.end(), std::size_t{0});
    std::stable_sort(by_use.begin(), by_use.end(),
                     [&](std::size_t i, std::size_t j) { return used[i] > used[j]; });
    vector<std::size_t> kept;
    for (auto const i : by_use) {
      bool const fits =
          used[i] > 0 && s.allowed[i] &&
          std::none_of(kept.begin(), kept.end(), [&](std::size_t k) { return in_conflict(i, k); });
      if (fits)
        kept.push_back(i);
      else
        s.allowed[i] = false;
    }
    return s;
  }

  /// As an assignment; the slots must go together.
  [[nodiscard]] auto assignment_of(later<domains, D> const& all,
                                   vector<std::size_t> const& chosen) const
      -> later<assignment, D> {
    later<assignment, D> a;
    vector<later<std::optional<std::uint16_t>, D>> place(size());
    for (std::size_t v = 0; v < all.size(); ++v) {
      auto const& x = all[v][chosen[v]];
      auto& at = place[number(x.where)];
      if (!at) {
        at = static_cast<std::uint16_t>(a.slots.size());
        a.slots.push_back(x.where);
      }
      a.slot_of.push_back(*at);
      a.choice_of.push_back(x.choice);
    }
    return a;
  }

  /// An operator that still has a choice, of those the one whose bytes (or spending) depend on it
  /// most; `size()` of the domains when there is none.
  [[nodiscard]] auto operator_to_fix(later<domains, D> const& all, bool by_spending) const
      -> std::size_t {
    auto best = all.size();
    std::int64_t widest = -1;
    for (std::size_t v = 0; v < all.size(); ++v) {
      if (all[v].size() < 2) continue;
      std::int64_t least = std::numeric_limits<std::int64_t>::max();
      std::int64_t most = 0;
      for (auto const& x : all[v]) {
        auto const& row = p_->row(v, x.where.set);
        auto const held =
            by_spending ? p_->spent(v, x.where, x.choice)
                        : row.resident[x.choice] + row.transient[x.choice] + row.kept[x.choice];
        least = std::min(least, held);
        most = std::max(most, held);
      }
      if (most - least > widest) widest = most - least, best = v;
    }
    return best;
  }

  /// Never less than what resident bytes within the capacities, and spending within its limit, can
  /// cost.
  [[nodiscard]] auto priced_limits(vector<double> const& price) const -> ticks {
    double sum = 0;
    for (std::size_t i = 0; i < price.size(); ++i)
      if (price[i] > 0) sum += price[i] * limit_of(i);
    return static_cast<ticks>(std::ceil(std::min(sum * (1 + 1e-12), 1e18)));
  }
  /// A step of Polyak's rule towards `target`, bytes and spending as shares of their limits; false
  /// when no price changes.
  [[nodiscard]] auto raise(vector<double>& price, later<assignment, D> const& a, ticks bound,
                           ticks target) const -> bool {
    vector<double> excess(price.size());
    auto const peak = p_->peak_bytes(a);
    for (std::size_t k = 0; k < a.slots.size(); ++k) {
      auto const i = number(a.slots[k]);
      excess[i] = static_cast<double>(peak[k]) / limit_of(i) - 1;
    }
    if (p_->limits_spending()) {
      ticks spent = 0;
      for (std::size_t v = 0; v < p_->size(); ++v)
        spent = later<mapping_problem, D>::add(spent,
                                               p_->spent(v, a.slots[a.slot_of[v]], a.choice_of[v]));
      excess.back() = static_cast<double>(spent) / limit_of(size()) - 1;
    }
    double length = 0;
    for (std::size_t i = 0; i < price.size(); ++i) {
      if (excess[i] < 0 && price[i] <= 0) excess[i] = 0;
      length += excess[i] * excess[i];
    }
    if (length <= 0) return false;
    auto const step = static_cast<double>(std::max<ticks>(1, target - bound)) / length;
    for (std::size_t i = 0; i < price.size(); ++i)
      price[i] = std::max(0.0, price[i] + step * excess[i] / limit_of(i));
    return true;
  }

  /// Which slots any operator may still use.
  [[nodiscard]] auto present_in(later<domains, D> const& all) const -> vector<bool> {
    vector<bool> present(size());
    for (auto const& of : all)
      for (auto const& x : of) present[number(x.where)] = true;
    return present;
  }

private:
  static constexpr auto no_position = std::numeric_limits<std::uint32_t>::max();
  [[nodiscard]] static auto distance(std::uint32_t a, std::uint32_t b) -> std::uint32_t {
    return a > b ? a - b : b - a;
  }

  /// Of the bytes in slot `i`, or, behind the slots, of spending.
  [[nodiscard]] auto limit_of(std::size_t i) const -> double {
    auto const limit = i < size() ? p_->sets()[slots_[i].set].capacity : p_->spending_limit();
    return static_cast<double>(std::max<std::int64_t>(1, limit));
  }

  /// Do symmetries of the sets apply? Decisions about single operators break them.
  [[nodiscard]] static auto is_symmetric(later<subproblem, D> const& s) -> bool {
    return s.decisions.empty() && s.ranges.empty();
  }
  [[nodiscard]] auto use_of(vector<bool> const& allowed) const ->
      typename basic_set_symmetry<D>::use {
    typename basic_set_symmetry<D>::use all(p_->sets().size());
    for (std::size_t i = 0; i < size(); ++i)
      if (allowed[i]) all[slots_[i].set].resize(p_->designs(slots_[i].set).size());
    for (std::size_t i = 0; i < size(); ++i)
      if (allowed[i]) all[slots_[i].set][slots_[i].design] = true;
    return all;
  }

  static auto root(vector<std::size_t>& parent, std::size_t i) -> std::size_t {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  }
  static auto unite(vector<std::size_t>& parent, std::size_t i, std::size_t j) -> std::size_t {
    auto const a = root(parent, i);
    auto const b = root(parent, j);
    parent[std::max(a, b)] = std::min(a, b);
    return a != b;
  }
  later<mapping_problem, D> const* p_;
  basic_set_symmetry<D> symmetry_{*p_};
  vector<slot> slots_;
  vector<std::size_t> first_;     ///< by set, into slots_
  vector<vector<outline>> least_; ///< by class of operators and slot
  bool connected_{};              ///< is the workload?
  double capacity_{};             ///< bytes of all accelerators, at most
};
using slot_conflicts = basic_slot_conflicts<>;

} // namespace mars::search::detail
