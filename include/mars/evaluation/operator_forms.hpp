// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/error.hpp>
#include <mars/core/expected.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace mars {

/// An operator as a compression makes it: the same dimensions, and the same shapes of inputs and results.
struct operator_form {
  std::string compression; ///< as `placement` names it
  operation op;
};

/// By operator id, the forms that may be chosen besides the one of the graph; empty: none of any.
using operator_forms = std::vector<std::vector<operator_form>>;

/// A graph some of whose operators have another form, and whose edges stay. Refers to what it is made of.
template <WorkloadGraph Graph>
class formed_graph {
public:
  formed_graph(Graph const& g, std::vector<operation const*> ops, std::vector<std::string> made_by)
      : g_{&g}, ops_{std::move(ops)}, made_by_{std::move(made_by)} {}

  friend auto operators(formed_graph const& f) -> decltype(auto) { return operators(*f.g_); }
  friend auto op(formed_graph const& f, operator_id v) -> operation const& {
    return *f.ops_[v.index()];
  }
  /// What made this form; empty: the operator of the graph.
  friend auto compression_of(formed_graph const& f, operator_id v) -> std::string const& {
    return f.made_by_[v.index()];
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
  std::vector<std::string> made_by_;
};

/// Can the forms stand in for the operators of a graph? Errors: `invalid_argument`, of other operators than
/// those of the graph, or with other dimensions or operands; what `validate(operation)` refuses. Paths:
/// `forms[v][i]`.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto check_forms(Graph const& g, operator_forms const& forms) -> expected<void> {
  if (forms.empty()) return {};
  std::size_t count = 0;
  for (operator_id const v : operators(g)) {
    ++count;
    if (v.index() >= forms.size()) continue;
    operation const& o = op(g, v);
    for (std::size_t i = 0; i < forms[v.index()].size(); ++i) {
      auto const& form = forms[v.index()][i];
      auto const path = "forms[" + std::to_string(v.value) + "][" + std::to_string(i) + "]";
      if (auto ok = validate<D>(form.op); !ok)
        return unexpected{std::move(ok).error().inside(path)};
      if (form.compression.empty())
        return fail(error_code::invalid_argument, path + ".compression", "none", "a name", o.name);
      if (form.op.dims != o.dims)
        return fail(error_code::invalid_argument, path + ".dims", form.compression,
                    "the dimensions of the operator", o.name);
      bool same = form.op.operands.size() >= o.operands.size();
      for (std::size_t k = 0; same && k < o.operands.size(); ++k)
        same = form.op.operands[k].role == o.operands[k].role;
      if (!same)
        return fail(error_code::invalid_argument, path + ".operands", form.compression,
                    "the operands of the operator, and what the compression adds after them",
                    o.name);
    }
  }
  if (count != forms.size())
    return fail(error_code::invalid_argument, "forms", std::to_string(forms.size()),
                std::to_string(count) + ", one list per operator");
  return {};
}

/// What the placements of a mapping make of a graph; refers to both the graph and the forms. Errors:
/// `unknown_name`, a compression that is no form of its operator; `invalid_mapping`, a placement too many or
/// too few; `invalid_argument`, forms of other operators.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto form_graph(Graph const& g, operator_forms const& forms, mapping const& m)
    -> expected<formed_graph<Graph>> {
  std::size_t count = 0;
  for (operator_id const v : operators(g)) count = std::max(count, v.index() + 1);
  if (count != m.operators.size())
    return fail(error_code::invalid_mapping, "operators", std::to_string(m.operators.size()),
                std::to_string(count) + ", one placement per operator");
  if (!forms.empty() && forms.size() != count)
    return fail(error_code::invalid_argument, "forms", std::to_string(forms.size()),
                std::to_string(count) + ", one list per operator");
  std::vector<operation const*> ops(count);
  std::vector<std::string> made_by(count);
  for (operator_id const v : operators(g)) {
    auto const& wanted = m.operators[v.index()].compression;
    auto& chosen = ops[v.index()];
    if (wanted.empty()) chosen = &op(g, v);
    if (!forms.empty())
      for (auto const& f : forms[v.index()])
        if (chosen == nullptr && f.compression == wanted) chosen = &f.op;
    if (chosen == nullptr)
      return fail(error_code::unknown_name,
                  "operators[" + std::to_string(v.value) + "].compression", wanted,
                  "a compression that the operator may have", op(g, v).name);
    made_by[v.index()] = wanted;
  }
  return formed_graph<Graph>{g, std::move(ops), std::move(made_by)};
}
/// It would refer to what is gone.
template <WorkloadGraph Graph>
void form_graph(Graph const&& g, operator_forms const& forms, mapping const& m) = delete;
template <WorkloadGraph Graph>
void form_graph(Graph const& g, operator_forms const&& forms, mapping const& m) = delete;

} // namespace mars
