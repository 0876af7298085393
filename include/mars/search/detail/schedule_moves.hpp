// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/random.hpp>
#include <mars/evaluation/schedule_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace mars::search::detail {

/// Ways to change a schedule: operators, whole pieces of chains, the sets they run on, the order.
/// Every result is a legal assignment. Not for several threads.
template <deferred D = when_called>
class basic_schedule_moves {
public:
  static constexpr auto nobody = later<schedule_problem, D>::nobody;

  explicit basic_schedule_moves(later<schedule_problem, D> const& p)
      : problem_{&p}, place_(p.size()) {
    for (std::uint32_t s = 0; s < p.sets().size(); ++s) {
      auto const m = p.members(s);
      known_.emplace(std::vector<accelerator_id>{m.begin(), m.end()}, s);
    }
    for (std::size_t v = 0; v < p.size(); ++v) {
      auto const c = p.op_class(v);
      if (c >= runs_on_.size()) runs_on_.resize(c + 1);
      if (!runs_on_[c].empty()) continue;
      for (std::uint32_t s = 0; s < p.sets().size(); ++s)
        if (auto const [first, last] = p.choices_on(v, s); first != last) runs_on_[c].push_back(s);
    }
  }

  /// Sets an operator can run on.
  [[nodiscard]] auto sets_of(std::size_t v) const -> std::span<std::uint32_t const> {
    return runs_on_[problem_->op_class(v)];
  }
  /// A random change; what it changed is in `a`.
  void operator()(later<schedule_assignment, D>& a, random_stream& random) {
    auto const& p = *problem_;
    auto const v = static_cast<std::uint32_t>(random.below(p.size()));
    auto const kind = random.below(100);
    if (kind < 15) {
      rechoose(a, v, random);
    } else if (kind < 35) {
      shift(a, v, random);
    } else if (kind < 80) {
      auto const piece = random_piece(v, random);
      auto const set = kind < 50 ? near_set(a, piece, random) : any_set(a, v, random);
      if (move_piece(a, piece, set) && random.chance(0.8)) gather(a, piece, random);
    } else if (kind < 90) {
      auto const piece = random_piece(v, random);
      gather(a, piece, random);
    } else if (kind < 98 || p.always_fits()) {
      replace_set(a, v, random);
    } else {
      a.streamed[v] = p.is_staged() ? a.streamed[v] ^ 1U : 0;
    }
  }

  /// All of a piece of a chain on one set, with one design of it, sharded so that little moves; false,
  /// and nothing changed, if some of it cannot run there, or only with another design than the set's
  /// accelerators have.
  auto move_piece(later<schedule_assignment, D>& a, std::span<std::uint32_t const> piece,
                  std::uint32_t set) -> bool {
    auto const& p = *problem_;
    for (auto const v : piece)
      if (auto const [first, last] = p.choices_on(v, set); first == last) return false;
    auto const configured = design_of(a, piece, set);
    if (configured == several_designs) return false;
    ticks best = no_ticks;
    for (std::uint16_t d = 0; d < p.designs(set).size(); ++d) {
      if (configured != no_design && p.design_number(set, d) != configured) continue;
      if (auto const cost = choose_along(a, piece, set, d); cost < best) {
        best = cost;
        best_choices_ = chosen_;
      }
    }
    if (best >= no_ticks) return false;
    for (std::size_t i = 0; i < piece.size(); ++i) a.choice_of[piece[i]] = best_choices_[i];
    return true;
  }

