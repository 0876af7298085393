// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/convolution.hpp"
#include "support/counting_cost.hpp"

#include <mars/cost.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/designs/super_lip.hpp>
#include <mars/hardware/designs/winograd.hpp>

#include <limits>
#include <thread>
#include <vector>

using namespace mars;
namespace hw = mars::hardware;
using mars_test::approx;
using mars_test::counting_cost;
using mars_test::make_convolution;
using mars_test::make_elementwise;
using mars_test::make_matmul;

TEST_CASE("analytical believes the design") {
  auto const fc = make_matmul(1, 64, 64);
  hw::roofline const gpu{
      .peak_rate = flops_per_second{8192}, .bandwidth = bytes_per_second{1e9}, .power = watts{5}};
  auto const c = cost::analytical{}(shard{fc}, gpu);
  CHECK(c.time.total.count() == approx(1.0)); // 2·64·64 FLOP
  CHECK(c.energy.count() == approx(5.0));

  hw::winograd const choosy{.other_layers = hw::winograd_policy::unsupported};
  CHECK(cost::analytical{}(shard{fc}, choosy).time.total == infinite_seconds);
  CHECK_FALSE(is_known(cost::analytical{}(shard{fc}, hw::super_lip{}).energy));
  // Through the wrapper the answers are the same.
  CHECK(cost::analytical{}(shard{fc}, any_design{choosy}).time.total == infinite_seconds);
  CHECK(cost::analytical{}(shard{fc}, any_design{gpu}) == c);
}

TEST_CASE("roofline by hand") {
  // 100×100×100: 2·10⁶ FLOP; three operands of 20 kB.
  auto const op = make_matmul(100, 100, 100);
  shard const s{op};
  cost::roofline const given{
      .peak = flops_per_second{1e6}, .bandwidth = bytes_per_second{1e4}, .overhead = seconds{0.5}};
  auto const c = given(s, hw::winograd{});
  CHECK(c.time.compute.count() == approx(2));
  CHECK(c.time.memory.count() == approx(6));
  CHECK(c.time.total.count() == approx(6.5));
  CHECK_FALSE(is_known(c.energy));

  SECTION("what is not given is asked of the design") {
    // 64·7 MACs per cycle at 1 kHz: 2·10⁶ / 896 000.
    hw::super_lip const d{.clock = hertz{1e3}};
    CHECK(cost::roofline{}(s, d).time.total.count() == approx(2e6 / 896e3));
    CHECK(cost::roofline{}(s, any_design{d}).time.total.count() == approx(2e6 / 896e3));
    CHECK(cost::roofline{.bandwidth = bytes_per_second{1e4}}(s, d).time.total.count() == approx(6));
  }
  SECTION("a design that says nothing has no roof, and the answer says so") {
    auto const unknown = cost::roofline{}(s, design_archetype{});
    CHECK(unknown.time.total.count() == 0);
    CHECK_FALSE(unknown.time.estimated);
    CHECK(cost::roofline{.peak = flops_per_second{1e6}}(s, design_archetype{}).time.estimated);
  }
  SECTION("refused and opaque stay what they are") {
    hw::winograd const choosy{.other_layers = hw::winograd_policy::unsupported};
    CHECK(given(s, choosy).time.total == infinite_seconds);
    auto const opaque = make_elementwise(10, op_kind::opaque);
    CHECK_FALSE(given(shard{opaque}, hw::winograd{}).time.estimated);
  }
}

