// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/sort.hpp>
#include <mars/evaluation/detail/algorithm_choice.hpp>
#include <mars/evaluation/detail/check_evaluable.hpp>
#include <mars/evaluation/detail/set_channels.hpp>
#include <mars/evaluation/evaluate_schedule.hpp>
#include <mars/evaluation/evaluate_streams.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/shard.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace mars {

/// Prices a mapping with the models themselves: the reference that the tables of `mapping_problem`
/// and every faster evaluator must equal to the picosecond. Sequential semantics (MARS): operators
/// run one after another in topological order, each after its inputs have moved. A mapping with a
/// launch order has scheduled semantics: see `evaluate_schedule`; with streams, `evaluate_streams`. What
/// does not fit, or cannot run, is in `shortages`.
///
/// On a design that lists algorithms and reorders, a placement without one runs as the first of the
/// fastest. Inputs are rewritten, one after another, from the format their producer's algorithm wrote to the
/// one that is read here, by every reader for itself; what comes from outside, graph results, and operators
/// that have no algorithms have the plain format.
/// Where placements name compressions, the graph is what they made of it (`form_graph`), and elements are
/// rewritten where neighbours have others; on any other graph a compression is `invalid_mapping`.
///
/// Complexity: O(V + E·p²) model calls. Errors: a mapping that is not one (a placement too many, an
/// unknown design, an illegal sharding), with its path.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          CollectiveModelForSystem<System> Collective, deferred D = when_called>
[[nodiscard]] auto evaluate(Graph const& g, System const& system, mapping const& m,
                            Cost const& cost, Collective const& collective)
    -> later<expected<evaluation>, D> {
  if (m.is_streamed()) return evaluate_streams(g, system, m, cost, collective);
  if (m.is_scheduled()) return evaluate_schedule(g, system, m, cost, collective);
  auto const& net = system.interconnect;
  auto const order = topological_order(g);
  if (!order) return unexpected{order.error()};
  auto const n = order->size();
  later<std::vector<operation const*>, D> ops(n);
  for (std::size_t v = 0; v < n; ++v) ops[v] = &op(g, operator_id{v});
  design_catalogue<System> const catalogue{system};
  if (auto ok = detail::check_evaluable(ops, system, catalogue, m); !ok)
    return unexpected{ok.error()};
  if (auto ok = detail::check_compressions(g, m); !ok) return unexpected{ok.error()};

  later<std::vector<std::size_t>, D> position(n), last_use(n, n);
  for (std::size_t i = 0; i < n; ++i) position[(*order)[i].index()] = i;
  for (std::size_t i = 0; i < n; ++i)
    for (input_edge const e : inputs(g, (*order)[i])) {
      auto& last = last_use[e.producer.index()];
      last = last == n ? i : std::max(last, i);
    }

  // Results of the graph stay to the end, also when an operator reads them.
  if constexpr (requires { outputs(g); })
    for (auto const& result : outputs(g)) last_use[result.producer.index()] = n;

  using network = std::remove_cvref_t<decltype(net)>;
  auto const members = [&](std::size_t s) { return std::span{m.sets[s].accelerators}; };
  later<std::vector<std::vector<std::uint32_t>>, D> designs; // by set and member
  for (std::size_t s = 0; s < m.sets.size(); ++s)
    for (auto& option : catalogue.options(members(s)))
      if (option.name == m.sets[s].design) designs.push_back(std::move(option.by_member));
  detail::set_channels<network, Collective> channels{net, collective, m};

  later<evaluation, D> result;
  result.operators.resize(n);
  auto const results = detail::results_of(g, n);
  later<std::vector<detail::operator_run>, D> runs(n);
  later<std::vector<std::uint16_t>, D> fed;
  picoseconds picojoules{}; // whole ones, like times: sums are exact
  bool energy_known = true;
  later<std::vector<picoseconds>, D> busy(m.sets.size());
  later<std::vector<bytes>, D> resident(m.sets.size()), live(m.sets.size()), peak(m.sets.size());
  later<std::vector<operator_id>, D> peak_at(m.sets.size());
  later<std::vector<bytes>, D> kept(n), weights(n);

  for (std::size_t i = 0; i < n; ++i) {
    auto const v = (*order)[i];
    later<operation, D> const& o = *ops[v.index()];
    auto const& placed = m.operators[v.index()];
    auto const set = placed.set;
    auto const& sharding = placed.sharding;
    auto const s = set.index();
    auto const p = m.sets[s].accelerators.size();
    auto& entry = result.operators[v.index()];

    auto const run = detail::placed_run(o, placed, cost, catalogue, designs[s]);
    if (run) runs[v.index()] = *run;
    auto const& here = runs[v.index()];
    fed.clear();
    for (input_edge const e : inputs(g, v)) fed.push_back(e.operand);
    auto const ends =
        detail::price_of_ends(o, sharding, catalogue, designs[s], here, fed, results[v.index()]);

    auto const traffic = traffic_of(net, collective, o, sharding, members(s));
    auto const price = price_operator(
        sharding, designs[s], traffic, [&](std::uint32_t number, std::size_t rank) -> shard_cost {
          if (!run) return {.time = unsupported_time()};
          if (!here.cost.empty()) return here.cost[rank];
          return cost(shard{o, rank_extents(o, sharding, p, rank)}, catalogue[number]);
        });
    entry.reorders = ends.time;
    entry.more_weights = bytes{here.resident};
    entry.more_buffers = bytes{here.transient + ends.copy};
    entry.compute = price.compute;
    entry.rotation = price.rotation;
    entry.partial_sums = price.partial_sums;
    entry.state_exchange = price.state_exchange;
    if (price.energy)
      picojoules = saturating_add(picojoules, to_picoseconds(seconds{price.energy->count()}));
    else
      energy_known = false;

    auto const print = footprint_of(o, sharding, p);
    auto demand = live[s] + print.transient();
    for (input_edge const e : inputs(g, v)) {
      auto const& from = m.operators[e.producer.index()];
      auto const* produced = nth_operand(*ops[e.producer.index()], role::output, e.output);
      auto const& consumed = o.operands[e.operand];
      auto const owned = output_layout(*ops[e.producer.index()], *produced, from.sharding,
                                       m.sets[from.set.index()].accelerators.size());
      auto const needed = input_layout(o, consumed, sharding, p);
      auto const moved = channels.between(from.set, set)(owned, needed, produced->element_bits);
      entry.redistribution = saturating_add(entry.redistribution, moved.time);
      auto const reordered = detail::price_of_reorder(
          catalogue, designs[s], needed,
          {runs[e.producer.index()].output_format, produced->element_bits},
          {here.input_format, from.compression == placed.compression ? produced->element_bits
                                                                     : consumed.element_bits});
      entry.reorders = saturating_add(entry.reorders, reordered.time);
      entry.more_buffers += bytes{reordered.copy};
      // Of an input only what is missing needs room: the rest is among the live tensors.
      bool const rotates = rotating_operand(o, sharding, p) == &consumed;
      demand -=
          size_of(consumed, rotates ? phase_extents(o, sharding) : shard_extents(o, sharding));
      demand += storage(moved.missing_elements, produced->element_bits);
    }

    demand += entry.more_buffers;

    entry.start = result.latency;
    auto const duration = saturating_add(entry.compute, entry.communication());
    result.latency = saturating_add(result.latency, duration);
    entry.end = result.latency;
    busy[s] = saturating_add(busy[s], duration);
    if (entry.compute >= never || entry.reorders >= never)
      result.shortages.push_back(
          {shortage::kind::unsupported, m.sets[s].accelerators.front(), v, {}, {}, {}});

    if (demand > peak[s]) {
      peak[s] = demand;
      peak_at[s] = v;
    }
    weights[v.index()] = print.weights + bytes{here.resident};
    resident[s] += weights[v.index()];
    for (auto const& t : o.operands)
      if (t.role == role::output) {
        std::int64_t largest = 0;
        for (auto const& box : output_layout(o, t, sharding, p))
          largest = std::max(largest, volume(box));
        kept[v.index()] += storage(largest, t.element_bits);
      }
    live[s] += kept[v.index()];
    for (input_edge const e : inputs(g, v)) {
      auto const u = e.producer.index();
      if (last_use[u] != i) continue;
      live[m.operators[u].set.index()] -= kept[u];
      last_use[u] = n; // freed once, also when the operator reads it twice
    }
  }

  if (energy_known) result.energy = joules{to_seconds(picojoules).count()};
  for (auto const b : busy) result.bottleneck = std::max(result.bottleneck, b);
  result.memory.resize(system.accelerators.size());
  for (std::size_t a = 0; a < result.memory.size(); ++a) {
    result.memory[a].accelerator = accelerator_id{a};
    result.memory[a].capacity = system.accelerators[a].memory();
  }
  for (std::size_t s = 0; s < m.sets.size(); ++s)
    for (auto const a : m.sets[s].accelerators) {
      auto& use = result.memory[a.index()];
      use.resident = resident[s];
      use.peak = resident[s] + peak[s];
      use.peak_at = peak_at[s];
      if (use.fits()) continue;
      later<std::vector<std::pair<std::int64_t, operator_id>>, D> heaviest;
      for (std::size_t v = 0; v < n; ++v)
        if (m.operators[v].set.index() == s)
          heaviest.emplace_back(-weights[v].count(), operator_id{v});
      sort_ascending(heaviest);
      later<shortage, D> lack{shortage::kind::memory, a, peak_at[s], use.peak, use.capacity, {}};
      for (std::size_t k = 0; k < std::min<std::size_t>(3, heaviest.size()); ++k)
        if (heaviest[k].first != 0) lack.contributors.push_back(heaviest[k].second);
      result.shortages.push_back(std::move(lack));
    }
  return result;
}

} // namespace mars
