// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "pase.hpp"

#include "policies.hpp"

#include <mars/evaluation/build_uniform_problem.hpp>
#include <mars/io/json/document.hpp>
#include <mars/parallel/to_string.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

namespace mars_map {

namespace {

using mars::io::ordered_json;

/// F of what arrives at an operator.
[[nodiscard]] auto arriving(mars::cost::pase const& f, mars::graph const& g, mars::mapping const& m,
                            mars::operator_id v) -> double {
  double sum = 0;
  auto const& o = op(g, v);
  for (mars::input_edge const e : inputs(g, v)) {
    auto const& u = op(g, e.producer);
    auto const& result = *mars::nth_operand(u, mars::role::output, e.output);
    sum += f.transfer(f.part(u, result, m.operators[e.producer.index()].sharding),
                      f.part(o, o.operands[e.operand], m.operators[v.index()].sharding));
  }
  return sum;
}

[[nodiscard]] auto conventions(pase_options const& o) -> ordered_json {
  auto const& f = o.cost;
  ordered_json j;
  j["peak_flop_per_s"] = f.peak.count();
  j["bandwidth_bytes_per_s"] = f.bandwidth.count();
  j["flop_per_byte"] = f.flop_per_byte();
  j["element_bytes"] = f.element_bytes ? ordered_json(*f.element_bytes) : ordered_json();
  j["training"] = f.training;
  j["flop_per_mac"] = f.flop_per_mac;
  j["unfolded"] = f.unfolded;
  j["holders"] = std::string{holders_words[static_cast<std::size_t>(f.holders)].name};
  j["idle_devices"] = o.splits.idle;
  j["uneven"] = o.splits.uneven;
  j["least_extent"] = o.splits.least_extent;
  return j;
}

/// As `search_of`, but an exact search may write larger tables: splits have many more layouts.
[[nodiscard]] auto pase_search(options const& o) -> mars::search::any_search {
  if (o.search == search_name::exact)
    return mars::search::exact{.most_entries = std::size_t{1} << 24};
  return search_of(o);
}

} // namespace

auto minimise_pase(options const& o, workload const& w, mars::stop_token stop)
    -> mars::expected<report_text> {
  if (o.search == search_name::baseline)
    return mars::fail(mars::error_code::unsupported, "--search", "baseline",
                      "a search: the baseline is for a system", "use exact");
  auto const& g = w.graph;
  auto const begun = std::chrono::steady_clock::now();
  auto const until =
      o.budget.wall ? mars::deadline::after(*o.budget.wall) : mars::deadline::never();
  auto const problem = mars::build_uniform_problem(g, o.pase.devices, o.pase.splits, o.pase.cost);
  if (!problem) return mars::unexpected{problem.error()};
  auto const search = pase_search(o);
  auto const found = timed_search{search, until}(
      *problem, {.budget = o.budget, .stop = std::move(stop), .threads = o.threads});
  auto const wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  auto const m = problem->decode(found.best);
  auto const value = mars::in_units(found.value.value);
  auto const bound = std::min(value, mars::in_units(found.bound.value));

  report_text r;
  auto out = std::back_inserter(r.text);
  ordered_json j;
  j["schema"] = "mars.pase/1";
  j["workload"] = {{"name", g.name()}, {"operators", g.size()}};
  j["devices"] = o.pase.devices;
  j["objective"] = "pase";
  j["objective_flop"] = value;
  j["lower_bound_flop"] = bound;
  j["gap"] = value > 0 ? (value - bound) / value : 0.0;
  j["exhausted"] = found.exhausted;
  j["search"] = {{"policy", std::string{search.name()}},
                 {"seed", o.seed},
                 {"evaluations", found.evaluations},
                 {"wall_s", wall},
                 {"exhausted", found.exhausted}};
  j["conventions"] = conventions(o.pase);
  auto& list = j["operators"] = ordered_json::array();
  fmt::format_to(out, "{} on {} devices: F = {:.15g} FLOP, {} (bound {:.15g})\n", g.name(),
                 o.pase.devices, value, found.exhausted ? "the minimum" : "not proven", bound);
  fmt::format_to(out, "r = {:g} FLOP a byte, {}\n\n", o.pase.cost.flop_per_byte(),
                 o.pase.cost.training ? "training" : "inference");
  fmt::format_to(out, "{:<24} {:<24} {:>12} {:>12} {:>12}\n", "operator", "split", "compute",
                 "exchange", "arriving");
  for (mars::operator_id const v : operators(g)) {
    auto const& s = m.operators[v.index()].sharding;
    auto const& one = op(g, v);
    auto const c = o.pase.cost.breakdown(one, s);
    auto const transfers = arriving(o.pase.cost, g, m, v);
    fmt::format_to(out, "{:<24} {:<24} {:>12.4g} {:>12.4g} {:>12.4g}\n", one.name,
                   mars::to_string(s, one), c.compute, c.total() - c.compute, transfers);
    auto splits = ordered_json::array();
    for (auto const& cut : s.exclusive)
      splits.push_back({{"dim", std::string{one.dims[cut.dim].name.view()}}, {"ways", cut.ways}});
    list.push_back({{"name", one.name},
                    {"splits", std::move(splits)},
                    {"compute_flop", c.compute},
                    {"reductions_flop", c.reductions},
                    {"gradients_flop", c.gradients},
                    {"states_flop", c.states},
                    {"transfers_flop", transfers}});
  }
  for (auto const& warning : w.warnings) j["warnings"].push_back(warning);
  r.json = mars::io::write_json(j);
  return r;
}

} // namespace mars_map
