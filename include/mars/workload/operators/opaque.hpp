// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/shape.hpp>

#include <span>
#include <string>
#include <utility>

namespace mars::ops {

/// An operator of which only the tensors are known: every tensor is touched whole and there is no
/// dimension, so nothing can cut it; its work is not estimated (0).
template <deferred = when_called>
[[nodiscard]] auto opaque(std::span<tensor_shape const> inputs,
                          std::span<tensor_shape const> outputs, std::string type)
    -> expected<operation> {
  auto const axes_of = [](tensor_shape const& shape) {
    mars::detail::operand_axes axes;
    for (auto const e : shape) axes.push_back(mars::detail::whole(e));
    return axes;
  };
  for (auto const tensors : {inputs, outputs})
    for (auto const& shape : tensors)
      if (auto n = count_elements(shape); !n) return unexpected{std::move(n).error()};
  mars::detail::op_writer w{op_kind::opaque, std::move(type)};
  for (auto const& shape : inputs) w.input(axes_of(shape));
  for (auto const& shape : outputs) w.output(axes_of(shape));
  return std::move(w).finish(0, 0);
}

} // namespace mars::ops
