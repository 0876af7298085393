// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mars {

/// One dimension cut into `ways` shards.
struct cut {
  std::uint8_t dim{};
  std::int32_t ways{1};

  friend constexpr auto operator==(cut const&, cut const&) -> bool = default;
};

/// Enough for every way to cut for up to 64 devices, since a cut has two ways or more.
inline constexpr std::size_t max_cuts = 6;
/// Parts of an uneven cut.
inline constexpr std::size_t max_parts = 16;

/// How the devices of a set divide one operator.
///
/// *Exclusive* cuts give every device its own part of the iteration space. Devices are numbered
/// row-major over the cuts as listed: the first cut varies slowest. What the ways leave over,
/// set size / Π ways, is replication: that many devices do the same work.
///
/// The *shared* cut (MARS's SS, Super-LIP's XFER) is for a tensor that the exclusive cuts replicate
/// on a group of devices: each keeps 1/ways of it along the dimension, and the parts travel round a
/// ring in `ways` phases, overlapped with the computation on the part at hand. Which tensor that is
/// follows: see `rotating_operand`.
///
/// A cut reduction dimension leaves partial sums. They are all-reduced, or, with `scatter`,
/// reduce-scattered: each device of the group keeps its part of the result along that dimension.
///
/// Parts are as even as they can be, or, for devices of unlike speed, as `parts` says: iterations of
/// each part of the first cut, in order. Uneven parts neither rotate nor scatter.
struct sharding {
  inplace_vector<cut, max_cuts> exclusive;
  std::optional<cut> shared;
  std::optional<std::uint8_t> scatter;
  inplace_vector<std::int32_t, max_parts> parts{}; ///< empty: even

  friend auto operator==(sharding const&, sharding const&) -> bool = default;
};

/// Shards the exclusive cuts make: Π ways.
[[nodiscard]] inline auto shard_count(sharding const& s) -> std::int64_t {
  std::int64_t n = 1;
  for (auto const& c : s.exclusive) n *= c.ways;
  return n;
}

/// Ways of the exclusive cut along `dim`, 1 if there is none.
[[nodiscard]] inline auto ways_along(sharding const& s, std::size_t dim) -> std::int32_t {
  for (auto const& c : s.exclusive)
    if (c.dim == dim) return c.ways;
  return 1;
}

/// Part `index` of `whole` cut into `ways`: the first `size mod ways` parts are one longer.
[[nodiscard]] constexpr auto part_of(interval whole, std::int64_t ways, std::int64_t index)
    -> interval {
  auto const quotient = whole.size() / ways;
  auto const remainder = whole.size() % ways;
  auto const begin = whole.begin + index * quotient + std::min(index, remainder);
  return {begin, begin + quotient + (index < remainder ? 1 : 0)};
}

/// The `index`-th part of exclusive cut number `i`.
[[nodiscard]] constexpr auto part_of_cut(sharding const& s, std::size_t i, interval whole,
                                         std::int64_t index) -> interval {
  if (i != 0 || s.parts.empty()) return part_of(whole, s.exclusive[i].ways, index);
  for (std::int64_t k = 0; k < index; ++k) whole.begin += s.parts[static_cast<std::size_t>(k)];
  return {whole.begin, whole.begin + s.parts[static_cast<std::size_t>(index)]};
}

/// Index of a device along each exclusive cut; the last entry is its replica number.
using coordinates = inplace_vector<std::int64_t, max_cuts + 1>;

template <deferred = when_called>
[[nodiscard]] auto coordinates_of(sharding const& s, std::size_t set_size, std::size_t rank)
    -> coordinates {
  auto const replicas = set_size / static_cast<std::size_t>(shard_count(s));
  coordinates result;
  for (std::size_t i = 0; i < s.exclusive.size(); ++i) result.push_back(0);
  result.push_back(static_cast<std::int64_t>(rank % replicas));
  auto rest = static_cast<std::int64_t>(rank / replicas);
  for (std::size_t i = s.exclusive.size(); i-- > 0; rest /= s.exclusive[i].ways)
    result[i] = rest % s.exclusive[i].ways;
  return result;
}

/// The iterations a device owns (all phases of a shared cut together).
template <deferred = when_called>
[[nodiscard]] auto shard_box(operation const& op, sharding const& s, std::size_t set_size,
                             std::size_t rank) -> iteration_box {
  auto box = full_box(op);
  auto const at = coordinates_of(s, set_size, rank);
  for (std::size_t i = 0; i < s.exclusive.size(); ++i)
    box[s.exclusive[i].dim] = part_of_cut(s, i, box[s.exclusive[i].dim], at[i]);
  return box;
}

