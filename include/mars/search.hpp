// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Search: from a `mapping_problem` to an assignment. Concept: search/concept.hpp; what a policy is
// given and answers: search/context.hpp; search/meter.hpp keeps it within its budget.
//
//   policy                            finds                          prefer it
//   search::computation_prioritized   the written baseline           to compare with
//   search::two_level_genetic         MARS's search                  as the default
//   search::exact                     the optimum, with its proof    where objectives add up; anytime
//   search::annealing                 good mappings, move by move    for large graphs, and throughput
//   search::beam                      steadily better mappings       where the order matters more than the sets
//   search::portfolio                 the best of several            when in doubt; proves where exact does
//   search::exhaustive                the optimum of tiny problems   as an oracle in tests
//   search::any_search                what it wraps                  to choose at run time
//
// Searches for schedules (concept `ScheduleSearchPolicy`), from a `schedule_problem`: who runs what, how
// sharded, in which order of launching.
//
//   search::schedule_annealing        good schedules, move by move   as the default
//   search::schedule_genetic          MARS's two levels              where many local optima must be kept
//   search::schedule_exact            the optimum, with its proof    a dozen operators
//   search::list_scheduling           HEFT with insertion            very large graphs
//   search::h2h                       H2H's four steps, legal times  to compare with
//   search::any_schedule_search       what it wraps                  to choose at run time
//
// Write your own: a value with `name()` and a call operator (examples/40_write_a_search_policy);
// mars/testing.hpp checks whether it keeps what the concept promises.
//
// The genetic search is made of roles (search/roles.hpp); replace any of them:
//
//   struct no_mutation { void operator()(auto const&...) const {} };
//   using mine = mars::search::basic_two_level_genetic<
//       mars::search::roles::proportional_seeding, mars::search::roles::tournament,
//       mars::search::roles::range_crossover, no_mutation>;

#include <mars/search/annealing.hpp>
#include <mars/search/any_search.hpp>
#include <mars/search/beam.hpp>
#include <mars/search/computation_prioritized.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/context.hpp>
#include <mars/search/exact.hpp>
#include <mars/search/exhaustive.hpp>
#include <mars/search/h2h.hpp>
#include <mars/search/list_scheduling.hpp>
#include <mars/search/meter.hpp>
#include <mars/search/portfolio.hpp>
#include <mars/search/roles.hpp>
#include <mars/search/schedule_annealing.hpp>
#include <mars/search/schedule_exact.hpp>
#include <mars/search/schedule_genetic.hpp>
#include <mars/search/two_level_genetic.hpp>
