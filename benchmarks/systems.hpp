// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/mars.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

// Systems of any size, to see how things grow.

namespace mars_bench {

/// Equal devices (TPU v4p) behind `network`.
template <mars::RoutedInterconnect Network>
auto devices_on(Network network) -> mars::any_system {
  auto system = mars::presets::find("tpu_v4p_64").value();
  auto const device = system.accelerators.front();
  system.interconnect = mars::any_interconnect{std::move(network)};
  system.accelerators.assign(system.interconnect.size(), device);
  return system;
}

inline constexpr mars::bytes_per_second link{45e9};
inline constexpr mars::seconds hop{1e-6};

inline auto behind_one_switch(std::size_t n) -> mars::any_system {
  return devices_on(
      mars::interconnect::switched{.accelerators = n, .bandwidth = link, .latency = hop});
}
inline auto fully_connected(std::size_t n) -> mars::any_system {
  return devices_on(
      mars::interconnect::fully_connected{.accelerators = n, .bandwidth = link, .latency = hop});
}
/// Nodes of eight, fast inside.
inline auto in_nodes(std::uint32_t nodes) -> mars::any_system {
  return devices_on(
      mars::interconnect::hierarchy{nodes, 8, mars::bytes_per_second{300e9}, hop, link, 2.0 * hop});
}

} // namespace mars_bench
