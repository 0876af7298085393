// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "support/catch.hpp"

#include <mars/workload/graph.hpp>
#include <mars/workload/operators.hpp>

#include <algorithm>
#include <string>
#include <vector>

using mars::error_code;
using mars::input_edge;
using mars::operator_id;
using mars::output_edge;
using mars::tensor_edge;
using mars_test::contains_text;
namespace ops = mars::ops;

namespace {

auto id(std::size_t i) -> operator_id { return operator_id{i}; }

auto relu(std::string name, std::int64_t extent = 8) -> mars::operation {
  auto op = ops::elementwise({{extent}}, "Relu", 1).value();
  op.name = std::move(name);
  return op;
}
auto add(std::string name, std::int64_t extent = 8) -> mars::operation {
  auto op = ops::elementwise({{extent}, {extent}}, "Add", 1).value();
  op.name = std::move(name);
  return op;
}
auto edge(std::size_t from, std::size_t to, std::uint16_t operand = 0, std::uint16_t output = 0)
    -> tensor_edge {
  return {id(from), output, id(to), operand};
}

/// A user's own graph: no Boost, no base class, operators named in no particular order.
namespace house {
struct node {
  mars::operation op;
  std::vector<input_edge> inputs;
};
struct program {
  std::vector<node> nodes;
};
auto operators(program const& p) { return mars::operator_range{p.nodes.size()}; }
auto op(program const& p, operator_id v) -> mars::operation const& { return p.nodes[v.index()].op; }
auto inputs(program const& p, operator_id v) -> std::vector<input_edge> const& {
  return p.nodes[v.index()].inputs;
}
} // namespace house

static_assert(mars::WorkloadGraph<house::program>);
static_assert(mars::WorkloadGraph<mars::graph>);
static_assert(mars::WorkloadGraph<mars::basic_graph<mars::representation::adjacency_list>>);

/// a → b → d, a → c → d, with ids in another order: d 0, c 1, b 2, a 3.
auto diamond_operations() -> std::vector<mars::operation> {
  std::vector<mars::operation> all;
  all.push_back(add("d"));
  all.push_back(relu("c"));
  all.push_back(relu("b"));
  all.push_back(relu("a"));
  return all;
}
auto diamond_edges() -> std::vector<tensor_edge> {
  return {edge(1, 0, 1), edge(2, 0, 0), edge(3, 2), edge(3, 1)};
}

template <class Range>
auto list(Range const& range) {
  return std::vector<std::ranges::range_value_t<Range>>(range.begin(), range.end());
}

} // namespace

TEST_CASE("a frozen graph answers in order and by name") {
  auto const g = mars::make_graph("diamond", diamond_operations(), diamond_edges()).value();
  CHECK(g.name() == "diamond");
  CHECK(g.size() == 4);
  CHECK(list(operators(g)) == std::vector{id(0), id(1), id(2), id(3)});
  CHECK(op(g, id(3)).name == "a");
  CHECK(list(inputs(g, id(0))) == std::vector<input_edge>{{id(2), 0, 0}, {id(1), 0, 1}});
  CHECK(inputs(g, id(3)).empty());
  CHECK(list(consumers(g, id(3))) == std::vector<output_edge>{{id(1), 0, 0}, {id(2), 0, 0}});
  CHECK(consumers(g, id(0)).empty());
  CHECK(find(g, "c") == id(1));
  CHECK_FALSE(find(g, "e").has_value());
  CHECK(outputs(g) == std::vector<mars::tensor_ref>{{id(0), 0}});
  CHECK(external_inputs(g) == std::vector<mars::operand_ref>{{id(3), 0}});
  // Of b and c, both ready after a, the smaller id comes first.
  CHECK(topological_order(g).value() == std::vector{id(3), id(1), id(2), id(0)});
  CHECK(flops_of(g).count() == 4 * 8);
  CHECK(mars::validate(g).has_value());
}

