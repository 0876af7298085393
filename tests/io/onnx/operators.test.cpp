// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operator by operator: the shape, the MACs and the parameters that ONNX's definition of it gives.

#include "io/onnx/model.hpp"

using namespace mars_test;

namespace {

auto macs(mars::io::onnx_import const& i) -> std::int64_t { return mars::macs_of(i.graph).count(); }
auto parameters(mars::io::onnx_import const& i) -> std::int64_t {
  return mars::parameters_of(i.graph);
}

} // namespace

TEST_CASE("convolutions: channels and kernel come from the weight, bias costs no MAC", "[onnx]") {
  auto m = on({2, 3, 32, 30});
  m.weight("w", {16, 3, 5, 3}).weight("b", {16});
  m.node("Conv", {"x", "w", "b"}, {"y"}, "op").set("strides", {2, 1}).set("pads", {2, 1, 2, 1});
  auto const i = imported(m);
  CHECK(result_of(i, "op") == shape{2, 16, 16, 30});
  CHECK(macs(i) == 2 * 16 * 16 * 30 * 3 * 5 * 3);
  CHECK(parameters(i) == 16 * 3 * 5 * 3 + 16);
  auto const& conv = operation_called(i, "op");
  CHECK(conv.operands[1].name == "w");
  CHECK(conv.operands[2].name == "b");
  CHECK(conv.operands[1].element_bits == 32);
  CHECK(i.warnings.empty());
}

TEST_CASE("convolutions: groups, one and three spatial axes, dilation, auto_pad", "[onnx]") {
  SECTION("depthwise") {
    auto m = on({1, 8, 10, 10});
    m.weight("w", {8, 1, 3, 3});
    m.node("Conv", {"x", "w"}, {"y"}, "op").set("group", 8).set("auto_pad", "VALID");
    auto const i = imported(m);
    CHECK(result_of(i, "op") == shape{1, 8, 8, 8});
    CHECK(macs(i) == 8 * 8 * 8 * 9);
  }
  SECTION("1-D, dilated: span 2·3 + 1 = 7") {
    auto m = on({1, 4, 20});
    m.weight("w", {6, 4, 4});
    m.node("Conv", {"x", "w"}, {"y"}, "op").set("dilations", {2});
    CHECK(result_of(m) == shape{1, 6, 14});
  }
  SECTION("3-D, SAME: ceil(extent / stride)") {
    auto m = on({1, 4, 7, 8, 9});
    m.weight("w", {2, 4, 3, 3, 3});
    m.node("Conv", {"x", "w"}, {"y"}, "op").set("auto_pad", "SAME_UPPER").set("strides", {2, 2, 2});
    CHECK(result_of(m) == shape{1, 2, 4, 4, 5});
  }
  SECTION("transposed: 2·(8 − 1) + 4 − 2 = 16") {
    auto m = on({1, 6, 8, 8});
    m.weight("w", {6, 5, 4, 4});
    m.node("ConvTranspose", {"x", "w"}, {"y"}, "op")
        .set("strides", {2, 2})
        .set("pads", {1, 1, 1, 1});
    CHECK(result_of(m) == shape{1, 5, 16, 16});
  }
  SECTION("transposed to a wanted shape") {
    auto m = on({1, 6, 8, 8});
    m.weight("w", {6, 5, 3, 3});
    m.node("ConvTranspose", {"x", "w"}, {"y"}, "op")
        .set("strides", {2, 2})
        .set("output_shape", {16, 16});
    CHECK(result_of(m) == shape{1, 5, 16, 16});
  }
  SECTION("quantised: the int8 weight and the int32 bias are parameters") {
    model m;
    m.input("x", {1, 3, 8, 8}, 2).output("y");
    m.weight("s", {}).weight("z", {}, 2).weight("w", {4, 3, 3, 3}, 3).weight("b", {4}, 6);
    m.node("QLinearConv", {"x", "s", "z", "w", "s", "z", "s", "z", "b"}, {"y"}, "op");
    auto const i = imported(m);
    CHECK(result_of(i, "op") == shape{1, 4, 6, 6});
    CHECK(parameters(i) == 4 * 3 * 9 + 4);
    CHECK(operation_called(i, "op").operands[1].element_bits == 8);
    CHECK(operation_called(i, "op").operands[2].element_bits == 32);
  }
}

