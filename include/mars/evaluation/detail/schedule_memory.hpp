// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>
#include <mars/evaluation/detail/memory_charges.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

namespace mars::detail {

/// When an operator's results may be dropped: the end of its last reader. The place in the order of
/// starting tells operators of no duration apart.
using release_moment = std::pair<picoseconds, std::size_t>;

/// Memory of every accelerator over the times of `e`, and what does not fit. Results live where they
/// were made from their operator's end until their last reader has ended, results of the graph to the
/// end; resident weights always; inputs that are elsewhere (staged: all), and buffers, while an
/// operator runs: on streams several do at once. O(V log V + E·p²).
template <WorkloadGraph Graph, class System, deferred D = when_called>
void schedule_memory(Graph const& g, System const& system, later<mapping, D> const& m,
                     later<evaluation, D>& e) {
  auto const n = m.operators.size();
  later<std::vector<std::size_t>, D> order(n), place(n);
  auto const topological = topological_order(g);
  later<std::vector<std::size_t>, D> rank(n);
  for (std::size_t i = 0; i < n; ++i) rank[(*topological)[i].index()] = i;
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    auto const& x = e.operators[a];
    auto const& y = e.operators[b];
    return std::tuple{x.start, x.end, rank[a]} < std::tuple{y.start, y.end, rank[b]};
  });
  for (std::size_t i = 0; i < n; ++i) place[order[i]] = i;

  later<std::vector<release_moment>, D> release(n);
  for (std::size_t v = 0; v < n; ++v) release[v] = {e.operators[v].end, place[v]};
  for (std::size_t v = 0; v < n; ++v)
    for (input_edge const in : inputs(g, operator_id{v})) {
      auto& r = release[in.producer.index()];
      r = std::max(r, release_moment{e.operators[v].end, place[v]});
    }
  if constexpr (requires { outputs(g); }) {
    for (auto const& result : outputs(g)) release[result.producer.index()] = {never, n};
  } else {
    later<std::vector<bool>, D> is_read(n);
    for (std::size_t v = 0; v < n; ++v)
      for (input_edge const in : inputs(g, operator_id{v})) is_read[in.producer.index()] = true;
    for (std::size_t v = 0; v < n; ++v)
      if (!is_read[v]) release[v] = {never, n};
  }

  auto const charges = memory_charges(g, m, e.semantics);
  auto const members = [&](std::size_t v) -> auto const& {
    return m.sets[m.operators[v].set.index()].accelerators;
  };

  later<std::vector<std::vector<std::size_t>>, D> runs(system.accelerators.size());
  for (auto const v : order)
    for (auto const a : members(v)) runs[a.index()].push_back(v);
  e.memory.resize(system.accelerators.size());
  for (std::size_t a = 0; a < runs.size(); ++a) {
    auto& memory = e.memory[a];
    memory = {accelerator_id{a}, {}, {}, system.accelerators[a].memory(), {}};
    using leaving = std::pair<release_moment, std::int64_t>;
    std::priority_queue<leaving, std::vector<leaving>, std::greater<>> living;
    later<std::vector<std::size_t>, D> running;
    std::int64_t live = 0, highest = 0, weights = 0;
    for (auto const v : runs[a]) {
      std::erase_if(running, [&](std::size_t u) {
        if (e.operators[u].end > e.operators[v].start) return false;
        live += charges[u].kept.count() - charges[u].buffers.count();
        living.emplace(release[u], charges[u].kept.count());
        return true;
      });
      while (!living.empty() && living.top().first.first <= e.operators[v].start &&
             living.top().first.second < place[v]) {
        live -= living.top().second;
        living.pop();
      }
      weights += charges[v].weights.count();
      live += charges[v].buffers.count();
      running.push_back(v);
      if (live > highest) {
        highest = live;
        memory.peak_at = operator_id{v};
      }
    }
    memory.resident = bytes{weights};
    memory.peak = bytes{weights + highest};
    if (memory.fits()) continue;
    later<std::vector<std::pair<std::int64_t, operator_id>>, D> largest;
    for (auto const v : runs[a]) largest.emplace_back(-charges[v].weights.count(), operator_id{v});
    sort_ascending(largest);
    later<shortage, D> lack{shortage::kind::memory, accelerator_id{a},
                            memory.peak_at,         memory.peak,
                            memory.capacity,        {}};
    for (std::size_t k = 0; k < std::min<std::size_t>(3, largest.size()); ++k)
      if (largest[k].first != 0) lack.contributors.push_back(largest[k].second);
    e.shortages.push_back(std::move(lack));
  }
}

} // namespace mars::detail
