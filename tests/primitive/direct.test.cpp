// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/primitive/direct.hpp>

namespace {
using namespace mars;

[[nodiscard]] auto same_3x3(std::int64_t in, std::int64_t out, std::int64_t side)
    -> convolution_layer {
  return {.in_channels = in,
          .out_channels = out,
          .in = {side, side},
          .out = {side, side},
          .kernel = {3, 3},
          .padding = {1, 1}};
}
} // namespace

TEST_CASE("direct: skips taps on padding", "[primitive]") {
  // Valid over nominal of 3×3 with a border of one: ((3n − 2) / 3n)².
  struct expectation {
    std::int64_t side;
    double share;
  };
  for (auto const& [side, share] : {expectation{56, 0.976}, {28, 0.953}, {14, 0.907}, {7, 0.819}}) {
    auto const c = same_3x3(64, 64, side);
    auto const w = primitive::direct{}.work(c, 16);
    CHECK(w.macs / static_cast<double>(macs_of(c).count()) ==
          mars_test::approx(share).margin(5e-4));
  }
  // ResNet-18's first layer as measured: valid MACs, no matter that 3 channels fill no vector.
  convolution_layer const first{.in_channels = 3,
                                .out_channels = 64,
                                .in = {224, 224},
                                .out = {112, 112},
                                .kernel = {7, 7},
                                .stride = {2, 2},
                                .padding = {3, 3}};
  CHECK(primitive::direct{}.work(first, 16).macs == 116214528);
}

TEST_CASE("direct: output channels fill vectors", "[primitive]") {
  auto const macs = [](std::int64_t out, int lanes) {
    return primitive::direct{}.work(same_3x3(8, out, 1), lanes).macs; // one valid tap
  };
  CHECK(macs(16, 16) == 8 * 16);
  CHECK(macs(17, 16) == 8 * 32);
  CHECK(macs(17, 8) == 8 * 24);
  CHECK(macs(17, 1) == 8 * 17);

  // Two groups of 8 outputs leave half of each vector idle; depthwise channels share vectors.
  auto grouped = same_3x3(8, 16, 1);
  grouped.groups = 2;
  CHECK(primitive::direct{}.work(grouped, 16).macs == 4 * 32);
  auto depthwise = same_3x3(24, 24, 1);
  depthwise.groups = 24;
  CHECK(primitive::direct{}.work(depthwise, 16).macs == 32);
}

TEST_CASE("direct: every operand once, nothing besides", "[primitive]") {
  auto c = same_3x3(4, 8, 10);
  auto const w = primitive::direct{}.work(c, 16);
  CHECK(w.weights == bytes{4 * 8 * 4 * 9});
  CHECK(w.workspace == bytes{0});
  CHECK(w.traffic == bytes{4 * (4 * 100 + 8 * 4 * 9 + 8 * 100)});
  CHECK(w.calls == 1);
  CHECK(w.decoded == 0);
  c.element_bits = 8;
  CHECK(primitive::direct{}.work(c, 16).traffic == bytes{4 * 100 + 8 * 4 * 9 + 8 * 100});
  c.density = 0.1; // dense algorithms gain nothing
  CHECK(primitive::direct{}.work(c, 16).weights == bytes{8 * 4 * 9});
  CHECK(primitive::direct{}.work(c, 16).macs == w.macs);
}
