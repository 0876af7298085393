// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/interconnect/any_interconnect.hpp>
#include <mars/interconnect/fully_connected.hpp>
#include <mars/interconnect/grouped_through_host.hpp>
#include <mars/interconnect/hierarchy.hpp>
#include <mars/interconnect/ring.hpp>
#include <mars/interconnect/switched.hpp>
#include <mars/interconnect/torus.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mars::io::astra_sim {

/// One dimension of ASTRA-sim's analytical network.
struct dimension {
  std::string_view topology; ///< "Ring", "FullyConnected" or "Switch"
  std::size_t ranks{};
  bytes_per_second bandwidth{};
  seconds latency{};
};

struct network {
  std::vector<dimension> dimensions; ///< innermost first, each of two ranks or more
  std::string approximation;         ///< a sentence, where it is not the interconnect
};

namespace detail {

/// Anything: one switch, as fast as the slowest pair.
template <Interconnect Net>
[[nodiscard]] auto slowest_pair(Net const& net) -> dimension {
  dimension d{"Switch", net.size(), bytes_per_second{0}, seconds{0}};
  constexpr bytes probe{1 << 24};
  double slowest = 0;
  for (std::size_t i = 0; i < net.size(); ++i)
    for (std::size_t j = 0; j < net.size(); ++j) {
      if (i == j) continue;
      accelerator_id const a{i}, b{j};
      auto const latency = net.transfer_time(a, b, bytes{0});
      slowest = std::max(slowest, (net.transfer_time(a, b, probe) - latency).count());
      d.latency = std::max(d.latency, latency);
    }
  d.bandwidth = bytes_per_second{static_cast<double>(probe.count()) / slowest};
  return d;
}

/// Groups that are equal blocks of accelerators in their order, with equal host links.
[[nodiscard]] inline auto has_equal_blocks(interconnect::grouped_through_host const& net) -> bool {
  if (net.groups.empty() || !net.host_bandwidths.empty()) return false;
  std::uint32_t next = 0;
  for (auto const& g : net.groups) {
    if (g.size() != net.groups.front().size()) return false;
    for (auto const a : g)
      if (a != next++) return false;
  }
  return true;
}

} // namespace detail

/// The interconnect as dimensions of rings and switches, or what comes near it.
[[nodiscard]] inline auto network_of(any_interconnect const& net) -> network {
  namespace ic = interconnect;
  network n;
  auto const add = [&n](std::string_view topology, std::size_t ranks, bytes_per_second bandwidth,
                        seconds latency) {
    if (ranks > 1) n.dimensions.push_back({topology, ranks, bandwidth, latency});
  };
  auto const between = [](char const* parts) {
    return std::string{"The interconnect: ASTRA-sim sends between "} + parts +
           " along one dimension of two, and first to the place inside.";
  };
  if (auto const* full = net.get_if<ic::fully_connected>()) {
    add("FullyConnected", full->accelerators, full->bandwidth, full->latency);
  } else if (auto const* ring = net.get_if<ic::ring>()) {
    add("Ring", ring->accelerators, ring->bandwidth, ring->latency);
  } else if (auto const* port = net.get_if<ic::switched>();
             port != nullptr && port->bandwidths.empty()) {
    add("Switch", port->accelerators, port->bandwidth, port->latency);
  } else if (auto const* torus = net.get_if<ic::torus>();
             torus != nullptr &&
             std::all_of(torus->wrap.begin(), torus->wrap.end(), [](bool w) { return w; })) {
    for (auto i = torus->extents.size(); i-- > 0;)
      add("Ring", torus->extents[i], torus->bandwidth, torus->latency);
  } else if (auto const* nodes = net.get_if<ic::hierarchy>()) {
    add("Switch", nodes->accelerators_per_node, nodes->node_bandwidth, nodes->node_latency);
    add("Switch", nodes->nodes, nodes->network_bandwidth, nodes->network_latency);
    if (n.dimensions.size() > 1) n.approximation = between("nodes");
  } else if (auto const* blocks = net.get_if<ic::grouped_through_host>();
             blocks != nullptr && detail::has_equal_blocks(*blocks)) {
    // The host stores a message and forwards it: half the speed of its links, twice the latency.
    bool const stored = blocks->forwarding == forwarding_mode::store_and_forward;
    add("FullyConnected", blocks->groups.front().size(), blocks->intra_bandwidth, blocks->latency);
    add("Switch", blocks->groups.size(), blocks->host_bandwidth * (stored ? 0.5 : 1.0),
        blocks->latency * (stored ? 2.0 : 1.0));
    if (n.dimensions.size() > 1) n.approximation = between("groups");
  } else if (net.size() > 1) {
    n.dimensions.push_back(detail::slowest_pair(net));
    n.approximation = std::string{"The interconnect '"} + net.name() +
                      "' has no counterpart: it is one switch, as fast as its slowest pair.";
  }
  return n;
}

/// `network.yml`. ASTRA-sim multiplies its GB/s by 2^30.
[[nodiscard]] inline auto network_yaml(network const& n) -> std::string {
  std::string topology, ranks, bandwidth, latency;
  for (auto const& d : n.dimensions) {
    auto const comma = topology.empty() ? "" : ", ";
    topology += fmt::format("{}{}", comma, d.topology);
    ranks += fmt::format("{}{}", comma, d.ranks);
    bandwidth += fmt::format("{}{:.9g}", comma, d.bandwidth.count() / 1073741824.0);
    latency += fmt::format("{}{:.9g}", comma, d.latency.count() * 1e9);
  }
  return fmt::format("topology: [ {} ]\nnpus_count: [ {} ]\nbandwidth: [ {} ]\nlatency: [ {} ]\n",
                     topology, ranks, bandwidth, latency);
}

/// `system.json`: durations are replayed, collectives are rings or direct. Delays, chunks and the
/// memory's bandwidth are those of ASTRA-sim's published sample.
[[nodiscard]] inline auto system_json(network const& n) -> std::string {
  std::string each;
  for (auto const& d : n.dimensions)
    each += fmt::format("{}\"{}\"", each.empty() ? "" : ", ",
                        d.topology == "FullyConnected" ? "direct" : "ring");
  return fmt::format(R"({{
  "scheduling-policy": "LIFO",
  "endpoint-delay": 10,
  "active-chunks-per-dimension": 2,
  "preferred-dataset-splits": 4,
  "all-reduce-implementation": [{0}],
  "all-gather-implementation": [{0}],
  "reduce-scatter-implementation": [{0}],
  "all-to-all-implementation": [{0}],
  "collective-optimization": "localBWAware",
  "local-mem-bw": 3350,
  "boost-mode": 0,
  "roofline-enabled": 0,
  "trace-enabled": 0,
  "replay-only": 0,
  "track-local-mem": 0
}}
)",
                     each);
}

} // namespace mars::io::astra_sim
