// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/ring.hpp>
#include <mars/interconnect/components.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::collective {

/// Two levels: fast neighbourhoods of m members each, found in the interconnect (the coarsest split
/// of the group by bandwidth into parts of one size above one). Members of equal position form m
/// counterpart groups, which work across neighbourhoods at the same time.
///   all_reduce      reduce_scatter S inside, all_reduce S/m across, all_gather S inside
///   reduce_scatter  inside S, then across S/m;  all_gather: across S/m, then inside S
///   broadcast       across from the root, then inside
///   all_to_all      inside S, by position of the destination, then across S
///   shift           one hop of a ring
/// Counterpart groups that share links slow each other down: their time is stretched as much as one
/// ring step of all of them together is slower than of one alone (exact for rings).
/// Where there is no such split it is `Inner` on the whole group. Prefer it when links between
/// nodes are slower than inside. Finding the split costs O(g² log g).
template <class Inner = ring, class Outer = ring>
struct hierarchical {
  Inner inner{};
  Outer outer{};

  template <Interconnect Net>
  [[nodiscard]] auto time(Net const& net, collective_kind kind,
                          std::span<accelerator_id const> group, bytes size) const -> seconds {
    if (group.size() < 2) return seconds{0};
    if (kind == collective_kind::shift) return detail::shift_time(net, group, size);
    auto const parts = neighbourhoods(net, group);
    if (parts.empty()) return inner.time(net, kind, group, size);
    auto const m = parts.front().size();
    auto const inside = [&](collective_kind k) {
      seconds worst{0};
      for (auto const& p : parts) worst = std::max(worst, inner.time(net, k, p, size));
      return worst;
    };
    auto const across = [&](collective_kind k, bytes s) { return outer_time(net, k, parts, s); };
    auto const share = detail::part(size, m);
    switch (kind) {
    case collective_kind::all_reduce:
      return inside(collective_kind::reduce_scatter) + across(kind, share) +
             inside(collective_kind::all_gather);
    case collective_kind::all_gather:
    case collective_kind::reduce_scatter: return inside(kind) + across(kind, share);
    case collective_kind::all_to_all: return inside(kind) + across(kind, size);
    case collective_kind::broadcast: return broadcast(net, parts, group.front(), size);
    case collective_kind::shift: break;
    }
    return infinite_seconds;
  }
  template <Interconnect Net>
  [[nodiscard]] auto algorithm(Net const&, collective_kind, std::span<accelerator_id const>,
                               bytes) const -> std::string_view {
    return "hierarchical";
  }

  friend constexpr auto operator==(hierarchical const&, hierarchical const&) -> bool = default;

private:
  using parts_type = interconnect::partition;

  template <class Net>
  [[nodiscard]] static auto neighbourhoods(Net const& net, std::span<accelerator_id const> group)
      -> parts_type {
    auto levels = interconnect::partitions_by_bandwidth(net, group);
    for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
      auto const m = level->front().size();
      if (level->size() > 1 && m > 1 &&
          std::all_of(level->begin(), level->end(), [m](auto const& p) { return p.size() == m; }))
        return std::move(*level);
    }
    return {};
  }

  [[nodiscard]] static auto counterparts(parts_type const& parts, std::size_t position)
      -> detail::ranks {
    detail::ranks members;
    for (auto const& p : parts) members.push_back(p[position]);
    return members;
  }

  template <class Net>
  [[nodiscard]] auto outer_time(Net const& net, collective_kind kind, parts_type const& parts,
                                bytes size) const -> seconds {
    seconds worst{0};
    seconds alone{0};
    std::vector<detail::flow> together;
    auto const piece = detail::part(size, parts.size());
    for (std::size_t position = 0; position < parts.front().size(); ++position) {
      auto const members = counterparts(parts, position);
      worst = std::max(worst, outer.time(net, kind, members, size));
      auto const step = detail::rotation(detail::ring_order(net, members, piece), 1, piece);
      alone = std::max(alone, detail::step_time(net, step));
      together.insert(together.end(), step.begin(), step.end());
    }
    if (!(alone.count() > 0)) return worst;
    return std::max(1.0, detail::step_time(net, together) / alone) * worst;
  }

  template <class Net>
  [[nodiscard]] auto broadcast(Net const& net, parts_type const& parts, accelerator_id root,
                               bytes size) const -> seconds {
    std::size_t position = 0;
    std::size_t home = 0;
    for (std::size_t i = 0; i < parts.size(); ++i)
      for (std::size_t j = 0; j < parts[i].size(); ++j)
        if (parts[i][j] == root) {
          home = i;
          position = j;
        }
    auto leaders = counterparts(parts, position);
    std::swap(leaders.front(), leaders[home]);
    seconds worst{0};
    for (auto p : parts) {
      std::swap(p.front(), p[position]);
      worst = std::max(worst, inner.time(net, collective_kind::broadcast, p, size));
    }
    return outer.time(net, collective_kind::broadcast, leaders, size) + worst;
  }
};

} // namespace mars::collective
