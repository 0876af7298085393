// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/vector.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace mars::primitive::kernels {

/// How activations lie in memory, outermost first.
enum class layout : std::uint8_t {
  nchw,
  nchwc, ///< N, C / lanes, H, W, lanes; channels rounded up, those beyond the last are zero
};

[[nodiscard]] constexpr auto name_of(layout l) -> std::string_view {
  return l == layout::nchw ? "nchw" : "nchwc";
}

/// A batch of images.
struct images {
  offset count{1};
  offset channels{1};
  offset rows{1};
  offset columns{1};

  [[nodiscard]] auto plane() const -> offset { return rows * columns; }
  [[nodiscard]] auto blocks() const -> offset { return ceil_div(channels, lanes); }
  /// Elements in memory, padding lanes included.
  [[nodiscard]] auto size(layout l) const -> offset {
    return count * plane() * (l == layout::nchw ? channels : blocks() * lanes);
  }
};

[[nodiscard]] inline auto input_of(convolution_layer const& c) -> images {
  return {c.batch, c.in_channels, c.in.rows, c.in.columns};
}
[[nodiscard]] inline auto output_of(convolution_layer const& c) -> images {
  return {c.batch, c.out_channels, c.out.rows, c.out.columns};
}

/// A half-open range.
struct range {
  offset begin{};
  offset end{};

  [[nodiscard]] auto size() const -> offset { return end - begin; }
};

/// Those outputs of 0 … out − 1 whose tap `shift` lies inside: 0 ≤ x · stride + shift < in.
[[nodiscard]] constexpr auto inside(offset in, offset out, offset stride, offset shift) -> range {
  auto const strides = [&](offset n) { return stride == 1 ? n : ceil_div(n, stride); };
  auto const begin = shift >= 0 ? 0 : std::min(out, strides(-shift));
  auto const end = shift >= in ? 0 : std::min(out, strides(in - shift));
  return {begin, std::max(begin, end)};
}

/// Sizes of a register tile: what a tuned primitive chooses among.
template <int Vectors, int Scalars>
struct tile {
  static constexpr int vectors = Vectors;
  static constexpr int scalars = Scalars;
};
template <class... Tiles>
struct tile_set {};

/// "2x14".
template <int Vectors, int Scalars>
[[nodiscard]] auto text_of(tile<Vectors, Scalars>) -> std::string {
  return std::to_string(Vectors) + "x" + std::to_string(Scalars);
}

} // namespace mars::primitive::kernels
