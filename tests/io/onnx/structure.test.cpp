// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What real files do besides operators: names, order, scopes, functions, symbols, what is missing.

#include "io/onnx/model.hpp"

#include <algorithm>

using namespace mars_test;

namespace {

auto warned(mars::io::onnx_import const& i, std::string const& part) -> bool {
  return std::any_of(i.warnings.begin(), i.warnings.end(),
                     [&](auto const& w) { return w.find(part) != std::string::npos; });
}

} // namespace

TEST_CASE("nodes in any order, without names, with the same name, with odd names", "[onnx]") {
  model m;
  m.input("x:0", {4}).output("y");
  m.node("Sigmoid", {"b"}, {"y"});
  m.node("Tanh", {"a"}, {"b"}, "block/act.1 :0");
  m.node("Relu", {"x:0"}, {"a"}, "block/act.1 :0");
  auto const i = imported(m);
  REQUIRE(i.graph.size() == 3);
  CHECK(operation_called(i, "block/act.1 :0").type == "Relu");
  CHECK(operation_called(i, "block/act.1 :0_2").type == "Tanh");
  CHECK(operation_called(i, "Sigmoid_0").type == "Sigmoid");
  CHECK(operation_called(i, "block/act.1 :0").operands[0].name == "x:0");
}

TEST_CASE("control characters and broken UTF-8 in names do not get out", "[onnx]") {
  model m;
  m.input("x\n\xFF", {4}).output("y");
  m.node("Relu", {"x\n\xFF"}, {"y"}, "a\tb\xC3\xA9\xED\xA0\x80");
  CHECK(operation_called(imported(m), "a?b\xC3\xA9???").operands[0].name == "x??");
}

TEST_CASE("IR 3: initializers are inputs too; unused ones count for nothing", "[onnx]") {
  model m{9, 3};
  m.input("w", {3, 4}).input("x", {2, 3}).input("unused", {9});
  m.weight("w", {3, 4}).weight("unused", {9}).output("y");
  m.node("MatMul", {"x", "w"}, {"y"}, "op");
  auto const i = imported(m);
  CHECK(mars::parameters_of(i.graph) == 12);
  auto const outside = external_inputs(i.graph);
  REQUIRE(outside.size() == 1);
  CHECK(op(i.graph, outside[0].op).operands[outside[0].operand].name == "x");
}

TEST_CASE("symbols: bound by name, else 1 with one warning; other dimensions nobody knows",
          "[onnx]") {
  model m;
  m.input("x", {"batch", "seq.len", 8}).input("z", {"batch", 1, 8}).output("y");
  m.node("Add", {"x", "z"}, {"y"}, "op");
  auto const i = imported(m, {.symbols = {{"seq.len", 12}}});
  CHECK(result_of(i, "op") == shape{1, 12, 8});
  REQUIRE(i.warnings.size() == 1);
  CHECK_THAT(i.warnings[0], contains_text("\"batch\""));
  CHECK_THAT(refused(m, {.symbols = {{"batch", 0}}}), contains_text("graph.input[0](\"x\")"));
  CHECK_THAT(refused(m, {.symbols = {{"batch", INT64_MAX}}}),
             contains_text("graph.input[0](\"x\")"));

  for (std::int64_t const extent : {-1, 0}) {
    model n;
    n.input("x", {extent, 8}).output("y");
    n.node("Relu", {"x"}, {"y"}, "op");
    auto const j = imported(n);
    CHECK(result_of(j, "op") == shape{1, 8});
    CHECK(j.warnings.size() == 1);
  }
}

TEST_CASE("options: batch and element bits", "[onnx]") {
  model m;
  m.input("x", {1, 3}).weight("w", {3, 5}).output("y");
  m.node("MatMul", {"x", "w"}, {"y"}, "op");
  auto const i = imported(m, {.batch = 4, .element_bits = 16});
  CHECK(result_of(i, "op") == shape{4, 5});
  for (auto const& t : operation_called(i, "op").operands) CHECK(t.element_bits == 16);
  CHECK_THAT(refused(m, {.batch = -1}), contains_text("options.batch"));
  CHECK_THAT(refused(m, {.element_bits = 65}), contains_text("options.element_bits"));
}

