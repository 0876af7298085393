// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Needs Boost.Graph (headers only). Not part of mars/workload.hpp: Boost.Graph alone costs as much
// to compile as a third of mars.

#include <mars/workload/graph.hpp>

#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

// Include this and any Boost.Graph algorithm applies to a `mars::graph`, frozen or growing, as it
// is: it models BidirectionalGraph, AdjacencyGraph, VertexListGraph and EdgeListGraph, and has the
// property `boost::vertex_index`. Vertices are `operator_id`s, edges are `tensor_edge`s and run from
// producer to consumer; two operators may be joined by several.
//
//     std::vector<mars::operator_id> consumers_first;
//     boost::topological_sort(g, std::back_inserter(consumers_first));

namespace mars {

namespace detail {

/// The edges that leave operators `v` … `end`−1, by producer.
template <class G>
class edge_iterator : public boost::iterator_facade<edge_iterator<G>, tensor_edge,
                                                    boost::forward_traversal_tag, tensor_edge> {
public:
  edge_iterator() = default;
  edge_iterator(G const& g, std::size_t v, std::size_t end) : graph_{&g}, v_{v}, end_{end} {
    skip();
  }

private:
  friend boost::iterator_core_access;

  [[nodiscard]] auto dereference() const -> tensor_edge {
    auto const e = consumers(*graph_, operator_id{v_})[i_];
    return {operator_id{v_}, e.output, e.consumer, e.operand};
  }
  [[nodiscard]] auto equal(edge_iterator const& other) const -> bool {
    return v_ == other.v_ && i_ == other.i_;
  }
  void increment() {
    ++i_;
    skip();
  }
  void skip() {
    for (; v_ != end_ && i_ == consumers(*graph_, operator_id{v_}).size(); i_ = 0) ++v_;
  }

  G const* graph_{};
  std::size_t v_{};
  std::size_t end_{};
  std::size_t i_{}; ///< among the edges of v_
};

/// `Edge` (an `input_edge` or `output_edge` of operator `v`) seen as `View`, by value.
template <class View, class Edge>
class edge_view_iterator : public boost::iterator_facade<edge_view_iterator<View, Edge>, View,
                                                         boost::random_access_traversal_tag, View> {
public:
  edge_view_iterator() = default;
  edge_view_iterator(operator_id v, Edge const* e) : v_{v}, edge_{e} {}

private:
  friend boost::iterator_core_access;

  [[nodiscard]] auto dereference() const -> View {
    if constexpr (std::is_same_v<Edge, input_edge>) {
      return {edge_->producer, edge_->output, v_, edge_->operand};
    } else if constexpr (std::is_same_v<View, operator_id>) {
      return edge_->consumer;
    } else {
      return {v_, edge_->output, edge_->consumer, edge_->operand};
    }
  }
  [[nodiscard]] auto equal(edge_view_iterator const& other) const -> bool {
    return edge_ == other.edge_;
  }
  void increment() { ++edge_; }
  void decrement() { --edge_; }
  void advance(std::ptrdiff_t n) { edge_ += n; }
  [[nodiscard]] auto distance_to(edge_view_iterator const& other) const -> std::ptrdiff_t {
    return other.edge_ - edge_;
  }

  operator_id v_;
  Edge const* edge_{};
};

template <class View, class Edge>
[[nodiscard]] auto view_edges(operator_id v, std::span<Edge const> edges) {
  using iterator = edge_view_iterator<View, Edge>;
  return std::pair{iterator{v, edges.data()}, iterator{v, edges.data() + edges.size()}};
}

/// A readable property map from operators to their numbers.
struct operator_index_map {
  using key_type = operator_id;
  using value_type = std::uint32_t;
  using reference = std::uint32_t;
  using category = boost::readable_property_map_tag;

