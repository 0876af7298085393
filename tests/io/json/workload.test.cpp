// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "io/json/mutations.hpp"
#include "support/catch.hpp"

#include <mars/compression.hpp>
#include <mars/io/json/workload.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using mars::error_code;
using mars::io::load_workload;
using mars_test::contains_text;

auto error_in_workload(std::string_view text) -> mars::error {
  auto const r = load_workload(text);
  REQUIRE_FALSE(r);
  return r.error();
}
auto complaint_about_workload(std::string_view text) -> std::string {
  return to_string(error_in_workload(text));
}

/// A document by kind around one operator that reads x.
auto around(std::string const& op, std::string const& shape = "[1, 4, 8, 8]") -> std::string {
  return R"({"schema": "mars.workload/1", "inputs": [{"name": "x", "shape": )" + shape +
         R"(}], "operators": [{"name": "o", "inputs": ["x"], )" + op + "}]}";
}
auto shape_around(std::string const& attributes, std::string const& shape = "[1, 4, 8, 8]")
    -> mars::tensor_shape {
  auto const g = load_workload(around(attributes, shape)).value();
  auto const last = outputs(g).back();
  return mars::shape_of(*nth_operand(op(g, last.producer), mars::role::output, last.output));
}
using shape = mars::tensor_shape;

std::string const by_kind = R"({
  "schema": "mars.workload/1",
  "name": "small",
  "element_bits": 8,
  "inputs": [{"name": "image", "shape": [1, 3, 8, 8], "element_bits": 16}],
  "constants": [{"name": "scale", "shape": [8, 1, 1]}],
  "operators": [
    {"name": "conv", "kind": "conv", "inputs": ["image"], "out_channels": 8, "kernel": 3,
     "padding": [1, 1], "bias": false},
    {"name": "scaled", "kind": "mul", "inputs": ["conv", "scale"]},
    {"name": "parts", "kind": "split", "inputs": ["scaled"], "axis": 1, "sizes": [2, 6]},
    {"name": "both", "kind": "concat",
     "inputs": ["parts:1", {"operator": "parts", "output": 0}, "conv"], "axis": 1},
    {"name": "pooled", "kind": "avg_pool", "inputs": ["both"], "kernel": [2, 2], "stride": [2, 2]}
  ],
  "outputs": ["pooled", "parts:1"]
})";

std::string const by_algebra = R"({
  "schema": "mars.workload/1",
  "name": "algebra",
  "operators": [
    {"name": "product", "kind": "matmul", "type": "MatMul",
     "dims": [{"name": "m", "extent": 4}, {"name": "n", "extent": 6, "kind": "parallel"},
              {"name": "k", "extent": 5, "kind": "reduction"}],
     "work": {"macs": 1, "over": ["m", "n", "k"]},
     "operands": [
       {"role": "input", "name": "a", "axes": [{"extent": 4, "terms": [{"dim": "m"}]},
                                               {"extent": 5, "terms": [{"dim": "k"}]}]},
       {"role": "weight", "name": "b", "element_bits": 4,
        "axes": [{"extent": 5, "terms": [{"dim": "k"}]}, {"extent": 6, "terms": [{"dim": "n"}]}]},
       {"role": "output", "axes": [{"extent": 4, "terms": [{"dim": "m"}]},
                                   {"extent": 6, "terms": [{"dim": "n", "stride": 1}]}]}]},
    {"name": "softmax", "kind": "softmax",
     "dims": [{"name": "m", "extent": 4}, {"name": "n", "extent": 6}],
     "work": {"flops": 5},
     "operands": [
       {"role": "input", "from": "product",
        "axes": [{"extent": 4, "offset": 0, "terms": [{"dim": "m"}]}, {"extent": 6}]},
       {"role": "output", "axes": [{"extent": 4, "terms": [{"dim": "m"}]},
                                   {"extent": 6, "terms": [{"dim": "n"}]}]}]}
  ],
  "outputs": [{"operator": "softmax"}]
})";

