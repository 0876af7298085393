// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Which elements an operation touches, found by visiting every point of its iteration space.

#include <mars/workload/operation.hpp>
#include <mars/workload/shape.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace mars_test {

using index = std::vector<std::int64_t>;

/// Calls `visit` with every index of a tensor or iteration space, the last coordinate fastest.
template <class Visit>
void for_each_index(index const& shape, Visit visit) {
  index at(shape.size(), 0);
  for (;;) {
    visit(std::as_const(at));
    auto d = shape.size();
    for (; d > 0; --d) {
      if (++at[d - 1] < shape[d - 1]) break;
      at[d - 1] = 0;
    }
    if (d == 0) return;
  }
}

/// Row-major place of an index, nothing outside the tensor.
inline auto flat(index const& at, index const& shape) -> std::optional<std::int64_t> {
  std::int64_t place = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (at[i] < 0 || at[i] >= shape[i]) return std::nullopt;
    place = place * shape[i] + at[i];
  }
  return place;
}

/// The element an operand touches at a point; axes read whole count as element 0.
inline auto touched(mars::operand const& t, index const& point) -> std::optional<std::int64_t> {
  index at;
  for (auto const& a : t.axes) {
    auto n = a.is_whole() ? 0 : a.offset;
    for (auto const& term : a.terms) n += term.stride * point[term.dim];
    at.push_back(n);
  }
  return flat(at, shape_of(t));
}

inline auto space_of(mars::operation const& op) -> index {
  index extents;
  for (auto const& d : op.dims) extents.push_back(d.extent);
  return extents;
}

/// Everything that happens at points where all of the given operands are inside their tensors.
inline auto incidences(mars::operation const& op, std::vector<std::size_t> const& operands)
    -> std::vector<index> {
  std::vector<index> all;
  for_each_index(space_of(op), [&](index const& point) {
    index row;
    for (auto const k : operands) {
      auto const e = touched(op.operands[k], point);
      if (!e) return;
      row.push_back(*e);
    }
    all.push_back(row);
  });
  std::sort(all.begin(), all.end());
  return all;
}

/// For an operator that only moves elements: the input element each output element comes from, −1
/// where it comes from none; nothing if some output element is written twice or never.
inline auto sources(mars::operation const& op, std::size_t input, std::size_t output)
    -> std::optional<index> {
  auto const& out = op.operands[output];
  index from(static_cast<std::size_t>(elements_of(out)), -2);
  bool twice = false;
  for_each_index(space_of(op), [&](index const& point) {
    auto const o = touched(out, point);
    if (!o) return;
    auto& place = from[static_cast<std::size_t>(*o)];
    twice = twice || place != -2;
    place = touched(op.operands[input], point).value_or(-1);
  });
  if (twice || std::count(from.begin(), from.end(), -2) != 0) return std::nullopt;
  return from;
}

/// A dimension of an operator by name; −1 without it.
inline auto extent_of(mars::operation const& op, char const* name) -> std::int64_t {
  auto const d = find_dim(op, mars::label{name});
  return d ? op.dims[*d].extent : -1;
}

inline auto kind_of(mars::operation const& op, char const* name) -> mars::dim_kind {
  return op.dims[find_dim(op, mars::label{name}).value()].kind;
}

inline auto shape_of_output(mars::operation const& op, std::size_t i = 0) -> mars::tensor_shape {
  return shape_of(*nth_operand(op, mars::role::output, i));
}

} // namespace mars_test
