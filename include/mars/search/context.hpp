// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/observer.hpp>
#include <mars/core/stop.hpp>
#include <mars/evaluation/assignment.hpp>
#include <mars/evaluation/schedule_assignment.hpp>
#include <mars/search/checkpoint.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace mars {

/// What a search is given besides the problem: how long it may go on, whom to tell, where to start.
struct search_context {
  mars::budget budget{};
  stop_token stop{};
  unsigned threads{1}; ///< 0 = all; the answer does not depend on it
  /// Called now and then, from the thread that called the policy.
  std::function<verdict(progress const&)> observer{};
  std::optional<assignment> start{};                   ///< the answer is never worse than this
  std::optional<schedule_assignment> start_schedule{}; ///< the same, for searches for schedules
  /// Where to go on, for policies that go in rounds; others begin anew.
  std::optional<checkpoint> resume{};
  /// Told after every whole round where it stands: what to resume from.
  std::function<void(checkpoint const&)> keep{};
};

/// What a search answers.
struct solution {
  assignment best;
  assignment_value value;      ///< of `best`, as `mapping_problem::evaluate` says
  mars::bound bound;           ///< proven: no assignment is better
  std::uint64_t evaluations{}; ///< candidates priced, in full or incrementally
  bool exhausted{}; ///< the whole space was covered: `best` is optimal, or nothing is feasible
};

/// What a search for schedules answers.
struct schedule_solution {
  schedule_assignment best;
  schedule_value value;        ///< of `best`, as `schedule_evaluator` says
  mars::bound bound;           ///< proven: no assignment of the problem is better
  std::uint64_t evaluations{}; ///< schedules priced
  bool exhausted{};            ///< the whole space was covered
};

} // namespace mars