void check_equal(mars::graph const& a, mars::graph const& b) {
  CHECK(a.name() == b.name());
  REQUIRE(a.size() == b.size());
  CHECK(edges_of(a) == edges_of(b));
  CHECK(outputs(a) == outputs(b));
  for (auto const v : operators(a)) {
    auto const& p = op(a, v);
    auto const& q = op(b, v);
    CHECK(p.name == q.name);
    CHECK(same_signature(p, q));
    REQUIRE(p.operands.size() == q.operands.size());
    for (std::size_t k = 0; k < p.operands.size(); ++k)
      CHECK(p.operands[k].name == q.operands[k].name);
  }
}

auto round_trip(mars::graph const& g) -> mars::graph {
  auto const text = mars::io::write_json(mars::io::workload_to_json(g));
  auto back = load_workload(text).value();
  CHECK(mars::io::write_json(mars::io::workload_to_json(back)) == text);
  return back;
}

} // namespace

TEST_CASE("operators by kind become a graph") {
  auto const g = load_workload(by_kind).value();
  CHECK(g.name() == "small");
  REQUIRE(g.size() == 5);
  // conv: 8·8·8 points of 3·9 MACs; weight 8·3·3·3; scale is a weight of 8.
  CHECK(macs_of(op(g, mars::operator_id{0U})).count() == 8 * 8 * 8 * 27);
  CHECK(parameters_of(g) == 8 * 27 + 8);
  CHECK(op(g, mars::operator_id{0U}).operands[0].element_bits == 16);
  CHECK(op(g, mars::operator_id{0U}).operands[1].element_bits == 8);
  auto const fed = inputs(g, mars::operator_id{3U});
  REQUIRE(fed.size() == 3);
  CHECK(fed[0] == mars::input_edge{mars::operator_id{2U}, 1, 0});
  CHECK(fed[1] == mars::input_edge{mars::operator_id{2U}, 0, 1});
  CHECK(fed[2] == mars::input_edge{mars::operator_id{0U}, 0, 2});
  REQUIRE(outputs(g).size() == 2);
  CHECK(outputs(g)[1] == mars::tensor_ref{mars::operator_id{2U}, 1});
  check_equal(round_trip(g), g);
}

TEST_CASE("operators by algebra become a graph") {
  auto const g = load_workload(by_algebra).value();
  REQUIRE(g.size() == 2);
  CHECK(macs_of(g).count() == 4 * 6 * 5);
  auto const& product = op(g, mars::operator_id{0U});
  CHECK(product.operands[0].element_bits == 16);
  CHECK(product.operands[1].element_bits == 4);
  CHECK(product.dims[2].kind == mars::dim_kind::reduction);
  auto const& softmax = op(g, mars::operator_id{1U});
  CHECK(softmax.operands[0].axes[1].is_whole());
  check_equal(round_trip(g), g);
}

