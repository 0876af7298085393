// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/catch.hpp"

#include <mars/compression/channel_pruning.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/topology.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace compression = mars::compression;
using mars::role;
using mars::tensor_shape;

auto half(mars::graph const& g, std::int64_t multiple = 1) -> mars::graph {
  return compression::channel_pruning{.keep = 0.5, .multiple = multiple}(g).value();
}
auto built(mars::builder b) -> mars::graph { return std::move(b).build().value(); }

auto operator_of(mars::graph const& g, std::string_view name) -> mars::operation const& {
  return op(g, find(g, name).value());
}
auto shape_of_nth(mars::graph const& g, std::string_view name, role r, std::size_t i = 0)
    -> tensor_shape {
  return mars::shape_of(*nth_operand(operator_of(g, name), r, i));
}
auto result(mars::graph const& g, std::string_view name, std::size_t i = 0) -> tensor_shape {
  return shape_of_nth(g, name, role::output, i);
}
auto weight(mars::graph const& g, std::string_view name, std::size_t i = 0) -> tensor_shape {
  return shape_of_nth(g, name, role::weight, i);
}

} // namespace

TEST_CASE("a chain of convolutions: image and classes stay, the rest halves") {
  mars::builder b{"chain", 32};
  auto x = b.conv(b.input("image", {1, 3, 8, 8}),
                  {.out_channels = 8, .kernel = {3, 3}, .padding = {1, 1}}, "first");
  x = b.batch_norm(x, "norm", 2);
  x = b.max_pool(b.relu(x, "relu"), {.kernel = {2, 2}, .stride = {2, 2}}, "pool");
  x = b.conv(x, {.out_channels = 6, .kernel = {3, 3}}, "second");
  b.output(b.linear(b.flatten(x, 1, "flat"), 10, true, "fc"));
  auto const g = built(std::move(b));
  auto const h = half(g);
  CHECK(weight(h, "first") == tensor_shape{4, 3, 3, 3});
  CHECK(weight(h, "first", 1) == tensor_shape{4});
  CHECK(weight(h, "norm") == tensor_shape{2, 4});
  CHECK(result(h, "relu") == tensor_shape{1, 4, 8, 8});
  CHECK(result(h, "pool") == tensor_shape{1, 4, 4, 4});
  CHECK(weight(h, "second") == tensor_shape{3, 4, 3, 3});
  CHECK(result(h, "flat") == tensor_shape{1, 3 * 2 * 2}); // channels × pixels
  CHECK(weight(h, "fc") == tensor_shape{10, 12});
  CHECK(weight(h, "fc", 1) == tensor_shape{10});
  // 4·3·9·64 + 3·4·9·4 + 10·12
  CHECK(macs_of(h) == mars::macs{6912 + 432 + 120});
  CHECK(parameters_of(h) == 108 + 4 + 8 + 108 + 3 + 120 + 10);
}

TEST_CASE("tensors that are added share one choice") {
  mars::builder b{"residual", 32};
  auto const image = b.input("image", {1, 3, 4, 4});
  auto const x = b.conv(image, {.out_channels = 10}, "stem");
  auto const y = b.conv(b.conv(x, {.out_channels = 6}, "narrow"), {.out_channels = 10}, "wide");
  auto const sum = b.add(x, y, "sum");
  b.output(b.conv(sum, {.out_channels = 5}, "out"));
  auto const g = built(std::move(b));
  auto const h = half(g);
  CHECK(result(h, "sum") == tensor_shape{1, 5, 4, 4});
  CHECK(weight(h, "stem") == tensor_shape{5, 3, 1, 1});
  CHECK(weight(h, "narrow") == tensor_shape{3, 5, 1, 1});
  CHECK(weight(h, "wide") == tensor_shape{5, 3, 1, 1});
  CHECK(weight(h, "out") == tensor_shape{5, 5, 1, 1});

  auto const report = compression::channel_pruning{.keep = 0.5, .multiple = 1}.families(g).value();
  REQUIRE(report.families.size() == 3);
  CHECK(report.families[0].layers == std::vector{find(g, "stem").value(), find(g, "wide").value()});
  CHECK(report.families[0].channels == 10);
  CHECK(report.families[0].kept == 5);
  CHECK_FALSE(report.families[0].held);
  CHECK(report.families[2].layers == std::vector{find(g, "out").value()});
  CHECK(report.families[2].held);
  CHECK(report.families[2].kept == 5);
  CHECK(report.unfollowed.empty());
}

