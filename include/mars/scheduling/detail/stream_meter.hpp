// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deadline.hpp>
#include <mars/scheduling/stream_context.hpp>

#include <cstdint>

namespace mars::detail {

/// Keeps a scheduler within its context: counts simulations, watches the clock and the stop flag.
class stream_meter {
public:
  /// `default_evaluations`: where the context has neither a number nor a time.
  explicit stream_meter(stream_context const& context,
                        std::uint64_t default_evaluations = ~std::uint64_t{0})
      : stop_{context.stop},
        limit_{context.budget.evaluations ? *context.budget.evaluations
               : context.budget.wall      ? ~std::uint64_t{0}
                                          : default_evaluations},
        deadline_{context.budget.wall ? deadline::after(*context.budget.wall) : deadline::never()} {
  }

  void count() { ++evaluations_; }
  [[nodiscard]] auto evaluations() const -> std::uint64_t { return evaluations_; }
  [[nodiscard]] auto limit() const -> std::uint64_t { return limit_; }
  /// Looks at the clock every time: what is done between two calls may take long.
  [[nodiscard]] auto spent() -> bool {
    if (evaluations_ >= limit_ || stop_.stop_requested() || deadline_.expired()) ended_ = true;
    return ended_;
  }

private:
  stop_token stop_;
  std::uint64_t limit_;
  deadline deadline_;
  std::uint64_t evaluations_{};
  bool ended_{};
};

} // namespace mars::detail
