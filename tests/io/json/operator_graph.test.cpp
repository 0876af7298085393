// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operator graphs of IOS and torch.fx: what is read, what is refused, the figures of the published files, and IOS's
// counts on its own networks.
#include "io/json/mutations.hpp"
#include "support/catch.hpp"

#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/io/files.hpp>
#include <mars/io/json/ios_schedule.hpp>
#include <mars/io/json/operator_graph.hpp>
#include <mars/scheduling/convolution_kernels.hpp>
#include <mars/scheduling/detail/stages.hpp>
#include <mars/scheduling/ios.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/validate.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using mars::io::load_operator_graph;
using mars::io::operator_graph;
using mars_test::contains_text;

/// A cell of IOS: sums, a concatenation, slices, convolutions that merge.
std::string const ios_text = R"({
  "name": "cell", "input": {"type": "placeholder", "name": "x", "hint_name": "x", "output_shape": [8, 6, 6]},
  "blocks": [
    {"enter_name": "x", "enter_node": {"type": "placeholder", "name": "x", "hint_name": "x", "output_shape": [8, 6, 6]},
     "inner_nodes": [
       {"type": "conv", "name": "a", "hint_name": "a", "inputs": [[["x", 0, 8]]], "out_channels": 4, "kernel": [1, 1],
        "stride": [1, 1], "padding": [0, 0], "groups": 1, "act": "relu", "output_shape": [4, 6, 6]},
       {"type": "conv", "name": "b", "hint_name": "b", "inputs": [[["x", 0, 8]]], "out_channels": 4, "kernel": [3, 3],
        "stride": [1, 1], "padding": [1, 1], "groups": 1, "act": "relu", "output_shape": [4, 6, 6]},
       {"type": "pool", "name": "p", "hint_name": "p", "inputs": [[["x", 2, 6]]], "pool_type": "max", "kernel": [3, 3],
        "stride": [1, 1], "padding": [1, 1], "output_shape": [4, 6, 6]}],
     "exit_node": {"type": "identity", "name": "m", "hint_name": "m",
        "inputs": [[["a", 0, 4]], [["b", 0, 4]], [["a", 0, 4], ["p", 0, 4]]], "output_shape": [12, 6, 6]},
     "stages": [[["a"], ["b"], ["p"]], [["m"]]]},
    {"enter_name": "m", "enter_node": {"type": "identity", "name": "m", "hint_name": "m",
        "inputs": [[["a", 0, 4]], [["b", 0, 4]], [["a", 0, 4], ["p", 0, 4]]], "output_shape": [12, 6, 6]},
     "inner_nodes": [
       {"type": "conv", "name": "c", "hint_name": "c", "inputs": [[["m", 0, 12], ["m", 0, 12]]], "out_channels": 2,
        "kernel": [1, 1], "stride": [2, 2], "padding": [0, 0], "groups": 1, "act": "identity", "output_shape": [2, 3, 3]}],
     "exit_node": {"type": "pool", "name": "g", "hint_name": "g", "inputs": [[["c", 0, 2]]], "pool_type": "global_avg",
        "kernel": [3, 3], "stride": [1, 1], "padding": [0, 0], "output_shape": [2, 1, 1]},
     "stages": [[["c", "g"]]]}]
})";

