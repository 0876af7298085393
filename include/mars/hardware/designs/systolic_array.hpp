// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/detail/parameters.hpp>
#include <mars/hardware/detail/spatial.hpp>
#include <mars/workload/shard.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace mars::hardware {

/// The loops of a convolution that a systolic array can unroll in space.
enum class conv_loop : std::uint8_t { out_channels, in_channels, rows, columns };

[[nodiscard]] constexpr auto loop_name(conv_loop loop) -> std::string_view {
  constexpr std::string_view names[] = {"out_channels", "in_channels", "rows", "columns"};
  return names[static_cast<std::size_t>(loop)];
}

/// Systolic array: three loops unrolled over rows × columns of cells, each a `vec`-wide dot
/// product; the rest runs in time. One assignment of loops to axes is fixed per network.
///
/// Prefer it for dense layers whose channel counts and widths fill the array; small or odd extents
/// leave cells idle. Stride enters only through the output extents.
/// O(1). Source: Wei et al., DAC 2017; the assignment of loops is our reading, the general form is
/// derived, the fill of row + col cycles once per layer is assumed. DRAM traffic (every operand
/// once) is double buffered: T = max(cycles/clock, bytes/bandwidth).
struct systolic_array {
  std::string title{"systolic_array"};
  std::int64_t row{11};
  std::int64_t col{13};
  std::int64_t vec{8};
  conv_loop row_loop{conv_loop::out_channels};
  conv_loop col_loop{conv_loop::columns};
  conv_loop vec_loop{conv_loop::in_channels};
  bool fill{true}; ///< charge row + col cycles once per layer
  hertz clock{200e6};
  bytes_per_second dram{std::numeric_limits<double>::infinity()}; ///< ∞: compute only
  double vector_elements_per_cycle{0}; ///< 0: other operators are fused into the output (assumed)

  [[nodiscard]] auto name() const -> std::string_view { return title; }

  [[nodiscard]] auto macs_per_cycle() const -> double {
    return detail::real(row) * detail::real(col) * detail::real(vec);
  }
  [[nodiscard]] auto peak(int /*element_bits*/) const -> flops_per_second {
    return flops_per_second{2 * macs_per_cycle() * clock.count()};
  }
  [[nodiscard]] auto memory_bandwidth() const -> bytes_per_second { return dram; }

  /// Compute cycles, the fill included.
  template <deferred = when_called>
  [[nodiscard]] auto cycles(convolution_shape const& c) const -> double {
    using detail::real;
    double count = real(c.batch) * real(c.groups) * real(c.kernel_rows) * real(c.kernel_columns);
    for (auto const loop :
         {conv_loop::out_channels, conv_loop::in_channels, conv_loop::rows, conv_loop::columns}) {
      auto const extent = extent_of(c, loop);
      count *= detail::tiles(extent, loop == row_loop   ? row
                                     : loop == col_loop ? col
                                     : loop == vec_loop ? vec
                                                        : 1);
    }
    return count + (fill ? real(row) + real(col) : 0);
  }

  template <deferred = when_called>
  [[nodiscard]] auto time(shard const& s) const -> time_breakdown {
    auto const shape = as_convolution(s);
    auto const memory = traffic_of(s) / dram;
    if (!shape) return detail::outside_loop_nest(s, vector_elements_per_cycle, clock, memory);
    return overlapped(detail::duration(cycles(*shape), clock), memory);
  }

  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    return detail::parameter_check{}
        .name(title)
        .at_least("row", row, 1)
        .at_least("col", col, 1)
        .at_least("vec", vec, 1)
        .that(row_loop != col_loop && row_loop != vec_loop && col_loop != vec_loop, "row_loop",
              "one loop on two axes", "three different loops")
        .finite_positive("clock", clock.count())
        .positive("dram", dram.count())
        .finite("vector_elements_per_cycle", vector_elements_per_cycle)
        .result();
  }
  friend auto operator==(systolic_array const&, systolic_array const&) -> bool = default;

private:
  template <deferred = when_called>
  [[nodiscard]] static auto extent_of(convolution_shape const& c, conv_loop loop) -> std::int64_t {
    switch (loop) {
    case conv_loop::out_channels: return c.out_channels;
    case conv_loop::in_channels: return c.in_channels;
    case conv_loop::rows: return c.rows;
    case conv_loop::columns: return c.columns;
    }
    return 1;
  }
};

} // namespace mars::hardware
