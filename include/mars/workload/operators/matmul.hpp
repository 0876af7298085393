// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mars::ops {

namespace detail {

/// Dimensions b0, b1, … for the broadcast leading axes of a product, outermost first. An extent of
/// 1 needs no dimension: its axis is whole.
template <deferred = when_called>
auto batch_dims(mars::detail::op_writer& w, tensor_shape const& batch)
    -> std::vector<std::optional<std::uint8_t>> {
  std::vector<std::optional<std::uint8_t>> dims(batch.size());
  std::size_t number = 0;
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (batch[i] > 1)
      dims[i] =
          w.dim(label{std::string_view{std::string{"b"} + std::to_string(number++)}}, batch[i]);
  return dims;
}

/// The batch axes of one operand, aligned at the last.
template <deferred = when_called>
auto batch_axes(tensor_shape const& own, std::vector<std::optional<std::uint8_t>> const& dims)
    -> mars::detail::operand_axes {
  mars::detail::operand_axes axes;
  for (std::size_t i = 0; i < own.size(); ++i) {
    auto const d = dims[dims.size() - own.size() + i];
    axes.push_back(d && own[i] > 1 ? mars::detail::along(own[i], {{*d}})
                                   : mars::detail::whole(own[i]));
  }
  return axes;
}

template <deferred = when_called>
[[nodiscard]] auto inner_mismatch(tensor_shape const& a, tensor_shape const& b) {
  return fail(error_code::shape_mismatch, "shape", to_string(a) + " and " + to_string(b),
              "equal inner extents");
}

} // namespace detail

/// NumPy's matmul: a […, m, k] · b […, k, n] → […, m, n] with leading axes broadcast; a vector
/// lacks its m or n. Dimensions `b0 b1 … m n | k`; one MAC per point.
template <deferred = when_called>
[[nodiscard]] auto matmul(tensor_shape const& a, tensor_shape const& b) -> expected<operation> {
  using mars::detail::along;
  if (auto e = mars::detail::shape_error({&a, &b})) return unexpected{*std::move(e)};
  if (a.empty() || b.empty())
    return fail(error_code::shape_mismatch, "shape", "a scalar", "vectors, matrices or batches");
  auto const has_m = a.size() > 1;
  auto const has_n = b.size() > 1;
  auto const k_extent = a.back();
  if (k_extent != (has_n ? b[b.size() - 2] : b[0])) return detail::inner_mismatch(a, b);
  tensor_shape const a_batch(a.begin(), a.end() - (has_m ? 2 : 1));
  tensor_shape const b_batch(b.begin(), b.end() - (has_n ? 2 : 1));
  auto const batch = broadcast(a_batch, b_batch);
  if (!batch) return unexpected{batch.error()};

  mars::detail::op_writer w{op_kind::matmul, "MatMul"};
  auto const dims = detail::batch_dims(w, *batch);
  auto x = detail::batch_axes(a_batch, dims);
  auto y = detail::batch_axes(b_batch, dims);
  auto out = detail::batch_axes(*batch, dims);
  if (has_m) {
    auto const m = along(a[a.size() - 2], {{w.dim("m", a[a.size() - 2])}});
    x.push_back(m);
    out.push_back(m);
  }
  std::optional<axis> n;
  if (has_n) n = along(b.back(), {{w.dim("n", b.back())}});
  auto const k = along(k_extent, {{w.dim("k", k_extent, dim_kind::reduction)}});
  x.push_back(k);
  y.push_back(k);
  if (n) {
    y.push_back(*n);
    out.push_back(*n);
  }
  w.input(x);
  w.input(y);
  w.output(out);
  return std::move(w).finish(1, 0);
}

