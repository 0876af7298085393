// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"
#include "support/convolution.hpp"
#include "support/random_operations.hpp"

#include <mars/core/random.hpp>
#include <mars/hardware/any_design.hpp>
#include <mars/hardware/presets/processor.hpp>
#include <mars/primitive/processor.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {
using namespace mars;
using mars_test::approx;
using primitive::code_generation;
using primitive::processor;

[[nodiscard]] auto preset(std::string_view name) -> processor {
  for (auto const& d : presets::processors())
    if (d.name == name) return presets::processor_design(d);
  FAIL("no such processor");
  return {};
}

/// A 3×3 layer with a border of one, as ResNet has them; 32 bits.
[[nodiscard]] auto block(std::int64_t channels, std::int64_t side, std::int64_t stride = 1)
    -> operation {
  auto const out = (side - 1) / stride + 1;
  auto op = mars_test::make_convolution({.out_channels = channels,
                                         .in_channels = channels,
                                         .rows = out,
                                         .columns = out,
                                         .kernel_rows = 3,
                                         .kernel_columns = 3,
                                         .stride = stride,
                                         .element_bits = 32});
  for (std::size_t const a : {2U, 3U}) {
    op.operands[0].axes[a].offset = -1;
    op.operands[0].axes[a].extent = side;
  }
  return op;
}
/// Nothing: it is not listed.
[[nodiscard]] auto listed(processor const& d, operation const& op, std::string_view how)
    -> std::optional<algorithm_time> {
  for (auto const& a : d.algorithms(shard{op}))
    if (a.name == how) return a;
  return std::nullopt;
}
[[nodiscard]] auto time_of(processor const& d, operation const& op, std::string_view how)
    -> double {
  auto const a = listed(d, op, how);
  REQUIRE(a);
  return a->time.total.count();
}
[[nodiscard]] auto fastest(processor const& d, operation const& op) -> std::string {
  std::string_view best;
  auto least = infinite_seconds;
  for (auto const& a : d.algorithms(shard{op}))
    if (a.time.total < least) {
      least = a.time.total;
      best = a.name;
    }
  CHECK(d.time(shard{op}).total == least);
  return std::string{best};
}

/// One MAC per cycle and lane at 1 GHz, 4 lanes, two levels of bandwidth; algorithms at the peak.
[[nodiscard]] auto plain() -> processor {
  processor d{.peak_rate = flops_per_second{8e9},
              .lanes = 4,
              .caches = {{bytes{1000}, bytes_per_second{1e9}}},
              .bandwidth = bytes_per_second{1e8},
              .launch = seconds{1e-6}};
  d.coefficients = {};
  d.reordering = {};
  return d;
}
} // namespace

TEST_CASE("processor: time adds up what an algorithm does", "[primitive]") {
  // 4 → 8 channels on 2×2 outputs of a 1×1 kernel: 128 MACs, 4·(16 + 32 + 32) = 320 bytes.
  auto const small = mars_test::make_convolution(
      {.out_channels = 8, .in_channels = 4, .rows = 2, .columns = 2, .element_bits = 32});
  auto d = plain();
  auto const direct = listed(d, small, "direct");
  REQUIRE(direct);
  CHECK(direct->time.compute.count() == approx(128 / 4e9));
  CHECK(direct->time.memory.count() == approx(320 / 1e9));
  CHECK(direct->time.overhead.count() == approx(1e-6));
  CHECK(direct->time.total.count() == approx(1e-6 + 128 / 4e9 + 320 / 1e9));
  CHECK(direct->workspace == bytes{0});
  CHECK(direct->weights == bytes{128});
  CHECK(direct->input_format == "nchwc");
  CHECK(listed(d, small, "spatial_pack")->output_format == "nchw");
  CHECK_FALSE(listed(d, small, "winograd_f2x3"));

  // Slower code, and what falls out of the cache.
  d.coefficients[0] = {.macs = 2, .traffic = 3, .call = seconds{5e-6}, .untuned = 7};
  CHECK(time_of(d, small, "direct") == approx(6e-6 + 2 * 128 / 4e9 + 3 * 320 / 1e9));
  d.generation = code_generation::untuned;
  CHECK(time_of(d, small, "direct") == approx(6e-6 + 14 * 128 / 4e9 + 3 * 320 / 1e9));
  auto const large = mars_test::make_convolution(
      {.out_channels = 8, .in_channels = 4, .rows = 8, .columns = 2, .element_bits = 32});
  CHECK(listed(d, large, "direct")->time.memory.count() == approx(3 * 4 * (64 + 32 + 128) / 1e9));
  d.caches[0].size = bytes{895};
  CHECK(listed(d, large, "direct")->time.memory.count() == approx(3 * 4 * (64 + 32 + 128) / 1e8));
}

