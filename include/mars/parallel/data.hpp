// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/parallel/sharding.hpp>

#include <vector>

namespace mars::parallel {

/// Data parallelism: the batch is cut, weights are replicated, nothing else is proposed.
///
/// Prefer it: as the simplest reference to compare with, or for throughput with large batches.
/// The batch is the dimension named `dim`, cut into the largest divisor of the set size it has room
/// for; an operator without it is replicated.
struct data {
  label dim{"n"};

  template <deferred = when_called>
  [[nodiscard]] auto shardings(operation const& op, std::size_t ways) const
      -> std::vector<sharding> {
    if (auto const d = find_dim(op, dim); d && op.kind != op_kind::matmul)
      for (auto f = ways; f > 1; --f) {
        sharding s;
        s.exclusive.push_back({static_cast<std::uint8_t>(*d), static_cast<std::int32_t>(f)});
        if (ways % f == 0 && check(op, s, ways)) return {s};
      }
    return {sharding{}};
  }
};

} // namespace mars::parallel
