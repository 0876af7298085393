// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/units.hpp>
#include <mars/io/compression_result.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/mapping.hpp>
#include <mars/io/simulation_result.hpp>
#include <mars/io/stream_result.hpp>
#include <mars/mapper.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::io {

/// What a result document says besides the plan.
struct result_context {
  plan const* baseline{};              ///< null: unknown
  std::uint64_t seed{1};               ///< of the search
  std::vector<std::string> warnings{}; ///< of the import of the workload
  std::optional<simulation_result> simulation{};
  std::optional<stream_result> streams{};
  std::optional<compression_result> compression{};
};

namespace detail {

/// JSON has no infinity: what cannot be done has no number.
[[nodiscard]] inline auto finite_json(double x) -> ordered_json {
  return std::isfinite(x) ? ordered_json(x) : ordered_json(nullptr);
}
[[nodiscard]] inline auto seconds_json(picoseconds t) -> ordered_json {
  return finite_json(to_seconds(t).count());
}
/// Energy is counted in picojoules.
[[nodiscard]] inline auto is_time(plan const& p) -> bool {
  return p.objective != "energy" && p.objective != "weighted";
}

template <WorkloadGraph Graph>
[[nodiscard]] auto shortages_json(plan const& p, Graph const& graph) -> ordered_json {
  auto list = ordered_json::array();
  for (auto const& s : p.evaluation.shortages) {
    bool const memory = s.what == shortage::kind::memory;
    ordered_json entry;
    entry["what"] = memory ? "memory" : "unsupported";
    entry["accelerator"] = s.accelerator.value;
    entry["operator"] = op(graph, s.at).name;
    if (memory) {
      entry["demand_bytes"] = s.demand.count();
      entry["capacity_bytes"] = s.capacity.count();
      auto largest = ordered_json::array();
      for (auto const v : s.contributors) largest.push_back(op(graph, v).name);
      entry["largest_weights"] = std::move(largest);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

/// `sets` and `operators`, the latter with their times; `reorder_s`, a part of `communication_s`, where
/// tensors are rewritten in another format.
template <WorkloadGraph Graph>
[[nodiscard]] auto timed_mapping_json(plan const& p, Graph const& graph) -> ordered_json {
  auto parts = mapping_to_json(p.mapping, graph);
  for (std::size_t v = 0; v < p.evaluation.operators.size(); ++v) {
    auto const& e = p.evaluation.operators[v];
    auto& entry = parts["operators"][v];
    entry["start_s"] = seconds_json(e.start);
    entry["end_s"] = seconds_json(e.end);
    entry["compute_s"] = seconds_json(e.compute);
    entry["communication_s"] = seconds_json(e.communication());
    if (e.reorders > picoseconds{}) entry["reorder_s"] = seconds_json(e.reorders);
  }
  return parts;
}

} // namespace detail

/// A plan as a `mars.mapping/1` document with results: the keys of the contract (io/json.hpp), then
/// `launch_order` (names; scheduled mappings only), `semantics` ("sequential"; scheduled: "overlapped",
/// "staged" or "streamed"), `streams` (`scheduler`, `streams`: the most on an accelerator,
/// `latency_one_stream_s`; where a scheduler assigned them), `simulation` (`sharing`, `latency_s`, `transfers`, `events`; where asked for),
/// `compression` (`name`, `accuracy`: a published point with its source, or null, `rejected`: `name` and
/// `reason`; where compressions of the network were given), `feasible`, `shortages` (`what`, `accelerator`, `operator`, and for memory `demand_bytes`,
/// `capacity_bytes`, `largest_weights`) and `warnings`. `load_mapping` reads it back.
///
/// Numbers that do not exist are null: times and energy of a plan that is not feasible, unknown
/// energy, the bound of a mapping that nobody searched, a baseline that does not fit.
/// `lower_bound_s` is a bound on `latency_s`, for the objective throughput on
/// 1 / `throughput_per_s`, for energy and weighted null. `gap` is of the objective's value;
/// `reduction_vs_baseline` is 1 − `latency_s` / `baseline_latency_s` whatever the objective.
template <WorkloadGraph Graph, class System>
[[nodiscard]] auto result_to_json(Graph const& graph, System const& system, plan const& p,
                                  result_context const& context = {}) -> ordered_json {
  constexpr auto none = nullptr;
  bool const feasible = p.feasible();
  bool const bounded = p.bound.name != "none" && p.bound.value < no_ticks;
  auto const* baseline =
      context.baseline != nullptr && context.baseline->feasible() ? context.baseline : nullptr;
  auto const& e = p.evaluation;

  ordered_json j;
  j["schema"] = std::string{mapping_schema};
  auto& workload = j["workload"];
  if constexpr (requires { std::string{graph.name()}; })
    workload["name"] = std::string{graph.name()};
  else
    workload["name"] = "";
  workload["operators"] = p.mapping.operators.size();
  workload["macs"] = macs_of(graph).count();
  workload["parameters"] = parameters_of(graph);
  if constexpr (requires { std::string{system.name}; })
    j["system"]["name"] = std::string{system.name};
  else
    j["system"]["name"] = "";
  j["system"]["accelerators"] = system.accelerators.size();
  j["objective"] = p.objective;

  j["latency_s"] = feasible ? detail::seconds_json(e.latency) : none;
  j["throughput_per_s"] =
      feasible ? detail::finite_json(1.0 / to_seconds(e.bottleneck).count()) : none;
  j["energy_j"] = feasible && e.energy ? detail::finite_json(e.energy->count()) : none;
  j["lower_bound_s"] =
      bounded && detail::is_time(p) ? detail::seconds_json(picoseconds{p.bound.value}) : none;
  j["gap"] = feasible && bounded ? ordered_json(p.gap()) : none;
  j["binding_bound"] = bounded ? ordered_json(std::string{p.bound.name}) : none;
  j["baseline_latency_s"] =
      baseline != nullptr ? detail::seconds_json(baseline->evaluation.latency) : none;
  j["reduction_vs_baseline"] =
      feasible && baseline != nullptr && baseline->evaluation.latency > picoseconds{}
          ? detail::finite_json((baseline->evaluation.latency - e.latency) /
                                baseline->evaluation.latency)
          : none;

  auto& search = j["search"];
  search["policy"] = p.policy;
  search["seed"] = context.seed;
  search["evaluations"] = p.evaluations;
  search["wall_s"] = p.wall.count();
  search["evaluations_per_s"] =
      p.wall.count() > 0 ? static_cast<double>(p.evaluations) / p.wall.count() : 0.0;
  search["exhausted"] = p.exhausted;

  auto memory = ordered_json::array();
  for (auto const& use : e.memory)
    memory.push_back({{"accelerator", use.accelerator.value},
                      {"peak_bytes", use.peak.count()},
                      {"capacity_bytes", use.capacity.count()}});
  j["memory"] = std::move(memory);
  auto parts = detail::timed_mapping_json(p, graph);
  j["sets"] = std::move(parts["sets"]);
  j["operators"] = std::move(parts["operators"]);
  if (parts.contains("launch_order")) j["launch_order"] = std::move(parts["launch_order"]);
  j["semantics"] = std::string{kind_name(e.semantics)};
  if (auto const& s = context.streams)
    j["streams"] = {{"scheduler", s->scheduler},
                    {"streams", s->streams},
                    {"latency_one_stream_s", detail::seconds_json(s->latency_one_stream)}};
  if (auto const& s = context.simulation)
    j["simulation"] = {{"sharing", s->sharing},
                       {"latency_s", detail::seconds_json(s->latency)},
                       {"transfers", s->transfers},
                       {"events", s->events}};
  if (auto const& c = context.compression) {
    auto& of = j["compression"];
    of["name"] = c->name;
    of["accuracy"] = none;
    if (auto const& a = c->accuracy) {
      of["accuracy"] = {{"network", a->network}, {"dataset", a->dataset},   {"setting", a->setting},
                        {"method", a->method},   {"top1_percent", a->top1}, {"source", a->source},
                        {"locator", a->locator}};
      if (a->reference_top1) of["accuracy"]["reference_top1_percent"] = *a->reference_top1;
    }
    of["rejected"] = ordered_json::array();
    for (auto const& [name, reason] : c->rejected)
      of["rejected"].push_back({{"name", name}, {"reason", reason}});
  }
  j["feasible"] = feasible;
  j["shortages"] = detail::shortages_json(p, graph);
  j["warnings"] = context.warnings;
  return j;
}

} // namespace mars::io
