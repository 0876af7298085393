// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/stream_cases.hpp"
#include "support/stream_programs.hpp"

#include <mars/runtime/stream_executor.hpp>
#include <mars/scheduling/chain_cover.hpp>
#include <mars/scheduling/find_races.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/path_cover.hpp>
#include <mars/scheduling/to_program.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace mars;

namespace {
/// Of each node a number made of its inputs' numbers: plain memory, so that a missing order would be a
/// data race for the thread sanitiser, and a wrong number where it is not there.
struct numbers {
  explicit numbers(stream_graph const& g) : graph{&g}, of(g.size(), 0) {}

  void compute(std::uint32_t v) {
    std::uint64_t x = v + 1;
    for (auto const p : graph->nodes[v].inputs) x = x * 1'000'003 + of[p];
    of[v] = x;
  }
  stream_graph const* graph;
  std::vector<std::uint64_t> of;
};

struct computing {
  numbers* all;
  void operator()(std::uint32_t v) const { all->compute(v); }
  void operator()(std::span<std::uint32_t const> nodes) const {
    for (auto const v : nodes) all->compute(v);
  }
};

auto in_order(stream_graph const& g) -> std::vector<std::uint64_t> {
  numbers n{g};
  for (std::uint32_t v = 0; v < g.size(); ++v) n.compute(v);
  return n.of;
}

template <class Launch>
auto executor_of(stream_program const& p, stream_graph const& g, Launch launch) {
  return runtime::stream_executor<Launch>::make(p, g, std::move(launch)).value();
}
} // namespace

TEST_CASE("an executor computes on streams what one loop computes, replay after replay") {
  random_stream r{7100};
  std::size_t merged = 0, barriers = 0;
  for (int i = 0; i < 40; ++i) {
    CAPTURE(i);
    auto const graph = mars_test::random_stream_dag(r, 2 + r.below(30));
    auto const schedule = mars_test::random_stream_schedule(r, graph);
    auto const mode = i % 2 == 0 ? launch_mode::replay : launch_mode::eager;
    auto const program = to_program(graph, schedule, mode);
    for (auto const& c : program.commands) barriers += c.verb == stream_verb::barrier ? 1U : 0U;
    merged += program.merged.size();
    auto const expected = in_order(graph);
    numbers found{graph};
    auto executor = executor_of(program, graph, computing{&found});
    for (int replay = 0; replay < 8; ++replay) {
      found.of.assign(graph.size(), 0);
      REQUIRE(executor.replay());
      REQUIRE(found.of == expected);
    }
  }
  CHECK(merged > 0);
  CHECK(barriers > 0);
}

#ifdef MARS_TEST_SHARED_DIR
TEST_CASE("GoogLeNet and Inception-v3 on the streams of every allocation") {
  for (std::string const name : {"googlenet", "inception_v3"}) {
    auto const graph = mars_test::read_fx(name).graph;
    REQUIRE(graph.size() > 190);
    auto const expected = in_order(graph);
    auto const problem = mars_test::stream_problem_of(graph);
    for (auto const& schedule :
         {scheduling::path_cover{}.schedule(problem), scheduling::chain_cover{}.schedule(problem),
          scheduling::opara{}.schedule(problem)}) {
      CAPTURE(name, schedule.streams());
      numbers found{graph};
      auto executor = executor_of(to_program(problem, schedule), graph, computing{&found});
      for (int replay = 0; replay < 3; ++replay) {
        found.of.assign(graph.size(), 0);
        REQUIRE(executor.replay());
        REQUIRE(found.of == expected);
      }
    }
  }
}
#endif

TEST_CASE("a missing wait is a race in every replay, however the threads are timed") {
  auto [graph, program] = mars_test::diamond();
  auto const at = GENERATE(2, 6);         // of `wait`
  auto const late = GENERATE(0, 1, 2, 3); // this node takes long: both outcomes of the race
  program.commands.erase(program.commands.begin() + at);
  std::vector<std::atomic<int>> launched(graph.size());
  auto executor = executor_of(program, graph, [&](std::uint32_t v) {
    if (v == static_cast<std::uint32_t>(late))
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    ++launched[v];
  });
  for (int replay = 0; replay < 5; ++replay) {
    auto const answer = executor.replay();
    REQUIRE(!answer);
    CHECK(answer.error().code == error_code::race);
    CHECK(answer.error().path == (at == 2 ? "nodes[1]" : "nodes[3]"));
    CHECK(answer.error().found == (at == 2 ? "nodes[1] on stream 1 reads nodes[0] on stream 0"
                                           : "nodes[3] on stream 0 reads nodes[1] on stream 1"));
  }
  CHECK(launched[at == 2 ? 1 : 3] == 0); // what would have read too early has not run
}

