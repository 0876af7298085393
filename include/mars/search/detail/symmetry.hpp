// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>
#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace mars::search::detail {

/// The symmetries of a problem's candidate sets: permutations that keep each set's class and capacity
/// and the class of every pair, and so the value of every assignment. They are what the automorphisms
/// of the interconnect leave of themselves in the tables (links, routes, memory and designs are in the
/// classes), and are computed from there: colour refinement, then backtracking where colours do not
/// decide. Finding fewer than there are is safe; the number of trials is bounded.
template <deferred D = when_called>
class basic_set_symmetry {
public:
  explicit basic_set_symmetry(later<mapping_problem, D> const& problem) : p_{&problem} {}

  /// What each set may be used for: sets are told apart by it. Empty = the set is of no concern.
  using use = std::vector<std::vector<bool>>;

  /// A permutation of the sets that turns `a` into `b`, as image of every set of concern.
  [[nodiscard]] auto from_to(use const& a, use const& b) const
      -> later<std::optional<std::vector<std::uint32_t>>, D> {
    std::map<colour_key, std::uint32_t> names;
    auto left = painted(a, names);
    auto right = painted(b, names);
    if (left.sets.size() != right.sets.size() || left.sets.size() > most_sets) return std::nullopt;
    std::size_t trials = most_trials;
    if (!extend(left, right, trials)) return std::nullopt;
    later<std::vector<std::uint32_t>, D> image(p_->sets().size());
    for (std::uint32_t s = 0; s < image.size(); ++s) image[s] = s;
    for (std::size_t i = 0; i < left.sets.size(); ++i)
      for (std::size_t j = 0; j < right.sets.size(); ++j)
        if (left.colour[i] == right.colour[j]) image[left.sets[i]] = right.sets[j];
    return image;
  }

  /// The sets that some symmetry of `a` turns `set` into; itself at least.
  [[nodiscard]] auto orbit(use const& a, std::uint32_t set) const
      -> later<std::vector<std::uint32_t>, D> {
    later<std::vector<std::uint32_t>, D> all{set};
    for (std::uint32_t other = 0; other < p_->sets().size(); ++other) {
      if (std::find(all.begin(), all.end(), other) != all.end() || a[other] != a[set]) continue;
      auto from = a;
      auto to = a;
      from[set].push_back(true); // a colour of its own
      to[other].push_back(true);
      auto const image = from_to(from, to);
      if (!image) continue;
      // Its powers are symmetries, too.
      for (auto s = (*image)[set]; s != set; s = (*image)[s])
        if (std::find(all.begin(), all.end(), s) == all.end()) all.push_back(s);
    }
    return all;
  }

private:
  static constexpr std::size_t most_sets = 64;
  static constexpr std::size_t most_trials = 200;
  using colour_key = std::vector<std::int64_t>;

  struct painting {
    later<std::vector<std::uint32_t>, D> sets; ///< of concern
    later<std::vector<std::uint32_t>, D> colour;
  };

  [[nodiscard]] auto painted(use const& a, std::map<colour_key, std::uint32_t>& names) const
      -> painting {
    painting x;
    for (std::uint32_t s = 0; s < a.size(); ++s) {
      if (a[s].empty()) continue;
      colour_key key{p_->sets()[s].set_class, p_->sets()[s].capacity};
      for (bool const used : a[s]) key.push_back(used);
      x.sets.push_back(s);
      x.colour.push_back(number(names, std::move(key)));
    }
    return x;
  }
  static auto number(std::map<colour_key, std::uint32_t>& names, colour_key key) -> std::uint32_t {
    return names.try_emplace(std::move(key), static_cast<std::uint32_t>(names.size()))
        .first->second;
  }

  [[nodiscard]] auto pair(std::uint32_t a, std::uint32_t b) const -> std::int64_t {
    return a == b || p_->disjoint(a, b) ? static_cast<std::int64_t>(p_->pair_class(a, b)) : -1;
  }
  [[nodiscard]] auto seen_from(painting const& x, std::size_t i) const -> colour_key {
    later<std::vector<std::array<std::int64_t, 3>>, D> around;
    for (std::size_t j = 0; j < x.sets.size(); ++j)
      around.push_back({pair(x.sets[i], x.sets[j]), pair(x.sets[j], x.sets[i]), x.colour[j]});
    sort_ascending(around);
    colour_key key{x.colour[i]};
    for (auto const& a : around)
      for (auto const number : a) key.push_back(number);
    return key;
  }

  /// Gives sets that are seen differently different colours, alike on both sides, until nothing
  /// changes. False when the two sides cannot be the same.
  [[nodiscard]] auto refine(painting& left, painting& right) const -> bool {
    for (std::size_t colours = 0;;) {
      std::map<colour_key, std::uint32_t> names;
      later<std::vector<std::uint32_t>, D> l, r;
      for (std::size_t i = 0; i < left.sets.size(); ++i)
        l.push_back(number(names, seen_from(left, i)));
      auto const known = names.size();
      for (std::size_t i = 0; i < right.sets.size(); ++i)
        r.push_back(number(names, seen_from(right, i)));
      if (names.size() != known) return false;
      later<std::vector<int>, D> balance(known);
      for (auto const c : l) ++balance[c];
      for (auto const c : r) --balance[c];
      if (std::any_of(balance.begin(), balance.end(), [](int n) { return n != 0; })) return false;
      left.colour = std::move(l);
      right.colour = std::move(r);
      if (known == colours) return true;
      colours = known;
    }
  }

  /// Colours both sides until each colour is on one set of each side, and the sides agree.
  [[nodiscard]] auto extend(painting& left, painting& right, std::size_t& trials) const -> bool {
    if (trials == 0) return false;
    --trials;
    if (!refine(left, right)) return false;
    later<std::vector<std::size_t>, D> count(left.sets.size());
    for (auto const c : left.colour) ++count[c];
    std::size_t chosen = left.sets.size();
    for (std::size_t i = 0; i < left.sets.size(); ++i)
      if (count[left.colour[i]] > 1 &&
          (chosen == left.sets.size() || count[left.colour[i]] < count[left.colour[chosen]]))
        chosen = i;
    if (chosen == left.sets.size()) return true; // refined and discrete: pairs agree, too
    auto const fresh = static_cast<std::uint32_t>(left.sets.size());
    for (std::size_t j = 0; j < right.sets.size(); ++j) {
      if (right.colour[j] != left.colour[chosen]) continue;
      auto l = left;
      auto r = right;
      l.colour[chosen] = r.colour[j] = fresh;
      if (!extend(l, r, trials)) continue;
      left = std::move(l);
      right = std::move(r);
      return true;
    }
    return false;
  }

  later<mapping_problem, D> const* p_;
};
using set_symmetry = basic_set_symmetry<>;

} // namespace mars::search::detail
