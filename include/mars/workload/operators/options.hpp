// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <vector>

namespace mars::ops {

/// One number per spatial axis. An empty list means the default; a list of equal numbers fits any
/// rank (`{1, 1}` for a 1-D convolution, `{3}` for 3×3).
using spatial = std::vector<std::int64_t>;

/// A convolution, apart from the shape of its input.
struct conv_options {
  std::int64_t out_channels{1};
  spatial kernel{1, 1};
  spatial stride{1, 1};
  spatial dilation{1, 1};
  spatial padding{}; ///< one number per spatial axis (both sides), or [begin…, end…]; empty: 0
  std::int64_t groups{1};
  bool bias{true};
};

/// A transposed convolution. `output_padding` lengthens the end of each output axis.
struct conv_transpose_options {
  std::int64_t out_channels{1};
  spatial kernel{1, 1};
  spatial stride{1, 1};
  spatial dilation{1, 1};
  spatial padding{};
  spatial output_padding{};
  std::int64_t groups{1};
  bool bias{true};
};

struct pool_options {
  spatial kernel{1, 1};
  spatial stride{1, 1};
  spatial padding{};
  spatial dilation{1, 1};
  bool ceil_mode{false}; ///< round the output up; a window must begin inside input or left padding
  bool count_include_pad{true}; ///< how the average divides: does not change shapes or costs
};

/// How a resize fills in: what it reads of the input.
enum class resize_mode : std::uint8_t {
  nearest,     ///< one element
  interpolate, ///< the neighbours on both sides (linear)
};

} // namespace mars::ops