TEST_CASE("constants that are no parameters: masks and indices", "[onnx]") {
  model m;
  m.input("x", {2, 3}).weight("mask", {2, 3}, 9).weight("low", {1}).output("y");
  m.node("Where", {"mask", "low", "x"}, {"y"}, "op");
  auto const i = imported(m);
  CHECK(mars::parameters_of(i.graph) == 1);
  CHECK(operation_called(i, "op").operands[0].role == mars::role::input);
  CHECK(operation_called(i, "op").operands[0].element_bits == 8);
}

TEST_CASE("Dropout with its ratio as input is kept with it; a mask nobody reads needs no shape",
          "[onnx]") {
  model m;
  m.input("x", {2, 3}).weight("ratio", {}).output("y");
  m.node("Dropout", {"x", "ratio"}, {"d", "mask"}, "drop");
  m.node("Relu", {"d"}, {"y"}, "op");
  auto const i = imported(m);
  CHECK(i.graph.size() == 2);
  CHECK(mars::parameters_of(i.graph) == 1);
}

TEST_CASE("what reaches no output is left out", "[onnx]") {
  model m;
  m.input("x", {2, 3}).weight("w", {3, 5}).output("y");
  m.node("MatMul", {"x", "w"}, {"dead"}, "dead");
  m.node("Relu", {"x"}, {"y"}, "op");
  auto const i = imported(m);
  CHECK(i.graph.size() == 1);
  CHECK(warned(i, "1 of 2 nodes reach no output"));
}

TEST_CASE("unknown operators: opaque by stored shapes, else one clear error", "[onnx]") {
  model m;
  m.input("x", {2, 3}).weight("w", {7}).output("y");
  m.node("Frobnicate", {"x", "w"}, {"f", "extra"}, "frob").domain("com.acme");
  m.node("Relu", {"f"}, {"y"}, "relu");
  auto const line = refused(m);
  CHECK_THAT(line, contains_text("graph.node[0](Frobnicate \"frob\").output[0]"));
  CHECK_THAT(line, contains_text("com.acme"));
  CHECK_THAT(line, contains_text("[unsupported]"));
  m.info("f", {4, 4});
  auto const i = imported(m);
  CHECK(operation_called(i, "frob").kind == mars::op_kind::opaque);
  CHECK(result_of(i, "relu") == shape{4, 4});
  CHECK(mars::parameters_of(i.graph) == 7);
  REQUIRE(i.warnings.size() == 1);
  CHECK_THAT(i.warnings[0], contains_text("graph.node[0](Frobnicate \"frob\")"));
  // value_info without a type says nothing.
  m.graph().mutable_value_info(0)->clear_type();
  CHECK_THAT(refused(m), contains_text("Frobnicate"));
}

TEST_CASE("a custom node may carry a whole model", "[onnx]") {
  model inner;
  inner.input("a", {1}).output("b");
  inner.node("Relu", {"a"}, {"b"});
  model m;
  m.input("x", {2, 3}).output("y").info("y", {2, 3});
  m.node("Engine", {"x"}, {"y"}, "op").domain("trt").set("body", inner.graph());
  CHECK(imported(m).graph.size() == 1);
}

TEST_CASE("inputs that are no tensors matter only to those who read them", "[onnx]") {
  model m;
  auto& sequence = *m.graph().add_input();
  sequence.set_name("s");
  sequence.mutable_type()
      ->mutable_sequence_type()
      ->mutable_elem_type()
      ->mutable_tensor_type()
      ->set_elem_type(1);
  m.graph().add_input()->set_name("untyped");
  m.input("x", {2}).output("y");
  m.node("Relu", {"x"}, {"y"}, "op");
  CHECK(imported(m).graph.size() == 1);
  m.node("Add", {"x", "untyped"}, {"z"}, "add");
  m.output("z");
  CHECK_THAT(refused(m), contains_text("graph.node[1](Add \"add\").input[1]"));
}

