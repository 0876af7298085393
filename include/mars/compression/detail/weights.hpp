// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>

namespace mars::compression::detail {

/// The operand whose elements a convolution or a fully connected layer multiplies with: its first
/// weight, or null.
template <deferred = when_called>
[[nodiscard]] auto multiplied_weight(operation const& o) -> operand const* {
  if (o.kind != op_kind::convolution && o.kind != op_kind::matmul) return nullptr;
  return nth_operand(o, role::weight, 0);
}

/// Groups of one input channel each.
template <deferred = when_called>
[[nodiscard]] auto is_depthwise(operation const& o) -> bool {
  auto const g = find_dim(o, "g");
  auto const c = find_dim(o, "c");
  return o.kind == op_kind::convolution && g && c && o.dims[*c].extent == 1;
}

} // namespace mars::compression::detail
