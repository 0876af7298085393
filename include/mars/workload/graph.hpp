// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/operator_range.hpp>
#include <mars/workload/topology.hpp>
#include <mars/workload/validate.hpp>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/compressed_sparse_row_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

/// How a graph keeps its edges. Vertices are numbered like operators and edges run from producer to
/// consumer, so a Boost.Graph algorithm applies to `as_boost(g)` directly.
namespace representation {

/// Grows: operators and edges may be added. Prefer it only while building; asking for the edges of
/// an operator copies them.
struct adjacency_list {
  using type = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS,
                                     boost::no_property, output_edge>;
};

/// Frozen and packed: two arrays of edges, by producer and by consumer; asking costs nothing.
struct compressed_sparse_row {
  using type = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, output_edge,
                                                  boost::no_property, std::uint32_t, std::uint32_t>;
};

} // namespace representation

/// An output of an operator.
struct tensor_ref {
  operator_id producer;
  std::uint16_t output{};

  friend auto operator==(tensor_ref const&, tensor_ref const&) -> bool = default;
};

template <class Representation>
class basic_graph;

/// A workload: operators, tensors between them, results. Built by `builder`, `make_graph` or
/// `freeze`, which validate; so a frozen graph is always sound.
using graph = basic_graph<representation::compressed_sparse_row>;

[[nodiscard]] inline auto make_graph(std::string name, std::vector<operation> operations,
                                     std::vector<tensor_edge> edges,
                                     std::vector<tensor_ref> outputs = {}) -> expected<graph>;

template <class Representation>
class basic_graph {
public:
  static constexpr bool is_frozen =
      std::is_same_v<Representation, representation::compressed_sparse_row>;

  basic_graph() = default;
  explicit basic_graph(std::string name) requires(!is_frozen) : name_{std::move(name)} {}

  [[nodiscard]] auto name() const -> std::string const& { return name_; }
  [[nodiscard]] auto size() const -> std::size_t { return operations_.size(); }

  /// Appends an operator. Nothing is checked before `freeze`.
  auto add_operation(operation o) -> operator_id requires(!is_frozen) {
    operations_.push_back(std::move(o));
    add_vertex(edges_);
    return operator_id{operations_.size() - 1};
  }
  /// Feeds an operand of `e.consumer`. Error `dangling`: an operator that is not there.
  auto connect(tensor_edge const& e) -> expected<void>
  requires(!is_frozen) {
    for (auto const v : {e.producer, e.consumer})
      if (v.index() >= size())
        return fail(error_code::dangling, "edges",
                    std::string{"operators["} + std::to_string(v.index()) + "]",
                    std::string{"below "} + std::to_string(size()));
    add_edge(e.producer.index(), e.consumer.index(), output_edge{e.consumer, e.output, e.operand},
             edges_);
    return {};
  }
  void mark_output(tensor_ref result) requires(!is_frozen) { outputs_.push_back(result); }

  [[nodiscard]] friend auto operators(basic_graph const& g) -> operator_range {
    return operator_range{g.size()};
  }
  /// Precondition here and below: `v` is an operator of `g`.
  [[nodiscard]] friend auto op(basic_graph const& g, operator_id v) -> operation const& {
    return g.operations_[v.index()];
  }
  [[nodiscard]] friend auto op(basic_graph& g, operator_id v) -> operation& requires(!is_frozen) {
    return g.operations_[v.index()];
  }
  /// Operands of `v` fed by other operators, by ascending operand. Frozen: a span, O(1).
  [[nodiscard]] friend auto inputs(basic_graph const& g, operator_id v) {
    if constexpr (is_frozen) {
      auto const first = g.first_input_[v.index()];
      return std::span{g.inputs_}.subspan(first, g.first_input_[v.index() + 1] - first);
    } else {
      std::vector<input_edge> found;
      auto const [first, last] = in_edges(v.index(), g.edges_);
      for (auto e = first; e != last; ++e)
        found.push_back(
            {operator_id{source(*e, g.edges_)}, g.edges_[*e].output, g.edges_[*e].operand});
      return found;
    }
  }
  /// Who reads results of `v`, by ascending consumer. Frozen: a span, O(1).
  [[nodiscard]] friend auto consumers(basic_graph const& g, operator_id v) {
    auto const [first, last] = out_edges(static_cast<std::uint32_t>(v.index()), g.edges_);
    if constexpr (is_frozen) {
      // The bundled properties of a vertex's edges lie one after another.
      if (first == last) return std::span<output_edge const>{};
      return std::span<output_edge const>{&g.edges_[*first], out_degree(v.value, g.edges_)};
    } else {
      std::vector<output_edge> found;
      for (auto e = first; e != last; ++e) found.push_back(g.edges_[*e]);
      return found;
    }
  }
  /// The results: those marked, or else every output that no operator reads.
  [[nodiscard]] friend auto outputs(basic_graph const& g) -> std::vector<tensor_ref> {
    if (!g.outputs_.empty()) return g.outputs_;
    std::vector<tensor_ref> found;
    std::vector<bool> read;
    for (std::size_t i = 0; i < g.size(); ++i) {
      auto const& operands = g.operations_[i].operands;
      read.assign(operands.size(), false);
      for (output_edge const e : consumers(g, operator_id{i})) read[e.output] = true;
      std::uint16_t number = 0;
      for (auto const& t : operands)
        if (t.role == role::output && !read[number++])
          found.push_back({operator_id{i}, static_cast<std::uint16_t>(number - 1)});
    }
    return found;
  }
  /// The operator of that name. O(log n) in a frozen graph.
  [[nodiscard]] friend auto find(basic_graph const& g, std::string_view name)
      -> std::optional<operator_id> {
    if constexpr (is_frozen) {
      auto const at = std::lower_bound(
          g.by_name_.begin(), g.by_name_.end(), name,
          [&g](std::uint32_t i, std::string_view n) { return g.operations_[i].name < n; });
      if (at != g.by_name_.end() && g.operations_[*at].name == name) return operator_id{*at};
    } else {
      for (std::size_t i = 0; i < g.size(); ++i)
        if (g.operations_[i].name == name) return operator_id{i};
    }
    return std::nullopt;
  }
  /// For Boost.Graph algorithms: vertex i is operator i, edges carry an `output_edge`.
  [[nodiscard]] friend auto as_boost(basic_graph const& g) -> typename Representation::type const& {
    return g.edges_;
  }

private:
  using frozen = basic_graph<representation::compressed_sparse_row>;
  friend basic_graph<representation::adjacency_list>;
  friend auto make_graph(std::string, std::vector<operation>, std::vector<tensor_edge>,
                         std::vector<tensor_ref>) -> expected<frozen>;
  [[nodiscard]] friend auto freeze(basic_graph g) -> expected<frozen>
  requires(!is_frozen) {
    auto edges = edges_of(g);
    return make_graph(std::move(g.name_), std::move(g.operations_), std::move(edges),
                      std::move(g.outputs_));
  }

