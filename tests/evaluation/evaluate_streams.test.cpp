// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Streams of several accelerators: equal to schedules where there is one, to the simulator of one device
// where there is one device, never below their bound; memory as the validator and the time line say.
#include <mars/scheduling/stream_problem.hpp>

#include "support/catch.hpp"

#include "support/random_gpus.hpp"
#include "support/random_problems.hpp"

#include <mars/evaluation/arrivals.hpp>
#include <mars/evaluation/critical_path.hpp>
#include <mars/evaluation/lower.hpp>
#include <mars/evaluation/memory_over_time.hpp>
#include <mars/evaluation/sharing/max_min_fair.hpp>
#include <mars/evaluation/simulator.hpp>
#include <mars/hardware/designs/gpu.hpp>
#include <mars/mapping/validate.hpp>
#include <mars/scheduling/make_stream_graph.hpp>
#include <mars/scheduling/simulate_streams.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {
using namespace mars;
using mars_test::acc;

auto price_of(graph const& g, any_system const& s, mapping const& m) -> evaluation {
  return evaluate(g, s, m, cost::analytical{}, collective::standard{}).value();
}
auto same_memory(evaluation const& a, evaluation const& b) -> bool {
  return std::equal(a.memory.begin(), a.memory.end(), b.memory.begin(), b.memory.end(),
                    [](memory_use const& x, memory_use const& y) {
                      return x.resident == y.resident && x.peak == y.peak && x.peak_at == y.peak_at;
                    });
}

void check_streams_of(graph const& g, any_system const& s, mapping const& m, evaluation const& e) {
  CHECK(e.semantics == semantics::streamed);
  auto const bound = bound_placement(g, s, m, cost::analytical{}, collective::standard{}).value();
  CHECK(bound.value <= e.latency.count());
  CHECK(bound.value > 0);
  // The validator, which shares no code with evaluators.
  std::vector<time_span> spans;
  std::vector<operator_times> times;
  for (auto const& o : e.operators) {
    spans.push_back({to_seconds(o.start), to_seconds(o.end)});
    times.push_back({o.start, o.end});
  }
  for (auto const& v : validate(m, g, s, spans)) {
    CAPTURE(to_string(v));
    CHECK(v.kind == violation_kind::memory);
    CHECK_FALSE(e.feasible());
  }
  auto const demands = memory_demands(m, g, s, spans);
  auto const steps = memory_over_time(g, m, s.size(), times, e.semantics);
  for (std::size_t a = 0; a < s.size(); ++a) {
    CHECK(demands[a].peak <= e.memory[a].peak);
    bytes most{};
    for (auto const& step : steps[a]) most = std::max(most, step.total());
    CHECK(most == e.memory[a].peak);
  }
  // The critical path explains every start.
  auto const path =
      find_critical_path(g, m, times, find_arrivals(g, s, m, e, collective::standard{}));
  CHECK(path.unexplained == picoseconds{});
  for (auto const& w : path.waits) CHECK(w.cause != wait_cause::unexplained);
  // What is no gap is busy.
  for (std::size_t a = 0; a < s.size(); ++a) {
    std::vector<operator_times> runs;
    for (std::size_t v = 0; v < m.operators.size(); ++v) {
      auto const& members = m.sets[m.operators[v].set.index()].accelerators;
      if (std::find(members.begin(), members.end(), acc(a)) != members.end())
        runs.push_back(times[v]);
    }
    std::sort(runs.begin(), runs.end(),
              [](auto const& x, auto const& y) { return x.start < y.start; });
    picoseconds spent{}, until{};
    for (auto const& r : runs) {
      if (r.end > until) spent += r.end - std::max(r.start, until);
      until = std::max(until, r.end);
    }
    for (auto const& gap : path.gaps)
      if (gap.accelerator == acc(a)) spent += gap.to - gap.from;
    CHECK((runs.empty() || spent == e.latency));
  }
  // Executed with transfers that share links: never faster, equal where none is slowed.
  auto const low = lower(g, s, m, cost::analytical{}, collective::standard{}).value();
  auto const t = simulate(low.plan, s.interconnect, sharing::max_min_fair{});
  CHECK(t.makespan + picoseconds{50} >= e.latency);
  bool slowed = false;
  for (std::size_t i = 0; i < low.plan.size(); ++i)
    slowed = slowed || t.end[i] - t.start[i] != low.plan.duration(activity_id{i});
  for (std::size_t v = 0; v < low.last.size() && !slowed; ++v)
    CHECK(t.end[low.last[v].index()] == e.operators[v].end);
}

} // namespace

