// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/checked.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/iteration_space.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// Extents of a tensor, outermost axis first; empty for a scalar.
using tensor_shape = std::vector<std::int64_t>;

/// Largest number of elements a tensor may have: far beyond any memory, small enough that bits,
/// FLOPs and sums over a whole graph stay inside 64 bits.
inline constexpr std::int64_t max_elements = std::int64_t{1} << 55;

/// `[2, 3, 4]`
template <deferred = when_called>
[[nodiscard]] auto to_string(std::span<std::int64_t const> shape) -> std::string {
  std::string text{"["};
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

/// The shape of the tensor an operand views: the extents of its axes.
template <deferred = when_called>
[[nodiscard]] auto shape_of(operand const& t) -> tensor_shape {
  tensor_shape shape;
  for (auto const& a : t.axes) shape.push_back(a.extent);
  return shape;
}

/// The number of elements of a shape, or why it is none: rank above `max_rank`, an extent below 1,
/// more than `max_elements` elements.
template <deferred = when_called>
[[nodiscard]] auto count_elements(std::span<std::int64_t const> shape) -> expected<std::int64_t> {
  if (shape.size() > max_rank)
    return fail(error_code::unsupported, "shape",
                std::string{"rank "} + std::to_string(shape.size()),
                std::string{"rank at most "} + std::to_string(max_rank));
  for (auto const e : shape)
    if (e < 1)
      return fail(error_code::out_of_range, "shape", to_string(shape), "extents of at least 1");
  std::int64_t n = 1;
  for (auto const e : shape) {
    if (e > max_elements / n)
      return fail(error_code::overflow, "shape", to_string(shape), "at most 2^55 elements");
    n *= e;
  }
  return n;
}

/// Two shapes broadcast together as NumPy does: aligned at the last axis, extent 1 stretches.
template <deferred = when_called>
[[nodiscard]] auto broadcast(std::span<std::int64_t const> a, std::span<std::int64_t const> b)
    -> expected<tensor_shape> {
  auto const rank = std::max(a.size(), b.size());
  tensor_shape out(rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {
    auto const x = i < a.size() ? a[a.size() - 1 - i] : 1;
    auto const y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      return fail(error_code::shape_mismatch, "shape", to_string(a) + " and " + to_string(b),
                  "shapes that broadcast");
    out[rank - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

/// An axis number as an index: −1 names the last axis.
template <deferred = when_called>
[[nodiscard]] auto axis_index(std::int64_t number, std::size_t rank) -> expected<std::size_t> {
  auto const r = static_cast<std::int64_t>(rank);
  if (number < -r || number >= r)
    return fail(error_code::out_of_range, "axis", std::to_string(number),
                std::string{"an axis of a tensor of rank "} + std::to_string(rank));
  return static_cast<std::size_t>(number < 0 ? number + r : number);
}

/// The shape a reshape asks for, made definite: −1 (once) is what remains, 0 copies the input's
/// extent at that place.
template <deferred = when_called>
[[nodiscard]] auto resolve_reshape(std::span<std::int64_t const> input,
                                   std::span<std::int64_t const> wanted) -> expected<tensor_shape> {
  auto const elements = count_elements(input);
  if (!elements) return unexpected{elements.error()};
  auto const mismatch = [&] {
    return fail(error_code::shape_mismatch, "shape", to_string(wanted),
                std::string{"as many elements as "} + to_string(input));
  };
  tensor_shape out(wanted.begin(), wanted.end());
  std::int64_t known = 1;
  auto hole = out.end();
  for (auto it = out.begin(); it != out.end(); ++it) {
    auto const i = static_cast<std::size_t>(it - out.begin());
    if (*it == 0) {
      if (i >= input.size()) return mismatch();
      *it = input[i];
    }
    if (*it == -1) {
      if (hole != out.end())
        return fail(error_code::invalid_argument, "shape", to_string(wanted), "-1 at most once");
      hole = it;
      continue;
    }
    if (*it < 1 || *it > *elements / known) return mismatch();
    known *= *it;
  }
  if (hole != out.end()) {
    if (*elements % known != 0) return mismatch();
    *hole = *elements / known;
  } else if (known != *elements) {
    return mismatch();
  }
  if (auto const n = count_elements(out); !n) return unexpected{n.error()};
  return out;
}

} // namespace mars
