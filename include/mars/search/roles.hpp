// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/core/random.hpp>
#include <mars/search/detail/relax.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace mars::search {

/// An assignment with its value, as genetic searches breed it.
struct individual {
  assignment genome;
  assignment_value value;
};

/// What level 1 needs to know of operators before the search (MARS's profiling): the least value of
/// every operator on every candidate slot, summed along the order.
template <deferred D = when_called>
class basic_profile {
public:
  explicit basic_profile(later<mapping_problem, D> const& problem) {
    sums_.resize(problem.sets().size());
    for (std::uint32_t s = 0; s < sums_.size(); ++s) {
      sums_[s].resize(problem.designs(s).size());
      for (std::uint32_t d = 0; d < sums_[s].size(); ++d) {
        auto& sum = sums_[s][d];
        sum.assign(problem.size() + 1, 0.0);
        for (std::size_t v = 0; v < problem.size(); ++v) {
          auto const& node = problem.row(v, s).node[d];
          sum[v + 1] = sum[v] + static_cast<double>(*std::min_element(node.begin(), node.end()));
        }
      }
    }
  }

  /// Least value of the operators at positions [first, last) on a slot, tensors moving for free.
  [[nodiscard]] auto value(slot s, std::size_t first, std::size_t last) const -> double {
    return sums_[s.set][s.design][last] - sums_[s.set][s.design][first];
  }

  /// Normalised scores of the designs of a set for a range, in (0, 1]: 1 for the fastest.
  [[nodiscard]] auto scores(std::uint32_t set, std::size_t first, std::size_t last) const
      -> later<std::vector<double>, D> {
    later<std::vector<double>, D> s;
    double best = std::numeric_limits<double>::infinity();
    for (std::uint32_t d = 0; d < sums_[set].size(); ++d) {
      s.push_back(value({set, d}, first, last));
      best = std::min(best, s.back());
    }
    for (auto& x : s) x = x > 0 ? best / x : 1.0;
    return s;
  }

private:
  later<std::vector<std::vector<std::vector<double>>>, D> sums_; ///< [set][design][position]
};
using profile = basic_profile<>;

namespace roles {

/// The cheapest sharding of an operator on a slot, seen alone: where level 2 starts from.
template <deferred D = when_called>
void reset_choice(later<mapping_problem, D> const& p, later<assignment, D>& a, std::size_t v) {
  auto const here = a.slots[a.slot_of[v]];
  auto const& node = p.row(v, here.set).node[here.design];
  a.choice_of[v] =
      static_cast<std::uint16_t>(std::min_element(node.begin(), node.end()) - node.begin());
}

/// MARS's level-2 genome, for a whole range of operators at once: a random priority in [0, 1) for each
/// name of a dimension, decoded into the exclusive sharding whose cuts have the highest priorities.
/// Neighbours so end up with shardings that go together, which is where good mappings lie.
template <deferred D = when_called>
class basic_priorities {
public:
  explicit basic_priorities(random_stream& random) : key_{random.next_u64()} {}

  void operator()(later<mapping_problem, D> const& p, later<assignment, D>& a,
                  std::size_t v) const {
    auto const names = p.dims(v);
    auto const here = a.slots[a.slot_of[v]];
    auto const all = p.shardings(v, here.set);
    auto const& row = p.row(v, here.set);
    auto const& node = row.node[here.design];
    double best = -1;
    for (std::size_t c = 0; c < all.size(); ++c) {
      if (all[c].shared || all[c].scatter) continue;
      double score = 0;
      double rank = 1; // the order of the cuts counts a little: it decides who is next to whom
      for (auto const& cut : all[c].exclusive) {
        score += std::log2(cut.ways) * of(names[cut.dim]) * rank;
        rank *= 0.999;
      }
      // Of the ways to run with one sharding the cheapest: it may be infinite with this design.
      if (score > best || (score == best && !row.variant.empty() && all[c] == all[a.choice_of[v]] &&
                           node[c] < node[a.choice_of[v]])) {
        best = score;
        a.choice_of[v] = static_cast<std::uint16_t>(c);
      }
    }
  }

private:
  [[nodiscard]] auto of(label name) const -> double {
    auto const bits = hash_combine(key_, fnv1a(name.view())) >> 11;
    return static_cast<double>(bits) * 0x1p-53;
  }
  std::uint64_t key_;
};
using priorities = basic_priorities<>;

/// Seeding: a random partition into candidate sets, designs drawn by normalised score, cuts of the
/// order that give each set work in proportion to its speed (MARS §6); shardings by random priorities
/// of the dimensions, or each operator's cheapest.
template <deferred D = when_called>
struct basic_proportional_seeding {
  std::size_t most_sets{4};

