// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The evaluator's operators that move values, and the table of all it can do.

#include <mars/io/onnx/detail/folding.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io::onnx_detail {

[[nodiscard]] inline auto fold_gather(call& c, literal const& data, literal const& indices)
    -> folded {
  auto const axis = c.axis(c.integer("axis", 0), data.shape.size());
  if (c.failed()) return std::nullopt;
  tensor_shape shape(data.shape.begin(), data.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
               data.shape.end());
  auto const strides = strides_of(data.shape);
  auto const index_strides = strides_of(indices.shape);
  auto const q = indices.shape.size();
  return rearranged(data, shape, [&](std::vector<std::int64_t> const& index) -> std::int64_t {
    std::int64_t place = 0;
    for (std::size_t i = 0; i < q; ++i) place += index[axis + i] * index_strides[i];
    auto at = indices.as_integer(static_cast<std::size_t>(place));
    if (at < 0) at = wrap_add(at, data.shape[axis]);
    if (at < 0 || at >= data.shape[axis]) return -1;
    std::int64_t flat = at * strides[axis];
    for (std::size_t i = 0; i < axis; ++i) flat += index[i] * strides[i];
    for (std::size_t i = axis + 1; i < data.shape.size(); ++i)
      flat += index[i + q - 1] * strides[i];
    return flat;
  });
}

[[nodiscard]] inline auto fold_slice(call& c, literal const& x) -> folded {
  auto const plan = plan_slice(c);
  if (c.failed()) return std::nullopt;
  auto const strides = strides_of(x.shape);
  return rearranged(x, plan.count, [&](std::vector<std::int64_t> const& index) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < index.size(); ++i)
      at += (plan.first[i] + index[i] * plan.step[i]) * strides[i];
    return at;
  });
}

[[nodiscard]] inline auto fold_concat(call& c) -> folded {
  auto const* head = c.literal_at(0);
  if (head == nullptr) return std::nullopt;
  auto const axis = c.axis(c.integer("axis", 1), std::max<std::size_t>(1, head->shape.size()));
  if (c.failed() || axis >= head->shape.size()) return std::nullopt;
  auto const before = [&](literal const& l) {
    std::int64_t n = 1;
    for (std::size_t i = 0; i < axis; ++i) n *= l.shape[i];
    return n;
  };
  literal out{head->type, head->shape, {}, {}};
  out.shape[axis] = 0;
  for (std::size_t i = 0; i < c.inputs(); ++i) {
    auto const* l = c.literal_at(i);
    if (l == nullptr || l->shape.size() != head->shape.size()) return std::nullopt;
    for (std::size_t k = 0; k < l->shape.size(); ++k)
      if (k != axis && l->shape[k] != head->shape[k]) return std::nullopt;
    out.shape[axis] += l->shape[axis];
  }
  if (auto const n = stored_elements(out.shape); !n || *n > max_literal) return std::nullopt;
  auto const rows = before(out);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < c.inputs(); ++i) {
      auto const& l = *c.literal_at(i);
      auto const width = l.size() / static_cast<std::size_t>(std::max<std::int64_t>(1, rows));
      for (std::size_t k = 0; k < width; ++k) out.push(l, static_cast<std::size_t>(r) * width + k);
    }
  return out;
}

[[nodiscard]] inline auto fold_tile(literal const& x, literal const& repeats) -> folded {
  if (repeats.size() != x.shape.size()) return std::nullopt;
  auto shape = x.shape;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    auto const n = checked_multiply(shape[i], repeats.as_integer(i));
    if (!n || *n < 0) return std::nullopt;
    shape[i] = *n;
  }
  auto const strides = strides_of(x.shape);
  return rearranged(x, shape, [&](std::vector<std::int64_t> const& index) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < index.size(); ++i) at += index[i] % x.shape[i] * strides[i];
    return at;
  });
}

