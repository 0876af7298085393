// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

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

/// Sparse weights, nchw to nchw: for `Vectors` vectors of neighbouring outputs, each nonzero of each row is
/// one scaled addition. The image is copied once, with its border and by phase of the stride, so that rows
/// follow each other without a break: what a vector holds past the end of an output row is thrown away.
template <int Vectors>
class csr_direct_kernel {
public:
  /// `weights` is K × C/g × R × S, dense.
  csr_direct_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{flat(c)}, image_{layer_, layer_.out}, weights_{csr_of(c, weights)} {
    place(weights_, layer_, image_);
  }

  /// The image, and what the last vectors read beyond it.
  [[nodiscard]] auto workspace_size() const -> offset {
    return image_.size(layer_.in_channels) + width;
  }
  [[nodiscard]] auto weights_bytes() const -> std::size_t { return weights_.bytes(); }

  void operator()(float const* in, float* out, float* workspace) const {
    std::fill_n(workspace + image_.size(layer_.in_channels), width, 0.0F);
    auto const plane = output_of(layer_).plane();
    auto const positions = (layer_.out.rows - 1) * image_.columns + layer_.out.columns;
    for (offset n = 0; n < layer_.batch; ++n) {
      image_.copy(layer_, layer_.in_channels,
                  in + n * layer_.in_channels * input_of(layer_).plane(), 0, 0, workspace);
      auto* to = out + n * layer_.out_channels * plane;
      for (offset at = 0; at < positions; at += width)
        for (offset k = 0; k < layer_.out_channels; ++k) {
          sparse_row<Vectors> sums;
          float line[width];
          sums.sum(weights_, k, workspace + at, known<lanes>);
          sums.store_to(line);
          scatter(line, {at, std::min(positions, at + width)}, to + k * plane);
        }
    }
  }

  /// Columns of the matrix become places in the image of all channels.
  static void place(csr_matrix& m, convolution_layer const& c, phased_image const& image) {
    auto const taps = c.kernel.rows * c.kernel.columns;
    auto const c_per_group = c.in_channels / c.groups;
    for (offset k = 0; k < c.out_channels; ++k)
      for (auto i = m.begin[static_cast<std::size_t>(k)];
           i < m.begin[static_cast<std::size_t>(k) + 1]; ++i) {
        auto& column = m.column[static_cast<std::size_t>(i)];
        auto const channel = k / (c.out_channels / c.groups) * c_per_group + column / taps;
        column = static_cast<std::int32_t>(
            image.at(c, channel, column % taps / c.kernel.columns, column % c.kernel.columns));
      }
  }

private:
  static constexpr offset width = Vectors * lanes;

  [[nodiscard]] static auto flat(convolution_layer c) -> convolution_layer {
    if (c.is_pointwise()) c.in = c.out = {1, c.in.rows * c.in.columns};
    return c;
  }

  /// The outputs among `positions` of the image.
  void scatter(float const* line, range positions, float* plane) const {
    auto y = positions.begin / image_.columns;
    auto x = positions.begin % image_.columns;
    for (auto at = positions.begin; at < positions.end; ++y) {
      auto const count = std::min(positions.end - at, image_.columns - x);
      if (x < layer_.out.columns)
        copy_run(line + (at - positions.begin), std::min(count, layer_.out.columns - x),
                 plane + y * layer_.out.columns + x);
      at += count;
      x = 0;
    }
  }

  convolution_layer layer_;
  phased_image image_;
  csr_matrix weights_;
};

/// Direct convolution with sparse weights. Any layer.
struct csr_direct : sparse_primitive<csr_direct, csr_direct_kernel> {
  static constexpr std::string_view name = "csr_direct";

  using tiles =
      std::conditional_t<registers == 32,
                         tile_set<tile<2, 1>, tile<4, 1>, tile<8, 1>, tile<13, 1>, tile<24, 1>>,
                         tile_set<tile<2, 1>, tile<4, 1>, tile<8, 1>, tile<12, 1>>>;
};

} // namespace mars::primitive::kernels