std::string const fx_text = R"({
  "model": "small", "source": "by hand", "nodes": [
    {"name": "x", "kind": "placeholder", "inputs": [], "shape": [1, 3, 9, 9], "opara_memory_bound": false},
    {"name": "c", "kind": "Conv2d", "inputs": ["x"], "shape": [1, 4, 5, 5], "opara_memory_bound": false,
     "conv": {"out": 4, "inp": 3, "k": [3, 3], "s": [2, 2], "p": [1, 1], "groups": 1}},
    {"name": "n", "kind": "BatchNorm2d", "inputs": ["c"], "shape": [1, 4, 5, 5], "opara_memory_bound": false},
    {"name": "r", "kind": "relu", "inputs": ["n"], "shape": [1, 4, 5, 5], "opara_memory_bound": true},
    {"name": "s", "kind": "avg_pool2d", "inputs": ["r"], "shape": [1, 4, 5, 5], "opara_memory_bound": true},
    {"name": "k", "kind": "cat", "inputs": ["s", "r"], "shape": [1, 8, 5, 5], "opara_memory_bound": false},
    {"name": "h", "kind": "MaxPool2d", "inputs": ["k"], "shape": [1, 8, 2, 2], "opara_memory_bound": false},
    {"name": "g", "kind": "AdaptiveAvgPool2d", "inputs": ["h"], "shape": [1, 8, 1, 1], "opara_memory_bound": false},
    {"name": "d", "kind": "Dropout", "inputs": ["g"], "shape": [1, 8, 1, 1], "opara_memory_bound": true},
    {"name": "f", "kind": "flatten", "inputs": ["d"], "shape": [1, 8], "opara_memory_bound": true},
    {"name": "l", "kind": "Linear", "inputs": ["f"], "shape": [1, 10], "opara_memory_bound": false, "linear": [8, 10]},
    {"name": "o", "kind": "output", "inputs": ["l"], "shape": [1, 10], "opara_memory_bound": false}],
  "expected": {"opara_streams": 2, "cross_stream_edges": 1}
})";

/// The operations of a node, as types and output shapes.
auto described(mars::io::operator_node const& n) -> std::string {
  std::string text;
  for (auto const& op : n.operations)
    text += (text.empty() ? "" : " ") + std::string{kind_name(op.kind)} +
            mars::to_string(shape_of(*nth_operand(op, mars::role::output, 0)));
  return text;
}

/// What is said of a text changed in one place, by a JSON pointer.
auto said_about(std::string const& text, std::string const& pointer, mars::io::json value)
    -> std::string {
  auto document = mars::io::parse_json(text).value();
  document[mars::io::json::json_pointer{pointer}] = std::move(value);
  auto const r = load_operator_graph(document.dump());
  return r ? "nothing" : to_string(r.error());
}

/// Every mutation is read or refused with one line that says where.
template <class Load>
void refuse_in_one_line(std::string const& text, Load load) {
  int refused = 0;
  for (auto const& m : mars_test::mutations_of(text)) {
    auto const r = load(m.text);
    if (r) continue;
    ++refused;
    auto const line = to_string(r.error());
    INFO(m.what << " → " << line);
    REQUIRE(line.find('\n') == line.npos);
    if (!m.where.empty() && r.error().code != mars::error_code::parse)
      REQUIRE(!r.error().path.empty());
  }
  CHECK(refused > 300);
}

} // namespace

