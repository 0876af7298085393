// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/sort.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/hardware/concept.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/layout.hpp>
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
/// were made from their operator's start until their last reader has ended, results of the graph to
/// the end; resident weights always; inputs that are elsewhere (staged: all), and buffers, while an operator runs.
/// O(V log V + E·p²).
template <WorkloadGraph Graph, class System, deferred D = when_called>
void schedule_memory(Graph const& g, System const& system, later<mapping, D> const& m,
                     later<std::vector<operation const*>, D> const& ops, later<evaluation, D>& e) {
  auto const n = ops.size();
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

  struct use {
    std::int64_t weights{}, buffers{}, kept{};
  };
  later<std::vector<use>, D> uses(n);
  auto const members = [&](std::size_t v) -> auto const& {
    return m.sets[m.operators[v].set.index()].accelerators;
  };
  for (std::size_t v = 0; v < n; ++v) {
    later<operation, D> const& o = *ops[v];
    auto const& s = m.operators[v].sharding;
    auto const p = members(v).size();
    auto const print = footprint_of(o, s, p);
    auto& u = uses[v];
    if (m.operators[v].weights == residency::resident) u.weights = print.weights.count();
    u.buffers = print.transient().count();
    auto const* rotating = rotating_operand(o, s, p);
    for (input_edge const in : inputs(g, operator_id{v})) {
      if (e.semantics == semantics::staged) break; // all of them come from the host
      auto const& t = o.operands[in.operand];
      auto const from = in.producer.index();
      auto const* made = nth_operand(*ops[from], role::output, in.output);
      auto const owned =
          output_layout(*ops[from], *made, m.operators[from].sharding, members(from).size());
      auto const needed = input_layout(o, t, s, p);
      std::int64_t most = 0;
      for (std::size_t i = 0; i < p; ++i) {
        auto missing = volume(needed[i]);
        for (std::size_t j = 0; j < owned.size(); ++j)
          if (members(from)[j] == members(v)[i]) missing -= shared_volume(owned[j], needed[i]);
        most = std::max(most, missing);
      }
      u.buffers -= size_of(t, rotating == &t ? phase_extents(o, s) : shard_extents(o, s)).count();
      u.buffers += storage(most, made->element_bits).count();
    }
    for (auto const& t : o.operands)
      if (t.role == role::output) {
        std::int64_t largest = 0;
        for (auto const& box : output_layout(o, t, s, p)) largest = std::max(largest, volume(box));
        u.kept += storage(largest, t.element_bits).count();
      }
  }

  later<std::vector<std::vector<std::size_t>>, D> runs(system.accelerators.size());
  for (auto const v : order)
    for (auto const a : members(v)) runs[a.index()].push_back(v);
  e.memory.resize(system.accelerators.size());
  for (std::size_t a = 0; a < runs.size(); ++a) {
    auto& memory = e.memory[a];
    memory = {accelerator_id{a}, {}, {}, system.accelerators[a].memory(), {}};
    using leaving = std::pair<release_moment, std::int64_t>;
    std::priority_queue<leaving, std::vector<leaving>, std::greater<>> living;
    std::int64_t live = 0, highest = 0, weights = 0;
    for (auto const v : runs[a]) {
      while (!living.empty() && living.top().first.first <= e.operators[v].start &&
             living.top().first.second < place[v]) {
        live -= living.top().second;
        living.pop();
      }
      weights += uses[v].weights;
      if (live + uses[v].buffers > highest) {
        highest = live + uses[v].buffers;
        memory.peak_at = operator_id{v};
      }
      live += uses[v].kept;
      living.emplace(release[v], uses[v].kept);
    }
    memory.resident = bytes{weights};
    memory.peak = bytes{weights + highest};
    if (memory.fits()) continue;
    later<std::vector<std::pair<std::int64_t, operator_id>>, D> largest;
    for (auto const v : runs[a]) largest.emplace_back(-uses[v].weights, operator_id{v});
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
