// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/exploration/axis.hpp>
#include <mars/workload/graph.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace mars::exploration {

/// An element of the network axis: a graph under a name. Networks of one type, however many, are compiled
/// once.
struct network {
  std::string title;
  graph workload;

  [[nodiscard]] auto name() const -> std::string_view { return title; }
};

/// Code as a compiler writes it untold: one fixed tile. `g.on(d)` is a design as it runs such code: one
/// that knows the difference has a member `generation`, an enumeration with these names.
struct untuned {
  [[nodiscard]] auto name() const -> std::string_view { return "untuned"; }
  template <class Design>
  [[nodiscard]] auto on(Design d) const -> Design {
    if constexpr (requires { d.generation = decltype(d.generation)::untuned; })
      d.generation = decltype(d.generation)::untuned;
    return d;
  }
};
/// The best of a set of tiles, chosen by the model or by timing.
struct tuned {
  [[nodiscard]] auto name() const -> std::string_view { return "tuned"; }
  template <class Design>
  [[nodiscard]] auto on(Design d) const -> Design {
    if constexpr (requires { d.generation = decltype(d.generation)::tuned; })
      d.generation = decltype(d.generation)::tuned;
    return d;
  }
};

/// The acceleration stack, layer by layer.
template <class Networks, class Compressions, class Primitives, class CodeGenerations,
          class Designs>
struct stack {
  Networks networks;         ///< axis of `network`, or of what has a name and a `workload`
  Compressions compressions; ///< axis of callables graph → expected<graph>
  Primitives primitives;     ///< axis of Primitive
  CodeGenerations code_generations;
  Designs designs; ///< axis of AcceleratorDesign
};
template <class N, class C, class P, class G, class D>
stack(N, C, P, G, D) -> stack<N, C, P, G, D>;

} // namespace mars::exploration
