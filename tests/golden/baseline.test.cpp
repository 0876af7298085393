// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The written baseline (MARS reference, section 7) against a second implementation of its six steps,
// which reads nothing but the extents of the layers: cycles, cuts, designs and sets are its own.
#include "support/catch.hpp"

#include <mars/hardware/presets/fpga.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/builder.hpp>
#include <mars/zoo/alexnet.hpp>
#include <mars/zoo/resnet.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {
using mars::operator_id;

auto up(std::int64_t a, std::int64_t b) -> std::int64_t { return (a + b - 1) / b; }

/// Cout, Cin, H, W, kernel and stride of a layer.
struct layer {
  std::array<std::int64_t, 4> extent; ///< Cout, Cin, H, W
  std::int64_t kernel{1};
  std::int64_t stride{1};
  std::array<char const*, 4> names{"k", "c", "y", "x"};
};

auto conv(std::int64_t cout, std::int64_t cin, std::int64_t side, std::int64_t kernel,
          std::int64_t stride = 1) -> layer {
  return {{cout, cin, side, side}, kernel, stride};
}
/// A fully connected layer is a matrix product n × k on one row m.
auto full(std::int64_t out, std::int64_t in) -> layer {
  return {{out, in, 1, 1}, 1, 1, {"n", "k", "m", "b0"}};
}

auto alexnet() -> std::vector<layer> {
  return {conv(64, 3, 55, 11, 4), conv(192, 64, 27, 5),  conv(384, 192, 13, 3),
          conv(256, 384, 13, 3),  conv(256, 256, 13, 3), full(4096, 9216),
          full(4096, 4096),       full(1000, 4096)};
}

/// The shortcut's convolution comes after the two of its block.
auto resnet34() -> std::vector<layer> {
  std::vector<layer> all{conv(64, 3, 112, 7, 2)};
  std::int64_t in = 64;
  std::int64_t out = 64;
  std::int64_t side = 56;
  for (int const blocks : {3, 4, 6, 3}) {
    for (int i = 0; i < blocks; ++i) {
      auto const stride = in == out ? 1 : 2;
      all.push_back(conv(out, in, side, 3, stride));
      all.push_back(conv(out, out, side, 3));
      if (in != out) all.push_back(conv(out, in, side, 1, 2));
      in = out;
    }
    out *= 2;
    side /= 2;
  }
  all.push_back(full(1000, 512));
  return all;
}

/// Cycles of the three designs for (M, N, R, C, K, s).
auto cycles(int design, std::int64_t vec, layer const& l) -> double {
  auto const [m, n, r, c] = l.extent;
  auto const k = l.kernel;
  auto const s = l.stride;
  std::int64_t count = 0;
  if (design == 0) {
    count = up(r, 7) * up(c, 14) * up(m, 64) * up(n, 7) * k * k * 7 * 14;
  } else if (design == 1) {
    count = up(m, 11) * up(c, 13) * up(n, vec) * r * k * k + 11 + 13;
  } else {
    auto const winograd = up(r, 4) * up(c, 4) * up(n, 2) * up(m, 8);
    auto const direct = up(r, 6) * up(c, 6) * up(n, 2) * up(m, 8) * k * k;
    auto const pieces = up(up(k, s), 3);
    count = k == 3 && s == 1 ? winograd : std::min(direct, s * s * pieces * pieces * winograd);
  }
  return static_cast<double>(count);
}

constexpr std::array<char const*, 3> design_names{"super_lip", "systolic_array", "winograd"};

struct decision {
  std::vector<std::pair<std::string, std::int64_t>> cuts; ///< dimension, ways
  std::size_t set;
  std::int64_t picoseconds;
};
struct baseline {
  std::array<int, 2> designs{};
  std::vector<decision> layers;
};

/// Steps 1 to 5 for two sets of four: 4 = 2·2.
auto naive(std::vector<layer> const& layers, std::int64_t vec) -> baseline {
  baseline b;
  std::vector<std::array<std::int64_t, 3>> time; // ps, by design
  for (auto const& l : layers) {
    std::array<std::size_t, 4> order{0, 1, 2, 3};
    std::stable_sort(order.begin(), order.end(),
                     [&](auto i, auto j) { return l.extent[i] > l.extent[j]; });
    auto critical = l;
    decision d{};
    for (std::size_t i = 0; i < 2; ++i) {
      critical.extent[order[i]] = up(l.extent[order[i]], 2);
      d.cuts.emplace_back(l.names[order[i]], 2);
    }
    b.layers.push_back(d);
    auto& t = time.emplace_back();
    for (int k = 0; k < 3; ++k)
      t[static_cast<std::size_t>(k)] = std::llround(cycles(k, vec, critical) / 200e6 * 1e12);
  }
  auto least = std::numeric_limits<std::int64_t>::max();
  for (int first = 0; first < 3; ++first)
    for (int second = 0; second < 3; ++second) {
      std::int64_t sum = 0;
      for (auto const& t : time)
        sum += std::min(t[static_cast<std::size_t>(first)], t[static_cast<std::size_t>(second)]);
      if (sum >= least) continue;
      least = sum;
      b.designs = {first, second};
    }
  std::size_t previous = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    auto const on = [&](std::size_t s) { return time[l][static_cast<std::size_t>(b.designs[s])]; };
    if (on(1 - previous) < on(previous)) previous = 1 - previous;
    b.layers[l].set = previous;
    b.layers[l].picoseconds = on(previous);
  }
  return b;
}

