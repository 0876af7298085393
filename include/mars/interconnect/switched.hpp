// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/common.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace mars::interconnect {

/// One non-blocking switch. Each accelerator has a port, full duplex; a message crosses the
/// sender's port up and the receiver's port down: t = latency + S / min(up, down).
/// Prefer it for GPUs behind NVSwitch: a port is also what limits concurrent transfers.
struct switched {
  std::size_t accelerators{};
  bytes_per_second bandwidth{};               ///< of each port, each way
  std::vector<bytes_per_second> bandwidths{}; ///< per port; empty: `bandwidth` for all
  seconds latency{};                          ///< of one message, port to port
  forwarding_mode forwarding{forwarding_mode::cut_through};

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "switched"; }
  [[nodiscard]] auto size() const -> std::size_t { return accelerators; }
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    if (from == to) return seconds{0};
    auto const up = port(from.index());
    auto const down = port(to.index());
    if (forwarding == forwarding_mode::cut_through) return latency + size / std::min(up, down);
    return latency + (size / up + size / down);
  }
  /// All ports up, then all ports down. The links up carry the latency of the whole message.
  template <deferred = when_called>
  [[nodiscard]] auto links() const -> std::vector<link> {
    std::vector<link> all;
    for (std::size_t i = 0; i < accelerators; ++i)
      all.push_back(
          detail::make_link(detail::accelerator(i), detail::network_switch(0), port(i), latency));
    for (std::size_t i = 0; i < accelerators; ++i)
      all.push_back(detail::make_link(detail::network_switch(0), detail::accelerator(i), port(i),
                                      seconds{0}));
    return all;
  }
  template <deferred = when_called>
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    if (from == to) return {};
    return {link_id{from.index()}, link_id{accelerators + to.index()}};
  }
  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    if (auto r = detail::check_count("accelerators", accelerators); !r) return r;
    if (auto r = detail::check_bandwidths("bandwidth", bandwidth, bandwidths, accelerators); !r)
      return r;
    return detail::check_latency("latency", latency);
  }

  friend auto operator==(switched const&, switched const&) -> bool = default;

private:
  [[nodiscard]] auto port(std::size_t i) const -> bytes_per_second {
    return bandwidths.empty() ? bandwidth : bandwidths[i];
  }
};

} // namespace mars::interconnect
