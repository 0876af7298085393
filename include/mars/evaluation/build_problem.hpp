// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/core/hash.hpp>
#include <mars/evaluation/channel.hpp>
#include <mars/evaluation/detail/interner.hpp>
#include <mars/evaluation/detail/remembered_collective.hpp>
#include <mars/evaluation/detail/surveyed_network.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/parallel/concept.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars {

namespace detail {

/// Layouts by value; each distinct one is kept once.
class layout_pool {
public:
  auto operator()(layout l) -> std::uint32_t {
    stable_hash h;
    for (auto const& box : l) {
      h.add(box.size());
      for (auto const& i : box) h.add(i.begin).add(i.end);
    }
    auto& bucket = buckets_[h.digest()];
    for (auto const id : bucket)
      if (layouts_[id] == l) return id;
    bucket.push_back(static_cast<std::uint32_t>(layouts_.size()));
    layouts_.push_back(std::move(l));
    return bucket.back();
  }
  [[nodiscard]] auto operator[](std::uint32_t id) const -> layout const& { return layouts_[id]; }

private:
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> buckets_;
  std::vector<layout> layouts_;
};

/// Position of `id` in `list`, appended if absent.
inline auto position_in(std::vector<std::uint32_t>& list, std::uint32_t id) -> std::uint16_t {
  auto const index = std::find(list.begin(), list.end(), id) - list.begin();
  if (static_cast<std::size_t>(index) == list.size()) list.push_back(id);
  return static_cast<std::uint16_t>(index);
}

/// A price that has been asked for: operator signature, design, extents of the critical phase.
struct price_question {
  std::uint32_t signature{};
  std::uint32_t design{};
  mars::extents extents;

  friend auto operator==(price_question const&, price_question const&) -> bool = default;
};
struct price_question_hash {
  [[nodiscard]] auto operator()(price_question const& q) const -> std::size_t {
    stable_hash h;
    h.add(q.signature).add(q.design);
    for (auto const e : q.extents) h.add(e);
    return static_cast<std::size_t>(h.digest());
  }
};

/// What a strategy proposes for an operator, held to its concept's semantics 2 and 3.
template <ParallelismStrategy Strategy>
[[nodiscard]] auto proposed_shardings(Strategy const& strategy, operation const& o,
                                      std::size_t ways) -> expected<std::vector<sharding>> {
  std::vector<sharding> all;
  for (auto&& s : strategy.shardings(o, ways)) all.push_back(s);
  // Choices are numbered in 16 bits.
  if (all.empty() || all.size() > std::numeric_limits<std::uint16_t>::max())
    return fail(error_code::invalid_argument, "strategy", std::to_string(all.size()) + " shardings",
                "1 to 65535", "operator '" + o.name + "' on " + std::to_string(ways) + " devices");
  for (auto const& s : all)
    if (auto ok = check(o, s, ways); !ok)
      return unexpected{std::move(ok).error().inside("strategy")};
  return all;
}

} // namespace detail

/// Compiles a graph, a system and policies into tables (design decision 1): every policy is asked
/// once per distinct question — a cost model once per (operator signature, design, shard extents), a
/// strategy once per (operator signature, set size), the interconnect once per kind of set pair.
/// `candidates` are the sets a search may use, each in rank order.
///
/// Complexity, for n operators of k classes, e classes of edges, s classes of sets, t classes of set
/// pairs, c choices and p devices a set: O(n + k·s·c + e·t·layouts²·p²).
/// Errors: a cyclic graph; no candidate set with a common design; an objective that a design cannot
/// answer (energy unknown); a strategy that proposes nothing, too much, or an illegal sharding.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          ParallelismStrategy Strategy, CollectiveModelForSystem<System> Collective,
          Objective Objective_>
