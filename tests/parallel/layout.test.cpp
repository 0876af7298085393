// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/parallel/layout.hpp>
#include <mars/parallel/redistribution.hpp>
#include <mars/workload/operators.hpp>

#include <algorithm>
#include <cstdint>

#include <utility>
#include <vector>

namespace {
using namespace mars;

enum : std::uint8_t { n, k, y, x, c, r, s };

/// The worked example of MARS's sharding: 512 to 512 channels, 14×14, 3×3, two bytes, four devices.
auto example() -> operation {
  return std::move(
             ops::conv({1, 512, 14, 14},
                       {.out_channels = 512, .kernel = {3, 3}, .padding = {1}, .bias = false}))
      .value();
}
auto along(std::uint8_t dim) -> sharding {
  return {.exclusive = {{dim, 4}}, .shared = {}, .scatter = {}};
}
/// The axis of a tensor that a layout divides, device by device.
auto axis_of(layout const& l, std::size_t axis) -> std::vector<interval> {
  std::vector<interval> found;
  for (auto const& box : l) found.push_back(box[axis]);
  return found;
}
using intervals = std::vector<interval>;
} // namespace

TEST_CASE("worked example: W cut four ways") {
  auto const op = example();
  auto const f = footprint_of(op, along(x), 4);
  CHECK(f.weights.count() == 4718592);
  CHECK(f.arriving.count() == 0);
  CHECK(f.exchange.count() == 0);
  CHECK(f.outputs.count() == 512 * 14 * 4 * 2);
  // ⌈14/4⌉ = 4 columns need 6; the halo of an interior shard is 512·2·(14·6 − 14·4) bytes.
  CHECK(f.inputs.count() == 512 * 14 * 6 * 2);
  auto const owned = storage(512 * 14 * 4, 16);
  CHECK((f.inputs - owned).count() == 28672);
}

TEST_CASE("worked example: the halo by intersecting boxes") {
  // The previous layer is cut along W too, and left columns 4, 4, 3, 3.
  auto const op = example();
  auto const held = output_layout(op, op.operands[2], along(x), 4);
  auto const needed = input_layout(op, op.operands[0], along(x), 4);
  CHECK(axis_of(held, 3) == intervals{{0, 4}, {4, 8}, {8, 11}, {11, 14}});
  CHECK(axis_of(needed, 3) == intervals{{0, 5}, {3, 9}, {7, 12}, {10, 14}});
  std::vector<std::int64_t> bytes_missing;
  for (std::size_t i = 0; i < 4; ++i)
    bytes_missing.push_back(2 * (volume(needed[i]) - shared_volume(needed[i], held[i])));
  // At the border one column is padding.
  CHECK(bytes_missing == std::vector<std::int64_t>{14336, 28672, 28672, 14336});
}

TEST_CASE("worked example: W cut and Cout shared, half of the weights at a time") {
  auto const op = example();
  auto cuts = along(x);
  cuts.shared = cut{k, 4};
  REQUIRE(check(op, cuts, 4));
  auto const f = footprint_of(op, cuts, 4);
  CHECK(f.weights.count() == 1179648);
  CHECK(f.arriving.count() == 1179648);
  CHECK((f.weights + f.arriving).count() == 2359296);
  CHECK(f.inputs.count() == 512 * 14 * 6 * 2);  // the halo as without it
  CHECK(f.outputs.count() == 512 * 14 * 4 * 2); // all channels of its columns in the end
  CHECK(phase_extents(op, cuts)[k] == 128);
}

TEST_CASE("worked example: Cout, and Cin with its partial sums") {
  auto const op = example();
  auto const out = footprint_of(op, along(k), 4);
  CHECK(out.weights.count() == 1179648);
  CHECK(out.inputs.count() == 200704);
  CHECK(out.outputs.count() == 50176);

  auto const in = footprint_of(op, along(c), 4);
  CHECK(in.weights.count() == 1179648);
  CHECK(in.inputs.count() == 50176);
  CHECK(in.outputs.count() == 200704); // what is all-reduced
  CHECK(in.exchange.count() == 50176);
  CHECK(in.transient().count() == 50176 + 200704 + 50176);
}

TEST_CASE("scattered partial sums are received in whole parts") {
  auto const op = example();
  auto cuts = along(c);
  cuts.scatter = y; // 14 rows over 4 devices: 4, 4, 3, 3
  REQUIRE(check(op, cuts, 4));
  CHECK(axis_of(output_layout(op, op.operands[2], cuts, 4), 2) ==
        intervals{{0, 4}, {4, 8}, {8, 11}, {11, 14}});
  CHECK(footprint_of(op, cuts, 4).exchange.count() == 512 * 4 * 14 * 2);
}