  auto operator()(later<mapping_problem, D> const& p, basic_profile<D> const& known,
                  random_stream& random) const -> assignment {
    assignment a;
    auto const wanted = 1 + random.below(most_sets);
    later<std::vector<std::uint32_t>, D> open(p.sets().size());
    for (std::uint32_t s = 0; s < open.size(); ++s) open[s] = s;
    while (a.slots.size() < wanted && !open.empty()) {
      // Larger sets more often: in proportion to their size.
      later<std::vector<double>, D> weights;
      for (auto const s : open)
        weights.push_back(static_cast<double>(p.sets()[s].accelerators.size()));
      auto const set = open[random.pick_weighted(weights)];
      auto const scores = known.scores(set, 0, p.size());
      a.slots.push_back({set, static_cast<std::uint32_t>(random.pick_weighted(scores))});
      std::erase_if(open, [&](std::uint32_t s) { return !p.disjoint(s, set); });
    }
    later<std::vector<double>, D> speed;
    double total = 0;
    for (auto const s : a.slots) {
      speed.push_back(1.0 / std::max(1.0, known.value(s, 0, p.size())));
      total += speed.back();
    }
    double const all = known.value(a.slots[0], 0, p.size());
    double share = 0;
    std::uint16_t s = 0;
    for (std::size_t v = 0; v < p.size(); ++v) {
      while (s + 1U < a.slots.size() &&
             known.value(a.slots[0], 0, v) >= all * (share + speed[s]) / total)
        share += speed[s++];
      a.slot_of.push_back(s);
    }
    a.choice_of.resize(p.size());
    bool const cheapest = random.chance(0.25);
    basic_priorities<D> const decode{random};
    for (std::size_t v = 0; v < p.size(); ++v)
      if (cheapest)
        reset_choice(p, a, v);
      else
        decode(p, a, v);
    return a;
  }
};
using proportional_seeding = basic_proportional_seeding<>;

/// Selection: the better of `rounds` individuals drawn at random.
struct tournament {
  std::size_t rounds{2};

  [[nodiscard]] auto operator()(std::span<individual const> population, random_stream& random) const
      -> std::size_t {
    auto best = random.below(population.size());
    for (std::size_t i = 1; i < rounds; ++i)
      if (auto const other = random.below(population.size());
          population[other].value < population[best].value)
        best = other;
    return static_cast<std::size_t>(best);
  }
};

/// Crossover: a range of the order is taken over from the second parent, sets, designs and shardings
/// included, as far as its sets do not overlap those of the first.
template <deferred D = when_called>
struct basic_range_crossover {
  double probability{0.5};

  void operator()(later<mapping_problem, D> const& p, later<assignment, D>& child,
                  later<assignment, D> const& other, random_stream& random) const {
    if (!random.chance(probability)) return;
    auto first = random.below(p.size());
    auto last = random.below(p.size());
    if (first > last) std::swap(first, last);
    for (auto v = first; v <= last; ++v) {
      auto const wanted = other.slots[other.slot_of[v]];
      auto const same = std::find_if(child.slots.begin(), child.slots.end(),
                                     [&](slot const& s) { return s.set == wanted.set; });
      if (same == child.slots.end()) {
        if (!std::all_of(child.slots.begin(), child.slots.end(),
                         [&](slot const& s) { return p.disjoint(s.set, wanted.set); }))
          continue;
        child.slots.push_back(wanted);
        child.slot_of[v] = static_cast<std::uint16_t>(child.slots.size() - 1);
      } else {
        child.slot_of[v] = static_cast<std::uint16_t>(same - child.slots.begin());
      }
      child.choice_of[v] = other.choice_of[v];
    }
  }
};
using range_crossover = basic_range_crossover<>;

/// Mutation, one to `most` of: another design for a slot; another set for a slot; a range of the
/// order handed to another slot, old or new; a boundary between slots moved; a range of shardings
/// shaken; one operator put anywhere, in any sharding. Shardings that lose their set start again from
/// the cheapest.
template <deferred D = when_called>
struct basic_mixed_mutation {
  std::size_t most{2};

