// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/core/sort.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/relax.hpp>
#include <mars/search/meter.hpp>
#include <mars/search/roles.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace mars::search {

/// Places one operator after another in topological order and keeps only the most promising partial
/// assignments: by what they cost, and what the rest costs at least on the sets they leave open. Of
/// those that look alike from what follows — same slots, same layouts of the tensors still to be read
/// — only the cheapest stays. Pass after pass, each twice as wide; the answers are relaxed along
/// paths.
///
/// Prefer it: where the order matters more than the sets, and to have an answer whose quality grows
/// steadily with the time given. Deterministic. Complexity of a pass: operators · width · slots ·
/// choices.
template <deferred D = when_called>
struct basic_beam {
  std::size_t widest{256};
  std::uint64_t evaluations{400'000'000}; ///< choices priced, unless the context has a budget

  [[nodiscard]] auto name() const -> std::string_view { return "beam"; }

  [[nodiscard]] auto operator()(later<mapping_problem, D> const& problem,
                                search_context const& context) const -> solution {
    meter clock{context, evaluations};
    solution result;
    result.bound = static_bound(problem);
    roles::path_improvement const improve{};
    detail::path_relaxation relax{problem};
    individual start{context.start ? *context.start : first(problem), {}};
    start.value = problem.evaluate(start.genome);
    clock.count(1 + (problem.size() > 0 ? improve(problem, relax, start) : 0));
    result.best = std::move(start.genome);
    result.value = start.value;
    clock.report(result.value, result.bound, name());
    pass one{problem, clock};
    for (std::size_t width = 1; problem.size() > 0 && width <= widest && !clock.spent();
         width *= 2) {
      individual found{one(width), {}};
      if (found.genome.slots.empty()) break; // out of budget
      found.value = problem.evaluate(found.genome);
      clock.count(improve(problem, relax, found));
      if (!(found.value < result.value)) continue;
      result.best = std::move(found.genome);
      result.value = found.value;
      clock.report(result.value, result.bound, name());
    }
    result.evaluations = clock.evaluations();
    return result;
  }

private:
  [[nodiscard]] static auto first(later<mapping_problem, D> const& problem) -> assignment {
    assignment a{{}, std::vector<std::uint16_t>(problem.size()), {}};
    if (problem.size() > 0) a.slots.push_back({0, 0});
    a.choice_of.resize(problem.size());
    for (std::size_t v = 0; v < problem.size(); ++v) roles::reset_choice(problem, a, v);
    return a;
  }

  class pass {
  public:
    pass(later<mapping_problem, D> const& problem, meter& clock) : p_{problem}, clock_{clock} {}

    /// The best assignment of a beam of this width; none when the budget ends before it does.
    auto operator()(std::size_t width) -> assignment {
      trail_.clear();
      std::vector<partial> kept(1), next;
      for (std::size_t v = 0; v < p_.size(); ++v) {
        candidates_.clear();
        for (std::size_t k = 0; k < kept.size(); ++k) {
          extend(kept[k], k, v);
          if (out_of_budget_ || clock_.interrupted()) return {};
        }
        sort_ascending(candidates_);
        next.clear();
        alike_.clear();
        for (auto const& c : candidates_) {
          if (next.size() == width) break;
          auto child = grow(kept[c.parent], c, v);
          if (alike_.insert(look(child)).second) next.push_back(std::move(child));
        }
        std::swap(kept, next);
      }
      return trace(kept.front());
    }

  private:
    struct used_slot {
      slot where;
      ticks load{};
      std::int64_t resident{}, live{}, demand{}; ///< bytes; demand: the most at once so far
    };
    /// A tensor that is still to be read: whose, and how its producer was placed.
    struct live_tensor {
      std::uint32_t position{};
      std::uint16_t slot{};
      std::uint16_t choice{};
    };
    struct partial {
      std::vector<used_slot> slots;
      std::vector<live_tensor> live;
      ticks total{};
      ticks spent{};
      std::size_t trail{none}; ///< the last placement
    };
    struct placement {
      std::size_t before{none};
      std::uint16_t slot{};
      std::uint16_t choice{};
    };
    struct candidate {
      assignment_value value; ///< with what the rest costs at least
      std::size_t parent{};
      std::uint16_t slot{}; ///< the number of slots = a new one
      mars::slot where;
      std::uint16_t choice{};
      ticks added{};         ///< its own value and that of what it reads
      std::int64_t demand{}; ///< bytes while it runs

      friend auto operator<(candidate const& a, candidate const& b) -> bool {
        if (a.value < b.value || b.value < a.value) return a.value < b.value;
        if (a.parent != b.parent) return a.parent < b.parent;
        return a.slot != b.slot     ? a.slot < b.slot
               : a.where != b.where ? a.where < b.where
                                    : a.choice < b.choice;
      }
    };
    static constexpr auto none = static_cast<std::size_t>(-1);
    /// What the operators still to be placed cost and spend at least.
    struct remainder {
      ticks value{}, spent{};
    };

