// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What holds for every design and every shape.
#include "support/catch.hpp"
#include "support/convolution.hpp"

#include <mars/hardware/any_design.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/designs/super_lip.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/hardware/designs/winograd.hpp>
#include <mars/hardware/presets/gpu_device.hpp>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using namespace mars;
namespace hw = mars::hardware;

namespace {

auto all_designs() -> std::vector<any_design> {
  return {hw::super_lip{},
          hw::super_lip{.weight_words_per_cycle = 3,
                        .input_words_per_cycle = 2,
                        .output_words_per_cycle = 1,
                        .clip_tiles = true},
          hw::systolic_array{},
          hw::systolic_array{.vec = 4,
                             .row_loop = hw::conv_loop::rows,
                             .dram = bytes_per_second{1e9},
                             .vector_elements_per_cycle = 8},
          hw::winograd{},
          hw::winograd{.other_layers = hw::winograd_policy::direct, .dram = bytes_per_second{5e9}},
          hw::winograd{.other_layers = hw::winograd_policy::split},
          hw::roofline{.peak_rate = flops_per_second{1e12},
                       .bandwidth = bytes_per_second{1e11},
                       .launch = seconds{1e-6}}};
}

auto draw(std::mt19937_64& random, std::int64_t most) -> std::int64_t {
  return 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most));
}

auto random_convolution(std::mt19937_64& random) -> operation {
  return mars_test::make_convolution({.batch = draw(random, 3),
                                      .groups = draw(random, 3),
                                      .out_channels = draw(random, 300),
                                      .in_channels = draw(random, 300),
                                      .rows = draw(random, 60),
                                      .columns = draw(random, 60),
                                      .kernel_rows = draw(random, 7),
                                      .kernel_columns = draw(random, 7),
                                      .stride = draw(random, 3),
                                      .dilation = draw(random, 2)});
}

} // namespace

TEST_CASE("a larger shard is never faster") {
  std::mt19937_64 random{1};
  for (int i = 0; i < 1000; ++i) {
    auto const op = random_convolution(random);
    auto small = full_extents(op);
    for (auto& e : small) e = draw(random, e);
    auto large = small;
    // Kernel dimensions are never cut, and a 3×3 kernel can beat a smaller one on Winograd.
    auto const d = random() % 6;
    large[d] = small[d] + draw(random, full_extents(op)[d]);
    for (std::size_t k = 6; k < 8; ++k) large[k] = small[k] = full_extents(op)[k];
    for (auto const& design : all_designs()) {
      CAPTURE(design.name(), d, small[d], large[d]);
      REQUIRE(design.time(shard{op, small}).total <= design.time(shard{op, large}).total);
    }
  }
}

TEST_CASE("no design beats its roof") {
  std::mt19937_64 random{2};
  auto designs = all_designs();
  for (auto const& d : presets::gpu_devices()) designs.emplace_back(presets::gpu_design(d));
  for (int i = 0; i < 1000; ++i) {
    auto const op = random_convolution(random);
    shard const s{op};
    for (auto const& design : designs) {
      CAPTURE(design.name(), macs_of(s).count());
      double const roof = 2.0 * static_cast<double>(macs_of(s).count()) / design.peak(16).count();
      REQUIRE(design.time(s).total.count() >= roof * (1 - 1e-12));
    }
  }
}

TEST_CASE("XFER on one FPGA is the plain form, and ideal links never hurt") {
  std::mt19937_64 random{3};
  for (int i = 0; i < 500; ++i) {
    auto const shape = *as_convolution(shard{random_convolution(random)});
    hw::super_lip const d{.weight_words_per_cycle = static_cast<double>(draw(random, 8)),
                          .input_words_per_cycle = static_cast<double>(draw(random, 8)),
                          .output_words_per_cycle = static_cast<double>(draw(random, 8))};
    REQUIRE(hw::xfer_cycles(d, shape, {.link_words_per_cycle = 1}).total == d.cycles(shape).total);
    hw::xfer x{.batch = draw(random, 2), .rows = draw(random, 2), .out_channels = draw(random, 3)};
    REQUIRE(hw::xfer_cycles(d, shape, x).total <= d.cycles(shape).total);
    auto const ideal = hw::xfer_cycles(d, shape, x).total;
    x.link_words_per_cycle = 1;
    REQUIRE(ideal <= hw::xfer_cycles(d, shape, x).total);
  }
}

TEST_CASE("extents near the limit do not overflow") {
  auto const large = std::int64_t{1} << 15;
  for (auto const& op :
       {mars_test::make_convolution(
            {.out_channels = large, .in_channels = large, .rows = large, .columns = large / 8}),
        mars_test::make_matmul(1, std::int64_t{1} << 28, std::int64_t{1} << 28),
        mars_test::make_convolution({.batch = std::int64_t{1} << 55})}) {
    REQUIRE(validate(op).has_value());
    shard const s{op};
    for (auto const& design : all_designs()) {
      CAPTURE(design.name(), op.name);
      auto const t = design.time(s).total.count();
      CHECK(std::isfinite(t));
      CHECK(t >= 2.0 * static_cast<double>(macs_of(s).count()) / design.peak(16).count());
    }
  }
}