TEST_CASE("each part of a concatenation is chosen by itself") {
  mars::builder b{"concat", 32};
  auto const image = b.input("image", {1, 3, 4, 4});
  auto const x = b.conv(image, {.out_channels = 4}, "x");
  auto const y = b.conv(image, {.out_channels = 10}, "y");
  // The image passes untouched between the two: its channels stay.
  auto const both = b.concat({x, image, y}, 1, "both");
  auto const parts = b.split(both, 1, {4, 3, 10}, "parts");
  b.output(b.add(b.conv(parts[2], {.out_channels = 2}, "last"),
                 b.conv(both, {.out_channels = 2}, "all"), "sum"));
  auto const h = half(built(std::move(b)));
  CHECK(result(h, "both") == tensor_shape{1, 2 + 3 + 5, 4, 4});
  CHECK(shape_of_nth(h, "both", role::input, 1) == tensor_shape{1, 3, 4, 4});
  // Each input sees its part of the output by an offset: those before it, of what is left.
  auto const& concat = operator_of(h, "both");
  CHECK(nth_operand(concat, role::input, 0)->axes[1].offset == 0);
  CHECK(nth_operand(concat, role::input, 1)->axes[1].offset == -2);
  CHECK(nth_operand(concat, role::input, 2)->axes[1].offset == -5);
  CHECK(result(h, "parts", 2) == tensor_shape{1, 5, 4, 4});
  CHECK(nth_operand(operator_of(h, "parts"), role::output, 2)->axes[1].offset == -5);
  CHECK(weight(h, "last") == tensor_shape{2, 5, 1, 1});
  CHECK(weight(h, "all") == tensor_shape{2, 10, 1, 1});
}

TEST_CASE("depthwise convolutions follow, with their multiplier; groups lose the same of each") {
  mars::builder b{"groups", 32};
  auto x = b.conv(b.input("image", {1, 3, 4, 4}), {.out_channels = 8}, "stem");
  x = b.conv(x, {.out_channels = 24, .kernel = {3, 3}, .padding = {1, 1}, .groups = 8},
             "depthwise");
  x = b.conv(x, {.out_channels = 12, .groups = 4}, "grouped");
  b.output(b.conv(x, {.out_channels = 2}, "out"));
  auto const g = built(std::move(b));
  auto const h = half(g);
  // Six inputs to each of four groups; two channels of the stem feed one of them, and half of each
  // group's goes: channels 3·s + m with s even and odd differ in their place within the group.
  auto const& depthwise = operator_of(h, "depthwise");
  auto const kept = result(h, "stem")[1];
  CHECK(depthwise.dims[*find_dim(depthwise, "g")].extent == kept);
  CHECK(depthwise.dims[*find_dim(depthwise, "k")].extent == 3);
  CHECK(result(h, "depthwise") == tensor_shape{1, 3 * kept, 4, 4});
  CHECK(weight(h, "depthwise") == tensor_shape{3 * kept, 1, 3, 3});
  CHECK(kept == 4);
  // A group of the third layer reads 3 channels, from one channel of the stem, and makes 2 of 3.
  CHECK(weight(h, "grouped") == tensor_shape{8, 3, 1, 1});
  CHECK(weight(h, "out") == tensor_shape{2, 8, 1, 1});
}

