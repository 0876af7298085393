// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/common.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mars::interconnect {

/// Accelerators that know nothing but host memory, each over a link of its own, and do not compute
/// while they use it: a producer stores its result there, a consumer loads it.
///   host      t = α + S/B_a
///   transfer  t = 2α + S/B_a + S/B_b
/// The host itself is never busy. Source: H2H, arXiv 2204.13852, where α = 0 and all B are equal; for
/// accelerators that do compute meanwhile see `grouped_through_host` with groups of one.
struct host_staged {
  std::size_t accelerators{};
  bytes_per_second bandwidth{};               ///< B, of every host link, each way
  std::vector<bytes_per_second> bandwidths{}; ///< per accelerator; empty: bandwidth
  seconds latency{};                          ///< α, of one message
  bool follow_first{};                        ///< H2H's rule: see `mars::joins_follow_first`

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "host staged"; }
  [[nodiscard]] auto size() const -> std::size_t { return accelerators; }
  [[nodiscard]] auto host_time(accelerator_id a, bytes size) const -> seconds {
    return latency + size / host_link(a.index());
  }
  [[nodiscard]] auto joins_follow_first() const -> bool { return follow_first; }
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    if (from == to) return seconds{0};
    return host_time(from, size) + host_time(to, size);
  }

  /// Every accelerator's link to the host, then the links back.
  template <deferred = when_called>
  [[nodiscard]] auto links() const -> std::vector<link> {
    std::vector<link> all;
    endpoint const host{node_kind::host, 0};
    for (std::size_t i = 0; i < accelerators; ++i)
      all.push_back(detail::make_link(detail::accelerator(i), host, host_link(i), latency));
    for (std::size_t i = 0; i < accelerators; ++i)
      all.push_back(detail::make_link(host, detail::accelerator(i), host_link(i), latency));
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

  friend auto operator==(host_staged const&, host_staged const&) -> bool = default;

private:
  [[nodiscard]] auto host_link(std::size_t i) const -> bytes_per_second {
    return bandwidths.empty() ? bandwidth : bandwidths[i];
  }
};

} // namespace mars::interconnect
