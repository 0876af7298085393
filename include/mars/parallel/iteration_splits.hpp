// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/parallel/sharding.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mars::parallel {

/// PaSE's strategy: every split of the iteration space, parallel and reduction dimensions alike; no
/// shared cut, no reduce-scatter, and the dimensions of a sharding in their own order.
///
/// A split gives each dimension that is not sequential a number of ways. It is proposed if
///   1. the ways of each dimension divide its extent (with `uneven`: do not exceed it) and leave
///      shards of at least `least_extent` along it;
///   2. their product divides the set size, the rest being replicas (with `idle`: is at most the set
///      size, the rest of the devices having nothing to do);
///   3. at most `max_cuts` dimensions are cut, which excludes nothing on up to 2^max_cuts devices;
///   4. `check` allows it: shards of an output are disjoint boxes;
///   5. `may_cut`, if there is one, allows each dimension.
/// More shards come first, then dimensions in their order, fewer ways first. The unsplit one is last.
///
/// `idle` is PaSE's own rule (Π ways ≤ p, any divisors of the extents), and breaks semantics 2 of the
/// concept where the product does not divide the set size: for `build_uniform_problem`, which places
/// nothing. The authors' tool also wants shards of at least four (`least_extent`), and does not
/// cut rows and columns of convolutions (`may_cut`).
///
/// Prefer it: for exact answers on few dimensions or devices, and for comparison with PaSE.
/// Complexity: for d dimensions long enough and p = 2^e devices C(d + e, e) shardings (1716 for a
/// convolution of 7 on 64); a problem takes up to 65535 per operator, and says so where there are
/// more. Source: Elango, PaSE, IPDPS 2021 (arXiv 2407.04001).
struct iteration_splits {
  bool uneven{false};
  bool idle{false};
  std::int64_t least_extent{1};
  bool (*may_cut)(operation const&, std::size_t dim){nullptr};

  template <deferred D = when_called>
  [[nodiscard]] auto shardings(operation const& op, std::size_t ways) const
      -> std::vector<sharding> {
    later<std::vector<sharding>, D> found;
    extend(op, static_cast<std::int64_t>(ways), 0, {}, found);
    std::stable_sort(found.begin(), found.end(), [](sharding const& a, sharding const& b) {
      return shard_count(a) > shard_count(b);
    });
    return found;
  }

private:
  /// Appends every split that agrees with `prefix` before dimension `dim`.
  template <deferred D = when_called>
  void extend(later<operation, D> const& op, std::int64_t devices, std::size_t dim,
              later<sharding, D> const& prefix, later<std::vector<sharding>, D>& found) const {
    auto const used = shard_count(prefix);
    if (dim == op.dims.size()) {
      if (check(op, prefix, static_cast<std::size_t>(idle ? used : devices)))
        found.push_back(prefix);
      return;
    }
    extend(op, devices, dim + 1, prefix, found);
    auto const& d = op.dims[dim];
    if (d.kind == dim_kind::sequential || prefix.exclusive.size() == max_cuts) return;
    if (may_cut != nullptr && !may_cut(op, dim)) return;
    for (std::int64_t f = 2; f <= std::min(d.extent, devices / used); ++f) {
      if ((!uneven && d.extent % f != 0) || d.extent / f < least_extent) continue;
      if (!idle && devices % (used * f) != 0) continue;
      auto longer = prefix;
      longer.exclusive.push_back({static_cast<std::uint8_t>(dim), static_cast<std::int32_t>(f)});
      extend(op, devices, dim + 1, longer, found);
    }
  }
};

} // namespace mars::parallel
