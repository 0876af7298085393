// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Sliding windows: convolutions and pooling.

#include <mars/io/onnx/detail/affine.hpp>
#include <mars/io/onnx/detail/call.hpp>
#include <mars/io/onnx/detail/handlers_elementwise.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// [begin…, end…] by `auto_pad` and `pads`.
[[nodiscard]] inline auto padding_of(call& c, tensor_shape const& x, ops::spatial const& kernel,
                                     ops::spatial const& stride, ops::spatial const& dilation)
    -> ops::spatial {
  auto const mode = c.text("auto_pad", "NOTSET");
  auto const count = x.size() < 2 ? 0 : x.size() - 2;
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
    return ops::same_padding(ops::spatial(x.end() - static_cast<std::ptrdiff_t>(count), x.end()),
                             kernel, stride, dilation, mode == "SAME_UPPER");
  if (mode == "VALID") return ops::spatial(2 * count, 0);
  return c.numbers("pads").value_or(ops::spatial(2 * count, 0));
}

/// The extents of the kernel: what follows the first two axes of the weight.
[[nodiscard]] inline auto kernel_of(tensor_shape const& weight) -> ops::spatial {
  return {weight.begin() + std::min<std::ptrdiff_t>(2, std::ssize(weight)), weight.end()};
}

namespace handle {

/// Which inputs are x, weight and bias: the quantised forms interleave scales and zero points.
struct convolution_inputs {
  std::size_t x{0}, weight{1}, bias{2};
};

inline void convolve(call& c, convolution_inputs at, int type) {
  auto const x = c.id(at.x);
  auto const w = c.id(at.weight);
  if (c.failed()) return;
  auto const rank = c.at(x).rank();
  if (rank < 3 || c.at(w).rank() != rank)
    return c.reject(error_code::shape_mismatch,
                    to_string(c.at(x).shape) + " and weight " + to_string(c.at(w).shape),
                    "[N, C, spatial...] and [K, C/groups, spatial...]");
  ops::conv_options o;
  o.stride = c.numbers("strides").value_or(ops::spatial{1});
  o.dilation = c.numbers("dilations").value_or(ops::spatial{1});
  o.groups = c.integer("group", 1);
  o.padding = padding_of(c, c.at(x).shape, kernel_of(c.at(w).shape), o.stride, o.dilation);
  if (c.failed()) return;
  std::vector<tensor_id> ids{x, w};
  if (c.has(at.bias)) {
    ids.push_back(c.id(at.bias));
    c.the_session().at(ids.back()).parameter = true;
  }
  c.emit(ids, type, [&](builder& b, std::span<value const> v) {
    return b.conv(v[0], v[1], v.size() > 2 ? std::optional{v[2]} : std::nullopt, o, c.name());
  });
}

inline void conv(call& c) { convolve(c, {}, c.in(0).type); }
inline void conv_integer(call& c) { convolve(c, {0, 1, 99}, element::int32); }
inline void qlinear_conv(call& c) {
  convolve(c, {0, 3, 8}, c.has(7) ? c.in(7).type : c.in(0).type);
}

inline void conv_transpose(call& c) {
  auto const x = c.id(0);
  auto const w = c.id(1);
  if (c.failed()) return;
  auto const& shape = c.at(x).shape;
  auto const count = shape.size() < 2 ? 0 : shape.size() - 2;
  if (count == 0 || c.at(w).rank() != shape.size())
    return c.reject(error_code::shape_mismatch,
                    to_string(shape) + " and weight " + to_string(c.at(w).shape),
                    "[N, C, spatial...] and [C, K/groups, spatial...]");
  ops::conv_transpose_options o;
  auto const each = [&](char const* name, std::int64_t otherwise) {
    auto list = c.numbers(name).value_or(ops::spatial(count, otherwise));
    if (list.size() != count) {
      c.reject(error_code::shape_mismatch, to_string(list), std::to_string(count) + " numbers", {},
               name);
      list.assign(count, otherwise);
    }
    for (auto const n : list)
      if (n < 0 || n > mars::detail::max_window) {
        c.reject(error_code::out_of_range, to_string(list), "0 to 2^30", {}, name);
        list.assign(count, otherwise);
        break;
      }
    return list;
  };
  auto const kernel = kernel_of(c.at(w).shape);
  o.stride = each("strides", 1);
  o.dilation = each("dilations", 1);
  o.output_padding = each("output_padding", 0);
  o.groups = c.integer("group", 1);
  auto const mode = c.text("auto_pad", "NOTSET");
  auto const same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  auto wanted = c.numbers("output_shape");
  if (wanted && wanted->size() == count + 2) wanted->erase(wanted->begin(), wanted->begin() + 2);
  if ((wanted && wanted->size() == count) || same) {
    // Output = stride (in - 1) + output_padding + span - padding, solved for the padding.
    o.padding.assign(2 * count, 0);
    for (std::size_t i = 0; i < count && !c.failed(); ++i) {
      auto const in = std::min(shape[2 + i], mars::detail::max_window);
      auto const size = std::min(kernel[i], mars::detail::max_window);
      auto const target = wanted && wanted->size() == count ? (*wanted)[i] : in * o.stride[i];
      auto const free =
          o.stride[i] * (in - 1) + o.output_padding[i] + (size - 1) * o.dilation[i] + 1;
      auto const total = std::max<std::int64_t>(0, free - target);
      if (target > free) o.output_padding[i] += target - free;
      auto const small = total / 2;
      o.padding[i] = mode == "SAME_UPPER" ? small : total - small;
      o.padding[count + i] = total - o.padding[i];
    }
  } else {
    o.padding = padding_of(c, shape, kernel, o.stride, o.dilation);
  }
  std::vector<tensor_id> ids{x, w};
  if (c.has(2)) ids.push_back(c.id(2));
  c.emit(ids, c.at(x).type, [&](builder& b, std::span<value const> v) {
    return b.conv_transpose(v[0], v[1], v.size() > 2 ? std::optional{v[2]} : std::nullopt, o,
                            c.name());
  });
}

/// The second output of a pooling: where the maxima were.
inline void pool_indices(call& c) {
  if (!c.wants(1) || c.failed()) return;
  auto const pooled = c.the_frame().find(c.node().output(0));
  if (!pooled || c.at(*pooled).constant)
    return c.reject(error_code::unsupported, "output 1 of constants", "an activation");
  auto const shape = c.at(*pooled).shape;
  auto& s = c.the_session();
  auto const v =
      s.graph.opaque(std::vector{s.handle(c.id(0))}, {shape}, "Indices", c.name() + ".indices");
  if (c.accept()) c.define_value(1, element::int64, v.front());
}

inline void pool(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  ops::pool_options o;
  auto const kernel = c.numbers("kernel_shape");
  if (!kernel) return c.reject(error_code::missing_key, "nothing", "a list", {}, "kernel_shape");
  o.kernel = *kernel;
  o.stride = c.numbers("strides").value_or(ops::spatial{1});
  o.dilation = c.numbers("dilations").value_or(ops::spatial{1});
  o.padding = padding_of(c, c.at(x).shape, o.kernel, o.stride, o.dilation);
  o.ceil_mode = c.integer("ceil_mode", 0) != 0;
  o.count_include_pad = c.integer("count_include_pad", 0) != 0;
  auto const maximum = c.type() == "MaxPool";
  c.emit({x}, c.at(x).type, [&](builder& b, std::span<value const> v) {
    return maximum ? b.max_pool(v[0], o, c.name()) : b.avg_pool(v[0], o, c.name());
  });
  pool_indices(c);
}

inline void global_pool(call& c) {
  auto const x = c.id(0);
  if (c.failed()) return;
  auto const maximum = c.type() == "GlobalMaxPool";
  c.emit({x}, c.at(x).type, [&](builder& b, std::span<value const> v) {
    return maximum ? b.global_max_pool(v[0], c.name()) : b.global_avg_pool(v[0], c.name());
  });
}

/// Regions [n, 5] of a feature map, each pooled to a fixed size.
inline void pool_regions(call& c) {
  auto const x = c.id(0);
  auto const regions = c.id(1);
  if (c.failed()) return;
  std::int64_t height = c.integer("output_height", 1);
  std::int64_t width = c.integer("output_width", 1);
  if (auto const size = c.numbers("pooled_shape"); size && size->size() == 2) {
    height = (*size)[0];
    width = (*size)[1];
  }
  if (c.at(x).rank() != 4 || c.at(regions).rank() == 0)
    return c.reject(error_code::shape_mismatch, to_string(c.at(x).shape), "[N, C, H, W]");
  tensor_shape const out{c.at(regions).shape[0], c.at(x).shape[1], height, width};
  std::vector<axis_map> maps{{whole_axis, 1, whole_axis, whole_axis}};
  std::vector<tensor_id> ids{x, regions};
  maps.push_back(axis_map(c.at(regions).rank(), whole_axis));
  maps.back()[0] = 0;
  if (c.has(2)) {
    ids.push_back(c.id(2));
    maps.push_back(axis_map(c.at(ids[2]).rank(), c.at(ids[2]).rank() == 1 ? 0 : whole_axis));
  }
  emit_mapped(c, op_kind::pooling, ids, maps, out, c.at(x).type, 8);
}

} // namespace handle

inline void add_convolution(handler_table& t) {
  t["Conv"] = handle::conv;
  t["ConvInteger"] = handle::conv_integer;
  t["QLinearConv"] = handle::qlinear_conv;
  t["ConvTranspose"] = handle::conv_transpose;
  for (auto const name : {"MaxPool", "AveragePool", "LpPool"}) t[name] = handle::pool;
  for (auto const name : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"})
    t[name] = handle::global_pool;
  for (auto const name : {"RoiAlign", "MaxRoiPool"}) t[name] = handle::pool_regions;
}

} // namespace mars::io::onnx_detail
