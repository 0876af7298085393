// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How fast IOS's dynamic program is: the search alone (`search`: every stage costs the same) and with stages
// simulated (`schedule`), on a V100. Inception V3 of the zoo, whose activations are operators of their own; and IOS's
// own graphs where a folder `shared` with them lies beside the checkout. Counters: `transitions`, `states` and, where
// stages are simulated, `simulated`.

#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/io/files.hpp>
#include <mars/scheduling/convolution_kernels.hpp>
#include <mars/scheduling/detail/operator_list.hpp>
#include <mars/scheduling/detail/staged_block.hpp>
#include <mars/scheduling/ios.hpp>
#include <mars/scheduling/make_stream_graph.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/zoo/inception.hpp>
#ifdef MARS_BENCH_SHARED_DIR
#include <mars/io/json/operator_graph.hpp>
#endif

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace {

auto design() -> mars::hardware::gpu { return mars::presets::find_device("v100_sxm2").value(); }

auto problem_of(mars::stream_graph g) -> mars::stream_problem {
  mars::stream_options o;
  o.lower = mars::convolution_kernels(design());
  return mars::stream_problem::make(std::move(g), design().limits, std::move(o)).value();
}

void search(benchmark::State& state, mars::stream_problem const& p) {
  std::uint64_t transitions = 0, states = 0;
  for (auto _ : state) {
    transitions = states = 0;
    mars::detail::basic_operator_list<> const operators{p};
    auto const starts = operators.blocks(100);
    for (std::size_t b = 0; b + 1 < starts.size(); ++b) {
      auto const found = mars::detail::best_stages(
          operators.block(starts[b], starts[b + 1]), {3, 8}, mars::scheduling::stage_strategy::both,
          100'000'000, [](auto const&, bool) { return mars::detail::stage_cost{1}; });
      transitions += found.transitions;
      states += found.states;
    }
  }
  state.counters["transitions"] = static_cast<double>(transitions);
  state.counters["states"] = static_cast<double>(states);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(transitions));
}

void schedule(benchmark::State& state, mars::stream_problem const& p) {
  mars::stream_solution found;
  for (auto _ : state) found = mars::scheduling::ios{}(p, {});
  state.counters["transitions"] = static_cast<double>(found.transitions);
  state.counters["states"] = static_cast<double>(found.states);
  state.counters["simulated"] = static_cast<double>(found.evaluations);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(found.transitions));
}

void add(std::string const& name, mars::stream_graph g) {
  auto const p = problem_of(std::move(g));
  benchmark::RegisterBenchmark(("search/" + name).c_str(), search, p)
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark(("schedule/" + name).c_str(), schedule, p)
      ->Unit(benchmark::kMillisecond);
}

} // namespace

auto main(int argc, char** argv) -> int {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  add("zoo_inception_v3",
      mars::make_stream_graph(mars::zoo::inception_v3({.element_bits = 32}), design()).value());
#ifdef MARS_BENCH_SHARED_DIR
  for (std::string const name : {"squeezenet", "inception_v3"}) {
    auto const file = std::string{MARS_BENCH_SHARED_DIR} + "/data/ios/" + name + ".json";
    auto const text = mars::io::read_file(file).value();
    add("ios_" + name, mars::io::load_stream_graph(text, design()).value().graph);
  }
#endif
  benchmark::RunSpecifiedBenchmarks();
}
