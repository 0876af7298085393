// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What only mappings with a launch order, uneven parts or streamed weights can have wrong: each fault
// planted, found and located; and how such mappings differ.
#include "mapping/fixture.hpp"
#include "support/catch.hpp"

#include <mars/mapping/diff.hpp>
#include <mars/mapping/validate.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

using mars::difference_kind;
using mars_test::contains_text;
using mars_test::set_of;
using mars_test::skip_network;

auto const skip_graph = skip_network();
auto const four_devices = mars_test::small(4);

/// skip_mapping as a schedule: conv1 and add on {0, 1}, relu and conv2 on {1, 2}.
auto scheduled_mapping() -> mars::mapping {
  auto m = mars_test::skip_mapping(skip_graph);
  m.sets.push_back(set_of({1, 2}));
  m.operators[1].set = m.operators[2].set = mars::set_id{1U};
  for (std::size_t v = 0; v < 4; ++v) m.launch_order.emplace_back(v);
  return m;
}

/// The only violation, as text; empty if there is none.
template <class... Times>
auto the_violation(mars::mapping const& m, Times const&... times) -> std::string {
  auto const found = validate(m, skip_graph, four_devices, times...);
  CHECK(found.size() <= 1);
  return found.empty() ? std::string{} : to_string(found[0]);
}

auto from_to(double start, double end) -> mars::time_span {
  return {mars::seconds{start}, mars::seconds{end}};
}

auto differences(mars::mapping const& a, mars::mapping const& b) -> std::vector<std::string> {
  std::vector<std::string> all;
  for (auto const& d : diff(a, b, skip_graph)) all.push_back(to_string(d));
  return all;
}

} // namespace

TEST_CASE("sets may overlap where operators are scheduled, with one design") {
  auto m = scheduled_mapping();
  CHECK(the_violation(m).empty());
  SECTION("not without a launch order") {
    m.launch_order.clear();
    CHECK_THAT(the_violation(m), contains_text("sets[1].accelerators[0]"));
    CHECK_THAT(the_violation(m), contains_text("[overlapping-sets]"));
  }
  SECTION("two designs") {
    m.sets.push_back(set_of({3, 2}, "wino"));
    CHECK(the_violation(m) == "sets[2].accelerators[1]: accelerator 2 has design 'gpu' in set 1 "
                              "[two-designs]");
  }
}

TEST_CASE("launch orders that are none are found and located") {
  auto m = scheduled_mapping();
  auto& order = m.launch_order;
  SECTION("an operator twice") {
    order[2] = order[1];
    CHECK(the_violation(m) == "launch_order[2]: operator 'relu' again [bad-launch-order]");
  }
  SECTION("an operator that is not there") {
    order[3] = mars::operator_id{4U};
    CHECK(the_violation(m) == "launch_order[3]: operator 4 of a graph of 4 [bad-launch-order]");
  }
  SECTION("an operator missing") {
    order.pop_back();
    CHECK(the_violation(m) == "launch_order[3]: operator 'add' is missing [bad-launch-order]");
  }
  SECTION("a reader before what it reads") {
    std::swap(order[2], order[3]);
    CHECK(the_violation(m) == "launch_order[2]: operator 'add' comes before 'conv2', whose result "
                              "it reads [bad-launch-order]");
  }
}

TEST_CASE("times are checked against the launch order") {
  auto m = scheduled_mapping();
  m.operators[2].set = mars::set_id{0U};
  m.sets[1] = set_of({2, 3});
  std::vector times{from_to(0, 1), from_to(1, 2), from_to(2, 3), from_to(3, 4)};
  CHECK(the_violation(m, times).empty());
  SECTION("an operator that overtakes") {
    // Two readers of conv1: relu on its own accelerators, add after conv2.
    mars::builder b{"two"};
    auto const x = b.input("x", {4, 4});
    (void)b.relu(x, "left");
    (void)b.relu(x, "right");
    auto const two = std::move(b).build().value();
    mars::mapping both{{set_of({0})}, std::vector<mars::placement>(2), {}};
    both.launch_order = {mars::operator_id{1U}, mars::operator_id{0U}};
    std::vector const swapped{from_to(0, 1), from_to(1, 2)};
    auto const found = validate(both, two, four_devices, swapped);
    REQUIRE(found.size() == 1);
    CHECK(to_string(found[0]) == "schedule[0]: operator 'left' starts before 'right', launched "
                                 "earlier on accelerator 0 [out-of-order]");
    both.launch_order = {mars::operator_id{0U}, mars::operator_id{1U}};
    CHECK(validate(both, two, four_devices, swapped).empty());
  }
  SECTION("two operators at once on an accelerator that their sets share") {
    m.sets[1] = set_of({1, 2});
    m.operators[2].set = mars::set_id{1U};
    m.operators[3].sharding.exclusive.clear();
    times[3].start = mars::seconds{2.5};
    auto const found = validate(m, skip_graph, four_devices, times);
    REQUIRE(found.size() == 2); // it also reads conv2
    CHECK(found[0].kind == mars::violation_kind::precedence);
    CHECK(found[1].kind == mars::violation_kind::busy_accelerator);
  }
}

