// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Shape rules that both the evaluator of constants and the handlers of operators follow.

#include <mars/io/onnx/detail/call.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

/// As `mars::broadcast`, with extents of 0 allowed (the shape of constants).
[[nodiscard]] inline auto broadcast_stored(tensor_shape const& a, tensor_shape const& b)
    -> std::optional<tensor_shape> {
  auto const rank = std::max(a.size(), b.size());
  tensor_shape out(rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {
    auto const x = i < a.size() ? a[a.size() - 1 - i] : 1;
    auto const y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    out[rank - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

/// Reshape's target made definite. Counts that do not match come back as they are asked for; the
/// caller compares.
[[nodiscard]] inline auto reshape_target(call& c, tensor_shape const& input,
                                         std::vector<std::int64_t> wanted) -> tensor_shape {
  bool const keep_zero = c.integer("allowzero", 0) != 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] == 0 && !keep_zero && i < input.size()) wanted[i] = input[i];
  auto const hole = std::find(wanted.begin(), wanted.end(), -1);
  if (hole != wanted.end()) {
    *hole = 1;
    auto const known = stored_elements(wanted);
    auto const all = stored_elements(input);
    if (known && all && *known > 0) {
      // An extent that does not divide is as inconsistent as a wrong product: at least one element.
      *hole = std::max<std::int64_t>(*all == 0 ? 0 : 1, *all / *known);
    }
  }
  if (auto const n = stored_elements(wanted); !n) {
    c.reject(n.error());
    return {};
  }
  return wanted;
}

/// Result shape of the operators that only rename axes: Reshape, Flatten, Squeeze, Unsqueeze.
[[nodiscard]] inline auto renamed_shape(call& c) -> tensor_shape {
  auto const& x = c.in(0).shape;
  auto const rank = x.size();
  if (c.type() == "Reshape") {
    auto wanted = c.list("shape", 1);
    if (!wanted) {
      c.reject(error_code::missing_key, "no shape", "a shape", {}, "input[1]");
      return {};
    }
    return reshape_target(c, x, *std::move(wanted));
  }
  if (c.type() == "Flatten") {
    auto const number = c.integer("axis", 1);
    auto const axis = number == static_cast<std::int64_t>(rank)
                          ? rank
                          : c.axis(number, std::max<std::size_t>(rank, 1));
    auto const half = std::min(axis, rank);
    auto const product = [&](std::size_t from, std::size_t to) {
      std::int64_t n = 1; // fits: the whole tensor's count was checked
      for (; from < to; ++from) n *= x[from];
      return n;
    };
    return {product(0, half), product(half, rank)};
  }
  if (c.type() == "Squeeze") {
    auto const axes = c.list("axes", 1);
    std::vector<bool> drop(rank, false);
    if (axes) {
      for (auto const a : c.axes(*axes, rank)) {
        if (a >= rank) break;
        drop[a] = true;
        if (x[a] != 1)
          c.reject(error_code::shape_mismatch, to_string(x),
                   std::string{"extent 1 on squeezed axis "} + std::to_string(a));
      }
    } else {
      for (std::size_t i = 0; i < rank; ++i) drop[i] = x[i] == 1;
    }
    tensor_shape out;
    for (std::size_t i = 0; i < rank; ++i)
      if (!drop[i]) out.push_back(x[i]);
    return out;
  }
  // Unsqueeze
  auto const axes = c.list("axes", 1).value_or(std::vector<std::int64_t>{});
  if (axes.size() > 64) {
    c.reject(error_code::out_of_range, std::to_string(axes.size()) + " axes", "a few axes");
    return {};
  }
  auto const out_rank = rank + axes.size();
  std::vector<bool> fresh(out_rank, false);
  for (auto const a : c.axes(axes, out_rank)) {
    if (a >= out_rank) break;
    if (fresh[a])
      c.reject(error_code::duplicate, std::string{"axis "} + std::to_string(a), "distinct axes");
    fresh[a] = true;
  }
  tensor_shape out;
  for (std::size_t i = 0, k = 0; i < out_rank; ++i)
    out.push_back(fresh[i] || k >= rank ? 1 : x[k++]);
  return out;
}

/// A slice, one entry per axis: elements first, first + step, … (count of them).
struct slice_plan {
  std::vector<std::int64_t> first, step, count;
};

[[nodiscard]] inline auto plan_slice(call& c) -> slice_plan {
  auto const& x = c.in(0).shape;
  slice_plan plan;
  plan.first.assign(x.size(), 0);
  plan.step.assign(x.size(), 1);
  plan.count = x;
  auto const starts = c.list("starts", 1);
  auto const ends = c.list("ends", 2);
  auto const numbers = c.list("axes", 3);
  auto const steps = c.list("steps", 4);
  if (c.failed()) return plan;
  auto const n = starts ? starts->size() : 0;
  if (!starts || !ends || ends->size() != n || (numbers && numbers->size() != n) ||
      (steps && steps->size() != n) || n > x.size()) {
    c.reject(error_code::shape_mismatch, "starts, ends, axes, steps of different lengths",
             "one number of each per sliced axis");
    return plan;
  }
  for (std::size_t i = 0; i < n; ++i) {
    auto const a = numbers ? c.axis((*numbers)[i], x.size()) : i;
    if (c.failed()) return plan;
    auto const extent = x[a];
    if (extent == 0) continue;
    auto const step = steps ? (*steps)[i] : 1;
    if (step == 0) {
      c.reject(error_code::out_of_range, "step 0", "a step other than 0");
      return plan;
    }
    auto const settle = [extent](std::int64_t v, std::int64_t low, std::int64_t high) {
      return std::clamp(v < 0 ? v + extent : v, low, high);
    };
    auto const first =
        step > 0 ? settle((*starts)[i], 0, extent) : settle((*starts)[i], 0, extent - 1);
    auto const last = step > 0 ? settle((*ends)[i], 0, extent) : settle((*ends)[i], -1, extent - 1);
    // Magnitudes of a step beyond the extent take one element.
    auto const stride =
        std::clamp(step, -std::max<std::int64_t>(extent, 1), std::max<std::int64_t>(extent, 1));
    auto const span = stride > 0 ? last - first : first - last;
    plan.first[a] = first;
    plan.step[a] = stride;
    plan.count[a] = span <= 0 ? 0 : ceil_div(span, stride > 0 ? stride : -stride);
  }
  return plan;
}

/// Extents along the split axis, one per output.
[[nodiscard]] inline auto plan_split(call& c, std::size_t axis) -> std::vector<std::int64_t> {
  auto const extent = c.in(0).shape.empty() ? 1 : c.in(0).shape[axis];
  if (auto sizes = c.list("split", 1)) {
    auto left = extent;
    for (auto const s : *sizes) {
      if (s < 0 || s > left) break;
      left -= s;
    }
    if (left != 0)
      c.reject(error_code::shape_mismatch, to_string(*sizes),
               std::string{"sizes that add up to "} + std::to_string(extent), {}, "split");
    return *std::move(sizes);
  }
  auto const count = std::max<std::int64_t>(1, c.integer("num_outputs", c.node().output_size()));
  auto const each = ceil_div(extent, count);
  std::vector<std::int64_t> sizes;
  for (auto left = extent; left > 0 && sizes.size() < 100'000; left -= each)
    sizes.push_back(std::min(each, left));
  return sizes;
}

/// The permutation of a Transpose; all axes reversed by default.
[[nodiscard]] inline auto plan_transpose(call& c, std::size_t rank) -> std::vector<std::size_t> {
  std::vector<std::size_t> perm;
  auto const given = c.integers("perm");
  if (!given) {
    for (std::size_t i = rank; i-- > 0;) perm.push_back(i);
    return perm;
  }
  std::vector<bool> seen(rank, false);
  for (auto const a : c.axes(*given, rank)) {
    if (a >= rank || seen[a]) break;
    seen[a] = true;
    perm.push_back(a);
  }
  if (perm.size() != rank || given->size() != rank) {
    c.reject(error_code::shape_mismatch, std::string{"perm "} + to_string(*given),
             std::string{"a permutation of "} + std::to_string(rank) + " axes");
    perm.clear();
    for (std::size_t i = 0; i < rank; ++i) perm.push_back(i);
  }
  return perm;
}

/// Axes of a Reduce*: attribute in older opsets, input 1 in newer; all when none are given.
[[nodiscard]] inline auto plan_reduce(call& c) -> std::vector<std::size_t> {
  auto const rank = c.in(0).rank();
  auto const given = c.list("axes", 1);
  if (given && !given->empty()) return c.axes(*given, rank);
  std::vector<std::size_t> all;
  if (c.integer("noop_with_empty_axes", 0) == 0)
    for (std::size_t i = 0; i < rank; ++i) all.push_back(i);
  return all;
}

} // namespace mars::io::onnx_detail
