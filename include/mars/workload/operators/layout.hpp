// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/shape.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Operators that only move elements: no work, and an exact affine axis for each tensor.

namespace mars::ops {

/// Dimensions are the axes of the result; each input sees its part of axis `at` by an offset,
/// clipped.
template <deferred = when_called>
[[nodiscard]] auto concat(std::vector<tensor_shape> const& xs, std::int64_t at)
    -> expected<operation> {
  if (xs.empty())
    return fail(error_code::invalid_argument, "inputs", "none", "at least one tensor");
  for (auto const& x : xs)
    if (auto n = count_elements(x); !n) return unexpected{std::move(n).error()};
  auto out = xs[0];
  auto const axis = axis_index(at, out.size());
  if (!axis) return unexpected{axis.error()};
  for (auto const& x : std::span{xs}.subspan(1)) {
    auto alike = x;
    if (x.size() == out.size()) alike[*axis] = out[*axis];
    if (alike != out)
      return fail(error_code::shape_mismatch, "shape", to_string(x),
                  to_string(xs[0]) + " apart from axis " + std::to_string(*axis));
    out[*axis] += x[*axis];
    if (auto n = count_elements(out); !n) return unexpected{std::move(n).error()};
  }
  mars::detail::op_writer w{op_kind::concat, "Concat"};
  auto const axes = mars::detail::walk(w, out);
  std::int64_t offset = 0;
  for (auto const& x : xs) {
    auto part = axes;
    part[*axis].extent = x[*axis];
    part[*axis].offset = -offset;
    offset += x[*axis];
    w.input(part);
  }
  w.output(axes);
  return std::move(w).finish(0, 0);
}

/// Dimensions are the axes of the input; output i is a window of `sizes[i]` on axis `at`, so a
/// shard may write a part of it or nothing.
template <deferred = when_called>
[[nodiscard]] auto split(tensor_shape const& x, std::int64_t at,
                         std::vector<std::int64_t> const& sizes) -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  auto const axis = axis_index(at, x.size());
  if (!axis) return unexpected{axis.error()};
  std::int64_t left = x[*axis];
  for (auto const s : sizes) left = s < 1 || s > left ? -1 : left - s;
  if (left != 0)
    return fail(error_code::shape_mismatch, "sizes", to_string(sizes),
                std::string{"positive sizes that add up to "} + std::to_string(x[*axis]));
  mars::detail::op_writer w{op_kind::split, "Split"};
  auto const axes = mars::detail::walk(w, x);
  w.input(axes);
  std::int64_t offset = 0;
  for (auto const s : sizes) {
    auto part = axes;
    part[*axis].extent = s;
    part[*axis].offset = -offset;
    offset += s;
    w.output(part);
  }
  return std::move(w).finish(0, 0);
}

/// Axis i of the result is axis `permutation[i]` of x. Dimensions are named by the result.
template <deferred = when_called>
[[nodiscard]] auto transpose(tensor_shape const& x, std::vector<std::int64_t> const& permutation)
    -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  auto const bad = [&] {
    return fail(error_code::invalid_argument, "permutation", to_string(permutation),
                std::string{"a permutation of the axes of "} + to_string(x));
  };
  if (permutation.size() != x.size()) return bad();
  std::vector<bool> seen(x.size(), false);
  tensor_shape out;
  for (auto const p : permutation) {
    auto const i = axis_index(p, x.size());
    if (!i || seen[*i]) return bad();
    seen[*i] = true;
    out.push_back(x[*i]);
  }
  mars::detail::op_writer w{op_kind::transpose, "Transpose"};
  auto const axes = mars::detail::walk(w, out);
  auto input = axes;
  for (std::size_t i = 0; i < x.size(); ++i) input[*axis_index(permutation[i], x.size())] = axes[i];
  w.input(input);
  w.output(axes);
  return std::move(w).finish(0, 0);
}

