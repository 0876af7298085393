// expect: lists_accelerators
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/interconnect/fully_connected.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/graph.hpp>

#include <vector>

struct capacities {
  std::vector<double> accelerators;
  mars::interconnect::fully_connected interconnect;
};

auto attempt(mars::graph const& g, capacities const& s) { return mars::mapper{}(g, s); }
