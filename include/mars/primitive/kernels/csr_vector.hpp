// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/csr_matrix.hpp>
#include <mars/primitive/kernels/im2col.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/program.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace mars::primitive::kernels {

/// Sparse layers with one output position, nchw: fully connected ones. Images are the lanes, where there
/// are several; one image is multiplied number by number.
class csr_vector_kernel {
public:
  [[nodiscard]] static auto supports(convolution_layer const& c) -> bool {
    return c.out == plane{1, 1};
  }

  csr_vector_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{c},
        depth_{c.in_channels / c.groups * c.kernel.rows * c.kernel.columns},
        width_{c.batch == 1 ? 1 : lanes},
        weights_{csr_of(c, weights)} {
    for (auto& column : weights_.column) column *= static_cast<std::int32_t>(width_);
  }

  [[nodiscard]] auto workspace_size() const -> offset { return depth_ * width_; }
  [[nodiscard]] auto weights_bytes() const -> std::size_t { return weights_.bytes(); }

  void operator()(float const* in, float* out, float* workspace) const {
    auto const group = layer_.in_channels / layer_.groups * layer_.in.rows * layer_.in.columns;
    auto const k = layer_.out_channels / layer_.groups;
    for (offset g = 0; g < layer_.groups; ++g)
      for (offset n = 0; n < layer_.batch; n += width_) {
        auto const* from = in + (n * layer_.groups + g) * group;
        auto* to = out + n * layer_.out_channels;
        if (width_ == 1) {
          im2col(layer_, from, {0, depth_}, {0, 1}, 1, workspace);
          for (auto row = g * k; row < (g + 1) * k; ++row) to[row] = dot(row, workspace);
          continue;
        }
        auto const count = std::min<offset>(lanes, layer_.batch - n);
        std::fill_n(workspace, depth_ * lanes, 0.0F);
        for (offset i = 0; i < count; ++i) gather(from + i * layer_.groups * group, workspace + i);
        for (auto row = g * k; row < (g + 1) * k; ++row) {
          sparse_row<1> sums;
          float line[lanes];
          sums.sum(weights_, row, workspace, known<lanes>);
          sums.store_to(line);
          for (offset i = 0; i < count; ++i) to[i * layer_.out_channels + row] = line[i];
        }
      }
  }

private:
  /// One image into one lane.
  void gather(float const* image, float* to) const {
    constexpr offset some = 64;
    float line[some];
    for (offset from = 0; from < depth_; from += some) {
      range const rows{from, std::min(depth_, from + some)};
      im2col(layer_, image, rows, {0, 1}, 1, line);
      for (offset i = 0; i < rows.size(); ++i) to[(from + i) * lanes] = line[i];
    }
  }

  /// Four sums, so that additions need not wait for each other.
  [[nodiscard]] auto dot(offset row, float const* in) const -> float {
    auto const* at = weights_.column.data();
    auto const* value = weights_.value.data();
    auto i = weights_.begin[static_cast<std::size_t>(row)];
    auto const end = weights_.begin[static_cast<std::size_t>(row) + 1];
    float sums[4]{};
    for (; i + 4 <= end; i += 4)
      unrolled<4>([&](auto j) { sums[j] += value[i + j] * in[at[i + j]]; });
    for (; i < end; ++i) sums[0] += value[i] * in[at[i]];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }

  convolution_layer layer_;
  offset depth_; ///< inputs of an output
  offset width_; ///< images at once
  csr_matrix weights_;
};

/// What sparse primitives have in common. Any layer; those of one output position have a kernel of their
/// own. A tile is so many vectors of one output channel: `Kernel<vectors>`.
template <class Primitive, template <int> class Kernel>
struct sparse_primitive {
  static constexpr layout format = layout::nchw;
  static constexpr double error = 2e-5; ///< as direct

  using untuned = tile<4, 1>;

  [[nodiscard]] static auto supports(convolution_layer const&) -> bool { return true; }

  template <class Tile>
  [[nodiscard]] static auto make(convolution_layer const& c, std::span<float const> weights)
      -> program {
    if (csr_vector_kernel::supports(c))
      return {Primitive::name, "vector", format, c, csr_vector_kernel{c, weights}};
    return {Primitive::name, text_of(Tile{}), format, c, Kernel<Tile::vectors>{c, weights}};
  }
};

} // namespace mars::primitive::kernels
