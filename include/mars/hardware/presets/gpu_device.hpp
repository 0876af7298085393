// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/closest_name.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/hardware/designs/gpu.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/switched.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::presets {

/// A GPU by the limits of its streaming multiprocessors. Rates are dense and peak.
struct gpu_device_data {
  std::string_view name{};
  std::string_view gpu{};
  std::string_view source{};
  evidence grade{evidence::third_party};
  std::int64_t sms{};
  std::int64_t threads_per_sm{2048};
  std::int64_t blocks_per_sm{32};
  std::int64_t shared_kib{}; ///< per SM
  std::int64_t shared_unit{128};
  std::int64_t shared_reserved{1024};
  double fp32_tflops{};
  double fp16_tflops{}; ///< on tensor cores
  double eight_bit_tops{};
  double bandwidth_gb_per_s{};
  std::int64_t l2_mib{};
  std::int64_t memory_gb{};
  double watts{};
};

namespace detail {
// Vendors publish these figures; here they were compared with tables of others (SMs, rates, bandwidth, L2,
// shared memory), except those of the RTX 2080 SUPER, for which none was at hand.
inline constexpr std::string_view turing{
    "as NVIDIA publishes it for Turing (compute capability 7.5), not compared"};
inline constexpr std::string_view volta{"tables of V100 (compute capability 7.0) by others"};
inline constexpr std::string_view ampere{"tables of A100 (compute capability 8.0) by others"};
inline constexpr std::string_view hopper{
    "tables of H100 and H200 (compute capability 9.0) by others"};
inline constexpr std::array<gpu_device_data, 6> gpu_devices{{
    {.name = "rtx_2080_super",
     .gpu = "GeForce RTX 2080 SUPER 8 GB",
     .source = turing,
     .grade = evidence::assumed,
     .sms = 48,
     .threads_per_sm = 1024,
     .blocks_per_sm = 16,
     .shared_kib = 64,
     .shared_unit = 256,
     .shared_reserved = 0,
     .fp32_tflops = 11.15,
     .fp16_tflops = 89.2,
     .eight_bit_tops = 178.4,
     .bandwidth_gb_per_s = 496,
     .l2_mib = 4,
     .memory_gb = 8,
     .watts = 250},
    {.name = "v100_sxm2",
     .gpu = "V100 SXM2 16 GB",
     .source = volta,
     .sms = 80,
     .shared_kib = 96,
     .shared_unit = 256,
     .shared_reserved = 0,
     .fp32_tflops = 15.7,
     .fp16_tflops = 125,
     .eight_bit_tops = 62.8,
     .bandwidth_gb_per_s = 900,
     .l2_mib = 6,
     .memory_gb = 16,
     .watts = 300},
    {.name = "a100_pcie",
     .gpu = "A100 PCIe 40 GB",
     .source = ampere,
     .sms = 108,
     .shared_kib = 164,
     .fp32_tflops = 19.5,
     .fp16_tflops = 312,
     .eight_bit_tops = 624,
     .bandwidth_gb_per_s = 1555,
     .l2_mib = 40,
     .memory_gb = 40,
     .watts = 250},
    {.name = "a100_sxm",
     .gpu = "A100 SXM 80 GB",
     .source = ampere,
     .sms = 108,
     .shared_kib = 164,
     .fp32_tflops = 19.5,
     .fp16_tflops = 312,
     .eight_bit_tops = 624,
     .bandwidth_gb_per_s = 2039,
     .l2_mib = 40,
     .memory_gb = 80,
     .watts = 400},
    {.name = "h100_sxm",
     .gpu = "H100 SXM 80 GB",
     .source = hopper,
     .sms = 132,
     .shared_kib = 228,
     .fp32_tflops = 67,
     .fp16_tflops = 989,
     .eight_bit_tops = 1979,
     .bandwidth_gb_per_s = 3350,
     .l2_mib = 50,
     .memory_gb = 80,
     .watts = 700},
    {.name = "h200_sxm",
     .gpu = "H200 SXM 141 GB",
     .source = hopper,
     .sms = 132,
     .shared_kib = 228,
     .fp32_tflops = 67,
     .fp16_tflops = 989,
     .eight_bit_tops = 1979,
     .bandwidth_gb_per_s = 4800,
     .l2_mib = 50,
     .memory_gb = 141,
     .watts = 700},
}};
} // namespace detail

/// Devices of the table, in its order.
[[nodiscard]] constexpr auto gpu_devices() -> std::array<gpu_device_data, 6> const& {
  return detail::gpu_devices;
}

[[nodiscard]] constexpr auto info_of(gpu_device_data const& d) -> preset_info {
  return {.name = d.name,
          .grade = d.grade,
          .source = d.source,
          .description = "one GPU by its streaming multiprocessors, for operators on streams "
                         "(latency, bytes in flight and overheads assumed)"};
}

/// A device of the table. What data sheets do not say (DRAM latency, bytes in flight, overheads of
/// launches) is as `mars::gpu_device` assumes.
template <deferred = when_called>
[[nodiscard]] auto gpu_design(gpu_device_data const& d) -> hardware::gpu {
  hardware::gpu design{.title = std::string{d.name}, .power = watts{d.watts}};
  auto& l = design.limits;
  l.sms = d.sms;
  l.threads_per_sm = d.threads_per_sm;
  l.blocks_per_sm = d.blocks_per_sm;
  l.shared_per_sm = bytes{d.shared_kib * 1024};
  l.shared_unit = bytes{d.shared_unit};
  l.shared_reserved = bytes{d.shared_reserved};
  l.peak_rate = flops_per_second{d.fp32_tflops * 1e12};
  l.peaks.push_back({16, flops_per_second{d.fp16_tflops * 1e12}});
  l.peaks.push_back({8, flops_per_second{d.eight_bit_tops * 1e12}});
  l.bandwidth = bytes_per_second{d.bandwidth_gb_per_s * 1e9};
  l.l2 = bytes{d.l2_mib * 1024 * 1024};
  return design;
}

/// A system of one such device.
template <deferred = when_called>
[[nodiscard]] auto gpu_system(gpu_device_data const& d) -> any_system {
  std::vector<accelerator> gpus;
  gpus.push_back({.name = "gpu0",
                  .capacity = bytes{d.memory_gb * 1'000'000'000},
                  .configurations = {gpu_design(d)},
                  .draw = watts{d.watts}});
  return {.name = std::string{d.name},
          .accelerators = std::move(gpus),
          .interconnect = interconnect::switched{
              .accelerators = 1, .bandwidth = bytes_per_second{32e9}, .latency = seconds{10e-6}}};
}

/// The device of that name. Error: `unknown_name` at `device`, with a suggestion.
template <deferred D = when_called>
[[nodiscard]] auto find_device(std::string_view name) -> expected<later<hardware::gpu, D>> {
  later<std::vector<std::string_view>, D> known;
  std::string list;
  for (auto const& d : gpu_devices()) {
    if (d.name == name) return gpu_design(d);
    known.push_back(d.name);
    list += (list.empty() ? "one of " : ", ") + std::string{d.name};
  }
  auto const near = mars::detail::closest_name(name, known);
  return fail(error_code::unknown_name, "device", std::string{name.substr(0, 64)}, std::move(list),
              near.empty() ? std::string{}
                           : std::string{"did you mean "} + std::string{near} + "?");
}

} // namespace mars::presets
