// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Compressions of single operators: weight pruning, narrower numbers, and combinations.

#include "support/catch.hpp"

#include <mars/compression/none.hpp>
#include <mars/compression/precision.hpp>
#include <mars/compression/then.hpp>
#include <mars/compression/weight_pruning.hpp>
#include <mars/workload/builder.hpp>
#include <mars/workload/convolution_layer.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/topology.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace mars::compression;
using mars::number_format;
using mars::operand;
using mars::role;

auto named(mars::graph const& g, std::string_view name) -> mars::operation const& {
  return op(g, find(g, name).value());
}
auto nth(mars::graph const& g, std::string_view name, role r, std::size_t i = 0) -> operand const& {
  return *nth_operand(named(g, name), r, i);
}
/// Widths of all operands in order.
auto widths(mars::operation const& o) -> std::vector<int> {
  std::vector<int> all;
  for (auto const& t : o.operands) all.push_back(t.element_bits);
  return all;
}

/// conv (8 channels, bias) → depthwise → ReLU → flatten → two fully connected layers.
auto small() -> mars::graph {
  mars::builder b{"small", 32};
  auto x = b.conv(b.input("image", {1, 3, 4, 4}), {.out_channels = 8}, "conv");
  x = b.conv(x, {.out_channels = 8, .kernel = {3, 3}, .groups = 8, .bias = false}, "depthwise");
  x = b.batch_norm(b.relu(x, "relu"), "norm", 2);
  x = b.linear(b.flatten(x, 1, "flat"), 6, true, "inner");
  b.output(b.linear(x, 10, true, "last"));
  return std::move(b).build().value();
}

} // namespace

TEST_CASE("weight pruning sets densities of layers' weights and nothing else") {
  auto const g = small();
  auto const h = weight_pruning{.sparsity = 0.8}(g).value();
  CHECK(nth(h, "conv", role::weight).density == Approx(0.2));
  CHECK(nth(h, "conv", role::weight, 1).density == 1); // the bias
  CHECK(nth(h, "depthwise", role::weight).density == 1);
  CHECK(nth(h, "norm", role::weight).density == 1);
  CHECK(nth(h, "inner", role::weight).density == Approx(0.2));
  CHECK(nth(h, "inner", role::input).density == 1);
  CHECK(layer_of(mars::shard{named(h, "conv")})->density == Approx(0.2));
  CHECK(macs_of(h) == macs_of(g));
  CHECK(parameters_of(h) == parameters_of(g));
  CHECK_FALSE(same_signature(named(g, "conv"), named(h, "conv")));
  CHECK(signature_hash(named(g, "conv")) != signature_hash(named(h, "conv")));

  auto const all = weight_pruning{.sparsity = 0.5, .depthwise = true}(g).value();
  CHECK(nth(all, "depthwise", role::weight).density == 0.5);
  // Pruning half of what is left.
  auto const twice =
      then{weight_pruning{.sparsity = 0.5}, weight_pruning{.sparsity = 0.5}}(g).value();
  CHECK(nth(twice, "conv", role::weight).density == 0.25);
}

TEST_CASE("weight pruning layer by layer, and what it refuses") {
  auto const g = small();
  auto const h =
      layerwise_weight_pruning{.label = "mine", .layers = {{"conv", 0.5}, {"last", 0.75}}};
  CHECK(h.name() == "weight_pruning_mine");
  auto const pruned = h(g).value();
  CHECK(nth(pruned, "conv", role::weight).density == 0.5);
  CHECK(nth(pruned, "inner", role::weight).density == 1);
  CHECK(nth(pruned, "last", role::weight).density == 0.25);

  auto const complaint = [&g](std::string layer, double sparsity) {
    return to_string(
        layerwise_weight_pruning{.label = "bad", .layers = {{"conv", 0.1}, {layer, sparsity}}}(g)
            .error());
  };
  CHECK(complaint("konv", 0.5) ==
        "layers[1]: found konv, wanted an operator of the network; small [unknown-name]");
  CHECK(complaint("relu", 0.5) == "layers[1]: found relu, wanted a convolution or fully connected "
                                  "layer [unsupported]");
  CHECK(complaint("last", 1.5) ==
        "layers[1].sparsity: found 1.500000, wanted 0 to 1 [out-of-range]");
  CHECK(weight_pruning{.sparsity = -0.1}(g).error().path == "sparsity");
}

TEST_CASE("16 bits: all numbers, told apart by their format") {
  auto const g = small();
  auto const half = float16{}(g).value();
  auto const brain = bfloat16{}(g).value();
  for (auto const v : operators(g)) {
    for (auto const& t : op(half, v).operands) {
      CHECK(t.element_bits == 16);
      CHECK(t.numbers == number_format::automatic);
    }
    for (auto const& t : op(brain, v).operands) {
      CHECK(t.element_bits == 16);
      CHECK(t.numbers == number_format::bfloat);
    }
    CHECK(signature_hash(op(half, v)) != signature_hash(op(brain, v)));
    CHECK_FALSE(same_signature(op(half, v), op(brain, v)));
  }
  CHECK(layer_of(mars::shard{named(brain, "conv")})->numbers == number_format::bfloat);
  // Nothing is widened; the kind may change.
  CHECK_FALSE(float16{}(named(half, "conv")));
  CHECK(bfloat16{}(named(half, "conv")));
  auto const quantised = int8{}(named(g, "relu")).value();
  CHECK_FALSE(float16{}(quantised));
}

