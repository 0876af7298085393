// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The worked example of the MARS reference: Cout = Cin = 512, H = W = 14, K = 3, stride 1 on four
// accelerators, 2 bytes an element, 8 Gb/s between every two, no message latency, the systolic array
// (11 × 13 × 8 at 200 MHz) without fill. All figures to the picosecond.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/collective/ring.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/mapping/validate.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace {
using namespace mars;

struct row {
  char const* cut;                 ///< exclusively, four ways
  std::optional<char const*> keep; ///< shared, four ways
};

auto sharding_of(operation const& o, row const& r) -> sharding {
  sharding s;
  s.exclusive.push_back({static_cast<std::uint8_t>(find_dim(o, r.cut).value()), 4});
  if (r.keep) s.shared = cut{static_cast<std::uint8_t>(find_dim(o, *r.keep).value()), 4};
  return s;
}

/// Two such layers, one after the other.
auto two_layers() -> graph {
  builder b{"worked example"};
  auto x = b.input("x", {1, 512, 14, 14});
  for (auto const* name : {"first", "second"})
    x = b.conv(x, {.out_channels = 512, .kernel = {3, 3}, .padding = {1, 1}, .bias = false}, name);
  b.output(x);
  return std::move(b).build().value();
}

auto four() {
  hardware::systolic_array const array{.row = 11, .col = 13, .vec = 8, .fill = false};
  return mars_test::uniform_system(
      interconnect::fully_connected{.accelerators = 4, .bandwidth = bytes_per_second{1e9}},
      {array});
}

auto all_on_one_set(std::vector<sharding> const& shardings) -> mapping {
  mapping m{{{mars_test::first(4), "systolic_array"}}, {}};
  for (auto const& s : shardings) m.operators.push_back({set_id{0}, s});
  return m;
}

/// The mapping priced by the models, and by the tables, which must say the same.
template <class Collective>
auto price(graph const& g, mapping const& m, Collective const& collective) -> evaluation {
  auto const s = four();
  auto const e = evaluate(g, s, m, cost::analytical{}, collective).value();
  auto const p = build_problem(g, s, cost::analytical{}, parallel::exclusive_shared{}, collective,
                               objective::latency{}, {mars_test::first(4)})
                     .value();
  auto const a = p.encode(m);
  REQUIRE(a);
  CHECK(p.evaluate(*a).value == e.latency.count());
  CHECK(validate(m, g, s).empty());
  return e;
}
auto price_pair(row const& first, row const& second) -> evaluation {
  auto const g = two_layers();
  auto const m = all_on_one_set(
      {sharding_of(op(g, operator_id{0}), first), sharding_of(op(g, operator_id{1}), second)});
  auto const e = price(g, m, collective::ring{});
  // The communication library's choice is the ring, or as good.
  CHECK(price(g, m, collective::standard{}).latency == e.latency);
  return e;
}

auto duration(operator_evaluation const& o) -> std::int64_t { return (o.end - o.start).count(); }
constexpr std::int64_t ns = 1000;

} // namespace

TEST_CASE("worked example: ES = {Cout:4}") {
  row const cout{"k", {}};
  auto const e = price_pair(cout, cout);
  for (auto const& o : e.operators) {
    CHECK(o.compute.count() == 967'680 * ns); // 193536 cycles
    CHECK(o.rotation.count() == 0);
    CHECK(o.partial_sums.count() == 0);
  }
  // The first layer's image is outside. The second needs all 200704 B and has a quarter.
  CHECK(e.operators[0].redistribution.count() == 0);
  CHECK(e.operators[1].redistribution.count() == 150'528 * ns);
  CHECK(duration(e.operators[1]) == 1'118'208 * ns);
  CHECK(e.latency.count() == (967'680 + 1'118'208) * ns);
}

TEST_CASE("worked example: ES = {Cin:4}") {
  row const cin{"c", {}};
  auto const e = price_pair(cin, cin);
  for (auto const& o : e.operators) {
    CHECK(o.compute.count() == 947'520 * ns);      // 189504 cycles
    CHECK(o.partial_sums.count() == 301'056 * ns); // all-reduce of 200704 B
    CHECK(o.redistribution.count() == 0);          // everybody has everything
    CHECK(duration(o) == 1'248'576 * ns);
  }
}

TEST_CASE("worked example: ES = {Cin:4}, scattered for a layer that cuts the same channels") {
  auto const g = two_layers();
  auto first = sharding_of(op(g, operator_id{0}), {"c", {}});
  first.scatter = static_cast<std::uint8_t>(find_dim(op(g, operator_id{0}), "k").value());
  auto const e = price(g, all_on_one_set({first, sharding_of(op(g, operator_id{1}), {"c", {}})}),
                       collective::ring{});
  CHECK(e.operators[0].partial_sums.count() == 150'528 * ns); // reduce-scatter: half of it
  CHECK(e.operators[1].redistribution.count() == 0);          // a quarter is all that is needed
}

TEST_CASE("worked example: ES = {W:4}") {
  row const w{"x", {}};
  auto const e = price_pair(w, w);
  CHECK(e.operators[0].compute.count() == 1'895'040 * ns); // 379008 cycles
  CHECK(e.operators[0].redistribution.count() == 0);
  // The halo, exactly: columns 14 = 4 + 4 + 3 + 3, the second device needs [3, 9) and owns [4, 8):
  // 2 · 14 · 512 elements, 28672 B.
  CHECK(e.operators[1].redistribution.count() == 28'672 * ns);
  CHECK(duration(e.operators[1]) == 1'923'712 * ns);
  for (auto const& m : e.memory) CHECK(m.resident.count() == 2 * 4'718'592);
}

TEST_CASE("worked example: ES = {W:4}, SS = {Cout:4}") {
  row const w{"x", {}};
  row const shared{"x", "k"};
  auto const e = price_pair(w, shared);
  auto const& o = e.operators[1];
  CHECK(o.compute.count() == 4 * 483'840 * ns); // 96768 cycles a phase
  CHECK(o.rotation.count() == 3 * (1'179'648 - 483'840) * ns);
  CHECK((o.compute + o.rotation).count() == 4'022'784 * ns);
  CHECK(o.redistribution.count() == 28'672 * ns);
  CHECK(duration(o) == (4'022'784 + 28'672) * ns);

  // Weights on each: the part held and the part that arrives, 2359296 B together.
  auto const g = two_layers();
  auto const& second = op(g, operator_id{1});
  auto const f = footprint_of(second, sharding_of(second, shared), 4);
  CHECK((f.weights + f.arriving).count() == 2'359'296);
  for (auto const& m : e.memory) CHECK(m.resident.count() == 4'718'592 + 1'179'648);
}