TEST_CASE("If: the branch a constant chooses, else the first; branches read outer tensors",
          "[onnx]") {
  auto const branch = [](char const* type) {
    model b;
    b.node(type, {"x"}, {"r"}, "inner");
    b.output("r");
    return b.graph();
  };
  model m;
  m.input("x", {2, 3}).input("c", {}, 9).scalar("no", 0, 9).output("y").output("z");
  m.node("If", {"c"}, {"y"}, "open")
      .set("then_branch", branch("Relu"))
      .set("else_branch", branch("Tanh"));
  m.node("If", {"no"}, {"z"}, "known")
      .set("then_branch", branch("Relu"))
      .set("else_branch", branch("Tanh"));
  auto const i = imported(m);
  CHECK(operation_called(i, "open/inner").type == "Relu");
  CHECK(operation_called(i, "known/inner").type == "Tanh");
  CHECK(i.warnings.size() == 1);
  CHECK(warned(i, "then_branch"));
  m.graph().mutable_node(0)->clear_attribute();
  CHECK_THAT(refused(m), contains_text("graph.node[0](If \"open\").then_branch"));
}

TEST_CASE("Loop and Scan: opaque by stored shapes, reading what their bodies read", "[onnx]") {
  model body;
  body.node("MatMul", {"state", "w"}, {"next"});
  body.output("next");
  model m;
  m.input("x", {2, 3}).weight("w", {3, 3}).scalar("n", 8).output("y");
  auto n = m.node("Loop", {"n", "", "x"}, {"y"}, "loop");
  n.set("body", body.graph());
  CHECK_THAT(refused(m), contains_text("graph.node[0](Loop \"loop\")"));
  m.info("y", {2, 3});
  m.graph().mutable_output(0)->Clear();
  describe(*m.graph().mutable_output(0), "y", {2, 3});
  auto const i = imported(m);
  CHECK(mars::parameters_of(i.graph) == 9);
  CHECK(i.warnings.size() == 1);
}

TEST_CASE("functions: nested, with attributes by reference, their own opset, optional inputs",
          "[onnx]") {
  model m;
  auto& outer = *m.proto.add_functions();
  outer.set_name("Block");
  outer.set_domain("local");
  outer.add_input("a");
  outer.add_input("b");
  outer.add_output("r");
  outer.add_attribute("where");
  outer.add_opset_import()->set_version(11);
  add_node(*outer.mutable_node(), "Softmax", {"t"}, {"r"}, "soft")
      .refer("axis", "where", pb::AttributeProto::INT);
  add_node(*outer.mutable_node(), "Inner", {"a"}, {"t"}, "in").domain("local");
  auto& inner = *m.proto.add_functions();
  inner.set_name("Inner");
  inner.set_domain("local");
  inner.add_input("p");
  inner.add_output("q");
  add_node(*inner.mutable_node(), "Relu", {"p"}, {"q"}, "relu");

  m.input("x", {2, 3, 4}).output("y");
  m.node("Block", {"x"}, {"h"}, "first").domain("local").set("where", 2);
  m.node("Block", {"h", "x"}, {"y"}, "second").domain("local");
  auto const i = imported(m);
  CHECK(i.graph.size() == 4);
  CHECK(operation_called(i, "first/in/relu").type == "Relu");
  auto const whole = [&](char const* name, std::size_t axis) {
    return operation_called(i, name).operands[0].axes[axis].is_whole();
  };
  CHECK_FALSE(whole("first/soft", 1));
  CHECK(whole("first/soft", 2));
  CHECK(whole("second/soft", 1)); // axis absent: opset 11 says 1, and all that follow
  CHECK(whole("second/soft", 2));
}

