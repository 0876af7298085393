// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of shapes, seen from outside: what a Reshape at its end is asked for.

#include "io/onnx/model.hpp"

using namespace mars_test;

namespace {

/// A model x → Reshape "op" by the tensor "s", which the caller computes.
auto reshaped_by_s(std::vector<dim> const& x, std::int64_t opset = 17) -> model {
  model m{opset};
  m.input("x", x).output("y");
  m.node("Reshape", {"x", "s"}, {"y"}, "op");
  return m;
}

} // namespace

TEST_CASE("the usual chain: Shape, Gather, Unsqueeze, Concat, Reshape", "[onnx]") {
  auto m = reshaped_by_s({2, 3, 4, 5}, 12);
  m.node("Shape", {"x"}, {"shape"});
  m.scalar("zero", 0).integers("rest", {-1});
  m.node("Gather", {"shape", "zero"}, {"n"}).set("axis", 0);
  m.node("Unsqueeze", {"n"}, {"n1"}).set("axes", {0});
  m.node("Concat", {"n1", "rest"}, {"s"}).set("axis", 0);
  auto const i = imported(m);
  CHECK(result_of(i, "op") == shape{2, 60});
  CHECK(i.graph.size() == 1);
  CHECK(i.warnings.empty());
}

TEST_CASE("Shape with start and end, Slice, arithmetic, Cast through floats", "[onnx]") {
  auto m = reshaped_by_s({2, 3, 4, 5});
  m.node("Shape", {"x"}, {"hw"}).set("start", -2); // 4 5
  m.node("Shape", {"x"}, {"all"});
  m.integers("a", {0}).integers("b", {2});
  m.node("Slice", {"all", "a", "b"}, {"nc"}); // 2 3
  m.node("Cast", {"hw"}, {"f"}).set("to", 1);
  m.reals("half", {0.5F, 0.4F});
  m.node("Mul", {"f", "half"}, {"g"}); // 2.0 2.0
  m.node("Floor", {"g"}, {"h"});
  m.node("Cast", {"h"}, {"small"}).set("to", 7); // 2 2
  m.node("Div", {"hw", "small"}, {"q"});         // 2 2
  m.node("Add", {"q", "nc"}, {"r"});             // 4 5
  m.integers("six", {6});
  m.node("Concat", {"r", "six"}, {"s"}).set("axis", 0); // 4 5 6
  CHECK(result_of(m) == shape{4, 5, 6});
}

TEST_CASE("Where, Equal, ConstantOfShape, Range, Expand, Split, ReduceProd, ScatterND", "[onnx]") {
  auto m = reshaped_by_s({2, 3, 4, 5});
  m.scalar("one", 1).scalar("two", 2).scalar("five", 5);
  m.node("Range", {"two", "five", "one"}, {"r"}); // 2 3 4
  m.integers("minus", {-1}).integers("at", {1});
  m.integers("three", {3});
  m.node("ConstantOfShape", {"three"}, {"zeros"}); // float by default
  m.node("Cast", {"zeros"}, {"z"}).set("to", 7);   // 0 0 0
  m.node("Equal", {"r", "three"}, {"e"});          // 0 1 0
  m.node("Where", {"e", "minus", "r"}, {"w"});     // 2 -1 4
  m.node("Add", {"w", "z"}, {"v"});
  m.integers("i", {0}).integers("u", {10});
  m.node("ScatterND", {"v", "i", "u"}, {"s"}); // 10 -1 4
  CHECK(result_of(m) == shape{10, 3, 4});

  auto p = reshaped_by_s({2, 3, 4, 5});
  p.node("Shape", {"x"}, {"all"});
  p.node("Split", {"all"}, {"left", "right"}).set("axis", 0);
  p.node("ReduceProd", {"left"}, {"l"}).set("keepdims", 1); // 6
  p.node("ReduceMax", {"right"}, {"r"});                    // 5
  p.integers("four", {4});
  p.node("Concat", {"l", "four", "r"}, {"s"}).set("axis", 0);
  CHECK(result_of(p) == shape{6, 4, 5});
}