TEST_CASE("pooling: ceil_mode, auto_pad, global, indices", "[onnx]") {
  auto const pooled = [](char const* type, auto... attributes) {
    auto m = on({1, 4, 11, 11});
    [[maybe_unused]] auto n = m.node(type, {"x"}, {"y"}, "op");
    (n.set(attributes.first, attributes.second), ...);
    return result_of(m);
  };
  using list = std::vector<std::int64_t>;
  auto const kernel = std::pair<char const*, list>{"kernel_shape", {2, 2}};
  auto const stride = std::pair<char const*, list>{"strides", {2, 2}};
  CHECK(pooled("MaxPool", kernel, stride) == shape{1, 4, 5, 5});
  CHECK(pooled("AveragePool", kernel, stride, std::pair{"ceil_mode", 1}) == shape{1, 4, 6, 6});
  CHECK(pooled("MaxPool", kernel, stride, std::pair{"auto_pad", "SAME_LOWER"}) ==
        shape{1, 4, 6, 6});
  CHECK(pooled("MaxPool", kernel) == shape{1, 4, 10, 10});
  CHECK(pooled("GlobalAveragePool") == shape{1, 4, 1, 1});
  CHECK(pooled("GlobalMaxPool") == shape{1, 4, 1, 1});

  auto m = on({1, 4, 8, 8});
  m.output("i");
  m.node("MaxPool", {"x"}, {"y", "i"}, "op").set("kernel_shape", {2, 2}).set("strides", {2, 2});
  CHECK(result_of(imported(m), "op.indices") == shape{1, 4, 4, 4});
}

TEST_CASE("matrix products", "[onnx]") {
  SECTION("MatMul broadcasts batches") {
    auto m = on({2, 1, 5, 8});
    m.input("z", {3, 8, 7});
    m.node("MatMul", {"x", "z"}, {"y"}, "op");
    auto const i = imported(m);
    CHECK(result_of(i, "op") == shape{2, 3, 5, 7});
    CHECK(macs(i) == 2 * 3 * 5 * 7 * 8);
  }
  SECTION("Gemm with both operands transposed") {
    auto m = on({8, 5});
    m.weight("w", {7, 8}).weight("b", {7});
    m.node("Gemm", {"x", "w", "b"}, {"y"}, "op").set("transA", 1).set("transB", 1);
    auto const i = imported(m);
    CHECK(result_of(i, "op") == shape{5, 7});
    CHECK(parameters(i) == 56 + 7);
  }
  SECTION("integer product") {
    model m;
    m.input("x", {4, 8}, 2).output("y").weight("w", {8, 3}, 3);
    m.node("MatMulInteger", {"x", "w"}, {"y"}, "op");
    auto const i = imported(m);
    CHECK(nth_operand(operation_called(i, "op"), mars::role::output, 0)->element_bits == 32);
    CHECK(parameters(i) == 24);
  }
  SECTION("a table shared by the first and, transposed, the last layer is one weight") {
    model m;
    m.input("ids", {1, 6}, 7).output("y").weight("table", {100, 16});
    m.node("Gather", {"table", "ids"}, {"h"}, "embed");
    m.node("Transpose", {"table"}, {"t"});
    m.node("MatMul", {"h", "t"}, {"y"}, "op");
    auto const i = imported(m);
    CHECK(result_of(i, "op") == shape{1, 6, 100});
    CHECK(parameters(i) == 1600);
    CHECK(i.graph.size() == 2);
  }
  SECTION("Einsum: attention scores") {
    auto m = on({2, 4, 5, 8});
    m.input("z", {2, 4, 7, 8});
    m.node("Einsum", {"x", "z"}, {"y"}, "op").set("equation", "bhid, bhjd -> bhij");
    auto const i = imported(m);
    CHECK(result_of(i, "op") == shape{2, 4, 5, 7});
    CHECK(macs(i) == 2 * 4 * 5 * 7 * 8);
    CHECK(operation_called(i, "op").kind == mars::op_kind::matmul);
  }
  SECTION("Einsum: an ellipsis, an implicit result") {
    auto m = on({2, 3, 5, 8});
    m.weight("w", {8, 7});
    m.node("Einsum", {"x", "w"}, {"y"}, "op").set("equation", "...k,kn");
    CHECK(result_of(m) == shape{2, 3, 5, 7});
  }
}

