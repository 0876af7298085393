// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/detail/missing_parts.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/parallel/redistribution.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mars::detail {

/// What an operator puts on each accelerator of its set: that of the fullest.
struct memory_charge {
  bytes weights; ///< always; none where they are streamed
  bytes
      buffers; ///< while it runs: inputs that are elsewhere (staged: all), outputs before reduction
  bytes kept;  ///< its results, until their last reader has ended
};

/// By operator id. O(E·p²) box intersections.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto memory_charges(Graph const& g, mapping const& m, semantics how)
    -> later<std::vector<memory_charge>, D> {
  later<std::vector<memory_charge>, D> charges(m.operators.size());
  for (operator_id const v : operators(g)) {
    later<operation, D> const& o = op(g, v);
    auto const& placed = m.operators[v.index()];
    auto const& members = m.sets[placed.set.index()].accelerators;
    auto const p = members.size();
    auto const print = footprint_of(o, placed.sharding, p);
    auto& charge = charges[v.index()];
    charge.buffers = print.transient();
    if (placed.weights == residency::resident) charge.weights = print.weights;
    for (input_edge const e : inputs(g, v)) {
      if (how == semantics::staged) break; // all of them come from the host
      auto const& from = m.operators[e.producer.index()];
      auto const& owners = m.sets[from.set.index()].accelerators;
      later<operation, D> const& producer = op(g, e.producer);
      auto const* produced = nth_operand(producer, role::output, e.output);
      auto const& consumed = o.operands[e.operand];
      auto const moves =
          missing_parts(output_layout(producer, *produced, from.sharding, owners.size()),
                        input_layout(o, consumed, placed.sharding, p), owners, members);
      bool const rotates = rotating_operand(o, placed.sharding, p) == &consumed;
      charge.buffers -= size_of(consumed, rotates ? phase_extents(o, placed.sharding)
                                                  : shard_extents(o, placed.sharding));
      charge.buffers += storage(largest_missing(moves, p), produced->element_bits);
    }
    for (auto const& t : o.operands)
      if (t.role == role::output) {
        std::int64_t largest = 0;
        for (auto const& box : output_layout(o, t, placed.sharding, p))
          largest = std::max(largest, volume(box));
        charge.kept += storage(largest, t.element_bits);
      }
  }
  return charges;
}

} // namespace mars::detail