  friend auto get(operator_index_map, operator_id v) -> std::uint32_t { return v.value; }
  auto operator[](operator_id v) const -> std::uint32_t { return v.value; }
};

} // namespace detail

// The functions Boost.Graph's concepts ask for, found by argument-dependent lookup.

template <class R>
[[nodiscard]] auto vertices(basic_graph<R> const& g) {
  auto const all = operators(g);
  return std::pair{all.begin(), all.end()};
}
template <class R>
[[nodiscard]] auto num_vertices(basic_graph<R> const& g) -> std::size_t {
  return g.size();
}
template <class R>
[[nodiscard]] auto edges(basic_graph<R> const& g) {
  using iterator = detail::edge_iterator<basic_graph<R>>;
  return std::pair{iterator{g, 0, g.size()}, iterator{g, g.size(), g.size()}};
}
/// O(operators).
template <class R>
[[nodiscard]] auto num_edges(basic_graph<R> const& g) -> std::size_t {
  std::size_t n = 0;
  for (operator_id const v : operators(g)) n += consumers(g, v).size();
  return n;
}
template <class R>
[[nodiscard]] auto out_edges(operator_id v, basic_graph<R> const& g) {
  return detail::view_edges<tensor_edge>(v, consumers(g, v));
}
template <class R>
[[nodiscard]] auto in_edges(operator_id v, basic_graph<R> const& g) {
  return detail::view_edges<tensor_edge>(v, inputs(g, v));
}
template <class R>
[[nodiscard]] auto adjacent_vertices(operator_id v, basic_graph<R> const& g) {
  return detail::view_edges<operator_id>(v, consumers(g, v));
}
template <class R>
[[nodiscard]] auto out_degree(operator_id v, basic_graph<R> const& g) -> std::size_t {
  return consumers(g, v).size();
}
template <class R>
[[nodiscard]] auto in_degree(operator_id v, basic_graph<R> const& g) -> std::size_t {
  return inputs(g, v).size();
}
template <class R>
[[nodiscard]] auto degree(operator_id v, basic_graph<R> const& g) -> std::size_t {
  return in_degree(v, g) + out_degree(v, g);
}
template <class R>
[[nodiscard]] auto source(tensor_edge const& e, basic_graph<R> const&) -> operator_id {
  return e.producer;
}
template <class R>
[[nodiscard]] auto target(tensor_edge const& e, basic_graph<R> const&) -> operator_id {
  return e.consumer;
}
template <class R>
[[nodiscard]] auto get(boost::vertex_index_t, basic_graph<R> const&) -> detail::operator_index_map {
  return {};
}
template <class R>
[[nodiscard]] auto get(boost::vertex_index_t, basic_graph<R> const&, operator_id v)
    -> std::uint32_t {
  return v.value;
}

} // namespace mars

template <class R>
struct boost::graph_traits<mars::basic_graph<R>> {
  using vertex_descriptor = mars::operator_id;
  using edge_descriptor = mars::tensor_edge;
  using directed_category = boost::bidirectional_tag;
  using edge_parallel_category = boost::allow_parallel_edge_tag;
  struct traversal_category : boost::bidirectional_graph_tag,
                              boost::adjacency_graph_tag,
                              boost::vertex_list_graph_tag,
                              boost::edge_list_graph_tag {};

  using vertex_iterator = mars::operator_range::iterator;
  using edge_iterator = mars::detail::edge_iterator<mars::basic_graph<R>>;
  using out_edge_iterator = mars::detail::edge_view_iterator<mars::tensor_edge, mars::output_edge>;
  using in_edge_iterator = mars::detail::edge_view_iterator<mars::tensor_edge, mars::input_edge>;
  using adjacency_iterator = mars::detail::edge_view_iterator<mars::operator_id, mars::output_edge>;
  using vertices_size_type = std::size_t;
  using edges_size_type = std::size_t;
  using degree_size_type = std::size_t;

  static auto null_vertex() -> vertex_descriptor {
    vertex_descriptor none;
    none.value = ~std::uint32_t{};
    return none;
  }
};

template <class R>
struct boost::property_map<mars::basic_graph<R>, boost::vertex_index_t> {
  using type = mars::detail::operator_index_map;
  using const_type = type;
};
