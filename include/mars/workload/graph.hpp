// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/operator_range.hpp>
#include <mars/workload/topology.hpp>
#include <mars/workload/validate.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

/// How a graph keeps its edges, each twice: by consumer and by producer.
namespace representation {

/// Grows: operators and edges may be added. Prefer it only while building.
template <deferred D = when_called>
class basic_adjacency_list {
public:
  [[nodiscard]] auto inputs(operator_id v) const -> std::span<input_edge const> {
    return lists_[v.index()].inputs;
  }
  [[nodiscard]] auto consumers(operator_id v) const -> std::span<output_edge const> {
    return lists_[v.index()].outputs;
  }
  void add_operator() { lists_.emplace_back(); }
  /// Precondition: both ends were added.
  void add(tensor_edge const& e) {
    auto& into = lists_[e.consumer.index()].inputs;
    into.push_back({e.producer, e.output, e.operand});
    for (auto i = into.size() - 1; i > 0 && into[i].operand < into[i - 1].operand; --i)
      std::swap(into[i], into[i - 1]);
    auto& from = lists_[e.producer.index()].outputs;
    from.push_back({e.consumer, e.output, e.operand});
    for (auto i = from.size() - 1; i > 0 && from[i].consumer < from[i - 1].consumer; --i)
      std::swap(from[i], from[i - 1]);
  }

private:
  struct lists {
    later<std::vector<input_edge>, D> inputs;
    later<std::vector<output_edge>, D> outputs;
  };
  std::vector<lists> lists_;
};
using adjacency_list = basic_adjacency_list<>;

/// Frozen and packed: two arrays of edges, by consumer and by producer.
template <deferred D = when_called>
class basic_compressed_sparse_row {
public:
  basic_compressed_sparse_row() = default;
  /// Precondition: the edges name operators below `operators`.
  basic_compressed_sparse_row(std::size_t operators, later<std::vector<tensor_edge>, D> edges) {
    std::sort(edges.begin(), edges.end(), [](tensor_edge const& a, tensor_edge const& b) {
      return a.consumer != b.consumer ? a.consumer < b.consumer : a.operand < b.operand;
    });
    detail::basic_grouped_edges<D> into{operators, edges, &tensor_edge::consumer};
    detail::basic_grouped_edges<D> from{operators, edges, &tensor_edge::producer};
    inputs_.reserve(edges.size());
    outputs_.reserve(edges.size());
    for (auto const& e : edges) inputs_.push_back({e.producer, e.output, e.operand});
    for (auto const i : from.edge)
      outputs_.push_back({edges[i].consumer, edges[i].output, edges[i].operand});
    first_input_ = std::move(into.first);
    first_output_ = std::move(from.first);
  }
  [[nodiscard]] auto inputs(operator_id v) const -> std::span<input_edge const> {
    return {inputs_.data() + first_input_[v.index()], inputs_.data() + first_input_[v.index() + 1]};
  }
  [[nodiscard]] auto consumers(operator_id v) const -> std::span<output_edge const> {
    return {outputs_.data() + first_output_[v.index()],
            outputs_.data() + first_output_[v.index() + 1]};
  }

private:
  // Per operator where its edges begin, and one past the end.
  later<std::vector<std::uint32_t>, D> first_input_;
  later<std::vector<std::uint32_t>, D> first_output_;
  later<std::vector<input_edge>, D> inputs_;
  later<std::vector<output_edge>, D> outputs_;
};
using compressed_sparse_row = basic_compressed_sparse_row<>;

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

template <deferred = when_called>
[[nodiscard]] auto make_graph(std::string name, std::vector<operation> operations,
                              std::vector<tensor_edge> edges, std::vector<tensor_ref> outputs = {})
    -> expected<graph>;

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
    edges_.add_operator();
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
    edges_.add(e);
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
  /// Operands of `v` fed by other operators, by ascending operand. O(1); valid until `g` changes.
  [[nodiscard]] friend auto inputs(basic_graph const& g, operator_id v)
      -> std::span<input_edge const> {
    return g.edges_.inputs(v);
  }
  /// Who reads results of `v`, by ascending consumer. O(1); valid until `g` changes.
  [[nodiscard]] friend auto consumers(basic_graph const& g, operator_id v)
      -> std::span<output_edge const> {
    return g.edges_.consumers(v);
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

private:
  using frozen = basic_graph<representation::compressed_sparse_row>;
  friend basic_graph<representation::adjacency_list>;
  template <deferred>
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
  Representation edges_;
  std::vector<tensor_ref> outputs_;
  std::vector<std::uint32_t> by_name_; ///< of a frozen graph only
};

/// A graph from its parts, in any order of edges. Errors: as `validate(graph)`, and a result
/// (`outputs[i]`) that nobody produces.
template <deferred D>
auto make_graph(std::string name, std::vector<operation> operations, std::vector<tensor_edge> edges,
                std::vector<tensor_ref> outputs) -> expected<graph> {
  auto const n = operations.size();
  later<std::vector<operation const*>, D> ops;
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

  later<graph, D> g;
  g.name_ = std::move(name);
  g.operations_ = std::move(operations);
  g.outputs_ = std::move(outputs);
  g.edges_ = {n, std::move(edges)};
  g.by_name_.resize(n);
  for (std::uint32_t i = 0; i < n; ++i) g.by_name_[i] = i;
  std::sort(g.by_name_.begin(), g.by_name_.end(), [&g](std::uint32_t a, std::uint32_t b) {
    return g.operations_[a].name < g.operations_[b].name;
  });
  return g;
}

} // namespace mars