TEST_CASE("kept channels are whole blocks, and at least one") {
  auto const kept = [](std::int64_t channels, double keep, std::int64_t multiple) {
    mars::builder b{"blocks", 32};
    auto const x = b.conv(b.input("image", {1, 3, 2, 2}), {.out_channels = channels}, "first");
    b.output(b.conv(x, {.out_channels = 2}, "last"));
    auto const g = built(std::move(b));
    return result(compression::channel_pruning{.keep = keep, .multiple = multiple}(g).value(),
                  "first")[1];
  };
  CHECK(kept(64, 0.5, 16) == 32);
  CHECK(kept(64, 0.6, 16) == 48); // 38.4 needs a third block, of which all is free
  CHECK(kept(24, 0.5, 16) == 16);
  CHECK(kept(24, 0.75, 16) == 24); // 18 needs two blocks: there are no more than 24
  CHECK(kept(8, 0.5, 16) == 8);
  CHECK(kept(64, 0.01, 16) == 16);
  CHECK(kept(64, 0.01, 1) == 1);
  CHECK(kept(20, 0.55, 1) == 11); // not 12, though 0.55·20 is a little more than 11 in binary
  CHECK(kept(100, 0.29, 1) == 29);
}

TEST_CASE("what cannot be followed holds its channels, and is named") {
  mars::builder b{"held", 32};
  auto const image = b.input("image", {1, 3, 4, 4});
  auto const x = b.conv(image, {.out_channels = 8}, "x");
  auto const heads = b.reshape(x, {1, 2, 4, 16}, "heads"); // splits the channels
  auto const y = b.conv(image, {.out_channels = 8}, "y");
  auto const z = b.add(y, b.input("more", {1, 8, 4, 4}), "z"); // meets channels from outside
  auto const s = b.softmax(b.linear(b.flatten(z), 6, true, "scores"), -1, "softmax");
  auto const free = b.conv(b.conv(image, {.out_channels = 8}, "free"), {.out_channels = 4}, "last");
  for (auto const v : {heads, s, free}) b.output(v);
  auto const g = built(std::move(b));
  auto const h = half(g);
  CHECK(result(h, "x") == tensor_shape{1, 8, 4, 4});
  CHECK(result(h, "y") == tensor_shape{1, 8, 4, 4});
  CHECK(result(h, "scores") == tensor_shape{1, 6});
  CHECK(result(h, "free") == tensor_shape{1, 4, 4, 4});
  auto const report = compression::channel_pruning{.keep = 0.5, .multiple = 1}.families(g).value();
  CHECK(report.unfollowed ==
        std::vector{find(g, "heads").value(), find(g, "z").value(), find(g, "softmax").value()});
}

TEST_CASE("a weight with two readers is one tensor") {
  // A 1×1 convolution and a product of two weights of one name, as towers that share parameters have.
  mars::builder b{"shared", 32};
  auto const w = b.constant("w", {8, 8});
  auto const image = b.input("image", {4, 6});
  auto const first = b.linear(image, 8, false, "first");
  auto const once = b.matmul(first, w, "once");
  auto const twice = b.matmul(once, w, "twice");
  b.output(b.linear(twice, 3, false, "last"));
  auto const h = half(built(std::move(b)));
  CHECK(weight(h, "once") == tensor_shape{4, 4});
  CHECK(weight(h, "twice") == tensor_shape{4, 4});
  CHECK(weight(h, "last") == tensor_shape{3, 4});
}

TEST_CASE("channel pruning names itself by what goes, and refuses what is no share") {
  using compression::channel_pruning;
  CHECK(channel_pruning{.keep = 0.6}.name() == "channel_pruning_40");
  CHECK(channel_pruning{.keep = 0.475}.name() == "channel_pruning_52.5");
  CHECK(channel_pruning{.keep = 0.5, .multiple = 8}.name() == "channel_pruning_50_by_8");
  CHECK(channel_pruning{.keep = 0.475}.accuracy() ==
        mars::accuracy_key{"channel_pruning", "filters 52.5 %"});
  mars::graph const g;
  CHECK(channel_pruning{.keep = 0}(g).error().path == "keep");
  CHECK(channel_pruning{.keep = 1.5}(g).error().path == "keep");
  CHECK(channel_pruning{.multiple = 0}(g).error().path == "multiple");
}
