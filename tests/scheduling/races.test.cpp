// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What orders launches: the waits of schedules, the programs made of them, and the checker of races, against closures
// of all commands.
#include "support/catch.hpp"
#include "support/stream_cases.hpp"

#include <mars/scheduling/find_races.hpp>
#include <mars/scheduling/synchronization.hpp>
#include <mars/scheduling/to_program.hpp>
#include <mars/scheduling/validate.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace {

using mars::stream_verb;

auto spelled(mars::stream_program const& program) -> std::string {
  std::string all;
  for (auto const& c : program.commands)
    all += std::string{mars::verb_name(c.verb)} + " " + std::to_string(c.stream.index()) + " " +
           std::to_string(c.what) + "; ";
  return all;
}

/// Where the nodes, or the group they lead, are launched.
auto launch_of(mars::stream_program const& program, std::uint32_t v) -> std::size_t {
  for (std::size_t i = 0; i < program.commands.size(); ++i) {
    auto const& c = program.commands[i];
    if (c.verb == stream_verb::launch && c.what == v) return i;
    if (c.verb == stream_verb::launch_merged && program.merged[c.what].front() == v) return i;
  }
  return program.commands.size();
}

/// The command that waits for the event of `w`: before the consumer's launch.
auto command_of(mars::stream_program const& program, mars::stream_wait const& w) -> std::size_t {
  auto const& all = program.commands;
  auto const& record = all[launch_of(program, w.producer) + 1];
  REQUIRE(record.verb == stream_verb::record);
  auto i = launch_of(program, w.consumer);
  while (all[i].verb != stream_verb::wait || all[i].what != record.what) --i;
  return i;
}

auto random_program(mars::random_stream& r, mars::stream_graph const& g) -> mars::stream_program {
  mars::stream_program program{1 + r.below(4), 1 + r.below(5), {}, {}};
  auto const order = mars_test::random_stream_order(r, g);
  auto const any_stream = [&] { return mars::stream_id{r.below(program.streams)}; };
  auto const any_event = [&] { return static_cast<std::uint32_t>(r.below(program.events)); };
  for (auto const v : order) {
    for (auto k = r.below(4); k > 0; --k) {
      if (r.chance(0.1))
        program.commands.push_back({stream_verb::barrier, {}, 0});
      else
        program.commands.push_back(
            {r.chance(0.5) ? stream_verb::record : stream_verb::wait, any_stream(), any_event()});
    }
    program.commands.push_back({stream_verb::launch, any_stream(), v});
  }
  return program;
}

} // namespace

TEST_CASE("a program, by hand") {
  // a on 0; b on 1 and c on 0 read a; d on 0 reads b and c.
  auto const g = mars_test::stream_dag({{}, {0}, {0}, {1, 2}});
  mars::stream_schedule s{{}, {0, 1, 2, 3}, {}, {}};
  for (auto const x : {0U, 1U, 0U, 0U}) s.stream_of.emplace_back(x);
  CHECK(spelled(to_program(g, s)) == "record 0 0; wait 1 0; " // fork
                                     "launch 0 0; record 0 1; wait 1 1; launch 1 1; record 1 2; "
                                     "launch 0 2; wait 0 2; launch 0 3; "
                                     "record 1 3; wait 0 3; "); // join
  SECTION("stages are joined and forked by events in a graph, by the host otherwise") {
    s.stage_of = {0, 1, 1, 2};
    CHECK(spelled(to_program(g, s)) ==
          "record 0 0; wait 1 0; launch 0 0; "
          "record 1 1; wait 0 1; record 0 2; wait 1 2; launch 1 1; launch 0 2; "
          "record 1 3; wait 0 3; record 0 4; wait 1 4; launch 0 3; "
          "record 1 5; wait 0 5; ");
    CHECK(spelled(to_program(g, s, mars::launch_mode::eager)) ==
          "record 0 0; wait 1 0; launch 0 0; barrier 0 0; launch 1 1; launch 0 2; "
          "barrier 0 0; launch 0 3; record 1 1; wait 0 1; ");
    CHECK(validate(g, to_program(g, s)).empty());
    CHECK(validate(g, to_program(g, s, mars::launch_mode::eager)).empty());
  }
  SECTION("merged nodes are one launch") {
    s.stream_of[1] = s.stream_of[2] = mars::stream_id{1U};
    s.merged = {{1, 2}};
    auto const program = to_program(g, s);
    CHECK(spelled(program) == "record 0 0; wait 1 0; launch 0 0; record 0 1; wait 1 1; "
                              "launch_merged 1 0; record 1 2; wait 0 2; launch 0 3; "
                              "record 1 3; wait 0 3; ");
    CHECK(program.merged == s.merged);
    CHECK(validate(g, program).empty());
  }
  SECTION("one stream needs no events") {
    for (auto& x : s.stream_of) x = mars::stream_id{0U};
    CHECK(spelled(to_program(g, s)) == "launch 0 0; launch 0 1; launch 0 2; launch 0 3; ");
  }
}

