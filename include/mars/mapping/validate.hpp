// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/mapping/detail/audit_algorithms.hpp>
#include <mars/mapping/detail/audit_memory.hpp>
#include <mars/mapping/detail/audit_sharding.hpp>
#include <mars/mapping/detail/audit_streams.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/mapping/violation.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars {

namespace detail::audit {

/// Members of sets: there, once, in one set only (in a mapping with a launch order: in sets of one
/// design), and offering the design. True if so.
template <class System, deferred D = when_called>
auto audit_sets(mapping const& m, System const& system, later<std::vector<violation>, D>& found)
    -> bool {
  auto const before = found.size();
  auto const count = system.accelerators.size();
  constexpr auto nobody = static_cast<std::size_t>(-1);
  later<std::vector<std::size_t>, D> owner(count, nobody);
  for (std::size_t s = 0; s < m.sets.size(); ++s) {
    auto const& set = m.sets[s];
    auto const path = numbered("sets", s);
    if (set.accelerators.empty())
      found.push_back({violation_kind::empty_set, path + ".accelerators", "the set is empty"});
    bool offered = true;
    for (std::size_t i = 0; i < set.accelerators.size(); ++i) {
      auto const a = set.accelerators[i].index();
      auto const member = path + "." + numbered("accelerators", i);
      if (a >= count) {
        found.push_back({violation_kind::unknown_accelerator, member,
                         std::string{"accelerator "} + std::to_string(a) + " of a system of " +
                             std::to_string(count)});
        continue;
      }
      if (owner[a] == s)
        found.push_back({violation_kind::repeated_accelerator, member,
                         std::string{"accelerator "} + std::to_string(a) + " is in the set twice"});
      else if (owner[a] != nobody && m.is_scheduled() && m.sets[owner[a]].design != set.design)
        found.push_back({violation_kind::two_designs, member,
                         std::string{"accelerator "} + std::to_string(a) + " has design '" +
                             m.sets[owner[a]].design + "' in set " + std::to_string(owner[a])});
      else if (owner[a] != nobody && !m.is_scheduled())
        found.push_back({violation_kind::overlapping_sets, member,
                         std::string{"accelerator "} + std::to_string(a) + " is in set " +
                             std::to_string(owner[a]) + " too"});
      owner[a] = s;
      auto const& designs = system.accelerators[a].designs();
      bool const here = std::any_of(std::begin(designs), std::end(designs), [&](auto const& d) {
        return std::string_view{d.name()} == set.design;
      });
      if (!here && offered)
        found.push_back({violation_kind::unknown_design, path + ".design",
                         std::string{"accelerator "} + std::to_string(a) + " offers no design '" +
                             set.design + "'"});
      offered = offered && here;
    }
  }
  return found.size() == before;
}

/// The largest phase of the largest shard: what the design must be able to run.
template <deferred D = when_called>
[[nodiscard]] auto largest_phase_of(later<operation, D> const& op, later<sharding, D> const& s)
    -> shard {
  extents e;
  for (auto const& d : op.dims) e.push_back(d.extent);
  for (auto const& c : s.exclusive) e[c.dim] = longest_share(e[c.dim], c.ways);
  if (!s.parts.empty()) e[s.exclusive[0].dim] = *std::max_element(s.parts.begin(), s.parts.end());
  if (s.shared) e[s.shared->dim] = longest_share(e[s.shared->dim], s.shared->ways);
  return shard{op, e};
}

/// Does every member's design run the operator? Precondition: sets and sharding are sound.
template <class System, deferred D = when_called>
void audit_refusal(operation const& op, mapping const& m, std::size_t v, System const& system,
                   later<std::vector<violation>, D>& found) {
  auto const& placed = m.operators[v];
  auto const& set = m.sets[placed.set.index()];
  auto const part = largest_phase_of(op, placed.sharding);
  for (auto const a : set.accelerators)
    for (auto const& d : system.accelerators[a.index()].designs()) {
      if (std::string_view{d.name()} != set.design) continue;
      if (is_supported(time_breakdown{d.time(part)})) break;
      found.push_back({violation_kind::refused_operator, numbered("operators", v),
                       std::string{"design '"} + set.design + "' of accelerator " +
                           std::to_string(a.index()) + std::string{" does not run operator '"} +
                           op.name + "'"});
      return;
    }
}

/// Every operator once, none before what it reads. True if so, or if there is no launch order.
template <deferred D = when_called>
auto audit_launch_order(later<std::vector<operation const*>, D> const& ops, wiring const& wires,
                        later<mapping, D> const& m, later<std::vector<violation>, D>& found)
    -> bool {
  if (!m.is_scheduled()) return true;
  auto const bad = [&](std::size_t at, std::string why) {
    found.push_back(
        {violation_kind::bad_launch_order, numbered("launch_order", at), std::move(why)});
    return false;
  };
  auto const n = ops.size();
  later<std::vector<std::size_t>, D> place(n, n);
  for (std::size_t i = 0; i < m.launch_order.size(); ++i) {
    auto const v = m.launch_order[i].index();
    if (v >= n)
      return bad(i, std::string{"operator "} + std::to_string(v) + " of a graph of " +
                        std::to_string(n));
    if (place[v] != n) return bad(i, std::string{"operator '"} + ops[v]->name + "' again");
    place[v] = i;
  }
  for (std::size_t v = 0; v < n; ++v)
    if (place[v] == n)
      return bad(m.launch_order.size(), std::string{"operator '"} + ops[v]->name + "' is missing");
  for (auto const& e : wires.edges)
    if (place[e.consumer] < place[e.producer])
      return bad(place[e.consumer], std::string{"operator '"} + ops[e.consumer]->name +
                                        "' comes before '" + ops[e.producer]->name +
                                        "', whose result it reads");
  return true;
}

/// Precedence, one operator at a time on each accelerator or stream, launch order. True if times are times.
template <deferred D = when_called>
auto audit_schedule(later<std::vector<operation const*>, D> const& ops, wiring const& wires,
                    later<mapping, D> const& m, std::span<time_span const> schedule,
                    later<std::vector<violation>, D>& found) -> bool {
  if (schedule.size() != ops.size()) {
    found.push_back({violation_kind::bad_schedule, "schedule",
                     std::to_string(schedule.size()) + " times for " + std::to_string(ops.size()) +
                         " operators"});
    return false;
  }
  auto const before = found.size();
  for (std::size_t v = 0; v < ops.size(); ++v)
    if (!(schedule[v].start.count() >= 0) || !(schedule[v].end >= schedule[v].start) ||
        !(schedule[v].end < infinite_seconds))
      found.push_back({violation_kind::bad_schedule, numbered("schedule", v),
                       std::string{"operator '"} + ops[v]->name + "' runs from " +
                           std::to_string(schedule[v].start.count()) + " s to " +
                           std::to_string(schedule[v].end.count()) + " s"});
  if (found.size() != before) return false;
  for (auto const& e : wires.edges)
    if (schedule[e.consumer].start.count() < schedule[e.producer].end.count() - instant)
      found.push_back({violation_kind::precedence, numbered("schedule", e.consumer),
                       std::string{"operator '"} + ops[e.consumer]->name + "' starts before '" +
                           ops[e.producer]->name + "', whose result it reads, has ended"});
  audit_turns(ops, m, schedule, found);
  if (found.size() == before) audit_launches(ops, m, schedule, found);
  return true;
}

template <deferred D = when_called>
[[nodiscard]] auto to_string(memory_part const& p,
                             later<std::vector<operation const*>, D> const& ops) -> std::string {
  constexpr char const* names[] = {"weights", "result", "buffers"};
  return std::string{names[static_cast<std::size_t>(p.part)]} + " of '" +
         ops[p.owner.index()]->name + "' " + std::to_string(p.size.count());
}

/// Precondition: sets, placements and shardings are sound.
template <WorkloadGraph Graph, class System, deferred D = when_called>
[[nodiscard]] auto audit_memory(std::vector<operation const*> ops, wiring const& wires,
                                mapping const& m, Graph const& g, System const& system,
                                std::span<time_span const> schedule)
    -> later<std::vector<memory_demand>, D> {
  later<memory_question, D> q{.ops = std::move(ops),
                              .wires = &wires,
                              .plan = &m,
                              .capacities = {},
                              .spans = {schedule.begin(), schedule.end()},
                              .results = {}};
  for (std::size_t v = 0; v < q.ops.size(); ++v) {
    q.uses.push_back(algorithm_uses<System, D>(*q.ops[v], m, v, system, nullptr));
    if (q.uses.back().empty()) // reported
      q.uses.back().resize(m.sets[m.operators[v].set.index()].accelerators.size());
  }
  for (auto const& a : system.accelerators) q.capacities.push_back(a.memory());
  if (q.spans.empty()) {
    q.spans.resize(q.ops.size());
    for (std::size_t i = 0; i < wires.order.size(); ++i) {
      auto const begin = static_cast<double>(i);
      auto const v = m.is_scheduled() ? m.launch_order[i].index() : wires.order[i];
      q.spans[v] = {seconds{begin}, seconds{begin + 1}};
    }
  }
  constexpr bool knows_results = requires { outputs(g).begin()->producer; };
  for (auto const* op : q.ops) {
    std::size_t count = 0;
    for (auto const& t : op->operands) count += t.role == role::output;
    q.results.emplace_back(count, !knows_results);
  }
  if constexpr (knows_results) {
    for (auto const& r : outputs(g)) q.results[r.producer.index()][r.output] = true;
  } else {
    for (auto const& e : wires.edges) q.results[e.producer][e.output] = false;
  }
  memory_walk const walk{q};
  later<std::vector<memory_demand>, D> demands;
  for (std::size_t a = 0; a < q.capacities.size(); ++a)
    demands.push_back(walk.demand_of(accelerator_id{a}));
  return demands;
}

/// Edges that lead to an operand and an output that exist; no cycle.
template <deferred D = when_called>
auto audit_graph(later<std::vector<operation const*>, D> const& ops, wiring const& wires,
                 later<std::vector<violation>, D>& found) -> bool {
  auto const bad = [&](wiring::edge const& e, std::string why) {
    found.push_back({violation_kind::bad_graph, numbered("operators", e.consumer), std::move(why)});
    return false;
  };
  if (wires.dangling) return bad(*wires.dangling, "an input comes from no operator of the graph");
  for (auto const& e : wires.edges)
    if (e.operand >= ops[e.consumer]->operands.size() ||
        result_of(*ops[e.producer], e.output) == nullptr)
      return bad(e, "an edge joins no result to an operand");
  if (wires.order.size() != ops.size()) {
    found.push_back({violation_kind::bad_graph, "operators", "the graph has a cycle"});
    return false;
  }
  return true;
}

} // namespace detail::audit

