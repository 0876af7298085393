// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/statistics.hpp>
#include <mars/core/units.hpp>
#include <mars/measurement/concept.hpp>
#include <mars/measurement/thread_clock.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace mars::measurement {

/// How long one call takes.
struct timing {
  seconds time{};   ///< the low quantile that was asked for
  seconds median{}; ///< of the samples
  double spread{};  ///< (third − first quartile) / median: what noise did
  std::size_t samples{};
  std::int64_t calls_per_sample{};

  friend auto operator==(timing const&, timing const&) -> bool = default;
};

struct timing_options {
  double quantile{0.1}; ///< noise only adds: low, but not the minimum, which a clock's step can set
  seconds min_sample{100e-6}; ///< calls are repeated within a sample until it lasts this long
  std::size_t min_samples{5}; ///< taken whatever the budget
  std::size_t max_samples{50};
  seconds budget{0.2}; ///< for one candidate, warm-up included
  std::int64_t warm_calls{
      1}; ///< before each sample, untimed: the candidate finds its data in caches
};

/// Keeps the compiler from dropping what was computed to `data`, and from moving it across.
inline void keep([[maybe_unused]] void const* data) {
#if defined(__GNUC__)
  __asm__ volatile("" : : "r"(data) : "memory");
#else
  static void const* volatile sink;
  sink = data;
#endif
}

namespace detail {

struct sampling {
  std::int64_t calls{1}; ///< per sample
  std::size_t samples{}; ///< wanted
  std::vector<double> times{};
};

template <class F, class C>
[[nodiscard]] auto time_calls(F& f, std::int64_t calls, C& clock) -> double {
  auto const start = clock.now();
  for (std::int64_t i = 0; i < calls; ++i) f();
  return (clock.now() - start).count();
}

/// One call to warm up, then twice as many calls or more until a sample is long enough.
template <class F, class C>
[[nodiscard]] auto plan_sampling(F& f, timing_options const& o, C& clock) -> sampling {
  constexpr std::int64_t most_calls = std::int64_t{1} << 24;
  auto const start = clock.now();
  f();
  sampling s;
  auto elapsed = time_calls(f, s.calls, clock);
  while (elapsed < o.min_sample.count() && s.calls < most_calls) {
    auto const growth = elapsed > 0 ? 1.2 * o.min_sample.count() / elapsed : 16.0;
    s.calls =
        static_cast<std::int64_t>(static_cast<double>(s.calls) * std::clamp(growth, 2.0, 16.0));
    elapsed = time_calls(f, s.calls, clock);
  }
  auto const call = elapsed / static_cast<double>(s.calls);
  auto const sample = call * static_cast<double>(s.calls + o.warm_calls);
  auto const left = o.budget.count() - (clock.now() - start).count();
  auto const affordable = left <= 0 ? 0.0 : left / std::max(sample, 1e-12);
  auto const most = std::max(o.min_samples, o.max_samples);
  s.samples = affordable >= static_cast<double>(most)
                  ? most
                  : std::max({o.min_samples, static_cast<std::size_t>(affordable), std::size_t{1}});
  s.times.reserve(s.samples);
  return s;
}

} // namespace detail

/// Times candidates side by side: rounds over all of them, so that what else the machine does in the
/// meantime falls on each alike and their ratios are of one run.
///
/// A candidate that affords fewer samples than another has them spread over all rounds; each round
/// starts with another candidate. Each sample is `warm_calls` untimed calls and then as many timed
/// ones as `min_sample` needs: what is timed is the warm state, however the candidates before left
/// the caches. Candidates write to buffers of their own (see `buffer`) and call `keep`.
/// O(candidates · budget).
template <class F, Clock C = thread_clock>
requires std::invocable<F&>
[[nodiscard]] auto time_interleaved(std::span<F> candidates, timing_options const& o = {},
                                    C&& clock = {}) -> std::vector<timing> {
  std::vector<detail::sampling> plans;
  plans.reserve(candidates.size());
  std::size_t rounds = 0;
  for (auto& f : candidates) {
    plans.push_back(detail::plan_sampling(f, o, clock));
    rounds = std::max(rounds, plans.back().samples);
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      auto const at = (i + round) % candidates.size();
      auto& plan = plans[at];
      if ((round + 1) * plan.samples / rounds == round * plan.samples / rounds) continue;
      for (std::int64_t k = 0; k < o.warm_calls; ++k) candidates[at]();
      plan.times.push_back(detail::time_calls(candidates[at], plan.calls, clock) /
                           static_cast<double>(plan.calls));
    }
  }
  std::vector<timing> result;
  result.reserve(plans.size());
  for (auto const& plan : plans) {
    auto const middle = median(plan.times);
    auto const range = quantile(plan.times, 0.75) - quantile(plan.times, 0.25);
    result.push_back({.time = seconds{quantile(plan.times, o.quantile)},
                      .median = seconds{middle},
                      .spread = middle > 0 ? range / middle : 0,
                      .samples = plan.times.size(),
                      .calls_per_sample = plan.calls});
  }
  return result;
}

/// One candidate alone.
template <class F, Clock C = thread_clock>
requires std::invocable<F&>
[[nodiscard]] auto time(F&& f, timing_options const& o = {}, C&& clock = {}) -> timing {
  return time_interleaved(std::span<std::remove_reference_t<F>>{&f, 1}, o, clock).front();
}

} // namespace mars::measurement
