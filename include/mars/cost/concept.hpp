// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/range.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/concept.hpp>

#include <concepts>
#include <string_view>

namespace mars {

/// What one run of a shard on one device costs.
struct shard_cost {
  time_breakdown time{};
  joules energy{unknown_joules};

  /// Two unknown energies are equal.
  friend auto operator==(shard_cost const& a, shard_cost const& b) -> bool {
    return a.time == b.time &&
           (a.energy == b.energy || (!is_known(a.energy) && !is_known(b.energy)));
  }
};

/// One algorithm of a design for a shard, at the price of a cost model: `how.time`, and the energy.
struct algorithm_cost {
  algorithm_time how{};
  joules energy{unknown_joules};
};

/// A design with nothing but what AcceleratorDesign requires.
struct design_archetype {
  [[nodiscard]] auto name() const -> std::string_view { return "archetype"; }
  [[nodiscard]] auto time(shard const&) const -> time_breakdown { return {}; }
};

template <class C, class D>
concept prices_shards_on = requires(C const& c, shard const& s, D const& d) {
  { c(s, d) } -> std::convertible_to<shard_cost>;
};

/// A cost model that can price shards on designs of type `D`.
template <class C, class D>
concept CostModelFor = AcceleratorDesign<D> && prices_shards_on<C, D> && std::copy_constructible<C>;

template <class C, class D>
concept lists_algorithms_on = requires(C const& c, shard const& s, D const& d) {
  { c.algorithms(s, d) } -> range_of<algorithm_cost>;
};

/// A cost model that prices the algorithms of a design one by one, so that mappers can choose:
/// `c.algorithms(s, d)` are those that `s` may run with; empty where there is nothing to choose.
/// With other models a shard costs `c(s, d)`, whatever the design lists.
template <class C, class D>
concept AlgorithmCostModelFor = CostModelFor<C, D> && lists_algorithms_on<C, D>;

/// Turns (shard, design) into a cost vector, for any design.
///
/// expression | type         | meaning                                          | cost
/// -----------|--------------|--------------------------------------------------|------------------
/// `c(s, d)`  | `shard_cost` | one run of `s` on one device configured with `d` | once per question
///
/// `c` is a `C const&`, `s` a `shard const&`, `d` a model of AcceleratorDesign.
/// Semantics: 1. Pure in the operator's signature, the extents and the design, and callable from
/// several threads. 2. An infinite total means *must not*; no time is negative or NaN. 3. Larger
/// extents are never cheaper. 4. Communication is not included: collectives and redistribution have
/// models of their own.
/// A function of `any_design const&` is a model too: every design converts to it.
/// Models: cost::analytical, cost::roofline, cost::table, cost::calibrated, cost::cached, cost::unavailable,
/// any_cost.
/// Example: examples/20_write_a_cost_model.
template <class C>
concept CostModel = CostModelFor<C, design_archetype>;

} // namespace mars
