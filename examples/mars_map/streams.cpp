// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "streams.hpp"

#include "load.hpp"
#include "schedulers.hpp"

#include <mars/hardware/presets/gpu_device.hpp>
#include <mars/io/files.hpp>
#include <mars/io/json/document.hpp>
#include <mars/io/json/ios_schedule.hpp>
#include <mars/io/json/operator_graph.hpp>
#include <mars/scheduling/convolution_kernels.hpp>
#include <mars/scheduling/make_stream_graph.hpp>
#include <mars/scheduling/peak_memory.hpp>
#include <mars/scheduling/sequential.hpp>
#include <mars/scheduling/stream_bounds.hpp>
#include <mars/scheduling/synchronization.hpp>

#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mars_map {

namespace {

using mars::io::ordered_json;

/// Operators to schedule, and the device their kernels are for.
struct loaded {
  mars::stream_graph graph;
  mars::gpu_device device;
  std::string device_name;
  std::vector<std::string> warnings{};
  std::string text{}; ///< of the file
};

[[nodiscard]] auto load(options const& o, std::optional<mars::hardware::gpu> const& design)
    -> mars::expected<loaded> {
  auto const& from = o.streams_command;
  auto const no_device = [] {
    return mars::fail(mars::error_code::invalid_argument, "--device", "nothing",
                      "a device of --list");
  };
  if (from.graph.empty()) {
    if (!design) return no_device();
    auto w = load_workload(o);
    if (!w) return mars::unexpected{std::move(w).error()};
    auto graph = mars::make_stream_graph(w->graph, *design, w->graph.name());
    if (!graph) return mars::unexpected{std::move(graph).error()};
    return loaded{*std::move(graph), design->limits, design->title, std::move(w->warnings)};
  }
  auto text = mars::io::read_file(from.graph);
  if (!text) return mars::unexpected{in_file(from.graph, std::move(text).error())};
  mars::io::operator_graph_options options;
  options.batch = o.batch.value_or(1);
  options.element_bits = o.element_bits.value_or(32);
  // A profile may bring its own device; other files need one.
  auto const lower = [&](mars::operation const& op) {
    return design ? design->kernels(mars::shard{op}) : std::vector<mars::kernel>{};
  };
  auto found = mars::io::load_stream_graph(*text, lower, options);
  if (!found) return mars::unexpected{in_file(from.graph, std::move(found).error())};
  if (!design && !found->device) return no_device();
  loaded result{std::move(found->graph), design ? design->limits : *found->device,
                design ? design->title : std::string{"profile"}};
  result.text = *std::move(text);
  return result;
}

/// When each node was launched, in which stream, and when it ran.
void describe(mars::stream_problem const& p, mars::stream_solution const& s, report_text& r,
              ordered_json& j) {
  auto out = std::back_inserter(r.text);
  bool const staged = !s.schedule.stage_of.empty();
  fmt::format_to(out, "\n{:>5} {:>6} {}{:<28} {:>12} {:>12}\n", "", "stream",
                 staged ? "stage " : "", "operator", "start us", "end us");
  auto order = ordered_json::array();
  auto list = ordered_json::array();
  std::size_t place = 0;
  for (auto const v : s.schedule.launch_order) {
    auto const& node = p.node(v);
    auto const start = static_cast<double>(s.timeline.start[v].count());
    auto const end = static_cast<double>(s.timeline.end[v].count());
    fmt::format_to(out, "{:>5} {:>6} {}{:<28} {:>12.3f} {:>12.3f}\n", place++,
                   s.schedule.stream_of[v].value,
                   staged ? fmt::format("{:>5} ", s.schedule.stage_of[v]) : std::string{},
                   node.name, start * 1e-6, end * 1e-6);
    order.push_back(node.name);
    ordered_json entry{{"name", node.name},
                       {"stream", s.schedule.stream_of[v].value},
                       {"start_s", start * 1e-12},
                       {"end_s", end * 1e-12}};
    if (staged) entry["stage"] = s.schedule.stage_of[v];
    list.push_back(std::move(entry));
  }
  j["launch_order"] = std::move(order);
  j["operators"] = std::move(list);
  if (s.schedule.merged.empty()) return;
  auto& merged = j["merged"] = ordered_json::array();
  for (auto const& group : s.schedule.merged) {
    auto names = ordered_json::array();
    std::string line;
    for (auto const v : group) {
      names.push_back(p.node(v).name);
      line += (line.empty() ? "" : ", ") + p.node(v).name;
    }
    merged.push_back(std::move(names));
    fmt::format_to(out, "merged: {}\n", line);
  }
}

[[nodiscard]] auto share(mars::picoseconds part, mars::picoseconds whole) -> double {
  return whole.count() > 0 ? part / whole : 0.0;
}

} // namespace

