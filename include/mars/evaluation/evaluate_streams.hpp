// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/assignment.hpp>
#include <mars/evaluation/detail/check_evaluable.hpp>
#include <mars/evaluation/detail/stream_pricing.hpp>
#include <mars/evaluation/evaluation.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace mars {

namespace detail {

/// Calls `use(stream_pricing)` for a mapping that can be evaluated.
template <class Result, WorkloadGraph Graph, AcceleratorSystem System, class Cost, class Collective,
          class Use, deferred D = when_called>
[[nodiscard]] auto with_stream_pricing(Graph const& g, System const& system, mapping const& m,
                                       Cost const& cost, Collective const& collective, Use use)
    -> expected<Result> {
  auto const order = topological_order(g);
  if (!order) return unexpected{order.error()};
  auto const n = order->size();
  later<std::vector<operation const*>, D> ops(n);
  for (std::size_t v = 0; v < n; ++v) ops[v] = &op(g, operator_id{v});
  design_catalogue<System> const catalogue{system};
  if (auto ok = check_evaluable(ops, system, catalogue, m); !ok) return unexpected{ok.error()};
  if (auto ok = check_launch_order(g, n, m); !ok) return unexpected{ok.error()};
  if (auto ok = check_compressions(g, m); !ok) return unexpected{ok.error()};
  if (auto ok = check_no_rewrites(g, m); !ok) return unexpected{ok.error()};
  auto const devices = devices_of_sets(catalogue, m);
  if (auto ok = check_streams(ops, system, devices, m); !ok) return unexpected{ok.error()};
  return use(stream_pricing<Graph, System, Cost, Collective>{g, system, m, cost, collective,
                                                             catalogue, ops, devices});
}

} // namespace detail

/// Prices a mapping with streams (streamed semantics): all accelerators in one event simulation, the
/// kernels on each as `detail::basic_kernel_engine` shares its SMs and its DRAM. `evaluate` calls it.
///
///   ready(v) = max( gap,
///                   end(p) + gap           for p before v on its stream, of each member
///                   end(u) + move + event  for inputs on another stream of an accelerator of both
///                   end(u) + move + gap    for other inputs )
///
/// When ready, an operator launches the kernels of its shards on all members at once, each member its
/// own after each other; when the last has ended come rotation, partial sums and states, as
/// `evaluate_schedule` charges them, and its streams are held until then. `move` is its, too. Views launch
/// nothing and take no time; a wait for an event is charged on the way into one. `start` is a gap before
/// `ready`, so that `compute` is the time from then to the last kernel's end, whatever runs beside it.
/// An operator whose phases interleave with communication (a shared cut), or whose design launches no
/// kernels, is one kernel of its priced time, alone on its accelerators.
///
/// With all on stream 0 this is `evaluate_schedule` to the picosecond, where the cost model is what
/// designs say of themselves and gaps are whole picoseconds. Kernels come from the design: the cost model
/// prices the rest, and energy. Memory: as scheduled, buffers of all operators that run at a time.
/// The bottleneck is the accelerator that is busy for the longest time.
///
/// Errors: as `evaluate_schedule`; not one stream of every operator; a stream but 0 on a design without
/// kernels; a staged system. Complexity: O(V + E·p²) model calls, and O(K·(A + c)) for K kernels of all
/// members, A accelerators, and c the cost of an event with what is resident then.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          CollectiveModelForSystem<System> Collective, deferred D = when_called>
[[nodiscard]] auto evaluate_streams(Graph const& g, System const& system, mapping const& m,
                                    Cost const& cost, Collective const& collective)
    -> later<expected<evaluation>, D> {
  return detail::with_stream_pricing<evaluation>(g, system, m, cost, collective, [](auto pricing) {
    pricing.run();
    return std::move(pricing).finish();
  });
}

/// What no streams and no launch order of this placement can be faster than: the longest path of the
/// least times of kernels, moves, and the lesser of gap and event ("kernel path"), or the arithmetic or
/// memory traffic of one accelerator at its peak ("kernel work"). Other placements may be faster.
/// Errors: as `evaluate_streams`. O(V + E·p²) model calls.
template <WorkloadGraph Graph, AcceleratorSystem System, CostModelForSystem<System> Cost,
          CollectiveModelForSystem<System> Collective, deferred D = when_called>
[[nodiscard]] auto bound_placement(Graph const& g, System const& system, mapping const& m,
                                   Cost const& cost, Collective const& collective)
    -> later<expected<bound>, D> {
  return detail::with_stream_pricing<bound>(g, system, m, cost, collective,
                                            [](auto pricing) { return pricing.least(); });
}

} // namespace mars
