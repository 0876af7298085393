// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/collective/cheapest.hpp>
#include <mars/evaluation/arrivals.hpp>
#include <mars/evaluation/critical_path.hpp>
#include <mars/evaluation/memory_over_time.hpp>
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
  return {.compute_s = to_seconds(e.compute).count(),
          .redistribution_s = to_seconds(saturating_add(e.redistribution, e.reorders)).count(),
          .rotation_s = to_seconds(e.rotation).count(),
          .partial_sums_s = to_seconds(e.partial_sums).count(),
          .state_exchange_s = to_seconds(e.state_exchange).count(),
          .weights_s = to_seconds(e.weights).count(),
          .store_s = to_seconds(e.results).count()};
}
/// Of the time between its start and its end.
[[nodiscard]] inline auto causes_of(operator_evaluation const& e, semantics how) -> report_causes {
  auto causes = causes_of(e);
  if (is_overlapped(how)) causes.redistribution_s = 0; // it came before
  return causes;
}

/// Sums in whole picoseconds, so that they do not depend on the order.
[[nodiscard]] inline auto causes_of(evaluation const& e) -> report_causes {
  operator_evaluation sum;
  for (auto const& o : e.operators) {
    sum.compute = saturating_add(sum.compute, o.compute);
    sum.redistribution = saturating_add(sum.redistribution, o.redistribution);
    sum.reorders = saturating_add(sum.reorders, o.reorders);
    sum.rotation = saturating_add(sum.rotation, o.rotation);
    sum.partial_sums = saturating_add(sum.partial_sums, o.partial_sums);
    sum.state_exchange = saturating_add(sum.state_exchange, o.state_exchange);
    sum.weights = saturating_add(sum.weights, o.weights);
    sum.results = saturating_add(sum.results, o.results);
  }
  return causes_of(sum);
}

[[nodiscard]] inline auto times_of(evaluation const& e) -> std::vector<operator_times> {
  std::vector<operator_times> times;
  times.reserve(e.operators.size());
  for (auto const& o : e.operators) times.push_back({o.start, o.end});
  return times;
}

