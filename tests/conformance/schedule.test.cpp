// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One body for every search for schedules, and tiny problems whose optimum is known by enumeration.
#include "support/catch.hpp"

#include "support/random_schedules.hpp"
#include "support/sanitized.hpp"

#include <mars/evaluation/schedule_bounds.hpp>
#include <mars/search/any_search.hpp>
#include <mars/search/h2h.hpp>
#include <mars/search/list_scheduling.hpp>
#include <mars/search/schedule_annealing.hpp>
#include <mars/search/schedule_exact.hpp>
#include <mars/search/schedule_genetic.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {
using namespace mars;

/// The simplest honest search: random schedules until the budget is spent.
struct random_schedule_search {
  [[nodiscard]] auto name() const -> std::string_view { return "random"; }
  [[nodiscard]] auto operator()(schedule_problem const& p, search_context const& context) const
      -> schedule_solution {
    search::meter clock{context, 200};
    random_stream r{5};
    schedule_evaluator price{p};
    schedule_solution result;
    result.bound = schedule_bound(p);
    result.best =
        context.start_schedule ? *context.start_schedule : mars_test::random_schedule(r, p);
    result.value = price(result.best);
    for (clock.count(1); !clock.spent(); clock.count(1)) {
      auto other = mars_test::random_schedule(r, p);
      if (auto const value = price(other); value < result.value) {
        result.best = std::move(other);
        result.value = value;
      }
    }
    result.evaluations = clock.evaluations();
    return result;
  }
};

struct searching {
  search::any_schedule_search policy;
  std::uint64_t step{}; ///< evaluations between two looks at the budget; 0: looks at none
};

auto every_schedule_search() -> std::vector<searching> {
  return {{search::list_scheduling{}},
          {search::h2h{}},
          {search::h2h{.steps = 3}},
          {search::schedule_annealing{.evaluations = 3000, .moves = 100}, 4},
          {search::schedule_genetic{.evaluations = 3000, .population = 16, .elite = 4}, 16},
          {search::schedule_exact{.evaluations = 20'000, .walk_evaluations = 200}, 8},
          {random_schedule_search{}, 1}};
}

/// A choice for each operator, streamed weights only where there is a host, producers first.
auto is_schedule(schedule_problem const& p, schedule_assignment const& a) -> bool {
  auto const n = p.size();
  if (a.choice_of.size() != n || a.streamed.size() != n || a.order.size() != n) return false;
  std::vector<std::size_t> place(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    if (a.order[i] >= n || place[a.order[i]] != n) return false;
    place[a.order[i]] = i;
  }
  for (auto const& e : p.edges())
    if (place[e.consumer] < place[e.producer]) return false;
  for (std::size_t v = 0; v < n; ++v)
    if (a.choice_of[v] >= p.choices(v).size() || (a.streamed[v] != 0 && !p.is_staged()))
      return false;
  return true;
}

struct tiny_schedules {
  mars_test::schedule_case with;
  mars_test::enumerated optimum;
};

auto tiny_schedule(std::uint64_t seed, std::uint64_t trial) -> std::optional<tiny_schedules> {
  random_stream r{seed, trial};
  bool const cramped = r.chance(0.4);
  auto c = mars_test::random_schedule_case(r, {.operators = 2 + r.below(3),
                                               .accelerators = 3,
                                               .sets = r.below(3),
                                               .staged = trial % 2 == 0,
                                               .roomy = !cramped,
                                               .cramped = cramped,
                                               .throughput = r.chance(0.3)});
  if (!c || c->problem.size() > 5) return std::nullopt;
  auto best = mars_test::enumerate_schedules(c->problem, 6000);
  if (!best) return std::nullopt;
  return tiny_schedules{*std::move(c), *std::move(best)};
}

/// What holds for any answer to a problem whose optimum is known.
void check_answer(schedule_problem const& p, mars_test::enumerated const& optimum,
                  schedule_solution const& found) {
  REQUIRE(is_schedule(p, found.best));
  schedule_evaluator price{p};
  CHECK(price(found.best) == found.value);
  CHECK_FALSE(found.value < optimum.value);
  if (found.value.feasible()) CHECK(found.bound.value <= found.value.value);
  if (optimum.value.feasible()) CHECK(found.bound.value <= optimum.value.value);
}

auto same(schedule_solution const& a, schedule_solution const& b) -> bool {
  return a.best == b.best && a.value == b.value && a.bound.value == b.bound.value &&
         a.evaluations == b.evaluations && a.exhausted == b.exhausted;
}

} // namespace

TEST_CASE("tiny schedules: the exact search proves the optimum, the others come close") {
  // A good start would hide what the tree gives up wrongly.
  search::schedule_exact const unaided{.evaluations = ~std::uint64_t{0}, .walk_evaluations = 0};
  auto const all = every_schedule_search();
  std::vector<std::size_t> optimal(all.size()), feasible(all.size());
  std::size_t problems = 0, staged = 0, tight = 0, throughput = 0, possible = 0, schedules = 0;
  std::size_t met = 0;
  constexpr std::size_t enough = mars_test::sanitized ? 200 : 1'000;
  for (std::uint64_t trial = 0; problems < enough; ++trial) {
    auto const t = tiny_schedule(41, trial);
    if (!t) continue;
    auto const& p = t->with.problem;
    auto const& optimum = t->optimum;
    CAPTURE(trial, p.is_staged(), optimum.value.value, optimum.value.overflow_bytes);
    ++problems;
    schedules += optimum.schedules;
    staged += p.is_staged();
    tight += !p.always_fits();
    throughput += p.how() == aggregate::bottleneck;
    possible += optimum.value.feasible();
    auto const bound = schedule_bound(p);
    if (optimum.value.feasible()) {
      CHECK(bound.value <= optimum.value.value);
      met += bound.value + 2 + optimum.value.value / 1'000'000 >= optimum.value.value;
    }
    auto const exact = unaided(p, {});
    check_answer(p, optimum, exact);
    CHECK(exact.exhausted);
    CHECK(exact.value.feasible() == optimum.value.feasible());
    if (optimum.value.feasible()) {
      CHECK(exact.value.value == optimum.value.value);
      CHECK(exact.bound.value == optimum.value.value);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      CAPTURE(std::string{all[i].policy.name()});
      auto const found = all[i].policy(p, {});
      check_answer(p, optimum, found);
      feasible[i] += found.value.feasible();
      optimal[i] += found.value == optimum.value || !optimum.value.feasible();
      if (trial % 8 != 0) continue;
      CHECK(same(found, all[i].policy(p, {})));
      CHECK(same(found, all[i].policy(p, {.threads = 2})));
    }
  }
  std::string report;
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(std::string{all[i].policy.name()});
    report += "; " + std::string{all[i].policy.name()} + " " + std::to_string(optimal[i]);
    if (all[i].policy.name() == "annealing" || all[i].policy.name() == "genetic") {
      CHECK(optimal[i] * 10 >= problems * 9);
      CHECK(feasible[i] * 100 >= possible * 98);
    }
  }
  WARN(problems << " problems (" << staged << " staged, " << tight << " short of memory, "
                << throughput << " of throughput, " << possible << " possible), " << schedules
                << " schedules; bound met " << met << "; optimal" << report);
  CHECK(tight * 100 > problems * 15);
  CHECK(throughput * 100 > problems * 15);
  CHECK(staged * 100 > problems * 30);
  CHECK((problems - staged) * 100 > problems * 30);
}

