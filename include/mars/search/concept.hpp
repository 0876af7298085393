// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/named.hpp>

#include <concepts>

namespace mars {

template <deferred>
class basic_mapping_problem; // evaluation/problem.hpp
using mapping_problem = basic_mapping_problem<when_called>;
struct search_context; // search/context.hpp: how long it may go on, whom to tell, where to start
struct solution;       // search/context.hpp: the best assignment, its value, what is proven

template <class S>
concept solves_problems = requires(S const& s, mapping_problem const& problem,
                                   search_context const& context) {
  { s(problem, context) } -> std::same_as<solution>;
};

/// Problem → solution. A policy is a regular value whose members are its parameters, `seed` among
/// them if it draws random numbers.
///
/// expression           | type          | meaning
/// ---------------------|---------------|------------------------------------------------------------
/// `s(problem, context)` | `solution`   | the best assignment found within the budget
/// `s.name()`           | `string_view` | as on the command line
///
/// Semantics: 1. `best` is a legal assignment, feasible if the policy met a feasible one. 2. Same
/// problem, policy value and evaluation budget → same answer, whatever `threads`. 3. A wall-clock
/// budget or a stop request ends the search within one step of it. 4. The call is const and may run
/// concurrently with itself. Models: `search::computation_prioritized`, `search::two_level_genetic`,
/// `search::exact`, `search::annealing`, `search::beam`, `search::portfolio`, `search::exhaustive`,
/// `search::any_search`.
template <class S>
concept SearchPolicy = names_itself<S> && solves_problems<S> && std::copyable<S>;

template <deferred>
class basic_schedule_problem; // evaluation/schedule_problem.hpp
using schedule_problem = basic_schedule_problem<when_called>;
struct schedule_solution;

template <class S>
concept solves_schedules = requires(S const& s, schedule_problem const& problem,
                                    search_context const& context) {
  { s(problem, context) } -> std::same_as<schedule_solution>;
};

/// The same for schedules: who runs what, how it is sharded, in which order. Semantics as
/// `SearchPolicy`. Models: `search::list_scheduling`, `search::h2h`, `search::schedule_annealing`,
/// `search::schedule_genetic`, `search::schedule_exact`.
template <class S>
concept ScheduleSearchPolicy = names_itself<S> && solves_schedules<S> && std::copyable<S>;

} // namespace mars
