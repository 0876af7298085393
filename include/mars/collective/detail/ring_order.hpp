// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/detail/steps.hpp>
#include <mars/core/deferred.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace mars::collective::detail {

/// Looks for a cyclic order whose slowest hop is fast: rising ids, then nearest neighbour, then
/// 2-opt. Decided in whole picoseconds, so that every compiler finds the same ring. (The best order
/// is the bottleneck travelling salesman's; no guarantee is given beyond the start.)
template <deferred D = when_called>
class basic_ring_search {
public:
  template <Interconnect Net>
  basic_ring_search(Net const& net, std::span<accelerator_id const> group, bytes size)
      : nodes_{sorted(group)}, cost_(nodes_.size() * nodes_.size()) {
    auto const n = nodes_.size();
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = i + 1; j < n; ++j) {
        // The slower direction: a ring that is good one way only would not survive reversal.
        auto const t = std::max(to_picoseconds(net.transfer_time(nodes_[i], nodes_[j], size)),
                                to_picoseconds(net.transfer_time(nodes_[j], nodes_[i], size)));
        cost_[i * n + j] = cost_[j * n + i] = t;
      }
  }

  [[nodiscard]] auto best() const -> ranks {
    later<std::vector<std::size_t>, D> order(nodes_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    auto const limit = least_slowest_hop();
    if (order.size() > 3 && score(order).first > limit) {
      if (auto near = nearest_neighbour(); score(near) < score(order)) order = std::move(near);
      if (order.size() <= most_for_two_opt) two_opt(order, limit);
    }
    ranks out;
    for (auto const i : order) out.push_back(nodes_[i]);
    return out;
  }

private:
  using order_score = std::pair<picoseconds, picoseconds>; // slowest hop, sum of hops
  static constexpr std::size_t most_for_two_opt = 32;      // it costs O(n³) a round

  [[nodiscard]] auto cost(std::size_t i, std::size_t j) const -> picoseconds {
    return cost_[i * nodes_.size() + j];
  }
  [[nodiscard]] auto score(later<std::vector<std::size_t>, D> const& order) const -> order_score {
    order_score s{};
    for (std::size_t k = 0; k < order.size(); ++k) {
      auto const t = cost(order[k], order[(k + 1) % order.size()]);
      s.first = std::max(s.first, t);
      s.second = saturating_add(s.second, t);
    }
    return s;
  }
  /// Every member has two neighbours, so no ring beats the worst second-nearest distance.
  [[nodiscard]] auto least_slowest_hop() const -> picoseconds {
    picoseconds limit{};
    for (std::size_t i = 0; nodes_.size() > 2 && i < nodes_.size(); ++i) {
      auto first = never;
      auto second = never;
      for (std::size_t j = 0; j < nodes_.size(); ++j) {
        if (i == j) continue;
        auto const t = cost(i, j);
        second = std::min(second, std::max(first, t));
        first = std::min(first, t);
      }
      limit = std::max(limit, second);
    }
    return limit;
  }
  [[nodiscard]] auto nearest_neighbour() const -> later<std::vector<std::size_t>, D> {
    later<std::vector<std::size_t>, D> order{0};
    later<std::vector<bool>, D> used(nodes_.size());
    used[0] = true;
    while (order.size() < nodes_.size()) {
      auto next = nodes_.size();
      for (std::size_t j = 0; j < nodes_.size(); ++j)
        if (!used[j] && (next == nodes_.size() || cost(order.back(), j) < cost(order.back(), next)))
          next = j;
      used[next] = true;
      order.push_back(next);
    }
    return order;
  }
  /// Reverses a part of the ring wherever that is better, until it nowhere is. A reversal replaces
  /// two hops, so most are judged by these; `score` decides where a slowest hop would go.
  void two_opt(later<std::vector<std::size_t>, D>& order, picoseconds limit) const {
    auto current = score(order);
    auto const n = order.size();
    for (bool improved = true; improved && current.first > limit;) {
      improved = false;
      for (std::size_t i = 1; i + 1 < n; ++i)
        for (std::size_t j = i + 1; j < n; ++j) {
          auto const before = order[i - 1];
          auto const after = order[(j + 1) % n];
          order_score const now{std::max(cost(before, order[i]), cost(order[j], after)),
                                saturating_add(cost(before, order[i]), cost(order[j], after))};
          order_score const then{std::max(cost(before, order[j]), cost(order[i], after)),
                                 saturating_add(cost(before, order[j]), cost(order[i], after))};
          if (then.first > current.first) continue;
          if (now.first < current.first && then.second >= now.second) continue;
          auto const first = order.begin() + static_cast<std::ptrdiff_t>(i);
          auto const last = order.begin() + static_cast<std::ptrdiff_t>(j) + 1;
          std::reverse(first, last);
          if (auto const s = score(order); s < current) {
            current = s;
            improved = true;
          } else {
            std::reverse(first, last);
          }
        }
    }
  }

  ranks nodes_;
  later<std::vector<picoseconds>, D> cost_;
};
using ring_search = basic_ring_search<>;

/// The ring a group would use for messages of `size`, in its faster direction.
template <Interconnect Net>
[[nodiscard]] auto ring_order(Net const& net, std::span<accelerator_id const> group, bytes size)
    -> ranks {
  auto order = ring_search{net, group, size}.best();
  auto reversed = order;
  std::reverse(reversed.begin(), reversed.end());
  auto const forth = to_picoseconds(step_time(net, rotation(order, 1, size)));
  auto const back = to_picoseconds(step_time(net, rotation(reversed, 1, size)));
  return back < forth ? reversed : order;
}

/// A collective as steps in which every member passes a piece to the next one in the ring.
struct pieces_and_steps {
  bytes piece{};
  std::size_t steps{};
};
/// Precondition: not all_to_all, whose steps differ. Of a broadcast, g pieces in a pipeline.
[[nodiscard]] inline auto ring_steps(collective_kind kind, std::size_t members, bytes size)
    -> pieces_and_steps {
  if (kind == collective_kind::shift) return {size, 1};
  bool const once = kind == collective_kind::all_gather || kind == collective_kind::reduce_scatter;
  return {part(size, members), (once ? 1 : 2) * (members - 1)};
}

/// Every member passes `size` to its neighbour in the ring: the slowest hop.
template <Interconnect Net>
[[nodiscard]] auto shift_time(Net const& net, std::span<accelerator_id const> group, bytes size)
    -> seconds {
  return step_time(net, rotation(ring_order(net, group, size), 1, size));
}

} // namespace mars::collective::detail
