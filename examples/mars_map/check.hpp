// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/hardware/system.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/graph.hpp>

#include <string>
#include <vector>

namespace mars_map {

/// What the library's validator says of a mapping, one line each.
struct verdict {
  std::vector<std::string> wrong;   ///< it is not a mapping of this graph onto this system
  std::vector<std::string> lacking; ///< it is, but memory does not suffice
};

[[nodiscard]] auto check_mapping(mars::graph const& graph, mars::any_system const& system,
                                 mars::mapping const& mapping) -> verdict;

} // namespace mars_map
