// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace mars {

/// An observer's answer: go on, or end as if the budget were spent (the best so far is returned).
enum class verdict { proceed, stop };

/// Where a search stands.
struct progress {
  picoseconds best{never};     ///< value of the best feasible solution; `never` = none yet
  picoseconds bound{};         ///< proven lower bound
  std::uint64_t evaluations{}; ///< solutions priced so far
  seconds elapsed{};
  seconds remaining{infinite_seconds}; ///< wall-clock budget left
  std::string_view phase{};            ///< what the policy is doing; valid during the call only
};

/// (best − bound) / best, in [0, 1]; 1 while there is no solution, 0 when it is proven optimal.
[[nodiscard]] constexpr auto gap(progress const& p) -> double {
  if (p.best >= never) return 1.0;
  if (p.best <= p.bound) return 0.0;
  return (p.best - p.bound) / p.best;
}

/// Role: is told of progress and may end the search.
/// `o(p)` · verdict · called from one thread at a time, at most every few milliseconds' work, so it
/// may be slow-ish but must not throw. It must not influence the result otherwise.
template <class O>
concept Observer = requires(O& o, progress const& p) {
  { o(p) } -> std::same_as<verdict>;
};

struct null_observer {
  constexpr auto operator()(progress const&) const noexcept -> verdict { return verdict::proceed; }
};

} // namespace mars
