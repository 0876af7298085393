// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/convolution.hpp"

#include <mars/hardware/any_design.hpp>
#include <mars/hardware/designs/roofline.hpp>
#include <mars/hardware/designs/super_lip.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/hardware/designs/winograd.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace mars;
namespace hw = mars::hardware;
using mars_test::approx;
using mars_test::make_convolution;
using mars_test::make_elementwise;
using mars_test::make_matmul;

TEST_CASE("Super-LIP: time by cause") {
  // One tile of 64 × 7 channels, 7 × 14 pixels, 1×1 kernel; one word per cycle on each port:
  // tComp = 98, tI = 7·98 = 686, tW = 64·7 = 448, tO = 64·98 = 6272 cycles at 1 kHz.
  auto const op =
      make_convolution({.out_channels = 64, .in_channels = 7, .rows = 7, .columns = 14});
  hw::super_lip d{.clock = hertz{1e3}, .input_words_per_cycle = 1};
  CHECK(d.time(shard{op}).total.count() == approx(0.686));
  CHECK(d.time(shard{op}).compute.count() == approx(0.098));
  CHECK(d.time(shard{op}).memory.count() == approx(0.686));
  d = {.clock = hertz{1e3}, .weight_words_per_cycle = 1};
  CHECK(d.time(shard{op}).total.count() == approx(0.448));
  d.output_words_per_cycle = 1;
  CHECK(d.time(shard{op}).total.count() == approx(6.272));
  d = {.clock = hertz{1e3}};
  CHECK(d.time(shard{op}).total.count() == approx(0.098));
  CHECK(d.time(shard{op}).memory.count() == 0);
}

TEST_CASE("Super-LIP: clipped tiles do not pay for pixels that are not there") {
  // One pixel, one tile of channels: a whole 7×14 tile or a single cycle per kernel tap.
  auto const op = make_matmul(1, 64, 7);
  hw::super_lip d{.clock = hertz{1}};
  CHECK(d.time(shard{op}).total.count() == 98);
  d.clip_tiles = true;
  CHECK(d.time(shard{op}).total.count() == 1);
}

TEST_CASE("Super-LIP: resources") {
  // 16 bit: DSP = 64·7; BRAM = 2·(7+64)·⌈98·16/18000⌉ + 448·⌈4·9·16/18000⌉ = 142 + 448.
  auto const fixed = hw::resources_of({}, 16, 3, 3);
  CHECK(fixed.dsp == 448);
  CHECK(fixed.bram18 == 590);
  // 32 bit: DSP = 5·448; BRAM = 142 + 2·448·⌈9·32/18000⌉.
  auto const floating = hw::resources_of({}, 32, 3, 3);
  CHECK(floating.dsp == 2240);
  CHECK(floating.bram18 == 1038);
  // 52·52·16 = 43264 bits are three blocks; 25·45·16 = 18000 bits are one, and one pixel more, two.
  hw::super_lip d{.tm = 8, .tn = 32, .tr = 52, .tc = 52};
  CHECK(hw::resources_of(d, 16, 3, 3).bram18 == 2 * 40 * 3 + 256);
  d.tr = 25;
  d.tc = 45;
  CHECK(hw::resources_of(d, 16, 3, 3).bram18 == 2 * 40 * 1 + 256);
  d.tc = 46;
  CHECK(hw::resources_of(d, 16, 3, 3).bram18 == 2 * 40 * 2 + 256);
}

TEST_CASE("systolic array: fill, DRAM, and the loops on its axes") {
  // M, N, R, C = 22, 16, 5, 26, K = 3: ⌈22/11⌉·⌈26/13⌉·⌈16/8⌉·5·9 = 360 cycles, fill 11 + 13.
  auto const op = make_convolution({.out_channels = 22,
                                    .in_channels = 16,
                                    .rows = 5,
                                    .columns = 26,
                                    .kernel_rows = 3,
                                    .kernel_columns = 3});
  hw::systolic_array d{.fill = false, .clock = hertz{1}};
  CHECK(d.time(shard{op}).total.count() == 360);
  d.fill = true;
  CHECK(d.time(shard{op}).total.count() == 384);
  // Operands: 16·7·28 + 22·16·9 + 22·5·26 = 3136 + 3168 + 2860 = 9164 elements of 2 B.
  d.dram = bytes_per_second{2};
  CHECK(d.time(shard{op}).memory.count() == 9164);
  CHECK(d.time(shard{op}).total.count() == 9164);
  CHECK(d.time(shard{op}).compute.count() == 384);
  // Rows on the row axis, in-channels on the column axis, out-channels along the vector:
  // ⌈5/11⌉·⌈16/13⌉·⌈22/8⌉·26·9 = 1·2·3·234 = 1404.
  d = {.row_loop = hw::conv_loop::rows,
       .col_loop = hw::conv_loop::in_channels,
       .vec_loop = hw::conv_loop::out_channels,
       .fill = false,
       .clock = hertz{1}};
  CHECK(d.time(shard{op}).total.count() == 1404);
}