TEST_CASE("recurrent cells have ONNX's weights", "[onnx]") {
  auto m = on({10, 2, 8});
  m.output("h").output("c");
  m.weight("w", {2, 4 * 16, 8}).weight("r", {2, 4 * 16, 16}).weight("b", {2, 8 * 16});
  m.node("LSTM", {"x", "w", "r", "b"}, {"y", "h", "c"}, "op").set("hidden_size", 16);
  auto const i = imported(m);
  CHECK(result_of(i, "op") == shape{10, 2, 2, 16});
  CHECK(result_of(i, "op", 1) == shape{2, 2, 16});
  CHECK(result_of(i, "op", 2) == shape{2, 2, 16});
  CHECK(macs(i) == 10 * 2 * 2 * 4 * 16 * (8 + 16));
  CHECK(parameters(i) == 2 * 64 * 8 + 2 * 64 * 16 + 2 * 128);

  auto g = on({10, 2, 8});
  g.weight("w", {1, 48, 8}).weight("r", {1, 48, 16});
  g.node("GRU", {"x", "w", "r"}, {"y"}, "op");
  CHECK(macs(imported(g)) == 10 * 2 * 3 * 16 * 24);
  auto wrong = on({10, 2, 8});
  wrong.weight("w", {1, 48, 9}).weight("r", {1, 48, 16});
  wrong.node("GRU", {"x", "w", "r"}, {"y"}, "op");
  CHECK_THAT(refused(wrong), contains_text("graph.node[0](GRU \"op\")"));
}

TEST_CASE("normalisation keeps shapes and counts its vectors", "[onnx]") {
  auto const count = [](char const* type, std::vector<shape> const& weights,
                        std::int64_t opset = 17) {
    auto m = on({2, 8, 4, 4}, opset);
    strings inputs{"x"};
    for (auto const& w : weights) {
      inputs.push_back(std::string{"w"} + std::to_string(inputs.size()));
      m.weight(inputs.back(), w);
    }
    m.node(type, inputs, {"y"}, "op").set("num_groups", 4).set("size", 5);
    auto const i = imported(m);
    CHECK(result_of(i, "op") == shape{2, 8, 4, 4});
    return parameters(i);
  };
  CHECK(count("BatchNormalization", {{8}, {8}, {8}, {8}}) == 32);
  CHECK(count("LayerNormalization", {{4}, {4}}, 12) == 8); // before opset 17, as exporters write it
  CHECK(count("RMSNormalization", {{4}}, 23) == 4);
  CHECK(count("SimplifiedLayerNormalization", {{4}}) == 4);
  CHECK(count("GroupNormalization", {{4}, {4}}, 18) == 8); // one per group
  CHECK(count("GroupNormalization", {{8}, {8}}, 21) == 16);
  CHECK(count("InstanceNormalization", {{8}, {8}}) == 16);
  CHECK(count("LRN", {}) == 0);
  CHECK(count("LpNormalization", {}) == 0);
  CHECK(count("MeanVarianceNormalization", {}) == 0);
}

TEST_CASE("softmax: one axis since opset 13, all from axis before", "[onnx]") {
  auto const whole_axes = [](std::int64_t opset, std::int64_t axis, bool given = true) {
    auto m = on({2, 3, 4}, opset);
    auto n = m.node("Softmax", {"x"}, {"y"}, "op");
    if (given) n.set("axis", axis);
    auto const i = imported(m);
    std::vector<std::size_t> axes;
    auto const& input = operation_called(i, "op").operands[0];
    for (std::size_t k = 0; k < input.axes.size(); ++k)
      if (input.axes[k].is_whole()) axes.push_back(k);
    return axes;
  };
  using indices = std::vector<std::size_t>;
  CHECK(whole_axes(12, 1, false) == indices{1, 2});
  CHECK(whole_axes(13, 1, false) == indices{2});
  CHECK(whole_axes(13, 1) == indices{1});
  CHECK(whole_axes(11, 2) == indices{2});
}

TEST_CASE("reductions: axes as attribute, as input, all, none", "[onnx]") {
  auto m = on({2, 3, 4}, 12);
  m.node("ReduceMean", {"x"}, {"y"}, "op").set("axes", {-1}).set("keepdims", 0);
  CHECK(result_of(m) == shape{2, 3});
  auto n = on({2, 3, 4}, 18);
  n.integers("a", {1});
  n.node("ReduceMax", {"x", "a"}, {"y"}, "op");
  CHECK(result_of(n) == shape{2, 1, 4});
  auto all = on({2, 3, 4});
  all.node("ReduceSum", {"x"}, {"y"}, "op").set("keepdims", 0);
  CHECK(result_of(all) == shape{});
  auto arg = on({2, 3, 4});
  arg.node("ArgMax", {"x"}, {"y"}, "op").set("axis", 1);
  auto const i = imported(arg);
  CHECK(result_of(i, "op") == shape{2, 1, 4});
  CHECK(nth_operand(operation_called(i, "op"), mars::role::output, 0)->element_bits == 64);
  auto top = on({2, 3, 40});
  top.integers("k", {5}).output("i");
  top.node("TopK", {"x", "k"}, {"y", "i"}, "op");
  CHECK(result_of(top, 1) == shape{2, 3, 5});
}

