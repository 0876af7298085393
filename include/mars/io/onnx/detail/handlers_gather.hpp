// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Constants, shapes, and operators whose positions are data: gathers, scatters, resampling.

#include <mars/io/onnx/detail/affine.hpp>
#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/folding.hpp>
#include <mars/io/onnx/detail/handlers_elementwise.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail::handle {

/// A tensor attribute as a constant.
inline void define_tensor(call& c, pb::TensorProto const& t) {
  tensor_shape shape(t.dims().begin(), t.dims().end());
  auto const n = stored_elements(shape);
  if (!n) return c.reject(n.error());
  c.define_constant(0, t.data_type(), shape, read_literal(t, shape, *n));
}

inline void constant(call& c) {
  if (auto const* a = c.attribute("value"); a != nullptr && a->has_t())
    return define_tensor(c, a->t());
  if (auto const* a = c.attribute("sparse_value"); a != nullptr && a->has_sparse_tensor()) {
    auto const& dims = a->sparse_tensor().dims();
    tensor_shape shape(dims.begin(), dims.end());
    if (auto const n = stored_elements(shape); !n) return c.reject(n.error());
    return c.define_constant(0, a->sparse_tensor().values().data_type(), shape);
  }
  if (auto const* a = c.attribute("value_int"); a != nullptr)
    return c.define_literal(0, integer_scalar(a->i()));
  if (auto const* a = c.attribute("value_ints"); a != nullptr)
    return c.define_literal(0, integer_vector({a->ints().begin(), a->ints().end()}));
  if (auto const* a = c.attribute("value_float"); a != nullptr)
    return c.define_literal(0, {element::float32, {}, {}, {static_cast<double>(a->f())}});
  if (auto const* a = c.attribute("value_floats"); a != nullptr)
    return c.define_literal(
        0, {element::float32, {a->floats_size()}, {}, {a->floats().begin(), a->floats().end()}});
  if (c.attribute("value_string") != nullptr) return c.define_constant(0, element::text, {});
  if (auto const* a = c.attribute("value_strings"); a != nullptr)
    return c.define_constant(0, element::text, {a->strings_size()});
  c.reject(error_code::missing_key, "no value",
           "one of value, value_int, value_ints, value_float, value_floats");
}

inline void constant_of_shape(call& c) {
  auto shape = c.integers_at(0);
  if (c.failed()) return;
  auto const n = stored_elements(shape);
  if (!n) return c.reject(n.error());
  literal fill{element::float32, {1}, {}, {0.0}};
  auto type = element::float32;
  bool known = true;
  if (auto const* a = c.attribute("value"); a != nullptr && a->has_t()) {
    type = a->t().data_type();
    auto const read = read_literal(a->t(), {1}, 1);
    known = read.has_value();
    if (read) fill = *read;
  }
  std::optional<literal> values;
  if (known && *n <= max_literal)
    values = rearranged(fill, shape, [](auto const&) -> std::int64_t { return 0; });
  c.define_constant(0, type, std::move(shape), std::move(values));
}

/// Random numbers and windows of a given shape: constants as far as costs go.
inline void shaped_by_attribute(call& c) {
  auto const shape = c.numbers("shape").value_or(std::vector<std::int64_t>{});
  if (auto const n = stored_elements(shape); !n) return c.reject(n.error());
  c.define_constant(0, static_cast<int>(c.integer("dtype", element::float32)), shape);
}

inline void shape(call& c) {
  auto const& x = c.in(0).shape;
  auto const rank = static_cast<std::int64_t>(x.size());
  auto const settle = [&](std::int64_t v) {
    return std::clamp<std::int64_t>(v < 0 ? v + rank : v, 0, rank);
  };
  auto const begin = settle(c.integer("start", 0));
  auto const end = std::max(begin, settle(c.integer("end", rank)));
  c.define_literal(0, integer_vector({x.begin() + begin, x.begin() + end}));
}

inline void size(call& c) {
  auto const& x = c.in(0);
  c.define_literal(0, integer_scalar(x.elements()));
}

inline void eye_like(call& c) {
  auto const x = c.id(0);
  c.define_constant(0, static_cast<int>(c.integer("dtype", c.at(x).type)), c.at(x).shape);
}

