// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/random.hpp>
#include <mars/interconnect.hpp>
#include <mars/interconnect/arbitrary.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mars_test {

using namespace mars::literals;
namespace ic = mars::interconnect;

inline auto acc(std::size_t i) -> mars::accelerator_id { return mars::accelerator_id{i}; }

/// Accelerator ids from numbers: `group({0, 1, 2})`.
inline auto group(std::vector<std::size_t> const& numbers) -> std::vector<mars::accelerator_id> {
  std::vector<mars::accelerator_id> out;
  for (auto const n : numbers) out.push_back(acc(n));
  return out;
}
inline auto first(std::size_t n) -> std::vector<mars::accelerator_id> {
  std::vector<mars::accelerator_id> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(acc(i));
  return out;
}

/// AWS F1.16xlarge as MARS reads it: two groups of four, 8 Gb/s inside, 2 Gb/s to the host.
inline auto f1() -> ic::grouped_through_host {
  return {
      .groups = {{0, 1, 2, 3}, {4, 5, 6, 7}}, .intra_bandwidth = 8_Gbps, .host_bandwidth = 2_Gbps};
}

inline auto a_link(mars::endpoint from, mars::endpoint to, mars::bytes_per_second b,
                   mars::seconds t = mars::seconds{0}) -> mars::link {
  return {"", from, to, b, t};
}
inline auto node(std::uint32_t i) -> mars::endpoint { return {mars::node_kind::accelerator, i}; }
inline auto hub(std::uint32_t i) -> mars::endpoint { return {mars::node_kind::network_switch, i}; }

/// A random connected network: a bidirectional ring of accelerators, some through a switch, with
/// some chords.
inline auto random_topology(mars::random_stream r, mars::forwarding_mode mode) -> ic::topology {
  ic::topology t{.accelerators = 2 + static_cast<std::size_t>(r.below(6)), .forwarding = mode};
  auto const add = [&](mars::endpoint a, mars::endpoint b) {
    auto const speed = mars::bytes_per_second{1e9 * (1 + static_cast<double>(r.below(8)))};
    auto const delay = mars::seconds{1e-6 * static_cast<double>(r.below(4))};
    t.links.push_back(a_link(a, b, speed, delay));
    t.links.push_back(a_link(b, a, speed, delay));
  };
  auto const n = static_cast<std::uint32_t>(t.accelerators);
  for (std::uint32_t i = 0; i < n; ++i) {
    if (r.chance(0.3)) {
      add(node(i), hub(i));
      add(hub(i), node((i + 1) % n));
    } else {
      add(node(i), node((i + 1) % n));
    }
  }
  for (int chord = 0; chord < 3; ++chord) {
    auto const a = static_cast<std::uint32_t>(r.below(n));
    auto const b = static_cast<std::uint32_t>(r.below(n));
    if (a != b) add(node(a), node(b));
  }
  return t;
}

/// One of every model, by name.
inline auto every_model() -> std::vector<mars::any_interconnect> {
  using mars::forwarding_mode;
  auto const us = mars::seconds{1e-6};
  std::vector<mars::any_interconnect> all;
  all.emplace_back(ic::fully_connected{.accelerators = 1, .bandwidth = 1_GBps});
  all.emplace_back(ic::fully_connected{.accelerators = 5, .bandwidth = 1_GBps, .latency = us});
  all.emplace_back(ic::host_staged{.accelerators = 4, .bandwidth = 1_GBps, .latency = us});
  all.emplace_back(ic::host_staged{.accelerators = 3,
                                   .bandwidths = {1_GBps, 2_GBps, 4_GBps},
                                   .latency = us,
                                   .follow_first = true},
                   "host staged, unlike links");
  for (auto const mode : {forwarding_mode::store_and_forward, forwarding_mode::cut_through}) {
    auto grouped = f1();
    grouped.latency = us;
    grouped.forwarding = mode;
    all.emplace_back(grouped);
    grouped.groups = {{6, 0}, {3}, {5, 1, 2}, {4}};
    for (int i = 1; i <= 7; ++i) grouped.host_bandwidths.push_back(mars::bytes_per_second{1e8 * i});
    all.emplace_back(grouped, "uneven groups through host");
    for (std::size_t const n : {1U, 2U, 3U, 8U})
      all.emplace_back(ic::ring{n, 1_GBps, us, mode}, std::string{"ring of "} + std::to_string(n));
    all.emplace_back(ic::mesh{{3, 4}, 2_GBps, us, mode});
    all.emplace_back(ic::mesh{{2, 3, 2}, 2_GBps, us, mode}, "mesh of three dimensions");
    all.emplace_back(ic::torus{{4, 4}, 2_GBps, us, {}, mode});
    all.emplace_back(ic::torus{{2, 5}, 2_GBps, us, {}, mode}, "torus of 2 by 5");
    all.emplace_back(ic::torus{{3, 2, 3}, 2_GBps, us, {true, false, false}, mode}, "part torus");
    all.emplace_back(
        ic::switched{.accelerators = 6, .bandwidth = 3_GBps, .latency = us, .forwarding = mode});
    all.emplace_back(ic::switched{.accelerators = 3,
                                  .bandwidths = {1_GBps, 2_GBps, 4_GBps},
                                  .latency = us,
                                  .forwarding = mode},
                     "switched, unlike ports");
    all.emplace_back(ic::fat_tree{{3, 2, 2}, {4_GBps, 6_GBps, 5_GBps}, {us, us, us}, mode});
    for (auto const& [nodes, per_node] : {std::pair{3U, 2U}, std::pair{1U, 4U}, std::pair{4U, 1U}})
      all.emplace_back(ic::hierarchy{nodes, per_node, 8_GBps, us, 2_GBps, 5.0 * us, mode},
                       std::string{"hierarchy of "} + std::to_string(nodes) + " nodes");
    for (std::uint64_t i = 0; i < 8; ++i)
      all.emplace_back(
          ic::arbitrary::build(random_topology(mars::random_stream{11, i}, mode)).value(),
          std::string{"arbitrary "} + std::to_string(i));
  }
  return all;
}

} // namespace mars_test
