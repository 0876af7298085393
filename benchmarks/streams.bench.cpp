// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How long allocating streams, simulating, spelling out, checking and folding take: on GoogLeNet (argument
// 0) and Inception-v3 (1) of the zoo, and on graphs of 60 cells with six branches of eight nodes each. Counters: what comes out.

#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/scheduling/chain_cover.hpp>
#include <mars/scheduling/critical_path.hpp>
#include <mars/scheduling/find_races.hpp>
#include <mars/scheduling/make_stream_graph.hpp>
#include <mars/scheduling/opara.hpp>
#include <mars/scheduling/path_cover.hpp>
#include <mars/scheduling/peak_memory.hpp>
#include <mars/scheduling/simulate_streams.hpp>
#include <mars/scheduling/synchronization.hpp>
#include <mars/scheduling/to_program.hpp>
#include <mars/scheduling/validate.hpp>
#include <mars/zoo/inception.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

/// Cells one after another, each of six branches of eight nodes.
auto cells(std::size_t count) -> mars::stream_graph {
  mars::stream_graph g;
  auto const add = [&](std::vector<std::uint32_t> inputs) {
    mars::kernel k;
    k.blocks = 8;
    k.work = mars::flops{1'000'000 * static_cast<std::int64_t>(1 + g.size() % 7)};
    k.traffic = mars::bytes{100'000 * static_cast<std::int64_t>(1 + g.size() % 5)};
    g.nodes.push_back({"n", {k}, std::move(inputs), mars::bytes{1}});
    return static_cast<std::uint32_t>(g.size() - 1);
  };
  auto last = add({});
  for (std::size_t c = 0; c < count; ++c) {
    std::vector<std::uint32_t> ends;
    for (int branch = 0; branch < 6; ++branch) {
      auto at = add({last});
      for (int i = 1; i < 8; ++i) at = add({at});
      ends.push_back(at);
    }
    last = add(std::move(ends));
  }
  return g;
}

auto problem(std::int64_t which, mars::launch_mode mode = mars::launch_mode::replay)
    -> mars::stream_problem {
  auto const gpu = mars::presets::find_device("a100_sxm").value();
  auto graph = which > 1    ? cells(static_cast<std::size_t>(which))
               : which == 1 ? mars::make_stream_graph(mars::zoo::inception_v3(), gpu).value()
                            : mars::make_stream_graph(mars::zoo::googlenet(), gpu).value();
  return mars::stream_problem::make(std::move(graph), gpu.limits, {.mode = mode}).value();
}

template <class Policy>
void allocate(benchmark::State& state, Policy const& policy) {
  auto const p = problem(state.range(0));
  mars::stream_schedule s;
  for (auto _ : state) benchmark::DoNotOptimize(s = policy.schedule(p));
  auto const sync = mars::synchronize(p.graph(), s);
  state.counters["nodes"] = static_cast<double>(p.size());
  state.counters["streams"] = static_cast<double>(s.streams());
  state.counters["waits"] = static_cast<double>(sync.waits.size());
  state.counters["peak"] = static_cast<double>(mars::peak_memory(p.graph(), s).size.count());
}
void path_cover(benchmark::State& s) { allocate(s, mars::scheduling::path_cover{}); }
void chain_cover(benchmark::State& s) { allocate(s, mars::scheduling::chain_cover{}); }
void opara(benchmark::State& s) { allocate(s, mars::scheduling::opara{}); }
void critical_path(benchmark::State& s) { allocate(s, mars::scheduling::critical_path{}); }

void with_schedule(benchmark::State& state, auto work) {
  auto const p = problem(state.range(0));
  auto const s = mars::scheduling::chain_cover{}.schedule(p);
  for (auto _ : state) benchmark::DoNotOptimize(work(p, s));
  state.counters["nodes"] = static_cast<double>(p.size());
}
/// The simulator, which keeps its memory, on chains.
void simulate(benchmark::State& state, mars::launch_mode mode) {
  auto const p = problem(state.range(0), mode);
  auto const s = mars::scheduling::chain_cover{}.schedule(p);
  mars::stream_simulator run{p};
  for (auto _ : state) benchmark::DoNotOptimize(run(s).latency);
  state.counters["nodes"] = static_cast<double>(p.size());
}
void simulation(benchmark::State& s) { simulate(s, mars::launch_mode::replay); }
void eager_simulation(benchmark::State& s) { simulate(s, mars::launch_mode::eager); }
void peak_memory(benchmark::State& state) {
  with_schedule(state,
                [](auto const& p, auto const& s) { return mars::peak_memory(p.graph(), s).size; });
}
void program(benchmark::State& state) {
  with_schedule(state, [](auto const& p, auto const& s) { return to_program(p, s); });
}
void races(benchmark::State& state) {
  auto const p = problem(state.range(0));
  auto const all = to_program(p, mars::scheduling::chain_cover{}.schedule(p));
  for (auto _ : state) benchmark::DoNotOptimize(find_races(p.graph(), all));
  state.counters["nodes"] = static_cast<double>(p.size());
}
void validation_with_memory(benchmark::State& state) {
  with_schedule(state, [](auto const& p, auto const& s) {
    return validate(p.graph(), s, {.memory = mars::bytes{1}}).size();
  });
}
/// Paths folded to two streams.
void folding(benchmark::State& state) {
  auto const p = problem(state.range(0));
  auto const s = mars::scheduling::path_cover{}.schedule(p);
  for (auto _ : state) {
    mars::detail::basic_stream_folding<> fold{p, s};
    while (fold.streams() > 2) fold.fold();
    benchmark::DoNotOptimize(fold(s));
  }
  state.counters["nodes"] = static_cast<double>(p.size());
}

BENCHMARK(opara)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(path_cover)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(chain_cover)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(critical_path)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(simulation)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(eager_simulation)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(program)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(races)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(peak_memory)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(folding)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);
BENCHMARK(validation_with_memory)->Arg(0)->Arg(1)->Arg(60)->Unit(benchmark::kMicrosecond);

} // namespace

BENCHMARK_MAIN();
