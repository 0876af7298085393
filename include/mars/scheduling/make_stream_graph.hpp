// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/shape.hpp>
#include <mars/workload/shard.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// A two-dimensional convolution as something to merge; nothing for other operators.
template <deferred D = when_called>
[[nodiscard]] auto mergeable_of(operation const& o)
    -> std::optional<later<mergeable_convolution, D>> {
  auto const* in = nth_operand(o, role::input, 0);
  auto const* out = nth_operand(o, role::output, 0);
  if (o.kind != op_kind::convolution || in == nullptr || out == nullptr || in->axes.size() != 4 ||
      out->axes.size() != 4 || find_dim(o, "py"))
    return std::nullopt;
  later<mergeable_convolution, D> c;
  c.input = shape_of(*in);
  c.element_bits = in->element_bits;
  auto const shape = as_convolution(shard{o});
  if (!shape) return std::nullopt;
  c.options.out_channels = out->axes[1].extent;
  c.options.groups = shape->groups;
  c.options.kernel = {shape->kernel_rows, shape->kernel_columns};
  c.options.stride = {shape->stride, shape->column_stride};
  c.options.dilation = {shape->dilation, shape->column_dilation};
  // What padding in front and behind gives this output.
  for (auto const spatial : {std::size_t{2}, std::size_t{3}})
    c.options.padding.push_back(-in->axes[spatial].offset);
  for (auto const i : {std::size_t{0}, std::size_t{1}}) {
    auto const reach = (out->axes[2 + i].extent - 1) * c.options.stride[i] +
                       (c.options.kernel[i] - 1) * c.options.dilation[i] + 1;
    c.options.padding.push_back(
        std::max<std::int64_t>(0, reach - c.input[2 + i] - c.options.padding[i]));
  }
  c.options.bias = nth_operand(o, role::weight, 1) != nullptr;
  return c;
}

/// Every operator of a workload, whole, as the kernels of a design. Nodes are in topological order.
/// Where `nodes` is given it gets the operator of each. O(V + E) questions to the design. Errors: those
/// of `topological_order`.
template <WorkloadGraph Graph, KernelDesign Design, deferred D = when_called>
[[nodiscard]] auto make_stream_graph(Graph const& g, Design const& design, std::string name = {},
                                     std::vector<operator_id>* nodes = nullptr)
    -> expected<later<stream_graph, D>> {
  later<stream_graph, D> result;
  result.name = std::move(name);
  auto const sorted = topological_order(g);
  if (!sorted) return unexpected{sorted.error()};
  auto const& order = *sorted;
  later<std::vector<std::uint32_t>, D> place(order.size());
  for (auto const v : order) {
    auto const& o = op(g, v);
    place[v.index()] = static_cast<std::uint32_t>(result.nodes.size());
    later<stream_node, D> node;
    node.name = o.name;
    for (auto const& k : design.kernels(shard{o})) node.kernels.push_back(k);
    for (input_edge const in : inputs(g, v)) {
      auto const u = place[in.producer.index()];
      if (std::find(node.inputs.begin(), node.inputs.end(), u) == node.inputs.end())
        node.inputs.push_back(u);
    }
    // A view has no memory of its own.
    if (!node.kernels.empty()) node.output = bytes_of(shard{o}, role::output);
    node.convolution = mergeable_of(o);
    result.nodes.push_back(std::move(node));
    if (nodes != nullptr) nodes->push_back(v);
  }
  return result;
}

} // namespace mars