  std::string name_;
  std::vector<operation> operations_;
  typename Representation::type edges_;
  std::vector<tensor_ref> outputs_;
  // Of a frozen graph only.
  std::vector<std::uint32_t> first_input_;
  std::vector<input_edge> inputs_;
  std::vector<std::uint32_t> by_name_;
};

/// A graph from its parts, in any order of edges. Errors: as `validate(graph)`, and a result
/// (`outputs[i]`) that nobody produces.
inline auto make_graph(std::string name, std::vector<operation> operations,
                       std::vector<tensor_edge> edges, std::vector<tensor_ref> outputs)
    -> expected<graph> {
  auto const n = operations.size();
  std::vector<operation const*> ops;
  for (auto const& o : operations) ops.push_back(&o);
  if (auto ok = detail::check_operations(ops); !ok) return unexpected{std::move(ok).error()};
  if (auto ok = detail::check_edges(ops, edges); !ok) return unexpected{std::move(ok).error()};
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (auto const [v, k] = outputs[i];
        v.index() >= n || nth_operand(operations[v.index()], role::output, k) == nullptr)
      return fail(error_code::dangling, std::string{"outputs["} + std::to_string(i) + "]",
                  std::string{"operators["} + std::to_string(v.index()) + "].outputs[" +
                      std::to_string(k) + "]",
                  "an output of an operator of the graph");

  graph g;
  g.name_ = std::move(name);
  g.operations_ = std::move(operations);
  g.outputs_ = std::move(outputs);

  std::sort(edges.begin(), edges.end(), [](tensor_edge const& a, tensor_edge const& b) {
    return std::tie(a.consumer, a.operand) < std::tie(b.consumer, b.operand);
  });
  g.first_input_.assign(n + 1, 0);
  for (auto const& e : edges) {
    ++g.first_input_[e.consumer.index() + 1];
    g.inputs_.push_back({e.producer, e.output, e.operand});
  }
  std::partial_sum(g.first_input_.begin(), g.first_input_.end(), g.first_input_.begin());

  std::stable_sort(edges.begin(), edges.end(), [](tensor_edge const& a, tensor_edge const& b) {
    return a.producer < b.producer;
  });
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ends;
  std::vector<output_edge> bundles;
  for (auto const& e : edges) {
    ends.emplace_back(e.producer.value, e.consumer.value);
    bundles.push_back({e.consumer, e.output, e.operand});
  }
  g.edges_ = representation::compressed_sparse_row::type{boost::edges_are_sorted,
                                                         ends.begin(),
                                                         ends.end(),
                                                         bundles.begin(),
                                                         static_cast<std::uint32_t>(n),
                                                         static_cast<std::uint32_t>(ends.size())};

  g.by_name_.resize(n);
  std::iota(g.by_name_.begin(), g.by_name_.end(), std::uint32_t{0});
  std::sort(g.by_name_.begin(), g.by_name_.end(), [&g](std::uint32_t a, std::uint32_t b) {
    return g.operations_[a].name < g.operations_[b].name;
  });
  return g;
}

} // namespace mars
