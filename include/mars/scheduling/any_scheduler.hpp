// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/any_policy.hpp>
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/stream_context.hpp>

namespace mars::scheduling {

/// Any `StreamScheduler` behind one type, for choice at run time.
using any_scheduler = any_policy<stream_problem, stream_context, stream_solution>;

} // namespace mars::scheduling