  void operator()(later<mapping_problem, D> const& p, basic_profile<D> const& known,
                  later<assignment, D>& a, random_stream& random) const {
    for (auto n = 1 + random.below(most); n-- > 0;) switch (random.below(6)) {
      case 0: change_design(p, a, random); break;
      case 1: change_set(p, known, a, random); break;
      case 2: hand_over(p, known, a, random); break;
      case 3: move_boundary(p, a, random); break;
      case 4: move_operator(p, a, random); break;
      default: shake(p, a, random); break;
      }
    drop_unused(a);
  }

private:
  static void assign(later<mapping_problem, D> const& p, later<assignment, D>& a, std::size_t v,
                     std::size_t s) {
    bool const same_rows = &p.row(v, a.slots[a.slot_of[v]].set) == &p.row(v, a.slots[s].set);
    a.slot_of[v] = static_cast<std::uint16_t>(s);
    if (!same_rows) reset_choice(p, a, v);
  }
  static auto draw_design(later<mapping_problem, D> const& p, basic_profile<D> const& known,
                          std::uint32_t set, random_stream& random) -> std::uint32_t {
    return static_cast<std::uint32_t>(random.pick_weighted(known.scores(set, 0, p.size())));
  }

  static void change_design(later<mapping_problem, D> const& p, later<assignment, D>& a,
                            random_stream& random) {
    auto& s = a.slots[random.below(a.slots.size())];
    s.design = static_cast<std::uint32_t>(random.below(p.designs(s.set).size()));
  }

  /// Puts `set` in the place of slot `s`; slots that overlap it give their operators to it.
  static void replace(later<mapping_problem, D> const& p, later<assignment, D>& a, std::size_t s,
                      slot with) {
    later<std::vector<bool>, D> lost(a.slots.size());
    for (std::size_t i = 0; i < a.slots.size(); ++i)
      lost[i] = i == s || !p.disjoint(a.slots[i].set, with.set);
    a.slots.push_back(with);
    for (std::size_t v = 0; v < p.size(); ++v)
      if (lost[a.slot_of[v]]) assign(p, a, v, a.slots.size() - 1);
    drop_unused(a);
  }
  static void change_set(later<mapping_problem, D> const& p, basic_profile<D> const& known,
                         later<assignment, D>& a, random_stream& random) {
    auto const set = static_cast<std::uint32_t>(random.below(p.sets().size()));
    // Drawn one after the other: the order in which arguments are evaluated is the compiler's.
    auto const s = random.below(a.slots.size());
    auto const design = draw_design(p, known, set, random);
    replace(p, a, s, {set, design});
  }

  static void hand_over(later<mapping_problem, D> const& p, basic_profile<D> const& known,
                        later<assignment, D>& a, random_stream& random) {
    auto first = random.below(p.size());
    auto last = std::min(p.size() - 1, first + random.below(1 + p.size() / 2));
    auto s = random.below(a.slots.size() + 1);
    if (s == a.slots.size()) {
      auto const set = static_cast<std::uint32_t>(random.below(p.sets().size()));
      if (!std::all_of(a.slots.begin(), a.slots.end(),
                       [&](slot const& o) { return p.disjoint(o.set, set); }))
        return;
      a.slots.push_back({set, draw_design(p, known, set, random)});
    }
    for (auto v = first; v <= last; ++v) assign(p, a, v, s);
  }

  static void move_boundary(later<mapping_problem, D> const& p, later<assignment, D>& a,
                            random_stream& random) {
    later<std::vector<std::size_t>, D> cuts;
    for (std::size_t v = 1; v < p.size(); ++v)
      if (a.slot_of[v] != a.slot_of[v - 1]) cuts.push_back(v);
    if (cuts.empty()) return;
    auto const cut = random.pick(cuts);
    auto const reach = 1 + random.below(1 + p.size() / 8);
    auto const left = a.slot_of[cut - 1];
    auto const right = a.slot_of[cut];
    if (random.chance(0.5))
      for (auto v = cut; v < std::min<std::size_t>(p.size(), cut + reach); ++v)
        assign(p, a, v, left);
    else
      for (auto v = cut; v-- > (cut > reach ? cut - reach : 0);) assign(p, a, v, right);
  }