namespace {

/// One operator of every kind, the shape of x it reads, and the shape of its last result.
struct example {
  std::string attributes;
  std::string x;
  shape result;
};
auto const feature_map = std::string{"[1, 4, 8, 8]"};
std::vector<example> const examples{
    {R"("kind": "conv", "out_channels": 6, "kernel": [3, 3], "stride": 2, "groups": 2)",
     feature_map,
     {1, 6, 3, 3}},
    {R"("kind": "conv_transpose", "out_channels": 2, "kernel": 2, "stride": 2, "output_padding": [1, 0])",
     feature_map,
     {1, 2, 17, 16}},
    {R"("kind": "linear", "out_features": 5, "bias": false)", "[3, 7]", {3, 5}},
    {R"("kind": "max_pool", "kernel": 2, "stride": 2)", feature_map, {1, 4, 4, 4}},
    {R"("kind": "avg_pool", "kernel": 3, "stride": 2, "ceil_mode": true, "count_include_pad": false)",
     feature_map,
     {1, 4, 4, 4}},
    {R"("kind": "global_avg_pool")", feature_map, {1, 4, 1, 1}},
    {R"("kind": "global_max_pool")", feature_map, {1, 4, 1, 1}},
    {R"("kind": "relu")", feature_map, {1, 4, 8, 8}},
    {R"("kind": "unary", "type": "Gelu", "flops_per_element": 8)", feature_map, {1, 4, 8, 8}},
    {R"("kind": "elementwise", "type": "Sum")", feature_map, {1, 4, 8, 8}},
    {R"("kind": "batch_norm", "parameters_per_channel": 2)", feature_map, {1, 4, 8, 8}},
    {R"("kind": "layer_norm", "axis": -2, "parameters_per_element": 1)", feature_map, {1, 4, 8, 8}},
    {R"("kind": "rms_norm", "axis": 3)", feature_map, {1, 4, 8, 8}},
    {R"("kind": "group_norm", "groups": 2)", feature_map, {1, 4, 8, 8}},
    {R"("kind": "lrn", "size": 3)", feature_map, {1, 4, 8, 8}},
    {R"("kind": "softmax", "axis": 1)", feature_map, {1, 4, 8, 8}},
    {R"("kind": "reduce", "axes": [2, 3], "keep_dims": false, "type": "ReduceMean")",
     feature_map,
     {1, 4}},
    {R"("kind": "concat", "axis": 1)", feature_map, {1, 4, 8, 8}},
    {R"("kind": "split", "axis": 1, "sizes": [1, 3])", feature_map, {1, 3, 8, 8}},
    {R"("kind": "reshape", "shape": [0, -1])", feature_map, {1, 256}},
    {R"("kind": "flatten", "axis": 2)", feature_map, {4, 64}},
    {R"("kind": "transpose", "permutation": [0, 2, 3, 1])", feature_map, {1, 8, 8, 4}},
    {R"("kind": "slice", "starts": [1, 0], "ends": [3, 8], "axes": [1, 2], "steps": [1, 3])",
     feature_map,
     {1, 2, 3, 8}},
    {R"("kind": "pad", "begins": [0, 0, 1, 1], "ends": [0, 0, 1, 1])", feature_map, {1, 4, 10, 10}},
    {R"("kind": "expand", "shape": [3, 4, 8, 8])", feature_map, {3, 4, 8, 8}},
    {R"("kind": "embedding", "vocabulary": 100, "width": 16)", "[2, 5]", {2, 5, 16}},
    {R"("kind": "resize", "shape": [1, 4, 16, 16], "mode": "interpolate")",
     feature_map,
     {1, 4, 16, 16}},
    {R"("kind": "lstm", "hidden": 6, "directions": 2)", "[5, 2, 3]", {2, 2, 6}},
    {R"("kind": "gru", "hidden": 6)", "[5, 2, 3]", {1, 2, 6}},
    {R"("kind": "opaque", "type": "Mystery", "output_shapes": [[2, 2], []])", feature_map, {}}};

/// An operator of several inputs around tensors that suit some.
auto around_many(std::string const& attributes) -> std::string {
  return R"({"schema": "mars.workload/1",
    "inputs": [{"name": "a", "shape": [2, 4, 6]}, {"name": "b", "shape": [2, 6, 5]},
               {"name": "q", "shape": [1, 3, 8]}, {"name": "x", "shape": [1, 4, 8, 8]}],
    "constants": [{"name": "w", "shape": [3, 6]}, {"name": "m", "shape": [6, 3]},
                  {"name": "kernel", "shape": [6, 4, 3, 3]}, {"name": "bias", "shape": [6]}],
    "operators": [{"name": "o", )" +
         attributes + "}]}";
}
std::vector<std::string> const examples_of_many{
    R"("kind": "matmul", "inputs": ["a", "b"])",
    R"("kind": "add", "inputs": ["a", "a"])",
    R"("kind": "mul", "inputs": ["a", "a"])",
    R"("kind": "gather", "inputs": ["a", "b"], "axis": 1)",
    R"("kind": "linear", "inputs": ["a", "w"])",
    R"("kind": "gemm", "inputs": ["w", "m"], "transpose_a": false, "transpose_b": false)",
    R"("kind": "conv", "inputs": ["x", "kernel"], "padding": 1)",
    R"("kind": "conv", "inputs": ["x", "kernel", "bias"], "stride": [2, 1])",
    R"("kind": "attention", "inputs": ["q", "q", "q"], "heads": 4, "kv_heads": 4, "causal": true)"};

} // namespace

TEST_CASE("densities and number formats survive a document; what is not said is not written") {
  auto const g = load_workload(by_kind).value();
  auto const plain = mars::io::workload_to_json(g).dump();
  CHECK(plain.find("density") == std::string::npos);
  CHECK(plain.find("numbers") == std::string::npos);
  using namespace mars::compression;
  for (auto const& h :
       {then{weight_pruning{.sparsity = 0.8}, int8{}}(g).value(),
        then{weight_pruning{.sparsity = 0.3}, float16{}}(g).value(), bfloat16{}(g).value()}) {
    auto const document = mars::io::workload_to_json(h).dump();
    auto const again = load_workload(document).value();
    for (auto const v : operators(h)) CHECK(same_signature(op(again, v), op(h, v)));
    CHECK(mars::io::workload_to_json(again).dump() == document);
  }
  auto const operand = [](std::string const& more) {
    return R"({"schema": "mars.workload/1", "operators": [{"name": "o", "kind": "opaque", "dims": [],
      "operands": [{"role": "output", "axes": [{"extent": 4}], )" +
           more + "}]}]}";
  };
  auto const brain = load_workload(operand(R"("numbers": "bfloat")")).value();
  CHECK(op(brain, mars::operator_id{0}).operands[0].numbers == mars::number_format::bfloat);
  auto const sparse = load_workload(operand(R"("density": 0.25)")).value();
  CHECK(op(sparse, mars::operator_id{0}).operands[0].density == 0.25);
  CHECK_THAT(complaint_about_workload(operand(R"("density": 1.5)")),
             contains_text("operators[0].operands[0].density: found 1.5"));
  CHECK_THAT(complaint_about_workload(operand(R"("numbers": "float")")),
             contains_text("operators[0].operands[0].numbers: found \"float\""));
}

TEST_CASE("every kind of operator can be written") {
  for (auto const& e : examples) {
    CAPTURE(e.attributes);
    CHECK(shape_around(e.attributes, e.x) == e.result);
  }
  for (auto const& attributes : examples_of_many) {
    CAPTURE(attributes);
    auto const g = load_workload(around_many(attributes));
    REQUIRE(g);
    check_equal(round_trip(*g), *g);
  }
  std::size_t kinds = 0;
  for (auto const& k : mars::io::detail::operator_kinds()) {
    auto const named = std::string{"\"kind\": \""} + std::string{k.name} + "\"";
    bool shown = false;
    for (auto const& e : examples) shown |= e.attributes.rfind(named, 0) == 0;
    for (auto const& e : examples_of_many) shown |= e.rfind(named, 0) == 0;
    CAPTURE(named);
    CHECK(shown);
    ++kinds;
  }
  CHECK(kinds == 36);
}

TEST_CASE("a list by kind may be in any order") {
  auto const g = load_workload(R"({"schema": "mars.workload/1",
    "inputs": [{"name": "x", "shape": [4]}],
    "operators": [{"name": "last", "kind": "relu", "inputs": ["first"]},
                  {"name": "first", "kind": "relu", "inputs": ["x"]}]})")
                     .value();
  REQUIRE(g.size() == 2);
  CHECK(op(g, mars::operator_id{0U}).name == "first");
}

TEST_CASE("names with colons mean themselves first") {
  auto const g = load_workload(R"({"schema": "mars.workload/1",
    "inputs": [{"name": "x:0", "shape": [4]}],
    "operators": [{"name": "a", "kind": "split", "inputs": ["x:0"], "axis": 0, "sizes": [1, 3]},
                  {"name": "a:1", "kind": "relu", "inputs": ["a:1:0"]},
                  {"name": "c", "kind": "relu", "inputs": ["a:0"]}]})");
  // "a:1:0" is output 0 of "a:1" itself.
  REQUIRE_FALSE(g);
  CHECK(g.error().code == error_code::cycle);

