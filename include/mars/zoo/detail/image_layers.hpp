// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/workload/builder.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

namespace mars::zoo::detail {

/// What slides over a feature map.
struct window {
  std::int64_t rows{1};
  std::int64_t columns{1};
  std::int64_t stride{1};
  std::int64_t pad_rows{0};
  std::int64_t pad_columns{0};
};

/// k×k, padded so that stride 1 keeps the size.
[[nodiscard]] constexpr auto same(std::int64_t k, std::int64_t stride = 1) -> window {
  return {k, k, stride, k / 2, k / 2};
}
/// rows×columns, stride 1, padded so that the size stays.
[[nodiscard]] constexpr auto same(std::int64_t rows, std::int64_t columns, std::int64_t stride)
    -> window {
  return {rows, columns, stride, rows / 2, columns / 2};
}
/// k×k without padding.
[[nodiscard]] constexpr auto bare(std::int64_t k, std::int64_t stride = 1) -> window {
  return {k, k, stride, 0, 0};
}

/// The vocabulary in which the image networks are written. Every layer carries its activation.
template <class Builder>
struct image_layers {
  Builder& b;
  std::int64_t classes{1000};
  bool bias{true};

  [[nodiscard]] auto channels(value x) const -> std::int64_t { return extent(x, 1); }
  /// Rows, and columns: images are square and so are all maps made of them.
  [[nodiscard]] auto side(value x) const -> std::int64_t { return extent(x, 2); }

  /// Convolution whose batch normalization is folded into it. The shift that folding leaves is part
  /// of the epilogue, like the activation, and is not counted: mars.md §8.
  auto conv(std::string name, value x, std::int64_t out, window w, std::int64_t groups = 1)
      -> value {
    return convolve(std::move(name), x, out, w, groups, false);
  }
  /// Convolution with a trained additive term.
  auto biased_conv(std::string name, value x, std::int64_t out, window w, std::int64_t groups = 1)
      -> value {
    return convolve(std::move(name), x, out, w, groups, bias);
  }
  auto depthwise(std::string name, value x, window w) -> value {
    return conv(std::move(name), x, channels(x), w, channels(x));
  }
  auto linear(std::string name, value x, std::int64_t out) -> value {
    return b.linear(x, out, bias, std::move(name));
  }
  auto add(std::string name, value x, value y) -> value { return b.add(x, y, std::move(name)); }

  auto max_pool(std::string name, value x, window w, bool ceil_mode = false) -> value {
    return b.max_pool(x, pool(w, ceil_mode), std::move(name));
  }
  auto avg_pool(std::string name, value x, window w) -> value {
    return b.avg_pool(x, pool(w, false), std::move(name));
  }
  /// Mean of each map: [batch, channels].
  auto global_pool(std::string name, value x) -> value {
    return b.reduce(x, {2, 3}, false, "GlobalAveragePool", std::move(name));
  }
  /// Mean over windows chosen so that the result is `out` pixels a side; `x` when it already is.
  /// One stride and one window size stand for torch's slightly uneven ones; smaller maps are
  /// enlarged.
  auto adaptive_pool(std::string name, value x, std::int64_t out) -> value {
    auto const in = side(x);
    if (in == out) return x;
    if (in < out) return b.resize(x, {extent(x, 0), channels(x), out, out}, std::move(name));
    auto const stride = in / out;
    return avg_pool(std::move(name), x, bare(in - (out - 1) * stride, stride));
  }
  auto concat(std::string name, std::initializer_list<value> parts) -> value {
    return b.concat(parts, 1, std::move(name));
  }
  auto flatten(value x) -> value { return b.flatten(x, 1, "flatten"); }

  [[nodiscard]] auto extent(value x, std::size_t axis) const -> std::int64_t {
    // After a recorded error the builder hands out values of any shape.
    auto const& shape = b.shape(x);
    return axis < shape.size() ? shape[axis] : 1;
  }

private:
  auto convolve(std::string name, value x, std::int64_t out, window w, std::int64_t groups,
                bool with_bias) -> value {
    return b.conv(x,
                  {.out_channels = out,
                   .kernel = {w.rows, w.columns},
                   .stride = {w.stride, w.stride},
                   .padding = {w.pad_rows, w.pad_columns},
                   .groups = groups,
                   .bias = with_bias},
                  std::move(name));
  }
  [[nodiscard]] static auto pool(window w, bool ceil_mode) -> ops::pool_options {
    return {.kernel = {w.rows, w.columns},
            .stride = {w.stride, w.stride},
            .padding = {w.pad_rows, w.pad_columns},
            .ceil_mode = ceil_mode};
  }
};

} // namespace mars::zoo::detail