TEST_CASE(
    "what is a race to the checker of programs is one to the executor, and the first is named") {
  random_stream r{7200};
  std::size_t races = 0, harmless = 0;
  for (int i = 0; i < 60; ++i) {
    auto const graph = mars_test::random_stream_dag(r, 4 + r.below(12));
    auto program = to_program(graph, mars_test::random_stream_schedule(r, graph));
    std::vector<std::size_t> waits;
    for (std::size_t c = 0; c < program.commands.size(); ++c)
      if (program.commands[c].verb == stream_verb::wait) waits.push_back(c);
    if (waits.empty()) continue;
    program.commands.erase(program.commands.begin() + static_cast<std::ptrdiff_t>(r.pick(waits)));
    auto const wanted = find_races(graph, program); // in program order
    numbers found{graph};
    auto executor = executor_of(program, graph, computing{&found});
    for (int replay = 0; replay < 2; ++replay) {
      auto const answer = executor.replay();
      REQUIRE(answer.has_value() == wanted.empty());
      if (answer) continue;
      CHECK(answer.error().code == error_code::race);
      CHECK(answer.error().path == "nodes[" + std::to_string(wanted[0].consumer) + "]");
      CHECK_THAT(
          answer.error().found,
          mars_test::contains_text("reads nodes[" + std::to_string(wanted[0].producer) + "]"));
    }
    ++(wanted.empty() ? harmless : races);
  }
  CHECK(races > 10);
  CHECK(harmless > 10); // forks and joins order no nodes
}

TEST_CASE("a launch that fails stops the replay, and the next one starts anew") {
  auto const [graph, program] = mars_test::diamond();
  bool fails = true;
  std::vector<std::atomic<int>> launched(graph.size());
  auto executor = executor_of(program, graph, [&](std::uint32_t v) -> expected<void> {
    ++launched[v];
    if (v == 0 && fails) return fail(error_code::device, "kernel", "no memory");
    return {};
  });
  auto const answer = executor.replay();
  REQUIRE(!answer);
  CHECK(answer.error().path == "nodes[0].kernel");
  CHECK(launched[1] + launched[2] + launched[3] == 0);
  fails = false;
  CHECK(executor.replay());
  CHECK(launched[3] == 1);
}

TEST_CASE("merged nodes are one launch, which reads what each of them reads") {
  auto [graph, program] = mars_test::diamond();
  program = {.streams = 1, .merged = {{1, 2}}};
  program.commands = {mars_test::launch(0, 0),
                      {stream_verb::launch_merged, stream_id{std::size_t{0}}, 0},
                      mars_test::launch(3, 0)};
  struct by_span {
    std::vector<std::uint32_t>* seen;
    void operator()(std::uint32_t v) const { seen->push_back(v); }
    void operator()(std::span<std::uint32_t const> nodes) const {
      for (auto const v : nodes) seen->push_back(100 + v);
    }
  };
  std::vector<std::uint32_t> seen;
  REQUIRE(executor_of(program, graph, by_span{&seen}).replay());
  CHECK(seen == std::vector<std::uint32_t>{0, 101, 102, 3});

  auto const one_by_one = executor_of(program, graph, [](std::uint32_t) {}).replay();
  REQUIRE(!one_by_one);
  CHECK(one_by_one.error().code == error_code::unsupported);
}

TEST_CASE("programs that would block or launch something else are refused") {
  auto const [graph, whole] = mars_test::diamond();
  auto const refused = [&g = graph](stream_program const& p) {
    auto const nothing = [](std::uint32_t) {};
    auto const made = runtime::stream_executor<decltype(nothing)>::make(p, g, nothing);
    return made ? std::string{} : to_string(made.error());
  };
  CHECK(refused(whole).empty());
  auto p = whole;
  p.commands.erase(p.commands.begin() + 1);
  CHECK(refused(p) ==
        "commands[1].what: found event 0, wanted an event recorded before [dangling]");
  p = whole;
  p.commands.insert(p.commands.begin() + 2, mars_test::record(0, 0));
  CHECK_THAT(refused(p), mars_test::contains_text("commands[2].what: found event 0"));
  p = whole;
  p.commands.pop_back();
  CHECK_THAT(refused(p), mars_test::contains_text("nodes[3]: found no launch"));
  p = whole;
  p.commands.push_back(mars_test::launch(1, 0));
  CHECK_THAT(refused(p), mars_test::contains_text("nodes[1]: found a second launch"));
  p = whole;
  p.commands.push_back(mars_test::launch(9, 0));
  CHECK_THAT(refused(p), mars_test::contains_text("nodes[9]"));
  p = whole;
  p.commands[3].stream = stream_id{std::size_t{2}};
  CHECK_THAT(refused(p), mars_test::contains_text("commands[3].stream: found 2"));
}
