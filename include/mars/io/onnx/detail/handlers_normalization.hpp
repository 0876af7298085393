// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operators over rows: normalisation, softmax, reductions, scans along an axis.

#include <mars/io/onnx/detail/affine.hpp>
#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/handlers_elementwise.hpp>
#include <mars/io/onnx/detail/shapes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail::handle {

/// Per-channel vectors (axis 1) beside x.
inline void batch_norm(call& c) {
  std::vector<tensor_id> ids;
  std::vector<axis_map> maps;
  for (std::size_t i = 0; i < 5 && (i == 0 || c.has(i)); ++i) {
    ids.push_back(c.id(i));
    auto const rank = c.at(ids.back()).rank();
    maps.push_back(i == 0 ? aligned(rank, rank) : rank == 1 ? axis_map{1} : all_whole(rank));
  }
  if (c.failed()) return;
  emit_mapped(c, op_kind::normalization, ids, maps, c.at(ids[0]).shape, c.at(ids[0]).type, 2);
}

/// Statistics over axes first … last; scale and shift (when there) broadcast from the last axis.
inline void normalize_from(call& c, tensor_id x, std::size_t first, std::vector<tensor_id> trained,
                           std::int64_t flops) {
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  std::vector<tensor_id> ids{x};
  std::vector<axis_map> maps{aligned(rank, rank)};
  for (auto i = first; i < rank; ++i) maps[0][i] = whole_axis;
  for (auto const id : trained) {
    if (c.at(id).rank() > rank)
      return c.reject(error_code::shape_mismatch, to_string(c.at(id).shape),
                      std::string{"a rank of at most "} + std::to_string(rank));
    ids.push_back(id);
    maps.push_back(aligned(c.at(id).rank(), rank));
  }
  emit_mapped(c, op_kind::normalization, ids, maps, c.at(x).shape, c.at(x).type, flops);
}

/// A statistic (mean, 1/σ) that the node also gives out: one number per row.
inline void row_statistics(call& c, std::size_t output, tensor_id x, std::size_t first) {
  if (!c.wants(output) || c.failed()) return;
  auto shape = c.at(x).shape;
  for (auto i = first; i < shape.size(); ++i) shape[i] = 1;
  if (c.at(x).constant) return c.define_constant(output, c.at(x).type, shape);
  auto& s = c.the_session();
  std::vector<std::int64_t> axes;
  for (auto i = first; i < shape.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  auto const v = s.graph.reduce(s.handle(x), axes, true, "RowStatistics", c.name() + ".statistics");
  if (c.accept()) c.define_value(output, c.at(x).type, v);
}

inline void layer_norm(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const first = c.axis(c.integer("axis", -1), c.at(x).rank());
  std::vector<tensor_id> trained;
  for (std::size_t i = 1; i < 3; ++i)
    if (c.has(i)) trained.push_back(c.id(i));
  normalize_from(c, x, first, trained,
                 trained.size() == 2 || c.type() == "LayerNormalization" ? 7 : 4);
  row_statistics(c, 1, x, first);
  row_statistics(c, 2, x, first);
}

/// Group and instance normalisation: statistics over the channels of a group and all that follows.
inline void normalize_groups(call& c, std::int64_t groups) {
  auto const x = c.id(0);
  if (c.failed()) return;
  std::vector<tensor_id> ids{x};
  for (std::size_t i = 1; i < 3; ++i)
    if (c.has(i)) ids.push_back(c.id(i));
  c.emit(ids, c.at(x).type, [&](builder& b, std::span<value const> v) {
    auto op = ops::group_norm(c.at(x).shape, groups, 0);
    if (op) {
      op->type = c.type();
      auto const channel = op->operands.back().axes[1];
      for (std::size_t i = 1; i < v.size(); ++i) {
        auto const& shape = b.shape(v[i]);
        operand t{role::weight, {}, 16, {}};
        if (shape.size() == 1 && shape[0] == channel.extent)
          t.axes.push_back(channel);
        else if (shape.size() == 1 && shape[0] == groups)
          t.axes.push_back(mars::detail::along(groups, {{channel.terms[0].dim}}));
        else
          for (auto const e : shape) t.axes.push_back(mars::detail::whole(e));
        op->operands.insert(op->operands.end() - 1, t);
      }
    }
    return add_to(b, std::move(op), v, c.name());
  });
}
inline void group_norm(call& c) {
  normalize_groups(c, c.integer("num_groups", c.integer("groups", 1)));
}
inline void instance_norm(call& c) {
  auto const& x = c.in(0);
  normalize_groups(c, x.rank() < 2 ? 1 : x.shape[1]);
}

/// Over some axes, nothing trained.
inline void normalize_axes(call& c, op_kind kind, std::vector<std::size_t> const& axes,
                           std::int64_t flops) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  auto map = aligned(rank, rank);
  for (auto const a : axes) map[a] = whole_axis;
  emit_mapped(c, kind, {x}, {map}, c.at(x).shape, c.at(x).type, flops);
}
inline void mean_variance_norm(call& c) {
  auto const rank = c.in(0).rank();
  auto const given = c.integers("axes").value_or(std::vector<std::int64_t>{0, 2, 3});
  auto const axes = c.axes(given, rank);
  normalize_axes(c, op_kind::normalization, axes, 5);
}
inline void lp_norm(call& c) {
  auto const a = c.axis(c.integer("axis", -1), c.in(0).rank());
  normalize_axes(c, op_kind::normalization, {a}, 3);
}

