// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/networks.hpp"

#include <mars/hardware/presets/fpga.hpp>
#include <mars/io/report/link_load.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/builder.hpp>
#include <mars/zoo/registry.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace {

using mars_test::f1;
using mars_test::group;
using load_by_name = std::map<std::string, std::int64_t>;

/// Bytes of every link that carries any.
auto load_of(mars::graph const& g, mars::mapping const& m) -> load_by_name {
  auto const links = f1().links();
  auto const found = mars::io::measure_load(g, f1(), m);
  REQUIRE(found.links.size() == links.size());
  load_by_name out;
  for (std::size_t i = 0; i < links.size(); ++i)
    if (found.links[i].count() != 0) out[links[i].name] = found.links[i].count();
  return out;
}
auto name_of(std::uint32_t from, std::uint32_t to) -> std::string {
  auto const links = f1().links();
  return links[f1().route(mars_test::acc(from), mars_test::acc(to)).front().index()].name;
}
/// The link to the host, or back.
auto host_link(std::uint32_t a, bool up) -> std::string {
  auto const links = f1().links();
  auto const other = mars_test::acc(a < 4 ? 4 : 0);
  auto const route =
      up ? f1().route(mars_test::acc(a), other) : f1().route(other, mars_test::acc(a));
  return links[route[up ? 0 : 1].index()].name;
}
auto dim_of(mars::operation const& o, char const* name) -> std::uint8_t {
  return static_cast<std::uint8_t>(mars::find_dim(o, name).value());
}

} // namespace

TEST_CASE("a tensor that several receivers need whole is fetched in parts and gathered") {
  mars::builder b{"two"};
  auto x = b.input("x", {1, 4, 8, 8});
  x = b.relu(x, "a");
  b.output(b.relu(x, "b"));
  auto const g = std::move(b).build().value();
  auto const& a = op(g, mars::operator_id{0});
  std::uint8_t rows = 0;
  while (a.dims[rows].extent != 8) ++rows;
  mars::mapping m{{{group({0, 1}), "d"}, {group({4, 5}), "d"}}, {}, {}};
  m.operators.resize(2);
  m.operators[0] = {mars::set_id{0}, {}};
  m.operators[0].sharding.exclusive.push_back({rows, 2});
  m.operators[1] = {mars::set_id{1}, {}};

  // 256 elements of 2 bytes; 0 and 1 hold 256 B each. Receivers 4 and 5 fetch half of each part,
  // 128 B, and pass each other the 256 B that the other one lacks. Directly it would be 512 B on
  // every link to and from the host, which is four times slower than a link inside a group.
  CHECK(load_of(g, m) == load_by_name{{host_link(0, true), 256},
                                      {host_link(1, true), 256},
                                      {host_link(4, false), 256},
                                      {host_link(5, false), 256},
                                      {name_of(4, 5), 256},
                                      {name_of(5, 4), 256}});

  auto const moved = mars::io::measure_load(g, f1(), m).moved;
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].size.count() == 2 * 512);

  // On the same devices only what is missing moves: 256 B each way.
  m.operators[1].set = mars::set_id{0};
  CHECK(load_of(g, m) == load_by_name{{name_of(0, 1), 256}, {name_of(1, 0), 256}});
}

TEST_CASE("exchanges inside an operator are steps of a ring") {
  mars::builder b{"one"};
  b.output(b.conv(b.input("x", {1, 6, 2, 2}), {.out_channels = 4, .kernel = {1}, .bias = false},
                  "conv"));
  auto const g = std::move(b).build().value();
  auto const& conv = op(g, mars::operator_id{0});
  mars::mapping m{{{group({0, 1}), "d"}}, {{mars::set_id{0}, {}}}, {}};
  auto& s = m.operators[0].sharding;

  SECTION("partial sums") {
    // Each holds sums of the whole output, 16 elements = 32 B: 2·(2 − 1) steps of 16 B.
    s.exclusive.push_back({dim_of(conv, "c"), 2});
    CHECK(load_of(g, m) == load_by_name{{name_of(0, 1), 32}, {name_of(1, 0), 32}});
  }
  SECTION("partial sums, each keeping its part") {
    s.exclusive.push_back({dim_of(conv, "c"), 2});
    s.scatter = dim_of(conv, "k");
    CHECK(load_of(g, m) == load_by_name{{name_of(0, 1), 16}, {name_of(1, 0), 16}});
  }
  SECTION("rotation") {
    // The weight, 24 elements, is kept in halves of 24 B; each half travels once.
    s.exclusive.push_back({dim_of(conv, "y"), 2});
    s.shared = mars::cut{dim_of(conv, "k"), 2};
    CHECK(load_of(g, m) == load_by_name{{name_of(0, 1), 24}, {name_of(1, 0), 24}});
  }
  SECTION("one device sends nothing") {
    m.sets[0].accelerators = group({3});
    CHECK(load_of(g, m).empty());
  }
}
