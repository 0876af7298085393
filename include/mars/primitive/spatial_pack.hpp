// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/layer_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <string_view>

namespace mars::primitive {

/// Packs an image, border and all, into blocks of channels, multiplies tiles of outputs that stay in
/// registers, and unpacks block after block: planes outside. K and the last tiles are rounded up, taps on
/// padding are multiplied; workspace: the packed image and a block of output channels in whole tiles.
/// Prefer it where direct code is not tuned: vectors fill by construction.
struct spatial_pack {
  plane tile{1, 7}; ///< of outputs; images of 112, 56, … 7 columns leave no rest
  /// Input channels that fill no block are multiplied, too, as zeros (TVM's NCHWc; our kernels stop at
  /// the last channel).
  bool whole_blocks{false};

  [[nodiscard]] constexpr auto name() const -> std::string_view { return "spatial_pack"; }
  [[nodiscard]] constexpr auto weights() const -> weight_format { return weight_format::dense; }
  [[nodiscard]] constexpr auto format() const -> std::string_view { return "nchw"; }
  [[nodiscard]] constexpr auto supports(convolution_layer const&) const -> bool { return true; }

  template <deferred = when_called>
  [[nodiscard]] auto work(convolution_layer const& c, int lanes) const -> primitive_work {
    using namespace detail;
    auto const channels = whole_blocks ? in_blocks(c, lanes) : in_vectors(c, lanes);
    auto const weight_elements =
        real(channels.out) * real(channels.in) * real(c.kernel.rows) * real(c.kernel.columns);
    auto const positions =
        real(round_up(c.out.rows, tile.rows)) * real(round_up(c.out.columns, tile.columns));
    auto const weights = stored(weight_elements, c.element_bits);
    auto const image = bordered(c);
    auto const block = stored(lanes * positions, c.element_bits);
    return {.macs = real(c.batch) * weight_elements * positions,
            .calls = 1,
            .weights = weights,
            .workspace = total(image, block),
            .traffic = total(input_of(c), weights, output_of(c), passes(image, real(c.batch)),
                             passes(block, real(c.batch) * real(channels.out) / lanes))};
  }
  friend auto operator==(spatial_pack const&, spatial_pack const&) -> bool = default;
};

} // namespace mars::primitive