TEST_CASE("processor: a bias is traffic, sparse weights help sparse algorithms", "[primitive]") {
  auto op = mars_test::make_convolution(
      {.out_channels = 8, .in_channels = 4, .rows = 2, .columns = 2, .element_bits = 32});
  auto const d = plain();
  auto const dense = time_of(d, op, "direct");
  auto const sparse = time_of(d, op, "csr_direct");
  op.operands[1].density = 0.25;
  CHECK(time_of(d, op, "direct") == dense);
  CHECK(time_of(d, op, "csr_direct") < sparse);
  CHECK(listed(d, op, "csr_direct")->weights == bytes{8 * 8 + 4 * 9});
  op.operands.push_back({role::weight, "bias", 32, {{{{2, 1}}, 0, 8}}});
  CHECK(time_of(d, op, "direct") == approx(dense + 32 / 1e9));
}

TEST_CASE("processor: narrow elements have units, or are converted", "[primitive]") {
  auto const half = mars_test::make_convolution(
      {.out_channels = 8, .in_channels = 4, .rows = 2, .columns = 2, .element_bits = 16});
  auto d = plain();
  // 160 bytes are 80 elements, one operation each.
  CHECK(listed(d, half, "direct")->time.compute.count() == approx((128 + 80) / 4e9));
  CHECK(d.peak(16) == d.peak(32));
  d.peaks.push_back({16, flops_per_second{16e9}});
  CHECK(listed(d, half, "direct")->time.compute.count() == approx(128 / 8e9));
  CHECK(d.peak(64).count() == 4e9);
  // Units for half precision are none for bfloat16, and the other way round.
  auto brain = half;
  for (auto& t : brain.operands) t.numbers = number_format::bfloat;
  CHECK(listed(d, brain, "direct")->time.compute.count() == approx((128 + 80) / 4e9));
  d.peaks[0].numbers = number_format::bfloat;
  CHECK(listed(d, brain, "direct")->time.compute.count() == approx(128 / 8e9));
  CHECK(listed(d, half, "direct")->time.compute.count() == approx((128 + 80) / 4e9));
  CHECK(d.peak(16).count() == 16e9); // a roof for either
  CHECK(d.peak(16, number_format::automatic) == d.peak(32));
}

TEST_CASE("processor: 8 bits are integers, whose sums are requantised", "[primitive]") {
  auto op = mars_test::make_convolution(
      {.out_channels = 8, .in_channels = 4, .rows = 2, .columns = 2, .element_bits = 8});
  auto d = plain();
  // Emulated: 16 + 32 + 32 elements converted, the outputs among them.
  CHECK(listed(d, op, "direct")->time.compute.count() == approx((128 + 80) / 4e9));
  d.peaks.push_back({8, flops_per_second{32e9}});
  CHECK(listed(d, op, "direct")->time.compute.count() == approx(128 / 16e9 + 32 / 4e9));
  for (auto& t : op.operands) t.numbers = number_format::integer;
  CHECK(listed(d, op, "direct")->time.compute.count() == approx(128 / 16e9 + 32 / 4e9));
  d.peaks[0].numbers = number_format::integer;
  CHECK(listed(d, op, "csr_direct")->time.compute.count() > 32 / 4e9);
  for (auto& t : op.operands) t.numbers = number_format::automatic;
  CHECK(listed(d, op, "direct")->time.compute.count() == approx(128 / 16e9 + 32 / 4e9));
}

