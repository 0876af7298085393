// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/switched.hpp>
#include <mars/primitive/processor.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::presets {

/// A CPU core or a GPU by peak rates and bandwidths, for a choice among algorithms. A rate of 0: no units for
/// that format, it is emulated; a cache of 0: there is none.
struct processor_data {
  std::string_view name{};
  std::string_view processor{};
  std::string_view source{};
  evidence grade{evidence::assumed};
  double fp32_gflops{};
  double half_gflops{};   ///< IEEE, 16 bits
  double bfloat_gflops{}; ///< bfloat16
  double eight_bit_gops{};
  int lanes{};
  std::array<primitive::cache_level, 2> caches{};
  double bandwidth_gb_per_s{};
  double launch_us{};
  std::int64_t memory_gb{};
  double watts{std::numeric_limits<double>::quiet_NaN()};
};

namespace detail {
[[nodiscard]] constexpr auto cache(std::int64_t kib, double gb_per_s) -> primitive::cache_level {
  return {bytes{kib * 1024}, bytes_per_second{gb_per_s * 1e9}};
}
// Classes of the platforms of DLAS (desktop CPU, mobile CPU and GPU, edge GPU), after public data; and the
// machine whose timings the rates of the algorithms are fitted to. On others these rates are assumed.
// Data sheets give no bandwidth of caches: of the CPUs it is assumed that a core reads as much of a
// vector per cycle as the measured one (0.75 from the second level, 0.38 from the last), of the GPUs
// 3 (edge) and 4 times that of memory. Sizes of caches are nominal but for the measured core, whose reads
// slow down at 24 MiB.
inline constexpr std::array<processor_data, 5> processors{{
    {.name = "zen5_core",
     .processor = "one core of an AMD Zen 5 virtual machine (AVX-512, VNNI, BF16)",
     .source =
         "measured there: FMA peak, reads by working set; bfloat16 (no FP16 arithmetic) and 8 "
         "bits as 2 and 4 times the peak, memory size assumed",
     .grade = evidence::third_party,
     .fp32_gflops = 288.5,
     .bfloat_gflops = 577,
     .eight_bit_gops = 1154,
     .lanes = 16,
     .caches = {cache(1024, 217), cache(24 * 1024, 111)},
     .bandwidth_gb_per_s = 42,
     .memory_gb = 16},
    {.name = "core_i7_8700_core",
     .processor = "one core of an Intel Core i7-8700 (a desktop part; AVX2, no arithmetic on "
                  "16-bit floats, no VNNI)",
     .source = "Intel ARK, Core i7-8700: 4.6 GHz turbo, 12 MiB L3, 41.6 GB/s; Intel's optimization "
               "manual, Skylake: two 256-bit FMA units, 256 KiB L2; 16 GB assumed; 65 W is the "
               "package's, one core's power is not published",
     .fp32_gflops = 147.2, // 2 · 8 · 2 · 4.6
     .lanes = 8,
     .caches = {cache(256, 110), cache(12 * 1024, 56)},
     .bandwidth_gb_per_s = 41.6,
     .memory_gb = 16},
    {.name = "hikey_970_core",
     .processor = "one Cortex-A73 of a HiKey 970 (mobile CPU; NEON, ARMv8.0)",
     .source = "WikiChip, HiSilicon Kirin 970: 2.36 GHz, ARMv8.0 (no FP16 arithmetic, no dot "
               "products), 6 GB; two 64-bit FMA pipes (as of Cortex-A72), 2 MiB L2 and 10 GB/s for "
               "one core assumed",
     .fp32_gflops = 18.88, // 2 · 4 · 2.36
     .lanes = 4,
     .caches = {cache(2 * 1024, 28)},
     .bandwidth_gb_per_s = 10,
     .memory_gb = 6},
    {.name = "hikey_970_gpu",
     .processor = "Mali-G72 MP12 of a HiKey 970 (mobile GPU)",
     .source =
         "WikiChip, HiSilicon Kirin 970: 12 cores at 850 MHz (device databases also say 746), "
         "LPDDR4X-3732 on 64 bits, 6 GB; 24 flop per cycle and core, twice that in FP16 (no "
         "bfloat16), 1 MiB L2 and 50 us per launch assumed",
     .fp32_gflops = 244.8, // 12 · 24 · 0.85
     .half_gflops = 489.6,
     .lanes = 4,
     .caches = {cache(1024, 119)},
     .bandwidth_gb_per_s = 29.9,
     .launch_us = 50,
     .memory_gb = 6},
    {.name = "jetson_agx_xavier",
     .processor = "Volta GPU of a Jetson AGX Xavier (edge GPU)",
     .source =
         "NVIDIA Jetson AGX Xavier data sheet: 512 lanes at 1.377 GHz, tensor cores 11 TFLOPS "
         "(FP16; no bfloat16 before Ampere) and 22 TOPS, 512 KiB L2, 137 GB/s, 16 GB, 30 W; "
         "10 us per launch assumed",
     .fp32_gflops = 1410, // 512 · 2 · 1.377
     .half_gflops = 11e3,
     .eight_bit_gops = 22e3,
     .lanes = 32,
     .caches = {cache(512, 411)},
     .bandwidth_gb_per_s = 137,
     .launch_us = 10,
     .memory_gb = 16,
     .watts = 30},
}};
} // namespace detail

/// Processors of the table, in its order.
[[nodiscard]] constexpr auto processors() -> std::array<processor_data, 5> const& {
  return detail::processors;
}
[[nodiscard]] constexpr auto info_of(processor_data const& d) -> preset_info {
  return {.name = d.name, .grade = d.grade, .source = d.source, .description = d.processor};
}

/// A processor of the table, with the algorithms and rates of `primitive::processor`.
template <deferred D = when_called>
[[nodiscard]] auto processor_design(processor_data const& d) -> later<primitive::processor, D> {
  later<primitive::processor, D> design{.title = std::string{d.name},
                                        .peak_rate = flops_per_second{d.fp32_gflops * 1e9},
                                        .lanes = d.lanes,
                                        .bandwidth = bytes_per_second{d.bandwidth_gb_per_s * 1e9},
                                        .launch = seconds{d.launch_us * 1e-6},
                                        .power = watts{d.watts}};
  if (d.half_gflops > 0) design.peaks.push_back({16, flops_per_second{d.half_gflops * 1e9}});
  if (d.bfloat_gflops > 0)
    design.peaks.push_back({16, flops_per_second{d.bfloat_gflops * 1e9}, number_format::bfloat});
  if (d.eight_bit_gops > 0) design.peaks.push_back({8, flops_per_second{d.eight_bit_gops * 1e9}});
  for (auto const& c : d.caches)
    if (c.size > bytes{0}) design.caches.push_back(c);
  return design;
}

/// A system of one.
template <deferred = when_called>
[[nodiscard]] auto processor_system(processor_data const& d) -> any_system {
  std::vector<accelerator> one;
  one.push_back({.name = "processor0",
                 .capacity = bytes{d.memory_gb * 1'000'000'000},
                 .configurations = {processor_design(d)},
                 .draw = watts{d.watts}});
  return {.name = std::string{d.name},
          .accelerators = std::move(one),
          .interconnect = interconnect::switched{
              .accelerators = 1, .bandwidth = bytes_per_second{16e9}, .latency = seconds{1e-6}}};
}

} // namespace mars::presets