/// Of the makespan: operators of the critical chain, and what lies between them.
[[nodiscard]] inline auto causes_of(evaluation const& e, critical_path const& path)
    -> report_causes {
  evaluation chain;
  picoseconds moving{};
  picoseconds reached{};
  for (auto const v : path.chain) {
    auto const& o = e.operators[v.index()];
    chain.operators.push_back(o);
    if (is_overlapped(e.semantics)) chain.operators.back().redistribution = {};
    if (path.waits[v.index()].cause == wait_cause::transfer && reached < o.start)
      moving = saturating_add(moving, o.start - reached);
    reached = o.end;
  }
  auto causes = causes_of(chain);
  causes.redistribution_s += to_seconds(moving).count();
  causes.idle_s = to_seconds(path.unexplained).count();
  return causes;
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

/// Staged through a host: what members of a set load and store, each taken to be the slowest.
[[nodiscard]] inline auto host_load(std::span<link const> links, plan const& p)
    -> std::vector<bytes> {
  std::vector<picoseconds> in(p.evaluation.memory.size());
  auto out = in;
  for (std::size_t v = 0; v < p.mapping.operators.size(); ++v) {
    auto const& e = p.evaluation.operators[v];
    for (auto const a : p.mapping.sets[p.mapping.operators[v].set.index()].accelerators) {
      in[a.index()] = saturating_add(in[a.index()], saturating_add(e.weights, e.redistribution));
      out[a.index()] = saturating_add(out[a.index()], e.results);
    }
  }
  std::vector<bytes> load;
  for (auto const& l : links) {
    bool const leaves = l.from.kind == node_kind::accelerator;
    auto const at = leaves ? l.from : l.to;
    auto const busy =
        at.kind == node_kind::accelerator ? to_seconds((leaves ? out : in)[at.index]).count() : 0.0;
    auto const size = busy * l.bandwidth.count();
    load.emplace_back(size < 9e18 ? static_cast<std::int64_t>(size + 0.5) : 0);
  }
  return load;
}

/// Nodes in the order: accelerators, then whatever the links name.
template <class Net>
void describe_links(report_data& r, Net const& net, std::vector<bytes> load, plan const& p) {
  for (auto const& a : r.accelerators) r.nodes.push_back({report_node::kind::accelerator, a.name});
  if constexpr (RoutedInterconnect<Net>) {
    auto const& all = net.links();
    std::span<link const> const links{all};
    if (r.semantics == semantics::staged) {
      auto const host = host_load(links, p);
      for (std::size_t i = 0; i < load.size(); ++i) load[i] += host[i];
    }
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

/// Operators, transfers between them, gaps and memory.
template <WorkloadGraph G>
void describe_time(report_data& r, G const& graph, plan const& p, inference_load const& load,
                   critical_path const& path, input_arrivals const& arrivals) {
  auto const& e = p.evaluation;
  std::vector<std::size_t> position(load.order.size());
  for (std::size_t i = 0; i < load.order.size(); ++i) position[load.order[i].index()] = i;
  auto const number = [&](std::optional<operator_id> v) {
    return v ? std::optional{position[v->index()]} : std::nullopt;
  };
  auto const s = [](picoseconds t) { return to_seconds(t).count(); };

  for (auto const v : load.order) {
    operation const& o = op(graph, v);
    auto const& at = e.operators[v.index()];
    auto const& placed = p.mapping.operators[v.index()];
    auto const& wait = path.waits[v.index()];
    r.operators.push_back({.name = o.name,
                           .kind = o.type.empty() ? std::string{kind_name(o.kind)} : o.type,
                           .set = placed.set.index(),
                           .sharding = to_string(placed, o),
                           .start_s = s(at.start),
                           .end_s = s(at.end),
                           .time = causes_of(at, r.semantics),
                           .wait = wait.cause,
                           .wait_on = number(wait.on),
                           .stream = p.mapping.stream_of(v).index()});
  }
  for (auto const v : path.chain) r.operators[position[v.index()]].critical = true;
  for (auto const& t : load.moved) {
    auto const& from = e.operators[t.from.index()];
    auto const& to = e.operators[t.to.index()];
    auto const begin = is_overlapped(r.semantics) ? from.end : to.start;
    auto const end = !is_overlapped(r.semantics) ? saturating_add(to.start, to.redistribution)
                                                 : arrivals[t.to.index()][t.input];
    r.transfers.push_back(
        {position[t.from.index()], position[t.to.index()], t.size.count(), s(begin), s(end)});
  }
  for (auto const& g : path.gaps)
    r.gaps.push_back({.accelerator = g.accelerator.index(),
                      .start_s = s(g.from),
                      .end_s = s(g.to),
                      .cause = g.cause,
                      .on = number(g.on),
                      .busy = g.busy ? std::optional{g.busy->index()} : std::nullopt,
                      .previous = number(g.previous),
                      .next = number(g.next)});
  auto const memory = memory_over_time(graph, p.mapping, r.accelerators.size(), times_of(e),
                                       r.semantics, e.operators);
  for (std::size_t a = 0; a < memory.size(); ++a)
    for (auto const& step : memory[a])
      r.accelerators[a].memory.push_back(
          {s(step.at), step.weights.count(), step.results.count(), step.buffers.count()});
}

} // namespace detail

/// What a report of a plan shows. `points` and `warnings` are the caller's: a search tells its
/// observer where it stands, an importer what it met. The seed is the caller's too: set it after.
/// With overlapped transfers `arrivals` says when inputs arrive: without, as the standard collectives
/// have it.
/// Precondition: the plan is one of this graph and this system.
template <WorkloadGraph G, class System>
[[nodiscard]] auto make_report(G const& graph, System const& system, plan const& p,
                               std::optional<plan> const& baseline = std::nullopt,
                               std::vector<convergence_point> points = {},
                               std::vector<std::string> warnings = {}, input_arrivals arrivals = {})
    -> report_data {
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
  r.semantics = e.semantics;
  if (is_overlapped(r.semantics) && arrivals.empty())
    arrivals = find_arrivals(graph, system, p.mapping, e, collective::standard{});
  auto const path = find_critical_path(graph, p.mapping, detail::times_of(e), arrivals);
  r.time = r.is_scheduled() ? detail::causes_of(e, path) : detail::causes_of(e);
  if (baseline && baseline->feasible()) {
    r.baseline_latency_s = baseline->latency().count();
    r.baseline_policy = baseline->policy;
    auto const& of = baseline->evaluation;
    r.baseline_time =
        of.semantics == semantics::sequential
            ? detail::causes_of(of)
            : detail::causes_of(of,
                                find_critical_path(graph, baseline->mapping, detail::times_of(of),
                                                   find_arrivals(graph, system, baseline->mapping,
                                                                 of, collective::standard{})));
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
  detail::describe_time(r, graph, p, load, path, arrivals);
  detail::describe_links(r, system.interconnect, load.links, p);

  detail::describe_shortages(r, graph, e.shortages, p.mapping);
  r.convergence = std::move(points);
  if (!r.convergence.empty() && r.convergence.back().evaluations < p.evaluations)
    r.convergence.push_back({p.evaluations, p.wall.count(), r.value, r.lower_bound});
  r.warnings = std::move(warnings);
  return r;
}

} // namespace mars::io
