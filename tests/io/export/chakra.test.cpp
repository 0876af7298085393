// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "io/export/chakra_reader.hpp"
#include "mapping/fixture.hpp"
#include "support/catch.hpp"
#include "support/factory_operations.hpp"
#include "support/random_shardings.hpp"

#include <mars/core/random.hpp>
#include <mars/interconnect.hpp>
#include <mars/io/export/chakra.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace mars;
using namespace mars::literals;
namespace trace = mars_test::chakra;

namespace {

auto micros(std::int64_t n) -> picoseconds { return picoseconds{n * 1'000'000}; }

/// Operator v computes for v + 1 microseconds.
auto timed(std::size_t operators) -> evaluation {
  evaluation e;
  for (std::size_t v = 0; v < operators; ++v)
    e.operators.push_back({.compute = micros(static_cast<std::int64_t>(v) + 1)});
  return e;
}

struct read_back {
  std::vector<std::vector<trace::node>> ranks;
  std::map<std::string, std::vector<std::size_t>> groups;
  std::map<std::string, std::string> files;
};
auto read(io::exported const& out, std::size_t count) -> read_back {
  read_back r;
  for (auto const& f : out.files) r.files[f.name] = f.content;
  for (std::size_t i = 0; i < count; ++i) {
    r.ranks.push_back(trace::read_trace(r.files.at("trace." + std::to_string(i) + ".et")));
    r.groups[""].push_back(i);
  }
  // {"1": [0, 1], …}
  auto text = r.files.contains("comm_groups.json") ? r.files["comm_groups.json"] : "";
  for (std::size_t at; (at = text.find('"')) != text.npos;) {
    text.erase(0, at + 1);
    auto const name = text.substr(0, text.find('"'));
    text.erase(0, text.find('[') + 1);
    for (;;) {
      std::size_t used = 0;
      r.groups[name].push_back(std::stoul(text, &used));
      text.erase(0, used + 1);
      if (text[0] != ' ') break;
    }
  }
  return r;
}
auto of_type(std::vector<trace::node> const& nodes, std::uint64_t type)
    -> std::vector<trace::node> {
  std::vector<trace::node> found;
  for (auto const& n : nodes)
    if (n.type == type) found.push_back(n);
  return found;
}

} // namespace

TEST_CASE("the published all-reduce trace, byte for byte", "[export]") {
  io::chakra::node n;
  n.name = "all_reduce_4npus_1MB";
  n.type = io::chakra::node_type::collective;
  n.collective = io::chakra::collective_type::all_reduce;
  n.bytes = 1 << 20;
  std::string wanted{"\x07\x0a\x05"
                     "0.0.4"
                     "\x48\x12\x14"
                     "all_reduce_4npus_1MB"
                     "\x18\x07\x52\x0e\x0a\x09"
                     "is_cpu_op"
                     "\xd8\x01"};
  wanted.append(1, '\0');
  wanted += "\x52\x0d\x0a\x09"
            "comm_type"
            "\x48";
  wanted.append(1, '\0');
  wanted += "\x52\x0f\x0a\x09"
            "comm_size"
            "\x48\x80\x80\x40";
  CHECK(io::chakra::encode(std::vector{n}) == wanted);
}

