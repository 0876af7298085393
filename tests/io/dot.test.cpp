// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mapping/fixture.hpp"
#include "support/catch.hpp"

#include <mars/io/dot.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace mars_test;

TEST_CASE("a graph is drawn with operators, types and shapes") {
  CHECK(mars::io::to_dot(skip_network()) == R"(digraph "skip" {
  node [shape=box, style=filled, fillcolor=white, fontname="Helvetica"];
  n0 [label="conv1\nConv"];
  n1 [label="relu\nRelu"];
  n2 [label="conv2\nConv"];
  n3 [label="add\nAdd"];
  n0 -> n1 [label="1x8x8x8"];
  n1 -> n2 [label="1x8x8x8"];
  n0 -> n3 [label="1x8x8x8"];
  n2 -> n3 [label="1x8x8x8"];
}
)");
}

TEST_CASE("a mapping colours operators by set and names shardings") {
  auto const g = skip_network();
  auto m = skip_mapping(g);
  m.sets.push_back(set_of({3}, "wino"));
  m.operators[3] = {mars::set_id{1U}, {}};
  m.operators[0].sharding.shared = along(g, 0, "k", 2);
  m.operators[2].sharding.exclusive[0] = along(g, 2, "c", 2);
  m.operators[2].sharding.scatter = along(g, 2, "k", 1).dim;
  auto const text = mars::io::to_dot(g, m);
  CHECK_THAT(text, contains_text("set 0: y:2, shared k:2\", fillcolor=\"#8dd3c7\""));
  CHECK_THAT(text, contains_text("set 0: c:2, scatter k\""));
  CHECK_THAT(text, contains_text("set 1: replicated\", fillcolor=\"#ffffb3\""));
  CHECK_THAT(text, contains_text("set1 [label=\"set 1: wino\\naccelerators 3\""));

  m.operators.resize(1);
  CHECK_THAT(mars::io::to_dot(g, m), contains_text("n3 [label=\"add\\nAdd\"];"));
}

TEST_CASE("names cannot break out of their quotes") {
  mars::builder b{"a\"b"};
  (void)b.relu(b.input("x", {}), "back\\slash \"quoted\"\nnext\x01");
  auto const text = mars::io::to_dot(std::move(b).build().value());
  CHECK_THAT(text, contains_text("digraph \"a\\\"b\" {"));
  CHECK_THAT(text, contains_text("label=\"back\\\\slash \\\"quoted\\\"\\nnext?\\nRelu\""));
}