TEST_CASE("processor: depthwise layers reuse nothing", "[primitive]") {
  auto const depthwise = mars_test::make_convolution({.groups = 8,
                                                      .rows = 2,
                                                      .columns = 2,
                                                      .kernel_rows = 3,
                                                      .kernel_columns = 3,
                                                      .element_bits = 32});
  auto d = plain();
  auto const once = listed(d, depthwise, "direct")->time.compute.count();
  CHECK(once == approx(8 * 9 * 4 / 4e9));
  d.coefficients[0].least_channels = 3;
  CHECK(listed(d, depthwise, "direct")->time.compute.count() == approx(3 * once));
  // Eight calls, whose cost is that of the rates.
  d.coefficients[1].call = seconds{1e-6};
  CHECK(listed(d, depthwise, "im2col_gemm")->time.overhead.count() == approx(9e-6));
}

TEST_CASE("processor: what is no layer", "[primitive]") {
  auto const d = plain();
  auto names = [&](operation const& op) {
    std::vector<std::string> all;
    for (auto const& a : d.algorithms(shard{op}))
      all.push_back(std::string{a.name} + ":" + std::string{a.input_format});
    return all;
  };
  using list = std::vector<std::string>;
  auto relu = mars_test::make_elementwise(100, op_kind::elementwise, 32);
  CHECK(names(relu) == list{"in_planes:nchw", "in_blocks:nchwc"});
  CHECK(d.time(shard{relu}).total.count() == approx(1e-6 + 800 / 1e9));
  CHECK(names(mars_test::make_elementwise(100, op_kind::softmax)) == list{"in_planes:nchw"});
  auto const view = mars_test::make_elementwise(100, op_kind::reshape);
  CHECK(names(view) == list{"view:nchw"});
  CHECK(d.time(shard{view}).total == seconds{0});
  auto const unknown = mars_test::make_elementwise(100, op_kind::opaque);
  CHECK_FALSE(d.time(shard{unknown}).estimated);
  CHECK(d.supports(shard{unknown}));

  // A product of two activations has no weights to prepare: GEMM.
  auto product = mars_test::make_matmul(4, 8, 16, 32);
  CHECK(names(product).size() == 6); // a layer: all but Winograd
  product.operands[1].role = role::input;
  CHECK(names(product) == list{"gemm:nchw"});
  CHECK(d.time(shard{product}).total.count() ==
        approx(1e-6 + 512 / 4e9 + 4 * (64 + 128 + 32) / 1e9));
}

TEST_CASE("processor: reorders read and write", "[primitive]") {
  auto d = plain();
  CHECK(d.reorder(bytes{100}, "nchw", "nchwc").count() == approx(1e-6 + 200 / 1e9));
  CHECK(d.reorder(bytes{100}, "nchw", "nchw") == seconds{0});
  CHECK(d.reorder(bytes{100}, "", "nchwc") == seconds{0});
  CHECK(d.reorder(bytes{100}, "nchw", "") == seconds{0});
  CHECK(d.reorder(bytes{0}, "nchw", "nchwc") == seconds{0});
  any_design const any{d};
  CHECK(any.reorder(bytes{100}, "nchw", "nchwc") == d.reorder(bytes{100}, "nchw", "nchwc"));
  CHECK(any.algorithms(shard{block(16, 4)}).size() == 8);
  CHECK(any.get_if<processor>() != nullptr);
}

