// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "io/export/shardy_reader.hpp"
#include "mapping/fixture.hpp"
#include "support/catch.hpp"
#include "support/factory_operations.hpp"
#include "support/random_operations.hpp"
#include "support/random_shardings.hpp"

#include <mars/core/random.hpp>
#include <mars/io/export/shardy.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace mars;
namespace shardy = mars_test::shardy;

TEST_CASE("the skip network as Shardy text, word for word", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  m.operators[2].sharding.exclusive[0] = mars_test::along(g, 2, "c", 2);
  auto const out = io::export_shardy(g, mars_test::small(2), m).value();
  REQUIRE(out.files.size() == 1);
  CHECK(out.files[0].name == "mapping.mlir");
  std::string const y = R"(<@set0, [{}, {}, {"x"}, {}]>)";
  std::string const c = R"(<@set0, [{}, {"x"}, {}, {}]>)";
  std::string const all = R"(<@set0, [{}, {}, {}, {}]>)";
  std::string const t = "tensor<1x8x8x8xf16>";
  auto const made = [](std::string const& shardings) {
    return "sdy.sharding = #sdy.sharding_per_value<[" + shardings + "]>}";
  };
  CHECK(out.files[0].content ==
        R"(module attributes {mars.workload = "skip", mars.system = "small", )"
        R"(mars.sets = [{accelerators = [0, 1], design = "gpu"}]} {
  sdy.mesh @set0 = <["x"=2]>
  func.func @main(
      %arg0: tensor<1x4x8x8xf16> {mars.name = "x", sdy.sharding = #sdy.sharding)" +
            y + R"(},
      %arg1: tensor<8x4x3x3xf16> {mars.name = "conv1.weight", sdy.sharding = #sdy.sharding)" +
            all + R"(},
      %arg2: tensor<8x8x1x1xf16> {mars.name = "conv2.weight", sdy.sharding = #sdy.sharding)" +
            c + R"(}) -> ()" + t + " {sdy.sharding = #sdy.sharding" + y + R"(}) {
    %0 = "mars.convolution"(%arg0, %arg1) {mars.name = "conv1", mars.type = "Conv", )" +
            made(y) + " : (tensor<1x4x8x8xf16>, tensor<8x4x3x3xf16>) -> " + t + R"(
    %1 = "mars.elementwise"(%0) {mars.name = "relu", mars.type = "Relu", )" +
            made(y) + " : (" + t + ") -> " + t + R"(
    %2 = sdy.reshard %1 )" +
            c + " : " + t + R"(
    %3 = "mars.convolution"(%2, %arg2) {mars.name = "conv2", mars.type = "Conv", )" +
            made(R"(<@set0, [{}, {}, {}, {}], unreduced={"x"}>)") + " : (" + t +
            ", tensor<8x8x1x1xf16>) -> " + t + R"(
    %4 = sdy.all_reduce {"x"} %3 out_sharding=)" +
            all + " : " + t + R"(
    %5 = sdy.reshard %4 )" +
            y + " : " + t + R"(
    %6 = "mars.elementwise"(%0, %5) {mars.name = "add", mars.type = "Add", )" +
            made(y) + " : (" + t + ", " + t + ") -> " + t + R"(
    return %6 : )" +
            t + R"(
  }
}
)");
  REQUIRE(out.not_expressed.size() == 2);
  CHECK_THAT(out.not_expressed[0], mars_test::contains_text("halos of 1 operand:"));
  auto const read = shardy::parse(out.files[0].content);
  CHECK(read.arguments == 3);
  CHECK(read.operations.size() == 7);
}

