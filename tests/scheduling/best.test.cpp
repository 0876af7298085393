// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/core/random.hpp>
#include <mars/scheduling/best.hpp>
#include <mars/scheduling/stream_bounds.hpp>
#include <mars/scheduling/validate.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

using namespace mars;

namespace {

/// Six SMs, 1 Tflop/s, 100 GB/s, default overheads.
auto six_sms() -> gpu_device {
  gpu_device d;
  d.sms = 6;
  d.threads_per_sm = 1024;
  d.peak_rate = flops_per_second{1e12};
  d.bandwidth = bytes_per_second{1e11};
  return d;
}

/// Up to `most` nodes, some views, some with two kernels, kernels of microseconds.
auto random_nodes(random_stream& random, std::size_t most) -> std::vector<stream_node> {
  std::vector<stream_node> nodes;
  auto const n = 1 + random.below(most);
  for (std::uint32_t v = 0; v < n; ++v) {
    stream_node x{.name = std::to_string(v)};
    for (std::uint32_t u = 0; u < v; ++u)
      if (random.chance(0.35)) x.inputs.push_back(u);
    x.output = bytes{static_cast<std::int64_t>(random.below(1000))};
    auto const kernels = random.chance(0.15) ? 0 : 1 + random.below(2);
    for (std::uint64_t i = 0; i < kernels; ++i) {
      kernel k{.blocks = static_cast<std::int64_t>(1 + random.below(30)),
               .threads = 32 * static_cast<int>(1 + random.below(32)),
               .work = flops{static_cast<std::int64_t>(random.below(20'000'000))},
               .traffic = bytes{static_cast<std::int64_t>(random.below(2'000'000))}};
      if (random.chance(0.2)) k.alone = seconds{1e-6 * static_cast<double>(1 + random.below(30))};
      x.kernels.push_back(k);
    }
    nodes.push_back(x);
  }
  return nodes;
}

/// Every launch order, every assignment of streams up to their names, every division into stages.
auto least_of_all(stream_problem const& p) -> picoseconds {
  auto const n = p.size();
  picoseconds least = never;
  stream_simulator simulate{p};
  stream_schedule s;
  s.stream_of.resize(n);
  std::vector<char> launched(n, 0);
  std::function<void(std::size_t)> const assign = [&](std::size_t i) {
    if (i == n) {
      s.stage_of.clear();
      least = std::min(least, simulate(s).latency);
      s.stage_of.resize(n);
      for (std::uint32_t cuts = 1; cuts < (1U << (n - 1)); ++cuts) {
        std::uint32_t stage = 0;
        for (std::size_t k = 0; k < n; ++k) {
          s.stage_of[s.launch_order[k]] = stage;
          stage += cuts >> k & 1U;
        }
        least = std::min(least, simulate(s).latency);
      }
      return;
    }
    std::size_t used = 0;
    for (std::size_t k = 0; k < i; ++k) used = std::max(used, s.stream_of[k].index() + 1);
    for (std::size_t x = 0; x <= used; ++x) {
      s.stream_of[i] = stream_id{x};
      assign(i + 1);
    }
  };
  std::function<void()> const order = [&] {
    if (s.launch_order.size() == n) return assign(0);
    for (std::uint32_t v = 0; v < n; ++v) {
      auto const in = p.inputs(v);
      if (launched[v] != 0 ||
          std::any_of(in.begin(), in.end(), [&](auto u) { return launched[u] == 0; }))
        continue;
      launched[v] = 1;
      s.launch_order.push_back(v);
      order();
      s.launch_order.pop_back();
      launched[v] = 0;
    }
  };
  order();
  return least;
}

} // namespace

