// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/named.hpp>

#include <concepts>

namespace mars {

template <deferred>
class basic_stream_problem; // scheduling/stream_problem.hpp
using stream_problem = basic_stream_problem<when_called>;
struct stream_context;  // scheduling/stream_context.hpp: how long it may go on, where to start
struct stream_solution; // the same: the best schedule, its timeline, what is proven

template <class S>
concept schedules_streams = requires(S const& s, stream_problem const& problem,
                                     stream_context const& context) {
  { s(problem, context) } -> std::same_as<stream_solution>;
};

/// Operators of one device → streams and a launch order. A policy is a regular value whose members are
/// its parameters.
///
/// expression            | type              | meaning
/// ----------------------|-------------------|---------------------------------------------------
/// `s(problem, context)` | `stream_solution` | a schedule, its simulated latency, a lower bound
/// `s.name()`            | `string_view`     | as on the command line
///
/// Semantics: 1. The schedule is valid (`validate`) and keeps the problem's limits on streams, events
/// and memory. 2. Same problem, policy value and budget of evaluations → same answer. 3. A wall-clock
/// budget or a stop request ends the call within one step of it. 4. The call is const and may run
/// concurrently with itself.
/// Models: `scheduling::sequential`, `scheduling::path_cover`, `scheduling::chain_cover`, `scheduling::opara`,
/// `scheduling::ios`, `scheduling::ios_greedy`, `scheduling::critical_path`, `scheduling::best`,
/// `scheduling::any_scheduler`; yours.
template <class S>
concept StreamScheduler = names_itself<S> && schedules_streams<S> && std::copyable<S>;

} // namespace mars