TEST_CASE("weights stream from a host only") {
  auto m = scheduled_mapping();
  m.operators[2].weights = mars::residency::streamed;
  CHECK_THAT(the_violation(m), contains_text("operators[2].weights"));
  CHECK_THAT(the_violation(m), contains_text("[no-host]"));
}

TEST_CASE("uneven parts that are not the dimension's are found") {
  auto m = scheduled_mapping();
  auto& s = m.operators[0].sharding; // 8 rows in 2
  s.parts = {3, 5};
  CHECK(the_violation(m).empty());
  auto const refused = [&](std::string const& why) {
    CHECK_THAT(the_violation(m), contains_text("operators[0].parts"));
    CHECK_THAT(the_violation(m), contains_text("[bad-parts]"));
    CHECK_THAT(the_violation(m), contains_text(why));
  };
  SECTION("they do not add up") {
    s.parts = {3, 4};
    refused("");
  }
  SECTION("too long") {
    s.parts = {9, -1};
    refused("empty or too long");
  }
  SECTION("empty") {
    s.parts = {0, 8};
    refused("empty or too long");
  }
  SECTION("too many") {
    s.parts = {3, 3, 2};
    refused("3 parts of a cut into 2");
  }
  SECTION("of no cut") {
    s.exclusive.clear();
    refused("no cut");
  }
  SECTION("with a rotation") {
    s.shared = mars_test::along(skip_graph, 0, "k", 2);
    refused("neither rotate nor scatter");
  }
}

TEST_CASE("memory of uneven parts is each device's own") {
  mars::mapping m{{set_of({0, 1})}, std::vector<mars::placement>(4), {}};
  for (std::size_t v = 0; v < 4; ++v) {
    m.operators[v].sharding.exclusive.push_back(mars_test::along(skip_graph, v, "y", 2));
    m.operators[v].sharding.parts = {2, 6};
  }
  auto const demands = memory_demands(m, skip_graph, four_devices);
  // Weights on both: 8·4·9 + 8·8 elements of 2 bytes. Of each result 8·8·2 and 8·8·6 elements.
  CHECK(demands[0].resident.count() == 704);
  CHECK(demands[1].resident.count() == 704);
  // At add: results of conv1 and conv2 live, its own result being made; no input comes from elsewhere.
  CHECK(demands[1].peak.count() == 704 + 3 * 768);
  CHECK(demands[0].peak.count() < demands[1].peak.count());
}

TEST_CASE("schedules differ in order, residency and parts") {
  auto const a = scheduled_mapping();
  auto b = a;
  SECTION("where launches first differ") {
    std::swap(b.launch_order[1], b.launch_order[2]);
    CHECK(differences(a, b) == std::vector<std::string>{"launch_order[1]: relu -> conv2"});
    CHECK(diff(a, b)[0].kind == difference_kind::launch_order);
    CHECK(diff(a, b)[0].before == "operator 1");
  }
  SECTION("a launch order or none") {
    b.launch_order.clear();
    CHECK(differences(a, b) == std::vector<std::string>{"launch_order[0]: conv1 -> none"});
    CHECK(differences(b, a) == std::vector<std::string>{"launch_order[0]: none -> conv1"});
    b = a;
    b.launch_order.pop_back();
    CHECK(differences(a, b) == std::vector<std::string>{"launch_order[3]: add -> nothing"});
  }
  SECTION("weights") {
    b.operators[2].weights = mars::residency::streamed;
    CHECK(differences(a, b) ==
          std::vector<std::string>{"operators[2].weights (conv2): resident -> streamed"});
    CHECK(diff(a, b)[0].kind == difference_kind::weights);
  }
  SECTION("parts") {
    b.operators[0].sharding.parts = {3, 5};
    CHECK(differences(a, b) ==
          std::vector<std::string>{"operators[0].exclusive (conv1): y:2 -> y:2(3+5)"});
  }
}
