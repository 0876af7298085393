// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Minima of PaSE's objective, found here and by the formulas of the authors' tool
// (github.com/baidu-research/PaSE), written down for chains of layers without any of the library's
// algebra. Neither the paper nor the tool's repository prints a minimum.
#include "support/catch.hpp"

#include <mars/cost/pase.hpp>
#include <mars/evaluation/build_uniform_problem.hpp>
#include <mars/parallel/iteration_splits.hpp>
#include <mars/search/exact.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/graph.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace {
using namespace mars;

/// A layer as the tool sees it: a matrix product of b·h·w rows, n columns and c·r·s terms. Rows and
/// columns of an image are not cut.
struct pase_layer {
  std::int64_t b, c, hw, rs, n;
};
using ways = std::array<std::int64_t, 3>; // of b, n, c

constexpr double word = 8 * 10e12 / 16e9; // eight bytes, FLOP

/// Divisors that leave four or more; one in any case.
auto divisors(std::int64_t extent) -> std::vector<std::int64_t> {
  std::vector<std::int64_t> all{1};
  for (std::int64_t d = 2; d <= extent; ++d)
    if (extent % d == 0 && extent / d >= 4) all.push_back(d);
  return all;
}
auto configurations(pase_layer const& l, std::int64_t devices) -> std::vector<ways> {
  std::vector<ways> all;
  for (auto const b : divisors(l.b))
    for (auto const n : divisors(l.n))
      for (auto const c : divisors(l.c))
        if (b * n * c <= devices) all.push_back({b, n, c});
  return all;
}
auto all_reduce(double words, std::int64_t devices) -> double {
  auto const p = static_cast<double>(devices);
  return word * words / p * 2 * (p - 1);
}
auto layer_cost(pase_layer const& l, ways const& w) -> double {
  auto const m = static_cast<double>(l.b / w[0] * l.hw);
  auto const n = static_cast<double>(l.n / w[1]);
  auto const k = static_cast<double>(l.c / w[2] * l.rs);
  return 3 * m * n * k + all_reduce(m * n, w[2]) + all_reduce(m * k, w[1]) +
         all_reduce(n * k, w[0]);
}
auto transfer_cost(pase_layer const& from, ways const& a, ways const& b) -> double {
  auto const hw = static_cast<double>(from.hw);
  std::array const have{static_cast<double>(from.b / a[0]), static_cast<double>(from.n / a[1])};
  std::array const need{static_cast<double>(from.b / b[0]), static_cast<double>(from.n / b[2])};
  double const here =
      b[0] * b[2] > a[0] * a[1] ? 0 : std::min(have[0], need[0]) * std::min(have[1], need[1]) * hw;
  return 2 * word * (need[0] * need[1] * hw - here);
}
auto least(std::vector<pase_layer> const& chain, std::int64_t devices) -> double {
  std::vector<ways> before;
  std::vector<double> value;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    auto const now = configurations(chain[i], devices);
    std::vector<double> next;
    for (auto const& w : now) {
      auto best = i == 0 ? 0.0 : std::numeric_limits<double>::infinity();
      for (std::size_t j = 0; j < before.size(); ++j)
        best = std::min(best, value[j] + transfer_cost(chain[i - 1], before[j], w));
      next.push_back(best + layer_cost(chain[i], w));
    }
    before = now;
    value = next;
  }
  return *std::min_element(value.begin(), value.end());
}

/// The tool's configurations: at most p devices, shards of four or more, images in one piece.
parallel::iteration_splits const tool{
    .idle = true, .least_extent = 4, .may_cut = [](operation const& op, std::size_t d) {
      auto const name = op.dims[d].name;
      return op.kind != op_kind::convolution || (name != label{"y"} && name != label{"x"});
    }};
} // namespace

TEST_CASE("PaSE's minima of AlexNet's classifier and of its last convolutions, batch 128") {
  std::vector<pase_layer> const classifier{
      {128, 9216, 1, 1, 4096}, {128, 4096, 1, 1, 4096}, {128, 4096, 1, 1, 1024}};
  std::vector<pase_layer> const convolutions{{128, 96, 27 * 27, 25, 256},
                                             {128, 256, 27 * 27, 9, 384},
                                             {128, 384, 27 * 27, 9, 384},
                                             {128, 384, 27 * 27, 9, 256}};
  builder f{"classifier"};
  auto x = f.input("x", {128, 9216});
  for (auto const& l : classifier) x = f.linear(x, l.n, false);
  f.output(x);
  builder c{"convolutions"};
  auto y = c.input("y", {128, 96, 27, 27});
  for (auto const& l : convolutions) {
    std::int64_t const r = l.rs == 25 ? 5 : 3;
    y = c.conv(y,
               {.out_channels = l.n, .kernel = {r, r}, .padding = {r / 2, r / 2}, .bias = false});
  }
  c.output(y);
  auto const products = std::move(f).build().value();
  auto const images = std::move(c).build().value();
  for (std::int64_t const devices : {1, 4, 8, 12, 16, 32, 64}) {
    for (auto const& [g, chain] : {std::pair{&products, &classifier}, {&images, &convolutions}}) {
      auto const problem = build_uniform_problem(*g, static_cast<std::size_t>(devices), tool,
                                                 cost::pase{.element_bytes = 8})
                               .value();
      auto const found = search::exact{}(problem, {});
      CHECK(found.exhausted);
      auto const expected = least(*chain, devices);
      INFO(devices << " devices: " << in_units(found.value.value) << ", expected " << expected);
      CHECK(in_units(found.value.value) == mars_test::approx(expected).epsilon(1e-12));
    }
  }
}
