// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/detail/ring_order.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace mars::collective {

/// Everyone sends to everyone at once; a receiver takes its messages one after another. On equal
/// links α + S/b:
///   all_gather, reduce_scatter, all_to_all  (g−1)·(α + S/(g·b))
///   all_reduce                              reduce_scatter, then all_gather
///   broadcast                               (g−1)·(α + S/b), the root sends one after another
///   shift                                   one hop of a ring
/// Prefer it for all_to_all where every pair has a path of its own.
struct direct {
  template <Interconnect Net>
  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    if (group.size() < 2) return seconds{0};
    if (kind == collective_kind::shift) return detail::shift_time(net, group, size);
    if (kind == collective_kind::broadcast) {
      seconds sum{0};
      for (auto const to : group) sum += net.transfer_time(group.front(), to, size);
      return sum;
    }
    auto const order = detail::sorted(group);
    auto const piece = detail::part(size, order.size());
    std::vector<detail::flow> flows;
    seconds worst{0};
    for (auto const to : order) {
      seconds sum{0};
      for (auto const from : order) {
        if (from == to) continue;
        flows.push_back({from, to, piece});
        sum += net.transfer_time(from, to, piece);
      }
      worst = std::max(worst, sum);
    }
    worst = std::max(worst, detail::shared_link_time(net, flows));
    return kind == collective_kind::all_reduce ? 2.0 * worst : worst;
  }
  template <Interconnect Net>
  [[nodiscard]] auto algorithm(Net const&, collective_kind, std::span<accelerator_id const>,
                               bytes) const -> std::string_view {
    return "direct";
  }

  friend constexpr auto operator==(direct, direct) -> bool = default;
};

} // namespace mars::collective
