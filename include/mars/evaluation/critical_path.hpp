// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/id.hpp>
#include <mars/core/units.hpp>
#include <mars/evaluation/wait_cause.hpp>
#include <mars/mapping/mapping.hpp>
#include <mars/workload/concept.hpp>
#include <mars/workload/topology.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace mars {

/// When an operator keeps its accelerators busy.
struct operator_times {
  picoseconds start{};
  picoseconds end{};

  friend auto operator==(operator_times const&, operator_times const&) -> bool = default;
};

/// When inputs arrive: by operator id, then in the order of `inputs(g, v)`.
using input_arrivals = std::vector<std::vector<picoseconds>>;

/// What an operator's start waited for: of all it needs, what came last.
struct operator_wait {
  wait_cause cause{};
  std::optional<operator_id> on;               ///< who computed, sent, or was in the way
  std::optional<accelerator_id> accelerator{}; ///< that was busy, for `wait_cause::accelerator`
  picoseconds ready{};                         ///< when it came; `start`, unless unexplained
};

/// An accelerator at rest.
struct idle_gap {
  mars::accelerator_id accelerator;
  picoseconds from{};
  picoseconds to{};
  wait_cause cause{};
  std::optional<operator_id> on{};            ///< who is waited for
  std::optional<mars::accelerator_id> busy{}; ///< where it runs, for `wait_cause::accelerator`
  std::optional<operator_id> previous{};      ///< ran here before; nothing: none did
  std::optional<operator_id> next{};          ///< runs here next; nothing: none is left
};

/// Why a schedule takes as long as it does.
struct critical_path {
  picoseconds makespan{};
  std::vector<operator_wait> waits; ///< by operator id
  std::vector<operator_id> chain; ///< each waits for the one before it; the last ends the schedule
  std::vector<idle_gap> gaps;     ///< by accelerator, then by time

  /// What of the makespan neither operators of the chain nor transfers between them explain.
  picoseconds unexplained{};
};

namespace detail {

/// Keeps the latest of what an operator needs; of equals the one that is offered first.
struct latest_need {
  picoseconds start;
  operator_wait wait{};
  bool any{};

  void offer(wait_cause cause, operator_id on, std::optional<accelerator_id> where,
             picoseconds ready) {
    if (ready > start || (any && ready <= wait.ready)) return;
    wait = {cause, on, where, ready};
    any = true;
  }
};

} // namespace detail

/// Finds what each operator waited for, the chain of waits that ends the schedule, and what idle
/// accelerators wait for. With scheduled semantics an operator may wait for results, for their
/// transfers and for its accelerators; with sequential ones also for its turn. Of things that come
/// at the same time a result counts before an accelerator, and that before a turn.
///
/// `times` are by operator id. Without `arrivals` a start that is later than all results and free
/// accelerators is put down to the transfer from the producer that ended last. A gap before an
/// operator that waited for a transfer is two: until the result is there, and until it has come.
/// Accelerators of no set have no gaps. With streams an operator waits for its stream, which counts as its
/// accelerator; an accelerator rests when no stream of it runs. Precondition: the mapping is one of this acyclic graph.
/// O(V·p + E) beside the topological order.
template <WorkloadGraph Graph, deferred D = when_called>
[[nodiscard]] auto find_critical_path(Graph const& g, mapping const& m,
                                      std::span<operator_times const> times,
                                      later<input_arrivals, D> const& arrivals = {})
    -> later<critical_path, D> {
  later<std::vector<operator_id>, D> order =
      m.is_scheduled() ? m.launch_order : *topological_order(g);
  if (m.is_streamed()) // one stream may run what is launched late before what another launched early
    std::stable_sort(order.begin(), order.end(), [&](operator_id a, operator_id b) {
      return times[a.index()].start < times[b.index()].start;
    });
  later<critical_path, D> path;
  path.waits.resize(times.size());
  std::size_t accelerators = 0;
  for (auto const& s : m.sets)
    for (auto const a : s.accelerators) accelerators = std::max(accelerators, a.index() + 1);
  struct state {
    bool known{};
    std::optional<operator_id> last{}; ///< of those launched so far, the one that ends last
    picoseconds free{};
    later<std::vector<idle_gap>, D> gaps{};
  };
  later<std::map<std::pair<accelerator_id, stream_id>, operator_id>, D> last_on; // of streams
  later<std::vector<state>, D> at(accelerators);
  for (auto const& s : m.sets)
    for (auto const a : s.accelerators) at[a.index()].known = true;

  std::optional<operator_id> before; // in sequential order
  std::optional<operator_id> ending;
  for (auto const v : order) {
    auto const& [start, end] = times[v.index()];
    auto const& members = m.sets[m.operators[v.index()].set.index()].accelerators;
    detail::latest_need need{.start = start};
    std::size_t input = 0;
    for (input_edge const e : inputs(g, v)) {
      auto const done = times[e.producer.index()].end;
      auto const here = arrivals.empty() ? done : arrivals[v.index()][input++];
      need.offer(here > done ? wait_cause::transfer : wait_cause::result, e.producer, {}, here);
    }
    auto const result = need; // the last of the results, should a transfer have to explain the rest
    for (auto const a : members)
      if (!m.is_streamed()) {
        if (at[a.index()].last)
          need.offer(wait_cause::accelerator, *at[a.index()].last, a, at[a.index()].free);
      } else if (auto const on = last_on.find({a, m.stream_of(v)}); on != last_on.end()) {
        need.offer(wait_cause::accelerator, on->second, a, times[on->second.index()].end);
      }
    if (m.is_streamed())
      for (auto const a : members) last_on.insert_or_assign({a, m.stream_of(v)}, v);
    if (!m.is_scheduled() && before)
      need.offer(wait_cause::turn, *before, {}, times[before->index()].end);
    if (need.any ? need.wait.ready < start : start > picoseconds{}) {
      if (arrivals.empty() && result.any)
        need.wait = {wait_cause::transfer, result.wait.on, {}, start};
      else
        need.wait.cause = wait_cause::unexplained;
    }
    auto const& wait = path.waits[v.index()] = need.wait;

    for (auto const a : members) {
      auto& here = at[a.index()];
      auto const gap = [&](picoseconds from, picoseconds to, wait_cause cause) {
        if (from < to)
          here.gaps.push_back({a, from, to, cause, wait.on, wait.accelerator, here.last, v});
      };
      auto const sent =
          wait.cause == wait_cause::transfer
              ? std::clamp(times[wait.on->index()].end, here.free, std::max(here.free, start))
              : here.free;
      gap(here.free, sent, wait_cause::result);
      gap(sent, start, wait.cause);
      if (!here.last || end >= here.free) {
        here.last = v;
        here.free = end;
      }
    }
    before = v;
    if (!ending || end > path.makespan) ending = v;
    path.makespan = std::max(path.makespan, end);
  }

  for (std::size_t a = 0; a < at.size(); ++a) {
    auto& here = at[a];
    if (here.known && here.free < path.makespan)
      here.gaps.push_back({accelerator_id{a},
                           here.free,
                           path.makespan,
                           wait_cause::nothing,
                           {},
                           {},
                           here.last,
                           {}});
    path.gaps.insert(path.gaps.end(), here.gaps.begin(), here.gaps.end());
  }
  for (auto v = ending; v; v = path.waits[v->index()].on) {
    auto const& wait = path.waits[v->index()];
    path.chain.push_back(*v);
    if (wait.cause == wait_cause::unexplained)
      path.unexplained += times[v->index()].start - wait.ready;
  }
  std::reverse(path.chain.begin(), path.chain.end());
  return path;
}

} // namespace mars