/// Extents of the largest shard: ⌈extent / ways⌉, or the largest of uneven parts.
[[nodiscard]] inline auto shard_extents(operation const& op, sharding const& s) -> extents {
  auto e = full_extents(op);
  for (auto const& c : s.exclusive) e[c.dim] = ceil_div(e[c.dim], c.ways);
  if (!s.parts.empty()) e[s.exclusive[0].dim] = *std::max_element(s.parts.begin(), s.parts.end());
  return e;
}

/// Extents of the critical shard in its largest phase.
[[nodiscard]] inline auto phase_extents(operation const& op, sharding const& s) -> extents {
  auto e = shard_extents(op, s);
  if (s.shared) e[s.shared->dim] = ceil_div(e[s.shared->dim], s.shared->ways);
  return e;
}

/// What a design is asked to price on one device: with even parts the same everywhere, the largest
/// phase of the largest shard; with uneven parts the device's own.
[[nodiscard]] inline auto rank_extents(operation const& op, sharding const& s, std::size_t set_size,
                                       std::size_t rank) -> extents {
  auto e = phase_extents(op, s);
  if (!s.parts.empty())
    e[s.exclusive[0].dim] = s.parts[static_cast<std::size_t>(coordinates_of(s, set_size, rank)[0])];
  return e;
}

/// Ranks of a set that differ only along some of a sharding's cuts: groups of one size, which divide
/// the set. All are the first one moved, so that one walk over `offsets` lists any of them.
template <deferred = when_called>
class basic_rank_groups {
public:
  /// Members may differ along the exclusive cuts for which `differ(cut)`, and as replicas or not.
  template <class Differ>
  basic_rank_groups(sharding const& s, std::size_t set_size, bool as_replicas,
                    Differ const& differ) {
    // A rank is a number whose last digit tells replicas apart and whose first the first cut.
    auto stride = set_size / static_cast<std::size_t>(shard_count(s));
    if (as_replicas) add_digit(1, stride);
    for (auto i = s.exclusive.size(); i-- > 0;) {
      auto const ways = static_cast<std::size_t>(s.exclusive[i].ways);
      if (differ(s.exclusive[i])) add_digit(stride, ways);
      stride *= ways;
    }
  }

  [[nodiscard]] auto size() const -> std::size_t { return size_; }
  /// The smallest rank of the group that `rank` is in.
  [[nodiscard]] auto first(std::size_t rank) const -> std::size_t {
    auto smallest = rank;
    for (auto const& d : digits_) smallest -= d.of(rank) * d.stride;
    return smallest;
  }
  /// How many members are smaller than `rank`.
  [[nodiscard]] auto place(std::size_t rank) const -> std::size_t {
    std::size_t place = 0;
    for (auto i = digits_.size(); i-- > 0;) place = place * digits_[i].ways + digits_[i].of(rank);
    return place;
  }
  /// What to add to the first member for each of them, rising from 0.
  [[nodiscard]] auto offsets() const -> std::vector<std::size_t> {
    std::vector<std::size_t> all{0};
    all.reserve(size_);
    for (auto const& d : digits_) {
      auto const finer = all.size();
      for (std::size_t step = 1; step < d.ways; ++step)
        for (std::size_t i = 0; i < finer; ++i) all.push_back(all[i] + step * d.stride);
    }
    return all;
  }
  [[nodiscard]] auto members(std::size_t rank) const -> std::vector<std::size_t> {
    auto all = offsets();
    for (auto& r : all) r += first(rank);
    return all;
  }

private:
  struct digit {
    std::size_t stride{};
    std::size_t ways{};

    [[nodiscard]] constexpr auto of(std::size_t rank) const -> std::size_t {
      return rank / stride % ways;
    }
  };
  void add_digit(std::size_t stride, std::size_t ways) {
    if (ways < 2) return;
    digits_.push_back({stride, ways});
    size_ *= ways;
  }

  inplace_vector<digit, max_cuts + 1> digits_; // the least significant first
  std::size_t size_{1};
};
using rank_groups = basic_rank_groups<>;