TEST_CASE("building and frozen representations agree") {
  mars::basic_graph<mars::representation::adjacency_list> draft{"diamond"};
  for (auto& o : diamond_operations()) draft.add_operation(std::move(o));
  for (auto const& e : diamond_edges()) REQUIRE(draft.connect(e).has_value());
  CHECK(draft.connect(edge(0, 9)).error().code == error_code::dangling);
  CHECK(list(inputs(draft, id(0))) == std::vector<input_edge>{{id(2), 0, 0}, {id(1), 0, 1}});
  CHECK(list(consumers(draft, id(3))) == std::vector<output_edge>{{id(1), 0, 0}, {id(2), 0, 0}});
  CHECK(find(draft, "b") == id(2));
  CHECK(outputs(draft) == std::vector<mars::tensor_ref>{{id(0), 0}});
  auto const before = topological_order(draft).value();
  draft.mark_output({id(1), 0});
  auto const g = freeze(std::move(draft)).value();
  CHECK(topological_order(g).value() == before);
  CHECK(outputs(g) == std::vector<mars::tensor_ref>{{id(1), 0}});
}

TEST_CASE("a user's own graph gets every generic function, without Boost") {
  house::program p;
  for (auto& o : diamond_operations()) p.nodes.push_back({std::move(o), {}});
  for (auto const& e : diamond_edges())
    p.nodes[e.consumer.index()].inputs.push_back({e.producer, e.output, e.operand});
  CHECK(mars::validate(p).has_value());
  CHECK(mars::topological_order(p).value() == std::vector{id(3), id(1), id(2), id(0)});
  auto const readers = mars::consumers(p);
  CHECK(list(readers(id(3))) == std::vector<output_edge>{{id(1), 0, 0}, {id(2), 0, 0}});
  CHECK(readers(id(0)).empty());
  CHECK(mars::flops_of(p).count() == 32);
  CHECK(mars::external_inputs(p).size() == 1);
  auto const classes = mars::operator_classes(p);
  CHECK(classes.class_of == std::vector<std::uint32_t>{0, 1, 1, 1});
  CHECK(classes.representatives == std::vector{id(0), id(1)});

  p.nodes[3].inputs.push_back({id(0), 0, 0});
  CHECK(mars::topological_order(p).error().code == error_code::cycle);
  CHECK(mars::validate(p).error().code == error_code::cycle);
  p.nodes[3].inputs = {{id(17), 0, 0}};
  CHECK(mars::topological_order(p).error().code == error_code::dangling);
}

TEST_CASE("operators differ in class by extents and kind, not by name") {
  std::vector<mars::operation> all{relu("a"), relu("b", 9), add("c"), relu("d")};
  all[3].operands[0].element_bits = 8;
  auto const g = mars::make_graph("", std::move(all), {}).value();
  CHECK(mars::operator_classes(g).class_of == std::vector<std::uint32_t>{0, 1, 2, 3});
}

TEST_CASE("a weight named by two operators counts once") {
  auto const tied = [](char const* name) {
    auto op = ops::linear({4, 16}, 10, false).value();
    op.name = name;
    op.operands[1].name = "table";
    return op;
  };
  CHECK(parameters_of(mars::make_graph("", {tied("a"), tied("b")}, {}).value()) == 160);
  auto other = tied("b");
  other.operands[1].name = "another";
  CHECK(parameters_of(mars::make_graph("", {tied("a"), other}, {}).value()) == 320);
  // One name for tensors of two shapes is an error.
  auto smaller = ops::linear({4, 16}, 9, false).value();
  smaller.name = "b";
  smaller.operands[1].name = "table";
  auto const bad = mars::make_graph("", {tied("a"), smaller}, {});
  CHECK(bad.error().code == error_code::shape_mismatch);
  CHECK(bad.error().path == "operators[1].operands[1]");
}

