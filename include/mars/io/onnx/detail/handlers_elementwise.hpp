// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/io/onnx/detail/affine.hpp>
#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/shapes.hpp>

#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// Handlers by operator type.
using handler_table = std::unordered_map<std::string_view, handler>;

namespace handle {

inline void alias(call& c) { c.define(0, c.id(0)); }

/// Elementwise over input 0, shape kept; float scalars given as further inputs are operands too.
inline void unary(call& c) {
  auto const x = c.id(0);
  auto const type = c.type() == "Not" || c.type() == "IsNaN" || c.type() == "IsInf"
                        ? element::boolean
                        : c.at(x).type;
  c.emit({x}, type,
         [&](builder& b, std::span<value const> v) { return b.unary(v[0], c.type(), c.name()); });
}

/// The present inputs, all of them checked.
[[nodiscard]] inline auto present(call& c) -> std::vector<tensor_id> {
  std::vector<tensor_id> ids;
  for (std::size_t i = 0; i < c.inputs(); ++i)
    if (c.has(i)) ids.push_back(c.id(i));
  return ids;
}

/// Elementwise with NumPy broadcasting over any number of tensors.
inline void broadcasting(call& c) {
  auto const ids = present(c);
  if (ids.empty()) return void(c.id(0));
  static constexpr std::array<std::string_view, 10> predicates{
      "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual",
      "And",   "Or",   "Xor",         "IsInf",   "IsNaN"};
  auto type = c.at(ids[c.type() == "Where" && ids.size() > 1 ? 1 : 0]).type;
  if (std::find(predicates.begin(), predicates.end(), c.type()) != predicates.end())
    type = element::boolean;
  c.emit(ids, type, [&](builder& b, std::span<value const> v) {
    if (v.size() == 1) return b.unary(v[0], c.type(), c.name());
    if (v.size() == 2) return b.binary(v[0], v[1], c.type(), c.name());
    return b.nary(v, c.type(), c.name());
  });
}

/// Before opset 7 the second operand could be aligned at a given axis instead of the last.
inline void binary(call& c) {
  auto const a = c.id(0);
  auto const b = c.id(1);
  if (c.failed()) return;
  auto const rank = c.at(a).rank();
  auto const own = c.at(b).rank();
  if (c.opset() >= 7 || c.integer("broadcast", 0) == 0 || c.attribute("axis") == nullptr ||
      own > rank)
    return broadcasting(c);
  auto const first = c.axis(c.integer("axis", 0), std::max<std::size_t>(1, rank));
  axis_map map;
  for (std::size_t i = 0; i < own; ++i) map.push_back(static_cast<int>(first + i));
  auto const predicate = c.type() == "Equal" || c.type() == "Less" || c.type() == "Greater" ||
                         c.type() == "And" || c.type() == "Or" || c.type() == "Xor";
  emit_mapped(c, op_kind::elementwise, {a, b}, {aligned(rank, rank), map}, c.at(a).shape,
              predicate ? element::boolean : c.at(a).type);
}

inline void cast(call& c) {
  auto const x = c.id(0);
  auto const type =
      c.type() == "CastLike" ? c.in(1).type : static_cast<int>(c.integer("to", c.at(x).type));
  c.emit({x}, type, [&](builder& b, std::span<value const> v) {
    return b.unary(v[0], c.type(), c.name(), 0);
  });
}

/// Inference: the identity, unless ratio or mode are inputs (opset 12): then a pass over the
/// tensor, which consumes them. A mask that somebody reads is a tensor of its own.
inline void dropout(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  if (!c.has(1)) {
    c.define(0, x);
  } else {
    std::vector<tensor_id> ids{x, c.id(1)};
    emit_mapped(c, op_kind::elementwise, ids,
                {aligned(c.at(x).rank(), c.at(x).rank()), all_whole(c.at(ids[1]).rank())},
                c.at(x).shape, c.at(x).type);
  }
  if (!c.wants(1) || c.failed()) return;
  c.define_constant(1, element::boolean, c.at(x).shape);
}

/// Scale and zero point are scalars, or vectors along `axis`.
inline void quantize(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  auto const along_axis = [&](tensor_id id) -> axis_map {
    if (c.at(id).rank() != 1) return aligned(c.at(id).rank(), std::max(rank, c.at(id).rank()));
    auto const n = c.integer("axis", 1);
    auto const at =
        rank == 0 ? 0 : static_cast<int>(c.axis(n < static_cast<std::int64_t>(rank) ? n : 0, rank));
    return {c.at(id).shape[0] == 1 ? whole_axis : at};
  };
  std::vector<tensor_id> ids{x};
  std::vector<axis_map> maps{aligned(rank, rank)};
  for (std::size_t i = 1; i < c.inputs() && i < 3; ++i)
    if (c.has(i)) {
      ids.push_back(c.id(i));
      // Blocked quantisation has one scale per block: whole.
      auto map = along_axis(ids.back());
      if (c.at(ids.back()).rank() > 1) map = all_whole(c.at(ids.back()).rank());
      maps.push_back(map);
    }
  auto type = element::float32;
  if (c.type() == "QuantizeLinear")
    type =
        c.has(2) ? c.at(c.id(2)).type : static_cast<int>(c.integer("output_dtype", element::uint8));
  else if (c.has(1))
    type = c.at(c.id(1)).type;
  emit_mapped(c, op_kind::elementwise, ids, maps, c.at(x).shape, type, 2);
}

/// y, scale and zero point of the whole tensor.
inline void dynamic_quantize(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  emit_mapped(c, op_kind::elementwise, {x}, {aligned(rank, rank)}, c.at(x).shape, element::uint8,
              2);
  for (std::size_t i = 1; i < 3; ++i) {
    if (!c.wants(i) || c.failed()) continue;
    auto const type = i == 1 ? element::float32 : element::uint8;
    if (c.at(x).constant) {
      c.define_constant(i, type, {});
      continue;
    }
    auto& s = c.the_session();
    auto const v = s.graph.reduce(s.handle(x), {}, false, "ReduceMax",
                                  c.name() + (i == 1 ? ".scale" : ".zero_point"));
    if (c.accept()) c.define_value(i, type, v);
  }
}

} // namespace handle

