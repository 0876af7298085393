// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/parallel/layout.hpp>

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

/// The transfers that turn what the owners hold into what the receivers need: each missing box is
/// fetched from the best owner of it, and receivers that see equally good owners spread over them.
/// `owned` must be an `output_layout` (boxes disjoint or equal). Appends to `out`, by receiver.
/// Complexity: O(owners × receivers) box intersections.
inline void redistribution(layout const& owned, layout const& needed, proximity const& near,
                           std::vector<transfer>& out) {
  // Replicas of a cell are looked at together, at their first owner.
  std::vector<std::uint32_t> first_owner(owned.size());
  for (std::uint32_t i = 0; i < owned.size(); ++i) {
    std::uint32_t first = 0;
    while (first < i && !(first_owner[first] == first && owned[first] == owned[i])) ++first;
    first_owner[i] = first;
  }
  for (std::uint32_t to = 0; to < needed.size(); ++to) {
    for (std::uint32_t cell = 0; cell < owned.size(); ++cell) {
      if (first_owner[cell] != cell) continue;
      auto const missing = shared_volume(owned[cell], needed[to]);
      if (missing == 0) continue;
      double best = -1;
      std::uint32_t equally_good = 0;
      for (std::uint32_t i = cell; i < owned.size(); ++i)
        if (first_owner[i] == cell) {
          auto const value = near(i, to);
          if (value > best) best = value, equally_good = 0;
          if (value == best) ++equally_good;
        }
      if (best == proximity::itself) continue;
      auto turn = to % equally_good;
      for (std::uint32_t i = cell; i < owned.size(); ++i)
        if (first_owner[i] == cell && near(i, to) == best && turn-- == 0) {
          out.push_back({i, to, missing});
          break;
        }
    }
  }
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
