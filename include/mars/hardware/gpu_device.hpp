// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/core/inplace_vector.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/detail/parameters.hpp>
#include <mars/hardware/kernel.hpp>
#include <mars/hardware/width_peak.hpp>

#include <cstdint>
#include <string>

namespace mars {

/// What launching, chaining and synchronising kernels costs. The defaults are assumptions to calibrate.
struct launch_overheads {
  seconds launch{4e-6};   ///< of the host, per kernel
  seconds wait{1e-6};     ///< of the host, per event waited for
  seconds record{1e-6};   ///< of the host, per event recorded
  seconds gap{1e-6};      ///< from a kernel's end to the next one's start on its stream
  seconds event{1.5e-6};  ///< from a kernel's end to a dependant's start on another stream
  seconds graph{6e-6};    ///< per replay of a captured graph
  seconds barrier{10e-6}; ///< device synchronisation between stages

  friend auto operator==(launch_overheads const&, launch_overheads const&) -> bool = default;
};

/// A GPU as kernels see it: streaming multiprocessors (SMs) that blocks fill, one DRAM, and what
/// launching costs. A plain value; `hardware::gpu` is the design made of it.
struct gpu_device {
  std::int64_t sms{1};
  std::int64_t threads_per_sm{2048};
  std::int64_t registers_per_sm{65536};
  bytes shared_per_sm{164 * 1024};
  std::int64_t blocks_per_sm{32};
  std::int64_t warp{32};           ///< threads
  std::int64_t register_unit{256}; ///< registers are given to a warp in these
  bytes shared_unit{128};          ///< shared memory is given to a block in these
  bytes shared_reserved{1024};     ///< of every block, for the system
  flops_per_second peak_rate{};    ///< for element widths that `peaks` does not list
  inplace_vector<hardware::width_peak, 6> peaks{};
  bytes_per_second bandwidth{}; ///< of DRAM
  bytes l2{};                   ///< second-level cache
  double saturating_warps{8};   ///< warps that keep one SM's arithmetic busy
  double bytes_per_warp{512};   ///< in flight to DRAM
  seconds dram_latency{600e-9};
  launch_overheads overheads{};

  [[nodiscard]] auto peak(int element_bits) const -> flops_per_second {
    for (auto const& p : peaks)
      if (p.element_bits == element_bits) return p.rate;
    return peak_rate;
  }

  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    hardware::detail::parameter_check check;
    // Far above what is built, so low that no product of them and a kernel's overflows.
    constexpr std::int64_t many = 1 << 20, most = std::int64_t{1} << 40;
    check.within("sms", sms, 1, many)
        .within("threads_per_sm", threads_per_sm, 1, most)
        .within("registers_per_sm", registers_per_sm, 1, most)
        .within("shared_per_sm", shared_per_sm.count(), 0, most)
        .within("blocks_per_sm", blocks_per_sm, 1, many)
        .within("warp", warp, 1, many)
        .within("register_unit", register_unit, 1, many)
        .within("shared_unit", shared_unit.count(), 1, most)
        .within("shared_reserved", shared_reserved.count(), 0, most)
        .finite_positive("peak_rate", peak_rate.count())
        .finite_positive("bandwidth", bandwidth.count())
        .at_least("l2", l2.count(), 0)
        .finite_positive("saturating_warps", saturating_warps)
        .finite_positive("bytes_per_warp", bytes_per_warp)
        .finite_positive("dram_latency", dram_latency.count());
    for (auto const& p : peaks)
      check.at_least("peaks", p.element_bits, 1).finite_positive("peaks", p.rate.count());
    check.finite("overheads.launch", overheads.launch.count())
        .finite("overheads.wait", overheads.wait.count())
        .finite("overheads.record", overheads.record.count())
        .finite("overheads.gap", overheads.gap.count())
        .finite("overheads.event", overheads.event.count())
        .finite("overheads.graph", overheads.graph.count())
        .finite("overheads.barrier", overheads.barrier.count());
    return check.result();
  }

  friend auto operator==(gpu_device const&, gpu_device const&) -> bool = default;
};

/// How a kernel fills a device.
struct occupancy {
  std::int64_t warps{};     ///< of a block
  std::int64_t registers{}; ///< of a block, rounded up to what is given out
  std::int64_t shared{};    ///< bytes of a block, the same
  std::int64_t blocks{};    ///< of this kernel that fit one SM; 0: it cannot run
  std::int64_t waves{};     ///< full SMs after each other until all blocks have run
  double share{};           ///< resident threads of what an SM can hold

  friend auto operator==(occupancy const&, occupancy const&) -> bool = default;
};

/// O(1). Source: CUDA's occupancy rules; units and the reserved part differ between generations.
template <deferred = when_called>
[[nodiscard]] auto occupancy_of(gpu_device const& d, kernel const& k) -> occupancy {
  auto const ceil_to = [](std::int64_t n, std::int64_t unit) {
    return (n + unit - 1) / unit * unit;
  };
  occupancy o;
  o.warps = ceil_to(k.threads, d.warp) / d.warp;
  o.registers = o.warps * ceil_to(d.warp * k.registers, d.register_unit);
  o.shared = ceil_to(k.shared.count() + d.shared_reserved.count(), d.shared_unit.count());
  auto const fits = [](std::int64_t all, std::int64_t each, std::int64_t most) {
    return each <= 0 || all / each > most ? most : all / each;
  };
  o.blocks = fits(d.threads_per_sm, d.warp * o.warps, d.blocks_per_sm);
  o.blocks = fits(d.registers_per_sm, o.registers, o.blocks);
  o.blocks = fits(d.shared_per_sm.count(), o.shared, o.blocks);
  if (o.blocks > 0) o.waves = (k.blocks + o.blocks * d.sms - 1) / (o.blocks * d.sms);
  o.share =
      static_cast<double>(d.warp * o.warps * o.blocks) / static_cast<double>(d.threads_per_sm);
  return o;
}

} // namespace mars
