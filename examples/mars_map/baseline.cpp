// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "policies.hpp"
#include "run.hpp"

namespace mars_map {

auto find_baseline(options const& o, mars::graph const& graph, mars::any_system const& system)
    -> mars::expected<mars::plan> {
  return mars::find_baseline(graph, system, cost_of(o));
}

} // namespace mars_map
