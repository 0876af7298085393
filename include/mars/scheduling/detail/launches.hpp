// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mars::detail {

/// What a schedule launches, in launch order: nodes, or groups of merged nodes, which run as one.
/// Precondition of everything here: the schedule is valid (`validate`).
template <deferred D = when_called>
struct basic_launches {
  static constexpr std::uint32_t no_group = 0xFFFF'FFFFU;
  struct launch {
    std::uint32_t first, count; ///< its nodes, as positions in the launch order
    std::uint32_t stream, stage;
    std::uint32_t group; ///< index of `merged`
  };

  later<std::vector<launch>, D> all{};
  later<std::vector<std::uint32_t>, D> of{}; ///< of each node its launch

  explicit basic_launches(later<stream_schedule, D> const& s) : of(s.launch_order.size()) {
    later<std::vector<std::uint32_t>, D> group(s.launch_order.size(), no_group);
    for (std::uint32_t g = 0; g < s.merged.size(); ++g)
      for (auto const v : s.merged[g]) group[v] = g;
    for (std::uint32_t i = 0; i < s.launch_order.size(); ++i) {
      auto const v = s.launch_order[i];
      if (group[v] != no_group && !all.empty() && all.back().group == group[v])
        ++all.back().count;
      else
        all.push_back(
            {i, 1, s.stream_of[v].value, s.stage_of.empty() ? 0 : s.stage_of[v], group[v]});
      of[v] = static_cast<std::uint32_t>(all.size() - 1);
    }
  }

  [[nodiscard]] auto size() const -> std::size_t { return all.size(); }
  [[nodiscard]] auto nodes(later<stream_schedule, D> const& s, std::size_t i) const
      -> std::span<std::uint32_t const> {
    return std::span<std::uint32_t const>{s.launch_order}.subspan(all[i].first, all[i].count);
  }
};
} // namespace mars::detail