  /// The operators of a piece one right after another, somewhere between what they read and what reads
  /// them. No change where something else must come between.
  void gather(later<schedule_assignment, D>& a, std::span<std::uint32_t const> piece,
              random_stream& random) {
    auto const& p = *problem_;
    mark_.assign(p.size(), 0);
    for (auto const v : piece) mark_[v] = 1;
    rest_.clear();
    for (auto const v : a.order)
      if (mark_[v] == 0) rest_.push_back(v);
    for (std::uint32_t i = 0; i < rest_.size(); ++i) place_[rest_[i]] = i;
    std::size_t low = 0, high = rest_.size();
    for (auto const v : piece) {
      for (auto const& e : p.in_edges(v))
        if (mark_[e.producer] == 0) low = std::max<std::size_t>(low, place_[e.producer] + 1);
      for (auto const i : p.out_edges(v))
        if (auto const r = p.edges()[i].consumer; mark_[r] == 0)
          high = std::min<std::size_t>(high, place_[r]);
    }
    if (low > high) return;
    auto const at = low + random.below(high - low + 1);
    a.order.assign(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(at));
    a.order.insert(a.order.end(), piece.begin(), piece.end());
    a.order.insert(a.order.end(), rest_.begin() + static_cast<std::ptrdiff_t>(at), rest_.end());
  }

  /// A piece of `v`'s chain around it.
  [[nodiscard]] auto random_piece(std::uint32_t v, random_stream& random)
      -> std::span<std::uint32_t const> {
    piece_.clear();
    auto const reach = std::uint64_t{1} << random.below(6);
    auto const back = random.below(reach);
    auto const on = random.below(reach);
    auto first = v;
    for (std::uint64_t i = 0; i < back && problem_->before(first) != nobody; ++i)
      first = problem_->before(first);
    for (auto u = first; u != v; u = problem_->next(u)) piece_.push_back(u);
    piece_.push_back(v);
    for (std::uint64_t i = 0; i < on && problem_->next(piece_.back()) != nobody; ++i)
      piece_.push_back(problem_->next(piece_.back()));
    return piece_;
  }

private:
  static constexpr std::uint16_t no_design = 0xffff;
  static constexpr std::uint16_t several_designs = 0xfffe;

  /// How the accelerators of a set are configured by everything but a piece.
  [[nodiscard]] auto design_of(later<schedule_assignment, D> const& a,
                               std::span<std::uint32_t const> piece, std::uint32_t set)
      -> std::uint16_t {
    auto const& p = *problem_;
    if (p.has_one_design()) return no_design;
    busy_with_.assign(p.accelerators(), no_design);
    mark_.assign(p.size(), 0);
    for (auto const v : piece) mark_[v] = 1;
    for (std::uint32_t v = 0; v < p.size(); ++v) {
      if (mark_[v] != 0) continue;
      auto const& c = p.choices(v)[a.choice_of[v]];
      for (auto const m : p.members(c.set)) busy_with_[m.index()] = p.design_number(c);
    }
    auto design = no_design;
    for (auto const m : p.members(set)) {
      auto const here = busy_with_[m.index()];
      if (here == no_design) continue;
      if (design != no_design && design != here) return several_designs;
      design = here;
    }
    return design;
  }

