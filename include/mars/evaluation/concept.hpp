// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/cost/concept.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/interconnect/concept.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

namespace mars {

template <class S>
concept lists_accelerators = requires(S const& s, std::size_t i) {
  { s.accelerators.size() } -> std::convertible_to<std::size_t>;
  requires Accelerator<std::remove_cvref_t<decltype(s.accelerators[i])>>;
};
template <class S>
concept connects_accelerators = requires(S const& s) {
  requires Interconnect<std::remove_cvref_t<decltype(s.interconnect)>>;
};

/// What a workload is mapped onto, as its two members.
///
/// expression          | type                              | meaning
/// --------------------|-----------------------------------|------------------------------------------
/// `s.accelerators[i]` | model of Accelerator              | the i-th; `.size()` says how many
/// `s.interconnect`    | model of Interconnect             | its accelerator i is `accelerators[i]`
///
/// Semantics: as many accelerators as the interconnect connects, each with at least one design.
/// Models: `mars::system`; yours.
template <class S>
concept AcceleratorSystem = lists_accelerators<S> && connects_accelerators<S>;

/// The design type of a system's accelerators.
template <AcceleratorSystem S>
using design_of_system = std::remove_cvref_t<decltype(*std::begin(
    std::declval<S const&>().accelerators[std::size_t{}].designs()))>;

/// A cost model that prices shards on the designs of a system.
template <class C, class S>
concept CostModelForSystem = AcceleratorSystem<S> && CostModelFor<C, design_of_system<S>>;

/// A collective model that knows a system's interconnect.
template <class M, class S>
concept CollectiveModelForSystem = AcceleratorSystem<S> &&
    CollectiveModel<M, std::remove_cvref_t<decltype(std::declval<S const&>().interconnect)>>;

} // namespace mars
