// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that move elements, in the forms they had over the opsets.

#include "io/onnx/model.hpp"

using namespace mars_test;

TEST_CASE("Reshape: 0 copies, -1 is what remains, allowzero does neither", "[onnx]") {
  auto const reshaped = [](std::vector<std::int64_t> const& to) {
    auto m = on({2, 3, 4});
    m.integers("s", to);
    m.node("Reshape", {"x", "s"}, {"y"}, "op");
    return result_of(m);
  };
  CHECK(reshaped({0, -1}) == shape{2, 12});
  CHECK(reshaped({-1}) == shape{24});
  CHECK(reshaped({4, 0, 2}) == shape{4, 3, 2});
  auto old = on({2, 3, 4}, 1);
  old.node("Reshape", {"x"}, {"y"}, "op").set("shape", {6, 4});
  CHECK(result_of(old) == shape{6, 4});
}

TEST_CASE("an inconsistent Reshape is a warning and an opaque operator", "[onnx]") {
  auto m = on({2, 3, 4});
  m.integers("s", {5, 5});
  m.node("Reshape", {"x", "s"}, {"r"}, "op");
  m.node("Relu", {"r"}, {"y"}, "relu");
  auto const i = imported(m);
  REQUIRE(i.warnings.size() == 1);
  CHECK_THAT(i.warnings[0], contains_text("graph.node[0](Reshape \"op\"): inconsistent"));
  CHECK(operation_called(i, "op").kind == mars::op_kind::opaque);
  CHECK(result_of(i, "relu") == shape{5, 5});
}

TEST_CASE("the batch option moves inputs, and constant Reshapes with them", "[onnx]") {
  auto m = on({1, 3, 4});
  m.integers("s", {1, 12});
  m.node("Reshape", {"x", "s"}, {"y"}, "op");
  CHECK(result_of(m, 0, {.batch = 8}) == shape{8, 12});
}

TEST_CASE("Flatten, Squeeze, Unsqueeze: attribute before opset 13, input after", "[onnx]") {
  auto flat = on({2, 3, 4, 5});
  flat.node("Flatten", {"x"}, {"y"}, "op").set("axis", 2);
  CHECK(result_of(flat) == shape{6, 20});
  for (bool const as_input : {false, true}) {
    auto const with = [&](char const* type, std::vector<dim> const& x, std::int64_t axis) {
      auto m = on(x, as_input ? 13 : 11);
      if (as_input) m.integers("a", {axis});
      auto n = m.node(type, as_input ? strings{"x", "a"} : strings{"x"}, {"y"}, "op");
      if (!as_input) n.set("axes", {axis});
      return m;
    };
    CHECK(result_of(with("Squeeze", {2, 1, 4}, 1)) == shape{2, 4});
    CHECK(result_of(with("Squeeze", {2, 4, 1}, -1)) == shape{2, 4});
    CHECK(result_of(with("Unsqueeze", {2, 4}, -1)) == shape{2, 4, 1});
    CHECK(result_of(with("Unsqueeze", {2, 4}, 0)) == shape{1, 2, 4});
    CHECK_THAT(refused(with("Squeeze", {2, 3, 4}, 1)), contains_text("Squeeze \"op\""));
    CHECK_THAT(refused(with("Unsqueeze", {2, 4}, 7)), contains_text("Unsqueeze \"op\""));
  }
  auto all = on({1, 2, 1, 4});
  all.node("Squeeze", {"x"}, {"y"}, "op");
  CHECK(result_of(all) == shape{2, 4});
}

