// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/activity.hpp>
#include <mars/interconnect/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace mars {

/// What a link has carried.
struct link_use {
  bytes carried{};
  picoseconds busy{}; ///< while it carried anything

  friend constexpr auto operator==(link_use const&, link_use const&) -> bool = default;
};

/// One link on the way of a message that meets nobody: first its latency, then its bytes.
struct passage {
  picoseconds latency{};
  picoseconds sending{};
};

/// The transfers of a plan on their links: what a sharing policy works on.
///
/// `ways()[first_place(a) + k]` is the k-th link of transfer a. Whole picoseconds are made of sums
/// along the route, so that they add up to the time alone: stored and forwarded, all passages; cut
/// through, all latencies and the (one) sending.
template <deferred D = when_called>
class basic_traffic {
public:
  /// O(links crossed). Precondition: routes name links of `links`.
  basic_traffic(later<activity_graph, D> const& plan, std::span<link const> links,
                forwarding_mode forwarding)
      : plan_{&plan}, links_{links}, forwarding_{forwarding}, ways_(plan.place_count()) {
    for (std::size_t i = 0; i < plan.size(); ++i)
      if (activity_id const a{i}; plan.kind(a) == activity_kind::transfer) divide(a);
  }

  [[nodiscard]] auto plan() const -> later<activity_graph, D> const& { return *plan_; }
  [[nodiscard]] auto links() const -> std::span<link const> { return links_; }
  [[nodiscard]] auto forwarding() const -> forwarding_mode { return forwarding_; }
  [[nodiscard]] auto cuts_through() const -> bool {
    return forwarding_ == forwarding_mode::cut_through;
  }
  [[nodiscard]] auto ways() const -> std::span<passage const> { return ways_; }

private:
  void divide(activity_id a) {
    auto const route = plan_->places(a);
    auto const alone = plan_->duration(a);
    auto const size = plan_->moved(a);
    auto* way = ways_.data() + plan_->first_place(a);
    seconds so_far{0};
    picoseconds passed{};
    for (std::size_t k = 0; k < route.size(); ++k) {
      auto const& l = links_[route[k]];
      bool const last = k + 1 == route.size();
      so_far += cuts_through() ? l.latency : l.latency + size / l.bandwidth;
      auto until = std::min(alone, to_picoseconds(so_far));
      if (last && !cuts_through()) until = alone;
      way[k].latency =
          cuts_through() ? until - passed : std::min(until - passed, to_picoseconds(l.latency));
      way[k].sending = until - passed - way[k].latency;
      passed = until;
    }
    for (std::size_t k = 0; cuts_through() && k < route.size(); ++k)
      way[k].sending = alone - passed;
  }

  later<activity_graph, D> const* plan_;
  std::span<link const> links_;
  forwarding_mode forwarding_;
  later<std::vector<passage>, D> ways_;
};
using traffic = basic_traffic<>;

} // namespace mars