TEST_CASE("processor: its own list of algorithms", "[primitive]") {
  primitive::basic_processor<primitive::winograd_f2x3> const only{
      .peak_rate = flops_per_second{1e9}, .bandwidth = bytes_per_second{1e9}};
  CHECK(only.supports(shard{block(16, 8)}));
  CHECK_FALSE(only.supports(shard{block(16, 8, 2)}));
  CHECK(only.algorithms(shard{block(16, 8, 2)}).empty());
  primitive::basic_processor<primitive::spatial_pack> wide{.peak_rate = flops_per_second{1e9},
                                                           .bandwidth = bytes_per_second{1e9}};
  auto const narrow = wide;
  std::get<0>(wide.primitives).tile = {1, 16}; // 7 columns fill less than half of it
  CHECK(wide.time(shard{block(16, 7)}).compute.count() ==
        approx(16.0 / 7 * narrow.time(shard{block(16, 7)}).compute.count()));
  CHECK_FALSE(wide == narrow);
}

TEST_CASE("processor: parameters are checked", "[primitive]") {
  CHECK(plain().validate().has_value());
  auto const refused = [](auto change) {
    auto d = plain();
    change(d);
    auto const r = d.validate();
    return r ? std::string{} : r.error().path;
  };
  CHECK(refused([](auto& d) { d.title.clear(); }) == "name");
  CHECK(refused([](auto& d) { d.peak_rate = {}; }) == "peak_rate");
  CHECK(refused([](auto& d) { d.lanes = 0; }) == "lanes");
  CHECK(refused([](auto& d) { d.bandwidth = {}; }) == "bandwidth");
  CHECK(refused([](auto& d) { d.launch = infinite_seconds; }) == "launch");
  CHECK(refused([](auto& d) { d.peaks.push_back({16, {}}); }) == "peaks");
  // Faster beyond the cache: more bytes would take less time.
  CHECK(refused([](auto& d) { d.bandwidth = bytes_per_second{2e9}; }) == "bandwidth");
  CHECK(refused([](auto& d) {
          d.caches.push_back({bytes{1000}, bytes_per_second{5e8}});
        }) == "caches");
  CHECK(refused([](auto& d) {
          d.caches.push_back({bytes{2000}, bytes_per_second{2e9}});
        }) == "caches");
  CHECK(refused([](auto& d) { d.coefficients[3].macs = -1; }) == "coefficients");
  CHECK(refused([](auto& d) { d.coefficients[3].least_channels = 0; }) == "coefficients");
  CHECK(refused([](auto& d) { d.reordering.untuned = 0; }) == "reordering");
  CHECK(refused([](auto& d) { d.power = watts{-1}; }) == "power");
}

TEST_CASE("processor: measured facts come out of the fitted rates", "[primitive]") {
  auto const core = preset("zen5_core");
  auto untuned = core;
  untuned.generation = code_generation::untuned;
  // Sparsity from which CSR direct beats dense direct on ResNet-18's layers, same run.
  struct fact {
    std::int64_t channels, side;
    double tuned, untuned;
  };
  for (auto const& f : {fact{64, 56, 0.63, 0.79},
                        {128, 28, 0.71, 0.83},
                        {256, 14, 0.69, 0.90},
                        {512, 7, 0.77, 0.95}}) {
    auto op = block(f.channels, f.side);
    auto const dense = time_of(core, op, "direct");
    auto const from = [&](processor const& d) {
      for (int percent = 0; percent < 100; ++percent) {
        op.operands[1].density = 1 - percent / 100.0;
        if (time_of(d, op, "csr_direct") < dense) return percent / 100.0;
      }
      return 1.0;
    };
    CAPTURE(f.channels);
    CHECK(from(core) == approx(f.tuned).margin(0.10));
    CHECK(from(untuned) == approx(f.untuned).margin(0.10));
  }
  // Winograd wins at 56×56, and at 7×7 the small tile beats the large one, whose weights left the caches.
  CHECK(fastest(core, block(64, 56)) == "winograd_f4x3");
  CHECK(time_of(core, block(512, 7), "winograd_f2x3") <
        time_of(core, block(512, 7), "winograd_f4x3"));
  // Tuning changes which algorithm is best where Winograd cannot run.
  CHECK(fastest(core, block(64, 56, 2)) == "direct");
  CHECK(fastest(untuned, block(64, 56, 2)) == "spatial_pack");
}