  auto const fine = load_workload(R"({"schema": "mars.workload/1",
    "inputs": [{"name": "x", "shape": [4]}],
    "operators": [{"name": "a", "kind": "split", "inputs": ["x"], "axis": 0, "sizes": [1, 3]},
                  {"name": "a:1", "kind": "relu", "inputs": [{"operator": "a", "output": 1}]},
                  {"name": "c", "kind": "relu", "inputs": ["a:1"]}]})")
                        .value();
  CHECK(inputs(fine, mars::operator_id{2U})[0].producer.index() == 1);
  check_equal(round_trip(fine), fine);
}

TEST_CASE("graphs that are wrong are one clear line") {
  SECTION("a cycle, by kind and by algebra") {
    CHECK(complaint_about_workload(R"({"schema": "mars.workload/1", "operators": [
            {"name": "a", "kind": "relu", "inputs": ["c"]},
            {"name": "b", "kind": "relu", "inputs": ["a"]},
            {"name": "c", "kind": "relu", "inputs": ["b"]}]})") ==
          "operators[0].inputs[0]: found \"c\", wanted an acyclic graph; operator 'a' depends on "
          "itself [cycle]");
    auto document = mars::io::parse_json(by_algebra).value();
    document["operators"][0]["operands"][0] = document["operators"][1]["operands"][0];
    document["operators"][0]["operands"][0]["from"] = "product";
    document["operators"][0]["operands"][0]["axes"][1] = {{"extent", 6}};
    CHECK(error_in_workload(document.dump()).code == error_code::cycle);
    CHECK(error_in_workload(document.dump()).path == "operators[0].inputs[0]");
  }
  SECTION("a tensor that nobody produces") {
    auto const e = error_in_workload(R"({"schema": "mars.workload/1", "operators": [
        {"name": "conv1", "kind": "opaque", "type": "T", "inputs": [], "output_shapes": [[4]]},
        {"name": "b", "kind": "relu", "inputs": ["conv2"]}]})");
    CHECK(e.code == error_code::dangling);
    CHECK(e.path == "operators[1].inputs[0]");
    CHECK_THAT(e.detail, contains_text("did you mean conv1?"));
  }
  SECTION("an output that an operator does not have") {
    auto const e =
        error_in_workload(R"({"schema": "mars.workload/1", "inputs": [{"name": "x", "shape": [4]}],
        "operators": [{"name": "a", "kind": "relu", "inputs": ["x"]},
                      {"name": "b", "kind": "relu", "inputs": ["a:1"]}]})");
    CHECK(e.code == error_code::dangling);
    CHECK(e.path == "operators[1].inputs[0]");
  }
  SECTION("a name twice") {
    auto const e =
        error_in_workload(R"({"schema": "mars.workload/1", "inputs": [{"name": "x", "shape": [4]}],
        "operators": [{"name": "x", "kind": "relu", "inputs": ["x"]}]})");
    CHECK(e.code == error_code::duplicate);
    CHECK(e.path == "operators[0].name");
  }
  SECTION("extents that no tensor has") {
    for (auto const* extent : {"0", "-3", "4611686018427387904", "9223372036854775807"}) {
      CAPTURE(extent);
      auto const shape = std::string{"[1, 4, "} + std::string{extent} + ", 8]";
      CHECK_THAT(error_in_workload(around(R"("kind": "relu")", shape)).path,
                 contains_text("inputs[0]"));
      auto const out =
          around(R"("kind": "conv", "kernel": 1, "out_channels": )" + std::string{extent});
      CHECK_THAT(error_in_workload(out).path, contains_text("operators[0]"));
      auto document = mars::io::parse_json(by_algebra).value();
      document["operators"][0]["dims"][1]["extent"] = mars::io::parse_json(extent).value();
      CHECK_THAT(error_in_workload(document.dump()).path, contains_text("operators[0]"));
    }
  }
  SECTION("attributes") {
    CHECK(complaint_about_workload(around(R"("kind": "conv", "out_chanels": 8)")) ==
          "operators[0].out_chanels: found a key nobody knows, wanted one of name, kind, inputs, "
          "out_channels, kernel, stride, dilation, padding, groups, bias; did you mean "
          "out_channels? [unknown-key]");
    CHECK(error_in_workload(around(R"("kind": "conv")")).path == "operators[0].out_channels");
    CHECK_THAT(complaint_about_workload(around(R"("kind": "soft_mx")")),
               contains_text("did you mean softmax?"));
    CHECK(error_in_workload(around(R"("kind": "transpose", "permutation": [0, 0, 1, 2])"))
              .path.rfind("operators[0]", 0) == 0);
    CHECK_THAT(complaint_about_workload(around(R"("kind": "matmul")")), contains_text("2 inputs"));
  }
  SECTION("an error inside an operator of several parts is that operator's") {
    auto const e = error_in_workload(R"({"schema": "mars.workload/1",
        "inputs": [{"name": "q", "shape": [1, 3, 8]}],
        "operators": [{"name": "a", "kind": "attention", "inputs": ["q", "q", "q"], "heads": 2},
                      {"name": "b", "kind": "softmax", "inputs": ["a"], "axis": 9}]})");
    CHECK(e.path.rfind("operators[1]", 0) == 0);
  }
  SECTION("schemas") {
    CHECK_THAT(complaint_about_workload(R"({"schema": "mars.workload/2", "operators": []})"),
               contains_text("unsupported"));
    CHECK(error_in_workload(R"({"operators": []})").path == "schema");
    CHECK(error_in_workload("[]").code == error_code::wrong_type);
  }
}

