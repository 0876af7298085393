// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/layer_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <string_view>

namespace mars::primitive {

/// Winograd's F(M×M, 3×3): tiles of t = M + 2 inputs squared become t² matrix products, each of Q =
/// N·⌈Y/M⌉·⌈X/M⌉ tiles by C by K, in blocked channels. Of the 9·M² MACs of a tile t² are left (0.44 and
/// 0.25 of them); weights, transformed beforehand, grow by t²/9 (1.78 and 4). For 3×3 kernels of stride
/// 1 without dilation and groups, and elements of 16 bits or more: transformed values outgrow eight. The
/// larger tile loses on small images (rounding) and on wide layers (weights leave the cache).
/// Source: Lavin and Gray, CVPR 2016.
template <int M>
requires(M == 2 || M == 4) struct winograd {
  static constexpr int tile = M + 2;
  /// Additions and multiplications of one transform of a vector, a fused multiply-add counting one.
  static constexpr int input_ops = M == 2 ? 4 : 12;
  static constexpr int output_ops = M == 2 ? 4 : 10;

  [[nodiscard]] constexpr auto name() const -> std::string_view {
    return M == 2 ? "winograd_f2x3" : "winograd_f4x3";
  }
  [[nodiscard]] constexpr auto weights() const -> weight_format { return weight_format::dense; }
  [[nodiscard]] constexpr auto format() const -> std::string_view { return "nchwc"; }
  [[nodiscard]] constexpr auto supports(convolution_layer const& c) const -> bool {
    return c.kernel == plane{3, 3} && c.stride == plane{} && c.dilation == plane{} &&
           c.groups == 1 && c.element_bits >= 16;
  }

  template <deferred = when_called>
  [[nodiscard]] auto work(convolution_layer const& c, int lanes) const -> primitive_work {
    using namespace detail;
    constexpr double points = tile * tile;
    auto const tiles =
        real(c.batch) * real(ceil_div(c.out.rows, M)) * real(ceil_div(c.out.columns, M));
    auto const in = real(round_up(c.in_channels, lanes)); // transformed; products stop at the last
    auto const out = real(round_up(c.out_channels, lanes));
    auto const weights =
        stored(points * real(c.in_channels) * real(c.out_channels), c.element_bits);
    auto const workspace =
        stored(points * tiles * real(c.in_channels + c.out_channels), c.element_bits);
    return {.macs = points * tiles * real(c.in_channels) * out,
            .transform_ops = tiles * (2 * tile * input_ops * in + (tile + M) * output_ops * out),
            .calls = points,
            .weights = weights,
            .workspace = workspace,
            .traffic = total(input_of(c), weights, output_of(c), passes(workspace, 1))};
  }
  friend auto operator==(winograd const&, winograd const&) -> bool = default;
};
using winograd_f2x3 = winograd<2>;
using winograd_f4x3 = winograd<4>;

} // namespace mars::primitive