inline void lrn(call& c) {
  auto const x = c.id(0);
  auto const size = c.integer("size", 1);
  c.emit({x}, c.at(x).type,
         [&](builder& b, std::span<value const> v) { return b.lrn(v[0], size, c.name()); });
}

/// One axis since opset 13; before, all axes from `axis` (default 1) together.
inline void softmax(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  if (rank == 0) return normalize_axes(c, op_kind::softmax, {}, 5);
  auto const together = c.opset() < 13 && c.domain().empty();
  auto const number = c.integer("axis", together ? 1 : -1);
  auto const first =
      together && number == static_cast<std::int64_t>(rank) ? rank - 1 : c.axis(number, rank);
  std::vector<std::size_t> axes{first};
  for (auto i = first + 1; together && i < rank; ++i)
    if (c.at(x).shape[i] > 1) axes.push_back(i);
  normalize_axes(c, op_kind::softmax, axes, 5);
}

inline void reduce(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const axes = plan_reduce(c);
  auto const keep = c.integer("keepdims", 1) != 0;
  if (c.failed()) return;
  if (axes.empty()) return c.define(0, x); // a scalar, or noop_with_empty_axes
  std::vector<std::int64_t> numbers;
  for (auto const a : axes) numbers.push_back(static_cast<std::int64_t>(a));
  c.emit({x}, c.at(x).type, [&](builder& b, std::span<value const> v) {
    return b.reduce(v[0], numbers, keep, c.type(), c.name());
  });
}

/// Which element is the largest: a reduction whose partial results combine.
inline void arg_reduce(call& c) {
  auto const x = c.id(0);
  auto const axis = c.integer("axis", 0);
  auto const keep = c.integer("keepdims", 1) != 0;
  c.emit({x}, element::int64, [&](builder& b, std::span<value const> v) {
    return b.reduce(v[0], {axis}, keep, c.type(), c.name());
  });
}

/// Results need their row of `axis` entirely.
inline void scan_axis(call& c) {
  auto const rank = c.in(0).rank();
  std::int64_t number = c.integer("axis", -1);
  if (c.type() == "CumSum") {
    auto const at = c.integers_at(1);
    number = at.empty() ? 0 : at[0];
  }
  if (c.failed()) return;
  if (rank == 0) return normalize_axes(c, op_kind::reduction, {}, 1);
  auto const a = c.axis(number, rank);
  normalize_axes(c, op_kind::reduction, {a}, 1);
}

/// The k largest along an axis: values and indices.
inline void top_k(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  auto const axis = c.axis(c.integer("axis", -1), rank);
  std::int64_t k = c.integer("k", 0);
  if (c.attribute("k") == nullptr) {
    auto const given = c.integers_at(1);
    k = given.empty() ? 0 : given[0];
  }
  if (c.failed()) return;
  auto shape = c.at(x).shape;
  if (k < 1 || k > shape[axis])
    return c.reject(error_code::out_of_range, std::string{"k = "} + std::to_string(k),
                    std::string{"1 to "} + std::to_string(shape[axis]));
  shape[axis] = k;
  auto map = aligned(rank, rank);
  map[axis] = whole_axis;
  c.emit({x}, c.at(x).type, [&](builder& b, std::span<value const> v) {
    auto op = mapped(op_kind::reduction, "TopK", shape, {c.at(x).shape}, {map}, 1);
    if (op) op->operands.push_back(op->operands.back()); // values, and where they were
    return add_to(b, std::move(op), v, c.name());
  });
  if (auto const id = c.wants(1) ? c.the_frame().find(c.node().output(1)) : std::nullopt) {
    auto& t = c.the_session().at(*id);
    t.type = element::int64;
    t.bits = bits_of_type(element::int64);
    if (t.handle) c.the_session().graph.set_element_bits(*t.handle, t.bits);
  }
}

} // namespace mars::io::onnx_detail::handle

namespace mars::io::onnx_detail {

inline void add_normalization(handler_table& t) {
  t["BatchNormalization"] = handle::batch_norm;
  for (auto const name : {"LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"})
    t[name] = handle::layer_norm;
  t["GroupNormalization"] = handle::group_norm;
  t["InstanceNormalization"] = handle::instance_norm;
  t["MeanVarianceNormalization"] = handle::mean_variance_norm;
  t["LpNormalization"] = handle::lp_norm;
  t["LRN"] = handle::lrn;
  for (auto const name : {"Softmax", "LogSoftmax", "Hardmax"}) t[name] = handle::softmax;
  for (auto const name :
       {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
        "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"})
    t[name] = handle::reduce;
  for (auto const name : {"ArgMax", "ArgMin"}) t[name] = handle::arg_reduce;
  t["CumSum"] = handle::scan_axis;
  t["TopK"] = handle::top_k;
}

} // namespace mars::io::onnx_detail
