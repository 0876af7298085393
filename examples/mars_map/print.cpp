// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "print.hpp"

#include "text.hpp"

#include <mars/core/format.hpp>
#include <mars/workload/topology.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <string_view>

namespace mars_map {

namespace {

void add_figures(std::string& text, options const& o, outcome const& answer) {
  auto out = std::back_inserter(text);
  auto const& plan = answer.plan;
  auto const& e = plan.evaluation;
  fmt::format_to(out, "latency      {:.3}, {:.1f} inferences/s when pipelined\n", plan.latency(),
                 1.0 / to_seconds(e.bottleneck).count());
  if (auto const& s = answer.streams) {
    auto const one = s->latency_one_stream;
    fmt::format_to(out, "streams      {} by {}, ", s->streams, s->scheduler);
    if (e.latency < one)
      fmt::format_to(out, "reduced by {:.1f} % from {:.3} on one stream\n",
                     100 * ((one - e.latency) / one), mars::to_seconds(one));
    else
      fmt::format_to(out, "no faster than one stream\n");
  }
  if (auto const& s = answer.simulation)
    fmt::format_to(out, "simulated    {:.3}, {} transfers, links shared {}\n",
                   to_seconds(s->latency), count_text(s->transfers), s->sharing);
  if (auto const& c = answer.compression) {
    fmt::format_to(out, "compression  {}, accuracy ", c->name);
    if (auto const& a = c->accuracy)
      fmt::format_to(out, "{} % top-1 ({}, {}; {})\n", a->top1, a->network, a->setting, a->source);
    else
      fmt::format_to(out, "unknown\n");
    for (auto const& [name, why] : c->rejected)
      fmt::format_to(out, "             not {}: {}\n", name, why);
  }
  if (e.energy) fmt::format_to(out, "energy       {:.3} an inference\n", *e.energy);
  if (!answer.baseline) {
    fmt::format_to(out, "baseline     none: {}\n", one_line(answer.no_baseline));
  } else if (!answer.baseline->feasible()) {
    fmt::format_to(out, "baseline     does not fit\n");
  } else {
    fmt::format_to(out, "baseline     {:.3}", answer.baseline->latency());
    if (o.objective != objective_name::latency)
      fmt::format_to(out, ", {} {}", quantity_of(o.objective),
                     value_text(answer.baseline->value, o.objective));
    if (answer.baseline->value > 0)
      fmt::format_to(out, ", {} reduced by {:.1f} %", quantity_of(o.objective),
                     100.0 * static_cast<double>(answer.baseline->value - plan.value) /
                         static_cast<double>(answer.baseline->value));
    text += answer.baseline_cut_short ? ", cut short\n" : "\n";
  }
  if (plan.bound.name == "none")
    fmt::format_to(out, "lower bound  none\n");
  else
    fmt::format_to(out, "lower bound  {} {} ({}{}), gap {:.1f} %\n", quantity_of(o.objective),
                   value_text(plan.bound.value, o.objective), plan.bound.name,
                   answer.streams ? ", of this placement" : "", 100 * plan.gap());
}

/// Where the time goes, as shares.
void add_causes(std::string& text, mars::evaluation const& e) {
  struct share {
    std::string_view cause;
    double time;
  };
  std::vector<share> shares{{"compute", 0},         {"redistribution", 0}, {"rotation", 0},
                            {"partial sums", 0},    {"state exchange", 0}, {"streaming weights", 0},
                            {"storing results", 0}, {"reorders", 0}};
  double total = 0;
  for (auto const& v : e.operators) {
    std::size_t i = 0;
    for (auto const t : {v.compute, v.redistribution, v.rotation, v.partial_sums, v.state_exchange,
                         v.weights, v.results, v.reorders}) {
      shares[i++].time += to_seconds(t).count();
      total += to_seconds(t).count();
    }
  }
  if (!(total > 0)) return;
  std::string list;
  for (auto const& s : shares)
    if (s.time > 0)
      list += fmt::format("{}{} {:.1f} %", list.empty() ? "" : ", ", s.cause, 100 * s.time / total);
  text += std::string{"time         "} + list + "\n";
}

[[nodiscard]] auto by_start(mars::plan const& plan) -> std::vector<std::size_t> {
  auto const& e = plan.evaluation.operators;
  std::vector<std::size_t> order(e.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return e[a].start != e[b].start ? e[a].start < e[b].start : e[a].end < e[b].end;
  });
  return order;
}

void add_sets(std::string& text, mars::plan const& plan) {
  auto out = std::back_inserter(text);
  std::vector<std::size_t> runs(plan.mapping.sets.size());
  // When something runs; on streams several operators may at a time.
  std::vector<mars::picoseconds> busy(plan.mapping.sets.size()), until(busy.size());
  for (auto const v : by_start(plan)) {
    auto const s = plan.mapping.operators[v].set.index();
    auto const& e = plan.evaluation.operators[v];
    ++runs[s];
    auto const from = std::max(e.start, until[s]);
    if (e.end > from) busy[s] = saturating_add(busy[s], e.end - from);
    until[s] = std::max(until[s], e.end);
  }
  fmt::format_to(out, "\n{:<5}{:<16}{:<18}{:>9}  {:>10}  {}\n", "set", "accelerators", "design",
                 "operators", "time", "memory of each");
  for (std::size_t s = 0; s < plan.mapping.sets.size(); ++s) {
    auto const& set = plan.mapping.sets[s];
    auto const& use = plan.evaluation.memory[set.accelerators.front().index()];
    fmt::format_to(out, "{:<5}{:<16}{:<18}{:>9}  {:>10.3}  {:.1} of {:.1}\n", s,
                   ranges_text(set.accelerators), set.design, runs[s], to_seconds(busy[s]),
                   use.peak, use.capacity);
  }
}

/// Operators in the order in which they run; neighbours of one placement share a line.
void add_operators(std::string& text, mars::plan const& plan) {
  constexpr std::size_t most_rows = 60;
  auto const& e = plan.evaluation.operators;
  auto const order = by_start(plan);
  auto const alike = [&](std::size_t a, std::size_t b) {
    return plan.mapping.operators[a].set == plan.mapping.operators[b].set &&
           plan.operators[a].sharding == plan.operators[b].sharding;
  };
  auto out = std::back_inserter(text);
  fmt::format_to(out, "\n{:>10}  {:>10}  {:>6}  {:<4} {:<28} operators\n", "start", "time",
                 "moving", "set", "sharding");
  std::size_t rows = 0;
  for (std::size_t i = 0; i < order.size();) {
    auto j = i;
    mars::picoseconds total{}, moving{};
    for (; j < order.size() && alike(order[i], order[j]); ++j) {
      total = saturating_add(total, e[order[j]].end - e[order[j]].start);
      moving = saturating_add(moving, e[order[j]].end - e[order[j]].start - e[order[j]].compute);
    }
    if (++rows > most_rows) {
      fmt::format_to(out, "… {} more operators; --json has them all\n", order.size() - i);
      return;
    }
    auto const first = order[i];
    auto names = plan.operators[first].name;
    if (j - i > 1) names += (j - i > 2 ? " … " : ", ") + plan.operators[order[j - 1]].name;
    if (j - i > 2) names += fmt::format(" ({})", j - i);
    fmt::format_to(
        out, "{:>10.3}  {:>10.3}  {:>4.0f} %  {:<4} {:<28} {}\n", to_seconds(e[first].start),
        to_seconds(total), total.count() > 0 ? 100.0 * (moving / total) : 0.0,
        plan.mapping.operators[first].set.value, plan.operators[first].sharding, one_line(names));
    i = j;
  }
}

} // namespace

