// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/layout.hpp>

#include <algorithm>
#include <cstring>

namespace mars::primitive::kernels {

/// The part `rows` × `positions` of the matrix whose rows are the (C/g)·R·S taps and whose columns are
/// the Y·X outputs, written in panels of `width` columns, the last filled up with zeros:
///
///     to[panel][row][column within the panel]
///
/// `image` is one group's channels of one image, nchw.
inline void im2col(convolution_layer const& c, float const* image, range rows, range positions,
                   offset width, float* to) {
  // Divisions are slow: none in the loop but those of strides.
  auto const first_y = positions.begin / c.out.columns;
  auto const first_x = positions.begin % c.out.columns;
  auto s = rows.begin % c.kernel.columns;
  auto r = rows.begin / c.kernel.columns % c.kernel.rows;
  auto const* plane =
      image + rows.begin / (c.kernel.columns * c.kernel.rows) * c.in.rows * c.in.columns;
  for (auto row = rows.begin; row < rows.end; ++row, to += width) {
    auto const down = r * c.dilation.rows - c.padding.rows;
    auto const right = s * c.dilation.columns - c.padding.columns;
    auto const valid = inside(c.in.columns, c.out.columns, c.stride.columns, right);
    auto y = first_y;
    auto x = first_x;
    auto* panel = to;
    for (auto at = positions.begin; at < positions.end; at += width, panel += rows.size() * width) {
      auto const count = std::min(width, positions.end - at);
      for (offset done = 0; done < count;) {
        auto const length = std::min(count - done, c.out.columns - x);
        auto const line = y * c.stride.rows + down;
        auto* out = panel + done;
        if (line < 0 || line >= c.in.rows) {
          std::fill_n(out, length, 0.0F);
        } else {
          auto const begin = std::clamp<offset>(valid.begin - x, 0, length);
          auto const end = std::clamp<offset>(valid.end - x, begin, length);
          if (begin > 0) std::fill_n(out, begin, 0.0F);
          if (begin < end) {
            auto const* from = plane + line * c.in.columns + (x + begin) * c.stride.columns + right;
            if (c.stride.columns == 1)
              copy_run(from, end - begin, out + begin);
            else
              for (offset i = 0; i < end - begin; ++i) out[begin + i] = from[i * c.stride.columns];
          }
          if (end < length) std::fill_n(out + end, length - end, 0.0F);
        }
        done += length;
        x += length;
        if (x == c.out.columns) x = 0, ++y;
      }
      if (count < width) std::fill_n(panel + count, width - count, 0.0F);
    }
    if (++s < c.kernel.columns) continue;
    s = 0;
    if (++r < c.kernel.rows) continue;
    r = 0;
    plane += c.in.rows * c.in.columns;
  }
}

} // namespace mars::primitive::kernels
