// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "support/catch.hpp"

#include <mars/workload/graph_traits.hpp>
#include <mars/workload/operators.hpp>

#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/dag_shortest_paths.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <boost/graph/topological_sort.hpp>
#include <boost/property_map/function_property_map.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

using mars::operator_id;
using mars::tensor_edge;
using draft_graph = mars::basic_graph<mars::representation::adjacency_list>;

namespace {

template <class G>
struct models {
  BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<G>));
  BOOST_CONCEPT_ASSERT((boost::AdjacencyGraphConcept<G>));
  BOOST_CONCEPT_ASSERT((boost::VertexAndEdgeListGraphConcept<G>));
  BOOST_CONCEPT_ASSERT(
      (boost::ReadablePropertyGraphConcept<G, operator_id, boost::vertex_index_t>));
};
template struct models<mars::graph>;
template struct models<draft_graph>;

auto id(std::size_t i) -> operator_id { return operator_id{i}; }

/// 3 → 2 → 0 and 3 → 1 → 0; 4 reads nobody and both its operands, from 3, are one tensor.
auto draft() -> draft_graph {
  draft_graph g{"diamond"};
  for (auto const* name : {"d", "c", "b", "a", "e"}) {
    bool const two = name[0] == 'd' || name[0] == 'e';
    auto o = mars::ops::elementwise(two ? std::vector<mars::tensor_shape>{{8}, {8}}
                                        : std::vector<mars::tensor_shape>{{8}},
                                    two ? "Add" : "Relu", 1)
                 .value();
    o.name = name;
    g.add_operation(std::move(o));
  }
  for (tensor_edge const& e : {tensor_edge{id(2), 0, id(0), 0}, tensor_edge{id(1), 0, id(0), 1},
                               tensor_edge{id(3), 0, id(1), 0}, tensor_edge{id(3), 0, id(2), 0},
                               tensor_edge{id(3), 0, id(4), 0}, tensor_edge{id(3), 0, id(4), 1}})
    REQUIRE(g.connect(e).has_value());
  return g;
}

template <class Iterator>
auto list(std::pair<Iterator, Iterator> range) {
  return std::vector<typename std::iterator_traits<Iterator>::value_type>(range.first,
                                                                          range.second);
}

template <class G>
void check_boost(G const& g) {
  CHECK(num_vertices(g) == 5);
  CHECK(num_edges(g) == 6);
  CHECK(list(edges(g)) == std::vector<tensor_edge>{{id(1), 0, id(0), 1},
                                                   {id(2), 0, id(0), 0},
                                                   {id(3), 0, id(1), 0},
                                                   {id(3), 0, id(2), 0},
                                                   {id(3), 0, id(4), 0},
                                                   {id(3), 0, id(4), 1}});
  CHECK(list(in_edges(id(0), g)) ==
        std::vector<tensor_edge>{{id(2), 0, id(0), 0}, {id(1), 0, id(0), 1}});
  CHECK(list(out_edges(id(2), g)) == std::vector<tensor_edge>{{id(2), 0, id(0), 0}});
  CHECK(list(adjacent_vertices(id(3), g)) == std::vector{id(1), id(2), id(4), id(4)});
  CHECK(degree(id(4), g) == 2);

  std::vector<operator_id> consumers_first;
  boost::topological_sort(g, std::back_inserter(consumers_first));
  REQUIRE(consumers_first.size() == 5);
  auto const place = [&](std::size_t i) {
    return std::find(consumers_first.begin(), consumers_first.end(), id(i));
  };
  for (auto const& e : list(edges(g))) CHECK(place(e.consumer.index()) < place(e.producer.index()));

  // Hops from the source: those of 0 go over two edges, whichever way.
  std::vector<int> hops(num_vertices(g), -1);
  hops[3] = 0;
  auto const number = get(boost::vertex_index, g);
  boost::breadth_first_search(
      g, id(3),
      boost::visitor(boost::make_bfs_visitor(boost::record_distances(
          boost::make_iterator_property_map(hops.begin(), number), boost::on_tree_edge{}))));
  CHECK(hops == std::vector{2, 1, 1, 0, 1});

  // The critical path to each operator when an operator takes its number plus one.
  std::vector<int> length(num_vertices(g));
  boost::dag_shortest_paths(
      g, id(3),
      boost::distance_map(boost::make_iterator_property_map(length.begin(), number))
          .weight_map(boost::make_function_property_map<tensor_edge>(
              [](tensor_edge const& e) { return static_cast<int>(e.consumer.value) + 1; }))
          .distance_compare(std::greater<>{})
          .distance_inf(-1)
          .distance_zero(0));
  CHECK(length == std::vector{3 + 1, 2, 3, 0, 5});

  std::vector<operator_id> producers_first;
  auto const reversed = boost::make_reverse_graph(g);
  boost::topological_sort(reversed, std::back_inserter(producers_first));
  CHECK(producers_first.front() == id(3));
}

} // namespace

TEST_CASE("Boost.Graph's algorithms apply to graphs, frozen and growing") {
  auto g = draft();
  check_boost(g);
  check_boost(freeze(std::move(g)).value());
}

TEST_CASE("a graph without operators has no edges to iterate over") {
  mars::graph const g;
  CHECK(list(vertices(g)).empty());
  CHECK(list(edges(g)).empty());
}
