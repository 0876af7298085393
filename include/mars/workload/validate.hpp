// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/shape.hpp>
#include <mars/workload/topology.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars {

namespace detail {

inline constexpr std::int64_t total_limit = std::int64_t{1} << 62;

/// Each operator by itself; names are unique; weights and external tensors of one name agree; and
/// sums over the graph (FLOPs, bits of all operands) stay below 2⁶², so that no later addition can
/// overflow.
template <deferred D = when_called>
[[nodiscard]] auto check_operations(std::span<operation const* const> ops) -> expected<void> {
  later<std::unordered_map<std::string_view, std::size_t>, D> named;
  later<std::unordered_map<std::string_view, operand const*>, D> tensors;
  std::int64_t work = 0;
  std::int64_t bits = 0;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    auto const& o = *ops[i];
    auto const path = [i] { return std::string{"operators["} + std::to_string(i) + "]"; };
    if (auto ok = validate(o); !ok) {
      auto e = std::move(ok).error();
      e.detail = e.detail.empty() ? std::string{"in "} + o.name : e.detail + ", in " + o.name;
      return unexpected{std::move(e).inside(path())};
    }
    if (auto const [it, fresh] = named.emplace(o.name, i); !fresh)
      return fail(error_code::duplicate, path() + ".name", o.name, "a name of its own",
                  std::string{"operators["} + std::to_string(it->second) + "] has it too");
    auto sums_fit = [&](std::int64_t& sum, std::int64_t more) {
      auto const s = checked_add(sum, more);
      sum = s.value_or(total_limit);
      return sum < total_limit;
    };
    bool fits = sums_fit(work, flops_of(o).count());
    for (std::size_t k = 0; k < o.operands.size() && fits; ++k) {
      auto const& t = o.operands[k];
      fits = sums_fit(bits, elements_of(t) * t.element_bits);
      if (t.name.empty() || (t.role != role::weight && t.role != role::input)) continue;
      auto const [it, fresh] = tensors.emplace(t.name, &t);
      if (!fresh && (it->second->role != t.role || shape_of(*it->second) != shape_of(t)))
        return fail(error_code::shape_mismatch, path() + ".operands[" + std::to_string(k) + "]",
                    to_string(shape_of(t)), to_string(shape_of(*it->second)),
                    std::string{"another operator reads '"} + t.name + "' like that");
    }
    if (!fits)
      return fail(error_code::overflow, path(), "operators too large together", "sums below 2^62",
                  o.name);
  }
  return {};
}

/// Every edge joins an output to an input of the same shape; an operand has one producer; no cycle.
template <deferred D = when_called>
[[nodiscard]] auto check_edges(std::span<operation const* const> ops,
                               std::span<tensor_edge const> edges) -> expected<void> {
  auto const number = [](char const* what, std::size_t i) {
    return std::string{what} + "[" + std::to_string(i) + "]";
  };
  for (std::size_t i = 0; i < edges.size(); ++i)
    if (edges[i].consumer.index() >= ops.size())
      return fail(error_code::dangling, number("edges", i) + ".consumer",
                  number("operators", edges[i].consumer.index()),
                  std::string{"below "} + std::to_string(ops.size()));
  later<std::vector<std::vector<bool>>, D> fed(ops.size());
  for (auto const& e : edges) {
    auto const& consumer = *ops[e.consumer.index()];
    auto const path = path_of(consumer, e);
    if (e.operand >= consumer.operands.size())
      return fail(error_code::dangling, path, number("operands", e.operand),
                  std::string{"an operand of '"} + consumer.name + "'");
    auto const& operand = consumer.operands[e.operand];
    if (operand.role != role::input)
      return fail(error_code::invalid_argument, path, "an edge into a weight, output or state",
                  "an operand of role input", consumer.name);
    if (e.producer.index() >= ops.size())
      return fail(error_code::dangling, path, number("operators", e.producer.index()),
                  std::string{"below "} + std::to_string(ops.size()), consumer.name);
    auto const& producer = *ops[e.producer.index()];
    auto const* result = nth_operand(producer, role::output, e.output);
    if (result == nullptr)
      return fail(error_code::dangling, path, number("outputs", e.output),
                  std::string{"an output of '"} + producer.name + "'", consumer.name);
    auto& taken = fed[e.consumer.index()];
    taken.resize(consumer.operands.size());
    if (taken[e.operand])
      return fail(error_code::duplicate, path, "two producers", "one producer", consumer.name);
    taken[e.operand] = true;
    if (shape_of(*result) != shape_of(operand))
      return fail(error_code::shape_mismatch, path, to_string(shape_of(*result)),
                  to_string(shape_of(operand)),
                  std::string{"from '"} + producer.name + "' to '" + consumer.name + "'");
  }
  sorted_operators const sorted{ops.size(), edges};
  if (sorted.cycle) return cycle_error(*ops[sorted.cycle->consumer.index()], *sorted.cycle);
  return {};
}

} // namespace detail

/// Checks everything the library relies on in a graph. Errors carry the path to the culprit:
/// an operator that is wrong in itself (see `validate(operation)`), `duplicate` names or producers,
/// `dangling` edges, `shape_mismatch`, `cycle` (naming an operator on it), `overflow` of sums.
template <WorkloadGraph G, deferred D = when_called>
[[nodiscard]] auto validate(G const& g) -> expected<void> {
  later<std::vector<operation const*>, D> ops;
  for (operator_id const v : operators(g)) ops.push_back(&op(g, v));
  if (auto ok = detail::check_operations(ops); !ok) return ok;
  return detail::check_edges(ops, edges_of(g));
}

} // namespace mars
