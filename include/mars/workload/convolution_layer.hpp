// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace mars {

/// One number for rows and one for columns of an image.
struct plane {
  std::int64_t rows{1};
  std::int64_t columns{1};

  friend auto operator==(plane const&, plane const&) -> bool = default;
};

/// A two-dimensional convolution with its image, padding and weights: what a kernel runs, and what the
/// price of an algorithm depends on. (`convolution_shape` is the loop nest alone, without borders.)
struct convolution_layer {
  std::int64_t batch{1};        ///< N
  std::int64_t groups{1};       ///< g, divides both numbers of channels
  std::int64_t in_channels{1};  ///< C, of all groups
  std::int64_t out_channels{1}; ///< K, of all groups
  plane in{};                   ///< H × W
  plane out{};                  ///< Y × X
  plane kernel{};               ///< R × S
  plane stride{};
  plane dilation{};
  plane padding{0, 0};  ///< rows above, columns on the left; the other sides follow from the output
  int element_bits{32}; ///< of the input
  double density{1};    ///< share of weights that are not zero
  number_format numbers{number_format::automatic}; ///< of the input

  friend auto operator==(convolution_layer const&, convolution_layer const&) -> bool = default;

  [[nodiscard]] auto is_depthwise() const -> bool { return groups > 1 && groups == in_channels; }
  /// 1×1, stride 1, no padding: a matrix product of the input as it lies.
  [[nodiscard]] auto is_pointwise() const -> bool {
    return kernel == plane{} && stride == plane{} && padding == plane{0, 0} && in == out;
  }
};

/// Elements of the weights, zeros included: K·(C/g)·R·S.
template <deferred = when_called>
[[nodiscard]] auto weights_of(convolution_layer const& c) -> std::int64_t {
  return c.out_channels * (c.in_channels / c.groups) * c.kernel.rows * c.kernel.columns;
}
/// N·K·(C/g)·R·S·Y·X: taps on padding count.
template <deferred = when_called>
[[nodiscard]] auto macs_of(convolution_layer const& c) -> macs {
  return macs{c.batch * weights_of(c) * c.out.rows * c.out.columns};
}

/// Kernel taps that fall inside the image along one axis, summed over its outputs:
/// Σ_y #{r : 0 ≤ y·stride + r·dilation − padding < in}.
[[nodiscard]] constexpr auto valid_taps(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                        std::int64_t stride, std::int64_t dilation,
                                        std::int64_t padding) -> std::int64_t {
  std::int64_t sum = 0;
  for (std::int64_t r = 0; r < kernel; ++r) {
    // Outputs y with 0 ≤ y·stride + shift < in.
    auto const shift = r * dilation - padding;
    auto const first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    auto const end = in - shift <= 0 ? 0 : (in - shift + stride - 1) / stride;
    sum += std::max<std::int64_t>(0, std::min(end, out) - std::min(first, out));
  }
  return sum;
}
/// MACs whose tap lies inside the image; kernels that skip padding do no others. O(R + S).
template <deferred = when_called>
[[nodiscard]] auto valid_macs_of(convolution_layer const& c) -> macs {
  return macs{c.batch * c.out_channels * (c.in_channels / c.groups) *
              valid_taps(c.in.rows, c.out.rows, c.kernel.rows, c.stride.rows, c.dilation.rows,
                         c.padding.rows) *
              valid_taps(c.in.columns, c.out.columns, c.kernel.columns, c.stride.columns,
                         c.dilation.columns, c.padding.columns)};
}

/// The layer that a shard is: a convolution with one or two spatial axes, or a matrix product with
/// weights as a 1×1 convolution over an m×1 image whose factors shared by a batch extend it.
/// A cut image keeps its padding on the side that `axis::offset` names; its input rows are then those
/// that the shard reaches. Nothing for other operators: three spatial axes, transposed convolutions,
/// products of two activations.
template <deferred = when_called>
[[nodiscard]] auto layer_of(shard const& s) -> std::optional<convolution_layer> {
  auto const* input = nth_operand(*s.op, role::input, 0);
  auto const* weight = nth_operand(*s.op, role::weight, 0);
  if (input == nullptr || weight == nullptr) return std::nullopt;
  convolution_layer c{
      .element_bits = input->element_bits, .density = weight->density, .numbers = input->numbers};
  if (s.op->kind == op_kind::matmul) {
    auto const shape = as_convolution(s);
    if (!shape || nth_operand(*s.op, role::input, 1) != nullptr) return std::nullopt;
    c.groups = shape->groups;
    c.in_channels = shape->groups * shape->in_channels;
    c.out_channels = shape->groups * shape->out_channels;
    c.in = c.out = {1, shape->columns};
    return c;
  }
  if (s.op->kind != op_kind::convolution) return std::nullopt;
  for (auto const name : {"z", "pz", "py", "px"})
    if (find_dim(*s.op, label{name})) return std::nullopt;
  c.batch = s.extent("n");
  c.groups = s.extent("g");
  c.in_channels = c.groups * s.extent("c");
  c.out_channels = c.groups * s.extent("k");
  c.out = {s.extent("y"), s.extent("x")};
  c.kernel = {s.extent("r"), s.extent("s")};
  // False: the kernel is walked against the image, as transposed convolutions do.
  auto const window = [&](label at, label tap, std::int64_t plane::*side) {
    auto const y = find_dim(*s.op, at);
    auto const r = find_dim(*s.op, tap);
    if (!y || !r) return true;
    for (auto const& a : input->axes) {
      if (!a.uses(*y)) continue;
      for (auto const& term : a.terms) {
        if (term.dim == *y) c.stride.*side = term.stride;
        if (term.dim == *r) c.dilation.*side = term.stride;
      }
      c.padding.*side = -a.offset;
      c.in.*side = s.extents[*y] == s.op->dims[*y].extent ? a.extent : reach_size(a, s.extents);
      break;
    }
    return c.stride.*side > 0 && c.dilation.*side > 0;
  };
  if (!window("y", "r", &plane::rows) || !window("x", "s", &plane::columns)) return std::nullopt;
  return c;
}

} // namespace mars
