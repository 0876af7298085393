// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/blocked_weights.hpp>
#include <mars/primitive/kernels/depthwise.hpp>
#include <mars/primitive/kernels/layout.hpp>
#include <mars/primitive/kernels/matrix_vector.hpp>
#include <mars/primitive/kernels/program.hpp>
#include <mars/primitive/kernels/register_tile.hpp>
#include <mars/primitive/kernels/reorder.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mars::primitive::kernels {

namespace detail {

/// A block of up to `lanes` channels with its border of zeros: rows × columns × lanes, as large as all
/// taps of whole tiles of `scalars` columns reach.
struct packed_image {
  offset rows{};
  offset columns{};

  packed_image(convolution_layer const& c, int scalars)
      : rows{(c.out.rows - 1) * c.stride.rows + (c.kernel.rows - 1) * c.dilation.rows + 1},
        columns{(round_up(c.out.columns, scalars) - 1) * c.stride.columns +
                (c.kernel.columns - 1) * c.dilation.columns + 1} {}

  [[nodiscard]] auto size() const -> offset { return rows * columns * lanes; }

  /// `in` is the first of `channels` planes.
  void pack(convolution_layer const& c, float const* in, offset channels, float* to) const {
    auto const count = std::min(c.in.columns, columns - c.padding.columns);
    for (offset y = 0; y < rows; ++y, to += columns * lanes) {
      auto const row = y - c.padding.rows;
      if (row < 0 || row >= c.in.rows || count <= 0) {
        std::fill_n(to, columns * lanes, 0.0F);
        continue;
      }
      auto const end = c.padding.columns + count;
      std::fill_n(to, c.padding.columns * lanes, 0.0F);
      block(in + row * c.in.columns, c.in.rows * c.in.columns, channels, count,
            to + c.padding.columns * lanes);
      std::fill_n(to + end * lanes, (columns - end) * lanes, 0.0F);
    }
  }
};

} // namespace detail

/// nchw to nchw, by way of blocks: packs an image with its border, so that every tile is whole and no
/// tap needs a question; unpacks the blocks of output channels of a tile when they are done. Groups are
/// packed each for itself.
template <int Vectors, int Scalars>
class spatial_pack_kernel {
public:
  /// `weights` is K × C/g × R × S.
  spatial_pack_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{flat(c)}, image_{layer_, Scalars} {
    auto const k = c.out_channels / c.groups;
    auto const size = weights.size() / static_cast<std::size_t>(c.groups);
    for (std::size_t g = 0; g < static_cast<std::size_t>(c.groups); ++g)
      weights_.emplace_back(k, c.in_channels / c.groups, 1, c.kernel.rows * c.kernel.columns,
                            Vectors, weights.subspan(g * size, size));
  }

  /// The packed image, and a tile's blocks of output channels.
  [[nodiscard]] auto workspace_size() const -> offset {
    return in_blocks() * image_.size() + Vectors * output_of(layer_).plane() * lanes;
  }
  [[nodiscard]] auto weights_bytes() const -> std::size_t {
    std::size_t sum = 0;
    for (auto const& w : weights_) sum += w.bytes();
    return sum;
  }

  void operator()(float const* in, float* out, float* workspace) const {
    auto const in_plane = input_of(layer_).plane();
    auto const out_plane = output_of(layer_).plane();
    auto const channels = layer_.in_channels / layer_.groups;
    auto const k = layer_.out_channels / layer_.groups;
    auto* blocks = workspace + in_blocks() * image_.size();
    for (offset ng = 0; ng < layer_.batch * layer_.groups; ++ng) {
      for (offset b = 0; b < in_blocks(); ++b)
        image_.pack(layer_, in + (ng * channels + b * lanes) * in_plane,
                    std::min<offset>(lanes, channels - b * lanes), workspace + b * image_.size());
      auto const& weights = weights_[static_cast<std::size_t>(ng % layer_.groups)];
      for (auto const& p : weights.parts()) {
        p.blocks == 1 ? run<1>(weights, p, workspace, blocks)
                      : run<Vectors>(weights, p, workspace, blocks);
        for (offset v = 0; v < p.blocks; ++v) {
          auto const first = (p.block + v) * lanes;
          detail::unblock(blocks + v * out_plane * lanes, out_plane,
                          std::min<offset>(lanes, k - first), out_plane,
                          out + (ng * k + first) * out_plane);
        }
      }
    }
  }

private:
  /// 1×1 layers as one row: no tile is cut short but the last.
  [[nodiscard]] static auto flat(convolution_layer c) -> convolution_layer {
    if (c.is_pointwise()) c.in = c.out = {1, c.in.rows * c.in.columns};
    return c;
  }
  [[nodiscard]] auto in_blocks() const -> offset {
    return ceil_div(layer_.in_channels / layer_.groups, lanes);
  }

