// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/channel.hpp>
#include <mars/evaluation/detail/check_evaluable.hpp>
#include <mars/evaluation/detail/schedule_memory.hpp>
#include <mars/evaluation/detail/set_channels.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/evaluation/staging.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/shard.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

namespace detail {

inline constexpr std::size_t no_operator = std::numeric_limits<std::size_t>::max();

/// One mapping on its way to an evaluation, operator by operator in launch order.
template <WorkloadGraph Graph, AcceleratorSystem System, class Cost, class Collective,
          deferred D = when_called>
class schedule_pricing {
  using network = std::remove_cvref_t<decltype(std::declval<System const&>().interconnect)>;

public:
  schedule_pricing(Graph const& g, System const& system, later<mapping, D> const& m,
                   Cost const& cost, Collective const& collective,
                   design_catalogue<System> const& catalogue,
                   later<std::vector<operation const*>, D> const& ops)
      : g_{&g},
        system_{&system},
        m_{&m},
        cost_{&cost},
        collective_{&collective},
        catalogue_{&catalogue},
        ops_{&ops},
        staged_{is_staged(system.interconnect)},
        readers_(ops.size()),
        shares_(ops.size()),
        free_(system.accelerators.size()),
        busy_(system.accelerators.size()),
        last_(system.accelerators.size(), no_operator),
        channels_{system.interconnect, collective, m} {
    if constexpr (StagedInterconnect<network>)
      follow_first_ = joins_follow_first(system.interconnect);
    for (std::size_t v = 0; v < ops.size(); ++v)
      for (input_edge const e : inputs(g, operator_id{v})) ++readers_[e.producer.index()];
    if constexpr (requires { outputs(g); })
      for (auto const& result : outputs(g)) readers_[result.producer.index()] = no_operator / 2;
    for (auto const& set : m.sets)
      for (auto& option : catalogue.options(set.accelerators))
        if (option.name == set.design) designs_.push_back(std::move(option.by_member));
    result_.operators.resize(ops.size());
    result_.semantics = staged_ ? semantics::staged : semantics::overlapped;
  }

  void run(operator_id id) {
    auto const v = id.index();
    auto const s = m_->operators[v].set.index();
    auto const members = std::span{m_->sets[s].accelerators};
    auto& entry = result_.operators[v];
    price(v, s, members, entry);
    auto const in = inputs(*g_, id);
    if (staged_) load(v, s, members, in);
    auto start = picoseconds{};
    for (input_edge const e : in) {
      auto const u = e.producer.index();
      auto arrived = result_.operators[u].end;
      if (!staged_) {
        auto const moved = move(v, e);
        entry.redistribution = std::max(entry.redistribution, moved);
        arrived = saturating_add(arrived, moved);
      }
      start = std::max(start, arrived);
    }
    for (auto const a : members) start = std::max(start, free_[a.index()]);
    entry.start = start;
    entry.end = saturating_add(start, duration(v));
    for (auto const a : members) {
      free_[a.index()] = entry.end;
      last_[a.index()] = v;
    }
    if (entry.compute >= never)
      result_.shortages.push_back({shortage::kind::unsupported, members.front(), id, {}, {}, {}});
  }

  [[nodiscard]] auto finish() && -> later<evaluation, D> {
    for (std::size_t v = 0; v < ops_->size(); ++v) {
      auto const& e = result_.operators[v];
      result_.latency = std::max(result_.latency, e.end);
      for (auto const a : m_->sets[m_->operators[v].set.index()].accelerators)
        busy_[a.index()] = saturating_add(busy_[a.index()], duration(v));
    }
    for (auto const b : busy_) result_.bottleneck = std::max(result_.bottleneck, b);
    if (staged_) charge_power();
    if (energy_known_) result_.energy = joules{to_seconds(picojoules_).count()};
    schedule_memory(*g_, *system_, *m_, result_);
    return std::move(result_);
  }

protected:
  /// Accelerators that say what they draw draw it while they move data, too (H2H: Σ duration · power).
  void charge_power() {
    if constexpr (PoweredAccelerator<
                      std::remove_cvref_t<decltype(system_->accelerators[std::size_t{}])>>) {
      picoseconds sum{};
      for (std::size_t v = 0; v < ops_->size(); ++v)
        for (auto const a : m_->sets[m_->operators[v].set.index()].accelerators) {
          watts const power = system_->accelerators[a.index()].power();
          if (!is_known(power)) return;
          sum = saturating_add(sum,
                               to_picoseconds(seconds{(power * to_seconds(duration(v))).count()}));
        }
      picojoules_ = sum;
      energy_known_ = true;
    }
  }

