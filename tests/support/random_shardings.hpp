// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/random.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mars_test {

/// A sharding drawn from all that can be written down, legal or not.
[[nodiscard]] inline auto any_sharding(mars::random_stream& r, mars::operation const& op,
                                       std::size_t set_size) -> mars::sharding {
  auto const any_dim = [&] { return static_cast<std::uint8_t>(r.below(op.dims.size())); };
  mars::sharding s;
  auto left = set_size;
  for (auto cuts = r.below(mars::max_cuts + 1); cuts > 0; --cuts) {
    std::vector<std::int32_t> divisors;
    for (std::size_t f = 2; f <= left; ++f)
      if (left % f == 0) divisors.push_back(static_cast<std::int32_t>(f));
    if (divisors.empty()) break;
    auto const ways = r.pick(divisors);
    s.exclusive.push_back({any_dim(), ways});
    left /= static_cast<std::size_t>(ways);
  }
  if (r.chance(0.6)) {
    auto const ways = r.chance(0.5) ? left : 1 + r.below(set_size);
    s.shared = mars::cut{any_dim(), static_cast<std::int32_t>(ways)};
  }
  if (r.chance(0.3)) s.scatter = any_dim();
  return s;
}

/// Now and then the parts of the first cut as unlike as can be.
inline void make_uneven(mars::random_stream& r, mars::operation const& op, mars::sharding& s) {
  if (s.exclusive.empty() || s.shared || s.scatter || r.chance(0.4)) return;
  auto const ways = s.exclusive[0].ways;
  auto left = op.dims[s.exclusive[0].dim].extent - ways; // beyond one for each
  if (left < 0 || static_cast<std::size_t>(ways) > mars::max_parts) return;
  for (std::int32_t i = 0; i < ways; ++i) {
    auto const more =
        i + 1 == ways ? left
                      : static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(left) + 1));
    s.parts.push_back(static_cast<std::int32_t>(1 + more));
    left -= more;
  }
}

} // namespace mars_test
