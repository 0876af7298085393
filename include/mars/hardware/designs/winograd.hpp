// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/inplace_vector.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/detail/parameters.hpp>
#include <mars/hardware/detail/spatial.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace mars::hardware {

/// What a Winograd engine does with a layer that is not r×r with stride 1. Which of them MARS chose
/// is unknown; `fallback` is assumed.
enum class winograd_policy : std::uint8_t {
  fallback,    ///< the faster of `direct` and `split`
  direct,      ///< the multipliers as n² pixels × Pn × Pm
  split,       ///< s² phases, each kernel cut into r×r pieces
  unsupported, ///< such a layer must not run here
};

[[nodiscard]] constexpr auto policy_name(winograd_policy policy) -> std::string_view {
  constexpr std::string_view names[] = {"fallback", "direct", "split", "unsupported"};
  return names[static_cast<std::size_t>(policy)];
}

/// Winograd F(m×m, r×r), m = n − r + 1: one n×n tile of Pn × Pm channel pairs per cycle, which
/// gives m²·r² results' worth of MACs from n² multipliers.
///
/// Prefer it for networks of 3×3 layers with stride 1 (VGG, ResNet's basic blocks); elsewhere it
/// lives on its fallback.
/// O(1). Source: Lu et al., FCCM 2017 (the standard model); the treatment of other layers is
/// assumed, and so is that dilated kernels run as dilation² interleaved images. T =
/// max(cycles/clock, DRAM bytes/bandwidth), every operand moved once.
struct winograd {
  std::string title{"winograd"};
  std::int64_t n{6};  ///< side of an input tile
  std::int64_t r{3};  ///< side of the kernel
  std::int64_t pn{2}; ///< in-channels in parallel
  std::int64_t pm{8}; ///< out-channels in parallel
  winograd_policy other_layers{winograd_policy::fallback};
  hertz clock{200e6};
  bytes_per_second dram{std::numeric_limits<double>::infinity()}; ///< ∞: compute only
  double vector_elements_per_cycle{0}; ///< 0: other operators are fused into the output (assumed)

  [[nodiscard]] auto name() const -> std::string_view { return title; }

  /// n²·Pn·Pm.
  [[nodiscard]] auto multipliers() const -> double {
    return detail::real(n) * detail::real(n) * detail::real(pn) * detail::real(pm);
  }
  /// MACs of a direct convolution done per cycle at best: m²·r²·Pn·Pm.
  [[nodiscard]] auto macs_per_cycle() const -> double {
    double const side = detail::real(n - r + 1) * detail::real(r);
    return side * side * detail::real(pn) * detail::real(pm);
  }
  [[nodiscard]] auto peak(int /*element_bits*/) const -> flops_per_second {
    return flops_per_second{2 * macs_per_cycle() * clock.count()};
  }
  [[nodiscard]] auto memory_bandwidth() const -> bytes_per_second { return dram; }

  /// True for the layers the engine is made for.
  [[nodiscard]] auto is_native(convolution_shape const& c) const -> bool {
    return c.kernel_rows == r && c.kernel_columns == r && c.stride == 1 && c.column_stride == 1 &&
           c.dilation == 1 && c.column_dilation == 1;
  }
  /// Cycles as r×r kernels with stride 1, whatever the kernel is.
  [[nodiscard]] auto native_cycles(convolution_shape const& c) const -> double {
    auto const m = n - r + 1;
    return detail::tiles(c.rows, m) * detail::tiles(c.columns, m) * channels(c);
  }
  [[nodiscard]] auto direct_cycles(convolution_shape const& c) const -> double {
    return detail::tiles(c.rows, n) * detail::tiles(c.columns, n) * channels(c) *
           detail::real(c.kernel_rows) * detail::real(c.kernel_columns);
  }
  [[nodiscard]] auto split_cycles(convolution_shape const& c) const -> double {
    auto const dilation = c.kernel_rows > 1 ? c.dilation : 1;
    auto const column_dilation = c.kernel_columns > 1 ? c.column_dilation : 1;
    auto image = c;
    image.rows = ceil_div(c.rows, dilation);
    image.columns = ceil_div(c.columns, column_dilation);
    return detail::real(dilation) * detail::real(column_dilation) * detail::real(c.stride) *
           detail::real(c.column_stride) * detail::tiles(ceil_div(c.kernel_rows, c.stride), r) *
           detail::tiles(ceil_div(c.kernel_columns, c.column_stride), r) * native_cycles(image);
  }
  /// What the policy makes of a layer; infinite where it is not supported.
  [[nodiscard]] auto cycles(convolution_shape const& c) const -> double {
    if (is_native(c)) return native_cycles(c);
    switch (other_layers) {
    case winograd_policy::fallback: return std::min(direct_cycles(c), split_cycles(c));
    case winograd_policy::direct: return direct_cycles(c);
    case winograd_policy::split: return split_cycles(c);
    case winograd_policy::unsupported: break;
    }
    return std::numeric_limits<double>::infinity();
  }

  [[nodiscard]] auto supports(shard const& s) const -> bool {
    if (other_layers != winograd_policy::unsupported) return true;
    auto const shape = as_convolution(s);
    return !shape || is_native(*shape);
  }
  template <deferred = when_called>
  [[nodiscard]] auto time(shard const& s) const -> time_breakdown {
    auto const shape = as_convolution(s);
    auto const memory = traffic_of(s) / dram;
    if (!shape) return detail::outside_loop_nest(s, vector_elements_per_cycle, clock, memory);
    return overlapped(detail::duration(cycles(*shape), clock), memory);
  }
  /// The ways this layer can run here, the policy aside; none for other operators.
  template <deferred = when_called>
  [[nodiscard]] auto algorithms(shard const& s) const -> inplace_vector<algorithm_time, 3> {
    inplace_vector<algorithm_time, 3> all;
    auto const shape = as_convolution(s);
    if (!shape) return all;
    auto const memory = traffic_of(s) / dram;
    auto const add = [&](std::string_view how, double count) {
      all.push_back({how, overlapped(detail::duration(count, clock), memory)});
    };
    if (is_native(*shape)) add("winograd", native_cycles(*shape));
    add("direct", direct_cycles(*shape));
    if (!is_native(*shape)) add("split", split_cycles(*shape));
    return all;
  }

  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    return detail::parameter_check{}
        .name(title)
        .at_least("r", r, 1)
        .at_least("n", n, std::max<std::int64_t>(r, 1))
        .at_least("pn", pn, 1)
        .at_least("pm", pm, 1)
        .finite_positive("clock", clock.count())
        .positive("dram", dram.count())
        .finite("vector_elements_per_cycle", vector_elements_per_cycle)
        .result();
  }
  friend auto operator==(winograd const&, winograd const&) -> bool = default;

private:
  [[nodiscard]] auto channels(convolution_shape const& c) const -> double {
    return detail::real(c.batch) * detail::real(c.groups) * detail::tiles(c.in_channels, pn) *
           detail::tiles(c.out_channels, pm);
  }
};

} // namespace mars::hardware
