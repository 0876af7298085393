// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operators that move elements without computing.

#include <mars/io/onnx/detail/affine.hpp>
#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/handlers_elementwise.hpp>
#include <mars/io/onnx/detail/shapes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail::handle {

/// Reshape, Flatten, Squeeze, Unsqueeze. A target of another number of elements is no reason to
/// stop: files made for pattern matching have them. The operator becomes opaque, and a warning says
/// so.
inline void rename_axes(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto shape = renamed_shape(c);
  if (c.failed()) return;
  auto const have = c.at(x).elements();
  auto const batch = c.the_session().options.batch;
  if (stored_elements(shape).value_or(-1) != have && batch > 0 && !shape.empty() &&
      c.the_session().old_batches.contains(shape[0])) {
    auto followed = shape;
    followed[0] = batch;
    if (stored_elements(followed).value_or(-1) == have) shape = followed;
  }
  if (stored_elements(shape).value_or(-1) == have) {
    if (c.at(x).constant) return c.define_constant(0, c.at(x).type, shape);
    return c.emit({x}, c.at(x).type, [&](builder& b, std::span<value const> v) {
      return add_to(
          b,
          [&] {
            auto op = ops::reshape(b.shape(v[0]), shape);
            if (op) op->type = c.type();
            return op;
          }(),
          v, c.name());
    });
  }
  c.warn(std::string{"inconsistent: "} + to_string(c.at(x).shape) +
         " has not as many elements as " + to_string(shape) + "; taken as " + to_string(shape));
  if (c.at(x).constant) return c.define_constant(0, c.at(x).type, shape);
  c.emit({x}, c.at(x).type, [&](builder& b, std::span<value const> v) {
    return b.opaque(v, {shape}, c.type(), c.name());
  });
}

inline void transpose(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const perm = plan_transpose(c, c.at(x).rank());
  if (c.failed()) return;
  if (c.at(x).constant) {
    tensor_shape shape;
    for (auto const p : perm) shape.push_back(c.at(x).shape[p]);
    c.define_constant(0, c.at(x).type, shape);
    if (auto const id = c.the_frame().find(c.node().output(0));
        id && perm == std::vector<std::size_t>{1, 0})
      c.the_session().at(*id).root = x;
    return;
  }
  std::vector<std::int64_t> const order(perm.begin(), perm.end());
  c.emit({x}, c.at(x).type,
         [&](builder& b, std::span<value const> v) { return b.transpose(v[0], order, c.name()); });
}

inline void concat(call& c) {
  std::vector<tensor_id> ids;
  for (auto const id : present(c))
    if (c.at(id).elements() != 0) ids.push_back(id); // an empty cache adds nothing
  if (c.failed()) return;
  if (ids.empty()) return c.define(0, c.id(0));
  if (ids.size() == 1) return c.define(0, ids[0]);
  auto const type = c.at(ids[0]).type;
  auto const axis = c.integer("axis", 1);
  c.emit(ids, type,
         [&](builder& b, std::span<value const> v) { return b.concat(v, axis, c.name()); });
}

inline void split(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const axis = c.axis(c.integer("axis", 0), c.at(x).rank());
  if (c.failed()) return;
  auto const sizes = plan_split(c, axis);
  if (c.failed()) return;
  if (sizes.size() == 1) return c.define(0, x);
  if (c.at(x).constant || std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) {
    if (!c.at(x).constant)
      return c.reject(error_code::unsupported, to_string(sizes), "parts that are not empty");
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      auto shape = c.at(x).shape;
      shape[axis] = sizes[i];
      c.define_constant(i, c.at(x).type, shape);
    }
    return;
  }
  c.emit({x}, c.at(x).type, [&](builder& b, std::span<value const> v) {
    return b.split(v[0], static_cast<std::int64_t>(axis), sizes, c.name());
  });
}

inline void slice(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const plan = plan_slice(c);
  if (c.failed()) return;
  if (c.at(x).constant || std::find(plan.count.begin(), plan.count.end(), 0) != plan.count.end())
    return c.define_constant(0, c.at(x).type,
                             plan.count); // an empty slice holds nothing to compute
  c.emit({x}, c.at(x).type, [&](builder& b, std::span<value const> v) {
    mars::detail::op_writer w{op_kind::slice, c.type()};
    auto const result = mars::detail::walk(w, plan.count);
    auto input = result;
    for (std::size_t i = 0; i < input.size(); ++i) {
      input[i].extent = c.at(x).shape[i];
      input[i].offset = plan.first[i];
      input[i].terms = {axis_term{result[i].terms[0].dim, plan.step[i]}};
    }
    w.input(input);
    w.output(result);
    return add_to(b, std::move(w).finish(0, 0), v, c.name());
  });
}

/// Input 1 (or an attribute) pads all axes, or those input 3 names.
inline void pad(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto pads = c.numbers("pads");
  if (!pads) pads = c.numbers("paddings"); // opset 1
  if (!pads) pads = c.integers_at(1);
  auto const rank = c.at(x).rank();
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  if (c.has(3)) axes = c.axes(c.integers_at(3), rank);
  if (c.failed()) return;
  if (pads->size() != 2 * axes.size())
    return c.reject(error_code::shape_mismatch, to_string(*pads),
                    std::to_string(2 * axes.size()) + " numbers", {}, "pads");
  std::vector<std::int64_t> begins(rank, 0);
  std::vector<std::int64_t> ends(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    begins[axes[i]] = (*pads)[i];
    ends[axes[i]] = (*pads)[axes.size() + i];
  }
  c.emit({x}, c.at(x).type,
         [&](builder& b, std::span<value const> v) { return b.pad(v[0], begins, ends, c.name()); });
}

