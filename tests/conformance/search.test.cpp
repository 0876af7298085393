// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What SearchPolicy promises, asked of every policy.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/search_policies.hpp"
#include "support/tiny_systems.hpp"

#include <mars/mapping/validate.hpp>
#include <mars/testing/search_conformance.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {
using namespace mars;
using search::any_search;

struct example {
  graph g;
  any_system system;
  mapping_problem problem;
};

/// `index` decides everything. A third has memory for few of its assignments.
auto make_example(std::uint64_t index, std::size_t operators = 6) -> example {
  random_stream r{4000, index};
  auto g = mars_test::random_network(r, operators);
  auto s = mars_test::random_system(r, 6);
  for (auto& a : s.accelerators)
    if (index % 3 != 0) a.capacity = bytes{1'000'000'000};
  auto problem = mars_test::make_problem(g, s);
  return {std::move(g), std::move(s), std::move(problem)};
}

void check_same(solution const& a, solution const& b) {
  CHECK(a.best == b.best);
  CHECK(a.value == b.value);
  CHECK(a.evaluations == b.evaluations);
  CHECK(a.bound.value == b.bound.value);
  CHECK(a.exhausted == b.exhausted);
}

/// A budget larger than one step of any policy, smaller than a whole search.
auto some(std::uint64_t evaluations) -> search_context {
  return {.budget = {.evaluations = evaluations}};
}

} // namespace

// The library's own suite, as users run it on their policies.
TEST_CASE("every search keeps what SearchPolicy promises") {
  for (auto const& policy : mars_test::every_search()) {
    CAPTURE(policy.name());
    auto const broken = testing::check_search(policy);
    for (auto const& b : broken) {
      CAPTURE(b.law, b.where);
      CHECK(false);
    }
  }
}

namespace {

/// A policy that spoils the answer of an honest one.
template <class Spoil>
struct spoiled {
  Spoil spoil;
  [[nodiscard]] auto name() const -> std::string_view { return "spoiled"; }
  [[nodiscard]] auto operator()(mapping_problem const& p, search_context const& context) const
      -> solution {
    auto found = search::exact{}(p, context);
    spoil(p, context, found);
    return found;
  }
};
template <class Spoil>
spoiled(Spoil) -> spoiled<Spoil>;

template <class Spoil>
void finds_out(std::string_view law, Spoil spoil) {
  CAPTURE(law);
  auto const broken = testing::check_search(spoiled{spoil});
  CHECK(std::any_of(broken.begin(), broken.end(), [&](auto const& b) { return b.law == law; }));
}

} // namespace

TEST_CASE("the suite finds out policies that break one promise") {
  using context_type = search_context;
  finds_out("the answer is a legal assignment",
            [](mapping_problem const& p, context_type const&, solution& s) {
              if (p.size() > 0) s.best.choice_of.front() = 60000;
            });
  finds_out("its value is what the problem says it is",
            [](mapping_problem const&, context_type const&, solution& s) { --s.value.value; });
  finds_out("no feasible answer is below the bound",
            [](mapping_problem const&, context_type const&, solution& s) {
              s.bound.value = s.value.value + 1;
            });
  finds_out("no bound is above the optimum",
            [](mapping_problem const&, context_type const&, solution& s) {
              s.bound.value = s.value.value + 1;
            });
  finds_out("what is called proven is the optimum",
            [](mapping_problem const& p, context_type const&, solution& s) {
              random_stream r{5};
              s.best = testing::random_assignment(p, r);
              s.value = p.evaluate(s.best);
            });
  finds_out("the answer does not depend on the number of threads",
            [](mapping_problem const&, context_type const& c, solution& s) {
              s.evaluations += c.threads;
            });
  finds_out("the answer is never worse than the start",
            [](mapping_problem const& p, context_type const& c, solution& s) {
              if (!c.start) return;
              random_stream r{6};
              s.best = testing::random_assignment(p, r);
              s.value = p.evaluate(s.best);
            });
  finds_out("a budget of evaluations is kept, but for the step under way",
            [](mapping_problem const&, context_type const& c, solution& s) {
              if (c.budget.evaluations > 1U) s.evaluations = 1'000'000;
            });
  finds_out("nothing to map costs nothing",
            [](mapping_problem const& p, context_type const&, solution& s) {
              if (p.size() == 0) s.value.value = 1;
            });
}

