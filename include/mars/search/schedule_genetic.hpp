// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/parallel_for.hpp>
#include <mars/core/random.hpp>
#include <mars/evaluation/schedule_bounds.hpp>
#include <mars/evaluation/schedule_evaluator.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/schedule_moves.hpp>
#include <mars/search/detail/schedule_starts.hpp>
#include <mars/search/meter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::search {

/// MARS's two levels on schedules. Level 1, the genes: which set runs each operator, and the order of
/// launching; level 2: shardings, chosen for whole pieces of chains at a time by dynamic programming
/// (`detail::schedule_moves`). Children take the operators of some chains from one parent and the rest
/// from the other, a prefix of one parent's order and the other's order behind it, and a few random
/// changes; tournaments choose parents, the best stay.
///
/// Prefer `schedule_annealing` for most problems; this one keeps many different schedules alive.
/// Deterministic for any number of threads.
template <deferred D = when_called>
struct basic_schedule_genetic {
  std::uint64_t seed{1};
  std::uint64_t evaluations{100'000}; ///< schedules priced, unless the context has a budget
  std::size_t population{64};
  std::size_t elite{8};
  std::size_t tournament{3};
  std::uint64_t changes{3}; ///< at most, of a child

  [[nodiscard]] auto name() const -> std::string_view { return "genetic"; }

  [[nodiscard]] auto operator()(later<schedule_problem, D> const& problem,
                                later<search_context, D> const& context) const
      -> schedule_solution {
    meter clock{context, evaluations};
    later<schedule_solution, D> result;
    result.bound = schedule_bound(problem);
    random_stream const random{seed, 0x67656E73};
    auto const starts = detail::schedule_starts<D>(problem, context, clock);
    auto const size = std::max<std::size_t>(2, population);
    auto const lanes = std::min<std::size_t>(size, 8);
    std::vector<worker> workers;
    for (std::size_t i = 0; i < lanes; ++i) workers.emplace_back(problem);
    later<std::vector<member>, D> all(size), next(size);
    auto const by_lanes = [&](auto const& f) {
      parallel_for(lanes, context.threads, [&](std::size_t lane) {
        for (auto i = lane; i < size; i += lanes) f(workers[lane], i);
      });
      clock.count(size);
    };
    by_lanes([&](worker& w, std::size_t i) {
      auto stream = random.substream(i);
      all[i].genes = starts[i % starts.size()];
      for (auto k = problem.size() == 0 ? 0 : i / starts.size() * 4; k > 0; --k)
        w.change(all[i].genes, stream);
      all[i].value = w.price(all[i].genes);
    });
    auto const order = [](member const& a, member const& b) { return a.value < b.value; };
    std::stable_sort(all.begin(), all.end(), order);
    for (std::uint64_t generation = 1; !clock.spent() && problem.size() > 0; ++generation) {
      auto const kept = std::min(elite, size - 1);
      for (std::size_t i = 0; i < kept; ++i) next[i] = all[i];
      by_lanes([&](worker& w, std::size_t i) {
        if (i < kept) return;
        auto stream = random.substream(generation * size + i);
        auto const& mother = all[winner(stream, size)];
        auto const& father = all[winner(stream, size)];
        auto& child = next[i];
        cross(problem, mother.genes, father.genes, child.genes, stream);
        for (auto k = 1 + stream.below(changes); k > 0; --k) w.change(child.genes, stream);
        child.value = w.price(child.genes);
      });
      std::swap(all, next);
      std::stable_sort(all.begin(), all.end(), order);
      clock.report({all[0].value.value, all[0].value.overflow_bytes, 0}, result.bound, "genetic");
    }
    result.best = all[0].genes;
    result.value = all[0].value;
    result.evaluations = clock.evaluations();
    return result;
  }

private:
  struct member {
    later<schedule_assignment, D> genes;
    schedule_value value;
  };
  struct worker {
    detail::basic_schedule_moves<D> change;
    later<schedule_evaluator, D> price;

    explicit worker(later<schedule_problem, D> const& p) : change{p}, price{p} {}
  };

  /// The population is sorted: the smallest of some numbers.
  [[nodiscard]] auto winner(random_stream& random, std::size_t size) const -> std::size_t {
    auto best = random.below(size);
    for (std::size_t k = 1; k < tournament; ++k) {
      auto const other = random.below(size);
      best = std::min(best, other);
    }
    return best;
  }

  static void cross(later<schedule_problem, D> const& p,
                    later<schedule_assignment, D> const& mother,
                    later<schedule_assignment, D> const& father,
                    later<schedule_assignment, D>& child, random_stream& random) {
    child = mother;
    for (std::uint32_t v = 0; v < p.size(); ++v) {
      if (p.before(v) != p.nobody) continue;
      // From some operator of the chain on, or not at all.
      std::uint64_t length = 0;
      for (auto w = v; w != p.nobody; w = p.next(w)) ++length;
      auto const from = random.below(2 * length);
      std::uint64_t at = 0;
      for (auto w = v; w != p.nobody; w = p.next(w), ++at)
        if (at >= from) {
          child.choice_of[w] = father.choice_of[w];
          child.streamed[w] = father.streamed[w];
        }
    }
    auto const cut = random.below(p.size() + 1);
    std::vector<bool> placed(p.size());
    child.order.resize(cut);
    for (auto const v : child.order) placed[v] = true;
    for (auto const v : father.order)
      if (!placed[v]) child.order.push_back(v);
  }
};
using schedule_genetic = basic_schedule_genetic<>;

} // namespace mars::search
