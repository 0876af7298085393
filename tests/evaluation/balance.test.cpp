// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/evaluation/detail/balance.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace {
using namespace mars;

/// Costs of 1 to `extent` iterations by device, rising in steps as tiles do.
auto stepped_costs(random_stream& r, std::size_t devices, std::int64_t extent)
    -> std::vector<std::vector<ticks>> {
  std::vector<std::vector<ticks>> costs(devices);
  for (auto& of : costs) {
    auto const each = static_cast<ticks>(1 + r.below(9));
    auto const tile = static_cast<std::int64_t>(1 + r.below(4));
    auto const start = static_cast<ticks>(r.below(6));
    for (std::int64_t n = 0; n <= extent; ++n)
      of.push_back(n == 0 ? 0 : start + each * ((n + tile - 1) / tile));
  }
  return costs;
}

/// The least that the slowest device can take, with one iteration for each at least.
auto least_slowest(std::vector<std::vector<ticks>> const& costs, std::size_t first,
                   std::int64_t extent) -> ticks {
  if (first + 1 == costs.size()) return costs[first][static_cast<std::size_t>(extent)];
  auto best = no_ticks;
  auto const others = static_cast<std::int64_t>(costs.size() - first - 1);
  for (std::int64_t n = 1; n + others <= extent; ++n)
    best = std::min(best, std::max(costs[first][static_cast<std::size_t>(n)],
                                   least_slowest(costs, first + 1, extent - n)));
  return best;
}

} // namespace

TEST_CASE("balanced parts are as fast as any, or even ones are") {
  random_stream const root{61};
  std::size_t uneven = 0, even = 0;
  for (std::uint64_t trial = 0; trial < 1'500; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const devices = 2 + static_cast<std::size_t>(r.below(3));
    auto const extent = static_cast<std::int64_t>(devices + r.below(14));
    auto const costs = stepped_costs(r, devices, extent);
    auto const cost = [&](std::size_t i, std::int64_t n) {
      REQUIRE(n >= 1);
      return costs[i][static_cast<std::size_t>(n)];
    };
    ticks of_even = 0; // part_of: the first ones are one longer; any device may get the longest
    for (std::size_t i = 0; i < devices; ++i)
      of_even = std::max(of_even, cost(i, ceil_div(extent, static_cast<std::int64_t>(devices))));
    auto const best = least_slowest(costs, 0, extent);
    auto const parts = detail::balanced_parts(devices, extent, cost);
    if (parts.empty()) {
      CHECK(of_even == best);
      ++even;
      continue;
    }
    ++uneven;
    REQUIRE(parts.size() == devices);
    CHECK(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) == extent);
    ticks slowest = 0;
    for (std::size_t i = 0; i < devices; ++i) {
      CHECK(parts[i] >= 1);
      slowest = std::max(slowest, cost(i, parts[i]));
    }
    CHECK(slowest == best);
    CHECK(best < of_even);
  }
  CHECK(uneven > 500);
  CHECK(even > 100);
}

TEST_CASE("no parts where there are too few iterations, one device, or no way to run") {
  auto const linear = [](std::size_t i, std::int64_t n) {
    return static_cast<ticks>(n) * static_cast<ticks>(i + 1);
  };
  CHECK(detail::balanced_parts(1, 9, linear).empty());
  CHECK(detail::balanced_parts(4, 3, linear).empty());
  CHECK(detail::balanced_parts(max_parts + 1, 100, linear).empty());
  CHECK(detail::balanced_parts(2, 9, [](std::size_t, std::int64_t) { return no_ticks; }).empty());
  // Twice as fast: 6 and 3 of 9.
  CHECK(detail::balanced_parts(2, 9, linear) == detail::uneven_parts{6, 3});
}

TEST_CASE("parts scaled to another extent add up, in about the same proportions") {
  random_stream const root{62};
  std::size_t scaled = 0;
  for (std::uint64_t trial = 0; trial < 2'000; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    detail::uneven_parts parts;
    for (auto n = 1 + r.below(6); n > 0; --n)
      parts.push_back(static_cast<std::int32_t>(1 + r.below(40)));
    auto const whole = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
    CHECK(detail::scaled_parts(parts, whole) == parts);
    auto const extent = static_cast<std::int64_t>(1 + r.below(200));
    auto const to = detail::scaled_parts(parts, extent);
    if (to.empty()) { // some part would be
      CHECK(*std::min_element(parts.begin(), parts.end()) * extent < 2 * whole);
      continue;
    }
    ++scaled;
    REQUIRE(to.size() == parts.size());
    CHECK(std::accumulate(to.begin(), to.end(), std::int64_t{0}) == extent);
    for (std::size_t i = 0; i < to.size(); ++i) {
      CHECK(to[i] >= 1);
      // Boundaries are off by half an iteration, parts by one.
      CHECK(std::abs(to[i] * whole - parts[i] * extent) <= whole);
    }
  }
  CHECK(scaled > 1'000);
  CHECK(detail::scaled_parts({2, 4, 2}, 28) == detail::uneven_parts{7, 14, 7});
}