inline void add_elementwise(handler_table& t) {
  for (auto const name : {"Abs",
                          "Acos",
                          "Acosh",
                          "Asin",
                          "Asinh",
                          "Atan",
                          "Atanh",
                          "BitwiseNot",
                          "Ceil",
                          "Celu",
                          "Cos",
                          "Cosh",
                          "Elu",
                          "Erf",
                          "Exp",
                          "Floor",
                          "Gelu",
                          "HardSigmoid",
                          "HardSwish",
                          "LeakyRelu",
                          "Log",
                          "Mish",
                          "Neg",
                          "Not",
                          "IsNaN",
                          "IsInf",
                          "Reciprocal",
                          "Relu",
                          "Round",
                          "Selu",
                          "Shrink",
                          "Sigmoid",
                          "Sign",
                          "Sin",
                          "Sinh",
                          "Softplus",
                          "Softsign",
                          "Sqrt",
                          "Swish",
                          "Tan",
                          "Tanh",
                          "ThresholdedRelu",
                          "Trilu",
                          "RandomNormalLike",
                          "RandomUniformLike",
                          "Bernoulli",
                          "ImageScaler",
                          "ParametricSoftplus",
                          "Scale",
                          "ScaledTanh",
                          "Affine"})
    t[name] = handle::unary;
  for (auto const name : {"Sum", "Max", "Min", "Mean", "Where", "Clip", "PRelu"})
    t[name] = handle::broadcasting;
  for (auto const name :
       {"Add", "Sub", "Mul", "Div", "Pow", "Mod", "And", "Or", "Xor", "Equal", "Greater", "Less",
        "GreaterOrEqual", "LessOrEqual", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor"})
    t[name] = handle::binary;
  t["Identity"] = handle::alias;
  t["Cast"] = handle::cast;
  t["CastLike"] = handle::cast;
  t["Dropout"] = handle::dropout;
  t["QuantizeLinear"] = handle::quantize;
  t["DequantizeLinear"] = handle::quantize;
  t["DynamicQuantizeLinear"] = handle::dynamic_quantize;
}

} // namespace mars::io::onnx_detail
