// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/blocked_weights.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/program.hpp>
#include <mars/primitive/kernels/register_tile.hpp>
#include <mars/primitive/kernels/winograd_transform.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mars::primitive::kernels {

/// Winograd's F(M × M, 3 × 3), nchwc to nchwc: patches of M × M outputs become T² = (M + 2)² independent
/// matrix products over channels, with M²·9 / T² times fewer multiplications. Patches run in passes whose
/// transformed inputs and outputs stay in the second-level cache, unless the weights, read once a
/// pass, are larger.
template <int M, int Vectors, int Scalars>
class winograd_kernel {
public:
  /// `weights` is K × C × 3 × 3.
  winograd_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{c},
        in_blocks_{input_of(c).blocks()},
        out_blocks_{output_of(c).blocks()},
        down_{ceil_div(c.out.rows, M)},
        across_{ceil_div(c.out.columns, M)} {
    transform(weights);
    auto const patch = points * (in_blocks_ + out_blocks_) * lanes * offset{sizeof(float)};
    auto const limit = std::max<offset>(1024 * 1024, static_cast<offset>(weights_bytes()));
    auto const groups = ceil_div(patches(), Scalars);
    auto const at_once = std::clamp<offset>(limit / (patch * Scalars), 1, groups);
    groups_ = ceil_div(groups, ceil_div(groups, at_once)); // passes of equal size
  }

  /// Inputs and outputs of a pass, transformed.
  [[nodiscard]] auto workspace_size() const -> offset {
    return points * groups_ * Scalars * (in_blocks_ + out_blocks_) * lanes;
  }
  [[nodiscard]] auto weights_bytes() const -> std::size_t {
    std::size_t sum = 0;
    for (auto const& w : weights_) sum += w.bytes();
    return sum;
  }

  void operator()(float const* in, float* out, float* workspace) const {
    auto* products = workspace + points * in_point();
    for (offset first = 0; first < patches(); first += groups_ * Scalars) {
      auto const count = std::min(groups_ * Scalars, patches() - first);
      for (offset q = 0; q < count; ++q) read(in, first + q, q, workspace);
      for (offset p = 0; p < points; ++p)
        multiply(p, count, workspace + p * in_point(), products + p * out_point());
      for (offset q = 0; q < count; ++q) write(products, q, first + q, out);
    }
  }

private:
  static constexpr int side = M + 2;
  static constexpr offset points = side * side;

  [[nodiscard]] auto patches() const -> offset { return layer_.batch * down_ * across_; }
  /// Elements of one point's matrices: group of patches, block of channels, patch, lane …
  [[nodiscard]] auto in_point() const -> offset { return groups_ * Scalars * in_blocks_ * lanes; }
  /// … and block of channels, patch, lane.
  [[nodiscard]] auto out_point() const -> offset { return groups_ * Scalars * out_blocks_ * lanes; }

  void transform(std::span<float const> weights) {
    auto const pairs = layer_.out_channels * layer_.in_channels;
    std::vector<float> transformed(static_cast<std::size_t>(points * pairs));
    for (offset i = 0; i < pairs; ++i) {
      double rows[side][3];
      for (int s = 0; s < 3; ++s) {
        double column[3];
        double to[side];
        for (int r = 0; r < 3; ++r)
          column[r] = static_cast<double>(weights[static_cast<std::size_t>(i * 9 + r * 3 + s)]);
        detail::winograd_points::transform_weights<M>(column, to);
        for (int r = 0; r < side; ++r) rows[r][s] = to[r];
      }
      for (int r = 0; r < side; ++r) {
        double to[side];
        detail::winograd_points::transform_weights<M>(rows[r], to);
        for (int s = 0; s < side; ++s)
          transformed[static_cast<std::size_t>((r * side + s) * pairs + i)] =
              static_cast<float>(to[s]);
      }
    }
    for (offset p = 0; p < points; ++p)
      weights_.emplace_back(
          layer_.out_channels, layer_.in_channels, 1, 1, Vectors,
          std::span<float const>{transformed}.subspan(static_cast<std::size_t>(p * pairs),
                                                      static_cast<std::size_t>(pairs)));
  }

  struct corner {
    offset image{};
    offset row{};
    offset column{};
  };
  /// Of a patch's outputs.
  [[nodiscard]] auto corner_of(offset patch) const -> corner {
    return {patch / (down_ * across_), patch / across_ % down_ * M, patch % across_ * M};
  }

