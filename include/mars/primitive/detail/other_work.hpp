// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/layer_sizes.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>

namespace mars::primitive::detail {

/// Operands that are not the layer's own input, weights and output: biases, say.
template <deferred = when_called>
[[nodiscard]] auto besides_layer(shard const& s) -> bytes {
  double sum = 0;
  bool input = false;
  bool weight = false;
  for (auto const& t : s.op->operands) {
    if (t.role == role::output) continue;
    auto& seen = t.role == role::weight ? weight : input;
    if (seen) sum += real(size_of(t, s.extents).count());
    seen = true;
  }
  return to_bytes(sum);
}

/// Every operand once; of a gather's table as much as it copies.
template <deferred = when_called>
[[nodiscard]] auto moved_by(shard const& s) -> bytes {
  double sum = 0;
  auto const copied = bytes_of(s, role::output);
  for (auto const& t : s.op->operands) {
    auto const size = size_of(t, s.extents);
    sum += real((s.op->kind == op_kind::gather ? std::min(size, copied) : size).count());
  }
  return to_bytes(sum);
}

/// As matrix products, what is no `convolution_layer`: products of two activations, recurrent cells,
/// convolutions of three axes and transposed ones (unfolded).
template <deferred = when_called>
[[nodiscard]] auto product_work(shard const& s) -> primitive_work {
  primitive_work w{.macs = real(macs_of(s).count()), .calls = 1, .traffic = moved_by(s)};
  auto const c = as_convolution(s);
  if (!c) return w;
  w.calls = real(c->groups);
  if (s.op->kind != op_kind::convolution) return w;
  w.calls *= real(c->batch);
  auto const taps = c->kernel_rows * c->kernel_columns;
  if (taps == 1 && c->stride == 1 && c->column_stride == 1) return w;
  auto const* input = nth_operand(*s.op, role::input, 0);
  w.workspace = stored(real(c->in_channels) * real(taps) * real(c->rows) * real(c->columns),
                       input != nullptr ? input->element_bits : 32);
  w.traffic = total(w.traffic, passes(w.workspace, w.calls));
  return w;
}

/// Work on each element or channel by itself: it keeps whatever format its tensors have.
[[nodiscard]] constexpr auto keeps_formats(op_kind kind) -> bool {
  switch (kind) {
  case op_kind::elementwise:
  case op_kind::pooling:
  case op_kind::normalization:
  case op_kind::reduction:
  case op_kind::concat:
  case op_kind::split:
  case op_kind::slice:
  case op_kind::pad:
  case op_kind::resize: return true;
  default: return false;
  }
}

} // namespace mars::primitive::detail
