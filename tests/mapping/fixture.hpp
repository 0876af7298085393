// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/designs/winograd.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect/fully_connected.hpp>
#include <mars/mapping.hpp>
#include <mars/workload/builder.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars_test {

using namespace mars::literals;

/// conv1 3×3 (4 → 8 channels, 8×8), relu, conv2 1×1 (8 → 8), and conv1 + conv2; 16 bits, no bias.
/// Each of the four results has 8·8·8 elements, 1024 bytes.
inline auto skip_network() -> mars::graph {
  mars::builder b{"skip"};
  auto const x = b.input("x", {1, 4, 8, 8});
  auto const conv1 =
      b.conv(x, {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}, .bias = false}, "conv1");
  auto const relu = b.relu(conv1, "relu");
  auto const conv2 = b.conv(relu, {.out_channels = 8, .kernel = {1, 1}, .bias = false}, "conv2");
  b.output(b.add(conv1, conv2, "add"));
  return std::move(b).build().value();
}

using small_system = mars::system<mars::accelerator, mars::interconnect::fully_connected>;

/// `count` accelerators with the designs "gpu" and "wino", which runs no convolution but 3×3.
inline auto small(std::size_t count, std::int64_t memory = 1'000'000) -> small_system {
  mars::hardware::roofline const gpu{.title = "gpu",
                                     .peak_rate = mars::flops_per_second{1e9},
                                     .bandwidth = mars::bytes_per_second{1e9}};
  mars::hardware::winograd const wino{.title = "wino",
                                      .other_layers = mars::hardware::winograd_policy::unsupported};
  small_system s{.name = "small",
                 .accelerators = {},
                 .interconnect = {.accelerators = count, .bandwidth = 1_GBps}};
  for (std::size_t i = 0; i < count; ++i)
    s.accelerators.push_back({.name = std::string{"a"} + std::to_string(i),
                              .capacity = mars::bytes{memory},
                              .configurations = {gpu, wino}});
  return s;
}

/// A cut by the name of its dimension.
inline auto along(mars::graph const& g, std::size_t v, char const* name, std::int32_t ways)
    -> mars::cut {
  auto const d = mars::find_dim(op(g, mars::operator_id{v}), name);
  return {static_cast<std::uint8_t>(d.value()), ways};
}

inline auto set_of(std::vector<std::size_t> const& members, std::string design = "gpu")
    -> mars::accelerator_set {
  mars::accelerator_set s{{}, std::move(design)};
  for (auto const m : members) s.accelerators.emplace_back(m);
  return s;
}

/// skip_network on accelerators 0 and 1: conv1, relu and add cut along y, conv2 along k.
inline auto skip_mapping(mars::graph const& g) -> mars::mapping {
  mars::mapping m{{set_of({0, 1})}, std::vector<mars::placement>(4), {}};
  for (std::size_t v = 0; v < 4; ++v)
    m.operators[v].sharding.exclusive.push_back(along(g, v, v == 2 ? "k" : "y", 2));
  return m;
}

} // namespace mars_test
