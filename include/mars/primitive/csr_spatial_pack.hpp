// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/primitive/concept.hpp>
#include <mars/primitive/detail/csr_sizes.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <string_view>

namespace mars::primitive {

/// Sparse weights over images packed by position: the image is copied with its border, each nonzero
/// multiplies tile after tile of outputs and is decoded for each. Channels stay planes (a nonzero names a
/// single one, so blocks of channels would leave lanes idle).
struct csr_spatial_pack {
  plane tile{1, 4}; ///< of vectors of outputs: `tile.columns` vectors lie in one row

  [[nodiscard]] constexpr auto name() const -> std::string_view { return "csr_spatial_pack"; }
  [[nodiscard]] constexpr auto weights() const -> weight_format { return weight_format::csr; }
  [[nodiscard]] constexpr auto format() const -> std::string_view { return "nchw"; }
  [[nodiscard]] constexpr auto supports(convolution_layer const&) const -> bool { return true; }

  template <deferred = when_called>
  [[nodiscard]] auto work(convolution_layer const& c, int lanes) const -> primitive_work {
    using namespace detail;
    auto const n = nonzeros_of(c) * real(c.batch);
    auto const weights = csr_of(c);
    auto const columns = tile.columns * lanes;
    auto const copy = bordered(c);
    auto const block =
        stored(real(round_up(c.out.rows, tile.rows)) * real(round_up(c.out.columns, columns)),
               c.element_bits);
    return {.macs = n * real(c.out.rows) * real(c.out.columns),
            .decoded =
                n * real(ceil_div(c.out.rows, tile.rows)) * real(ceil_div(c.out.columns, columns)),
            .calls = 1,
            .weights = weights,
            .workspace = total(copy, block),
            .traffic = total(input_of(c), weights, output_of(c), passes(copy, real(c.batch)))};
  }
  friend auto operator==(csr_spatial_pack const&, csr_spatial_pack const&) -> bool = default;
};

} // namespace mars::primitive
