// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Random problems of schedules and assignments of them; the optimum of tiny ones, by enumeration.

#include "support/random_problems.hpp"
#include "support/tiny_systems.hpp"

#include <mars/evaluation/build_schedule_problem.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/hardware/designs/h2h.hpp>
#include <mars/interconnect/host_staged.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mars_test {

struct schedule_shape {
  std::size_t operators{4};    ///< about
  std::size_t accelerators{4}; ///< at most
  std::size_t sets{6};         ///< candidates, at most
  bool staged{};
  bool roomy{};   ///< everything fits
  bool cramped{}; ///< little does
  bool throughput{};
};

struct schedule_case {
  mars::graph g;
  mars::any_system system;
  mars::schedule_problem problem;
};

/// Links of their own to the host, alike or not; devices of unlike speed, some of them H2H's.
inline void stage(mars::random_stream& r, mars::any_system& s) {
  auto const speed = [&] {
    return mars::bytes_per_second{1e6 * static_cast<double>(1 + r.below(50))};
  };
  ic::host_staged net{.accelerators = s.accelerators.size(),
                      .bandwidth = speed(),
                      .latency = mars::seconds{r.chance(0.5) ? 0.0 : 1e-6},
                      .follow_first = r.chance(0.5)};
  for (std::size_t i = 0; i < net.accelerators && r.chance(0.8); ++i)
    net.bandwidths.push_back(speed());
  if (net.bandwidths.size() != net.accelerators) net.bandwidths.clear();
  s.interconnect = std::move(net);
  if (!r.chance(0.6)) return;
  for (auto& a : s.accelerators)
    a.configurations.emplace_back(mars::hardware::h2h{
        .title = "conv only",
        .rate = mars::flops_per_second{1e7 * static_cast<double>(1 + r.below(6))},
        .clock = mars::hertz{1e6},
        .port_bits = 64,
        .tm = 4,
        .tn = 2 << r.below(2),
        .tr = 4,
        .tc = 4,
        .tr_in = 4,
        .tc_in = 4});
}

/// All single accelerators, and some sets that overlap.
inline auto random_sets(mars::random_stream& r, std::size_t n, std::size_t most)
    -> std::vector<std::vector<mars::accelerator_id>> {
  std::vector<std::vector<mars::accelerator_id>> sets;
  for (std::size_t a = 0; a < n; ++a) sets.push_back({acc(a)});
  for (auto k = r.below(most + 1); k > 0 && n > 1; --k) {
    std::vector<mars::accelerator_id> set;
    for (std::size_t a = 0; a < n; ++a)
      if (r.chance(0.6)) set.push_back(acc(a));
    if (set.size() > 1 && std::find(sets.begin(), sets.end(), set) == sets.end())
      sets.push_back(std::move(set));
  }
  return sets;
}

/// Nothing where some operator runs nowhere.
inline auto random_schedule_case(mars::random_stream& r, schedule_shape const& shape)
    -> std::optional<schedule_case> {
  auto g = random_network(r, shape.operators);
  auto s = random_system(r, shape.accelerators);
  if (shape.staged) stage(r, s);
  if (shape.roomy)
    for (auto& a : s.accelerators) a.capacity = mars::bytes{1'000'000'000};
  if (shape.cramped)
    for (auto& a : s.accelerators)
      a.capacity = mars::bytes{500 + static_cast<std::int64_t>(r.below(4000))};
  mars::parallel::exclusive_shared const strategy{.max_exclusive = r.chance(0.8) ? 1U : 2U,
                                                  .max_shared = r.chance(0.3) ? 1U : 0U,
                                                  .scatter_partial_sums = r.chance(0.2)};
  auto const sets = random_sets(r, s.accelerators.size(), shape.sets);
  auto const build = [&](auto objective) {
    return mars::build_schedule_problem(g, s, mars::cost::analytical{}, strategy,
                                        mars::collective::standard{}, objective, sets);
  };
  auto p =
      shape.throughput ? build(mars::objective::throughput{}) : build(mars::objective::latency{});
  if (!p) return std::nullopt;
  return schedule_case{std::move(g), std::move(s), *std::move(p)};
}

/// Any producers-first order of launching.
inline auto random_order(mars::random_stream& r, mars::schedule_problem const& p)
    -> std::vector<std::uint32_t> {
  std::vector<std::uint32_t> waits(p.size()), ready, order;
  for (auto const& e : p.edges()) ++waits[e.consumer];
  for (std::uint32_t v = 0; v < p.size(); ++v)
    if (waits[v] == 0) ready.push_back(v);
  bool const deep = r.chance(0.5); // the newest first: readers right behind producers
  while (!ready.empty()) {
    auto const i =
        deep && r.chance(0.8) ? ready.size() - 1 : static_cast<std::size_t>(r.below(ready.size()));
    auto const v = ready[i];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(i));
    order.push_back(v);
    for (auto const e : p.out_edges(v))
      if (--waits[p.edges()[e].consumer] == 0) ready.push_back(p.edges()[e].consumer);
  }
  return order;
}

