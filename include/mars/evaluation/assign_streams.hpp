// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/detail/stream_waits.hpp>
#include <mars/evaluation/evaluate_streams.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/hardware/detail/kernels_of.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/stream_context.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

namespace mars {

/// A mapping whose operators were given streams.
struct assigned_streams {
  mars::mapping mapping;       ///< with a launch order and streams
  mars::evaluation evaluation; ///< of `mapping`
  picoseconds one_stream{};    ///< latency of the same placement, every accelerator on one stream
  std::size_t streams{};       ///< most that launch something on one accelerator
  std::uint64_t evaluations{}; ///< schedules that the scheduler simulated
};

namespace detail {

/// What the operators of one set launch on its first member, and whose results they wait for. Others'
/// operators between them are nodes without kernels, so that what depends through them still does.
struct set_stream_graph {
  stream_graph graph;
  std::vector<operator_id> operators; ///< of each node
};

template <WorkloadGraph Graph, AcceleratorSystem System, deferred D = when_called>
[[nodiscard]] auto graph_of_set(Graph const& g, later<mapping, D> const& m, std::size_t set,
                                design_of_system<System> const& design)
    -> later<set_stream_graph, D> {
  auto const n = m.operators.size();
  auto const mine = [&](operator_id v) { return m.operators[v.index()].set.index() == set; };
  later<std::vector<bool>, D> after(n), before(n);
  for (auto const v : m.launch_order)
    for (input_edge const e : inputs(g, v))
      if (mine(e.producer) || after[e.producer.index()]) after[v.index()] = true;
  for (auto i = n; i-- > 0;) {
    auto const v = m.launch_order[i];
    if (mine(v) || before[v.index()])
      for (input_edge const e : inputs(g, v)) before[e.producer.index()] = true;
  }
  later<set_stream_graph, D> result;
  later<std::vector<std::uint32_t>, D> place(n, 0xFFFF'FFFFU);
  for (auto const v : m.launch_order) {
    if (!mine(v) && !(after[v.index()] && before[v.index()])) continue;
    place[v.index()] = static_cast<std::uint32_t>(result.operators.size());
    result.operators.push_back(v);
    later<stream_node, D> node;
    later<operation, D> const& o = op(g, v);
    node.name = o.name;
    if (mine(v)) {
      auto const& sharding = m.operators[v.index()].sharding;
      auto const p = m.sets[set].accelerators.size();
      shard const part{o, rank_extents(o, sharding, p, 0)};
      node.kernels = kernels_of(design, part);
      if (!node.kernels.empty()) node.output = bytes_of(part, role::output);
    }
    for (input_edge const e : inputs(g, v)) {
      auto const u = place[e.producer.index()];
      if (u < result.operators.size() &&
          std::find(node.inputs.begin(), node.inputs.end(), u) == node.inputs.end())
        node.inputs.push_back(u);
    }
    result.graph.nodes.push_back(std::move(node));
  }
  return result;
}

/// All operators, producers first, otherwise by key, then by place.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto order_by(Graph const& g, later<std::vector<picoseconds>, D> const& key,
                            later<std::vector<std::size_t>, D> const& place)
    -> later<std::vector<operator_id>, D> {
  auto const n = key.size();
  later<std::vector<std::size_t>, D> waits(n);
  later<std::vector<std::vector<std::size_t>>, D> readers(n);
  for (std::size_t v = 0; v < n; ++v)
    for (input_edge const e : inputs(g, operator_id{v})) {
      ++waits[v];
      readers[e.producer.index()].push_back(v);
    }
  using entry = later<std::tuple<picoseconds, std::size_t, std::size_t>, D>;
  std::priority_queue<entry, std::vector<entry>, std::greater<>> ready;
  for (std::size_t v = 0; v < n; ++v)
    if (waits[v] == 0) ready.emplace(key[v], place[v], v);
  later<std::vector<operator_id>, D> order;
  while (!ready.empty()) {
    auto const v = std::get<2>(ready.top());
    ready.pop();
    order.push_back(operator_id{v});
    for (auto const r : readers[v])
      if (--waits[r] == 0) ready.emplace(key[r], place[r], r);
  }
  return order;
}

/// Streams from 0 on, in the order in which they launch.
template <deferred D = when_called>
void number_streams(later<std::vector<stream_id>, D>& streams,
                    later<std::vector<operator_id>, D> const& in_order) {
  later<std::vector<std::optional<std::size_t>>, D> number;
  std::size_t next = 0;
  for (auto const v : in_order) {
    auto& s = streams[v.index()];
    if (s.index() >= number.size()) number.resize(s.index() + 1);
    auto& known = number[s.index()];
    if (!known) known = next++;
    s = stream_id{*known};
  }
}

} // namespace detail

/// Streams for the operators of a mapping: of every set whose design launches kernels, what
/// `scheduler` says of its operators on its first member. Set by set others' operators are there at
/// once; the launch orders are then joined into one by simulated start. A mapping without a launch order
/// gets the topological one. The answer is the best of that, of the streams alone in the order that there
/// was, of each without the streams of some set (where there are several), and of one stream on every
/// accelerator, as `evaluate_streams` says: never slower than the last.
///
/// Operators that a scheduler would merge, and its stages (`scheduling::ios`), are not for mappings:
/// nothing is merged, and events take the place of barriers.
///
/// Errors: as `evaluate_streams`; `unsupported` at `streams` where no set launches kernels.
/// Complexity: that of the scheduler for each set, and a few evaluations more than there are sets.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          CollectiveModelForSystem<System> Collective, StreamScheduler Scheduler,
          deferred D = when_called>
[[nodiscard]] auto assign_streams(Graph const& g, System const& system, later<mapping, D> m,
                                  Cost const& cost, Collective const& collective,
                                  Scheduler const& scheduler,
                                  later<stream_context, D> const& context = {})
    -> later<expected<assigned_streams>, D> {
  auto const n = m.operators.size();
  if (!m.is_scheduled()) {
    auto order = topological_order(g);
    if (!order) return unexpected{std::move(order).error()};
    m.launch_order = *std::move(order);
  }
  m.streams.assign(n, stream_id{});
  later<assigned_streams, D> best;
  auto const price = [&](later<mapping, D> const& x) {
    return evaluate_streams(g, system, x, cost, collective);
  };
  auto one = price(m);
  if (!one) return unexpected{std::move(one).error()};
  best.one_stream = one->latency;
  best.mapping = m;
  best.evaluation = *std::move(one);
  auto const offer = [&](later<mapping, D> x) {
    auto e = price(x);
    if (!e) return;
    auto const value = [](evaluation const& of) { return std::pair{!of.feasible(), of.latency}; };
    if (value(best.evaluation) <= value(*e)) return;
    best.mapping = std::move(x);
    best.evaluation = *std::move(e);
  };

  design_catalogue<System> const catalogue{system};
  auto const devices = detail::devices_of_sets(catalogue, m);
  later<std::vector<picoseconds>, D> key(n);
  later<std::vector<std::size_t>, D> place(n);
  for (std::size_t i = 0; i < n; ++i) place[m.launch_order[i].index()] = i;
  for (std::size_t v = 0; v < n; ++v) key[v] = best.evaluation.operators[v].start;
  auto streamed = m;
  later<std::vector<std::size_t>, D> scheduled;
  for (std::size_t s = 0; s < m.sets.size(); ++s)
    if (detail::launches_kernels(devices[s])) scheduled.push_back(s);
  if (scheduled.empty())
    return fail(error_code::unsupported, "streams", "designs that launch no kernels",
                "a set of accelerators whose design is one of kernels (gpu)");
  auto part = context;
  part.start.reset();
  if (part.budget.wall)
    *part.budget.wall = *part.budget.wall / static_cast<double>(scheduled.size());
  for (auto const s : scheduled) {
    auto const options = catalogue.options(m.sets[s].accelerators);
    auto const chosen = std::find_if(options.begin(), options.end(),
                                     [&](auto const& o) { return o.name == m.sets[s].design; });
    auto of_set =
        detail::graph_of_set<Graph, System>(g, m, s, catalogue[chosen->by_member.front()]);
    auto const problem =
        later<stream_problem, D>::make(std::move(of_set.graph), *devices[s].front());
    if (!problem || of_set.operators.empty())
      continue; // something runs nowhere: one stream says so
    auto const found = scheduler(*problem, part);
    best.evaluations += found.evaluations;
    if (found.latency() >= never) continue;
    picoseconds latest{};
    later<std::vector<operator_id>, D> in_order;
    for (std::size_t i = 0; i < found.schedule.launch_order.size(); ++i) {
      auto const node = found.schedule.launch_order[i];
      auto const v = of_set.operators[node];
      latest = std::max(latest, found.timeline.start[node]);
      if (m.operators[v.index()].set.index() != s) continue;
      key[v.index()] = latest; // keeps the order that the scheduler wants
      place[v.index()] = i;
      streamed.streams[v.index()] = found.schedule.stream_of[node];
      in_order.push_back(v);
    }
    detail::number_streams<D>(streamed.streams, in_order);
  }
  offer(streamed);
  streamed.launch_order = detail::order_by<Graph, D>(g, key, place);
  offer(std::move(streamed));
  for (std::size_t i = 0; i < scheduled.size() && scheduled.size() > 1; ++i) {
    auto fewer = best.mapping;
    for (std::size_t v = 0; v < n; ++v)
      if (fewer.operators[v].set.index() == scheduled[i]) fewer.streams[v] = stream_id{};
    if (fewer != best.mapping) offer(std::move(fewer));
  }

  later<std::vector<std::vector<stream_id>>, D> used(system.accelerators.size());
  for (std::size_t v = 0; v < n; ++v) {
    if (best.evaluation.operators[v].compute == picoseconds{}) continue;
    for (auto const a : m.sets[m.operators[v].set.index()].accelerators) {
      auto& of_one = used[a.index()];
      if (std::find(of_one.begin(), of_one.end(), best.mapping.streams[v]) == of_one.end())
        of_one.push_back(best.mapping.streams[v]);
    }
  }
  for (auto const& of_one : used) best.streams = std::max(best.streams, of_one.size());
  return best;
}

} // namespace mars
