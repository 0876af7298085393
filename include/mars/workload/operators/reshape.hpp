// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/sort.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/shape.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars::ops {

namespace detail {

/// Neighbouring axes of two shapes that hold the same elements: [4, 6] and [2, 12].
struct reshape_group {
  std::vector<std::size_t> from; ///< axes of the input, outermost first
  std::vector<std::size_t> to;
  /// Row-major strides at which an axis of either shape begins, ascending from 1 to the number of
  /// elements; empty where one does not divide the next, so that no common digits exist.
  std::vector<std::int64_t> bounds;

  [[nodiscard]] auto dims() const -> std::size_t {
    return bounds.empty() ? to.size() : bounds.size() - 1;
  }
};

/// The smallest groups of equal products, extents of 1 left out. Precondition: equal elements.
template <deferred = when_called>
auto reshape_groups(tensor_shape const& from, tensor_shape const& to)
    -> std::vector<reshape_group> {
  auto const long_axes = [](tensor_shape const& s) {
    std::vector<std::size_t> axes;
    for (std::size_t i = 0; i < s.size(); ++i)
      if (s[i] > 1) axes.push_back(i);
    return axes;
  };
  auto const a = long_axes(from);
  auto const b = long_axes(to);
  std::vector<reshape_group> groups;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    reshape_group group{{a[i]}, {b[j]}, {}};
    auto p = from[a[i++]];
    auto q = to[b[j++]];
    while (p != q) {
      if (p < q) {
        group.from.push_back(a[i]);
        p *= from[a[i++]];
      } else {
        group.to.push_back(b[j]);
        q *= to[b[j++]];
      }
    }
    group.bounds = {1};
    auto const add_bounds = [&group](tensor_shape const& s, std::vector<std::size_t> const& axes) {
      std::int64_t stride = 1;
      for (auto k = axes.size(); k-- > 0;) group.bounds.push_back(stride *= s[axes[k]]);
    };
    add_bounds(from, group.from);
    add_bounds(to, group.to);
    auto& bounds = group.bounds;
    sort_ascending(bounds);
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    for (std::size_t k = 0; k + 1 < bounds.size(); ++k)
      if (bounds[k + 1] % bounds[k] != 0) {
        bounds.clear();
        break;
      }
    groups.push_back(std::move(group));
  }
  return groups;
}

} // namespace detail

/// The same elements in row-major order under another shape (`shape` may hold −1 and 0, see
/// resolve_reshape). Both shapes are numbers in mixed radix; the digits of their common refinement
/// become dimensions d0, d1, … and every axis is Σ stride·digit — exact, and a cut of an axis'
/// outer digit is a cut of it into blocks. Where the boundaries of a group of axes do not divide
/// each other ([2, 3] → [3, 2]) there are no common digits: the group is read whole, its output
/// axes are dimensions. No work.
template <deferred = when_called>
[[nodiscard]] auto reshape(tensor_shape const& x, tensor_shape const& shape)
    -> expected<operation> {
  auto const resolved = resolve_reshape(x, shape);
  if (!resolved) return unexpected{resolved.error()};
  auto const& out = *resolved;
  auto groups = detail::reshape_groups(x, out);

  // What the algebra cannot hold (terms of an axis, dimensions) is read whole, largest group first.
  std::size_t dims = 0;
  for (auto& g : groups) {
    if (g.dims() > axis{}.terms.capacity()) g.bounds.clear();
    dims += g.dims();
  }
  while (dims > max_dims) {
    auto const most = std::max_element(groups.begin(), groups.end(), [](auto& a, auto& b) {
      return a.dims() - a.to.size() < b.dims() - b.to.size();
    });
    dims -= most->dims() - most->to.size();
    most->bounds.clear();
  }

  mars::detail::op_writer w{op_kind::reshape, "Reshape"};
  mars::detail::operand_axes input;
  mars::detail::operand_axes output;
  for (auto const e : x) input.push_back(mars::detail::whole(e));
  for (auto const e : out) output.push_back(mars::detail::whole(e));
  std::size_t number = 0;
  auto const next_dim = [&](std::int64_t extent) {
    return w.dim(label{std::string_view{std::string{"d"} + std::to_string(number++)}}, extent);
  };
  for (auto const& g : groups) {
    if (g.bounds.empty()) {
      for (auto const i : g.to) output[i].terms.push_back({next_dim(out[i])});
      continue;
    }
    auto const digits = g.bounds.size() - 1; // digit k runs from bounds[k] to bounds[k + 1]
    std::vector<std::uint8_t> digit(digits);
    for (auto k = digits; k-- > 0;) digit[k] = next_dim(g.bounds[k + 1] / g.bounds[k]);
    auto const index_by_digits = [&](mars::detail::operand_axes& axes,
                                     std::vector<std::size_t> const& members) {
      auto k = digits;
      auto end = g.bounds.back();
      for (auto const i : members) { // outermost first: from the last digits downwards
        auto const begin = end / axes[i].extent;
        for (; k > 0 && g.bounds[k - 1] >= begin; --k)
          axes[i].terms.push_back({digit[k - 1], g.bounds[k - 1] / begin});
        end = begin;
      }
    };
    index_by_digits(input, g.from);
    index_by_digits(output, g.to);
  }
  w.input(input);
  w.output(output);
  return std::move(w).finish(0, 0);
}

/// To [axes before `axis`, axes from it], rank 2.
template <deferred = when_called>
[[nodiscard]] auto flatten(tensor_shape const& x, std::int64_t axis = 1) -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  auto const rank = static_cast<std::int64_t>(x.size());
  if (axis < -rank || axis > rank)
    return fail(error_code::out_of_range, "axis", std::to_string(axis),
                std::string{"an axis of "} + to_string(x) + " or its rank");
  tensor_shape out{1, 1};
  for (std::int64_t i = 0; i < rank; ++i)
    out[i < (axis < 0 ? axis + rank : axis) ? 0 : 1] *= x[static_cast<std::size_t>(i)];
  return reshape(x, out);
}

} // namespace mars::ops
