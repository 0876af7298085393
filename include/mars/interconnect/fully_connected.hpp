// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/common.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace mars::interconnect {

/// Every ordered pair has a link of its own: t = latency + S / bandwidth.
/// Prefer it for small meshes of point-to-point links. GPUs behind one switch share their ports:
/// use `switched`, or every accelerator will seem to send to all others at full speed at once.
struct fully_connected {
  std::size_t accelerators{};
  bytes_per_second bandwidth{};
  seconds latency{};

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "fully connected"; }
  [[nodiscard]] constexpr auto size() const -> std::size_t { return accelerators; }

  [[nodiscard]] constexpr auto transfer_time(accelerator_id from, accelerator_id to,
                                             bytes size) const -> seconds {
    return from == to ? seconds{0} : latency + size / bandwidth;
  }
  template <deferred = when_called>
  [[nodiscard]] auto links() const -> std::vector<link> {
    std::vector<link> all;
    for (std::size_t i = 0; i < accelerators; ++i)
      for (std::size_t j = 0; j < accelerators; ++j)
        if (i != j)
          all.push_back(detail::make_link(detail::accelerator(i), detail::accelerator(j), bandwidth,
                                          latency));
    return all;
  }
  template <deferred = when_called>
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    if (from == to) return {};
    auto const skip_self = to > from ? 1U : 0U;
    return {link_id{from.index() * (accelerators - 1) + to.index() - skip_self}};
  }
  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    return detail::first_failure([&] { return detail::check_count("accelerators", accelerators); },
                                 [&] { return detail::check_bandwidth("bandwidth", bandwidth); },
                                 [&] { return detail::check_latency("latency", latency); });
  }

  friend auto operator==(fully_connected const&, fully_connected const&) -> bool = default;
};

} // namespace mars::interconnect