/// Devices that hold the same part of an operand: those that differ only along cuts which do not
/// index it, and replicas.
template <deferred = when_called>
[[nodiscard]] auto replication_groups(operand const& t, sharding const& s, std::size_t set_size)
    -> rank_groups {
  return {s, set_size, true, [&t](cut const& c) { return !indexes(t, c.dim); }};
}
/// The one that `rank` is in, rising.
template <deferred = when_called>
[[nodiscard]] auto replication_group(operation const& op, operand const& t, sharding const& s,
                                     std::size_t set_size, std::size_t rank)
    -> std::vector<std::size_t> {
  (void)op;
  return replication_groups(t, s, set_size).members(rank);
}

/// Size of that group, the same for every device.
[[nodiscard]] inline auto replication(operand const& t, sharding const& s, std::size_t set_size)
    -> std::int64_t {
  std::int64_t distinct = 1;
  for (auto const& c : s.exclusive)
    if (indexes(t, c.dim)) distinct *= c.ways;
  return static_cast<std::int64_t>(set_size) / distinct;
}

/// Devices whose partial sums add up: those that differ only along cut reduction dimensions.
template <deferred = when_called>
[[nodiscard]] auto partial_sum_groups(operation const& op, sharding const& s, std::size_t set_size)
    -> rank_groups {
  return {s, set_size, false,
          [&op](cut const& c) { return op.dims[c.dim].kind == dim_kind::reduction; }};
}
/// The one that `rank` is in, rising.
template <deferred = when_called>
[[nodiscard]] auto partial_sum_group(operation const& op, sharding const& s, std::size_t set_size,
                                     std::size_t rank) -> std::vector<std::size_t> {
  return partial_sum_groups(op, s, set_size).members(rank);
}

/// Size of that group: Π ways over reduction dimensions.
[[nodiscard]] inline auto partial_sums(operation const& op, sharding const& s) -> std::int64_t {
  std::int64_t g = 1;
  for (auto const& c : s.exclusive)
    if (op.dims[c.dim].kind == dim_kind::reduction) g *= c.ways;
  return g;
}

/// The operand that a shared cut keeps in parts: the first weight, else the first input, that the
/// dimension indexes and that exactly `ways` devices would hold alike. Null if there is none.
[[nodiscard]] inline auto rotating_operand(operation const& op, sharding const& s,
                                           std::size_t set_size) -> operand const* {
  if (!s.shared) return nullptr;
  for (auto const wanted : {role::weight, role::input})
    for (auto const& t : op.operands)
      if (t.role == wanted && indexes(t, s.shared->dim) &&
          replication(t, s, set_size) == s.shared->ways)
        return &t;
  return nullptr;
}

/// The iterations of a device in one phase of a shared cut; the part it starts with is its rank in
/// the replication group of the rotating operand, and parts arrive in rising order.
template <deferred = when_called>
[[nodiscard]] auto phase_box(operation const& op, sharding const& s, std::size_t set_size,
                             std::size_t rank, std::int64_t phase) -> iteration_box {
  auto box = shard_box(op, s, set_size, rank);
  auto const* rotating = rotating_operand(op, s, set_size);
  if (rotating == nullptr) return box;
  auto const place =
      static_cast<std::int64_t>(replication_groups(*rotating, s, set_size).place(rank));
  auto const ways = static_cast<std::int64_t>(s.shared->ways);
  box[s.shared->dim] = part_of(box[s.shared->dim], ways, (place + phase) % ways);
  return box;
}

namespace detail {
/// A cut leaves the shards of an output boxes that are disjoint and lose nothing if, on each axis it
/// takes part in, all coarser dimensions (larger stride) are down to one iteration per device and
/// the finer ones fill its stride exactly, as the digits of a number do. (They overlap in
/// `2·u + 3·v`, and `4·u + 2·v` leaves holes.)
[[nodiscard]] inline auto keeps_boxes(operation const& op, operand const& t, extents const& shard,
                                      std::size_t dim) -> bool {
  for (auto const& a : t.axes)
    for (std::size_t i = 0; i < a.terms.size(); ++i) {
      if (a.terms[i].dim != dim) continue;
      auto const stride = std::abs(a.terms[i].stride);
      std::int64_t filled = 1;
      for (std::size_t j = 0; j < a.terms.size(); ++j) {
        auto const& other = a.terms[j];
        if (j == i || op.dims[other.dim].extent == 1) continue;
        if (std::abs(other.stride) <= stride)
          filled += std::abs(other.stride) * (op.dims[other.dim].extent - 1);
        else if (shard[other.dim] > 1)
          return false;
      }
      if (filled != stride) return false;
    }
  return true;
}
} // namespace detail

