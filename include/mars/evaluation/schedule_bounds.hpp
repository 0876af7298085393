// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/assignment.hpp>
#include <mars/evaluation/schedule_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace mars {

namespace detail {

/// What the operators of chains cost at least, so that it adds up: an operator lasts as long as its
/// slowest member, and so no less than the mean of its members; the mean of what they compute, load
/// and store is a sum of terms of one operator or of two neighbours.
template <deferred D = when_called>
class basic_chain_costs {
public:
  static constexpr auto nobody = later<schedule_problem, D>::nobody;

  explicit basic_chain_costs(later<schedule_problem, D> const& p)
      : problem_{&p}, node_(p.size()), inputs_(p.size()), results_(p.size()), pair_(p.size()) {
    for (std::uint32_t v = 0; v < p.size(); ++v) {
      auto const all = p.choices(v);
      auto const u = p.before(v);
      bool const begins = p.in_edges(v).empty();
      bool const leaves = p.next(v) == nobody || !p.may_store_less(v);
      for (std::uint32_t c = 0; c < all.size(); ++c) {
        auto const times = p.times(v, all[c]);
        double compute = 0, inputs = 0, results = 0;
        for (auto const& t : times) {
          compute += static_cast<double>(t.compute);
          inputs += static_cast<double>(t.inputs);
          results += static_cast<double>(t.results);
        }
        auto const n = static_cast<double>(times.size());
        double const whole = compute / n + static_cast<double>(all[c].fixed);
        // One that continues another than its chain's may find everything in place.
        node_[v].push_back(whole + (begins ? inputs / n : 0) + (leaves ? results / n : 0));
        inputs_[v].push_back(u == nobody ? 0 : inputs / n);
        results_[v].push_back(leaves ? 0 : results / n);
      }
      if (u == nobody || !p.is_staged()) continue;
      bool const less = p.may_store_less(u);
      for (std::uint32_t c = 0; c < all.size(); ++c) {
        auto const [first, last] = p.choices_on(u, all[c].set);
        for (auto b = first; b < last; ++b) {
          auto const stays = p.staying(p.in_edges(v)[0], c, all[c], p.choices(u)[b]);
          double sum = 0;
          for (auto const& s : stays)
            sum += static_cast<double>(s.inputs) + (less ? static_cast<double>(s.results) : 0.0);
          pair_[v].push_back(sum / static_cast<double>(stays.size()));
        }
      }
    }
  }

  [[nodiscard]] auto node(std::size_t v, std::size_t c) const -> double { return node_[v][c]; }
  /// When the chain's predecessor ran elsewhere.
  [[nodiscard]] auto inputs(std::size_t v, std::size_t c) const -> double { return inputs_[v][c]; }
  /// When the chain's successor runs elsewhere.
  [[nodiscard]] auto results(std::size_t v, std::size_t c) const -> double {
    return results_[v][c];
  }

  /// Walks a chain's step from `u` to `v`: `best_elsewhere` is the least of `of_u` (by choice of `u`)
  /// and results; `to(c, cost, b)` is told the least cost of coming to each choice of `v`, and from
  /// where (`nobody`: from `best`). `weight` scales what a choice costs.
  template <class Weight, class To>
  void step(std::uint32_t v, std::vector<double> const& of_u, Weight const& weight,
            To const& to) const {
    auto const& p = *problem_;
    auto const u = p.before(v);
    double best = std::numeric_limits<double>::infinity();
    std::uint32_t best_at = 0;
    for (std::uint32_t b = 0; b < of_u.size(); ++b)
      if (auto const sum = of_u[b] + weight(u, b) * results_[u][b]; sum < best) {
        best = sum;
        best_at = b;
      }
    auto const all = p.choices(v);
    std::size_t pair = 0;
    for (std::uint32_t c = 0; c < all.size(); ++c) {
      auto const w = weight(v, c);
      double least = best + w * inputs_[v][c];
      auto from = best_at;
      if (p.is_staged()) {
        auto const [first, last] = p.choices_on(u, all[c].set);
        for (auto b = first; b < last; ++b, ++pair)
          if (auto const sum = of_u[b] + w * pair_[v][pair]; sum < least) {
            least = sum;
            from = b;
          }
      }
      to(c, least + w * node_[v][c], from);
    }
  }