[[nodiscard]] auto build_problem(Graph const& g, System const& system, Cost const& cost,
                                 Strategy const& strategy, Collective const& collective,
                                 Objective_ const& wanted,
                                 std::vector<std::vector<accelerator_id>> const& candidates)
    -> expected<mapping_problem> {
  mapping_problem::tables t;
  t.how = wanted.how();
  t.objective = std::string{std::string_view{wanted.name()}};
  t.accelerators = system.accelerators.size();
  auto most_bytes = std::numeric_limits<std::int64_t>::max();
  if constexpr (LimitingObjective<Objective_>) {
    if (auto const limit = wanted.memory_limit()) most_bytes = limit->count();
    t.spending_limit = wanted.spending_limit().value_or(no_ticks);
  }

  // Operators, by position, and their classes: signature and which operands are fed by edges.
  auto order = topological_order(g);
  if (!order) return unexpected{std::move(order).error()};
  t.order = *order;
  auto const n = t.order.size();
  std::vector<std::uint32_t> position(n);
  for (std::size_t v = 0; v < n; ++v) position[t.order[v].index()] = static_cast<std::uint32_t>(v);
  std::vector<operation const*> representative;
  std::vector<std::uint32_t> signature;                 // by class; several may share one
  std::vector<std::vector<std::uint16_t>> fed_of_class; // operands, rising
  std::uint32_t signatures = 0;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_hash;
  t.last_use.assign(n, static_cast<std::uint32_t>(n));
  for (std::size_t v = 0; v < n; ++v) {
    operation const& o = op(g, t.order[v]);
    std::vector<std::uint16_t> fed;
    for (input_edge const e : inputs(g, t.order[v])) {
      fed.push_back(e.operand);
      auto const from = position[e.producer.index()];
      t.edges.push_back({from, static_cast<std::uint32_t>(v), e.output, e.operand, 0});
      auto& last = t.last_use[from];
      last =
          last == n ? static_cast<std::uint32_t>(v) : std::max(last, static_cast<std::uint32_t>(v));
    }
    std::sort(fed.begin(), fed.end());
    auto& bucket = by_hash[signature_hash(o)];
    auto const like = std::find_if(bucket.begin(), bucket.end(), [&](std::uint32_t c) {
      return same_signature(*representative[c], o);
    });
    auto const same = std::find_if(like, bucket.end(), [&](std::uint32_t c) {
      return fed_of_class[c] == fed && same_signature(*representative[c], o);
    });
    if (same == bucket.end()) {
      signature.push_back(like == bucket.end() ? signatures++ : signature[*like]);
      t.op_class.push_back(static_cast<std::uint32_t>(representative.size()));
      bucket.push_back(t.op_class.back());
      representative.push_back(&o);
      fed_of_class.push_back(std::move(fed));
    } else {
      t.op_class.push_back(*same);
    }
    t.has_macs.push_back(macs_of(o).count() > 0);
  }
  // Results of the graph stay to the end, also when an operator reads them.
  if constexpr (requires { outputs(g); })
    for (auto const& result : outputs(g))
      t.last_use[position[result.producer.index()]] = static_cast<std::uint32_t>(n);
  detail::interner<std::array<std::uint32_t, 4>> edge_classes;
  std::vector<problem_edge const*> edge_of_class;
  for (auto& e : t.edges) {
    e.edge_class =
        edge_classes({t.op_class[e.producer], e.output, t.op_class[e.consumer], e.operand});
    if (e.edge_class == edge_of_class.size()) edge_of_class.push_back(&e);
  }

  // Sets, their classes, and the designs their members have in common.
  using network = std::remove_cvref_t<decltype(system.interconnect)>;
  detail::surveyed_network<network> const net{system.interconnect};
  detail::channel_classes<network> channel_class{net};
  detail::remembered_collective<network, Collective> const together{collective, channel_class};
  detail::interner<std::vector<std::uint32_t>> set_classes;
  design_catalogue<System> const catalogue{system};
  std::vector<std::vector<typename design_catalogue<System>::option>> options; // by set class
  std::vector<std::vector<accelerator_id>> members; // by set class: its first set
  for (auto const& candidate : candidates) {
    auto found = catalogue.options(candidate);
    if (found.empty()) continue;
    std::vector<std::uint32_t> key{channel_class(candidate, candidate)};
    auto capacity = most_bytes;
    for (auto const a : candidate)
      capacity = std::min(capacity, system.accelerators[a.index()].memory().count());
    for (auto const& option : found)
      key.insert(key.end(), option.by_member.begin(), option.by_member.end());
    auto const set_class = set_classes(key);
    if (set_class == options.size()) {
      options.push_back(std::move(found));
      members.push_back(candidate);
    }
    t.sets.push_back({candidate, set_class, capacity});
  }
  if (t.sets.empty())
    return fail(error_code::infeasible, "system", "no candidate set of accelerators",
                "accelerators with a design in common");
  for (auto const& of_class : options) {
    t.designs.emplace_back();
    for (auto const& option : of_class) t.designs.back().push_back(option.name);
  }

  // Rows: choices of every operator class on every set class.
  detail::layout_pool layouts;
  std::vector<std::vector<std::vector<std::vector<std::uint32_t>>>> own(representative.size()),
      need(representative.size()); // [operator class][set class][output or operand] → layout ids
  std::map<std::pair<std::size_t, std::size_t>, std::vector<sharding>> proposals;
  std::unordered_map<detail::price_question, shard_cost, detail::price_question_hash> asked;
  t.rows.resize(representative.size());
  for (auto const* o : representative) {
    auto& names = t.dims.emplace_back();
    for (auto const& d : o->dims) names.push_back(d.name);
  }
  for (std::uint32_t k = 0; k < representative.size(); ++k) {
    operation const& o = *representative[k];
    own[k].resize(options.size());
    need[k].resize(options.size());
    for (std::size_t c = 0; c < options.size(); ++c) {
      auto const p = members[c].size();
      auto& row = t.rows[k].emplace_back();
      auto& known = proposals[{signature[k], p}];
      if (known.empty()) {
        auto proposed = detail::proposed_shardings(strategy, o, p);
        if (!proposed) return unexpected{std::move(proposed).error()};
        known = *std::move(proposed);
      }
      row.shardings = known;
      std::size_t outputs = 0;
      for (auto const& x : o.operands) outputs += x.role == role::output;
      row.own.resize(outputs);
      row.need.resize(o.operands.size());
      row.node.resize(options[c].size());
      row.compute.resize(options[c].size());
      if (t.spending_limit < no_ticks) row.spent.resize(options[c].size());
      own[k][c].resize(outputs);
      need[k][c].resize(o.operands.size());
      for (auto const& s : row.shardings) {
        auto const print = footprint_of(o, s, p);
        std::int64_t transient = (print.transient() - print.inputs).count();
        std::int64_t kept = 0;
        auto const* rotating = rotating_operand(o, s, p);
        std::size_t output = 0;
        for (std::size_t i = 0; i < o.operands.size(); ++i) {
          auto const& x = o.operands[i];
          if (x.role == role::output) {
            auto l = output_layout(o, x, s, p);
            std::int64_t largest = 0;
            for (auto const& box : l) largest = std::max(largest, volume(box));
            kept += storage(largest, x.element_bits).count();
            row.own[output].push_back(
                detail::position_in(own[k][c][output], layouts(std::move(l))));
            ++output;
          } else if (x.role == role::input) {
            bool const fed = std::binary_search(fed_of_class[k].begin(), fed_of_class[k].end(), i);
            if (fed)
              row.need[i].push_back(
                  detail::position_in(need[k][c][i], layouts(input_layout(o, x, s, p))));
            else
              transient +=
                  size_of(x, rotating == &x ? phase_extents(o, s) : shard_extents(o, s)).count();
          }
        }
        row.resident.push_back(print.weights.count());
        row.transient.push_back(transient);
        row.kept.push_back(kept);
        if constexpr (SeedingStrategy<Strategy>)
          row.prior.push_back(strategy.prior(o, s));
        else
          row.prior.push_back(1.0);

        auto const traffic = traffic_of(net, together, o, s, members[c]);
        auto const phase = phase_extents(o, s);
        for (std::size_t d = 0; d < options[c].size(); ++d) {
          auto const price =
              price_operator(s, options[c][d].by_member, traffic, [&](std::uint32_t number) {
                auto const [entry, fresh] = asked.try_emplace({signature[k], number, phase});
                if (fresh) entry->second = cost(shard{o, phase}, catalogue[number]);
                return entry->second;
              });
          auto const value = wanted.node(price);
          if (!value)
            return fail(error_code::invalid_argument, "objective", t.objective,
                        "an objective that every design can answer",
                        "design " + options[c][d].name + " does not know it");
          row.node[d].push_back(std::min(*value, no_ticks));
          row.compute[d].push_back(price.compute.count());
          if constexpr (LimitingObjective<Objective_>)
            if (!row.spent.empty()) {
              auto const spent = wanted.spent(price);
              if (!spent)
                return fail(error_code::invalid_argument, "objective", t.objective,
                            "a limit on what every design knows",
                            "design " + options[c][d].name + " does not know what it spends");
              row.spent[d].push_back(std::min(*spent, no_ticks));
            }
        }
      }
    }
  }

  // Pairs of sets, and the edge tables between their classes.
  detail::interner<std::array<std::uint32_t, 3>> pair_classes;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pair_of_class; // indices into t.sets
  t.pair_class.assign(t.sets.size(), std::vector<std::int32_t>(t.sets.size(), -1));
  for (std::uint32_t i = 0; i < t.sets.size(); ++i)
    for (std::uint32_t j = 0; j < t.sets.size(); ++j) {
      auto const& a = t.sets[i];
      auto const& b = t.sets[j];
      bool const overlap = std::any_of(a.accelerators.begin(), a.accelerators.end(), [&](auto x) {
        return std::find(b.accelerators.begin(), b.accelerators.end(), x) != b.accelerators.end();
      });
      if (i != j && overlap) continue;
      auto const pair =
          pair_classes({a.set_class, b.set_class, channel_class(a.accelerators, b.accelerators)});
      if (pair == pair_of_class.size()) pair_of_class.emplace_back(i, j);
      t.pair_class[i][j] = static_cast<std::int32_t>(pair);
    }
  t.pair_classes = static_cast<std::uint32_t>(pair_of_class.size());
  t.edge_tables.resize(edge_of_class.size());
  for (auto& by_pair : t.edge_tables) by_pair.resize(pair_of_class.size());
  for (std::size_t pair = 0; pair < pair_of_class.size(); ++pair) {
    auto const& a = t.sets[pair_of_class[pair].first];
    auto const& b = t.sets[pair_of_class[pair].second];
    channel between{net, together, a.accelerators, b.accelerators};
    std::unordered_map<std::uint64_t, typename decltype(between)::price> known;
    for (std::size_t e = 0; e < edge_of_class.size(); ++e) {
      auto const& edge = *edge_of_class[e];
      auto const producer = t.op_class[edge.producer];
      auto const consumer = t.op_class[edge.consumer];
      auto const bits =
          nth_operand(*representative[producer], role::output, edge.output)->element_bits;
      auto const& rows = own[producer][a.set_class][edge.output];
      auto const& columns = need[consumer][b.set_class][edge.operand];
      auto& table = t.edge_tables[e][pair];
      table.columns = static_cast<std::uint32_t>(columns.size());
      table.time.reserve(rows.size() * columns.size());
      table.missing.reserve(rows.size() * columns.size());
      for (auto const r : rows)
        for (auto const c : columns) {
          auto const key =
              (std::uint64_t{r} << 36) | (std::uint64_t{c} << 7) | static_cast<std::uint64_t>(bits);
          auto const [entry, fresh] = known.try_emplace(key);
          if (fresh) entry->second = between(layouts[r], layouts[c], bits);
          table.time.push_back(wanted.edge(entry->second.time));
          table.missing.push_back(storage(entry->second.missing_elements, bits).count());
        }
    }
  }
  return mapping_problem{std::move(t)};
}

} // namespace mars