    void extend(partial const& from, std::size_t parent, std::size_t v) {
      for (std::uint16_t s = 0; s < from.slots.size(); ++s)
        place(from, parent, v, s, from.slots[s].where);
      for (std::uint32_t set = 0; set < p_.sets().size(); ++set) {
        if (!std::all_of(from.slots.begin(), from.slots.end(),
                         [&](used_slot const& o) { return p_.disjoint(o.where.set, set); }))
          continue;
        for (std::uint32_t d = 0; d < p_.designs(set).size(); ++d)
          place(from, parent, v, static_cast<std::uint16_t>(from.slots.size()), {set, d});
      }
    }

    /// The cheapest choice for each way of leaving the results.
    void place(partial const& from, std::size_t parent, std::size_t v, std::uint16_t s,
               slot where) {
      auto const& row = p_.row(v, where.set);
      auto const& node = row.node[where.design];
      if (clock_.evaluations() + node.size() > clock_.limit()) out_of_budget_ = true;
      if (out_of_budget_) return;
      auto const& group = groups_of(row);
      candidate nobody;
      nobody.parent = none;
      best_.assign(group.count, nobody);
      auto const here = s < from.slots.size() ? from.slots[s] : used_slot{where, 0, 0, 0, 0};
      auto const& rest = rest_of(from, s, where)[v + 1];
      for (std::size_t c = 0; c < node.size(); ++c) {
        candidate x{{}, parent, s, where, static_cast<std::uint16_t>(c), node[c], 0};
        x.demand = here.live + row.transient[c];
        for (auto const i : p_.in_edges(v)) {
          auto const& e = p_.edges()[i];
          auto const& read = producer(from, e.producer);
          auto const set = from.slots[read.slot].where.set;
          auto const at = p_.edge_index(e, set, read.choice, where.set, c);
          auto const& table = p_.table(e, set, where.set);
          x.added = mapping_problem::add(x.added, table.time[at]);
          x.demand += table.missing[at];
        }
        x.value = worth(from, v, x, rest);
        auto& best = best_[group.of_choice[c]];
        if (best.parent == none || x < best) best = x;
      }
      clock_.count(node.size());
      for (auto const& x : best_)
        if (x.parent != none) candidates_.push_back(x);
    }

    /// Value so far and at least to come; bytes and spending beyond the limits so far.
    [[nodiscard]] auto worth(partial const& from, std::size_t v, candidate const& x,
                             remainder const& rest) const -> assignment_value {
      assignment_value w{0, 0, 0};
      auto const s = x.slot;
      auto const& row = p_.row(v, x.where.set);
      auto const over = [&](used_slot const& u, std::int64_t resident, std::int64_t demand) {
        return std::max<std::int64_t>(0, resident + demand - p_.sets()[u.where.set].capacity);
      };
      ticks heaviest = 0;
      bool fresh = true;
      for (std::uint16_t i = 0; i < from.slots.size(); ++i) {
        auto const& u = from.slots[i];
        fresh = fresh && i != s;
        w.overflow_bytes +=
            i == s ? over(u, u.resident + row.resident[x.choice], std::max(u.demand, x.demand))
                   : over(u, u.resident, u.demand);
        heaviest = std::max(heaviest, i == s ? mapping_problem::add(u.load, x.added) : u.load);
      }
      if (fresh) {
        w.overflow_bytes += over({x.where, 0, 0, 0, 0}, row.resident[x.choice], x.demand);
        heaviest = std::max(heaviest, x.added);
      }
      if (p_.limits_spending()) {
        auto const spent = mapping_problem::add(from.spent, p_.spent(v, x.where, x.choice));
        w.overspent =
            std::max<ticks>(0, mapping_problem::add(spent, rest.spent) - p_.spending_limit());
      }
      auto const sum = mapping_problem::add(mapping_problem::add(from.total, x.added), rest.value);
      // The busiest slot decides; while none is, the sum keeps the beam from piling up work.
      w.value = p_.how() == aggregate::sum
                    ? sum
                    : std::max(heaviest, sum / static_cast<ticks>(p_.accelerators()));
      return w;
    }

    [[nodiscard]] auto grow(partial const& from, candidate const& x, std::size_t v) -> partial {
      auto to = from;
      auto const& row = p_.row(v, x.where.set);
      if (x.slot == to.slots.size()) to.slots.push_back({x.where, 0, 0, 0, 0});
      auto& u = to.slots[x.slot];
      u.load = mapping_problem::add(u.load, x.added);
      u.resident += row.resident[x.choice];
      u.demand = std::max(u.demand, x.demand);
      u.live += row.kept[x.choice];
      to.total = mapping_problem::add(to.total, x.added);
      to.spent = mapping_problem::add(to.spent, p_.spent(v, x.where, x.choice));
      to.live.push_back({static_cast<std::uint32_t>(v), x.slot, x.choice});
      for (auto const dropped : p_.freed_after(v)) {
        auto const t = producer(to, dropped);
        auto& holder = to.slots[t.slot];
        holder.live -= p_.row(dropped, holder.where.set).kept[t.choice];
        std::erase_if(to.live, [&](live_tensor const& l) { return l.position == dropped; });
      }
      // What nobody reads stays in memory, but no later operator looks at it.
      if (p_.out_edges(v).empty()) to.live.pop_back();
      to.trail = trail_.size();
      trail_.push_back({from.trail, x.slot, x.choice});
      return to;
    }

