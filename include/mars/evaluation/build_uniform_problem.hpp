// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/expected.hpp>
#include <mars/evaluation/detail/workload_classes.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/parallel/concept.hpp>
#include <mars/parallel/sharding.hpp>
#include <mars/workload/concept.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mars {

template <class C>
using part_of_cost =
    std::remove_cvref_t<decltype(std::declval<C const&>().part(std::declval<operation const&>(),
                                                               std::declval<operand const&>(),
                                                               std::declval<sharding const&>()))>;

/// A cost that adds up over layers and over the tensors between them, with every layer on the same
/// devices, all of them equal: no designs, no links, no memory.
///
/// expression           | type                   | meaning
/// ---------------------|------------------------|--------------------------------------------------
/// `c.name()`           | `string_view`          | of the objective
/// `c.layer(op, s)`     | double                 | one operator, sharded; infinite = must not
/// `c.part(op, t, s)`   | regular                | what sharding `s` leaves or needs of operand `t`
/// `c.transfer(a, b)`   | double                 | from a producer's part `a` to a consumer's part `b`
///
/// Semantics: 1. pure; equal signatures get equal answers. 2. No value is negative or NaN. 3. Equal
/// parts cost the same to move. The unit is the model's own. Models: `cost::pase`.
template <class C>
concept LayerwiseCost = std::copyable<C> &&
    requires(C const& c, operation const& op, operand const& t, sharding const& s) {
  { c.name() } -> std::convertible_to<std::string_view>;
  { c.layer(op, s) } -> std::convertible_to<double>;
  requires std::regular<part_of_cost<C>>;
  { c.transfer(c.part(op, t, s), c.part(op, t, s)) } -> std::convertible_to<double>;
};

/// Ticks of one unit of a layerwise cost: an entry of a table is off by at most 1/512 of a unit, and
/// exact if it is a multiple of 1/256.
inline constexpr ticks ticks_per_unit = 256;

/// A value of a uniform problem in the unit of its cost; infinite if it cannot be done.
[[nodiscard]] constexpr auto in_units(ticks t) -> double {
  return t >= no_ticks ? std::numeric_limits<double>::infinity()
                       : static_cast<double>(t) / static_cast<double>(ticks_per_unit);
}

namespace detail {

[[nodiscard]] inline auto to_ticks(double units) -> ticks {
  auto const scaled = units * static_cast<double>(ticks_per_unit);
  return scaled < static_cast<double>(no_ticks) ? std::llround(scaled) : no_ticks;
}

/// Distinct parts of one tensor, and the number of each choice's.
template <class Part>
struct part_list {
  std::vector<Part> parts;

  auto operator()(Part p) -> std::uint16_t {
    auto const at = std::find(parts.begin(), parts.end(), p) - parts.begin();
    if (static_cast<std::size_t>(at) == parts.size()) parts.push_back(std::move(p));
    return static_cast<std::uint16_t>(at);
  }
};

} // namespace detail

/// Compiles a graph, a strategy and a layerwise cost into tables for `devices` equal devices: one set
/// with one design, a sum of layers and transfers (`in_units` gives it back), memory without limit.
/// Any search then minimises it, `search::exact` to a proven minimum (Inception-v3 on 32 devices and
/// more wants `.most_entries = 1 << 24`); `decode` says who is cut how.
///
///     auto const problem =
///         build_uniform_problem(g, 8, parallel::iteration_splits{.idle = true}, cost::pase{}).value();
///     auto const found = search::exact{}(problem, {});
///     in_units(found.value.value); // F, the least if found.exhausted
///
/// Unlike `build_problem` it checks a sharding on as many devices as it has shards only: a strategy
/// may leave devices idle. Such a mapping cannot be placed, or priced by `evaluate`.
///
/// Complexity: the strategy and the cost are asked once per distinct question; for n operators of k
/// classes, e classes of edges, c choices and l parts of a tensor O(n + k·c·l + e·l²).
/// Errors: a cyclic graph; no device; a strategy that proposes nothing, more than 65535 shardings, or
/// an illegal one.
template <WorkloadGraph Graph, ParallelismStrategy Strategy, LayerwiseCost Cost,
          deferred D = when_called>
