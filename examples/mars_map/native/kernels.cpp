// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "kernels.hpp"

#include <mars/measurement/own_kernels.hpp>

namespace mars_map {

auto native_machine() -> mars::measurement::machine { return mars::measurement::measure_machine(); }

auto native_kernels() -> mars::measurement::kernel_source {
  return mars::measurement::own_kernels();
}

} // namespace mars_map