TEST_CASE("values in every storage: raw bytes, 32-bit and half fields", "[onnx]") {
  auto m = reshaped_by_s({2, 3, 4});
  auto raw = stored("s", {2}, 7);
  std::string bytes(16, '\0');
  bytes[0] = 6;
  bytes[8] = 4;
  raw.set_raw_data(bytes);
  *m.graph().add_initializer() = raw;
  CHECK(result_of(m) == shape{6, 4});

  auto n = reshaped_by_s({2, 3, 4});
  auto half = stored("h", {2}, 10);
  half.add_int32_data(0x4600); // 6.0: exponent 2, mantissa 1.5
  half.add_int32_data(0x4400); // 4.0
  *n.graph().add_initializer() = half;
  n.node("Cast", {"h"}, {"s"}).set("to", 7);
  CHECK(result_of(n) == shape{6, 4});

  auto b = reshaped_by_s({2, 3, 4});
  auto brain = stored("h", {1}, 16);
  brain.add_int32_data(0x41C0); // 24.0: sign 0, exponent 131, mantissa 1.5
  *b.graph().add_initializer() = brain;
  b.node("Cast", {"h"}, {"s"}).set("to", 7);
  CHECK(result_of(b) == shape{24});
}

TEST_CASE("weights that nodes make or only lay out anew keep their names", "[onnx]") {
  model m;
  m.input("x", {1, 3, 8, 8}).output("y");
  m.integers("w_shape", {4, 3, 3, 3});
  auto fill = stored("", {1});
  fill.add_float_data(0.02F);
  m.node("ConstantOfShape", {"w_shape"}, {"w"}).set("value", fill);
  m.weight("scale", {4}).weight("half", {4}, 10);
  m.node("Conv", {"x", "w"}, {"c"}, "conv");
  m.integers("axes", {1, 2});
  m.node("Unsqueeze", {"scale", "axes"}, {"s3"});
  m.node("Mul", {"c", "s3"}, {"d"}, "mul");
  m.node("Cast", {"half"}, {"h32"}).set("to", 1);
  m.node("Unsqueeze", {"h32", "axes"}, {"h3"});
  m.node("Add", {"d", "h3"}, {"y"}, "add");
  auto const i = imported(m);
  CHECK(i.graph.size() == 3);
  CHECK(mars::parameters_of(i.graph) == 4 * 27 + 4 + 4);
  CHECK(operation_called(i, "conv").operands[1].name == "w");
  CHECK(operation_called(i, "mul").operands[1].name == "scale");
  CHECK(operation_called(i, "add").operands[1].name == "half");
  CHECK(operation_called(i, "add").operands[1].element_bits == 16); // stored so
}

TEST_CASE("a weight laid out twice is one weight", "[onnx]") {
  model m;
  m.input("x", {1, 4, 8, 8}).weight("scale", {4}).integers("axes", {1, 2}).output("y");
  m.node("Unsqueeze", {"scale", "axes"}, {"a"});
  m.node("Unsqueeze", {"scale", "axes"}, {"b"});
  m.node("Mul", {"x", "a"}, {"z"}, "mul");
  m.node("Add", {"z", "b"}, {"y"}, "add");
  CHECK(mars::parameters_of(imported(m).graph) == 4);
}

TEST_CASE("division by zero and overflow in constants harm nobody", "[onnx]") {
  auto m = reshaped_by_s({24});
  m.integers("big", {INT64_MIN, INT64_MAX}).integers("minus", {-1}).integers("zero", {0});
  m.node("Div", {"big", "minus"}, {"a"});
  m.node("Mod", {"a", "minus"}, {"b"});
  m.node("Div", {"b", "zero"}, {"c"});
  m.node("Mul", {"big", "big"}, {"d"});
  m.node("Neg", {"d"}, {"e"});
  m.node("Mul", {"e", "c"}, {"f"});
  m.integers("shape", {4, 6});
  m.node("Add", {"f", "shape"}, {"s"});
  CHECK(result_of(m) == shape{4, 6});
}

TEST_CASE("a shape known only at run time is one clear error", "[onnx]") {
  auto m = reshaped_by_s({2, 3});
  m.input("s", {2}, 7);
  CHECK_THAT(refused(m), contains_text("graph.node[0](Reshape \"op\").input[1]"));
}
