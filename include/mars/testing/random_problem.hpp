// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/random.hpp>
#include <mars/evaluation/problem.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mars::testing {

/// What a random problem is like.
struct problem_shape {
  std::size_t operators{4};
  std::size_t accelerators{4};
  std::size_t choices{3}; ///< of an operator on a set, at most
  std::size_t layouts{2}; ///< of a tensor on a set, at most
  double refused{0.1};    ///< share of choices that cannot run
  double scarcity{0};     ///< 0: everything fits; 1: little does
  bool spending{};        ///< operators spend, within a limit
  aggregate how{aggregate::sum};
};

namespace detail {

/// Draws tables without a workload, a system or a model behind them: every number is random, so a
/// search can rely on nothing but what `mapping_problem` promises.
class table_writer {
public:
  table_writer(random_stream& random, problem_shape const& shape) : r_{random}, shape_{shape} {}

  auto operator()() -> mapping_problem {
    t_.how = shape_.how;
    t_.objective = "random";
    t_.accelerators = shape_.accelerators;
    draw_operators();
    draw_sets(0, shape_.accelerators);
    draw_rows();
    draw_tables();
    limit();
    return mapping_problem{std::move(t_)};
  }

private:
  auto up_to(std::size_t most) -> std::size_t {
    return 1 + r_.below(std::max<std::size_t>(1, most));
  }
  auto value() -> ticks { return static_cast<ticks>(r_.below(1000)); }

  /// Each reads up to two earlier ones, the one before it more often than the others.
  void draw_operators() {
    auto const n = shape_.operators;
    t_.last_use.assign(n, static_cast<std::uint32_t>(n));
    for (std::uint32_t v = 0; v < n; ++v) {
      t_.order.push_back(operator_id{v});
      t_.op_class.push_back(v);
      t_.has_macs.push_back(r_.chance(0.8));
      t_.dims.emplace_back();
      for (std::uint16_t operand = 0; operand < 2 && v > 0; ++operand) {
        if (!r_.chance(operand == 0 ? 0.9 : 0.4)) continue;
        auto const from = r_.chance(0.6) ? v - 1 : static_cast<std::uint32_t>(r_.below(v));
        t_.edges.push_back({from, v, 0, operand, static_cast<std::uint32_t>(t_.edges.size())});
        t_.last_use[from] = v;
      }
    }
  }

  /// A set, and, more often than not, its halves.
  void draw_sets(std::size_t first, std::size_t last) {
    problem_set s;
    for (auto a = first; a < last; ++a) s.accelerators.push_back(accelerator_id{a});
    s.set_class = static_cast<std::uint32_t>(t_.sets.size());
    s.capacity = 1'000'000;
    t_.sets.push_back(s);
    t_.designs.emplace_back();
    for (auto d = up_to(2); d > 0; --d) t_.designs.back().push_back("d" + std::to_string(d));
    auto const middle = first + (last - first) / 2;
    if (middle == first || !r_.chance(0.8)) return;
    draw_sets(first, middle);
    draw_sets(middle, last);
  }

  void draw_rows() {
    t_.rows.resize(t_.order.size());
    for (auto& of_operator : t_.rows)
      for (auto const& set : t_.sets) {
        auto& row = of_operator.emplace_back();
        auto const n = up_to(shape_.choices);
        row.shardings.resize(n);
        row.prior.assign(n, 1.0);
        for (auto* amounts : {&row.resident, &row.transient, &row.kept})
          for (std::size_t c = 0; c < n; ++c)
            amounts->push_back(static_cast<std::int64_t>(r_.below(100)));
        auto const designs = t_.designs[set.set_class].size();
        for (auto* values : {&row.node, &row.compute, &row.spent}) values->resize(designs);
        for (std::size_t d = 0; d < designs; ++d)
          for (std::size_t c = 0; c < n; ++c) {
            auto const time = value();
            bool const never_runs = c + 1 < n && r_.chance(shape_.refused);
            row.node[d].push_back(never_runs ? no_ticks : time);
            row.compute[d].push_back(time / 2);
            row.spent[d].push_back(value());
          }
        if (!shape_.spending) row.spent.clear();
        row.own.resize(1);
        row.need.resize(2);
        for (auto* layouts : {&row.own[0], &row.need[0], &row.need[1]})
          for (std::size_t c = 0; c < n; ++c)
            layouts->push_back(static_cast<std::uint16_t>(r_.below(shape_.layouts)));
      }
  }

