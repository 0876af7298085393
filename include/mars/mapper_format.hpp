// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/format.hpp>
#include <mars/mapper.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

/// A plan for a person: the figures, the sets, and who runs what, operators of the same placement on
/// one line.
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
      out =
          s.what == mars::shortage::kind::memory
              ? fmt::format_to(out, "  accelerator {} needs {} of {} at {}\n", s.accelerator.value,
                               s.demand, s.capacity, p.operators[s.at.index()].name)
              : fmt::format_to(out, "  its design refuses {}\n", p.operators[s.at.index()].name);
    out = fmt::format_to(out, "latency {:.4}, lower bound {:.4} ({}), gap {:.1f} %\n", p.latency(),
                         to_seconds(mars::picoseconds{p.bound.value}), p.bound.name, 100 * p.gap());
    for (std::size_t s = 0; s < p.mapping.sets.size(); ++s) {
      auto const& set = p.mapping.sets[s];
      out = fmt::format_to(out, "set {}: {} on accelerators", s, set.design);
      for (auto const a : set.accelerators) out = fmt::format_to(out, " {}", a.value);
      auto const& use = e.memory[set.accelerators.front().index()];
      out = fmt::format_to(out, ", {:.3} of {:.3} each\n", use.peak, use.capacity);
    }
    // Operators of one placement together, in the order in which they first appear.
    std::vector<group> groups;
    for (std::size_t v = 0; v < p.operators.size(); ++v) {
      auto const set = p.mapping.operators[v].set;
      auto found = std::find_if(groups.begin(), groups.end(), [&](group const& g) {
        return g.set == set && *g.sharding == p.operators[v].sharding;
      });
      if (found == groups.end())
        found = groups.insert(groups.end(), {set, &p.operators[v].sharding, {}, 0, {}});
      found->time = mars::saturating_add(found->time, e.operators[v].end - e.operators[v].start);
      ++found->count;
      if (found->count <= 3) found->names += (found->count > 1 ? ", " : "") + p.operators[v].name;
    }
    for (auto const& g : groups)
      out = fmt::format_to(out, "  set {}  {:<22} {:>4} operators  {:>10.4}  {}{}\n", g.set.value,
                           *g.sharding, g.count, to_seconds(g.time), g.names,
                           g.count > 3 ? ", …" : "");
    return out;
  }

private:
  struct group {
    mars::set_id set;
    std::string const* sharding;
    mars::picoseconds time;
    std::size_t count;
    std::string names;
  };
};
