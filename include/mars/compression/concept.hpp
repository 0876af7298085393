// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>

#include <concepts>
#include <optional>
#include <string>

namespace mars {

/// What a compression does to any network, for relations between types: which weight formats gain, which
/// designs can execute what it leaves.
struct compression_effects {
  bool zero_weights{false};   ///< leaves weights of a density below 1
  bool fewer_channels{false}; ///< leaves other shapes
  int element_bits{0};        ///< of activations and weights; 0: as they were
  number_format numbers{number_format::automatic};

  friend auto operator==(compression_effects const&, compression_effects const&) -> bool = default;
};

/// By which words accuracy is tabulated (compression/accuracy.hpp).
struct accuracy_key {
  std::string compression; ///< `weight_pruning`, `channel_pruning+int8`
  std::string setting;     ///< `sparsity 80 %`

  friend auto operator==(accuracy_key const&, accuracy_key const&) -> bool = default;
};

template <class C>
concept names_itself_by_value = requires(C const& c) {
  { c.name() } -> std::same_as<std::string>;
};
template <class C>
concept transforms_graphs = requires(C const& c, graph const& g) {
  { c(g) } -> std::same_as<expected<graph>>;
};
template <class C>
concept transforms_operators = requires(C const& c, operation const& o) {
  { c(o) } -> std::same_as<std::optional<operation>>;
};
template <class C>
concept states_effects = requires {
  { C::effects } -> std::convertible_to<compression_effects>;
};
template <class C>
concept names_its_accuracy = requires(C const& c) {
  { c.accuracy() } -> std::convertible_to<accuracy_key>;
};

/// A smaller network from a network: the same operators in the same order, joined by the same edges.
///
/// expression     | type                   | meaning                                        | cost
/// ---------------|------------------------|------------------------------------------------|-----
/// `c.name()`     | `std::string`          | `none`, `weight_pruning_80`, …                 | O(1)
/// `c(g)`         | `expected<graph>`      | the compressed network                         | O(g)
/// `C::effects`   | `compression_effects`  | optional: what it does to any network          | O(1)
/// `c.accuracy()` | `accuracy_key`         | optional: how tables call it                   | O(1)
///
/// Semantics: 1. Pure, from several threads. 2. Operators keep their numbers, names, kinds and edges, so
/// a mapping of one graph is one of the other; sizes, MACs, element widths and densities are those of the
/// result, and nobody has to be told of the compression. 3. Equal names compress alike: a name is built
/// from the parameters, and the caller owns it. 4. Accuracy is none of its business.
/// Models: compression::none, weight_pruning, channel_pruning, float16, bfloat16, int8, then; yours.
template <class C>
concept Compression =
    names_itself_by_value<C> && transforms_graphs<C> && std::copy_constructible<C>;

/// A compression that acts on one operator whatever is done to the others, so that a mapper may choose
/// it operator by operator.
///
/// expression | type                       | meaning
/// -----------|----------------------------|---------------------------------------------------
/// `c(o)`     | `std::optional<operation>` | the compressed operator; nothing: it stays as it is
///
/// Semantics: the shapes of inputs and outputs stay. Where neighbours are compressed differently, the
/// tensor between them has two widths: whoever mixes pays for the conversion.
/// Models: compression::none, weight_pruning, float16, bfloat16, int8, and `then` of these.
template <class C>
concept OperatorCompression = Compression<C> && transforms_operators<C>;

/// `C::effects`, or none known.
template <Compression C>
[[nodiscard]] constexpr auto effects_of() -> compression_effects {
  if constexpr (states_effects<C>)
    return C::effects;
  else
    return {};
}

} // namespace mars