/// A range whose ends are known only at run time cannot be shaped; the evaluator did the others, up
/// to its size limit.
inline void range(call& c) {
  auto const* start = c.literal_at(0);
  auto const* limit = c.literal_at(1);
  auto const* step = c.literal_at(2);
  if (start == nullptr || limit == nullptr || step == nullptr || start->size() != 1 ||
      limit->size() != 1 || step->size() != 1 || step->as_real(0) == 0)
    return c.reject(error_code::unsupported, "a range known only at run time",
                    "constant start, limit and step");
  auto const n = to_integer(std::ceil((limit->as_real(0) - start->as_real(0)) / step->as_real(0)));
  if (n > max_elements)
    return c.reject(error_code::overflow, std::to_string(n), "at most 2^55 elements");
  c.define_constant(0, start->type, {std::max<std::int64_t>(0, n)});
}

/// Rows picked by constant positions out of an activation are a slice; by data, a gather.
inline void gather(call& c) {
  auto const data = c.id(0);
  auto const indices = c.id(1);
  if (c.failed()) return;
  auto const axis = c.axis(c.integer("axis", 0), c.at(data).rank());
  if (c.failed()) return;
  auto const* at = c.literal_at(1);
  if (!c.at(data).constant && at != nullptr && at->size() == 1) {
    auto const extent = c.at(data).shape[axis];
    auto place = at->as_integer(0);
    if (place < 0) place = wrap_add(place, extent);
    if (place < 0 || place >= extent)
      return c.reject(error_code::out_of_range,
                      std::string{"index "} + std::to_string(at->as_integer(0)),
                      std::string{"below "} + std::to_string(extent), {}, "input[1]");
    return c.emit({data}, c.at(data).type, [&](builder& b, std::span<value const> v) {
      auto const& x = c.at(data).shape;
      tensor_shape out(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(axis));
      out.insert(out.end(), at->shape.begin(), at->shape.end());
      out.insert(out.end(), x.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.end());
      mars::detail::op_writer w{op_kind::slice, c.type()};
      auto const result = mars::detail::walk(w, out);
      auto const one = w.reading_dim("v", 1);
      mars::detail::operand_axes input;
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (i == axis)
          input.push_back(mars::detail::along(extent, {{one}}, place));
        else
          input.push_back(result[i < axis ? i : i + at->shape.size() - 1]);
      }
      w.input(input);
      w.output(result);
      return add_to(b, std::move(w).finish(0, 0), v, c.name());
    });
  }
  c.emit({data, indices}, c.at(data).type, [&](builder& b, std::span<value const> v) {
    return b.gather(v[0], v[1], static_cast<std::int64_t>(axis), c.name());
  });
}

inline void gather_elements(call& c) {
  auto const x = c.id(0);
  auto const i = c.id(1);
  if (c.failed()) return;
  emit_any_element(c, op_kind::gather, {x, i}, c.at(i).shape, c.at(x).type);
}

inline void gather_nd(call& c) {
  auto const x = c.id(0);
  auto const i = c.id(1);
  auto const batch = c.integer("batch_dims", 0);
  if (c.failed()) return;
  auto const& data = c.at(x).shape;
  auto const& indices = c.at(i).shape;
  if (indices.empty() || batch < 0 || indices.back() < 0 ||
      indices.back() > static_cast<std::int64_t>(data.size()) - batch)
    return c.reject(error_code::shape_mismatch, to_string(data) + " by " + to_string(indices),
                    "a last axis of coordinates");
  tensor_shape out(indices.begin(), indices.end() - 1);
  out.insert(out.end(), data.begin() + static_cast<std::ptrdiff_t>(batch + indices.back()),
             data.end());
  emit_any_element(c, op_kind::gather, {x, i}, out, c.at(x).type);
}

/// The data with some elements replaced.
inline void scatter(call& c) {
  auto const ids = present(c);
  if (ids.empty()) return void(c.id(0));
  auto const rank = c.at(ids[0]).rank();
  std::vector<axis_map> maps{aligned(rank, rank)};
  for (std::size_t i = 1; i < ids.size(); ++i) maps.push_back(all_whole(c.at(ids[i]).rank()));
  emit_mapped(c, op_kind::gather, ids, maps, c.at(ids[0]).shape, c.at(ids[0]).type, 0);
}

inline void one_hot(call& c) {
  auto const i = c.id(0);
  auto const depth = c.integers_at(1);
  if (c.failed()) return;
  auto out = c.at(i).shape;
  auto const rank = out.size() + 1;
  auto const axis = c.axis(c.integer("axis", -1), rank);
  if (depth.empty() || depth[0] < 1 || c.failed())
    return c.reject(error_code::out_of_range, "no depth", "at least 1", {}, "input[1]");
  out.insert(out.begin() + static_cast<std::ptrdiff_t>(axis), depth[0]);
  axis_map map;
  for (std::size_t k = 0; k < rank; ++k)
    if (k != axis) map.push_back(static_cast<int>(k));
  emit_mapped(c, op_kind::gather, {i}, {map}, out, c.has(2) ? c.in(2).type : element::float32, 0);
}

