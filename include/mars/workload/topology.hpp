// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

// What can be asked of any WorkloadGraph: order, consumers, classes of equal operators, totals.

namespace mars {

/// A tensor between two operators, with both ends.
struct tensor_edge {
  operator_id producer;
  std::uint16_t output{}; ///< counts the producer's operands of role output
  operator_id consumer;
  std::uint16_t operand{}; ///< counts all operands of the consumer

  friend auto operator==(tensor_edge const&, tensor_edge const&) -> bool = default;
};

/// `operators[i].inputs[j]`, where j counts operands of role input; operands of another role, and
/// those that do not exist, are called `operands[k]`.
template <deferred D = when_called>
[[nodiscard]] auto path_of(later<operation, D> const& consumer, later<tensor_edge, D> const& e)
    -> std::string {
  auto const path = std::string{"operators["} + std::to_string(e.consumer.index()) + "].";
  auto const& all = consumer.operands;
  if (e.operand >= all.size() || all[e.operand].role != role::input)
    return path + "operands[" + std::to_string(e.operand) + "]";
  std::size_t number = 0;
  for (std::size_t k = 0; k < e.operand; ++k) number += all[k].role == role::input;
  return path + "inputs[" + std::to_string(number) + "]";
}

template <WorkloadGraph G>
[[nodiscard]] auto count_operators(G const& g) -> std::size_t {
  auto&& all = operators(g);
  return static_cast<std::size_t>(
      std::ranges::distance(std::ranges::begin(all), std::ranges::end(all)));
}

/// Every edge, in the order of `operators(g)` and `inputs(g, v)`.
template <WorkloadGraph G, deferred D = when_called>
[[nodiscard]] auto edges_of(G const& g) -> later<std::vector<tensor_edge>, D> {
  later<std::vector<tensor_edge>, D> edges;
  for (operator_id const v : operators(g))
    for (input_edge const e : inputs(g, v)) edges.push_back({e.producer, e.output, v, e.operand});
  return edges;
}

namespace detail {

/// Positions of edges grouped by one of their ends (counting sort, stable).
template <deferred D = when_called>
struct basic_grouped_edges {
  later<std::vector<std::uint32_t>, D> first; ///< per operator, and one past the end
  later<std::vector<std::uint32_t>, D> edge;

  basic_grouped_edges(std::size_t operators, std::span<tensor_edge const> edges,
                      operator_id tensor_edge::*end)
      : first(operators + 1, 0), edge(edges.size()) {
    for (auto const& e : edges) ++first[(e.*end).index() + 1];
    for (std::size_t v = 0; v < operators; ++v) first[v + 1] += first[v];
    auto next = first;
    for (std::size_t i = 0; i < edges.size(); ++i)
      edge[next[(edges[i].*end).index()]++] = static_cast<std::uint32_t>(i);
  }
  [[nodiscard]] auto of(operator_id v) const -> std::span<std::uint32_t const> {
    return std::span{edge}.subspan(first[v.index()], first[v.index() + 1] - first[v.index()]);
  }
};
using grouped_edges = basic_grouped_edges<>;

/// Kahn's algorithm, smallest ready id first: O((V + E) log V). Precondition: ids below
/// `operators`. Where a cycle stops it, `cycle` is an edge on one.
template <deferred D = when_called>
struct basic_sorted_operators {
  later<std::vector<operator_id>, D> order;
  later<std::optional<tensor_edge>, D> cycle;

