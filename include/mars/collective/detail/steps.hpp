// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/concept.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace mars::collective::detail {

/// One message of a step.
struct flow {
  accelerator_id from;
  accelerator_id to;
  bytes size;
};
using ranks = std::vector<accelerator_id>;

/// Size of the largest of `parts` parts.
[[nodiscard]] inline auto part(bytes size, std::size_t parts) -> bytes {
  auto const p = static_cast<std::int64_t>(parts);
  return bytes{size.count() / p + (size.count() % p != 0)};
}
[[nodiscard]] inline auto times(std::size_t n, bytes size) -> bytes {
  return static_cast<std::int64_t>(n) * size;
}
[[nodiscard]] inline auto times(std::size_t n, seconds t) -> seconds {
  return static_cast<double>(n) * t;
}

template <deferred = when_called>
[[nodiscard]] auto sorted(std::span<accelerator_id const> group) -> ranks {
  ranks order(group.begin(), group.end());
  sort_ascending(order);
  return order;
}

/// Bytes by link, for the few links that a step crosses (open addressing).
template <deferred D = when_called>
class basic_link_loads {
public:
  /// Has the link been loaded before?
  auto add(link_id id, bytes size) -> bool {
    if (2 * loads_.size() >= slots_.size()) grow();
    auto& slot = slots_[find(id)];
    if (slot == none) {
      slot = static_cast<std::uint32_t>(loads_.size());
      loads_.emplace_back(id, size);
      return false;
    }
    loads_[slot].second += size;
    return true;
  }
  [[nodiscard]] auto all() const -> std::span<std::pair<link_id, bytes> const> { return loads_; }

private:
  static constexpr auto none = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] auto find(link_id id) const -> std::size_t {
    auto at = id.value * 0x9E3779B1U & (slots_.size() - 1);
    while (slots_[at] != none && loads_[slots_[at]].first != id)
      at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void grow() {
    slots_.assign(2 * slots_.size(), none);
    for (std::uint32_t i = 0; i < loads_.size(); ++i) slots_[find(loads_[i].first)] = i;
  }

  later<std::vector<std::pair<link_id, bytes>>, D> loads_;
  later<std::vector<std::uint32_t>, D> slots_ =
      std::vector<std::uint32_t>(64, none); ///< into loads_
};
using link_loads = basic_link_loads<>;

/// A lower limit set by the links: where flows share one, it must carry all their bytes.
/// 0 where no link is shared, or where the interconnect does not tell its routes.
template <Interconnect Net>
[[nodiscard]] auto shared_link_time(Net const& net, std::span<flow const> flows) -> seconds {
  seconds worst{0};
  if constexpr (RoutedInterconnect<Net>) {
    link_loads loads;
    bool shared = false;
    for (auto const& f : flows) {
      auto const& route = net.route(f.from, f.to);
      for (auto const id : std::span<link_id const>{route}) shared |= loads.add(id, f.size);
    }
    // Listing links may cost more than all the rest, and most steps share none.
    if (!shared) return worst;
    auto const& all = net.links();
    std::span<link const> const links{all};
    for (auto const& [id, sum] : loads.all()) {
      auto const& l = links[id.index()];
      worst = std::max(worst, l.latency + sum / l.bandwidth);
    }
  }
  return worst;
}

/// Time of messages that start together, each member sending and receiving at most one (full
/// duplex): the slowest alone, or the most loaded link.
template <Interconnect Net>
[[nodiscard]] auto step_time(Net const& net, std::span<flow const> flows) -> seconds {
  auto worst = shared_link_time(net, flows);
  for (auto const& f : flows) worst = std::max(worst, net.transfer_time(f.from, f.to, f.size));
  return worst;
}

/// Binomial gather to the first rank, or scatter from it: the subtree of each sender has up to 2^r
/// members, each with `piece` bytes. `whole`: every message is `piece` (reduction or broadcast).
template <Interconnect Net, deferred D = when_called>
[[nodiscard]] auto binomial_time(Net const& net, std::span<accelerator_id const> order, bytes piece,
                                 bool whole, bool to_root) -> seconds {
  seconds sum{0};
  auto const n = order.size();
  later<std::vector<flow>, D> flows;
  for (std::size_t distance = 1; distance < n; distance *= 2) {
    flows.clear();
    for (std::size_t i = 0; i + distance < n; i += 2 * distance) {
      auto const below = std::min(distance, n - (i + distance));
      auto const size = whole ? piece : times(below, piece);
      auto const child = order[i + distance];
      flows.push_back(to_root ? flow{child, order[i], size} : flow{order[i], child, size});
    }
    sum += step_time(net, flows);
  }
  return sum;
}

/// Rank i sends to rank i + distance, cyclically.
template <deferred D = when_called>
[[nodiscard]] auto rotation(std::span<accelerator_id const> order, std::size_t distance, bytes size)
    -> later<std::vector<flow>, D> {
  later<std::vector<flow>, D> flows;
  for (std::size_t i = 0; i < order.size(); ++i)
    flows.push_back({order[i], order[(i + distance) % order.size()], size});
  return flows;
}

} // namespace mars::collective::detail
