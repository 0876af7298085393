// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "check.hpp"

#include <mars/mapping/validate.hpp>

namespace mars_map {

auto check_mapping(mars::graph const& graph, mars::any_system const& system,
                   mars::mapping const& mapping) -> verdict {
  verdict result;
  for (auto const& v : mars::validate(mapping, graph, system)) {
    bool const memory = v.kind == mars::violation_kind::memory;
    (memory ? result.lacking : result.wrong).push_back(to_string(v));
  }
  return result;
}

} // namespace mars_map
