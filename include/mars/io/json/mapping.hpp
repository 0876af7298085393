// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/expected.hpp>
#include <mars/io/json/detail/schema.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/mapping/violation.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/operation.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mars::io {

inline constexpr std::string_view mapping_schema = "mars.mapping/1";

/// The keys of a mapping document: a contract, see io/json.hpp. Only `schema`, `sets`, `operators` and
/// `launch_order` are read; the others are results that a writer may add.
inline constexpr std::array<std::string_view, 24> mapping_keys{"schema",
                                                               "workload",
                                                               "system",
                                                               "objective",
                                                               "latency_s",
                                                               "throughput_per_s",
                                                               "energy_j",
                                                               "lower_bound_s",
                                                               "gap",
                                                               "binding_bound",
                                                               "baseline_latency_s",
                                                               "reduction_vs_baseline",
                                                               "search",
                                                               "memory",
                                                               "sets",
                                                               "operators",
                                                               "launch_order",
                                                               "semantics",
                                                               "streams",
                                                               "simulation",
                                                               "compression",
                                                               "feasible",
                                                               "shortages",
                                                               "warnings"};
inline constexpr std::array<std::string_view, 3> mapping_set_keys{"id", "accelerators", "design"};
inline constexpr std::array<std::string_view, 15> mapping_operator_keys{
    "name",    "set",    "exclusive", "shared",          "scatter",
    "weights", "stream", "algorithm", "format",          "compression",
    "start_s", "end_s",  "compute_s", "communication_s", "reorder_s"};

/// What a mapping document says.
struct mapping_document {
  mars::mapping mapping;
  std::vector<time_span> schedule; ///< by operator id; empty where not every operator has times
};

