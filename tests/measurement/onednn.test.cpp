// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/measurement/onednn.hpp>
#include <mars/workload/convolution_layer.hpp>

#include <algorithm>
#include <set>
#include <string>

using mars::convolution_layer;
using mars::measurement::onednn;
using mars::measurement::precision;

namespace {

/// A 3×3 convolution of stride 1, which every algorithm can do.
constexpr convolution_layer small{.in_channels = 16,
                                  .out_channels = 32,
                                  .in = {14, 14},
                                  .out = {14, 14},
                                  .kernel = {3, 3},
                                  .padding = {1, 1}};

} // namespace

TEST_CASE("onednn: implementations of a layer run", "[measurement]") {
  auto const library = onednn::open().value();
  CHECK(onednn::version().substr(0, 2) == "2.");
  auto const kernels = library.kernels(small).value();
  REQUIRE_FALSE(kernels.empty());
  std::set<std::string> primitives;
  for (auto const& k : kernels) {
    CAPTURE(k.implementation());
    auto const primitive = std::string{onednn::primitive_of(k.implementation())};
    CHECK(primitives.insert(primitive).second); // one of each
    CHECK(k.implementation().substr(0, 3) != "ref");
    CHECK(k.weights().count() >= 4 * 16 * 32 * 9);
    if (primitive == "winograd_f4x3") CHECK(k.weights().count() >= 4 * 16 * 32 * 36);
    k();
  }
  // The choice left to it is one of all there are.
  auto const all = library.names(small);
  CHECK(all.size() >= kernels.size());
  CHECK(std::count(all.begin(), all.end(), library.chosen_for(small)) == 1);
  auto const unknown = library.prepare(small, precision::fp32, {"no such kernel"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == mars::error_code::unknown_name);
}

#if __has_include(<dlfcn.h>)
TEST_CASE("onednn: the program keeps its threads", "[measurement]") {
  auto const library = onednn::open().value();
  auto const set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  auto const get = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
  if (set == nullptr || get == nullptr) return; // a library without OpenMP
  auto const before = get();
  set(3);
  auto const kernels = onednn::open().value().kernels(small).value();
  for (auto const& k : kernels) k();
  CHECK(get() == 3);
  {
    mars::measurement::detail::one_thread const alone;
    CHECK(get() == 1);
  }
  set(before);
}
#endif

TEST_CASE("onednn: strides, dilation, groups, uneven padding, points, other precisions",
          "[measurement]") {
  auto const library = onednn::open().value();
  auto strided = small;
  strided.stride = {2, 2};
  strided.out = {7, 7};
  auto dilated = small;
  dilated.dilation = {2, 2};
  dilated.out = {12, 12};
  auto grouped = small;
  grouped.groups = 16;
  auto cut = small; // no border below: the output ends early
  cut.out = {13, 14};
  cut.padding = {1, 1};
  convolution_layer const point{.batch = 2, .in_channels = 30, .out_channels = 10};
  for (auto const& c : {strided, dilated, grouped, cut, point})
    for (auto const p : {precision::fp32, precision::bf16, precision::int8}) {
      auto const kernels = library.kernels(c, p).value();
      if (p == precision::fp32) CHECK_FALSE(kernels.empty());
      for (auto const& k : kernels) {
        CHECK(k.element() == p);
        if (c.stride.rows == 2)
          CHECK(onednn::primitive_of(k.implementation()).substr(0, 8) != "winograd");
        k();
      }
    }
  // No layer at all: the output cannot come from that input.
  auto impossible = small;
  impossible.groups = 5;
  CHECK(library.kernels(impossible).value().empty());
  CHECK(library.chosen_for(impossible).empty());
}

TEST_CASE("onednn: a source of candidates, one of which is its own choice", "[measurement]") {
  auto const library = onednn::open().value();
  auto const source = mars::measurement::onednn_kernels(library);
  auto const all = source(small).value();
  REQUIRE_FALSE(all.empty());
  int automatic = 0;
  for (auto const& c : all) {
    CHECK(c.code == "onednn");
    CHECK(c.version == onednn::version());
    automatic += c.automatic ? 1 : 0;
    auto const kernel = c.prepare().value();
    CHECK(kernel.implementation == c.kernel);
    kernel.run();
  }
  CHECK(automatic == 1);
  auto sparse = small;
  sparse.density = 0.5;
  CHECK(source(sparse).value().empty());
}
