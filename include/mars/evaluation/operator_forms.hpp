// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/error.hpp>
#include <mars/core/expected.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace mars {

/// An operator as a compression makes it: the same dimensions, and the same shapes of inputs and results.
struct operator_form {
  std::string compression; ///< as `placement` names it
  operation op;
};

/// By operator id, the forms that may be chosen besides the one of the graph. Operators of one signature
/// have the same forms.
using operator_forms = std::vector<std::vector<operator_form>>;

/// A graph some of whose operators have another form, and whose edges stay. Refers to what it is made of.
template <WorkloadGraph Graph>
class formed_graph {
public:
  formed_graph(Graph const& g, std::vector<operation const*> ops) : g_{&g}, ops_{std::move(ops)} {}

  friend auto operators(formed_graph const& f) -> decltype(auto) { return operators(*f.g_); }
  friend auto op(formed_graph const& f, operator_id v) -> operation const& {
    return *f.ops_[v.index()];
  }
  friend auto inputs(formed_graph const& f, operator_id v) -> decltype(auto) {
    return inputs(*f.g_, v);
  }
  friend auto outputs(formed_graph const& f) -> decltype(auto) requires requires(Graph const& g) {
    outputs(g);
  }
  { return outputs(*f.g_); }

private:
  Graph const* g_;
  std::vector<operation const*> ops_;
};

/// What the placements of a mapping make of a graph. Errors: `unknown_name`, a compression that is no form
/// of its operator; `invalid_mapping`, a placement too many or too few.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto form_graph(Graph const& g, operator_forms const& forms, mapping const& m)
    -> expected<formed_graph<Graph>> {
  std::vector<operation const*> ops;
  for (operator_id const v : operators(g)) {
    if (v.index() >= m.operators.size())
      return fail(error_code::invalid_mapping, "operators", std::to_string(m.operators.size()),
                  "one placement per operator");
    auto const& wanted = m.operators[v.index()].compression;
    ops.push_back(&op(g, v));
    bool found = wanted.empty();
    if (v.index() < forms.size())
      for (auto const& f : forms[v.index()])
        if (f.compression == wanted) {
          ops.back() = &f.op;
          found = true;
        }
    if (!found)
      return fail(error_code::unknown_name,
                  "operators[" + std::to_string(v.value) + "].compression", wanted,
                  "a compression that the operator may have", ops.back()->name);
  }
  return formed_graph<Graph>{g, std::move(ops)};
}

} // namespace mars