TEST_CASE("waits that others imply are not made") {
  // a, b on 0; c on 1 reads a and b; d on 1 reads a; e on 2 reads c and a.
  auto const g = mars_test::stream_dag({{}, {0}, {0, 1}, {0, 2}, {2, 0}});
  mars::stream_schedule s{{}, {0, 1, 2, 3, 4}, {}, {}};
  for (auto const x : {0U, 0U, 1U, 1U, 2U}) s.stream_of.emplace_back(x);
  auto const every = mars::synchronize(g, s, mars::wait_rule::every);
  CHECK(every.cross_edges == 5);
  CHECK(every.waits.size() == 5);
  CHECK(every.events == 3);
  auto const needed = mars::synchronize(g, s);
  CHECK(needed.cross_edges == 5);
  CHECK(needed.waits == std::vector<mars::stream_wait>{{1, 2}, {2, 4}});
  CHECK(needed.events == 2);
}

TEST_CASE("programs of 10,000 schedules have no race, and one as soon as a wait is dropped") {
  mars::random_stream r{11};
  std::size_t planted = 0, missed = 0, unclean = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto const g = mars_test::random_stream_dag(r, 2 + r.below(10));
    auto const s = mars_test::random_stream_schedule(r, g);
    auto const mode = r.chance(0.5) ? mars::launch_mode::replay : mars::launch_mode::eager;
    auto const program = to_program(g, s, mode);
    if (!validate(g, s).empty() || !validate(g, program).empty()) ++unclean;
    if (!validate(g, to_program(g, s, mode, mars::wait_rule::every)).empty()) ++unclean;
    auto const sync = mars::synchronize(g, s);
    if (sync.waits.empty()) continue;
    auto const& w = sync.waits[r.below(sync.waits.size())];
    auto broken = program;
    broken.commands.erase(broken.commands.begin() +
                          static_cast<std::ptrdiff_t>(command_of(program, w)));
    ++planted;
    auto const races = find_races(g, broken);
    // Merged nodes race as one: what races is launched with the two.
    auto const with = [&](std::uint32_t v) {
      for (auto const& group : program.merged)
        if (std::find(group.begin(), group.end(), v) != group.end()) return group.front();
      return v;
    };
    if (std::none_of(races.begin(), races.end(), [&](auto const& race) {
          return with(race.producer) == w.producer && with(race.consumer) == w.consumer;
        }))
      ++missed;
  }
  CHECK(unclean == 0);
  CHECK(missed == 0);
  CHECK(planted > 5'000);
}

