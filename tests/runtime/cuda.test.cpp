// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CUDA's functions as a `GpuApi`, on the fake device behind them (support/cuda).
#include "support/catch.hpp"

#include "support/stream_programs.hpp"

#include <mars/runtime/cuda.hpp>
#include <mars/runtime/cuda_graph.hpp>
#include <mars/runtime/kernel_profile.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace mars;

static_assert(MARS_HAS_CUDA == 1);

namespace {
struct sum_args {
  int* out;
  int const* in[2];
  int add;
};
int sum_block = 0;
void sum_enter(dim3 at) { sum_block = static_cast<int>(at.x); }
void sum(sum_args a) {
  a.out[sum_block] = a.in[0][sum_block] + (a.in[1] != nullptr ? a.in[1][sum_block] : 0) + a.add;
}

/// The diamond a → {b, c} → d on two elements: d = (a + 10) + (a + 20).
struct sums {
  std::vector<std::vector<int>> values{{0, 0}, {0, 0}, {0, 0}, {0, 0}};
  std::vector<int> input{1, 2};
  std::vector<sum_args> args{{values[0].data(), {input.data(), nullptr}, 100},
                             {values[1].data(), {values[0].data(), nullptr}, 10},
                             {values[2].data(), {values[0].data(), nullptr}, 20},
                             {values[3].data(), {values[1].data(), values[2].data()}, 0}};
  std::vector<void*> pointers;
  void const* function;

  sums() {
    mars_test::cuda_device() = {};
    function = mars_test::cuda_register(&sum, 24, 512, &sum_enter);
    for (auto& a : args) pointers.push_back(&a);
  }
  auto launch(std::uint32_t v) -> kernel_launch {
    return {.function = function, .grid = {2, 1, 1}, .block = {1, 1, 1}, .arguments = &pointers[v]};
  }
};
} // namespace

TEST_CASE("CUDA graphs compute, replay after replay, in whatever order dependences leave open") {
  sums s;
  runtime::cuda_api const cuda;
  auto const program = mars_test::diamond().second;
  bool const captured = GENERATE(true, false);
  mars_test::cuda_device().newest_first = GENERATE(true, false);
  auto const graph = captured ? runtime::capture_graph(cuda, program,
                                                       [&](std::uint32_t v, cudaStream_t stream) {
                                                         return cuda.launch(s.launch(v), stream);
                                                       })
                              : runtime::build_graph(cuda, program, [&](std::uint32_t v) {
                                  return std::vector<kernel_launch>{s.launch(v)};
                                });
  REQUIRE(graph);
  CHECK(s.values[3] == std::vector<int>{0, 0}); // captured, not run
  // Arguments were copied with the launch.
  s.args[3].add = 1'000'000;
  auto const stream = cuda.create_stream().value();
  for (int i = 0; i < 3; ++i) {
    s.input = {i, 2 * i};
    REQUIRE(graph->replay(stream));
    CHECK(s.values[3] == std::vector<int>{230 + 2 * i, 230 + 4 * i});
  }
  cuda.destroy(stream);
}

TEST_CASE("a failed call is described and taken from the last error") {
  sums s;
  runtime::cuda_api const cuda;
  auto& gpu = mars_test::cuda_device();
  gpu.failing["cudaGraphAddKernelNode"] = {3, mars_test::fake_gpu::invalid_value};
  auto const graph = runtime::build_graph(cuda, mars_test::diamond().second, [&](std::uint32_t v) {
    return std::vector<kernel_launch>{s.launch(v)};
  });
  CHECK(to_string(graph.error()) == "commands[5].cudaGraphAddKernelNode: found "
                                    "cudaErrorInvalidValue, wanted cudaSuccess; in words [device]");
  CHECK(cudaGetLastError() == cudaSuccess);
  CHECK(gpu.alive() == 0);
}

TEST_CASE("kernels and the device are asked by CUDA's attributes") {
  sums s;
  runtime::cuda_api const cuda;
  auto& gpu = mars_test::cuda_device();
  gpu.duration = [](void const*) { return 2e-3; };
  auto const k =
      runtime::profile_kernel(cuda, s.launch(0), {.name = "sum"}, {.gap = seconds{0}}).value();
  CHECK(k.registers == 24);
  CHECK(k.shared == bytes{512});
  CHECK(k.blocks == 2);
  CHECK(k.alone.count() == mars_test::approx(2e-6).epsilon(1e-4));
  // NVIDIA's numbers of the attributes (driver_types.h).
  gpu.attributes = {{10, 32},      {13, 1'380'000}, {16, 80}, {36, 877'000}, {37, 4096},
                    {38, 6 << 20}, {39, 2048},      {75, 7},  {76, 0},       {81, 96 * 1024},
                    {82, 65536},   {106, 32},       {111, 0}};
  auto const v100 = runtime::read_device(cuda).value();
  CHECK(v100.sms == 80);
  CHECK(v100.blocks_per_sm == 32);
  CHECK(v100.shared_per_sm == bytes{96 * 1024});
  CHECK(v100.shared_unit == bytes{256});
  CHECK(v100.peak_rate.count() == mars_test::approx(14.1e12).epsilon(0.01));
  CHECK(v100.bandwidth.count() == mars_test::approx(898e9).epsilon(0.01));
}
