// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Problems tiny enough to enumerate, with their optimum.

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/search/exhaustive.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace mars_test {

struct tiny {
  mars::mapping_problem problem;
  mars::solution best; ///< by enumeration
};

struct wish {
  bool short_of_memory{}; ///< the best assignment without limits does not fit
  bool energy{};          ///< devices know theirs
};

/// Nothing when the space is too large.
template <class O>
auto make_tiny(std::uint64_t seed, std::uint64_t index, O const& objective, wish w = {})
    -> std::optional<tiny> {
  mars::random_stream r{seed, index};
  auto const g = random_network(r, 2 + r.below(3));
  auto s = random_system(r, 4, w.energy);
  for (auto& a : s.accelerators) a.capacity = mars::bytes{1'000'000'000};
  mars::parallel::exclusive_shared const strategy{.max_exclusive = r.chance(0.8) ? 1U : 2U,
                                                  .max_shared = r.chance(0.5) ? 1U : 0U,
                                                  .scatter_partial_sums = r.chance(0.3)};
  mars::search_context const few{.budget = {.evaluations = 6000}};
  auto p = make_problem(g, s, strategy, objective);
  auto best = mars::search::exhaustive{}(p, few);
  if (!best.exhausted) return std::nullopt;
  if (w.short_of_memory) {
    auto const peaks = p.peak_bytes(best.best);
    auto const most = static_cast<double>(*std::max_element(peaks.begin(), peaks.end()));
    auto const share = 0.5 + 0.45 * r.uniform();
    for (auto& a : s.accelerators)
      a.capacity = mars::bytes{static_cast<std::int64_t>(share * most)};
    p = make_problem(g, s, strategy, objective);
    best = mars::search::exhaustive{}(p, few);
  }
  return tiny{std::move(p), std::move(best)};
}

} // namespace mars_test
