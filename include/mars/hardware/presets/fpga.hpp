// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/designs/super_lip.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/hardware/designs/winograd.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/fully_connected.hpp>
#include <mars/interconnect/grouped_through_host.hpp>
#include <mars/interconnect/ring.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mars::presets {

/// The three configurations of MARS's adaptive accelerators. Parameters are our reading of the
/// paper.
struct mars_designs {
  std::int64_t vec{8};    ///< of the systolic array; the second reading is 4
  bool clip_tiles{false}; ///< of Super-LIP (assumed variant)
  bool fill{true};        ///< charge the systolic array's fill (assumed)
  hardware::winograd_policy other_layers{hardware::winograd_policy::fallback};
  hertz clock{200e6};
  bytes_per_second dram{std::numeric_limits<double>::infinity()}; ///< ∞: compute only
  int element_bits{16};                ///< turns `dram` into Super-LIP's words per cycle
  double vector_elements_per_cycle{0}; ///< 0: other operators are fused (assumed)
};

/// "super_lip", "systolic_array", "winograd", in this order. Super-LIP's three ports get a third of
/// the DRAM bandwidth each (assumed).
template <deferred = when_called>
[[nodiscard]] auto designs_of(mars_designs const& o) -> std::vector<any_design> {
  double const port = o.dram.count() / (o.element_bits / 8.0) / o.clock.count() / 3;
  return {hardware::super_lip{.tm = 64,
                              .tn = 7,
                              .tr = 7,
                              .tc = 14,
                              .clock = o.clock,
                              .weight_words_per_cycle = port,
                              .input_words_per_cycle = port,
                              .output_words_per_cycle = port,
                              .clip_tiles = o.clip_tiles,
                              .vector_elements_per_cycle = o.vector_elements_per_cycle},
          hardware::systolic_array{.row = 11,
                                   .col = 13,
                                   .vec = o.vec,
                                   .fill = o.fill,
                                   .clock = o.clock,
                                   .dram = o.dram,
                                   .vector_elements_per_cycle = o.vector_elements_per_cycle},
          hardware::winograd{.n = 6,
                             .r = 3,
                             .pn = 2,
                             .pm = 8,
                             .other_layers = o.other_layers,
                             .clock = o.clock,
                             .dram = o.dram,
                             .vector_elements_per_cycle = o.vector_elements_per_cycle}};
}

