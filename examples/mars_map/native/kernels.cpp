// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "kernels.hpp"

#include <mars/measurement/own_kernels.hpp>

#include <utility>

namespace mars_map {

auto native_machine() -> mars::measurement::machine { return mars::measurement::measure_machine(); }

auto native_kernels(std::vector<std::string> primitives, bool untuned, bool tuned)
    -> mars::measurement::kernel_source {
  return mars::measurement::own_kernels(
      {.primitives = std::move(primitives), .untuned = untuned, .tuned = tuned});
}

} // namespace mars_map
