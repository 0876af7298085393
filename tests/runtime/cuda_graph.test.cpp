// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/fake_gpu_api.hpp"
#include "support/stream_cases.hpp"
#include "support/stream_programs.hpp"

#include <mars/core/random.hpp>
#include <mars/runtime/cuda_graph.hpp>
#include <mars/scheduling/to_program.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace mars;
using mars_test::fake_gpu;
using mars_test::fake_gpu_api;

namespace {
struct no_limits : fake_gpu_api {
  void limit(device_limit) const;
};
struct endless_capture : fake_gpu_api {
  void end_capture(stream) const;
};
struct throwing_style : fake_gpu_api { // calls that fail say so in their result
  void launch(executable, stream) const;
};
static_assert(GpuApi<no_limits> && !ProfilingApi<no_limits>);
static_assert(!GpuApi<endless_capture> && !GpuApi<throwing_style>);

/// Nodes as kernels whose handle says which node it is.
std::array<char, 256> const handles{};
auto function_of(std::size_t node) -> void const* { return &handles[node]; }
auto node_of(fake_gpu::node const& n) -> std::size_t {
  return static_cast<std::size_t>(static_cast<char const*>(n.function) - handles.data());
}
auto launch_of(std::size_t node) -> kernel_launch { return {.function = function_of(node)}; }

/// [a][b]: b comes after a.
auto order_of(fake_gpu::graph const& g, std::size_t nodes) -> std::vector<std::vector<char>> {
  std::vector<std::vector<char>> before(nodes, std::vector<char>(nodes, 0));
  for (auto const& n : g) // in a topological order
    for (auto const a : n.after) {
      auto const p = node_of(g[a]), v = node_of(n);
      before[p][v] = 1;
      for (auto& row : before)
        if (row[p] != 0) row[v] = 1;
    }
  return before;
}

auto capture(fake_gpu_api const& api, stream_program const& p) {
  return runtime::capture_graph(
      api, p, [&](std::uint32_t v, fake_gpu_api::stream s) { return api.launch(launch_of(v), s); });
}
auto build(fake_gpu_api const& api, stream_program const& p) {
  return runtime::build_graph(api, p, [](std::uint32_t v) { return std::vector{launch_of(v)}; });
}
} // namespace

TEST_CASE("capture says the verbs of the program, and nothing else") {
  fake_gpu gpu;
  fake_gpu_api const api{gpu};
  {
    auto const [graph, program] = mars_test::diamond();
    auto const made = capture(api, program);
    REQUIRE(made);
    gpu.log.resize(16); // in which order the rest is destroyed matters to nobody
    CHECK(gpu.log == std::vector<std::string>{
                         "cudaStreamCreateWithFlags()", "cudaStreamCreateWithFlags()", // s1, s2
                         "cudaEventCreateWithFlags()", "cudaEventCreateWithFlags()",   // e3, e4
                         "cudaStreamBeginCapture(s1)",                                 //
                         "cudaLaunchKernel(s1)",                                       // a
                         "cudaEventRecord(e3, s1)", "cudaStreamWaitEvent(s2, e3)",     // fork
                         "cudaLaunchKernel(s2)",                                       // b
                         "cudaEventRecord(e4, s2)",                                    //
                         "cudaLaunchKernel(s1)",                                       // c
                         "cudaStreamWaitEvent(s1, e4)",                                // join
                         "cudaLaunchKernel(s1)",                                       // d
                         "cudaStreamEndCapture(s1)",                                   //
                         "cudaGraphInstantiateWithFlags(g6)",                          //
                         "cudaGraphDestroy(g6)"});
    CHECK(gpu.alive() == 1); // the executable outlives what it was made with
    REQUIRE(gpu.last_graph().size() == 4);
    CHECK(gpu.last_graph()[3].after == std::vector<fake_gpu::handle>{1, 2});
  }
  CHECK(gpu.alive() == 0);
}

TEST_CASE("a graph is uploaded, replayed, moved and destroyed once") {
  fake_gpu gpu;
  fake_gpu_api const api{gpu};
  auto const s = api.create_stream().value();
  {
    auto made = build(api, mars_test::diamond().second).value();
    gpu.log.clear();
    REQUIRE(made.upload(s));
    REQUIRE(made.replay(s));
    auto const moved = std::move(made);
    REQUIRE(moved.replay(s));
    CHECK(gpu.log == std::vector<std::string>{"cudaGraphUpload(x3, s1)", "cudaGraphLaunch(x3, s1)",
                                              "cudaGraphLaunch(x3, s1)"});
    gpu.failing["cudaGraphLaunch"] = {1, 700};
    auto const failed = moved.replay(s);
    REQUIRE(!failed);
    CHECK(to_string(failed.error()) == "cudaGraphLaunch: found cudaErrorUnknown, wanted "
                                       "cudaSuccess [device]");
  }
  CHECK(gpu.log.back() == "cudaGraphExecDestroy(x3)");
  CHECK(gpu.alive() == 1);
}

