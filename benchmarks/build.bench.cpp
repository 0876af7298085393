// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How building a problem grows: with the operators of a network, and with the accelerators of a system. Each is built
// once per run. Names: build/NETWORK/operators:N/accelerators:P for growth, build/NETWORK/SYSTEM for named systems.
// Counters: `operators`, `accelerators`, `sets`, `peak_mib` (the most memory the whole program held while it built, the
// graph included).

#include "systems.hpp"

#include <mars/mars.hpp>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {

/// Gives back what earlier runs held and forgets their peak, where the system can (Linux, glibc).
void forget_peak() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  std::ofstream{"/proc/self/clear_refs"} << "5";
}

auto peak_mib() -> double {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;)
    if (double kib = 0; word == "VmHWM:" && status >> kib) return kib / 1024;
  rusage all{};
  getrusage(RUSAGE_SELF, &all);
  return static_cast<double>(all.ru_maxrss) / 1024; // of the whole run
}

/// Linear layers of one width with activations between: two classes, and one for the first.
auto chain(std::size_t operators) -> mars::graph {
  mars::builder b{"chain"};
  auto x = b.input("x", {1, 128, 256});
  for (std::size_t i = 0; i < operators; ++i) x = i % 2 == 0 ? b.linear(x, 256) : b.relu(x);
  b.output(x);
  return std::move(b).build().value();
}

void build(benchmark::State& state, std::function<mars::graph()> const& network,
           std::function<mars::any_system()> const& system_of) {
  auto const g = network();
  auto const system = system_of();
  auto const sets = mars::interconnect::with_halves(
      mars::interconnect::threshold_components(system.interconnect));
  forget_peak();
  for (auto _ : state)
    benchmark::DoNotOptimize(
        mars::build_problem(g, system, mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                            mars::collective::standard{}, mars::objective::latency{}, sets));
  state.counters["operators"] = static_cast<double>(g.size());
  state.counters["accelerators"] = static_cast<double>(system.accelerators.size());
  state.counters["sets"] = static_cast<double>(sets.size());
  state.counters["peak_mib"] = peak_mib();
}

void add(std::string const& name, std::function<mars::graph()> const& network,
         std::function<mars::any_system()> const& system) {
  benchmark::RegisterBenchmark((std::string{"build/"} + name).c_str(),
                               [=](auto& state) { build(state, network, system); })
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1);
}

} // namespace

int main(int argc, char** argv) {
  auto const named = [](std::string const& name) {
    return [name] { return mars::zoo::find(name).value(); };
  };
  for (std::size_t n = 10; n <= 100'000; n *= 10)
    for (std::size_t const p : {8, 64})
      add(
          "chain/operators:" + std::to_string(n) + "/accelerators:" + std::to_string(p),
          [n] { return chain(n); }, [p] { return mars_bench::behind_one_switch(p); });
  for (std::size_t p = 2; p <= 1024; p *= 2)
    add(
        std::string{"chain/operators:100/accelerators:"} + std::to_string(p) + "/system:switch",
        [] { return chain(100); }, [p] { return mars_bench::behind_one_switch(p); });
  for (std::size_t p = 2; p <= 256; p *= 2)
    add(std::string{"alexnet/operators:12/accelerators:"} + std::to_string(p) + "/system:switch",
        named("alexnet"), [p] { return mars_bench::behind_one_switch(p); });
  for (std::string const on : {"tpu_v4p_64", "tpu_v5p_64", "gb200_72"})
    for (std::string const of : {"alexnet", "bert_base", "gpt3_175b"})
      add(of + "/" + on, named(of), [on] { return mars::presets::find(on).value(); });
  add("gpt3_175b/switch_64", named("gpt3_175b"), [] { return mars_bench::behind_one_switch(64); });
  add("gpt3_175b/fully_connected_64", named("gpt3_175b"),
      [] { return mars_bench::fully_connected(64); });
  add("gpt3_175b/8_nodes_of_8", named("gpt3_175b"), [] { return mars_bench::in_nodes(8); });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
