// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Memory limits of mapping follow from the compressed graph: nobody tells the mapper.

#include "support/catch.hpp"
#include "support/tiny_systems.hpp"

#include <mars/compression/channel_pruning.hpp>
#include <mars/compression/precision.hpp>
#include <mars/compression/then.hpp>
#include <mars/mapper.hpp>
#include <mars/zoo/vgg.hpp>

#include <cstdint>

TEST_CASE("a network that exceeds a device's memory fits once it is compressed") {
  // VGG-16 has 138.36 M parameters, 553 MB of 32 bits. Two of its maps of 64×224×224 elements, 12.8 MB
  // each, are alive at once, and rather less than 10 MB more.
  auto const system = mars_test::uniform_system(
      mars_test::ic::fully_connected{.accelerators = 1, .bandwidth = mars::bytes_per_second{1e9}},
      {mars_test::plain_design("plain", 1e12)}, mars::bytes{190'000'000});
  mars::mapper const mapper{mars::cost::analytical{}, mars::parallel::exclusive_shared{},
                            mars::search::exact{}};
  auto const g = mars::zoo::vgg16({.element_bits = 32});
  auto const fits = [&](mars::graph const& h) { return mapper(h, system).feasible(); };

  namespace compression = mars::compression;
  CHECK_FALSE(fits(g));
  CHECK_FALSE(fits(compression::float16{}(g).value()));                     // 277 MB
  CHECK(fits(compression::int8{}(g).value()));                              // 138 MB and scales
  CHECK_FALSE(fits(compression::channel_pruning{.keep = 0.75}(g).value())); // 0.57 of 553 MB
  CHECK(
      fits(compression::then{compression::channel_pruning{.keep = 0.75}, compression::float16{}}(g)
               .value())); // 157 MB
}