[[nodiscard]] auto build_uniform_problem(Graph const& g, std::size_t devices,
                                         Strategy const& strategy, Cost const& cost)
    -> later<expected<mapping_problem>, D> {
  if (devices < 1)
    return fail(error_code::out_of_range, "devices", std::to_string(devices), "at least 1");
  typename later<mapping_problem, D>::tables t;
  t.how = aggregate::sum;
  t.objective = std::string{std::string_view{cost.name()}};
  t.accelerators = devices;
  later<problem_set, D> everyone{{}, 0, std::numeric_limits<std::int64_t>::max()};
  for (std::size_t a = 0; a < devices; ++a) everyone.accelerators.push_back(accelerator_id{a});
  t.sets.push_back(std::move(everyone));
  t.designs = {{"device"}};
  t.pair_class = {{0}};
  t.pair_classes = 1;

  auto const classes = detail::classify(g, t);
  if (!classes) return unexpected{classes.error()};
  using part = part_of_cost<Cost>;
  struct parts_of_class {
    std::vector<detail::part_list<part>> own, need; ///< by output, by operand
  };
  std::vector<parts_of_class> parts;
  for (auto const& of_class : classes->operators) {
    later<operation, D> const& o = *of_class.first;
    auto& [own, need] = parts.emplace_back();
    need.resize(o.operands.size());
    for (auto const& x : o.operands)
      if (x.role == role::output) own.emplace_back();
    auto& names = t.dims.emplace_back();
    for (auto const& d : o.dims) names.push_back(d.name);
    auto& row = t.rows.emplace_back(1).front();
    for (auto&& s : strategy.shardings(o, devices)) row.shardings.push_back(s);
    if (row.shardings.empty() ||
        row.shardings.size() > std::numeric_limits<std::uint16_t>::max()) // their number's bits
      return fail(error_code::invalid_argument, "strategy",
                  std::to_string(row.shardings.size()) + " shardings", "1 to 65535",
                  "operator '" + o.name + "' on " + std::to_string(devices) + " devices");
    auto const choices = row.shardings.size();
    row.own.resize(own.size());
    row.need.resize(o.operands.size());
    row.node.resize(1);
    for (auto const& s : row.shardings) {
      auto const shards = static_cast<std::size_t>(std::max<std::int64_t>(1, shard_count(s)));
      auto ok = check(o, s, shards > devices || devices % shards == 0 ? devices : shards);
      if (!ok) return unexpected{std::move(ok).error().inside("strategy")};
      std::size_t output = 0;
      for (std::size_t i = 0; i < o.operands.size(); ++i) {
        auto const& x = o.operands[i];
        if (x.role == role::output) {
          row.own[output].push_back(own[output](cost.part(o, x, s)));
          ++output;
        } else if (x.role == role::input) {
          row.need[i].push_back(need[i](cost.part(o, x, s)));
        }
      }
      row.node[0].push_back(detail::to_ticks(cost.layer(o, s)));
      if constexpr (SeedingStrategy<Strategy>)
        row.prior.push_back(strategy.prior(o, s));
      else
        row.prior.push_back(1.0);
    }
    row.compute = row.node;
    for (auto* memory : {&row.resident, &row.transient, &row.kept}) memory->assign(choices, 0);
  }
  t.edge_tables.resize(classes->edges.size());
  t.table_of.resize(classes->edges.size()); // the one pair of sets
  for (std::uint32_t number = 0; number < classes->edges.size(); ++number) {
    auto const& e = classes->edges[number];
    auto const& from = parts[e.producer].own[e.output].parts;
    auto const& to = parts[e.consumer].need[e.operand].parts;
    auto& table = t.edge_tables[number];
    t.table_of[number] = number;
    table.columns = static_cast<std::uint32_t>(to.size());
    table.missing.assign(from.size() * to.size(), 0);
    table.time.reserve(from.size() * to.size());
    for (auto const& a : from)
      for (auto const& b : to) table.time.push_back(detail::to_ticks(cost.transfer(a, b)));
  }
  return later<mapping_problem, D>{std::move(t)};
}

} // namespace mars
