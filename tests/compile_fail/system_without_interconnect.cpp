// expect: connects_accelerators
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/hardware/accelerator.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/graph.hpp>

#include <vector>

struct loose_devices {
  std::vector<mars::accelerator> accelerators;
};

auto attempt(mars::graph const& g, loose_devices const& s) { return mars::mapper{}(g, s); }
