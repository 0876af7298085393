// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Published and derived figures of MARS and Super-LIP. Layer lists are written here from the
// networks' definitions (torchvision, 224×224), independently of the zoo.
#include "support/catch.hpp"

#include <mars/hardware/designs/super_lip.hpp>
#include <mars/hardware/designs/systolic_array.hpp>
#include <mars/hardware/designs/winograd.hpp>
#include <mars/zoo.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace mars_vectors {
namespace {

using mars::convolution_shape;
namespace hw = mars::hardware;

auto layer(std::int64_t m, std::int64_t n, std::int64_t side, std::int64_t k, std::int64_t s = 1)
    -> convolution_shape {
  return {.out_channels = m,
          .in_channels = n,
          .rows = side,
          .columns = side,
          .kernel_rows = k,
          .kernel_columns = k,
          .stride = s,
          .column_stride = s};
}

using network = std::vector<convolution_shape>;

auto alexnet() -> network {
  return {layer(64, 3, 55, 11, 4), layer(192, 64, 27, 5), layer(384, 192, 13, 3),
          layer(256, 384, 13, 3), layer(256, 256, 13, 3)};
}

auto vgg16() -> network {
  network net;
  std::int64_t in = 3;
  std::int64_t side = 224;
  for (auto const& [channels, count] : {std::pair{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}}) {
    for (int i = 0; i < count; ++i, in = channels) net.push_back(layer(channels, in, side, 3));
    side /= 2;
  }
  return net;
}

auto resnet34() -> network {
  network net{layer(64, 3, 112, 7, 2)};
  std::int64_t in = 64;
  std::int64_t side = 56;
  for (auto const& [channels, count] : {std::pair{64, 3}, {128, 4}, {256, 6}, {512, 3}})
    for (int i = 0; i < count; ++i, in = channels) {
      bool const first = i == 0 && channels != 64;
      if (first) side /= 2;
      net.push_back(layer(channels, in, side, 3, first ? 2 : 1));
      net.push_back(layer(channels, channels, side, 3));
      if (first) net.push_back(layer(channels, in, side, 1, 2));
    }
  return net;
}

/// Bottlenecks of `width` · 1, 2, 4, 8 inner channels, the stride on the 3×3 convolution.
auto bottlenecks(std::int64_t width, std::array<int, 4> counts) -> network {
  network net{layer(64, 3, 112, 7, 2)};
  std::int64_t in = 64;
  std::int64_t side = 56;
  std::int64_t out = 256;
  for (std::size_t stage = 0; stage < 4; ++stage, width *= 2, out *= 2)
    for (int i = 0; i < counts[stage]; ++i, in = out) {
      std::int64_t const stride = i == 0 && stage > 0 ? 2 : 1;
      net.push_back(layer(width, in, side, 1));
      side /= stride;
      net.push_back(layer(width, width, side, 3, stride));
      net.push_back(layer(out, width, side, 1));
      if (i == 0) net.push_back(layer(out, in, side, 1, stride));
    }
  return net;
}
auto resnet101() -> network { return bottlenecks(64, {3, 4, 23, 3}); }
auto wrn50_2() -> network { return bottlenecks(128, {3, 4, 6, 3}); }

// fill: 0 in the reference's figures
auto systolic(std::int64_t vec = 8) -> hw::systolic_array { return {.vec = vec, .fill = false}; }

} // namespace

TEST_CASE("Super-LIP: the vector of its own performance model") {
  // 100 MHz, 2 words per cycle on each port.
  hw::super_lip const d{.tm = 8,
                        .tn = 32,
                        .tr = 13,
                        .tc = 13,
                        .clock = mars::hertz{100e6},
                        .weight_words_per_cycle = 2,
                        .input_words_per_cycle = 2,
                        .output_words_per_cycle = 2};
  auto c = layer(128, 192, 13, 3);
  c.batch = 2;
  CHECK(d.cycles(c).total == 519168.0);

  SECTION("shared over several FPGAs") {
    auto const xfer = [&](std::int64_t b, std::int64_t r, std::int64_t col, std::int64_t m) {
      return hw::xfer_cycles(d, c,
                             {.batch = b,
                              .rows = r,
                              .columns = col,
                              .out_channels = m,
                              .link_words_per_cycle = 2})
          .total;
    };
    CHECK(xfer(1, 1, 1, 1) == 519168.0);
    CHECK(xfer(1, 1, 1, 2) == 146016.0);
    CHECK(xfer(2, 1, 1, 1) == 259584.0);
    CHECK(xfer(1, 2, 1, 1) == 519168.0);
    CHECK(xfer(2, 1, 1, 2) == 73008.0);
    CHECK(xfer(1, 1, 1, 4) == 73008.0);
  }
}

TEST_CASE("MACs per cycle of the three designs") {
  CHECK(hw::super_lip{}.macs_per_cycle() == 448);
  CHECK(systolic(8).macs_per_cycle() == 1144);
  CHECK(systolic(4).macs_per_cycle() == 572);
  CHECK(hw::winograd{}.multipliers() == 576);
  CHECK(hw::winograd{}.macs_per_cycle() == 2304);
}

