// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/topology.hpp>

#include <string>
#include <utility>
#include <vector>

namespace mars::io::detail {

/// The operators as they run: in launch order, or one after another along the edges. Precondition:
/// `features_of` accepts the mapping. Errors: `topological_order`'s; `invalid_mapping`, a launch before
/// that of a producer.
template <WorkloadGraph G>
[[nodiscard]] auto run_order(G const& g, mapping const& m) -> expected<std::vector<operator_id>> {
  auto order = topological_order(g);
  if (!order) return unexpected{std::move(order).error()};
  if (!m.is_scheduled()) return *std::move(order);
  std::vector<bool> launched(m.operators.size(), false);
  for (auto const v : m.launch_order) {
    for (input_edge const e : inputs(g, v))
      if (!launched[e.producer.index()])
        return fail(error_code::invalid_mapping, "launch_order",
                    std::string{"'"} + op(g, v).name + "' before what it reads", "producers first");
    launched[v.index()] = true;
  }
  return m.launch_order;
}

} // namespace mars::io::detail