TEST_CASE("int8: numbers of one byte, a scale of four per output channel") {
  auto const g = small();
  auto const h = int8{}(g).value();
  // Operands: input, weight, bias, output, and the scale behind them.
  CHECK(widths(named(h, "conv")) == std::vector{8, 8, 32, 8, 32});
  CHECK(widths(named(h, "depthwise")) == std::vector{8, 8, 8, 32});
  CHECK(widths(named(h, "norm")) == std::vector{8, 32, 8});
  CHECK(widths(named(h, "relu")) == std::vector{8, 8});
  auto const& scale = nth(h, "conv", role::weight, 2);
  CHECK(scale.name == "conv.weight.scale");
  CHECK(shape_of(scale) == mars::tensor_shape{8});
  CHECK(scale.axes[0] == nth(h, "conv", role::weight, 1).axes[0]); // cut as the bias is
  CHECK(size_of(scale).count() == 32);
  CHECK(size_of(nth(h, "depthwise", role::weight, 1)).count() == 32);
  CHECK(size_of(nth(h, "last", role::weight, 2)).count() == 40);
  CHECK(nth(h, "conv", role::weight).numbers == number_format::integer);
  CHECK(nth(h, "conv", role::weight, 1).numbers == number_format::automatic);
  CHECK(macs_of(h) == macs_of(g));
  // Again: nothing left to do.
  for (auto const v : operators(h)) CHECK_FALSE(int8{}(op(h, v)));
}

TEST_CASE("int8 but the ends: the tensors at a wide layer are wide for both sides") {
  auto const g = small();
  auto const h = int8{.keep_ends = true}(g).value();
  CHECK(widths(named(h, "conv")) == std::vector{32, 32, 32, 32});
  CHECK(widths(named(h, "depthwise")) == std::vector{32, 8, 8, 32});
  CHECK(widths(named(h, "flat")) == std::vector{8, 8});
  CHECK(widths(named(h, "inner")) == std::vector{8, 8, 32, 32, 32});
  CHECK(widths(named(h, "last")) == std::vector{32, 32, 32, 32});
  for (auto const v : operators(h))
    for (auto const& e : inputs(h, v)) {
      auto const* const made = nth_operand(op(h, e.producer), role::output, e.output);
      CHECK(made->element_bits == op(h, v).operands[e.operand].element_bits);
      CHECK(made->numbers == op(h, v).operands[e.operand].numbers);
    }
}

TEST_CASE("positions are not rounded, nor what an opaque operator touches") {
  mars::builder b{"text", 32};
  auto const tokens = b.input("tokens", {1, 4});
  auto const x = b.linear(b.embedding(tokens, 100, 8, "table"), 8, true, "inner");
  auto const odd = b.opaque(std::vector{x}, {{1, 4, 8}}, "Strange", "odd");
  b.output(b.linear(odd.front(), 3, true, "last"));
  auto const g = std::move(b).build().value();
  auto const h = int8{}(g).value();
  CHECK(nth(h, "table", role::input).element_bits == 32);
  CHECK(nth(h, "table", role::weight).element_bits == 8);
  CHECK(size_of(nth(h, "table", role::weight, 1)).count() == 400); // one scale for each row
  CHECK(widths(named(h, "inner")) == std::vector{8, 8, 32, 32, 32});
  CHECK(widths(named(h, "odd")) == std::vector{32, 32});
  CHECK(widths(named(h, "last")) == std::vector{32, 8, 32, 8, 32});
  auto const half = float16{}(g).value();
  CHECK(nth(half, "table", role::input).element_bits == 32);
  CHECK(widths(named(half, "odd")) == std::vector{32, 32});
}

TEST_CASE("names, accuracy keys and effects of compressions") {
  CHECK(none{}.name() == "none");
  CHECK(weight_pruning{.sparsity = 0.8}.name() == "weight_pruning_80");
  CHECK(weight_pruning{.sparsity = 0.525}.name() == "weight_pruning_52.5");
  CHECK(weight_pruning{.sparsity = 0.5, .depthwise = true}.name() == "weight_pruning_50_depthwise");
  CHECK(int8{.keep_ends = true}.name() == "int8_inside");
  auto const both = then{weight_pruning{.sparsity = 0.5}, int8{}};
  CHECK(both.name() == "weight_pruning_50+int8");
  CHECK(both.accuracy() == mars::accuracy_key{"weight_pruning+int8", "sparsity 50 %, int8"});
  CHECK(then{none{}, int8{}}.accuracy() == mars::accuracy_key{"int8", "int8"});

  static_assert(mars::effects_of<none>() == mars::compression_effects{});
  static_assert(mars::effects_of<decltype(both)>() ==
                mars::compression_effects{
                    .zero_weights = true, .element_bits = 8, .numbers = number_format::integer});
  static_assert(mars::effects_of<then<int8, float16>>() == mars::effects_of<int8>());
  static_assert(mars::effects_of<then<float16, bfloat16>>() == mars::effects_of<bfloat16>());
  static_assert(mars::effects_of<layerwise_weight_pruning>().zero_weights);
}
