// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mars::ops {

namespace detail {

/// Inputs read point by point into a tensor of shape `out`, to which each broadcasts.
template <deferred = when_called>
[[nodiscard]] auto pointwise(op_kind kind, std::span<tensor_shape const> xs,
                             tensor_shape const& out, std::string type, std::int64_t flops)
    -> expected<operation> {
  mars::detail::op_writer w{kind, std::move(type)};
  auto const axes = mars::detail::walk(w, out);
  for (auto const& x : xs) {
    mars::detail::operand_axes input;
    for (std::size_t i = 0; i < x.size(); ++i) {
      auto const& full = axes[out.size() - x.size() + i];
      input.push_back(x[i] == full.extent ? full : mars::detail::whole(x[i]));
    }
    w.input(input);
  }
  w.output(axes);
  return std::move(w).finish(0, flops);
}

} // namespace detail

/// Any number of tensors that broadcast together. Dimensions are the axes of the result (`n k y x`
/// in rank 4); `flops` per element of it.
template <deferred = when_called>
[[nodiscard]] auto elementwise(std::vector<tensor_shape> const& xs, std::string type,
                               std::int64_t flops) -> expected<operation> {
  if (xs.empty())
    return fail(error_code::invalid_argument, "inputs", "none", "at least one tensor");
  for (auto const& x : xs)
    if (auto n = count_elements(x); !n) return unexpected{std::move(n).error()};
  tensor_shape out;
  for (auto const& x : xs) {
    auto both = broadcast(out, x);
    if (!both) return unexpected{std::move(both).error()};
    out = *std::move(both);
  }
  return detail::pointwise(op_kind::elementwise, xs, out, std::move(type), flops);
}

/// Repeats along axes of extent 1, and along new leading ones. No FLOPs.
template <deferred = when_called>
[[nodiscard]] auto expand(tensor_shape const& x, tensor_shape const& shape) -> expected<operation> {
  if (auto e = mars::detail::shape_error({&x, &shape})) return unexpected{*std::move(e)};
  auto out = broadcast(x, shape);
  if (!out) return unexpected{std::move(out).error()};
  return detail::pointwise(op_kind::elementwise, std::span{&x, 1}, *out, "Expand", 0);
}

} // namespace mars::ops
