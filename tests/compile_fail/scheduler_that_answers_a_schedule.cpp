// expect: schedules_streams
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mars/scheduling/concept.hpp>
#include <mars/scheduling/stream_schedule.hpp>

#include <string_view>

// A scheduler answers with a simulated timeline and a bound, not with the schedule alone.
struct one_stream {
  auto name() const -> std::string_view { return "one stream"; }
  auto operator()(mars::stream_problem const&, mars::stream_context const&) const
      -> mars::stream_schedule;
};
template <mars::StreamScheduler S>
void use(S const&) {}
void go() { use(one_stream{}); }
