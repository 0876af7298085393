// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Operators whose results need statistics of a whole row. The row is read whole and its axis is a
// dimension of the output: cutting it derives a gather of rows, with no special case anywhere.
// FLOPs per element, besides those of the statistics' few scalars:
//   batch norm  2   scale and shift, folded with mean and variance before the inference
//   layer, group norm  7   sum; subtract the mean; square, add; times 1/σ; scale, shift
//   RMS norm    4   square, add; times 1/rms; scale
//   softmax     5   maximum; subtract; exponential; sum; divide
//   LRN         2   square, add — per tap of the window

namespace mars::ops {

namespace detail {

template <deferred = when_called>
[[nodiscard]] auto check_parameters(std::int64_t n) -> expected<void> {
  if (n < 0 || n > 1024)
    return fail(error_code::out_of_range, "parameters", std::to_string(n), "0 to 1024");
  return {};
}

/// x with the axes marked in `whole` read entirely, and everything as dimensions of the output.
/// Trained tensors have the shape of those axes (`per_row`) each.
template <deferred = when_called>
[[nodiscard]] auto row_wise(op_kind kind, tensor_shape const& x, std::vector<bool> const& in_row,
                            std::string type, std::int64_t flops,
                            std::vector<std::string> const& trained) -> expected<operation> {
  mars::detail::op_writer w{kind, std::move(type)};
  auto const axes = mars::detail::walk(w, x);
  mars::detail::operand_axes input;
  mars::detail::operand_axes row;
  for (std::size_t i = 0; i < x.size(); ++i) {
    input.push_back(in_row[i] ? mars::detail::whole(x[i]) : axes[i]);
    if (in_row[i]) row.push_back(axes[i]);
  }
  w.input(input);
  for (auto const& name : trained) w.weight(name, row);
  w.output(axes);
  return std::move(w).finish(0, flops);
}

template <deferred = when_called>
[[nodiscard]] auto normalized_from(tensor_shape const& x, std::int64_t axis, std::string type,
                                   std::int64_t flops, std::int64_t parameters)
    -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  auto const first = axis_index(axis, x.size());
  if (!first) return unexpected{first.error()};
  if (parameters < 0 || parameters > 2)
    return fail(error_code::out_of_range, "parameters", std::to_string(parameters), "0 to 2");
  std::vector<bool> in_row(x.size(), false);
  for (auto i = *first; i < x.size(); ++i) in_row[i] = true;
  std::vector<std::string> trained{"scale", "shift"};
  trained.resize(static_cast<std::size_t>(parameters));
  return row_wise(op_kind::normalization, x, in_row, std::move(type), flops, trained);
}

} // namespace detail

/// x [N, C, …] with the statistics of training: a scale and a shift per channel, whatever number of
/// parameters per channel is stored.
template <deferred = when_called>
[[nodiscard]] auto batch_norm(tensor_shape const& x, std::int64_t parameters = 4)
    -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  if (auto ok = detail::check_parameters(parameters); !ok) return unexpected{std::move(ok).error()};
  if (x.size() < 2) return fail(error_code::shape_mismatch, "shape", to_string(x), "[N, C, …]");
  mars::detail::op_writer w{op_kind::normalization, "BatchNormalization"};
  auto const axes = mars::detail::walk(w, x);
  w.input(axes);
  if (parameters > 0) w.weight("weight", {mars::detail::whole(parameters), axes[1]});
  w.output(axes);
  return std::move(w).finish(0, 2);
}

/// Over axes `axis` … last.
template <deferred = when_called>
[[nodiscard]] auto layer_norm(tensor_shape const& x, std::int64_t axis = -1,
                              std::int64_t parameters = 2) -> expected<operation> {
  return detail::normalized_from(x, axis, "LayerNormalization", 7, parameters);
}
template <deferred = when_called>
[[nodiscard]] auto rms_norm(tensor_shape const& x, std::int64_t axis = -1,
                            std::int64_t parameters = 1) -> expected<operation> {
  return detail::normalized_from(x, axis, "RMSNormalization", 4, parameters);
}

/// Over all of axis `axis`.
template <deferred = when_called>
[[nodiscard]] auto softmax(tensor_shape const& x, std::int64_t axis = -1) -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  auto const at = axis_index(axis, x.size());
  if (!at) return unexpected{at.error()};
  std::vector<bool> in_row(x.size(), false);
  in_row[*at] = true;
  return detail::row_wise(op_kind::softmax, x, in_row, "Softmax", 5, {});
}

/// x [N, C, …], statistics over C / groups channels and all further axes. Dimensions `n g k y x`
/// and the channel `c` of the group that is read, which is not cut.
template <deferred = when_called>
[[nodiscard]] auto group_norm(tensor_shape const& x, std::int64_t groups,
                              std::int64_t parameters = 2) -> expected<operation> {
  using mars::detail::along;
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  if (auto ok = detail::check_parameters(parameters); !ok) return unexpected{std::move(ok).error()};
  if (x.size() < 2 || groups < 1 || x[1] % groups != 0)
    return fail(error_code::shape_mismatch, "groups", std::to_string(groups),
                std::string{"a divisor of the channels of "} + to_string(x));
  auto const channels = x[1] / groups;
  mars::detail::op_writer w{op_kind::normalization, "GroupNormalization"};
  auto const n = along(x[0], {{w.dim(mars::detail::map_dim(x.size(), 0), x[0])}});
  auto const g = w.dim("g", groups);
  auto const k = along(x[1], {{g, channels}, {w.dim("k", channels)}});
  mars::detail::operand_axes output{n, k};
  for (std::size_t i = 2; i < x.size(); ++i)
    output.push_back(along(x[i], {{w.dim(mars::detail::map_dim(x.size(), i), x[i])}}));
  mars::detail::operand_axes input{n, along(x[1], {{g, channels}, {w.reading_dim("c", channels)}})};
  for (std::size_t i = 2; i < x.size(); ++i) input.push_back(mars::detail::whole(x[i]));
  w.input(input);
  if (parameters > 0) w.weight("weight", {mars::detail::whole(parameters), k});
  w.output(output);
  return std::move(w).finish(0, 7);
}

/// Local response normalisation: x [N, C, …] divided by a norm over `size` neighbouring channels.
/// The window `r` is walked but never cut: the norm of a part is no part of the result.
template <deferred = when_called>
[[nodiscard]] auto lrn(tensor_shape const& x, std::int64_t size) -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  if (x.size() < 2) return fail(error_code::shape_mismatch, "shape", to_string(x), "[N, C, …]");
  if (size < 1 || size > x[1] * 2)
    return fail(error_code::out_of_range, "size", std::to_string(size), "1 to twice the channels");
  mars::detail::op_writer w{op_kind::normalization, "LRN"};
  auto const axes = mars::detail::walk(w, x);
  auto input = axes;
  input[1].terms.push_back({w.dim("r", size, dim_kind::sequential)});
  input[1].offset = -((size - 1) / 2);
  w.input(input);
  w.output(axes);
  return std::move(w).finish(0, 2);
}

} // namespace mars::ops
