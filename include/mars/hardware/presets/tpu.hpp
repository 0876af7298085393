// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/presets/preset.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/torus.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::presets {

/// A row of the table of TPU chips. Links are per link and direction.
struct tpu_chip {
  std::string_view name{};
  double bf16_tflops{};
  double int8_tops{};
  double memory_gb{};
  double memory_gb_per_s{};
  double link_gb_per_s{};
};

inline constexpr tpu_chip tpu_v3{"tpu_v3", 140, 140, 32, 900, 100};
inline constexpr tpu_chip tpu_v4p{"tpu_v4p", 275, 275, 32, 1200, 45};
inline constexpr tpu_chip tpu_v5p{"tpu_v5p", 459, 918, 96, 2800, 90};
inline constexpr tpu_chip tpu_v5e{"tpu_v5e", 197, 394, 16, 810, 45};
inline constexpr tpu_chip tpu_v6e{"tpu_v6e", 920, 1840, 32, 1600, 90};

inline constexpr std::string_view tpu_source = "jax-ml/scaling-book@0819a7d";

/// Which axes of a slice close into rings: in two dimensions those of size 16, in three all or
/// none, all where the slice is made of whole 4×4×4 cubes.
template <deferred = when_called>
[[nodiscard]] auto tpu_wrap(std::vector<std::uint32_t> const& extents) -> std::vector<bool> {
  std::vector<bool> wrap;
  bool const cubes = std::all_of(extents.begin(), extents.end(), [](auto e) { return e % 4 == 0; });
  for (auto const e : extents) wrap.push_back(extents.size() >= 3 ? cubes : e == 16);
  return wrap;
}

/// A slice of a pod: roofline devices on a torus, 1 µs per hop.
template <deferred = when_called>
[[nodiscard]] auto tpu_slice(tpu_chip const& chip, std::vector<std::uint32_t> extents)
    -> system<accelerator, interconnect::torus> {
  std::size_t chips = 1;
  for (auto const e : extents) chips *= e;
  any_design const design{
      hardware::roofline{.title = std::string{chip.name},
                         .peak_rate = flops_per_second{chip.bf16_tflops * 1e12},
                         .bandwidth = bytes_per_second{chip.memory_gb_per_s * 1e9},
                         .peaks = {{8, flops_per_second{chip.int8_tops * 1e12}}}}};
  auto wrap = tpu_wrap(extents);
  system<accelerator, interconnect::torus> slice{
      .name = std::string{chip.name} + "_" + std::to_string(chips),
      .interconnect = {.extents = std::move(extents),
                       .bandwidth = bytes_per_second{chip.link_gb_per_s * 1e9},
                       .latency = seconds{1e-6},
                       .wrap = std::move(wrap)}};
  for (std::size_t i = 0; i < chips; ++i)
    slice.accelerators.push_back(
        {.name = std::string{"tpu"} + std::to_string(i),
         .capacity = bytes{static_cast<std::int64_t>(chip.memory_gb * 1e9)},
         .configurations = {design}});
  return slice;
}

} // namespace mars::presets
