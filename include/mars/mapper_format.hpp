// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/format.hpp>
#include <mars/mapper.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

/// A plan for a person: the figures, the sets, and who runs what, runs of operators with the same
/// placement on one line.
template <>
struct fmt::formatter<mars::plan> {
  constexpr auto parse(fmt::format_parse_context& ctx) { return ctx.begin(); }

  template <class Context>
  auto format(mars::plan const& p, Context& ctx) const {
    using mars::to_seconds;
    auto out = ctx.out();
    auto const& e = p.evaluation;
    if (!e.feasible()) out = fmt::format_to(out, "does not run as planned:\n");
    for (auto const& s : e.shortages)
      out = s.what == mars::shortage::kind::memory
                ? fmt::format_to(out, "  accelerator {} needs {} of {} at {}\n",
                                 s.accelerator.value, s.demand, s.capacity,
                                 p.operators[s.at.index()].name)
                : fmt::format_to(out, "  its design refuses {}\n", p.operators[s.at.index()].name);
    out = fmt::format_to(out, "latency {:.4}, lower bound {:.4} ({}), gap {:.1f} %\n", p.latency(),
                         to_seconds(mars::picoseconds{p.bound.value}), p.bound.name,
                         100 * p.gap());
    for (std::size_t s = 0; s < p.mapping.sets.size(); ++s) {
      auto const& set = p.mapping.sets[s];
      out = fmt::format_to(out, "set {}: {} on accelerators", s, set.design);
      for (auto const a : set.accelerators) out = fmt::format_to(out, " {}", a.value);
      auto const& use = e.memory[set.accelerators.front().index()];
      out = fmt::format_to(out, ", {:.3} of {:.3} each\n", use.peak, use.capacity);
    }
    auto const same = [&](std::size_t a, std::size_t b) {
      return p.mapping.operators[a].set == p.mapping.operators[b].set &&
             p.operators[a].sharding == p.operators[b].sharding;
    };
    for (std::size_t v = 0, end = 0; v < p.operators.size(); v = end) {
      mars::picoseconds time{};
      for (end = v; end < p.operators.size() && same(v, end); ++end)
        time = mars::saturating_add(time, e.operators[end].end - e.operators[end].start);
      auto const who = end - v == 1 ? p.operators[v].name
                                    : p.operators[v].name + " … " + p.operators[end - 1].name +
                                          " (" + std::to_string(end - v) + ")";
      out = fmt::format_to(out, "  {:>9.3}  set {}  {:<18} {}\n", to_seconds(time),
                           p.mapping.operators[v].set.value, p.operators[v].sharding, who);
    }
    return out;
  }
};
