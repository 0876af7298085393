// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/kernel.hpp>
#include <mars/workload/operators/options.hpp>
#include <mars/workload/shape.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mars {

/// A convolution that may be merged with others of the same input (IOS's merge strategy).
struct mergeable_convolution {
  tensor_shape input{}; ///< N, C, H, W
  ops::conv_options options{};
  std::string activation{};
  int element_bits{32};
};

/// An operator of one device: the kernels it launches one after another, and whose results it reads.
struct stream_node {
  std::string name{};
  std::vector<kernel> kernels{};       ///< none: a view, an input, an output
  std::vector<std::uint32_t> inputs{}; ///< producers, each once, in the order of first use
  bytes output{}; ///< memory of its result; none: a view, which keeps its inputs
  std::optional<mergeable_convolution> convolution{};
};

/// Launches nothing and has no memory of its own: its inputs under another name (a reshape, dropout in
/// inference).
template <deferred = when_called>
[[nodiscard]] auto is_view(stream_node const& x) -> bool {
  return x.kernels.empty() && x.output == bytes{};
}

/// Operators of one device and their dependences, in a topological order: all that a stream scheduler
/// needs. Made from a workload and a design (`make_stream_graph`), from a profile or from files.
struct stream_graph {
  std::string name{};
  std::vector<stream_node> nodes{};
  /// Of every node: the block it belongs to, not decreasing; empty: one block. Blocks run one after
  /// another in IOS, which searches each by itself.
  std::vector<std::uint32_t> block_of{};

  [[nodiscard]] auto size() const -> std::size_t { return nodes.size(); }
};

} // namespace mars
