// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/hardware/concept.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/hardware/kernel.hpp>
#include <mars/workload/shard.hpp>

#include <concepts>
#include <vector>

namespace mars::detail {

/// The device that runs a design's kernels; null: it launches none. Lives as long as the design.
template <class Design>
[[nodiscard]] auto device_of([[maybe_unused]] Design const& d) -> gpu_device const* {
  if constexpr (requires {
                  { d.device() } -> std::same_as<gpu_device const*>; // `any_design`
                })
    return d.device();
  else if constexpr (KernelDesign<Design>)
    return &d.device();
  else
    return nullptr;
}

/// None for designs that launch none.
template <class Design>
[[nodiscard]] auto kernels_of([[maybe_unused]] Design const& d, [[maybe_unused]] shard const& s)
    -> std::vector<kernel> {
  std::vector<kernel> all;
  if constexpr (requires { d.kernels(s); })
    for (auto const& k : d.kernels(s)) all.push_back(k);
  return all;
}

} // namespace mars::detail
