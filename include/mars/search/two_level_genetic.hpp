// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deferred.hpp>
#include <mars/core/parallel_for.hpp>
#include <mars/core/random.hpp>
#include <mars/evaluation/bounds.hpp>
#include <mars/evaluation/problem.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/detail/scratch.hpp>
#include <mars/search/meter.hpp>
#include <mars/search/roles.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace mars::search {

/// MARS's search (arXiv 2307.12234, our reading): level 1 breeds the partition into accelerator sets,
/// the design of each and the cuts of the operator order; level 2 chooses every operator's sharding.
///
/// The roles are policies: `Seeding` makes an assignment, `Selection` draws a parent, `Crossover` and
/// `Mutation` make a child, `Improvement` is level 2. Here level 2 is not a second genetic search but
/// an exact one along paths of the graph, which finds better shardings in microseconds.
///
/// Prefer it: as the default. Complexity: population · generations level-2 searches, each linear in
/// operators · choices. Deterministic in `seed` and the evaluation budget, whatever the threads.
/// The answer is never worse than `search_context::start`.
template <class Seeding = roles::proportional_seeding, class Selection = roles::tournament,
          class Crossover = roles::range_crossover, class Mutation = roles::mixed_mutation,
          class Improvement = roles::path_improvement, deferred D = when_called>
struct basic_two_level_genetic {
  std::uint64_t seed{1};
  std::size_t population{32};
  std::uint64_t evaluations{200'000'000}; ///< choices priced, unless the context has a budget
  std::size_t immigrants{4};              ///< of each generation's children, fresh from `Seeding`
  std::size_t patience{40};               ///< generations without a better answer before it stops
  Seeding seeding{};
  Selection selection{};
  Crossover crossover{};
  Mutation mutation{};
  Improvement improvement{};

  [[nodiscard]] auto name() const -> std::string_view { return "genetic"; }

  [[nodiscard]] auto operator()(later<mapping_problem, D> const& problem,
                                search_context const& context) const -> solution {
    meter clock{context, evaluations};
    later<solution, D> result;
    result.bound = static_bound(problem);
    basic_profile<D> const known{problem};
    random_stream const random{seed, 0};

    auto const lanes = std::max<std::size_t>(1, population);
    later<std::vector<individual>, D> current(lanes), children(lanes);
    later<std::vector<std::uint64_t>, D> priced(lanes);
    detail::scratch relaxations{detail::basic_path_relaxation<D>{problem}};

    auto const breed = [&](later<std::vector<individual>, D>& into, std::uint64_t generation,
                           auto&& make) {
      parallel_for(lanes, context.threads, [&](std::size_t i) {
        auto stream = random.substream(generation * lanes + i);
        priced[i] = 0;
        into[i] = {};
        if (clock.interrupted() && i > 0) return;
        into[i].genome = make(i, stream);
        into[i].value = problem.evaluate(into[i].genome);
        priced[i] =
            1 + relaxations.lend([&](auto& relax) { return improvement(problem, relax, into[i]); });
      });
      for (auto const n : priced) clock.count(n);
      std::erase_if(into, [](individual const& x) { return x.genome.slots.empty(); });
    };

    breed(current, 0, [&](std::size_t i, random_stream& stream) {
      return i == 0 && context.start ? *context.start : seeding(problem, known, stream);
    });
    sort(current);
    clock.report(current.front().value, result.bound, "generation 0");

    std::size_t stale = 0;
    auto const most_stale = problem.size() == 0 ? 0 : patience; // nothing to breed
    for (std::uint64_t generation = 1; stale < most_stale && !clock.spent() && !clock.interrupted();
         ++generation) {
      children.assign(lanes, {});
      breed(children, generation, [&](std::size_t i, random_stream& stream) {
        if (i < immigrants) return seeding(problem, known, stream);
        auto child = current[selection(current, stream)].genome;
        crossover(problem, child, current[selection(current, stream)].genome, stream);
        mutation(problem, known, child, stream);
        return child;
      });
      auto const before = current.front().value;
      for (auto& child : children) current.push_back(std::move(child));
      sort(current);
      if (current.size() > lanes) current.resize(lanes);
      stale = current.front().value < before ? 0 : stale + 1;
      if (stale == 0) clock.report(current.front().value, result.bound, "breeding");
    }

    result.best = std::move(current.front().genome);
    result.value = current.front().value;
    result.evaluations = clock.evaluations();
    return result;
  }

private:
  /// Best first; of equal values only the first stays, so that the population stays diverse.
  static void sort(later<std::vector<individual>, D>& all) {
    std::stable_sort(all.begin(), all.end(),
                     [](individual const& a, individual const& b) { return a.value < b.value; });
    all.erase(
        std::unique(all.begin(), all.end(),
                    [](individual const& a, individual const& b) { return a.value == b.value; }),
        all.end());
  }
};

using two_level_genetic = basic_two_level_genetic<>;

} // namespace mars::search
