// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/any_policy.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/context.hpp>

namespace mars::search {

/// Any `SearchPolicy`, and any `ScheduleSearchPolicy`.
using any_search = any_policy<mapping_problem, search_context, solution>;
using any_schedule_search = any_policy<schedule_problem, search_context, schedule_solution>;

} // namespace mars::search