TEST_CASE("a graph of IOS", "[json][operator_graph]") {
  auto const g = load_operator_graph(ios_text, {.batch = 2, .element_bits = 16}).value();
  CHECK(g.name == "cell");
  REQUIRE(g.nodes.size() == 7); // enter nodes that say again where a block begins count once
  CHECK(g.block_of == std::vector<std::uint32_t>{0, 0, 0, 0, 0, 1, 1});
  std::vector<std::string> all;
  for (auto const& n : g.nodes) all.push_back(n.name + ": " + described(n));
  CHECK(all ==
        std::vector<std::string>{"x: ", "a: convolution[2, 4, 6, 6]", "b: convolution[2, 4, 6, 6]",
                                 "p: pooling[2, 4, 6, 6]", // of a slice: no kernel of its own
                                 "m: elementwise[2, 4, 6, 6] concat[2, 12, 6, 6]",
                                 "c: elementwise[2, 12, 6, 6] convolution[2, 2, 3, 3]",
                                 "g: pooling[2, 2, 1, 1]"});
  CHECK(g.nodes[4].inputs == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(g.nodes[5].inputs == std::vector<std::uint32_t>{4});
  CHECK(g.nodes[0].output == mars::bytes{0});
  CHECK(g.nodes[4].output == mars::bytes{2 * 12 * 36 * 2});
  // Only what reads one whole tensor may be merged.
  REQUIRE(g.nodes[1].convolution);
  CHECK(g.nodes[1].convolution->activation == "relu");
  CHECK(g.nodes[1].convolution->input == mars::tensor_shape{2, 8, 6, 6});
  CHECK(g.nodes[1].convolution->element_bits == 16);
  CHECK_FALSE(g.nodes[5].convolution);
  CHECK(g.stages == decltype(g.stages){{{1}, {2}, {3}}, {{4}}, {{5, 6}}});
  // 4·8 + 9·4·8 + 2·12 multiply-accumulates per place.
  std::int64_t macs = 0;
  for (auto const& n : g.nodes)
    for (auto const& op : n.operations) macs += macs_of(op).count();
  CHECK(macs == 2 * (36 * (4 * 8 + 9 * 4 * 8) + 9 * 2 * 12));
}

TEST_CASE("a graph of torch.fx", "[json][operator_graph]") {
  auto const g = load_operator_graph(fx_text, {.batch = 3}).value();
  std::vector<std::string> all;
  for (auto const& n : g.nodes) all.push_back(n.name + ": " + described(n));
  CHECK(all == std::vector<std::string>{
                   "x: ", "c: convolution[3, 4, 5, 5]", "n: normalization[3, 4, 5, 5]",
                   "r: elementwise[3, 4, 5, 5]", "s: pooling[3, 4, 5, 5]", "k: concat[3, 8, 5, 5]",
                   "h: pooling[3, 8, 2, 2]", "g: pooling[3, 8, 1, 1]",
                   "d: ", "f: ", "l: matmul[3, 10]", "o: "});
  CHECK(g.nodes[5].inputs == std::vector<std::uint32_t>{4, 3});
  CHECK(g.nodes[3].named_memory_bound == true);
  CHECK(g.nodes[5].named_memory_bound == false);
  CHECK(g.block_of.empty());
  CHECK(parameters_of(g.nodes[1].operations[0]) == 4 * 3 * 9); // no bias
  CHECK(parameters_of(g.nodes[10].operations[0]) == 90);
}

TEST_CASE("what operator graphs are refused for", "[json][operator_graph]") {
  auto const ios = [](std::string const& at, mars::io::json value) {
    return said_about(ios_text, at, std::move(value));
  };
  CHECK(ios("/blocks/1/enter_name", "a") ==
        "blocks[1].enter_name: found \"a\", wanted \"m\", where the block before ends [dangling]");
  CHECK(
      ios("/blocks/0/inner_nodes/1/inputs/0/0/0", "y") ==
      "blocks[0].inner_nodes[1].inputs[0][0][0]: found \"y\", wanted the name of a node before it; "
      "did you mean a? [dangling]");
  CHECK(ios("/blocks/0/inner_nodes/1/output_shape", {4, 5, 6}) ==
        "blocks[0].inner_nodes[1].output_shape: found an array of 3, wanted [4, 6, 6], as computed "
        "[shape-mismatch]");
  CHECK_THAT(ios("/blocks/0/inner_nodes/0/type", "convolution"), contains_text("[unknown-name]"));
  CHECK_THAT(ios("/blocks/0/inner_nodes/0/name", "b"), contains_text("[duplicate]"));
  CHECK_THAT(ios("/blocks/0/inner_nodes/0/groups", 3), contains_text("blocks[0].inner_nodes[0]"));
  CHECK_THAT(ios("/blocks/0/inner_nodes/2/inputs/0/0/2", 9), contains_text("from 3 to 8"));
  CHECK_THAT(ios("/blocks/0/inner_nodes/2/inputs/0/0/1", 3), contains_text("[shape-mismatch]"));
  CHECK_THAT(ios("/blocks/0/exit_node/inputs/2/1/2", 3), contains_text("values of one shape"));
  CHECK_THAT(ios("/input/type", "identity"), contains_text("input.type"));
  CHECK_THAT(
      ios("/blocks/0/stages", mars::io::json::array({{{"a"}, {"b"}}})),
      contains_text("blocks[0].stages: found an array of 1, wanted 4 nodes, all of the block"));
  CHECK_THAT(ios("/blocks/0/stages/1/0/0", "a"), contains_text("a node of this block, once"));
  CHECK_THAT(ios("/blocks/0/stages", mars::io::json::array({{{"m"}}, {{"a"}, {"b"}, {"p"}}})),
             contains_text("blocks[0].stages[0][0][0]"));
  CHECK_THAT(ios("/blocks/1/stages", mars::io::json::array({{{"c"}, {"g"}}})),
             contains_text("[cycle]"));

  auto const fx = [](std::string const& at, mars::io::json value) {
    return said_about(fx_text, at, std::move(value));
  };
  CHECK(fx("/nodes/2/inputs", mars::io::json::array({"k"})) ==
        "nodes[2].inputs[0]: found \"k\", wanted the name of a node before it; did you mean c? "
        "[dangling]");
  CHECK(fx("/nodes/3/shape", {1, 4, 5, 6}) ==
        "nodes[3].shape: found an array of 4, wanted [1, 4, 5, 5], as computed [shape-mismatch]");
  CHECK_THAT(fx("/nodes/1/kind", "Conv3d"), contains_text("did you mean Conv2d?"));
  CHECK_THAT(fx("/nodes/1/conv/inp", 4), contains_text("nodes[1].conv.inp: found 4, wanted 3"));
  CHECK_THAT(fx("/nodes/10/linear/0", 9), contains_text("nodes[10].linear[0]: found 9, wanted 8"));
  CHECK_THAT(fx("/nodes/3/inputs", mars::io::json::array({"n", "c"})), contains_text("one input"));
  CHECK_THAT(fx("/nodes/0/inputs", mars::io::json::array({"x"})), contains_text("nodes[0].inputs"));
  CHECK_THAT(fx("/nodes/6/shape", {1, 8, 4, 4}), contains_text("nodes[6]"));
  CHECK_THAT(fx("/nodes/7/shape", {1, 8, 2, 3}), contains_text("nodes[7]"));

  for (auto const* text : {"{}", "[]", "3", R"({"model": "x"})"})
    CHECK_THAT(to_string(load_operator_graph(text).error()),
               contains_text("a graph of IOS (\"blocks\") or of torch.fx"));
  CHECK(load_operator_graph("{").error().code == mars::error_code::parse);
  CHECK(load_operator_graph(fx_text, {.batch = 0}).error().path == "batch");
  CHECK(load_operator_graph(fx_text, {.element_bits = 0}).error().path == "element_bits");
  CHECK_FALSE(load_operator_graph(fx_text, {.batch = std::int64_t{1} << 50}));
  CHECK_FALSE(load_operator_graph(ios_text, {.batch = std::int64_t{1} << 50}));
  auto const load = [](std::string_view text) { return load_operator_graph(text); };
  refuse_in_one_line(ios_text, load);
  refuse_in_one_line(fx_text, load);
}

TEST_CASE("schedules in IOS's format", "[json][operator_graph]") {
  auto const design = mars::presets::find_device("v100_sxm2").value();
  auto const graph = mars::io::load_stream_graph(ios_text, design).value().graph;
  mars::stream_options o;
  o.lower = mars::convolution_kernels(design);
  auto const p = mars::stream_problem::make(graph, design.limits, o).value();
  // a and b as one, p beside nothing; m; c and g.
  auto s = mars::detail::schedule_of(
      p, {{{{1, 2}}, true}, {{{3}}, false}, {{{4}}, false}, {{{5, 6}}, false}});
  REQUIRE(mars::validate(p, s).empty());
  auto const text = mars::io::write_ios_schedule(ios_text, graph, s).value();
  auto const back = load_operator_graph(text).value();
  std::vector<std::string> names;
  for (auto const& n : back.nodes) names.push_back(n.name);
  CHECK(names == std::vector<std::string>{"x", "a", "p", "m", "c", "g"});
  CHECK(described(back.nodes[1]) == "convolution[1, 8, 6, 6]");
  CHECK(back.nodes[1].convolution->options.kernel == mars::ops::spatial{3, 3});
  CHECK(back.nodes[1].convolution->options.padding == mars::ops::spatial{1, 1});
  CHECK(back.stages == decltype(back.stages){{{1}}, {{2}}, {{3}}, {{4, 5}}});
  // Adjacent slices of it are one again, the third term stays a sum.
  auto const document = mars::io::parse_json(text).value();
  auto const wanted = mars::io::json::array({{{"a", 0, 8}}, {{"a", 0, 4}, {"p", 0, 4}}});
  CHECK(document["blocks"][0]["exit_node"]["inputs"] == wanted);
  CHECK(document["blocks"][1]["enter_node"]["inputs"] == wanted);

  s.merged.clear();
  s.stage_of = {0, 0, 0, 0, 1, 2, 2};
  s.stream_of = {mars::stream_id{0}, mars::stream_id{2}, mars::stream_id{0}, mars::stream_id{1},
                 mars::stream_id{0}, mars::stream_id{0}, mars::stream_id{0}};
  s.launch_order = {0, 1, 2, 3, 4, 5, 6};
  auto const plain =
      load_operator_graph(mars::io::write_ios_schedule(ios_text, graph, s).value()).value();
  CHECK(plain.stages == decltype(plain.stages){{{2}, {3}, {1}}, {{4}}, {{5, 6}}});

  auto const refusal = [&](std::string_view of, mars::stream_graph const& g,
                           mars::stream_schedule const& x) {
    auto const r = mars::io::write_ios_schedule(of, g, x);
    REQUIRE_FALSE(r);
    return to_string(r.error());
  };
  CHECK(refusal(ios_text, graph, mars::scheduling::sequential{}.schedule(p)) ==
        "schedule: found no stages, wanted a schedule in stages; IOS's format has no other "
        "[unsupported]");
  CHECK_THAT(refusal(fx_text, graph, s), contains_text("graph: found operators of another file"));
  auto other = graph;
  other.nodes[2].name = "z";
  CHECK_THAT(refusal(ios_text, other, s), contains_text("the 7 nodes of the file, by name"));
  auto two_blocks = s;
  two_blocks.stage_of = {0, 0, 0, 0, 1, 1, 1};
  CHECK(refusal(ios_text, graph, two_blocks) == "schedule: found stage 1 with nodes of two blocks, "
                                                "wanted stages of one block each; c [unsupported]");
  auto waiting = s;
  waiting.stage_of = {0, 0, 0, 0, 0, 2, 2};
  CHECK_THAT(refusal(ios_text, graph, waiting), contains_text("groups that wait for each other"));
}

// ---- published files ---------------------------------------------------------------------------

#ifdef MARS_TEST_SHARED_DIR
namespace {

auto shared_text(std::string const& name) -> std::string {
  return mars::io::read_file(std::string{MARS_TEST_SHARED_DIR} + "/data/" + name).value();
}

struct totals {
  std::size_t nodes{}, edges{}, convolutions{}, pools{}, concats{}, sums{}, launching{}, flagged{};
  std::int64_t macs{}, weights{};
};
auto totals_of(operator_graph const& g) -> totals {
  totals t{.nodes = g.nodes.size()};
  for (auto const& n : g.nodes) {
    t.edges += n.inputs.size();
    t.launching += n.operations.empty() ? 0 : 1;
    t.flagged += n.named_memory_bound.value_or(false) ? 1 : 0;
    for (auto const& op : n.operations) {
      t.concats += op.kind == mars::op_kind::concat ? 1 : 0;
      t.sums += op.type == "Add" ? 1 : 0;
      t.pools += op.kind == mars::op_kind::pooling ? 1 : 0;
      if (op.kind != mars::op_kind::convolution) continue;
      ++t.convolutions;
      t.macs += macs_of(op).count();
      t.weights += elements_of(*nth_operand(op, mars::role::weight, 0));
    }
  }
  return t;
}

/// A stage costs nothing to speak of: only counts matter.
struct counts {
  std::uint64_t transitions{}, states{}, concurrent{}, merged{}, largest{};
};
auto count(mars::stream_problem const& p, std::size_t r, std::size_t s,
           mars::scheduling::stage_strategy how, mars::scheduling::enumeration of) -> counts {
  mars::detail::basic_operator_list<> const operators{p};
  auto const starts = operators.blocks(100);
  counts all;
  for (std::size_t b = 0; b + 1 < starts.size(); ++b) {
    auto const found = mars::detail::best_stages(
        operators.block(starts[b], starts[b + 1]), {r, s, of}, how, 100'000'000,
        [](auto const&, bool) { return mars::detail::stage_cost{1}; });
    all.transitions += found.transitions;
    all.states += found.states;
    all.concurrent += found.concurrent_stages;
    all.merged += found.merged_stages;
    all.largest = std::max(all.largest, found.transitions);
  }
  return all;
}

} // namespace

TEST_CASE("the published files of IOS and Opara", "[json][operator_graph]") {
  auto const inception =
      totals_of(load_operator_graph(shared_text("ios/inception_v3.json")).value());
  CHECK(inception.nodes == 120);
  CHECK(inception.launching == 119);
  CHECK(inception.convolutions == 94);
  CHECK(inception.pools == 14);
  CHECK(inception.concats == 11);
  CHECK(inception.macs == 5'711'168'096);
  CHECK(inception.weights == 21'751'136);
  auto const squeezenet =
      totals_of(load_operator_graph(shared_text("ios/squeezenet.json"), {.batch = 4}).value());
  CHECK(squeezenet.nodes == 51);
  CHECK(squeezenet.launching == 50);
  CHECK(squeezenet.convolutions == 30);
  CHECK(squeezenet.concats == 8);
  CHECK(squeezenet.sums == 8);
  CHECK(squeezenet.macs == 4 * std::int64_t{1'187'100'160});
  CHECK(squeezenet.weights == 1'584'416);
  auto const googlenet_fx =
      totals_of(load_operator_graph(shared_text("opara/googlenet_fx.json")).value());
  CHECK(googlenet_fx.nodes == 199);
  CHECK(googlenet_fx.edges == 225);
  CHECK(googlenet_fx.convolutions == 57);
  CHECK(googlenet_fx.pools == 14);
  CHECK(googlenet_fx.concats == 9);
  CHECK(googlenet_fx.flagged == 59);
  CHECK(googlenet_fx.launching == 199 - 4); // input, flatten, dropout, output
  auto const inception_fx =
      totals_of(load_operator_graph(shared_text("opara/inception_v3_fx.json")).value());
  CHECK(inception_fx.nodes == 316);
  CHECK(inception_fx.edges == 350);
  CHECK(inception_fx.convolutions == 94);
  CHECK(inception_fx.pools == 14);
  CHECK(inception_fx.concats == 15);
  CHECK(inception_fx.flagged == 107);
  // The same convolutions as IOS's file has, weights included.
  CHECK(inception_fx.macs == inception.macs);
  CHECK(inception_fx.weights == inception.weights);
}

TEST_CASE("transitions, states and stages of IOS on its own networks",
          "[json][operator_graph][ios]") {
  using mars::scheduling::enumeration;
  using mars::scheduling::stage_strategy;
  auto const design = mars::presets::find_device("v100_sxm2").value();
  mars::stream_options o;
  o.lower = mars::convolution_kernels(design);
  auto const problem = [&](std::string const& name) {
    auto const graph = mars::io::load_stream_graph(shared_text(name), design).value().graph;
    return mars::stream_problem::make(graph, design.limits, o).value();
  };
  auto const squeezenet = problem("ios/squeezenet.json"),
             inception = problem("ios/inception_v3.json");
  auto const legal = enumeration::legal, published = enumeration::published;
  auto const concurrent = stage_strategy::concurrent;

  auto const all = [&](auto const& p, auto of) { return count(p, 0, 0, concurrent, of); };
  CHECK(all(squeezenet, published).transitions == 284);
  CHECK(all(squeezenet, published).largest == 51);
  CHECK(all(squeezenet, legal).transitions == 328);
  CHECK(all(squeezenet, legal).largest == 60);
  CHECK(all(squeezenet, legal).states == 78);
  CHECK(all(inception, published).transitions == 27'742);
  CHECK(all(inception, published).largest == 4'871);
  CHECK(all(inception, legal).transitions == 28'829);
  CHECK(all(inception, legal).largest == 5'040);
  CHECK(all(inception, legal).states == 1'206);

  struct row {
    std::size_t r, s;
    std::uint64_t published, legal, published_stages, legal_stages;
  };
  auto const table = [&](auto const& p, std::vector<row> const& rows, counts const& merging) {
    for (auto const& x : rows) {
      INFO("r " << x.r << ", s " << x.s);
      auto const old = count(p, x.r, x.s, concurrent, published);
      auto const now = count(p, x.r, x.s, concurrent, legal);
      CHECK(old.transitions == x.published);
      CHECK(now.transitions == x.legal);
      CHECK(old.concurrent == x.published_stages);
      CHECK(now.concurrent == x.legal_stages);
      auto const both = count(p, x.r, x.s, stage_strategy::both, legal);
      CHECK(both.transitions == now.transitions + merging.transitions);
      CHECK(both.concurrent == now.concurrent);
      CHECK(both.merged == merging.merged);
      auto const merge = count(p, x.r, x.s, stage_strategy::merge, legal);
      CHECK(merge.transitions == merging.transitions);
      CHECK(merge.merged == merging.merged);
    }
  };
  table(squeezenet,
        {{1, 3, 150, 150, 78, 78},
         {2, 3, 228, 228, 140, 140},
         {3, 3, 260, 280, 168, 184},
         {3, 8, 260, 280, 168, 184}},
        {.transitions = 126, .merged = 62});
  table(inception,
        {{1, 3, 8'956, 8'956, 912, 912},
         {2, 3, 17'755, 17'755, 2'571, 2'571},
         {3, 3, 22'838, 22'916, 3'681, 3'759},
         {1, 8, 9'504, 9'504, 1'206, 1'206},
         {2, 8, 19'294, 19'294, 3'652, 3'652},
         {3, 8, 25'022, 25'100, 5'319, 5'397}},
        {.transitions = 3'852, .merged = 160});
  CHECK(count(squeezenet, 3, 8, stage_strategy::both, published).transitions == 386);
  CHECK(count(inception, 3, 8, stage_strategy::both, published).transitions == 28'874);

  // The policy, with stages that cost what they take.
  for (auto const* p : {&squeezenet, &inception}) {
    auto const found = mars::scheduling::ios{}(*p, {});
    auto const wanted = count(*p, 3, 8, stage_strategy::both, legal);
    CHECK(found.transitions == wanted.transitions);
    CHECK(found.states == wanted.states);
    CHECK(mars::validate(*p, found.schedule).empty());
    CHECK(found.latency() < mars::scheduling::sequential{}(*p, {}).latency());
    CHECK(found.bound <= found.latency());
    auto const old = mars::scheduling::ios{.enumeration = published}(*p, {});
    CHECK(found.latency() <= old.latency());
  }
  // Written and read back, stages cost what they did.
  auto const found = mars::scheduling::ios{.strategies = stage_strategy::merge}(inception, {});
  REQUIRE_FALSE(found.schedule.merged.empty());
  auto const with_stages = mars::io::write_ios_schedule(shared_text("ios/inception_v3.json"),
                                                        inception.graph(), found.schedule);
  auto const back = load_operator_graph(with_stages.value()).value();
  auto const again =
      mars::stream_problem::make(to_stream_graph(back, design), design.limits, o).value();
  std::vector<mars::detail::stream_stage> stages;
  for (auto const& groups : back.stages) stages.push_back({groups, false});
  CHECK(mars::simulate_streams(again, mars::detail::schedule_of(again, stages)).latency ==
        found.latency());
}
#endif
