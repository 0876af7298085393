// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Figures are those of the sources the presets name.
#include "support/catch.hpp"
#include "support/convolution.hpp"

#include <mars/hardware/presets.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>

using namespace mars;
namespace hw = mars::hardware;
using mars_test::approx;

namespace {
auto const mb = bytes{1'000'000};

auto system_named(std::string_view name) -> any_system { return presets::find(name).value(); }
auto time_between(any_system const& s, std::size_t a, std::size_t b, bytes size) -> double {
  return s.interconnect.transfer_time(accelerator_id{a}, accelerator_id{b}, size).count();
}
auto gib(std::int64_t n) -> bytes { return bytes{n << 30}; }
} // namespace

TEST_CASE("every preset is valid, named as listed, and says where its numbers come from") {
  std::set<std::string_view> seen;
  for (auto const& p : presets::catalogue()) {
    CAPTURE(p.info.name);
    CHECK(seen.insert(p.info.name).second);
    CHECK_FALSE(p.info.source.empty());
    CHECK_FALSE(p.info.description.empty());
    auto const s = p.build();
    CHECK(s.name == p.info.name);
    auto const r = s.validate();
    CHECK(r.has_value());
    if (!r) WARN(to_string(r.error()));
    auto const found = presets::find(p.info.name);
    REQUIRE(found.has_value());
    CHECK(found->size() == s.size());
    CHECK(presets::find_info(p.info.name)->source == p.info.source);
  }
  CHECK(presets::names().size() == seen.size());
}

TEST_CASE("an unknown name gets a suggestion") {
  auto const r = presets::find("aws_f1_16xlrage");
  REQUIRE_FALSE(r.has_value());
  CHECK(r.error().code == error_code::unknown_name);
  CHECK(r.error().found == "aws_f1_16xlrage");
  CHECK_THAT(r.error().detail, mars_test::contains_text("did you mean aws_f1_16xlarge"));
  CHECK_THAT(r.error().wanted, mars_test::contains_text("tpu_v5e_16"));
  CHECK(presets::find("").error().detail.empty());
  CHECK_FALSE(presets::find_info("nothing like it at all").has_value());
}

