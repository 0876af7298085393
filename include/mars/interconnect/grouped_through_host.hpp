// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/common.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mars::interconnect {

/// Groups of accelerators with a link between every pair inside; between groups everything goes
/// through host memory, over a link of each accelerator's own (AWS F1; the model of MARS):
///   same group       t = α + S/intra
///   through the host t = 2α + S/up + S/down   (store and forward)
///                    t = α + S/min(up, down)  (cut-through: the host sends on what arrives, so the
///                                              message latency α is paid once, on the way up)
/// Source: MARS, arXiv 2307.12234; the α terms and the host's forwarding are our reading.
/// Groups of one accelerator each give a system where all traffic goes through the host (H2H).
struct grouped_through_host {
  std::vector<std::vector<std::uint32_t>> groups{}; ///< a partition of 0 … n−1
  bytes_per_second intra_bandwidth{};               ///< unused if every group has one member
  bytes_per_second host_bandwidth{};                ///< each way; unused if there is one group
  std::vector<bytes_per_second> host_bandwidths{};  ///< per accelerator; empty: host_bandwidth
  seconds latency{};                                ///< α, of one message
  forwarding_mode forwarding{forwarding_mode::store_and_forward};

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "grouped through host"; }
  [[nodiscard]] auto size() const -> std::size_t {
    std::size_t n = 0;
    for (auto const& g : groups) n += g.size();
    return n;
  }

  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    if (from == to) return seconds{0};
    if (locate(from).group == locate(to).group) return latency + size / intra_bandwidth;
    auto const up = host_link(from.index());
    auto const down = host_link(to.index());
    if (forwarding == forwarding_mode::cut_through) return latency + size / std::min(up, down);
    return 2.0 * latency + (size / up + size / down);
  }

  /// The links inside each group, group by group, in the order its members are listed; then, if
  /// there are several groups, every accelerator's link to the host, then the links back.
  template <deferred = when_called>
  [[nodiscard]] auto links() const -> std::vector<link> {
    std::vector<link> all;
    for (auto const& g : groups)
      for (auto const i : g)
        for (auto const j : g)
          if (i != j)
            all.push_back(detail::make_link(detail::accelerator(i), detail::accelerator(j),
                                            intra_bandwidth, latency));
    if (groups.size() < 2) return all;
    endpoint const host{node_kind::host, 0};
    auto const n = size();
    bool const once = forwarding == forwarding_mode::cut_through;
    for (std::size_t i = 0; i < n; ++i)
      all.push_back(detail::make_link(detail::accelerator(i), host, host_link(i), latency));
    for (std::size_t i = 0; i < n; ++i)
      all.push_back(detail::make_link(host, detail::accelerator(i), host_link(i),
                                      once ? seconds{0} : latency));
    return all;
  }

  template <deferred = when_called>
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    if (from == to) return {};
    auto const a = locate(from);
    auto const b = locate(to);
    std::size_t base = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      auto const n = groups[g].size();
      if (a.group == g && b.group == g) {
        auto const skip_self = b.position > a.position ? 1U : 0U;
        return {link_id{base + a.position * (n - 1) + b.position - skip_self}};
      }
      base += n * (n - 1);
    }
    return {link_id{base + from.index()}, link_id{base + size() + to.index()}};
  }

  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    auto const n = size();
    if (auto r = detail::check_count("groups", n); !r) return r;
    std::vector<bool> seen(n);
    bool pairs = false;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      pairs = pairs || groups[g].size() > 1;
      for (std::size_t k = 0; k < groups[g].size(); ++k) {
        auto const i = groups[g][k];
        auto const path = detail::at(detail::at("groups", g), k);
        if (i >= n)
          return fail(error_code::out_of_range, path, std::to_string(i),
                      std::string{"an accelerator below "} + std::to_string(n));
        if (seen[i])
          return fail(error_code::duplicate, path, std::to_string(i), "each accelerator once");
        seen[i] = true;
      }
    }
    if (pairs)
      if (auto r = detail::check_bandwidth("intra_bandwidth", intra_bandwidth); !r) return r;
    if (!host_bandwidths.empty() || groups.size() > 1)
      if (auto r = detail::check_bandwidths("host_bandwidth", host_bandwidth, host_bandwidths, n);
          !r)
        return r;
    return detail::check_latency("latency", latency);
  }

  friend auto operator==(grouped_through_host const&, grouped_through_host const&)
      -> bool = default;

private:
  struct place {
    std::size_t group;
    std::size_t position;
  };
  [[nodiscard]] auto locate(accelerator_id a) const -> place {
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (std::size_t k = 0; k < groups[g].size(); ++k)
        if (groups[g][k] == a.value) return {g, k};
    return {groups.size(), 0};
  }
  [[nodiscard]] auto host_link(std::size_t i) const -> bytes_per_second {
    return host_bandwidths.empty() ? host_bandwidth : host_bandwidths[i];
  }
};

} // namespace mars::interconnect