TEST_CASE("table: measurements, and a policy for gaps") {
  auto const op = make_convolution({.out_channels = 8,
                                    .in_channels = 2,
                                    .rows = 4,
                                    .columns = 4,
                                    .kernel_rows = 3,
                                    .kernel_columns = 3});
  hw::winograd const d{.clock = hertz{1}};
  auto half = full_extents(op);
  half[*find_dim(op, "k")] = 4;

  cost::lookup_counts counts;
  cost::table<> measured{.report = &counts};
  shard_cost const seven{.time = {.total = seconds{7}}, .energy = joules{3}};
  REQUIRE(measured.add(shard{op}, "winograd", seven).has_value());

  CHECK(measured(shard{op}, d) == seven);
  CHECK(measured(shard{op}, any_design{d}) == seven);
  CHECK(measured(shard{op, half}, d).time.total.count() == 1); // the model's
  hw::winograd other{d};
  other.title = "winograd at another clock";
  CHECK(measured(shard{op}, other).time.total.count() == 1);
  CHECK(counts.found == 2);
  CHECK(counts.missing == 2);

  SECTION("names do not enter, everything else does") {
    auto renamed = op;
    renamed.name = "another layer";
    CHECK(measured.find(shard{renamed}, "winograd").has_value());
    auto wider = op;
    wider.operands[0].element_bits = 8;
    CHECK_FALSE(measured.find(shard{wider}, "winograd").has_value());
  }
  SECTION("gaps can be refused") {
    cost::table<cost::unavailable> strict{.entries = measured.entries};
    CHECK(strict(shard{op}, d) == seven);
    CHECK(strict(shard{op, half}, d).time.total == infinite_seconds);
  }
  SECTION("bad entries are refused") {
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(measured.add(shard{op, half}, "x", {.time = {.total = seconds{nan}}}).error().code ==
          error_code::out_of_range);
    CHECK(measured.add(shard{op, half}, "x", {.time = {.total = seconds{-1}}}).error().code ==
          error_code::out_of_range);
    CHECK(measured.add(shard{op}, "winograd", seven).error().code == error_code::duplicate);
    CHECK(measured.add(shard{op, half}, "x", {.time = unsupported_time()}).has_value());
  }
}

TEST_CASE("cached asks a model once per distinct question") {
  auto const a = make_matmul(4, 64, 64);
  auto b = make_matmul(4, 64, 64);
  b.name = "the same layer again";
  auto const c = make_matmul(5, 64, 64);
  auto half = full_extents(a);
  half[1] = 32;

  counting_cost<cost::analytical> const counter{};
  cost::cached<counting_cost<cost::analytical>> const model{counter};
  auto const direct = cost::analytical{}(shard{a}, hw::winograd{});

  CHECK(model(shard{a}, hw::winograd{}) == direct);
  CHECK(*counter.calls == 1);
  CHECK(model(shard{a}, hw::winograd{}) == direct);
  CHECK(model(shard{b}, any_design{hw::winograd{}}) == direct);
  CHECK(*counter.calls == 1);
  (void)model(shard{a}, hw::super_lip{});
  CHECK(*counter.calls == 2);
  (void)model(shard{a, half}, hw::winograd{});
  CHECK(*counter.calls == 3);
  (void)model(shard{c}, hw::winograd{});
  CHECK(*counter.calls == 4);
  CHECK(model.hits() == 2);
  CHECK(model.misses() == 4);

  auto const copy = model; // copies share the memory
  (void)copy(shard{c}, hw::winograd{});
  CHECK(*counter.calls == 4);
}

TEST_CASE("cached may be asked from several threads") {
  cost::cached<cost::analytical> const model{};
  std::vector<operation> ops;
  for (int i = 1; i <= 50; ++i) ops.push_back(make_matmul(i, 32, 32));
  std::vector<std::thread> threads;
  std::vector<double> sums(4);
  for (std::size_t t = 0; t < sums.size(); ++t)
    threads.emplace_back([&, t] {
      for (auto const& op : ops) sums[t] += model(shard{op}, hw::super_lip{}).time.total.count();
    });
  for (auto& t : threads) t.join();
  for (auto const sum : sums) CHECK(sum == sums[0]);
  CHECK(model.hits() + model.misses() == 200);
}

TEST_CASE("any_cost: chosen at run time") {
  auto const op = make_matmul(1, 64, 64);
  std::vector<any_cost> const models{
      cost::analytical{}, cost::unavailable{},
      cost::roofline{.peak = flops_per_second{8192}, .bandwidth = bytes_per_second{1e9}}};
  hw::winograd const d{};
  CHECK(models[0](shard{op}, d) == cost::analytical{}(shard{op}, d));
  CHECK(models[1](shard{op}, d).time.total == infinite_seconds);
  CHECK(models[2](shard{op}, any_design{d}).time.total.count() == approx(1));
}
