// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/hash.hpp>
#include <mars/parallel/layout.hpp>

#include <algorithm>
#include <bit>
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

/// A layout by its distinct boxes, numbered in the order of their first ranks.
template <deferred D = when_called>
class basic_distinct_boxes {
public:
  basic_distinct_boxes() = default;
  /// O(ranks).
  explicit basic_distinct_boxes(later<layout, D> const& l) {
    box_of_.reserve(l.size());
    // Numbers of boxes by hash, open addressing.
    later<std::vector<std::uint32_t>, D> known(std::bit_ceil(2 * l.size() + 1), none);
    auto const mask = known.size() - 1;
    for (auto const& box : l) {
      auto at = hash_of(box) & mask;
      while (known[at] != none && !(boxes_[known[at]] == box)) at = (at + 1) & mask;
      if (known[at] == none) {
        known[at] = static_cast<std::uint32_t>(boxes_.size());
        boxes_.push_back(box);
      }
      box_of_.push_back(known[at]);
    }
    first_.assign(boxes_.size() + 1, 0);
    for (auto const b : box_of_) ++first_[b + 1];
    for (std::size_t b = 1; b < first_.size(); ++b) first_[b] += first_[b - 1];
    ranks_.resize(l.size());
    auto next = first_;
    for (std::uint32_t r = 0; r < l.size(); ++r) ranks_[next[box_of_[r]]++] = r;
  }

  [[nodiscard]] auto boxes() const -> std::span<tensor_box const> { return boxes_; }
  /// Number of the box of each rank.
  [[nodiscard]] auto by_rank() const -> std::span<std::uint32_t const> { return box_of_; }
  /// Who has that box, rising.
  [[nodiscard]] auto ranks(std::size_t box) const -> std::span<std::uint32_t const> {
    return std::span{ranks_}.subspan(first_[box], first_[box + 1] - first_[box]);
  }

private:
  static constexpr auto none = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] static auto hash_of(tensor_box const& box) -> std::size_t {
    std::uint64_t h = 0;
    for (auto const& i : box)
      h = (h + static_cast<std::uint64_t>(i.begin)) * 0x9E3779B97F4A7C15U +
          static_cast<std::uint64_t>(i.end);
    return static_cast<std::size_t>(mix64(h));
  }

  later<std::vector<tensor_box>, D> boxes_;
  later<std::vector<std::uint32_t>, D> box_of_, first_, ranks_;
};
using distinct_boxes = basic_distinct_boxes<>;

/// A tensor between two layouts: which of the owned boxes each needed box meets, and in how many
/// elements. What is owned must be an `output_layout`: boxes disjoint or equal.
template <deferred D = when_called>
class basic_movement {
public:
  struct part {
    std::uint32_t owned{}; ///< number of the owned box
    std::int64_t elements{};
  };

  /// O(ranks + owned boxes · needed boxes), distinct ones.
  basic_movement(later<layout, D> const& from, later<layout, D> const& to)
      : owned_{from}, needed_{to} {
    first_.reserve(needed_.boxes().size() + 1);
    first_.push_back(0);
    for (auto const& box : needed_.boxes()) {
      for (std::uint32_t i = 0; i < owned_.boxes().size(); ++i)
        if (auto const n = shared_volume(owned_.boxes()[i], box); n > 0) parts_.push_back({i, n});
      first_.push_back(static_cast<std::uint32_t>(parts_.size()));
    }
  }

  [[nodiscard]] auto owned() const -> distinct_boxes const& { return owned_; }
  [[nodiscard]] auto needed() const -> distinct_boxes const& { return needed_; }
  /// Of what a receiver needs, by number of the owned box, rising.
  [[nodiscard]] auto parts(std::size_t receiver) const -> std::span<part const> {
    auto const box = needed_.by_rank()[receiver];
    return std::span{parts_}.subspan(first_[box], first_[box + 1] - first_[box]);
  }

private:
  distinct_boxes owned_, needed_;
  std::vector<part> parts_;
  later<std::vector<std::uint32_t>, D> first_; ///< by needed box
};
using movement = basic_movement<>;

/// Whom each receiver asks for each owned box: the best owner, and receivers that see equally good
/// owners spread over them. It depends on who owns the same, not on what.
template <deferred D = when_called>
class basic_senders {
public:
  static constexpr auto itself = std::numeric_limits<std::uint32_t>::max(); ///< nobody: it has it

  basic_senders() = default;
  /// O(owners · receivers).
  basic_senders(later<distinct_boxes, D> const& owned, proximity const& near)
      : boxes_{owned.boxes().size()}, rank_(boxes_ * near.receivers) {
    for (std::uint32_t to = 0; to < near.receivers; ++to)
      for (std::size_t box = 0; box < boxes_; ++box)
        rank_[to * boxes_ + box] = choose(owned.ranks(box), near, to);
  }

  [[nodiscard]] auto operator()(std::size_t receiver, std::size_t box) const -> std::uint32_t {
    return rank_[receiver * boxes_ + box];
  }

private:
  [[nodiscard]] static auto choose(std::span<std::uint32_t const> owners, proximity const& near,
                                   std::uint32_t to) -> std::uint32_t {
    double best = -1;
    std::uint32_t equally_good = 0;
    for (auto const i : owners) {
      auto const value = near(i, to);
      if (value > best) best = value, equally_good = 0;
      if (value == best) ++equally_good;
    }
    if (best == proximity::itself) return itself;
    auto turn = to % equally_good;
    for (auto const i : owners)
      if (near(i, to) == best && turn-- == 0) return i;
    return itself; // not reached: somebody is the best
  }

  std::size_t boxes_{};
  later<std::vector<std::uint32_t>, D> rank_;
};
using senders = basic_senders<>;

/// The transfers that turn what the owners hold into what the receivers need: each missing box is
/// fetched from the best owner of it (`senders`). Appends to `out`, by receiver. Complexity:
/// O(boxes² + owners × receivers).
template <deferred D = when_called>
void redistribution(later<layout, D> const& owned, later<layout, D> const& needed,
                    proximity const& near, later<std::vector<transfer>, D>& out) {
  movement const moved{owned, needed};
  senders const sender{moved.owned(), near};
  for (std::uint32_t to = 0; to < needed.size(); ++to)
    for (auto const& part : moved.parts(to))
      if (auto const from = sender(to, part.owned); from != senders::itself)
        out.push_back({from, to, part.elements});
}

/// Elements each receiver misses; the largest over the receivers.
template <deferred D = when_called>
[[nodiscard]] auto largest_missing(std::span<transfer const> transfers, std::size_t receivers)
    -> std::int64_t {
  later<std::vector<std::int64_t>, D> missing(receivers);
  std::int64_t largest = 0;
  for (auto const& t : transfers) largest = std::max(largest, missing[t.to] += t.elements);
  return largest;
}

} // namespace mars
