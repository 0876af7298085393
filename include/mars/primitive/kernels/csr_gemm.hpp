// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/csr_matrix.hpp>
#include <mars/primitive/kernels/csr_vector.hpp>
#include <mars/primitive/kernels/im2col.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/program.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace mars::primitive::kernels {

/// im2col and a sparse times a dense matrix, nchw to nchw, one product per image and group. The dense one is
/// made one panel of `Vectors` vectors of positions at a time.
template <int Vectors>
class csr_gemm_kernel {
public:
  /// `weights` is K × C/g × R × S, dense.
  csr_gemm_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{c},
        depth_{c.in_channels / c.groups * c.kernel.rows * c.kernel.columns},
        weights_{csr_of(c, weights)} {
    for (auto& column : weights_.column) column *= static_cast<std::int32_t>(width);
  }

  [[nodiscard]] auto workspace_size() const -> offset { return depth_ * width; }
  [[nodiscard]] auto weights_bytes() const -> std::size_t { return weights_.bytes(); }

  void operator()(float const* in, float* out, float* workspace) const {
    auto const image = layer_.in_channels / layer_.groups * layer_.in.rows * layer_.in.columns;
    auto const plane = output_of(layer_).plane();
    auto const k = layer_.out_channels / layer_.groups;
    for (offset ng = 0; ng < layer_.batch * layer_.groups; ++ng)
      for (offset at = 0; at < plane; at += width) {
        auto const used = std::min(width, plane - at);
        im2col(layer_, in + ng * image, {0, depth_}, {at, at + used}, width, workspace);
        for (offset row = 0; row < k; ++row) {
          auto* to = out + (ng * k + row) * plane + at;
          sparse_row<Vectors> sums;
          sums.sum(weights_, ng % layer_.groups * k + row, workspace, known<lanes>);
          if (used == width) {
            sums.store_to(to);
          } else {
            float line[width];
            sums.store_to(line);
            copy_run(line, used, to);
          }
        }
      }
  }

private:
  static constexpr offset width = Vectors * lanes;

  convolution_layer layer_;
  offset depth_; ///< rows of the dense matrix
  csr_matrix weights_;
};

/// im2col and a product with sparse weights. Any layer.
struct csr_gemm : sparse_primitive<csr_gemm, csr_gemm_kernel> {
  static constexpr std::string_view name = "csr_gemm";

  using tiles =
      std::conditional_t<registers == 32,
                         tile_set<tile<2, 1>, tile<4, 1>, tile<8, 1>, tile<13, 1>, tile<24, 1>>,
                         tile_set<tile<2, 1>, tile<4, 1>, tile<8, 1>, tile<12, 1>>>;
};

} // namespace mars::primitive::kernels
