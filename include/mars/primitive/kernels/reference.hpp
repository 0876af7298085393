// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/primitive/kernels/layout.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace mars::primitive::kernels {

/// The convolution in double precision, nchw, tap by tap: what kernels are compared with.
[[nodiscard]] inline auto reference(convolution_layer const& c, std::span<float const> in,
                                    std::span<float const> weights) -> std::vector<double> {
  auto const to = output_of(c);
  auto const k_per_group = c.out_channels / c.groups;
  auto const c_per_group = c.in_channels / c.groups;
  std::vector<double> out(static_cast<std::size_t>(to.size(layout::nchw)));
  for (offset nk = 0; nk < to.count * to.channels; ++nk) {
    auto const k = nk % to.channels;
    auto* sums = out.data() + nk * to.plane();
    for (offset i = 0; i < c_per_group; ++i) {
      auto const channel = nk / to.channels * c.in_channels + k / k_per_group * c_per_group + i;
      auto const* image = in.data() + channel * c.in.rows * c.in.columns;
      auto const* taps = weights.data() + (k * c_per_group + i) * c.kernel.rows * c.kernel.columns;
      for (offset r = 0; r < c.kernel.rows; ++r)
        for (offset s = 0; s < c.kernel.columns; ++s) {
          double const weight = taps[r * c.kernel.columns + s];
          auto const down = r * c.dilation.rows - c.padding.rows;
          auto const right = s * c.dilation.columns - c.padding.columns;
          auto const rows = inside(c.in.rows, c.out.rows, c.stride.rows, down);
          auto const columns = inside(c.in.columns, c.out.columns, c.stride.columns, right);
          for (auto y = rows.begin; y < rows.end; ++y) {
            auto const* line = image + (y * c.stride.rows + down) * c.in.columns;
            for (auto x = columns.begin; x < columns.end; ++x)
              sums[y * c.out.columns + x] +=
                  weight * static_cast<double>(line[x * c.stride.columns + right]);
          }
        }
    }
  }
  return out;
}

/// Largest difference, over the root mean square of the exact values (over 1 where those are all zero).
[[nodiscard]] inline auto relative_error(std::span<float const> out, std::span<double const> exact)
    -> double {
  double largest = 0;
  double squares = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    auto const difference = std::abs(static_cast<double>(out[i]) - exact[i]);
    if (std::isnan(difference)) return difference;
    largest = std::max(largest, difference);
    squares += exact[i] * exact[i];
  }
  return squares > 0 ? largest / std::sqrt(squares / static_cast<double>(exact.size())) : largest;
}

} // namespace mars::primitive::kernels
