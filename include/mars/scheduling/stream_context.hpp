// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/observer.hpp>
#include <mars/core/stop.hpp>
#include <mars/core/units.hpp>
#include <mars/scheduling/stream_schedule.hpp>
#include <mars/scheduling/stream_timeline.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace mars {

/// What a stream scheduler is given besides the problem.
struct stream_context {
  mars::budget budget{}; ///< of simulations and wall-clock time
  stop_token stop{};
  std::optional<stream_schedule> start{}; ///< valid; the answer of searches is never worse
};

/// What a stream scheduler answers.
struct stream_solution {
  stream_schedule schedule;
  stream_timeline timeline;    ///< of `schedule`, as `simulate` says
  picoseconds bound{};         ///< proven: no schedule of the problem takes less
  std::string_view binding{};  ///< which bound that is
  std::uint64_t evaluations{}; ///< schedules simulated
  std::uint64_t transitions{}; ///< of a dynamic program: (state, ending) pairs looked at
  std::uint64_t states{};      ///< of a dynamic program
  bool exhausted{};            ///< nothing in the policy's space is left to look at

  [[nodiscard]] auto latency() const -> picoseconds { return timeline.latency; }
};

} // namespace mars
