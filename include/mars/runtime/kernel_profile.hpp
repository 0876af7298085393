// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/core/units.hpp>
#include <mars/hardware/gpu_device.hpp>
#include <mars/hardware/kernel.hpp>
#include <mars/runtime/concept.hpp>
#include <mars/runtime/cuda_graph.hpp>
#include <mars/runtime/detail/gpu_handle.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_program.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace mars::runtime {

struct profile_options {
  int warm_up{3};  ///< replays that are not counted
  int samples{15}; ///< the median of these is taken
  int repeats{16}; ///< kernels in a chain
  /// What a chain of kernels takes beside the kernels themselves, each; `measure_overheads` says.
  seconds gap{launch_overheads{}.gap};
};

namespace detail {

[[nodiscard]] inline auto median(std::vector<double>& values) -> double {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

} // namespace detail

/// Median time of one replay, between events before and after it on a stream with nothing else.
template <ProfilingApi Api>
[[nodiscard]] auto time_replay(Api const& api, cuda_graph<Api> const& graph,
                               profile_options const& o) -> expected<seconds> {
  using stream_handle = detail::gpu_handle<Api, typename Api::stream>;
  using event_handle = detail::gpu_handle<Api, typename Api::event>;
  auto s = api.create_stream();
  if (!s) return unexpected{std::move(s).error()};
  stream_handle const stream{api, *s};
  auto e0 = api.create_timed_event();
  if (!e0) return unexpected{std::move(e0).error()};
  event_handle const from{api, *e0};
  auto e1 = api.create_timed_event();
  if (!e1) return unexpected{std::move(e1).error()};
  event_handle const to{api, *e1};

  if (auto up = graph.upload(stream.get()); !up) return unexpected{std::move(up).error()};
  std::vector<double> times;
  for (int i = -o.warm_up; i < std::max(1, o.samples); ++i) {
    auto done = api.record(from.get(), stream.get());
    if (done) done = graph.replay(stream.get());
    if (done) done = api.record(to.get(), stream.get());
    if (done) done = api.synchronize(stream.get());
    if (!done) return unexpected{std::move(done).error()};
    auto ms = api.elapsed(from.get(), to.get());
    if (!ms) return unexpected{std::move(ms).error()};
    if (i >= 0) times.push_back(*ms * 1e-3);
  }
  return seconds{detail::median(times)};
}

namespace detail {

/// Median time of a program whose every node is this one kernel.
template <ProfilingApi Api>
[[nodiscard]] auto program_time(Api const& api, stream_program const& program,
                                kernel_launch const& k, profile_options const& o)
    -> expected<double> {
  auto graph =
      build_graph(api, program, [&](std::uint32_t) { return std::vector<kernel_launch>{k}; });
  if (!graph) return unexpected{std::move(graph).error()};
  return time_replay(api, *graph, o).transform([](seconds t) { return t.count(); });
}

/// Rungs of one kernel each, one after another.
[[nodiscard]] inline auto chain(int rungs) -> stream_program {
  stream_program p{.streams = 1};
  for (int i = 0; i < rungs; ++i)
    p.commands.push_back(
        {stream_verb::launch, stream_id{std::size_t{0}}, static_cast<std::uint32_t>(i)});
  return p;
}

/// Rungs of one kernel and, after it, two beside each other: two events in a row for each rung.
[[nodiscard]] inline auto ladder(int rungs) -> stream_program {
  stream_program p{.streams = 2};
  stream_id const main{std::size_t{0}}, side{std::size_t{1}};
  std::uint32_t node = 0, event = 0;
  for (int i = 0; i < rungs; ++i) {
    p.commands.insert(p.commands.end(), {{stream_verb::launch, main, node},
                                         {stream_verb::record, main, event},
                                         {stream_verb::wait, side, event},
                                         {stream_verb::launch, side, node + 1},
                                         {stream_verb::record, side, event + 1},
                                         {stream_verb::launch, main, node + 2},
                                         {stream_verb::wait, main, event + 1}});
    node += 3;
    event += 2;
  }
  p.events = event;
  return p;
}

/// Seconds that `rungs` take more in 2·n than in n of them, each: without what a replay costs.
template <ProfilingApi Api, class Program>
[[nodiscard]] auto slope(Api const& api, Program program, kernel_launch const& k,
                         profile_options const& o) -> expected<double> {
  auto const n = std::max(1, o.repeats);
  auto const some = program_time(api, program(n), k, o);
  if (!some) return some;
  auto const twice = program_time(api, program(2 * n), k, o);
  if (!twice) return twice;
  return std::max(0.0, (*twice - *some) / n);
}

} // namespace detail

/// What replays, chains and events cost on this device, with a kernel that does nothing: the members
/// `graph`, `gap` and `event`; the others, of the host, keep their defaults.
template <ProfilingApi Api>
[[nodiscard]] auto measure_overheads(Api const& api, kernel_launch const& nothing,
                                     profile_options const& options = {})
    -> expected<launch_overheads> {
  auto const gap = detail::slope(api, detail::chain, nothing, options);
  if (!gap) return unexpected{gap.error()};
  auto const rung = detail::slope(api, detail::ladder, nothing, options);
  if (!rung) return unexpected{rung.error()};
  auto const one = detail::program_time(api, detail::chain(1), nothing, options);
  if (!one) return unexpected{one.error()};
  launch_overheads o;
  o.gap = seconds{*gap};
  o.event = seconds{std::max(*gap, *rung / 2)};
  o.graph = seconds{*one};
  return o;
}

/// Time of a kernel alone, from chains of it on the device: the host, which launches short kernels more
/// slowly than they run, has no part in it. Its data stay in the second-level cache if they fit. At
/// least a hundredth of the gap: a measured kernel takes time.
template <ProfilingApi Api>
[[nodiscard]] auto time_alone(Api const& api, kernel_launch const& k,
                              profile_options const& options = {}) -> expected<seconds> {
  auto const each = detail::slope(api, detail::chain, k, options);
  if (!each) return unexpected{each.error()};
  auto const gap = options.gap.count();
  return seconds{std::max({*each - gap, gap / 100, 1e-9})};
}

/// A kernel as the model sees it: `about` (its name, work, traffic, element width) completed with its
/// grid, registers, shared memory and time alone. Threads of a block in whatever shape.
template <ProfilingApi Api>
[[nodiscard]] auto profile_kernel(Api const& api, kernel_launch const& k, kernel about,
                                  profile_options const& options = {}) -> expected<kernel> {
  auto const asks = api.attributes(k.function);
  if (!asks) return unexpected{asks.error()};
  auto const alone = time_alone(api, k, options);
  if (!alone) return unexpected{alone.error()};
  auto const product = [](std::array<unsigned, 3> const& e) {
    return static_cast<std::int64_t>(e[0]) * e[1] * e[2];
  };
  about.blocks = product(k.grid);
  about.threads = static_cast<int>(product(k.block));
  about.registers = asks->registers;
  about.shared = bytes{static_cast<std::int64_t>(asks->shared + k.shared)};
  about.alone = *alone;
  return about;
}

/// Measures all kernels of a graph, node after node. `kernels(v)` is a range of node v's launches. What a
/// node says about its kernels already (name, work, traffic) stays; their number must agree, or be 0.
/// Errors: of the API, inside `nodes[3].kernels[0]`; `invalid_argument`.
template <ProfilingApi Api, class Kernels>
[[nodiscard]] auto profile_graph(Api const& api, stream_graph graph, Kernels&& kernels,
                                 profile_options const& options = {}) -> expected<stream_graph> {
  for (std::uint32_t v = 0; v < graph.size(); ++v) {
    auto& node = graph.nodes[v];
    auto const path = "nodes[" + std::to_string(v) + "].kernels";
    auto const range = kernels(v);
    std::vector<kernel_launch> const launches(std::begin(range), std::end(range));
    if (node.kernels.empty()) node.kernels.resize(launches.size(), kernel{.name = node.name});
    if (node.kernels.size() != launches.size())
      return fail(error_code::invalid_argument, path, std::to_string(launches.size()) + " launches",
                  std::to_string(node.kernels.size()));
    for (std::size_t i = 0; i < launches.size(); ++i) {
      auto measured = profile_kernel(api, launches[i], std::move(node.kernels[i]), options);
      if (!measured)
        return unexpected{std::move(measured).error().inside(path + "[" + std::to_string(i) + "]")};
      node.kernels[i] = *std::move(measured);
    }
  }
  return graph;
}

/// Lanes of single precision in an SM. Source: CUDA C++ Programming Guide, "Arithmetic Instructions"
/// (results per clock cycle per SM); generations not listed there count as the newest.
[[nodiscard]] constexpr auto lanes_per_sm(std::int64_t major, std::int64_t minor) -> int {
  bool const of_64 = (major == 6 && minor == 0) || major == 7 || (major == 8 && minor == 0);
  return major == 3 ? 192 : of_64 ? 64 : 128;
}

/// The device as the model sees it: limits as the driver reports them, single-precision peak and DRAM
/// bandwidth from clocks, lanes and width of its memory. What a driver does not tell (the overheads,
/// `saturating_warps`, `bytes_per_warp`, `dram_latency`) keeps its default.
template <ProfilingApi Api>
[[nodiscard]] auto read_device(Api const& api) -> expected<gpu_device> {
  expected<void> done;
  auto const ask = [&](device_limit l) -> std::int64_t {
    if (!done) return 0;
    auto const answer = api.limit(l);
    if (answer) return *answer;
    done = unexpected{answer.error()};
    return 0;
  };
  gpu_device d;
  d.sms = ask(device_limit::sms);
  d.threads_per_sm = ask(device_limit::threads_per_sm);
  d.registers_per_sm = ask(device_limit::registers_per_sm);
  d.shared_per_sm = bytes{ask(device_limit::shared_per_sm)};
  d.blocks_per_sm = ask(device_limit::blocks_per_sm);
  d.warp = ask(device_limit::warp);
  d.shared_reserved = bytes{ask(device_limit::shared_reserved)};
  d.l2 = bytes{ask(device_limit::l2)};
  auto const major = ask(device_limit::major);
  auto const minor = ask(device_limit::minor);
  // Source: the occupancy calculator's table of allocation units.
  d.shared_unit = bytes{major >= 8 ? 128 : 256};
  auto const hertz_of = [](std::int64_t khz) { return static_cast<double>(khz) * 1e3; };
  d.peak_rate = flops_per_second{static_cast<double>(d.sms * lanes_per_sm(major, minor)) * 2 *
                                 hertz_of(ask(device_limit::clock))};
  d.bandwidth = bytes_per_second{2 * hertz_of(ask(device_limit::memory_clock)) *
                                 static_cast<double>(ask(device_limit::memory_width)) / 8};
  if (!done) return unexpected{std::move(done).error()};
  return d;
}

} // namespace mars::runtime
