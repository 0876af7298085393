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

} // namespace mars_test
