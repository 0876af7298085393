// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/layout.hpp>

#include <algorithm>

namespace mars::primitive::kernels {

/// A window of an nchw image with its border of zeros, divided by row and column modulo the stride: then
/// the inputs of neighbouring outputs are neighbours at every stride, and a tap is one offset for all of
/// them. Channel, phase of rows, phase of columns, row, column.
struct phased_image {
  plane phases{};
  offset rows{}; ///< of each phase
  offset columns{};

  phased_image() = default;
  /// For `out` outputs of the layer.
  phased_image(convolution_layer const& c, plane out)
      : phases{std::min(c.stride.rows, (c.kernel.rows - 1) * c.dilation.rows + 1),
               std::min(c.stride.columns, (c.kernel.columns - 1) * c.dilation.columns + 1)},
        rows{out.rows + (c.kernel.rows - 1) * c.dilation.rows / c.stride.rows},
        columns{out.columns + (c.kernel.columns - 1) * c.dilation.columns / c.stride.columns} {}

  [[nodiscard]] auto size(offset channels) const -> offset {
    return channels * phases.rows * phases.columns * rows * columns;
  }

  /// From the first output's place to tap (r, s) of a channel.
  [[nodiscard]] auto at(convolution_layer const& c, offset channel, offset r, offset s) const
      -> offset {
    auto const down = r * c.dilation.rows;
    auto const right = s * c.dilation.columns;
    auto const phase =
        (channel * phases.rows + down % c.stride.rows) * phases.columns + right % c.stride.columns;
    return (phase * rows + down / c.stride.rows) * columns + right / c.stride.columns;
  }

  /// The window whose first output is (y, x).
  void copy(convolution_layer const& c, offset channels, float const* image, offset y, offset x,
            float* to) const {
    for (offset channel = 0; channel < channels; ++channel)
      for (offset down = 0; down < phases.rows; ++down)
        for (offset right = 0; right < phases.columns; ++right) {
          auto const shift = x * c.stride.columns + right - c.padding.columns;
          auto const valid = inside(c.in.columns, columns, c.stride.columns, shift);
          for (offset i = 0; i < rows; ++i, to += columns) {
            auto const row = (y + i) * c.stride.rows + down - c.padding.rows;
            if (row < 0 || row >= c.in.rows || valid.size() == 0) {
              std::fill_n(to, columns, 0.0F);
              continue;
            }
            auto const* line = image + (channel * c.in.rows + row) * c.in.columns;
            std::fill_n(to, valid.begin, 0.0F);
            if (c.stride.columns == 1)
              copy_run(line + valid.begin + shift, valid.size(), to + valid.begin);
            else
              for (auto j = valid.begin; j < valid.end; ++j)
                to[j] = line[j * c.stride.columns + shift];
            std::fill(to + valid.end, to + columns, 0.0F);
          }
        }
  }
};

} // namespace mars::primitive::kernels
