// expect: PricesTransfers
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/hardware/accelerator.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/graph.hpp>

#include <cstddef>
#include <vector>

struct wire {
  auto size() const -> std::size_t { return 2; }
  auto transfer_time(mars::accelerator_id, mars::accelerator_id, mars::bytes) const -> double {
    return 0;
  }
};
struct wired {
  std::vector<mars::accelerator> accelerators;
  wire interconnect;
};

auto attempt(mars::graph const& g, wired const& s) { return mars::mapper{}(g, s); }
