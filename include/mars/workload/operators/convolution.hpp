// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/detail/op_writer.hpp>
#include <mars/workload/detail/window.hpp>
#include <mars/workload/operators/options.hpp>
#include <mars/workload/shape.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace mars::ops {

/// Padding that makes ⌈extent / stride⌉ outputs ("same"), as [begin…, end…]; an odd element goes to
/// the end (`upper`) or the beginning.
template <deferred = when_called>
[[nodiscard]] auto same_padding(spatial const& extents, spatial const& kernel,
                                spatial const& stride, spatial const& dilation = {},
                                bool upper = true) -> spatial {
  auto const count = extents.size();
  auto const at = [](spatial const& list, std::size_t i) {
    auto const n = list.empty() ? 1 : list[std::min(i, list.size() - 1)];
    return std::clamp<std::int64_t>(n, 1, mars::detail::max_window);
  };
  spatial padding(2 * count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    auto const e = std::clamp<std::int64_t>(extents[i], 1, max_elements);
    auto const out = ceil_div(e, at(stride, i));
    auto const covered = (out - 1) * at(stride, i) + at(dilation, i) * (at(kernel, i) - 1) + 1;
    auto const missing = std::max<std::int64_t>(0, covered - e);
    padding[i] = upper ? missing / 2 : missing - missing / 2;
    padding[count + i] = missing - padding[i];
  }
  return padding;
}

namespace detail {

inline constexpr char const* out_names[3] = {"z", "y", "x"};
inline constexpr char const* phase_names[3] = {"pz", "py", "px"};
inline constexpr char const* kernel_names[3] = {"q", "r", "s"};

/// What both kinds of convolution check: rank, groups; gives the number of spatial axes.
template <class Options>
[[nodiscard]] auto spatial_axes(tensor_shape const& x, Options const& o) -> expected<std::size_t> {
  if (auto e = mars::detail::shape_error({&x})) return unexpected{*std::move(e)};
  if (x.size() < 3 || x.size() > 5)
    return fail(error_code::unsupported, "shape", to_string(x), "[N, C, one to three axes]");
  if (o.groups < 1 || x[1] % o.groups != 0)
    return fail(error_code::shape_mismatch, "groups", std::to_string(o.groups),
                std::string{"a divisor of the "} + std::to_string(x[1]) + " input channels");
  if (o.out_channels < 1 || o.out_channels > max_elements || o.out_channels % o.groups != 0)
    return fail(error_code::shape_mismatch, "out_channels", std::to_string(o.out_channels),
                std::string{"a positive multiple of the "} + std::to_string(o.groups) + " groups");
  return x.size() - 2;
}

/// The channel axis g·C + c; without groups just c.
[[nodiscard]] inline auto channel_axis(std::int64_t groups, std::uint8_t g, std::int64_t per_group,
                                       std::uint8_t c) -> axis {
  if (groups == 1) return mars::detail::along(per_group, {{c}});
  return mars::detail::along(groups * per_group, {{g, per_group}, {c}});
}

} // namespace detail

