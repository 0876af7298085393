// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <optional>

namespace mars {

/// The part of an operator that one device runs, sized but not placed: what a design is asked to
/// price. Extents are those of the critical (largest) shard.
struct shard {
  operation const* op{};
  mars::extents extents;

  explicit shard(operation const& whole) : op{&whole}, extents{full_extents(whole)} {}
  shard(operation const& whole, mars::extents e) : op{&whole}, extents{e} {}

  /// Extent along a dimension, 1 when the operator does not have it.
  [[nodiscard]] auto extent(label name) const -> std::int64_t {
    auto const d = find_dim(*op, name);
    return d ? extents[*d] : 1;
  }
};

template <deferred = when_called>
[[nodiscard]] auto macs_of(shard const& s) -> macs {
  return macs_of(*s.op, s.extents);
}
template <deferred = when_called>
[[nodiscard]] auto flops_of(shard const& s) -> flops {
  return flops_of(*s.op, s.extents);
}
/// Bytes of every operand of a role that the shard touches.
template <deferred = when_called>
[[nodiscard]] auto bytes_of(shard const& s, role r) -> bytes {
  bytes sum{};
  for (auto const& t : s.op->operands)
    if (t.role == r) sum += size_of(t, s.extents);
  return sum;
}
/// Bytes the shard reads and writes: every operand once.
template <deferred = when_called>
[[nodiscard]] auto traffic_of(shard const& s) -> bytes {
  bytes sum{};
  for (auto const& t : s.op->operands) sum += size_of(t, s.extents);
  return sum;
}

/// A shard seen as the six-deep convolution loop nest that accelerator models are written for
/// (reference names: M out-channels, N in-channels, R×C output, K×K' kernel).
struct convolution_shape {
  std::int64_t batch{1};
  std::int64_t groups{1};         ///< independent convolutions of the shape below
  std::int64_t out_channels{1};   ///< M, per group
  std::int64_t in_channels{1};    ///< N, per group
  std::int64_t rows{1};           ///< R
  std::int64_t columns{1};        ///< C
  std::int64_t kernel_rows{1};    ///< K
  std::int64_t kernel_columns{1}; ///< K'
  std::int64_t stride{1};         ///< of the rows
  std::int64_t column_stride{1};
  std::int64_t dilation{1}; ///< of the kernel rows
  std::int64_t column_dilation{1};

  friend auto operator==(convolution_shape const&, convolution_shape const&) -> bool = default;
};

/// Convolutions as they are (a third spatial dimension `z` with kernel `q` folds into rows and
/// kernel rows); a transposed one as the convolution of stride 1 that it is, each phase `pz py px`
/// with out-channels of its own; a matrix product as a 1×1 convolution over a 1×m image, so that a
/// fully connected layer on one vector has R = C = K = 1 — batches that share one factor extend the
/// other (columns or out-channels), the rest are groups; each gate of a recurrent cell as
/// out-channels. Nothing for operators without that structure.
template <deferred = when_called>
[[nodiscard]] auto as_convolution(shard const& s) -> std::optional<convolution_shape> {
  // The largest step that a dimension makes along the first input.
  auto const step_along = [&](label name) -> std::int64_t {
    auto const dim = find_dim(*s.op, name);
    auto const* input = nth_operand(*s.op, role::input, 0);
    std::int64_t step = 1;
    if (!dim || input == nullptr) return step;
    for (auto const& a : input->axes)
      for (auto const& term : a.terms)
        if (term.dim == *dim) step = std::max({step, term.stride, -term.stride});
    return step;
  };
  switch (s.op->kind) {
  case op_kind::convolution:
    return convolution_shape{.batch = s.extent("n"),
                             .groups = s.extent("g"),
                             .out_channels =
                                 s.extent("k") * s.extent("pz") * s.extent("py") * s.extent("px"),
                             .in_channels = s.extent("c"),
                             .rows = s.extent("y") * s.extent("z"),
                             .columns = s.extent("x"),
                             .kernel_rows = s.extent("r") * s.extent("q"),
                             .kernel_columns = s.extent("s"),
                             .stride = step_along("y"),
                             .column_stride = step_along("x"),
                             .dilation = step_along("r"),
                             .column_dilation = step_along("s")};
  case op_kind::matmul: {
    convolution_shape shape{
        .out_channels = s.extent("n"), .in_channels = s.extent("k"), .columns = s.extent("m")};
    auto const& factors = s.op->operands;
    for (std::size_t d = 0; d < s.extents.size(); ++d) {
      auto const name = s.op->dims[d].name;
      if (name == label{"m"} || name == label{"n"} || name == label{"k"}) continue;
      if (factors.size() > 1 && !indexes(factors[1], d))
        shape.columns *= s.extents[d];
      else if (!factors.empty() && !indexes(factors[0], d))
        shape.out_channels *= s.extents[d];
      else
        shape.groups *= s.extents[d];
    }
    return shape;
  }
  case op_kind::lstm:
  case op_kind::gru:
    return convolution_shape{.groups = s.extent("t") * s.extent("d"),
                             .out_channels = s.extent("k") * s.op->work.macs,
                             .in_channels = s.extent("c"),
                             .columns = s.extent("n")};
  default: return std::nullopt;
  }
}

} // namespace mars
