// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/detail/ring_order.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace mars::collective {

/// Recursive halving and doubling in ⌈log₂ g⌉ rounds, on equal links α + S/b and g = 2^k:
///   all_gather, reduce_scatter  k·α + (g−1)/g·S/b
///   all_reduce                  2k·α + 2(g−1)/g·S/b
///   broadcast                   scatter by a binomial tree, then all_gather
///   all_to_all                  Bruck: k·(α + S/(2b))
///   shift                       one hop of a ring
/// Partners are taken near first or far first, whichever is faster, so that the large rounds stay
/// inside fast groups. Other g: all_reduce folds the extra members into their neighbours before and
/// unfolds them after; all_gather (and reduce_scatter, its mirror image) is Bruck's.
/// Prefer it for small and middle sizes on switches; rings and meshes make its far partners share
/// links, which is priced where routes are known.
/// Source: Thakur, Rabenseifner, Gropp, IJHPCA 2005; Bruck et al., IEEE TPDS 1997.
struct halving_doubling {
  template <Interconnect Net>
  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    auto const g = group.size();
    if (g < 2) return seconds{0};
    auto order = detail::sorted(group);
    auto const piece = detail::part(size, g);
    switch (kind) {
    case collective_kind::shift: return detail::shift_time(net, group, size);
    case collective_kind::all_reduce: return all_reduce(net, order, size);
    case collective_kind::all_gather:
    case collective_kind::reduce_scatter: return all_gather(net, order, piece);
    case collective_kind::all_to_all: return all_to_all(net, order, piece);
    case collective_kind::broadcast: break;
    }
    std::rotate(order.begin(), std::find(order.begin(), order.end(), group.front()), order.end());
    return detail::binomial_time(net, order, piece, false, false) + all_gather(net, order, piece);
  }
  template <Interconnect Net>
  [[nodiscard]] auto algorithm(Net const&, collective_kind, std::span<accelerator_id const>,
                               bytes) const -> std::string_view {
    return "halving-doubling";
  }

  friend constexpr auto operator==(halving_doubling, halving_doubling) -> bool = default;

private:
  /// Rounds of 1, 2, 4, … pieces between partners that differ in one bit of their rank.
  template <Interconnect Net>
  [[nodiscard]] static auto exchange(Net const& net, std::span<accelerator_id const> order,
                                     bytes piece) -> seconds {
    auto const n = order.size();
    seconds near_first{0};
    seconds far_first{0};
    std::vector<detail::flow> flows;
    auto const round = [&](std::size_t distance, std::size_t pieces) {
      flows.clear();
      for (std::size_t i = 0; i < n; ++i)
        flows.push_back({order[i], order[i ^ distance], detail::times(pieces, piece)});
      return detail::step_time(net, flows);
    };
    for (std::size_t pieces = 1; pieces < n; pieces *= 2) {
      near_first += round(pieces, pieces);
      far_first += round(n / (2 * pieces), pieces);
    }
    return std::min(near_first, far_first);
  }

  template <Interconnect Net>
  [[nodiscard]] static auto all_gather(Net const& net, std::span<accelerator_id const> order,
                                       bytes piece) -> seconds {
    auto const n = order.size();
    if (std::has_single_bit(n)) return exchange(net, order, piece);
    seconds sum{0};
    for (std::size_t distance = 1; distance < n; distance *= 2) {
      auto const pieces = std::min(distance, n - distance);
      sum += detail::step_time(net,
                               detail::rotation(order, n - distance, detail::times(pieces, piece)));
    }
    return sum;
  }

  template <Interconnect Net>
  [[nodiscard]] static auto all_reduce(Net const& net, std::span<accelerator_id const> order,
                                       bytes size) -> seconds {
    auto const core_size = std::bit_floor(order.size());
    auto const extra = order.size() - core_size;
    detail::ranks core;
    std::vector<detail::flow> fold;
    std::vector<detail::flow> unfold;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i < 2 * extra && i % 2 == 0) {
        fold.push_back({order[i], order[i + 1], size});
        unfold.push_back({order[i + 1], order[i], size});
      } else {
        core.push_back(order[i]);
      }
    }
    auto const inner = exchange(net, core, detail::part(size, core_size));
    return detail::step_time(net, fold) + 2.0 * inner + detail::step_time(net, unfold);
  }

  /// In the round of distance d a member passes on the pieces whose remaining way has bit d set.
  template <Interconnect Net>
  [[nodiscard]] static auto all_to_all(Net const& net, std::span<accelerator_id const> order,
                                       bytes piece) -> seconds {
    auto const n = order.size();
    seconds sum{0};
    for (std::size_t distance = 1; distance < n; distance *= 2) {
      std::size_t pieces = 0;
      for (std::size_t way = 1; way < n; ++way) pieces += (way & distance) != 0;
      sum +=
          detail::step_time(net, detail::rotation(order, distance, detail::times(pieces, piece)));
    }
    return sum;
  }
};

} // namespace mars::collective
