// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/buffer.hpp>
#include <mars/primitive/kernels/im2col.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/matrix_vector.hpp>
#include <mars/primitive/kernels/program.hpp>
#include <mars/primitive/kernels/register_tile.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace mars::primitive::kernels {

/// A matrix product per image and group, nchw: K/g × (C/g)·R·S weights by (C/g)·R·S × Y·X inputs, in
/// register tiles of `Scalars` output channels × `Vectors` vectors of positions. Blocked as Goto and van
/// de Geijn do: the input matrix is made `depth` rows by `breadth` columns at a time, in panels, so that
/// a block of it lies in the second-level cache, a panel in the first. 1×1 layers are read as they lie.
template <int Vectors, int Scalars>
class im2col_gemm_kernel {
public:
  /// `weights` is K × C/g × R × S.
  im2col_gemm_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{c},
        m_{c.out_channels / c.groups},
        n_{c.out.rows * c.out.columns},
        k_{c.in_channels / c.groups * c.kernel.rows * c.kernel.columns},
        weights_(static_cast<std::size_t>(c.groups * round_up(m_, Scalars) * k_)) {
    auto* to = weights_.data();
    for (offset g = 0; g < c.groups; ++g)
      for (offset m = 0; m < m_; m += Scalars)
        for (offset k = 0; k < k_; ++k)
          for (offset i = m; i < m + Scalars; ++i, ++to)
            if (i < m_) *to = weights[static_cast<std::size_t>((g * m_ + i) * k_ + k)];
  }

  [[nodiscard]] auto workspace_size() const -> offset {
    auto const columns = round_up(std::min(n_, breadth), width);
    if (!layer_.is_pointwise()) return std::min(k_, depth) * columns;
    return n_ % width == 0 ? 0 : std::min(k_, depth) * width;
  }
  [[nodiscard]] auto weights_bytes() const -> std::size_t {
    return weights_.size() * sizeof(float);
  }

  void operator()(float const* in, float* out, float* workspace) const {
    auto const image = layer_.in_channels / layer_.groups * layer_.in.rows * layer_.in.columns;
    auto const packed = round_up(m_, Scalars) * k_;
    for (offset ng = 0; ng < layer_.batch * layer_.groups; ++ng)
      multiply(in + ng * image, weights_.data() + ng % layer_.groups * packed, out + ng * m_ * n_,
               workspace);
  }

private:
  static constexpr offset width = Vectors * lanes; ///< of a panel
  static constexpr offset depth = 256;
  static constexpr offset breadth = round_up(256, width);

  void multiply(float const* in, float const* weights, float* out, float* workspace) const {
    auto const pointwise = layer_.is_pointwise();
    for (offset n = 0; n < n_; n += breadth)
      for (offset k = 0; k < k_; k += depth) {
        range const rows{k, std::min(k_, k + depth)};
        range const columns{n, std::min(n_, n + breadth)};
        if (!pointwise) im2col(layer_, in, rows, columns, width, workspace);
        for (auto at = columns.begin; at < columns.end; at += width) {
          auto const* panel = workspace + (at - n) * rows.size();
          auto next = width;
          if (pointwise && at + width <= n_) {
            panel = in + k * n_ + at;
            next = n_;
          } else if (pointwise) {
            im2col(layer_, in, rows, {at, n_}, width, workspace);
            panel = workspace;
          }
          auto const used = std::min(width, n_ - at);
          for (offset m = 0; m < m_; m += Scalars)
            block(panel, next, weights + m * k_ + k * Scalars, rows.size(), k == 0,
                  static_cast<int>(std::min<offset>(Scalars, m_ - m)), used, out + m * n_ + at);
        }
      }
  }

  /// `rows` × `used` of the product.
  void block(float const* panel, offset next, float const* weights, offset count, bool first,
             int rows, offset used, float* out) const {
    register_tile<Vectors, Scalars> sums;
    float lines[Scalars * width];
    if (first) {
      sums.clear();
    } else if (used == width) {
      sums.load_from(out, n_, lanes, rows);
    } else {
      std::fill_n(lines, Scalars * width, 0.0F);
      for (offset i = 0; i < rows; ++i) copy_run(out + i * n_, used, lines + i * width);
      sums.load_from(lines, width, lanes, Scalars);
    }
    if (rows == Scalars)
      sums.accumulate(weights, known<1>, known<Scalars>, panel, next, count);
    else
      sums.accumulate_some((1U << rows) - 1, weights, 0, known<1>, known<Scalars>, panel, next,
                           count);
    if (used == width) {
      sums.store_to(out, n_, lanes, rows);
    } else {
      sums.store_to(lines, width, lanes, Scalars);
      for (offset i = 0; i < rows; ++i) copy_run(lines + i * width, used, out + i * n_);
    }
  }

  convolution_layer layer_;
  offset m_, n_, k_;      ///< of one group's product
  buffer<float> weights_; ///< group, tile of output channels, k, output channel
};

/// im2col and a matrix product. Any layer; one product per group.
struct im2col_gemm {
  static constexpr std::string_view name = "im2col_gemm";
  static constexpr layout format = layout::nchw;
  static constexpr double error = 2e-5; ///< as direct

  using untuned = tile<1, 8>;
  using tiles = std::conditional_t<
      registers == 32,
      tile_set<tile<1, 8>, tile<1, 14>, tile<1, 28>, tile<2, 8>, tile<2, 14>, tile<3, 8>>,
      tile_set<tile<1, 8>, tile<1, 12>, tile<2, 4>, tile<2, 6>, tile<3, 4>>>;

  [[nodiscard]] static auto supports(convolution_layer const&) -> bool { return true; }

  template <class Tile>
  [[nodiscard]] static auto make(convolution_layer const& c, std::span<float const> weights)
      -> program {
    if (matrix_vector_kernel::supports(c))
      return {name, "vector", format, c, matrix_vector_kernel{c, weights}};
    return {name, text_of(Tile{}), format, c,
            im2col_gemm_kernel<Tile::vectors, Tile::scalars>{c, weights}};
  }
};

} // namespace mars::primitive::kernels