    [[nodiscard]] static auto producer(partial const& x, std::uint32_t position)
        -> live_tensor const& {
      return *std::find_if(x.live.begin(), x.live.end(),
                           [&](live_tensor const& l) { return l.position == position; });
    }
    /// What a partial assignment looks like to the operators that follow.
    [[nodiscard]] auto look(partial const& x) const -> std::uint64_t {
      stable_hash h;
      for (auto const& u : x.slots) h.add(u.where.set).add(u.where.design);
      for (auto const& l : x.live) {
        h.add(l.position).add(l.slot);
        for (auto const& own : p_.row(l.position, x.slots[l.slot].where.set).own)
          h.add(own[l.choice]);
      }
      return h.digest();
    }

    /// Choices that leave their results in the same layouts.
    struct grouping {
      later<std::vector<std::uint32_t>, D> of_choice;
      std::size_t count{};
    };
    [[nodiscard]] auto groups_of(choice_row const& row) -> grouping const& {
      auto const [at, fresh] = groups_.try_emplace(&row);
      auto& g = at->second;
      if (!fresh) return g;
      later<std::map<std::vector<std::uint16_t>, std::uint32_t>, D> known;
      for (std::size_t c = 0; c < row.shardings.size(); ++c) {
        later<std::vector<std::uint16_t>, D> key;
        for (auto const& own : row.own) key.push_back(own[c]);
        g.of_choice.push_back(
            known.try_emplace(std::move(key), static_cast<std::uint32_t>(known.size()))
                .first->second);
      }
      g.count = known.size();
      return g;
    }

    /// By position: the operators from there on, each at its cheapest on slots that may be used.
    [[nodiscard]] auto rest_of(partial const& from, std::uint16_t s, slot where)
        -> std::vector<remainder> const& {
      key_.clear();
      for (auto const& u : from.slots) key_.push_back(u.where);
      if (s == from.slots.size()) key_.push_back(where);
      sort_ascending(key_);
      auto const [at, fresh] = rest_.try_emplace(key_);
      auto& rest = at->second;
      if (!fresh) return rest;
      later<std::vector<slot>, D> open = key_;
      for (std::uint32_t set = 0; set < p_.sets().size(); ++set)
        if (std::all_of(key_.begin(), key_.end(),
                        [&](slot const& o) { return p_.disjoint(o.set, set); }))
          for (std::uint32_t d = 0; d < p_.designs(set).size(); ++d) open.push_back({set, d});
      std::vector<remainder> by_class;
      rest.assign(p_.size() + 1, remainder{0, 0});
      for (auto v = p_.size(); v-- > 0;) {
        auto const k = p_.op_class(v);
        if (k >= by_class.size()) by_class.resize(k + 1, remainder{unknown, 0});
        auto& least = by_class[k];
        if (least.value == unknown) {
          least = {no_ticks, p_.limits_spending() ? no_ticks : 0};
          for (auto const& o : open) {
            auto const& row = p_.row(v, o.set);
            for (auto const t : row.node[o.design]) least.value = std::min(least.value, t);
            if (p_.limits_spending())
              for (auto const t : row.spent[o.design]) least.spent = std::min(least.spent, t);
          }
        }
        rest[v] = {mapping_problem::add(rest[v + 1].value, least.value),
                   mapping_problem::add(rest[v + 1].spent, least.spent)};
      }
      return rest;
    }

    [[nodiscard]] auto trace(partial const& last) const -> assignment {
      assignment a;
      for (auto const& u : last.slots) a.slots.push_back(u.where);
      for (auto at = last.trail; at != none; at = trail_[at].before) {
        a.slot_of.push_back(trail_[at].slot);
        a.choice_of.push_back(trail_[at].choice);
      }
      std::reverse(a.slot_of.begin(), a.slot_of.end());
      std::reverse(a.choice_of.begin(), a.choice_of.end());
      return a;
    }

    static constexpr ticks unknown = -1;
    later<mapping_problem, D> const& p_;
    meter& clock_;
    std::vector<placement> trail_;
    std::vector<candidate> candidates_, best_;
    later<std::unordered_set<std::uint64_t>, D> alike_;
    std::unordered_map<choice_row const*, grouping> groups_;
    std::map<std::vector<slot>, std::vector<remainder>> rest_;
    later<std::vector<slot>, D> key_;
    bool out_of_budget_{};
  };
};
using beam = basic_beam<>;

} // namespace mars::search
