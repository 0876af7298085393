// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/common.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace mars::interconnect {

/// Nodes of accelerators behind a switch each; every accelerator also has a network card of its own
/// into one non-blocking network. Inside a node a message crosses two node ports, between nodes two
/// network cards; accelerator i is in node i / accelerators_per_node.
///   t = latency + S/bandwidth of the level used (store and forward: S counts twice)
/// Prefer it for GPU clusters; `fat_tree` where the accelerators of a node share one uplink.
struct hierarchy {
  std::size_t nodes{};
  std::size_t accelerators_per_node{};
  bytes_per_second node_bandwidth{};    ///< of each port, each way; unused with one per node
  seconds node_latency{};               ///< of one message inside a node
  bytes_per_second network_bandwidth{}; ///< of each network card, each way; unused with one node
  seconds network_latency{};            ///< of one message between nodes
  forwarding_mode forwarding{forwarding_mode::cut_through};

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "hierarchy"; }
  [[nodiscard]] constexpr auto size() const -> std::size_t { return nodes * accelerators_per_node; }
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    if (from == to) return seconds{0};
    bool const inside = node(from) == node(to);
    auto const sent = size / (inside ? node_bandwidth : network_bandwidth);
    return (inside ? node_latency : network_latency) +
           (forwarding == forwarding_mode::cut_through ? sent : 2.0 * sent);
  }
  /// All node ports up, all down, all network cards out, all in. The first link of a route carries
  /// the latency of the whole message. Switch k is node k's; switch `nodes` is the network.
  template <deferred = when_called>
  [[nodiscard]] auto links() const -> std::vector<link> {
    std::vector<link> all;
    auto const add = [&](std::size_t fixed, bytes_per_second bandwidth, seconds latency) {
      for (bool const up : {true, false})
        for (std::size_t i = 0; i < size(); ++i) {
          auto const hub =
              detail::network_switch(fixed < nodes ? i / accelerators_per_node : fixed);
          auto const a = detail::accelerator(i);
          all.push_back(
              detail::make_link(up ? a : hub, up ? hub : a, bandwidth, up ? latency : seconds{0}));
        }
    };
    if (has_ports()) add(0, node_bandwidth, node_latency);
    if (nodes > 1) add(nodes, network_bandwidth, network_latency);
    return all;
  }
  template <deferred = when_called>
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    if (from == to) return {};
    auto const base = node(from) == node(to) || !has_ports() ? 0 : 2 * size();
    return {link_id{base + from.index()}, link_id{base + size() + to.index()}};
  }
  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    if (auto r = detail::check_count("nodes", nodes); !r) return r;
    if (auto r = detail::check_count("accelerators_per_node", accelerators_per_node); !r) return r;
    if (auto r = detail::check_count("nodes * accelerators_per_node",
                                     detail::capped_product(nodes, accelerators_per_node));
        !r)
      return r;
    if (has_ports())
      if (auto r = detail::check_bandwidth("node_bandwidth", node_bandwidth); !r) return r;
    if (nodes > 1)
      if (auto r = detail::check_bandwidth("network_bandwidth", network_bandwidth); !r) return r;
    if (auto r = detail::check_latency("node_latency", node_latency); !r) return r;
    return detail::check_latency("network_latency", network_latency);
  }

  friend auto operator==(hierarchy const&, hierarchy const&) -> bool = default;

private:
  [[nodiscard]] auto node(accelerator_id a) const -> std::size_t {
    return a.index() / accelerators_per_node;
  }
  [[nodiscard]] auto has_ports() const -> bool { return accelerators_per_node > 1; }
};

} // namespace mars::interconnect
