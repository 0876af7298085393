// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mapping/fixture.hpp"
#include "support/catch.hpp"

#include <mars/mapping/diff.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {
using namespace mars_test;
using mars::difference_kind;

auto lines(std::vector<mars::difference> const& found) -> std::vector<std::string> {
  std::vector<std::string> all;
  for (auto const& d : found) all.push_back(to_string(d));
  return all;
}
using text = std::vector<std::string>;
} // namespace

TEST_CASE("equal mappings do not differ, whatever their sets are numbered") {
  auto const g = skip_network();
  auto a = skip_mapping(g);
  a.sets.push_back(set_of({2}));
  a.operators[1] = {mars::set_id{1U}, {}};
  CHECK(diff(a, a).empty());
  auto b = a;
  std::swap(b.sets[0], b.sets[1]);
  for (auto& p : b.operators) p.set = mars::set_id{std::size_t{1} - p.set.index()};
  CHECK(diff(a, b, g).empty());
}

TEST_CASE("differences say what, where, before and after") {
  auto const g = skip_network();
  auto const a = skip_mapping(g);
  auto b = a;

  SECTION("a design") {
    b.sets[0].design = "wino";
    CHECK(lines(diff(a, b)) == text{"sets[0].design: gpu -> wino"});
    CHECK(diff(a, b)[0].kind == difference_kind::design);
  }
  SECTION("sets") {
    b.sets[0] = set_of({1, 0});
    CHECK(lines(diff(a, b)) ==
          text{"sets[0]: [0,1] gpu -> -", "sets[0]: - -> [1,0] gpu",
               "operators[0].set: [0,1] -> [1,0]", "operators[1].set: [0,1] -> [1,0]",
               "operators[2].set: [0,1] -> [1,0]", "operators[3].set: [0,1] -> [1,0]"});
  }
  SECTION("shardings, with names where the graph is known") {
    auto& s = b.operators[2].sharding;
    s.exclusive[0] = along(g, 2, "c", 2);
    s.shared = along(g, 2, "k", 4);
    s.scatter = along(g, 2, "y", 1).dim;
    CHECK(lines(diff(a, b, g)) == text{"operators[2].exclusive (conv2): k:2 -> c:2",
                                       "operators[2].shared (conv2): - -> k:4",
                                       "operators[2].scatter (conv2): - -> y"});
    CHECK(diff(a, b).size() == 3);
    CHECK(diff(b, a, g)[0].before == "c:2");
  }
  SECTION("algorithms, formats and compressions") {
    b.operators[1].algorithm = "winograd";
    b.operators[1].format = "nchwc";
    b.operators[1].compression = "int8";
    CHECK(lines(diff(a, b)) == text{"operators[1].algorithm: - -> winograd",
                                    "operators[1].format: - -> nchwc",
                                    "operators[1].compression: - -> int8"});
    CHECK(kind_name(diff(a, b)[2].kind) == "compression");
  }
  SECTION("numbers of operators") {
    b.operators.pop_back();
    CHECK(lines(diff(a, b, g)) == text{"operators[3] (add): [0,1] -> -"});
    CHECK(diff(a, b)[0].kind == difference_kind::operator_removed);
    CHECK(diff(b, a)[0].kind == difference_kind::operator_added);
  }
  SECTION("a mapping that is no good can be compared") {
    b.operators[0].set = mars::set_id{7U};
    b.operators[0].sharding.exclusive[0].dim = 200;
    CHECK(lines(diff(a, b, g)) == text{"operators[0].set (conv1): [0,1] -> set 7",
                                       "operators[0].exclusive (conv1): y:2 -> #200:2"});
  }
}