inline void expand(call& c) {
  auto const x = c.id(0);
  auto const wanted = c.integers_at(1);
  if (c.failed()) return;
  auto const out = broadcast_stored(c.at(x).shape, wanted);
  if (!out)
    return c.reject(error_code::shape_mismatch,
                    to_string(c.at(x).shape) + " to " + to_string(wanted), "shapes that broadcast");
  if (auto const n = stored_elements(*out); !n || *n == 0 || c.at(x).constant) {
    if (!n) return c.reject(n.error());
    return c.define_constant(0, c.at(x).type, *out);
  }
  if (*out == c.at(x).shape) return c.define(0, x);
  c.emit({x}, c.at(x).type,
         [&](builder& b, std::span<value const> v) { return b.expand(v[0], *out, c.name()); });
}

/// Axis i repeats: output index = extent · repetition + index.
inline void tile(call& c) {
  auto const x = c.id(0);
  auto const repeats = c.integers_at(1);
  if (c.failed()) return;
  auto const& shape = c.at(x).shape;
  if (repeats.size() != shape.size())
    return c.reject(error_code::shape_mismatch, to_string(repeats), "one number per axis", {},
                    "input[1]");
  tensor_shape extents, out;
  std::vector<composed_axis> in_axes, out_axes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    auto const n = checked_multiply(shape[i], repeats[i]);
    if (!n || *n < 0 || *n > max_elements)
      return c.reject(error_code::overflow, to_string(repeats), "at most 2^55 elements", {},
                      "input[1]");
    out.push_back(*n);
    in_axes.push_back({{{extents.size(), 1}}});
    out_axes.push_back({{{extents.size(), 1}}});
    extents.push_back(shape[i]);
    if (repeats[i] > 1) {
      out_axes.back().parts.insert(out_axes.back().parts.begin(), {extents.size(), shape[i]});
      extents.push_back(repeats[i]);
    }
  }
  if (stored_elements(out).value_or(-1) == 0 || c.at(x).constant)
    return c.define_constant(0, c.at(x).type, out);
  if (out == shape) return c.define(0, x);
  emit_rearranged(c, op_kind::elementwise, x, extents, in_axes, out_axes, out);
}

/// [N, C·b², H, W] → [N, C, H·b, W·b] and back; the block's place is in front of the channel (DCR)
/// or behind it (CRD).
inline void depth_space(call& c) {
  auto const x = c.id(0);
  auto const block = c.integer("blocksize", 1);
  if (c.failed()) return;
  auto const shape = c.at(x).shape;
  auto const to_space = c.type() == "DepthToSpace";
  if (shape.size() != 4 || block < 1 || block > mars::detail::max_window ||
      (to_space ? shape[1] % (block * block) != 0 : shape[2] % block != 0 || shape[3] % block != 0))
    return c.reject(error_code::shape_mismatch,
                    to_string(shape) + " with blocks of " + std::to_string(block),
                    "[N, C, H, W] that divides");
  auto const channels = to_space ? shape[1] / (block * block) : shape[1];
  auto const height = to_space ? shape[2] : shape[2] / block;
  auto const width = to_space ? shape[3] : shape[3] / block;
  auto const grown = checked_multiply(channels, block * block);
  if (!grown || *grown > max_elements)
    return c.reject(error_code::overflow, std::to_string(block), "at most 2^55 channels", {},
                    "blocksize");
  auto const crd = to_space && c.text("mode", "DCR") == "CRD";
  // Dimensions: n c h bh w bw.
  tensor_shape const extents{shape[0], channels, height, block, width, block};
  composed_axis const depth = crd ? composed_axis{{{1, block * block}, {3, block}, {5, 1}}}
                                  : composed_axis{{{3, block * channels}, {5, channels}, {1, 1}}};
  std::vector<composed_axis> const deep{{{{0, 1}}}, depth, {{{2, 1}}}, {{{4, 1}}}};
  std::vector<composed_axis> const wide{
      {{{0, 1}}}, {{{1, 1}}}, {{{2, block}, {3, 1}}}, {{{4, block}, {5, 1}}}};
  auto const out = to_space ? tensor_shape{shape[0], channels, height * block, width * block}
                            : tensor_shape{shape[0], *grown, height, width};
  emit_rearranged(c, op_kind::transpose, x, extents, to_space ? deep : wide, to_space ? wide : deep,
                  out);
}

} // namespace mars::io::onnx_detail::handle

namespace mars::io::onnx_detail {

inline void add_layout(handler_table& t) {
  for (auto const name : {"Reshape", "Flatten", "Squeeze", "Unsqueeze"})
    t[name] = handle::rename_axes;
  t["Transpose"] = handle::transpose;
  t["Concat"] = handle::concat;
  for (auto const name : {"Split"}) t[name] = handle::split;
  t["Slice"] = handle::slice;
  t["Pad"] = handle::pad;
  t["Expand"] = handle::expand;
  t["Tile"] = handle::tile;
  for (auto const name : {"DepthToSpace", "SpaceToDepth"}) t[name] = handle::depth_space;
}

} // namespace mars::io::onnx_detail
