// expect: prices_shards_on
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/hardware/system.hpp>
#include <mars/interconnect/fully_connected.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/graph.hpp>

struct in_cycles {
  template <mars::AcceleratorDesign D>
  auto operator()(mars::shard const&, D const&) const -> int {
    return 1;
  }
};

auto attempt(mars::graph const& g,
             mars::system<mars::accelerator, mars::interconnect::fully_connected> const& s) {
  return mars::mapper{in_cycles{}}(g, s);
}