TEST_CASE("elementwise: broadcasting, types, elision", "[onnx]") {
  auto m = on({2, 3, 4});
  m.weight("w", {3, 1});
  m.node("Add", {"x", "w"}, {"a"}, "add");
  m.node("Greater", {"a", "w"}, {"g"}, "greater");
  m.node("Where", {"g", "a", "x"}, {"s"}, "where");
  m.node("Identity", {"s"}, {"t"}, "identity");
  m.node("Dropout", {"t"}, {"d"}, "dropout").set("ratio", 0.5F);
  m.node("Cast", {"d"}, {"c"}, "cast").set("to", 10);
  m.node("Clip", {"c", "", ""}, {"y"}, "clip");
  auto const i = imported(m);
  CHECK(result_of(i, "add") == shape{2, 3, 4});
  CHECK(nth_operand(operation_called(i, "greater"), mars::role::output, 0)->element_bits == 8);
  CHECK(nth_operand(operation_called(i, "where"), mars::role::output, 0)->element_bits == 32);
  CHECK(nth_operand(operation_called(i, "cast"), mars::role::output, 0)->element_bits == 16);
  CHECK(i.graph.size() == 5); // neither Identity nor Dropout
  CHECK(parameters(i) == 3);  // read twice, one weight

  auto old = on({2, 3, 4, 5}, 6);
  old.weight("w", {3});
  old.node("Add", {"x", "w"}, {"y"}, "op").set("broadcast", 1).set("axis", 1);
  auto const o = imported(old);
  CHECK(operation_called(o, "op").operands[1].axes[0] ==
        operation_called(o, "op").operands[0].axes[1]);

  auto bad = on({2, 3, 4});
  bad.input("z", {5});
  bad.node("Mul", {"x", "z"}, {"y"}, "op");
  CHECK_THAT(refused(bad), contains_text("graph.node[0](Mul \"op\")"));
}

TEST_CASE("fused and vendor operators", "[onnx]") {
  auto m = on({2, 6, 16});
  m.weight("g", {16}).weight("w", {16, 48}).weight("b", {48});
  m.node("SkipLayerNormalization", {"x", "x", "g"}, {"n"}, "norm").domain("com.microsoft");
  m.node("Attention", {"n", "w", "b"}, {"a"}, "attention")
      .set("num_heads", 4)
      .domain("com.microsoft");
  m.node("FastGelu", {"a"}, {"y"}, "gelu").domain("com.microsoft");
  auto const i = imported(m);
  CHECK(result_of(i, "gelu") == shape{2, 6, 16});
  CHECK(macs(i) == 2 * 6 * 16 * 48 + 2 * (2 * 6 * 6 * 16));

  auto f = on({2, 8, 5});
  f.input("z", {2, 7, 8});
  f.node("FusedMatMul", {"x", "z"}, {"y"}, "op")
      .set("transA", 1)
      .set("transB", 1)
      .domain("com.microsoft");
  CHECK(result_of(f) == shape{2, 5, 7});

  auto q = on({1, 64});
  q.weight("w", {128, 2, 16}, 2).weight("s", {256});
  q.node("MatMulNBits", {"x", "w", "s"}, {"y"}, "op")
      .set("K", 64)
      .set("N", 128)
      .set("bits", 4)
      .domain("com.microsoft");
  auto const packed = imported(q);
  CHECK(macs(packed) == 64 * 128);
  CHECK(operation_called(packed, "op").operands[1].element_bits == 4);

  auto a = on({1, 4, 6, 8}, 23);
  a.input("k", {1, 2, 9, 8}).input("v", {1, 2, 9, 8});
  a.node("Attention", {"x", "k", "v"}, {"y"}, "op");
  auto const grouped = imported(a);
  CHECK(macs(grouped) == 2 * (4 * 6 * 9 * 8));
  CHECK(result_of(grouped, "op.rows") == shape{1, 4, 6, 8});
}