auto schedule_streams(options const& o, mars::stop_token stop) -> mars::expected<streams_outcome> {
  auto const& asked = o.streams_command;
  std::optional<mars::hardware::gpu> design;
  if (!asked.device.empty()) {
    auto found = mars::presets::find_device(asked.device);
    if (!found) {
      auto e = std::move(found).error();
      e.path = "--device";
      return mars::unexpected{std::move(e)};
    }
    design = *std::move(found);
  }
  auto from = load(o, design);
  if (!from) return mars::unexpected{std::move(from).error()};
  mars::stream_options options;
  options.mode = asked.eager ? mars::launch_mode::eager : mars::launch_mode::replay;
  options.limits = {asked.most_streams, asked.most_events, o.memory_limit};
  if (design && asked.merge) options.lower = mars::convolution_kernels(*design);
  auto const problem = mars::stream_problem::make(from->graph, from->device, options);
  if (!problem) return mars::unexpected{problem.error()};
  auto const begun = std::chrono::steady_clock::now();
  auto const scheduler = scheduler_of(asked.scheduler, o.seed);
  auto const found = scheduler(*problem, {.budget = o.budget, .stop = stop});
  auto const wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  auto const one = mars::scheduling::sequential{}(*problem, {}).latency();
  auto const bound = mars::bound_streams(*problem);
  streams_outcome result;
  auto const name = from->graph.name.empty() ? std::string{"operators"} : from->graph.name;
  if (found.latency() >= mars::never) {
    result.feasible = false;
    result.report.text =
        fmt::format("no schedule of {} on {} keeps the limits\n", name, from->device_name);
    return result;
  }
  auto const sync = mars::synchronize(problem->graph(), found.schedule);
  auto const memory = mars::peak_memory(problem->graph(), found.schedule);
  auto const gap = share(found.latency() - bound.value, found.latency());
  ordered_json j;
  j["schema"] = "mars.streams/1";
  j["workload"] = {{"name", name}, {"operators", problem->size()}};
  j["device"] = from->device_name;
  j["scheduler"] = std::string{scheduler.name()};
  j["launch"] = asked.eager ? "eager" : "graph";
  j["streams"] = found.schedule.streams();
  j["events"] = sync.events;
  j["cross_stream_edges"] = sync.cross_edges;
  j["latency_s"] = mars::to_seconds(found.latency()).count();
  j["sequential_s"] = mars::to_seconds(one).count();
  j["lower_bound_s"] = mars::to_seconds(bound.value).count();
  j["gap"] = gap;
  j["binding_bound"] = std::string{bound.binding};
  j["peak_memory_bytes"] = memory.size.count();
  j["search"] = {{"transitions", found.transitions},
                 {"states", found.states},
                 {"evaluations", found.evaluations},
                 {"wall_s", wall}};
  auto& r = result.report;
  fmt::format_to(
      std::back_inserter(r.text),
      "{} on {}, {}: {:.3f} us on {} stream{} with {} event{}\n"
      "one stream {:.3f} us ({:+.1f} %), lower bound {:.3f} us ({}), gap {:.1f} %, results at "
      "once {} bytes\n",
      name, from->device_name, scheduler.name(),
      static_cast<double>(found.latency().count()) * 1e-6, found.schedule.streams(),
      found.schedule.streams() == 1 ? "" : "s", sync.events, sync.events == 1 ? "" : "s",
      static_cast<double>(one.count()) * 1e-6, 100 * share(found.latency() - one, one),
      static_cast<double>(bound.value.count()) * 1e-6, bound.binding, 100 * gap,
      memory.size.count());
  describe(*problem, found, r, j);
  for (auto const& warning : from->warnings) j["warnings"].push_back(warning);
  r.json = mars::io::write_json(j);
  if (!asked.ios_file.empty()) {
    auto text = mars::io::write_ios_schedule(from->text, problem->graph(), found.schedule);
    if (!text) return mars::unexpected{in_file("--ios-schedule", std::move(text).error())};
    result.ios = *std::move(text);
  }
  return result;
}

} // namespace mars_map
