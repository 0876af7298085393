// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/primitive/spatial_pack.hpp>

using namespace mars;

TEST_CASE("spatial_pack: blocks of channels and tiles of outputs are whole", "[primitive]") {
  // 3 → 20 channels, 5×7 outputs in tiles of 2×4, vectors of 16: 16 → 32 channels, 6×8 outputs.
  convolution_layer const c{.batch = 2,
                            .in_channels = 3,
                            .out_channels = 20,
                            .in = {5, 7},
                            .out = {5, 7},
                            .kernel = {3, 3},
                            .padding = {1, 1}};
  auto const w = primitive::spatial_pack{.tile = {2, 4}}.work(c, 16);
  CHECK(w.macs == 2 * 32 * 16 * 9 * 6 * 8);
  CHECK(w.weights == bytes{4 * 32 * 16 * 9});
  // The image with its border, 7×9, and 16 channels of 6×8 outputs.
  CHECK(w.workspace == bytes{4 * 3 * 7 * 9 + 4 * 16 * 6 * 8});
  CHECK(w.traffic == bytes{4 * (2 * 3 * 35 + 32 * 16 * 9 + 2 * 20 * 35) + 2 * 2 * (4 * 3 * 7 * 9)});
}

TEST_CASE("spatial_pack: nothing to copy without a border", "[primitive]") {
  convolution_layer const c{.in_channels = 32, .out_channels = 32, .in = {8, 8}, .out = {8, 8}};
  auto const w = primitive::spatial_pack{}.work(c, 16);
  CHECK(w.macs == 32 * 32 * 64);
  CHECK(w.workspace == bytes{4 * 16 * 64});
  CHECK(w.traffic == bytes{4 * (32 * 64 + 32 * 32 + 32 * 64)});
}

TEST_CASE("spatial_pack: depthwise channels share blocks", "[primitive]") {
  convolution_layer const c{.groups = 24,
                            .in_channels = 24,
                            .out_channels = 24,
                            .in = {8, 8},
                            .out = {8, 8},
                            .kernel = {3, 3},
                            .padding = {1, 1}};
  auto const w = primitive::spatial_pack{}.work(c, 16);
  CHECK(w.macs == 32 * 9 * 64);
  CHECK(w.weights == bytes{4 * 32 * 9});
}