TEST_CASE("the reader refuses what Shardy would", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  m.sets[0] = mars_test::set_of({0, 1, 2, 3});
  m.operators[0].sharding.exclusive.push_back(mars_test::along(g, 0, "k", 2));
  auto const text = io::export_shardy(g, mars_test::small(4), m).value().files[0].content;
  CHECK_NOTHROW(shardy::parse(text));
  auto const refused = [&](std::string const& from, std::string const& to) {
    auto changed = text;
    auto const at = changed.find(from);
    REQUIRE(at != changed.npos);
    changed.replace(at, from.size(), to);
    CHECK_THROWS(shardy::parse(changed));
  };
  refused("<@set0, [{}, {}, {\"x\":(1)2}, {}]>", "<@set1, [{}, {}, {\"x\":(1)2}, {}]>");
  refused("<@set0, [{}, {}, {\"x\":(1)2}, {}]>", "<@set0, [{}, {\"x\":(1)2}, {}]>");
  refused("[{}, {\"x\":(2)2}, {\"x\":(1)2}, {}]", "[{}, {\"x\":(1)2}, {\"x\":(1)2}, {}]");
  refused("[{}, {\"x\":(2)2}, {\"x\":(1)2}, {}]", "[{}, {\"x\":(1)2, \"x\":(2)2}, {}, {}]");
  refused("{\"x\":(1)2}", "{\"x\":(1)3}");
  refused("%0", "%1");
  refused("sdy.reshard %0", "sdy.reshard %9");
}

TEST_CASE("sets of their own devices are meshes, named in mars.sets", "[export]") {
  auto const g = mars_test::skip_network();
  auto m = mars_test::skip_mapping(g);
  m.sets = {mars_test::set_of({1, 0}), mars_test::set_of({3, 2}, "wino"), mars_test::set_of({4})};
  m.operators[1].set = set_id{1U};
  m.operators[3].set = set_id{2U};
  m.operators[3].sharding = {};
  auto const out = io::export_shardy(g, mars_test::small(5), m).value();
  auto const& text = out.files[0].content;
  auto const read = shardy::parse(text);
  CHECK(read.meshes.at("set0").device_ids == std::vector<std::int64_t>{1, 0});
  CHECK(read.meshes.at("set1").device_ids.empty());
  CHECK(read.meshes.at("set1").size == 2);
  CHECK_THAT(text, mars_test::contains_text("sdy.mesh @set2 = <[], device_ids=[4]>"));
  std::string all;
  for (auto const& line : out.not_expressed) all += line + "\n";
  CHECK_THAT(all, mars_test::contains_text("mars.sets names them"));
  CHECK_THAT(all, mars_test::contains_text("designs"));
}

TEST_CASE("random shardings survive in Shardy's words", "[export]") {
  random_stream const root{77};
  std::size_t compared = 0, reduced = 0, scattered = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    auto r = root.substream(i);
    mars_test::operation_generator by_hand{r.substream(0)};
    mars_test::factory_generator by_factory{r.substream(1)};
    auto o = i % 2 == 0 ? by_hand(i / 2) : by_factory(i / 2);
    o.name = "o";
    auto n = 1 + r.below(12);
    placement p;
    p.set = set_id{0U};
    for (int tries = 0; tries < 40 && shard_count(p.sharding) < 2; ++tries) {
      n = 1 + r.below(12);
      p.sharding = mars_test::any_sharding(r, o, n);
      if (!check(o, p.sharding, n)) p.sharding = {};
    }
    mapping m{{mars_test::set_of({})}, {p}, {}};
    for (std::size_t a = 0; a < n; ++a) m.sets[0].accelerators.emplace_back(a);
    auto const graph = make_graph("one", {o}, {}).value();
    auto const text = io::export_shardy(graph, mars_test::small(n), m).value().files[0].content;
    CAPTURE(i, n, text);
    shardy::program read;
    REQUIRE_NOTHROW(read = shardy::parse(text));
    std::vector<shardy::tensor> in, out;
    for (auto const& x : read.operations) {
      if (x.name == "o") {
        in = x.operands;
        out = x.results;
      } else if (x.kind == "sdy.all_reduce" || x.kind == "sdy.reduce_scatter") {
        ++(x.kind == "sdy.all_reduce" ? reduced : scattered);
        for (auto& t : out)
          if (!t.sharding.unreduced.empty()) {
            t = x.results[0];
            break;
          }
      }
    }
    std::size_t next_in = 0, next_out = 0;
    for (auto const& t : o.operands) {
      if (t.role == role::state) continue;
      auto const& got = t.role == role::output ? out.at(next_out++) : in.at(next_in++);
      if (io::split_of(o, t, p.sharding, n).boxes != io::tensor_split::parts::equal) continue;
      CHECK(shardy::boxes_of(got, read.meshes.at("set0")) == io::layout_of(o, t, p.sharding, n));
      ++compared;
    }
  }
  CHECK(compared > 400);
  CHECK(reduced > 10);
  CHECK(scattered > 3);
}
