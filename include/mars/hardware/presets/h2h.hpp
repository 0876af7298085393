// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/designs/h2h.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/host_staged.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mars::presets {

/// A row of H2H's table of accelerators. Bits of a port per cycle; DRAM in GB of 10⁹ bytes.
struct h2h_board {
  std::string_view name;
  std::string_view board;
  hardware::layer_kind layers{};
  double gop_per_s{};
  double mhz{};
  int port_bits{};
  double dram_gb{};
  double watts{};
};

/// The twelve, in the order that breaks ties in H2H's first step.
inline constexpr h2h_board h2h_boards[]{
    {"cnn_acc_1", "Arria 10 GX1150", hardware::layer_kind::conv, 86.6, 370, 512, 2, 37.46},
    {"cnn_acc_2", "VC707", hardware::layer_kind::conv, 61.62, 100, 512, 1, 18.6},
    {"cnn_acc_3", "ZCU102", hardware::layer_kind::conv, 75, 100, 512, 0.5, 27},
    {"cnn_acc_4", "ZC706", hardware::layer_kind::conv, 28, 100, 512, 1, 10},
    {"cnn_acc_6", "Stratix V GSMD5", hardware::layer_kind::conv, 73, 100, 512, 2, 25},
    {"cnn_acc_7", "Arria 10 GX1150", hardware::layer_kind::conv, 130, 150, 512, 4, 21.2},
    {"cnn_acc_8", "Arria 10 GX1150", hardware::layer_kind::conv, 44, 200, 512, 1, 8},
    {"cnn_acc_9", "Arria 10 GT1150", hardware::layer_kind::conv, 36, 200, 512, 1, 30},
    {"FCAccESE", "XCKU060", hardware::layer_kind::fc, 282, 150, 512, 1, 41},
    {"FCAccDeeper", "XCKU060", hardware::layer_kind::fc, 1.2, 150, 512, 1, 9},
    {"LSTMAccPYNQZ1", "PYNQ-Z1", hardware::layer_kind::lstm, 0.8, 150, 256, 0.256, 2.29},
    {"LSTMAccVC707", "VC707", hardware::layer_kind::lstm, 10, 150, 512, 1, 19.63}};

using h2h_system = system<accelerator, interconnect::host_staged>;

/// Memory that a mapping may fill: the half of the DRAM that H2H leaves for pinned weights.
inline constexpr double h2h_weight_fraction = 0.5;

/// H2H's system with host links of `host_bandwidth` (its paper varies it from 0.125 to 1.25 GB/s),
/// and H2H's rule for joins.
template <deferred = when_called>
[[nodiscard]] auto h2h(bytes_per_second host_bandwidth, std::string name = "h2h") -> h2h_system {
  std::vector<accelerator> all;
  for (auto const& b : h2h_boards)
    all.push_back(
        {.name = std::string{b.name},
         .capacity = bytes{static_cast<std::int64_t>(b.dram_gb * h2h_weight_fraction * 1e9)},
         .configurations = {hardware::h2h{.title = std::string{hardware::h2h_title(b.layers)},
                                          .layers = b.layers,
                                          .rate = flops_per_second{b.gop_per_s * 1e9},
                                          .clock = hertz{b.mhz * 1e6},
                                          .port_bits = b.port_bits,
                                          .power = watts{b.watts}}},
         .draw = watts{b.watts}});
  auto const n = all.size();
  return {std::move(name), std::move(all),
          interconnect::host_staged{
              .accelerators = n, .bandwidth = host_bandwidth, .follow_first = true}};
}

struct h2h_level {
  preset_info info;
  double gb_per_s{};
};
inline constexpr std::string_view h2h_source =
    "H2H, arXiv 2204.13852, and the accelerator models of MARCH; bandwidths are our reading";
inline constexpr h2h_level h2h_levels[]{
    {{"h2h_0.125", evidence::assumed, h2h_source,
      "12 unlike FPGA accelerators around a host, links of 0.125 GB/s (Low-)"},
     0.125},
    {{"h2h_0.15", evidence::assumed, h2h_source, "the same with 0.15 GB/s (Low)"}, 0.15},
    {{"h2h_0.25", evidence::assumed, h2h_source, "the same with 0.25 GB/s (Mid-)"}, 0.25},
    {{"h2h_0.5", evidence::assumed, h2h_source, "the same with 0.5 GB/s (Mid)"}, 0.5},
    {{"h2h_1.25", evidence::assumed, h2h_source, "the same with 1.25 GB/s (High)"}, 1.25}};

} // namespace mars::presets
