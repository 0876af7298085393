// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace mars::detail {

/// Dinic's algorithm in whole numbers, without recursion. O(V²E); of shallow networks far less.
/// Source: Dinitz, Soviet Mathematics Doklady 11, 1970.
template <deferred D = when_called>
class basic_max_flow {
public:
  static constexpr auto unlimited = std::numeric_limits<std::int64_t>::max() / 2;

  explicit basic_max_flow(std::size_t nodes) : arcs_of_(nodes) {}

  void add_arc(std::size_t from, std::size_t to, std::int64_t capacity) {
    arcs_of_[from].push_back(static_cast<std::uint32_t>(arcs_.size()));
    arcs_.push_back({static_cast<std::uint32_t>(to), capacity});
    arcs_of_[to].push_back(static_cast<std::uint32_t>(arcs_.size()));
    arcs_.push_back({static_cast<std::uint32_t>(from), 0});
  }

  [[nodiscard]] auto operator()(std::size_t source, std::size_t sink) -> std::int64_t {
    std::int64_t sum = 0;
    while (find_depths(source), depth_[sink] != unseen) {
      next_.assign(arcs_of_.size(), 0);
      for (std::int64_t pushed = 0; (pushed = push(source, sink)) > 0;) sum += pushed;
    }
    return sum;
  }
  /// After the call: can more be sent there from the source? The minimum cut lies between.
  [[nodiscard]] auto reached(std::size_t node) const -> bool { return depth_[node] != unseen; }

private:
  static constexpr std::uint32_t unseen = 0xFFFF'FFFFU;
  struct arc {
    std::uint32_t to;
    std::int64_t room;
  };

  void find_depths(std::size_t source) {
    depth_.assign(arcs_of_.size(), unseen);
    depth_[source] = 0;
    queue_.assign(1, static_cast<std::uint32_t>(source));
    for (std::size_t i = 0; i < queue_.size(); ++i)
      for (auto const a : arcs_of_[queue_[i]])
        if (arcs_[a].room > 0 && depth_[arcs_[a].to] == unseen) {
          depth_[arcs_[a].to] = depth_[queue_[i]] + 1;
          queue_.push_back(arcs_[a].to);
        }
  }

  /// Along one shortest path.
  [[nodiscard]] auto push(std::size_t source, std::size_t sink) -> std::int64_t {
    path_.clear();
    auto at = source;
    while (at != sink) {
      auto& i = next_[at];
      auto const& arcs = arcs_of_[at];
      while (i < arcs.size() &&
             !(arcs_[arcs[i]].room > 0 && depth_[arcs_[arcs[i]].to] == depth_[at] + 1))
        ++i;
      if (i < arcs.size()) {
        path_.push_back(arcs[i]);
        at = arcs_[arcs[i]].to;
      } else if (path_.empty()) {
        return 0;
      } else { // a dead end
        at = arcs_[path_.back() ^ 1U].to;
        ++next_[at];
        path_.pop_back();
      }
    }
    auto least = unlimited;
    for (auto const a : path_) least = std::min(least, arcs_[a].room);
    for (auto const a : path_) {
      arcs_[a].room -= least;
      arcs_[a ^ 1U].room += least;
    }
    return least;
  }

  later<std::vector<arc>, D> arcs_{}; ///< an arc's way back is its neighbour
  later<std::vector<std::vector<std::uint32_t>>, D> arcs_of_;
  later<std::vector<std::uint32_t>, D> depth_, next_, queue_, path_;
};

} // namespace mars::detail
