// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Fused and vendor operators (domain com.microsoft), attention, and what nobody knows.

#include <mars/io/onnx/detail/affine.hpp>
#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/handlers_convolution.hpp>
#include <mars/io/onnx/detail/handlers_elementwise.hpp>
#include <mars/io/onnx/detail/handlers_matmul.hpp>
#include <mars/io/onnx/detail/handlers_normalization.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// Output number and shape.
using output_shapes = std::vector<std::pair<std::size_t, tensor_shape>>;

/// Emits an operator of unknown semantics: it reads its inputs (and `more`, captured by subgraphs)
/// and writes outputs of the given shapes. Integer constants are parameters of the operator, no
/// data.
inline void emit_opaque(call& c, output_shapes const& outputs, std::vector<tensor_id> more = {}) {
  auto& s = c.the_session();
  std::vector<tensor_id> ids;
  bool constant = true;
  more.insert(more.begin(), c.ids().begin(), c.ids().end());
  for (auto const id : more) {
    if (id == absent) continue;
    auto const& t = s.at(id);
    if (!t.shaped || (t.constant && (is_index_like(t.type) || t.elements() == 0))) {
      constant &= t.constant;
      continue;
    }
    constant &= t.constant;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  if (c.failed()) return;
  auto const type_of = [&](std::size_t i) -> int {
    if (auto const* info = c.the_frame().find_stored(c.node().output(static_cast<int>(i)));
        info != nullptr && info->type().has_tensor_type() &&
        info->type().tensor_type().elem_type() != 0)
      return info->type().tensor_type().elem_type();
    return ids.empty() ? element::float32 : s.at(ids[0]).type;
  };
  if (constant) {
    for (auto const& [i, shape] : outputs) c.define_constant(i, type_of(i), shape);
    return;
  }
  std::vector<value> values;
  std::vector<tensor_shape> shapes;
  for (auto const id : ids) values.push_back(s.handle(id));
  for (auto const& o : outputs) shapes.push_back(o.second);
  auto const results = s.graph.opaque(values, shapes, printable(c.type()), c.name());
  if (!c.accept()) return;
  for (std::size_t k = 0; k < outputs.size(); ++k)
    c.define_value(outputs[k].first, type_of(outputs[k].first), results[k]);
}

/// The wanted outputs not defined yet, by stored shapes; an error names the first one without.
inline void import_unknown(call& c, std::vector<tensor_id> more, std::string const& what) {
  output_shapes outputs;
  for (int i = 0; i < c.node().output_size(); ++i) {
    auto const k = static_cast<std::size_t>(i);
    auto const& name = c.node().output(i);
    if (!c.wants(k) || c.the_frame().names.contains(name)) continue;
    auto const* info = c.the_frame().find_stored(name);
    auto shape =
        info == nullptr ? std::nullopt : stored_shape(c.the_session(), *info, in_quotes(name));
    if (!shape)
      return c.reject(error_code::unsupported, what, "an operator mars knows, or a stored shape",
                      "output " + in_quotes(name) + " has none",
                      std::string{"output["} + std::to_string(i) + "]");
    outputs.emplace_back(k, *std::move(shape));
  }
  if (outputs.empty()) return;
  c.warn(what + " imported as opaque: its cost is not estimated");
  emit_opaque(c, outputs, std::move(more));
}

namespace handle {

/// x + skip, then normalisation; output 3 is the sum.
inline void skip_layer_norm(call& c) {
  auto const x = c.id(0);
  auto const skip = c.id(1);
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  auto const simple = c.type() == "SkipSimplifiedLayerNormalization";
  std::vector<tensor_id> ids{x, skip};
  for (auto const i : {std::size_t{2}, std::size_t{3}, std::size_t{4}})
    if (c.has(i)) ids.push_back(c.id(i));
  auto row = aligned(rank, rank);
  if (rank > 0) row.back() = whole_axis;
  std::vector<axis_map> maps{row, row};
  maps[1] = aligned(c.at(skip).rank(), std::max(rank, c.at(skip).rank()));
  if (!maps[1].empty()) maps[1].back() = whole_axis;
  for (std::size_t i = 2; i < ids.size(); ++i)
    maps.push_back(aligned(c.at(ids[i]).rank(), std::max(rank, c.at(ids[i]).rank())));
  emit_mapped(c, op_kind::normalization, ids, maps, c.at(x).shape, c.at(x).type, simple ? 5 : 8);
  if (!c.wants(3) || c.failed() || c.at(x).constant) return;
  auto& s = c.the_session();
  auto const v = s.graph.add(s.handle(x), s.handle(skip), c.name() + ".sum");
  if (c.accept()) c.define_value(3, c.at(x).type, v);
}

/// MatMul with either operand transposed in its last two axes.
inline void fused_matmul(call& c) {
  auto const a = c.id(0);
  auto const b = c.id(1);
  if (c.failed()) return;
  auto const seen = [&](tensor_id id, char const* flag) {
    auto shape = c.at(id).shape;
    auto const swap = c.integer(flag, 0) != 0 && shape.size() > 1;
    if (swap) std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
    return std::pair{shape, swap};
  };
  auto const [a_shape, a_swapped] = seen(a, "transA");
  auto const [b_shape, b_swapped] = seen(b, "transB");
  auto const& as = a_shape;
  auto const& bs = b_shape;
  bool const swapped[2] = {a_swapped, b_swapped};
  c.emit({a, b}, c.at(a).type, [&](builder& g, std::span<value const> v) {
    auto op = ops::matmul(as, bs);
    for (std::size_t i = 0; op && i < 2; ++i)
      if (auto& axes = op->operands[i].axes; swapped[i])
        std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
    return add_to(g, std::move(op), v, c.name());
  });
}

/// Weight-only quantisation: B holds K × N values of a few bits, packed.
inline void matmul_packed(call& c) {
  auto const a = c.id(0);
  auto const b = c.id(1);
  auto const k = c.integer("K", 0);
  auto const n = c.integer("N", 0);
  auto const bits = c.integer("bits", 4);
  if (c.failed()) return;
  if (auto const e = stored_elements({k, n}); !e || bits < 1 || bits > 32)
    return c.reject(error_code::out_of_range, "K, N, bits", "a small matrix");
  tensor unpacked = c.at(b);
  unpacked.type = element::float32;
  unpacked.shape = {k, n};
  unpacked.bits = static_cast<int>(bits);
  unpacked.values.reset();
  unpacked.handle.reset();
  multiply(c, a, c.the_session().add(std::move(unpacked)), c.at(a).type);
}

inline void qlinear_binary(call& c) {
  auto const a = c.id(0);
  auto const b = c.id(3);
  c.emit({a, b}, c.at(a).type, [&](builder& g, std::span<value const> v) {
    return g.binary(v[0], v[1], c.type(), c.name());
  });
}
/// Y scale, Y zero point, then (X, scale, zero point) each.
inline void qlinear_concat(call& c) {
  std::vector<tensor_id> ids;
  for (std::size_t i = 2; i < c.inputs(); i += 3) ids.push_back(c.id(i));
  if (ids.empty()) return void(c.id(2));
  auto const axis = c.integer("axis", 1);
  c.emit(ids, c.at(ids[0]).type,
         [&](builder& b, std::span<value const> v) { return b.concat(v, axis, c.name()); });
}

/// Positions mixed in pairs along the last axis.
inline void rotary(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  auto map = aligned(rank, rank);
  if (rank > 0) map.back() = whole_axis;
  emit_mapped(c, op_kind::elementwise, {x}, {map}, c.at(x).shape, c.at(x).type, 3);
}

/// Attention over q, k, v given as inputs 0–2, [N, S, heads·h] or [N, heads, S, h], as its parts.
inline void attention(call& c) {
  auto const q = c.id(0);
  auto const heads = c.integer(c.domain().empty() ? "q_num_heads" : "num_heads", 1);
  auto const kv_heads = c.integer(c.domain().empty() ? "kv_num_heads" : "kv_num_heads", heads);
  auto const causal =
      c.integer("is_causal", c.integer("unidirectional", c.type() == "GroupQueryAttention")) != 0;
  if (c.failed()) return;
  auto const simple = c.has(1) && c.has(2) && c.at(q).rank() == c.in(1).rank() &&
                      c.in(1).rank() == c.in(2).rank() &&
                      (c.at(q).rank() == 3 || c.at(q).rank() == 4) && !c.wants(1) && !c.wants(2) &&
                      !c.wants(3);
  if (!simple) {
    // Packed or cached keys: the result has the shape of the queries.
    c.warn("keys and values are packed or cached: imported as opaque, its cost is not estimated");
    output_shapes outputs{{0, c.at(q).shape}};
    if (c.wants(0)) emit_opaque(c, outputs);
    return;
  }
  if (c.inputs() > 3) c.warn("bias, mask and cache inputs of an attention are not costed");
  c.emit({q, c.id(1), c.id(2)}, c.at(q).type, [&](builder& b, std::span<value const> v) {
    if (b.shape(v[0]).size() == 3)
      return b.attention(v[0], v[1], v[2], heads, kv_heads, causal, c.name());
    auto const rows = [&](value x, char const* part) {
      auto const s = b.shape(x);
      auto const t = b.transpose(x, {0, 2, 1, 3}, c.name() + ".rows_" + part);
      return b.reshape(t, {s[0], s[2], checked_multiply(s[1], s[3]).value_or(0)},
                       c.name() + ".merge_" + part);
    };
    auto const qs = b.shape(v[0]);
    auto const ks = b.shape(v[1]);
    auto const vs = b.shape(v[2]);
    auto const y = b.attention(rows(v[0], "q"), rows(v[1], "k"), rows(v[2], "v"), qs[1], ks[1],
                               causal, c.name());
    auto const split = b.reshape(y, {qs[0], qs[2], qs[1], vs[3]}, c.name() + ".heads");
    return b.transpose(split, {0, 2, 1, 3}, c.name() + ".rows");
  });
}

/// Projection included: x [N, S, D], weight [D, q + k + v], bias [q + k + v].
inline void fused_attention(call& c) {
  auto const x = c.id(0);
  auto const w = c.id(1);
  if (c.failed()) return;
  auto const heads = c.integer("num_heads", 1);
  auto const& ws = c.at(w).shape;
  if (ws.size() != 2)
    return c.reject(error_code::shape_mismatch, to_string(ws), "a weight [D, q + k + v]", {},
                    "input[1]");
  auto sizes = c.numbers("qkv_hidden_sizes").value_or(std::vector<std::int64_t>(3, ws[1] / 3));
  auto const causal = c.integer("unidirectional", 0) != 0;
  if (c.inputs() > 3) c.warn("masks and caches of an attention are not costed");
  std::vector<tensor_id> ids{x, w};
  if (c.has(2)) ids.push_back(c.id(2));
  c.emit(ids, c.at(x).type, [&](builder& b, std::span<value const> v) {
    auto y = b.matmul(v[0], v[1], c.name() + ".qkv");
    if (v.size() > 2) y = b.add(y, v[2], c.name() + ".bias");
    auto const parts = b.split(y, -1, sizes, c.name() + ".split");
    if (parts.size() != 3) {
      b.record({error_code::shape_mismatch,
                "operators[0].qkv_hidden_sizes",
                to_string(sizes),
                "three sizes",
                {}});
      return value{};
    }
    return b.attention(parts[0], parts[1], parts[2], heads, heads, causal, c.name());
  });
}

} // namespace handle

/// Handlers of com.microsoft, where they differ from the default domain's.
inline void add_contrib(handler_table& t) {
  for (auto const name : {"BiasGelu", "FastGelu", "QuickGelu", "BiasAdd"})
    t[name] = handle::broadcasting;
  for (auto const name : {"SkipLayerNormalization", "SkipSimplifiedLayerNormalization"})
    t[name] = handle::skip_layer_norm;
  for (auto const name : {"FusedMatMul", "TransposeMatMul"}) t[name] = handle::fused_matmul;
  t["FusedConv"] = handle::conv;
  t["FusedGemm"] = handle::gemm;
  t["MatMulNBits"] = handle::matmul_packed;
  t["DynamicQuantizeMatMul"] = handle::matmul;
  t["MatMulIntegerToFloat"] = [](call& c) {
    handle::multiply(c, c.id(0), c.id(1), element::float32);
  };
  for (auto const name : {"QLinearAdd", "QLinearMul"}) t[name] = handle::qlinear_binary;
  for (auto const name : {"QLinearSigmoid", "QLinearLeakyRelu"}) t[name] = handle::unary;
  t["QLinearSoftmax"] = handle::softmax;
  t["QLinearConcat"] = handle::qlinear_concat;
  t["QLinearAveragePool"] = handle::pool;
  t["QLinearGlobalAveragePool"] = handle::global_pool;
  t["Attention"] = handle::fused_attention;
  for (auto const name : {"MultiHeadAttention", "GroupQueryAttention"}) t[name] = handle::attention;
  t["RotaryEmbedding"] = handle::rotary;
}

inline void add_attention(handler_table& t) {
  t["Attention"] = handle::attention;
  t["RotaryEmbedding"] = handle::rotary;
}

} // namespace mars::io::onnx_detail
