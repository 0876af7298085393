// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/observer.hpp>
#include <mars/core/stop.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/search/checkpoint.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace mars {

/// What a search is given besides the problem: how long it may go on, whom to tell, where to start.
struct search_context {
  mars::budget budget{};
  stop_token stop{};
  unsigned threads{1}; ///< 0 = all; the answer does not depend on it
  /// Called now and then, from the thread that called the policy.
  std::function<verdict(progress const&)> observer{};
  std::optional<assignment> start{}; ///< the answer is never worse than this
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
/// `search::exact`, `search::annealing`, `search::beam`, `search::portfolio`, `search::exhaustive`, `search::any_search`.
template <class S>
concept SearchPolicy = names_itself<S> && solves_problems<S> && std::copyable<S>;

namespace search {

/// Keeps a search within its context: counts evaluations, watches the clock, reports progress.
/// `spent()` looks at the clock at most once per 64 calls.
class meter {
public:
  meter(search_context const& context, std::uint64_t default_evaluations)
      : context_{&context},
        limit_{context.budget.evaluations ? *context.budget.evaluations
               : context.budget.wall      ? ~std::uint64_t{0}
                                          : default_evaluations},
        deadline_{context.budget.wall ? deadline::after(*context.budget.wall) : deadline::never()},
        begun_{deadline::clock::now()} {}

  void count(std::uint64_t evaluations) { evaluations_ += evaluations; }
  [[nodiscard]] auto evaluations() const -> std::uint64_t { return evaluations_; }
  [[nodiscard]] auto limit() const -> std::uint64_t { return limit_; }

  /// No more: evaluations, time, a stop request or the observer's verdict.
  [[nodiscard]] auto spent() -> bool {
    if (evaluations_ >= limit_ || context_->stop.stop_requested()) ended_ = true;
    if (!ended_ && (++polls_ & 63U) == 0 && deadline_.expired()) ended_ = true;
    return ended_;
  }
  /// The same, read from several threads at once: the clock and the stop flag only.
  [[nodiscard]] auto interrupted() const -> bool {
    return context_->stop.stop_requested() || deadline_.expired();
  }

  template <deferred = when_called>
  void report(assignment_value const& best, bound const& b, std::string_view phase) {
    if (!context_->observer) return;
    progress p;
    p.best = best.feasible() ? picoseconds{best.value} : never;
    p.bound = picoseconds{b.value};
    p.evaluations = evaluations_;
    p.elapsed = seconds{std::chrono::duration<double>(deadline::clock::now() - begun_).count()};
    p.remaining = deadline_.remaining();
    p.phase = phase;
    if (context_->observer(p) == verdict::stop) ended_ = true;
  }

private:
  search_context const* context_;
  std::uint64_t limit_;
  deadline deadline_;
  deadline::clock::time_point begun_;
  std::uint64_t evaluations_{};
  unsigned polls_{};
  bool ended_{};
};

} // namespace search

} // namespace mars