[[nodiscard]] inline auto fold_expand(literal const& x, literal const& wanted) -> folded {
  tensor_shape shape;
  for (std::size_t i = 0; i < wanted.size(); ++i) shape.push_back(wanted.as_integer(i));
  for (auto const e : shape)
    if (e < 0) return std::nullopt;
  auto const full = broadcast_stored(x.shape, shape);
  return full ? stretched(x, *full) : std::nullopt;
}

[[nodiscard]] inline auto fold_where(literal const& condition, literal const& a, literal const& b)
    -> folded {
  auto const ab = broadcast_stored(a.shape, b.shape);
  auto const shape = ab ? broadcast_stored(condition.shape, *ab) : std::nullopt;
  if (!shape) return std::nullopt;
  auto const p = stretched(condition, *shape);
  auto const x = stretched(a, *shape);
  auto const y = stretched(b, *shape);
  if (!p || !x || !y) return std::nullopt;
  literal out{a.type, *shape, {}, {}};
  for (std::size_t k = 0; k < p->size(); ++k) out.push(p->as_integer(k) != 0 ? *x : *y, k);
  return out;
}

/// Coordinates of the elements that are not 0: [rank, count].
[[nodiscard]] inline auto fold_non_zero(literal const& x) -> folded {
  auto const rank = std::max<std::size_t>(1, x.shape.size());
  std::vector<std::vector<std::int64_t>> rows(rank);
  auto const strides = strides_of(x.shape);
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (x.as_real(k) == 0) continue;
    if (x.shape.empty()) rows[0].push_back(0);
    auto rest = static_cast<std::int64_t>(k);
    for (std::size_t i = 0; i < x.shape.size(); ++i) {
      rows[i].push_back(rest / strides[i]);
      rest %= strides[i];
    }
  }
  literal out{element::int64,
              {static_cast<std::int64_t>(rank), static_cast<std::int64_t>(rows[0].size())},
              {},
              {}};
  for (auto const& row : rows) out.integers.insert(out.integers.end(), row.begin(), row.end());
  return out;
}

[[nodiscard]] inline auto fold_range(literal const& start, literal const& limit,
                                     literal const& step) -> folded {
  if (start.size() != 1 || limit.size() != 1 || step.size() != 1) return std::nullopt;
  auto const by = step.as_real(0);
  auto const count = std::ceil((limit.as_real(0) - start.as_real(0)) / by);
  if (by == 0 || std::isnan(count) || count > static_cast<double>(max_literal)) return std::nullopt;
  auto const n = std::max<std::int64_t>(0, to_integer(count));
  literal out{start.type, {n}, {}, {}};
  for (std::int64_t i = 0; i < n; ++i) {
    if (out.real())
      out.reals.push_back(start.reals[0] + static_cast<double>(i) * by);
    else
      out.integers.push_back(wrap_add(start.integers[0], wrap_multiply(i, step.as_integer(0))));
  }
  return out;
}

/// ScatterND of scalars into a vector, and ScatterElements along the only axis: how exporters patch
/// one extent of a shape.
[[nodiscard]] inline auto fold_scatter(literal const& data, literal const& indices,
                                       literal const& updates) -> folded {
  if (data.shape.size() != 1 || indices.size() != updates.size() || data.type != updates.type)
    return std::nullopt;
  auto out = data;
  for (std::size_t k = 0; k < indices.size(); ++k) {
    auto at = indices.as_integer(k);
    if (at < 0) at = wrap_add(at, data.shape[0]);
    if (at < 0 || at >= data.shape[0]) return std::nullopt;
    if (out.real())
      out.reals[static_cast<std::size_t>(at)] = updates.reals[k];
    else
      out.integers[static_cast<std::size_t>(at)] = updates.integers[k];
  }
  return out;
}