TEST_CASE("searches answer legally, and what they say of the answer is true") {
  for (std::uint64_t i = 0; i < 12; ++i) {
    auto const e = make_example(i);
    for (auto const& policy : mars_test::every_search()) {
      CAPTURE(i, policy.name());
      auto const found = policy(e.problem, some(20'000));
      REQUIRE(mars_test::is_legal(e.problem, found.best));
      CHECK(found.value == e.problem.evaluate(found.best));
      CHECK(found.evaluations >= 1);
      CHECK(found.bound.value >= 0);
      if (found.value.feasible()) CHECK(found.bound.value <= found.value.value);
      CHECK_FALSE(std::string{found.bound.name}.empty());
      for (auto const& v : validate(e.problem.decode(found.best), e.g, e.system)) {
        INFO(to_string(v));
        CHECK_FALSE(found.value.feasible());
        CHECK((v.kind == violation_kind::memory || v.kind == violation_kind::refused_operator));
      }
    }
  }
}

TEST_CASE("a search may run concurrently with itself") {
  auto const e = make_example(1);
  for (auto const& policy : mars_test::every_search()) {
    CAPTURE(policy.name());
    auto const alone = policy(e.problem, some(5000));
    std::vector<solution> found(3);
    std::vector<std::thread> threads;
    for (auto& f : found)
      threads.emplace_back([&policy, &e, &f] { f = policy(e.problem, some(5000)); });
    for (auto& t : threads) t.join();
    for (auto const& f : found) check_same(alone, f);
  }
}

TEST_CASE("more evaluations never give a worse answer") {
  for (std::uint64_t i = 0; i < 4; ++i) {
    auto const e = make_example(i);
    for (auto const& policy : mars_test::every_search()) {
      CAPTURE(i, policy.name());
      auto best = policy(e.problem, some(1)).value;
      for (std::uint64_t const limit : {100U, 3000U, 30'000U}) {
        auto const value = policy(e.problem, some(limit)).value;
        CHECK_FALSE(best < value);
        best = value;
      }
    }
  }
}

TEST_CASE("a wall-clock budget ends a search that would go on") {
  auto const e = make_example(4, 12);
  using clock = deadline::clock;
  for (auto const& policy : mars_test::every_search()) {
    CAPTURE(policy.name());
    search_context context;
    context.budget.wall = seconds{0.02};
    // Against a hundred times the budget: only a policy that does not look at the clock takes that.
    auto const begun = clock::now();
    auto const found = policy(e.problem, context);
    CHECK(std::chrono::duration<double>(clock::now() - begun).count() < 2.0);
    CHECK(mars_test::is_legal(e.problem, found.best));
    // None at all: one step, and an answer.
    context.budget.wall = seconds{0};
    auto const hasty = policy(e.problem, context);
    CHECK(mars_test::is_legal(e.problem, hasty.best));
    CHECK(hasty.value == e.problem.evaluate(hasty.best));
  }
}

TEST_CASE("a stop request and an observer end a search") {
  auto const e = make_example(5, 12);
  std::atomic<bool> raised{true};
  for (auto const& policy : mars_test::every_search()) {
    CAPTURE(policy.name());
    auto context = some(50'000);
    context.stop = stop_token{&raised};
    auto const stopped = policy(e.problem, context);
    CHECK(mars_test::is_legal(e.problem, stopped.best));
    CHECK_FALSE(stopped.exhausted);
    CHECK(stopped.evaluations <= policy(e.problem, some(1)).evaluations);

    context = some(50'000);
    std::vector<progress> heard;
    context.observer = [&](progress const& p) {
      heard.push_back(p);
      return verdict::stop;
    };
    auto const ended = policy(e.problem, context);
    CHECK(mars_test::is_legal(e.problem, ended.best));
    REQUIRE_FALSE(heard.empty());
    CHECK(heard.size() == 1);
    CHECK_FALSE(ended.exhausted);
  }
}

TEST_CASE("observers hear of falling values, and change nothing") {
  auto const e = make_example(1);
  for (auto const& policy : mars_test::every_search()) {
    CAPTURE(policy.name());
    auto context = some(20'000);
    auto const alone = policy(e.problem, context);
    std::vector<progress> heard;
    context.observer = [&](progress const& p) {
      heard.push_back(p);
      return verdict::proceed;
    };
    auto const found = policy(e.problem, context);
    check_same(alone, found);
    REQUIRE_FALSE(heard.empty());
    for (std::size_t i = 0; i < heard.size(); ++i) {
      if (found.value.feasible()) CHECK(heard[i].bound.count() <= found.value.value);
      CHECK(heard[i].evaluations <= found.evaluations);
      CHECK_FALSE(heard[i].phase.empty());
      if (i == 0) continue;
      CHECK(heard[i].best <= heard[i - 1].best);
      CHECK(heard[i].evaluations >= heard[i - 1].evaluations);
    }
    if (found.value.feasible()) CHECK(heard.back().best.count() == found.value.value);
  }
}
