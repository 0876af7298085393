// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/csr_direct.hpp>
#include <mars/primitive/kernels/csr_matrix.hpp>
#include <mars/primitive/kernels/csr_vector.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/phased_image.hpp>
#include <mars/primitive/kernels/program.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace mars::primitive::kernels {

/// Sparse weights, nchw to nchw, a patch of `Vectors` rows × one vector of columns at a time: all that the
/// patch reads, of all channels, is packed together and stays in a near cache while the rows of weights go
/// by.
template <int Vectors>
class csr_spatial_pack_kernel {
public:
  /// `weights` is K × C/g × R × S, dense.
  csr_spatial_pack_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{c}, patch_{layer_, {Vectors, lanes}}, weights_{csr_of(c, weights)} {
    csr_direct_kernel<Vectors>::place(weights_, layer_, patch_);
  }

  [[nodiscard]] auto workspace_size() const -> offset { return patch_.size(layer_.in_channels); }
  [[nodiscard]] auto weights_bytes() const -> std::size_t { return weights_.bytes(); }

  void operator()(float const* in, float* out, float* workspace) const {
    auto const plane = output_of(layer_).plane();
    for (offset n = 0; n < layer_.batch; ++n)
      for (offset y = 0; y < layer_.out.rows; y += Vectors)
        for (offset x = 0; x < layer_.out.columns; x += lanes) {
          patch_.copy(layer_, layer_.in_channels,
                      in + n * layer_.in_channels * input_of(layer_).plane(), y, x, workspace);
          for (offset k = 0; k < layer_.out_channels; ++k) {
            sparse_row<Vectors> sums;
            float lines[Vectors * lanes];
            sums.sum(weights_, k, workspace, patch_.columns);
            sums.store_to(lines);
            unpack(lines, y, x, out + (n * layer_.out_channels + k) * plane);
          }
        }
  }

private:
  void unpack(float const* lines, offset y, offset x, float* plane) const {
    auto const rows = std::min<offset>(Vectors, layer_.out.rows - y);
    auto const columns = std::min<offset>(lanes, layer_.out.columns - x);
    for (offset i = 0; i < rows; ++i)
      copy_run(lines + i * lanes, columns, plane + (y + i) * layer_.out.columns + x);
  }

  convolution_layer layer_;
  phased_image patch_;
  csr_matrix weights_;
};

/// Packed patches and sparse weights. Any layer.
struct csr_spatial_pack : sparse_primitive<csr_spatial_pack, csr_spatial_pack_kernel> {
  static constexpr std::string_view name = "csr_spatial_pack";

  using tiles =
      std::conditional_t<registers == 32,
                         tile_set<tile<2, 1>, tile<4, 1>, tile<7, 1>, tile<14, 1>, tile<28, 1>>,
                         tile_set<tile<2, 1>, tile<4, 1>, tile<7, 1>, tile<14, 1>>>;
};

} // namespace mars::primitive::kernels
