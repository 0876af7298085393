// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/parallel/layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace mars {

/// `elements` that the receiver, rank `to` of the consuming set, gets from rank `from` of the
/// producing set.
struct transfer {
  std::uint32_t from{};
  std::uint32_t to{};
  std::int64_t elements{};

  friend constexpr auto operator==(transfer const&, transfer const&) -> bool = default;
};

/// How well each receiver can be reached from each owner; larger is better, equal is equal, and
/// `itself` marks the same device. Row-major: owner × receiver.
struct proximity {
  static constexpr double itself = std::numeric_limits<double>::infinity();

  std::size_t owners{};
  std::size_t receivers{};
  std::vector<double> values;

  [[nodiscard]] auto operator()(std::size_t owner, std::size_t receiver) const -> double {
    return values[owner * receivers + receiver];
  }
};

/// The distinct boxes of an output layout in the order of their first owners, and who holds each.
class owned_cells {
public:
  owned_cells() = default;
  /// `owned` must be an `output_layout`: boxes disjoint or equal. O(ranks · boxes).
  explicit owned_cells(layout const& owned) {
    std::vector<std::uint32_t> cell_of(owned.size());
    for (std::uint32_t i = 0; i < owned.size(); ++i) {
      auto const same = std::find(boxes_.begin(), boxes_.end(), owned[i]) - boxes_.begin();
      cell_of[i] = static_cast<std::uint32_t>(same);
      if (cell_of[i] == boxes_.size()) boxes_.push_back(owned[i]);
    }
    first_.assign(boxes_.size() + 1, 0);
    for (auto const c : cell_of) ++first_[c + 1];
    for (std::size_t c = 1; c < first_.size(); ++c) first_[c] += first_[c - 1];
    owners_.resize(owned.size());
    auto next = first_;
    for (std::uint32_t i = 0; i < owned.size(); ++i) owners_[next[cell_of[i]]++] = i;
  }

  [[nodiscard]] auto boxes() const -> std::span<tensor_box const> { return boxes_; }
  /// Ranks, rising.
  [[nodiscard]] auto owners(std::size_t cell) const -> std::span<std::uint32_t const> {
    return std::span{owners_}.subspan(first_[cell], first_[cell + 1] - first_[cell]);
  }

private:
  std::vector<tensor_box> boxes_;
  std::vector<std::uint32_t> first_, owners_;
};

/// The transfers that turn what the owners hold into what the receivers need: each missing box is
/// fetched from the best owner of it, and receivers that see equally good owners spread over them.
/// Appends to `out`, by receiver. Complexity: O(boxes × receivers) intersections.
inline void redistribution(owned_cells const& owned, layout const& needed, proximity const& near,
                           std::vector<transfer>& out) {
  for (std::uint32_t to = 0; to < needed.size(); ++to)
    for (std::size_t cell = 0; cell < owned.boxes().size(); ++cell) {
      auto const missing = shared_volume(owned.boxes()[cell], needed[to]);
      if (missing == 0) continue;
      double best = -1;
      std::uint32_t equally_good = 0;
      for (auto const i : owned.owners(cell)) {
        auto const value = near(i, to);
        if (value > best) best = value, equally_good = 0;
        if (value == best) ++equally_good;
      }
      if (best == proximity::itself) continue;
      auto turn = to % equally_good;
      for (auto const i : owned.owners(cell))
        if (near(i, to) == best && turn-- == 0) {
          out.push_back({i, to, missing});
          break;
        }
    }
}
inline void redistribution(layout const& owned, layout const& needed, proximity const& near,
                           std::vector<transfer>& out) {
  redistribution(owned_cells{owned}, needed, near, out);
}

/// Elements each receiver misses; the largest over the receivers.
[[nodiscard]] inline auto largest_missing(std::span<transfer const> transfers,
                                          std::size_t receivers) -> std::int64_t {
  std::vector<std::int64_t> missing(receivers);
  std::int64_t largest = 0;
  for (auto const& t : transfers) largest = std::max(largest, missing[t.to] += t.elements);
  return largest;
}

} // namespace mars
