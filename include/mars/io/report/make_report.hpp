// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/interconnect/concept.hpp>
#include <mars/io/report/data.hpp>
#include <mars/io/report/detail/text.hpp>
#include <mars/io/report/link_load.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/concept.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars::io {

namespace detail {

[[nodiscard]] inline auto causes_of(operator_evaluation const& e) -> report_causes {
  return {to_seconds(e.compute).count(), to_seconds(e.redistribution).count(),
          to_seconds(e.rotation).count(), to_seconds(e.partial_sums).count(),
          to_seconds(e.state_exchange).count()};
}

/// Sums in whole picoseconds, so that they do not depend on the order.
[[nodiscard]] inline auto causes_of(evaluation const& e) -> report_causes {
  operator_evaluation sum;
  for (auto const& o : e.operators) {
    sum.compute = saturating_add(sum.compute, o.compute);
    sum.redistribution = saturating_add(sum.redistribution, o.redistribution);
    sum.rotation = saturating_add(sum.rotation, o.rotation);
    sum.partial_sums = saturating_add(sum.partial_sums, o.partial_sums);
    sum.state_exchange = saturating_add(sum.state_exchange, o.state_exchange);
  }
  return causes_of(sum);
}

/// Their own names; with its number where several have the same, or none.
template <class System>
[[nodiscard]] auto accelerator_names(System const& system) -> std::vector<std::string> {
  std::vector<std::string> names;
  for (auto const& a : system.accelerators) {
    names.emplace_back();
    if constexpr (requires { std::string{a.name}; }) names.back() = a.name;
  }
  std::map<std::string, std::size_t> uses;
  for (auto const& name : names) ++uses[name];
  for (std::size_t a = 0; a < names.size(); ++a)
    if (names[a].empty() || uses[names[a]] > 1)
      names[a] = (names[a].empty() ? "accelerator" : names[a]) + " " + std::to_string(a);
  return names;
}

/// One sentence for `count` accelerators that lack the same.
template <WorkloadGraph G>
[[nodiscard]] auto shortage_sentence(G const& graph, shortage const& s, shortage const& last,
                                     std::size_t count, report_data const& r, mapping const& m)
    -> std::string {
  auto const& at = op(graph, s.at).name;
  auto const set = m.operators[s.at.index()].set.index();
  if (s.what == shortage::kind::unsupported)
    return std::string{"Design "} + m.sets[set].design + " of set " + std::to_string(set) +
           std::string{" cannot run "} + at + ".";
  auto const name = [&](shortage const& of) { return r.accelerators[of.accelerator.index()].name; };
  auto const excess = bytes_text((s.demand - s.capacity).count());
  auto text = count == 1 ? name(s) + " needs " + bytes_text(s.demand.count()) + " but has "
                         : name(s) + " … " + name(last) + " (" + std::to_string(count) +
                               std::string{" accelerators) need "} + bytes_text(s.demand.count()) +
                               " each but have ";
  text += bytes_text(s.capacity.count()) + ": " + excess + " too much when " + at + " runs.";
  for (std::size_t i = 0; i < s.contributors.size(); ++i) {
    text += i == 0 ? " Largest weights: " : ", ";
    text += op(graph, s.contributors[i]).name;
  }
  return text + (s.contributors.empty() ? "" : ".");
}

template <WorkloadGraph G>
void describe_shortages(report_data& r, G const& graph, std::vector<shortage> const& all,
                        mapping const& m) {
  auto const alike = [](shortage const& a, shortage const& b) {
    return a.what == shortage::kind::memory && b.what == shortage::kind::memory && a.at == b.at &&
           a.demand == b.demand && a.capacity == b.capacity;
  };
  for (std::size_t i = 0, end = 0; i < all.size(); i = end) {
    for (end = i + 1; end < all.size() && alike(all[i], all[end]);) ++end;
    r.shortages.push_back(shortage_sentence(graph, all[i], all[end - 1], end - i, r, m));
  }
  if (all.empty() && !r.feasible)
    r.shortages.emplace_back("The mapping takes for ever: a design or a link cannot do its part.");
}

/// Nodes in the order: accelerators, then whatever the links name.
template <class Net>
void describe_links(report_data& r, Net const& net, std::vector<bytes> const& load) {
  for (auto const& a : r.accelerators) r.nodes.push_back({report_node::kind::accelerator, a.name});
  if constexpr (RoutedInterconnect<Net>) {
    auto const& all = net.links();
    std::span<link const> const links{all};
    std::map<endpoint, std::size_t> others;
    for (auto const& l : links)
      for (auto const e : {l.from, l.to})
        if (e.kind != node_kind::accelerator) others.try_emplace(e);
    for (auto& [e, number] : others) {
      bool const host = e.kind == node_kind::host;
      auto const alone = std::count_if(others.begin(), others.end(), [&e = e](auto const& o) {
                           return o.first.kind == e.kind;
                         }) == 1;
      number = r.nodes.size();
      r.nodes.push_back({host ? report_node::kind::host : report_node::kind::network_switch,
                         (host ? "host" : "switch") +
                             (alone ? std::string{} : std::string{" "} + std::to_string(e.index))});
    }
    auto const node = [&](endpoint e) {
      return e.kind == node_kind::accelerator ? std::size_t{e.index} : others.at(e);
    };
    for (std::size_t i = 0; i < links.size(); ++i)
      r.links.push_back({node(links[i].from), node(links[i].to), links[i].bandwidth.count(),
                         load[i].count(), (load[i] / links[i].bandwidth).count()});
  }
}

} // namespace detail