/// Resize (scales or sizes as inputs; from 18 on some axes) and Upsample.
inline void resize(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const upsample = c.type() == "Upsample";
  auto const& in = c.at(x).shape;
  auto out = in;
  std::vector<double> scales;
  auto const numbers_at = [&](std::size_t i) -> literal const* {
    auto const* l = c.literal_at(i);
    return l != nullptr && l->size() > 0 ? l : nullptr;
  };
  auto axes = std::vector<std::size_t>{};
  if (auto const a = c.integers("axes"))
    axes = c.axes(*a, in.size());
  else
    for (std::size_t i = 0; i < in.size(); ++i) axes.push_back(i);
  if (c.failed()) return;
  auto const old = upsample || c.opset() < 11;
  if (auto const* sizes = old ? nullptr : numbers_at(3)) {
    if (sizes->size() != axes.size())
      return c.reject(error_code::shape_mismatch, "sizes", std::to_string(axes.size()) + " numbers",
                      {}, "input[3]");
    for (std::size_t i = 0; i < axes.size(); ++i) out[axes[i]] = sizes->as_integer(i);
  } else {
    if (auto const* a = c.attribute("scales"); a != nullptr)
      for (auto const f : a->floats()) scales.push_back(static_cast<double>(f));
    else if (auto const* l = numbers_at(c.inputs() == 2 || old ? 1 : 2))
      for (std::size_t i = 0; i < l->size(); ++i) scales.push_back(l->as_real(i));
    if (scales.size() != axes.size())
      return c.reject(error_code::unsupported, "no constant scales or sizes",
                      "one number per axis");
    for (std::size_t i = 0; i < axes.size(); ++i)
      out[axes[i]] = to_integer(std::floor(static_cast<double>(in[axes[i]]) * scales[i]));
  }
  if (c.failed()) return;
  auto const mode = c.text("mode", "nearest") == "nearest" ? ops::resize_mode::nearest
                                                           : ops::resize_mode::interpolate;
  c.emit({x}, c.at(x).type,
         [&](builder& b, std::span<value const> v) { return b.resize(v[0], out, mode, c.name()); });
}

/// x [N, C, H, W] sampled at grid [N, H', W', 2].
inline void grid_sample(call& c) {
  auto const x = c.id(0);
  auto const g = c.id(1);
  if (c.failed()) return;
  auto const& in = c.at(x).shape;
  auto const& grid = c.at(g).shape;
  if (in.size() < 3 || grid.size() != in.size())
    return c.reject(error_code::shape_mismatch, to_string(in) + " by " + to_string(grid),
                    "[N, C, ...] and [N, ..., 2]");
  tensor_shape out{in[0], in[1]};
  out.insert(out.end(), grid.begin() + 1, grid.end() - 1);
  axis_map from(in.size(), whole_axis), where{0};
  from[0] = 0;
  from[1] = 1;
  for (std::size_t i = 2; i < in.size(); ++i) where.push_back(static_cast<int>(i));
  where.push_back(whole_axis);
  emit_mapped(c, op_kind::resize, {x, g}, {from, where}, out, c.at(x).type, 8);
}

} // namespace mars::io::onnx_detail::handle

namespace mars::io::onnx_detail {

inline void add_gather(handler_table& t) {
  t["Constant"] = handle::constant;
  t["ConstantOfShape"] = handle::constant_of_shape;
  for (auto const name : {"RandomNormal", "RandomUniform"}) t[name] = handle::shaped_by_attribute;
  t["Shape"] = handle::shape;
  t["Size"] = handle::size;
  t["EyeLike"] = handle::eye_like;
  t["Range"] = handle::range;
  t["Gather"] = handle::gather;
  t["GatherElements"] = handle::gather_elements;
  t["GatherND"] = handle::gather_nd;
  for (auto const name : {"Scatter", "ScatterElements", "ScatterND"}) t[name] = handle::scatter;
  t["OneHot"] = handle::one_hot;
  for (auto const name : {"Resize", "Upsample"}) t[name] = handle::resize;
  t["GridSample"] = handle::grid_sample;
}

} // namespace mars::io::onnx_detail
