// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/primitive/im2col_gemm.hpp>

using namespace mars;

TEST_CASE("im2col_gemm: unfolds per image and group", "[primitive]") {
  // 2 images, 2 groups of 3 → 4 channels, 5×7 outputs of a 3×3 kernel: k·n = 27·35 elements.
  convolution_layer const c{.batch = 2,
                            .groups = 2,
                            .in_channels = 6,
                            .out_channels = 8,
                            .in = {5, 7},
                            .out = {5, 7},
                            .kernel = {3, 3},
                            .padding = {1, 1}};
  auto const w = primitive::im2col_gemm{}.work(c, 16);
  CHECK(w.macs == 2 * 2 * 4 * 27 * 35);
  CHECK(w.calls == 4);
  CHECK(w.weights == bytes{4 * 8 * 27});
  CHECK(w.workspace == bytes{4 * 27 * 35});
  // Input, weights and output once; the matrix of each image and group written and read.
  CHECK(w.traffic == bytes{4 * (2 * 6 * 35 + 8 * 27 + 2 * 8 * 35) + 2 * 4 * (4 * 27 * 35)});
}

TEST_CASE("im2col_gemm: 1×1 of stride 1 lies as it must", "[primitive]") {
  convolution_layer c{.in_channels = 64, .out_channels = 128, .in = {14, 14}, .out = {14, 14}};
  auto const as_it_lies = primitive::im2col_gemm{}.work(c, 16);
  CHECK(as_it_lies.workspace == bytes{0});
  CHECK(as_it_lies.traffic == bytes{4 * (64 * 196 + 64 * 128 + 128 * 196)});
  c.in = {28, 28};
  c.stride = {2, 2};
  CHECK(primitive::im2col_gemm{}.work(c, 16).workspace == bytes{4 * 64 * 196});
}

TEST_CASE("im2col_gemm: a call per channel when depthwise", "[primitive]") {
  convolution_layer const c{.groups = 96,
                            .in_channels = 96,
                            .out_channels = 96,
                            .in = {56, 56},
                            .out = {56, 56},
                            .kernel = {3, 3},
                            .padding = {1, 1}};
  auto const w = primitive::im2col_gemm{}.work(c, 16);
  CHECK(w.calls == 96);
  CHECK(w.macs == 96.0 * 9 * 56 * 56); // taps on padding count
  CHECK(w.workspace == bytes{4 * 9 * 56 * 56});
}
