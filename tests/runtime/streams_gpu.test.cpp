// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The GPU benchmark on the CPU: its very kernels, block after block, behind a stand-in for CUDA.
#include "support/catch.hpp"

#include <compare.hpp>
#include <kernels.cu>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {
/// A device whose convolutions take 20 µs and all else 4 µs, one at a time as many as there are.
void new_cuda_device() {
  auto& gpu = mars_test::cuda_device();
  gpu = {};
  gpu.replay = 6e-3;
  gpu.gap = 1e-3;
  gpu.cross = 1.5e-3;
  gpu.duration = [menu = streams_gpu::kernels()](void const* f) {
    return f == menu.nothing ? 0.0 : f == menu.conv_small || f == menu.conv_large ? 20e-3 : 4e-3;
  };
  // An A100, in CUDA's numbers.
  gpu.attributes = {{10, 32},       {13, 1'410'000}, {16, 108},  {36, 1'215'000}, {37, 5120},
                    {38, 40 << 20}, {39, 2048},      {75, 8},    {76, 0},         {81, 164 * 1024},
                    {82, 65536},    {106, 32},       {111, 1024}};
}

constexpr mars::runtime::profile_options quick{.warm_up = 0, .samples = 1, .repeats = 4};
} // namespace

TEST_CASE("kernels of the GPU benchmark compute what float64 computes, threads in either order") {
  new_cuda_device();
  streams_gpu::network n{"kernels", {3, 35, 33}, 9};
  auto const wide = n.conv(0, 70, {3, 3, 1, 1, 1});   // tiles of 64, with rests both ways
  auto const thin = n.conv(wide, 5, {1, 7, 2, 0, 3}); // tiles of 32
  auto const tall = n.conv(wide, 33, {7, 1, 2, 3, 0});
  auto const relu = n.relu(thin);
  auto const most = n.pool(relu, true, 3, 2, 1);
  auto const mean = n.pool(relu, false, 3, 1, 1);
  n.add(n.concat({thin, tall, mean}), n.concat({mean, thin, tall}));
  n.concat({most, n.relu(most)});
  auto const wanted = streams_gpu::reference(n);
  // By hand: the mean of the corner, of four values inside and five outside.
  CHECK(wanted[mean][0] ==
        mars_test::approx(
            (wanted[relu][0] + wanted[relu][1] + wanted[relu][17] + wanted[relu][18]) / 9));
  auto const made = streams_gpu::device_network::make(n).value();
  mars::runtime::cuda_api const cuda;
  auto const stream = cuda.create_stream().value();
  for (bool const backwards : {false, true}) {
    CAPTURE(backwards);
    streams_gpu::backwards = backwards;
    REQUIRE(made->spoil());
    CHECK(made->deviation(wanted).value() == HUGE_VAL);
    for (std::uint32_t v = 0; v < n.ops().size(); ++v)
      for (auto const& k : made->launches(v)) REQUIRE(cuda.launch(k, stream));
    CHECK(made->deviation(wanted).value() < 1e-5);
  }
  streams_gpu::backwards = false;
  cuda.destroy(stream);
}

TEST_CASE("networks of the GPU benchmark have the shapes that were published") {
  auto const out = [](streams_gpu::network const& n) { return n.ops().back().out; };
  auto const count = [](streams_gpu::network const& n, streams_gpu::op_kind kind) {
    return std::count_if(n.ops().begin(), n.ops().end(),
                         [&](auto const& o) { return o.kind == kind; });
  };
  auto const g = streams_gpu::googlenet();
  CHECK(out(g).channels == 1024);
  CHECK(out(g).height == 7);
  CHECK(count(g, streams_gpu::op_kind::conv) == 54); // nine modules of six
  auto const i = streams_gpu::inception_v3();
  CHECK(out(i).channels == 2048);
  CHECK(out(i).width == 8);
  CHECK(count(i, streams_gpu::op_kind::conv) == 94 - 5); // all but the stem's
  auto const r = streams_gpu::inception_resnet();
  CHECK(out(r).channels == 256);
  CHECK(count(r, streams_gpu::op_kind::conv) == 5 * 7);
}

TEST_CASE("the GPU benchmark: every policy's graphs compute the reference") {
  for (auto const& n : {streams_gpu::googlenet({16, 6, 3}), streams_gpu::inception_v3({32, 9, 5}),
                        streams_gpu::inception_resnet({16, 5, 2})}) {
    CAPTURE(n.name());
    new_cuda_device();
    mars_test::cuda_device().newest_first = n.name() != "inception_resnet";
    auto const c = streams_gpu::compare(n, quick, {.budget = {.evaluations = 300}}).value();
    REQUIRE(c.rows.size() == 5);
    CHECK(is_right(c));
    for (auto const& r : c.rows) {
      CAPTURE(r.policy);
      CHECK(r.captured.count() == mars_test::approx(r.built.count()).epsilon(1e-3));
      CHECK(r.predicted >= c.bound);
    }
    // On this device nothing disturbs anything: in sequence all times add up, and streams help.
    CHECK(c.rows[0].streams == 1);
    CHECK(c.rows[0].predicted.count() ==
          mars_test::approx(c.rows[0].captured.count()).epsilon(0.01));
    CHECK(c.rows[1].streams > 1);
    CHECK(c.rows[1].captured < c.rows[0].captured);
    CHECK(mars_test::cuda_device().alive() == 0);
  }
}

TEST_CASE("the GPU benchmark notices wrong results") {
  new_cuda_device();
  auto const n = streams_gpu::googlenet({16, 5, 1});
  auto const wanted = streams_gpu::reference(n);
  auto const made = streams_gpu::device_network::make(n).value();
  auto const graph = streams_gpu::to_stream_graph(n);
  mars::runtime::cuda_api const cuda;
  auto const stream = cuda.create_stream().value();
  auto const deviation = [&](mars::stream_program const& p) {
    auto const built =
        mars::runtime::build_graph(cuda, p, [&](std::uint32_t v) { return made->launches(v); });
    made->spoil().value();
    built.value().replay(stream).value();
    return made->deviation(wanted).value();
  };
  mars::stream_schedule schedule;
  for (std::uint32_t v = 0; v < graph.size(); ++v) {
    schedule.stream_of.emplace_back(std::size_t{v % 3});
    schedule.launch_order.push_back(v);
  }
  auto program = mars::to_program(graph, schedule);
  CHECK(deviation(program) < streams_gpu::tolerance);
  SECTION("of a program without its waits") {
    program.commands.erase(
        std::remove_if(program.commands.begin(), program.commands.end(),
                       [](auto const& c) { return c.verb == mars::stream_verb::wait; }),
        program.commands.end());
    CHECK(deviation(program) == HUGE_VAL);
  }
  SECTION("of a kernel that does not run") {
    mars_test::cuda_device().kernels[streams_gpu::kernels().concat].run_block = nullptr;
    CHECK(deviation(program) == HUGE_VAL);
  }
  cuda.destroy(stream);
}

TEST_CASE("the GPU benchmark says what it cannot do") {
  new_cuda_device();
  CHECK(streams_gpu::run({"alexnet"}) == 2);
  mars_test::cuda_device().attributes.clear();
  CHECK(streams_gpu::run({"3", "inception_resnet"}) == 2);
}