namespace detail {

[[nodiscard]] inline auto read_cut(reader const& r, operation const& op, bool may_be_uneven = false)
    -> cut {
  if (may_be_uneven)
    r.allow({"dim", "ways", "parts"});
  else
    r.allow({"dim", "ways"});
  auto const name = r["dim"].text();
  cut c{.dim = 0,
        .ways = static_cast<std::int32_t>(
            r["ways"].integer(2, std::numeric_limits<std::int32_t>::max()))};
  for (std::size_t d = 0; d < op.dims.size(); ++d)
    if (op.dims[d].name.view() == name) {
      c.dim = static_cast<std::uint8_t>(d);
      return c;
    }
  if (!r.failed()) {
    std::string list;
    for (auto const& d : op.dims)
      list += (list.empty() ? "one of " : ", ") + std::string{d.name.view()};
    r["dim"].reject(error_code::unknown_name, list.empty() ? "no dimension" : std::move(list),
                    std::string{"a dimension of operator '"} + op.name + "'");
  }
  return c;
}

[[nodiscard]] inline auto read_sharding(reader const& r, operation const& op) -> sharding {
  sharding s;
  for (auto const& c : r["exclusive"].items(max_cuts)) {
    bool const first = s.exclusive.empty();
    s.exclusive.push_back(read_cut(c, op, first));
    if (auto const parts = first ? c.find("parts") : std::nullopt)
      for (auto const& n : parts->items(max_parts))
        s.parts.push_back(
            static_cast<std::int32_t>(n.integer(1, std::numeric_limits<std::int32_t>::max())));
  }
  if (auto const shared = r.find("shared"); shared && !shared->is_null())
    s.shared = read_cut(*shared, op);
  if (auto const scatter = r.find("scatter"); scatter && !scatter->is_null()) {
    auto const name = scatter->text();
    for (std::size_t d = 0; d < op.dims.size() && !s.scatter; ++d)
      if (op.dims[d].name.view() == name) s.scatter = static_cast<std::uint8_t>(d);
    if (!s.scatter)
      scatter->reject(error_code::unknown_name,
                      std::string{"a dimension of operator '"} + op.name + "', or null");
  }
  return s;
}

/// Sets by position; `number_of` finds them by id.
inline void read_sets(reader const& root, std::size_t accelerators, mapping& m,
                      std::unordered_map<std::int64_t, std::size_t>& number_of) {
  for (auto const& r : root["sets"].items()) {
    if (root.failed()) return;
    r.allow(mapping_set_keys);
    auto const id = r["id"].integer(0);
    if (!number_of.emplace(id, m.sets.size()).second)
      r["id"].reject(error_code::duplicate, "an id of its own");
    accelerator_set set;
    for (auto const& a : r["accelerators"].items())
      set.accelerators.emplace_back(
          static_cast<std::size_t>(a.integer(0, static_cast<std::int64_t>(accelerators) - 1)));
    set.design = r["design"].text();
    m.sets.push_back(std::move(set));
  }
}

template <WorkloadGraph Graph>
void read_placements(reader const& root, Graph const& graph, mapping_document& into,
                     std::unordered_map<std::int64_t, std::size_t> const& number_of) {
  std::vector<operation const*> ops;
  std::unordered_map<std::string_view, std::size_t> by_name;
  for (operator_id const v : operators(graph)) {
    ops.push_back(&op(graph, v));
    by_name.emplace(ops.back()->name, v.index());
  }
  auto& m = into.mapping;
  m.operators.resize(ops.size());
  into.schedule.resize(ops.size());
  std::vector<bool> placed(ops.size(), false);
  bool timed = true;
  auto const listed = root["operators"];
  for (auto const& r : listed.items()) {
    if (root.failed()) return;
    r.allow(mapping_operator_keys);
    auto const name = r["name"].text();
    auto const at = by_name.find(name);
    if (root.failed()) return;
    if (at == by_name.end()) {
      std::vector<std::string_view> known;
      for (auto const* o : ops) known.push_back(o->name);
      auto const near = mars::detail::closest_name(name, known);
      r["name"].reject(error_code::unknown_name, "an operator of the workload",
                       near.empty() ? std::string{}
                                    : std::string{"did you mean "} + std::string{near} + "?");
      return;
    }
    auto const v = at->second;
    if (placed[v]) {
      r["name"].reject(error_code::duplicate, "each operator once");
      return;
    }
    placed[v] = true;
    auto const set = r["set"].integer(0);
    auto const number = number_of.find(set);
    if (!root.failed() && number == number_of.end())
      r["set"].reject(error_code::unknown_name, "the id of one of the sets");
    if (root.failed()) return;
    m.operators[v] = {set_id{number->second}, read_sharding(r, *ops[v])};
    if (auto const weights = r.find("weights"))
      m.operators[v].weights = static_cast<residency>(
          weights->choice(std::array<std::string_view, 2>{"resident", "streamed"}));
    for (auto const& [key, into_text] : {std::pair{"algorithm", &m.operators[v].algorithm},
                                         std::pair{"format", &m.operators[v].format},
                                         std::pair{"compression", &m.operators[v].compression}})
      if (auto const text = r.find(key); text && !text->is_null()) *into_text = text->text();
    if (auto const stream = r.find("stream")) {
      m.streams.resize(ops.size()); // of the others: stream 0
      m.streams[v] = stream_id{
          static_cast<std::size_t>(stream->integer(0, std::numeric_limits<std::uint32_t>::max()))};
    }
    auto const start = r.find("start_s");
    auto const end = r.find("end_s");
    if (start && end && !start->is_null() && !end->is_null())
      into.schedule[v] = {seconds{start->number(number_domain::not_negative)},
                          seconds{end->number(number_domain::not_negative)}};
    else
      timed = false;
  }
  auto const missing = std::find(placed.begin(), placed.end(), false);
  if (missing != placed.end() && !root.failed()) {
    auto const v = static_cast<std::size_t>(missing - placed.begin());
    listed.reject({error_code::invalid_mapping,
                   {},
                   std::to_string(std::count(placed.begin(), placed.end(), true)) + " operators",
                   std::to_string(ops.size()) + ", each operator of the workload once",
                   std::string{"'"} + ops[v]->name + "' is missing"});
  }
  if (!timed) into.schedule.clear();
  auto const order = root.find("launch_order");
  if (!order || order->is_null()) return;
  for (auto const& r : order->items()) {
    if (root.failed()) return;
    auto const at = by_name.find(r.text());
    if (at == by_name.end())
      r.reject(error_code::unknown_name, "an operator of the workload");
    else
      m.launch_order.push_back(operator_id{at->second});
  }
  if (m.launch_order.empty() && !m.operators.empty())
    order->reject(error_code::out_of_range, "every operator once, or no launch order");
}

} // namespace detail

