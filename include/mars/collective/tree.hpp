// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/detail/ring_order.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace mars::collective {

/// A binomial tree of ⌈log₂ g⌉ rounds, on equal links α + S/b:
///   broadcast   log₂g·(α + S/b)
///   all_reduce  2·log₂g·(α + S/b)                      reduce to the root, then broadcast
///   all_gather  gather, then broadcast                 reduce_scatter: reduce, then scatter
///   all_to_all  gather everything at the root, then scatter
///   shift       one hop of a ring
/// Few steps but whole buffers: prefer it for small broadcasts and reductions.
/// Source: Thakur, Rabenseifner, Gropp, IJHPCA 2005.
struct tree {
  template <Interconnect Net>
  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    auto const g = group.size();
    if (g < 2) return seconds{0};
    if (kind == collective_kind::shift) return detail::shift_time(net, group, size);
    auto order = detail::sorted(group);
    if (kind == collective_kind::broadcast) // the root is the first of the group
      std::rotate(order.begin(), std::find(order.begin(), order.end(), group.front()), order.end());
    auto const piece = detail::part(size, g);
    auto const gather = [&](bytes b) { return detail::binomial_time(net, order, b, false, true); };
    auto const scatter = [&](bytes b) {
      return detail::binomial_time(net, order, b, false, false);
    };
    auto const reduce = [&] { return detail::binomial_time(net, order, size, true, true); };
    auto const broadcast = [&] { return detail::binomial_time(net, order, size, true, false); };
    switch (kind) {
    case collective_kind::all_reduce: return reduce() + broadcast();
    case collective_kind::all_gather: return gather(piece) + broadcast();
    case collective_kind::reduce_scatter: return reduce() + scatter(piece);
    case collective_kind::broadcast: return broadcast();
    case collective_kind::all_to_all: return gather(size) + scatter(size);
    case collective_kind::shift: break;
    }
    return infinite_seconds;
  }
  template <Interconnect Net>
  [[nodiscard]] auto algorithm(Net const&, collective_kind, std::span<accelerator_id const>,
                               bytes) const -> std::string_view {
    return "tree";
  }

  friend constexpr auto operator==(tree, tree) -> bool = default;
};

} // namespace mars::collective
