// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/kernel.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/shard.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

namespace mars::io {

/// A node of a file: what it computes, not yet on a device.
struct operator_node {
  std::string name{};
  /// What it launches, in order; none: an input, an output or a view. More than one where a file's node
  /// adds or concatenates what it reads before it does its own work.
  std::vector<operation> operations{};
  std::vector<std::uint32_t> inputs{}; ///< producers, each once, in the order of first use
  bytes output{};                      ///< of its result; 0 where it launches nothing
  std::optional<mergeable_convolution> convolution{};
  std::optional<bool> named_memory_bound{}; ///< what the file says; Opara's classes by name
};

/// An operator graph as files have it (`load_operator_graph`), in a topological order.
struct operator_graph {
  std::string name{};
  std::vector<operator_node> nodes{};
  std::vector<std::uint32_t> block_of{}; ///< as in `stream_graph`
  /// The schedule in the file, if it has one: nodes of each group of each stage.
  std::vector<std::vector<std::vector<std::uint32_t>>> stages{};
};

/// With each operation as the kernels that `lower(operation)` gives.
template <class Lower>
requires std::ranges::input_range<std::invoke_result_t<Lower const&, operation const&>>
[[nodiscard]] auto to_stream_graph(operator_graph const& g, Lower const& lower) -> stream_graph {
  stream_graph result{g.name, {}, g.block_of};
  for (auto const& from : g.nodes) {
    auto& to = result.nodes.emplace_back();
    to.name = from.name;
    to.inputs = from.inputs;
    to.output = from.output;
    to.convolution = from.convolution;
    for (auto const& op : from.operations)
      for (auto const& k : lower(op)) to.kernels.push_back(k);
  }
  return result;
}
/// With the kernels of a design.
template <KernelDesign Design>
[[nodiscard]] auto to_stream_graph(operator_graph const& g, Design const& design) -> stream_graph {
  return to_stream_graph(g, [&](operation const& op) { return design.kernels(shard{op}); });
}

} // namespace mars::io
