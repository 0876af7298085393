// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "inspect.hpp"

#include "run.hpp"
#include "text.hpp"

#include <mars/core/closest_name.hpp>
#include <mars/io/files.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/reader.hpp>
#include <mars/mapping/diff.hpp>
#include <mars/parallel/to_string.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace mars_map {

namespace {

using mars::io::ordered_json;

[[nodiscard]] auto seconds_of(mars::picoseconds t) -> double { return mars::to_seconds(t).count(); }
[[nodiscard]] auto load_priced(options const& o, workload const& w, mars::any_system const& system,
                               std::string const& file) -> mars::expected<mars::plan> {
  auto mapping = load_json_mapping(file, w.graph, system);
  if (!mapping) return mars::unexpected{std::move(mapping).error()};
  auto priced = price_mapping(o, w.graph, system, *std::move(mapping));
  if (!priced) return mars::unexpected{in_file(file, std::move(priced).error())};
  return std::move(priced->plan);
}
[[nodiscard]] auto operator_named(options const& o, mars::graph const& graph)
    -> mars::expected<mars::operator_id> {
  std::vector<std::string_view> names;
  for (mars::operator_id const v : operators(graph)) {
    names.push_back(op(graph, v).name);
    if (names.back() == o.operator_name) return v;
  }
  auto const near = mars::detail::closest_name(o.operator_name, names);
  return mars::fail(mars::error_code::unknown_name, "--operator", o.operator_name.substr(0, 64),
                    "an operator of the workload",
                    near.empty() ? std::string{}
                                 : std::string{"did you mean "} + std::string{near} + "?");
}
[[nodiscard]] auto role_name(mars::role r) -> std::string_view {
  switch (r) {
  case mars::role::input: return "input";
  case mars::role::weight: return "weight";
  case mars::role::output: return "output";
  case mars::role::state: return "state";
  }
  return "tensor";
}

/// Of the network that a plan maps; `none` where the document does not say.
[[nodiscard]] auto compression_of(mars::io::json const& document) -> std::string {
  auto const at = document.find("compression");
  if (at == document.end() || !at->is_object() || !at->contains("name") ||
      !(*at)["name"].is_string())
    return "none";
  return (*at)["name"].get<std::string>();
}

} // namespace

auto complete_from_mapping(options& o, std::string const& file) -> mars::expected<void> {
  auto const document = mars::io::read_file(file).and_then(
      [](std::string const& text) { return mars::io::parse_json(text); });
  if (!document) return mars::unexpected{in_file(file, document.error())};
  for (auto const& [option, key, into] :
       {std::tuple{"--model", "workload", &o.model}, {"--system", "system", &o.system}}) {
    if (!into->empty()) continue;
    auto const at = document->find(key);
    if (at != document->end() && at->is_object() && at->contains("name") &&
        (*at)["name"].is_string())
      *into = (*at)["name"].get<std::string>();
    if (into->empty())
      return mars::fail(mars::error_code::missing_key, option, "nothing",
                        "a name of --list, or a file", file + " does not say what it maps");
  }
  // What they map is the compressed network.
  auto const name = compression_of(*document);
  if (name != "none") o.compressions = {name};
  for (auto const& other : o.files) {
    if (other == file) continue;
    auto const read = mars::io::read_file(other).and_then(
        [](std::string const& text) { return mars::io::parse_json(text); });
    if (!read) return mars::unexpected{in_file(other, read.error())};
    if (auto const theirs = compression_of(*read); theirs != name)
      return mars::fail(mars::error_code::invalid_argument, other + ": compression", theirs,
                        name + ", as in " + file);
  }
  return {};
}

auto diff_mappings(options const& o, workload const& w, mars::any_system const& system)
    -> mars::expected<report_text> {
  auto const a = load_priced(o, w, system, o.files[0]);
  if (!a) return mars::unexpected{a.error()};
  auto const b = load_priced(o, w, system, o.files[1]);
  if (!b) return mars::unexpected{b.error()};
  auto const found = diff(a->mapping, b->mapping, w.graph);
  report_text r;
  auto out = std::back_inserter(r.text);
  for (auto const& d : found) fmt::format_to(out, "{}\n", to_string(d));
  fmt::format_to(out, "{} differences; {} {} -> {}\n", found.size(), quantity_of(o.objective),
                 value_text(a->value, o.objective), value_text(b->value, o.objective));
  ordered_json j;
  j["latency_s"] = {seconds_of(a->evaluation.latency), seconds_of(b->evaluation.latency)};
  auto& list = j["differences"] = ordered_json::array();
  for (auto const& d : found)
    list.push_back({{"kind", std::string{kind_name(d.kind)}},
                    {"path", d.path},
                    {"operator", d.name},
                    {"before", d.before},
                    {"after", d.after}});
  r.json = mars::io::write_json(j);
  return r;
}