/// The node's results when every input is a literal: defined, true; left to its handler, false.
[[nodiscard]] inline auto fold(call& c) -> bool {
  if (!c.domain().empty() || c.inputs() == 0) return false;
  for (std::size_t i = 0; i < c.inputs(); ++i)
    if (c.has(i) && c.literal_at(i) == nullptr) return false;
  if (!c.has(0)) return false;
  auto const& type = c.type();
  auto const& x = *c.literal_at(0);
  auto const all = [&](std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
      if (!c.has(i)) return false;
    return true;
  };
  auto const literal_in = [&](std::size_t i) -> literal const& { return *c.literal_at(i); };

  if (type == "Split") {
    auto const axis = c.axis(c.integer("axis", 0), x.shape.size());
    if (c.failed()) return false;
    auto const sizes = plan_split(c, axis);
    auto const strides = strides_of(x.shape);
    std::int64_t from = 0;
    for (std::size_t i = 0; i < sizes.size() && !c.failed(); from += sizes[i++]) {
      auto shape = x.shape;
      shape[axis] = sizes[i];
      auto part = rearranged(x, shape, [&](std::vector<std::int64_t> const& index) {
        auto at = from * strides[axis];
        for (std::size_t k = 0; k < index.size(); ++k) at += index[k] * strides[k];
        return at;
      });
      if (!part) return false;
      c.define_literal(i, *std::move(part));
    }
    return !c.failed();
  }

  folded out;
  if (type == "Reshape" || type == "Flatten" || type == "Squeeze" || type == "Unsqueeze") {
    auto shape = renamed_shape(c);
    if (!c.failed() && stored_elements(shape).value_or(-1) == static_cast<std::int64_t>(x.size()))
      out = reshaped(x, std::move(shape));
  } else if (type == "Cast") {
    out = cast_literal(x, static_cast<int>(c.integer("to", x.type)));
  } else if (type == "Gather") {
    if (all(2)) out = fold_gather(c, x, literal_in(1));
  } else if (type == "Slice") {
    out = fold_slice(c, x);
  } else if (type == "Concat") {
    out = fold_concat(c);
  } else if (type == "Transpose") {
    auto const perm = plan_transpose(c, x.shape.size());
    tensor_shape shape;
    for (auto const p : perm) shape.push_back(x.shape[p]);
    auto const strides = strides_of(x.shape);
    out = rearranged(x, shape, [&](std::vector<std::int64_t> const& index) {
      std::int64_t at = 0;
      for (std::size_t i = 0; i < index.size(); ++i) at += index[i] * strides[perm[i]];
      return at;
    });
  } else if (type == "Tile") {
    if (all(2)) out = fold_tile(x, literal_in(1));
  } else if (type == "Expand") {
    if (all(2)) out = fold_expand(x, literal_in(1));
  } else if (type == "Where") {
    if (all(3)) out = fold_where(x, literal_in(1), literal_in(2));
  } else if (type == "Range") {
    if (all(3)) out = fold_range(x, literal_in(1), literal_in(2));
  } else if (type == "ScatterND" || type == "ScatterElements") {
    if (all(3)) out = fold_scatter(x, literal_in(1), literal_in(2));
  } else if (type == "NonZero") {
    out = fold_non_zero(x);
  } else if (type == "Not") {
    out = literal{element::boolean, x.shape, {}, {}};
    for (std::size_t k = 0; k < x.size(); ++k)
      out->integers.push_back(x.as_integer(k) == 0 ? 1 : 0);
  } else if (type.starts_with("Reduce")) {
    out = fold_reduce(c, x);
  } else if (auto const f = find_unary(type)) {
    out = fold_unary(x, f);
  } else if (auto const* op = find_arithmetic(type)) {
    out = x;
    for (std::size_t i = 1; i < c.inputs() && out; ++i)
      out = c.has(i) ? apply(*op, *out, literal_in(i)) : std::nullopt;
  }
  if (!out || c.failed()) return false;
  c.define_literal(0, *std::move(out));
  return true;
}

} // namespace mars::io::onnx_detail