TEST_CASE("races are those pairs that the closure of all commands leaves in no order") {
  mars::random_stream r{12};
  std::size_t found = 0, kept = 0;
  for (int i = 0; i < 2'000; ++i) {
    CAPTURE(i);
    auto const g = mars_test::random_stream_dag(r, 2 + r.below(6));
    auto const program = random_program(r, g);
    auto const before = mars_test::order_of(g, program);
    auto const races = find_races(g, program);
    for (std::uint32_t v = 0; v < g.size(); ++v)
      for (auto const p : g.nodes[v].inputs) {
        bool const is_race =
            std::find(races.begin(), races.end(), mars::stream_race{p, v}) != races.end();
        REQUIRE(is_race == (before[p][v] == 0));
        ++(is_race ? found : kept);
      }
  }
  CHECK(found > 1'000);
  CHECK(kept > 1'000);
}

TEST_CASE("the waits kept order all dependences, and each is needed") {
  mars::random_stream r{13};
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    auto const g = mars_test::random_stream_dag(r, 2 + r.below(8));
    auto const s = mars_test::random_stream_schedule(r, g);
    auto const program = to_program(g, s);
    auto const all =
        mars_test::order_of(g, to_program(g, s, mars::launch_mode::replay, mars::wait_rule::every));
    REQUIRE(mars_test::order_of(g, program) == all);
    for (auto const& w : mars::synchronize(g, s).waits) {
      auto broken = program;
      broken.commands.erase(broken.commands.begin() +
                            static_cast<std::ptrdiff_t>(command_of(program, w)));
      REQUIRE(mars_test::order_of(g, broken)[w.producer][w.consumer] == 0);
    }
  }
}

TEST_CASE("faults of programs are found and located") {
  auto const g = mars_test::stream_dag({{}, {0}, {1}});
  mars::stream_schedule s{{}, {0, 1, 2}, {}, {}};
  for (auto const x : {0U, 1U, 0U}) s.stream_of.emplace_back(x);
  // record 0 0; wait 1 0; launch 0 0; record 0 1; wait 1 1; launch 1 1; record 1 2; wait 0 2;
  // launch 0 2; record 1 3; wait 0 3;
  auto program = to_program(g, s);
  auto& commands = program.commands;
  auto const faults = [&] {
    std::string all;
    for (auto const& v : validate(g, program)) all += to_string(v) + "\n";
    return all;
  };
  REQUIRE(faults().empty());
  auto const drop = [&](std::size_t i) {
    commands.erase(commands.begin() + static_cast<std::ptrdiff_t>(i));
  };
  SECTION("a wait that is missing") {
    drop(4);
    CHECK(faults() ==
          "commands[4]: 'b' on stream 1 reads the result of 'a', which may still run on "
          "stream 0 [race]\n");
  }
  SECTION("a wait before the record does nothing") {
    std::swap(commands[3], commands[4]);
    CHECK(faults() ==
          "commands[3]: stream 1 waits for event 1, which was not recorded before [early-wait]\n"
          "commands[5]: 'b' on stream 1 reads the result of 'a', which may still run on stream 0 "
          "[race]\n");
  }
  SECTION("a launch that is missing") {
    drop(2);
    CHECK(faults() ==
          "commands[4]: 'b' on stream 1 reads the result of 'a', which was not launched "
          "before [race]\n"
          "commands[10]: 'a' is never launched [missing-node]\n");
    CHECK(find_races(g, program) == std::vector<mars::stream_race>{{0, 1}});
  }
  SECTION("a launch too many") {
    commands.insert(commands.begin() + 5, commands[2]);
    CHECK(faults() ==
          "commands[5]: 'a' is launched again [repeated-node]\n"
          "commands[6]: 'b' on stream 1 reads the result of 'a', which may still run on "
          "stream 0 [race]\n");
  }
  SECTION("a stream that is not joined") {
    drop(10);
    CHECK(faults().empty()); // all that stream 1 ran was waited for before c
    commands.push_back({stream_verb::launch, mars::stream_id{1U}, 2});
    CHECK(faults() == "commands[10]: 'c' is launched again [repeated-node]\n"
                      "commands[11]: stream 0 does not wait for stream 1 [unjoined]\n");
  }
  SECTION("numbers out of range") {
    commands[2].what = 3;
    commands[3].what = 4;
    commands[5].stream = mars::stream_id{2U};
    commands[8] = {stream_verb::launch_merged, mars::stream_id{0U}, 0};
    CHECK_THAT(faults(), mars_test::contains_text("commands[2]: node 3 of 3 [unknown-node]"));
    CHECK_THAT(faults(), mars_test::contains_text("commands[3]: event 4 of 4 [unknown-event]"));
    CHECK_THAT(faults(), mars_test::contains_text("commands[5]: stream 2 of 2 [unknown-stream]"));
    CHECK_THAT(faults(), mars_test::contains_text("commands[8]: group 0 of 0 [unknown-group]"));
  }
  SECTION("an event recorded again") {
    commands[6].what = 1;
    CHECK_THAT(faults(),
               mars_test::contains_text("commands[6]: event 1 is recorded again [repeated-event]"));
  }
}
