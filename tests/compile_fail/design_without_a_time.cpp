// expect: times_shards
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/interconnect/fully_connected.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/graph.hpp>

#include <array>
#include <vector>

struct vague {
  auto name() const -> char const* { return "vague"; }
};
struct vague_device {
  auto memory() const -> mars::bytes { return mars::bytes{1}; }
  auto designs() const -> std::array<vague, 1> { return {}; }
};
struct vague_system {
  std::vector<vague_device> accelerators;
  mars::interconnect::fully_connected interconnect;
};

auto attempt(mars::graph const& g, vague_system const& s) { return mars::mapper{}(g, s); }