TEST_CASE("searches for schedules keep to their budget, stop when asked and use their start") {
  auto const all = every_schedule_search();
  random_stream const root{42};
  std::size_t problems = 0, stopped = 0, improved = 0;
  constexpr std::size_t enough = mars_test::sanitized ? 12 : 60;
  for (std::uint64_t trial = 0; problems < enough; ++trial) {
    auto r = root.substream(trial);
    auto const c = mars_test::random_schedule_case(r, {.operators = 6 + r.below(8),
                                                       .accelerators = 5,
                                                       .sets = 5,
                                                       .staged = trial % 2 == 0,
                                                       .roomy = r.chance(0.5)});
    if (!c) continue;
    auto const& p = c->problem;
    ++problems;
    schedule_evaluator price{p};
    auto const good = search::schedule_annealing{.evaluations = 5000}(p, {}).best;
    for (auto const& [policy, step] : all) {
      CAPTURE(trial, std::string{policy.name()});
      auto const budget = 200 + r.below(400);
      auto const within = policy(p, {.budget = {.evaluations = budget}});
      REQUIRE(is_schedule(p, within.best));
      // What constructs a schedule finishes it, whatever the budget.
      auto const built = policy(p, {.budget = {.evaluations = 1}}).evaluations;
      if (step > 0) CHECK(within.evaluations <= std::max(budget, built) + step);

      std::atomic<bool> flag{true};
      auto const none = policy(p, {.stop = stop_token{&flag}});
      REQUIRE(is_schedule(p, none.best));
      CHECK(price(none.best) == none.value);
      if (step > 0) CHECK(none.evaluations <= built + 64);

      std::size_t told = 0;
      search_context watched;
      watched.budget.evaluations = 20'000;
      watched.observer = [&](progress const&) {
        ++told;
        return verdict::stop;
      };
      auto const heard = policy(p, watched);
      CHECK(told <= 1);
      stopped += told;
      CHECK(heard.evaluations <= 20'000 + built);

      if (policy.name() == "h2h") continue; // constructs its own
      auto const start = mars_test::random_schedule(r, p);
      search_context from;
      from.budget.evaluations = 300;
      from.start_schedule = good;
      auto const kept = policy(p, from);
      CHECK_FALSE(price(good) < kept.value);
      from.start_schedule = start;
      auto const better = policy(p, from);
      CHECK_FALSE(price(start) < better.value);
      improved += better.value < price(start);
    }
  }
  CHECK(stopped > problems);
  CHECK(improved * 3 > problems * 5);
}

TEST_CASE("nothing to schedule") {
  auto const system = mars_test::connected_system(2, bytes_per_second{1e6});
  auto const p = build_schedule_problem(mars_test::empty_graph{}, system, cost::analytical{},
                                        parallel::exclusive_shared{}, collective::standard{},
                                        objective::latency{}, {{accelerator_id{0}}});
  REQUIRE(p);
  for (auto const& s : every_schedule_search()) {
    CAPTURE(std::string{s.policy.name()});
    auto const found = s.policy(*p, {});
    CHECK(is_schedule(*p, found.best));
    CHECK(found.value.value == 0);
    CHECK(found.value.feasible());
  }
}
