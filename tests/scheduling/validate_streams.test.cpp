// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Schedules that are almost right: each fault planted, found and located.
#include "support/catch.hpp"
#include "support/stream_cases.hpp"

#include <mars/scheduling/validate.hpp>

#include <string>
#include <utility>

TEST_CASE("faults of stream schedules are found and located") {
  // a; b and c read a; d reads b and c.
  auto g = mars_test::stream_dag({{}, {0}, {0}, {1, 2}});
  for (auto& node : g.nodes) node.output = mars::bytes{10};
  mars::stream_schedule s{{}, {0, 1, 2, 3}, {0, 1, 1, 2}, {{1, 2}}};
  for (auto const x : {1U, 0U, 0U, 1U}) s.stream_of.emplace_back(x);
  mars::stream_limits limits{.streams = 2};
  auto const fault = [&] {
    auto const found = validate(g, s, limits);
    CHECK(found.size() <= 1);
    return found.empty() ? std::string{} : to_string(found[0]);
  };
  REQUIRE(fault().empty());
  auto const plain = [&] {
    s.stage_of.clear();
    s.merged.clear();
  };

  SECTION("sizes") {
    SECTION("of streams") {
      s.stream_of.pop_back();
      CHECK(fault() == "stream_of: 3 entries, nodes: 4 [wrong-size]");
    }
    SECTION("of the launch order") {
      s.launch_order.push_back(0);
      CHECK(fault() == "launch_order: 5 entries, nodes: 4 [wrong-size]");
    }
    SECTION("of stages") {
      s.stage_of.pop_back();
      CHECK(fault() == "stage_of: 3 entries, nodes: 4 [wrong-size]");
    }
  }
  SECTION("a stream that cannot be") {
    s.stream_of[0] = mars::stream_id{4U};
    CHECK(fault() == "stream_of[0]: 'a' is on stream 4, nodes: 4 [unknown-stream]");
  }
  SECTION("a stream without work") {
    s.stream_of[0] = s.stream_of[3] = mars::stream_id{2U};
    CHECK(fault() == "stream_of: stream 1 of 3 runs nothing [idle-stream]");
  }
  SECTION("a node that is not there") {
    s.launch_order[3] = 4;
    CHECK(fault() == "launch_order[3]: node 4 of a graph of 4 [unknown-node]");
  }
  SECTION("a node twice") {
    s.launch_order[2] = 1;
    CHECK(fault() == "launch_order[2]: 'b' again [repeated-node]");
  }
  SECTION("a reader before what it reads") {
    std::swap(s.launch_order[2], s.launch_order[3]);
    CHECK(fault() == "launch_order[2]: 'd' comes before 'c', whose result it reads [precedence]");
  }
  SECTION("stages that go back") {
    s.stage_of[3] = 0;
    CHECK(fault() ==
          "stage_of[3]: 'd' of stage 0 is launched after 'c' of stage 1 [backward-stage]");
  }
  SECTION("merged nodes") {
    SECTION("none") {
      s.merged.emplace_back();
      CHECK(fault() == "merged[1]: a group of no nodes [bad-group]");
    }
    SECTION("that are not there") {
      s.merged[0][1] = 4;
      CHECK(fault() == "merged[0]: node 4 of a graph of 4 [bad-group]");
    }
    SECTION("in two groups") {
      s.merged.push_back({2});
      CHECK(fault() == "merged[1]: 'c' is merged twice [bad-group]");
    }
    SECTION("on two streams") {
      s.stream_of[2] = mars::stream_id{1U};
      CHECK(fault() == "merged[0]: 'b' and 'c' are on streams 0 and 1 [bad-group]");
    }
    SECTION("in two stages") {
      s.stage_of[2] = 2;
      CHECK(fault() == "merged[0]: 'b' and 'c' are in stages 1 and 2 [bad-group]");
    }
    SECTION("one of which reads the other") {
      s.stage_of.clear();
      s.stream_of[3] = s.stream_of[2];
      s.merged[0] = {2, 3};
      CHECK(fault() == "merged[0]: 'd' reads the result of 'c' [bad-group]");
    }
    SECTION("with another between them") {
      g.nodes[2].inputs.clear();
      s.stage_of.clear();
      s.launch_order = {2, 0, 1, 3};
      CHECK(fault() == "merged[0]: 'a' is launched between 'c' and 'b' [bad-group]");
    }
    SECTION("that have no kernel together") {
      auto const p = mars_test::stream_problem_of(g);
      auto const found = validate(p, s);
      REQUIRE(found.size() == 1);
      CHECK(to_string(found[0]) == "merged[0]: no kernel runs 'b' and those with it [unmergeable]");
    }
  }
  SECTION("limits") {
    plain();
    SECTION("of streams") {
      s.stream_of[2] = mars::stream_id{2U};
      CHECK(fault() == "limits.streams: 3 streams, limit 2 [streams]");
    }
    SECTION("of events: a and c record, b precedes c anyway") {
      limits.events = 2;
      CHECK(fault().empty());
      limits.events = 1;
      CHECK(fault() == "limits.events: 2 events, limit 1 [events]");
    }
    SECTION("of memory: a, b and c; d may take the place of a") {
      g.nodes[3].output = mars::bytes{5};
      limits.memory = mars::bytes{30};
      CHECK(fault().empty());
      limits.memory = mars::bytes{29};
      CHECK(fault() == "limits.memory: 30 bytes, limit 29; at once: 'a', 'b', 'c' [memory]");
    }
  }
}
