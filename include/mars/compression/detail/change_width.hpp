// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/compression/detail/rebuild.hpp>
#include <mars/core/deferred.hpp>
#include <mars/workload/graph.hpp>
#include <mars/workload/operation.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::compression::detail {

/// How numbers are to be stored.
struct element_format {
  int bits{16};
  number_format numbers{number_format::automatic};
  bool scaled{
      false}; ///< weights are integers times a scale per output channel; additive terms stay
};

/// Widest numbers that a network computes with: 64 bits are positions, shapes, or doubles somebody
/// insists on.
inline constexpr int widest_value = 32;

/// Operand `t` holds numbers that may be rounded, and is wider than `f` or of another kind. Which rows of
/// a table to read is not such a number, nor is anything known of an opaque operator's tensors.
template <deferred = when_called>
[[nodiscard]] auto may_round(operation const& o, operand const& t, element_format const& f)
    -> bool {
  if (o.kind == op_kind::opaque || t.element_bits > widest_value || t.element_bits < f.bits ||
      t.numbers == number_format::integer || (t.element_bits == f.bits && t.numbers == f.numbers))
    return false;
  if (o.kind != op_kind::gather || t.role == role::output) return true;
  auto const rows = find_dim(o, "v");
  return rows && indexes(t, *rows);
}

/// A weight whose elements are multiplied and summed: it walks a reduction.
template <deferred = when_called>
[[nodiscard]] auto is_summed_over(operation const& o, operand const& t) -> bool {
  for (std::size_t d = 0; d < o.dims.size(); ++d)
    if (o.dims[d].kind == dim_kind::reduction && indexes(t, d)) return t.role == role::weight;
  return false;
}

/// The scales of a quantised weight, 4 bytes for each output channel: an axis of the output that walks
/// nothing but dimensions of the weight, and the gates of a recurrence (the weight's axes read whole). A
/// table has one for each row: the channels of the layer that shares it with an embedding.
template <deferred = when_called>
[[nodiscard]] auto scale_of(operation const& o, operand const& weight) -> operand {
  operand scale{.role = role::weight,
                .name = weight.name.empty() ? std::string{} : weight.name + ".scale",
                .element_bits = 32,
                .axes = {}};
  if (o.kind == op_kind::gather) {
    auto const rows = *find_dim(o, "v");
    for (auto const& a : weight.axes)
      if (a.uses(rows)) scale.axes.push_back(a);
    return scale;
  }
  for (auto const& a : weight.axes)
    if (a.is_whole()) scale.axes.push_back(a);
  for (auto const& a : nth_operand(o, role::output, 0)->axes)
    if (!a.is_whole() && std::all_of(a.terms.begin(), a.terms.end(),
                                     [&](auto const& term) { return indexes(weight, term.dim); }))
      scale.axes.push_back(a);
  return scale;
}

/// `o` with its numbers in format `f`, or nothing where nothing changes. Scales come last, so that the
/// other operands keep their numbers.
template <deferred D = when_called>
[[nodiscard]] auto change_width(later<operation, D> const& o, element_format const& f)
    -> std::optional<operation> {
  std::optional<operation> changed;
  std::vector<operand> scales;
  for (std::size_t k = 0; k < o.operands.size(); ++k) {
    auto const& t = o.operands[k];
    if (!may_round(o, t, f)) continue;
    if (f.scaled && t.role == role::weight && !is_summed_over(o, t)) continue;
    if (!changed) changed = o;
    changed->operands[k].element_bits = f.bits;
    changed->operands[k].numbers = f.numbers;
    if (f.scaled && t.role == role::weight) scales.push_back(scale_of(o, t));
  }
  for (auto& s : scales) changed->operands.push_back(std::move(s));
  return changed;
}

/// `g` in format `f`, apart from the operators marked in `kept`. A tensor has one width at both ends:
/// it stays wide where somebody who writes or reads it cannot take the narrow one.
template <deferred D = when_called>
[[nodiscard]] auto change_width(later<graph, D> const& g, element_format const& f,
                                later<std::vector<bool>, D> const& kept) -> expected<graph> {
  // Tensors: outputs of operators, numbered one after the other, then those from outside.
  std::vector<std::size_t> first(g.size() + 1, 0);
  for (auto const v : operators(g)) {
    std::size_t n = 0;
    for (auto const& t : op(g, v).operands) n += t.role == role::output;
    first[v.index() + 1] = first[v.index()] + n;
  }
  auto tensors = first.back();
  std::unordered_map<std::string, std::size_t> outside;
  std::vector<std::vector<std::size_t>> tensor_of(g.size()); // by operand; of inputs and outputs
  for (auto const v : operators(g)) {
    auto& of = tensor_of[v.index()];
    auto const& o = op(g, v);
    of.assign(o.operands.size(), 0);
    std::vector<bool> fed(o.operands.size(), false);
    for (auto const& e : inputs(g, v)) {
      of[e.operand] = first[e.producer.index()] + e.output;
      fed[e.operand] = true;
    }
    auto output = first[v.index()];
    for (std::size_t k = 0; k < of.size(); ++k) {
      auto const& t = o.operands[k];
      if (t.role == role::output)
        of[k] = output++;
      else if (t.role == role::input && !fed[k])
        of[k] = t.name.empty() ? tensors++ : outside.try_emplace(t.name, tensors).first->second;
      tensors = std::max(tensors, of[k] + 1);
    }
  }
  auto const flows = [](operand const& t) {
    return t.role == role::input || t.role == role::output;
  };
  std::vector<bool> wide(tensors, false);
  for (auto const v : operators(g)) {
    auto const& o = op(g, v);
    for (std::size_t k = 0; k < o.operands.size(); ++k)
      if (flows(o.operands[k]) && (kept[v.index()] || !may_round(o, o.operands[k], f)))
        wide[tensor_of[v.index()][k]] = true;
  }
  std::vector<operation> operations;
  for (auto const v : operators(g)) {
    auto const& o = op(g, v);
    auto changed = kept[v.index()] ? std::nullopt : change_width(o, f);
    for (std::size_t k = 0; changed && k < o.operands.size(); ++k)
      if (flows(o.operands[k]) && wide[tensor_of[v.index()][k]])
        changed->operands[k] = o.operands[k];
    operations.push_back(changed ? *std::move(changed) : o);
  }
  return rebuild(g, std::move(operations));
}

/// The layers with weights to multiply with that have no such layer before them, or none after them.
template <deferred D = when_called>
[[nodiscard]] auto ends_of(later<graph, D> const& g) -> expected<std::vector<bool>> {
  auto const order = topological_order(g);
  if (!order) return unexpected{order.error()};
  auto const is_layer = [&g](operator_id v) {
    auto const& o = op(g, v);
    return std::any_of(o.operands.begin(), o.operands.end(),
                       [&o](auto const& t) { return is_summed_over(o, t); });
  };
  std::vector<bool> before(g.size(), false), after(g.size(), false), ends(g.size(), false);
  for (auto const v : *order)
    for (auto const& e : inputs(g, v))
      if (before[e.producer.index()] || is_layer(e.producer)) before[v.index()] = true;
  for (auto at = order->rbegin(); at != order->rend(); ++at)
    for (auto const& e : consumers(g, *at))
      if (after[e.consumer.index()] || is_layer(e.consumer)) after[at->index()] = true;
  for (auto const v : operators(g))
    ends[v.index()] = is_layer(v) && (!before[v.index()] || !after[v.index()]);
  return ends;
}

} // namespace mars::compression::detail
