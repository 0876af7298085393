// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/scheduling/detail/bit_rows.hpp>

#include <cstddef>
#include <vector>

namespace mars::detail {

// A `Dag` has size() nodes in topological order and their inputs(v), as `stream_problem` has.

/// Of every node, all that must run before it. O(V + E · V/64).
template <class Dag>
[[nodiscard]] auto ancestors_of(Dag const& dag) -> bit_rows {
  bit_rows above{dag.size(), dag.size()};
  for (std::size_t v = 0; v < dag.size(); ++v)
    for (auto const p : dag.inputs(v)) {
      above.unite(v, p);
      above.set(v, p);
    }
  return above;
}

/// Of every node, the inputs that no other input implies: the minimum equivalent graph, which is the
/// transitive reduction of a DAG. O(Σ inputs²), `above` being its ancestors.
template <class Dag>
[[nodiscard]] auto needed_inputs(Dag const& dag, bit_rows const& above) -> bit_rows {
  bit_rows needed{dag.size(), dag.size()};
  for (std::size_t v = 0; v < dag.size(); ++v)
    for (auto const p : dag.inputs(v)) {
      bool implied = false;
      for (auto const q : dag.inputs(v)) implied = implied || above.has(q, p);
      if (!implied) needed.set(v, p);
    }
  return needed;
}

} // namespace mars::detail