TEST_CASE("a rotating input starts with its part, halo included") {
  auto const op = example();
  auto cuts = along(k);
  cuts.shared = cut{y, 4};
  REQUIRE(check(op, cuts, 4));
  CHECK(axis_of(input_layout(op, op.operands[0], cuts, 4), 2) ==
        intervals{{0, 5}, {3, 9}, {7, 12}, {10, 14}});
  auto const f = footprint_of(op, cuts, 4);
  CHECK(f.inputs.count() == 512 * 6 * 14 * 2);
  CHECK(f.arriving == f.inputs);
}

TEST_CASE("shards of a concatenation may have nothing of an input") {
  auto const op = ops::concat({{2, 3}, {2, 5}}, 1).value();
  auto const cuts = along(1);
  CHECK(axis_of(input_layout(op, op.operands[0], cuts, 4), 1) ==
        intervals{{0, 2}, {2, 3}, {0, 0}, {0, 0}});
  CHECK(axis_of(input_layout(op, op.operands[1], cuts, 4), 1) ==
        intervals{{0, 0}, {0, 1}, {1, 3}, {3, 5}});
}

TEST_CASE("elements between the points of a transposed convolution have an owner") {
  // Stride 2 and dilation 2: outputs 1, 3, 5 receive nothing but the bias.
  auto const op =
      ops::conv_transpose(
          {1, 1, 3},
          {.out_channels = 2, .kernel = {2}, .stride = {2}, .dilation = {2}, .output_padding = {1}})
          .value();
  auto const& output = op.operands.back();
  REQUIRE(output.axes[2].extent == 8);
  sharding const channels{.exclusive = {{1, 2}}, .shared = {}, .scatter = {}};
  REQUIRE(check(op, channels, 2));
  CHECK(axis_of(output_layout(op, output, channels, 2), 2) == intervals{{0, 8}, {0, 8}});
  CHECK(footprint_of(op, channels, 2).outputs.count() == 8 * 2);
}

TEST_CASE("state of a recurrence: the hidden state whole, the cell by its cut") {
  auto const op = ops::lstm({3, 2, 5}, 8).value(); // t d n k | c
  sharding const units{.exclusive = {{3, 4}}, .shared = {}, .scatter = {}};
  auto const f = footprint_of(op, units, 4);
  CHECK(f.state.count() == 2 * (2 * 8 + 2 * 2));
  // Weight [4 gates, 2 of 8 units, 5 + 8 columns] and two biases per gate.
  CHECK(f.weights.count() == 2 * (4 * 2 * 13 + 8 * 2));
}

// ---- Redistribution ---------------------------------------------------------------------------

namespace {
/// Row layout of a [rows, 1] tensor.
auto rows(std::vector<interval> const& parts) -> layout {
  layout l;
  for (auto const& p : parts) l.push_back({p, {0, 1}});
  return l;
}
auto moved(layout const& owned, layout const& needed, std::vector<double> values)
    -> std::vector<transfer> {
  std::vector<transfer> out;
  redistribution(owned, needed, {owned.size(), needed.size(), std::move(values)}, out);
  return out;
}
constexpr auto self = proximity::itself;
using transfers = std::vector<transfer>;
} // namespace

TEST_CASE("a device fetches what it misses, and only that") {
  auto const owned = rows({{0, 4}, {4, 8}});
  CHECK(moved(owned, owned, {self, 1, 1, self}).empty());
  // A halo of one row each.
  CHECK(moved(owned, rows({{0, 5}, {3, 8}}), {self, 1, 1, self}) ==
        transfers{{1, 0, 1}, {0, 1, 1}});
  // The same boxes on other devices: everything crosses.
  CHECK(moved(owned, owned, {1, 1, 1, 1}) == transfers{{0, 0, 4}, {1, 1, 4}});
}

TEST_CASE("replicas: the nearest one sends, equally near ones take turns") {
  auto const owned = rows({{0, 4}, {0, 4}, {4, 8}, {4, 8}});
  auto const all = rows({{0, 8}});
  CHECK(moved(owned, all, {1, 2, 2, 1}) == transfers{{1, 0, 4}, {2, 0, 4}});
  auto const two = rows({{0, 4}, {0, 4}, {0, 4}});
  CHECK(moved(rows({{0, 4}, {0, 4}}), two, {1, 1, 1, 1, 1, 1}) ==
        transfers{{0, 0, 4}, {1, 1, 4}, {0, 2, 4}});
  // Having a replica itself, a device fetches nothing.
  CHECK(moved(rows({{0, 4}, {0, 4}}), rows({{0, 4}}), {9, self}).empty());
}

TEST_CASE("the largest receiver counts") {
  transfers const all{{0, 0, 5}, {1, 0, 2}, {0, 2, 6}};
  CHECK(largest_missing(all, 3) == 7);
  CHECK(largest_missing({}, 3) == 0);
}
