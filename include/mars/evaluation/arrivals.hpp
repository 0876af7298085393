// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/evaluation/critical_path.hpp>
#include <mars/evaluation/detail/set_channels.hpp>
#include <mars/evaluation/detail/stream_waits.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/parallel/layout.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace mars {

/// When inputs arrive with overlapped transfers: the end of the producer and what `channel` says, as
/// `evaluate_schedule` prices them; on another stream of the same accelerator also what a wait for an
/// event takes beyond a gap. Nothing for other semantics, whose transfers are parts of
/// operators. Precondition: `e` is the evaluation of this mapping with these collectives. O(E·p²).
template <WorkloadGraph Graph, class System, class Collective, deferred D = when_called>
[[nodiscard]] auto find_arrivals(Graph const& g, System const& system, mapping const& m,
                                 evaluation const& e, Collective const& collective)
    -> later<input_arrivals, D> {
  later<input_arrivals, D> arrivals;
  if (!is_overlapped(e.semantics)) return arrivals;
  using network = std::remove_cvref_t<decltype(system.interconnect)>;
  detail::set_channels<network, Collective> channels{system.interconnect, collective, m};
  design_catalogue<System> const catalogue{system};
  auto const devices = detail::devices_of_sets(catalogue, m);
  // What launches nothing hands on at once.
  auto const lag = [&](operator_id from, operator_id to) {
    auto const& u = e.operators[from.index()];
    bool const waits = detail::waits_for_event(m, from, to) && u.start < u.end;
    return waits ? std::max(picoseconds{},
                            detail::event_lag(devices[m.operators[to.index()].set.index()]))
                 : picoseconds{};
  };
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
      arrivals[v.index()].push_back(saturating_add(
          e.operators[in.producer.index()].end, saturating_add(moved.time, lag(in.producer, v))));
    }
  return arrivals;
}

} // namespace mars
