// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How fast the simulator is: plans of 100,000 transfers between random pairs of 64 accelerators, of which up to
// `in_flight` are under way at once. Items per second are events. Counters: `transfers`, `in_flight`, `slowed` (the
// share of transfers that others made longer).

#include <mars/core/random.hpp>
#include <mars/evaluation/sharing/fifo.hpp>
#include <mars/evaluation/sharing/max_min_fair.hpp>
#include <mars/evaluation/simulator.hpp>
#include <mars/interconnect/any_interconnect.hpp>
#include <mars/interconnect/fully_connected.hpp>
#include <mars/interconnect/switched.hpp>
#include <mars/interconnect/torus.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr mars::bytes_per_second bandwidth{45e9};
constexpr mars::seconds latency{1e-6};

/// Every transfer waits for a random one of the `in_flight` before it.
auto random_plan(mars::any_interconnect const& net, std::size_t transfers, std::size_t in_flight)
    -> mars::activity_graph {
  mars::random_stream random{1};
  mars::activity_graph plan;
  std::vector<mars::activity_id> after;
  for (std::size_t i = 0; i < transfers; ++i) {
    auto const from = random.below(net.size());
    auto const to = (from + 1 + random.below(net.size() - 1)) % net.size();
    mars::bytes const size{1000 + static_cast<std::int64_t>(random.below(1'000'000))};
    after.clear();
    if (i >= in_flight) after.push_back(mars::activity_id{i - 1 - random.below(in_flight)});
    mars::add_transfer(plan, net, mars::accelerator_id{from}, mars::accelerator_id{to}, size,
                       after);
  }
  return plan;
}

template <mars::LinkSharing Sharing>
void simulate(benchmark::State& state, mars::any_interconnect const& net, Sharing const& sharing,
              std::size_t in_flight) {
  auto const plan = random_plan(net, 100'000, in_flight);
  mars::timeline seen;
  for (auto _ : state) seen = mars::simulate(plan, net, sharing);
  std::size_t slowed = 0;
  for (std::size_t i = 0; i < plan.size(); ++i)
    slowed += seen.end[i] - seen.start[i] > plan.duration(mars::activity_id{i});
  state.counters["transfers"] = static_cast<double>(plan.size());
  state.counters["in_flight"] = static_cast<double>(in_flight);
  state.counters["slowed"] = static_cast<double>(slowed) / static_cast<double>(plan.size());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(seen.events));
}

} // namespace

int main(int argc, char** argv) {
  using mars::forwarding_mode;
  namespace ic = mars::interconnect;
  std::vector<std::pair<std::string, mars::any_interconnect>> const networks{
      {"fully_connected",
       ic::fully_connected{.accelerators = 64, .bandwidth = bandwidth, .latency = latency}},
      {"switched", ic::switched{.accelerators = 64, .bandwidth = bandwidth, .latency = latency}},
      {"torus", ic::torus{{8, 8}, bandwidth, latency, {}, forwarding_mode::cut_through}},
      {"torus_stored",
       ic::torus{{8, 8}, bandwidth, latency, {}, forwarding_mode::store_and_forward}}};
  for (auto const& [name, net] : networks)
    for (std::size_t const in_flight : {64U, 256U, 1024U}) {
      auto const called = [&, of = name](char const* sharing) {
        return std::string{sharing} + "/" + of + "/in_flight:" + std::to_string(in_flight);
      };
      benchmark::RegisterBenchmark(called("max_min_fair").c_str(), [=, on = net](auto& s) {
        simulate(s, on, mars::sharing::max_min_fair{}, in_flight);
      })->Unit(benchmark::kMillisecond);
      benchmark::RegisterBenchmark(called("fifo").c_str(), [=, on = net](auto& s) {
        simulate(s, on, mars::sharing::fifo{}, in_flight);
      })->Unit(benchmark::kMillisecond);
    }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