TEST_CASE("MARS's platform") {
  auto const f1 = presets::aws_f1_16xlarge();
  REQUIRE(f1.size() == 8);
  for (auto const& a : f1.accelerators) {
    CHECK(a.memory() == bytes{1'000'000'000});
    REQUIRE(a.designs().size() == 3);
    CHECK(a.designs()[0].name() == "super_lip");
    CHECK(a.designs()[1].name() == "systolic_array");
    CHECK(a.designs()[2].name() == "winograd");
    CHECK(*a.designs()[0].get_if<hw::super_lip>() ==
          hw::super_lip{.tm = 64, .tn = 7, .tr = 7, .tc = 14, .clock = hertz{200e6}});
    auto const array = *a.designs()[1].get_if<hw::systolic_array>();
    CHECK(array.row == 11);
    CHECK(array.col == 13);
    CHECK(array.vec == 8);
    CHECK(array.fill);
    auto const wino = *a.designs()[2].get_if<hw::winograd>();
    CHECK(wino.n == 6);
    CHECK(wino.pn == 2);
    CHECK(wino.pm == 8);
    CHECK(wino.other_layers == hw::winograd_policy::fallback);
  }
  // 1 MB: 8 Gb/s inside a group is 1 ms; through the host at 2 Gb/s, twice 4 ms.
  any_system const any = f1;
  CHECK(time_between(any, 0, 3, mb) == approx(1e-3));
  CHECK(time_between(any, 4, 7, mb) == approx(1e-3));
  CHECK(time_between(any, 3, 4, mb) == approx(8e-3));

  // 64 → 64 channels, 224×224, K = 3 of mars.md section 9: 4515840 cycles at 200 MHz.
  auto const op = mars_test::make_convolution({.out_channels = 64,
                                               .in_channels = 64,
                                               .rows = 224,
                                               .columns = 224,
                                               .kernel_rows = 3,
                                               .kernel_columns = 3});
  shard const s{op};
  CHECK(f1.accelerators[0].designs()[0].time(s).total.count() == approx(4515840 / 200e6));
  CHECK(f1.accelerators[0].designs()[1].time(s).total.count() == approx((1741824 + 24) / 200e6));
  CHECK(f1.accelerators[0].designs()[2].time(s).total.count() == approx(802816 / 200e6));
}

TEST_CASE("MARS's platform: every number is an option") {
  auto const f1 = presets::aws_f1_16xlarge({.vec = 4,
                                            .clip_tiles = true,
                                            .fill = false,
                                            .other_layers = hw::winograd_policy::unsupported,
                                            .dram = bytes{64'000'000},
                                            .dram_bandwidth = bytes_per_second{12e9},
                                            .host = bytes_per_second{1e9}});
  CHECK(f1.name == "aws_f1_16xlarge_vec4");
  CHECK(f1.accelerators[7].memory() == bytes{64'000'000});
  auto const& designs = f1.accelerators[7].designs();
  CHECK(designs[1].get_if<hw::systolic_array>()->vec == 4);
  CHECK_FALSE(designs[1].get_if<hw::systolic_array>()->fill);
  CHECK(designs[1].memory_bandwidth() == bytes_per_second{12e9});
  CHECK(designs[0].get_if<hw::super_lip>()->clip_tiles);
  // 12 GB/s = 60 B per cycle at 200 MHz = 30 words of 16 bit, shared by three ports.
  CHECK(designs[0].get_if<hw::super_lip>()->input_words_per_cycle == approx(10));
  CHECK(designs[2].get_if<hw::winograd>()->other_layers == hw::winograd_policy::unsupported);
  CHECK(time_between(f1, 0, 7, mb) == approx(2e-3));
  CHECK(f1.validate().has_value());
}

TEST_CASE("boards as documented") {
  auto const f1 = system_named("aws_f1_16xlarge_board");
  CHECK(f1.accelerators[0].memory() == gib(64));
  CHECK(time_between(f1, 0, 1, bytes{11'400'000'000}) == approx(2));
  CHECK(time_between(system_named("aws_f1_16xlarge_ring"), 0, 1, bytes{25'000'000'000}) ==
        approx(1));
  auto const f2 = system_named("aws_f2_48xlarge");
  CHECK(f2.accelerators[0].memory() == gib(16));
  CHECK(f2.accelerators[0].designs()[1].memory_bandwidth() == bytes_per_second{460e9});
  CHECK(system_named("alveo_u280").accelerators[0].memory() == bytes{8'000'000'000});
}

TEST_CASE("GPU servers") {
  auto const h100 = system_named("h100_sxm_8");
  REQUIRE(h100.size() == 8);
  auto const& gpu = h100.accelerators[0];
  CHECK(gpu.power() == watts{700});
  CHECK(gpu.memory() == gib(80) - bytes{3'758'096'384}); // 3.5 GiB for the runtime
  CHECK(gpu.designs()[0].peak(16).count() == approx(989e12));
  CHECK(gpu.designs()[0].peak(8).count() == approx(1978e12));
  CHECK(gpu.designs()[0].memory_bandwidth().count() == approx(3350e9));
  // 450 GB/s and 10 µs.
  CHECK(time_between(h100, 0, 7, bytes{450'000'000}) == approx(1e-3 + 10e-6));
  // 1000×1000×1000 in 16 bit: 2.02 µs of arithmetic, 6 MB at 0.8·3350 GB/s = 2.24 µs, 3 µs launch.
  auto const op = mars_test::make_matmul(1000, 1000, 1000);
  CHECK(gpu.designs()[0].time(shard{op}).total.count() == approx(5.238806e-6).epsilon(1e-6));
  CHECK(gpu.designs()[0].energy(shard{op}).count() == approx(700 * 5.238806e-6).epsilon(1e-6));

  CHECK(system_named("gb200_72").size() == 72);
  CHECK(system_named("b200_sxm_8").accelerators[0].designs()[0].peak(4).count() == approx(9000e12));
  // B300's INT8 (153.5) is below its FP8 (4500).
  CHECK(system_named("b300_sxm_8").accelerators[0].designs()[0].peak(8).count() == approx(4500e12));
  CHECK(presets::gpu_server(presets::gpu_servers()[0], {.reserved = bytes{0}})
            .accelerators[0]
            .memory() == gib(80));
}

TEST_CASE("PCIe servers share the host's tree") {
  auto const l4 = system_named("l4_8");
  CHECK(time_between(l4, 0, 1, bytes{32'000'000}) == approx(1e-3 + 10e-6));
  CHECK(time_between(l4, 0, 7, bytes{32'000'000}) == approx(1e-3 + 10e-6));
  // 0→4 and 1→5 cross the same upstream port; 0→1 and 2→3 share nothing.
  auto const shared = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    auto const first = l4.interconnect.route(accelerator_id{a}, accelerator_id{b});
    auto const second = l4.interconnect.route(accelerator_id{c}, accelerator_id{d});
    int n = 0;
    for (auto const i : first)
      for (auto const j : second) n += i == j ? 1 : 0;
    return n;
  };
  CHECK(shared(0, 4, 1, 5) == 2);
  CHECK(shared(0, 1, 2, 3) == 0);
}

TEST_CASE("TPU slices") {
  auto const v5e = system_named("tpu_v5e_16");
  REQUIRE(v5e.size() == 16);
  CHECK(v5e.accelerators[0].memory() == bytes{16'000'000'000});
  CHECK(v5e.accelerators[0].designs()[0].peak(16).count() == approx(197e12));
  CHECK(v5e.accelerators[0].designs()[0].peak(8).count() == approx(394e12));
  // 4×4 does not wrap: corner to corner is six hops of 1 µs; zero bytes pay only latency.
  CHECK(time_between(v5e, 0, 15, bytes{0}) == approx(6e-6));
  CHECK(time_between(v5e, 0, 1, bytes{45'000'000}) == approx(1e-3 + 1e-6));
  // 16×16 wraps: the far corner is two hops away.
  CHECK(time_between(system_named("tpu_v5e_256"), 0, 255, bytes{0}) == approx(2e-6));
  // A whole 4×4×4 cube wraps: the far corner is three hops away; half a cube does not.
  CHECK(time_between(system_named("tpu_v4p_64"), 0, 63, bytes{0}) == approx(3e-6));
  CHECK(time_between(presets::tpu_slice(presets::tpu_v4p, {2, 4, 4}), 0, 31, bytes{0}) ==
        approx(7e-6));
}

TEST_CASE("Trainium and Gaudi") {
  auto const trn1 = system_named("trn1_32xlarge");
  REQUIRE(trn1.size() == 16);
  CHECK(trn1.accelerators[0].memory() == gib(32));
  CHECK(trn1.accelerators[0].designs()[0].peak(32).count() == approx(47.5e12));
  CHECK(trn1.interconnect.route(accelerator_id{0}, accelerator_id{15}).size() == 4); // hypercube
  CHECK(trn1.interconnect.links().size() == 16 * 4);
  // Both directions of a chip's four links add up to 384 GB/s.
  CHECK(8 * trn1.interconnect.links()[0].bandwidth.count() == approx(384e9));
  auto const trn2 = system_named("trn2_48xlarge");
  CHECK(trn2.interconnect.links().size() == 16 * 4);
  CHECK(8 * trn2.interconnect.links()[0].bandwidth.count() == approx(1.28e12));
  CHECK(time_between(system_named("gaudi3_8"), 0, 1, bytes{600'000'000}) == approx(1e-3));
}

TEST_CASE("processors: public figures, and what follows from them") {
  auto const design = [](std::string_view name) {
    auto const s = system_named(name);
    REQUIRE(s.size() == 1);
    auto const* d = s.accelerators[0].configurations[0].get_if<primitive::processor>();
    REQUIRE(d != nullptr);
    return *d;
  };
  // One core: lanes · 2 flop · units · GHz.
  CHECK(design("core_i7_8700_core").peak(32).count() == approx(8 * 2 * 2 * 4.6e9));
  CHECK(design("hikey_970_core").peak(32).count() == approx(2 * 2 * 2 * 2.36e9));
  CHECK(design("hikey_970_gpu").peak(32).count() == approx(12 * 24 * 850e6));
  CHECK(design("jetson_agx_xavier").peak(32).count() == approx(512 * 2 * 1.377e9).epsilon(1e-3));
  CHECK(design("jetson_agx_xavier").peak(8) == design("jetson_agx_xavier").peak(16) * 2.0);
  // Formats of 16 bits: what has units for one does the other at the rate of 32 bits.
  using enum number_format;
  auto const gains = [&](std::string_view name) {
    auto const d = design(name);
    return std::array{d.peak(16, automatic) / d.peak(32), d.peak(16, bfloat) / d.peak(32)};
  };
  CHECK(gains("zen5_core") == std::array{1.0, 2.0});
  CHECK(gains("core_i7_8700_core") == std::array{1.0, 1.0});
  CHECK(gains("hikey_970_core") == std::array{1.0, 1.0});
  CHECK(gains("hikey_970_gpu") == std::array{2.0, 1.0});
  CHECK(gains("jetson_agx_xavier")[0] > 7);
  CHECK(gains("jetson_agx_xavier")[1] == 1.0);
  CHECK_FALSE(is_known(design("core_i7_8700_core").power)); // 65 W are of six cores
  // No units for narrow elements: emulated at the rate of 32 bits.
  CHECK(design("hikey_970_core").peak(8) == design("hikey_970_core").peak(32));
  CHECK(presets::find_info("hikey_970_core")->grade == presets::evidence::assumed);
  CHECK(presets::find_info("zen5_core")->grade == presets::evidence::third_party);
  for (auto const& d : presets::processors()) {
    CAPTURE(d.name);
    CHECK(presets::processor_design(d).validate().has_value());
  }
}