/// Is this mapping one that the system can execute? An independent judge: it shares no code with the
/// searches and evaluators, and derives shards and bytes with arithmetic of its own.
///
/// Checks sets (members exist, are disjoint, offer the design), placements (one per operator, on a set
/// that exists), the launch order, streams, weights that a host streams, shardings (see `sharding`: dimensions, ways, rotation, scatter, results in disjoint
/// parts), that the design runs the operator and lists the algorithm that is named, and memory of each accelerator: weights of everything it
/// runs (of a rotating weight the part held), and the peak over the order of execution of live results
/// (from their operator until their last reader has run; results of the graph to the end), received
/// inputs, the running operator's results before reduction, the arriving part of a rotating tensor,
/// buffers of partial sums, state. Order: topological, smallest operator first.
///
/// Empty = valid. What depends on something already reported is not reported again. Precondition:
/// `mars::validate(graph)` and `system.validate()` succeed.
/// Complexity: O(V log V + p·(V + E)), and p² box comparisons per operator.
template <WorkloadGraph Graph, class System>
[[nodiscard]] auto validate(mapping const& m, Graph const& g, System const& system)
    -> std::vector<violation>;

/// The same for a mapping with times, by operator id: also precedence (a reader starts when what it
/// reads has ended), one operator at a time per accelerator (of a mapping with streams: per stream), and
/// the launch order; memory in the order of the times.
template <WorkloadGraph Graph, class System>
[[nodiscard]] auto validate(mapping const& m, Graph const& g, System const& system,
                            std::span<time_span const> schedule) -> std::vector<violation>;

