// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/interconnect/detail/common.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mars::interconnect {

/// A tree of switches. arity[0] accelerators hang on each leaf switch, arity[1] leaf switches on
/// each switch above, and so on to one root; a message climbs to the lowest common switch and
/// descends. bandwidth[l] and latency[l] belong to each link between level l (0 = accelerators)
/// and the level above, each way; a fat tree has bandwidth[l] = arity[l−1] · bandwidth[l−1].
/// Prefer it where nodes share an uplink; `hierarchy` where each accelerator has its own network
/// card.
struct fat_tree {
  std::vector<std::uint32_t> arity{};
  std::vector<bytes_per_second> bandwidth{};
  std::vector<seconds> latency{}; ///< per link; empty: zero
  forwarding_mode forwarding{forwarding_mode::cut_through};

  [[nodiscard]] static constexpr auto name() -> std::string_view { return "fat tree"; }
  [[nodiscard]] auto size() const -> std::size_t {
    std::size_t n = 1;
    for (auto const k : arity) n *= k;
    return n;
  }
  [[nodiscard]] auto transfer_time(accelerator_id from, accelerator_id to, bytes size) const
      -> seconds {
    seconds latencies{0};
    seconds sum{0};
    seconds slowest{0};
    auto a = from.index();
    auto b = to.index();
    for (std::size_t l = 0; a != b; a /= arity[l], b /= arity[l], ++l) {
      auto const sent = size / bandwidth[l];
      latencies += 2.0 * hop(l);
      sum += 2.0 * sent;
      slowest = std::max(slowest, sent);
    }
    return latencies + (forwarding == forwarding_mode::cut_through ? slowest : sum);
  }
  /// Level by level from the accelerators; in each, all links up, then all links down.
  template <deferred = when_called>
  [[nodiscard]] auto links() const -> std::vector<link> {
    std::vector<link> all;
    std::size_t below = size();
    std::size_t first = 0; // number of the first switch of the level above
    for (std::size_t l = 0; l < arity.size(); ++l) {
      auto const child = [&](std::size_t i) {
        return l == 0 ? detail::accelerator(i) : detail::network_switch(first - below + i);
      };
      auto const parent = [&](std::size_t i) {
        return detail::network_switch(first + i / arity[l]);
      };
      for (std::size_t i = 0; i < below; ++i)
        all.push_back(detail::make_link(child(i), parent(i), bandwidth[l], hop(l)));
      for (std::size_t i = 0; i < below; ++i)
        all.push_back(detail::make_link(parent(i), child(i), bandwidth[l], hop(l)));
      below /= arity[l];
      first += below;
    }
    return all;
  }
  template <deferred = when_called>
  [[nodiscard]] auto route(accelerator_id from, accelerator_id to) const -> std::vector<link_id> {
    std::vector<link_id> up;
    std::vector<link_id> down;
    auto a = from.index();
    auto b = to.index();
    std::size_t base = 0;
    std::size_t count = size();
    for (std::size_t l = 0; a != b; a /= arity[l], b /= arity[l], ++l) {
      up.push_back(link_id{base + a});
      down.push_back(link_id{base + count + b});
      base += 2 * count;
      count /= arity[l];
    }
    for (auto i = down.size(); i-- > 0;) up.push_back(down[i]);
    return up;
  }
  template <deferred = when_called>
  [[nodiscard]] auto validate() const -> expected<void> {
    if (arity.empty()) return fail(error_code::out_of_range, "arity", "no level", "at least one");
    std::size_t n = 1;
    for (std::size_t l = 0; l < arity.size(); ++l) {
      if (arity[l] == 0)
        return fail(error_code::out_of_range, detail::at("arity", l), "0", "at least 1");
      n = detail::capped_product(n, arity[l]);
    }
    if (auto r = detail::check_count("arity", n); !r) return r;
    if (auto r = detail::check_length("bandwidth", bandwidth.size(), arity.size()); !r) return r;
    for (std::size_t l = 0; l < arity.size(); ++l)
      if (auto r = detail::check_bandwidth(detail::at("bandwidth", l), bandwidth[l]); !r) return r;
    if (latency.empty()) return {};
    if (auto r = detail::check_length("latency", latency.size(), arity.size()); !r) return r;
    for (std::size_t l = 0; l < arity.size(); ++l)
      if (auto r = detail::check_latency(detail::at("latency", l), latency[l]); !r) return r;
    return {};
  }

  friend auto operator==(fat_tree const&, fat_tree const&) -> bool = default;

private:
  [[nodiscard]] auto hop(std::size_t l) const -> seconds {
    return latency.empty() ? seconds{0} : latency[l];
  }
};

} // namespace mars::interconnect
