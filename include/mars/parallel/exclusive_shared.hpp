// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/parallel/sharding.hpp>

#include <algorithm>
#include <vector>

namespace mars::parallel {

/// MARS's strategy: exclusive shards along at most `max_exclusive` dimensions, and at most
/// `max_shared` tensor kept in rotating parts.
///
/// Idea: every way to write the set size as an ordered product over the operator's dimensions, and
/// for each of them every tensor that it would replicate, rotated along each dimension that indexes
/// it. When the operator is too small for the set, the largest number of shards that divides the
/// set size; the empty sharding (replicate) always, because re-computing a small operator can be
/// cheaper than sending it.
///
/// Prefer it: as the default; it contains data, tensor and spatial parallelism. Complexity: for d
/// dimensions and p devices with Ω(p) prime factors O(d^max_exclusive · 2^Ω(p)) exclusive shardings,
/// times the dimensions a rotation may use. Source: MARS (arXiv 2307.12234), our reading.
struct exclusive_shared {
  std::size_t max_exclusive{2};    ///< cuttable dimensions at once; up to `max_cuts`
  std::size_t max_shared{1};       ///< 0 = exclusive shards only
  bool cut_kernels{false};         ///< also cut kernel rows and columns (`r`, `s`, `q`)
  bool scatter_partial_sums{true}; ///< also offer reduce-scatter instead of all-reduce
  bool replicate{true};            ///< also offer the empty sharding
  std::size_t limit{4096};         ///< candidates per operator, at least one; the first stay

  template <deferred = when_called>
  [[nodiscard]] auto shardings(operation const& op, std::size_t ways) const
      -> std::vector<sharding> {
    std::vector<sharding> found;
    if (ways > 1) {
      auto const p = static_cast<std::int64_t>(ways);
      for (std::int64_t shards = p; shards > 1 && found.empty(); --shards)
        if (p % shards == 0) extend(op, ways, shards, {}, found);
      add_rotations(op, ways, found);
    }
    if (replicate || found.empty()) found.push_back({});
    found.resize(std::clamp<std::size_t>(limit, 1, found.size()));
    return found;
  }

  /// MARS seeds with the longest dimensions: the share of the operator's extents that a sharding
  /// cuts, geometric mean; rotations come after plain shards.
  [[nodiscard]] auto prior(operation const& op, sharding const& s) const -> double {
    if (s.exclusive.empty()) return 0.0;
    double longest = 1, mean = 0;
    for (auto const& d : op.dims) longest = std::max(longest, static_cast<double>(d.extent));
    for (auto const& c : s.exclusive) mean += static_cast<double>(op.dims[c.dim].extent) / longest;
    mean /= static_cast<double>(s.exclusive.size());
    return s.shared ? mean / 2 : mean;
  }

private:
  [[nodiscard]] auto may_cut(dimension const& d) const -> bool {
    if (d.kind == dim_kind::sequential || d.extent < 2) return false;
    bool const kernel = d.kind == dim_kind::reduction &&
                        (d.name == label{"r"} || d.name == label{"s"} || d.name == label{"q"});
    return cut_kernels || !kernel;
  }

  /// Appends every legal sharding that cuts into exactly `shards` further shards.
  template <deferred = when_called>
  void extend(operation const& op, std::size_t ways, std::int64_t shards, sharding const& prefix,
              std::vector<sharding>& found) const {
    if (shards == 1) {
      if (!check(op, prefix, ways)) return;
      found.push_back(prefix);
      if (scatter_partial_sums && partial_sums(op, prefix) > 1)
        for (std::size_t d = 0; d < op.dims.size(); ++d) {
          auto scattered = prefix;
          scattered.scatter = static_cast<std::uint8_t>(d);
          if (may_cut(op.dims[d]) && check(op, scattered, ways)) found.push_back(scattered);
        }
      return;
    }
    if (prefix.exclusive.size() == std::min(max_exclusive, max_cuts)) return;
    for (std::size_t d = 0; d < op.dims.size(); ++d) {
      if (!may_cut(op.dims[d]) || ways_along(prefix, d) > 1) continue;
      for (std::int64_t f = shards; f > 1; --f) {
        if (shards % f != 0 || f > op.dims[d].extent) continue;
        auto longer = prefix;
        longer.exclusive.push_back({static_cast<std::uint8_t>(d), static_cast<std::int32_t>(f)});
        extend(op, ways, shards / f, longer, found);
      }
    }
  }

  template <deferred = when_called>
  void add_rotations(operation const& op, std::size_t ways, std::vector<sharding>& found) const {
    if (max_shared == 0) return;
    auto const plain = found.size();
    for (std::size_t i = 0; i < plain; ++i)
      for (std::size_t d = 0; d < op.dims.size(); ++d) {
        if (!may_cut(op.dims[d])) continue;
        for (auto const& t : op.operands) {
          auto rotated = found[i];
          rotated.shared = cut{static_cast<std::uint8_t>(d),
                               static_cast<std::int32_t>(replication(t, rotated, ways))};
          if (rotated.shared->ways < 2 || rotating_operand(op, rotated, ways) != &t) continue;
          if (check(op, rotated, ways)) found.push_back(rotated);
        }
      }
  }
};

} // namespace mars::parallel
