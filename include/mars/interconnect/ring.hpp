// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/grid.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mars::interconnect {

/// A bidirectional ring; messages go the shorter way, upwards in numbers when both are as long.
/// t = h·latency + S/bandwidth over h hops (store and forward: h·(latency + S/bandwidth)).
struct ring {
  std::size_t accelerators{};
  bytes_per_second bandwidth{}; ///< of each direction of each link
  seconds latency{};            ///< per hop
  forwarding_mode forwarding{forwarding_mode::cut_through};

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "ring"; }
  [[nodiscard]] constexpr auto size() const -> std::size_t { return accelerators; }

  template <deferred = when_called>
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    auto const n = extent();
    return detail::uniform_route_time(shape(n).hops(from.index(), to.index()), size, bandwidth,
                                      latency, forwarding);
  }
  template <deferred = when_called>
  [[nodiscard]] auto links() const -> std::vector<link> {
    auto const n = extent();
    return shape(n).links(bandwidth, latency);
  }
  template <deferred = when_called>
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    auto const n = extent();
    return shape(n).route(from.index(), to.index());
  }
  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    return detail::first_failure([&] { return detail::check_count("accelerators", accelerators); },
                                 [&] { return detail::check_bandwidth("bandwidth", bandwidth); },
                                 [&] { return detail::check_latency("latency", latency); });
  }

  friend auto operator==(ring const&, ring const&) -> bool = default;

private:
  [[nodiscard]] auto extent() const -> std::uint32_t {
    return static_cast<std::uint32_t>(accelerators);
  }
  [[nodiscard]] static auto shape(std::uint32_t const& n) -> detail::grid {
    return {.extents = {&n, 1}, .wrap = nullptr, .wrap_all = true};
  }
};

} // namespace mars::interconnect