auto explain_operator(options const& o, workload const& w, mars::any_system const& system)
    -> mars::expected<report_text> {
  auto const v = operator_named(o, w.graph);
  if (!v) return mars::unexpected{v.error()};
  auto const plan = load_priced(o, w, system, o.files[0]);
  if (!plan) return mars::unexpected{plan.error()};
  auto const others = find_alternatives(o, w.graph, system, plan->mapping, *v);
  if (!others) return mars::unexpected{others.error()};

  auto const& chosen = op(w.graph, *v);
  auto const set = plan->mapping.operators[v->index()].set;
  auto const& sharding = plan->mapping.operators[v->index()].sharding;
  auto const& where = plan->mapping.sets[set.index()];
  auto const& e = plan->evaluation.operators[v->index()];
  auto const shard = mars::shard_extents(chosen, sharding);

  report_text r;
  ordered_json j;
  auto out = std::back_inserter(r.text);
  auto const written = mars::to_string(sharding, chosen);
  fmt::format_to(out, "{}: {} on accelerators {}, sharding {}\n", chosen.name, where.design,
                 ranges_text(where.accelerators), written);
  j["operator"] = chosen.name;
  j["design"] = where.design;
  for (auto const a : where.accelerators) j["accelerators"].push_back(a.value);
  j["sharding"] = written;
  auto const& placed = plan->mapping.operators[v->index()];
  if (!placed.algorithm.empty()) {
    fmt::format_to(out, "algorithm {}\n", placed.algorithm);
    j["algorithm"] = placed.algorithm;
  }
  if (!placed.format.empty()) {
    fmt::format_to(out, "format {}\n", placed.format);
    j["format"] = placed.format;
  }
  if (plan->mapping.is_streamed()) {
    auto const stream = plan->mapping.stream_of(*v).value;
    fmt::format_to(out, "stream {}\n", stream);
    j["stream"] = stream;
  }
  fmt::format_to(out, "\ndimension        extent    a device\n");
  for (std::size_t d = 0; d < chosen.dims.size(); ++d) {
    auto const name = std::string{chosen.dims[d].name.view()};
    fmt::format_to(out, "{:<12} {:>10}  {:>10}\n", name, chosen.dims[d].extent, shard[d]);
    j["dimensions"].push_back(
        {{"name", name}, {"extent", chosen.dims[d].extent}, {"shard", shard[d]}});
  }
  fmt::format_to(out, "\ntensor              whole    a device  replicas\n");
  auto const* rotating = mars::rotating_operand(chosen, sharding, where.accelerators.size());
  for (auto const& t : chosen.operands) {
    bool const rotates = rotating == &t;
    auto const held = size_of(t, rotates ? mars::phase_extents(chosen, sharding) : shard);
    auto const copies = rotates ? 1 : mars::replication(t, sharding, where.accelerators.size());
    fmt::format_to(out, "{:<12} {:>12.4}  {:>10.4}  {:>8}{}\n", role_name(t.role), size_of(t), held,
                   copies, rotates ? "  rotates" : "");
    j["tensors"].push_back({{"role", std::string{role_name(t.role)}},
                            {"bytes", size_of(t).count()},
                            {"bytes_per_device", held.count()},
                            {"replicas", copies},
                            {"rotates", rotates}});
  }
  fmt::format_to(out, "\n{:.4} from {:.4} on\n", mars::to_seconds(e.end - e.start),
                 mars::to_seconds(e.start));
  j["start_s"] = seconds_of(e.start);
  j["end_s"] = seconds_of(e.end);
  for (auto const& [cause, time] : {std::pair{"compute", e.compute},
                                    {"redistribution", e.redistribution},
                                    {"rotation", e.rotation},
                                    {"partial_sums", e.partial_sums},
                                    {"state_exchange", e.state_exchange},
                                    {"weights", e.weights},
                                    {"results", e.results},
                                    {"reorders", e.reorders}}) {
    fmt::format_to(out, "  {:<14} {:>12.4}\n", cause, mars::to_seconds(time));
    j[std::string{cause} + "_s"] = seconds_of(time);
  }
  if (!others->empty())
    fmt::format_to(out, "\nin its place, all else as it is: {}\n", quantity_of(o.objective));
  j["alternatives"] = ordered_json::array();
  for (auto const& x : *others) {
    auto const name = mars::to_string(x.how, chosen);
    auto const place = x.elsewhere.empty() ? std::string{} : ranges_text(x.elsewhere);
    auto const sign = x.change < 0 ? "-" : "+";
    fmt::format_to(out, "  {:<28} {}{}{}\n", name, sign,
                   value_text(x.change < 0 ? -x.change : x.change, o.objective),
                   place.empty() ? "" : ", on " + place);
    j["alternatives"].push_back({{"sharding", mars::to_string(x.how.sharding, chosen)},
                                 {"change", static_cast<double>(x.change) * 1e-12}});
    if (!x.how.algorithm.empty()) j["alternatives"].back()["algorithm"] = x.how.algorithm;
    if (!x.how.format.empty()) j["alternatives"].back()["format"] = x.how.format;
    for (auto const a : x.elsewhere) j["alternatives"].back()["accelerators"].push_back(a.value);
  }
  r.json = mars::io::write_json(j);
  return r;
}

} // namespace mars_map