/// NumPy's `x[start:end:step]` on some axes: negative numbers count from the end, ends are clamped,
/// steps may be negative. Going backwards, a start before the first element is the first (ONNX's
/// rule; NumPy takes nothing). No axes: the first ones; no steps: 1. An empty result is an error.
template <deferred = when_called>
[[nodiscard]] auto slice(tensor_shape const& x, std::vector<std::int64_t> const& starts,
                         std::vector<std::int64_t> const& ends,
                         std::vector<std::int64_t> const& axes = {},
                         std::vector<std::int64_t> const& steps = {}) -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  auto const count = starts.size();
  if (ends.size() != count || count > x.size() || (!axes.empty() && axes.size() != count) ||
      (!steps.empty() && steps.size() != count))
    return fail(error_code::shape_mismatch, "starts", std::to_string(count) + " starts",
                "as many ends, axes and steps, at most the rank");
  struct cut {
    std::int64_t start{};
    std::int64_t step{1};
  };
  std::vector<cut> cuts(x.size());
  std::vector<bool> seen(x.size(), false);
  auto out = x;
  for (std::size_t i = 0; i < count; ++i) {
    auto const at = axis_index(axes.empty() ? static_cast<std::int64_t>(i) : axes[i], x.size());
    if (!at) return unexpected{at.error()};
    if (seen[*at])
      return fail(error_code::duplicate, "axes", std::to_string(axes[i]), "each axis once");
    seen[*at] = true;
    auto const extent = x[*at];
    auto const step = std::clamp(steps.empty() ? 1 : steps[i], -max_elements, max_elements);
    if (step == 0) return fail(error_code::out_of_range, "steps", "0", "a step other than 0");
    auto const place = [extent](std::int64_t p, std::int64_t low, std::int64_t high) {
      return std::clamp(p < 0 ? p + extent : p, low, high);
    };
    auto const start = step > 0 ? place(starts[i], 0, extent) : place(starts[i], 0, extent - 1);
    auto const end = step > 0 ? place(ends[i], 0, extent) : place(ends[i], -1, extent - 1);
    auto const length = step > 0 ? end - start : start - end;
    if (length <= 0)
      return fail(error_code::out_of_range, "starts",
                  std::string{"an empty slice of axis "} + std::to_string(*at) + " of " +
                      to_string(x),
                  "at least one element");
    out[*at] = ceil_div(length, step > 0 ? step : -step);
    cuts[*at] = {start, out[*at] == 1 ? 1 : step};
  }
  mars::detail::op_writer w{op_kind::slice, "Slice"};
  auto const result = mars::detail::walk(w, out);
  auto input = result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    input[i].extent = x[i];
    input[i].offset = cuts[i].start;
    input[i].terms[0].stride = cuts[i].step;
  }
  w.input(input);
  w.output(result);
  return std::move(w).finish(0, 0);
}

/// `begins[i]` and `ends[i]` elements around axis i, made up and read from nowhere; negative
/// numbers crop. (Reflected and repeated edges read the same elements: inside the tensor.)
template <deferred = when_called>
[[nodiscard]] auto pad(tensor_shape const& x, std::vector<std::int64_t> const& begins,
                       std::vector<std::int64_t> const& ends) -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  if (begins.size() != x.size() || ends.size() != x.size())
    return fail(error_code::shape_mismatch, "pads", to_string(begins) + " and " + to_string(ends),
                std::string{"two numbers per axis of "} + to_string(x));
  auto out = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::min(begins[i], ends[i]) < -max_elements || std::max(begins[i], ends[i]) > max_elements)
      return fail(error_code::overflow, "pads", to_string(begins) + " and " + to_string(ends),
                  "at most 2^55");
    out[i] += begins[i] + ends[i];
  }
  if (auto e = mars::detail::shape_error({&out})) return unexpected{*std::move(e)};
  mars::detail::op_writer w{op_kind::pad, "Pad"};
  auto const axes = mars::detail::walk(w, out);
  auto input = axes;
  for (std::size_t i = 0; i < x.size(); ++i) {
    input[i].extent = x[i];
    input[i].offset = -begins[i];
  }
  w.input(input);
  w.output(axes);
  return std::move(w).finish(0, 0);
}

} // namespace mars::ops