/// Memory of every accelerator, by id, as `validate` counts it. Precondition: `validate` finds
/// nothing but, maybe, violations of kind `memory`.
template <WorkloadGraph Graph, class System>
[[nodiscard]] auto memory_demands(mapping const& m, Graph const& g, System const& system,
                                  std::span<time_span const> schedule = {})
    -> std::vector<memory_demand> {
  std::vector<operation const*> ops;
  for (operator_id const v : operators(g)) ops.push_back(&op(g, v));
  auto const wires = detail::audit::wiring_of(g);
  return detail::audit::audit_memory(std::move(ops), wires, m, g, system, schedule);
}

namespace detail::audit {

template <class System>
[[nodiscard]] auto has_host(System const& system) -> bool {
  if constexpr (requires {
                  { is_staged(system.interconnect) } -> std::same_as<bool>;
                })
    return is_staged(system.interconnect);
  else
    return (void)system, false;
}

template <WorkloadGraph Graph, class System>
[[nodiscard]] auto audit_mapping(mapping const& m, Graph const& g, System const& system,
                                 std::span<time_span const> const* schedule)
    -> std::vector<violation> {
  std::vector<violation> found;
  std::vector<operation const*> ops;
  for (operator_id const v : operators(g)) ops.push_back(&op(g, v));
  auto const wires = wiring_of(g);
  bool sound = audit_graph(ops, wires, found);
  bool const sets = audit_sets(m, system, found);
  sound = sound && sets;

  for (std::size_t v = m.operators.size(); v < ops.size(); ++v)
    found.push_back({violation_kind::unplaced_operator, numbered("operators", v),
                     std::string{"operator '"} + ops[v]->name + "' is placed nowhere"});
  for (std::size_t v = ops.size(); v < m.operators.size(); ++v)
    found.push_back({violation_kind::surplus_placement, numbered("operators", v),
                     "a placement of no operator"});
  sound = sound && m.operators.size() == ops.size();

  for (std::size_t v = 0; v < std::min(ops.size(), m.operators.size()); ++v) {
    auto const& placed = m.operators[v];
    auto const path = numbered("operators", v);
    if (placed.weights == residency::streamed && !has_host(system))
      found.push_back({violation_kind::no_host, path + ".weights",
                       std::string{"weights of operator '"} + ops[v]->name +
                           "' are streamed, but accelerators are not staged through a host"});
    if (placed.set.index() >= m.sets.size()) {
      found.push_back({violation_kind::unknown_set, path + ".set",
                       std::string{"operator '"} + ops[v]->name + "' is on set " +
                           std::to_string(placed.set.index()) + " of " +
                           std::to_string(m.sets.size())});
      sound = false;
      continue;
    }
    auto const size = m.sets[placed.set.index()].accelerators.size();
    if (size == 0) continue; // reported with the set
    bool const good = sharding_audit{*ops[v], placed.sharding, size, path, found}();
    if (good && sets) audit_refusal(*ops[v], m, v, system, found);
    if (good && sets) (void)algorithm_uses(*ops[v], m, v, system, &found);
    sound = sound && good;
  }
  if (!sound || !audit_launch_order(ops, wires, m, found)) return found;
  if (!audit_streams(ops, m, system, has_host(system), found)) return found;

  if (schedule != nullptr && !audit_schedule(ops, wires, m, *schedule, found)) return found;
  auto const demands = audit_memory(ops, wires, m, g, system,
                                    schedule != nullptr ? *schedule : std::span<time_span const>{});
  for (auto const& d : demands) {
    if (d.peak <= d.capacity) continue;
    std::string message = std::to_string(d.peak.count()) + " bytes at operator '" +
                          ops[d.at.index()]->name + "', capacity " +
                          std::to_string(d.capacity.count()) + "; largest:";
    for (std::size_t i = 0; i < d.largest.size(); ++i)
      message += (i == 0 ? " " : ", ") + to_string(d.largest[i], ops);
    found.push_back({violation_kind::memory,
                     numbered("accelerators", d.accelerator.index()) + ".memory",
                     std::move(message)});
  }
  return found;
}

} // namespace detail::audit

template <WorkloadGraph Graph, class System>
auto validate(mapping const& m, Graph const& g, System const& system) -> std::vector<violation> {
  return detail::audit::audit_mapping(m, g, system, nullptr);
}

template <WorkloadGraph Graph, class System>
auto validate(mapping const& m, Graph const& g, System const& system,
              std::span<time_span const> schedule) -> std::vector<violation> {
  return detail::audit::audit_mapping(m, g, system, &schedule);
}

} // namespace mars
