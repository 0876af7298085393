// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/detail/interner.hpp>
#include <mars/parallel/redistribution.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::detail {

/// Layouts by value; each distinct one is kept once, and axis by axis: few ways to divide an axis make
/// up many layouts.
template <deferred D = when_called>
class basic_layout_pool {
public:
  using axis_ids = inplace_vector<std::uint32_t, max_rank>;

  /// How an axis is divided: distinct intervals in order of their first ranks, and whose is which.
  struct axis_division {
    later<std::vector<interval>, D> parts;
    std::uint32_t grouping{}; ///< number of the list that says, by rank, which part
  };

  /// Precondition: boxes of one rank, at least one.
  [[nodiscard]] auto operator()(later<layout, D> const& l) -> std::uint32_t {
    axis_ids axes;
    for (std::size_t a = 0; a < l.front().size(); ++a) axes.push_back(add_axis(l, a));
    key_.assign(axes.begin(), axes.end());
    key_.push_back(static_cast<std::uint32_t>(l.size()));
    auto const id = ids_(key_);
    if (id == layouts_.size()) layouts_.push_back({axes, l.size(), group(distinct_boxes{l})});
    return id;
  }

  [[nodiscard]] auto axes(std::uint32_t id) const -> axis_ids const& { return layouts_[id].axes; }
  [[nodiscard]] auto division(std::uint32_t axis) const -> axis_division const& {
    return divisions_[axis];
  }
  /// Layouts of equal grouping give equal boxes to the same ranks.
  [[nodiscard]] auto grouping(std::uint32_t id) const -> std::uint32_t {
    return layouts_[id].grouping;
  }
  [[nodiscard]] auto operator[](std::uint32_t id) const -> later<layout, D> {
    later<layout, D> l(layouts_[id].ranks);
    for (auto const a : layouts_[id].axes) {
      auto const& [parts, grouping] = divisions_[a];
      for (std::size_t r = 0; r < l.size(); ++r) l[r].push_back(parts[groups_[grouping][r]]);
    }
    return l;
  }

private:
  struct entry {
    axis_ids axes;
    std::size_t ranks{};
    std::uint32_t grouping{};
  };

  [[nodiscard]] auto group(std::span<std::uint32_t const> part_of_rank) -> std::uint32_t {
    auto const id = groupings_({part_of_rank.begin(), part_of_rank.end()});
    if (id == groups_.size()) groups_.emplace_back(part_of_rank.begin(), part_of_rank.end());
    return id;
  }
  [[nodiscard]] auto group(later<distinct_boxes, D> const& boxes) -> std::uint32_t {
    return group(boxes.by_rank());
  }
  [[nodiscard]] auto add_axis(later<layout, D> const& l, std::size_t a) -> std::uint32_t {
    // Ranks that follow one another mostly have the same part or the next one.
    ends_.clear();
    for (auto const& box : l) ends_.push_back(box[a].begin), ends_.push_back(box[a].end);
    auto const id = axis_of_(ends_);
    if (id < divisions_.size()) return id;
    axis_division d;
    later<std::vector<std::uint32_t>, D> part_of_rank;
    later<std::unordered_map<std::int64_t, std::vector<std::uint32_t>>, D> by_begin;
    for (auto const& box : l) {
      auto& same_begin = by_begin[box[a].begin];
      auto const found = std::find_if(same_begin.begin(), same_begin.end(),
                                      [&](auto p) { return d.parts[p] == box[a]; });
      part_of_rank.push_back(
          found != same_begin.end() ? *found : static_cast<std::uint32_t>(d.parts.size()));
      if (found != same_begin.end()) continue;
      same_begin.push_back(part_of_rank.back());
      d.parts.push_back(box[a]);
    }
    d.grouping = group(part_of_rank);
    divisions_.push_back(std::move(d));
    return id;
  }

  later<interner<std::vector<std::uint32_t>>, D> ids_, groupings_;
  later<interner<std::vector<std::int64_t>>, D> axis_of_;
  std::vector<entry> layouts_;
  std::vector<axis_division> divisions_;
  later<std::vector<std::vector<std::uint32_t>>, D> groups_;
  later<std::vector<std::uint32_t>, D> key_;
  later<std::vector<std::int64_t>, D> ends_;
};
using layout_pool = basic_layout_pool<>;

} // namespace mars::detail
