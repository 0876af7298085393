// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <mars/core/deadline.hpp>
#include <mars/core/stop.hpp>
#include <mars/search/concept.hpp>
#include <mars/search/context.hpp>
#include <mars/search/exhaustive.hpp>
#include <mars/testing/random_problem.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mars::testing {

/// A promise that a policy did not keep.
struct broken_law {
  std::string law;   ///< the promise
  std::string where; ///< problem, budget, and what was seen
};

/// How much a policy is asked.
struct search_examination {
  std::uint64_t seed{1};
  std::size_t problems{24};
  std::uint64_t evaluations{5'000}; ///< the usual budget
  double patience{5};               ///< seconds within which a search with no time left must end
};

namespace detail {

class search_examiner {
public:
  explicit search_examiner(search_examination const& e) : e_{e} {}

  template <SearchPolicy Policy>
  auto operator()(Policy const& policy) -> std::vector<broken_law> {
    for (std::size_t i = 0; i < e_.problems; ++i) {
      random_stream random{e_.seed, i};
      problem_shape shape{.operators = 1 + i % 5, .accelerators = 1 + i % 4};
      shape.scarcity = i % 3 == 0 ? 0.4 + 0.05 * static_cast<double>(i % 7) : 0.0;
      shape.spending = i % 8 == 5;
      shape.how = i % 6 == 4 ? aggregate::bottleneck : aggregate::sum;
      auto const problem = random_problem(random, shape);
      where_ = "problem " + std::to_string(i);
      auto const found = policy(problem, within(e_.evaluations));
      examine(problem, found);
      against_enumeration(problem, found);
      repeats(policy, problem, found);
      from_a_start(policy, problem, random_assignment(problem, random), found);
      if (i % 6 == 0) ends(policy, problem);
    }
    where_ = "a workload without operators";
    random_stream random{e_.seed, e_.problems};
    auto const none = random_problem(random, {.operators = 0});
    auto const found = policy(none, within(e_.evaluations));
    check(found.best.slot_of.empty() && found.value.value == 0, "nothing to map costs nothing");
    return std::move(broken_);
  }

private:
  [[nodiscard]] static auto within(std::uint64_t evaluations) -> search_context {
    return {.budget = {.wall = {}, .evaluations = evaluations}};
  }
  void check(bool kept, std::string_view law) {
    if (!kept) broken_.push_back({std::string{law}, where_});
  }

  void examine(mapping_problem const& p, solution const& found) {
    check(p.accepts(found.best), "the answer is a legal assignment");
    if (!p.accepts(found.best)) return;
    check(found.value == p.evaluate(found.best), "its value is what the problem says it is");
    if (found.value.feasible())
      check(found.bound.value <= found.value.value, "no feasible answer is below the bound");
  }

  void against_enumeration(mapping_problem const& p, solution const& found) {
    auto const all = search::exhaustive{}(p, within(200'000));
    if (!all.exhausted) return;
    check(!(found.value < all.value), "no answer is better than the best of all assignments");
    if (all.value.feasible())
      check(found.bound.value <= all.value.value, "no bound is above the optimum");
    if (!found.exhausted) return;
    check(found.value.feasible() == all.value.feasible(),
          "a search that claims to have covered everything knows whether anything is feasible");
    if (all.value.feasible())
      check(found.value == all.value, "what is called proven is the optimum");
  }

  template <class Policy>
  void repeats(Policy const& policy, mapping_problem const& p, solution const& found) {
    auto context = within(e_.evaluations);
    for (unsigned const threads : {1U, 3U}) {
      context.threads = threads;
      auto const again = policy(p, context);
      check(again.best == found.best && again.value == found.value &&
                again.evaluations == found.evaluations && again.bound.value == found.bound.value &&
                again.exhausted == found.exhausted,
            threads == 1 ? "the same question has the same answer"
                         : "the answer does not depend on the number of threads");
    }
  }

  template <class Policy>
  void from_a_start(Policy const& policy, mapping_problem const& p, assignment const& any,
                    solution const& found) {
    for (auto const& start : {any, found.best}) {
      if (!p.accepts(start)) continue;
      auto context = within(50);
      context.start = start;
      auto const better = policy(p, context);
      examine(p, better);
      check(!(p.evaluate(start) < better.value), "the answer is never worse than the start");
    }
  }

  template <class Policy>
  void ends(Policy const& policy, mapping_problem const& p) {
    auto const one_step = policy(p, within(1));
    examine(p, one_step);
    auto const many = policy(p, within(500));
    check(many.evaluations <= 500 + 4 * std::max<std::uint64_t>(1, one_step.evaluations),
          "a budget of evaluations is kept, but for the step under way");

    search_context hurried;
    hurried.budget.wall = seconds{0.0};
    auto const begun = deadline::clock::now();
    auto const hasty = policy(p, hurried);
    std::chrono::duration<double> const took = deadline::clock::now() - begun;
    examine(p, hasty);
    check(took.count() < e_.patience, "a search without time left ends");

    std::atomic<bool> const raised{true};
    search_context halted;
    halted.stop = stop_token{&raised};
    auto const stopped_at = deadline::clock::now();
    auto const stopped = policy(p, halted);
    std::chrono::duration<double> const went_on = deadline::clock::now() - stopped_at;
    examine(p, stopped);
    check(went_on.count() < e_.patience, "a stop request ends the search");
  }

  search_examination e_;
  std::string where_;
  std::vector<broken_law> broken_;
};

} // namespace detail

/// Asks a search policy for everything that `SearchPolicy` promises beyond its syntax, on small random
/// problems: legal answers with true values, bounds below every optimum (by enumeration), the same
/// answer to the same question whatever the threads, never worse than its start, budgets and stop
/// requests kept, "exhausted" only when proven. Empty = all kept. Needs no test framework; takes
/// about a second for a policy that keeps within budgets.
///
///   for (auto const& b : mars::testing::check_search(my_policy{}))
///     std::printf("%s (%s)\n", b.law.c_str(), b.where.c_str());
template <SearchPolicy Policy>
[[nodiscard]] auto check_search(Policy const& policy, search_examination const& e = {})
    -> std::vector<broken_law> {
  return detail::search_examiner{e}(policy);
}

} // namespace mars::testing