  /// Overlapped: few enough of them? Counted as choices of one operator with those of the next, by
  /// layout.
  [[nodiscard]] auto may_look_at_moves() const -> bool {
    auto const& p = *problem_;
    constexpr std::uint64_t most = 300'000'000;
    std::uint64_t pairs = 0;
    for (std::uint32_t v = 0; v < p.size() && pairs <= most; ++v) {
      if (p.before(v) == nobody) continue;
      for (std::uint32_t s = 0; s < p.sets().size(); ++s)
        for (std::uint32_t from = 0; from < p.sets().size(); ++from)
          pairs += p.moves(p.in_edges(v)[0], from, s).time.size();
    }
    return pairs <= most;
  }

  /// Overlapped, along a path: least of `of_u` and the move to each choice of `v`.
  template <class To>
  void step_with_moves(std::uint32_t v, std::vector<double> const& of_u, To const& to) const {
    auto const& p = *problem_;
    auto const u = p.before(v);
    auto const& e = p.in_edges(v)[0];
    constexpr auto infinite = std::numeric_limits<double>::infinity();
    auto const sets = static_cast<std::uint32_t>(p.sets().size());
    std::vector<std::vector<double>> owned(sets); // by set and layout
    for (std::uint32_t b = 0; b < of_u.size(); ++b) {
      auto const& choice = p.choices(u)[b];
      auto const own = p.own_layout(e, choice);
      auto& row = owned[choice.set];
      if (own >= row.size()) row.resize(own + 1, infinite);
      row[own] = std::min(row[own], of_u[b]);
    }
    std::vector<double> needed;
    for (std::uint32_t s = 0; s < sets; ++s) {
      auto const [first, last] = p.choices_on(v, s);
      if (first == last) continue;
      needed.clear();
      for (std::uint32_t from = 0; from < sets; ++from) {
        if (owned[from].empty()) continue;
        auto const& table = p.moves(e, from, s);
        needed.resize(table.columns, infinite);
        for (std::size_t own = 0; own < owned[from].size(); ++own)
          for (std::size_t need = 0; need < table.columns; ++need)
            needed[need] = std::min(
                needed[need],
                owned[from][own] + static_cast<double>(table.time[own * table.columns + need]));
      }
      for (auto c = first; c < last; ++c)
        to(c, needed[p.need_layout(e, p.choices(v)[c])] + node_[v][c], nobody);
    }
  }

  /// `f(c, b, cost)` for every choice of `v` and of its predecessor on one set. Staged only.
  template <class F>
  void each_pair(std::uint32_t v, F const& f) const {
    auto const& p = *problem_;
    std::size_t pair = 0;
    for (std::uint32_t c = 0; c < p.choices(v).size(); ++c) {
      auto const [first, last] = p.choices_on(p.before(v), p.choices(v)[c].set);
      for (auto b = first; b < last; ++b) f(c, b, pair_[v][pair++]);
    }
  }

private:
  later<schedule_problem, D> const* problem_;
  std::vector<std::vector<double>> node_, inputs_, results_; ///< by position and choice
  std::vector<std::vector<double>>
      pair_; ///< by reader: every choice with each of the producer there
};

/// Bounds on the makespan.
template <deferred D = when_called>
class basic_schedule_bounds {
public:
  static constexpr auto nobody = later<schedule_problem, D>::nobody;

  explicit basic_schedule_bounds(later<schedule_problem, D> const& p)
      : problem_{&p}, costs_{p}, value_(p.size()), from_(p.size()), least_(p.size()) {}

  /// Operators along a path run one after another.
  [[nodiscard]] auto path() -> bound {
    auto const& p = *problem_;
    auto const one = [](std::uint32_t, std::uint32_t) { return 1.0; };
    double latest = 0;
    for (std::uint32_t v = 0; v < p.size(); ++v) {
      double others = 0; // ends of what is not its chain's
      for (auto const& e : p.in_edges(v))
        if (e.producer != p.before(v)) others = std::max(others, least_[e.producer]);
      auto& mine = value_[v];
      mine.assign(p.choices(v).size(), 0);
      if (p.before(v) == nobody)
        for (std::uint32_t c = 0; c < mine.size(); ++c) mine[c] = others + costs_.node(v, c);
      else {
        auto const take = [&](std::uint32_t c, double cost, std::uint32_t) {
          mine[c] = std::max(cost, others + costs_.node(v, c));
        };
        if (p.is_staged() || !costs_.may_look_at_moves())
          costs_.step(v, value_[p.before(v)], one, take);
        else
          costs_.step_with_moves(v, value_[p.before(v)], take);
      }
      least_[v] = *std::min_element(mine.begin(), mine.end());
      latest = std::max(latest, least_[v]);
    }
    return {safe(latest), "path"};
  }

