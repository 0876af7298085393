// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deadline.hpp>
#include <mars/core/deferred.hpp>
#include <mars/core/parallel_for.hpp>
#include <mars/core/random.hpp>
#include <mars/evaluation/schedule_bounds.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/schedule_moves.hpp>
#include <mars/search/meter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::search {

template <deferred D = when_called>
struct basic_schedule_annealing {
  std::uint64_t seed{1};
  std::uint64_t evaluations{400'000};
  std::size_t walks{4};
  std::uint64_t moves{1'000}; ///< a stage
  double warmest{3e-2};
  int halvings{12};

  [[nodiscard]] auto name() const -> std::string_view { return "annealing"; }

  [[nodiscard]] auto operator()(later<schedule_problem, D> const& problem,
                                later<search_context, D> const& context) const
      -> schedule_solution {
    meter clock{context, evaluations};
    later<schedule_solution, D> result;
    result.bound = schedule_bound(problem);
    random_stream const random{seed, 0x73636865};
    auto const lanes = std::max<std::size_t>(1, walks);
    std::vector<std::unique_ptr<walk>> all(lanes);
    for (std::size_t i = 0; i < lanes; ++i)
      all[i] = std::make_unique<walk>(problem, *context.start_schedule, random.substream(i));
    while (!clock.spent()) {
      auto const used =
          static_cast<double>(clock.evaluations()) / static_cast<double>(clock.limit());
      auto rise = warmest;
      for (int k = 0; k < static_cast<int>(used * halvings); ++k) rise /= 2;
      parallel_for(lanes, context.threads, [&](std::size_t i) { all[i]->go(moves, rise); });
      clock.count(moves * lanes);
      std::size_t best = 0, worst = 0;
      for (std::size_t i = 1; i < lanes; ++i) {
        if (all[i]->best < all[best]->best) best = i;
        if (all[worst]->best < all[i]->best) worst = i;
      }
      if (all[best]->best < all[worst]->best) all[worst]->restart(*all[best]);
      result.best = all[best]->found;
      result.value = all[best]->best;
    }
    result.evaluations = clock.evaluations();
    return result;
  }

private:
  struct walk {
    detail::basic_schedule_moves<D> change;
    later<schedule_evaluator, D> price;
    random_stream random;
    later<schedule_assignment, D> at, candidate, found;
    schedule_value current, best;

    walk(later<schedule_problem, D> const& p, later<schedule_assignment, D> from,
         random_stream stream)
        : change{p}, price{p}, random{stream}, at{from}, found{from} {
      current = best = price(at);
    }
    void restart(walk const& from) {
      at = found = from.found;
      current = best = from.best;
    }
    void go(std::uint64_t steps, double rise) {
      for (std::uint64_t k = 0; k < steps; ++k) {
        candidate = at;
        change(candidate, random);
        auto const value = price(candidate);
        if (value.conflicts > current.conflicts || value.overflow_bytes > current.overflow_bytes)
          continue;
        if (static_cast<double>(value.value - current.value) >
            rise * static_cast<double>(current.value))
          continue;
        std::swap(at, candidate);
        current = value;
        if (current < best) {
          best = current;
          found = at;
        }
      }
    }
  };
};
using schedule_annealing = basic_schedule_annealing<>;

} // namespace mars::search