TEST_CASE("negative and large numbers on the wire", "[export]") {
  io::detail::wire_writer w;
  w.number(1, std::int64_t{-1});
  CHECK(w.bytes() == std::string{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"});
  io::detail::wire_writer p;
  std::vector<std::uint64_t> const list{3, 270, 86942};
  p.packed(4, list); // the example of the protobuf documentation
  CHECK(p.bytes() == std::string{"\x22\x06\x03\x8e\x02\x9e\xa7\x05"});
}

TEST_CASE("the skip network on two accelerators: messages, a sum, the order", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  m.operators[2].sharding.exclusive[0] = mars_test::along(g, 2, "c", 2);
  auto const out = io::export_chakra(g, mars_test::small(2), m, timed(4)).value();
  auto const r = read(out, 2);
  CHECK(r.files.contains("comm_groups_empty.json")); // everybody: no group of its own
  for (std::size_t rank = 0; rank < 2; ++rank) {
    auto const& nodes = r.ranks[rank];
    CAPTURE(rank);
    std::vector<std::string> computed;
    std::uint64_t sum = 0;
    for (auto const& n : of_type(nodes, 4)) {
      computed.push_back(n.name);
      sum += n.micros;
    }
    CHECK(computed == std::vector<std::string>{"conv1", "relu", "conv2", "add"});
    CHECK(sum == 1 + 2 + 3 + 4);
    // relu's rows become conv2's channels: each gets a quarter of 1024 bytes from the other.
    auto const received = of_type(nodes, 6);
    REQUIRE(received.size() == 1);
    CHECK(received[0].name == "relu to conv2");
    CHECK(received[0].at("comm_size", 9) == 256);
    auto const sums = of_type(nodes, 7);
    REQUIRE(sums.size() == 1);
    CHECK(sums[0].at("comm_type", 9) == 0);
    CHECK(sums[0].at("comm_size", 9) == 1024);
    CHECK(sums[0].group.empty());
  }
  CHECK_NOTHROW(trace::run(r.ranks, r.groups));
  CHECK(r.files.at("network.yml") == "topology: [ FullyConnected ]\nnpus_count: [ 2 ]\n"
                                     "bandwidth: [ 0.931322575 ]\nlatency: [ 0 ]\n");
  CHECK_THAT(r.files.at("system.json"),
             mars_test::contains_text(R"("all-reduce-implementation": ["direct"])"));
}

TEST_CASE("a rotating tensor: a computation a phase, a message between", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  m.sets[0] = mars_test::set_of({3, 1, 2, 0});
  for (auto& p : m.operators) p.sharding = {};
  m.operators[0].sharding.exclusive.push_back(mars_test::along(g, 0, "y", 4));
  m.operators[0].sharding.shared = mars_test::along(g, 0, "k", 4);
  auto e = timed(4);
  e.operators[0].compute = picoseconds{10'000'003};
  auto const r = read(io::export_chakra(g, mars_test::small(4), m, e).value(), 4);
  auto const& nodes = r.ranks[1]; // second in the set: gets its parts from the third, device 2
  std::vector<std::uint64_t> phases;
  for (auto const& n : of_type(nodes, 4))
    if (n.name.starts_with("conv1 phase")) phases.push_back(n.micros);
  CHECK(phases == std::vector<std::uint64_t>{3, 2, 3, 2}); // 2.5 each, the sum rounded
  std::size_t passed = 0;
  for (auto const& n : of_type(nodes, 6))
    if (n.name.starts_with("conv1 rotates")) {
      CHECK(n.at("comm_src", 7) == 2);
      CHECK(n.at("comm_size", 9) == 2 * 4 * 3 * 3 * 2); // a quarter of the weights
      ++passed;
    }
  CHECK(passed == 3);
  CHECK_NOTHROW(trace::run(r.ranks, r.groups));
}

TEST_CASE("random mappings of a network: what is sent is received, and nobody waits for ever",
          "[export]") {
  random_stream const root{5};
  std::size_t messages = 0, collectives = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    auto r = root.substream(i);
    auto const g = mars_test::skip_network();
    mapping m;
    if (r.chance(0.5))
      m.sets = {mars_test::set_of({0, 1, 2, 3}), mars_test::set_of({5, 4}), mars_test::set_of({6})};
    else
      m.sets = {mars_test::set_of({0, 1, 2, 3, 4, 5}), mars_test::set_of({4, 0}),
                mars_test::set_of({2})};
    for (operator_id const v : operators(g)) {
      placement p;
      p.set = set_id{static_cast<std::size_t>(r.below(3))};
      auto const n = m.sets[p.set.index()].accelerators.size();
      for (int tries = 0; tries < 30; ++tries) {
        p.sharding = mars_test::any_sharding(r, op(g, v), n);
        if (check(op(g, v), p.sharding, n) && shard_count(p.sharding) > 1) break;
        p.sharding = {};
      }
      m.operators.push_back(p);
    }
    if (r.chance(0.5))
      m.launch_order = {operator_id{0U}, operator_id{1U}, operator_id{2U}, operator_id{3U}};
    CAPTURE(i);
    auto const out = io::export_chakra(g, mars_test::small(7), m, timed(4));
    REQUIRE(out);
    auto const back = read(*out, 7);
    std::vector<std::pair<std::size_t, std::size_t>> order;
    REQUIRE_NOTHROW(order = trace::run(back.ranks, back.groups));
    // Producers before consumers on every rank, whatever order the ranks run in.
    std::map<std::string, std::size_t> last, first;
    for (std::size_t at = 0; at < order.size(); ++at) {
      auto const& n = back.ranks[order[at].first][order[at].second];
      messages += n.type == 5;
      collectives += n.type == 7;
      if (n.type != 4) continue;
      auto const name = n.name.substr(0, n.name.find(' '));
      first.try_emplace(name, at);
      last[name] = at;
    }
    CHECK(first.size() == 4);
    for (std::size_t rank = 0; rank < 7; ++rank) {
      std::vector<std::string> names;
      for (auto const& n : of_type(back.ranks[rank], 4))
        if (auto name = n.name.substr(0, n.name.find(' ')); names.empty() || names.back() != name)
          names.push_back(name);
      std::vector<std::string> wanted;
      for (std::size_t v = 0; v < 4; ++v)
        for (auto const a : m.sets[m.operators[v].set.index()].accelerators)
          if (a.index() == rank) wanted.push_back(op(g, operator_id{v}).name);
      CHECK(names == wanted);
    }
  }
  CHECK(messages > 300);
  CHECK(collectives > 50);
}

TEST_CASE("traces that would hang or lie are noticed", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  m.operators[2].sharding.exclusive[0] = mars_test::along(g, 2, "c", 2);
  auto const out = io::export_chakra(g, mars_test::small(2), m, timed(4)).value();
  auto const good = read(out, 2);
  auto const broken = [&](auto const& spoil) {
    auto bad = good;
    spoil(bad.ranks[0]);
    CHECK_THROWS(trace::run(bad.ranks, bad.groups));
  };
  auto const first = [](std::vector<trace::node>& nodes, std::uint64_t type) -> trace::node& {
    return *std::find_if(nodes.begin(), nodes.end(), [&](auto const& n) { return n.type == type; });
  };
  broken([&](auto& nodes) { first(nodes, 5).numbers["comm_tag"].second = 99; });
  broken([&](auto& nodes) { first(nodes, 5).numbers["comm_size"].second = 1; });
  broken([&](auto& nodes) { first(nodes, 7).numbers["comm_type"].second = 7; });
  broken([&](auto& nodes) { first(nodes, 6).deps = {nodes.back().id}; });
  broken([&](auto& nodes) { nodes.erase(nodes.begin() + (&first(nodes, 7) - nodes.data())); });
  auto const cut = good.files.at("trace.0.et");
  CHECK_THROWS(trace::read_trace(std::string_view{cut}.substr(0, cut.size() - 1)));
}

TEST_CASE("interconnects as dimensions of ASTRA-sim", "[export]") {
  namespace ic = mars::interconnect;
  auto const yaml = [](any_interconnect const& net) {
    return io::astra_sim::network_yaml(io::astra_sim::network_of(net));
  };
  auto const us = seconds{1e-6};
  CHECK(yaml(ic::torus{{4, 1, 8}, bytes_per_second{1073741824}, us, {}}) ==
        "topology: [ Ring, Ring ]\nnpus_count: [ 8, 4 ]\nbandwidth: [ 1, 1 ]\n"
        "latency: [ 1000, 1000 ]\n");
  CHECK(!io::astra_sim::network_of(ic::torus{{4, 4}, 8_GBps, us, {true, false}})
             .approximation.empty());
  CHECK(yaml(ic::switched{.accelerators = 8,
                          .bandwidth = bytes_per_second{400.0 * 1073741824},
                          .latency = seconds{936.25e-9}}) ==
        "topology: [ Switch ]\nnpus_count: [ 8 ]\nbandwidth: [ 400 ]\nlatency: [ 936.25 ]\n");
  auto const nodes = io::astra_sim::network_of(ic::hierarchy{2, 4, 8_GBps, us, 2_GBps, us});
  REQUIRE(nodes.dimensions.size() == 2);
  CHECK(nodes.dimensions[0].ranks == 4);
  CHECK(!nodes.approximation.empty());
  // F1: 8 Gb/s inside, through the host at 2 Gb/s up and then down.
  ic::grouped_through_host groups{.groups = {{0, 1}, {2, 3}},
                                  .intra_bandwidth = 8_Gbps,
                                  .host_bandwidth = 2_Gbps,
                                  .latency = us};
  auto const f1 = io::astra_sim::network_of(groups);
  REQUIRE(f1.dimensions.size() == 2);
  CHECK(f1.dimensions[0].topology == "FullyConnected");
  CHECK(f1.dimensions[1].topology == "Switch");
  CHECK(f1.dimensions[1].bandwidth.count() == Approx(2e9 / 8 / 2));
  CHECK(f1.dimensions[1].latency.count() == Approx(2e-6));
  // Groups that are no blocks are no dimensions: everything as slow as through the host.
  groups.groups = {{0, 2}, {1, 3}};
  auto const mixed = io::astra_sim::network_of(groups);
  REQUIRE(mixed.dimensions.size() == 1);
  CHECK(mixed.dimensions[0].ranks == 4);
  CHECK(mixed.dimensions[0].bandwidth.count() == Approx(2e9 / 8 / 2));
  CHECK_THAT(mixed.approximation, mars_test::contains_text("slowest pair"));
}

TEST_CASE("what no trace can say is refused", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  auto e = timed(4);
  e.operators[1].compute = never;
  auto const for_ever = io::export_chakra(g, mars_test::small(2), m, e);
  REQUIRE(!for_ever);
  CHECK(for_ever.error().path == "operators[1]");
  e.operators.pop_back();
  CHECK(io::export_chakra(g, mars_test::small(2), m, e).error().path == "evaluation");
  m.launch_order = {operator_id{1U}, operator_id{0U}, operator_id{2U}, operator_id{3U}};
  CHECK(io::export_chakra(g, mars_test::small(2), m, timed(4)).error().path == "launch_order");
  m.launch_order.clear();
  m.sets[0] = mars_test::set_of({0});
  for (auto& p : m.operators) p.sharding = {};
  CHECK(io::export_chakra(g, mars_test::small(1), m, timed(4)).error().path == "system");
}
