// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/primitive/direct.hpp>
#include <mars/primitive/winograd.hpp>

namespace {
using namespace mars;

[[nodiscard]] auto layer(std::int64_t channels, std::int64_t side) -> convolution_layer {
  return {.in_channels = channels,
          .out_channels = channels,
          .in = {side, side},
          .out = {side, side},
          .kernel = {3, 3},
          .padding = {1, 1}};
}
[[nodiscard]] auto ratio(bytes a, bytes b) -> double { return a / b; }
} // namespace

TEST_CASE("winograd: weights grow, MACs shrink", "[primitive]") {
  auto const c = layer(64, 56); // 56 is a multiple of both tiles
  auto const dense = primitive::direct{}.work(c, 16).weights;
  auto const small = primitive::winograd_f2x3{}.work(c, 16);
  auto const large = primitive::winograd_f4x3{}.work(c, 16);
  CHECK(ratio(small.weights, dense) == mars_test::approx(1.78).margin(5e-3));
  CHECK(ratio(large.weights, dense) == 4);
  auto const nominal = static_cast<double>(macs_of(c).count());
  CHECK(small.macs / nominal == mars_test::approx(0.444).margin(5e-4));
  CHECK(large.macs / nominal == 0.25);
  // The weights that leave a cache of 32 MiB on ResNet-18's last layers.
  CHECK(primitive::winograd_f4x3{}.work(layer(512, 7), 16).weights / bytes{1'000'000} ==
        mars_test::approx(37.7).margin(0.05));
}

TEST_CASE("winograd: tiles are whole", "[primitive]") {
  // 7×7 outputs: 4×4 tiles of F(2,3), 2×2 of F(4,3).
  auto c = layer(16, 7);
  c.batch = 3;
  auto const small = primitive::winograd_f2x3{}.work(c, 16);
  CHECK(small.macs == 16 * (3 * 16) * 16 * 16);
  CHECK(small.calls == 16);
  CHECK(small.workspace == bytes{4 * 16 * (3 * 16) * 32});
  // 2t·a = 2·4·4 per tile and input channel, (t+m)·b = 6·4 per tile and output channel.
  CHECK(small.transform_ops == 48 * (32 * 16 + 24 * 16));
  auto const large = primitive::winograd_f4x3{}.work(c, 16);
  CHECK(large.macs == 36 * (3 * 4) * 16 * 16);
  CHECK(large.calls == 36);
  CHECK(large.transform_ops == 12 * (2 * 6 * 12 * 16 + 10 * 10 * 16));
  CHECK(large.traffic == bytes{4 * (2 * 3 * 16 * 49 + 36 * 16 * 16) + 2 * (4 * 36 * (3 * 4) * 32)});
  // Vectors of output channels are whole, too, and of input channels in transforms.
  c.out_channels = 17;
  CHECK(primitive::winograd_f4x3{}.work(c, 16).macs == 36 * 12 * 16 * 32);
  CHECK(primitive::winograd_f4x3{}.work(c, 16).weights == bytes{4 * 36 * 16 * 17});
  c.in_channels = 3;
  CHECK(primitive::winograd_f4x3{}.work(c, 16).macs == 36 * 12 * 3 * 32);
  CHECK(primitive::winograd_f4x3{}.work(c, 16).transform_ops ==
        12 * (2 * 6 * 12 * 16 + 10 * 10 * 32));
}

TEST_CASE("winograd: what it can run", "[primitive]") {
  primitive::winograd_f2x3 const p;
  CHECK(p.name() == "winograd_f2x3");
  CHECK(primitive::winograd_f4x3{}.name() == "winograd_f4x3");
  auto const without = [&](auto change) {
    auto c = layer(64, 14);
    change(c);
    return p.supports(c);
  };
  CHECK(without([](auto&) {}));
  CHECK(without([](auto& c) { c.padding = {0, 0}; }));
  CHECK(without([](auto& c) { c.element_bits = 16; }));
  CHECK_FALSE(without([](auto& c) { c.kernel = {5, 5}; }));
  CHECK_FALSE(without([](auto& c) { c.kernel = {3, 1}; }));
  CHECK_FALSE(without([](auto& c) { c.stride = {2, 2}; }));
  CHECK_FALSE(without([](auto& c) { c.stride = {1, 2}; }));
  CHECK_FALSE(without([](auto& c) { c.dilation = {2, 2}; }));
  CHECK_FALSE(without([](auto& c) { c.groups = 2; }));
  CHECK_FALSE(without([](auto& c) { c.element_bits = 8; }));
}