  /// All accelerators together have so much time; then, after the last of what an operator depends on,
  /// comes that operator and a path. Prices of the accelerators' time are improved for `rounds` steps.
  [[nodiscard]] auto work(std::size_t rounds) -> bound {
    auto const& p = *problem_;
    find_tails();
    find_chains();
    // Which chains an operator depends on is a table of operators by chains.
    constexpr std::size_t most_ancestors = 2'000'000;
    bool const with_ancestors = p.size() * ends_.size() <= most_ancestors;
    if (with_ancestors) find_ancestors();
    bound best{0, "work"};
    std::optional<std::uint32_t> target;
    for (int turn = 0; turn < 2; ++turn) {
      std::vector<double> price(p.accelerators(), 0.0);
      for (std::size_t v = 0; v < p.size(); ++v)
        for (auto const& c : p.choices(v))
          for (auto const a : p.members(c.set)) price[a.index()] = 1;
      normalise(price);
      std::optional<std::uint32_t> promising;
      double most = 0;
      for (std::size_t round = 0; round < rounds; ++round) {
        walk_chains(price);
        auto const all = total({});
        if (auto const b = safe(all); b > best.value) best = {b, "work"};
        for (std::uint32_t j = 0; j < p.size() && with_ancestors; ++j) {
          if (p.in_edges(j).empty()) continue;
          auto const sum = total(j) + tail_[j];
          if (auto const b = safe(sum); b > best.value) best = {b, "work and path"};
          if (sum > most) {
            most = sum;
            promising = j;
          }
        }
        improve(price, target, 0.5 / (1.0 + static_cast<double>(round) / 8));
      }
      // Once for everything, once for what comes before the most promising operator.
      if (turn == 0) target = promising;
      if (!target) break;
    }
    return best;
  }

  /// The busiest accelerator works at least its part.
  [[nodiscard]] auto share(std::size_t rounds) -> bound {
    auto const& p = *problem_;
    find_chains();
    std::vector<double> price(p.accelerators(), 1.0);
    normalise(price);
    bound best{0, "work"};
    for (std::size_t round = 0; round < rounds; ++round) {
      walk_chains(price);
      best.value = std::max(best.value, safe(total({})));
      improve(price, {}, 0.5 / (1.0 + static_cast<double>(round) / 8));
    }
    return best;
  }

private:
  /// Rounded down, and by more than the error of a sum of doubles.
  [[nodiscard]] static auto safe(double ticks_) -> ticks {
    if (!(ticks_ < static_cast<double>(no_ticks))) return no_ticks;
    return static_cast<ticks>(std::max(0.0, ticks_ * (1 - 1e-9) - 1));
  }
  static void normalise(std::vector<double>& price) {
    double sum = 0;
    for (auto const x : price) sum += x;
    for (auto& x : price) x /= sum;
  }

