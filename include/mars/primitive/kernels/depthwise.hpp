// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/buffer.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/vector.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mars::primitive::kernels {

/// Each output channel sees the input channel of the same number and no other.
[[nodiscard]] inline auto is_channelwise(convolution_layer const& c) -> bool {
  return c.groups == c.in_channels && c.groups == c.out_channels;
}

/// Depthwise convolution, nchwc to nchwc: lanes are channels, `Scalars` neighbouring columns are held in
/// registers. It moves as much as it computes, so there is little to gain beyond that.
template <int Scalars>
class depthwise_kernel {
public:
  /// `weights` is K × 1 × R × S, K = C.
  depthwise_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{c},
        taps_{c.kernel.rows * c.kernel.columns},
        weights_(static_cast<std::size_t>(output_of(c).blocks() * taps_ * lanes)) {
    for (offset k = 0; k < c.out_channels; ++k)
      for (offset t = 0; t < taps_; ++t)
        weights_[static_cast<std::size_t>((k / lanes * taps_ + t) * lanes + k % lanes)] =
            weights[static_cast<std::size_t>(k * taps_ + t)];
  }

  [[nodiscard]] auto workspace_size() const -> offset { return 0; }
  [[nodiscard]] auto weights_bytes() const -> std::size_t {
    return weights_.size() * sizeof(float);
  }

  void operator()(float const* in, float* out, float* /*workspace*/) const {
    auto const blocks = output_of(layer_).blocks();
    auto const in_block = input_of(layer_).plane() * lanes;
    auto const out_block = output_of(layer_).plane() * lanes;
    for (offset b = 0; b < layer_.batch * blocks; ++b)
      run(in + b * in_block, b % blocks, out + b * out_block);
  }

  /// One block of channels of one image.
  void run(float const* in, offset block, float* out) const {
    auto const& c = layer_;
    auto const* weights = weights_.data() + block * taps_ * lanes;
    for (offset y = 0; y < c.out.rows; ++y)
      for (offset x = 0; x < c.out.columns; x += Scalars) {
        auto const count = std::min<offset>(Scalars, c.out.columns - x);
        vec sums[Scalars];
        unrolled<Scalars>([&](auto i) __attribute__((always_inline)) { sums[i] = vec{}; });
        for (offset r = 0; r < c.kernel.rows; ++r) {
          auto const row = y * c.stride.rows + r * c.dilation.rows - c.padding.rows;
          if (row < 0 || row >= c.in.rows) continue;
          for (offset s = 0; s < c.kernel.columns; ++s) {
            auto const column = x * c.stride.columns + s * c.dilation.columns - c.padding.columns;
            vec const weight = load(weights + (r * c.kernel.columns + s) * lanes);
            auto const* line = in + row * c.in.columns * lanes;
            auto const last = column + (Scalars - 1) * c.stride.columns;
            if (count == Scalars && column >= 0 && last < c.in.columns) {
              auto const* from = line + column * lanes;
              auto const step = c.stride.columns * lanes;
              unrolled<Scalars>([&](auto i) __attribute__((always_inline)) {
                sums[i] += load(from + i * step) * weight;
              });
            } else {
              unrolled<Scalars>([&](auto i) __attribute__((always_inline)) {
                auto const at = column + i * c.stride.columns;
                if (i < count && at >= 0 && at < c.in.columns)
                  sums[i] += load(line + at * lanes) * weight;
              });
            }
          }
        }
        auto* to = out + (y * c.out.columns + x) * lanes;
        unrolled<Scalars>([&](auto i) __attribute__((always_inline)) {
          if (i < count) store(to + i * lanes, sums[i]);
        });
      }
  }

private:
  convolution_layer layer_;
  offset taps_;
  buffer<float> weights_;
};

} // namespace mars::primitive::kernels
