// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/convolution.hpp"

#include <mars/hardware/any_design.hpp>
#include <mars/hardware/designs/gpu.hpp>
#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/workload/operators.hpp>

#include <string>

using namespace mars;

namespace {
/// Four SMs, 1 Tflop/s, 100 GB/s, 600 ns and 512 bytes a warp: 117 warps keep DRAM busy.
auto four_sms() -> hardware::gpu {
  hardware::gpu g;
  g.limits.sms = 4;
  g.limits.peak_rate = flops_per_second{1e12};
  g.limits.bandwidth = bytes_per_second{1e11};
  return g;
}
} // namespace

TEST_CASE("a small product takes the small tile, which fills the device") {
  // 128×128×1000. In µs, alone: 128×128 one block on one of four SMs, 38.6 / 0.25 = 154; 128×64 164;
  // 64×64 four blocks of four warps, half of the warps that saturate, 46.8 / 0.5 = 93.6; 64×32 109;
  // 32×32 sixteen blocks of two warps, 2·16·32·32·1000 flop / (0.45·10¹²) = 72.8178.
  auto const g = four_sms();
  auto const op = mars_test::make_matmul(128, 128, 1000);
  auto const all = g.kernels(shard{op});
  REQUIRE(all.size() == 1);
  CHECK(all[0].blocks == 16);
  CHECK(all[0].threads == 64);
  CHECK(all[0].work == flops{32'768'000});
  CHECK(all[0].traffic == bytes{2 * (2 * 128'000 + 16'384)});
  auto const t = g.time(shard{op});
  CHECK(t.total.count() == mars_test::approx(73.8178e-6).epsilon(1e-5)); // and a gap of 1 µs
  CHECK(t.overhead.count() == mars_test::approx(1e-6));
  // A device of one SM has nothing to gain from small tiles.
  auto one = g;
  one.limits.sms = 1;
  CHECK(one.kernels(shard{op})[0].threads > 64);
}

TEST_CASE("padding of tiles is computed, a product with a vector is not tiled") {
  auto const g = four_sms();
  auto const odd = g.kernels(shard{mars_test::make_matmul(33, 33, 4096)});
  CHECK(odd[0].work == flops{2 * 4 * 32 * 32 * 4096}); // four tiles of 32×32 for 33×33
  // A warp per result: 1000 of them, eight a block.
  auto const vector = g.kernels(shard{mars_test::make_matmul(1, 1000, 512)});
  CHECK(vector[0].blocks == 125);
  CHECK(vector[0].work == flops{2 * 1000 * 512});
}

TEST_CASE("what is no product is elementwise, a view is nothing, a gather moves what it copies") {
  auto const g = four_sms();
  auto const relu = ops::elementwise({{1, 64, 56, 56}}, "Relu", 1).value();
  auto const k = g.kernels(shard{relu});
  REQUIRE(k.size() == 1);
  CHECK(k[0].blocks == 196); // 200,704 elements, 1024 a block
  CHECK(k[0].traffic == bytes{2 * 2 * 200'704});
  auto const view = ops::reshape({1, 64, 56, 56}, {1, 200'704}).value();
  CHECK(g.kernels(shard{view}).empty());
  CHECK(g.time(shard{view}).total == seconds{0});
  // 128 rows of 512 out of 32,128: read and written, and the indices.
  auto const rows = ops::gather({32'128, 512}, {128}).value();
  CHECK(g.kernels(shard{rows})[0].traffic == bytes{2 * (2 * 128 * 512 + 128)});
}

TEST_CASE("devices by name") {
  for (auto const& d : presets::gpu_devices()) {
    auto const g = presets::find_device(d.name);
    REQUIRE(g);
    CHECK(g->validate());
    CHECK(any_design{*g}.device() != nullptr);
    auto const s = presets::gpu_system(d);
    CHECK(s.validate());
    CHECK(s.accelerators[0].designs()[0].device()->sms == d.sms);
  }
  auto const wrong = presets::find_device("a100_pci");
  REQUIRE(!wrong);
  CHECK(to_string(wrong.error()).find("did you mean a100_pcie?") != std::string::npos);
  auto small = four_sms();
  small.limits.registers_per_sm = 1024;
  CHECK(!small.validate()); // not even the smallest tile fits
}