TEST_CASE("Winograd: what it does with other layers is a policy") {
  auto const native = make_convolution({.out_channels = 8,
                                        .in_channels = 2,
                                        .rows = 4,
                                        .columns = 4,
                                        .kernel_rows = 3,
                                        .kernel_columns = 3});
  // 192, 64, 27×27, K = 5 of mars.md section 9: direct 480000, split 150528.
  auto const other = make_convolution({.out_channels = 192,
                                       .in_channels = 64,
                                       .rows = 27,
                                       .columns = 27,
                                       .kernel_rows = 5,
                                       .kernel_columns = 5});
  hw::winograd d{.clock = hertz{1}};
  CHECK(d.time(shard{native}).total.count() == 1);
  CHECK(d.time(shard{other}).total.count() == 150528);
  CHECK(d.supports(shard{other}));
  d.other_layers = hw::winograd_policy::direct;
  CHECK(d.time(shard{other}).total.count() == 480000);
  d.other_layers = hw::winograd_policy::split;
  CHECK(d.time(shard{other}).total.count() == 150528);
  d.other_layers = hw::winograd_policy::unsupported;
  CHECK(d.time(shard{other}).total == infinite_seconds);
  CHECK_FALSE(is_supported(d.time(shard{other})));
  CHECK_FALSE(d.supports(shard{other}));
  CHECK(d.supports(shard{native}));
  CHECK(d.time(shard{native}).total.count() == 1);
  CHECK(d.supports(shard{make_elementwise(10)}));
  CHECK_FALSE(d.supports(shard{make_matmul(4, 4, 4)}));

  SECTION("its algorithms, with prices") {
    auto const ways = d.algorithms(shard{other});
    REQUIRE(ways.size() == 2);
    CHECK(ways[0].name == "direct");
    CHECK(ways[0].time.total.count() == 480000);
    CHECK(ways[1].name == "split");
    CHECK(ways[1].time.total.count() == 150528);
    auto const best = d.algorithms(shard{native});
    REQUIRE(best.size() == 2);
    CHECK(best[0].name == "winograd");
    CHECK(d.algorithms(shard{make_elementwise(10)}).empty());
  }
}

TEST_CASE("Winograd: strided and dilated 3×3 kernels are not native") {
  hw::winograd const d{.clock = hertz{1}};
  mars_test::convolution c{.out_channels = 8,
                           .in_channels = 2,
                           .rows = 12,
                           .columns = 12,
                           .kernel_rows = 3,
                           .kernel_columns = 3};
  CHECK(d.is_native(*as_convolution(shard{make_convolution(c)})));
  CHECK(d.time(shard{make_convolution(c)}).total.count() == 9);
  c.stride = 2;
  CHECK_FALSE(d.is_native(*as_convolution(shard{make_convolution(c)})));
  // split: 2²·⌈⌈3/2⌉/3⌉² = 4 phases of 9 tiles; direct: ⌈12/6⌉²·9 = 36.
  CHECK(d.time(shard{make_convolution(c)}).total.count() == 36);
  c.stride = 1;
  c.dilation = 2;
  CHECK_FALSE(d.is_native(*as_convolution(shard{make_convolution(c)})));
  // split: four interleaved images of 6×6, ⌈6/4⌉² tiles each = 16.
  CHECK(d.time(shard{make_convolution(c)}).total.count() == 16);
}

TEST_CASE("groups and batch run one after another") {
  mars_test::convolution c{.out_channels = 16,
                           .in_channels = 8,
                           .rows = 14,
                           .columns = 14,
                           .kernel_rows = 3,
                           .kernel_columns = 3};
  auto const once = make_convolution(c);
  c.groups = 3;
  c.batch = 5;
  auto const repeated = make_convolution(c);
  for (any_design const& d :
       {any_design{hw::super_lip{}}, any_design{hw::systolic_array{.fill = false}},
        any_design{hw::winograd{}}}) {
    CAPTURE(d.name());
    CHECK(d.time(shard{repeated}).total.count() ==
          approx(15 * d.time(shard{once}).total.count()).epsilon(1e-12));
  }
  // The fill is charged once per layer: 2 groups or 1, 24 cycles.
  hw::systolic_array const filled{.clock = hertz{1}};
  hw::systolic_array const unfilled{.fill = false, .clock = hertz{1}};
  CHECK(filled.time(shard{repeated}).total.count() ==
        unfilled.time(shard{repeated}).total.count() + 24);
}

