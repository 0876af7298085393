// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/core/random.hpp>
#include <mars/hardware/presets/fpga.hpp>
#include <mars/mapper.hpp>
#include <mars/mapping/validate.hpp>
#include <mars/parallel/exclusive_shared.hpp>
#include <mars/workload/builder.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

/// A little of everything: strides, groups, uneven extents, branches, a matrix product, two outputs.
auto mixed_network() -> mars::graph {
  mars::builder b{"mixed"};
  auto const x = b.input("x", {3, 6, 19, 17});
  auto const stem = b.conv(
      x, {.out_channels = 12, .kernel = {5, 3}, .stride = {2, 1}, .padding = {2, 1}}, "stem");
  auto const left =
      b.conv(stem, {.out_channels = 12, .kernel = {3, 3}, .padding = {1, 1}, .groups = 3}, "left");
  auto const right = b.conv(stem, {.out_channels = 12, .kernel = {1, 1}}, "right");
  auto const sum = b.add(b.relu(left), right, "sum");
  auto const parts = b.split(b.max_pool(sum, {.kernel = {2, 2}, .stride = {2, 2}}), 1, {5, 7});
  auto const joined = b.concat({parts[1], parts[0], parts[1]}, 1);
  auto const flat = b.flatten(b.softmax(joined, 1), 1);
  b.output(b.linear(flat, 11, true, "fc"));
  return std::move(b).build().value();
}

} // namespace

TEST_CASE("what strategies propose, the validator accepts, and evaluators count no less memory") {
  auto const g = mixed_network();
  auto const system = mars::presets::aws_f1_16xlarge();
  mars::mapper const pricer{mars::cost::analytical{}};
  mars::parallel::exclusive_shared const strategy{.max_exclusive = 3, .cut_kernels = true};
  auto const set = [](std::vector<std::size_t> const& members) {
    mars::accelerator_set s{{}, "super_lip"};
    for (auto const a : members) s.accelerators.emplace_back(a);
    return s;
  };
  std::vector<std::vector<mars::accelerator_set>> const partitions{
      {set({0, 1, 2, 3, 4, 5, 6, 7})},
      {set({0, 1, 2, 3}), set({4, 5, 6, 7})},
      {set({5, 0, 3}), set({1, 2}), set({7}), set({4, 6})}};
  std::size_t rotations = 0;
  std::size_t exact = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    mars::random_stream r{7, trial};
    mars::mapping m{partitions[r.below(partitions.size())], {}};
    for (auto const v : operators(g)) {
      mars::placement p;
      p.set = mars::set_id{static_cast<std::size_t>(r.below(m.sets.size()))};
      auto const all = strategy.shardings(op(g, v), m.sets[p.set.index()].accelerators.size());
      p.sharding = all[r.below(all.size())];
      rotations += p.sharding.shared.has_value();
      m.operators.push_back(p);
    }
    auto const found = validate(m, g, system);
    for (auto const& v : found) CHECK(to_string(v).empty());

    auto const plan = pricer.price(g, system, m).value();
    auto const demands = memory_demands(m, g, system);
    REQUIRE(demands.size() == plan.evaluation.memory.size());
    for (std::size_t a = 0; a < demands.size(); ++a) {
      CHECK(demands[a].peak <= plan.evaluation.memory[a].peak);
      CHECK(demands[a].resident <= plan.evaluation.memory[a].resident);
      exact += demands[a].peak.count() > 0 && demands[a].peak == plan.evaluation.memory[a].peak;
    }
    // Sequential execution is a schedule without conflicts.
    std::vector<mars::time_span> times;
    for (auto const& o : plan.evaluation.operators)
      times.push_back({to_seconds(o.start), to_seconds(o.end)});
    CHECK(validate(m, g, system, times).empty());
  }
  CHECK(rotations > 100);
  CHECK(exact > 100); // where shards are even, both counts are the same
}

TEST_CASE("the baseline's mapping is valid") {
  auto const g = mixed_network();
  auto const system = mars::presets::aws_f1_16xlarge();
  auto const plan = mars::find_baseline(g, system).value();
  CHECK(validate(plan.mapping, g, system).empty());
}
