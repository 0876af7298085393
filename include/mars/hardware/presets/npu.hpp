// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/switched.hpp>
#include <mars/interconnect/torus.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mars::presets {

inline constexpr preset_info trn1_32xlarge_info{
    .name = "trn1_32xlarge",
    .grade = evidence::vendor,
    .source = "AWS Neuron documentation; the direction split of the links is not stated",
    .description = "16 Trainium on a 4D hypercube, as the documentation of one release describes; "
                   "384 GB/s per chip taken as both directions of four links (assumed)"};
inline constexpr preset_info trn2_48xlarge_info{
    .name = "trn2_48xlarge",
    .grade = evidence::vendor,
    .source = trn1_32xlarge_info.source,
    .description = "16 Trainium2 on a 4×4 torus; 1.28 TB/s per chip taken as both directions of "
                   "four links (assumed); cores and on-chip memory are not modelled"};
inline constexpr preset_info gaudi3_8_info{
    .name = "gaudi3_8",
    .grade = evidence::third_party,
    .source = "Intel, Hot Chips 2024; how many ports serve scale-up is not stated",
    .description = "8 Gaudi 3 behind one switch; all 24 ports, 600 GB/s each way, taken for "
                   "scale-up (assumed, optimistic)"};

namespace detail {
template <deferred = when_called>
[[nodiscard]] auto devices(std::size_t count, char const* name, bytes memory,
                           hardware::roofline const& design) -> std::vector<accelerator> {
  any_design const shared{design};
  std::vector<accelerator> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(
        {.name = name + std::to_string(i), .capacity = memory, .configurations = {shared}});
  return all;
}
} // namespace detail

template <deferred = when_called>
[[nodiscard]] auto trn1_32xlarge() -> system<accelerator, interconnect::torus> {
  return {.name = std::string{trn1_32xlarge_info.name},
          .accelerators = detail::devices(
              16, "trainium", bytes{std::int64_t{32} << 30},
              {.title = "trainium",
               .peak_rate = flops_per_second{190e12},
               .bandwidth = bytes_per_second{820.0 * 1073741824.0},
               .peaks = {{32, flops_per_second{47.5e12}}, {8, flops_per_second{380e12}}}}),
          .interconnect = {.extents = {2, 2, 2, 2}, .bandwidth = bytes_per_second{384e9 / 2 / 4}}};
}

template <deferred = when_called>
[[nodiscard]] auto trn2_48xlarge() -> system<accelerator, interconnect::torus> {
  return {.name = std::string{trn2_48xlarge_info.name},
          .accelerators = detail::devices(
              16, "trainium2_", bytes{std::int64_t{96} << 30},
              {.title = "trainium2",
               .peak_rate = flops_per_second{667e12},
               .bandwidth = bytes_per_second{2.9e12},
               .peaks = {{32, flops_per_second{181e12}}, {8, flops_per_second{1299e12}}}}),
          .interconnect = {.extents = {4, 4}, .bandwidth = bytes_per_second{1.28e12 / 2 / 4}}};
}

template <deferred = when_called>
[[nodiscard]] auto gaudi3_8() -> system<accelerator, interconnect::switched> {
  return {.name = std::string{gaudi3_8_info.name},
          .accelerators = detail::devices(8, "gaudi", bytes{128'000'000'000},
                                          {.title = "gaudi3",
                                           .peak_rate = flops_per_second{1835e12},
                                           .bandwidth = bytes_per_second{3.67e12},
                                           .peaks = {{8, flops_per_second{1835e12}}}}),
          .interconnect = {.accelerators = 8, .bandwidth = bytes_per_second{24 * 200e9 / 8}}};
}

} // namespace mars::presets