TEST_CASE("all on stream 0 is the schedule, to the picosecond", "[streams]") {
  random_stream const root{71};
  std::size_t several = 0, cut = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const g = mars_test::random_network(r, 3 + r.below(10));
    auto const s = mars_test::random_gpus(r, 1 + r.below(4));
    auto m = mars_test::random_gpu_mapping(r, g, s);
    auto const scheduled = price_of(g, s, m);
    m.streams.assign(m.operators.size(), stream_id{});
    auto const streamed = price_of(g, s, m);
    CHECK(streamed.latency == scheduled.latency);
    CHECK(streamed.bottleneck == scheduled.bottleneck);
    CHECK(streamed.energy == scheduled.energy);
    CHECK(same_memory(streamed, scheduled));
    for (std::size_t v = 0; v < m.operators.size(); ++v) {
      CAPTURE(v, op(g, operator_id{v}).name);
      auto const& a = streamed.operators[v];
      auto const& b = scheduled.operators[v];
      CHECK(a.start == b.start);
      CHECK(a.end == b.end);
      CHECK(a.compute == b.compute);
      CHECK(a.communication() == b.communication());
      cut += shard_count(m.operators[v].sharding) > 1;
    }
    check_streams_of(g, s, m, streamed);
    several += s.size() > 1;
  }
  CHECK(several > 150);
  CHECK(cut > 300);
}

TEST_CASE("streams: valid, explained, above their bound, and sometimes faster", "[streams]") {
  random_stream const root{72};
  std::size_t faster = 0, slower = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const g = mars_test::random_network(r, 3 + r.below(10));
    auto const s = mars_test::random_gpus(r, 1 + r.below(4));
    auto m = mars_test::random_gpu_mapping(r, g, s);
    auto const one = price_of(g, s, m);
    mars_test::put_on_streams(r, s, m, 1 + r.below(4));
    auto const e = price_of(g, s, m);
    check_streams_of(g, s, m, e);
    faster += e.latency < one.latency;
    slower += e.latency > one.latency;
  }
  WARN(faster << " faster than one stream, " << slower << " slower, of 300");
  CHECK(faster > 50);
}

TEST_CASE("one device is the simulator of one device", "[streams]") {
  // Its replay begins after `graph`, an inference here after a gap.
  random_stream const root{73};
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    auto r = root.substream(trial);
    auto const g = mars_test::random_network(r, 3 + r.below(12));
    auto const s = mars_test::random_gpus(r, 1);
    auto const* design = s.accelerators[0].configurations[0].get_if<hardware::gpu>();
    if (design == nullptr) continue;
    mapping m{{{{acc(0)}, design->title}}, {}, topological_order(g).value()};
    m.operators.assign(g.size(), {set_id{0}, {}});
    mars_test::put_on_streams(r, s, m, 4);
    std::vector<operator_id> nodes;
    auto const p =
        stream_problem::make(make_stream_graph(g, *design, {}, &nodes).value(), design->limits)
            .value();
    stream_schedule plan;
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
      plan.stream_of.push_back(m.stream_of(nodes[i]));
      plan.launch_order.push_back(i);
    }
    m.launch_order = nodes;
    auto const expected = simulate_streams(p, plan);
    auto const e = price_of(g, s, m);
    auto const later = picoseconds{p.overheads().graph - p.overheads().gap};
    for (std::uint32_t i = 0; i < nodes.size(); ++i)
      if (p.launches(i)) CHECK(e.operators[nodes[i].index()].end + later == expected.end[i]);
  }
}

