// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/inplace_vector.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace mars::io {

/// The devices of a set as a grid: one digit per exclusive cut, the first one major, and a last digit
/// for replicas where there are any. What other tools call the mesh.
struct device_digits {
  inplace_vector<std::int64_t, max_cuts + 1> ways;

  device_digits(sharding const& s, std::size_t set_size) {
    for (auto const& c : s.exclusive) ways.push_back(c.ways);
    auto const replicas = static_cast<std::int64_t>(set_size) / shard_count(s);
    if (replicas > 1) ways.push_back(replicas);
  }
  /// How many devices differ in the digits before this one: Π ways.
  [[nodiscard]] auto before(std::size_t digit) const -> std::int64_t {
    std::int64_t n = 1;
    for (std::size_t i = 0; i < digit; ++i) n *= ways[i];
    return n;
  }
  [[nodiscard]] auto of(std::size_t rank, std::size_t digit) const -> std::int64_t {
    std::int64_t stride = 1;
    for (auto i = ways.size(); --i > digit;) stride *= ways[i];
    return static_cast<std::int64_t>(rank) / stride % ways[digit];
  }
};

/// Digits that divide one axis, major first.
using axis_split = inplace_vector<std::uint8_t, max_cuts + 1>;

/// A tensor on the devices of a set as other tools say it: axis by axis, which digits of the device
/// number divide it into parts. Digits that divide no axis replicate.
struct tensor_split {
  /// How the boxes of the layout relate to equal parts.
  enum class parts : std::uint8_t {
    equal,       ///< they are the equal parts
    uneven,      ///< disjoint and in order, but of unequal sizes, or not the whole tensor
    overlapping, ///< in order, and each with a halo
    irregular,   ///< no split says it: the axis is called whole
  };
  inplace_vector<axis_split, max_rank> axes;
  parts boxes{parts::equal};
};

[[nodiscard]] constexpr auto name_of(tensor_split::parts p) -> std::string_view {
  constexpr std::string_view names[] = {"equal", "uneven", "overlapping", "irregular"};
  return names[static_cast<std::size_t>(p)];
}

namespace detail {

/// Number of a device's part of an axis.
[[nodiscard]] inline auto part_number(device_digits const& d, axis_split const& split,
                                      std::size_t rank) -> std::size_t {
  std::int64_t number = 0;
  for (auto const digit : split) number = number * d.ways[digit] + d.of(rank, digit);
  return static_cast<std::size_t>(number);
}

[[nodiscard]] inline auto parts_along(device_digits const& d, axis_split const& split)
    -> std::size_t {
  std::int64_t n = 1;
  for (auto const digit : split) n *= d.ways[digit];
  return static_cast<std::size_t>(n);
}

/// What the split makes of one axis of a layout.
[[nodiscard]] inline auto judge(device_digits const& d, axis_split const& split,
                                std::int64_t extent, layout const& boxes, std::size_t axis)
    -> tensor_split::parts {
  using parts = tensor_split::parts;
  auto const count = parts_along(d, split);
  std::vector<interval> part(count, interval{-1, -1});
  for (std::size_t rank = 0; rank < boxes.size(); ++rank) {
    auto& p = part[part_number(d, split, rank)];
    if (p.begin == -1) p = boxes[rank][axis];
    if (!(p == boxes[rank][axis])) return parts::irregular;
  }
  auto const n = static_cast<std::int64_t>(count);
  bool equal = extent % n == 0;
  for (std::int64_t i = 0; equal && i < n; ++i)
    equal = part[static_cast<std::size_t>(i)] == interval{extent / n * i, extent / n * (i + 1)};
  if (equal) return parts::equal;
  auto worst = parts::uneven;
  for (std::size_t i = 1; i < count; ++i) {
    auto const& a = part[i - 1];
    auto const& b = part[i];
    if (b.begin < a.begin || b.end < a.end || a == b) return parts::irregular;
    if (b.begin < a.end) worst = parts::overlapping;
  }
  return worst;
}

/// The digits that divide an axis: cuts of its dimensions, coarse strides first; behind the dimension
/// that a scatter or a rotation divides further, the devices it divides it among.
[[nodiscard]] inline auto digits_along(operation const& op, operand const& t, axis const& a,
                                       sharding const& s, device_digits const& d, bool rotates,
                                       bool keep_reductions) -> axis_split {
  auto terms = a.terms;
  std::stable_sort(terms.begin(), terms.end(), [&](axis_term const& x, axis_term const& y) {
    return std::abs(x.stride) > std::abs(y.stride);
  });
  axis_split split;
  auto const add = [&](std::size_t digit) {
    if (d.ways[digit] > 1 && std::find(split.begin(), split.end(), digit) == split.end())
      split.push_back(static_cast<std::uint8_t>(digit));
  };
  for (auto const& term : terms) {
    for (std::size_t i = 0; i < s.exclusive.size(); ++i)
      if (s.exclusive[i].dim == term.dim &&
          (keep_reductions || op.dims[term.dim].kind == dim_kind::parallel))
        add(i);
    if (t.role == role::output && s.scatter && *s.scatter == term.dim)
      for (std::size_t i = 0; i < s.exclusive.size(); ++i)
        if (op.dims[s.exclusive[i].dim].kind == dim_kind::reduction) add(i);
    if (rotates && s.shared->dim == term.dim) {
      for (std::size_t i = 0; i < s.exclusive.size(); ++i)
        if (!indexes(t, s.exclusive[i].dim)) add(i);
      if (d.ways.size() > s.exclusive.size()) add(s.exclusive.size());
    }
  }
  return split;
}

} // namespace detail

/// What each device has of an operand: of an output once partial sums are exchanged, of an input or
/// a weight when the operator starts, of a rotating one the part it starts with.
[[nodiscard]] inline auto layout_of(operation const& op, operand const& t, sharding const& s,
                                    std::size_t set_size) -> layout {
  return t.role == role::output ? output_layout(op, t, s, set_size)
                                : input_layout(op, t, s, set_size);
}

/// That layout as a split. No digit divides two axes. O(axes · devices).
[[nodiscard]] inline auto split_of(operation const& op, operand const& t, sharding const& s,
                                   std::size_t set_size) -> tensor_split {
  using parts = tensor_split::parts;
  device_digits const d{s, set_size};
  auto const boxes = layout_of(op, t, s, set_size);
  bool const rotates = rotating_operand(op, s, set_size) == &t;
  tensor_split out;
  std::uint32_t used = 0;
  for (std::size_t i = 0; i < t.axes.size(); ++i) {
    auto const& a = t.axes[i];
    auto split = detail::digits_along(op, t, a, s, d, rotates, true);
    auto found = detail::judge(d, split, a.extent, boxes, i);
    if (found == parts::overlapping || found == parts::irregular) {
      // The kernel of a window, cut: every part of it reads nearly the same of the image.
      auto const coarser = detail::digits_along(op, t, a, s, d, rotates, false);
      if (auto const other = detail::judge(d, coarser, a.extent, boxes, i);
          !(coarser == split) && !coarser.empty() && other < parts::irregular) {
        split = coarser;
        found = other;
      }
    }
    for (auto const digit : split)
      if ((used >> digit & 1U) != 0) found = parts::irregular;
    if (found == parts::irregular) {
      split.clear(); // a window as wide as the tensor reads all of it everywhere
      if (detail::judge(d, split, a.extent, boxes, i) == parts::equal) found = parts::equal;
    }
    for (auto const digit : split) used |= 1U << digit;
    out.axes.push_back(split);
    out.boxes = std::max(out.boxes, found);
  }
  return out;
}

} // namespace mars::io