TEST_CASE("functions: default attributes and overloads of newer files", "[onnx]") {
  model m;
  auto& f = *m.proto.add_functions();
  f.set_name("F");
  f.set_domain("local");
  f.add_input("a");
  f.add_output("r");
  add_node(*f.mutable_node(), "Flatten", {"a"}, {"r"}, "flat")
      .refer("axis", "at", pb::AttributeProto::INT);
  pb::AttributeProto at;
  at.set_name("at");
  at.set_type(pb::AttributeProto::INT);
  at.set_i(2);
  auto const append = [](auto& message, int field, std::string const& bytes) {
    message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(field)->assign(
        bytes);
  };
  append(f, 11, at.SerializeAsString());
  append(f, 13, "second");
  m.input("x", {2, 3, 4}).output("y");
  m.node("F", {"x"}, {"y"}, "call").domain("local");
  append(*m.graph().mutable_node(0), 8, "second");
  CHECK(result_of(imported(m), "call/flat") == shape{6, 4});
}

TEST_CASE("a function that calls itself, or doubles at each of many levels, ends", "[onnx]") {
  model m;
  m.input("x", {2}).output("y");
  m.node("F0", {"x"}, {"y"}, "call").domain("local");
  auto const define = [&m](std::string const& name, strings const& callees) {
    auto& f = *m.proto.add_functions();
    f.set_name(name);
    f.set_domain("local");
    f.add_input("t0");
    int k = 0;
    for (auto const& c : callees) {
      add_node(*f.mutable_node(), c, {std::string{"t"} + std::to_string(k)},
               {std::string{"t"} + std::to_string(k + 1)})
          .domain("local");
      ++k;
    }
    f.add_output(std::string{"t"} + std::to_string(k));
  };
  SECTION("itself") {
    define("F0", {"F0"});
    CHECK_THAT(refused(m), contains_text("[cycle]"));
  }
  SECTION("doubling") {
    for (int k = 0; k < 40; ++k)
      define(std::string{"F"} + std::to_string(k),
             {std::string{"F"} + std::to_string(k + 1), std::string{"F"} + std::to_string(k + 1)});
    define("F40", {});
    CHECK_THAT(refused(m), contains_text("nodes"));
  }
}

TEST_CASE("cycles, dangling and doubled tensors are named", "[onnx]") {
  model cycle;
  cycle.input("x", {2}).output("y");
  cycle.node("Relu", {"x"}, {"y"}, "fine");
  cycle.node("Add", {"b", "x"}, {"a"}, "one");
  cycle.node("Relu", {"a"}, {"b"}, "two");
  auto const line = refused(cycle);
  CHECK_THAT(line, contains_text("[cycle]"));
  CHECK_THAT(line, contains_text("graph.node["));

  model dangling;
  dangling.input("x", {2}).output("y");
  dangling.node("Add", {"x", "nowhere"}, {"y"}, "op");
  CHECK_THAT(refused(dangling),
             contains_text("graph.node[0](Add \"op\").input[1]: found \"nowhere\""));

  model output;
  output.input("x", {2}).output("y").output("nowhere");
  output.node("Relu", {"x"}, {"y"}, "op");
  CHECK_THAT(refused(output), contains_text("[dangling]"));

  model twice;
  twice.input("x", {2}).output("y");
  twice.node("Relu", {"x"}, {"y"}, "a");
  twice.node("Tanh", {"x"}, {"y"}, "b");
  CHECK_THAT(refused(twice), contains_text("graph.node[1](Tanh \"b\").output[0]"));
}

