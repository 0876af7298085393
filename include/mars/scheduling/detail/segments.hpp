// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/stream_problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mars::detail {

/// What runs between two *cut nodes*: nodes that depend on all before them and that all after them
/// depend on. When one ends nothing else runs, so times add up over segments.
struct stream_segment {
  static constexpr std::uint32_t none = 0xFFFF'FFFF;

  std::uint32_t entry{none};        ///< the cut node before it, or none
  std::vector<std::uint32_t> nodes; ///< in order, without the entry, with the exit
  std::uint32_t exit{none};         ///< the cut node that ends it, or none
};

/// The segments of a problem, in order. Nodes that launch nothing and have no inputs, or nobody reads,
/// cut nothing in two: they go with their first reader or last producer. O(V + E).
template <deferred D = when_called>
[[nodiscard]] auto find_segments(later<stream_problem, D> const& p)
    -> later<std::vector<stream_segment>, D> {
  using numbers = later<std::vector<std::uint32_t>, D>;
  using flags = later<std::vector<char>, D>;
  auto const n = p.size();
  flags idle(n, 0); // neither sources nor sinks that matter
  for (std::size_t v = 0; v < n; ++v) {
    auto const in = p.inputs(v);
    idle[v] =
        !p.launches(v) && std::all_of(in.begin(), in.end(), [&](auto u) { return idle[u] != 0; });
  }
  for (std::size_t v = n; v-- > 0;) {
    auto const out = p.outputs(v);
    if (!p.launches(v) && std::all_of(out.begin(), out.end(), [&](auto w) { return idle[w] != 0; }))
      idle[v] = 1;
  }
  // All before v lead to it where it is the only one of them, itself included, that none of them reads;
  // all behind depend on it where it is the only one that reads none of them.
  flags gathers(n, 0), spreads(n, 0), open(n, 0);
  std::size_t count = 0;
  auto const step = [&](std::size_t v, std::span<std::uint32_t const> reached) {
    open[v] = 1;
    ++count;
    for (auto const u : reached)
      if (idle[u] == 0 && std::exchange(open[u], 0) != 0) --count;
    return static_cast<char>(count == 1 ? 1 : 0);
  };
  for (std::size_t v = 0; v < n; ++v)
    if (idle[v] == 0) gathers[v] = step(v, p.inputs(v));
  open.assign(n, 0);
  count = 0;
  for (std::size_t v = n; v-- > 0;)
    if (idle[v] == 0) spreads[v] = step(v, p.outputs(v));
  later<std::vector<stream_segment>, D> all;
  later<stream_segment, D> now;
  numbers segment_of(n, 0);
  for (std::uint32_t v = 0; v < n; ++v) {
    if (idle[v] != 0) continue;
    segment_of[v] = static_cast<std::uint32_t>(all.size());
    now.nodes.push_back(v);
    if (gathers[v] == 0 || spreads[v] == 0) continue;
    now.exit = v;
    all.push_back(std::exchange(now, {}));
    now.entry = v;
  }
  if (!now.nodes.empty() || all.empty()) all.push_back(std::move(now));
  auto const last = static_cast<std::uint32_t>(all.size() - 1);
  std::vector<numbers> extra(all.size());
  for (std::uint32_t v = static_cast<std::uint32_t>(n); v-- > 0;) { // first readers
    if (idle[v] == 0) continue;
    auto s = last;
    for (auto const w : p.outputs(v)) s = std::min(s, segment_of[w]);
    segment_of[v] = p.outputs(v).empty() ? 0 : s;
  }
  for (std::uint32_t v = 0; v < n; ++v) { // but not before their producers
    if (idle[v] == 0) continue;
    for (auto const u : p.inputs(v)) segment_of[v] = std::max(segment_of[v], segment_of[u]);
    extra[segment_of[v]].push_back(v);
  }
  for (std::size_t s = 0; s < all.size(); ++s) {
    auto& nodes = all[s].nodes;
    nodes.insert(nodes.end(), extra[s].begin(), extra[s].end());
    std::sort(nodes.begin(), nodes.end());
  }
  return all;
}

} // namespace mars::detail
