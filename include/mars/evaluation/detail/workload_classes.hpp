// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/detail/interner.hpp>
#include <mars/evaluation/operator_forms.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::detail {

/// Operators that a problem cannot tell apart: equal signatures, the same operands fed by edges, and
/// the same results of the graph.
struct operator_class {
  operation const* first{};
  std::uint32_t signature{};            ///< number; several classes may share one
  std::vector<std::uint16_t> fed;       ///< operands, rising
  std::vector<std::uint16_t> results{}; ///< outputs that leave the graph, rising, if told apart
  operator_id id{};                     ///< of the first
};

/// Tensors that a problem cannot tell apart: from an output of a class to an operand of a class.
struct edge_class {
  std::uint32_t producer{};
  std::uint32_t output{};
  std::uint32_t consumer{};
  std::uint32_t operand{};
};

struct workload_classes {
  std::vector<operator_class> operators;
  std::vector<edge_class> edges;
};

/// Can a problem not tell the forms of two operators apart?
template <deferred D = when_called>
[[nodiscard]] auto same_forms(operator_forms const& forms, std::size_t a, std::size_t b) -> bool {
  return forms.empty() ||
         std::equal(forms[a].begin(), forms[a].end(), forms[b].begin(), forms[b].end(),
                    [](auto const& s, auto const& t) {
                      return s.compression == t.compression && same_signature<D>(s.op, t.op);
                    });
}

/// Fills what `t` says of operators and edges. O((V + E) log V); all that follows is done by class.
/// `results`: by operator, outputs that leave the graph, if operators are to be told apart by them.
/// Operators of one class, or one signature number, have the same `forms`. Precondition: `check_forms`.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto classify(Graph const& g, typename later<mapping_problem, D>::tables& t,
                            operator_forms const& forms = {},
                            std::vector<std::vector<std::uint16_t>> const& results = {})
    -> later<expected<workload_classes>, D> {
  auto order = topological_order(g);
  if (!order) return unexpected{std::move(order).error()};
  t.order = *std::move(order);
  auto const n = t.order.size();
  later<std::vector<std::uint32_t>, D> position(n);
  for (std::size_t v = 0; v < n; ++v) position[t.order[v].index()] = static_cast<std::uint32_t>(v);

  later<workload_classes, D> classes;
  std::uint32_t signatures = 0;
  later<std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>, D> by_hash;
  t.last_use.assign(n, static_cast<std::uint32_t>(n));
  for (std::size_t v = 0; v < n; ++v) {
    later<operation, D> const& o = op(g, t.order[v]);
    later<std::vector<std::uint16_t>, D> fed;
    for (input_edge const e : inputs(g, t.order[v])) {
      fed.push_back(e.operand);
      auto const from = position[e.producer.index()];
      t.edges.push_back({from, static_cast<std::uint32_t>(v), e.output, e.operand, 0});
      auto& last = t.last_use[from];
      last =
          last == n ? static_cast<std::uint32_t>(v) : std::max(last, static_cast<std::uint32_t>(v));
    }
    std::sort(fed.begin(), fed.end());
    later<std::vector<std::uint16_t>, D> leaves;
    if (!results.empty()) leaves = results[t.order[v].index()];
    auto& bucket = by_hash[signature_hash(o)];
    auto const like = std::find_if(bucket.begin(), bucket.end(), [&](std::uint32_t c) {
      auto const& other = classes.operators[c];
      return same_signature(*other.first, o) &&
             same_forms<D>(forms, other.id.index(), t.order[v].index());
    });
    auto const same = std::find_if(like, bucket.end(), [&](std::uint32_t c) {
      auto const& other = classes.operators[c];
      return other.fed == fed && other.results == leaves && same_signature(*other.first, o) &&
             same_forms<D>(forms, other.id.index(), t.order[v].index());
    });
    if (same == bucket.end()) {
      auto const number = like == bucket.end() ? signatures++ : classes.operators[*like].signature;
      t.op_class.push_back(static_cast<std::uint32_t>(classes.operators.size()));
      bucket.push_back(t.op_class.back());
      classes.operators.push_back({&o, number, std::move(fed), std::move(leaves), t.order[v]});
    } else {
      t.op_class.push_back(*same);
    }
    t.has_macs.push_back(macs_of(o).count() > 0);
  }
  // Results of the graph stay to the end, also when an operator reads them.
  if constexpr (requires { outputs(g); })
    for (auto const& result : outputs(g))
      t.last_use[position[result.producer.index()]] = static_cast<std::uint32_t>(n);

  later<interner<std::array<std::uint32_t, 4>>, D> known;
  for (auto& e : t.edges) {
    edge_class const c{t.op_class[e.producer], e.output, t.op_class[e.consumer], e.operand};
    e.edge_class = known({c.producer, c.output, c.consumer, c.operand});
    if (e.edge_class == classes.edges.size()) classes.edges.push_back(c);
  }
  return classes;
}

} // namespace mars::detail
