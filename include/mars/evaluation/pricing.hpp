// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/cost/concept.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/parallel/layout.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mars {

/// Where the time of one operator goes. What arrives from other operators is not in it.
struct operator_price {
  picoseconds compute{};         ///< the slowest shard, all phases
  picoseconds rotation{};        ///< waiting for the rotating tensor beyond the computation
  picoseconds partial_sums{};    ///< all-reduce or reduce-scatter
  picoseconds state_exchange{};  ///< gathering the state of a recurrence at every step
  std::optional<joules> energy;  ///< of all shards; nothing when a design does not know

  [[nodiscard]] auto communication() const -> picoseconds {
    return saturating_add(rotation, saturating_add(partial_sums, state_exchange));
  }
  [[nodiscard]] auto total() const -> picoseconds {
    return saturating_add(compute, communication());
  }
};

/// A design as every member of a set offers it.
template <AcceleratorDesign Design>
struct design_option {
  std::string name;
  std::vector<Design const*> by_member;
};

/// The designs that all members of a set offer, by name, in the order of the first member.
template <class System>
[[nodiscard]] auto design_options(System const& system, std::span<accelerator_id const> members) {
  using design = std::remove_cvref_t<decltype(*std::begin(system.accelerators[0].designs()))>;
  std::vector<design_option<design>> options;
  if (members.empty()) return options;
  for (auto const& first : system.accelerators[members[0].index()].designs()) {
    design_option<design> option{std::string{std::string_view{first.name()}}, {}};
    for (auto const member : members)
      for (auto const& d : system.accelerators[member.index()].designs())
        if (std::string_view{d.name()} == option.name) {
          option.by_member.push_back(&d);
          break;
        }
    if (option.by_member.size() == members.size()) options.push_back(std::move(option));
  }
  return options;
}

/// The communication inside one operator on a set: rotation step, partial sums, state exchange.
/// It does not depend on the design.
struct operator_traffic {
  seconds shift{};         ///< one step of the rotating tensor
  seconds partial_sums{};
  seconds state_exchange{};
};

template <Interconnect Net, class Collective>
[[nodiscard]] auto traffic_of(Net const& net, Collective const& collective, operation const& op,
                              sharding const& s, std::span<accelerator_id const> members)
    -> operator_traffic {
  operator_traffic traffic;
  auto const shard = shard_extents(op, s);
  auto const slowest = [&](auto&& group_of, collective_kind kind, bytes size) {
    double worst = 0;
    std::vector<accelerator_id> group;
    for (std::size_t rank = 0; rank < members.size(); ++rank) {
      auto const ranks = group_of(rank);
      if (ranks.size() < 2 || ranks.front() != rank) continue;
      group.clear();
      for (auto const r : ranks) group.push_back(members[r]);
      worst = std::max(
          worst, collective.time(net, kind, std::span<accelerator_id const>{group}, size).count());
    }
    return seconds{worst};
  };

  if (auto const* t = rotating_operand(op, s, members.size()))
    traffic.shift = slowest(
        [&](std::size_t rank) { return replication_group(op, *t, s, members.size(), rank); },
        collective_kind::shift, size_of(*t, phase_extents(op, s)));

  if (partial_sums(op, s) > 1) {
    auto const kind = s.scatter ? collective_kind::reduce_scatter : collective_kind::all_reduce;
    for (auto const& t : op.operands)
      if (t.role == role::output)
        traffic.partial_sums += slowest(
            [&](std::size_t rank) { return partial_sum_group(op, s, members.size(), rank); }, kind,
            size_of(t, shard));
  }

  std::int64_t steps = 1;
  for (auto const& d : op.dims)
    if (d.kind == dim_kind::sequential) steps *= d.extent;
  if (shard_count(s) > 1)
    for (auto const& t : op.operands)
      if (t.role == role::state)
        traffic.state_exchange +=
            slowest([&](std::size_t rank) {
              return replication_group(op, t, s, members.size(), rank);
            }, collective_kind::all_gather, size_of(t, shard)) *
            static_cast<double>(steps);
  return traffic;
}

/// Puts computation and communication together (mars.md §5): a shared cut runs in q phases,
/// `(q − 1)·max(T_phase, t_shift) + T_phase`. `phase` is the time of one phase, or of the whole
/// shard without a shared cut.
[[nodiscard]] inline auto combine(sharding const& s, seconds phase, operator_traffic const& traffic)
    -> operator_price {
  auto const q = s.shared ? static_cast<double>(s.shared->ways) : 1.0;
  auto const wait = std::max(0.0, traffic.shift.count() - phase.count());
  return {.compute = to_picoseconds(phase * q),
          .rotation = to_picoseconds(seconds{(q - 1) * wait}),
          .partial_sums = to_picoseconds(traffic.partial_sums),
          .state_exchange = to_picoseconds(traffic.state_exchange),
          .energy = std::nullopt};
}

/// The whole price of one operator on a set: asks the cost model once per distinct design.
template <Interconnect Net, class Collective, class Cost, AcceleratorDesign Design>
[[nodiscard]] auto price_operator(Net const& net, Collective const& collective, Cost const& cost,
                                  operation const& op, sharding const& s,
                                  std::span<accelerator_id const> members,
                                  design_option<Design> const& option) -> operator_price {
  shard const part{op, phase_extents(op, s)};
  double slowest = 0, energy = 0;
  bool energy_known = true;
  for (auto const* d : option.by_member) {
    auto const c = cost(part, *d);
    slowest = std::max(slowest, c.time.total.count());
    energy_known = energy_known && c.energy.has_value();
    if (energy_known) energy += c.energy->count();
  }
  auto price = combine(s, seconds{slowest}, traffic_of(net, collective, op, s, members));
  if (energy_known) price.energy = joules{s.shared ? energy * s.shared->ways : energy};
  return price;
}

}  // namespace mars