  /// The inputs of patch `patch`, transformed, become patch `q` of the pass.
  void read(float const* in, offset patch, offset q, float* to) const {
    auto const at = corner_of(patch);
    auto const top = at.row - layer_.padding.rows;
    auto const left = at.column - layer_.padding.columns;
    auto const inner =
        top >= 0 && left >= 0 && top + side <= layer_.in.rows && left + side <= layer_.in.columns;
    auto const plane = layer_.in.rows * layer_.in.columns * lanes;
    for (offset b = 0; b < in_blocks_; ++b) {
      auto const* block = in + (at.image * in_blocks_ + b) * plane;
      vec x[points];
      if (inner) {
        auto const* from = block + (top * layer_.in.columns + left) * lanes;
        for (int r = 0; r < side; ++r)
          unrolled<side>([&](auto s) __attribute__((always_inline)) {
            x[r * side + s] = load(from + (r * layer_.in.columns + s) * lanes);
          });
      } else {
        for (int r = 0; r < side; ++r)
          for (int s = 0; s < side; ++s) {
            auto const row = top + r;
            auto const column = left + s;
            auto const valid =
                row >= 0 && row < layer_.in.rows && column >= 0 && column < layer_.in.columns;
            x[r * side + s] =
                valid ? load(block + (row * layer_.in.columns + column) * lanes) : vec{};
          }
      }
      for (int s = 0; s < side; ++s) detail::winograd_points::transform_input<M>(x + s, side);
      for (int r = 0; r < side; ++r) detail::winograd_points::transform_input<M>(x + r * side, 1);
      auto* at_q = to + ((q / Scalars * in_blocks_ + b) * Scalars + q % Scalars) * lanes;
      for (int p = 0; p < points; ++p) store(at_q + p * in_point(), x[p]);
    }
  }

  void multiply(offset point, offset count, float const* in, float* out) const {
    auto const& weights = weights_[static_cast<std::size_t>(point)];
    for (auto const& p : weights.parts())
      p.blocks == 1 ? multiply<1>(weights, p, count, in, out)
                    : multiply<Vectors>(weights, p, count, in, out);
  }
  template <int V>
  void multiply(blocked_weights const& all, blocked_weights::part const& part, offset count,
                float const* in, float* out) const {
    lookahead fetch{all, part, ceil_div(count, Scalars) * in_blocks_};
    auto const row = groups_ * Scalars * lanes;
    for (offset q = 0; q < count; q += Scalars) {
      auto const used = static_cast<int>(std::min<offset>(Scalars, count - q));
      auto const* from = in + q * in_blocks_ * lanes;
      auto const* weights = all.of(part);
      register_tile<V, Scalars> sums;
      sums.clear();
      for (offset b = 0; b < in_blocks_; ++b, from += Scalars * lanes) {
        auto const channels = std::min<offset>(lanes, layer_.in_channels - b * lanes);
        fetch();
        if (used == Scalars)
          sums.accumulate(from, known<lanes>, known<1>, weights, known<V * lanes>, channels);
        else
          sums.accumulate_some((1U << used) - 1, from, 0, known<lanes>, known<1>, weights,
                               known<V * lanes>, channels);
        weights += channels * V * lanes;
      }
      sums.store_to(out + part.block * row + q * lanes, lanes, row, used);
    }
  }

  /// Patch `q` of the pass becomes the outputs of patch `patch`.
  void write(float const* products, offset q, offset patch, float* out) const {
    auto const at = corner_of(patch);
    auto const rows = std::min<offset>(M, layer_.out.rows - at.row);
    auto const columns = std::min<offset>(M, layer_.out.columns - at.column);
    auto const plane = layer_.out.rows * layer_.out.columns * lanes;
    for (offset b = 0; b < out_blocks_; ++b) {
      auto const* from = products + (b * groups_ * Scalars + q) * lanes;
      vec x[points];
      for (int p = 0; p < points; ++p) x[p] = load(from + p * out_point());
      for (int s = 0; s < side; ++s) detail::winograd_points::transform_output<M>(x + s, side);
      for (int r = 0; r < M; ++r) detail::winograd_points::transform_output<M>(x + r * side, 1);
      auto* to = out + (at.image * out_blocks_ + b) * plane +
                 (at.row * layer_.out.columns + at.column) * lanes;
      for (offset r = 0; r < rows; ++r)
        for (offset s = 0; s < columns; ++s)
          store(to + (r * layer_.out.columns + s) * lanes, x[r * side + s]);
    }
  }

  convolution_layer layer_;
  offset in_blocks_, out_blocks_;
  offset down_, across_;                 ///< patches in an image
  offset groups_{};                      ///< of `Scalars` patches, in a pass
  std::vector<blocked_weights> weights_; ///< by point
};

/// Winograd's F(M × M, 3 × 3). Layers with 3×3 kernels, stride 1, dilation 1 and one group.
template <int M>
struct winograd {
  static_assert(M == 2 || M == 4);

  static constexpr std::string_view name = M == 2 ? "winograd_f2x3" : "winograd_f4x3";
  static constexpr layout format = layout::nchwc;
  /// As direct; measured 1.5e-6 to 5.3e-6 for F(2, 3), 8e-6 to 2.2e-5 for F(4, 3), of 64 to 512 channels.
  static constexpr double error = M == 2 ? 1e-5 : 4e-5;

  using untuned = tile<1, 8>;
  using tiles =
      std::conditional_t<registers == 32, tile_set<tile<1, 8>, tile<2, 8>, tile<2, 14>, tile<4, 7>>,
                         tile_set<tile<1, 8>, tile<1, 12>, tile<2, 6>, tile<2, 4>>>;

  [[nodiscard]] static auto supports(convolution_layer const& c) -> bool {
    return c.groups == 1 && c.kernel == plane{3, 3} && c.stride == plane{} && c.dilation == plane{};
  }

  template <class Tile>
  [[nodiscard]] static auto make(convolution_layer const& c, std::span<float const> weights)
      -> program {
    return {name, text_of(Tile{}), format, c,
            winograd_kernel<M, Tile::vectors, Tile::scalars>{c, weights}};
  }
};

} // namespace mars::primitive::kernels
