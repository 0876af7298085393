// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/build_problem.hpp>
#include <mars/evaluation/detail/staged_builder.hpp>
#include <mars/evaluation/schedule_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars {

namespace detail {

/// What `schedule_problem` knows whatever the semantics.
template <WorkloadGraph Graph, AcceleratorSystem System, deferred D = when_called>
void describe_schedule(Graph const& g, System const& system,
                       typename later<schedule_problem, D>::tables& t) {
  std::stable_sort(t.edges.begin(), t.edges.end(), [](auto const& a, auto const& b) {
    return a.consumer != b.consumer ? a.consumer < b.consumer : a.operand < b.operand;
  });
  auto const n = t.order.size();
  later<std::vector<std::uint32_t>, D> readers(n);
  for (auto const& e : t.edges) ++readers[e.producer];
  t.leaves.assign(n, 0);
  if constexpr (requires { outputs(g); }) {
    later<std::vector<std::uint32_t>, D> position(n);
    for (std::uint32_t v = 0; v < n; ++v) position[t.order[v].index()] = v;
    for (auto const& result : outputs(g)) t.leaves[position[result.producer.index()]] = 1;
  } else {
    for (std::size_t v = 0; v < n; ++v) t.leaves[v] = readers[v] == 0 ? 1 : 0;
  }
  for (std::size_t v = 0; v < n; ++v) {
    bool const one = nth_operand(op(g, t.order[v]), role::output, 1) == nullptr;
    t.may_store_less.push_back(one && readers[v] == 1 && t.leaves[v] == 0 ? 1 : 0);
  }
  for (auto const& a : system.accelerators) t.capacity.push_back(a.memory().count());
  std::vector<std::string> names;
  for (auto const& offered : t.designs) {
    auto& ids = t.design_id.emplace_back();
    for (auto const& name : offered) {
      auto const at = std::find(names.begin(), names.end(), name) - names.begin();
      if (static_cast<std::size_t>(at) == names.size()) names.push_back(name);
      ids.push_back(static_cast<std::uint16_t>(at));
    }
  }
}

/// Choices of a `mapping_problem` built for sets that may overlap.
template <deferred D = when_called>
void take_choices(later<mapping_problem, D> const& moves,
                  typename later<schedule_problem, D>::tables& t) {
  auto const n = moves.size();
  std::uint32_t classes = 0;
  for (std::size_t v = 0; v < n; ++v) {
    t.order.push_back(moves.operator_at(v));
    t.op_class.push_back(moves.op_class(v));
    classes = std::max(classes, moves.op_class(v) + 1);
  }
  t.edges.assign(moves.edges().begin(), moves.edges().end());
  t.sets.assign(moves.sets().begin(), moves.sets().end());
  for (std::uint32_t s = 0; s < t.sets.size(); ++s)
    t.designs.emplace_back(moves.designs(s).begin(), moves.designs(s).end());
  t.rows.resize(classes);
  for (std::size_t v = 0; v < n; ++v) {
    auto& row = t.rows[moves.op_class(v)];
    if (!row.first_on.empty()) continue;
    for (std::uint32_t s = 0; s < t.sets.size(); ++s) {
      row.first_on.push_back(static_cast<std::uint32_t>(row.choices.size()));
      auto const& from = moves.row(v, s);
      std::uint32_t place = 0;
      for (std::size_t c = 0; c < from.shardings.size(); ++c) {
        auto known = std::find(row.shardings.begin(), row.shardings.end(), from.shardings[c]);
        if (known == row.shardings.end()) known = row.shardings.insert(known, from.shardings[c]);
        for (std::size_t d = 0; d < from.node.size(); ++d, ++place) {
          auto const time = from.node[d][c];
          row.choices.push_back(
              {.set = s,
               .design = static_cast<std::uint16_t>(d),
               .sharding = static_cast<std::uint16_t>(known - row.shardings.begin()),
               .place = place,
               .move = static_cast<std::uint16_t>(c),
               .times = row.times.size(),
               .weights = from.resident[c],
               .transient = from.transient[c],
               .kept = from.kept[c],
               .least = time,
               .most = time});
          row.times.push_back({.compute = time});
        }
      }
    }
    row.first_on.push_back(static_cast<std::uint32_t>(row.choices.size()));
  }
}

} // namespace detail

/// Compiles a graph, a system and policies into the tables of schedules, as `build_problem` does for
/// sequential semantics. `candidates` may overlap. Objectives: `latency` (the makespan) and
/// `throughput` (the busiest accelerator).
///
/// On staged systems, shardings with one cut for sets of unlike devices are proposed with parts
/// balanced for computing alone, for computing and transfers, and in the proportions of the class of
/// operators with the most work, so that neighbours fit; even parts where they do as well.
///
/// Errors: as `build_problem`; `unsupported` for other objectives.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          ParallelismStrategy Strategy, CollectiveModelForSystem<System> Collective,
          Objective Objective_, deferred D = when_called>
[[nodiscard]] auto build_schedule_problem(
    Graph const& g, System const& system, Cost const& cost, Strategy const& strategy,
    Collective const& collective, Objective_ const& wanted,
    std::vector<std::vector<accelerator_id>> const& candidates)
    -> later<expected<schedule_problem>, D> {
  std::string_view const name = wanted.name();
  if (name != "latency" && name != "throughput")
    return fail(error_code::unsupported, "objective", std::string{name},
                "latency or throughput, for schedules");
  typename later<schedule_problem, D>::tables t;
  t.how = name == "latency" ? aggregate::sum : aggregate::bottleneck;
  if (is_staged(system.interconnect)) {
    t.semantics = semantics::staged;
    detail::staged_builder<Graph, System, Cost, Strategy, Collective> build{g, system, cost,
                                                                            strategy, collective};
    if (auto ok = build(candidates, t); !ok) return unexpected{ok.error()};
  } else {
    t.semantics = semantics::overlapped;
    auto moves = build_problem(g, system, cost, strategy, collective, objective::latency{},
                               candidates, overlaps::yes, algorithm_choice::design);
    if (!moves) return unexpected{std::move(moves).error()};
    detail::take_choices<D>(*moves, t);
    t.moves = *std::move(moves);
  }
  detail::describe_schedule<Graph, System, D>(g, system, t);
  return later<schedule_problem, D>{std::move(t)};
}

} // namespace mars
