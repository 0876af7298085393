// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every kernel against the double-precision reference, within the error it states.

#include "support/catch.hpp"
#include "support/kernel_layers.hpp"

#include <mars/workload/operation.hpp>
#include <mars/workload/shard.hpp>
#include <mars/zoo/registry.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using mars::plane;

/// Small, but with all that a layer may have.
auto random_layer(mars::random_stream& random) -> mars::convolution_layer {
  auto const up_to = [&](std::uint64_t n) {
    return static_cast<std::int64_t>(random.below(n)) + 1;
  };
  mars::convolution_layer c;
  c.batch = random.chance(0.3) ? up_to(5) : 1;
  switch (random.below(4)) {
  case 0: // depthwise, at times with several outputs for each input
    c.groups = c.in_channels = up_to(40);
    c.out_channels = c.groups * (random.chance(0.3) ? up_to(3) : 1);
    break;
  case 1: // grouped
    c.groups = up_to(5);
    c.in_channels = c.groups * up_to(9);
    c.out_channels = c.groups * up_to(9);
    break;
  default: c.in_channels = up_to(40); c.out_channels = up_to(70);
  }
  if (random.chance(0.5)) {
    c.kernel = {3, 3};
  } else if (random.chance(0.7)) {
    c.kernel = {up_to(5), up_to(5)};
  }
  auto const strided = random.chance(0.3);
  auto const dilated = random.chance(0.2);
  auto const along = [&](std::int64_t plane::*side, std::uint64_t most) {
    if (strided) c.stride.*side = up_to(3);
    if (dilated) c.dilation.*side = up_to(3);
    auto const reach = (c.kernel.*side - 1) * c.dilation.*side + 1;
    if (random.chance(0.6)) c.padding.*side = up_to(static_cast<std::uint64_t>(reach)) - 1;
    c.out.*side = up_to(most);
    // Rows below the image as any: fewer than above, more, or rows of the image that no tap sees.
    auto const needed = (c.out.*side - 1) * c.stride.*side + reach - c.padding.*side;
    c.in.*side = std::max<std::int64_t>(1, needed + static_cast<std::int64_t>(random.below(4)) - 2);
  };
  along(&plane::rows, 8);
  along(&plane::columns, random.chance(0.2) ? 40 : 12);
  if (random.chance(0.1)) c.in = c.out = c.kernel = c.stride = c.dilation = {}, c.padding = {0, 0};
  c.density = random.chance(0.5) ? 1 : 0.3;
  return c;
}

/// A layer of a network with fewer channels and a smaller image, but the same remainders of channels, the
/// same taps on the border and the same rows left over.
auto reduced(mars::convolution_layer c) -> mars::convolution_layer {
  auto const few = [](std::int64_t channels) {
    return channels <= 24 ? channels : 16 + channels % 16;
  };
  auto const in = c.in_channels / c.groups;
  auto const out = c.out_channels / c.groups;
  if (c.is_depthwise()) c.groups = few(c.groups);
  c.in_channels = c.groups * few(in);
  c.out_channels = c.groups * few(out);
  for (auto const side : {&plane::rows, &plane::columns}) {
    auto const less = c.out.*side <= 14 ? 0 : c.out.*side - (9 + c.out.*side % 5);
    c.out.*side -= less;
    c.in.*side -= less * c.stride.*side;
  }
  c.density = 0.5;
  return c;
}

} // namespace

TEST_CASE("every kernel keeps its error on a thousand random layers") {
  std::size_t runs = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    mars::random_stream random{2311, i};
    auto const layer = random_layer(random);
    auto const all = mars_test::run_all(layer, random.substream(0), mars_test::tiles::one);
    INFO(i << ": " << all.worst);
    CHECK(all.largest <= 1);
    runs += all.runs;
  }
  CHECK(runs > 12'000);
}

TEST_CASE("every kernel keeps its error where images are points, in batches") {
  for (std::int64_t const batch : {1, 4, 7, 33})
    for (std::int64_t const size :
         {1, 3}) { // fully connected to a point, and to what is left of an image
      mars::convolution_layer c;
      c.batch = batch;
      c.in_channels = 37;
      c.out_channels = 131;
      c.in = c.kernel = {size, size};
      c.density = batch == 4 ? 0.2 : 1;
      auto const all = mars_test::run_all(c, mars::random_stream{71, 0});
      INFO(all.worst);
      CHECK(all.largest <= 1);
      CHECK(all.runs > 16);
    }
}

TEST_CASE("every kernel keeps its error on the layers of the zoo's CNNs, with few channels") {
  std::set<std::string> seen;
  for (std::string_view const name :
       {"alexnet",     "alexnet_2012", "vgg16",           "vgg19",        "resnet18",
        "resnet34",    "resnet50",     "resnet101",       "resnet152",    "wrn50_2",
        "googlenet",   "inception_v3", "mobilenet_v1",    "mobilenet_v2", "squeezenet",
        "densenet121", "densenet161",  "efficientnet_b0", "casia_surf",   "facebag"}) {
    auto const network = mars::zoo::find(name).value();
    for (auto const v : operators(network)) {
      auto const layer = mars::layer_of(mars::shard{op(network, v)});
      if (!layer) continue;
      auto const small = reduced(*layer);
      if (!seen.insert(mars_test::text_of(small)).second) continue;
      auto const all = mars_test::run_all(small, mars::random_stream{688, seen.size()});
      INFO(name << ": " << all.worst);
      REQUIRE(all.largest <= 1);
      CHECK(all.runs >= 16);
    }
  }
  CHECK(seen.size() >= 80);
}