void compare(mars::graph const& g, std::vector<layer> const& layers, std::int64_t vec) {
  CAPTURE(vec);
  auto const system = mars::presets::aws_f1_16xlarge({.vec = vec});
  auto const found = mars::find_baseline(g, system).value();
  auto const expected = naive(layers, vec);
  CHECK(found.policy == "baseline");

  std::size_t l = 0;
  std::array<bool, 2> used{};
  for (auto const v : operators(g)) {
    auto const& o = op(g, v);
    if (macs_of(o).count() == 0) continue;
    REQUIRE(l < expected.layers.size());
    auto const& e = expected.layers[l++];
    CAPTURE(o.name);
    auto const& p = found.mapping.operators[v.index()];
    auto const& set = found.mapping.sets[p.set.index()];
    used[e.set] = true;

    REQUIRE(set.accelerators.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(set.accelerators[i].index() == 4 * e.set + i);
    CHECK(set.design == design_names[static_cast<std::size_t>(expected.designs[e.set])]);
    CHECK_FALSE(p.sharding.shared);
    CHECK_FALSE(p.sharding.scatter);
    REQUIRE(p.sharding.exclusive.size() == e.cuts.size());
    for (std::size_t i = 0; i < e.cuts.size(); ++i) {
      CHECK(o.dims[p.sharding.exclusive[i].dim].name == mars::label{e.cuts[i].first.c_str()});
      CHECK(p.sharding.exclusive[i].ways == e.cuts[i].second);
    }
    CHECK(found.evaluation.operators[v.index()].compute.count() == e.picoseconds);
  }
  CHECK(l == layers.size());
  CHECK(found.mapping.sets.size() == static_cast<std::size_t>(used[0]) + used[1]);
}

} // namespace

TEST_CASE("baseline: AlexNet on F1, as written down") {
  auto const g = mars::zoo::alexnet({.bias = false});
  compare(g, alexnet(), 8);
  compare(g, alexnet(), 4);
}

TEST_CASE("baseline: ResNet-34 on F1, as written down") {
  auto const g = mars::zoo::resnet34({.bias = false});
  compare(g, resnet34(), 8);
  compare(g, resnet34(), 4);
}

TEST_CASE("baseline: overflow is reported, never repaired") {
  auto const g = mars::zoo::alexnet({.bias = false});
  auto const roomy = mars::find_baseline(g, mars::presets::aws_f1_16xlarge()).value();
  auto const tight =
      mars::find_baseline(g, mars::presets::aws_f1_16xlarge({.dram = mars::bytes{1'000'000}}))
          .value();
  CHECK(roomy.feasible());
  CHECK_FALSE(tight.feasible());
  CHECK(tight.mapping == roomy.mapping);
  REQUIRE_FALSE(tight.evaluation.shortages.empty());
  auto const& lack = tight.evaluation.shortages.front();
  CHECK(lack.what == mars::shortage::kind::memory);
  CHECK(lack.demand > lack.capacity);
  CHECK(lack.capacity.count() == 1'000'000);
}

TEST_CASE("baseline: cuts of sets of every size, ties in the order Cout, Cin, H, W") {
  // 8 = 4·2, 4 = 2·2, 2 = 2·1, 6 = 3·2, 1 uncut; 16 channels everywhere, rows and columns of 16.
  mars::builder b{"square"};
  auto const x = b.input("x", {1, 16, 16, 16});
  b.output(b.conv(x, {.out_channels = 16, .kernel = {1, 1}, .bias = false}));
  auto const g = std::move(b).build().value();
  auto const& o = op(g, operator_id{0});
  auto const cuts = [&](std::size_t ways) {
    auto const all = mars::parallel::longest_dimensions{}.shardings(o, ways);
    REQUIRE(all.size() == 1);
    std::string text;
    for (auto const& c : all.front().exclusive)
      text += std::string{o.dims[c.dim].name.view()} + ":" + std::to_string(c.ways) + " ";
    return text;
  };
  CHECK(cuts(1).empty());
  CHECK(cuts(2) == "k:2 ");
  CHECK(cuts(4) == "k:2 c:2 ");
  CHECK(cuts(6) == "k:3 c:2 ");
  CHECK(cuts(7) == "k:7 ");
  CHECK(cuts(8) == "k:4 c:2 ");
}
