// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/id.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/parallel/redistribution.hpp>

#include <span>
#include <vector>

namespace mars::detail {

/// What receivers of an edge lack. Who sends it does not matter for how much that is, except that
/// what is on the device itself does not move.
template <deferred = when_called>
[[nodiscard]] auto missing_parts(layout const& owned, layout const& needed,
                                 std::span<accelerator_id const> owners,
                                 std::span<accelerator_id const> receivers)
    -> std::vector<transfer> {
  proximity same{owners.size(), receivers.size(), {}};
  for (auto const a : owners)
    for (auto const b : receivers) same.values.push_back(a == b ? proximity::itself : 1.0);
  std::vector<transfer> moves;
  redistribution(owned, needed, same, moves);
  return moves;
}

} // namespace mars::detail
