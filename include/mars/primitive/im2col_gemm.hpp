// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/layer_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <string_view>

namespace mars::primitive {

/// Unfolds an image into a matrix and multiplies, one image and group after another: m = K/g, n = Y·X,
/// k = (C/g)·R·S. Taps on padding are multiplied. The matrix is written once and read once; 1×1
/// convolutions of stride 1 need none. Prefer it where a good matrix product is at hand; depthwise it
/// pays one tiny call per channel.
struct im2col_gemm {
  [[nodiscard]] constexpr auto name() const -> std::string_view { return "im2col_gemm"; }
  [[nodiscard]] constexpr auto weights() const -> weight_format { return weight_format::dense; }
  [[nodiscard]] constexpr auto format() const -> std::string_view { return "nchw"; }
  [[nodiscard]] constexpr auto supports(convolution_layer const&) const -> bool { return true; }

  template <deferred = when_called>
  [[nodiscard]] auto work(convolution_layer const& c, int) const -> primitive_work {
    using namespace detail;
    auto const weights = stored(real(weights_of(c)), c.element_bits);
    auto const workspace = unfolded(c);
    auto const calls = real(c.batch) * real(c.groups);
    return {.macs = real(macs_of(c).count()),
            .calls = calls,
            .weights = weights,
            .workspace = workspace,
            .traffic = total(input_of(c), weights, output_of(c), passes(workspace, calls))};
  }
  friend auto operator==(im2col_gemm const&, im2col_gemm const&) -> bool = default;
};

} // namespace mars::primitive
