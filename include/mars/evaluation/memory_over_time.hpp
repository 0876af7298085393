// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/id.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/critical_path.hpp>
#include <mars/evaluation/detail/memory_charges.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace mars {

/// What fills the memory of an accelerator until the next step.
struct memory_step {
  picoseconds at{};
  bytes weights{}; ///< resident
  bytes results{}; ///< outputs that still have readers, or that are results of the graph
  bytes buffers{}; ///< of operators that run: what they receive, write and exchange

  [[nodiscard]] auto total() const -> bytes { return weights + results + buffers; }
  friend auto operator==(memory_step const&, memory_step const&) -> bool = default;
};

/// Memory of every accelerator from the start of an inference to its end, in steps, with what
/// `evaluate` charges: its largest total is `memory_use::peak`. The first step is at 0. An operator
/// that takes no time, but more memory than there was before, leaves a step that lasts none. Results
/// stay where they were made until their last reader ends.
///
/// `times` are by operator id, and so is `priced`, which says what algorithms add. Precondition: the mapping can be evaluated on this graph.
/// O(E·p²) box intersections, and O(V·p) steps.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto memory_over_time(Graph const& g, mapping const& m, std::size_t accelerators,
                                    std::span<operator_times const> times, semantics how,
                                    std::span<operator_evaluation const> priced = {})
    -> later<std::vector<std::vector<memory_step>>, D> {
  // Starts and ends by time; of those at one time first who started, and so ends, first.
  later<std::vector<operator_id>, D> order = *topological_order(g);
  auto const n = order.size();
  std::stable_sort(order.begin(), order.end(), [&](operator_id a, operator_id b) {
    auto const& x = times[a.index()];
    auto const& y = times[b.index()];
    return std::tie(x.start, x.end) < std::tie(y.start, y.end);
  });
  auto const set_of = [&](operator_id v) { return m.operators[v.index()].set.index(); };

  // Readers that a result waits for. What nobody reads goes at once if the graph says what its results
  // are and operators are scheduled; else it stays.
  later<std::vector<std::size_t>, D> readers(n);
  for (auto const v : order)
    for (input_edge const e : inputs(g, v)) ++readers[e.producer.index()];
  later<std::vector<bool>, D> stays(n, true);
  if constexpr (requires { outputs(g); }) {
    if (how != semantics::sequential)
      for (std::size_t v = 0; v < n; ++v) stays[v] = readers[v] > 0;
    for (auto const& result : outputs(g)) {
      ++readers[result.producer.index()];
      stays[result.producer.index()] = true;
    }
  }

  auto charges = detail::memory_charges(g, m, how);
  for (std::size_t v = 0; v < priced.size(); ++v) {
    charges[v].weights += priced[v].more_weights;
    charges[v].buffers += priced[v].more_buffers;
  }
  later<std::vector<std::vector<memory_step>>, D> steps(accelerators);
  for (auto& of_one : steps) of_one.emplace_back();
  for (auto const v : order)
    for (auto const a : m.sets[set_of(v)].accelerators)
      steps[a.index()].front().weights += charges[v.index()].weights;
  auto const change = [&](operator_id v, picoseconds when, bytes more_results, bytes more_buffers) {
    for (auto const a : m.sets[set_of(v)].accelerators) {
      auto& of_one = steps[a.index()];
      auto step = of_one.back();
      step.at = when;
      step.results += more_results;
      step.buffers += more_buffers;
      of_one.push_back(step);
    }
  };

  struct event {
    picoseconds at;
    std::size_t position;
    bool end;
  };
  later<std::vector<event>, D> events;
  for (std::size_t i = 0; i < n; ++i) {
    events.push_back({times[order[i].index()].start, i, false});
    events.push_back({times[order[i].index()].end, i, true});
  }
  std::sort(events.begin(), events.end(), [](event const& a, event const& b) {
    return std::tie(a.at, a.position, a.end) < std::tie(b.at, b.position, b.end);
  });
  for (auto const& [when, position, end] : events) {
    auto const v = order[position];
    if (!end) {
      change(v, when, bytes{}, charges[v.index()].buffers);
      continue;
    }
    change(v, when, stays[v.index()] ? charges[v.index()].kept : bytes{},
           bytes{} - charges[v.index()].buffers);
    for (input_edge const e : inputs(g, v))
      if (--readers[e.producer.index()] == 0)
        change(e.producer, when, bytes{} - charges[e.producer.index()].kept, bytes{});
  }

  // Of the steps at one time the last remains, and the largest if it stands out.
  for (auto& of_one : steps) {
    later<std::vector<memory_step>, D> shown;
    for (std::size_t i = 0; i < of_one.size();) {
      auto largest = i, end = i;
      for (; end < of_one.size() && of_one[end].at == of_one[i].at; ++end)
        if (of_one[end].total() > of_one[largest].total()) largest = end;
      auto const least = std::max(of_one[end - 1].total(), i > 0 ? of_one[i - 1].total() : bytes{});
      if (of_one[largest].total() > least) shown.push_back(of_one[largest]);
      shown.push_back(of_one[end - 1]);
      i = end;
    }
    of_one = std::move(shown);
  }
  return steps;
}

} // namespace mars
