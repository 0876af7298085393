// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/core/deferred.hpp>
#include <mars/cost/concept.hpp>
#include <mars/evaluation/concept.hpp>
#include <mars/evaluation/exchanges.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/interconnect/concept.hpp>
#include <mars/parallel/layout.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

/// Where the time of one operator goes. What arrives from other operators is not in it.
struct operator_price {
  picoseconds compute{};        ///< the slowest shard, all phases
  picoseconds rotation{};       ///< waiting for the rotating tensor beyond the computation
  picoseconds partial_sums{};   ///< all-reduce or reduce-scatter
  picoseconds state_exchange{}; ///< gathering the state of a recurrence at every step
  picoseconds reorders{};       ///< graph inputs and results, from and to the plain format
  std::optional<joules> energy; ///< of all shards; nothing when a design does not know

  [[nodiscard]] auto communication() const -> picoseconds {
    return saturating_add(rotation, saturating_add(partial_sums, state_exchange));
  }
  [[nodiscard]] auto total() const -> picoseconds {
    return saturating_add(compute, saturating_add(communication(), reorders));
  }
};

/// The designs of a system, each distinct one once, and which of them a set has in common. Designs
/// that compare equal are one; designs that cannot be compared are told apart by accelerator.
template <AcceleratorSystem System>
class design_catalogue {
public:
  using design = design_of_system<System>;

  /// A design that all members of a set offer: its name and, by member, its number here.
  struct option {
    std::string name;
    std::vector<std::uint32_t> by_member;
  };

  explicit design_catalogue(System const& system) {
    for (auto const& a : system.accelerators) {
      auto& offered = offered_.emplace_back();
      for (auto const& d : a.designs()) offered.push_back(number_of(d));
    }
  }

  [[nodiscard]] auto size() const -> std::uint32_t {
    return static_cast<std::uint32_t>(distinct_.size());
  }
  [[nodiscard]] auto operator[](std::uint32_t number) const -> design const& {
    return distinct_[number];
  }
  /// Matched by name, in the order of the first member.
  [[nodiscard]] auto options(std::span<accelerator_id const> members) const -> std::vector<option> {
    std::vector<option> found;
    if (members.empty()) return found;
    for (auto const first : offered_[members[0].index()]) {
      option o{std::string{std::string_view{distinct_[first].name()}}, {}};
      for (auto const m : members)
        for (auto const d : offered_[m.index()])
          if (std::string_view{distinct_[d].name()} == o.name) {
            o.by_member.push_back(d);
            break;
          }
      if (o.by_member.size() == members.size()) found.push_back(std::move(o));
    }
    return found;
  }

private:
  auto number_of(design const& d) -> std::uint32_t {
    if constexpr (std::equality_comparable<design>)
      for (std::uint32_t i = 0; i < distinct_.size(); ++i)
        if (distinct_[i] == d) return i;
    distinct_.push_back(d);
    return static_cast<std::uint32_t>(distinct_.size() - 1);
  }

  std::deque<design> distinct_;
  std::vector<std::vector<std::uint32_t>> offered_; // by accelerator
};

/// The communication inside one operator on a set: rotation step, partial sums, state exchange.
/// It does not depend on the design.
struct operator_traffic {
  seconds shift{}; ///< one step of the rotating tensor
  seconds partial_sums{};
  seconds state_exchange{};
};

template <Interconnect Net, class Collective>
[[nodiscard]] auto traffic_of(Net const& net, Collective const& collective, operation const& op,
                              sharding const& s, std::span<accelerator_id const> members)
    -> operator_traffic {
  operator_traffic traffic;
  std::vector<accelerator_id> group;
  for_each_exchange(op, s, members.size(), [&](exchange const& e) {
    double worst = 0;
    for_each_group(e.groups, members, group, [&](std::span<accelerator_id const> g) {
      worst = std::max(worst, collective.time(net, e.kind, g, e.size).count());
    });
    switch (e.what) {
    case exchange::cause::rotation: traffic.shift = seconds{worst}; break;
    case exchange::cause::partial_sums: traffic.partial_sums += seconds{worst}; break;
    case exchange::cause::state:
      traffic.state_exchange += seconds{worst} * static_cast<double>(e.repeated);
      break;
    }
  });
  return traffic;
}

/// Puts computation and communication together (mars.md §5): a shared cut runs in q phases,
/// `(q − 1)·max(T_phase, t_shift) + T_phase`. `phase` is the time of one phase, or of the whole
/// shard without a shared cut.
template <deferred = when_called>
[[nodiscard]] auto combine(sharding const& s, seconds phase, operator_traffic const& traffic)
    -> operator_price {
  auto const q = s.shared ? static_cast<double>(s.shared->ways) : 1.0;
  auto const wait = std::max(0.0, traffic.shift.count() - phase.count());
  return {.compute = to_picoseconds(phase * q),
          .rotation = to_picoseconds(seconds{(q - 1) * wait}),
          .partial_sums = to_picoseconds(traffic.partial_sums),
          .state_exchange = to_picoseconds(traffic.state_exchange),
          .reorders = {},
          .energy = std::nullopt};
}

/// The slowest shard of a set and the energy of all, from `ask(number of a design, rank) -> shard_cost`
/// for one phase. `traffic` as `traffic_of` says.
template <class Ask>
[[nodiscard]] auto price_operator(sharding const& s, std::span<std::uint32_t const> designs,
                                  operator_traffic const& traffic, Ask&& ask) -> operator_price {
  double slowest = 0, energy = 0;
  for (std::size_t rank = 0; rank < designs.size(); ++rank) {
    shard_cost const c = ask(designs[rank], rank);
    slowest = std::max(slowest, c.time.total.count());
    energy += c.energy.count(); // NaN, unknown, stays NaN
  }
  auto price = combine(s, seconds{slowest}, traffic);
  if (is_known(joules{energy})) price.energy = joules{s.shared ? energy * s.shared->ways : energy};
  return price;
}

} // namespace mars
