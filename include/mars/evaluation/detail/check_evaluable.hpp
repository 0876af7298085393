// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/detail/stream_waits.hpp>
#include <mars/evaluation/pricing.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace mars {

namespace detail {

/// What evaluation needs to be well defined; the rest is the validator's business.
template <AcceleratorSystem System, deferred D = when_called>
[[nodiscard]] auto check_evaluable(later<std::vector<operation const*>, D> const& ops,
                                   System const& system, design_catalogue<System> const& catalogue,
                                   later<mapping, D> const& m) -> expected<void> {
  if (m.operators.size() != ops.size())
    return fail(error_code::invalid_mapping, "operators", std::to_string(m.operators.size()),
                std::to_string(ops.size()) + " placements, one per operator");
  later<std::vector<bool>, D> taken(system.accelerators.size());
  for (std::size_t s = 0; s < m.sets.size(); ++s) {
    auto const path = std::string{"sets["} + std::to_string(s) + "]";
    if (m.sets[s].accelerators.empty())
      return fail(error_code::invalid_mapping, path + ".accelerators", "none", "at least one");
    for (auto const a : m.sets[s].accelerators) {
      if (a.index() >= taken.size())
        return fail(error_code::invalid_mapping, path + ".accelerators", std::to_string(a.value),
                    std::string{"below "} + std::to_string(taken.size()));
      if (taken[a.index()] && !m.is_scheduled())
        return fail(error_code::invalid_mapping, path + ".accelerators", std::to_string(a.value),
                    "an accelerator that is in no other set");
      taken[a.index()] = true;
      for (std::size_t t = 0; t < s; ++t)
        if (m.sets[t].design != m.sets[s].design &&
            std::find(m.sets[t].accelerators.begin(), m.sets[t].accelerators.end(), a) !=
                m.sets[t].accelerators.end())
          return fail(error_code::invalid_mapping, path + ".design", m.sets[s].design,
                      m.sets[t].design,
                      "accelerator " + std::to_string(a.value) + " is in set " + std::to_string(t) +
                          ", too");
    }
    auto const options = catalogue.options(m.sets[s].accelerators);
    if (std::none_of(options.begin(), options.end(),
                     [&](auto const& o) { return o.name == m.sets[s].design; }))
      return fail(error_code::unknown_name, path + ".design", m.sets[s].design,
                  "a design that every member offers");
  }
  for (std::size_t v = 0; v < ops.size(); ++v) {
    auto const& p = m.operators[v];
    auto const path = std::string{"operators["} + std::to_string(v) + "]";
    if (p.set.index() >= m.sets.size())
      return fail(error_code::invalid_mapping, path + ".set", std::to_string(p.set.value),
                  std::string{"below "} + std::to_string(m.sets.size()), ops[v]->name);
    if (auto ok = check(*ops[v], p.sharding, m.sets[p.set.index()].accelerators.size()); !ok)
      return unexpected{std::move(ok).error().inside(path)};
  }
  return {};
}

/// A mapping names the compressions that made the operators of its graph, and no others: only a graph
/// that `form_graph` made has any. Precondition: one placement per operator.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto check_compressions(Graph const& g, later<mapping, D> const& m)
    -> expected<void> {
  for (std::size_t v = 0; v < m.operators.size(); ++v) {
    std::string made_by;
    if constexpr (requires { compression_of(g, operator_id{v}); })
      made_by = compression_of(g, operator_id{v});
    if (auto const& named = m.operators[v].compression; named != made_by)
      return fail(error_code::invalid_mapping,
                  std::string{"operators["} + std::to_string(v) + "].compression",
                  named.empty() ? std::string{"none"} : named,
                  made_by.empty() ? std::string{"none: the operator of the graph has none"}
                                  : made_by);
  }
  return {};
}

/// Operators of a schedule run as their designs choose: what an algorithm would reorder takes a place in
/// time that nobody has described yet, and so does a tensor between two compressions. Precondition: one
/// placement per operator.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto check_no_rewrites(Graph const& g, later<mapping, D> const& m) -> expected<void> {
  auto const refuse = [&](std::size_t v, char const* field, std::string const& named) {
    return fail(error_code::unsupported,
                std::string{"operators["} + std::to_string(v) + "]." + field,
                named.empty() ? std::string{"none"} : named,
                field == std::string{"compression"}
                    ? "that of its neighbours, in a mapping with a launch order"
                    : "none, in a mapping with a launch order");
  };
  for (std::size_t v = 0; v < m.operators.size(); ++v) {
    auto const& p = m.operators[v];
    if (!p.algorithm.empty()) return refuse(v, "algorithm", p.algorithm);
    if (!p.format.empty()) return refuse(v, "format", p.format);
    for (input_edge const e : inputs(g, operator_id{v}))
      if (m.operators[e.producer.index()].compression != p.compression)
        return refuse(v, "compression", p.compression);
  }
  return {};
}

/// A launch order lists every operator once, producers first.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto check_launch_order(Graph const& g, std::size_t n, later<mapping, D> const& m)
    -> expected<void> {
  later<std::vector<bool>, D> launched(n);
  if (m.launch_order.size() != n)
    return fail(error_code::invalid_mapping, "launch_order", std::to_string(m.launch_order.size()),
                std::to_string(n) + " operators, each once");
  for (std::size_t i = 0; i < n; ++i) {
    auto const v = m.launch_order[i];
    auto const path = std::string{"launch_order["} + std::to_string(i) + "]";
    if (v.index() >= n || launched[v.index()])
      return fail(error_code::invalid_mapping, path, std::to_string(v.value), "each operator once");
    for (input_edge const e : inputs(g, v))
      if (!launched[e.producer.index()])
        return fail(error_code::invalid_mapping, path, op(g, v).name,
                    std::string{"an operator that comes after '"} + op(g, e.producer).name +
                        "', whose result it reads");
    launched[v.index()] = true;
  }
  return {};
}

/// One stream of every operator, and more than stream 0 only where kernels are launched.
template <AcceleratorSystem System, deferred D = when_called>
[[nodiscard]] auto check_streams(later<std::vector<operation const*>, D> const& ops,
                                 System const& system, set_devices const& devices,
                                 later<mapping, D> const& m) -> expected<void> {
  if (m.streams.size() != ops.size())
    return fail(error_code::invalid_mapping, "streams", std::to_string(m.streams.size()),
                std::to_string(ops.size()) + " streams, one per operator");
  if (is_staged(system.interconnect))
    return fail(error_code::invalid_mapping, "streams", "streams",
                "none: the accelerators are staged through a host");
  for (std::size_t v = 0; v < ops.size(); ++v)
    if (auto const s = m.operators[v].set.index();
        m.streams[v].value != 0 && !launches_kernels(devices[s]))
      return fail(
          error_code::invalid_mapping, std::string{"operators["} + std::to_string(v) + "].stream",
          std::to_string(m.streams[v].value),
          std::string{"0: design '"} + m.sets[s].design + "' launches no kernels", ops[v]->name);
  return {};
}

} // namespace detail

} // namespace mars