TEST_CASE("rectangular kernels") {
  // 1×7 kernel: 7 taps, not 49.
  auto const op = make_convolution({.out_channels = 64,
                                    .in_channels = 7,
                                    .rows = 7,
                                    .columns = 14,
                                    .kernel_rows = 1,
                                    .kernel_columns = 7});
  CHECK(hw::super_lip{.clock = hertz{1}}.time(shard{op}).total.count() == 7 * 98);
  // ⌈64/11⌉·⌈14/13⌉·⌈7/8⌉·7·7 = 6·2·1·49
  CHECK(hw::systolic_array{.fill = false, .clock = hertz{1}}.time(shard{op}).total.count() == 588);
  // split: 1·⌈7/3⌉ = 3 pieces of ⌈7/4⌉·⌈14/4⌉·⌈7/2⌉·⌈64/8⌉ = 2·4·4·8 = 256; direct 2·3·4·8·7 =
  // 1344.
  CHECK(hw::winograd{.clock = hertz{1}}.time(shard{op}).total.count() == 768);
}

TEST_CASE("other operators on the FPGA designs are fused unless there is a vector unit") {
  auto const relu = make_elementwise(1000);
  auto const opaque = make_elementwise(1000, op_kind::opaque);
  for (any_design const& d : {any_design{hw::super_lip{}}, any_design{hw::systolic_array{}},
                              any_design{hw::winograd{}}}) {
    CAPTURE(d.name());
    CHECK(d.time(shard{relu}).total.count() == 0);
    CHECK(d.time(shard{relu}).estimated);
    CHECK(d.time(shard{opaque}).total.count() == 0);
    CHECK_FALSE(d.time(shard{opaque}).estimated);
  }
  // 1000 elements, four per cycle; 2000 words through ports of one word per cycle, in and out at
  // once.
  CHECK(hw::winograd{.clock = hertz{1}, .vector_elements_per_cycle = 4}
            .time(shard{relu})
            .total.count() == 250);
  CHECK(hw::super_lip{.clock = hertz{1}, .input_words_per_cycle = 1, .vector_elements_per_cycle = 4}
            .time(shard{relu})
            .total.count() == 1000);
  // 4000 B at 10 B/s.
  CHECK(hw::systolic_array{
            .clock = hertz{1}, .dram = bytes_per_second{10}, .vector_elements_per_cycle = 4}
            .time(shard{relu})
            .total.count() == 400);
}

TEST_CASE("roofline device by hand") {
  hw::roofline d{.peak_rate = flops_per_second{1e12},
                 .bandwidth = bytes_per_second{1e11},
                 .launch = seconds{1e-6},
                 .power = watts{100}};
  // 64 → 64 channels, 56×56, 1×1: 2·64·64·3136 = 25 690 112 FLOP; 2·(2·64·3136 + 4096) = 811 008 B.
  auto const conv =
      make_convolution({.out_channels = 64, .in_channels = 64, .rows = 56, .columns = 56});
  auto const t = d.time(shard{conv});
  CHECK(t.compute.count() == approx(25.690112e-6));
  CHECK(t.memory.count() == approx(8.11008e-6));
  CHECK(t.overhead.count() == approx(1e-6));
  CHECK(t.total.count() == approx(26.690112e-6));
  CHECK(d.energy(shard{conv}).count() == approx(26.690112e-4));
  // 10⁶ elements: 1 µs of arithmetic, 40 µs of traffic.
  auto const relu = make_elementwise(1'000'000);
  CHECK(d.time(shard{relu}).total.count() == approx(41e-6));
  d.memory_efficiency = 0.5;
  CHECK(d.time(shard{relu}).total.count() == approx(81e-6));
  d.compute_efficiency = 0.5;
  CHECK(d.time(shard{conv}).total.count() == approx(52.380224e-6));
  CHECK(d.time(shard{make_elementwise(1000, op_kind::reshape)}).total.count() == 0);
  CHECK_FALSE(d.time(shard{make_elementwise(1000, op_kind::opaque)}).estimated);

  SECTION("the peak follows the element width") {
    d = {.peak_rate = flops_per_second{1e12},
         .bandwidth = bytes_per_second{std::numeric_limits<double>::infinity()},
         .peaks = {{8, flops_per_second{4e12}}}};
    auto const m16 = make_matmul(1000, 1000, 1000, 16);
    auto const m8 = make_matmul(1000, 1000, 1000, 8);
    CHECK(d.time(shard{m16}).total.count() == approx(2e-3));
    CHECK(d.time(shard{m8}).total.count() == approx(0.5e-3));
    CHECK_FALSE(is_known(d.energy(shard{m8})));
  }
}

