// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/grid.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mars::interconnect {

/// An n-dimensional grid without wrap-around. Accelerators are numbered in row-major order (the
/// last coordinate varies fastest); a message corrects its coordinates one dimension after the
/// other, the first dimension first. Times as for `ring`.
struct mesh {
  std::vector<std::uint32_t> extents{};
  bytes_per_second bandwidth{}; ///< of each direction of each link
  seconds latency{};            ///< per hop
  forwarding_mode forwarding{forwarding_mode::cut_through};

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "mesh"; }
  [[nodiscard]] auto size() const -> std::size_t { return shape().size(); }
  template <deferred = when_called>
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    return detail::uniform_route_time(shape().hops(from.index(), to.index()), size, bandwidth,
                                      latency, forwarding);
  }
  [[nodiscard]] auto links() const -> std::vector<link> {
    return shape().links(bandwidth, latency);
  }
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    return shape().route(from.index(), to.index());
  }
  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    return detail::first_failure([&] { return shape().check(); },
                                 [&] { return detail::check_bandwidth("bandwidth", bandwidth); },
                                 [&] { return detail::check_latency("latency", latency); });
  }

  friend auto operator==(mesh const&, mesh const&) -> bool = default;

private:
  [[nodiscard]] auto shape() const -> detail::grid { return {.extents = extents}; }
};

/// A mesh whose dimensions close into rings, all of them or those named by `wrap` (TPU slices wrap
/// only along axes of full length). A dimension of two has no extra links. In a ring the shorter
/// way is taken, upwards when both are as long.
struct torus {
  std::vector<std::uint32_t> extents{};
  bytes_per_second bandwidth{}; ///< of each direction of each link
  seconds latency{};            ///< per hop
  std::vector<bool> wrap{};     ///< per dimension; empty: all wrap
  forwarding_mode forwarding{forwarding_mode::cut_through};

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "torus"; }
  [[nodiscard]] auto size() const -> std::size_t { return shape().size(); }
  template <deferred = when_called>
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    return detail::uniform_route_time(shape().hops(from.index(), to.index()), size, bandwidth,
                                      latency, forwarding);
  }
  [[nodiscard]] auto links() const -> std::vector<link> {
    return shape().links(bandwidth, latency);
  }
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    return shape().route(from.index(), to.index());
  }
  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    return detail::first_failure([&] { return shape().check(); },
                                 [&] { return detail::check_bandwidth("bandwidth", bandwidth); },
                                 [&] { return detail::check_latency("latency", latency); });
  }

  friend auto operator==(torus const&, torus const&) -> bool = default;

private:
  [[nodiscard]] auto shape() const -> detail::grid {
    return {.extents = extents, .wrap = &wrap, .wrap_all = true};
  }
};

} // namespace mars::interconnect