/// Often with one design for each accelerator, often with readers on the sets of their producers.
inline auto random_schedule(mars::random_stream& r, mars::schedule_problem const& p)
    -> mars::schedule_assignment {
  mars::schedule_assignment a;
  a.order = random_order(r, p);
  a.choice_of.assign(p.size(), 0);
  a.streamed.assign(p.size(), 0);
  bool const one_design = r.chance(0.9); // for an accelerator, where possible
  std::vector<std::optional<std::uint16_t>> design(p.accelerators());
  auto const stickiness = r.uniform();
  for (auto const v : a.order) {
    auto const all = p.choices(v);
    std::vector<std::uint32_t> some;
    auto const take = [&](auto const& wanted) {
      if (!some.empty()) return;
      for (std::uint32_t c = 0; c < all.size(); ++c)
        if (wanted(all[c])) some.push_back(c);
    };
    auto const agrees = [&](mars::schedule_choice const& c) {
      auto const members = p.members(c.set);
      return !one_design || std::all_of(members.begin(), members.end(), [&](auto m) {
        return design[m.index()].value_or(p.design_number(c)) == p.design_number(c);
      });
    };
    if (!p.in_edges(v).empty() && r.chance(stickiness)) {
      auto const u = p.in_edges(v)[0].producer;
      auto const set = p.choices(u)[a.choice_of[u]].set;
      take([&](auto const& c) { return c.set == set && agrees(c); });
    }
    take(agrees);
    take([](auto const&) { return true; });
    a.choice_of[v] = r.pick(some);
    for (auto const m : p.members(all[a.choice_of[v]].set))
      design[m.index()] = p.design_number(all[a.choice_of[v]]);
    if (p.is_staged() && r.chance(0.3)) a.streamed[v] = 1;
  }
  return a;
}

struct enumerated {
  mars::schedule_assignment best;
  mars::schedule_value value;
  std::size_t schedules{};
};

/// Every order, every choice and, where memory may be short, every residency. Nothing if there are
/// more than `most`.
inline auto enumerate_schedules(mars::schedule_problem const& p, std::size_t most)
    -> std::optional<enumerated> {
  auto const n = p.size();
  std::vector<std::vector<std::uint32_t>> orders;
  std::vector<std::uint32_t> order(n);
  for (std::uint32_t v = 0; v < n; ++v) order[v] = v;
  do {
    std::vector<std::uint32_t> place(n);
    for (std::uint32_t i = 0; i < n; ++i) place[order[i]] = i;
    if (std::all_of(p.edges().begin(), p.edges().end(),
                    [&](auto const& e) { return place[e.producer] < place[e.consumer]; }))
      orders.push_back(order);
  } while (std::next_permutation(order.begin(), order.end()));
  bool const streams = p.is_staged() && !p.always_fits();
  auto count = orders.size();
  for (std::size_t v = 0; v < n; ++v) {
    count *= p.choices(v).size() * (streams ? 2 : 1);
    if (count > most) return std::nullopt;
  }
  mars::schedule_evaluator price{p};
  std::optional<enumerated> found;
  mars::schedule_assignment a;
  a.choice_of.assign(n, 0);
  a.streamed.assign(n, 0);
  auto const advance = [&] { // a counter with a digit for each choice and residency
    for (std::size_t v = 0; v < n; ++v) {
      if (++a.choice_of[v] < p.choices(v).size()) return true;
      a.choice_of[v] = 0;
      if (!streams) continue;
      a.streamed[v] ^= 1U;
      if (a.streamed[v] != 0) return true;
    }
    return false;
  };
  do {
    for (auto const& o : orders) {
      a.order = o;
      auto const value = price(a);
      if (!found || value < found->value) found = enumerated{a, value, count};
    }
  } while (advance());
  return found;
}

} // namespace mars_test