  basic_sorted_operators(std::size_t operators, std::span<tensor_edge const> edges) {
    basic_grouped_edges<D> const out{operators, edges, &tensor_edge::producer};
    later<std::vector<std::uint32_t>, D> missing(operators, 0);
    for (auto const& e : edges) ++missing[e.consumer.index()];
    later<std::priority_queue<operator_id, std::vector<operator_id>, std::greater<>>, D> ready;
    for (std::size_t v = 0; v < operators; ++v)
      if (missing[v] == 0) ready.push(operator_id{v});
    order.reserve(operators);
    while (!ready.empty()) {
      auto const v = ready.top();
      ready.pop();
      order.push_back(v);
      for (auto const i : out.of(v))
        if (auto const w = edges[i].consumer; --missing[w.index()] == 0) ready.push(w);
    }
    if (order.size() != operators) cycle = find_cycle(operators, edges, missing);
  }

private:
  // Whoever still misses an input has a producer in the same state: walking to producers ends in a
  // cycle. Its smallest operator is named, so that the message does not depend on the walk.
  static auto find_cycle(std::size_t operators, std::span<tensor_edge const> edges,
                         later<std::vector<std::uint32_t>, D> const& missing) -> tensor_edge {
    later<std::vector<tensor_edge const*>, D> blocked(operators, nullptr);
    for (auto const& e : edges)
      if (missing[e.producer.index()] != 0 && blocked[e.consumer.index()] == nullptr)
        blocked[e.consumer.index()] = &e;
    std::size_t v = 0;
    while (missing[v] == 0) ++v;
    later<std::vector<bool>, D> seen(operators, false);
    for (; !seen[v]; v = blocked[v]->producer.index()) seen[v] = true;
    auto smallest = v;
    for (auto w = blocked[v]->producer.index(); w != v; w = blocked[w]->producer.index())
      smallest = std::min(smallest, w);
    return *blocked[smallest];
  }
};
using sorted_operators = basic_sorted_operators<>;

template <deferred D = when_called>
[[nodiscard]] auto cycle_error(later<operation, D> const& consumer, later<tensor_edge, D> const& e)
    -> unexpected<error> {
  return fail(error_code::cycle, path_of(consumer, e),
              std::string{"operators["} + std::to_string(e.producer.index()) + "]",
              "an acyclic graph",
              std::string{"operator '"} + consumer.name + "' depends on itself");
}

} // namespace detail

/// The operators such that producers come before consumers; among those ready the smallest id comes
/// first, so the order is one and the same for a graph. Errors: `dangling` (an edge names an
/// operator that is not there), `cycle`. O((V + E) log V), no recursion.
template <WorkloadGraph G, deferred D = when_called>
[[nodiscard]] auto topological_order(G const& g) -> later<expected<std::vector<operator_id>>, D> {
  auto const n = count_operators(g);
  auto const edges = edges_of(g);
  for (auto const& e : edges)
    if (e.producer.index() >= n)
      return fail(error_code::dangling, path_of(op(g, e.consumer), e),
                  std::string{"operators["} + std::to_string(e.producer.index()) + "]",
                  std::string{"below "} + std::to_string(n));
  detail::basic_sorted_operators<D> sorted{n, edges};
  if (sorted.cycle) return detail::cycle_error(op(g, sorted.cycle->consumer), *sorted.cycle);
  return std::move(sorted.order);
}

/// Who reads the results of each operator: an index over any graph, built once in O(V + E).
class consumer_lists {
public:
  template <WorkloadGraph G>
  explicit consumer_lists(G const& g) {
    auto const edges = edges_of(g);
    detail::grouped_edges groups{count_operators(g), edges, &tensor_edge::producer};
    first_ = std::move(groups.first);
    for (auto const i : groups.edge)
      edges_.push_back({edges[i].consumer, edges[i].output, edges[i].operand});
  }
  [[nodiscard]] auto operator()(operator_id v) const -> std::span<output_edge const> {
    return std::span{edges_}.subspan(first_[v.index()], first_[v.index() + 1] - first_[v.index()]);
  }

private:
  std::vector<std::uint32_t> first_;
  std::vector<output_edge> edges_;
};

/// Precondition: the edges of `g` name operators of `g` (`topological_order` says so).
template <WorkloadGraph G>
[[nodiscard]] auto consumers(G const& g) -> consumer_lists {
  return consumer_lists{g};
}

/// Operators grouped by signature: equal operators are priced once.
struct operator_class_index {
  std::vector<std::uint32_t> class_of;      ///< per operator; numbered by first appearance
  std::vector<operator_id> representatives; ///< per class, its first operator
};

template <WorkloadGraph G, deferred D = when_called>
[[nodiscard]] auto operator_classes(G const& g) -> operator_class_index {
  operator_class_index classes;
  classes.class_of.resize(count_operators(g));
  later<std::unordered_multimap<std::uint64_t, std::uint32_t>, D> by_hash;
  for (operator_id const v : operators(g)) {
    auto const hash = signature_hash(op(g, v));
    auto const [first, last] = by_hash.equal_range(hash);
    auto found = first;
    while (found != last &&
           !same_signature(op(g, classes.representatives[found->second]), op(g, v)))
      ++found;
    if (found == last) {
      found = by_hash.emplace(hash, static_cast<std::uint32_t>(classes.representatives.size()));
      classes.representatives.push_back(v);
    }
    classes.class_of[v.index()] = found->second;
  }
  return classes;
}

template <WorkloadGraph G>
[[nodiscard]] auto macs_of(G const& g) -> macs {
  macs sum{};
  for (operator_id const v : operators(g)) sum += macs_of(op(g, v));
  return sum;
}

/// Two per MAC and the rest.
template <WorkloadGraph G>
[[nodiscard]] auto flops_of(G const& g) -> flops {
  flops sum{};
  for (operator_id const v : operators(g)) sum += flops_of(op(g, v));
  return sum;
}

/// Trained parameters. A weight with a name counts once, however many operators share it.
template <WorkloadGraph G, deferred D = when_called>
[[nodiscard]] auto parameters_of(G const& g) -> std::int64_t {
  std::int64_t sum = 0;
  later<std::unordered_set<std::string>, D> seen;
  for (operator_id const v : operators(g))
    for (auto const& t : op(g, v).operands)
      if (t.role == role::weight && (t.name.empty() || seen.insert(t.name).second))
        sum += elements_of(t);
  return sum;
}

/// An operand of an operator of the graph.
struct operand_ref {
  operator_id op;
  std::uint16_t operand{};

  friend auto operator==(operand_ref const&, operand_ref const&) -> bool = default;
};

/// Activations that come from outside: operands of role input that no edge names. Operands of one
/// name are one tensor and listed once, at their first reader; without a name each is its own.
template <WorkloadGraph G, deferred D = when_called>
[[nodiscard]] auto external_inputs(G const& g) -> later<std::vector<operand_ref>, D> {
  later<std::vector<operand_ref>, D> outside;
  later<std::unordered_set<std::string>, D> seen;
  later<std::vector<bool>, D> fed;
  for (operator_id const v : operators(g)) {
    later<operation, D> const& o = op(g, v);
    fed.assign(o.operands.size(), false);
    for (input_edge const e : inputs(g, v))
      if (e.operand < fed.size()) fed[e.operand] = true;
    for (std::size_t k = 0; k < fed.size(); ++k) {
      auto const& t = o.operands[k];
      if (t.role == role::input && !fed[k] && (t.name.empty() || seen.insert(t.name).second))
        outside.push_back({v, static_cast<std::uint16_t>(k)});
    }
  }
  return outside;
}

} // namespace mars
