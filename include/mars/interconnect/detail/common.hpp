// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/interconnect/concept.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::interconnect {

/// Systems larger than this are refused at the boundary: route and time tables are quadratic.
inline constexpr std::size_t max_accelerators = 65'536;

namespace detail {

template <deferred = when_called>
[[nodiscard]] auto to_text(endpoint e) -> std::string {
  char const* const prefix = e.kind == node_kind::accelerator      ? "a"
                             : e.kind == node_kind::network_switch ? "switch"
                                                                   : "host";
  std::string text{prefix};
  text += std::to_string(e.index);
  return text;
}

[[nodiscard]] inline auto accelerator(std::size_t i) -> endpoint {
  return {node_kind::accelerator, static_cast<std::uint32_t>(i)};
}
[[nodiscard]] inline auto network_switch(std::size_t i) -> endpoint {
  return {node_kind::network_switch, static_cast<std::uint32_t>(i)};
}
[[nodiscard]] inline auto make_link(endpoint from, endpoint to, bytes_per_second bandwidth,
                                    seconds latency) -> link {
  return {to_text(from) + "->" + to_text(to), from, to, bandwidth, latency};
}

template <deferred = when_called>
[[nodiscard]] auto at(std::string_view name, std::size_t i) -> std::string {
  return std::string{name} + "[" + std::to_string(i) + "]";
}

/// Infinite bandwidth is allowed: it asks what an ideal link would bring.
template <deferred = when_called>
[[nodiscard]] auto check_bandwidth(std::string path, bytes_per_second b) -> expected<void> {
  if (b.count() > 0) return {};
  return fail(error_code::out_of_range, std::move(path), std::to_string(b.count()),
              "a bandwidth above 0 B/s");
}
template <deferred = when_called>
[[nodiscard]] auto check_latency(std::string path, seconds t) -> expected<void> {
  if (t.count() >= 0 && std::isfinite(t.count())) return {};
  return fail(error_code::out_of_range, std::move(path), std::to_string(t.count()),
              "a finite latency of at least 0 s");
}
template <deferred = when_called>
[[nodiscard]] auto check_count(std::string path, std::size_t n) -> expected<void> {
  if (n >= 1 && n <= max_accelerators) return {};
  return fail(error_code::out_of_range, std::move(path), std::to_string(n),
              std::string{"1 to "} + std::to_string(max_accelerators) + " accelerators");
}
template <deferred = when_called>
[[nodiscard]] auto check_length(std::string path, std::size_t found, std::size_t wanted)
    -> expected<void> {
  if (found == wanted) return {};
  return fail(error_code::shape_mismatch, std::move(path), std::to_string(found) + " entries",
              std::to_string(wanted) + " entries");
}
/// One bandwidth for all, or a list of one for each of `n`; `name` is of the one, with an s of the list.
template <deferred = when_called>
[[nodiscard]] auto check_bandwidths(std::string const& name, bytes_per_second all,
                                    std::vector<bytes_per_second> const& each, std::size_t n)
    -> expected<void> {
  if (each.empty()) return check_bandwidth(name, all);
  if (auto r = check_length(name + "s", each.size(), n); !r) return r;
  for (std::size_t i = 0; i < n; ++i)
    if (auto r = check_bandwidth(at(name + "s", i), each[i]); !r) return r;
  return {};
}
/// Product of two counts, or one more than allowed when it is too large.
[[nodiscard]] inline auto capped_product(std::size_t a, std::size_t b) -> std::size_t {
  if (b != 0 && a > max_accelerators / b) return max_accelerators + 1;
  return a * b;
}

/// The first failure of checks made in order; later ones are not evaluated.
template <deferred = when_called>
[[nodiscard]] auto first_failure() -> expected<void> {
  return {};
}
template <class Check, class... Checks>
[[nodiscard]] auto first_failure(Check const& check, Checks const&... rest) -> expected<void> {
  if (auto r = check(); !r) return r;
  return first_failure(rest...);
}

/// Time of one message over `hops` equal links.
[[nodiscard]] inline auto uniform_route_time(std::size_t hops, bytes size,
                                             bytes_per_second bandwidth, seconds latency,
                                             forwarding_mode mode) -> seconds {
  if (hops == 0) return seconds{0};
  auto const h = static_cast<double>(hops);
  auto const sent = size / bandwidth;
  return mode == forwarding_mode::cut_through ? h * latency + sent : h * (latency + sent);
}

} // namespace detail
} // namespace mars::interconnect
