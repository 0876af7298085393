// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/parallel/concept.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace mars::detail {

/// What a strategy proposes for an operator, held to its concept's semantics 2 and 3.
template <ParallelismStrategy Strategy, deferred D = when_called>
[[nodiscard]] auto proposed_shardings(Strategy const& strategy, later<operation, D> const& o,
                                      std::size_t ways)
    -> later<expected<std::vector<sharding>>, D> {
  later<std::vector<sharding>, D> all;
  for (auto&& s : strategy.shardings(o, ways)) all.push_back(s);
  // Choices are numbered in 16 bits.
  if (all.empty() || all.size() > std::numeric_limits<std::uint16_t>::max())
    return fail(error_code::invalid_argument, "strategy", std::to_string(all.size()) + " shardings",
                "1 to 65535", "operator '" + o.name + "' on " + std::to_string(ways) + " devices");
  for (auto const& s : all)
    if (auto ok = check(o, s, ways); !ok)
      return unexpected{std::move(ok).error().inside("strategy")};
  return all;
}

} // namespace mars::detail
