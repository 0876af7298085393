// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/critical_path.hpp>
#include <mars/evaluation/detail/set_channels.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/topology.hpp>

#include <type_traits>
#include <vector>

namespace mars {

/// When inputs arrive with overlapped transfers: the end of the producer and what `channel` says, as
/// `evaluate_schedule` prices them. Nothing for other semantics, whose transfers are parts of
/// operators. Precondition: `e` is the evaluation of this mapping with these collectives. O(E·p²).
template <WorkloadGraph Graph, class System, class Collective, deferred D = when_called>
[[nodiscard]] auto find_arrivals(Graph const& g, System const& system, mapping const& m,
                                 evaluation const& e, Collective const& collective)
    -> later<input_arrivals, D> {
  later<input_arrivals, D> arrivals;
  if (e.semantics != semantics::overlapped) return arrivals;
  using network = std::remove_cvref_t<decltype(system.interconnect)>;
  detail::set_channels<network, Collective> channels{system.interconnect, collective, m};
  arrivals.resize(m.operators.size());
  for (operator_id const v : operators(g))
    for (input_edge const in : inputs(g, v)) {
      auto const& to = m.operators[v.index()];
      auto const& from = m.operators[in.producer.index()];
      auto const& owners = m.sets[from.set.index()].accelerators;
      auto const& readers = m.sets[to.set.index()].accelerators;
      later<operation, D> const& producer = op(g, in.producer);
      later<operation, D> const& consumer = op(g, v);
      auto const* produced = nth_operand(producer, role::output, in.output);
      auto const moved = channels.between(from.set, to.set)(
          output_layout(producer, *produced, from.sharding, owners.size()),
          input_layout(consumer, consumer.operands[in.operand], to.sharding, readers.size()),
          produced->element_bits);
      arrivals[v.index()].push_back(
          saturating_add(e.operators[in.producer.index()].end, moved.time));
    }
  return arrivals;
}

} // namespace mars