/// A mapping and, where every operator has `start_s` and `end_s`, its schedule, from the text of a
/// `mars.mapping/1` document. Names are those of `graph`, accelerators those of `system`; whether the
/// mapping is any good is for `validate` to say. Errors carry the path to the culprit.
template <WorkloadGraph Graph, class System>
[[nodiscard]] auto load_mapping_document(std::string_view text, Graph const& graph,
                                         System const& system) -> expected<mapping_document> {
  auto const document = parse_json(text);
  if (!document) return unexpected{document.error()};
  reader_context context{*document};
  auto const root = context.root();
  mapping_document result;
  if (!root.is_object()) root.reject(error_code::wrong_type, "an object");
  detail::read_schema(root, mapping_schema);
  root.allow(mapping_keys);
  std::unordered_map<std::int64_t, std::size_t> number_of;
  if (!context.failed())
    detail::read_sets(root, system.accelerators.size(), result.mapping, number_of);
  if (!context.failed()) detail::read_placements(root, graph, result, number_of);
  if (context.failed()) return unexpected{error{context.failure()}};
  return result;
}

/// The mapping alone.
template <WorkloadGraph Graph, class System>
[[nodiscard]] auto load_mapping(std::string_view text, Graph const& graph, System const& system)
    -> expected<mapping> {
  auto document = load_mapping_document(text, graph, system);
  if (!document) return unexpected{std::move(document).error()};
  return std::move(document->mapping);
}

/// `sets` and `operators` of a mapping document, in this order: entries by set number and operator id,
/// `exclusive` in cut order, `shared` null without one, `scatter`, `parts`, `weights`, `algorithm`, `format`
/// and `compression` only where there is something to say; then `launch_order`, if there is one. For a writer
/// of results to put in its place and extend. Precondition: `validate(m, graph, …)` finds no unknown
/// operator or dimension.
template <WorkloadGraph Graph>
[[nodiscard]] auto mapping_to_json(mapping const& m, Graph const& graph) -> ordered_json {
  auto sets = ordered_json::array();
  for (std::size_t s = 0; s < m.sets.size(); ++s) {
    auto members = ordered_json::array();
    for (auto const a : m.sets[s].accelerators) members.push_back(a.value);
    sets.push_back({{"id", s}, {"accelerators", std::move(members)}, {"design", m.sets[s].design}});
  }
  auto placements = ordered_json::array();
  for (std::size_t v = 0; v < m.operators.size(); ++v) {
    operation const& o = op(graph, operator_id{v});
    auto const set = m.operators[v].set;
    auto const& s = m.operators[v].sharding;
    auto const dim_name = [&](std::size_t d) { return std::string{o.dims[d].name.view()}; };
    auto const cut_json = [&](cut const& c) -> ordered_json {
      return {{"dim", dim_name(c.dim)}, {"ways", c.ways}};
    };
    ordered_json entry;
    entry["name"] = o.name;
    entry["set"] = set.value;
    auto exclusive = ordered_json::array();
    for (auto const& c : s.exclusive) exclusive.push_back(cut_json(c));
    for (auto const n : s.parts) exclusive[0]["parts"].push_back(n);
    entry["exclusive"] = std::move(exclusive);
    entry["shared"] = s.shared ? cut_json(*s.shared) : ordered_json(nullptr);
    if (s.scatter) entry["scatter"] = dim_name(*s.scatter);
    if (m.operators[v].weights == residency::streamed) entry["weights"] = "streamed";
    auto const& placed = m.operators[v];
    if (!placed.algorithm.empty()) entry["algorithm"] = placed.algorithm;
    if (!placed.format.empty()) entry["format"] = placed.format;
    if (!placed.compression.empty()) entry["compression"] = placed.compression;
    if (m.is_streamed()) entry["stream"] = m.stream_of(operator_id{v}).value;
    placements.push_back(std::move(entry));
  }
  ordered_json j;
  j["sets"] = std::move(sets);
  j["operators"] = std::move(placements);
  for (auto const v : m.launch_order) j["launch_order"].push_back(op(graph, v).name);
  return j;
}

/// The smallest document that `load_mapping` accepts.
template <WorkloadGraph Graph>
[[nodiscard]] auto mapping_document_to_json(mapping const& m, Graph const& graph) -> ordered_json {
  ordered_json j;
  j["schema"] = std::string{mapping_schema};
  auto parts = mapping_to_json(m, graph);
  j["sets"] = std::move(parts["sets"]);
  j["operators"] = std::move(parts["operators"]);
  if (parts.contains("launch_order")) j["launch_order"] = std::move(parts["launch_order"]);
  return j;
}

} // namespace mars::io