/// x [N, C, spatial…] * weight [K, C/groups, kernel…] (+ bias [K]) → [N, K, spatial…].
/// Dimensions `n g k z y x | c q r s`; g only with groups > 1, z and q in 3-D, y and r from 2-D.
/// One MAC per point — padded positions count, the bias does not.
template <deferred = when_called>
[[nodiscard]] auto conv(tensor_shape const& x, conv_options const& o) -> expected<operation> {
  using mars::detail::along;
  auto const spatial_count = detail::spatial_axes(x, o);
  if (!spatial_count) return unexpected{spatial_count.error()};
  auto const count = std::min<std::size_t>(*spatial_count, 3); // never more: tells the compiler
  auto const windows = mars::detail::windows(o, count);
  if (!windows) return unexpected{windows.error()};
  std::array<std::int64_t, 3> out{};
  for (std::size_t i = 0; i < count; ++i) {
    auto n = mars::detail::positions(x[2 + i], (*windows)[i]);
    if (!n) return unexpected{std::move(n).error()};
    out[i] = *n;
  }

  mars::detail::op_writer w{op_kind::convolution, "Conv"};
  auto const in_channels = x[1] / o.groups;
  auto const out_channels = o.out_channels / o.groups;
  auto const n = w.dim("n", x[0]);
  auto const g = o.groups > 1 ? w.dim("g", o.groups) : std::uint8_t{};
  auto const k = w.dim("k", out_channels);
  std::array<std::uint8_t, 3> at{};
  std::array<std::uint8_t, 3> tap{};
  for (std::size_t i = 0; i < count; ++i)
    at[i] = w.dim(mars::detail::spatial_dim(detail::out_names, count, i), out[i]);
  auto const c = w.dim("c", in_channels, dim_kind::reduction);
  for (std::size_t i = 0; i < count; ++i)
    tap[i] = w.dim(mars::detail::spatial_dim(detail::kernel_names, count, i), (*windows)[i].kernel,
                   dim_kind::reduction);

  auto const k_axis = detail::channel_axis(o.groups, g, out_channels, k);
  mars::detail::operand_axes input{along(x[0], {{n}}),
                                   detail::channel_axis(o.groups, g, in_channels, c)};
  mars::detail::operand_axes weight{k_axis, along(in_channels, {{c}})};
  mars::detail::operand_axes output{along(x[0], {{n}}), k_axis};
  for (std::size_t i = 0; i < count; ++i) {
    auto const& window = (*windows)[i];
    input.push_back(
        along(x[2 + i], {{at[i], window.stride}, {tap[i], window.dilation}}, -window.begin));
    weight.push_back(along(window.kernel, {{tap[i]}}));
    output.push_back(along(out[i], {{at[i]}}));
  }
  w.input(input);
  w.weight("weight", weight);
  if (o.bias) w.weight("bias", {k_axis});
  w.output(output);
  return std::move(w).finish(1, 0);
}

namespace detail {

/// One spatial axis of a transposed convolution: output o takes input i through tap r where
/// s·i + d·r = o + pad. Which taps meet an output depends on (o + pad) mod s, which is not affine;
/// but with s' = s / gcd(s, d), d' = d / gcd(s, d) and r = s'·w + ρ the same pairs are
///     o = s·u + d·ρ − pad,   i = u − d'·w,   r = s'·w + ρ
/// over all u, phases ρ < s' and blocks of taps w: affine, and each pair is met once. Taps may be
/// shifted by t zero taps in front (r = s'·w + ρ − t); t is chosen for the fewest points. With a
/// stride and a dilation the outputs of neighbouring blocks interleave: such an axis is not cut.
template <deferred = when_called>
struct basic_transposed_axis {
  std::int64_t out{};     ///< extent of the output
  std::int64_t blocks{};  ///< extent of u
  std::int64_t phases{1}; ///< extent of ρ
  std::int64_t taps{};    ///< extent of w
  std::int64_t first{};   ///< smallest u
  std::int64_t shift{};   ///< t
  std::int64_t pad{};     ///< with the shift
  std::int64_t step{1};   ///< d'
  /// A block writes one run of outputs of its own, so blocks may be cut.
  bool contiguous{true};

  static auto make(std::int64_t in, mars::detail::window const& v, std::int64_t output_padding)
      -> expected<basic_transposed_axis> {
    basic_transposed_axis best;
    auto const last = checked_multiply(in - 1, v.stride);
    if (!last || *last > max_elements)
      return fail(error_code::overflow, "stride", std::to_string(v.stride),
                  "an output of at most 2^55 elements");
    auto const out = *last + v.span() + output_padding - v.begin - v.end;
    if (out < 1)
      return fail(error_code::shape_mismatch, "padding",
                  std::string{"an output of extent "} + std::to_string(out), "at least 1");
    auto const common = std::gcd(v.stride, v.dilation);
    auto const phases = v.stride / common;
    auto least = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t t = 0; t < std::min<std::int64_t>(phases, 64); ++t) {
      basic_transposed_axis a;
      a.out = out;
      a.phases = phases;
      a.taps = ceil_div(v.kernel + t, phases);
      a.shift = t;
      a.pad = v.begin + v.dilation * t;
      a.step = v.dilation / common;
      a.contiguous = v.stride == 1 || v.dilation == 1;
      // u from the smallest that reaches output 0 or later with some phase, to the last output.
      auto const low = a.pad - v.dilation * (phases - 1);
      a.first = low >= 0 ? ceil_div(low, v.stride) : -(-low / v.stride);
      a.blocks = std::max<std::int64_t>(1, (out - 1 + a.pad) / v.stride - a.first + 1);
      auto const points = checked_multiply(a.blocks, a.taps);
      if (points && *points < least) {
        least = *points;
        best = a;
      }
    }
    return best;
  }
};
using transposed_axis = basic_transposed_axis<>;

} // namespace detail

