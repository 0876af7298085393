// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Systems small enough to price by hand or to search exhaustively.

#include <mars/core/random.hpp>
#include <mars/hardware/accelerator.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/hardware/designs/winograd.hpp>
#include <mars/hardware/system.hpp>
#include <mars/interconnect.hpp>
#include <mars/interconnect/arbitrary.hpp>

#include "support/networks.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace mars_test {

/// Computes at `rate` FLOP/s; memory never waits.
inline auto plain_design(std::string title, double rate, mars::watts power = mars::unknown_watts)
    -> mars::hardware::roofline {
  return {.title = std::move(title),
          .peak_rate = mars::flops_per_second{rate},
          .bandwidth = mars::bytes_per_second{std::numeric_limits<double>::infinity()},
          .power = power};
}

/// Equal accelerators behind any interconnect.
template <mars::Interconnect Net>
auto uniform_system(Net net, std::vector<mars::any_design> designs,
                    mars::bytes memory = mars::bytes{1'000'000'000})
    -> mars::system<mars::accelerator, Net> {
  mars::system<mars::accelerator, Net> s{
      .name = "uniform", .accelerators = {}, .interconnect = net};
  for (std::size_t i = 0; i < s.interconnect.size(); ++i)
    s.accelerators.push_back({.name = std::string{"a"} + std::to_string(i),
                              .capacity = memory,
                              .configurations = designs});
  return s;
}

/// `n` accelerators, every pair joined by a link of `rate`.
inline auto connected_system(std::size_t n, mars::bytes_per_second rate,
                             mars::bytes memory = mars::bytes{1'000'000'000}) {
  return uniform_system(ic::fully_connected{.accelerators = n, .bandwidth = rate},
                        {plain_design("plain", 1e9)}, memory);
}

/// Any interconnect of `n` accelerators, one kind in eight.
inline auto random_interconnect(mars::random_stream& r, std::size_t n) -> mars::any_interconnect {
  auto const count = static_cast<std::uint32_t>(n);
  auto const speed = [&] {
    return mars::bytes_per_second{1e6 * static_cast<double>(1 + r.below(50))};
  };
  auto const delay = mars::seconds{r.chance(0.5) ? 0.0 : 1e-6 * static_cast<double>(r.below(9))};
  auto const mode =
      r.chance(0.5) ? mars::forwarding_mode::store_and_forward : mars::forwarding_mode::cut_through;
  std::uint32_t factor = 1;
  for (std::uint32_t f = 2; f < count; ++f)
    if (count % f == 0 && r.chance(0.7)) factor = f;
  switch (r.below(9)) {
  case 0: return ic::fully_connected{.accelerators = n, .bandwidth = speed(), .latency = delay};
  case 1: return ic::ring{n, speed(), delay, mode};
  case 2: return ic::mesh{{factor, count / factor}, speed(), delay, mode};
  case 3: return ic::torus{{factor, count / factor}, speed(), delay, {}, mode};
  case 4: {
    ic::switched net{.accelerators = n, .bandwidth = speed(), .latency = delay, .forwarding = mode};
    for (std::size_t i = 0; i < n && r.chance(0.8); ++i) net.bandwidths.push_back(speed());
    if (net.bandwidths.size() != n) net.bandwidths.clear();
    return net;
  }
  case 5: {
    ic::grouped_through_host net{
        .intra_bandwidth = speed(), .host_bandwidth = speed(), .latency = delay};
    net.forwarding = mode;
    for (std::uint32_t i = 0; i < count; ++i)
      if (net.groups.empty() || r.chance(0.3))
        net.groups.push_back({i});
      else
        r.pick(net.groups).push_back(i);
    return net;
  }
  case 6: return ic::hierarchy{factor, count / factor, speed(), delay, speed(), 2.0 * delay, mode};
  case 7: return ic::fat_tree{{factor, count / factor}, {speed(), speed()}, {delay, delay}, mode};
  default: {
    ic::topology t{.accelerators = n, .forwarding = mode};
    for (std::uint32_t i = 0; i < count && n > 1; ++i) {
      t.links.push_back(a_link(node(i), node((i + 1) % count), speed(), delay));
      t.links.push_back(a_link(node((i + 1) % count), node(i), speed(), delay));
    }
    for (std::uint64_t chord = r.below(4); n > 2 && chord > 0; --chord) {
      auto const from = static_cast<std::uint32_t>(r.below(n));
      t.links.push_back(a_link(node(from), hub(0), speed(), delay));
      t.links.push_back(a_link(hub(0), node((from + 2) % count), speed(), delay));
    }
    return ic::arbitrary::build(std::move(t)).value();
  }
  }
}

/// 1 to `most` accelerators: any interconnect, 1 to 3 designs (one of them choosy, one the same
/// everywhere), devices that may differ in designs, in speed under one name, and in memory.
inline auto random_system(mars::random_stream& r, std::size_t most, bool energy = false)
    -> mars::any_system {
  auto const n = 1 + static_cast<std::size_t>(r.below(most));
  mars::any_system s{
      .name = "random", .accelerators = {}, .interconnect = random_interconnect(r, n)};
  auto const designs = r.below(3);
  bool const uneven = r.chance(0.4);
  auto const rate = 1e6 * static_cast<double>(1 + r.below(40));
  auto const power = energy ? mars::watts{1.5} : mars::unknown_watts;
  for (std::size_t i = 0; i < n; ++i) {
    auto const own = uneven ? rate * static_cast<double>(1 + r.below(3)) : rate;
    mars::accelerator a{.name = std::string{"a"} + std::to_string(i),
                        .capacity = mars::bytes{2000 + static_cast<std::int64_t>(r.below(30'000))},
                        .configurations = {plain_design("plain", own, power)}};
    if (designs > 0 && !(uneven && r.chance(0.2)))
      a.configurations.emplace_back(
          plain_design("second", 3e7 * static_cast<double>(1 + r.below(2)), 2.0 * power));
    if (designs > 1 && !energy)
      a.configurations.emplace_back(mars::hardware::winograd{
          .other_layers = r.chance(0.5) ? mars::hardware::winograd_policy::unsupported
                                        : mars::hardware::winograd_policy::fallback,
          .clock = mars::hertz{1e5}});
    s.accelerators.push_back(std::move(a));
  }
  return s;
}

} // namespace mars_test
