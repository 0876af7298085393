// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a network and a system to tables, and from tables to answers: how long each step takes, and how good the answer
// is. Counters: `operators`, `above_optimum` (1 − optimum / value, only where the optimum is proven), `proven`.

#include "systems.hpp"

#include <mars/evaluation/delta_evaluator.hpp>
#include <mars/mars.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace {

constexpr auto networks = {"alexnet",   "vgg16",     "resnet34",     "resnet101",   "wrn50_2",
                           "googlenet", "bert_base", "inception_v3", "densenet121", "squeezenet"};

auto problem_of(mars::graph const& network, mars::any_system const& system)
    -> mars::mapping_problem {
  return mars::build_problem(network, system, mars::cost::analytical{},
                             mars::parallel::exclusive_shared{}, mars::collective::standard{},
                             mars::objective::latency{},
                             mars::interconnect::with_halves(
                                 mars::interconnect::threshold_components(system.interconnect)))
      .value();
}

/// Every benchmark has every counter (CSV asks for that): NaN where there is nothing to say.
void describe(benchmark::State& state, std::size_t operators, mars::solution const* found = nullptr,
              mars::solution const* optimum = nullptr) {
  constexpr auto nothing = std::numeric_limits<double>::quiet_NaN();
  state.counters["operators"] = static_cast<double>(operators);
  state.counters["proven"] = found == nullptr ? nothing : found->exhausted ? 1.0 : 0.0;
  state.counters["above_optimum"] =
      optimum == nullptr || !optimum->exhausted
          ? nothing
          : 1 - static_cast<double>(optimum->value.value) / static_cast<double>(found->value.value);
}

void build(benchmark::State& state, std::string const& name, std::string const& on) {
  auto const network = mars::zoo::find(name).value();
  auto const system = mars::presets::find(on).value();
  for (auto _ : state) benchmark::DoNotOptimize(problem_of(network, system));
  describe(state, network.size());
}

void evaluate(benchmark::State& state, std::string const& name) {
  auto const problem =
      problem_of(mars::zoo::find(name).value(), mars::presets::find("aws_f1_16xlarge").value());
  auto const a = mars::search::exact{}(problem, {}).best;
  for (auto _ : state) benchmark::DoNotOptimize(problem.evaluate(a));
  describe(state, problem.size());
  state.SetItemsProcessed(state.iterations());
}

/// Random moves of one kind, drawn beforehand.
template <class Move>
void move(benchmark::State& state, std::string const& name, Move make) {
  auto const problem =
      problem_of(mars::zoo::find(name).value(), mars::presets::find("aws_f1_16xlarge").value());
  mars::delta_evaluator delta{problem, mars::search::exact{}(problem, {}).best};
  mars::random_stream random{1};
  std::vector<std::pair<std::size_t, std::size_t>> moves(4096);
  for (auto& [v, c] : moves) {
    v = random.below(problem.size());
    c = random.below(problem.shardings(v, delta.current().slots.front().set).size());
  }
  std::size_t i = 0;
  for (auto _ : state) {
    auto const [v, c] = moves[i++ & 4095U];
    benchmark::DoNotOptimize(make(delta, v, c));
  }
  describe(state, problem.size());
  state.SetItemsProcessed(state.iterations());
}

template <class Search>
void search(benchmark::State& state, std::string const& name, mars::any_system const& system,
            Search const& policy, mars::search_context const& context = {}) {
  auto const network = mars::zoo::find(name).value();
  auto const problem = problem_of(network, system);
  mars::search_context const ten_seconds{
      .budget = {.wall = mars::seconds{10.0}, .evaluations = {}}};
  auto const optimum = mars::search::exact{}(problem, ten_seconds);
  mars::solution found;
  for (auto _ : state) found = policy(problem, context);
  describe(state, network.size(), &found, &optimum);
}

} // namespace

int main(int argc, char** argv) {
  using benchmark::RegisterBenchmark;
  for (std::string const name : networks) {
    auto const called = [&](char const* what) { return std::string{what} + "/" + name; };
    RegisterBenchmark(called("build").c_str(), [=](auto& s) {
      build(s, name, "aws_f1_16xlarge");
    })->Unit(benchmark::kMillisecond);
    RegisterBenchmark(called("evaluate").c_str(), [=](auto& s) { evaluate(s, name); });
    RegisterBenchmark(called("delta/try_choice").c_str(), [=](auto& s) {
      move(s, name, [](auto& d, auto v, auto c) { return d.try_choice(v, c); });
    });
    RegisterBenchmark(called("delta/set_choice").c_str(), [=](auto& s) {
      move(s, name, [](auto& d, auto v, auto c) {
        d.set_choice(v, c);
        return d.value();
      });
    });
    RegisterBenchmark(called("exact").c_str(), [=](auto& s) {
      search(s, name, mars::presets::find("aws_f1_16xlarge").value(), mars::search::exact{});
    })->Unit(benchmark::kMillisecond);
    RegisterBenchmark(called("genetic").c_str(), [=](auto& s) {
      search(s, name, mars::presets::find("aws_f1_16xlarge").value(),
             mars::search::two_level_genetic{.seed = 1});
    })->Unit(benchmark::kMillisecond);
    RegisterBenchmark(called("annealing").c_str(), [=](auto& s) {
      search(s, name, mars::presets::find("aws_f1_16xlarge").value(), mars::search::annealing{});
    })->Unit(benchmark::kMillisecond);
    RegisterBenchmark(called("beam").c_str(), [=](auto& s) {
      search(s, name, mars::presets::find("aws_f1_16xlarge").value(), mars::search::beam{});
    })->Unit(benchmark::kMillisecond);
    RegisterBenchmark(called("portfolio").c_str(), [=](auto& s) {
      search(s, name, mars::presets::find("aws_f1_16xlarge").value(), mars::search::portfolio{});
    })->Unit(benchmark::kMillisecond);
  }
  for (std::string const name : {"resnet101", "bert_base"})
    for (std::size_t p = 2; p <= 64; p *= 2) {
      auto const of_size = std::string{"/"} + name + "/accelerators:" + std::to_string(p);
      RegisterBenchmark(("exact" + of_size).c_str(), [=](auto& s) {
        search(s, name, mars_bench::behind_one_switch(p), mars::search::exact{},
               {.budget = {.wall = mars::seconds{10.0}, .evaluations = {}}});
      })->Unit(benchmark::kMillisecond);
      RegisterBenchmark(("genetic" + of_size).c_str(), [=](auto& s) {
        search(s, name, mars_bench::behind_one_switch(p), mars::search::two_level_genetic{});
      })->Unit(benchmark::kMillisecond);
    }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
