// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/core/random.hpp>
#include <mars/scheduling/simulate_streams.hpp>
#include <mars/scheduling/synchronization.hpp>
#include <mars/scheduling/to_program.hpp>

#include "support/catch.hpp"
#include "support/stream_cases.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace mars;

namespace {

/// Ten SMs, 1 Tflop/s, 100 GB/s; overheads as given.
auto small_gpu(launch_overheads o = {}) -> gpu_device {
  gpu_device d;
  d.sms = 10;
  d.threads_per_sm = 1024;
  d.peak_rate = flops_per_second{1e12};
  d.bandwidth = bytes_per_second{1e11};
  d.saturating_warps = 8;
  d.overheads = o;
  return d;
}
auto no_overheads() -> launch_overheads {
  return {seconds{}, seconds{}, seconds{}, seconds{}, seconds{}, seconds{}, seconds{}};
}
auto computing(std::int64_t blocks, std::int64_t work) -> kernel {
  return {.name = "c", .blocks = blocks, .threads = 256, .work = flops{work}};
}
auto moving(std::int64_t blocks, std::int64_t traffic) -> kernel {
  return {.name = "m", .blocks = blocks, .threads = 256, .traffic = bytes{traffic}};
}
auto problem_of(std::vector<stream_node> nodes, gpu_device const& d, stream_options o = {})
    -> stream_problem {
  return stream_problem::make(stream_graph{"test", std::move(nodes), {}}, d, o).value();
}
/// Each node on the stream given, in the order of the graph.
auto on_streams(std::vector<std::size_t> const& streams) -> stream_schedule {
  stream_schedule s;
  for (auto const x : streams) s.stream_of.emplace_back(x);
  s.launch_order.resize(streams.size());
  std::iota(s.launch_order.begin(), s.launch_order.end(), 0U);
  return s;
}

} // namespace

TEST_CASE("occupancy by hand", "[scheduling]") {
  // Θ=2048, R=65536, H=164 KiB, B=32; θ=256, ρ=64, η=48 KiB: limits 8, 4, 3, 32.
  gpu_device d;
  d.sms = 108;
  kernel const k{.blocks = 1000, .threads = 256, .registers = 64, .shared = bytes{48 * 1024}};
  auto const o = occupancy_of(d, k);
  CHECK(o.blocks == 3);
  CHECK(o.share == 0.375);
  CHECK(o.warps == 8);
  CHECK(o.registers == 16384);
  CHECK(o.waves == 4); // ceil(1000 / 324)
  kernel const large{.threads = 256, .shared = bytes{164 * 1024}};
  CHECK(occupancy_of(d, large).blocks == 0); // its reserved KiB does not fit
}

