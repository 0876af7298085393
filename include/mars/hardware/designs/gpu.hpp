// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/detail/parameters.hpp>
#include <mars/hardware/detail/priced_kernel.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/hardware/kernel.hpp>
#include <mars/workload/shard.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::hardware {

/// A tile of a matrix product: what one block computes, and with what.
struct gemm_tile {
  std::int64_t rows{}, columns{}; ///< of the result
  int threads{}, registers{};
  std::int64_t depth{};        ///< of a slice of both factors in shared memory, held twice
  double compute_efficiency{}; ///< reachable share of the peak once SMs are full
};

/// The menu of tiles: larger ones reach more of the peak and fill fewer SMs. Assumed, after the tiles
/// that libraries of matrix products offer; to calibrate.
inline constexpr std::array<gemm_tile, 5> gemm_tiles{{{128, 128, 256, 128, 16, 0.85},
                                                      {128, 64, 128, 128, 16, 0.8},
                                                      {64, 64, 128, 96, 16, 0.7},
                                                      {64, 32, 64, 80, 16, 0.6},
                                                      {32, 32, 64, 64, 16, 0.45}}};

/// A GPU with its streaming multiprocessors: operators become kernels with grids, registers and shared
/// memory, so that small ones leave most of it idle and several can share it (`scheduling/`).
///
///   convolution, matmul  implicit GEMM, P×Q×K per group: ⌈P/rows⌉·⌈Q/columns⌉ blocks of the tile of the
///                        menu that is fastest alone; padding of tiles is computed; a product with at
///                        most four columns: a warp per result (GEMV); depthwise: a thread per result
///   everything else      elementwise over its largest tensor, four elements a thread
///   reshape              nothing: a view; an opaque operator is not estimated
///
/// All operands cross DRAM once, of a gather's table as much as it copies (re-reads hit the second-level cache: optimistic where they do not
/// fit). T = Σ over kernels of the gap between launches and the time alone of
/// `detail::alone_ticks`. All rates are assumptions to calibrate. O(tiles). Source: ours, after the
/// occupancy rules of CUDA.
struct gpu {
  std::string title{"gpu"};
  mars::gpu_device limits{};
  double memory_efficiency{0.8};
  double elementwise_efficiency{0.25}; ///< of the peak, of everything but tiled products
  watts power{unknown_watts};          ///< while running; energy is power · time

  [[nodiscard]] auto name() const -> std::string_view { return title; }
  [[nodiscard]] auto device() const -> gpu_device const& { return limits; }
  [[nodiscard]] auto peak(int element_bits) const -> flops_per_second {
    return limits.peak(element_bits);
  }
  [[nodiscard]] auto memory_bandwidth() const -> bytes_per_second { return limits.bandwidth; }

  template <deferred D = when_called>
  [[nodiscard]] auto kernels(shard const& s) const -> later<std::vector<kernel>, D> {
    later<std::vector<kernel>, D> all;
    if (s.op->kind == op_kind::opaque || s.op->kind == op_kind::reshape) return all;
    kernel k{.name = s.op->type.empty() ? std::string{kind_name(s.op->kind)} : s.op->type};
    k.element_bits = computing_bits(s);
    k.traffic = traffic(s);
    k.memory_efficiency = memory_efficiency;
    auto const shape = as_convolution(s);
    if (shape && s.op->work.macs > 0 && shape->out_channels * shape->in_channels > 1)
      all.push_back(fastest_product(*shape, k));
    else
      all.push_back(elementwise(s, k));
    return all;
  }