  /// The choices of a piece on a set with a design that cost least together, into `chosen_`.
  [[nodiscard]] auto choose_along(later<schedule_assignment, D> const& a,
                                  std::span<std::uint32_t const> piece, std::uint32_t set,
                                  std::uint16_t design) -> ticks {
    auto const& p = *problem_;
    cost_.clear();
    from_.clear();
    std::size_t row_before = 0;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      auto const v = piece[i];
      auto const [first, last] = p.choices_on(v, set);
      auto const row = cost_.size();
      cost_.resize(row + (last - first), no_ticks);
      from_.resize(cost_.size(), 0);
      if (i > 0 && !p.is_staged()) gather_moves(piece[i - 1], v, set, design, row_before);
      for (auto c = first; c < last; ++c) {
        auto const& choice = p.choices(v)[c];
        if (choice.design != design) continue;
        auto& best = cost_[row + (c - first)];
        auto& best_from = from_[row + (c - first)];
        if (i == 0) {
          best = arrival(a, v, c);
        } else if (!p.is_staged()) {
          auto const& by_need = needed_[p.need_layout(p.in_edges(v)[0], choice)];
          best = by_need.first + times_of(v, c)[0].compute;
          best_from = by_need.second;
        } else {
          auto const [first_before, last_before] = p.choices_on(piece[i - 1], set);
          for (auto b = first_before; b < last_before; ++b) {
            if (p.choices(piece[i - 1])[b].design != design) continue;
            auto const sum = cost_[row_before + (b - first_before)] + step(piece[i - 1], b, v, c);
            if (sum < best) {
              best = sum;
              best_from = b;
            }
          }
        }
        if (i + 1 == piece.size()) best += departure(a, v, c);
      }
      row_before = row;
    }
    // Backwards from the best end.
    auto row = row_before;
    auto const [first, last] = p.choices_on(piece.back(), set);
    auto const end =
        std::min_element(cost_.begin() + static_cast<std::ptrdiff_t>(row), cost_.end());
    auto const cost = *end;
    if (cost >= no_ticks) return no_ticks;
    auto choice = first + static_cast<std::uint32_t>(
                              end - (cost_.begin() + static_cast<std::ptrdiff_t>(row)));
    chosen_.resize(piece.size());
    for (auto i = piece.size(); i-- > 0;) {
      chosen_[i] = choice;
      if (i == 0) break;
      auto const [here, unused] = p.choices_on(piece[i], set);
      (void)unused;
      choice = from_[row + (choice - here)];
      auto const [earlier, past] = p.choices_on(piece[i - 1], set);
      row -= past - earlier;
    }
    return cost;
  }

  /// Least cost of having the input of `v` in each layout, over the choices of `u` at `row_before`:
  /// layouts are few where choices are many.
  void gather_moves(std::uint32_t u, std::uint32_t v, std::uint32_t set, std::uint16_t design,
                    std::size_t row_before) {
    auto const& p = *problem_;
    auto const& e = p.in_edges(v)[0];
    auto const [first, last] = p.choices_on(u, set);
    owned_.clear();
    for (auto b = first; b < last; ++b) {
      auto const& choice = p.choices(u)[b];
      if (choice.design != design) continue;
      auto const own = p.own_layout(e, choice);
      if (own >= owned_.size()) owned_.resize(own + 1, {no_ticks, 0});
      owned_[own] = std::min(owned_[own], std::pair{cost_[row_before + (b - first)], b});
    }
    auto const& table = p.moves(e, set, set);
    needed_.assign(table.columns, {no_ticks, 0});
    for (std::size_t own = 0; own < owned_.size(); ++own) {
      auto const [cost, b] = owned_[own];
      if (cost >= no_ticks) continue;
      for (std::size_t need = 0; need < table.columns; ++need)
        needed_[need] =
            std::min(needed_[need], std::pair{cost + table.time[own * table.columns + need], b});
    }
  }

  void rechoose(later<schedule_assignment, D>& a, std::uint32_t v, random_stream& random) {
    auto const& p = *problem_;
    auto set = p.choices(v)[a.choice_of[v]].set;
    if (random.chance(0.3)) set = any_set(a, v, random);
    auto const [first, last] = p.choices_on(v, set);
    if (first == last) return;
    a.choice_of[v] = first + static_cast<std::uint32_t>(random.below(last - first));
  }

  void shift(later<schedule_assignment, D>& a, std::uint32_t v, random_stream& random) {
    piece_.assign(1, v);
    gather(a, piece_, random);
  }

  /// The set of a neighbour, or any.
  [[nodiscard]] auto any_set(later<schedule_assignment, D> const& a, std::uint32_t v,
                             random_stream& random) -> std::uint32_t {
    auto const& p = *problem_;
    auto const sets = sets_of(v);
    if (random.chance(0.4)) {
      auto const u = random.chance(0.5) ? problem_->before(v) : problem_->next(v);
      if (u != nobody) return p.choices(u)[a.choice_of[u]].set;
    }
    return sets[random.below(sets.size())];
  }

  /// The set of the piece with an accelerator more or less, or another one instead.
  [[nodiscard]] auto near_set(later<schedule_assignment, D> const& a,
                              std::span<std::uint32_t const> piece, random_stream& random)
      -> std::uint32_t {
    auto const& p = *problem_;
    auto const v = piece[random.below(piece.size())];
    auto const set = p.choices(v)[a.choice_of[v]].set;
    return neighbour(set, v, random).value_or(set);
  }
  [[nodiscard]] auto neighbour(std::uint32_t set, std::uint32_t v, random_stream& random)
      -> std::optional<std::uint32_t> {
    auto const& p = *problem_;
    members_.assign(p.members(set).begin(), p.members(set).end());
    auto const other = accelerator_id{random.below(p.accelerators())};
    auto const at = std::find(members_.begin(), members_.end(), other);
    if (at != members_.end()) {
      if (members_.size() == 1) return std::nullopt;
      members_.erase(at);
    } else {
      if (random.chance(0.5))
        members_.erase(members_.begin() +
                       static_cast<std::ptrdiff_t>(random.below(members_.size())));
      members_.insert(std::upper_bound(members_.begin(), members_.end(), other), other);
    }
    auto const found = known_.find(members_);
    if (found == known_.end()) return std::nullopt;
    auto const [first, last] = p.choices_on(v, found->second);
    if (first == last) return std::nullopt;
    return found->second;
  }

  /// All operators that run on `v`'s set go to a similar one; maybe those of the set it takes the
  /// accelerator from to what is left of theirs.
  void replace_set(later<schedule_assignment, D>& a, std::uint32_t v, random_stream& random) {
    auto const& p = *problem_;
    auto const set = p.choices(v)[a.choice_of[v]].set;
    auto const to = neighbour(set, v, random);
    if (!to) return;
    move_all(a, set, *to);
    if (random.chance(0.5)) return;
    // The accelerator that came in leaves every other set.
    std::optional<accelerator_id> came;
    for (auto const m : p.members(*to))
      if (std::find(p.members(set).begin(), p.members(set).end(), m) == p.members(set).end())
        came = m;
    if (!came) return;
    for (std::uint32_t u = 0; u < p.size(); ++u) {
      auto const s = p.choices(u)[a.choice_of[u]].set;
      auto const m = p.members(s);
      if (s == *to || m.size() < 2 || std::find(m.begin(), m.end(), *came) == m.end()) continue;
      members_.clear();
      for (auto const x : m)
        if (x != *came) members_.push_back(x);
      if (auto const found = known_.find(members_); found != known_.end())
        move_all(a, s, found->second);
    }
  }
  void move_all(later<schedule_assignment, D>& a, std::uint32_t set, std::uint32_t to) {
    auto const& p = *problem_;
    later<std::vector<std::uint32_t>, D> run;
    mark_.assign(p.size(), 0);
    for (std::uint32_t v = 0; v < p.size(); ++v)
      mark_[v] = p.choices(v)[a.choice_of[v]].set == set ? 1 : 0;
    auto const marked = mark_;
    for (std::uint32_t v = 0; v < p.size(); ++v) {
      if (marked[v] == 0 || (problem_->before(v) != nobody && marked[problem_->before(v)] != 0))
        continue;
      run.clear();
      for (auto w = v; w != nobody && marked[w] != 0; w = problem_->next(w)) run.push_back(w);
      move_piece(a, run, to);
    }
  }

  // What the shardings of a piece are chosen by: durations, with inputs and results that stay between
  // its operators, and towards neighbours on the same set. Members are slowest one by one: a little
  // more than the duration, never less.

  [[nodiscard]] auto times_of(std::uint32_t v, std::uint32_t c) const
      -> std::span<member_ticks const> {
    return problem_->times(v, problem_->choices(v)[c]);
  }
  /// Computing and inputs of the first operator of a piece.
  [[nodiscard]] auto arrival(later<schedule_assignment, D> const& a, std::uint32_t v,
                             std::uint32_t c) const -> ticks {
    auto const& p = *problem_;
    auto const& choice = p.choices(v)[c];
    if (!p.is_staged()) {
      ticks moved = 0;
      for (auto const& e : p.in_edges(v))
        moved = std::max(moved, p.move(e, p.choices(e.producer)[a.choice_of[e.producer]], choice));
      return times_of(v, c)[0].compute + moved;
    }
    std::span<staying_ticks const> stays;
    auto const in = p.in_edges(v);
    if (!in.empty()) {
      auto const& maker = p.choices(in[0].producer)[a.choice_of[in[0].producer]];
      if (maker.set == choice.set) stays = p.staying(in[0], c, choice, maker);
    }
    ticks slowest = 0;
    auto const times = times_of(v, c);
    for (std::size_t i = 0; i < times.size(); ++i)
      slowest =
          std::max(slowest, times[i].compute + (stays.empty() ? times[i].inputs : stays[i].inputs));
    return slowest + choice.fixed;
  }
  /// Staged: results of the producer, and computing and inputs of its reader.
  [[nodiscard]] auto step(std::uint32_t u, std::uint32_t b, std::uint32_t v, std::uint32_t c) const
      -> ticks {
    auto const& p = *problem_;
    auto const& to = p.choices(v)[c];
    auto const& from = p.choices(u)[b];
    auto const& e = p.in_edges(v)[0];
    auto const stays = p.staying(e, c, to, from);
    auto const times = times_of(v, c);
    auto const earlier = times_of(u, b);
    bool const less = p.may_store_less(u);
    ticks results = 0, slowest = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      results = std::max(results, less ? stays[i].results : earlier[i].results);
      slowest = std::max(slowest, times[i].compute + stays[i].inputs);
    }
    return results + slowest + to.fixed;
  }
  /// Results of the last one.
  [[nodiscard]] auto departure(later<schedule_assignment, D> const& a, std::uint32_t v,
                               std::uint32_t c) const -> ticks {
    auto const& p = *problem_;
    auto const& from = p.choices(v)[c];
    ticks slowest = 0;
    if (!p.is_staged()) {
      for (auto const i : p.out_edges(v)) {
        auto const& e = p.edges()[i];
        slowest =
            std::max(slowest, p.move(e, from, p.choices(e.consumer)[a.choice_of[e.consumer]]));
      }
      return slowest;
    }
    std::span<staying_ticks const> stays;
    auto const w = problem_->next(v);
    if (w != nobody && p.may_store_less(v)) {
      auto const& reader = p.choices(w)[a.choice_of[w]];
      if (reader.set == from.set) stays = p.staying(p.in_edges(w)[0], a.choice_of[w], reader, from);
    }
    auto const times = times_of(v, c);
    for (std::size_t i = 0; i < times.size(); ++i)
      slowest = std::max(slowest, stays.empty() ? times[i].results : stays[i].results);
    return slowest;
  }

  later<schedule_problem, D> const* problem_;
  std::map<std::vector<accelerator_id>, std::uint32_t> known_; ///< sets by members
  std::vector<std::vector<std::uint32_t>> runs_on_;            ///< by class of operators
  // Working space.
  std::vector<std::uint32_t> place_, rest_, piece_, from_;
  std::vector<std::uint8_t> mark_;
  std::vector<ticks> cost_;
  std::vector<std::pair<ticks, std::uint32_t>> owned_, needed_; ///< by layout: cost, and from where
  std::vector<std::uint32_t> chosen_, best_choices_;
  std::vector<std::uint16_t> busy_with_; ///< by accelerator, its design
  std::vector<accelerator_id> members_;
};

} // namespace mars::search::detail