  /// Computation, exchanges inside the operator, energy; staged: what each member does.
  void price(std::size_t v, std::size_t s, std::span<accelerator_id const> members,
             later<operator_evaluation, D>& entry) {
    later<operation, D> const& o = *(*ops_)[v];
    auto const& placed = m_->operators[v];
    auto const traffic =
        traffic_of(system_->interconnect, *collective_, o, placed.sharding, members);
    auto const q = placed.sharding.shared ? placed.sharding.shared->ways : 1;
    auto& share = shares_[v];
    share.resize(members.size());
    auto const price = price_operator(
        placed.sharding, designs_[s], traffic,
        [&](std::uint32_t number, std::size_t rank) -> shard_cost {
          shard const part{o, rank_extents(o, placed.sharding, members.size(), rank)};
          shard_cost const c = (*cost_)(part, (*catalogue_)[number]);
          share[rank].compute = to_picoseconds(c.time.total * static_cast<double>(q));
          if (!staged_) return c;
          auto const host = host_traffic((*catalogue_)[number], part);
          auto const& net = system_->interconnect;
          if (placed.weights == residency::streamed)
            share[rank].weights = staged_time(net, members[rank], host.weights);
          share[rank].inputs = staged_time(net, members[rank], host.inputs);
          share[rank].results = staged_time(net, members[rank], host.outputs);
          return c;
        });
    entry.compute = price.compute;
    entry.rotation = price.rotation;
    entry.partial_sums = price.partial_sums;
    entry.state_exchange = price.state_exchange;
    if (price.energy)
      picojoules_ = saturating_add(picojoules_, to_picoseconds(seconds{price.energy->count()}));
    else
      energy_known_ = false;
    if (staged_) settle(v);
  }

  /// The slowest member's times become the operator's.
  void settle(std::size_t v) {
    auto const& share = shares_[v];
    auto const slowest =
        std::max_element(share.begin(), share.end(),
                         [](auto const& a, auto const& b) { return a.total() < b.total(); });
    auto& entry = result_.operators[v];
    entry.compute = slowest->compute;
    entry.redistribution = slowest->inputs;
    entry.weights = slowest->weights;
    entry.results = slowest->results;
  }

  [[nodiscard]] auto duration(std::size_t v) const -> picoseconds {
    auto const& e = result_.operators[v];
    auto const all = saturating_add(e.compute, e.communication());
    return staged_ ? all : all - e.redistribution;
  }

  /// If `v` continues what its set has just made, its members load less, and the maker may store less.
  template <class Edges>
  void load(std::size_t v, std::size_t s, std::span<accelerator_id const> members,
            Edges const& in) {
    if (std::begin(in) == std::end(in)) return;
    input_edge const e = *continued_edge(in);
    auto const u = e.producer.index();
    auto const& maker = m_->operators[u];
    auto const& made_on = m_->sets[maker.set.index()];
    if (made_on.accelerators != m_->sets[s].accelerators ||
        std::any_of(members.begin(), members.end(), [&](auto a) { return last_[a.index()] != u; }))
      return;
    later<operation, D> const& o = *(*ops_)[v];
    later<operation, D> const& from = *(*ops_)[u];
    auto const& placed = m_->operators[v];
    auto const p = members.size();
    auto const* produced = nth_operand(from, role::output, e.output);
    auto const of = staying(output_layout(from, *produced, maker.sharding, p),
                            input_layout(o, o.operands[e.operand], placed.sharding, p));
    bool const stores_less = readers_[u] == 1 && nth_operand(from, role::output, 1) == nullptr;
    for (std::size_t i = 0; i < p; ++i) {
      shard const part{o, rank_extents(o, placed.sharding, p, i)};
      auto const inputs = host_traffic((*catalogue_)[designs_[s][i]], part).inputs;
      std::int64_t others = 0;
      for (auto const& t : o.operands)
        if (t.role == role::input && &t != &o.operands[e.operand])
          others += elements_of(t, part.extents);
      shares_[v][i].inputs = staged_time(system_->interconnect, members[i],
                                         loaded_bytes(inputs, of[i], others, follow_first_));
      if (!stores_less) continue;
      shard const earlier{from, rank_extents(from, maker.sharding, p, i)};
      auto const outputs =
          host_traffic((*catalogue_)[designs_[maker.set.index()][i]], earlier).outputs;
      shares_[u][i].results = staged_time(system_->interconnect, members[i],
                                          share_of(outputs, of[i].wanted, of[i].owned));
    }
    settle(v);
    if (!stores_less) return;
    settle(u);
    auto& earlier = result_.operators[u];
    earlier.end = saturating_add(earlier.start, duration(u));
    for (auto const a : members) free_[a.index()] = earlier.end;
  }