TEST_CASE("whichever call fails: it is named, the capture has ended, nothing is left behind") {
  auto const program = mars_test::diamond().second;
  fake_gpu whole;
  REQUIRE(capture(fake_gpu_api{whole}, program));
  REQUIRE(build(fake_gpu_api{whole}, program));
  for (bool const captured : {true, false}) {
    int failures = 0;
    for (std::string const call :
         {"cudaStreamCreateWithFlags", "cudaEventCreateWithFlags", "cudaStreamBeginCapture",
          "cudaEventRecord", "cudaStreamWaitEvent", "cudaLaunchKernel", "cudaStreamEndCapture",
          "cudaGraphCreate", "cudaGraphAddKernelNode", "cudaGraphInstantiateWithFlags"})
      for (int nth = 1;; ++nth) {
        CAPTURE(captured, call, nth);
        fake_gpu gpu;
        gpu.failing[call] = {nth, fake_gpu::invalid_value};
        auto const made =
            captured ? capture(fake_gpu_api{gpu}, program) : build(fake_gpu_api{gpu}, program);
        if (made) break; // there is no such call
        ++failures;
        CHECK(made.error().code == error_code::device);
        CHECK_THAT(made.error().path, mars_test::contains_text(call));
        CHECK(gpu.alive() == 0);
        // A capture that would not end is the driver's to forget.
        if (call != "cudaStreamEndCapture") CHECK(!gpu.is_capturing());
      }
    CHECK(failures == (captured ? 15 : 6));
  }
}

TEST_CASE("errors say which command") {
  auto const program = mars_test::diamond().second;
  auto const found = [&](std::string const& call, int nth) {
    fake_gpu gpu;
    gpu.failing[call] = {nth, fake_gpu::invalid_value};
    return to_string(capture(fake_gpu_api{gpu}, program).error());
  };
  CHECK(
      found("cudaStreamWaitEvent", 2) ==
      "commands[6].cudaStreamWaitEvent: found cudaErrorInvalidValue, wanted cudaSuccess [device]");
  CHECK_THAT(found("cudaLaunchKernel", 4),
             mars_test::contains_text("commands[7].cudaLaunchKernel"));
}

TEST_CASE("what makes a capture invalid is reported as the runtime does") {
  fake_gpu gpu;
  fake_gpu_api const api{gpu};
  auto const [graph, program] = mars_test::diamond();
  SECTION("a stream that is not joined") {
    auto p = program;
    p.commands.erase(p.commands.begin() + 6);
    CHECK_THAT(to_string(capture(api, p).error()),
               mars_test::contains_text("cudaErrorStreamCaptureUnjoined"));
  }
  SECTION("a stream that was never forked launches outside: nothing of it is in the graph") {
    auto p = program;
    p.commands.erase(p.commands.begin() + 2);
    // Node 1 runs at once, and its event belongs to no capture.
    CHECK_THAT(to_string(capture(api, p).error()),
               mars_test::contains_text("cudaErrorStreamCaptureIsolation"));
  }
  SECTION("a launch that synchronises: its own failure is the one reported") {
    auto const made = runtime::capture_graph(
        api, program, [&](std::uint32_t, fake_gpu_api::stream s) { return api.synchronize(s); });
    CHECK(to_string(made.error()) ==
          "commands[0].cudaStreamSynchronize: found cudaErrorStreamCaptureUnsupported, "
          "wanted cudaSuccess [device]");
  }
  SECTION("the same, its status dropped by the library: the next call tells") {
    auto const made =
        runtime::capture_graph(api, program, [&](std::uint32_t, fake_gpu_api::stream s) {
          static_cast<void>(api.synchronize(s));
        });
    CHECK_THAT(to_string(made.error()),
               mars_test::contains_text("commands[1].cudaEventRecord: found "
                                        "cudaErrorStreamCaptureInvalidated"));
  }
#if defined(__cpp_exceptions)
  SECTION("a launch that throws") {
    struct gone {};
    CHECK_THROWS_AS(static_cast<void>(runtime::capture_graph(
                        api, program, [](std::uint32_t, fake_gpu_api::stream) { throw gone{}; })),
                    gone);
  }
#endif
  CHECK(!gpu.is_capturing());
  CHECK(gpu.alive() == 0);
}

