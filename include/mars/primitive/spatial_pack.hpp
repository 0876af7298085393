// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/layer_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <string_view>

namespace mars::primitive {

/// Images and weights in blocks of channels as long as a vector, outputs in tiles that stay in
/// registers: K, C and the last tiles are rounded up, taps on padding are multiplied. A padded image is
/// copied with its border; one block of output channels in whole tiles is kept besides. Packing and
/// unpacking are reorders, free between neighbours that share the layout (`ReorderingDesign`).
struct spatial_pack {
  plane tile{1, 4}; ///< of outputs

  [[nodiscard]] constexpr auto name() const -> std::string_view { return "spatial_pack"; }
  [[nodiscard]] constexpr auto weights() const -> weight_format { return weight_format::dense; }
  [[nodiscard]] constexpr auto format() const -> std::string_view { return "nchwc"; }
  [[nodiscard]] constexpr auto supports(convolution_layer const&) const -> bool { return true; }

  template <deferred = when_called>
  [[nodiscard]] auto work(convolution_layer const& c, int lanes) const -> primitive_work {
    using namespace detail;
    auto const channels = in_blocks(c, lanes);
    auto const weight_elements =
        real(channels.out) * real(channels.in) * real(c.kernel.rows) * real(c.kernel.columns);
    auto const positions =
        real(round_up(c.out.rows, tile.rows)) * real(round_up(c.out.columns, tile.columns));
    auto const weights = stored(weight_elements, c.element_bits);
    auto const copy = c.padding == plane{0, 0} ? bytes{} : bordered(c);
    return {.macs = real(c.batch) * weight_elements * positions,
            .calls = 1,
            .weights = weights,
            .workspace = total(copy, stored(lanes * positions, c.element_bits)),
            .traffic = total(input_of(c), weights, output_of(c), passes(copy, real(c.batch)))};
  }
  friend auto operator==(spatial_pack const&, spatial_pack const&) -> bool = default;
};

} // namespace mars::primitive