TEST_CASE("best meets the least of all schedules, the bound is never above it", "[scheduling]") {
  random_stream random{11, 3};
  int met = 0, tight = 0;
  constexpr int rounds = 300;
  for (int round = 0; round < rounds; ++round) {
    auto const mode = round % 3 == 2 ? launch_mode::eager : launch_mode::replay;
    auto const p = stream_problem::make(stream_graph{"r", random_nodes(random, 4), {}}, six_sms(),
                                        {.mode = mode})
                       .value();
    auto const least = least_of_all(p);
    auto const bound = bound_streams(p);
    auto const found = scheduling::best{.evaluations = 2'000}(p, {});
    CAPTURE(round, p.size());
    CHECK(bound.value <= least);
    CHECK(found.bound == bound.value);
    CHECK(found.latency() >= least);
    CHECK(validate(p, found.schedule).empty());
    met += found.latency() == least ? 1 : 0;
    tight += bound.value == least ? 1 : 0;
  }
  INFO("met " << met << ", bound met " << tight << " of " << rounds);
  CHECK(met >= rounds * 97 / 100);
  CHECK(tight >= rounds / 10);
}

TEST_CASE("best is never worse than any other, and says the same again", "[scheduling]") {
  random_stream random{12, 3};
  for (int round = 0; round < 40; ++round) {
    stream_options options;
    options.limits.streams = round % 4 == 0 ? 2 : 0;
    options.mode = round % 5 == 4 ? launch_mode::eager : launch_mode::replay;
    auto const p =
        stream_problem::make(stream_graph{"r", random_nodes(random, 24), {}}, six_sms(), options)
            .value();
    scheduling::best const policy{.evaluations = 500};
    auto const found = policy(p, {});
    CAPTURE(round, p.size());
    CHECK(found.timeline == simulate_streams(p, found.schedule));
    CHECK(validate(p, found.schedule).empty());
    CHECK(found.latency() >= found.bound);
    CHECK(found.latency() <= scheduling::sequential{}(p, {}).latency());
    CHECK(found.latency() <= scheduling::path_cover{}(p, {}).latency());
    CHECK(found.latency() <= scheduling::chain_cover{}(p, {}).latency());
    CHECK(found.latency() <= scheduling::opara{}(p, {}).latency());
    CHECK(found.latency() <= scheduling::critical_path{}(p, {}).latency());
    CHECK(found.latency() <= scheduling::ios{}(p, {}).latency());
    auto const again = policy(p, {});
    CHECK(again.schedule == found.schedule);
    CHECK(policy(p, {.start = found.schedule}).latency() <= found.latency());
  }
}

TEST_CASE("segments end at nodes that everything passes through", "[scheduling]") {
  // x → a → {b, c} → d → e, a view f of d that nobody reads, an input y of c. That e reads a, too, opens
  // no way around d.
  kernel const k{.blocks = 1, .work = flops{1000}};
  auto const p = stream_problem::make(stream_graph{"g",
                                                   {{"x", {}, {}},
                                                    {"a", {k}, {0}},
                                                    {"y", {}, {}},
                                                    {"b", {k}, {1}},
                                                    {"c", {k}, {1, 2}},
                                                    {"d", {k}, {3, 4}},
                                                    {"f", {}, {5}},
                                                    {"e", {k}, {5, 1}}},
                                                   {}},
                                      six_sms())
                     .value();
  auto const all = detail::find_segments(p);
  REQUIRE(all.size() == 3);
  CHECK(all[0].nodes == std::vector<std::uint32_t>{0, 1});
  CHECK(all[0].exit == 1);
  CHECK(all[1].entry == 1);
  CHECK(all[1].nodes == std::vector<std::uint32_t>{2, 3, 4, 5, 6});
  CHECK(all[1].exit == 5);
  CHECK(all[2].nodes == std::vector<std::uint32_t>{7});
}

TEST_CASE("a segment begins with its entry, whatever was launched before that", "[scheduling]") {
  // a → {c, d} → e, an input b of c.
  kernel const k{.blocks = 1, .work = flops{1000}};
  auto const p = stream_problem::make(stream_graph{"g",
                                                   {{"a", {k}, {}},
                                                    {"b", {}, {}},
                                                    {"c", {k}, {0, 1}},
                                                    {"d", {k}, {0}},
                                                    {"e", {k}, {2, 3}}},
                                                   {}},
                                      six_sms())
                     .value();
  auto const all = detail::find_segments(p);
  REQUIRE(all.size() == 2);
  REQUIRE(all[1].entry == 0);
  detail::basic_segment_search<> search{p, all[1]};
  stream_schedule s;
  for (auto const x : {1U, 0U, 0U, 1U, 0U}) s.stream_of.emplace_back(x);
  s.launch_order = {1, 0, 2, 3, 4};
  auto const plan = search.restrict(s);
  REQUIRE(plan.units.size() == 5);
  CHECK(plan.units[0] == std::vector<std::uint32_t>{0});
  CHECK(plan.streams == std::vector<std::uint32_t>{0, 1, 1, 0, 1});
}

TEST_CASE("the bound holds where the host's barrier costs less than gap and event",
          "[scheduling]") {
  auto device = six_sms();
  device.overheads.barrier = seconds{1e-7};
  device.overheads.launch = seconds{};
  kernel const k{.blocks = 6, .work = flops{10'000'000}};
  auto const p = stream_problem::make(stream_graph{"g", {{"a", {k}, {}}, {"b", {k}, {0}}}, {}},
                                      device, {.mode = launch_mode::eager})
                     .value();
  stream_schedule s{std::vector<stream_id>(2), {0, 1}, {0, 1}, {}};
  auto const together = simulate_streams(p, {std::vector<stream_id>(2), {0, 1}, {}, {}}).latency;
  CHECK(simulate_streams(p, s).latency < together);
  CHECK(bound_streams(p).value <= simulate_streams(p, s).latency);
}
