// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <vector>

namespace mars_test {

/// A graph that is nothing but dependencies.
struct bare_graph {
  std::vector<std::vector<std::size_t>> producers; ///< by consumer

  friend auto operators(bare_graph const& g) -> std::vector<mars::operator_id> {
    std::vector<mars::operator_id> all;
    for (std::size_t v = 0; v < g.producers.size(); ++v) all.emplace_back(v);
    return all;
  }
  friend auto op(bare_graph const&, mars::operator_id) -> mars::operation const& {
    static mars::operation const same;
    return same;
  }
  friend auto inputs(bare_graph const& g, mars::operator_id v) -> std::vector<mars::input_edge> {
    std::vector<mars::input_edge> all;
    for (auto const u : g.producers[v.index()]) all.push_back({mars::operator_id{u}, 0, 0});
    return all;
  }
};
static_assert(mars::WorkloadGraph<bare_graph>);

} // namespace mars_test