  void draw_tables() {
    auto const sets = t_.sets.size();
    t_.pair_class.assign(sets, std::vector<std::int32_t>(sets, -1));
    for (std::size_t a = 0; a < sets; ++a)
      for (std::size_t b = 0; b < sets; ++b) {
        auto const& x = t_.sets[a].accelerators;
        auto const& y = t_.sets[b].accelerators;
        bool const apart = x.back() < y.front() || y.back() < x.front();
        if (a == b || apart) t_.pair_class[a][b] = static_cast<std::int32_t>(t_.pair_classes++);
      }
    for (std::size_t e = 0; e < t_.edges.size(); ++e)
      for (std::uint32_t pair = 0; pair < t_.pair_classes; ++pair) {
        t_.table_of.push_back(static_cast<std::uint32_t>(t_.edge_tables.size()));
        auto& table = t_.edge_tables.emplace_back();
        table.columns = static_cast<std::uint32_t>(shape_.layouts);
        for (std::size_t i = 0; i < shape_.layouts * shape_.layouts; ++i) {
          bool const free = r_.chance(0.3);
          table.time.push_back(free ? 0 : value());
          table.missing.push_back(free ? 0 : static_cast<std::int64_t>(r_.below(100)));
        }
      }
  }

  /// Capacities and the limit of spending: about what random choices need, or less.
  void limit() {
    if (shape_.scarcity > 0) {
      auto const bytes = static_cast<double>(50 * t_.order.size()) * (1.5 - shape_.scarcity);
      for (auto& s : t_.sets)
        s.capacity = static_cast<std::int64_t>(bytes * (0.7 + 0.6 * r_.uniform()));
    }
    if (shape_.spending)
      t_.spending_limit = static_cast<ticks>(static_cast<double>(500 * t_.order.size()) *
                                             (1.3 - shape_.scarcity) * (0.6 + 0.6 * r_.uniform()));
  }

  random_stream& r_;
  problem_shape shape_;
  mapping_problem::tables t_;
};

} // namespace detail

/// A problem drawn at random, a pure function of the stream and the shape.
[[nodiscard]] inline auto random_problem(random_stream& random, problem_shape const& shape = {})
    -> mapping_problem {
  return detail::table_writer{random, shape}();
}

/// Any legal assignment; slots are numbered by their first operator, none is idle.
[[nodiscard]] inline auto random_assignment(mapping_problem const& p, random_stream& random)
    -> assignment {
  std::vector<slot> offered;
  std::vector<std::uint32_t> open(p.sets().size());
  for (std::uint32_t s = 0; s < open.size(); ++s) open[s] = s;
  auto const most = 1 + random.below(4);
  while (offered.size() < most && !open.empty()) {
    auto const set = random.pick(open);
    offered.push_back({set, static_cast<std::uint32_t>(random.below(p.designs(set).size()))});
    std::erase_if(open, [&](std::uint32_t s) { return !p.disjoint(s, set); });
  }
  assignment a;
  for (std::size_t v = 0; v < p.size(); ++v) {
    auto const chosen = random.pick(offered);
    auto const at = std::find(a.slots.begin(), a.slots.end(), chosen);
    a.slot_of.push_back(static_cast<std::uint16_t>(at - a.slots.begin()));
    if (at == a.slots.end()) a.slots.push_back(chosen);
    a.choice_of.push_back(
        static_cast<std::uint16_t>(random.below(p.shardings(v, chosen.set).size())));
  }
  return a;
}

} // namespace mars::testing