/// Is this sharding meaningful for the operator on a set of that size? Errors name the cut:
/// `exclusive[1]`, `shared`, `scatter`.
template <deferred = when_called>
[[nodiscard]] auto check(operation const& op, sharding const& s, std::size_t set_size)
    -> expected<void> {
  auto const reject = [&op](std::string path, std::size_t dim, std::string why) {
    auto const name = dim < op.dims.size() ? std::string{op.dims[dim].name.view()} : "?";
    return fail(error_code::invalid_mapping, std::move(path), std::string{"dimension "} + name, {},
                std::move(why));
  };
  auto shard = full_extents(op);
  bool sequential = false;
  for (auto const& d : op.dims) sequential |= d.kind == dim_kind::sequential;
  std::int64_t shards = 1;

  for (std::size_t i = 0; i < s.exclusive.size(); ++i) {
    auto const [dim, ways] = s.exclusive[i];
    auto const path = std::string{"exclusive["} + std::to_string(i) + "]";
    if (dim >= op.dims.size()) return reject(path, dim, "no such dimension");
    if (op.dims[dim].kind == dim_kind::sequential) return reject(path, dim, "runs in order");
    if (sequential && op.dims[dim].kind == dim_kind::reduction)
      return reject(path, dim, "its partial sums would pass through every step of a recurrence");
    if (ways < 2 || ways > op.dims[dim].extent)
      return reject(path, dim,
                    std::to_string(ways) + " ways of an extent of " +
                        std::to_string(op.dims[dim].extent));
    if (ways_along(s, dim) != ways || shard[dim] != op.dims[dim].extent)
      return reject(path, dim, "cut twice");
    shard[dim] = ceil_div(shard[dim], ways);
    shards *= ways;
    auto const devices = static_cast<std::int64_t>(set_size); // asked before the product overflows
    if (shards > devices || devices % shards != 0)
      return fail(error_code::invalid_mapping, "exclusive", std::to_string(shards) + " shards",
                  std::string{"a divisor of the set size, "} + std::to_string(set_size));
  }
  if (!s.parts.empty()) {
    std::int64_t sum = 0;
    bool good = !s.exclusive.empty() && !s.shared && !s.scatter;
    for (auto const n : s.parts) {
      good = good && n >= 1;
      sum += n;
    }
    if (!good || s.parts.size() != static_cast<std::size_t>(s.exclusive[0].ways) ||
        sum != op.dims[s.exclusive[0].dim].extent)
      return fail(
          error_code::invalid_mapping, "parts", std::to_string(s.parts.size()) + " parts",
          "positive parts that add up to the extent of the first exclusive cut, one for each "
          "way, without shared cut and scatter");
    shard[s.exclusive[0].dim] = *std::max_element(s.parts.begin(), s.parts.end());
  }
  for (auto const& t : op.operands)
    for (std::size_t i = 0; i < s.exclusive.size() && t.role == role::output; ++i)
      if (!detail::keeps_boxes(op, t, shard, s.exclusive[i].dim))
        return reject(std::string{"exclusive["} + std::to_string(i) + "]", s.exclusive[i].dim,
                      "shards of the output would not be disjoint boxes");
  if (s.shared) {
    auto const [dim, ways] = *s.shared;
    if (dim >= op.dims.size()) return reject("shared", dim, "no such dimension");
    if (op.dims[dim].kind == dim_kind::sequential || sequential)
      return reject("shared", dim, "runs in order");
    if (ways < 2 || ways > shard[dim])
      return reject("shared", dim,
                    std::to_string(ways) + " ways of an extent of " + std::to_string(shard[dim]));
    if (rotating_operand(op, s, set_size) == nullptr)
      return reject("shared", dim, "no tensor along it is held alike by that many devices");
  }
  if (s.scatter) {
    auto const dim = *s.scatter;
    auto const group = partial_sums(op, s);
    if (dim >= op.dims.size() || op.dims[dim].kind != dim_kind::parallel)
      return reject("scatter", dim, "not a parallel dimension");
    if (group < 2) return reject("scatter", dim, "no reduction dimension is cut");
    if (shard[dim] < group) return reject("scatter", dim, "shorter than the group");
    for (auto const& t : op.operands)
      if (t.role == role::output && (!indexes(t, dim) || !detail::keeps_boxes(op, t, shard, dim)))
        return reject("scatter", dim, "does not divide every output into boxes");
  }
  return {};
}

} // namespace mars
