// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operations the builder has no call for, written in the algebra directly.

#include <mars/io/onnx/detail/call.hpp>
#include <mars/workload/detail/op_writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// What axis i of an operand follows: an axis of the result, or nothing (`whole_axis`): read whole.
inline constexpr int whole_axis = -1;
using axis_map = std::vector<int>;

/// NumPy's alignment: the last axes match.
[[nodiscard]] inline auto aligned(std::size_t rank, std::size_t out_rank) -> axis_map {
  axis_map map;
  for (std::size_t i = 0; i < rank; ++i) map.push_back(static_cast<int>(out_rank - rank + i));
  return map;
}
[[nodiscard]] inline auto all_whole(std::size_t rank) -> axis_map {
  return axis_map(rank, whole_axis);
}

/// An operator each of whose results depends on known parts of its operands: one parallel dimension
/// per axis of the result, operands follow them or are read whole.
[[nodiscard]] inline auto mapped(op_kind kind, std::string type, tensor_shape const& out,
                                 std::vector<tensor_shape> const& operands,
                                 std::vector<axis_map> const& maps, std::int64_t flops)
    -> expected<operation> {
  for (auto const& s : operands)
    if (auto n = count_elements(s); !n) return unexpected{std::move(n).error()};
  if (auto n = count_elements(out); !n) return unexpected{std::move(n).error()};
  mars::detail::op_writer w{kind, std::move(type)};
  auto const result = mars::detail::walk(w, out);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    mars::detail::operand_axes axes;
    for (std::size_t k = 0; k < operands[i].size(); ++k) {
      auto const extent = operands[i][k];
      auto const to = k < maps[i].size() ? maps[i][k] : whole_axis;
      if (to == whole_axis || extent == 1)
        axes.push_back(mars::detail::whole(extent));
      else if (auto const at = static_cast<std::size_t>(to); at < out.size() && out[at] == extent)
        axes.push_back(result[at]);
      else
        return fail(error_code::shape_mismatch, "shape", to_string(operands[i]),
                    std::string{"a shape that goes with "} + to_string(out));
    }
    w.input(axes);
  }
  w.output(result);
  return std::move(w).finish(0, flops);
}

/// Adds an operation to a builder under a name, its error recorded.
inline auto add_to(builder& b, expected<operation> op, std::span<value const> inputs,
                   std::string name) -> std::vector<value> {
  if (!op) {
    b.record(std::move(op).error());
    return {};
  }
  op->name = std::move(name);
  return b.add_operation(*std::move(op), inputs);
}

/// Emits a `mapped` operator over the given operands as output 0.
inline void emit_mapped(call& c, op_kind kind, std::vector<tensor_id> const& operands,
                        std::vector<axis_map> maps, tensor_shape out, int type,
                        std::int64_t flops = 1, std::string suffix = {}) {
  std::vector<tensor_shape> shapes;
  for (auto const id : operands) shapes.push_back(c.at(id).shape);
  c.emit(operands, type, [&](builder& b, std::span<value const> v) {
    return add_to(b, mapped(kind, c.type(), out, shapes, maps, flops), v, c.name() + suffix);
  });
}

/// Emits an operator that may read any element of its operands: positions known only at run time.
inline void emit_any_element(call& c, op_kind kind, std::vector<tensor_id> const& operands,
                             tensor_shape out, int type, std::int64_t flops = 0) {
  std::vector<axis_map> maps;
  for (auto const id : operands) maps.push_back(all_whole(c.at(id).rank()));
  emit_mapped(c, kind, operands, std::move(maps), std::move(out), type, flops);
}

/// One axis of a rearrangement: Σ stride · part over the parts (dimensions) it is made of.
struct composed_axis {
  std::vector<std::pair<std::size_t, std::int64_t>> parts; ///< (dimension, stride)
};

/// Emits a permutation or repetition of elements: dimensions with their extents, and how the axes
/// of input and output are composed of them. Dimensions are named d0, d1, ….
inline void emit_rearranged(call& c, op_kind kind, tensor_id input, tensor_shape const& extents_,
                            std::vector<composed_axis> const& in_axes,
                            std::vector<composed_axis> const& out_axes, tensor_shape out) {
  if (auto const n = count_elements(out); !n) return c.reject(n.error());
  auto const shape = c.at(input).shape;
  auto const type = c.at(input).type;
  c.emit({input}, type, [&](builder& b, std::span<value const> v) {
    mars::detail::op_writer w{kind, c.type()};
    std::vector<std::uint8_t> dims;
    for (std::size_t d = 0; d < extents_.size(); ++d)
      dims.push_back(
          w.dim(label{std::string_view{std::string{"d"} + std::to_string(d)}}, extents_[d]));
    auto const compose = [&](std::vector<composed_axis> const& axes, tensor_shape const& extent) {
      mars::detail::operand_axes result;
      for (std::size_t i = 0; i < axes.size(); ++i) {
        axis a{.terms = {}, .offset = 0, .extent = extent[i]};
        for (auto const& [d, stride] : axes[i].parts)
          if (extents_[d] > 1 || axes[i].parts.size() == 1) a.terms.push_back({dims[d], stride});
        result.push_back(a);
      }
      return result;
    };
    w.input(compose(in_axes, shape));
    w.output(compose(out_axes, out));
    return add_to(b, std::move(w).finish(0, 0), v, c.name());
  });
}

} // namespace mars::io::onnx_detail