TEST_CASE("Slice: attributes before opset 10, inputs after, negative steps, clamping", "[onnx]") {
  auto old = on({10, 20}, 9);
  old.node("Slice", {"x"}, {"y"}, "op").set("starts", {2}).set("ends", {-1}).set("axes", {1});
  CHECK(result_of(old) == shape{10, 17});
  auto m = on({10, 20});
  m.integers("s", {-1, 3})
      .integers("e", {INT64_MIN, INT64_MAX})
      .integers("a", {0, 1})
      .integers("t", {-3, 4});
  m.node("Slice", {"x", "s", "e", "a", "t"}, {"y"}, "op");
  auto const i = imported(m);
  CHECK(result_of(i, "op") == shape{4, 5}); // 9 6 3 0 and 3 7 11 15 19
  auto const& input = operation_called(i, "op").operands[0];
  CHECK(reach(input, mars::iteration_box{{0, 1}, {0, 1}})[0] == mars::interval{9, 10});
  CHECK(reach(input, mars::iteration_box{{3, 4}, {4, 5}})[0] == mars::interval{0, 1});
  CHECK(reach(input, mars::iteration_box{{3, 4}, {4, 5}})[1] == mars::interval{19, 20});
}

TEST_CASE("Split: equal parts, attribute, input, num_outputs", "[onnx]") {
  auto const parts = [](model& m, std::size_t count) {
    auto const i = imported(m);
    std::vector<std::int64_t> sizes;
    for (std::size_t k = 0; k < count; ++k) sizes.push_back(result_of(i, "op", k)[1]);
    return sizes;
  };
  using sizes = std::vector<std::int64_t>;
  auto equal = on({2, 9}, 2);
  equal.output("z").output("w").node("Split", {"x"}, {"y", "z", "w"}, "op").set("axis", 1);
  CHECK(parts(equal, 3) == sizes{3, 3, 3});
  auto given = on({2, 9}, 11);
  given.output("z").node("Split", {"x"}, {"y", "z"}, "op").set("axis", 1).set("split", {2, 7});
  CHECK(parts(given, 2) == sizes{2, 7});
  auto input = on({2, 9}, 13);
  input.integers("s", {4, 5}).output("z");
  input.node("Split", {"x", "s"}, {"y", "z"}, "op").set("axis", -1);
  CHECK(parts(input, 2) == sizes{4, 5});
  auto uneven = on({2, 9}, 18);
  uneven.output("z").node("Split", {"x"}, {"y", "z"}, "op").set("axis", 1).set("num_outputs", 2);
  CHECK(parts(uneven, 2) == sizes{5, 4});
  auto wrong = on({2, 9}, 11);
  wrong.output("z").node("Split", {"x"}, {"y", "z"}, "op").set("axis", 1).set("split", {2, 6});
  CHECK_THAT(refused(wrong), contains_text("graph.node[0](Split \"op\").split"));
}

TEST_CASE("Transpose, Concat, Pad, Expand, Tile", "[onnx]") {
  auto t = on({2, 3, 4});
  t.node("Transpose", {"x"}, {"y"}, "op");
  CHECK(result_of(t) == shape{4, 3, 2});
  auto c = on({2, 3});
  c.input("z", {2, 5}).weight("none", {2, 0});
  c.node("Concat", {"x", "none", "z"}, {"y"}, "op").set("axis", -1);
  CHECK(result_of(c) == shape{2, 8});
  auto p = on({2, 3});
  p.integers("p", {0, 1, 0, 2});
  p.node("Pad", {"x", "p"}, {"y"}, "op");
  CHECK(result_of(p) == shape{2, 6});
  auto some = on({2, 3, 4}, 18);
  some.integers("p", {1, 1}).integers("a", {-1});
  some.node("Pad", {"x", "p", "", "a"}, {"y"}, "op");
  CHECK(result_of(some) == shape{2, 3, 6});
  auto old = on({2, 3}, 2);
  old.node("Pad", {"x"}, {"y"}, "op").set("pads", {1, 0, 0, 1});
  CHECK(result_of(old) == shape{3, 4});
  auto e = on({3, 1});
  e.integers("s", {2, 1, 6});
  e.node("Expand", {"x", "s"}, {"y"}, "op");
  CHECK(result_of(e) == shape{2, 3, 6});
  auto tile = on({2, 3});
  tile.integers("r", {1, 4});
  tile.node("Tile", {"x", "r"}, {"y"}, "op");
  auto const i = imported(tile);
  CHECK(result_of(i, "op") == shape{2, 12});
  // Output column 7 = 2·3 + 1 reads input column 1: dimensions are row, column, repetition.
  auto const& o = operation_called(i, "op");
  mars::iteration_box const point{{0, 1}, {1, 2}, {2, 3}};
  CHECK(reach(o.operands[0], point)[1] == mars::interval{1, 2});
  CHECK(reach(o.operands[1], point)[1] == mars::interval{7, 8});
}

