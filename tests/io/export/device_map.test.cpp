// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mapping/fixture.hpp"
#include "support/catch.hpp"

#include <mars/io/export/device_map.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace mars;

namespace {

/// A chain of the named operators, each on a device of its own set.
auto chain_map(std::vector<std::pair<std::string, std::size_t>> const& on)
    -> expected<io::exported> {
  builder b{"chain"};
  auto x = b.input("x", {4, 4});
  mapping m;
  for (std::size_t d = 0; d < 4; ++d) m.sets.push_back(mars_test::set_of({d}));
  for (auto const& [name, device] : on) {
    x = b.relu(x, name);
    placement p;
    p.set = set_id{device};
    m.operators.push_back(p);
  }
  b.output(x);
  auto const g = std::move(b).build().value();
  return io::export_device_map(g, mars_test::small(4), m);
}
auto text_of(std::vector<std::pair<std::string, std::size_t>> const& on) -> std::string {
  auto const out = chain_map(on);
  REQUIRE(out);
  CHECK(out->files.at(0).name == "device_map.json");
  CHECK(out->not_expressed.empty());
  return out->files[0].content;
}

} // namespace

TEST_CASE("modules on one device collapse, in execution order", "[export]") {
  CHECK(text_of({{"embed", 2},
                 {"layer.0.a", 0},
                 {"layer.0.b.relu", 0},
                 {"layer.1.a", 1},
                 {"layer.1.b", 3},
                 {"head", 0}}) ==
        "{\n  \"embed\": 2,\n  \"layer.0\": 0,\n  \"layer.1.a\": 1,\n  \"layer.1.b\": 3,\n"
        "  \"head\": 0\n}\n");
  CHECK(text_of({{"/encoder/a", 1}, {"/encoder/b", 1}, {"/decoder/a", 0}}) ==
        "{\n  \"encoder\": 1,\n  \"decoder\": 0\n}\n");
  CHECK(text_of({{"a", 1}, {"b", 1}}) == "{\n  \"\": 1\n}\n");
  // layer.1 and layer.10 are different modules.
  CHECK(text_of({{"l.1.a", 0}, {"l.10.a", 1}}) == "{\n  \"l.1\": 0,\n  \"l.10\": 1\n}\n");
}

TEST_CASE("an operator inside another is covered by it, or the map refused", "[export]") {
  CHECK(text_of({{"conv", 0}, {"conv.bn", 0}, {"x", 1}}) == "{\n  \"conv\": 0,\n  \"x\": 1\n}\n");
  auto const torn = chain_map({{"conv", 0}, {"conv.bn", 1}});
  REQUIRE(!torn);
  CHECK(torn.error().code == error_code::unsupported);
  CHECK_THAT(to_string(torn.error()),
             mars_test::contains_text("operators[0]: found 'conv' and parts"));
  auto const twice = chain_map({{"a.b", 0}, {"a/b", 1}});
  REQUIRE(!twice);
  CHECK(twice.error().path == "operators[1]");
}

TEST_CASE("a divided operator is no device map, and the first one is named", "[export]") {
  auto const g = mars_test::skip_network();
  mapping m{{mars_test::set_of({1}), mars_test::set_of({0, 2})}, std::vector<placement>(4), {}};
  for (auto& p : m.operators) p.set = set_id{0U};
  m.operators[2].set = set_id{1U};
  m.operators[3].set = set_id{1U};
  auto const out = io::export_device_map(g, mars_test::small(3), m);
  REQUIRE(!out);
  CHECK(to_string(out.error()) ==
        "operators[2]: found 'conv2' on 2 accelerators, wanted every operator whole on one "
        "accelerator; a device_map divides no module [unsupported]");
}

TEST_CASE("what a device map leaves out is said", "[export]") {
  auto const g = mars_test::skip_network();
  mapping m{{mars_test::set_of({1}), mars_test::set_of({0}, "wino")},
            std::vector<placement>(4),
            {operator_id{0U}, operator_id{1U}, operator_id{2U}, operator_id{3U}}};
  for (auto& p : m.operators) p.set = set_id{0U};
  m.operators[0].set = set_id{1U};
  m.operators[2].weights = residency::streamed;
  auto const out = io::export_device_map(g, mars_test::small(2), m).value();
  REQUIRE(out.not_expressed.size() == 3);
  CHECK_THAT(out.not_expressed[0], mars_test::contains_text("designs"));
  CHECK_THAT(out.not_expressed[1], mars_test::contains_text("launch order"));
  CHECK_THAT(out.not_expressed[2], mars_test::contains_text("1 operator, 'conv2', have streamed"));
}
