// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/blocked_weights.hpp>
#include <mars/primitive/kernels/buffer.hpp>
#include <mars/primitive/kernels/im2col.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/register_tile.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace mars::primitive::kernels {

/// Layers with one output position, nchw: fully connected ones. Weights are read once for up to four
/// images, output channels in the lanes; memory is the limit, so there is no tile to choose.
class matrix_vector_kernel {
public:
  [[nodiscard]] static auto supports(convolution_layer const& c) -> bool {
    return c.out == plane{1, 1};
  }

  matrix_vector_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{c},
        k_{c.out_channels / c.groups},
        depth_{c.in_channels / c.groups * c.kernel.rows * c.kernel.columns},
        in_place_{c.kernel == c.in && c.padding == plane{0, 0} && c.dilation == plane{1, 1}} {
    auto const size = static_cast<std::size_t>(k_ * depth_);
    for (std::size_t g = 0; g < static_cast<std::size_t>(c.groups); ++g)
      weights_.emplace_back(k_, depth_, 1, 1, vectors, weights.subspan(g * size, size));
  }

  [[nodiscard]] auto workspace_size() const -> offset {
    return in_place_ ? 0 : images_at_once * depth_;
  }
  [[nodiscard]] auto weights_bytes() const -> std::size_t {
    std::size_t sum = 0;
    for (auto const& w : weights_) sum += w.bytes();
    return sum;
  }

  void operator()(float const* in, float* out, float* workspace) const {
    auto const group = layer_.in_channels / layer_.groups * layer_.in.rows * layer_.in.columns;
    for (offset g = 0; g < layer_.groups; ++g)
      for (offset n = 0; n < layer_.batch;) {
        offset const count = n + images_at_once <= layer_.batch ? images_at_once : 1;
        auto const* from = in + (n * layer_.groups + g) * group;
        auto step = layer_.groups * group;
        if (!in_place_) {
          for (offset i = 0; i < count; ++i)
            im2col(layer_, from + i * step, {0, depth_}, {0, 1}, 1, workspace + i * depth_);
          from = workspace;
          step = depth_;
        }
        auto* to = out + n * layer_.out_channels + g * k_;
        auto const& packed = weights_[static_cast<std::size_t>(g)];
        for (auto const& p : packed.parts())
          if (count == 1)
            p.blocks == 1 ? run<1, 1>(packed, p, from, step, to)
                          : run<vectors, 1>(packed, p, from, step, to);
          else
            p.blocks == 1 ? run<1, images_at_once>(packed, p, from, step, to)
                          : run<vectors, images_at_once>(packed, p, from, step, to);
        n += count;
      }
  }

private:
  static constexpr int vectors = registers == 32 ? 4 : 2;
  static constexpr int images_at_once = 4;

  template <int V, int S>
  void run(blocked_weights const& weights, blocked_weights::part const& p, float const* in,
           offset step, float* out) const {
    register_tile<V, S> sums;
    sums.clear();
    sums.accumulate(in, step, known<1>, weights.of(p), known<V * lanes>, depth_);
    auto const first = p.block * lanes;
    if (first + V * lanes <= k_) {
      sums.store_to(out + first, layer_.out_channels, lanes, S);
      return;
    }
    float lines[S * V * lanes];
    sums.store_to(lines, V * lanes, lanes, S);
    for (offset i = 0; i < S; ++i)
      std::copy_n(lines + i * V * lanes, k_ - first, out + i * layer_.out_channels + first);
  }

  convolution_layer layer_;
  offset k_;      ///< output channels of a group
  offset depth_;  ///< inputs of an output
  bool in_place_; ///< the image is the vector
  std::vector<blocked_weights> weights_;
};

} // namespace mars::primitive::kernels
