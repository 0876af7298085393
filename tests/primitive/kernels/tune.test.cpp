// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "support/catch.hpp"
#include "support/kernel_layers.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace {

using mars::primitive::kernels::code_generation;
using mars::primitive::kernels::prepare;
using mars::primitive::kernels::program;

auto a_layer() -> mars::convolution_layer {
  mars::convolution_layer c;
  c.in_channels = 5;
  c.out_channels = 6;
  c.in = c.out = {8, 8};
  c.kernel = {3, 3};
  c.padding = {1, 1};
  return c;
}
auto weights_of(mars::convolution_layer const& c) -> std::vector<float> {
  return std::vector<float>(static_cast<std::size_t>(mars::weights_of(c)), 1.0F);
}

} // namespace

TEST_CASE(
    "tuning takes the tile whose time is least, the first of equals, and asks once for each") {
  auto const c = a_layer();
  auto const weights = weights_of(c);
  for (auto const& e : mars::primitive::kernels::catalogue()) {
    CAPTURE(e.name);
    auto const all = e.candidates(c, weights);
    REQUIRE(all.size() >= 4);
    std::vector<std::string> asked;
    auto const time = [&](program const& p) {
      asked.emplace_back(p.tile());
      return asked.size() == 3 ? 1.0 : 2.0;
    };
    auto const best = prepare(e.name, code_generation::tuned, c, weights, time);
    REQUIRE(best);
    CHECK(asked.size() == all.size());
    CHECK(best->tile() == all[2].tile());
    CHECK(best->primitive() == e.name);
    auto const first =
        prepare(e.name, code_generation::tuned, c, weights, [](program const&) { return 1; });
    REQUIRE(first);
    CHECK(first->tile() == all[0].tile());
  }
}

TEST_CASE("an untuned program is not timed, and one candidate neither") {
  auto const never = [](program const&) -> double {
    FAIL("timed");
    return 0;
  };
  auto c = a_layer();
  CHECK(prepare("direct", code_generation::untuned, c, weights_of(c), never).has_value());
  c.in = c.out = c.kernel = {1, 1};
  c.padding = {0, 0};
  CHECK(prepare("im2col_gemm", code_generation::tuned, c, weights_of(c), never).has_value());
}

TEST_CASE("there is no program of an unknown primitive, nor for a layer that it does not support") {
  auto const time = [](program const&) { return 1.0; };
  auto c = a_layer();
  CHECK_FALSE(prepare("fft", code_generation::untuned, c, weights_of(c), time).has_value());
  CHECK(prepare("winograd_f4x3", code_generation::untuned, c, weights_of(c), time).has_value());
  auto const refused = [&](auto change) {
    auto changed = c;
    change(changed);
    return !prepare("winograd_f2x3", code_generation::untuned, changed, weights_of(changed), time);
  };
  CHECK(refused([](auto& l) { l.stride = {1, 2}, l.out.columns = 4; }));
  CHECK(refused([](auto& l) { l.dilation = {2, 1}, l.out.rows = 6; }));
  CHECK(refused([](auto& l) { l.kernel = {3, 1}, l.out.columns = 10; }));
  CHECK(refused([](auto& l) { l.in_channels = l.groups = 2; }));
}

TEST_CASE("a program runs again and again, and its copies too") {
  auto const c = a_layer();
  mars::random_stream random{5, 5};
  auto const input = mars_test::random_floats(static_cast<std::size_t>(5 * 8 * 8), random);
  auto const weights =
      mars_test::random_floats(static_cast<std::size_t>(mars::weights_of(c)), random);
  for (auto const& e : mars::primitive::kernels::catalogue()) {
    CAPTURE(e.name);
    auto const p = e.untuned(c, weights);
    auto const copy = p;
    auto const once = mars_test::run(p, c, input);
    CHECK(mars_test::run(p, c, input) == once);
    CHECK(mars_test::run(copy, c, input) == once);
  }
}

TEST_CASE("sparse programs keep eight bytes a nonzero and four a row") {
  auto const c = a_layer();
  auto weights = weights_of(c);
  for (std::size_t i = 0; i < weights.size(); i += 2) weights[i] = 0;
  auto const nonzeros = weights.size() / 2;
  for (std::string_view const name : {"csr_direct", "csr_gemm", "csr_spatial_pack"}) {
    auto const p =
        prepare(name, code_generation::untuned, c, weights, [](program const&) { return 1; });
    REQUIRE(p);
    CHECK(p->weights_bytes() == nonzeros * 8 + 7 * 4);
  }
}
