// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/primitive/spatial_pack.hpp>

using namespace mars;

TEST_CASE("spatial_pack: vectors and tiles of outputs are whole", "[primitive]") {
  // 3 → 20 channels, 5×7 outputs in tiles of 2×4, vectors of 16: 32 channels, 6×8 outputs.
  convolution_layer const c{.batch = 2,
                            .in_channels = 3,
                            .out_channels = 20,
                            .in = {5, 7},
                            .out = {5, 7},
                            .kernel = {3, 3},
                            .padding = {1, 1}};
  primitive::spatial_pack p{.tile = {2, 4}};
  auto const w = p.work(c, 16);
  CHECK(w.macs == 2 * 32 * 3 * 9 * 6 * 8);
  CHECK(w.weights == bytes{4 * 32 * 3 * 9});
  // The image with its border, 7×9, and 16 channels of 6×8 outputs.
  CHECK(w.workspace == bytes{4 * 3 * 7 * 9 + 4 * 16 * 6 * 8});
  // Packed once per image; two blocks of outputs unpacked.
  CHECK(w.traffic == bytes{4 * (2 * 3 * 35 + 32 * 3 * 9 + 2 * 20 * 35) + 2 * 2 * (4 * 3 * 7 * 9) +
                           2 * 2 * (4 * 32 * 6 * 8)});

  p.whole_blocks = true; // 16 input channels, too
  CHECK(p.work(c, 16).macs == 2 * 32 * 16 * 9 * 6 * 8);
  CHECK(p.work(c, 16).weights == bytes{4 * 32 * 16 * 9});
  CHECK(p.work(c, 16).workspace == w.workspace);
}

TEST_CASE("spatial_pack: the default tile leaves no rest of usual images", "[primitive]") {
  for (std::int64_t const side : {112, 56, 28, 14, 7}) {
    convolution_layer const c{
        .in_channels = 32, .out_channels = 32, .in = {side, side}, .out = {side, side}};
    CHECK(primitive::spatial_pack{}.work(c, 16).macs == static_cast<double>(32 * 32 * side * side));
  }
}

TEST_CASE("spatial_pack: depthwise channels share blocks", "[primitive]") {
  convolution_layer const c{.groups = 24,
                            .in_channels = 24,
                            .out_channels = 24,
                            .in = {7, 7},
                            .out = {7, 7},
                            .kernel = {3, 3},
                            .padding = {1, 1}};
  for (bool const whole : {false, true}) {
    auto const w = primitive::spatial_pack{.whole_blocks = whole}.work(c, 16);
    CHECK(w.macs == 32 * 9 * 49);
    CHECK(w.weights == bytes{4 * 32 * 9});
  }
}
