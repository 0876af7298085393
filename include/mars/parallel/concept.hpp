// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/range.hpp>

#include <concepts>
#include <cstddef>

namespace mars {

struct operation;
struct sharding;

template <class P>
concept proposes_shardings = requires(P const& p, operation const& op, std::size_t ways) {
  { p.shardings(op, ways) } -> range_of<sharding>;
};

/// Which shardings a mapper considers for an operator on a set of `ways` devices.
///
/// expression              | type                | meaning                                  | cost
/// ------------------------|---------------------|------------------------------------------|------
/// `p.shardings(op, ways)` | range of `sharding` | candidates, the preferred one first      | any
///
/// Semantics: 1. pure: equal operators (`same_signature`) get equal answers. 2. Every sharding
/// passes `check(op, s, ways)`. 3. At least one sharding; the empty one (replicate everything) is
/// always legal. Asked once per distinct (operator signature, ways) while a problem is built.
/// Models: `parallel::exclusive_shared`, `parallel::data`, `parallel::iteration_splits`.
template <class P>
concept ParallelismStrategy = std::copyable<P> && proposes_shardings<P>;

/// Refinement: `p.prior(op, s)` weighs a candidate for the seeding of searches (larger = earlier).
template <class P>
concept SeedingStrategy = ParallelismStrategy<P> &&
    requires(P const& p, operation const& op, sharding const& s) {
  { p.prior(op, s) } -> std::convertible_to<double>;
};

} // namespace mars