TEST_CASE("by hand: two streams, an event, a transfer", "[streams]") {
  // Ten SMs, 1 Tflop/s. Elementwise operators of four elements a thread: see `hardware::gpu`.
  hardware::gpu design{.title = "g"};
  design.limits.sms = 10;
  design.limits.threads_per_sm = 1024;
  design.limits.peak_rate = flops_per_second{1e12};
  design.limits.bandwidth = bytes_per_second{1e11};
  builder b{"fork"};
  auto const x = b.input("x", {1, 8, 16, 16});
  auto const left = b.relu(x);
  auto const right = b.relu(x);
  b.output(b.add(left, right));
  auto const g = std::move(b).build().value();
  accelerator const gpu{.name = "g", .capacity = bytes{1 << 20}, .configurations = {design}};
  any_system const s{"two",
                     {gpu, gpu},
                     interconnect::switched{.accelerators = 2,
                                            .bandwidth = bytes_per_second{1e9},
                                            .latency = seconds{1e-6}}};
  mapping m{{{{acc(0)}, "g"}, {{acc(1)}, "g"}}, {}, topological_order(g).value()};
  m.operators.assign(3, {set_id{0}, {}});
  auto const one = price_of(g, s, m);
  // Two blocks of eight warps each: 2 of 10 SMs, so that two such kernels do not slow each other down.
  auto const alone = to_picoseconds(design.time(shard{op(g, operator_id{0})}).total);
  auto const sum = to_picoseconds(design.time(shard{op(g, operator_id{2})}).total);
  CHECK(one.latency == alone + alone + sum);
  m.streams = {stream_id{0}, stream_id{1}, stream_id{0}};
  auto const two = price_of(g, s, m);
  CHECK(two.operators[1].start == picoseconds{});
  CHECK(two.operators[1].end == alone);
  // `add` is on the stream of `left` and waits for an event of `right`: 1.5 instead of 1 µs.
  CHECK(two.operators[2].start == alone + picoseconds{500'000});
  CHECK(two.latency == alone + sum + picoseconds{500'000});
  // On the other device: the gap, and 8 KiB at 1 GB/s.
  m.operators[2].set = set_id{1};
  m.streams = {stream_id{0}, stream_id{1}, stream_id{0}};
  auto const apart = price_of(g, s, m);
  auto const move = to_picoseconds(seconds{1e-6 + 2 * 8 * 16 * 16 / 1e9});
  CHECK(op(g, operator_id{0}).operands[0].element_bits == 16);
  CHECK(apart.latency == alone + move + sum);
}

TEST_CASE("streams that are none are refused with their path", "[streams]") {
  random_stream r{74};
  auto const g = mars_test::random_network(r, 5);
  auto const s = mars_test::random_gpus(r, 2);
  auto m = mars_test::random_gpu_mapping(r, g, s);
  auto const refused = [&](mapping const& wrong, any_system const& on) {
    auto const e = evaluate(g, on, wrong, cost::analytical{}, collective::standard{});
    REQUIRE_FALSE(e);
    CHECK(e.error().code == error_code::invalid_mapping);
    return e.error().path;
  };
  m.streams = {stream_id{0}};
  CHECK(refused(m, s) == "streams");
  m.streams.assign(m.operators.size(), stream_id{});
  auto unordered = m;
  unordered.launch_order.clear();
  CHECK(refused(unordered, s) == "launch_order");
  any_system staged = s;
  staged.interconnect =
      interconnect::host_staged{.accelerators = s.size(), .bandwidth = bytes_per_second{1e9}};
  CHECK(refused(m, staged) == "streams");
  any_system plain = s;
  for (auto& a : plain.accelerators)
    a.configurations = {hardware::roofline{.title = std::string{a.configurations[0].name()},
                                           .peak_rate = flops_per_second{1e12},
                                           .bandwidth = bytes_per_second{1e11}}};
  m.streams[3] = stream_id{1};
  CHECK(refused(m, plain) == "operators[3].stream");
}