TEST_CASE("streams may be the caller's") {
  fake_gpu gpu;
  fake_gpu_api const api{gpu};
  auto const program = mars_test::diamond().second;
  std::vector const streams{api.create_stream().value(), api.create_stream().value()};
  auto const nothing = [](std::uint32_t, fake_gpu_api::stream) {};
  REQUIRE(runtime::capture_graph(api, program, nothing, std::span{streams}));
  CHECK(gpu.alive() == 2);
  auto const refused = runtime::capture_graph(api, program, nothing, std::span{streams}.first(1));
  CHECK(to_string(refused.error()) ==
        "streams: found 1, wanted 2; one for each of the program, or none [invalid-argument]");
}

TEST_CASE("captured and built graphs order kernels as the program does, without an edge too many") {
  random_stream r{7300};
  for (int i = 0; i < 60; ++i) {
    CAPTURE(i);
    auto const graph = mars_test::random_stream_dag(r, 2 + r.below(24));
    auto schedule = mars_test::random_stream_schedule(r, graph);
    schedule.merged.clear();
    auto const program = to_program(graph, schedule);
    auto const wanted = mars_test::order_of(graph, program);
    fake_gpu gpu;
    fake_gpu_api const api{gpu};
    REQUIRE(capture(api, program));
    CHECK(order_of(gpu.last_graph(), graph.size()) == wanted);
    REQUIRE(build(api, program));
    auto const& built = gpu.last_graph();
    CHECK(order_of(built, graph.size()) == wanted);
    for (auto const& n : built)
      for (auto const a : n.after)
        for (auto const b : n.after) CHECK(wanted[node_of(built[a])][node_of(built[b])] == 0);
  }
}

TEST_CASE("views launch nothing and hand on what they wait for; operators may launch several") {
  fake_gpu gpu;
  fake_gpu_api const api{gpu};
  auto const program = mars_test::diamond().second;
  // Node 1 is a view; node 0 launches two kernels.
  auto const made = runtime::build_graph(api, program, [](std::uint32_t v) {
    std::vector<kernel_launch> launches;
    if (v != 1) launches.push_back(launch_of(v));
    if (v == 0) launches.push_back(launch_of(9));
    return launches;
  });
  REQUIRE(made);
  auto const& g = gpu.last_graph();
  REQUIRE(g.size() == 4);
  CHECK(g[1].after == std::vector<fake_gpu::handle>{0});
  CHECK(g[2].after == std::vector<fake_gpu::handle>{1});
  CHECK(g[3].after == std::vector<fake_gpu::handle>{2}); // not on 1 again
}

TEST_CASE("merged nodes are launched by callables that take spans") {
  fake_gpu gpu;
  fake_gpu_api const api{gpu};
  stream_program program{.streams = 1, .merged = {{1, 2}}};
  program.commands = {mars_test::launch(0, 0),
                      {stream_verb::launch_merged, stream_id{std::size_t{0}}, 0}};
  struct kernels_of {
    auto operator()(std::uint32_t v) const { return std::vector{launch_of(v)}; }
    auto operator()(std::span<std::uint32_t const> nodes) const {
      return std::vector{launch_of(100 + nodes.size())};
    }
  };
  REQUIRE(runtime::build_graph(api, program, kernels_of{}));
  REQUIRE(gpu.last_graph().size() == 2);
  CHECK(node_of(gpu.last_graph()[1]) == 102);
  CHECK_THAT(to_string(build(api, program).error()),
             mars_test::contains_text("commands[1]: found a launch of merged nodes"));
  CHECK_THAT(to_string(capture(api, program).error()),
             mars_test::contains_text("commands[1]: found a launch of merged nodes"));
  CHECK(!gpu.is_capturing());
}

TEST_CASE("a program for an eager host has no graph") {
  fake_gpu gpu;
  auto program = mars_test::diamond().second;
  program.commands.insert(program.commands.begin() + 3,
                          {stream_verb::barrier, stream_id{std::size_t{0}}, 0});
  CHECK_THAT(to_string(capture(fake_gpu_api{gpu}, program).error()),
             mars_test::contains_text("commands[3].verb: found barrier"));
  CHECK(gpu.log.empty());
}
