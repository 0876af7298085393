// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deadline.hpp>
#include <mars/core/deferred.hpp>
#include <mars/search/context.hpp>

#include <cstdint>
#include <string_view>

namespace mars::search {

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
    p.elapsed = seconds_since(begun_);
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

} // namespace mars::search
