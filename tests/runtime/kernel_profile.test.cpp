// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include "support/fake_gpu_api.hpp"

#include <mars/runtime/kernel_profile.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace mars;
using mars_test::approx;
using mars_test::fake_gpu_api;

namespace {
char const idle_kernel{}, small_kernel{}, large_kernel{};

/// A replay takes 6 µs, a step of a chain 1.2 µs, one of forks and joins 1.9 µs besides the kernels,
/// which take 0.3, 5 and 70 µs.
struct profiled_device {
  mars_test::fake_gpu gpu;
  fake_gpu_api api{gpu};

  profiled_device() {
    gpu.replay = 6e-3;
    gpu.gap = 1.2e-3;
    gpu.cross = 1.9e-3;
    gpu.duration = [](void const* f) {
      return f == &idle_kernel ? 0.3e-3 : f == &small_kernel ? 5e-3 : 70e-3;
    };
    gpu.kernels[&idle_kernel] = {};
    gpu.kernels[&small_kernel] = {.registers = 40, .shared = 4096};
    gpu.kernels[&large_kernel] = {.registers = 96, .shared = 0};
  }
};
} // namespace

TEST_CASE("kernels are timed alone, without what a replay and a chain cost") {
  profiled_device d;
  kernel_launch const empty{.function = &idle_kernel};
  auto const o = runtime::measure_overheads(d.api, empty).value();
  // The kernel that does nothing is part of every step.
  CHECK(o.gap.count() == approx(1.5e-6));
  CHECK(o.event.count() == approx(2.2e-6));
  CHECK(o.graph.count() == approx(6.3e-6));
  CHECK(o.launch == launch_overheads{}.launch);

  runtime::profile_options const options{.samples = 3, .gap = o.gap};
  auto const alone = [&](void const* f) {
    return runtime::time_alone(d.api, {.function = f}, options).value().count();
  };
  CHECK(alone(&small_kernel) == approx(4.7e-6));
  CHECK(alone(&large_kernel) == approx(69.7e-6));
  CHECK(alone(&idle_kernel) == approx(0.015e-6)); // not 0: that would say "not measured"
  CHECK(d.gpu.alive() == 0);
}

TEST_CASE("the median of samples is taken after warming up") {
  profiled_device d;
  int calls = 0;
  // Of the replays of 40 kernels the first is slow, and one of five that count; of those of 80, two.
  d.gpu.duration = [&](void const*) { return calls++ / 40 % 7 == 0 ? 1.0 : 5e-3; };
  CHECK(runtime::time_alone(d.api, {.function = &small_kernel},
                            {.warm_up = 3, .samples = 5, .repeats = 40, .gap = seconds{0}})
            .value()
            .count() == approx(6.2e-6));
}

TEST_CASE("a profile completes what a graph knows about its kernels") {
  profiled_device d;
  stream_graph graph;
  graph.nodes = {
      {.name = "conv", .kernels = {{.name = "gemm", .work = flops{1000}, .traffic = bytes{64}}}},
      {.name = "view", .inputs = {0}},
      {.name = "pair", .inputs = {1}}};
  auto const launches = [](std::uint32_t v) -> std::vector<kernel_launch> {
    if (v == 0)
      return {{.function = &large_kernel, .grid = {7, 3, 2}, .block = {16, 8, 1}, .shared = 100}};
    if (v == 2)
      return {{.function = &small_kernel, .block = {64, 1, 1}}, {.function = &idle_kernel}};
    return {};
  };
  auto const profile = runtime::profile_graph(d.api, graph, launches).value();
  REQUIRE(profile.nodes[0].kernels.size() == 1);
  auto expected = graph.nodes[0].kernels[0];
  expected.blocks = 42;
  expected.threads = 128;
  expected.registers = 96;
  expected.shared = bytes{100};
  expected.alone = profile.nodes[0].kernels[0].alone;
  CHECK(profile.nodes[0].kernels[0] == expected);
  CHECK(expected.alone.count() == approx(70.2e-6)); // the gap of the options' default is 1 µs
  CHECK(profile.nodes[1].kernels.empty());
  REQUIRE(profile.nodes[2].kernels.size() == 2);
  CHECK(profile.nodes[2].kernels[0].shared == bytes{4096});
  CHECK(profile.nodes[2].kernels[0].name == "pair");
  CHECK(profile.nodes[2].inputs == std::vector<std::uint32_t>{1});

  graph.nodes[0].kernels.emplace_back();
  auto const differ = runtime::profile_graph(d.api, graph, launches);
  CHECK(to_string(differ.error()) ==
        "nodes[0].kernels: found 1 launches, wanted 2 [invalid-argument]");
}

TEST_CASE("a call that fails while profiling is named, and leaves nothing behind") {
  for (std::string const call : {"cudaStreamCreateWithFlags", "cudaEventCreateWithFlags",
                                 "cudaEventRecord", "cudaStreamSynchronize", "cudaEventElapsedTime",
                                 "cudaGraphLaunch", "cudaGraphUpload", "cudaFuncGetAttributes"}) {
    CAPTURE(call);
    profiled_device d;
    d.gpu.failing[call] = {call == "cudaEventRecord" ? 2 : 1, mars_test::fake_gpu::invalid_value};
    stream_graph graph;
    graph.nodes = {{.name = "a"}};
    auto const made = runtime::profile_graph(d.api, graph, [](std::uint32_t) {
      return std::vector<kernel_launch>{{.function = &small_kernel}};
    });
    REQUIRE(!made);
    CHECK(made.error().path == "nodes[0].kernels[0]." + call);
    CHECK(d.gpu.alive() == 0);
  }
}

TEST_CASE("a device's limits and peaks") {
  // An A100 (PCIe, 40 GB): 108 SMs of 64 lanes at 1.41 GHz, 5120 bits at 1.215 GHz. NVIDIA states
  // 19.5 TFLOP/s and 1555 GB/s.
  profiled_device d;
  for (auto const& [limit, value] :
       std::vector<std::pair<device_limit, int>>{{device_limit::sms, 108},
                                                 {device_limit::threads_per_sm, 2048},
                                                 {device_limit::registers_per_sm, 65536},
                                                 {device_limit::shared_per_sm, 164 * 1024},
                                                 {device_limit::blocks_per_sm, 32},
                                                 {device_limit::warp, 32},
                                                 {device_limit::shared_reserved, 1024},
                                                 {device_limit::l2, 40 << 20},
                                                 {device_limit::clock, 1'410'000},
                                                 {device_limit::memory_clock, 1'215'000},
                                                 {device_limit::memory_width, 5120},
                                                 {device_limit::major, 8},
                                                 {device_limit::minor, 0}})
    d.gpu.attributes[static_cast<int>(limit)] = value;
  auto const g = runtime::read_device(d.api).value();
  CHECK(g.validate());
  CHECK(g.sms == 108);
  CHECK(g.shared_per_sm == bytes{164 * 1024});
  CHECK(g.shared_unit == bytes{128});
  CHECK(g.peak_rate.count() == approx(19.5e12).epsilon(0.01));
  CHECK(g.bandwidth.count() == approx(1555e9).epsilon(0.001));

  d.gpu.attributes.erase(static_cast<int>(device_limit::l2));
  CHECK_THAT(to_string(runtime::read_device(d.api).error()),
             mars_test::contains_text("cudaDeviceGetAttribute: found cudaErrorInvalidValue"));
}