TEST_CASE("processor: a larger shard is never faster", "[primitive]") {
  std::vector<processor> designs;
  for (auto const& d : presets::processors())
    for (auto const g : {code_generation::untuned, code_generation::tuned}) {
      designs.push_back(presets::processor_design(d));
      designs.back().generation = g;
    }
  random_stream random{7};
  mars_test::operation_generator draw{random.substream(1)};
  auto const below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  };
  std::size_t grown = 0;
  auto const check = [&](operation const& op, std::size_t dims) {
    auto small = full_extents(op);
    for (std::size_t d = 0; d < dims; ++d) small[d] = 1 + below(small[d]);
    auto large = small;
    auto const d = static_cast<std::size_t>(below(static_cast<std::int64_t>(dims)));
    large[d] += below(op.dims[d].extent - small[d] + 1);
    grown += large[d] > small[d] ? 1 : 0;
    for (auto const& design : designs) {
      CAPTURE(design.title, op.type, d, small[d], large[d]);
      REQUIRE(design.time(shard{op, small}).total <= design.time(shard{op, large}).total);
    }
  };
  for (int i = 0; i < 400; ++i) {
    // Kernels are left whole: a 3×3 one has Winograd. Depthwise or not, with a border or without.
    auto const kernel = 1 + 2 * below(3);
    auto const groups = below(3) == 0 ? 1 + below(64) : 1;
    auto const channels = below(2) == 0 ? 1 : 1 + below(80);
    auto op = mars_test::make_convolution({.batch = 1 + below(3),
                                           .groups = groups,
                                           .out_channels = 1 + below(80),
                                           .in_channels = channels,
                                           .rows = 8 + below(60),
                                           .columns = 8 + below(60),
                                           .kernel_rows = kernel,
                                           .kernel_columns = kernel,
                                           .stride = 1 + below(2),
                                           .element_bits = below(2) == 0 ? 32 : 8 << below(2)});
    if (below(2) == 0)
      for (std::size_t const a : {2U, 3U}) {
        op.operands[0].axes[a].offset = -(kernel / 2);
        op.operands[0].axes[a].extent -= 2 * (kernel / 2);
      }
    op.operands[1].density = below(2) == 0 ? 1 : 0.1;
    check(op, 6);
  }
  for (int i = 0; i < 600; ++i) {
    auto const op = draw(static_cast<std::size_t>(
        below(static_cast<std::int64_t>(mars_test::operation_generator::families))));
    if (op.kind != op_kind::convolution) check(op, op.dims.size());
  }
  CHECK(grown > 300);
}

TEST_CASE("every algorithm states the energy of its own time") {
  primitive::processor core{.peak_rate = flops_per_second{1e11},
                            .bandwidth = bytes_per_second{1e10}};
  auto const op = mars_test::make_convolution({.batch = 1,
                                               .groups = 1,
                                               .out_channels = 32,
                                               .in_channels = 32,
                                               .rows = 16,
                                               .columns = 16,
                                               .kernel_rows = 3,
                                               .kernel_columns = 3,
                                               .stride = 1,
                                               .element_bits = 32});
  for (auto const& a : core.algorithms(shard{op})) CHECK_FALSE(is_known(a.energy));
  core.power = watts{7};
  auto const listed = core.algorithms(shard{op});
  CHECK(listed.size() > 2);
  for (auto const& a : listed) CHECK(a.energy == core.power * a.time.total);
  CHECK(listed[0].energy != listed[1].energy);
}