TEST_CASE("what a graph must not have, each with the path to it") {
  struct {
    std::vector<mars::operation> operations;
    std::vector<tensor_edge> edges;
    error_code code;
    std::string path;
  } const cases[] = {
      {{relu("a"), relu("b")}, {edge(7, 1)}, error_code::dangling, "operators[1].inputs[0]"},
      {{relu("a"), relu("b")}, {edge(0, 7)}, error_code::dangling, "edges[0].consumer"},
      {{relu("a"), relu("b")}, {edge(0, 1, 0, 1)}, error_code::dangling, "operators[1].inputs[0]"},
      {{relu("a"), relu("b")}, {edge(0, 1, 5)}, error_code::dangling, "operators[1].operands[5]"},
      {{relu("a"), relu("b")},
       {edge(0, 1, 1)},
       error_code::invalid_argument,
       "operators[1].operands[1]"},
      {{relu("a"), relu("b", 9)},
       {edge(0, 1)},
       error_code::shape_mismatch,
       "operators[1].inputs[0]"},
      {{relu("a"), relu("a")}, {}, error_code::duplicate, "operators[1].name"},
      {{relu("a"), relu("b"), add("c")},
       {edge(0, 2, 1), edge(1, 2, 1)},
       error_code::duplicate,
       "operators[2].inputs[1]"},
      {{relu("a")}, {edge(0, 0)}, error_code::cycle, "operators[0].inputs[0]"},
      // 0 hangs below the cycle 1 → 2 → 3 → 1 and 4 feeds it from outside: neither is named.
      {{relu("d"), add("a"), relu("b"), relu("c"), relu("e")},
       {edge(4, 1, 0), edge(3, 0), edge(3, 1, 1), edge(1, 2), edge(2, 3)},
       error_code::cycle,
       "operators[1].inputs[1]"},
  };
  for (auto const& c : cases) {
    auto const g = mars::make_graph("bad", c.operations, c.edges);
    CAPTURE(c.path);
    REQUIRE_FALSE(g.has_value());
    CHECK(g.error().code == c.code);
    CHECK(g.error().path == c.path);
  }
  auto const cyclic = mars::make_graph("", cases[9].operations, cases[9].edges);
  CHECK_THAT(to_string(cyclic.error()), contains_text("'a' depends on itself"));

  auto no_output = relu("x");
  no_output.operands.pop_back();
  CHECK(mars::make_graph("", {relu("y"), no_output}, {}).error().path == "operators[1].operands");
  auto zero = relu("x");
  zero.dims[0].extent = 0;
  CHECK(mars::make_graph("", {zero}, {}).error().path == "operators[0].dims[0]");
  auto twins = add("x");
  twins.dims.push_back(twins.dims[0]);
  CHECK(mars::make_graph("", {twins}, {}).error().path == "operators[0].dims[1]");
  CHECK(mars::make_graph("", {relu("a")}, {}, {{id(0), 1}}).error().path == "outputs[0]");

  // Each operator has 2^60 FLOPs; eight of them have more than fit.
  std::vector<mars::operation> large;
  for (int i = 0; i < 8; ++i) {
    large.push_back(ops::linear({1 << 20, 1 << 20}, 1 << 19, false).value());
    large.back().name = std::string{"wide"} + std::to_string(i);
  }
  CHECK(mars::make_graph("", {large.begin(), large.begin() + 3}, {}).has_value());
  CHECK(mars::make_graph("", large, {}).error().code == error_code::overflow);
}

TEST_CASE("an empty graph is a graph") {
  auto const g = mars::make_graph("", {}, {}).value();
  CHECK(g.size() == 0);
  CHECK(operators(g).empty());
  CHECK(topological_order(g).value().empty());
  CHECK(outputs(g).empty());
}

TEST_CASE("a chain of 100 000 operators: no recursion, cycles found at the far end") {
  constexpr std::size_t length = 100'000;
  std::vector<mars::operation> operations;
  operations.reserve(length);
  std::vector<tensor_edge> edges;
  // Numbered backwards, so that the order is not the one given.
  for (std::size_t i = 0; i < length; ++i) {
    operations.push_back(relu(std::string{"r"} + std::to_string(i)));
    if (i > 0) edges.push_back(edge(i, i - 1));
  }
  SECTION("sound") {
    auto const g = mars::make_graph("chain", std::move(operations), std::move(edges)).value();
    auto const order = topological_order(g).value();
    CHECK(order.front() == id(length - 1));
    CHECK(order.back() == id(0));
    CHECK(find(g, "r77777") == id(77777));
    CHECK(mars::operator_classes(g).representatives.size() == 1);
  }
  SECTION("closed to a ring") {
    edges.push_back(edge(0, length - 1));
    auto const g = mars::make_graph("ring", std::move(operations), std::move(edges));
    CHECK(g.error().code == error_code::cycle);
    CHECK(g.error().path == "operators[0].inputs[0]");
  }
}