  template <int V>
  void run(blocked_weights const& all, blocked_weights::part const& p, float const* in,
           float* out) const {
    auto const& c = layer_;
    auto const plane = output_of(c).plane() * lanes;
    auto const taps = c.kernel.rows * c.kernel.columns;
    auto const pass = channels_in_cache(taps, V);
    auto const* weights = all.of(p);
    for (offset from = 0; from < p.channels.end; from += pass) {
      range const some{from, std::min(p.channels.end, from + pass)};
      auto const size = some.size() * taps * V * lanes;
      lookahead fetch{weights + size, size, all.end(),
                      c.out.rows * ceil_div(c.out.columns, Scalars)};
      for (offset y = 0; y < c.out.rows; ++y)
        for (offset x = 0; x < c.out.columns; x += Scalars) {
          fetch();
          auto const count = static_cast<int>(std::min<offset>(Scalars, c.out.columns - x));
          auto* to = out + (y * c.out.columns + x) * lanes;
          register_tile<V, Scalars> sums;
          if (from == 0)
            sums.clear();
          else
            sums.load_from(to, lanes, plane, count);
          add(sums, some, in + (y * c.stride.rows * image_.columns + x * c.stride.columns) * lanes,
              weights);
          sums.store_to(to, lanes, plane, count);
        }
      weights += size;
    }
  }

  template <int V>
  [[gnu::always_inline]] void add(register_tile<V, Scalars>& sums, range channels, float const* in,
                                  float const* weights) const {
    auto const& c = layer_;
    for (auto from = channels.begin; from < channels.end; from += lanes) {
      auto const count = std::min<offset>(lanes, channels.end - from);
      auto const* block = in + from / lanes * image_.size();
      for (offset r = 0; r < c.kernel.rows; ++r)
        for (offset s = 0; s < c.kernel.columns; ++s) {
          auto const* tap =
              block + (r * c.dilation.rows * image_.columns + s * c.dilation.columns) * lanes;
          sums.accumulate(tap, c.stride.columns * lanes, known<1>, weights, known<V * lanes>,
                          count);
          weights += count * V * lanes;
        }
    }
  }

  convolution_layer layer_;
  detail::packed_image image_;
  std::vector<blocked_weights> weights_; ///< by group
};

/// The same for depthwise layers: a block of channels at a time.
template <int Scalars>
class spatial_pack_depthwise_kernel {
public:
  spatial_pack_depthwise_kernel(convolution_layer const& c, std::span<float const> weights)
      : layer_{c}, image_{c, Scalars}, kernel_{block_of(c), weights} {}

  [[nodiscard]] auto workspace_size() const -> offset {
    return image_.size() + output_of(layer_).plane() * lanes;
  }
  [[nodiscard]] auto weights_bytes() const -> std::size_t { return kernel_.weights_bytes(); }

  void operator()(float const* in, float* out, float* workspace) const {
    auto const in_plane = input_of(layer_).plane();
    auto const out_plane = output_of(layer_).plane();
    auto* sums = workspace + image_.size();
    for (offset n = 0; n < layer_.batch; ++n)
      for (offset first = 0; first < layer_.in_channels; first += lanes) {
        auto const channels = std::min<offset>(lanes, layer_.in_channels - first);
        auto const plane = n * layer_.in_channels + first;
        image_.pack(layer_, in + plane * in_plane, channels, workspace);
        kernel_.run(workspace, first / lanes, sums);
        detail::unblock(sums, out_plane, channels, out_plane, out + plane * out_plane);
      }
  }

private:
  /// What is left to do once the image is packed: no padding, one image.
  [[nodiscard]] static auto block_of(convolution_layer c) -> convolution_layer {
    detail::packed_image const image{c, Scalars};
    c.batch = 1;
    c.in = {image.rows, image.columns};
    c.padding = {0, 0};
    return c;
  }

  convolution_layer layer_;
  detail::packed_image image_;
  depthwise_kernel<Scalars> kernel_;
};

/// Packs inside, nchw outside. Any layer.
struct spatial_pack {
  static constexpr std::string_view name = "spatial_pack";
  static constexpr layout format = layout::nchw;
  static constexpr double error = 2e-5; ///< as direct

  using untuned = tile<1, 8>;
  using tiles = std::conditional_t<
      registers == 32,
      tile_set<tile<1, 8>, tile<1, 14>, tile<2, 8>, tile<2, 14>, tile<4, 6>, tile<4, 7>>,
      tile_set<tile<1, 8>, tile<1, 12>, tile<2, 4>, tile<2, 6>, tile<3, 4>, tile<1, 7>>>;

  [[nodiscard]] static auto supports(convolution_layer const&) -> bool { return true; }

  template <class Tile>
  [[nodiscard]] static auto make(convolution_layer const& c, std::span<float const> weights)
      -> program {
    if (matrix_vector_kernel::supports(c) && !is_channelwise(c))
      return {name, "vector", format, c, matrix_vector_kernel{c, weights}};
    if (is_channelwise(c))
      return {name, "1x" + std::to_string(Tile::scalars), format, c,
              spatial_pack_depthwise_kernel<Tile::scalars>{c, weights}};
    return {name, text_of(Tile{}), format, c,
            spatial_pack_kernel<Tile::vectors, Tile::scalars>{c, weights}};
  }
};

} // namespace mars::primitive::kernels