  static void shake(later<mapping_problem, D> const& p, later<assignment, D>& a,
                    random_stream& random) {
    auto const first = random.below(p.size());
    auto const length = random.chance(0.5) ? 1 + random.below(8) : 1 + random.below(p.size());
    basic_priorities<D> const decode{random};
    for (auto v = first; v < std::min<std::size_t>(p.size(), first + length); ++v) decode(p, a, v);
  }

  /// What no sum of prices would choose: the way to a busiest set that is less busy, or to the last
  /// bytes that fit.
  static void move_operator(later<mapping_problem, D> const& p, later<assignment, D>& a,
                            random_stream& random) {
    auto const v = random.below(p.size());
    if (random.chance(0.5)) a.slot_of[v] = static_cast<std::uint16_t>(random.below(a.slots.size()));
    a.choice_of[v] =
        static_cast<std::uint16_t>(random.below(p.shardings(v, a.slots[a.slot_of[v]].set).size()));
  }

  static void drop_unused(later<assignment, D>& a) {
    later<std::vector<int>, D> renamed(a.slots.size(), -1);
    later<std::vector<slot>, D> used;
    for (auto& s : a.slot_of) {
      if (renamed[s] < 0) {
        renamed[s] = static_cast<int>(used.size());
        used.push_back(a.slots[s]);
      }
      s = static_cast<std::uint16_t>(renamed[s]);
    }
    a.slots = std::move(used);
  }
};
using mixed_mutation = basic_mixed_mutation<>;

/// Improvement of shardings (level 2's local search): exact relaxation along paths; where memory
/// overflows or too much is spent, bytes or what is spent get a price that rises until the assignment
/// keeps within its limits, and then falls again as far as it still does.
template <deferred D = when_called>
struct basic_path_improvement {
  int rounds{8};
  int price_steps{24};
  int refinements{5}; ///< halvings of the interval in which the right price lies

  /// Returns the number of choices priced; `who` ends no worse than it began.
  auto operator()(later<mapping_problem, D> const& p, detail::basic_path_relaxation<D>& relax,
                  later<individual, D>& who) const -> std::uint64_t {
    auto candidate = who.genome;
    auto priced = relax(candidate, {}, rounds);
    keep_better(p, candidate, who);
    if (who.value.within_limits()) return priced;
    // A price at which all of it together weighs a thousandth of the value, then doubled. By slot, a
    // byte's; behind those, that of a unit of spending.
    later<std::vector<double>, D> price(candidate.slots.size() + 1);
    later<std::vector<double>, D> too_low;
    auto const raise = [&](double& one, std::int64_t of) {
      auto const start = 1e-3 * static_cast<double>(who.value.value) /
                         static_cast<double>(std::max<std::int64_t>(1, of));
      one = one > 0 ? 2 * one : std::max(start, 1e-6);
    };
    for (int step = 0; step < price_steps && !who.value.within_limits(); ++step) {
      too_low = price;
      auto const peak = p.peak_bytes(candidate);
      for (std::size_t s = 0; s < peak.size(); ++s)
        if (peak[s] > p.sets()[candidate.slots[s].set].capacity) raise(price[s], peak[s]);
      if (p.overspent(candidate) > 0) raise(price.back(), p.spending_limit());
      priced += relax(candidate, price, rounds);
      keep_better(p, candidate, who);
    }
    if (!who.value.within_limits()) return priced;
    later<std::vector<double>, D> between(price.size());
    for (int step = 0; step < refinements; ++step) {
      for (std::size_t s = 0; s < price.size(); ++s) between[s] = (too_low[s] + price[s]) / 2;
      priced += relax(candidate, between, rounds);
      keep_better(p, candidate, who);
      (p.evaluate(candidate).within_limits() ? price : too_low) = between;
    }
    return priced;
  }

private:
  static void keep_better(later<mapping_problem, D> const& p, later<assignment, D> const& candidate,
                          later<individual, D>& who) {
    if (auto const value = p.evaluate(candidate); value < who.value) {
      who.value = value;
      who.genome = candidate;
    }
  }
};
using path_improvement = basic_path_improvement<>;

} // namespace roles

} // namespace mars::search