/// x […, k] · weightᵀ [n, k] (+ bias [n]) → […, n]. The last leading axis longer than 1 is m, those
/// before it b0, b1, …: a tensor's axes stay apart, since a cut must show on each of them.
template <deferred = when_called>
[[nodiscard]] auto linear(tensor_shape const& x, std::int64_t out_features, bool bias = true)
    -> expected<operation> {
  using mars::detail::along;
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  if (x.empty())
    return fail(error_code::shape_mismatch, "shape", "a scalar", "a last axis of features");
  if (out_features < 1)
    return fail(error_code::out_of_range, "out_features", std::to_string(out_features),
                "at least 1");
  auto rows = x.size() - 1; // the axis that becomes m: the last one longer than 1
  for (std::size_t i = 0; i + 1 < x.size(); ++i)
    if (x[i] > 1 || rows == x.size() - 1) rows = i;

  mars::detail::op_writer w{op_kind::matmul, "Gemm"};
  mars::detail::operand_axes input;
  std::size_t number = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    if (i == rows)
      input.push_back(along(x[i], {{w.dim("m", x[i])}}));
    else if (x[i] > 1)
      input.push_back(along(
          x[i],
          {{w.dim(label{std::string_view{std::string{"b"} + std::to_string(number++)}}, x[i])}}));
    else
      input.push_back(mars::detail::whole(1));
  }
  auto output = input;
  auto const n = along(out_features, {{w.dim("n", out_features)}});
  auto const k = along(x.back(), {{w.dim("k", x.back(), dim_kind::reduction)}});
  input.push_back(k);
  output.push_back(n);
  w.input(input);
  w.weight("weight", {n, k});
  if (bias) w.weight("bias", {n});
  w.output(output);
  return std::move(w).finish(1, 0);
}

/// op(a) [m, k] · op(b) [k, n] (+ c, broadcast to [m, n]) → [m, n].
template <deferred = when_called>
[[nodiscard]] auto gemm(tensor_shape const& a, tensor_shape const& b,
                        std::optional<tensor_shape> const& c, bool transpose_a, bool transpose_b)
    -> expected<operation> {
  using mars::detail::along;
  if (auto e = mars::detail::shape_error({&a, &b})) return unexpected{*std::move(e)};
  if (a.size() != 2 || b.size() != 2)
    return fail(error_code::shape_mismatch, "shape", to_string(a) + " and " + to_string(b),
                "two matrices");
  auto const rows = a[transpose_a ? 1 : 0];
  auto const columns = b[transpose_b ? 0 : 1];
  if (a[transpose_a ? 0 : 1] != b[transpose_b ? 1 : 0]) return detail::inner_mismatch(a, b);

  mars::detail::op_writer w{op_kind::matmul, "Gemm"};
  auto const m = along(rows, {{w.dim("m", rows)}});
  auto const n = along(columns, {{w.dim("n", columns)}});
  auto const inner = a[transpose_a ? 0 : 1];
  auto const k = along(inner, {{w.dim("k", inner, dim_kind::reduction)}});
  if (transpose_a)
    w.input({k, m});
  else
    w.input({m, k});
  if (transpose_b)
    w.input({n, k});
  else
    w.input({k, n});
  if (c) {
    if (auto e = mars::detail::shape_error({&*c})) return unexpected{*std::move(e)};
    mars::detail::operand_axes axes;
    for (std::size_t i = 0; i < c->size() && c->size() <= 2; ++i) {
      auto const& full = i + 1 == c->size() ? n : m;
      axes.push_back((*c)[i] == 1 ? mars::detail::whole(1) : full);
    }
    if (axes.size() != c->size() || ((!axes.empty()) && axes.back().extent != c->back()) ||
        (axes.size() == 2 && axes[0].extent != (*c)[0]))
      return fail(error_code::shape_mismatch, "shape", to_string(*c),
                  std::string{"a shape that broadcasts to "} +
                      to_string(tensor_shape{rows, columns}));
    w.input(axes);
  }
  w.output({m, n});
  return std::move(w).finish(1, 0);
}

} // namespace mars::ops