TEST_CASE("a shard is priced by its extents, not its operator's") {
  auto const op = make_convolution({.out_channels = 128,
                                    .in_channels = 64,
                                    .rows = 28,
                                    .columns = 28,
                                    .kernel_rows = 3,
                                    .kernel_columns = 3});
  auto const half = make_convolution({.out_channels = 64,
                                      .in_channels = 64,
                                      .rows = 28,
                                      .columns = 28,
                                      .kernel_rows = 3,
                                      .kernel_columns = 3});
  auto cut = full_extents(op);
  cut[*find_dim(op, "k")] = 64;
  for (any_design const& d :
       {any_design{hw::super_lip{}}, any_design{hw::systolic_array{}}, any_design{hw::winograd{}},
        any_design{hw::roofline{.peak_rate = flops_per_second{1e12},
        .bandwidth = bytes_per_second{1e11}}}})
    CHECK(d.time(shard{op, cut}).total == d.time(shard{half}).total);
}

TEST_CASE("any_design forwards, and is neutral where the design is silent") {
  any_design const w{hw::winograd{.other_layers = hw::winograd_policy::unsupported}};
  auto const fc = make_matmul(1, 10, 10);
  CHECK(w.name() == "winograd");
  CHECK_FALSE(w.supports(shard{fc}));
  CHECK_FALSE(is_known(w.energy(shard{fc})));
  CHECK(w.algorithms(shard{fc}).size() == 2);
  CHECK(w.peak(16).count() == approx(2 * 2304 * 200e6));
  CHECK(w.get_if<hw::winograd>() != nullptr);
  CHECK(w.get_if<hw::winograd>()->pm == 8);
  CHECK(w.get_if<hw::super_lip>() == nullptr);
  CHECK(w == any_design{hw::winograd{.other_layers = hw::winograd_policy::unsupported}});
  CHECK_FALSE(w == any_design{hw::winograd{}});
  CHECK_FALSE(w == any_design{hw::super_lip{}});

  struct mute {
    [[nodiscard]] auto name() const -> char const* { return "mute"; }
    [[nodiscard]] auto time(shard const&) const -> time_breakdown { return unsupported_time(); }
  };
  any_design const m{mute{}};
  CHECK_FALSE(m.supports(shard{fc}));
  CHECK(std::isinf(m.peak(16).count()));
  CHECK(std::isinf(m.memory_bandwidth().count()));
  CHECK(m.algorithms(shard{fc}).empty());
  CHECK(m.validate().has_value());
  auto const copy = m;
  CHECK(copy == m);
  CHECK_FALSE(m == any_design{mute{}}); // no equality to ask: only copies are equal
}

TEST_CASE("parameters out of their domain are named") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  auto const path = [](any_design const& d) -> std::string {
    auto const r = d.validate();
    return r ? "" : r.error().path;
  };
  CHECK(path(hw::super_lip{}) == "");
  CHECK(path(hw::super_lip{.tm = 0}) == "tm");
  CHECK(path(hw::super_lip{.clock = hertz{nan}}) == "clock");
  CHECK(path(hw::super_lip{.input_words_per_cycle = 0}) == "input_words_per_cycle");
  CHECK(path(hw::systolic_array{.vec = -1}) == "vec");
  CHECK(path(hw::systolic_array{.col_loop = hw::conv_loop::in_channels}) == "row_loop");
  CHECK(path(hw::systolic_array{.dram = bytes_per_second{nan}}) == "dram");
  CHECK(path(hw::winograd{.n = 2, .r = 3}) == "n");
  CHECK(path(hw::winograd{.clock = hertz{0}}) == "clock");
  CHECK(path(hw::winograd{.vector_elements_per_cycle = nan}) == "vector_elements_per_cycle");
  CHECK(path(hw::roofline{}) == "peak_rate");
  CHECK(path(hw::roofline{.peak_rate = flops_per_second{1},
                          .bandwidth = bytes_per_second{1},
                          .memory_efficiency = 1.5}) == "memory_efficiency");
  CHECK(path(hw::roofline{.title = ""}) == "name");
}
