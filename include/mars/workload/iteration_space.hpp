// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/inplace_vector.hpp>
#include <mars/core/label.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace mars {

/// What cutting a dimension means.
enum class dim_kind : std::uint8_t {
  parallel,   ///< points along it are independent: shards own disjoint parts of the output
  reduction,  ///< points along it are combined: a cut leaves partial results to all-reduce
  sequential, ///< points along it run in order (time steps of a recurrence): never cut
};

struct dimension {
  label name;
  std::int64_t extent{1};
  dim_kind kind{dim_kind::parallel};

  friend auto operator==(dimension const&, dimension const&) -> bool = default;
};

inline constexpr std::size_t max_dims = 12; ///< dimensions of one iteration space
inline constexpr std::size_t max_rank = 8;  ///< axes of one tensor

/// An iteration space: its points are the innermost loop bodies of an operator.
using iteration_space = inplace_vector<dimension, max_dims>;
/// One extent per dimension of an iteration space.
using extents = inplace_vector<std::int64_t, max_dims>;

/// Half-open range of integers.
struct interval {
  std::int64_t begin{};
  std::int64_t end{};

  [[nodiscard]] constexpr auto size() const -> std::int64_t {
    return end > begin ? end - begin : 0;
  }
  friend constexpr auto operator==(interval const&, interval const&) -> bool = default;
};

[[nodiscard]] constexpr auto intersect(interval a, interval b) -> interval {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

/// Part of an iteration space: one interval per dimension.
using iteration_box = inplace_vector<interval, max_dims>;
/// Part of a tensor: one interval per axis. A scalar has rank 0 and one element.
using tensor_box = inplace_vector<interval, max_rank>;

/// Elements in a box.
template <std::size_t N>
[[nodiscard]] constexpr auto volume(inplace_vector<interval, N> const& box) -> std::int64_t {
  std::int64_t v = 1;
  for (auto const& i : box) v *= i.size();
  return v;
}

/// Elements two boxes of the same tensor have in common.
template <std::size_t N>
[[nodiscard]] constexpr auto shared_volume(inplace_vector<interval, N> const& a,
                                           inplace_vector<interval, N> const& b) -> std::int64_t {
  std::int64_t v = 1;
  for (std::size_t i = 0; i < a.size() && v != 0; ++i) v *= intersect(a[i], b[i]).size();
  return v;
}

/// `stride · dimension`, one summand of an affine axis.
struct axis_term {
  std::uint8_t dim{};
  std::int64_t stride{1};

  friend constexpr auto operator==(axis_term const&, axis_term const&) -> bool = default;
};

/// How an operator indexes one axis of a tensor: `offset + Σ stride·dim`, clipped to [0, extent).
/// What falls outside is padding and costs nothing to move. An axis without terms is *read whole*
/// whatever is cut: the way to say "each result needs the entire row" (softmax) or "which element
/// is known only at run time" (gather).
struct axis {
  inplace_vector<axis_term, 6> terms;
  std::int64_t offset{0};
  std::int64_t extent{1};

  [[nodiscard]] constexpr auto is_whole() const -> bool { return terms.empty(); }
  [[nodiscard]] constexpr auto uses(std::size_t dim) const -> bool {
    return std::any_of(terms.begin(), terms.end(), [dim](auto const& t) { return t.dim == dim; });
  }
  friend auto operator==(axis const&, axis const&) -> bool = default;
};

/// The elements of an axis that a box of iterations touches: the hull, by interval arithmetic.
[[nodiscard]] constexpr auto reach(axis const& a, iteration_box const& box) -> interval {
  if (a.is_whole()) return {0, a.extent};
  interval hull{a.offset, a.offset + 1};
  for (auto const& t : a.terms) {
    auto const range = box[t.dim];
    if (range.size() == 0) return {0, 0};
    auto const first = t.stride * range.begin;
    auto const last = t.stride * (range.end - 1);
    hull.begin += std::min(first, last);
    hull.end += std::max(first, last);
  }
  auto const clipped = intersect(hull, {0, a.extent});
  return clipped.size() == 0 ? interval{0, 0} : clipped;
}

/// Elements of an axis that a shard of the given extents touches, wherever it lies: the size of an
/// interior shard, `min(extent, Σ |stride|·(e − 1) + 1)`.
[[nodiscard]] constexpr auto reach_size(axis const& a, extents const& shard) -> std::int64_t {
  if (a.is_whole()) return a.extent;
  std::int64_t size = 1;
  for (auto const& t : a.terms) size += (t.stride < 0 ? -t.stride : t.stride) * (shard[t.dim] - 1);
  return std::min(size, a.extent);
}

} // namespace mars
