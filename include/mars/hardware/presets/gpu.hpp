// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/fat_tree.hpp>
#include <mars/interconnect/switched.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mars::presets {

/// A row of the table of GPU servers. Rates are dense and peak. Eight-bit rates are the higher of
/// FP8 and INT8: elements here have a width, not a format.
struct gpu_server_data {
  std::string_view name{};
  std::string_view gpu{};
  std::size_t gpus{8};
  double bf16_tflops{};
  double eight_bit_tops{};
  double four_bit_tflops{}; ///< 0: none
  std::int64_t memory_bytes{};
  double memory_gb_per_s{};
  double link_gb_per_s{}; ///< GPU to switch, or to its PCIe switch
  bool pcie{false};       ///< no GPU link: traffic shares the host's PCIe tree
  double nic_gb_per_s{};  ///< per GPU, for whoever joins servers
  double watts{};
  double memory_efficiency{0.8}; ///< usable share of the bandwidth, by the same source
  double message_latency_us{10};
};

namespace detail {
inline constexpr auto gib(double n) -> std::int64_t {
  return static_cast<std::int64_t>(n * 1073741824.0);
}
inline constexpr std::array<gpu_server_data, 16> gpu_servers{{
    {.name = "a100_sxm_8",
     .gpu = "A100 SXM 80 GB",
     .bf16_tflops = 312,
     .eight_bit_tops = 624,
     .memory_bytes = gib(80),
     .memory_gb_per_s = 2039,
     .link_gb_per_s = 300,
     .nic_gb_per_s = 25,
     .watts = 400},
    {.name = "a100_pcie_8",
     .gpu = "A100 PCIe 80 GB",
     .bf16_tflops = 312,
     .eight_bit_tops = 624,
     .memory_bytes = gib(80),
     .memory_gb_per_s = 1935,
     .link_gb_per_s = 32,
     .pcie = true,
     .nic_gb_per_s = 25,
     .watts = 300},
    {.name = "a30_8",
     .gpu = "A30",
     .bf16_tflops = 165,
     .eight_bit_tops = 330,
     .memory_bytes = gib(24),
     .memory_gb_per_s = 933,
     .link_gb_per_s = 32,
     .pcie = true,
     .nic_gb_per_s = 25,
     .watts = 165},
    {.name = "h100_sxm_8",
     .gpu = "H100 SXM",
     .bf16_tflops = 989,
     .eight_bit_tops = 1978,
     .memory_bytes = gib(80),
     .memory_gb_per_s = 3350,
     .link_gb_per_s = 450,
     .nic_gb_per_s = 50,
     .watts = 700},
    {.name = "h100_pcie_8",
     .gpu = "H100 PCIe",
     .bf16_tflops = 756.5,
     .eight_bit_tops = 1513,
     .memory_bytes = gib(80),
     .memory_gb_per_s = 2000,
     .link_gb_per_s = 64,
     .pcie = true,
     .nic_gb_per_s = 50,
     .watts = 350},
    {.name = "h200_sxm_8",
     .gpu = "H200 SXM",
     .bf16_tflops = 989,
     .eight_bit_tops = 1978,
     .memory_bytes = gib(141),
     .memory_gb_per_s = 4800,
     .link_gb_per_s = 450,
     .nic_gb_per_s = 50,
     .watts = 700},
    {.name = "b200_sxm_8",
     .gpu = "B200 SXM",
     .bf16_tflops = 2250,
     .eight_bit_tops = 4500,
     .four_bit_tflops = 9000,
     .memory_bytes = gib(180),
     .memory_gb_per_s = 7700,
     .link_gb_per_s = 900,
     .nic_gb_per_s = 100,
     .watts = 1000},
    {.name = "b300_sxm_8",
     .gpu = "B300 SXM",
     .bf16_tflops = 2250,
     .eight_bit_tops = 4500,
     .four_bit_tflops = 14000,
     .memory_bytes = 288'400'000'000,
     .memory_gb_per_s = 7750,
     .link_gb_per_s = 900,
     .nic_gb_per_s = 100,
     .watts = 1100},
    {.name = "gb200_4",
     .gpu = "GB200",
     .gpus = 4,
     .bf16_tflops = 2500,
     .eight_bit_tops = 5000,
     .four_bit_tflops = 10000,
     .memory_bytes = 198'700'000'000,
     .memory_gb_per_s = 8000,
     .link_gb_per_s = 900,
     .nic_gb_per_s = 100,
     .watts = 1200},
    {.name = "gb200_72",
     .gpu = "GB200",
     .gpus = 72,
     .bf16_tflops = 2500,
     .eight_bit_tops = 5000,
     .four_bit_tflops = 10000,
     .memory_bytes = 198'700'000'000,
     .memory_gb_per_s = 8000,
     .link_gb_per_s = 900,
     .nic_gb_per_s = 100,
     .watts = 1200},
    {.name = "gb300_4",
     .gpu = "GB300",
     .gpus = 4,
     .bf16_tflops = 2500,
     .eight_bit_tops = 5000,
     .four_bit_tflops = 15000,
     .memory_bytes = 298'000'000'000,
     .memory_gb_per_s = 8000,
     .link_gb_per_s = 900,
     .nic_gb_per_s = 100,
     .watts = 1400},
    {.name = "gb300_72",
     .gpu = "GB300",
     .gpus = 72,
     .bf16_tflops = 2500,
     .eight_bit_tops = 5000,
     .four_bit_tflops = 15000,
     .memory_bytes = 298'000'000'000,
     .memory_gb_per_s = 8000,
     .link_gb_per_s = 900,
     .nic_gb_per_s = 100,
     .watts = 1400},
    {.name = "l40s_8",
     .gpu = "L40S",
     .bf16_tflops = 362.05,
     .eight_bit_tops = 733,
     .memory_bytes = gib(46068.0 / 1024),
     .memory_gb_per_s = 864,
     .link_gb_per_s = 32,
     .pcie = true,
     .nic_gb_per_s = 50,
     .watts = 350},
    {.name = "l4_8",
     .gpu = "L4",
     .bf16_tflops = 121,
     .eight_bit_tops = 242,
     .memory_bytes = gib(24),
     .memory_gb_per_s = 300,
     .link_gb_per_s = 32,
     .pcie = true,
     .nic_gb_per_s = 25,
     .watts = 72},
    {.name = "rtx_pro_6000_8",
     .gpu = "RTX PRO 6000 server",
     .bf16_tflops = 467.8,
     .eight_bit_tops = 935.6,
     .four_bit_tflops = 1871.2,
     .memory_bytes = gib(97887.0 / 1024),
     .memory_gb_per_s = 1792,
     .link_gb_per_s = 64,
     .pcie = true,
     .nic_gb_per_s = 50,
     .watts = 600},
    {.name = "arc_pro_b60_8",
     .gpu = "Arc Pro B60",
     .bf16_tflops = 98.3,
     .eight_bit_tops = 197,
     .memory_bytes = gib(24),
     .memory_gb_per_s = 456,
     .link_gb_per_s = 28.4,
     .pcie = true,
     .nic_gb_per_s = 50,
     .watts = 200,
     .memory_efficiency = 0.5,
     .message_latency_us = 2},
}};
} // namespace detail