  template <deferred = when_called>
  [[nodiscard]] auto time(shard const& s) const -> time_breakdown {
    if (s.op->kind == op_kind::opaque) return unestimated_time();
    time_breakdown sum;
    auto const device_limits = mars::detail::limits_of(limits);
    for (auto const& k : kernels(s)) {
      auto const p = mars::detail::price(limits, k);
      auto const alone = picoseconds{mars::detail::alone_ticks(device_limits, p)};
      sum.overhead += limits.overheads.gap;
      sum.total += limits.overheads.gap + to_seconds(alone);
      sum.compute += seconds{p.compute * 1e-12};
      sum.memory += seconds{p.memory * 1e-12};
    }
    return sum;
  }
  [[nodiscard]] auto energy(shard const& s) const -> joules { return power * time(s).total; }

  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    detail::parameter_check check;
    check.name(title)
        .fraction("memory_efficiency", memory_efficiency)
        .fraction("elementwise_efficiency", elementwise_efficiency);
    if (is_known(power)) check.finite("power", power.count());
    if (auto r = check.result(); !r) return r;
    if (auto r = limits.validate(); !r) return r;
    // The smallest tile must run, or nothing of a network would.
    detail::parameter_check fits;
    kernel const smallest = tile_kernel(gemm_tiles.back(), 32, {});
    fits.that(occupancy_of(limits, smallest).blocks > 0, "shared_per_sm", "limits of an SM",
              "room for a block of 64 threads with 64 registers each and 8 KiB of shared memory");
    return fits.result();
  }
  /// Two unknown powers are equal.
  friend auto operator==(gpu const& a, gpu const& b) -> bool {
    return a.title == b.title && a.limits == b.limits &&
           a.memory_efficiency == b.memory_efficiency &&
           a.elementwise_efficiency == b.elementwise_efficiency &&
           (a.power == b.power || (!is_known(a.power) && !is_known(b.power)));
  }

private:
  [[nodiscard]] static auto traffic(shard const& s) -> bytes {
    if (s.op->kind != op_kind::gather) return traffic_of(s);
    auto const copied = bytes_of(s, role::output);
    bytes sum{};
    for (auto const& t : s.op->operands) sum += std::min(size_of(t, s.extents), copied);
    return sum;
  }

  [[nodiscard]] static auto tile_kernel(gemm_tile const& t, int element_bits, kernel k) -> kernel {
    k.threads = t.threads;
    k.registers = t.registers;
    k.shared = storage(2 * (t.rows + t.columns) * t.depth, element_bits);
    k.compute_efficiency = t.compute_efficiency;
    return k;
  }

  template <deferred = when_called>
  [[nodiscard]] auto fastest_product(convolution_shape const& c, kernel const& base) const
      -> kernel {
    auto const positions = c.batch * c.rows * c.columns;
    auto const depth = c.in_channels * c.kernel_rows * c.kernel_columns;
    auto const device_limits = mars::detail::limits_of(limits);
    kernel best;
    auto fastest = never.count();
    auto const consider = [&](kernel const& k) {
      auto const t = mars::detail::alone_ticks(device_limits, mars::detail::price(limits, k));
      if (t >= fastest) return;
      fastest = t;
      best = k;
    };
    for (auto const& t : gemm_tiles) {
      auto k = tile_kernel(t, base.element_bits, base);
      k.blocks = c.groups * ceil_div(positions, t.rows) * ceil_div(c.out_channels, t.columns);
      k.work = flops{2 * k.blocks * t.rows * t.columns * depth};
      consider(k);
    }
    if (positions <= 4) { // a warp per result
      auto k = base;
      k.threads = 256;
      k.registers = 40;
      k.blocks = ceil_div(c.groups * positions * c.out_channels, 8);
      k.work = flops{2 * c.groups * positions * c.out_channels * depth};
      k.compute_efficiency = elementwise_efficiency;
      consider(k);
    }
    if (fastest >= never.count()) { // nothing fits: the smallest tile, which says so
      best = tile_kernel(gemm_tiles.back(), base.element_bits, base);
    }
    return best;
  }

  template <deferred = when_called>
  [[nodiscard]] auto elementwise(shard const& s, kernel k) const -> kernel {
    std::int64_t elements = 1;
    for (auto const& t : s.op->operands)
      if (t.role != role::weight) elements = std::max(elements, elements_of(t, s.extents));
    k.threads = 256;
    k.registers = 32;
    k.blocks = ceil_div(elements, 4 * k.threads);
    k.work = flops_of(s);
    k.compute_efficiency = elementwise_efficiency;
    return k;
  }
};

} // namespace mars::hardware