auto one_line(std::string text) -> std::string {
  constexpr std::size_t longest = 1000;
  if (text.size() > longest) {
    text.resize(longest);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U)
      text.pop_back();
    if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.pop_back();
    text += "…";
  }
  for (auto& c : text)
    if (c == '\n' || c == '\r' || c == '\t')
      c = ' ';
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

auto plan_text(options const& o, workload const& w, mars::any_system const& system,
               outcome const& answer) -> std::string {
  auto const& plan = answer.plan;
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{}: {} operators, {:.2}s, {} parameters\n", one_line(w.graph.name()),
                 w.graph.size(), macs_of(w.graph), count_text(parameters_of(w.graph)));
  fmt::format_to(out, "{}: {} accelerators\n", one_line(system.name), system.size());
  if (plan.policy == "none")
    fmt::format_to(out, "{}: priced as given, {}\n\n", o.mapping, name_of(o.cost));
  else
    fmt::format_to(out, "{}, {}, {}: {} evaluation{} in {:.2}{}\n\n", name_of(o.strategy),
                   name_of(o.cost), plan.policy, count_text(plan.evaluations),
                   plan.evaluations == 1 ? "" : "s", plan.wall,
                   plan.exhausted ? ", all there are" : "");
  add_figures(text, o, answer);
  add_causes(text, plan.evaluation);
  add_sets(text, plan);
  add_operators(text, plan);
  for (auto const& warning : w.warnings)
    text += std::string{"warning: "} + one_line(warning) + "\n";
  return text;
}

} // namespace mars_map