  [[nodiscard]] auto move(std::size_t v, input_edge const& e) -> picoseconds {
    auto const& from = m_->operators[e.producer.index()];
    auto const& to = m_->operators[v];
    later<operation, D> const& producer = *(*ops_)[e.producer.index()];
    later<operation, D> const& o = *(*ops_)[v];
    auto const* produced = nth_operand(producer, role::output, e.output);
    return channels_
        .between(from.set, to.set)(output_layout(producer, *produced, from.sharding,
                                                 m_->sets[from.set.index()].accelerators.size()),
                                   input_layout(o, o.operands[e.operand], to.sharding,
                                                m_->sets[to.set.index()].accelerators.size()),
                                   produced->element_bits)
        .time;
  }

  Graph const* g_;
  System const* system_;
  later<mapping, D> const* m_;
  Cost const* cost_;
  Collective const* collective_;
  design_catalogue<System> const* catalogue_;
  later<std::vector<operation const*>, D> const* ops_;
  bool staged_;
  bool follow_first_{};
  std::vector<std::size_t> readers_; ///< edges out of an operator; many, if its result leaves
  later<std::vector<std::vector<staged_times>>, D> shares_; ///< by operator and member
  later<std::vector<picoseconds>, D> free_, busy_;          ///< by accelerator
  std::vector<std::size_t> last_;                           ///< launched on an accelerator
  std::vector<std::vector<std::uint32_t>> designs_;         ///< by set and member
  set_channels<network, Collective> channels_;
  later<evaluation, D> result_;
  picoseconds picojoules_{};
  bool energy_known_{true};
};

} // namespace detail

/// Prices a mapping with a launch order (scheduled semantics): operators are launched in that order,
/// each as soon as its accelerators are free and its inputs are there. `evaluate` calls it.
///
/// Overlapped (most interconnects): the input of an operator moves when its producer ends, for as long
/// as `channel` says, whatever else moves — the simulator knows contention; its accelerators
/// meanwhile run what was launched earlier. Staged (`StagedInterconnect`): see evaluation/staging.hpp.
/// The latency is the makespan. The bottleneck counts accelerators, not links.
///
/// Complexity: O(V + E·p²) model calls. Errors: as `evaluate`; a launch order that is none;
/// `unsupported` for placements that name an algorithm or a format, or another compression than a neighbour.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          CollectiveModelForSystem<System> Collective, deferred D = when_called>
[[nodiscard]] auto evaluate_schedule(Graph const& g, System const& system, mapping const& m,
                                     Cost const& cost, Collective const& collective)
    -> later<expected<evaluation>, D> {
  auto const order = topological_order(g);
  if (!order) return unexpected{order.error()};
  auto const n = order->size();
  later<std::vector<operation const*>, D> ops(n);
  for (std::size_t v = 0; v < n; ++v) ops[v] = &op(g, operator_id{v});
  design_catalogue<System> const catalogue{system};
  if (auto ok = detail::check_evaluable(ops, system, catalogue, m); !ok)
    return unexpected{ok.error()};
  if (auto ok = detail::check_launch_order(g, n, m); !ok) return unexpected{ok.error()};
  if (auto ok = detail::check_compressions(g, m); !ok) return unexpected{ok.error()};
  if (auto ok = detail::check_no_rewrites(g, m); !ok) return unexpected{ok.error()};
  for (std::size_t v = 0; v < n; ++v)
    if (m.operators[v].weights == residency::streamed && !is_staged(system.interconnect))
      return fail(error_code::invalid_mapping,
                  std::string{"operators["} + std::to_string(v) + "].weights", "streamed",
                  "resident: the accelerators are not staged through a host");
  detail::schedule_pricing<Graph, System, Cost, Collective> pricing{g,          system,    m,  cost,
                                                                    collective, catalogue, ops};
  for (auto const v : m.launch_order) pricing.run(v);
  return std::move(pricing).finish();
}

} // namespace mars