/// What a report of a plan shows. `points` and `warnings` are the caller's: a search tells its
/// observer where it stands, an importer what it met. The seed is the caller's too: set it after.
/// Precondition: the plan is one of this graph and this system.
template <WorkloadGraph G, class System>
[[nodiscard]] auto make_report(G const& graph, System const& system, plan const& p,
                               std::optional<plan> const& baseline = std::nullopt,
                               std::vector<convergence_point> points = {},
                               std::vector<std::string> warnings = {}) -> report_data {
  report_data r;
  auto const& e = p.evaluation;
  if constexpr (requires { std::string{graph.name()}; }) r.workload = std::string{graph.name()};
  if constexpr (requires { std::string{system.name}; }) r.system = std::string{system.name};
  if (r.workload.empty()) r.workload = "workload";
  if (r.system.empty()) r.system = "system";
  r.objective = p.objective.empty() ? "latency" : p.objective;
  r.policy = p.policy;
  r.evaluations = p.evaluations;
  r.wall_s = p.wall.count();
  r.exhausted = p.exhausted;
  r.feasible = p.feasible();
  r.latency_s = p.latency().count();
  r.bottleneck_s = to_seconds(e.bottleneck).count();
  if (e.energy) r.energy_j = e.energy->count();
  r.value = to_seconds(picoseconds{p.value}).count(); // pico in both units
  r.lower_bound = to_seconds(picoseconds{p.bound.value}).count();
  r.value_unit = r.objective == "energy" ? "J" : "s";
  r.bound_name = std::string{p.bound.name};
  r.gap = p.gap();
  r.time = detail::causes_of(e);
  if (baseline && baseline->feasible()) {
    r.baseline_latency_s = baseline->latency().count();
    r.baseline_policy = baseline->policy;
    r.baseline_time = detail::causes_of(baseline->evaluation);
  }

  for (auto const& s : p.mapping.sets) {
    r.sets.push_back({{}, s.design});
    for (auto const a : s.accelerators) r.sets.back().accelerators.push_back(a.index());
  }
  auto const names = detail::accelerator_names(system);
  for (std::size_t a = 0; a < names.size(); ++a) {
    auto const& use = e.memory[a];
    bool const busy = use.peak > bytes{};
    r.accelerators.push_back({names[a], use.capacity.count(), use.peak.count(),
                              use.resident.count(),
                              busy ? op(graph, use.peak_at).name : std::string{}});
  }

  using network = std::remove_cvref_t<decltype(system.interconnect)>;
  auto const load = [&] {
    if constexpr (RoutedInterconnect<network> && !std::same_as<network, any_interconnect>)
      return measure_load(graph, any_interconnect{system.interconnect}, p.mapping);
    else
      return measure_load(graph, system.interconnect, p.mapping);
  }();
  for (auto const v : load.order) {
    operation const& o = op(graph, v);
    auto const& at = e.operators[v.index()];
    auto const& placed = p.mapping.operators[v.index()];
    r.operators.push_back({o.name, o.type.empty() ? std::string{kind_name(o.kind)} : o.type,
                           placed.set.index(), to_string(placed.sharding, o),
                           to_seconds(at.start).count(), to_seconds(at.end).count(),
                           detail::causes_of(at), load.during[v.index()].count()});
  }
  detail::describe_links(r, system.interconnect, load.links);

  detail::describe_shortages(r, graph, e.shortages, p.mapping);
  r.convergence = std::move(points);
  if (!r.convergence.empty() && r.convergence.back().evaluations < p.evaluations)
    r.convergence.push_back({p.evaluations, p.wall.count(), r.value, r.lower_bound});
  r.warnings = std::move(warnings);
  return r;
}

} // namespace mars::io
