// expect: solves_schedules
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/evaluation/schedule_assignment.hpp>
#include <mars/search/concept.hpp>

#include <string_view>

// A search for schedules answers with value and bound, not with the schedule alone.
struct list_maker {
  auto name() const -> std::string_view { return "list maker"; }
  auto operator()(mars::schedule_problem const&, mars::search_context const&) const
      -> mars::schedule_assignment;
};
template <mars::ScheduleSearchPolicy S>
void use(S const&) {}
void go() { use(list_maker{}); }