TEST_CASE("extents: huge, negative, zero; data elsewhere", "[onnx]") {
  auto const with_weight = [](shape const& dims) {
    model m;
    m.input("x", {2, 3}).weight("w", dims).output("y");
    m.node("MatMul", {"x", "w"}, {"y"}, "op");
    return m;
  };
  auto const huge = std::int64_t{1} << 62;
  CHECK_THAT(refused(with_weight({huge, huge})), contains_text("graph.initializer[0]"));
  CHECK_THAT(refused(with_weight({3, huge})), contains_text("graph.initializer[0]"));
  CHECK_THAT(refused(with_weight({3, -4})), contains_text("graph.initializer[0]"));
  CHECK_THAT(refused(with_weight({3, 0})), contains_text("graph.node[0](MatMul \"op\")"));
  CHECK_THAT(refused(with_weight({5, 5})), contains_text("graph.node[0](MatMul \"op\")"));
  CHECK_THAT(refused(with_weight({huge, 0})), contains_text("graph.initializer[0]"));

  model large;
  large.input("x", {huge, 4}).output("y");
  large.node("Relu", {"x"}, {"y"}, "op");
  CHECK_THAT(refused(large), contains_text("graph.input[0]"));

  auto m = with_weight({3, 4});
  auto& w = *m.graph().mutable_initializer(0);
  w.set_data_location(pb::TensorProto::EXTERNAL);
  auto& entry = *w.add_external_data();
  entry.set_key("location");
  entry.set_value("weights.bin");
  CHECK(imported(m).warnings.empty());
  for (auto const* elsewhere : {"/etc/passwd", "../weights.bin"}) {
    entry.set_value(elsewhere);
    auto const i = imported(m);
    REQUIRE(i.warnings.size() == 1);
    CHECK_THAT(i.warnings[0], contains_text(elsewhere));
  }
}

TEST_CASE("opsets: several imports of the default domain, the highest counts; none; future IR",
          "[onnx]") {
  model m{11};
  auto& second = *m.proto.add_opset_import();
  second.set_domain("ai.onnx");
  second.set_version(13);
  m.input("x", {2, 3, 4}).output("y");
  m.node("Softmax", {"x"}, {"y"}, "op");
  CHECK_FALSE(operation_called(imported(m), "op").operands[0].axes[1].is_whole());
  m.proto.clear_opset_import();
  CHECK_FALSE(operation_called(imported(m), "op").operands[0].axes[1].is_whole());
  m.proto.set_ir_version(99);
  CHECK(warned(imported(m), "ir_version 99"));
}

TEST_CASE("attributes beyond reason are refused, not computed with", "[onnx]") {
  for (std::int64_t const n :
       {INT64_MAX, INT64_MIN, std::int64_t{1} << 55, std::int64_t{0}, std::int64_t{-1}}) {
    model m;
    m.input("x", {1, 4, 8, 8}).weight("w", {4, 4, 3, 3}).output("y");
    m.node("Conv", {"x", "w"}, {"y"}, "op").set("strides", {n, n}).set("dilations", {n, n});
    CHECK_THAT(refused(m), contains_text("graph.node[0](Conv \"op\")"));
    model p;
    p.input("x", {1, 4, 8, 8}).output("y");
    p.node("MaxPool", {"x"}, {"y"}, "op").set("kernel_shape", {n, n}).set("auto_pad", "SAME_UPPER");
    (void)mars::io::parse_onnx(p.bytes());
    model t;
    t.input("x", {1, 4, 8, 8}).weight("w", {4, 4, 3, 3}).output("y");
    t.node("ConvTranspose", {"x", "w"}, {"y"}, "op")
        .set("output_shape", {n, n})
        .set("strides", {2, 2});
    (void)mars::io::parse_onnx(t.bytes());
    model l;
    l.input("x", {1, 4, 8, 8}).integers("n", {n, n, n, n}).scalar("one", n).output("y");
    for (auto const* type :
         {"Reshape", "Expand", "Tile", "Pad", "Slice", "Resize", "OneHot", "TopK", "CumSum",
          "Squeeze", "Unsqueeze", "ReduceSum", "Split", "ConstantOfShape", "Range"}) {
      l.graph().clear_node();
      l.node(type, {"x", "n", "n", "n"}, {"y"}, "op")
          .set("axis", n)
          .set("k", n)
          .set("num_outputs", n);
      (void)mars::io::parse_onnx(l.bytes());
      l.graph().clear_node();
      l.node(type, {"n", "n", "n"}, {"c"}, "op").set("axis", n);
      l.node("Add", {"x", "c"}, {"y"}, "add");
      (void)mars::io::parse_onnx(l.bytes());
    }
  }
}
