// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/detail/ring_order.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace mars::collective {

/// Pieces of S/g travel round a ring; t(x) is the time of the ring's slowest hop for x bytes.
///   all_gather, reduce_scatter  (g−1)·t(S/g)
///   all_reduce                  2(g−1)·t(S/g)
///   broadcast                   2(g−1)·t(S/g)       g pieces in a pipeline
///   all_to_all                  Σ_{k<g} t(k·S/g)    pieces are handed on until they are home
///   shift                       t(S)
/// Uses every link evenly: prefer it for large messages. Many steps: not for small ones.
/// Source: Patarasu and Yuan, JPDC 2009; the formulas of MARS (our reading).
struct ring {
  template <Interconnect Net>
  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    auto const g = group.size();
    if (g < 2) return seconds{0};
    if (kind == collective_kind::shift) return detail::shift_time(net, group, size);
    auto const piece = detail::part(size, g);
    auto const order = detail::ring_order(net, group, piece);
    auto const hop = [&](std::size_t pieces) {
      return detail::step_time(net, detail::rotation(order, 1, detail::times(pieces, piece)));
    };
    if (kind == collective_kind::all_to_all) {
      seconds sum{0};
      for (std::size_t k = 1; k < g; ++k) sum += hop(k);
      return sum;
    }
    return detail::times(detail::ring_steps(kind, g, size).steps, hop(1));
  }
  template <Interconnect Net>
  [[nodiscard]] auto algorithm(Net const&, collective_kind, std::span<accelerator_id const>,
                               bytes) const -> std::string_view {
    return "ring";
  }

  friend constexpr auto operator==(ring, ring) -> bool = default;
};

} // namespace mars::collective
