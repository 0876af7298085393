// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/blocked_weights.hpp>
#include <mars/primitive/kernels/depthwise.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/program.hpp>
#include <mars/primitive/kernels/register_tile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mars::primitive::kernels {

/// Convolution as it is defined, nchwc to nchwc. A register tile is `Vectors` blocks of output channels by
/// `Scalars` neighbouring columns. Taps on padding are skipped; nothing is copied. Where groups are
/// narrower than a block, a block runs over all channels that its groups reach, with zeros between.
template <int Vectors, int Scalars>
class direct_kernel {
public:
  /// `weights` is K × C/g × R × S.
  direct_kernel(convolution_layer const& c, std::span<float const> weights)
      : batch_{c.batch},
        in_{c.in},
        out_{c.out},
        kernel_{c.kernel},
        stride_{c.stride},
        dilation_{c.dilation},
        padding_{c.padding} {
    auto const in = input_of(c);
    auto const out = output_of(c);
    in_block_ = in.plane() * lanes;
    out_block_ = out.plane() * lanes;
    in_image_ = in.blocks() * in_block_;
    out_image_ = out.blocks() * out_block_;
    if (c.is_pointwise()) { // a row of positions, or of images where these are points
      auto const points = in.plane() == 1;
      if (points) in_step_ = in_image_, out_step_ = out_image_, batch_ = 1;
      in_ = out_ = {1, points ? c.batch : in.plane()};
    }
    narrow_ = out_.columns == 1;
    find_masks();
    weights_ = {c.out_channels,
                c.in_channels,
                c.groups,
                kernel_.rows * kernel_.columns,
                narrow_ ? narrow_vectors : Vectors,
                weights};
  }

  [[nodiscard]] auto workspace_size() const -> offset { return 0; }
  [[nodiscard]] auto weights_bytes() const -> std::size_t { return weights_.bytes(); }

  void operator()(float const* in, float* out, float* /*workspace*/) const {
    for (offset n = 0; n < batch_; ++n)
      for (auto const& p : weights_.parts()) {
        auto const* from = in + n * in_image_;
        auto* to = out + n * out_image_ + p.block * out_block_;
        if (narrow_)
          p.blocks == 1 ? run<1, 1>(p, from, to) : run<narrow_vectors, 1>(p, from, to);
        else
          p.blocks == 1 ? run<1, Scalars>(p, from, to) : run<Vectors, Scalars>(p, from, to);
      }
  }

private:
  /// Single columns (matrix times vector): four sums, so that additions need not wait for each other.
  static constexpr int narrow_vectors = 4;

  /// Columns of each tile that see each tap inside the image, as bits.
  void find_masks() {
    auto const scalars = narrow_ ? 1 : Scalars;
    for (offset x = 0; x < out_.columns; x += scalars)
      for (offset s = 0; s < kernel_.columns; ++s) {
        auto const valid =
            inside(in_.columns, std::min<offset>(scalars, out_.columns - x), stride_.columns,
                   x * stride_.columns + s * dilation_.columns - padding_.columns);
        masks_.push_back(static_cast<std::uint32_t>((std::uint64_t{1} << valid.end) -
                                                    (std::uint64_t{1} << valid.begin)));
      }
  }

  /// In passes over the image, some channels each.
  template <int V, int S>
  void run(blocked_weights::part const& p, float const* in, float* out) const {
    auto const taps = kernel_.rows * kernel_.columns;
    auto const pass = channels_in_cache(taps, V);
    auto const* weights = weights_.of(p);
    for (auto from = p.channels.begin; from < p.channels.end;) {
      auto const end = std::min(p.channels.end, from / lanes * lanes + pass);
      auto const size = (end - from) * taps * V * lanes;
      lookahead fetch{weights + size, size, weights_.end(), out_.rows * ceil_div(out_.columns, S)};
      for (offset y = 0; y < out_.rows; ++y)
        for (offset x = 0; x < out_.columns; x += S) {
          if constexpr (S > 1) fetch(); // weights used once come as fast as they can
          auto const count = static_cast<int>(std::min<offset>(S, out_.columns - x));
          auto* to = out + (y * out_.columns + x) * out_step_;
          register_tile<V, S> sums;
          if (from == p.channels.begin)
            sums.clear();
          else
            sums.load_from(to, out_step_, out_block_, count);
          add(sums, {from, end}, y, x, in, weights);
          sums.store_to(to, out_step_, out_block_, count);
        }
      weights += size;
      from = end;
    }
  }

  template <int V, int S>
  [[gnu::always_inline]] void add(register_tile<V, S>& sums, range channels, offset y, offset x,
                                  float const* in, float const* weights) const {
    constexpr auto all = static_cast<std::uint32_t>((std::uint64_t{1} << S) - 1);
    auto const* masks = masks_.data() + x / S * kernel_.columns;
    auto const step = stride_.columns * in_step_;
    for (auto from = channels.begin; from < channels.end;) {
      auto const end = blocked_weights::end_of_block(channels, from);
      auto const* block = in + from / lanes * in_block_ + from % lanes;
      auto const tap = (end - from) * V * lanes;
      for (offset r = 0; r < kernel_.rows; ++r, weights += kernel_.columns * tap) {
        auto const row = y * stride_.rows + r * dilation_.rows - padding_.rows;
        if (row < 0 || row >= in_.rows) continue;
        for (offset s = 0; s < kernel_.columns; ++s) {
          auto const first =
              (row * in_.columns + x * stride_.columns + s * dilation_.columns - padding_.columns) *
              in_step_;
          if (masks[s] == all)
            sums.accumulate(block + first, step, known<1>, weights + s * tap, known<V * lanes>,
                            end - from);
          else if (masks[s] != 0)
            sums.accumulate_some(masks[s], block, first, step, known<1>, weights + s * tap,
                                 known<V * lanes>, end - from);
        }
      }
      from = end;
    }
  }

  offset batch_;
  plane in_, out_, kernel_, stride_, dilation_, padding_;
  offset in_step_{lanes}, out_step_{lanes}; ///< between columns, elements
  offset in_block_{}, out_block_{}, in_image_{}, out_image_{};
  bool narrow_{};
  std::vector<std::uint32_t> masks_;
  blocked_weights weights_;
};

/// Convolution as it is defined, in blocks of channels. Any layer; depthwise ones by a kernel of their own.
struct direct {
  static constexpr std::string_view name = "direct";
  static constexpr layout format = layout::nchwc;
  /// Largest difference from the exact output over its root mean square, in sums of up to 4,608 products
  /// (512 channels, 3×3), where 1.2e-5 was measured; 5e-6 in sums of 576. It grows like their root.
  static constexpr double error = 2e-5;

  using untuned = tile<1, 8>;
  using tiles = std::conditional_t<
      registers == 32,
      tile_set<tile<1, 8>, tile<1, 14>, tile<2, 8>, tile<2, 14>, tile<4, 6>, tile<4, 7>>,
      tile_set<tile<1, 8>, tile<1, 12>, tile<2, 4>, tile<2, 6>, tile<3, 4>, tile<1, 7>>>;

  [[nodiscard]] static auto supports(convolution_layer const&) -> bool { return true; }

  template <class Tile>
  [[nodiscard]] static auto make(convolution_layer const& c, std::span<float const> weights)
      -> program {
    if (is_channelwise(c))
      return {name, "1x" + std::to_string(Tile::scalars), format, c,
              depthwise_kernel<Tile::scalars>{c, weights}};
    return {name, text_of(Tile{}), format, c,
            direct_kernel<Tile::vectors, Tile::scalars>{c, weights}};
  }
};

} // namespace mars::primitive::kernels
