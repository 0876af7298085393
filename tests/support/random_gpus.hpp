// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Random systems of small GPUs, mappings onto them, and streams.

#include "support/tiny_systems.hpp"

#include <mars/core/random.hpp>
#include <mars/hardware.hpp>
#include <mars/interconnect/host_staged.hpp>
#include <mars/interconnect/switched.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars_test {

/// A few SMs that a handful of blocks fill, and overheads of the size of kernels.
inline auto random_gpu(mars::random_stream& r) -> mars::hardware::gpu {
  mars::hardware::gpu d{.title = "gpu", .power = mars::watts{100}};
  auto& l = d.limits;
  l.sms = 1 + static_cast<std::int64_t>(r.below(6));
  l.threads_per_sm = 512;
  l.shared_per_sm = mars::bytes{64 * 1024};
  l.peak_rate = mars::flops_per_second{1e10 * static_cast<double>(1 + r.below(20))};
  l.bandwidth = mars::bytes_per_second{1e9 * static_cast<double>(1 + r.below(20))};
  l.overheads.gap = mars::seconds{1e-9 * static_cast<double>(r.below(2000))};
  l.overheads.event = mars::seconds{1e-9 * static_cast<double>(r.below(3000))};
  return d;
}

/// Alike or not; now and then one without kernels.
inline auto random_gpus(mars::random_stream& r, std::size_t count) -> mars::any_system {
  std::vector<mars::accelerator> all;
  auto const first = random_gpu(r);
  bool const alike = r.chance(0.5);
  for (std::size_t a = 0; a < count; ++a) {
    mars::accelerator one{.name = "g" + std::to_string(a),
                          .capacity = mars::bytes{r.chance(0.8) ? 1'000'000'000 : 4'000},
                          .configurations = {alike ? first : random_gpu(r)}};
    if (count > 1 && r.chance(0.15))
      one.configurations = {mars::hardware::roofline{.title = "plain",
                                                     .peak_rate = mars::flops_per_second{1e10},
                                                     .bandwidth = mars::bytes_per_second{1e10},
                                                     .power = mars::watts{10}}};
    all.push_back(std::move(one));
  }
  return {.name = "gpus",
          .accelerators = std::move(all),
          .interconnect = mars::interconnect::switched{
              .accelerators = count,
              .bandwidth = mars::bytes_per_second{1e8 * static_cast<double>(1 + r.below(50))},
              .latency = mars::seconds{r.chance(0.5) ? 0.0 : 1e-6}}};
}

/// Sets of accelerators of one design, which may overlap; a launch order; no streams yet.
inline auto random_gpu_mapping(mars::random_stream& r, mars::graph const& g,
                               mars::any_system const& s) -> mars::mapping {
  mars::mapping m;
  auto const design = [&](std::size_t a) {
    return std::string{s.accelerators[a].configurations[0].name()};
  };
  for (std::size_t k = 1 + r.below(3); k > 0; --k) {
    auto const first = r.below(s.size());
    mars::accelerator_set set{{acc(first)}, design(first)};
    for (std::size_t a = 0; a < s.size(); ++a)
      if (a != first && design(a) == set.design && r.chance(0.5))
        set.accelerators.push_back(acc(a));
    if (std::find(m.sets.begin(), m.sets.end(), set) == m.sets.end())
      m.sets.push_back(std::move(set));
  }
  mars::parallel::exclusive_shared const strategy{.max_shared = r.chance(0.5) ? 1U : 0U};
  for (auto const v : operators(g)) {
    mars::set_id const set{r.below(m.sets.size())};
    auto const choices = strategy.shardings(op(g, v), m.sets[set.index()].accelerators.size());
    m.operators.push_back({set, r.pick(choices)});
  }
  m.launch_order = mars::topological_order(g).value();
  return m;
}

/// Any of some streams, where kernels are launched.
inline void put_on_streams(mars::random_stream& r, mars::any_system const& s, mars::mapping& m,
                           std::size_t most) {
  m.streams.clear();
  for (auto const& placed : m.operators) {
    auto const& members = m.sets[placed.set.index()].accelerators;
    bool const launches = std::all_of(members.begin(), members.end(), [&](auto a) {
      return s.accelerators[a.index()].configurations[0].device() != nullptr;
    });
    m.streams.emplace_back(launches ? r.below(most) : std::size_t{0});
  }
}

} // namespace mars_test