/// MARS's platform, every number of it an option: the experiments vary them.
struct f1_options {
  std::int64_t vec{8};
  bool clip_tiles{false};
  bool fill{true};
  hardware::winograd_policy other_layers{hardware::winograd_policy::fallback};
  hertz clock{200e6};
  bytes dram{1'000'000'000}; ///< capacity per accelerator
  bytes_per_second dram_bandwidth{std::numeric_limits<double>::infinity()};
  bytes_per_second intra_group{8e9 / 8}; ///< 8 Gb/s
  bytes_per_second host{2e9 / 8};        ///< 2 Gb/s
  seconds latency{};
  forwarding_mode host_forwarding{forwarding_mode::store_and_forward};
  double vector_elements_per_cycle{0};
};

inline constexpr preset_info aws_f1_16xlarge_info{
    .name = "aws_f1_16xlarge",
    .grade = evidence::assumed,
    .source = "MARS, arXiv 2307.12234, our reading; groups: awslabs/aws-fpga-app-notes",
    .description = "8 adaptive FPGAs in two groups of four, 8 Gb/s inside a group, 2 Gb/s to the "
                   "host, 1 GB each, three designs at 200 MHz (systolic vec 8), compute only"};
inline constexpr preset_info aws_f1_16xlarge_vec4_info{
    .name = "aws_f1_16xlarge_vec4",
    .grade = evidence::assumed,
    .source = aws_f1_16xlarge_info.source,
    .description = "aws_f1_16xlarge with the second reading of the systolic array (vec 4)"};

/// Eight adaptive accelerators in two groups of four. Only the grouping is the vendor's; see
/// `aws_f1_16xlarge_board` for the instance as documented.
template <deferred = when_called>
[[nodiscard]] auto aws_f1_16xlarge(f1_options const& o = {})
    -> system<accelerator, interconnect::grouped_through_host> {
  auto const designs = designs_of({.vec = o.vec,
                                   .clip_tiles = o.clip_tiles,
                                   .fill = o.fill,
                                   .other_layers = o.other_layers,
                                   .clock = o.clock,
                                   .dram = o.dram_bandwidth,
                                   .vector_elements_per_cycle = o.vector_elements_per_cycle});
  system<accelerator, interconnect::grouped_through_host> f1{
      .name = std::string{o.vec == 4 ? aws_f1_16xlarge_vec4_info.name : aws_f1_16xlarge_info.name},
      .interconnect = {.groups = {{0, 1, 2, 3}, {4, 5, 6, 7}},
                       .intra_bandwidth = o.intra_group,
                       .host_bandwidth = o.host,
                       .latency = o.latency,
                       .forwarding = o.host_forwarding}};
  for (std::size_t i = 0; i < 8; ++i)
    f1.accelerators.push_back({.name = std::string{"fpga"} + std::to_string(i),
                               .capacity = o.dram,
                               .configurations = designs});
  return f1;
}
template <deferred = when_called>
[[nodiscard]] auto aws_f1_16xlarge_vec4()
    -> system<accelerator, interconnect::grouped_through_host> {
  return aws_f1_16xlarge({.vec = 4});
}

// ---- Boards as documented, with MARS's designs as an assumed bitstream
// ---------------------------

inline constexpr preset_info aws_f1_16xlarge_board_info{
    .name = "aws_f1_16xlarge_board",
    .grade = evidence::vendor,
    .source = "aws/aws-fpga master@4123ef3; the bitstream is assumed: MARS's designs",
    .description = "8 VU9P with 64 GiB DDR4 (68 GB/s), all traffic through the host at the slower "
                   "measured DMA rate, 11.4 GB/s"};
inline constexpr preset_info aws_f1_16xlarge_ring_info{
    .name = "aws_f1_16xlarge_ring",
    .grade = evidence::vendor,
    .source = aws_f1_16xlarge_board_info.source,
    .description = "nominal: as aws_f1_16xlarge_board, but over the FPGA ring, 25 GB/s per "
                   "direction, that AWS documents as an unsupported feature of a future release"};
inline constexpr preset_info aws_f2_48xlarge_info{
    .name = "aws_f2_48xlarge",
    .grade = evidence::vendor,
    .source =
        "aws/aws-fpga f2@fd77a72; PCIe 4 x8 = 8 · 16 GT/s · 128/130 / 8 = 15.75 GB/s derived; "
        "the bitstream is assumed: MARS's designs",
    .description = "8 VU47P with 16 GiB HBM (460 GB/s; the 64 GiB of DDR are left out), no "
                   "card-to-card path"};
inline constexpr preset_info alveo_u280_info{
    .name = "alveo_u280",
    .grade = evidence::vendor,
    .source = "AMD UG1393; the bitstream is assumed: MARS's designs",
    .description = "one Alveo U280 with 8 GB HBM2 (460 GB/s; its DDR is left out)"};
inline constexpr preset_info alveo_u55c_info{.name = "alveo_u55c",
                                             .grade = evidence::vendor,
                                             .source = alveo_u280_info.source,
                                             .description =
                                                 "one Alveo U55C with 16 GB HBM2 (460 GB/s)"};

namespace detail {
template <deferred = when_called>
[[nodiscard]] auto boards(std::size_t count, char const* name, bytes memory,
                          bytes_per_second bandwidth) -> std::vector<accelerator> {
  auto const designs = designs_of({.dram = bandwidth});
  std::vector<accelerator> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(
        {.name = name + std::to_string(i), .capacity = memory, .configurations = designs});
  return all;
}
template <deferred = when_called>
[[nodiscard]] auto all_through_host(std::uint32_t count, bytes_per_second host)
    -> interconnect::grouped_through_host {
  interconnect::grouped_through_host net{.host_bandwidth = host};
  for (std::uint32_t i = 0; i < count; ++i) net.groups.push_back({i});
  return net;
}
} // namespace detail

template <deferred = when_called>
[[nodiscard]] auto aws_f1_16xlarge_board()
    -> system<accelerator, interconnect::grouped_through_host> {
  return {.name = std::string{aws_f1_16xlarge_board_info.name},
          .accelerators =
              detail::boards(8, "vu9p_", bytes{std::int64_t{64} << 30}, bytes_per_second{68e9}),
          .interconnect = detail::all_through_host(8, bytes_per_second{11.4e9})};
}
template <deferred = when_called>
[[nodiscard]] auto aws_f1_16xlarge_ring() -> system<accelerator, interconnect::ring> {
  return {.name = std::string{aws_f1_16xlarge_ring_info.name},
          .accelerators =
              detail::boards(8, "vu9p_", bytes{std::int64_t{64} << 30}, bytes_per_second{68e9}),
          .interconnect = {.accelerators = 8, .bandwidth = bytes_per_second{25e9}}};
}
template <deferred = when_called>
[[nodiscard]] auto aws_f2_48xlarge() -> system<accelerator, interconnect::grouped_through_host> {
  return {.name = std::string{aws_f2_48xlarge_info.name},
          .accelerators =
              detail::boards(8, "vu47p_", bytes{std::int64_t{16} << 30}, bytes_per_second{460e9}),
          .interconnect =
              detail::all_through_host(8, bytes_per_second{8 * 16e9 * (128.0 / 130.0) / 8})};
}
template <deferred = when_called>
[[nodiscard]] auto alveo_u280() -> system<accelerator, interconnect::fully_connected> {
  return {.name = std::string{alveo_u280_info.name},
          .accelerators = detail::boards(1, "u280_", bytes{8'000'000'000}, bytes_per_second{460e9}),
          .interconnect = {.accelerators = 1,
                           .bandwidth = bytes_per_second{std::numeric_limits<double>::infinity()}}};
}
template <deferred = when_called>
[[nodiscard]] auto alveo_u55c() -> system<accelerator, interconnect::fully_connected> {
  return {.name = std::string{alveo_u55c_info.name},
          .accelerators =
              detail::boards(1, "u55c_", bytes{16'000'000'000}, bytes_per_second{460e9}),
          .interconnect = {.accelerators = 1,
                           .bandwidth = bytes_per_second{std::numeric_limits<double>::infinity()}}};
}

} // namespace mars::presets