TEST_CASE("Resize and Upsample: sizes, scales, attribute", "[onnx]") {
  auto s = on({1, 2, 4, 6});
  s.integers("sizes", {1, 2, 8, 9});
  s.node("Resize", {"x", "", "", "sizes"}, {"y"}, "op");
  CHECK(result_of(s) == shape{1, 2, 8, 9});
  auto f = on({1, 2, 4, 6});
  f.reals("f", {1, 1, 2, 1.6F}).weight("roi", {0});
  f.node("Resize", {"x", "roi", "f"}, {"y"}, "op").set("mode", "linear");
  CHECK(result_of(f) == shape{1, 2, 8, 9});
  auto u = on({1, 2, 4, 6}, 9);
  u.reals("f", {1, 1, 2, 2});
  u.node("Upsample", {"x", "f"}, {"y"}, "op");
  CHECK(result_of(u) == shape{1, 2, 8, 12});
  auto a = on({1, 2, 4, 6}, 7);
  a.node("Upsample", {"x"}, {"y"}, "op").scales({1, 1, 3, 3});
  CHECK(result_of(a) == shape{1, 2, 12, 18});
}

TEST_CASE("gathers and scatters", "[onnx]") {
  auto m = on({2, 8, 4});
  m.scalar("first", -1);
  m.node("Gather", {"x", "first"}, {"y"}, "op").set("axis", 1);
  auto const i = imported(m);
  CHECK(result_of(i, "op") == shape{2, 4});
  // A constant position is a slice: only row 7 is read.
  auto const& row = operation_called(i, "op").operands[0];
  CHECK(reach(row, full_box(operation_called(i, "op")))[1] == mars::interval{7, 8});
  auto many = on({2, 8, 4});
  many.input("i", {3, 5}, 7);
  many.node("Gather", {"x", "i"}, {"y"}, "op").set("axis", 1);
  CHECK(result_of(many) == shape{2, 3, 5, 4});
  auto nd = on({2, 8, 4});
  nd.input("i", {7, 2}, 7);
  nd.node("GatherND", {"x", "i"}, {"y"}, "op");
  CHECK(result_of(nd) == shape{7, 4});
  auto el = on({2, 8});
  el.input("i", {2, 3}, 7);
  el.node("GatherElements", {"x", "i"}, {"y"}, "op").set("axis", 1);
  CHECK(result_of(el) == shape{2, 3});
  auto sc = on({2, 8});
  sc.input("i", {3, 1}, 7).input("u", {3, 8});
  sc.node("ScatterND", {"x", "i", "u"}, {"y"}, "op");
  CHECK(result_of(sc) == shape{2, 8});
}

TEST_CASE("DepthToSpace and SpaceToDepth name the element they read", "[onnx]") {
  auto m = on({1, 8, 2, 3});
  m.node("DepthToSpace", {"x"}, {"y"}, "op").set("blocksize", 2);
  auto const i = imported(m);
  CHECK(result_of(i, "op") == shape{1, 2, 4, 6});
  // DCR: output (c, 2h + bh, 2w + bw) is input ((2bh + bw)·2 + c, h, w). Dimensions n c h bh w bw.
  auto const& o = operation_called(i, "op");
  mars::iteration_box const point{{0, 1}, {1, 2}, {1, 2}, {1, 2}, {2, 3}, {0, 1}};
  CHECK(reach(o.operands[0], point) == mars::tensor_box{{0, 1}, {5, 6}, {1, 2}, {2, 3}});
  CHECK(reach(o.operands[1], point) == mars::tensor_box{{0, 1}, {1, 2}, {3, 4}, {4, 5}});
  auto s = on({1, 2, 4, 6});
  s.node("SpaceToDepth", {"x"}, {"y"}, "op").set("blocksize", 2);
  CHECK(result_of(s) == shape{1, 8, 2, 3});
}