TEST_CASE("sequential order takes the sum of times alone plus overheads", "[scheduling]") {
  auto const d = small_gpu();
  // 10 blocks of 8 warps saturate: 1e9 flop take 1 ms. 100 MB take 1 ms, if 6e-7·1e11/512 = 117 warps
  // ask for them.
  auto const p = problem_of({{"a", {computing(10, 1'000'000'000)}, {}},
                             {"view", {}, {0}},
                             {"b", {moving(20, 100'000'000), computing(5, 1'000'000'000)}, {1}}},
                            d);
  CHECK(p.alone(0) == picoseconds{1'000'000'000});
  CHECK(p.alone(1) == picoseconds{0});
  // Half of the SMs: twice the time; between its kernels a gap of 1 µs.
  CHECK(p.alone(2) == picoseconds{3'001'000'000});
  auto const t = simulate_streams(p, on_streams({0, 0, 0}));
  CHECK(t.latency == picoseconds{4'008'000'000});
  CHECK(t.end[0] == picoseconds{1'006'000'000});
  CHECK(t.start[2] == t.end[0] + picoseconds{1'000'000});
}

TEST_CASE("eager launches: the host is a queue of its own", "[scheduling]") {
  auto const d = small_gpu();
  // Kernels of no length: what remains is the host's 4 µs a launch, 1 µs a record and a wait each.
  auto const p = problem_of({{"a", {computing(1, 0)}, {}}, {"b", {computing(1, 0)}, {0}}}, d,
                            {.mode = launch_mode::eager});
  CHECK(simulate_streams(p, on_streams({0, 0})).latency == picoseconds{8'000'000});
  CHECK(simulate_streams(p, on_streams({0, 1})).latency == picoseconds{10'000'000});
}

TEST_CASE("eager launches: waits that others imply cost nothing", "[scheduling]") {
  // a on one stream; b after it and c after both on another: c is behind a anyway. One wait, one record.
  auto const k = computing(1, 0);
  auto const p = problem_of({{"a", {k}, {}}, {"b", {k}, {0}}, {"c", {k}, {0, 1}}}, small_gpu(),
                            {.mode = launch_mode::eager});
  CHECK(simulate_streams(p, on_streams({0, 1, 1})).latency == picoseconds{14'000'000});
  // On three streams c waits for b only, which waited for a: two waits, two records.
  CHECK(simulate_streams(p, on_streams({0, 1, 2})).latency == picoseconds{16'000'000});
}

TEST_CASE("the host takes as long as the commands of the program", "[scheduling]") {
  auto overheads = no_overheads();
  overheads.launch = seconds{4e-6};
  overheads.wait = seconds{1e-6};
  overheads.record = seconds{1e-7};
  random_stream random{13, 1};
  std::size_t implied = 0;
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    auto g = mars_test::random_stream_dag(random, 1 + random.below(16));
    for (auto& node : g.nodes)
      node.kernels.assign(node.kernels.size(), computing(1, 0)); // of no length
    auto s = mars_test::random_stream_schedule(random, g);
    s.merged.clear();
    auto const p = problem_of(g.nodes, small_gpu(overheads), {.mode = launch_mode::eager});
    auto const program = to_program(p, s);
    // Without fork and join, which begin and end it.
    auto const others = program.streams - 1;
    auto const& all = program.commands;
    std::int64_t host = 0, last = 0;
    bool launched = false;
    for (auto i = others > 0 ? 1 + others : 0; i < all.size() - 2 * others; ++i) {
      auto const verb = all[i].verb;
      if (verb == stream_verb::wait) host += 1'000'000;
      if (verb == stream_verb::record) host += 100'000;
      if (verb == stream_verb::launch) {
        auto const kernels = p.kernels(all[i].what).size();
        host += 4'000'000 * static_cast<std::int64_t>(kernels);
        launched = kernels > 0;
      } else if (verb != stream_verb::record) {
        launched = false;
      }
      if (launched) last = host; // with the record behind it
    }
    REQUIRE(simulate_streams(p, s).latency == picoseconds{last});
    implied += synchronize(g, s, wait_rule::every).waits.size() - synchronize(g, s).waits.size();
  }
  CHECK(implied > 300);
}

TEST_CASE("kernels with different needs take the maximum, two that saturate one the sum",
          "[scheduling]") {
  auto const d = small_gpu(no_overheads());
  auto const c = computing(10, 1'000'000'000); // 1 ms of all arithmetic, on one block per SM
  auto const m = moving(20, 100'000'000);      // 1 ms of all DRAM bandwidth
  auto const both = [&](kernel const& x, kernel const& y) {
    auto const p = problem_of({{"x", {x}, {}}, {"y", {y}, {}}}, d);
    return simulate_streams(p, on_streams({0, 1})).latency;
  };
  CHECK(both(c, m) == picoseconds{1'000'000'000});
  CHECK(both(c, c) == picoseconds{2'000'000'000});
  CHECK(both(m, m) == picoseconds{2'000'000'000});
  // Half of the bandwidth would do for the first; the second takes what is left and ends later:
  // 50 MB/ms and 50 MB/ms are equal shares (weights 20 and 20 blocks).
  auto const half = moving(20, 50'000'000);
  CHECK(both(half, m) == picoseconds{1'500'000'000});
}

TEST_CASE("the first kernel with blocks left blocks those behind it", "[scheduling]") {
  auto const d = small_gpu(no_overheads());
  // Each block of `wide` fills an SM; a ran on half of the device when it arrives.
  auto const a = computing(5, 500'000'000);   // one block on five SMs: 1 ms
  kernel wide = computing(10, 1'000'000'000); // 1024 threads
  wide.threads = 1024;
  auto const small = computing(1, 100'000'000); // 1 ms on one SM
  std::vector<stream_node> const nodes{
      {"a", {a}, {}}, {"wide", {wide}, {}}, {"small", {small}, {}}};
  auto const end_of_small = [&](dispatch_rule rule) {
    auto const p = problem_of(nodes, d, {.dispatch = rule});
    return simulate_streams(p, on_streams({0, 1, 2})).end[2];
  };
  // The SMs are shared by a (one block each on five) and wide (five of ten blocks on the others).
  CHECK(end_of_small(dispatch_rule::blocking) > picoseconds{1'900'000'000});
  CHECK(end_of_small(dispatch_rule::skipping) < picoseconds{1'600'000'000});
}

TEST_CASE("a stage begins when all before have ended", "[scheduling]") {
  auto const p = problem_of({{"a", {computing(1, 100'000'000)}, {}},
                             {"b", {computing(1, 200'000'000)}, {}},
                             {"c", {computing(1, 100'000'000)}, {}}},
                            small_gpu(), {.mode = launch_mode::replay});
  auto s = on_streams({0, 1, 0});
  s.stage_of = {0, 0, 1};
  auto const t = simulate_streams(p, s);
  // 6 µs of replay, 2 ms of b, 1.5 µs until all have joined, 1 ms of c.
  CHECK(t.start[2] == picoseconds{2'007'500'000});
  CHECK(t.latency == picoseconds{3'007'500'000});
}

TEST_CASE("a measured kernel takes what was measured", "[scheduling]") {
  auto k = computing(37, 1'000'000);
  k.traffic = bytes{1'000'000'000'000}; // more than the device could have moved
  k.alone = seconds{1e-3};
  auto const p = problem_of({{"k", {k}, {}}}, small_gpu(no_overheads()));
  CHECK(p.alone(0) == picoseconds{1'000'000'000});
  CHECK(simulate_streams(p, on_streams({0})).latency == picoseconds{1'000'000'000});
}

TEST_CASE("no random schedule is faster than what its kernels need", "[scheduling]") {
  random_stream random{7, 1};
  for (int round = 0; round < 300; ++round) {
    std::vector<stream_node> nodes;
    auto const n = 2 + random.below(12);
    for (std::uint64_t v = 0; v < n; ++v) {
      stream_node x{.name = std::to_string(v)};
      for (std::uint32_t u = 0; u < v; ++u)
        if (random.chance(0.2)) x.inputs.push_back(u);
      auto const kernels = random.below(3);
      for (std::uint64_t i = 0; i < kernels; ++i) {
        kernel k{.blocks = static_cast<std::int64_t>(1 + random.below(200)),
                 .threads = 32 * static_cast<int>(1 + random.below(32)),
                 .registers = static_cast<int>(16 + random.below(48)),
                 .shared = bytes{static_cast<std::int64_t>(random.below(60'000))},
                 .work = flops{static_cast<std::int64_t>(random.below(1'000'000'000))},
                 .traffic = bytes{static_cast<std::int64_t>(random.below(100'000'000))},
                 .compute_efficiency = 0.7,
                 .memory_efficiency = 0.8};
        if (random.chance(0.3))
          k.alone = seconds{1e-6 * static_cast<double>(1 + random.below(999))};
        x.kernels.push_back(k);
      }
      nodes.push_back(x);
    }
    auto const p = problem_of(nodes, small_gpu());
    std::vector<std::size_t> streams;
    for (std::uint64_t v = 0; v < n; ++v) streams.push_back(random.below(4));
    auto const s = on_streams(streams);
    auto const t = simulate_streams(p, s);
    std::int64_t path = 0, sum = 0;
    std::vector<std::int64_t> least(n, 0);
    for (std::size_t v = 0; v < n; ++v) {
      for (auto const u : p.inputs(v)) {
        CHECK(t.start[v] >= t.end[u]);
        least[v] = std::max(least[v], least[u]);
      }
      least[v] += p.least(v).count();
      path = std::max(path, least[v]);
      sum += p.alone(v).count();
      CHECK(t.end[v] - t.start[v] >= p.least(v));
    }
    CHECK(t.latency.count() >= path);
    auto const sequential = simulate_streams(p, on_streams(std::vector<std::size_t>(n, 0)));
    std::int64_t kernels = 0;
    for (std::size_t v = 0; v < n; ++v) kernels += p.launches(v) ? 1 : 0;
    if (kernels > 0)
      CHECK(sequential.latency.count() == 6'000'000 + sum + (kernels - 1) * 1'000'000);
  }
}

TEST_CASE("a kernel ends once, however many of its cohorts end at that moment", "[scheduling]") {
  // Kernels of picoseconds: ends, which are whole ones, often meet.
  random_stream random{31, 5};
  auto const device = small_gpu(no_overheads());
  auto const limits = detail::limits_of(device);
  for (int round = 0; round < 300; ++round) {
    std::vector<detail::priced_kernel> kernels;
    for (int i = 0; i < 5; ++i)
      kernels.push_back(
          detail::price(device, {.blocks = static_cast<std::int64_t>(1 + random.below(200)),
                                 .threads = 32 * static_cast<int>(1 + random.below(16)),
                                 .work = flops{static_cast<std::int64_t>(random.below(100))},
                                 .traffic = bytes{static_cast<std::int64_t>(random.below(10))}}));
    detail::basic_kernel_engine<> engine{limits};
    std::vector<int> started(kernels.size(), 0), ended(kernels.size(), 0);
    for (std::uint32_t i = 0; i < kernels.size(); ++i) engine.add(kernels[i], i, i);
    for (std::int64_t now = 0; now < never.count(); now = engine.next()) {
      engine.advance(now, [&](std::uint32_t i) { ++ended[i]; });
      engine.dispatch(now, [&](std::uint32_t i) { ++started[i]; });
    }
    CAPTURE(round);
    CHECK(started == std::vector<int>(kernels.size(), 1));
    CHECK(ended == std::vector<int>(kernels.size(), 1));
  }
}

TEST_CASE("a problem whose times or sizes would overflow is refused", "[scheduling]") {
  auto const refused = [](stream_node node, gpu_device const& d = small_gpu()) {
    auto const p = stream_problem::make(stream_graph{"g", {std::move(node)}, {}}, d);
    return p ? std::string{} : p.error().path;
  };
  constexpr auto all = std::numeric_limits<std::int64_t>::max();
  CHECK(refused({"a", {computing(1'000'000'000, 1)}, {}}).empty());
  CHECK(refused({"a", {computing(all, 1)}, {}}) == "nodes[0].kernels[0].blocks");
  CHECK(refused({"a", {{.threads = 2'000'000'000}}, {}}) == "nodes[0].kernels[0].threads");
  CHECK(refused({"a", {{.alone = seconds{1e5}}}, {}}) == "nodes[0]");
  CHECK(refused({"a", {computing(3, all), computing(3, all)}, {}}) == "nodes[0]");
  CHECK(refused({"a", {}, {}, bytes{all}}) == "nodes[0].output");
  auto wide = small_gpu();
  wide.sms = all;
  CHECK(refused({"a", {}, {}}, wide) == "device.sms");
  CHECK(refused({"a", {computing(1, 1)}, {}}, small_gpu({.gap = seconds{1e6}})) == "nodes[0]");
}