  /// From the start of an operator to the end of everything behind it.
  void find_tails() {
    auto const& p = *problem_;
    tail_.assign(p.size(), 0);
    std::vector<std::vector<double>> rest(p.size()); // behind its inputs, by choice
    for (auto v = static_cast<std::uint32_t>(p.size()); v-- > 0;) {
      auto& mine = rest[v];
      mine.assign(p.choices(v).size(), 0);
      auto const next = p.next(v);
      double others = 0;
      for (auto const i : p.out_edges(v))
        if (auto const r = p.edges()[i].consumer; r != next) others = std::max(others, tail_[r]);
      if (next != nobody) costs_back(v, next, rest[next], mine);
      double least = std::numeric_limits<double>::infinity();
      for (std::uint32_t c = 0; c < mine.size(); ++c) {
        mine[c] = std::max(mine[c], others) + costs_.node(v, c);
        least = std::min(least, mine[c]);
      }
      tail_[v] = least;
    }
  }
  /// Least of what comes behind `u`, by its choice, from that of its chain's successor.
  void costs_back(std::uint32_t u, std::uint32_t v, std::vector<double> const& of_v,
                  std::vector<double>& to) const {
    auto const& p = *problem_;
    double elsewhere = std::numeric_limits<double>::infinity();
    for (std::uint32_t c = 0; c < of_v.size(); ++c)
      elsewhere = std::min(elsewhere, of_v[c] + costs_.inputs(v, c));
    for (std::uint32_t b = 0; b < to.size(); ++b) to[b] = elsewhere + costs_.results(u, b);
    if (!p.is_staged()) return;
    costs_.each_pair(v, [&](std::uint32_t c, std::uint32_t b, double pair) {
      to[b] = std::min(to[b], of_v[c] + pair);
    });
  }

  void find_chains() {
    auto const& p = *problem_;
    auto const n = p.size();
    chain_of_.assign(n, 0);
    depth_.assign(n, 0);
    std::uint32_t chains = 0;
    for (std::uint32_t v = 0; v < n; ++v) {
      auto const u = p.before(v);
      chain_of_[v] = u == nobody ? chains++ : chain_of_[u];
      depth_[v] = u == nobody ? 0 : depth_[u] + 1;
    }
    ends_.assign(chains, nobody);
    for (std::uint32_t v = 0; v < n; ++v)
      if (p.next(v) == nobody) ends_[chain_of_[v]] = v;
  }
  /// By operator, how far each chain goes that ends in one of its ancestors.
  void find_ancestors() {
    auto const& p = *problem_;
    auto const n = p.size();
    last_ancestor_.assign(n, {});
    for (std::uint32_t v = 0; v < n; ++v) {
      auto& mine = last_ancestor_[v];
      mine.assign(ends_.size(), nobody);
      for (auto const& e : p.in_edges(v)) {
        auto const take = [&](std::uint32_t u) {
          if (u == nobody) return;
          auto& last = mine[chain_of_[u]];
          if (last == nobody || depth_[u] > depth_[last]) last = u;
        };
        take(e.producer);
        for (auto const u : last_ancestor_[e.producer]) take(u);
      }
    }
  }

  /// Least priced time of every chain up to every operator.
  void walk_chains(std::vector<double> const& price) {
    auto const& p = *problem_;
    of_set_.assign(p.sets().size(), 0.0);
    for (std::uint32_t s = 0; s < p.sets().size(); ++s)
      for (auto const a : p.members(s)) of_set_[s] += price[a.index()];
    auto const weight = [&](std::uint32_t v, std::uint32_t c) {
      return of_set_[p.choices(v)[c].set];
    };
    for (std::uint32_t v = 0; v < p.size(); ++v) {
      auto& mine = value_[v];
      mine.resize(p.choices(v).size());
      from_[v].resize(mine.size());
      if (p.before(v) == nobody)
        for (std::uint32_t c = 0; c < mine.size(); ++c) mine[c] = weight(v, c) * costs_.node(v, c);
      else
        costs_.step(v, value_[p.before(v)], weight,
                    [&](std::uint32_t c, double cost, std::uint32_t b) {
                      mine[c] = cost;
                      from_[v][c] = b;
                    });
      least_[v] = *std::min_element(mine.begin(), mine.end());
    }
  }
  /// Priced time of everything, or of what `before` depends on.
  [[nodiscard]] auto total(std::optional<std::uint32_t> before) const -> double {
    double sum = 0;
    for (auto const v : before ? last_ancestor_[*before] : ends_)
      if (v != nobody) sum += least_[v];
    return sum;
  }

