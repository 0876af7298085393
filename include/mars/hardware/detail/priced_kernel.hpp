// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/hardware/kernel.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace mars::detail {

using time_ticks = std::int64_t; ///< whole picoseconds

/// Launch overheads in whole picoseconds.
struct overhead_ticks {
  time_ticks launch{}, wait{}, record{}, gap{}, event{}, graph{}, barrier{};
};
template <deferred = when_called>
[[nodiscard]] auto to_ticks(launch_overheads const& o) -> overhead_ticks {
  auto const ps = [](seconds t) { return to_picoseconds(t).count(); };
  return {ps(o.launch), ps(o.wait),  ps(o.record), ps(o.gap),
          ps(o.event),  ps(o.graph), ps(o.barrier)};
}

/// A kernel as the concurrent-kernel model sees it. Work is normalised to picoseconds of the whole
/// device: `compute` = f/(F·e_c), `memory` = q/(W·e_m).
struct priced_kernel {
  std::int64_t blocks{};
  std::int64_t warps{}, registers{}, shared{}; ///< of a block, as they are given out
  std::int64_t fit{};                          ///< blocks of it that fit one SM
  std::int64_t waves{};
  double compute{};            ///< ps
  double memory{};             ///< ps
  double memory_efficiency{1}; ///< e_m
  double wave{};               ///< ps, measured: of any cohort; 0: the model's ceilings hold
};

/// Limits of a device in the model's terms.
struct device_limits {
  std::int64_t sms{}, warps{}, registers{}, shared{}, blocks{}; ///< warps … blocks: of an SM
  double saturating{}; ///< warps that keep all arithmetic busy: S·w_sat
  double streaming{};  ///< warps that keep DRAM busy: W·λ/ℓ
};
template <deferred = when_called>
[[nodiscard]] auto limits_of(gpu_device const& d) -> device_limits {
  return {d.sms,
          d.threads_per_sm / d.warp,
          d.registers_per_sm,
          d.shared_per_sm.count(),
          d.blocks_per_sm,
          static_cast<double>(d.sms) * d.saturating_warps,
          d.bandwidth.count() * d.dram_latency.count() / d.bytes_per_warp};
}

/// Share of the device's arithmetic that `blocks` blocks with `warps` warps in all reach.
[[nodiscard]] inline auto arithmetic_share(device_limits const& d, double blocks, double warps)
    -> double {
  return std::min({1.0, blocks / static_cast<double>(d.sms), warps / d.saturating});
}

/// Whole picoseconds that a cohort of `n` blocks takes alone: 1 / ceil of the model.
template <deferred = when_called>
[[nodiscard]] auto cohort_time(device_limits const& d, priced_kernel const& k, std::int64_t n)
    -> double {
  if (k.wave > 0) return k.wave;
  double const share = static_cast<double>(n) / static_cast<double>(k.blocks);
  double const warps = static_cast<double>(n * k.warps);
  double const computing = k.compute * share / arithmetic_share(d, static_cast<double>(n), warps);
  double const moving = k.memory * share * std::max(1.0, k.memory_efficiency * d.streaming / warps);
  return std::max(computing, moving);
}
[[nodiscard]] inline auto whole_ticks(double ps) -> time_ticks {
  // Upwards, but not for the rounding of what was whole.
  constexpr double limit = 9e18 / 4;
  if (!(ps < limit)) return never.count();
  auto const down = static_cast<time_ticks>(ps);
  return ps - static_cast<double>(down) > 1e-3 ? down + 1 : down;
}

/// Alone on the device: wave after wave.
template <deferred = when_called>
[[nodiscard]] auto alone_ticks(device_limits const& d, priced_kernel const& k) -> time_ticks {
  auto const most = k.fit * d.sms;
  if (most <= 0) return never.count();
  auto const full = k.blocks / most;
  auto const rest = k.blocks % most;
  auto const wave = full > 0 ? whole_ticks(cohort_time(d, k, most)) : 0;
  if (wave > 0 && full >= never.count() / wave) return never.count();
  auto const last = rest > 0 ? whole_ticks(cohort_time(d, k, rest)) : 0;
  return saturating_add(picoseconds{full * wave}, picoseconds{last}).count();
}

/// No schedule runs it in less: its work at the best rate that all its blocks together could have, or
/// its waves, each at least one block's time when nothing else is on its SM. Measured: its time alone,
/// for at most `fit` · S blocks are resident at any moment, each for a wave's time.
template <deferred = when_called>
[[nodiscard]] auto least_ticks(device_limits const& d, priced_kernel const& k) -> time_ticks {
  if (k.fit <= 0) return never.count();
  double const waves = static_cast<double>(k.waves);
  double least = waves * cohort_time(d, k, 1);
  if (k.wave <= 0) {
    double const warps = static_cast<double>(k.blocks * k.warps);
    double const computing = k.compute / arithmetic_share(d, static_cast<double>(k.blocks), warps);
    double const moving = k.memory * std::max(1.0, k.memory_efficiency * d.streaming / warps);
    least = std::max({least, computing, moving});
  }
  // Kernels end at whole picoseconds. Each cohort may have been rounded down a little, and progress is
  // added up in floating point.
  auto const certain = least * (1 - 1e-11) - 2e-3 * waves;
  return certain > 0 ? whole_ticks(certain) : 0;
}

template <deferred = when_called>
[[nodiscard]] auto price(gpu_device const& device, kernel const& k) -> priced_kernel {
  auto const o = occupancy_of(device, k);
  auto const limits = limits_of(device);
  priced_kernel p{k.blocks, o.warps, o.registers, o.shared, o.blocks, o.waves};
  p.compute = static_cast<double>(k.work.count()) /
              (device.peak(k.element_bits).count() * k.compute_efficiency) * 1e12;
  p.memory = static_cast<double>(k.traffic.count()) /
             (device.bandwidth.count() * k.memory_efficiency) * 1e12;
  p.memory_efficiency = k.memory_efficiency;
  if (k.alone.count() > 0 && o.waves > 0) {
    p.wave = k.alone.count() * 1e12 / static_cast<double>(o.waves);
    // What it was measured to do it can do: alone it exceeds neither arithmetic nor DRAM, whether a
    // wave is full or the last.
    auto const most = std::min(o.blocks * device.sms, k.blocks);
    auto const rest = k.blocks % most == 0 ? most : k.blocks % most;
    for (auto const n : {most, rest}) {
      double const share = static_cast<double>(k.blocks) / static_cast<double>(n);
      p.compute = std::min(p.compute, p.wave * share *
                                          arithmetic_share(limits, static_cast<double>(n),
                                                           static_cast<double>(n * o.warps)));
      p.memory = std::min(p.memory, p.wave * share);
    }
  }
  return p;
}

} // namespace mars::detail