/// x [N, C, spatial…] scattered through weight [C, K/groups, kernel…] (+ bias [K]). Dimensions
/// `n g k z y x pz py px | c q r s`: y counts blocks of `stride` outputs, py the place in a block,
/// r blocks of taps (see transposed_axis); a phase is there only with stride > 1. One MAC per
/// point: like a convolution's padding, points that fall outside count, so the sum lies a little
/// above in·kernel.
template <deferred = when_called>
[[nodiscard]] auto conv_transpose(tensor_shape const& x, conv_transpose_options const& o)
    -> expected<operation> {
  using mars::detail::along;
  auto const spatial_count = detail::spatial_axes(x, o);
  if (!spatial_count) return unexpected{spatial_count.error()};
  auto const count = std::min<std::size_t>(*spatial_count, 3); // never more: tells the compiler
  auto const windows = mars::detail::windows(o, count);
  if (!windows) return unexpected{windows.error()};
  auto const longer = mars::detail::per_axis("output_padding", o.output_padding, count, 0, 0);
  if (!longer) return unexpected{longer.error()};
  std::array<detail::transposed_axis, 3> axes{};
  for (std::size_t i = 0; i < count; ++i) {
    auto a = detail::transposed_axis::make(x[2 + i], (*windows)[i], (*longer)[i]);
    if (!a) return unexpected{std::move(a).error()};
    axes[i] = *a;
  }

  mars::detail::op_writer w{op_kind::convolution, "ConvTranspose"};
  auto const in_channels = x[1] / o.groups;
  auto const out_channels = o.out_channels / o.groups;
  auto const n = w.dim("n", x[0]);
  auto const g = o.groups > 1 ? w.dim("g", o.groups) : std::uint8_t{};
  auto const k = w.dim("k", out_channels);
  std::array<std::uint8_t, 3> at{};
  std::array<std::uint8_t, 3> phase{};
  std::array<std::uint8_t, 3> tap{};
  for (std::size_t i = 0; i < count; ++i)
    at[i] = w.dim(mars::detail::spatial_dim(detail::out_names, count, i), axes[i].blocks,
                  axes[i].contiguous ? dim_kind::parallel : dim_kind::sequential);
  for (std::size_t i = 0; i < count; ++i)
    if (axes[i].phases > 1)
      phase[i] = w.dim(mars::detail::spatial_dim(detail::phase_names, count, i), axes[i].phases,
                       axes[i].contiguous ? dim_kind::parallel : dim_kind::sequential);
  auto const c = w.dim("c", in_channels, dim_kind::reduction);
  for (std::size_t i = 0; i < count; ++i)
    tap[i] = w.dim(mars::detail::spatial_dim(detail::kernel_names, count, i), axes[i].taps,
                   dim_kind::reduction);

  auto const c_axis = detail::channel_axis(o.groups, g, in_channels, c);
  auto const k_axis = detail::channel_axis(o.groups, g, out_channels, k);
  mars::detail::operand_axes input{along(x[0], {{n}}), c_axis};
  mars::detail::operand_axes weight{c_axis, along(out_channels, {{k}})};
  mars::detail::operand_axes output{along(x[0], {{n}}), k_axis};
  for (std::size_t i = 0; i < count; ++i) {
    auto const& a = axes[i];
    auto const& v = (*windows)[i];
    input.push_back(along(x[2 + i], {{at[i]}, {tap[i], -a.step}}, a.first));
    auto kernel = along(v.kernel, {{tap[i], a.phases}}, -a.shift);
    auto result = along(a.out, {{at[i], v.stride}}, v.stride * a.first - a.pad);
    if (a.phases > 1) {
      kernel.terms.push_back({phase[i]});
      result.terms.push_back({phase[i], v.dilation});
    }
    weight.push_back(kernel);
    output.push_back(result);
  }
  w.input(input);
  w.weight("weight", weight);
  if (o.bias) w.weight("bias", {k_axis});
  w.output(output);
  return std::move(w).finish(1, 0);
}

} // namespace mars::ops
