// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/id.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/hardware/detail/kernels_of.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/mapping/mapping.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace mars::detail {

/// By set and member: what runs the kernels of its design, null for others.
using set_devices = std::vector<std::vector<gpu_device const*>>;

/// They point into the catalogue. Precondition: every set has one of its options.
template <AcceleratorSystem System, deferred D = when_called>
[[nodiscard]] auto devices_of_sets(design_catalogue<System> const& catalogue,
                                   later<mapping, D> const& m) -> later<set_devices, D> {
  later<set_devices, D> all;
  for (auto const& set : m.sets) {
    auto& devices = all.emplace_back();
    for (auto const& option : catalogue.options(set.accelerators))
      if (option.name == set.design)
        for (auto const number : option.by_member) devices.push_back(device_of(catalogue[number]));
  }
  return all;
}

[[nodiscard]] inline auto launches_kernels(std::span<gpu_device const* const> devices) -> bool {
  for (auto const* d : devices)
    if (d == nullptr) return false;
  return true;
}

/// Does `to` wait for an event of `from`: do they run on different streams of one accelerator?
template <deferred D = when_called>
[[nodiscard]] auto waits_for_event(later<mapping, D> const& m, operator_id from, operator_id to)
    -> bool {
  if (m.stream_of(from) == m.stream_of(to)) return false;
  auto const& a = m.sets[m.operators[from.index()].set.index()].accelerators;
  auto const& b = m.sets[m.operators[to.index()].set.index()].accelerators;
  return std::any_of(a.begin(), a.end(),
                     [&](auto x) { return std::find(b.begin(), b.end(), x) != b.end(); });
}

/// How much longer an event takes than the gap between kernels of one stream; negative where less.
template <deferred = when_called>
[[nodiscard]] auto event_lag(std::span<gpu_device const* const> devices) -> picoseconds {
  picoseconds longest{};
  bool any = false;
  for (auto const* d : devices) {
    if (d == nullptr) continue;
    auto const lag = to_picoseconds(d->overheads.event) - to_picoseconds(d->overheads.gap);
    longest = any ? std::max(longest, lag) : lag;
    any = true;
  }
  return longest;
}

} // namespace mars::detail
