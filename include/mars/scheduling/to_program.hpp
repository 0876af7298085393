// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/scheduling/detail/launches.hpp>
#include <mars/scheduling/stream_graph.hpp>
#include <mars/scheduling/stream_problem.hpp>
#include <mars/scheduling/stream_program.hpp>
#include <mars/scheduling/stream_schedule.hpp>
#include <mars/scheduling/synchronization.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mars {

/// Spells a schedule out: fork; every launch in order, its waits before it, its record after it; join.
/// Between stages a graph joins the streams and forks them again, an eager host waits at a barrier.
/// Precondition: the schedule is valid. As `synchronize`.
template <deferred D = when_called>
[[nodiscard]] auto to_program(later<stream_graph, D> const& g,
                              later<stream_schedule, D> const& schedule,
                              launch_mode mode = launch_mode::replay,
                              wait_rule rule = wait_rule::needed) -> later<stream_program, D> {
  constexpr auto none = 0xFFFF'FFFFU;
  later<stream_program, D> program;
  detail::basic_launches<D> const launches{schedule};
  auto const sync = synchronize<D>(g, schedule, rule);
  program.streams = schedule.streams();
  later<std::vector<std::uint32_t>, D> event_of(g.size(), none);
  for (auto const& w : sync.waits) event_of[w.producer] = 0;
  auto const say = [&](stream_verb verb, std::size_t stream, std::uint32_t what) {
    program.commands.push_back({verb, stream_id{stream}, what});
  };
  auto const record = [&](std::size_t stream) {
    auto const event = static_cast<std::uint32_t>(program.events++);
    say(stream_verb::record, stream, event);
    return event;
  };
  auto const fork = [&] {
    if (program.streams < 2) return;
    auto const event = record(0);
    for (std::size_t s = 1; s < program.streams; ++s) say(stream_verb::wait, s, event);
  };
  auto const join = [&] {
    for (std::size_t s = 1; s < program.streams; ++s) say(stream_verb::wait, 0, record(s));
  };
  fork();
  auto wait = sync.waits.begin();
  for (std::size_t i = 0; i < launches.size(); ++i) {
    auto const& l = launches.all[i];
    if (i > 0 && l.stage != launches.all[i - 1].stage) {
      if (mode == launch_mode::eager) {
        say(stream_verb::barrier, 0, 0);
      } else {
        join();
        fork();
      }
    }
    auto const leader = schedule.launch_order[l.first];
    for (; wait != sync.waits.end() && wait->consumer == leader; ++wait)
      say(stream_verb::wait, l.stream, event_of[wait->producer]);
    if (l.group == launches.no_group) {
      say(stream_verb::launch, l.stream, leader);
    } else {
      auto const nodes = launches.nodes(schedule, i);
      say(stream_verb::launch_merged, l.stream, static_cast<std::uint32_t>(program.merged.size()));
      program.merged.emplace_back(nodes.begin(), nodes.end());
    }
    if (event_of[leader] != none) event_of[leader] = record(l.stream);
  }
  join();
  return program;
}

/// The same, launched as the problem says.
template <deferred D = when_called>
[[nodiscard]] auto to_program(later<stream_problem, D> const& problem,
                              later<stream_schedule, D> const& schedule)
    -> later<stream_program, D> {
  return to_program<D>(problem.graph(), schedule, problem.options().mode);
}

} // namespace mars
