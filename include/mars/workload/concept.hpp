// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/id.hpp>
#include <mars/core/range.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace mars {

struct operation;

/// One tensor flowing between operators: operand `operand` of the consumer is the `output`-th
/// output (counting operands of role output only) of `producer`.
struct input_edge {
  operator_id producer;
  std::uint16_t output{};
  std::uint16_t operand{};

  friend auto operator==(input_edge const&, input_edge const&) -> bool = default;
};

/// The same tensor seen from its producer.
struct output_edge {
  operator_id consumer;
  std::uint16_t output{};
  std::uint16_t operand{};

  friend auto operator==(output_edge const&, output_edge const&) -> bool = default;
};

template <class G>
concept lists_operators = requires(G const& g) {
  { operators(g) } -> range_of<operator_id>;
};
template <class G>
concept describes_operators = requires(G const& g, operator_id v) {
  { op(g, v) } -> std::convertible_to<operation const&>;
};
template <class G>
concept lists_inputs = requires(G const& g, operator_id v) {
  { inputs(g, v) } -> range_of<input_edge>;
};

/// Operators and the tensors between them. Three free functions, found by argument-dependent
/// lookup.
///
/// expression     | type                   | meaning                                      | cost
/// ---------------|------------------------|----------------------------------------------|-----
/// `operators(g)` | range of `operator_id` | every operator, once                         | O(1)
/// `op(g, v)`     | `operation const&`     | its algebra; the reference outlives the call | O(1)
/// `inputs(g, v)` | range of `input_edge`  | operands produced by other operators         | O(1)
///
/// Semantics: 1. ids are 0 … n−1. 2. The graph is acyclic. 3. `inputs` names only ids of
/// `operators(g)` and operands of role input; an operand it does not name comes from outside the
/// graph. 4. The calls are pure and may be made from several threads.
/// Models: `mars::graph` (Boost.Graph); your compiler's IR, see examples/50_embed_in_a_compiler.
template <class G>
concept WorkloadGraph = lists_operators<G> && describes_operators<G> && lists_inputs<G>;

} // namespace mars
