// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "print.hpp"
#include "text.hpp"

#include <mars/core/format.hpp>
#include <mars/workload/topology.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace mars_map {

namespace {

[[nodiscard]] auto same_need(mars::shortage const& a, mars::shortage const& b) -> bool {
  return a.what == b.what && a.at == b.at && a.demand == b.demand && a.capacity == b.capacity &&
         a.contributors == b.contributors;
}

/// Accelerators that lack the same for the same reason share a line.
void add_memory(std::string& text, mars::graph const& graph, mars::plan const& plan) {
  auto out = std::back_inserter(text);
  auto const& all = plan.evaluation.shortages;
  std::vector<bool> told(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto const& s = all[i];
    if (told[i] || s.what != mars::shortage::kind::memory) continue;
    std::vector<mars::accelerator_id> members;
    for (std::size_t j = i; j < all.size(); ++j)
      if (same_need(all[j], s)) {
        told[j] = true;
        members.push_back(all[j].accelerator);
      }
    auto const resident = plan.evaluation.memory[s.accelerator.index()].resident;
    fmt::format_to(out,
                   "  memory of accelerator{} {}: {:.2} needed at '{}', {:.2} there, {:.2} short\n"
                   "    weights {:.2}, activations and buffers {:.2}",
                   members.size() == 1 ? "" : "s", ranges_text(members), s.demand,
                   op(graph, s.at).name, s.capacity, s.demand - s.capacity, resident,
                   s.demand - resident);
    for (std::size_t k = 0; k < s.contributors.size(); ++k)
      fmt::format_to(out, "{}'{}'", k == 0 ? "; largest weights: " : ", ",
                     op(graph, s.contributors[k]).name);
    text += '\n';
  }
}

void add_refused(std::string& text, mars::graph const& graph, mars::plan const& plan) {
  std::size_t count = 0;
  mars::shortage const* first = nullptr;
  for (auto const& s : plan.evaluation.shortages)
    if (s.what == mars::shortage::kind::unsupported && count++ == 0) first = &s;
  if (first == nullptr) return;
  auto const& set = plan.mapping.sets[plan.mapping.operators[first->at.index()].set.index()];
  fmt::format_to(std::back_inserter(text), "  design {} refuses {} operators, '{}' ({}) first\n",
                 set.design, count, op(graph, first->at).name, op(graph, first->at).type);
}

[[nodiscard]] auto widest_element(mars::graph const& graph) -> int {
  int bits = 0;
  for (mars::operator_id const v : operators(graph))
    for (auto const& t : op(graph, v).operands) bits = std::max(bits, t.element_bits);
  return bits;
}

/// Bytes of all weights, each counted once.
[[nodiscard]] auto weights_of(mars::graph const& graph) -> mars::bytes {
  mars::bytes sum{};
  std::set<std::string, std::less<>> seen;
  for (mars::operator_id const v : operators(graph))
    for (auto const& t : op(graph, v).operands)
      if (t.role == mars::role::weight && (t.name.empty() || seen.insert(t.name).second))
        sum += size_of(t);
  return sum;
}

[[nodiscard]] auto memory_of(mars::any_system const& system) -> mars::bytes {
  mars::bytes sum{};
  for (auto const& a : system.accelerators) sum += a.memory();
  return sum;
}

/// A short search under other options: does it fit then?
[[nodiscard]] auto attempt(options o, mars::graph const& graph, mars::any_system const& system)
    -> std::string {
  o.search = search_name::genetic;
  o.budget = {.wall = std::nullopt, .evaluations = 5'000'000};
  auto const found = find_mapping(o, graph, system, {}, {});
  if (!found) return {};
  if (!found->plan.feasible()) return "tried for a moment, found nothing that fits";
  return fmt::format("fits, latency {:.3} (tried)", found->plan.latency());
}

[[nodiscard]] auto attempt_reloaded(options const& o, mars::any_system const& system)
    -> std::string {
  auto const other = load_workload(o);
  return other ? attempt(o, other->graph, system) : std::string{};
}

} // namespace

auto find_levers(options const& o, workload const& w, mars::any_system const& system,
                 mars::plan const& plan) -> std::vector<std::string> {
  std::vector<std::string> levers;
  auto const add = [&](std::string what, std::string const& result) {
    if (!result.empty()) levers.push_back(std::move(what) + ": " + result);
  };
  mars::bytes demand{};
  for (auto const& s : plan.evaluation.shortages) demand = std::max(demand, s.demand);
  if (demand == mars::bytes{}) {
    if (plan.evaluation.feasible() && o.energy_limit) {
      auto other = o;
      other.objective = objective_name::energy;
      other.energy_limit.reset();
      auto const found = find_mapping(other, w.graph, system, {}, {});
      if (found && found->plan.feasible() && found->plan.evaluation.energy)
        levers.push_back(
            fmt::format("--energy-limit {}J is enough for the thriftiest mapping found",
                        found->plan.evaluation.energy->count()));
      return levers;
    }
    if (o.cost != cost_name::roofline)
      add("--cost roofline", "estimates operators that designs refuse, where they state peaks");
    return levers;
  }
  auto const total = memory_of(system);
  if (o.strategy != strategy_name::exclusive_shared && weights_of(w.graph) <= total) {
    auto other = o;
    other.strategy = strategy_name::exclusive_shared;
    add("--strategy exclusive-shared", attempt(other, w.graph, system));
  }
  bool const fixed = o.model.ends_with(".json");
  if (auto const bits = widest_element(w.graph); !fixed && bits > 8) {
    auto other = o;
    other.element_bits = bits / 2;
    add(fmt::format("--element-bits {}", bits / 2), attempt_reloaded(other, system));
  }
  if (!fixed && o.batch.value_or(1) > 1) {
    auto other = o;
    other.batch = 1;
    add("--batch 1", attempt_reloaded(other, system));
  }
  levers.push_back(fmt::format("accelerators with {:.2} of memory: this mapping fits", demand));
  return levers;
}

auto explanation_text(workload const& w, mars::any_system const& system, mars::plan const& plan,
                      std::vector<std::string> const& levers) -> std::string {
  auto text = fmt::format("mars-map: {} on {}: {}\n", w.graph.name(), system.name,
                          plan.policy == "none" ? "the mapping does not fit"
                          : plan.exhausted      ? "no mapping fits, all were tried"
                                                : "found no mapping that fits; the nearest lacks");
  add_memory(text, w.graph, plan);
  add_refused(text, w.graph, plan);
  if (plan.evaluation.feasible() && plan.evaluation.energy)
    text += fmt::format("  energy: {:.3} needed, the limit is lower\n", *plan.evaluation.energy);
  if (auto const weights = weights_of(w.graph); weights > memory_of(system))
    text += fmt::format("  no sharding can fit: the weights are {:.2}, all memory together {:.2}\n",
                        weights, memory_of(system));
  if (!levers.empty()) text += "what would help\n";
  for (auto const& lever : levers) text += std::string{"  "} + lever + "\n";
  return text;
}

} // namespace mars_map
