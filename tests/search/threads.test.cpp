// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What starts threads, small enough for the thread sanitiser.
#include "support/catch.hpp"

#include "support/random_problems.hpp"
#include "support/search_policies.hpp"
#include "support/tiny_systems.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

using namespace mars;

namespace {
auto some_problem(std::uint64_t index) -> mapping_problem {
  random_stream r{9000, index};
  auto const g = mars_test::random_network(r, 5);
  return mars_test::make_problem(g, mars_test::random_system(r, 4));
}
} // namespace

TEST_CASE("searches on several threads answer as on one") {
  for (std::uint64_t i = 0; i < 3; ++i) {
    auto const problem = some_problem(i);
    for (auto const& policy : mars_test::every_search()) {
      CAPTURE(i, policy.name());
      search_context context{.budget = {.evaluations = 3000}};
      auto const alone = policy(problem, context);
      context.threads = 4;
      CHECK(policy(problem, context).best == alone.best);
    }
  }
}

TEST_CASE("a search is interrupted from another thread") {
  auto const problem = some_problem(7);
  for (auto const& policy : mars_test::every_search()) {
    CAPTURE(policy.name());
    std::atomic<bool> flag{false};
    search_context const context{
        .budget = {.evaluations = 200'000}, .stop = stop_token{&flag}, .threads = 2};
    std::thread other{[&flag] { flag.store(true); }};
    auto const found = policy(problem, context);
    other.join();
    CHECK(mars_test::is_legal(problem, found.best));
  }
}