TEST_CASE("a hundred thousand operators in a row load") {
  constexpr int n = 100'000;
  std::string text = R"({"schema": "mars.workload/1", "inputs": [{"name": "r0", "shape": [4]}], )"
                     R"("operators": [)";
  auto const name = [&](int i) { text.append("\"r").append(std::to_string(i)).append("\""); };
  for (int i = 1; i <= n; ++i) {
    text.append(i == 1 ? "" : ",").append(R"({"kind": "relu", "name": )");
    name(i);
    text.append(R"(, "inputs": [)");
    name(i - 1);
    text.append("]}");
  }
  text.append("]}");
  auto const begin = std::chrono::steady_clock::now();
  auto const g = load_workload(text).value();
  auto const took = std::chrono::steady_clock::now() - begin;
  CHECK(g.size() == n);
  CHECK(took < std::chrono::seconds{60}); // about 1 s optimised; quadratic would be minutes
}

TEST_CASE("one mutation of a document is an error that names it, or harmless") {
  std::vector<std::string> documents{by_kind, by_algebra};
  for (auto const& e : examples) documents.push_back(around(e.attributes, e.x));
  for (auto const& attributes : examples_of_many) documents.push_back(around_many(attributes));
  for (auto const& document : documents) {
    REQUIRE(load_workload(document));
    for (auto const& m : mars_test::mutations_of(document)) {
      CAPTURE(m.text);
      CAPTURE(m.what);
      auto const r = load_workload(m.text);
      if (r) {
        CHECK(validate(*r));
        continue;
      }
      auto const line = to_string(r.error());
      CAPTURE(line);
      CHECK(line.size() < 600);
      CHECK(line.find('\n') == std::string::npos);
      // A value of a wrong type or domain is found where it stands; a name, shape or attribute that
      // no longer fits is found where it is used: in an operator, an input or an output.
      if (m.what.find("with an unknown key") != std::string::npos)
        CHECK(r.error().path == m.where);
      else if (r.error().code == error_code::missing_key &&
               m.what.find(" without [") == std::string::npos)
        CHECK(r.error().path.rfind(m.where, 0) == 0);
      else if (!m.where.empty())
        CHECK_FALSE(r.error().path.empty());
    }
  }
}