/// Servers of the table, in its order.
[[nodiscard]] constexpr auto gpu_servers() -> std::array<gpu_server_data, 16> const& {
  return detail::gpu_servers;
}

[[nodiscard]] constexpr auto info_of(gpu_server_data const& d) -> preset_info {
  return {.name = d.name,
          .grade = evidence::third_party,
          .source = "ai-dynamo/aiconfigurator@095f58a, systems/*.yaml",
          .description = d.pcie ? "PCIe GPU server: roofline devices that share a PCIe tree (cards "
                                  "per upstream port assumed)"
                                : "GPU server: roofline devices behind one NVSwitch"};
}

/// What the source recommends where nothing is measured (labelled unofficial there), and what it
/// does not say.
struct gpu_server_options {
  seconds launch{3e-6};                     ///< before every kernel
  bytes reserved{detail::gib(3.5)};         ///< of the memory, for the runtime
  std::uint32_t cards_per_upstream_port{4}; ///< PCIe: assumed, must divide the number of cards
};

/// A server as roofline devices: NVSwitch systems as a switch whose ports limit injection, PCIe
/// systems as a tree in which `cards_per_upstream_port` cards share one port of a card's bandwidth.
template <deferred = when_called>
[[nodiscard]] auto gpu_server(gpu_server_data const& d, gpu_server_options const& o = {})
    -> any_system {
  hardware::roofline device{.title = std::string{d.gpu},
                            .peak_rate = flops_per_second{d.bf16_tflops * 1e12},
                            .bandwidth = bytes_per_second{d.memory_gb_per_s * 1e9},
                            .launch = o.launch,
                            .memory_efficiency = d.memory_efficiency,
                            .power = watts{d.watts}};
  device.peaks.push_back({8, flops_per_second{d.eight_bit_tops * 1e12}});
  if (d.four_bit_tflops > 0)
    device.peaks.push_back({4, flops_per_second{d.four_bit_tflops * 1e12}});
  any_design const shared{device};
  std::vector<accelerator> gpus;
  for (std::size_t i = 0; i < d.gpus; ++i)
    gpus.push_back({.name = std::string{"gpu"} + std::to_string(i),
                    .capacity = bytes{d.memory_bytes} - o.reserved,
                    .configurations = {shared},
                    .draw = watts{d.watts}});
  bytes_per_second const link{d.link_gb_per_s * 1e9};
  seconds const latency{d.message_latency_us * 1e-6};
  if (!d.pcie)
    return {.name = std::string{d.name},
            .accelerators = std::move(gpus),
            .interconnect = interconnect::switched{
                .accelerators = d.gpus, .bandwidth = link, .latency = latency}};
  auto const ports = static_cast<std::uint32_t>(d.gpus) / o.cards_per_upstream_port;
  return {.name = std::string{d.name},
          .accelerators = std::move(gpus),
          .interconnect =
              interconnect::fat_tree{.arity = {o.cards_per_upstream_port, ports},
                                     .bandwidth = {link, link},
                                     // A message climbs and descends at least one link each way.
                                     .latency = {latency / 2, seconds{0}}}};
}

} // namespace mars::presets