  /// Accelerators that the cheapest choices would load more than others become dearer.
  void improve(std::vector<double>& price, std::optional<std::uint32_t> before, double step) {
    auto const& p = *problem_;
    load_.assign(p.accelerators(), 0.0);
    for (auto v : before ? last_ancestor_[*before] : ends_) {
      if (v == nobody) continue;
      auto c = static_cast<std::uint32_t>(std::min_element(value_[v].begin(), value_[v].end()) -
                                          value_[v].begin());
      while (true) {
        auto const u = p.before(v);
        auto const& choice = p.choices(v)[c];
        auto const b = u == nobody ? 0 : from_[v][c];
        auto const w = of_set_[choice.set];
        double const priced = value_[v][c] - (u == nobody ? 0.0 : value_[u][b]);
        if (w > 0)
          for (auto const a : p.members(choice.set)) load_[a.index()] += priced / w;
        if (u == nobody) break;
        v = u;
        c = b;
      }
    }
    auto const most = *std::max_element(load_.begin(), load_.end());
    if (!(most > 0)) return;
    for (std::size_t a = 0; a < price.size(); ++a) price[a] *= 1 + step * (load_[a] / most - 0.5);
    normalise(price);
  }

  later<schedule_problem, D> const* problem_;
  basic_chain_costs<D> costs_;
  std::vector<std::vector<double>> value_;                ///< by position and choice
  std::vector<std::vector<std::uint32_t>> from_;          ///< where the least came from
  std::vector<double> least_;                             ///< by position
  std::vector<double> tail_;                              ///< by position
  std::vector<std::uint32_t> chain_of_, depth_;           ///< by position
  std::vector<std::vector<std::uint32_t>> last_ancestor_; ///< by position and chain
  std::vector<std::uint32_t> ends_;                       ///< by chain
  std::vector<double> of_set_, load_;
};

/// What does not look at neighbours: the longest path of least durations, and the least work shared by
/// all accelerators. O(choices) of the classes, O(V + E).
template <deferred D = when_called>
[[nodiscard]] auto plain_schedule_bound(later<schedule_problem, D> const& p) -> bound {
  later<std::vector<ticks>, D> least, work; // by class of operators
  later<std::vector<ticks>, D> end(p.size());
  ticks latest = 0, all = 0;
  for (std::size_t v = 0; v < p.size(); ++v) {
    auto const k = p.op_class(v);
    if (k >= least.size()) {
      least.resize(k + 1, -1);
      work.resize(k + 1, -1);
    }
    if (least[k] < 0) {
      least[k] = work[k] = no_ticks;
      for (auto const& c : p.choices(v)) {
        auto const members = static_cast<ticks>(p.members(c.set).size());
        least[k] = std::min(least[k], c.least);
        work[k] = std::min(work[k], c.least > no_ticks / members ? no_ticks : c.least * members);
      }
    }
    for (auto const& e : p.in_edges(v)) end[v] = std::max(end[v], end[e.producer]);
    end[v] = std::min(no_ticks, end[v] + least[k]);
    latest = std::max(latest, end[v]);
    all = std::min(no_ticks, all + work[k]);
  }
  all /= static_cast<ticks>(std::max<std::size_t>(1, p.accelerators()));
  if (p.how() == aggregate::bottleneck || all > latest) return {all, "work"};
  return {latest, "path"};
}

} // namespace detail

/// The best lower bound on the value of any assignment of a problem: along paths of operators (the
/// bound is named "path"), of all accelerators' time ("work"), and of the time before an operator and
/// a path behind it ("work and path"). What neighbours on one set must still exchange is in all of
/// them, except in problems with more than eight million choices of all operators together, whose bound
/// looks at no neighbours; with more than two million, rounds become fewer.
/// O(rounds · choices · choices of an operator on one set).
template <deferred D = when_called>
[[nodiscard]] auto schedule_bound(later<schedule_problem, D> const& p, std::size_t rounds = 100)
    -> bound {
  if (p.size() == 0) return {};
  constexpr std::size_t most_choices = 8'000'000, effort = 200'000'000;
  std::size_t choices = 0;
  for (std::size_t v = 0; v < p.size(); ++v) choices += p.choices(v).size();
  if (choices > most_choices) return detail::plain_schedule_bound<D>(p);
  rounds = std::min(rounds, effort / std::max<std::size_t>(1, choices));
  detail::basic_schedule_bounds<D> bounds{p};
  if (p.how() == aggregate::bottleneck) return bounds.share(rounds);
  auto const path = bounds.path();
  auto const work = bounds.work(rounds);
  return work.value > path.value ? work : path;
}

} // namespace mars