TEST_CASE("single layers, compute-only cycles") {
  struct row {
    convolution_shape c;
    double super_lip, systolic, native, direct, split;
  };
  double const none = -1;
  for (auto const& r : {row{layer(64, 64, 224, 3), 4515840, 1741824, 802816, none, none},
                        row{layer(64, 3, 112, 7, 2), 614656, 296352, none, 283024, 200704},
                        row{layer(256, 64, 56, 1), 125440, 53760, none, 102400, 200704},
                        row{layer(128, 64, 28, 3, 2), 141120, 72576, none, 115200, 100352},
                        row{layer(192, 64, 27, 5), 588000, 291600, none, 480000, 150528}}) {
    CAPTURE(r.c.out_channels, r.c.in_channels, r.c.rows);
    CHECK(hw::super_lip{}.cycles(r.c).total == r.super_lip);
    CHECK(systolic().cycles(r.c) == r.systolic);
    hw::winograd const w{};
    if (r.native != none) {
      CHECK(w.is_native(r.c));
      CHECK(w.cycles(r.c) == r.native);
    } else {
      CHECK_FALSE(w.is_native(r.c));
      CHECK(w.direct_cycles(r.c) == r.direct);
      CHECK(w.split_cycles(r.c) == r.split);
      CHECK(w.cycles(r.c) == std::min(r.direct, r.split));
    }
  }
}

TEST_CASE("the layer of the sharding example") {
  // Critical shards of Cout = Cin = 512, 14×14, K = 3 over four accelerators (mars.md, section 5).
  auto const cout = layer(128, 512, 14, 3);
  auto const cin = layer(512, 128, 14, 3);
  auto w = layer(512, 512, 14, 3);
  w.columns = 4;
  auto phase = w;
  phase.out_channels = 128;
  CHECK(systolic().cycles(cout) == 193536);
  CHECK(systolic().cycles(cin) == 189504);
  CHECK(systolic().cycles(w) == 379008);
  CHECK(systolic().cycles(phase) == 96768);
}

TEST_CASE("whole networks, conv layers on one accelerator, compute-only cycles") {
  struct row {
    char const* name;
    network net;
    std::size_t layers;
    double super_lip, systolic, native;
    std::size_t native_layers;
    double winograd, best;
  };
  for (auto const& r :
       {row{"AlexNet", alexnet(), 5, 1912960, 814170, 237568, 3, 438272, 438272},
        row{"VGG16", vgg16(), 13, 35590464, 17369856, 6857728, 13, 6857728, 6857728},
        row{"ResNet34", resnet34(), 36, 10263344, 5408032, 1700864, 29, 2328064, 2195008},
        row{"ResNet101", resnet101(), 104, 19674480, 12158496, 1873920, 30, 13831168, 8501632},
        row{"WRN-50-2", wrn50_2(), 53, 30651264, 16362528, 3039232, 13, 17049600, 10806656}}) {
    CAPTURE(r.name);
    hw::super_lip const one{};
    auto const two = systolic();
    hw::winograd const three{};
    double super_lip = 0;
    double systolic_cycles = 0;
    double native = 0;
    double winograd = 0;
    double best = 0;
    std::size_t native_layers = 0;
    for (auto const& c : r.net) {
      super_lip += one.cycles(c).total;
      systolic_cycles += two.cycles(c);
      winograd += three.cycles(c);
      if (three.is_native(c)) {
        native += three.cycles(c);
        ++native_layers;
      }
      best += std::min({one.cycles(c).total, two.cycles(c), three.cycles(c)});
      CHECK(one.cycles(c).total > std::min(two.cycles(c), three.cycles(c))); // never leads
    }
    CHECK(r.net.size() == r.layers);
    CHECK(super_lip == r.super_lip);
    CHECK(systolic_cycles == r.systolic);
    CHECK(native == r.native);
    CHECK(native_layers == r.native_layers);
    CHECK(winograd == r.winograd);
    CHECK(best == r.best);
  }
}

TEST_CASE("with vec = 4 every design leads somewhere") {
  auto const leaders = [](network const& net) {
    std::array<int, 3> count{};
    for (auto const& c : net) {
      std::array const t{hw::super_lip{}.cycles(c).total, systolic(4).cycles(c),
                         hw::winograd{}.cycles(c)};
      ++count[static_cast<std::size_t>(std::min_element(t.begin(), t.end()) - t.begin())];
    }
    return count;
  };
  CHECK(leaders(resnet101()) == std::array{48, 6, 50});
  CHECK(leaders(wrn50_2()) == std::array{14, 6, 33});
}

TEST_CASE("the zoo's networks cost the same as the lists above") {
  auto const same_layers = [](mars::graph const& g, network net) {
    network found;
    for (auto const v : operators(g))
      if (op(g, v).kind == mars::op_kind::convolution)
        found.push_back(*as_convolution(mars::shard{op(g, v)}));
    auto const less = [](convolution_shape const& a, convolution_shape const& b) {
      auto const key = [](convolution_shape const& c) {
        return std::array{c.out_channels,   c.in_channels, c.rows,   c.columns, c.kernel_rows,
                          c.kernel_columns, c.stride,      c.groups, c.batch};
      };
      return key(a) < key(b);
    };
    std::sort(found.begin(), found.end(), less);
    std::sort(net.begin(), net.end(), less);
    return found == net;
  };
  CHECK(same_layers(mars::zoo::alexnet(), alexnet()));
  CHECK(same_layers(mars::zoo::vgg16(), vgg16()));
  CHECK(same_layers(mars::zoo::resnet34(), resnet34()));
  CHECK(same_layers(mars::zoo::resnet101(), resnet101()));
  CHECK(same_layers(mars::zoo::wrn50_2(), wrn50_2()));
}

} // namespace mars_vectors
