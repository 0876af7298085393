// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace mars::measurement {

/// What `probe_layers` calls its graph, and so the group of observations of it.
inline constexpr std::string_view probes_name = "probes";

namespace detail {

/// Numbers that fill a box evenly: Halton's sequence, a prime to an axis.
/// Source: Halton, Numerische Mathematik 2, 1960.
class evenly {
public:
  explicit evenly(std::uint32_t index) : index_{index} {}
  /// In [low, high], evenly by ratio, a multiple of `step`.
  [[nodiscard]] auto between(double low, double high, std::int64_t step) -> std::int64_t {
    auto const x = low * std::pow(high / low, next());
    auto const steps = std::llround(x / static_cast<double>(step));
    return std::max<std::int64_t>(1, steps) * step;
  }
  /// One of 0 … n − 1.
  [[nodiscard]] auto below(std::int64_t n) -> std::int64_t {
    return std::min(n - 1, static_cast<std::int64_t>(next() * static_cast<double>(n)));
  }

private:
  [[nodiscard]] auto next() -> double {
    static constexpr std::uint32_t primes[] = {2, 3, 5, 7, 11, 13};
    auto const base = primes[axis_++ % 6];
    double result = 0, digit = 1;
    for (auto i = index_; i > 0; i /= base) {
      digit /= base;
      result += digit * (i % base);
    }
    return result;
  }
  std::uint32_t index_;
  std::uint32_t axis_{};
};

} // namespace detail

/// Layers of no network, spread evenly by ratio over the sizes that networks have: 16 matrix-vector
/// products, 16 depthwise convolutions, 16 pointwise ones, 32 of 3×3 or 5×5, 8 that read an image of three
/// channels. Measured beside networks they tell a calibration what networks alone need not: what small
/// layers cost, and what each class costs that few networks have. Their observations are a group of their
/// own, `probes_name`.
[[nodiscard]] inline auto probe_layers() -> expected<graph> {
  builder b{std::string{probes_name}, 32};
  constexpr std::int64_t most_elements = std::int64_t{1} << 21;
  constexpr std::int64_t most_macs = std::int64_t{1} << 28;
  int number = 0;
  auto const add = [&](std::int64_t channels, std::int64_t size, ops::conv_options const& o) {
    auto const name = "probe" + std::to_string(number++);
    b.output(b.conv(b.input(name + ".input", {1, channels, size, size}), o, name));
  };
  constexpr std::uint32_t each = 16;
  for (std::uint32_t i = 1; i <= each; ++i) { // matrix-vector
    detail::evenly at{i};
    auto const in = at.between(8, 4096, 4);
    add(in, 1, {.out_channels = at.between(8, 4096, 4), .bias = false});
  }
  for (std::uint32_t i = 1; i <= each; ++i) { // depthwise
    detail::evenly at{i};
    auto const size = at.between(7, 112, 1);
    auto const channels = std::min(at.between(16, 1024, 8), most_elements / (size * size));
    auto const kernel = 3 + 2 * at.below(2);
    add(channels, size,
        {.out_channels = channels,
         .kernel = {kernel},
         .stride = {1 + at.below(2)},
         .padding = {kernel / 2},
         .groups = channels,
         .bias = false});
  }
  auto const convolutions = [&](std::uint32_t count, bool pointwise) {
    for (std::uint32_t i = 1; i <= count; ++i) {
      detail::evenly at{i};
      auto const in = at.between(16, pointwise ? 1024 : 512, 8);
      auto const out = at.between(16, pointwise ? 1024 : 512, 8);
      auto const kernel = pointwise ? 1 : at.below(4) == 0 ? 5 : 3;
      auto const stride = pointwise || at.below(4) > 0 ? 1 : 2;
      auto const longest = static_cast<double>(most_macs / (in * out * kernel * kernel));
      auto const size = std::min(at.between(7, 112, 1),
                                 std::max<std::int64_t>(7, std::llround(std::sqrt(longest))));
      add(in, size,
          {.out_channels = out,
           .kernel = {kernel},
           .stride = {stride},
           .padding = {kernel / 2},
           .bias = false});
    }
  };
  convolutions(each, true);
  convolutions(2 * each, false);
  for (std::uint32_t i = 1; i <= each / 2; ++i) { // of an image
    detail::evenly at{i};
    auto const size = at.between(64, 224, 8);
    auto const kernel = 3 + 2 * at.below(3);
    add(3, size,
        {.out_channels = at.between(16, 64, 8),
         .kernel = {kernel},
         .stride = {1 + at.below(2)},
         .padding = {kernel / 2},
         .bias = false});
  }
  return std::move(b).build();
}

} // namespace mars::measurement
